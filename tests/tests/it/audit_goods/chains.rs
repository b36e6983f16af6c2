//! Damage to the chain of events, and to payments and their events.

use std::path::Path;

use super::super::audit::{audited, copied, run_all};
use super::{Data, Kind, finds_all, kind, told};

/// Roles that publish events.
const ROLES: [&str; 9] =
    ["order", "cart", "payment", "user", "identity", "product", "inventory", "shipping", "checkout"];

/// Makes a database what a release left that knew no links.
const UNLINK: [&str; 3] = [
    "ALTER TABLE souk_outbox DROP COLUMN link",
    "DELETE FROM souk_meta WHERE name = 'head'",
    "UPDATE souk_meta SET value = '1' WHERE name = 'schema'",
];

/// A shop of a release that knew no links passes when it was upgraded; from then on its newest events are vouched for.
pub(super) async fn upgraded(data: &Data) {
    let copy = Data { dir: data.dir.with_file_name("upgraded"), ..data.clone() };
    copied(&data.dir, &copy.dir);
    for role in ROLES {
        run_all(&copy.dir, role, &format!("svc-{role}"), &UNLINK).await;
        never_linked(&copy.dir, role);
    }
    let report = audited(&copy.dir, None).await;
    assert!(report.ok, "{:#?}", told(&report));
    finds_all(&copy, "upgraded, ends", &newest()).await;
}

/// Takes back the mark outside of the database that its events have links.
fn never_linked(dir: &Path, role: &str) {
    let mark = format!("event-chain-{role}");
    std::fs::remove_file(dir.join("secrets").join(&mark)).expect("the mark");
    let list = dir.join("databases");
    let text = std::fs::read_to_string(&list).expect("a list");
    let others: String =
        text.lines().filter(|line| !line.ends_with(&mark)).map(|line| format!("{line}\n")).collect();
    assert_ne!(others, text, "the mark is listed");
    std::fs::write(&list, others).expect("written");
}

/// Copies the newest event of an outbox, with whatever link it has, under the next number.
fn doubled(link: bool) -> String {
    let link = if link { ", link" } else { "" };
    format!(
        "INSERT INTO souk_outbox (sequence, time, aggregate_id, aggregate_version, type_name, payload{link}) \
         SELECT sequence + 1, time, aggregate_id, aggregate_version, type_name, payload{link} FROM souk_outbox \
         WHERE sequence = (SELECT max(o.sequence) FROM souk_outbox o)"
    )
}

/// The newest event came twice, an event in the middle is another one that could have been, the note of the last one is gone.
pub(super) fn chains() -> Vec<Kind> {
    let valid = "rows.valid";
    let outbox = |role: &str| format!("{role}: outbox, sequence");
    let mut kinds: Vec<Kind> =
        [("order", true), ("cart", false), ("payment", true), ("user", false), ("identity", true)]
            .map(|(role, link)| kind(role, doubled(link), valid, outbox(role)))
            .into();
    for (role, statement, row) in [
        ("shipping", "UPDATE souk_outbox SET time = time + 1 WHERE sequence = 4", "outbox, sequence 4"),
        ("inventory", "UPDATE souk_outbox SET link = NULL WHERE sequence = 5", "outbox, sequence 5"),
        ("product", "UPDATE souk_outbox SET link = NULL", "note head"),
        ("checkout", "DELETE FROM souk_meta WHERE name = 'head'", "note head"),
    ] {
        kinds.push(kind(role, statement, valid, format!("{role}: {row}")));
    }
    kinds
}

/// The newest event is gone, of roles with documents and with rows: the note of the last one says so.
pub(super) fn newest() -> Vec<Kind> {
    let newest = "DELETE FROM souk_outbox WHERE sequence = (SELECT max(o.sequence) FROM souk_outbox o)";
    let nothing = "DELETE FROM souk_parked WHERE 1 = 0";
    let mut kinds = Vec::new();
    for role in ROLES {
        kinds.push(kind(role, newest, "rows.valid", format!("{role}: outbox, sequence")));
        kinds.push(kind(role, nothing, "events.gap_free", format!("outbox of {role}, sequence")));
    }
    kinds
}

/// Rows of payments that are not what their events say.
pub(super) fn payments(data: &Data) -> Vec<Kind> {
    let content = "events.content";
    let payment = data.cancelled.replace("ord_", "pay_");
    vec![
        kind(
            "payment",
            "UPDATE operations SET reference = 'tpr_another' WHERE kind = 'refund'",
            content,
            "payment: ref_",
        ),
        kind(
            "payment",
            format!("UPDATE payments SET owner = 'cus_00000000000000000000000001' WHERE id = '{payment}'"),
            content,
            format!("payment: {payment}"),
        ),
        kind(
            "payment",
            format!("UPDATE payments SET refunded = refunded - 1 WHERE id = '{payment}'"),
            content,
            format!("payment: {payment} "),
        ),
    ]
}
