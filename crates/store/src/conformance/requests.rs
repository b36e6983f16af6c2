//! Request keys.

use std::time::Duration;

use tokio::task::JoinSet;

use super::{Bench, Opener, key};
use crate::{Batch, CommitError, RequestKey, sql};

fn add_row(id: i64) -> Batch {
    Batch::new().insert(sql("INSERT INTO anything (id) VALUES (?)").bind(id), "row")
}

const COUNT: &str = "SELECT count(*) AS n FROM anything";

/// The second time gives the answer of the first.
pub async fn a_request_is_done_once(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    assert_eq!(store.answer(&key("k", 1)).await.expect("none yet"), None);
    store.commit(add_row(1).remember(key("k", 1), b"first".to_vec())).await.expect("done");
    assert_eq!(store.answer(&key("k", 1)).await.expect("remembered"), Some(b"first".to_vec()));
    let error =
        store.commit(add_row(2).remember(key("k", 1), b"second".to_vec())).await.expect_err("done before");
    assert!(matches!(error, CommitError::Replayed(ref answer) if answer == b"first"), "{error:?}");
    assert_eq!(bench.number(COUNT).await, 1);
}

/// Another request under the same key is refused.
pub async fn a_key_is_for_one_request(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    store.commit(add_row(1).remember(key("k", 1), vec![])).await.expect("done");
    let error = store.commit(add_row(2).remember(key("k", 2), vec![])).await.expect_err("another request");
    assert!(matches!(error, CommitError::KeyReused), "{error:?}");
    assert_eq!(
        store.answer(&key("k", 2)).await.expect_err("another request").reason(),
        "IDEMPOTENCY_KEY_REUSED"
    );
    assert_eq!(bench.number(COUNT).await, 1);
}

/// Two callers may choose the same key.
pub async fn keys_are_apart_by_principal_and_method(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let keys = [
        key("k", 1),
        RequestKey { principal: "cus_2".to_owned(), ..key("k", 2) },
        RequestKey { method: "test.Other", ..key("k", 3) },
        key("K", 4),
    ];
    for (at, key) in keys.into_iter().enumerate() {
        bench
            .database
            .sql()
            .commit(add_row(at as i64).remember(key, vec![]))
            .await
            .expect("a key of its own");
    }
}

/// After its time a key is new again, swept or not.
pub async fn an_answer_expires_and_is_swept(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    for id in ["a", "b", "c"] {
        store.commit(Batch::new().remember(key(id, 1), vec![1])).await.expect("done");
    }
    let kept = RequestKey { keep: Duration::from_secs(90_000), ..key("d", 1) };
    store.commit(Batch::new().remember(kept.clone(), vec![4])).await.expect("done");
    assert_eq!(bench.database.sweep(10).await.expect("nothing yet"), 0);
    bench.clock.advance(Duration::from_secs(3600));
    assert_eq!(store.answer(&key("a", 1)).await.expect("expired"), None);
    store.commit(Batch::new().remember(key("a", 2), vec![2])).await.expect("its key is new again");
    assert_eq!(bench.database.sweep(1).await.expect("one"), 1);
    assert_eq!(bench.database.sweep(10).await.expect("the other"), 1);
    assert_eq!(bench.database.sweep(10).await.expect("no more"), 0);
    assert_eq!(store.answer(&key("a", 2)).await.expect("remembered"), Some(vec![2]));
    assert_eq!(store.answer(&kept).await.expect("remembered"), Some(vec![4]));
}

/// Of the same request at the same time one is done, and all have its answer.
pub async fn of_many_at_once_one_is_done(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let mut callers = JoinSet::new();
    for caller in 0..50_i64 {
        let store = bench.database.sql();
        callers.spawn(async move {
            let answer = caller.to_string().into_bytes();
            match store.commit(add_row(caller).remember(key("k", 1), answer.clone())).await {
                Ok(_) => (true, answer),
                Err(CommitError::Replayed(answer)) => (false, answer),
                Err(other) => panic!("{other:?}"),
            }
        });
    }
    let outcomes = callers.join_all().await;
    let done: Vec<_> = outcomes.iter().filter(|(done, _)| *done).collect();
    assert_eq!(done.len(), 1);
    assert!(outcomes.iter().all(|(_, answer)| *answer == done[0].1));
    assert_eq!(bench.number(COUNT).await, 1);
}

/// A replay of an insert is a replay, not a duplicate.
pub async fn a_replay_wins_over_its_own_traces(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    store.commit(add_row(1).remember(key("k", 1), vec![1])).await.expect("done");
    let error = store.commit(add_row(1).remember(key("k", 1), vec![2])).await.expect_err("done before");
    assert!(matches!(error, CommitError::Replayed(ref answer) if *answer == [1]), "{error:?}");
}
