//! What each role says about its own rows, page by page.

use std::collections::BTreeSet;
use std::sync::Arc;

use contract::souk::audit::v1 as wire;
use contract::souk::audit::v1::audit_service_client::AuditServiceClient;
use futures_util::future::try_join_all;

use kernel::Timestamp;

use super::{ANSWER_BYTES_MAX, Interner, PAGE, Unread, unread};
use crate::audit::rows::{RoleRows, RowFinding, Told};
use crate::client::{CallError, Shop};
use crate::console::Failure;

const CHECK: &str = "rows.readable";

/// Every role that has rows at this address.
pub(super) async fn read(shop: &Shop) -> Result<Vec<RoleRows>, Unread> {
    let roles: BTreeSet<&str> = contract::methods().iter().map(|method| method.package_role).collect();
    let found = try_join_all(roles.into_iter().map(|role| of_role(shop, role))).await?;
    Ok(found.into_iter().flatten().collect())
}

async fn of_role(shop: &Shop, role: &str) -> Result<Option<RoleRows>, Unread> {
    let mut rows = RoleRows { role: role.into(), ..RoleRows::default() };
    let mut states = Interner::default();
    let mut cursor = String::new();
    loop {
        let Some(page) = page(shop, role, cursor.clone()).await? else { return Ok(None) };
        rows.examined += u64::try_from(page.examined).unwrap_or(0);
        rows.findings.extend(page.findings.into_iter().map(|finding| RowFinding {
            row: finding.row.into(),
            expected: finding.expected.into(),
            found: finding.found.into(),
        }));
        for fact in page.facts {
            let told = told(&fact, &mut states);
            rows.add(&fact.set, &fact.key, told);
        }
        if page.next_cursor.is_empty() {
            return Ok(Some(rows));
        }
        if page.next_cursor == cursor {
            let message = "a list of the shop does not end: its cursor stands still";
            return Err(Unread::Failed(Failure::unfinished(message)));
        }
        cursor = page.next_cursor;
    }
}

fn told(fact: &wire::Fact, states: &mut Interner) -> Told {
    Told {
        version: fact.version,
        digest: fact.digest.as_slice().try_into().ok(),
        state: Arc::clone(&states.get(&fact.state)),
        about: fact.about.as_str().into(),
        at: fact.at.as_ref().map_or_else(Timestamp::default, |at| {
            Timestamp::from_micros(
                at.seconds.saturating_mul(1_000_000).saturating_add(i64::from(at.nanos) / 1000),
            )
        }),
    }
}

/// A page; `None` for a role without rows at this address.
async fn page(shop: &Shop, role: &str, cursor: String) -> Result<Option<wire::CheckRowsResponse>, Unread> {
    let client = shop.client(AuditServiceClient::new).max_decoding_message_size(ANSWER_BYTES_MAX);
    let request = wire::CheckRowsRequest { source: role.to_owned(), limit: PAGE, cursor };
    let send = || {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.check_rows(request).await }
    };
    match shop.call(send).await {
        Ok(page) => Ok(Some(page)),
        Err(CallError::Refused(error)) if matches!(error.reason(), "UNKNOWN_SOURCE" | "UNIMPLEMENTED") => {
            Ok(None)
        }
        Err(error) => Err(unread(CHECK, "check_rows", error)),
    }
}
