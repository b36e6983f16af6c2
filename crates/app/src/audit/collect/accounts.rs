//! What identity finds wrong with its own rows.

use contract::souk::identity::v1::AuditRecordsRequest;
use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;

use super::{ANSWER_BYTES_MAX, Unread, ask, finding};
use crate::audit::books::Finding;
use crate::client::Shop;

const CHECK: &str = "accounts.readable";

/// The rows that were looked at, and what is wrong with some.
pub(super) async fn read(shop: &Shop) -> Result<(u64, Vec<Finding>), Unread> {
    let client = shop.client(IdentityServiceClient::new).max_decoding_message_size(ANSWER_BYTES_MAX);
    let answer = ask!(shop, CHECK, client, audit_records, AuditRecordsRequest {})?;
    Ok((answer.examined.unsigned_abs(), answer.findings.into_iter().map(finding).collect()))
}
