//! One damage to each column and each row of orders, documents, payments, ledger and provider, and which check names it. Each goes
//! to another order of the same copy, so that one audit looks at many.

use app::audit::books::Heads;
use app::audit::{prove_since, read_heads};
use contract::souk::testpay::v1::testpay_service_client::TestpayServiceClient;
use contract::souk::testpay::v1::{ChallengeOutcome, CompleteChallengeRequest};

use super::*;

/// Orders that are bought; so many damages go into one copy.
const PAID: usize = 14;

/// A shop with orders of every end.
pub(super) struct Varied {
    pub(super) dir: PathBuf,
    /// Confirmed and captured.
    pub(super) paid: Vec<String>,
    /// Cancelled after the capture.
    pub(super) refunded: String,
    declined: String,
    /// Paid after a challenge.
    challenged: String,
}

pub(super) async fn varied(dir: PathBuf) -> Varied {
    let world = World::start_at(&format!("dir:{}", dir.display()), 61).await;
    world.sells("bowl", 1250, 100).await;
    let mut paid = Vec::new();
    for buyer in 1..=PAID as u128 {
        paid.push(
            world
                .customer(buyer)
                .buys("bowl", 1 + buyer as i64 % 3, "pm_card_visa")
                .await
                .expect("bought")
                .id,
        );
    }
    let refused = world.customer(50).buys("bowl", 1, "pm_card_chargeDeclined").await.expect_err("declined");
    let declined = refused.metadata().get("order_id").cloned().expect("the order's id");
    let refunded = world.customer(51).buys("bowl", 2, "pm_card_visa").await.expect("bought").id;
    let cancel = CancelOrderRequest {
        request_id: world.request_id(),
        order_id: refunded.clone(),
        note: String::new(),
    };
    let sorry = world.customer(51);
    sorry.client("order", OrderServiceClient::new).cancel_order(cancel).await.expect("cancelled");
    let challenged =
        world.customer(52).buys("bowl", 1, "pm_card_authenticationRequired").await.expect("asked").id;
    let action = world.customer(52).sees(&challenged).await.expect("seen").next_action.expect("a challenge");
    let request = CompleteChallengeRequest {
        request_id: world.request_id(),
        challenge_token: action.challenge_id,
        outcome: ChallengeOutcome::Approve.into(),
    };
    let bank = world.guest(9).client("payment", TestpayServiceClient::new).complete_challenge(request).await;
    bank.expect("completed");
    rests(&world).await;
    assert!(world.running().stop(GRACE).await, "the shop stops");
    Varied { dir, paid, refunded, declined, challenged }
}

/// Which order a damage goes to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum To {
    /// One that is paid, and that no other damage of the copy goes to.
    Paid,
    Refunded,
    Declined,
    Challenged,
}

/// A damage: the database, the statement (`{o}` and `{p}` stand for the order and its payment, `{x}` for another paid order), the
/// check that names it.
type Damage = (To, &'static str, &'static str, &'static str);

const ORDERS: &[(&str, &str)] = &[
    ("state", "6"),
    ("owner", "'cus_0000000000000000000000000z'"),
    ("placed_by", "'cus_0000000000000000000000000z'"),
    ("external_reference", "'elsewhere'"),
    ("external_time", "5"),
    ("currency", "'EUR'"),
    ("total_minor", "total_minor + 1"),
    ("tax_minor", "tax_minor + 1"),
    ("line_count", "line_count + 1"),
    ("units", "units + 1"),
    ("payment_method", "'pm_card_mastercard'"),
    ("first_product", "'Another'"),
    ("stock", "5"),
    ("payment", "8"),
    ("shipment", "4"),
    ("cart", "1"),
    ("approval", "3"),
    ("attempt", "2"),
    ("payment_id", "NULL"),
    ("hold_until", "hold_until + 1"),
    ("limit_at", "limit_at + 1"),
    ("challenge_url", "'https://elsewhere.example'"),
    ("ending", "CAST('{\"reason\":\"CANCELLED\",\"message\":\"x\"}' AS BLOB)"),
    ("created_at", "created_at + 1"),
    ("updated_at", "updated_at + 1"),
    ("confirmed_at", "confirmed_at + 1"),
    ("seal", "NULL"),
    ("history_seal", "X'00'"),
];

const HISTORY: &[(&str, &str)] = &[
    ("version", "77"),
    ("at", "at + 1"),
    ("actor", "'cus_0000000000000000000000000z'"),
    ("state", "3"),
    ("what", "'APPROVED'"),
    ("note", "'as agreed'"),
    ("seal", "NULL"),
];

const PAYMENTS: &[(&str, &str)] = &[
    ("tender", "1"),
    ("owner", "'cus_0000000000000000000000000z'"),
    ("state", "'authorized'"),
    ("currency", "'EUR'"),
    ("amount", "amount + 1"),
    ("refund_claimed", "1"),
    ("refunded = 1, refund_claimed", "1"),
    ("captured", "captured - 1"),
    ("attempt", "2"),
    ("operations", "operations + 1"),
    ("provider", "'elsewhere'"),
    ("version", "version + 1"),
    ("created_at", "created_at + 1"),
    ("updated_at", "updated_at + 1"),
    ("seal", "NULL"),
];

const ATTEMPTS: &[(&str, &str)] = &[
    ("number", "2"),
    ("state", "'voided'"),
    ("currency", "'EUR'"),
    ("amount", "amount + 1"),
    ("provider", "'elsewhere'"),
    ("reference", "'tpa_x'"),
    ("challenge_token", "'t'"),
    ("failure_code", "'card_declined'"),
    ("created_at", "created_at + 1"),
    ("updated_at", "updated_at + 1"),
    ("seal", "NULL"),
];

const OPERATIONS: &[(&str, &str)] = &[
    ("attempt", "2"),
    ("kind", "'refund'"),
    ("currency", "'EUR'"),
    ("amount", "amount + 1"),
    ("state", "'failed'"),
    ("provider", "'elsewhere'"),
    ("target", "'tpa_x'"),
    ("reference", "'tpc_x'"),
    ("failure_code", "'refused'"),
    ("reason", "'because'"),
    ("created_at", "created_at + 1"),
    ("updated_at", "updated_at + 1"),
    ("seal", "NULL"),
];

const INVOICES: &[(&str, &str, &str)] = &[
    ("order_id", "'ord_00000000000000000000000009'", "orders.invoices"),
    ("currency", "'EUR'", "orders.invoices"),
    ("total_minor", "total_minor + 1", "orders.invoices"),
    ("tax_minor", "tax_minor + 1", "documents.orders"),
    ("issued_at", "issued_at + 1", "documents.orders"),
];

/// Statements of other shapes.
const OTHERS: &[Damage] = &[
    (To::Paid, "order", "DELETE FROM order_quotes WHERE order_id = '{o}'", "orders.quotes"),
    (
        To::Paid,
        "order",
        "UPDATE order_quotes SET quote = (SELECT quote FROM order_quotes WHERE order_id = '{x}') WHERE order_id = '{o}'",
        "orders.quotes",
    ),
    (To::Paid, "order", "UPDATE order_quotes SET seal = NULL WHERE order_id = '{o}'", "orders.sealed"),
    (To::Paid, "order", "DELETE FROM order_history WHERE order_id = '{o}' AND version = 2", "orders.sealed"),
    (To::Paid, "order", "DELETE FROM order_history WHERE order_id = '{o}' AND version = 1", "orders.history"),
    (
        To::Paid,
        "order",
        "INSERT INTO order_history SELECT order_id, 99, at, actor, state, what, note, seal FROM order_history \
         WHERE order_id = '{o}' AND version = 2",
        "orders.sealed",
    ),
    (To::Paid, "order", "DELETE FROM order_shipments WHERE order_id = '{o}'", "orders.states"),
    (
        To::Paid,
        "order",
        "UPDATE order_shipments SET shipment_id = 'shp_x' WHERE order_id = '{o}'",
        "orders.sealed",
    ),
    (
        To::Paid,
        "order",
        "UPDATE order_shipments SET group_id = 'sgr_x' WHERE order_id = '{o}'",
        "orders.states",
    ),
    (
        To::Paid,
        "order",
        "UPDATE order_history SET order_id = 'ord_00000000000000000000000009' WHERE order_id = '{o}' AND version = 3",
        "orders.sealed",
    ),
    (
        To::Refunded,
        "order",
        "UPDATE invoices SET issued_at = 5 WHERE order_id = '{o}' AND kind = 2",
        "documents.orders",
    ),
    (To::Refunded, "order", "UPDATE orders SET payment = 7 WHERE id = '{o}'", "orders.states"),
    (
        To::Declined,
        "payment",
        "UPDATE attempts SET failure_message = 'x' WHERE payment_id = '{p}'",
        "payments.sealed",
    ),
    (
        To::Declined,
        "testpay",
        "UPDATE authorizations SET decline_code = 'x' WHERE payment_id = '{p}'",
        "provider.records",
    ),
    (
        To::Challenged,
        "payment",
        "UPDATE attempts SET reference = 'tpa_x' WHERE payment_id = '{p}'",
        "payments.sealed",
    ),
    (To::Paid, "payment", "DELETE FROM attempts WHERE payment_id = '{p}'", "payments.states"),
    (To::Paid, "payment", "DELETE FROM operations WHERE payment_id = '{p}'", "payments.states"),
    (To::Paid, "payment", "DELETE FROM payments WHERE id = '{p}'", "orders.payments"),
    (
        To::Paid,
        "payment",
        "UPDATE attempts SET payment_id = 'pay_00000000000000000000000009' WHERE payment_id = '{p}'",
        "payments.states",
    ),
    (
        To::Refunded,
        "payment",
        "UPDATE payments SET refunded = refunded - 1 WHERE id = '{p}'",
        "payments.states",
    ),
    (
        To::Paid,
        "payment",
        "UPDATE ledger_postings SET account = 'elsewhere' WHERE order_id = '{o}' AND line = 1",
        "ledger.accounts",
    ),
    (
        To::Paid,
        "payment",
        "UPDATE ledger_postings SET currency = 'EUR' WHERE order_id = '{o}'",
        "ledger.operations",
    ),
    (
        To::Paid,
        "testpay",
        "UPDATE authorizations SET method = 'pm_card_mastercard' WHERE payment_id = '{p}'",
        "provider.records",
    ),
    (
        To::Paid,
        "testpay",
        "UPDATE authorizations SET captured = captured - 1 WHERE payment_id = '{p}'",
        "provider.records",
    ),
    (
        To::Refunded,
        "testpay",
        "UPDATE authorizations SET refunded = refunded - 1 WHERE payment_id = '{p}'",
        "provider.records",
    ),
    (
        To::Paid,
        "testpay",
        "UPDATE authorizations SET currency = 'EUR' WHERE payment_id = '{p}'",
        "provider.agrees",
    ),
    (
        To::Paid,
        "testpay",
        "UPDATE authorizations SET state = 'voided' WHERE payment_id = '{p}'",
        "provider.agrees",
    ),
    (
        To::Paid,
        "testpay",
        "UPDATE captures SET id = 'tpc_00000000000000000000000009' WHERE authorization_id = \
         (SELECT id FROM authorizations WHERE payment_id = '{p}')",
        "provider.records",
    ),
];

/// Every damage that names the order it was done to.
fn damages() -> Vec<(To, &'static str, String, &'static str)> {
    let mut all = Vec::new();
    let mut columns = |database, table: &str, key: &str, columns: &[(&str, &str)], check| {
        for (column, value) in columns {
            let statement = format!("UPDATE {table} SET {column} = {value} WHERE {key}");
            all.push((To::Paid, database, statement, check));
        }
    };
    columns("order", "orders", "id = '{o}'", ORDERS, "orders.sealed");
    columns("order", "order_history", "order_id = '{o}' AND version = 2", HISTORY, "orders.sealed");
    columns("payment", "payments", "id = '{p}'", PAYMENTS, "payments.sealed");
    columns("payment", "attempts", "payment_id = '{p}'", ATTEMPTS, "payments.sealed");
    columns("payment", "operations", "payment_id = '{p}'", OPERATIONS, "payments.sealed");
    for (column, value, check) in INVOICES {
        let statement =
            format!("UPDATE invoices SET {column} = {value} WHERE order_id = '{{o}}' AND kind = 1");
        all.push((To::Paid, "order", statement, *check));
    }
    all.extend(OTHERS.iter().map(|(to, database, text, check)| (*to, *database, (*text).to_owned(), *check)));
    all
}

fn crate_of(database: &str) -> &'static str {
    if database == "order" { "svc-order" } else { "svc-payment" }
}

/// Puts damages into as few copies as there are orders for, and gives what no check named.
async fn unnamed(data: &Varied) -> Vec<String> {
    let mut waiting = damages();
    let mut missed = Vec::new();
    for copy_number in 0.. {
        let (mut now, mut later) = (Vec::new(), Vec::new());
        let mut used: Vec<To> = Vec::new();
        for damage in waiting {
            let paid = used.iter().filter(|to| **to == To::Paid).count();
            let free = if damage.0 == To::Paid { paid < PAID } else { !used.contains(&damage.0) };
            if free {
                used.push(damage.0);
                now.push(damage);
            } else {
                later.push(damage);
            }
        }
        let copy = data.dir.with_file_name(format!("contents-{copy_number}"));
        copied(&data.dir, &copy);
        let mut paid = data.paid.iter();
        let mut expected = Vec::new();
        for (to, database, text, check) in now {
            let order = match to {
                To::Paid => paid.next().expect("an order for each"),
                To::Refunded => &data.refunded,
                To::Declined => &data.declined,
                To::Challenged => &data.challenged,
            };
            let text = text.replace("{o}", order).replace("{p}", &derived("pay", order));
            let text = text.replace("{x}", &data.challenged);
            run(&copy, database, crate_of(database), &text).await;
            expected.push((check, order.clone(), text));
        }
        let report = audited(&copy, None).await;
        for (check, order, text) in expected {
            let tail = order.trim_start_matches("ord");
            if !names(&report, check, tail) {
                missed.push(format!("{check} should name {order}: {text}"));
            }
        }
        waiting = later;
        if waiting.is_empty() {
            break;
        }
    }
    missed
}

/// Damages that name something else than an order, one copy each.
const ALONE: &[(&str, &str, &str, &str)] = &[
    (
        "order",
        "UPDATE invoice_counters SET next = next - 1 WHERE kind = 1",
        "documents.numbering",
        "counter of invoice souk",
    ),
    (
        "order",
        "UPDATE invoice_counters SET next = next + 5 WHERE kind = 2",
        "documents.numbering",
        "counter of credit_note souk",
    ),
    (
        "order",
        "UPDATE invoices SET number = CASE number WHEN 2 THEN -3 WHEN 3 THEN -2 END WHERE kind = 1 AND number IN (2, 3); \
         UPDATE invoices SET number = -number WHERE number < 0",
        "documents.sealed",
        "invoice souk 2",
    ),
    (
        "order",
        "UPDATE invoices SET seal = NULL WHERE kind = 1 AND number = 4",
        "documents.sealed",
        "invoice souk 5",
    ),
    ("order", "DELETE FROM invoices WHERE kind = 1 AND number = 4", "documents.sealed", "invoice souk 5"),
    (
        "payment",
        "UPDATE webhook_events SET received_at = received_at + 1",
        "payments.sealed",
        "webhook event",
    ),
    (
        "payment",
        "UPDATE webhook_events SET event_id = 'evt_another' WHERE event_id = (SELECT MIN(event_id) FROM webhook_events)",
        "payments.sealed",
        "webhook event",
    ),
    (
        "payment",
        "UPDATE ledger_chain SET sealed_at = sealed_at + 1 WHERE position = 3",
        "ledger.keyed",
        "ledger position 3",
    ),
    (
        "payment",
        "UPDATE ledger_chain SET keyed = NULL WHERE position = 3",
        "ledger.keyed",
        "ledger position 3",
    ),
    (
        "payment",
        "UPDATE ledger_chain SET previous = hash WHERE position = 3",
        "ledger.sealed",
        "ledger position 3",
    ),
    (
        "payment",
        "UPDATE ledger_chain SET entry_id = 'led_x' WHERE position = 3",
        "payments.sealed",
        "link of led_x",
    ),
    (
        "payment",
        "UPDATE ledger_postings SET booked_at = booked_at + 1",
        "ledger.accounts",
        "ledger entry led_",
    ),
    (
        "payment",
        "UPDATE ledger_postings SET kind = 'refund' WHERE line = 0",
        "payments.sealed",
        "ledger entry led_",
    ),
    (
        "payment",
        "INSERT INTO ledger_unsealed SELECT entry_id, booked_at FROM ledger_postings WHERE line = 0 LIMIT 1",
        "payments.sealed",
        "unsealed led_",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_column_is_vouched_for() {
    let scratch = tempfile::tempdir().expect("a directory");
    let data = varied(scratch.path().join("good")).await;
    let good = data.dir.with_file_name("contents-good");
    copied(&data.dir, &good);
    let report = audited(&good, None).await;
    assert!(report.ok, "{:#?}", failed(&report));
    let missed = unnamed(&data).await;
    assert!(missed.is_empty(), "{missed:#?}");
    for (number, (database, text, check, row)) in ALONE.iter().enumerate() {
        let copy = data.dir.with_file_name(format!("alone-{number}"));
        copied(&data.dir, &copy);
        for statement in text.split("; ") {
            run(&copy, database, crate_of(database), statement).await;
        }
        let report = audited(&copy, None).await;
        assert!(names(&report, check, row), "{text}: {check} should name {row}: {:#?}", failed(&report));
    }
    former_heads(&data).await;
}

/// A ledger that is cut at its end, with everything that knew of it, holds by itself; a former audit's heads show it.
async fn former_heads(data: &Varied) {
    let copy = data.dir.with_file_name("heads");
    copied(&data.dir, &copy);
    let heads = data.dir.with_file_name("heads.json");
    assert_eq!(read_heads(&heads), Ok(Heads::new()), "none yet");
    let report = audited(&copy, None).await;
    std::fs::write(&heads, serde_json::to_vec(&report.chains).expect("JSON")).expect("written");
    let former = read_heads(&heads).expect("what the report told");
    assert_eq!(former.keys().collect::<Vec<_>>(), ["credit_note souk", "invoice souk", "ledger"]);
    assert!(since(&copy, former.clone()).await.ok, "nothing changed");
    let cut = "DELETE FROM invoices WHERE kind = 2";
    run(&copy, "order", "svc-order", cut).await;
    run(&copy, "order", "svc-order", "UPDATE invoice_counters SET next = 1 WHERE kind = 2").await;
    let report = since(&copy, former).await;
    assert!(names(&report, "audit.heads", "credit_note souk, position 1"), "{:#?}", failed(&report));
}

async fn since(dir: &Path, former: Heads) -> Report {
    let (running, shop) = opened(dir).await;
    let report = prove_since(&shop, None, Some(former)).await.expect("audited");
    running.stop(GRACE).await;
    report
}

/// A counter that was set back does not keep orders waiting: the first that meets it sets it right.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_counter_that_was_set_back_is_set_right() {
    let scratch = tempfile::tempdir().expect("a directory");
    let dir = scratch.path().join("shop");
    let data = format!("dir:{}", dir.display());
    {
        let world = World::start_at(&data, 71).await;
        world.sells("bowl", 1250, 100).await;
        for buyer in 1..=3 {
            world.customer(buyer).buys("bowl", 1, "pm_card_visa").await.expect("bought");
        }
        rests(&world).await;
        assert!(world.running().stop(GRACE).await, "the shop stops");
    }
    run(&dir, "order", "svc-order", "UPDATE invoice_counters SET next = next - 1 WHERE kind = 1").await;
    let world = World::start_at(&data, 72).await;
    let order = world.customer(8).buys("bowl", 1, "pm_card_visa").await.expect("bought");
    assert_eq!((order.state(), order.invoice_number.as_str()), (OrderState::Confirmed, "souk-0000000004"));
    rests(&world).await;
    assert!(world.running().stop(GRACE).await, "the shop stops");
    drop(world);
    let report = audited(&dir, None).await;
    assert!(report.ok, "{:#?}", failed(&report));
}
