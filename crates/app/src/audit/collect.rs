//! Reads every service through its API, page by page.
//!
//! What is read later may know of more than what was read before: each list is read so that a row never points to something that
//! was made earlier and is missing (a counter before its movements, orders before their invoices). What that leaves is in
//! flight, and a second look shows it.

mod events;
mod money;
mod orders;
mod provider;
mod rows;
mod stock;
mod storage;

use std::collections::HashSet;
use std::sync::Arc;

use contract::souk::r#type::v1::AuditFinding;
use kernel::{Code, Error};

use super::books::{Books, Finding, Storage, Unreadable};
use crate::client::{CallError, Shop};
use crate::console::Failure;

/// Rows asked for at once.
const PAGE: i32 = 1000;
/// Bytes of an answer at most.
const ANSWER_BYTES_MAX: usize = 32 << 20;

/// Why a list could not be read.
pub(super) enum Unread {
    /// The command cannot go on.
    Failed(Failure),
    /// The service cannot read its own rows.
    Damaged(Unreadable),
}

/// Calls a method of a service of the shop, patiently.
macro_rules! ask {
    ($shop:expr, $check:expr, $client:expr, $method:ident, $request:expr) => {{
        let request = $request;
        let send = || {
            let (mut client, request) = ($client.clone(), request.clone());
            async move { client.$method(request).await }
        };
        $shop
            .call(send)
            .await
            .map_err(|error| $crate::audit::collect::unread($check, stringify!($method), error))
    }};
}
use ask;

/// Tells a service that cannot read its own rows from a shop that is away or says no.
fn unread(check: &'static str, method: &str, error: CallError) -> Unread {
    match error {
        CallError::Refused(error) if error.code() == Code::Internal => {
            Unread::Damaged(Unreadable { check, told: format!("{method}: {}", error.message()) })
        }
        CallError::Refused(error)
            if matches!(error.code(), Code::PermissionDenied | Code::Unauthenticated) =>
        {
            let role = check.split('.').next().unwrap_or_default();
            Unread::Failed(Failure::usage(format!(
                "this credential may not read the {role} ({method}: {error}); the operator's may, see --data and --token"
            )))
        }
        error => Unread::Failed(error.fatal(method)),
    }
}

/// An answer that is not what its contract says.
fn malformed(check: &'static str, method: &'static str) -> impl Fn(Error) -> Unread {
    move |error| Unread::Damaged(Unreadable { check, told: format!("{method}: {error}") })
}

/// Reads a list page by page; `read` takes a cursor and gives the next, empty after the last page.
async fn pages(mut read: impl AsyncFnMut(String) -> Result<String, Unread>) -> Result<(), Unread> {
    let mut cursor = String::new();
    loop {
        let next = read(cursor.clone()).await?;
        if next.is_empty() {
            return Ok(());
        }
        if next == cursor {
            return Err(Unread::Failed(Failure::unfinished(
                "a list of the shop does not end: its cursor stands still",
            )));
        }
        cursor = next;
    }
}

/// What a service found wrong with its own rows.
fn finding(row: AuditFinding) -> Finding {
    let AuditFinding { check, row, expected, found, in_flight } = row;
    Finding { check: check.into(), row, expected, found, in_flight }
}

/// Texts that repeat, kept once.
#[derive(Default)]
struct Interner(HashSet<Arc<str>>);

impl Interner {
    fn get(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.0.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.0.insert(Arc::clone(&new));
        new
    }
}

/// Takes what was read. `None` when the service cannot read its own rows, which is noted.
fn taken<T>(read: Result<T, Unread>, unreadable: &mut Vec<Unreadable>) -> Result<Option<T>, Failure> {
    match read {
        Ok(rows) => Ok(Some(rows)),
        Err(Unread::Damaged(list)) => {
            unreadable.push(list);
            Ok(None)
        }
        Err(Unread::Failed(failure)) => Err(failure),
    }
}

/// Has every database checked. Once for an audit: all of each is read.
///
/// # Errors
/// As [`books`].
pub async fn storage(shop: &Shop) -> Result<(Vec<Storage>, Vec<Unreadable>), Failure> {
    let mut unreadable = Vec::new();
    let storage = taken(storage::read(shop).await, &mut unreadable)?.unwrap_or_default();
    Ok((storage, unreadable))
}

/// Reads all books.
///
/// # Errors
/// When the shop stays away, or does not let this caller read.
pub async fn books(shop: &Shop) -> Result<Books, Failure> {
    let (orders, money, stock, events, provider, rows) = tokio::join!(
        orders::read(shop),
        money::read(shop),
        stock::read(shop),
        events::read(shop),
        provider::read(shop),
        rows::read(shop),
    );
    let mut books = Books::default();
    let mut unreadable = Vec::new();
    if let Some((payments, ledger, findings)) = taken(money, &mut unreadable)? {
        (books.payments, books.ledger) = (payments, ledger);
        books.findings.extend(findings);
    }
    if let Some((shelves, holds)) = taken(stock, &mut unreadable)? {
        (books.shelves, books.holds) = (shelves, holds);
    }
    if let Some(read) = taken(orders, &mut unreadable)? {
        (books.orders, books.invoices, books.numbering) = (read.orders, read.invoices, read.numbering);
        books.findings.extend(read.findings);
    }
    if let Some((streams, consumers)) = taken(events, &mut unreadable)? {
        (books.streams, books.consumers) = (streams, consumers);
    }
    if let Some(provider) = taken(provider, &mut unreadable)? {
        books.provider = provider;
    }
    if let Some(rows) = taken(rows, &mut unreadable)? {
        books.rows = rows;
    }
    books.unreadable = unreadable;
    Ok(books)
}
