//! Values where none may stand, which reading leaves out, so that no seal covers them; rows of nobody; and schemas that are not
//! those of the migrations.

use super::contents::{Varied, varied};
use super::*;

/// Damages of one copy, each to an order of its own: the database, the statement (`{0}` … stand for the paid orders, `{p0}` … for
/// their payments, `{r}` for the one that was refunded), the check and the row that it names.
const COLUMNS: &[(&str, &str, &str, &str)] = &[
    (
        "order",
        "UPDATE orders SET challenge_id = 't' WHERE id = '{0}'",
        "orders.states",
        "challenge_id of {0}",
    ),
    (
        "order",
        "UPDATE orders SET ending = CAST(REPLACE(CAST(ending AS CHAR), ':', ': ') AS BLOB) WHERE id = '{r}'",
        "orders.states",
        "ending of {r}",
    ),
    (
        "payment",
        "UPDATE attempts SET challenge_url = 'https://elsewhere.example' WHERE payment_id = '{p1}'",
        "payments.sealed",
        "attempt of {p1}",
    ),
    (
        "payment",
        "UPDATE attempts SET failure_message = 'declined' WHERE payment_id = '{p2}'",
        "payments.sealed",
        "attempt of {p2}",
    ),
    (
        "payment",
        "UPDATE attempts SET check_at = 4102444800000000 WHERE payment_id = '{p3}'",
        "payments.sealed",
        "attempt of {p3}",
    ),
    (
        "payment",
        "UPDATE operations SET failure_message = 'declined' WHERE payment_id = '{p4}'",
        "payments.sealed",
        "operation cap_",
    ),
    (
        "testpay",
        "UPDATE authorizations SET decline_code = 'card_declined' WHERE payment_id = '{p5}'",
        "rows.valid",
        "authorization tpa_",
    ),
    ("testpay", "UPDATE refunds SET settle_at = settle_at + 1", "rows.valid", "refund tpr_"),
    ("testpay", "UPDATE challenges SET outcome = 'perhaps'", "rows.valid", "challenge tpx_"),
    (
        "testpay",
        "UPDATE challenges SET authorization_id = 'tpa_00000000000000000000000009'",
        "rows.valid",
        "challenge tpx_",
    ),
    (
        "order",
        "INSERT INTO invoice_counters (legal_entity, kind, next) VALUES ('nobody', 1, 5)",
        "rows.valid",
        "counter of invoice nobody",
    ),
    (
        "order",
        "INSERT INTO souk_position (source, consumer, epoch, sequence) VALUES ('payment', 'order.nobody', 1, 1)",
        "rows.valid",
        "position of order.nobody in payment",
    ),
];

/// Changes of schemas, one to each database: the database, the statements, what names it.
const SCHEMAS: &[(&str, &str, &str)] = &[
    ("order", "DROP INDEX orders_by_due", "index orders_by_due on orders is missing"),
    ("payment", "ALTER TABLE payments ADD COLUMN extra BIGINT", "table payments has a column extra"),
    ("testpay", "CREATE TABLE extra (id BIGINT)", "table extra was added"),
    ("cart", "DROP INDEX souk_parked_aggregate", "index souk_parked_aggregate on souk_parked is missing"),
    (
        "identity",
        "DROP INDEX accounts_email; CREATE INDEX accounts_email ON accounts (email_key)",
        "index accounts_email on accounts differs from its definition",
    ),
    ("product", "ALTER TABLE doc_product ADD COLUMN k_extra", "table doc_product has a column k_extra"),
    ("user", "CREATE TABLE doc_extra (id BIGINT)", "table doc_extra was added"),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_reading_leaves_out_is_named() {
    let scratch = tempfile::tempdir().expect("a directory");
    let data = varied(scratch.path().join("good")).await;
    columns(&data).await;
    schemas(&data).await;
    counter_gone(&data).await;
}

fn crate_of(database: &str) -> String {
    format!("svc-{}", if database == "testpay" { "payment" } else { database })
}

async fn columns(data: &Varied) {
    let copy = data.dir.with_file_name("columns");
    copied(&data.dir, &copy);
    let filled = |text: &str| {
        let mut text = text.replace("{r}", &data.refunded);
        for (number, order) in data.paid.iter().enumerate() {
            text = text.replace(&format!("{{{number}}}"), order);
            text = text.replace(&format!("{{p{number}}}"), &derived("pay", order));
        }
        text
    };
    for (database, statement, _, _) in COLUMNS {
        run(&copy, database, &crate_of(database), &filled(statement)).await;
    }
    let report = audited(&copy, None).await;
    for (_, statement, check, row) in COLUMNS {
        let row = filled(row);
        assert!(
            names(&report, check, &row),
            "{check} should name {row}: {statement}: {:#?}",
            failed(&report)
        );
    }
}

async fn schemas(data: &Varied) {
    let copy = data.dir.with_file_name("schemas");
    copied(&data.dir, &copy);
    for (database, statements, _) in SCHEMAS {
        for statement in statements.split("; ") {
            run(&copy, database, &crate_of(database), statement).await;
        }
    }
    let report = audited(&copy, None).await;
    let intact = report.checks.iter().find(|check| check.name == "store.intact").expect("checked");
    for (database, statements, told) in SCHEMAS {
        let named = intact
            .violations
            .iter()
            .any(|one| one.at.ends_with(&format!("/{database}")) && one.found.starts_with(told));
        assert!(named, "{statements} should be told as {told}: {:#?}", intact.violations);
    }
    assert_eq!(intact.violations.len(), SCHEMAS.len(), "{:#?}", intact.violations);
}

/// A counter that is gone is named after the next start as well, and the order that needs it makes it anew.
async fn counter_gone(data: &Varied) {
    let copy = data.dir.with_file_name("counter-gone");
    copied(&data.dir, &copy);
    run(&copy, "order", "svc-order", "DELETE FROM invoice_counters WHERE kind = 1").await;
    let report = audited(&copy, None).await;
    assert!(names(&report, "rows.valid", "counter of invoice souk"), "{:#?}", failed(&report));
    assert!(names(&report, "documents.numbering", "counter of invoice souk"), "{:#?}", failed(&report));
}
