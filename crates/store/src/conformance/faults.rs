//! A store that misbehaves.

use std::time::Duration;

use super::{Bench, Opener, TestClock, event, key};
use crate::faulty::{Fault, FaultRates, Faults};
use crate::{Batch, CommitError, sql};

fn write(id: i64) -> Batch {
    Batch::new().insert(sql("INSERT INTO anything (id) VALUES (?)").bind(id), "row").event(event("a", id))
}

async fn faulty(opener: &dyn Opener, name: &str, rates: FaultRates) -> (Bench, Faults) {
    let faults = Faults::seeded(7, rates);
    (Bench::with(opener, name, TestClock::new(), Some(faults.clone())).await, faults)
}

/// A failure before the attempt leaves nothing.
pub async fn a_failed_write_is_not_done(opener: &dyn Opener, name: &str) {
    let (bench, faults) = faulty(opener, name, FaultRates::default()).await;
    faults.next_write(Fault::Fail);
    let error = kernel::Error::from(bench.database.sql().commit(write(1)).await.expect_err("it fails"));
    assert!(error.retryable() && error.reason() == "STORE_FAULT", "{error:?}");
    bench.assert_published(0).await;
    bench.database.sql().commit(write(1)).await.expect("the next one goes through");
    bench.assert_published(1).await;
}

/// A caller that does not know asks again under the same key and learns the answer.
pub async fn a_lost_acknowledgement_is_found_by_its_key(opener: &dyn Opener, name: &str) {
    let (bench, faults) = faulty(opener, name, FaultRates::default()).await;
    faults.next_write(Fault::LoseAcknowledgement);
    let batch = || write(1).remember(key("k", 1), b"done".to_vec());
    let store = bench.database.sql();
    assert!(matches!(store.commit(batch()).await, Err(CommitError::Failed(_))));
    let error = store.commit(batch()).await.expect_err("it was done");
    assert!(matches!(error, CommitError::Replayed(ref answer) if answer == b"done"), "{error:?}");
    bench.assert_published(1).await;
}

/// Under all faults at once, whoever retries under a key ends with each thing done once.
pub async fn retries_end_in_the_same_books(opener: &dyn Opener, name: &str) {
    let rates = FaultRates {
        fail_ppm: 200_000,
        lose_ppm: 200_000,
        delay_ppm: 100_000,
        delay_max: Duration::from_millis(1),
    };
    let (bench, faults) = faulty(opener, name, rates).await;
    let store = bench.database.sql();
    for id in 0..60_i64 {
        loop {
            match store.commit(write(id).remember(key(&format!("k{id}"), 1), vec![])).await {
                Ok(_) | Err(CommitError::Replayed(_)) => break,
                Err(CommitError::Failed(error)) => assert!(error.retryable(), "{error:?}"),
                Err(other) => panic!("{other:?}"),
            }
        }
    }
    faults.set_rates(FaultRates::default());
    assert_eq!(bench.number("SELECT count(*) AS n FROM anything").await, 60);
    bench.assert_published(60).await;
}
