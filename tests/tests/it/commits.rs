//! How many durable commits an order waits for, one after another, from its quote to the answer that it is confirmed.

use std::cell::RefCell;
use std::collections::BTreeMap;

use tests::World;
use tracing::field::{Field, Visit};
use tracing::span;
use tracing::{Event, Metadata, Subscriber};

/// What an order waits for, each commit after the one before: placed; the hold, recorded; the payment's intent, the provider's
/// own commit, its outcome, recorded; the stock committed, recorded with the invoice's number.
const UNTIL_CONFIRMED: [&str; 9] =
    ["order", "inventory", "order", "payment", "testpay", "payment", "order", "inventory", "order"];
/// What follows when it is confirmed, and nobody waits for: capture, shipment and cart side by side, recorded.
const AFTERWARDS: usize = 6;

thread_local! {
    /// Commits by database, in the order in which they were done, while a test on this thread counts them. In memory they are
    /// done inline, on the test's own thread.
    static COUNTED: RefCell<Option<Vec<String>>> = const { RefCell::new(None) };
}

/// Hears of every commit of every test, and notes those of a thread that counts. One for all threads: whether an event is of
/// interest is remembered for the whole process.
struct Commits;

#[derive(Default)]
struct Words(BTreeMap<&'static str, String>);

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name(), value.to_owned());
    }
}

impl Subscriber for Commits {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target().starts_with("store::sqlite")
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut words = Words::default();
        event.record(&mut words);
        if words.0.get("durable").is_some_and(|durable| durable == "true") {
            let store = words.0.remove("store").unwrap_or_default();
            COUNTED.with_borrow_mut(|counted| counted.as_mut().map(|counted| counted.push(store)));
        }
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

#[tokio::test(start_paused = true)]
async fn an_order_waits_for_nine_commits() {
    let world = World::start(61).await;
    world.sells("bowl", 1250, 10).await;
    world.sells("cup", 450, 10).await;
    let buyer = world.customer(1);
    buyer.adds("bowl", 1).await.expect("added");
    buyer.adds("cup", 2).await.expect("added");
    tracing::subscriber::set_global_default(Commits).expect("no other test listens");
    COUNTED.set(Some(Vec::new()));
    let quote = buyer.quotes().await.expect("quoted");
    assert_eq!(
        COUNTED.with_borrow(|counted| counted.as_ref().map(Vec::len)),
        Some(0),
        "a quote is kept by nobody"
    );
    buyer.places(&world.request_id(), &quote.quote_token, "pm_card_visa").await.expect("placed");
    let commits = COUNTED.take().expect("counted");
    assert!(commits.len() <= UNTIL_CONFIRMED.len() + AFTERWARDS, "{commits:?}");
    assert_eq!(commits[..UNTIL_CONFIRMED.len()], UNTIL_CONFIRMED);
}
