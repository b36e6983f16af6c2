//! Payments and the ledger.

use contract::souk::payment::v1 as wire;
use contract::souk::payment::v1::payment_service_client::PaymentServiceClient;
use contract::wire::{parse_enum, parse_id, parse_money, parse_timestamp};
use kernel::{Error, Result};

use super::{ANSWER_BYTES_MAX, Interner, PAGE, Unread, ask, malformed, pages};
use crate::audit::books::{Attempt, Entry, Ledger, Operation, Payment, Seal};
use crate::client::Shop;

const CHECK: &str = "ledger.readable";

/// Every payment, then how the ledger stands, then its entries.
pub(super) async fn read(shop: &Shop) -> Result<(Vec<Payment>, Ledger), Unread> {
    let client = shop.client(PaymentServiceClient::new).max_decoding_message_size(ANSWER_BYTES_MAX);
    let mut names = Interner::default();
    let mut payments = Vec::new();
    pages(async |cursor| {
        let request = wire::ListForAuditRequest { limit: PAGE, cursor };
        let answer = ask!(shop, CHECK, client, list_for_audit, request)?;
        for row in answer.payments {
            payments.push(payment(row, &mut names).map_err(malformed(CHECK, "list_for_audit"))?);
        }
        Ok(answer.next_cursor)
    })
    .await?;
    payments.sort_unstable_by_key(|payment| payment.id);
    let request = wire::GetLedgerStatusRequest {};
    let status = ask!(shop, CHECK, client, get_ledger_status, request)?;
    let mut ledger = Ledger { entries: Vec::new(), sealed: status.sealed, unsealed: status.unsealed };
    pages(async |cursor| {
        let request = wire::ListLedgerEntriesRequest { limit: PAGE, cursor };
        let answer = ask!(shop, CHECK, client, list_ledger_entries, request)?;
        for row in answer.entries {
            ledger.entries.push(entry(row, &mut names).map_err(malformed(CHECK, "list_ledger_entries"))?);
        }
        Ok(answer.next_cursor)
    })
    .await?;
    Ok((payments, ledger))
}

fn payment(row: wire::AuditedPayment, names: &mut Interner) -> Result<Payment> {
    let payment = row.payment.ok_or_else(|| Error::internal("a row without its payment"))?;
    let capture = |row: wire::Capture| operation(row.id, row.state, &row.amount);
    let refund = |row: wire::Refund| operation(row.id, row.state, &row.amount);
    Ok(Payment {
        id: parse_id("/payment/id", &payment.id)?,
        order: parse_id("/payment/order_id", &payment.order_id)?,
        state: parse_enum("/payment/state", payment.state)?,
        captured: parse_money("/payment/captured", &payment.captured)?,
        refunded: parse_money("/payment/refunded", &payment.refunded)?,
        provider: names.get(&payment.provider),
        attempts: row.attempts.into_iter().map(attempt).collect::<Result<_>>()?,
        captures: row.captures.into_iter().map(capture).collect::<Result<_>>()?,
        refunds: row.refunds.into_iter().map(refund).collect::<Result<_>>()?,
    })
}

fn attempt(row: wire::Attempt) -> Result<Attempt> {
    Ok(Attempt {
        state: parse_enum("/attempts/state", row.state)?,
        amount: parse_money("/attempts/amount", &row.amount)?,
        key: row.provider_key.into(),
        reference: row.provider_reference.into(),
    })
}

fn operation(
    id: String,
    state: i32,
    amount: &Option<contract::souk::r#type::v1::Money>,
) -> Result<Operation> {
    Ok(Operation {
        id: id.into(),
        state: parse_enum("/state", state)?,
        amount: parse_money("/amount", amount)?,
    })
}

fn entry(row: wire::LedgerEntry, names: &mut Interner) -> Result<Entry> {
    let posting = |posting: &wire::LedgerPosting| {
        Ok((names.get(&posting.account), parse_money("/postings/amount", &posting.amount)?))
    };
    Ok(Entry {
        kind: parse_enum("/kind", row.kind)?,
        payment: parse_id("/payment_id", &row.payment_id)?,
        order: parse_id("/order_id", &row.order_id)?,
        time: parse_timestamp("/time", &row.time)?,
        postings: row.postings.iter().map(posting).collect::<Result<_>>()?,
        seal: row.seal.as_ref().map(seal).transpose()?,
        id: row.id.into(),
        operation: row.operation_id.into(),
    })
}

fn seal(row: &wire::LedgerSeal) -> Result<Seal> {
    let hash = |bytes: &[u8]| bytes.try_into().map_err(|_| Error::internal("a hash that has not 32 bytes"));
    Ok(Seal { position: row.position, previous: hash(&row.previous_hash)?, hash: hash(&row.hash)? })
}
