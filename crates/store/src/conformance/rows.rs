//! Rows and batches.

use tokio::task::JoinSet;

use super::{Bench, Opener, event};
use crate::{Batch, CommitError, ROWS_MAX, STATEMENTS_MAX, Sql, Statement, Value, sql};

fn stock(sku: &str, on_hand: i64) -> Statement {
    sql("INSERT INTO stock (sku, on_hand) VALUES (?, ?)").bind(sku).bind(on_hand)
}

fn take(sku: &str, quantity: i64) -> Statement {
    sql("UPDATE stock SET on_hand = on_hand - ? WHERE sku = ? AND on_hand >= ?")
        .bind(quantity)
        .bind(sku)
        .bind(quantity)
}

fn sale(id: &str, sku: &str) -> Statement {
    sql("INSERT INTO sale (id, sku, quantity) VALUES (?, ?, 1)").bind(id).bind(sku)
}

async fn stocked(sql: &Sql, sku: &str, on_hand: i64) {
    sql.commit(Batch::new().insert(stock(sku, on_hand), "stock")).await.expect("stock");
}

/// Every type and its ends.
pub async fn values_read_back(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let rows = [
        (Value::Int(i64::MIN), Value::from(""), Value::Blob(vec![])),
        (Value::Int(i64::MAX), Value::from("é🦀 '\";--\n"), Value::Blob((0..=255).collect())),
        (Value::Null, Value::Null, Value::Null),
        (Value::Int(0), Value::from("007"), Value::from([0_u8])),
    ];
    let mut batch = Batch::new();
    for (id, (n, t, b)) in rows.iter().enumerate() {
        let insert = sql("INSERT INTO anything (id, n, t, b) VALUES (?, ?, ?, ?)").bind(id as i64);
        batch.push_insert(insert.bind(n.clone()).bind(t.clone()).bind(b.clone()), "row");
    }
    bench.database.sql().commit(batch).await.expect("rows");
    let found = bench.rows("SELECT id, n, t, b FROM anything ORDER BY id").await;
    assert_eq!(found.len(), rows.len());
    for (row, (n, t, b)) in found.iter().zip(&rows) {
        assert_eq!((row.get("n").expect("n"), row.get("t").expect("t"), row.get("b").expect("b")), (n, t, b));
    }
}

/// What failed left nothing, also no event.
pub async fn a_batch_is_all_or_nothing(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    let batch =
        Batch::new().insert(stock("a", 5), "stock").event(event("a", 1)).expect(take("absent", 1), 1, "take");
    let error = store.commit(batch).await.expect_err("the last statement misses");
    assert!(matches!(error, CommitError::Unexpected { ref label, rows: 0 } if label == "take"), "{error:?}");
    assert_eq!(bench.number("SELECT count(*) AS n FROM stock").await, 0);
    bench.assert_published(0).await;
}

/// Primary keys say which statement met one.
pub async fn a_taken_key_is_told_by_its_label(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    stocked(&store, "a", 1).await;
    let batch = Batch::new().insert(stock("b", 1), "first").insert(stock("a", 1), "second");
    let error = store.commit(batch).await.expect_err("it is taken");
    assert!(matches!(error, CommitError::Duplicate { ref label } if label == "second"), "{error:?}");
    let error = store.commit(Batch::new().run(stock("a", 2))).await.expect_err("it is taken");
    assert!(matches!(error, CommitError::Duplicate { ref label } if label.is_empty()), "{error:?}");
    assert_eq!(bench.number("SELECT on_hand AS n FROM stock").await, 1);
}

/// Rows that an UPDATE finds count, also where nothing changes.
pub async fn row_counts_are_held(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    for sku in ["a", "b", "c"] {
        stocked(&store, sku, 5).await;
    }
    let all = || sql("UPDATE stock SET on_hand = 5");
    store
        .commit(Batch::new().expect(all(), 3, "all"))
        .await
        .expect("three rows are found though none changes");
    let error = store.commit(Batch::new().expect(all(), 2, "all")).await.expect_err("three are not two");
    assert!(matches!(error, CommitError::Unexpected { rows: 3, .. }), "{error:?}");
    store.commit(Batch::new().run(all()).run(take("absent", 1))).await.expect("any number will do");
}

/// A guard is a query with at least one row, and sees what the batch wrote before it.
pub async fn a_guard_needs_a_row(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    let guard = || sql("SELECT sku FROM stock WHERE on_hand >= ?").bind(5);
    let error = store.commit(Batch::new().guard(guard(), "enough")).await.expect_err("there is none");
    assert!(
        matches!(error, CommitError::Unexpected { ref label, rows: 0 } if label == "enough"),
        "{error:?}"
    );
    store
        .commit(Batch::new().insert(stock("a", 5), "stock").guard(guard(), "enough"))
        .await
        .expect("now there is");
}

/// The real data has SKUs that differ in case alone.
pub async fn text_compares_by_its_bytes(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    for sku in ["85123a", "85123A", "85123a ", "é", "e\u{301}", "z", "Z"] {
        stocked(&store, sku, 1).await;
    }
    let one = sql("SELECT sku FROM stock WHERE sku = ?").bind("85123A");
    assert_eq!(store.fetch_one(one).await.expect("one").expect("found").text("sku").expect("text"), "85123A");
    let rows = bench.rows("SELECT sku FROM stock ORDER BY sku").await;
    let found: Vec<_> = rows.iter().map(|row| row.text("sku").expect("text")).collect();
    let mut sorted = found.clone();
    sorted.sort_by(|a, b| a.as_bytes().cmp(b.as_bytes()));
    assert_eq!(found, sorted);
}

/// Too many rows are an error and no surprise of memory; a query that writes is refused.
pub async fn a_fetch_is_bounded_and_only_reads(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    let mut batch = Batch::new();
    for id in 0..=ROWS_MAX as i64 {
        batch.push_insert(sql("INSERT INTO anything (id) VALUES (?)").bind(id), "row");
    }
    store.commit(batch).await.expect("rows");
    assert!(store.fetch(sql("SELECT id FROM anything")).await.is_err(), "one too many");
    let bounded = sql("SELECT id FROM anything ORDER BY id LIMIT ?").bind(ROWS_MAX as i64);
    assert_eq!(store.fetch(bounded).await.expect("as many as may be").len(), ROWS_MAX);
    assert!(store.fetch_one(sql("SELECT id FROM anything")).await.is_err(), "more than one");
    assert!(store.fetch(sql("DELETE FROM anything")).await.is_err(), "a fetch does not write");
    assert_eq!(bench.number("SELECT count(*) AS n FROM anything").await, ROWS_MAX as i64 + 1);
}

/// Bad text and missing values are bugs of the service: told, and the store goes on.
pub async fn a_wrong_statement_fails_alone(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    for wrong in [
        sql("SELEC sku FROM stock"),
        sql("SELECT absent FROM stock"),
        sql("SELECT sku FROM stock WHERE sku = ?"),
    ] {
        let text = wrong.text().to_owned();
        assert_eq!(store.fetch(wrong.clone()).await.expect_err(&text).code(), kernel::Code::Internal);
        let batch = Batch::new().insert(stock("a", 1), "stock").run(wrong);
        assert!(matches!(store.commit(batch).await, Err(CommitError::Failed(_))), "{text}");
    }
    stocked(&store, "a", 1).await;
}

/// Nobody holds the writer for ever.
pub async fn a_batch_is_bounded(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let mut batch = Batch::new();
    for _ in 0..=STATEMENTS_MAX {
        batch.push_run(sql("DELETE FROM stock"));
    }
    let error = kernel::Error::from(bench.database.sql().commit(batch).await.expect_err("too many"));
    assert_eq!(error.reason(), "BATCH_TOO_LARGE");
    let huge = sql("INSERT INTO anything (id, b) VALUES (1, ?)").bind(vec![0_u8; crate::BATCH_BYTES_MAX + 1]);
    let error = kernel::Error::from(
        bench.database.sql().commit(Batch::new().run(huge)).await.expect_err("too large"),
    );
    assert_eq!(error.reason(), "BATCH_TOO_LARGE");
}

/// Many buyers of few units.
pub async fn concurrent_decrements_never_oversell(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    stocked(&store, "a", 70).await;
    let mut buyers = JoinSet::new();
    for buyer in 0..200 {
        let store = store.clone();
        buyers.spawn(async move {
            let sold = sale(&format!("s{buyer}"), "a");
            let batch =
                Batch::new().insert(sold, "sale").expect(take("a", 1), 1, "stock").event(event("a", buyer));
            match store.commit(batch).await {
                Ok(_) => true,
                Err(CommitError::Unexpected { label, rows: 0 }) if label == "stock" => false,
                Err(other) => panic!("{other:?}"),
            }
        });
    }
    let bought = buyers.join_all().await.into_iter().filter(|bought| *bought).count();
    assert_eq!(bought, 70);
    assert_eq!(bench.number("SELECT on_hand AS n FROM stock").await, 0);
    assert_eq!(bench.number("SELECT count(*) AS n FROM sale").await, 70);
    bench.assert_published(70).await;
}

/// Batches that are committed together fail apart.
pub async fn a_bad_batch_among_good_ones_fails_alone(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let store = bench.database.sql();
    stocked(&store, "taken", 1).await;
    let mut writers = JoinSet::new();
    for at in 0..90_i64 {
        let store = store.clone();
        writers.spawn(async move {
            let sku = format!("s{at}");
            let batch =
                Batch::new().insert(stock(&sku, at), "own").event(event(&sku, 1)).event(event(&sku, 2));
            let bad = match at % 3 {
                0 => batch,
                1 => batch.insert(stock("taken", 1), "other"),
                _ => batch.run(sql("UPDATE absent SET n = 1")),
            };
            (at, store.commit(bad).await)
        });
    }
    for (at, outcome) in writers.join_all().await {
        match at % 3 {
            0 => assert!(outcome.is_ok(), "{outcome:?}"),
            1 => assert!(
                matches!(outcome, Err(CommitError::Duplicate { ref label }) if label == "other"),
                "{outcome:?}"
            ),
            _ => assert!(matches!(outcome, Err(CommitError::Failed(_))), "{outcome:?}"),
        }
    }
    let rows = bench.rows("SELECT on_hand FROM stock WHERE sku <> 'taken' ORDER BY on_hand").await;
    let kept: Vec<_> = rows.iter().map(|row| row.int("on_hand").expect("a number")).collect();
    assert_eq!(kept, (0..90).filter(|at| at % 3 == 0).collect::<Vec<_>>());
    bench.assert_published(60).await;
}

/// Rows, events, answers and positions are there after the database was closed.
pub async fn what_was_written_is_kept(opener: &dyn Opener, name: &str) {
    if !opener.keeps() {
        return;
    }
    let bench = Bench::open(opener, name).await;
    let batch = Batch::new()
        .insert(stock("a", 5), "stock")
        .event(event("a", 1))
        .remember(super::key("k", 1), b"yes".to_vec());
    bench.database.sql().commit(batch).await.expect("written");
    let bench = bench.reopen(opener, name).await;
    assert_eq!(bench.number("SELECT on_hand AS n FROM stock").await, 5);
    assert_eq!(
        bench.database.sql().answer(&super::key("k", 1)).await.expect("an answer"),
        Some(b"yes".to_vec())
    );
    bench.assert_published(1).await;
}
