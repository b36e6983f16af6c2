//! Tokens of a session, and the same tokens again for a request that comes again.
//!
//! Nothing that is remembered is secret: the answer of a request that gave tokens is remembered as the session, its
//! generation and what the access token said. The tokens are derived from that again.

use contract::souk::identity::v1::SessionTokens;
use contract::wire::timestamp;
use kernel::{Error, Result, SessionId, Timestamp};
use serde::{Deserialize, Serialize};
use store::RequestKey;

use super::{Api, convert};
use crate::domain::{Account, Permissions, Session, ended};
use crate::keyring::Grant;

/// What is remembered of an answer with tokens.
#[derive(Serialize, Deserialize)]
pub(super) struct Given {
    pub(super) session: SessionId,
    pub(super) generation: i64,
    key: String,
    permissions: String,
    issued: Timestamp,
    expires: Timestamp,
}

/// A session that is given again.
pub(super) struct Again {
    pub(super) session: Session,
    pub(super) account: Option<Account>,
    pub(super) tokens: SessionTokens,
}

fn moved_on() -> Error {
    let message = "the session of this request was refreshed since; begin another under a new request_id";
    Error::precondition("SESSION_MOVED_ON", message)
}

impl Api {
    /// The tokens of a session's present generation. `now` must have been read before the account was: a revocation in
    /// between then covers what is issued here.
    pub(super) async fn give(
        &self,
        session: &Session,
        account: Option<&Account>,
        now: Timestamp,
    ) -> Result<(Given, SessionTokens)> {
        let tokens_from = account.map(|account| account.tokens_from).unwrap_or_default();
        let (issued, expires) =
            self.keyring.times(session.subject, now, tokens_from, session.expires_at).await?;
        let permissions = account.map(|account| account.permissions.clone()).unwrap_or_default();
        self.sign(session, &permissions, None, (issued, expires)).await
    }

    async fn sign(
        &self,
        session: &Session,
        permissions: &Permissions,
        key: Option<&str>,
        (issued, expires): (Timestamp, Timestamp),
    ) -> Result<(Given, SessionTokens)> {
        let grant =
            Grant { subject: session.subject, session: session.id, permissions, key, issued, expires };
        let access = self.keyring.sign(&grant).await?;
        let tokens = SessionTokens {
            access_token: access.text,
            access_token_expires_at: Some(timestamp(expires)),
            refresh_token: self.derive.refresh_token(session),
            refresh_token_expires_at: Some(timestamp(session.expires_at)),
            session: Some(convert::session(session, Some(session.id))),
        };
        let permissions = permissions.stored();
        let given = Given {
            session: session.id,
            generation: session.generation,
            key: access.key,
            permissions,
            issued,
            expires,
        };
        Ok((given, tokens))
    }

    /// The tokens that an answer gave: the very same while the access token is good, later another access token of the same
    /// session.
    ///
    /// # Errors
    /// `SESSION_ENDED`; `SESSION_MOVED_ON` when the session was refreshed since, so that the refresh token is spent, or the answer
    /// is not sealed.
    pub(super) async fn give_again(&self, key: &RequestKey, answer: &[u8]) -> Result<Again> {
        let Some(given) = self.open_answer::<Given>(key, answer)? else { return Err(moved_on()) };
        let now = self.ctx.now();
        let session = self.store.session(given.session).await?.ok_or_else(ended)?;
        session.live(now)?;
        if session.generation != given.generation {
            return Err(moved_on());
        }
        self.give_as(session, &given, now).await
    }

    /// The same for a live session that was read already, and is of the generation that was given. `now` must have been read
    /// before the account is.
    ///
    /// # Errors
    /// `SESSION_ENDED` when its account is gone.
    pub(super) async fn give_as(&self, session: Session, given: &Given, now: Timestamp) -> Result<Again> {
        let account = match session.subject.account() {
            Some(id) => Some(self.store.account(id).await?.ok_or_else(ended)?.account),
            None => None,
        };
        let (_, tokens) = if now < given.expires && self.keyring.may_repeat(&given.key, given.issued, now) {
            let permissions = Permissions::from_stored(&given.permissions);
            self.sign(&session, &permissions, Some(&given.key), (given.issued, given.expires)).await?
        } else {
            self.give(&session, account.as_ref(), now).await?
        };
        Ok(Again { session, account, tokens })
    }
}
