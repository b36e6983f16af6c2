//! What is measured: per request and per journey how many, what became of them, and how long they took.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hdrhistogram::Histogram;
use serde::{Serialize, Serializer};

use super::mix::Journey;

/// The longest time that is measured exactly: ten minutes, in microseconds.
const MICROS_MAX: u64 = 600_000_000;

/// A single request of a journey.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The home page.
    Home,
    /// A category's page.
    Category,
    /// A product's page.
    Product,
    /// Suggestions while somebody types.
    Suggest,
    /// The page of what was found.
    Search,
    /// Puts something into the cart.
    Add,
    /// The cart's page.
    Cart,
    /// The checkout page.
    Checkout,
    /// A signed quote.
    Quote,
    /// Places and pays the order.
    Pay,
    /// The order's page.
    Order,
}

impl Step {
    /// All, in the order in which they are told.
    pub const ALL: [Self; 11] = [
        Self::Home,
        Self::Category,
        Self::Product,
        Self::Suggest,
        Self::Search,
        Self::Add,
        Self::Cart,
        Self::Checkout,
        Self::Quote,
        Self::Pay,
        Self::Order,
    ];

    /// Its name in results.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::Category => "category",
            Self::Product => "product",
            Self::Suggest => "suggest",
            Self::Search => "search",
            Self::Add => "add",
            Self::Cart => "cart",
            Self::Checkout => "checkout",
            Self::Quote => "quote",
            Self::Pay => "pay",
            Self::Order => "order",
        }
    }
}

/// How a request, or a journey, did not end well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The shop said no for a reason of trade, such as `OUT_OF_STOCK`.
    Refused(String),
    /// Anything else; the reason is stable.
    Failed(String),
}

/// What became of a request or a journey.
pub type Fate = Result<(), Ended>;

/// Times of one kind of request or journey.
#[derive(Clone, Debug)]
pub struct Meter {
    errors: u64,
    refused: BTreeMap<String, u64>,
    micros: Histogram<u64>,
}

impl Default for Meter {
    fn default() -> Self {
        Self { errors: 0, refused: BTreeMap::new(), micros: histogram() }
    }
}

fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, MICROS_MAX, 3).expect("bounds and digits are allowed")
}

impl Meter {
    /// Notes one more.
    pub fn record(&mut self, took: Duration, fate: &Fate) {
        self.micros.saturating_record(micros(took));
        match fate {
            Ok(()) => {}
            Err(Ended::Refused(reason)) => *self.refused.entry(reason.clone()).or_default() += 1,
            Err(Ended::Failed(_)) => self.errors += 1,
        }
    }

    /// The result.
    #[must_use]
    pub fn figures(&self) -> Figures {
        Figures {
            count: self.micros.len(),
            errors: self.errors,
            refused: self.refused.clone(),
            ms: Millis::of(&self.micros),
        }
    }
}

fn micros(took: Duration) -> u64 {
    u64::try_from(took.as_micros()).unwrap_or(u64::MAX)
}

/// What was measured of one kind of request or journey.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Figures {
    /// How many ended, whatever became of them.
    pub count: u64,
    /// Those that failed.
    pub errors: u64,
    /// Those that the shop refused, by reason.
    pub refused: BTreeMap<String, u64>,
    /// How long all of them took.
    pub ms: Millis,
}

/// Milliseconds, from when it was due to its end. All 0 when there was none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Millis {
    /// Half took no longer.
    pub p50: f64,
    /// 90 % took no longer.
    pub p90: f64,
    /// 99 % took no longer.
    pub p99: f64,
    /// 99.9 % took no longer.
    pub p99_9: f64,
    /// The longest.
    pub max: f64,
}

impl Millis {
    fn of(micros: &Histogram<u64>) -> Self {
        let at = |quantile| micros.value_at_quantile(quantile) as f64 / 1000.0;
        Self {
            p50: at(0.5),
            p90: at(0.9),
            p99: at(0.99),
            p99_9: at(0.999),
            max: micros.max() as f64 / 1000.0,
        }
    }
}

/// Counts that only rise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Journeys that were due.
    pub due: u64,
    /// Journeys that were started.
    pub started: u64,
    /// Journeys that have ended.
    pub ended: u64,
    /// Orders that are known to be confirmed.
    pub confirmed: u64,
    /// Requests that were refused.
    pub refused: u64,
    /// Requests that failed.
    pub errors: u64,
}

/// What happened in one second.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Second {
    event: &'static str,
    /// Seconds since the first journey was due.
    pub second: u64,
    /// Journeys that were due in it.
    pub due: u64,
    /// Journeys that were started in it.
    pub started: u64,
    /// Journeys on their way at its end.
    pub in_flight: u64,
    /// Orders that were told to be confirmed in it.
    pub confirmed: u64,
    /// Requests that ended in it.
    pub requests: u64,
    /// Requests that were refused in it.
    pub refused: u64,
    /// Requests that failed in it.
    pub errors: u64,
    /// How long the requests took that ended in it.
    pub ms: Millis,
}

/// Everything that is measured; shared by all journeys.
#[derive(Debug, Default)]
pub struct Tally(Mutex<Books>);

/// What a tally holds.
#[derive(Clone, Debug)]
pub struct Books {
    /// By step.
    pub steps: [Meter; Step::ALL.len()],
    /// By journey.
    pub journeys: [Meter; Journey::ALL.len()],
    /// Why requests failed: step and reason.
    pub reasons: BTreeMap<String, u64>,
    /// Counts of the whole.
    pub counts: Counts,
    lately: Histogram<u64>,
    before: Counts,
}

impl Default for Books {
    fn default() -> Self {
        Self {
            steps: std::array::from_fn(|_| Meter::default()),
            journeys: std::array::from_fn(|_| Meter::default()),
            reasons: BTreeMap::new(),
            counts: Counts::default(),
            lately: histogram(),
            before: Counts::default(),
        }
    }
}

impl Tally {
    fn books(&self) -> MutexGuard<'_, Books> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a journey is due, and whether it is started.
    pub fn due(&self, started: bool) {
        let mut books = self.books();
        books.counts.due += 1;
        books.counts.started += u64::from(started);
    }

    /// Notes a request that ended.
    pub fn step(&self, step: Step, took: Duration, fate: &Fate) {
        let mut books = self.books();
        books.lately.saturating_record(micros(took));
        books.steps[step as usize].record(took, fate);
        match fate {
            Ok(()) => {}
            Err(Ended::Refused(_)) => books.counts.refused += 1,
            Err(Ended::Failed(reason)) => {
                books.counts.errors += 1;
                *books.reasons.entry(format!("{} {reason}", step.name())).or_default() += 1;
            }
        }
    }

    /// Notes an order that was told to be confirmed.
    pub fn confirmed(&self) {
        self.books().counts.confirmed += 1;
    }

    /// Notes a journey that ended.
    pub fn journey(&self, journey: Journey, took: Duration, fate: &Fate) {
        let mut books = self.books();
        books.counts.ended += 1;
        books.journeys[journey.index()].record(took, fate);
    }

    /// What happened since it was last asked.
    pub fn second(&self, second: u64) -> Second {
        let mut books = self.books();
        let (now, before) = (books.counts, books.before);
        let told = Second {
            event: "second",
            second,
            due: now.due - before.due,
            started: now.started - before.started,
            in_flight: now.started - now.ended,
            confirmed: now.confirmed - before.confirmed,
            requests: books.lately.len(),
            refused: now.refused - before.refused,
            errors: now.errors - before.errors,
            ms: Millis::of(&books.lately),
        };
        books.before = now;
        books.lately.reset();
        told
    }

    /// All that was measured so far.
    pub fn all(&self) -> Books {
        self.books().clone()
    }
}

/// Figures under their names, in the order in which they are told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Named(pub Vec<(&'static str, Figures)>);

impl Serialize for Named {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, figures)| (name, figures)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_what_was_recorded() {
        let mut meter = Meter::default();
        for millis in 1..=1000 {
            meter.record(Duration::from_millis(millis), &Ok(()));
        }
        meter.record(Duration::from_secs(3600), &Err(Ended::Failed("GONE".into())));
        let refused = Err(Ended::Refused("OUT_OF_STOCK".into()));
        meter.record(Duration::ZERO, &refused);
        let figures = meter.figures();
        assert_eq!((figures.count, figures.errors), (1002, 1));
        assert_eq!(figures.refused, BTreeMap::from([("OUT_OF_STOCK".to_owned(), 1)]));
        for (found, exact) in [(figures.ms.p50, 500.0), (figures.ms.p90, 901.0), (figures.ms.p99, 991.0)] {
            assert!((found - exact).abs() <= exact / 500.0, "{found} is not about {exact}");
        }
        assert!(figures.ms.max >= 600_000.0, "above the bound it saturates");
        assert_eq!(Meter::default().figures().ms, Millis::default());
    }

    #[test]
    fn a_second_tells_what_happened_in_it() {
        let tally = Tally::default();
        tally.due(true);
        tally.due(false);
        tally.step(Step::Pay, Duration::from_millis(5), &Ok(()));
        tally.confirmed();
        let first = tally.second(1);
        assert_eq!((first.due, first.started, first.in_flight, first.confirmed), (2, 1, 1, 1));
        assert_eq!(first.requests, 1);
        tally.step(Step::Order, Duration::from_millis(9), &Err(Ended::Failed("HTTP_503".into())));
        tally.journey(Journey::Buy, Duration::from_millis(14), &Err(Ended::Failed("HTTP_503".into())));
        let second = tally.second(2);
        assert_eq!((second.due, second.in_flight, second.errors, second.requests), (0, 0, 1, 1));
        assert!(second.ms.max >= 9.0 && second.ms.max < 9.1);
        let books = tally.all();
        assert_eq!(books.reasons, BTreeMap::from([("order HTTP_503".to_owned(), 1)]));
        assert_eq!(books.journeys[Journey::Buy.index()].figures().errors, 1);
    }

    #[test]
    fn figures_are_told_under_their_names_in_order() {
        let named = Named(vec![("product", Meter::default().figures()), ("add", Meter::default().figures())]);
        let text = serde_json::to_string(&named).expect("JSON");
        assert!(
            text.starts_with(r#"{"product":{"count":0,"errors":0,"refused":{},"ms":{"p50":0.0"#),
            "{text}"
        );
        assert!(text.contains(r#""p99_9":0.0,"max":0.0}},"add":"#), "{text}");
    }
}
