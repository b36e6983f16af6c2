//! Rows to domain and back.

use kernel::{Currency, Error, Money, Result, Timestamp};
use store::{Row, Statement, sql};

use super::Seals;
use crate::domain::{
    Attempt, AttemptState, Challenge, Failure, Operation, OperationKind, OperationState, Payment,
    PaymentState,
};

pub(super) fn insert_payment(payment: &Payment, seals: &Seals) -> Statement {
    sql("INSERT INTO payments (id, order_id, tender, owner, state, currency, amount, authorized, capture_claimed, captured, \
         refund_claimed, refunded, attempt, operations, provider, version, created_at, updated_at, seal) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    .bind(payment.id)
    .bind(payment.order)
    .bind(payment.tender)
    .bind(&payment.owner)
    .bind(payment.state.as_str())
    .bind(payment.amount.currency.code())
    .bind(payment.amount.minor)
    .bind(payment.authorized)
    .bind(payment.capture_claimed)
    .bind(payment.captured)
    .bind(payment.refund_claimed)
    .bind(payment.refunded)
    .bind(payment.attempt)
    .bind(payment.operations)
    .bind(&payment.provider)
    .bind(payment.version)
    .bind(payment.created)
    .bind(payment.updated)
    .bind(seals.payment(payment))
}

/// A row that does not fit its seal keeps it, here and below: the seal of the new row would hide from an audit that somebody changed
/// the old one.
pub(super) fn update_payment(before: &Payment, after: &Payment, seals: &Seals) -> Statement {
    sql("UPDATE payments SET state = ?, authorized = ?, capture_claimed = ?, captured = ?, refund_claimed = ?, refunded = ?, \
         attempt = ?, operations = ?, version = ?, updated_at = ?, seal = CASE WHEN seal = ? THEN ? ELSE seal END \
         WHERE id = ? AND version = ?")
    .bind(after.state.as_str())
    .bind(after.authorized)
    .bind(after.capture_claimed)
    .bind(after.captured)
    .bind(after.refund_claimed)
    .bind(after.refunded)
    .bind(after.attempt)
    .bind(after.operations)
    .bind(after.version)
    .bind(after.updated)
    .bind(seals.payment(before))
    .bind(seals.payment(after))
    .bind(before.id)
    .bind(before.version)
}

/// Payments with what their latest attempt says.
pub(super) fn select_payments(condition: &str) -> Statement {
    sql(format!(
        "SELECT p.id, p.order_id, p.tender, p.owner, p.state, p.currency, p.amount, p.authorized, p.capture_claimed, \
         p.captured, p.refund_claimed, p.refunded, p.attempt, p.operations, p.provider, p.version, p.created_at, p.updated_at, p.seal, \
         a.reference, a.challenge_url, a.challenge_token, a.failure_code, a.failure_message \
         FROM payments p LEFT JOIN attempts a ON a.payment_id = p.id AND a.number = p.attempt WHERE {condition}"
    ))
}

pub(super) fn payment(row: &Row) -> Result<Payment> {
    let has_attempt = !row.get("reference")?.is_null();
    let state = PaymentState::parse(row.str("state")?)?;
    let challenge = if has_attempt && state == PaymentState::ActionRequired { challenge(row)? } else { None };
    let failure = if has_attempt && state == PaymentState::Failed { failure(row)? } else { None };
    Ok(Payment {
        id: row.id("id")?,
        order: row.id("order_id")?,
        tender: count(row, "tender")?,
        owner: row.text("owner")?,
        state,
        amount: money(row)?,
        authorized: row.int("authorized")?,
        capture_claimed: row.int("capture_claimed")?,
        captured: row.int("captured")?,
        refund_claimed: row.int("refund_claimed")?,
        refunded: row.int("refunded")?,
        attempt: count(row, "attempt")?,
        operations: count(row, "operations")?,
        provider: row.text("provider")?,
        challenge,
        failure,
        reference: row.opt_text("reference")?.unwrap_or_default(),
        version: row.int("version")?,
        created: row.timestamp("created_at")?,
        updated: row.timestamp("updated_at")?,
    })
}

pub(super) fn insert_attempt(attempt: &Attempt, check_at: Option<Timestamp>, seals: &Seals) -> Statement {
    let statement = sql("INSERT INTO attempts (payment_id, number, currency, amount, provider, created_at, state, reference, \
                         challenge_url, challenge_token, failure_code, failure_message, asked, check_at, updated_at, seal) \
                         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    .bind(attempt.payment)
    .bind(attempt.number)
    .bind(attempt.amount.currency.code())
    .bind(attempt.amount.minor)
    .bind(&attempt.provider)
    .bind(attempt.created);
    attempt_values(statement, attempt, check_at).bind(seals.attempt(attempt))
}

pub(super) fn update_attempt(
    before: &Attempt,
    attempt: &Attempt,
    check_at: Option<Timestamp>,
    seals: &Seals,
) -> Statement {
    let statement = sql(
        "UPDATE attempts SET state = ?, reference = ?, challenge_url = ?, challenge_token = ?, failure_code = ?, \
                         failure_message = ?, asked = ?, check_at = ?, updated_at = ?, \
                         seal = CASE WHEN seal = ? THEN ? ELSE seal END WHERE payment_id = ? AND number = ?",
    );
    let values = attempt_values(statement, attempt, check_at).bind(seals.attempt(before));
    values.bind(seals.attempt(attempt)).bind(attempt.payment).bind(attempt.number)
}

fn attempt_values(statement: Statement, attempt: &Attempt, check_at: Option<Timestamp>) -> Statement {
    let (url, token) =
        attempt.challenge.as_ref().map_or(("", ""), |challenge| (&challenge.url, &challenge.token));
    failure_values(
        statement.bind(attempt.state.as_str()).bind(&attempt.reference).bind(url).bind(token),
        attempt.failure.as_ref(),
    )
    .bind(attempt.asked)
    .bind(check_at)
    .bind(attempt.updated)
}

fn failure_values(statement: Statement, failure: Option<&Failure>) -> Statement {
    let (code, message) = failure.map_or(("", ""), |failure| (&failure.code, &failure.message));
    statement.bind(code).bind(message)
}

pub(super) fn select_attempts(condition: &str) -> Statement {
    sql(format!(
        "SELECT payment_id, number, state, currency, amount, provider, reference, challenge_url, challenge_token, failure_code, \
         failure_message, asked, created_at, updated_at, seal FROM attempts WHERE {condition}"
    ))
}

pub(super) fn attempt(row: &Row) -> Result<Attempt> {
    Ok(Attempt {
        payment: row.id("payment_id")?,
        number: count(row, "number")?,
        state: AttemptState::parse(row.str("state")?)?,
        amount: money(row)?,
        provider: row.text("provider")?,
        reference: row.text("reference")?,
        challenge: challenge(row)?,
        failure: failure(row)?,
        asked: count(row, "asked")?,
        created: row.timestamp("created_at")?,
        updated: row.timestamp("updated_at")?,
    })
}

pub(super) fn insert_operation(
    operation: &Operation,
    check_at: Option<Timestamp>,
    seals: &Seals,
) -> Statement {
    let statement = sql("INSERT INTO operations (id, payment_id, attempt, kind, currency, amount, provider, target, reason, \
                         created_at, state, reference, failure_code, failure_message, asked, check_at, updated_at, seal) \
                         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
    .bind(&operation.id)
    .bind(operation.payment)
    .bind(operation.attempt)
    .bind(operation.kind.as_str())
    .bind(operation.amount.currency.code())
    .bind(operation.amount.minor)
    .bind(&operation.provider)
    .bind(&operation.target)
    .bind(&operation.reason)
    .bind(operation.created);
    operation_values(statement, operation, check_at).bind(seals.operation(operation))
}

pub(super) fn update_operation(
    before: &Operation,
    operation: &Operation,
    check_at: Option<Timestamp>,
    seals: &Seals,
) -> Statement {
    let statement = sql(
        "UPDATE operations SET state = ?, reference = ?, failure_code = ?, failure_message = ?, asked = ?, \
                         check_at = ?, updated_at = ?, seal = CASE WHEN seal = ? THEN ? ELSE seal END WHERE id = ?",
    );
    let values = operation_values(statement, operation, check_at).bind(seals.operation(before));
    values.bind(seals.operation(operation)).bind(&operation.id)
}

fn operation_values(statement: Statement, operation: &Operation, check_at: Option<Timestamp>) -> Statement {
    let statement = statement.bind(operation.state.as_str()).bind(&operation.reference);
    failure_values(statement, operation.failure.as_ref())
        .bind(operation.asked)
        .bind(check_at)
        .bind(operation.updated)
}

pub(super) fn select_operations(condition: &str) -> Statement {
    sql(format!(
        "SELECT id, payment_id, attempt, kind, currency, amount, state, provider, target, reference, failure_code, \
         failure_message, reason, asked, created_at, updated_at, seal FROM operations WHERE {condition}"
    ))
}

pub(super) fn operation(row: &Row) -> Result<Operation> {
    Ok(Operation {
        id: row.text("id")?,
        payment: row.id("payment_id")?,
        attempt: count(row, "attempt")?,
        kind: OperationKind::parse(row.str("kind")?)?,
        amount: money(row)?,
        state: OperationState::parse(row.str("state")?)?,
        provider: row.text("provider")?,
        target: row.text("target")?,
        reference: row.text("reference")?,
        failure: failure(row)?,
        reason: row.text("reason")?,
        asked: count(row, "asked")?,
        created: row.timestamp("created_at")?,
        updated: row.timestamp("updated_at")?,
    })
}

fn challenge(row: &Row) -> Result<Option<Challenge>> {
    let challenge = Challenge { url: row.text("challenge_url")?, token: row.text("challenge_token")? };
    Ok(Some(challenge).filter(|challenge| !challenge.token.is_empty()))
}

fn failure(row: &Row) -> Result<Option<Failure>> {
    let failure = Failure::new(row.text("failure_code")?, row.text("failure_message")?);
    Ok(Some(failure).filter(|failure| !failure.code.is_empty()))
}

/// The seal of a row; empty when it has none.
pub(super) fn seal(row: &Row) -> Result<Vec<u8>> {
    Ok(row.opt_blob("seal")?.unwrap_or_default())
}

pub(super) fn money(row: &Row) -> Result<Money> {
    let currency = Currency::parse(row.str("currency")?)
        .map_err(|_| Error::internal("a row has an unknown currency"))?;
    Ok(Money::new(row.int("amount")?, currency))
}

fn count(row: &Row, column: &str) -> Result<u32> {
    u32::try_from(row.int(column)?).map_err(|_| Error::internal(format!("column {column:?} is not a count")))
}
