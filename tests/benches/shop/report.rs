//! The figures, for people and for machines.

use hdrhistogram::Histogram;

use super::machine;
use app::files::Stopwatch;

/// All that was measured.
pub struct Report {
    pub ready_ms: u64,
    pub ready_loaded_ms: u64,
    pub idle_mib: f64,
    pub loaded_mib: f64,
    pub floor: FloorFigures,
    pub cart: Figures,
    pub orders: Orders,
    /// When they were asked for.
    pub searches: Option<Figures>,
    pub audit_holds: bool,
}

/// Bare rusqlite writers.
pub struct FloorFigures {
    pub orders_per_second_16: f64,
    pub orders_per_second: f64,
}

/// All orders, the first of them and the last.
pub struct Orders {
    pub all: Figures,
    pub first: Figures,
    pub last: Figures,
}

/// A stretch of load.
#[derive(Clone)]
pub struct Figures {
    pub count: u64,
    pub seconds: f64,
    pub cpu_seconds: f64,
    pub latency_us: Histogram<u64>,
}

/// Measures a stretch.
pub struct Meter {
    watch: Stopwatch,
    cpu_seconds: f64,
}

impl Meter {
    pub fn start() -> Self {
        Self { watch: Stopwatch::start(), cpu_seconds: machine::cpu_seconds() }
    }

    pub fn stop(&self, latency_us: Histogram<u64>) -> Figures {
        let cpu_seconds = machine::cpu_seconds() - self.cpu_seconds;
        Figures { count: latency_us.len(), seconds: self.watch.seconds(), cpu_seconds, latency_us }
    }
}

impl Figures {
    pub fn per_second(&self) -> f64 {
        self.count as f64 / self.seconds
    }

    fn cpu_us(&self) -> f64 {
        self.cpu_seconds * 1e6 / self.count as f64
    }

    fn ms(&self, quantile: f64) -> f64 {
        self.latency_us.value_at_quantile(quantile) as f64 / 1000.0
    }

    fn line(&self, name: &str) -> String {
        format!(
            "{name:<16} {:>8} {:>9.0}/s   p50 {:>6.1} ms   p99 {:>6.1} ms   max {:>6.1} ms   cpu {:>5.0} µs",
            self.count,
            self.per_second(),
            self.ms(0.5),
            self.ms(0.99),
            self.latency_us.max() as f64 / 1000.0,
            self.cpu_us()
        )
    }

    fn value(&self) -> serde_json::Value {
        serde_json::json!({
            "count": self.count,
            "per_second": self.per_second(),
            "p50_ms": self.ms(0.5),
            "p99_ms": self.ms(0.99),
            "cpu_us": self.cpu_us(),
        })
    }
}

impl Report {
    fn of_floor(&self) -> f64 {
        self.orders.all.per_second() / self.floor.orders_per_second
    }

    /// What an order costs at the end, of what it cost at the beginning.
    fn growth(&self) -> (f64, f64) {
        let (first, last) = (&self.orders.first, &self.orders.last);
        (first.per_second() / last.per_second(), last.cpu_us() / first.cpu_us())
    }

    pub fn table(&self) -> String {
        let (time, cpu) = self.growth();
        let floor =
            |in_flight: u32, rate: f64| format!("floor at {in_flight:<7}          {rate:>9.0} orders/s");
        let mut lines = vec![
            format!("ready            {} ms, after the load {} ms", self.ready_ms, self.ready_loaded_ms),
            format!(
                "resident         {:.0} MiB idle, {:.0} MiB after the load",
                self.idle_mib, self.loaded_mib
            ),
            floor(16, self.floor.orders_per_second_16),
            floor(64, self.floor.orders_per_second),
            self.cart.line("cart adds"),
            self.orders.all.line("orders"),
            self.orders.first.line("  the first"),
            self.orders.last.line("  the last"),
            format!("orders / floor   {:.2}", self.of_floor()),
            format!("last / first     {time:.2} in time, {cpu:.2} in processor time"),
            format!("audit            {}", if self.audit_holds { "holds" } else { "FAILS" }),
        ];
        lines.extend(self.searches.as_ref().map(|searches| searches.line("searches")));
        lines.join("\n")
    }

    pub fn json(&self) -> String {
        let (time, cpu) = self.growth();
        serde_json::json!({
            "ready_ms": self.ready_ms,
            "ready_loaded_ms": self.ready_loaded_ms,
            "idle_mib": self.idle_mib,
            "loaded_mib": self.loaded_mib,
            "floor_orders_per_second_16": self.floor.orders_per_second_16,
            "floor_orders_per_second_64": self.floor.orders_per_second,
            "cart_adds": self.cart.value(),
            "orders": self.orders.all.value(),
            "orders_first": self.orders.first.value(),
            "orders_last": self.orders.last.value(),
            "orders_of_floor": self.of_floor(),
            "searches": self.searches.as_ref().map(Figures::value),
            "last_of_first_time": time,
            "last_of_first_cpu": cpu,
            "audit_holds": self.audit_holds,
        })
        .to_string()
    }
}
