//! Numbers of documents in a database of their own, and a database of an earlier release.

use std::path::Path;
use std::sync::Arc;

use chassis::VirtualClock;
use chassis::testing::{START, record_key};
use store::{Database, Migration, OpenOptions};

use super::*;
use crate::store::{MIGRATIONS, Seals};

async fn database(url: &str, migrations: &'static [Migration]) -> Database {
    let options = OpenOptions::new(Arc::new(VirtualClock::new(START)));
    store::open(url, "order", migrations, options).await.expect("a database")
}

async fn orders(database: &Database, legal_entity: &str) -> Orders {
    let seals = Seals::new(record_key(1));
    Orders::open(database, seals, "one".to_owned(), legal_entity.to_owned()).await.expect("opened")
}

async fn run(orders: &Orders, text: impl Into<std::borrow::Cow<'static, str>>) {
    orders.sql.commit(Batch::new().run(sql(text))).await.expect("written");
}

/// A database with documents of two legal entities, sealed.
async fn issued() -> Orders {
    let database = database("mem:", MIGRATIONS).await;
    let orders = orders(&database, "souk").await;
    for (entity, kind, count) in [("other", 1, 3), ("souk", 1, 7), ("souk", 2, 2)] {
        for number in 1..=count {
            let text = "INSERT INTO invoices (legal_entity, kind, number, order_id, currency, total_minor, tax_minor, issued_at) \
                VALUES (?, ?, ?, ?, 'GBP', 100, 20, ?)";
            let order = kernel::OrderId::from_bits(
                number as u128 + 100 * kind as u128 + entity.len() as u128 * 1_000,
            );
            let insert = sql(text).bind(entity).bind(kind).bind(number).bind(order).bind(START);
            orders.sql.commit(Batch::new().run(insert)).await.expect("written");
        }
    }
    run(&orders, "UPDATE invoice_counters SET next = 8 WHERE legal_entity = 'souk' AND kind = 1").await;
    orders.seal_all_documents().await.expect("sealed");
    orders
}

/// Every series and its chain, walked over so many documents at a time.
async fn walked(orders: &Orders, budget: u32) -> Vec<(DocumentSeries, SeriesState)> {
    let mut all = Vec::new();
    for series in orders.series().await.expect("series") {
        let mut state = SeriesState::default();
        loop {
            let mut left = budget;
            if orders.verify_series(&series, &mut state, &mut left).await.expect("walked") {
                break;
            }
            assert_eq!(left, 0, "it goes as far as it may");
        }
        all.push((series, state));
    }
    all
}

#[tokio::test]
async fn a_chain_is_verified_alike_however_many_documents_a_call_walks_over() {
    let orders = issued().await;
    let whole = walked(&orders, 1_000).await;
    let told: Vec<_> = whole
        .iter()
        .map(|(series, state)| {
            (
                series.legal_entity.as_str(),
                series.kind.code(),
                series.next,
                series.greatest,
                state.head,
                state.broken,
            )
        })
        .collect();
    let expected =
        [("other", 1, None, 3, 3, 0), ("souk", 1, Some(8), 7, 7, 0), ("souk", 2, Some(1), 2, 2, 0)];
    assert_eq!(told, expected, "a series without a counter is found too");
    for damage in [
        "UPDATE invoices SET tax_minor = 21 WHERE legal_entity = 'souk' AND kind = 1 AND number = 4",
        "UPDATE invoices SET seal = NULL WHERE legal_entity = 'souk' AND kind = 1 AND number = 2",
        "UPDATE invoices SET seal = NULL WHERE legal_entity = 'other'",
    ] {
        let whole = walked(&orders, 1_000).await;
        for budget in [1, 2, 3, 6, 7, 8] {
            assert_eq!(walked(&orders, budget).await, whole, "{budget} a call, before {damage}");
        }
        run(&orders, damage).await;
    }
    let (_, state) = &walked(&orders, 2).await[1];
    assert_eq!((state.broken, state.head), (3, 7), "what is sealed behind what is not");
}

/// A statement that writes an order as the first releases did.
fn insert_order(id: kernel::OrderId) -> String {
    let columns = "id, version, state, owner, placed_by, currency, total_minor, tax_minor, line_count, units, payment_method, stock, \
        payment, shipment, cart, approval, attempt, tries, hold_until, limit_at, created_at, updated_at, lease_owner, lease_epoch";
    format!(
        "INSERT INTO orders ({columns}, first_product) VALUES ('{id}', 1, 1, 'cus_1', '', 'GBP', 5, 1, 1, 1, '', \
         1, 2, 1, 2, 1, 1, 0, 1, 1, 1, 1, '', 1, 'Harbour bowl')"
    )
}

/// However many rows are asked for, few quotes are in memory at once, and every order is looked at.
#[tokio::test]
async fn the_goods_of_orders_are_read_some_at_a_time() {
    let database = database("mem:", MIGRATIONS).await;
    let orders = orders(&database, "souk").await;
    let mut batch = Batch::new();
    for number in 1..=130 {
        let id = kernel::OrderId::from_bits(number);
        batch = batch.run(sql(insert_order(id)));
        batch = batch
            .run(sql("INSERT INTO order_quotes (order_id, quote) VALUES (?, ?)").bind(id).bind(Vec::new()));
    }
    orders.sql.commit(batch).await.expect("written");
    let [goods] = crate::audit::goods::tables(&orders);
    let (mut pages, mut after) = (Vec::new(), None);
    loop {
        let page = goods.page(after.as_deref(), 1_000).await.expect("read");
        pages.push(page.rows);
        let Some(next) = page.next else { break };
        after = Some(next);
    }
    assert_eq!(pages, [100, 30]);
}

async fn first_product(orders: &Orders) -> String {
    let row = orders.sql.fetch_one(sql("SELECT first_product FROM orders")).await.expect("read");
    row.expect("an order").text("first_product").expect("a text")
}

#[tokio::test]
async fn an_order_of_an_earlier_release_keeps_its_first_product() {
    let dir = tempfile::tempdir().expect("a directory");
    let url = |dir: &Path| format!("dir:{}", dir.display());
    let before = database(&url(dir.path()), &MIGRATIONS[..3]).await;
    let old = orders(&before, "souk").await;
    let insert = insert_order(kernel::OrderId::from_bits(1));
    run(&old, insert).await;
    drop((old, before));
    let now = database(&url(dir.path()), MIGRATIONS).await;
    let orders = orders(&now, "souk").await;
    assert_eq!(first_product(&orders).await, "Harbour bowl");
    let long = "é".repeat(255);
    let update = sql("UPDATE orders SET first_product = ?").bind(&long);
    orders.sql.commit(Batch::new().run(update)).await.expect("written");
    assert_eq!(first_product(&orders).await, long);
}

/// What the counters hold: legal entity, kind and next number.
async fn counters(orders: &Orders) -> Vec<(String, i64, i64)> {
    let text = "SELECT legal_entity, kind, next FROM invoice_counters ORDER BY legal_entity, kind";
    let rows = orders.sql.fetch(sql(text)).await.expect("read");
    let read = |row: &store::Row| Ok((row.text("legal_entity")?, row.int("kind")?, row.int("next")?));
    rows.iter().map(read).collect::<Result<_>>().expect("counters")
}

/// What an audit finds wrong with the counters.
async fn found(orders: &Orders) -> Vec<String> {
    let table = crate::audit::CounterRows(orders.clone());
    let examined = chassis::audit::Examine::page(&table, None, 1_000).await.expect("examined");
    examined.findings.into_iter().map(|finding| finding.row).collect()
}

#[tokio::test]
async fn a_counter_that_is_gone_is_not_made_anew_in_silence() {
    let orders = issued().await;
    assert_eq!(found(&orders).await, [""; 0], "documents of another legal entity need no counter");
    run(&orders, "DELETE FROM invoice_counters WHERE kind = 2").await;
    orders.begin_series().await.expect("as at a start");
    assert_eq!(counters(&orders).await, [("souk".to_owned(), 1, 8)]);
    assert_eq!(found(&orders).await, ["counter of credit_note souk"]);
    run(&orders, "DELETE FROM invoice_counters").await;
    orders.begin_series().await.expect("as at a start");
    assert_eq!(found(&orders).await, ["counter of invoice souk", "counter of credit_note souk"]);
    let cause = CommitError::Unexpected { label: COUNTER.into(), rows: 0 };
    orders.repair_numbers(InvoiceKind::Invoice, &cause).await.expect("repaired");
    assert_eq!(counters(&orders).await, [("souk".to_owned(), 1, 8)]);
}

#[tokio::test]
async fn a_counter_of_nobody_is_named() {
    let orders = issued().await;
    run(&orders, "INSERT INTO invoice_counters (legal_entity, kind, next) VALUES ('nobody', 1, 5)").await;
    orders.begin_series().await.expect("as at a start");
    assert_eq!(found(&orders).await, ["counter of invoice nobody"]);
}

#[tokio::test]
async fn a_legal_entity_that_changed_before_the_first_sale_leaves_nothing() {
    let database = database("mem:", MIGRATIONS).await;
    drop(orders(&database, "souk").await);
    let orders = orders(&database, "harbour").await;
    let of = |kind| ("harbour".to_owned(), kind, 1);
    assert_eq!(counters(&orders).await, [of(1), of(2)]);
    assert_eq!(found(&orders).await, [""; 0]);
}

#[tokio::test]
async fn a_legal_entity_that_sold_nothing_leaves_no_counters_when_the_one_before_is_back() {
    let database = database("mem:", MIGRATIONS).await;
    let first = orders(&database, "souk").await;
    let order = kernel::OrderId::from_bits(1);
    let text = "INSERT INTO invoices (legal_entity, kind, number, order_id, currency, total_minor, tax_minor, issued_at) \
        VALUES ('souk', 1, 1, ?, 'GBP', 100, 20, ?)";
    let issue = Batch::new().run(sql(text).bind(order).bind(START));
    first.sql.commit(issue).await.expect("written");
    run(&first, "UPDATE invoice_counters SET next = 2 WHERE kind = 1").await;
    drop(first);
    let second = orders(&database, "harbour").await;
    assert_eq!(found(&second).await, [""; 0]);
    drop(second);
    let back = orders(&database, "souk").await;
    assert_eq!(counters(&back).await, [("souk".to_owned(), 1, 2), ("souk".to_owned(), 2, 1)]);
    assert_eq!(found(&back).await, [""; 0]);
}
