//! The key set: reading, watching, rotating.

use std::pin::Pin;

use chassis::Reply;
use contract::souk::identity::v1 as wire;
use contract::wire::timestamp;
use futures_util::{Stream, stream};
use kernel::Result;
use mesh::{KEY_AUDIENCE, KEY_ISSUER};
use prost::Message;
use tonic::Status;

use super::{Api, Asked, convert, reply};
use crate::keyring::{Keyring, State};

/// What a watcher gets.
pub(super) type KeySets = Pin<Box<dyn Stream<Item = Result<wire::WatchKeySetResponse, Status>> + Send>>;

impl Api {
    pub(super) fn get_key_set(&self, asked: &Asked<wire::GetKeySetRequest>) -> wire::GetKeySetResponse {
        let mut set = key_set(&self.keyring.watch().borrow().clone());
        if asked.caller.role.is_none() {
            // Who signed out is nobody's business outside.
            set.revocations.clear();
        }
        wire::GetKeySetResponse { key_set: Some(set) }
    }

    /// The state now, and each state that differs. A watcher that reads slowly skips to the newest; the keyring speaks up
    /// from time to time even when nothing changes.
    pub(super) fn watch_key_set(&self) -> KeySets {
        let receiver = self.keyring.watch();
        Box::pin(stream::unfold((receiver, true), |(mut receiver, first)| async move {
            if !first {
                receiver.changed().await.ok()?;
            }
            let state = receiver.borrow_and_update().clone();
            let response = wire::WatchKeySetResponse { key_set: Some(key_set(&state)) };
            Some((Ok(response), (receiver, false)))
        }))
    }

    pub(super) async fn rotate_keys(
        &self,
        asked: Asked<wire::RotateKeysRequest>,
    ) -> Result<Reply<wire::RotateKeysResponse>> {
        let rotation: wire::KeyRotation = contract::wire::parse_enum("/rotation", asked.message.rotation)?;
        let fingerprint = self.derive.fingerprint(&asked.message);
        let key = self.key(
            asked.caller.key_owner(),
            "identity.RotateKeys",
            &asked.message.request_id,
            fingerprint,
        )?;
        if let Some(reply) = self.again(&key).await? {
            return Ok(reply);
        }
        let made = self.retry(|| async {
            self.keyring.reload().await.map_err(crate::store::Refused::Failed)?;
            let immediate = rotation == wire::KeyRotation::Immediate;
            let (batch, new) = self.keyring.rotation(immediate).map_err(crate::store::Refused::Failed)?;
            let message = wire::RotateKeysResponse { key: Some(convert::key(&new)) };
            let written = self.store.commit(batch.remember(key.clone(), message.encode_to_vec())).await?;
            tracing::info!(key = new.id, immediate, "the signing keys were rotated");
            Ok((written, message))
        });
        let (written, message) = made.await?;
        self.keyring.changed().await;
        reply(written, message)
    }
}

fn key_set(state: &State) -> wire::KeySet {
    wire::KeySet {
        issuer: KEY_ISSUER.to_owned(),
        audience: KEY_AUDIENCE.to_owned(),
        keys: Keyring::published(state).into_iter().map(convert::key).collect(),
        revocations: state.revocations.iter().map(convert::revocation).collect(),
        as_of: Some(timestamp(state.as_of)),
    }
}
