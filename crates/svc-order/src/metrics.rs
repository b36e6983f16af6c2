//! What the worker counts.

use chassis::Context;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;

use crate::domain::Decision;

/// The worker's metrics.
#[derive(Clone, Default)]
pub struct Metrics {
    steps: Family<[(&'static str, &'static str); 1], Counter>,
    alarms: Counter,
    due: Gauge,
}

impl Metrics {
    /// The metrics of a role.
    #[must_use]
    pub fn register(ctx: &Context) -> Self {
        let metrics = Self::default();
        ctx.register_metrics(|registry| {
            registry.register(
                "souk_order_records",
                "Changes of orders, by what happened",
                metrics.steps.clone(),
            );
            registry.register(
                "souk_order_alarms",
                "Times that an order did not come on",
                metrics.alarms.clone(),
            );
            registry.register(
                "souk_order_due",
                "Orders that were due at the last sweep",
                metrics.due.clone(),
            );
        });
        metrics
    }

    /// A change was recorded.
    pub fn recorded(&self, decision: &Decision) {
        self.steps.get_or_create(&[("what", decision.what)]).inc();
    }

    /// An order does not come on.
    pub fn alarm(&self) {
        self.alarms.inc();
    }

    /// So many orders were due.
    pub fn due(&self, orders: usize) {
        self.due.set(i64::try_from(orders).unwrap_or(i64::MAX));
    }
}
