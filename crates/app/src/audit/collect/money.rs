//! Payments and the ledger.

use contract::souk::payment::v1 as wire;
use contract::souk::payment::v1::payment_service_client::PaymentServiceClient;
use contract::wire::{parse_enum, parse_id, parse_money, parse_timestamp};
use kernel::{Error, Result};

use super::{ANSWER_BYTES_MAX, Interner, PAGE, Unread, ask, finding, malformed, pages};
use crate::audit::books::{Attempt, Entry, Finding, Head, Ledger, Operation, Payment, Seal};
use crate::client::Shop;

const CHECK: &str = "ledger.readable";

/// Every payment with what payment found wrong with its rows, then how the ledger stands, then its entries.
pub(super) async fn read(shop: &Shop) -> Result<(Vec<Payment>, Ledger, Vec<Finding>), Unread> {
    let client = shop.client(PaymentServiceClient::new).max_decoding_message_size(ANSWER_BYTES_MAX);
    let mut names = Interner::default();
    let (mut payments, mut findings) = (Vec::new(), Vec::new());
    pages(async |cursor| {
        let request = wire::ListForAuditRequest { limit: PAGE, cursor };
        let answer = ask!(shop, CHECK, client, list_for_audit, request)?;
        for row in answer.payments {
            payments.push(payment(row, &mut names).map_err(malformed(CHECK, "list_for_audit"))?);
        }
        findings.extend(answer.findings.into_iter().map(finding));
        Ok(answer.next_cursor)
    })
    .await?;
    payments.sort_unstable_by_key(|payment| payment.id);
    let request = wire::GetLedgerStatusRequest {};
    let status = ask!(shop, CHECK, client, get_ledger_status, request)?;
    let head = Head { position: status.head_position, hash: status.keyed_head_hash.into() };
    let mut ledger = Ledger { entries: Vec::new(), sealed: status.sealed, unsealed: status.unsealed, head };
    pages(async |cursor| {
        let request = wire::ListLedgerEntriesRequest { limit: PAGE, cursor };
        let answer = ask!(shop, CHECK, client, list_ledger_entries, request)?;
        for row in answer.entries {
            ledger.entries.push(entry(row, &mut names).map_err(malformed(CHECK, "list_ledger_entries"))?);
        }
        Ok(answer.next_cursor)
    })
    .await?;
    Ok((payments, ledger, findings))
}

fn payment(row: wire::AuditedPayment, names: &mut Interner) -> Result<Payment> {
    let payment = row.payment.ok_or_else(|| Error::internal("a row without its payment"))?;
    let capture = |row: wire::Capture| {
        Ok(Operation {
            state: parse_enum("/captures/state", row.state)?,
            amount: parse_money("/captures/amount", &row.amount)?,
            reference: row.provider_reference.into(),
            updated: parse_timestamp("/captures/update_time", &row.update_time)?,
            id: row.id.into(),
        })
    };
    let refund = |row: wire::Refund| {
        Ok(Operation {
            state: parse_enum("/refunds/state", row.state)?,
            amount: parse_money("/refunds/amount", &row.amount)?,
            reference: row.provider_reference.into(),
            updated: parse_timestamp("/refunds/update_time", &row.update_time)?,
            id: row.id.into(),
        })
    };
    let attempts = row.attempts.into_iter().map(|row| attempt(row, names)).collect::<Result<_>>()?;
    Ok(Payment {
        id: parse_id("/payment/id", &payment.id)?,
        order: parse_id("/payment/order_id", &payment.order_id)?,
        state: parse_enum("/payment/state", payment.state)?,
        captured: parse_money("/payment/captured", &payment.captured)?,
        refunded: parse_money("/payment/refunded", &payment.refunded)?,
        provider: names.get(&payment.provider),
        owner: payment.owner_subject.into(),
        amount: parse_money("/payment/amount", &payment.amount)?,
        attempts,
        captures: row.captures.into_iter().map(capture).collect::<Result<_>>()?,
        refunds: row.refunds.into_iter().map(refund).collect::<Result<_>>()?,
    })
}

fn attempt(row: wire::Attempt, names: &mut Interner) -> Result<Attempt> {
    Ok(Attempt {
        failure: names.get(row.failure.as_ref().map_or("", |failure| failure.code.as_str())),
        state: parse_enum("/attempts/state", row.state)?,
        amount: parse_money("/attempts/amount", &row.amount)?,
        key: row.provider_key.into(),
        reference: row.provider_reference.into(),
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
    Ok(Seal {
        position: row.position,
        previous: hash(&row.previous_hash)?,
        hash: hash(&row.hash)?,
        keyed: row.keyed_hash.as_slice().into(),
        keyed_holds: row.keyed_holds,
    })
}
