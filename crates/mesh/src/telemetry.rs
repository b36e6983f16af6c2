//! First layer of both stacks: counts every call, and how long it took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use contract::MethodContract;
use kernel::Histogram;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;

use crate::{Answer, Call, Layer};

/// gRPC status codes, 0 to 16.
const CODES: usize = 17;

#[derive(Default)]
struct Method {
    codes: [AtomicU64; CODES],
    times: Histogram,
}

/// Whose calls are counted: the names and meanings of the two metrics.
struct Side {
    calls: (&'static str, &'static str),
    seconds: (&'static str, &'static str),
}

const SERVED: Side = Side {
    calls: ("souk_calls", "Calls served, by method and gRPC status code"),
    seconds: ("souk_call_seconds", "Time to answer, in seconds"),
};
const MADE: Side = Side {
    calls: ("souk_calls_made", "Calls made to roles, here or elsewhere, by method and gRPC status code"),
    seconds: ("souk_call_made_seconds", "Time until the answer was there, in seconds"),
};

/// The numbers of every method, without a lock on the path of a call.
pub struct Telemetry {
    side: &'static Side,
    methods: Vec<Method>,
    in_flight: AtomicU64,
}

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Telemetry").field("in_flight", &self.in_flight).finish_non_exhaustive()
    }
}

impl Telemetry {
    /// Of the calls that this process serves.
    #[must_use]
    pub fn served() -> Self {
        Self::of(&SERVED)
    }

    /// Of the calls that its roles make.
    #[must_use]
    pub fn made() -> Self {
        Self::of(&MADE)
    }

    fn of(side: &'static Side) -> Self {
        let methods = contract::methods().iter().map(|_| Method::default()).collect();
        Self { side, methods, in_flight: AtomicU64::new(0) }
    }

    /// Notes one finished call.
    fn record(&self, method: &MethodContract, code: i32, took: Duration) {
        let method = &self.methods[method.index];
        let code = usize::try_from(code).ok().filter(|code| *code < CODES).unwrap_or(2);
        method.codes[code].fetch_add(1, Ordering::Relaxed);
        method.times.record(took);
    }

    /// Calls that have no answer yet.
    #[must_use]
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Calls of a method that were answered so far, with any status.
    #[must_use]
    pub fn answered(&self, path: &str) -> u64 {
        contract::method(path).map_or(0, |method| {
            self.methods[method.index].codes.iter().map(|code| code.load(Ordering::Relaxed)).sum()
        })
    }
}

impl Collector for Telemetry {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let (name, help) = self.side.calls;
        let mut calls = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
        for (contract, method) in contract::methods().iter().zip(&self.methods) {
            for (code, count) in method.codes.iter().enumerate() {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let labels = [("method", contract.path.to_owned()), ("code", code.to_string())];
                    ConstCounter::new(count).encode(calls.encode_family(&labels)?)?;
                }
            }
        }
        let (name, help) = self.side.seconds;
        let mut seconds = encoder.encode_descriptor(name, help, None, MetricType::Histogram)?;
        for (contract, method) in contract::methods().iter().zip(&self.methods) {
            let Some(counts) = method.times.counts() else { continue };
            let labels = [("method", contract.path.to_owned())];
            let mut times = seconds.encode_family(&labels)?;
            times.encode_histogram::<NoLabelSet>(counts.sum, counts.count, &counts.buckets, None)?;
        }
        Ok(())
    }
}

/// The layer.
pub struct Count<N> {
    pub(crate) telemetry: Arc<Telemetry>,
    pub(crate) next: N,
}

/// Notes a call when it ends, or when its caller leaves.
struct Running<'a> {
    telemetry: &'a Telemetry,
    method: Option<&'static MethodContract>,
    arrived: tokio::time::Instant,
    code: i32,
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.telemetry.in_flight.fetch_sub(1, Ordering::Relaxed);
        if let Some(method) = self.method {
            self.telemetry.record(method, self.code, self.arrived.elapsed());
        }
    }
}

impl<N: Layer> Layer for Count<N> {
    async fn call(&self, call: Box<Call>) -> Answer {
        self.telemetry.in_flight.fetch_add(1, Ordering::Relaxed);
        let cancelled = tonic::Code::Cancelled as i32;
        let (method, arrived) = (call.method, call.arrived);
        let mut running = Running { telemetry: &self.telemetry, method, arrived, code: cancelled };
        let answer = self.next.call(call).await;
        running.code = match &answer {
            Ok(response) => crate::rescue::code(response.headers()),
            Err(_) => tonic::Code::Internal as i32,
        };
        answer
    }
}
