//! Events.

use std::time::Duration;

use kernel::Clock;

use super::{Bench, Opener, event};
use crate::{Batch, NewEvent, Position, sql};

async fn publish(bench: &Bench, aggregate: &str, versions: std::ops::RangeInclusive<i64>) {
    for version in versions {
        bench.database.sql().commit(Batch::new().event(event(aggregate, version))).await.expect("published");
    }
}

/// Within a batch and between batches.
pub async fn events_are_in_order(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let events: Vec<NewEvent> = (1..=5).map(|version| event("a", version)).collect();
    let committed =
        bench.database.sql().commit(Batch::new().events(events[..3].to_vec())).await.expect("published");
    assert_eq!(committed.head.sequence, 3);
    bench.clock.advance(Duration::from_secs(1));
    bench.database.sql().commit(Batch::new().events(events[3..].to_vec())).await.expect("published");
    let read = bench.database.outbox().read(Position::START, 100).await.expect("events");
    assert_eq!(read.iter().map(|stored| stored.event.clone()).collect::<Vec<_>>(), events);
    assert_eq!(read[4].time, bench.clock.now());
    assert_eq!(read[0].time.plus(Duration::from_secs(1)), read[4].time);
    let rest = bench.database.outbox().read(read[1].position, 2).await.expect("events");
    assert_eq!(rest, read[2..4]);
    assert!(bench.database.outbox().read(read[4].position, 2).await.expect("no more").is_empty());
}

/// A batch that is undone leaves no hole.
pub async fn undone_batches_burn_no_sequence(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    for at in 0..20 {
        let batch = Batch::new().event(event("a", at)).event(event("b", at));
        let bad = batch.clone().expect(sql("DELETE FROM stock"), 1, "nothing to delete");
        assert!(bench.database.sql().commit(bad).await.is_err());
        bench.database.sql().commit(batch).await.expect("published");
    }
    bench.assert_published(40).await;
}

/// Whoever watches sees the head move.
pub async fn readers_are_woken(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let mut watch = bench.database.outbox().watch();
    let before = *watch.borrow_and_update();
    let waiting = tokio::spawn(async move {
        watch.changed().await.expect("the store is open");
        *watch.borrow()
    });
    publish(&bench, "a", 1..=1).await;
    let seen = waiting.await.expect("woken");
    assert_eq!(seen, bench.head().await);
    assert!(seen > before);
}

/// The oldest go, the newest stays, and who was not there in time is told.
pub async fn old_events_are_pruned(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let outbox = bench.database.outbox();
    publish(&bench, "a", 1..=5).await;
    bench.clock.advance(Duration::from_secs(60));
    let later = bench.clock.now();
    publish(&bench, "a", 6..=8).await;
    assert_eq!(outbox.prune(later, 3).await.expect("the first three"), 3);
    assert_eq!(outbox.prune(later, 100).await.expect("the rest"), 2);
    assert_eq!(outbox.prune(later, 100).await.expect("no more"), 0);
    assert_eq!(outbox.oldest().await.expect("oldest"), 6);
    let epoch = bench.head().await.epoch;
    assert_eq!(outbox.read(Position::START, 10).await.expect_err("pruned").reason(), "POSITION_TOO_OLD");
    assert_eq!(
        outbox.read(Position { epoch, sequence: 4 }, 10).await.expect_err("pruned").reason(),
        "POSITION_TOO_OLD"
    );
    assert_eq!(outbox.read(Position { epoch, sequence: 5 }, 10).await.expect("just in time").len(), 3);
    bench.clock.advance(Duration::from_secs(60));
    assert_eq!(outbox.prune(bench.clock.now(), 100).await.expect("all but the newest"), 2);
    publish(&bench, "a", 9..=9).await;
    assert_eq!(bench.head().await.sequence, 9);
    assert_eq!(outbox.gaps().await.expect("gaps"), []);
}

/// Positions of another history are refused, not answered with what happens to be there.
pub async fn unknown_positions_are_refused(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    publish(&bench, "a", 1..=3).await;
    let head = bench.head().await;
    for position in [
        Position { sequence: 4, ..head },
        Position { epoch: head.epoch + 1, ..head },
        Position { epoch: 1, sequence: 1 },
    ] {
        let error = bench.database.outbox().read(position, 10).await.expect_err("another history");
        assert_eq!(error.reason(), "POSITION_UNKNOWN", "{position:?}");
    }
}

/// Ids are unique and stable.
pub async fn events_read_the_same_each_time(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    publish(&bench, "a", 1..=50).await;
    let first = bench.database.outbox().read(Position::START, 100).await.expect("events");
    let again = bench.database.outbox().read(Position::START, 100).await.expect("events");
    assert_eq!(first, again);
    let ids: std::collections::HashSet<_> = first.iter().map(|stored| stored.id).collect();
    assert_eq!(ids.len(), 50);
}

/// Sequence and epoch go on after a stop.
pub async fn sequences_go_on_after_reopening(opener: &dyn Opener, name: &str) {
    if !opener.keeps() {
        return;
    }
    let bench = Bench::open(opener, name).await;
    publish(&bench, "a", 1..=3).await;
    let before = bench.head().await;
    let read = bench.database.outbox().read(Position::START, 10).await.expect("events");
    bench.clock.advance(Duration::from_secs(60));
    let bench = bench.reopen(opener, name).await;
    assert_eq!(bench.head().await, before);
    assert_eq!(bench.database.outbox().read(Position::START, 10).await.expect("events"), read);
    publish(&bench, "a", 4..=4).await;
    assert_eq!(bench.head().await, Position { sequence: 4, ..before });
    bench.assert_published(4).await;
}
