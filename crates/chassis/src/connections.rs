//! The numbers of the listeners: connections, their limits, and why they were closed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;

/// What the listeners of a process count.
#[derive(Debug, Default)]
pub(crate) struct ListenerMetrics {
    listeners: Mutex<BTreeMap<&'static str, (i64, usize)>>,
    closed: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
    descriptors: AtomicU64,
}

impl ListenerMetrics {
    pub(crate) fn limit(&self, listener: &'static str, connections_max: usize) {
        self.listeners.lock().entry(listener).or_default().1 += connections_max;
    }

    pub(crate) fn open(&self, listener: &'static str, by: i64) {
        self.listeners.lock().entry(listener).or_default().0 += by;
    }

    pub(crate) fn closed(&self, listener: &'static str, why: &'static str) {
        *self.closed.lock().entry((listener, why)).or_default() += 1;
    }

    pub(crate) fn descriptors(&self, limit: u64) {
        self.descriptors.store(limit, Ordering::Relaxed);
    }

    #[cfg(test)]
    pub(crate) fn count(&self, listener: &'static str, why: &'static str) -> u64 {
        self.closed.lock().get(&(listener, why)).copied().unwrap_or(0)
    }

    /// Connections of a listener that are open.
    pub(crate) fn connections(&self, listener: &str) -> i64 {
        self.listeners.lock().get(listener).map_or(0, |(open, _)| *open)
    }
}

impl Collector for ListenerMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        let listeners = self.listeners.lock().clone();
        let mut open = encoder.encode_descriptor(
            "souk_connections",
            "Open connections, by listener",
            None,
            MetricType::Gauge,
        )?;
        for (listener, (connections, _)) in &listeners {
            let labels = [("listener", *listener)];
            ConstGauge::new(*connections).encode(open.encode_family(&labels)?)?;
        }
        let mut limits = encoder.encode_descriptor(
            "souk_connections_limit",
            "Connections that a listener has room for",
            None,
            MetricType::Gauge,
        )?;
        for (listener, (_, limit)) in &listeners {
            let labels = [("listener", *listener)];
            let limit = i64::try_from(*limit).unwrap_or(i64::MAX);
            ConstGauge::new(limit).encode(limits.encode_family(&labels)?)?;
        }
        let help = "Connections that were closed or refused by a limit, by listener and reason";
        let mut closed =
            encoder.encode_descriptor("souk_connections_closed", help, None, MetricType::Counter)?;
        for ((listener, why), count) in self.closed.lock().iter() {
            let labels = [("listener", *listener), ("reason", *why)];
            ConstCounter::new(*count).encode(closed.encode_family(&labels)?)?;
        }
        let descriptors = i64::try_from(self.descriptors.load(Ordering::Relaxed)).unwrap_or(i64::MAX);
        let limit = encoder.encode_descriptor(
            "souk_file_descriptors_limit",
            "File descriptors that the process may have open",
            None,
            MetricType::Gauge,
        )?;
        ConstGauge::new(descriptors).encode(limit)
    }
}
