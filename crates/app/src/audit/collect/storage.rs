//! Whether the databases are intact, as each service finds by reading all of them.

use std::collections::BTreeSet;

use contract::souk::event::v1::CheckStorageRequest;
use contract::souk::event::v1::event_service_client::EventServiceClient;

use super::Unread;
use crate::audit::books::Storage;
use crate::client::{CallError, Shop};

const CHECK: &str = "store.readable";

/// Every database of every role at this address.
pub(super) async fn read(shop: &Shop) -> Result<Vec<Storage>, Unread> {
    let roles: BTreeSet<&str> = contract::methods().iter().map(|method| method.package_role).collect();
    let client = shop.client(EventServiceClient::new);
    let mut storage = Vec::new();
    for role in roles {
        let send = || {
            let mut client = client.clone();
            async move { client.check_storage(CheckStorageRequest { source: role.to_owned() }).await }
        };
        let answer = match shop.call(send).await {
            Ok(answer) => answer,
            // A role that is not served here, or has no database.
            Err(CallError::Refused(error)) if error.reason() == "UNKNOWN_SOURCE" => continue,
            Err(error) => return Err(super::unread(CHECK, "check_storage", error)),
        };
        storage.extend(answer.databases.into_iter().map(|database| Storage {
            role: role.into(),
            name: database.name.into(),
            problems: database.problems.into_iter().map(Into::into).collect(),
        }));
    }
    Ok(storage)
}
