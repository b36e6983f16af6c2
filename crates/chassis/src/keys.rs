//! Streams identity's key set and revocations into this process's verifier.

use std::sync::Arc;
use std::time::Duration;

use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;
use contract::souk::identity::v1::{KeySet as WireKeySet, WatchKeySetRequest};
use kernel::{Error, Result};
use mesh::{Channel, KeySet, Revocation, VerifyKey};

use crate::house::House;

/// The name under which a process as a whole calls.
pub(crate) const HOUSE_ROLE: &str = "house";
/// A stream that says nothing for so long is opened again; identity speaks at least every 15 s.
const SILENCE_MAX: Duration = Duration::from_secs(45);
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) async fn follow(house: Arc<House>) {
    let mut client = IdentityServiceClient::new(Channel::new(&house.routes, HOUSE_ROLE, "identity"));
    loop {
        if let Err(error) = watch(&house, &mut client).await {
            tracing::debug!(error = ?error, "the key set cannot be read; trying again");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn watch(house: &House, client: &mut IdentityServiceClient<Channel>) -> Result<()> {
    let mut stream = client.watch_key_set(WatchKeySetRequest {}).await.map_err(contract::error)?.into_inner();
    loop {
        let silent = |_| Error::unavailable("UNAVAILABLE", "identity has not spoken for 45 s");
        let message = tokio::time::timeout(SILENCE_MAX, stream.message()).await.map_err(silent)?;
        let Some(response) = message.map_err(contract::error)? else { return Ok(()) };
        if let Some(set) = response.key_set {
            house.guards.verifier.update(key_set(set)?);
        }
    }
}

fn key_set(set: WireKeySet) -> Result<KeySet> {
    let mut keys = Vec::with_capacity(set.keys.len());
    for key in set.keys {
        let public_key =
            key.public_key.try_into().map_err(|_| Error::internal("a public key has not 32 bytes"))?;
        let not_after = contract::wire::parse_timestamp("/not_after", &key.not_after)?;
        keys.push(VerifyKey { id: key.key_id, public_key, not_after });
    }
    let mut revocations = Vec::with_capacity(set.revocations.len());
    for revocation in set.revocations {
        let before = contract::wire::parse_timestamp("/before", &revocation.before)?;
        revocations.push(Revocation { id: revocation.id, before });
    }
    Ok(KeySet { keys, revocations })
}
