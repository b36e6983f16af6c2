//! How many requests a gateway answered, by route and status, and how long they took.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric, NoLabelSet};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

use crate::response_cache::ResponseCache;
use crate::route::Route;

/// Upper bounds of the latency buckets, in microseconds; the last bucket has none.
const BOUNDS_US: [u64; 12] =
    [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 500_000, 5_000_000];
/// Classes of status: 1xx to 5xx.
const CLASSES: usize = 5;

#[derive(Default)]
struct Counts {
    classes: [AtomicU64; CLASSES],
    buckets: [AtomicU64; BOUNDS_US.len() + 1],
    micros: AtomicU64,
}

/// The numbers of every route, without a lock on the path of a request.
pub(crate) struct Metrics {
    /// `GET /products/{slug}`; the last stands for addresses without a route.
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
        let names: Vec<String> = named.chain(["none".to_owned()]).collect();
        let counts = names.iter().map(|_| Counts::default()).collect();
        Self { names, counts, cache }
    }

    pub(crate) fn record(&self, place: Option<usize>, status: StatusCode, took: Duration) {
        let Some(counts) = self.counts.get(place.unwrap_or(self.counts.len() - 1)) else { return };
        let class = usize::from(status.as_u16() / 100).clamp(1, CLASSES) - 1;
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        counts.classes[class].fetch_add(1, Ordering::Relaxed);
        counts.micros.fetch_add(micros, Ordering::Relaxed);
        let bucket = BOUNDS_US.iter().position(|bound| micros <= *bound).unwrap_or(BOUNDS_US.len());
        counts.buckets[bucket].fetch_add(1, Ordering::Relaxed);
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
            let buckets: Vec<u64> =
                counts.buckets.iter().map(|bucket| bucket.load(Ordering::Relaxed)).collect();
            let count: u64 = buckets.iter().sum();
            if count == 0 {
                continue;
            }
            let bounds =
                BOUNDS_US.iter().map(|bound| Duration::from_micros(*bound).as_secs_f64()).chain([f64::MAX]);
            let buckets: Vec<(f64, u64)> = bounds.zip(buckets).collect();
            let sum = Duration::from_micros(counts.micros.load(Ordering::Relaxed)).as_secs_f64();
            let labels = [("route", name.clone())];
            seconds.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        let (entries, bytes) = self.cache.size();
        for (name, help, value) in [
            ("souk_kept_answers", "Answers kept for others", entries),
            ("souk_kept_bytes", "Bytes of memory that they take, with keys, variants and tables", bytes),
        ] {
            let gauge = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            ConstGauge::new(i64::try_from(value).unwrap_or(i64::MAX)).encode(gauge)?;
        }
        Ok(())
    }
}
