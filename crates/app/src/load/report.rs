//! The result of a load: one JSON document, or a table for people.

use std::collections::BTreeMap;

use serde::Serialize;

use super::mix::{Journey, Mix};
use super::tally::{Books, Figures, Named, Second, Step};

/// The result.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    event: &'static str,
    /// From when the first journey was due until the last one ended.
    pub seconds: f64,
    /// Journeys that were due.
    pub due: u64,
    /// Journeys that were started.
    pub started: u64,
    /// Orders that were told to be confirmed.
    pub confirmed: u64,
    /// Whether the books hold, and know every order that was told to be confirmed.
    pub audit_ok: bool,
    /// By step, a single request each.
    pub steps: Named,
    /// By journey, from when it was due to the end of its last request.
    pub journeys: Named,
    /// Why requests failed: `STEP REASON`, and how often.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub reasons: BTreeMap<String, u64>,
}

/// The steps of a journey.
fn steps(journey: Journey) -> &'static [Step] {
    match journey {
        Journey::Browse => &[Step::Home, Step::Category, Step::Product],
        Journey::Search => &[Step::Suggest, Step::Search],
        Journey::Cart => &[Step::Product, Step::Add, Step::Cart],
        Journey::Buy => &[Step::Product, Step::Add, Step::Checkout, Step::Quote, Step::Pay, Step::Order],
    }
}

impl Summary {
    /// The result of what was measured, with what the mix has.
    #[must_use]
    pub fn new(books: &Books, mix: &Mix, seconds: f64, audit_ok: bool) -> Self {
        let walked: Vec<Journey> =
            Journey::ALL.into_iter().filter(|journey| mix.share(*journey) > 0).collect();
        let taken = |step: &Step| walked.iter().any(|journey| steps(*journey).contains(step));
        let taken = Step::ALL.into_iter().filter(taken);
        Self {
            event: "summary",
            seconds: (seconds * 1000.0).round() / 1000.0,
            due: books.counts.due,
            started: books.counts.started,
            confirmed: books.counts.confirmed,
            audit_ok,
            steps: Named(taken.map(|step| (step.name(), books.steps[step as usize].figures())).collect()),
            journeys: Named(
                walked.iter().map(|walk| (walk.name(), books.journeys[walk.index()].figures())).collect(),
            ),
            reasons: books.reasons.clone(),
        }
    }

    /// Whether everything that was due was done, and rightly.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.audit_ok && self.started == self.due && self.steps.0.iter().all(|(_, step)| step.errors == 0)
    }

    /// A table for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<12}{:>9}{:>8}{:>9}{:>9}{:>9}{:>9}{:>9}{:>9}\n",
            "", "count", "errors", "refused", "p50 ms", "p90 ms", "p99 ms", "p99.9 ms", "max ms"
        );
        for (name, figures) in &self.steps.0 {
            text.push_str(&line(name, figures));
        }
        text.push_str("\nwhole journeys\n");
        for (name, figures) in &self.journeys.0 {
            text.push_str(&line(name, figures));
        }
        let per_second = self.started as f64 / self.seconds.max(0.001);
        text.push_str(&format!(
            "\n{} journeys were due, {} were started, in {:.1} s ({per_second:.1}/s); {} orders are confirmed.\n",
            self.due, self.started, self.seconds, self.confirmed
        ));
        for (reason, count) in &self.reasons {
            text.push_str(&format!("{count} failed: {reason}\n"));
        }
        text.push_str(if self.audit_ok {
            "The books hold.\n"
        } else {
            "The books do not hold; see `souk audit`.\n"
        });
        text
    }
}

fn line(name: &str, figures: &Figures) -> String {
    let refused: u64 = figures.refused.values().sum();
    let ms = figures.ms;
    format!(
        "{name:<12}{:>9}{:>8}{refused:>9}{:>9.1}{:>9.1}{:>9.1}{:>9.1}{:>9.1}\n",
        figures.count, figures.errors, ms.p50, ms.p90, ms.p99, ms.p99_9, ms.max
    )
}

/// One second in one line for people.
#[must_use]
pub fn live(second: &Second) -> String {
    format!(
        "{:>4} s  {} due  {} started  {} on their way  {} confirmed  {} refused  {} errors  p50 {:.1} ms  p99 {:.1} ms",
        second.second,
        second.due,
        second.started,
        second.in_flight,
        second.confirmed,
        second.refused,
        second.errors,
        second.ms.p50,
        second.ms.p99
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::tally::{Ended, Tally};
    use super::*;

    #[test]
    fn errors_missed_journeys_and_broken_books_are_failures_and_refusals_are_none() {
        let mix: Mix = "buy=1".parse().expect("a mix");
        let tally = Tally::default();
        tally.due(true);
        tally.step(Step::Pay, Duration::from_millis(3), &Err(Ended::Refused("OUT_OF_STOCK".into())));
        let of = |tally: &Tally, audit_ok| Summary::new(&tally.all(), &mix, 1.0, audit_ok);
        assert!(of(&tally, true).holds());
        assert!(!of(&tally, false).holds());
        let names: Vec<_> = of(&tally, true).steps.0.iter().map(|(name, _)| *name).collect();
        assert_eq!(names, ["product", "add", "checkout", "quote", "pay", "order"]);
        tally.due(false);
        assert!(!of(&tally, true).holds());
        let failed = Tally::default();
        failed.step(Step::Quote, Duration::ZERO, &Err(Ended::Failed("HTTP_503".into())));
        let summary = of(&failed, true);
        assert!(!summary.holds());
        assert!(summary.table().contains("1 failed: quote HTTP_503"), "{}", summary.table());
    }

    #[test]
    fn the_document_has_the_promised_shape() {
        let mix: Mix = "browse=1,search=0".parse().expect("a mix");
        let summary = Summary::new(&Books::default(), &mix, 2.0, true);
        let value = serde_json::to_value(summary).expect("JSON");
        assert_eq!(value["event"], "summary");
        for field in ["seconds", "due", "started", "confirmed", "audit_ok", "steps", "journeys"] {
            assert!(!value[field].is_null(), "{field}");
        }
        let steps: Vec<_> = value["steps"].as_object().expect("an object").keys().collect();
        assert_eq!(steps, ["category", "home", "product"]);
        assert_eq!(value["journeys"]["browse"]["ms"]["p99_9"], 0.0);
    }
}
