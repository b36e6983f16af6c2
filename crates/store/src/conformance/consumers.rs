//! Consumers: positions and parked events.

use kernel::Clock;
use tokio::task::JoinSet;

use super::{Bench, Opener};
use crate::{Batch, CommitError, Consumed, ParkedEvent, Position, sql};

fn at(sequence: i64) -> Position {
    Position { epoch: 7, sequence }
}

fn step(from: Option<i64>, to: i64) -> Consumed {
    Consumed {
        source: "order".to_owned(),
        consumer: "cart.bought".to_owned(),
        from: from.map(at),
        to: at(to),
    }
}

fn effect(id: i64) -> Batch {
    Batch::new().insert(sql("INSERT INTO anything (id) VALUES (?)").bind(id), "effect")
}

/// By compare-and-set, from nothing on.
pub async fn a_position_moves_once(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    assert_eq!(store.position("order", "cart.bought").await.expect("none"), None);
    store.commit(Batch::new().position(step(None, 1))).await.expect("begun");
    for stale in [step(None, 1), step(None, 2), step(Some(2), 3)] {
        let error = store.commit(Batch::new().position(stale)).await.expect_err("it is at 1");
        assert!(matches!(error, CommitError::PositionMoved), "{error:?}");
    }
    store.commit(Batch::new().position(step(Some(1), 5))).await.expect("moved");
    assert_eq!(store.position("order", "cart.bought").await.expect("moved"), Some(at(5)));
    assert_eq!(store.position("order", "another").await.expect("apart"), None);
}

/// Effect and position together, or neither.
pub async fn a_position_moves_only_with_its_effect(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    store.commit(effect(1).position(step(None, 1))).await.expect("applied");
    assert!(store.commit(effect(1).position(step(Some(1), 2))).await.is_err(), "the effect fails");
    assert_eq!(store.position("order", "cart.bought").await.expect("stays"), Some(at(1)));
    assert!(store.commit(effect(2).position(step(None, 2))).await.is_err(), "the position fails");
    assert_eq!(bench.number("SELECT count(*) AS n FROM anything").await, 1);
}

/// Two readers of the same events change nothing twice.
pub async fn racing_readers_apply_once(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let mut readers = JoinSet::new();
    for reader in 0..4_i64 {
        let store = bench.database.sql();
        readers.spawn(async move {
            let mut applied = 0;
            for sequence in 1..=40 {
                let from = (sequence > 1).then_some(sequence - 1);
                match store.commit(effect(sequence * 10 + reader).position(step(from, sequence))).await {
                    Ok(_) => applied += 1,
                    Err(CommitError::PositionMoved) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            applied
        });
    }
    let applied: i64 = readers.join_all().await.into_iter().sum();
    let position =
        bench.database.sql().position("order", "cart.bought").await.expect("a position").expect("begun");
    assert_eq!(applied, position.sequence);
    assert_eq!(bench.number("SELECT count(*) AS n FROM anything").await, applied);
}

/// Set aside with the step over it, and forgotten after the retry.
pub async fn an_event_is_parked_and_forgotten(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let parked = bench.database.parked();
    let set_aside = |sequence| ParkedEvent {
        source: "order".to_owned(),
        consumer: "cart.bought".to_owned(),
        aggregate_id: "ord_1".to_owned(),
        position: at(sequence),
        reason: "no such cart".to_owned(),
        event: vec![1, 2],
        parked_at: bench.clock.now(),
    };
    assert!(!parked.contains("order", "cart.bought", "ord_1").await.expect("free"));
    for sequence in [2, 1] {
        let from = (sequence == 1).then_some(2);
        let batch = Batch::new().park(set_aside(sequence)).position(step(from, sequence));
        bench.database.sql().commit(batch).await.expect("parked");
    }
    assert!(parked.contains("order", "cart.bought", "ord_1").await.expect("parked"));
    assert!(!parked.contains("order", "cart.bought", "ord_2").await.expect("another goes on"));
    assert!(!parked.contains("order", "another", "ord_1").await.expect("another goes on"));
    assert_eq!(parked.list(10).await.expect("both, in order"), [set_aside(1), set_aside(2)]);
    assert_eq!(parked.list(1).await.expect("bounded").len(), 1);
    assert!(parked.remove(&set_aside(1)).await.expect("removed"));
    assert!(!parked.remove(&set_aside(1)).await.expect("gone already"));
    assert!(parked.remove(&set_aside(2)).await.expect("removed"));
    assert!(!parked.contains("order", "cart.bought", "ord_1").await.expect("free"));
}
