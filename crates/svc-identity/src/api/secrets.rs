//! Secrets of programs, and of the operator.

use std::time::Duration;

use chassis::Reply;
use contract::souk::identity::v1 as wire;
use contract::wire::timestamp;
use kernel::{Code, CustomerId, Error, Result, Timestamp, Violations};
use mesh::Caller;
use prost::Message;
use serde::{Deserialize, Serialize};
use store::{Batch, RequestKey};

use super::{Api, Asked, convert, no_account, reply};
use crate::derive::secret_hash;
use crate::domain::{Account, AdminChange, SECRETS_MAX, SecretId, Subject};
use crate::keyring::Grant;
use crate::store::{Refused, SecretRow, Written, accounts, secrets, sessions};

/// Longest label in characters.
const LABEL_CHARS_MAX: usize = 100;
/// Shortest life of a secret that ends by itself.
const LIFETIME_MIN: Duration = Duration::from_secs(60);
/// Longest.
const LIFETIME_MAX: Duration = Duration::from_secs(10 * 365 * 86_400);
/// What the operator's secret is for.
const OPERATOR_LABEL: &str = "operator.token";

/// What is remembered of an answer with a secret: the seed that it is derived from, worth nothing without the secret of the
/// house, and gone with the idempotency key.
#[derive(Serialize, Deserialize)]
struct Made {
    secret: SecretId,
    seed: [u8; 32],
}

/// A secret that is new, with its text.
struct Fresh {
    row: SecretRow,
    text: String,
    made: Made,
}

fn no_secret() -> Error {
    Error::not_found("SECRET_NOT_FOUND", "no such secret")
}

impl Api {
    pub(super) async fn exchange_secret(
        &self,
        asked: Asked<wire::ExchangeSecretRequest>,
    ) -> Result<wire::ExchangeSecretResponse> {
        let refused =
            || Error::new(Code::Unauthenticated, "SECRET_REFUSED", "the secret is not good, or was revoked");
        if asked.message.secret.is_empty() {
            return Err(Error::field("/secret", "INVALID_ARGUMENT", "is required"));
        }
        let now = self.ctx.now();
        let hash = secret_hash(&asked.message.secret).ok_or_else(refused)?;
        let secret = self
            .store
            .secret_by_hash(&hash)
            .await?
            .filter(|secret| secret.is_live(now))
            .ok_or_else(refused)?;
        let account = self.store.account(secret.account).await?.ok_or_else(refused)?.account;
        let ends = secret.expires_at.unwrap_or(Timestamp::from_micros(i64::MAX));
        let (subject, permissions) = (Subject::Account(account.id), &account.permissions);
        let (issued, expires) = self.keyring.times(subject, now, account.tokens_from, ends).await?;
        let grant = Grant { subject, session: secret.session, permissions, key: None, issued, expires };
        Ok(wire::ExchangeSecretResponse {
            access_token: self.keyring.sign(&grant).await?.text,
            access_token_expires_at: Some(timestamp(expires)),
            account_id: account.id.to_string(),
        })
    }

    pub(super) async fn create_secret(
        &self,
        asked: Asked<wire::CreateSecretRequest>,
    ) -> Result<Reply<wire::CreateSecretResponse>> {
        let target: CustomerId = contract::wire::parse_id("/account_id", &asked.message.account_id)?;
        let mut violations = Violations::new();
        let label = violations.text("/label", &asked.message.label, LABEL_CHARS_MAX);
        violations.finish()?;
        let lifetime = contract::wire::optional(&asked.message.lifetime, |value| {
            contract::wire::parse_duration("/lifetime", value)
        })?;
        if lifetime.is_some_and(|lifetime| !(LIFETIME_MIN..=LIFETIME_MAX).contains(&lifetime)) {
            return Err(Error::field(
                "/lifetime",
                "INVALID_ARGUMENT",
                "must be between a minute and ten years",
            ));
        }
        let fingerprint = self.derive.fingerprint(&asked.message);
        let key = self.key(
            asked.caller.key_owner(),
            "identity.CreateSecret",
            &asked.message.request_id,
            fingerprint,
        )?;
        if let Some(answer) = self.store.answer(&key).await? {
            return self.secret_again(&key, &answer).await;
        }
        self.retry(|| self.write_secret(&asked, target, label.clone(), lifetime, key.clone())).await
    }

    async fn write_secret(
        &self,
        asked: &Asked<wire::CreateSecretRequest>,
        target: CustomerId,
        label: String,
        lifetime: Option<Duration>,
        key: RequestKey,
    ) -> Result<Reply<wire::CreateSecretResponse>, Refused> {
        let now = self.ctx.now();
        let account = self.managed(asked, target).await.map_err(Refused::Failed)?;
        if self.store.live_secrets(target, now).await.map_err(Refused::Failed)?.len() >= SECRETS_MAX {
            let message = "the account has as many secrets as it may have; revoke one first";
            return Err(Refused::Failed(Error::precondition("TOO_MANY_SECRETS", message)));
        }
        let fresh = self.new_secret("svc_", &account, label, lifetime, now).map_err(Refused::Failed)?;
        let message = wire::CreateSecretResponse {
            secret: fresh.text.clone(),
            info: Some(convert::secret(&fresh.row)),
        };
        let account = account.changed(now);
        let batch = self.with_secret(accounts::save(Batch::new(), &account), &account, &fresh);
        let remembered = self.seal_answer(&key, &fresh.made).map_err(Refused::Failed)?;
        let batch = batch.remember(key.clone(), remembered);
        match self.store.commit(batch).await? {
            Written::Fresh => Ok(Reply::fresh(message)),
            Written::Replayed(answer) => self.secret_again(&key, &answer).await.map_err(Refused::Failed),
        }
    }

    /// An account that the caller may act on.
    async fn managed<T>(&self, asked: &Asked<T>, target: CustomerId) -> Result<Account> {
        let account = self.store.account(target).await?.ok_or_else(no_account)?.account;
        account.permissions.managed_by(|permission| asked.may(permission))?;
        Ok(account)
    }

    async fn secret_again(
        &self,
        key: &RequestKey,
        answer: &[u8],
    ) -> Result<Reply<wire::CreateSecretResponse>> {
        let Some(made) = self.open_answer::<Made>(key, answer)? else {
            let message =
                "the secret of this request cannot be told again; make another under a new request_id";
            return Err(Error::not_found("SECRET_NOT_FOUND", message));
        };
        let row = self.store.secret(made.secret).await?.ok_or_else(no_secret)?;
        let secret = self.derive.secret("svc_", &made.seed);
        Ok(Reply::replayed(wire::CreateSecretResponse { secret, info: Some(convert::secret(&row)) }))
    }

    fn new_secret(
        &self,
        prefix: &str,
        account: &Account,
        label: String,
        lifetime: Option<Duration>,
        now: Timestamp,
    ) -> Result<Fresh> {
        let seed = self.ctx.random();
        let text = self.derive.secret(prefix, &seed);
        let hash = secret_hash(&text).ok_or_else(|| Error::internal("a secret of our own has no hash"))?;
        let row = SecretRow {
            id: self.ctx.id(),
            account: account.id,
            label,
            hash,
            session: self.ctx.id(),
            created_at: now,
            expires_at: lifetime.map(|lifetime| now.plus(lifetime)),
            revoked_at: None,
        };
        let made = Made { secret: row.id, seed };
        Ok(Fresh { row, text, made })
    }

    pub(super) async fn list_secrets(
        &self,
        asked: Asked<wire::ListSecretsRequest>,
    ) -> Result<wire::ListSecretsResponse> {
        let target: CustomerId = contract::wire::parse_id("/account_id", &asked.message.account_id)?;
        if self.store.account(target).await?.is_none() {
            return Err(no_account());
        }
        let secrets = self.store.secrets(target).await?.iter().map(convert::secret).collect();
        Ok(wire::ListSecretsResponse { secrets })
    }

    pub(super) async fn revoke_secret(
        &self,
        asked: Asked<wire::RevokeSecretRequest>,
    ) -> Result<Reply<wire::RevokeSecretResponse>> {
        let id: SecretId = contract::wire::parse_id("/secret_id", &asked.message.secret_id)?;
        let fingerprint = self.derive.fingerprint(&asked.message);
        let key = self.key(
            asked.caller.key_owner(),
            "identity.RevokeSecret",
            &asked.message.request_id,
            fingerprint,
        )?;
        if let Some(reply) = self.again(&key).await? {
            return Ok(reply);
        }
        let secret = self.store.secret(id).await?.ok_or_else(no_secret)?;
        self.managed(&asked, secret.account).await?;
        let now = self.ctx.now();
        let revoked = SecretRow { revoked_at: secret.revoked_at.or(Some(now)), ..secret };
        let message = wire::RevokeSecretResponse { info: Some(convert::secret(&revoked)) };
        let tokens_from = self.tokens_from(Subject::Account(revoked.account)).await?;
        let batch = self.revoked(Batch::new(), &revoked, tokens_from, now);
        let batch = batch.remember(key, message.encode_to_vec());
        let written = self.store.commit(batch).await?;
        self.keyring.changed().await;
        reply(written, message)
    }

    fn revoked(&self, batch: Batch, secret: &SecretRow, tokens_from: Timestamp, now: Timestamp) -> Batch {
        let batch = secrets::revoke(batch, self.store.seals(), secret, now);
        let revoke = self.revoke(Subject::Account(secret.account), tokens_from, now);
        sessions::revoke(batch, &secret.session.to_string(), revoke)
    }

    pub(super) async fn ensure_operator(
        &self,
        asked: Asked<wire::EnsureOperatorRequest>,
    ) -> Result<Reply<wire::EnsureOperatorResponse>> {
        let fingerprint = self.derive.fingerprint(&asked.message);
        let Caller { role, .. } = &asked.caller;
        let owner = format!("role:{}", role.as_deref().unwrap_or_default());
        let key = self.key(owner, "identity.EnsureOperator", &asked.message.request_id, fingerprint)?;
        if let Some(answer) = self.store.answer(&key).await? {
            return self.operator_again(&key, &answer).await;
        }
        self.retry(|| self.write_operator(asked.message.reissue, key.clone())).await
    }

    async fn write_operator(
        &self,
        reissue: bool,
        key: RequestKey,
    ) -> Result<Reply<wire::EnsureOperatorResponse>, Refused> {
        let now = self.ctx.now();
        let (account, known) = self.operator_account(now).await.map_err(Refused::Failed)?;
        if known && !reissue {
            let account = Some(convert::account(&account));
            return Ok(Reply::fresh(wire::EnsureOperatorResponse { account, secret: String::new() }));
        }
        let label = OPERATOR_LABEL.to_owned();
        let fresh = self.new_secret("ops_", &account, label, None, now).map_err(Refused::Failed)?;
        let (mut batch, account) = if known {
            let account = account.changed(now);
            (accounts::save(Batch::new(), &account), account)
        } else {
            let event = wire::AccountCreated { account_id: account.id.to_string(), version: account.version };
            let created = chassis::event(account.id, account.version, &event);
            let batch = accounts::insert(Batch::new(), &account, None).event(created);
            // The secret comes with a version of its own, as every event does.
            let next = account.changed(now);
            (accounts::save(accounts::count_admins(batch, AdminChange::Gained), &next), next)
        };
        for old in self.store.live_secrets(account.id, now).await.map_err(Refused::Failed)? {
            if old.label == OPERATOR_LABEL {
                batch = self.revoked(batch, &old, account.tokens_from, now);
            }
        }
        let message = wire::EnsureOperatorResponse {
            account: Some(convert::account(&account)),
            secret: fresh.text.clone(),
        };
        let batch = self.with_secret(batch, &account, &fresh);
        let remembered = self.seal_answer(&key, &fresh.made).map_err(Refused::Failed)?;
        let batch = batch.remember(key.clone(), remembered);
        match self.store.commit(batch).await {
            Ok(Written::Fresh) => {
                self.keyring.changed().await;
                Ok(Reply::fresh(message))
            }
            Ok(Written::Replayed(answer)) => {
                self.operator_again(&key, &answer).await.map_err(Refused::Failed)
            }
            // Another instance made the operator at the same time.
            Err(Refused::EmailTaken) => Err(Refused::Stale),
            Err(refused) => Err(refused),
        }
    }

    async fn operator_again(
        &self,
        key: &RequestKey,
        answer: &[u8],
    ) -> Result<Reply<wire::EnsureOperatorResponse>> {
        let Some(made) = self.open_answer::<Made>(key, answer)? else {
            let account = self.store.operator().await?.ok_or_else(no_account)?;
            let account = Some(convert::account(&account));
            return Ok(Reply::replayed(wire::EnsureOperatorResponse { account, secret: String::new() }));
        };
        let row = self.store.secret(made.secret).await?.ok_or_else(no_secret)?;
        let account = self.store.account(row.account).await?.ok_or_else(no_account)?.account;
        let secret = self.derive.secret("ops_", &made.seed);
        Ok(Reply::replayed(wire::EnsureOperatorResponse {
            account: Some(convert::account(&account)),
            secret,
        }))
    }

    fn with_secret(&self, batch: Batch, account: &Account, fresh: &Fresh) -> Batch {
        let event = wire::AccountSecretCreated {
            account_id: account.id.to_string(),
            version: account.version,
            secret_id: fresh.row.id.to_string(),
        };
        let batch = secrets::insert(batch, self.store.seals(), &fresh.row);
        batch.event(chassis::event(account.id, account.version, &event))
    }
}
