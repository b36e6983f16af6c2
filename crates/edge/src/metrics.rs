//! How many requests a gateway answered, by route and status, and how long they took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use kernel::Histogram;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::response_cache::ResponseCache;
use crate::route::Route;

/// Classes of status: 1xx to 5xx.
const CLASSES: usize = 5;

#[derive(Default)]
struct Counts {
    classes: [AtomicU64; CLASSES],
    times: Histogram,
}

/// What a request was for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counted {
    /// A route, by its place.
    Route(usize),
    /// A WebSocket.
    Socket,
    /// An address that nothing stands at.
    Nothing,
}

impl From<Option<usize>> for Counted {
    fn from(place: Option<usize>) -> Self {
        place.map_or(Self::Nothing, Self::Route)
    }
}

/// The numbers of every route, without a lock on the path of a request.
pub(crate) struct Metrics {
    /// `GET /products/{slug}`; the last two stand for sockets, and for addresses without a route.
    names: Vec<String>,
    counts: Vec<Counts>,
    cache: Arc<ResponseCache>,
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Metrics")
    }
}

impl Metrics {
    pub(crate) fn new(routes: &[Route], cache: Arc<ResponseCache>) -> Self {
        let named = routes.iter().map(|route| format!("{} {}", route.method, route.path));
        let names: Vec<String> = named.chain(["GET /ws".to_owned(), "none".to_owned()]).collect();
        let counts = names.iter().map(|_| Counts::default()).collect();
        Self { names, counts, cache }
    }

    pub(crate) fn record(&self, what: Counted, status: StatusCode, took: Duration) {
        let place = match what {
            Counted::Route(place) => place,
            Counted::Socket => self.counts.len() - 2,
            Counted::Nothing => self.counts.len() - 1,
        };
        let Some(counts) = self.counts.get(place) else { return };
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES) - 1;
        counts.classes[class].fetch_add(1, Ordering::Relaxed);
        counts.times.record(took);
    }
}

impl Collector for Metrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let mut requests = encoder.encode_descriptor(
            "souk_requests",
            "HTTP requests answered, by route and class of status",
            None,
            MetricType::Counter,
        )?;
        for (name, counts) in self.names.iter().zip(&self.counts) {
            for (class, count) in counts.classes.iter().enumerate() {
                let count = count.load(Ordering::Relaxed);
                if count > 0 {
                    let labels = [("route", name.clone()), ("status", format!("{}xx", class + 1))];
                    ConstCounter::new(count).encode(requests.encode_family(&labels)?)?;
                }
            }
        }
        let mut seconds = encoder.encode_descriptor(
            "souk_request_seconds",
            "Time to answer over HTTP, in seconds",
            None,
            MetricType::Histogram,
        )?;
        for (name, counts) in self.names.iter().zip(&self.counts) {
            let Some(kernel::Counts { buckets, count, sum }) = counts.times.counts() else { continue };
            let labels = [("route", name.clone())];
            seconds.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        let (entries, bytes) = self.cache.size();
        for (name, help, value) in [
            ("souk_response_cache_entries", "Responses in the response cache", entries),
            (
                "souk_response_cache_bytes",
                "Bytes of memory of the response cache, with keys, variants and tables",
                bytes,
            ),
        ] {
            let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(gauge)?;
        }
        Ok(())
    }
}
