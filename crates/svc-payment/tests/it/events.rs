//! What an audit compares: payments, captures and refunds as their rows say, and as their events say.

use std::collections::BTreeMap;

use chassis::testing::staff;
use contract::souk::audit::v1::audit_service_client::AuditServiceClient;
use contract::souk::audit::v1::{CheckRowsRequest, Fact, Finding};

use crate::shop::{Shop, gbp};

type Facts = BTreeMap<(String, String), Fact>;

/// Everything that the audit service says of this role: facts by set and key, and what is wrong.
async fn facts(shop: &Shop) -> (Facts, Vec<Finding>) {
    let mut client = shop.harness.client(AuditServiceClient::new, staff(1, &["audit.read"]));
    let (mut facts, mut findings, mut cursor) = (Facts::new(), Vec::new(), String::new());
    loop {
        let request = CheckRowsRequest { source: "payment".to_owned(), limit: 3, cursor };
        let page = client.check_rows(request).await.expect("a page").into_inner();
        findings.extend(page.findings);
        facts.extend(page.facts.into_iter().map(|fact| ((fact.set.clone(), fact.key.clone()), fact)));
        if page.next_cursor.is_empty() {
            return (facts, findings);
        }
        cursor = page.next_cursor;
    }
}

/// Sets of events with the rows that they are compared with, and whether every event must have its row.
const PAIRS: [(&str, &str, bool); 5] = [
    ("payment event", "payment", true),
    ("payment event at", "payment at", false),
    ("refund event", "refund", true),
    ("capture event", "capture", true),
    ("voided event", "voided", true),
];

/// Asserts that events and rows say the same, and that each row that must have its event has it. How many events of each set.
pub async fn events_fit(shop: &Shop) -> BTreeMap<&'static str, usize> {
    let (facts, findings) = facts(shop).await;
    assert_eq!(findings, []);
    let mut counts = BTreeMap::new();
    for (event_set, row_set, must) in PAIRS {
        let of = |set: &'static str| facts.iter().filter(move |((name, _), _)| name == set);
        for ((_, key), event) in of(event_set) {
            *counts.entry(event_set).or_default() += 1;
            match facts.get(&(row_set.to_owned(), key.clone())) {
                Some(row) => assert_eq!(event.digest, row.digest, "{event_set} {key}"),
                None => assert!(!must, "{event_set} {key} has no row"),
            }
        }
        // Each version of a payment is told by its row, few by events.
        let published = of(row_set).filter(|(_, row)| row.state != "unpublished");
        for ((_, key), _) in published.filter(|_| !row_set.starts_with("payment")) {
            assert!(facts.contains_key(&(event_set.to_owned(), key.clone())), "{row_set} {key} has no event");
        }
    }
    for ((_, key), event) in facts.iter().filter(|((set, _), _)| set == "event") {
        let row = &facts[&("row".to_owned(), key.clone())];
        assert!(row.version >= event.version, "{key}");
    }
    counts
}

#[tokio::test(start_paused = true)]
async fn what_was_published_is_what_the_rows_say() {
    let shop = Shop::open().await;
    let paid = shop.captured(900, "pm_card_visa").await;
    for (key, minor) in [("a", 100), ("b", 200)] {
        shop.refund(&paid.id, key, gbp(minor)).await.expect("refunded");
    }
    let order = shop.order();
    shop.authorize(order, 500, "pm_card_visa").await;
    shop.void(order, 500, "x").await.expect("voided");
    shop.prove().await;
    let counts = events_fit(&shop).await;
    assert_eq!((counts["refund event"], counts["voided event"], counts["payment event"]), (2, 1, 2));
}
