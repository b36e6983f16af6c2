//! How often a password may be tried: per address and per account, by GCRA.

use std::net::IpAddr;
use std::time::Duration;

use kernel::{Code, Error, Result};
use mesh::{Principal, network};
use store::{Kv, Quota, Taken};

use crate::Settings;
use crate::derive::Derive;

/// An account takes as many attempts from everywhere as so many addresses may make.
const ADDRESSES: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);
/// Who may change accounts is not held up by address, so that a load test or an import can make many.
const LIFTED_FOR: &str = "accounts.write";

/// Whose the idempotency keys of somebody are whom nobody knows: who is elsewhere and chose the same key is somebody else.
pub(crate) fn stranger(address: Option<IpAddr>) -> String {
    address.map_or_else(|| "anonymous".to_owned(), |address| format!("anonymous@{}", network(address)))
}

/// Quotas of attempts. Kept where it may be lost: after a loss there are a few attempts more.
#[derive(Clone)]
pub(crate) struct Throttle {
    kv: Kv,
    derive: Derive,
    account: Quota,
    account_anywhere: Quota,
    address: Quota,
    guests: Quota,
    session_ends: Quota,
}

impl Throttle {
    pub(crate) fn new(kv: Kv, derive: Derive, settings: &Settings) -> Self {
        let quota = |tokens| Quota { tokens, period: MINUTE, burst: tokens };
        Self {
            kv,
            derive,
            account: quota(settings.password_tries_per_minute_account),
            account_anywhere: quota(settings.password_tries_per_minute_account.saturating_mul(ADDRESSES)),
            address: quota(settings.password_tries_per_minute_address),
            guests: quota(settings.guest_sessions_per_minute_address),
            session_ends: quota(settings.session_ends_per_minute_address),
        }
    }

    /// Takes an attempt on an account, known or not, by its name: from one address few, so that a stranger who guesses keeps
    /// nobody else out; from all addresses together more.
    ///
    /// # Errors
    /// `TOO_MANY_ATTEMPTS` with the time to wait.
    pub(crate) async fn by_account(&self, name: &str, address: Option<IpAddr>) -> Result<()> {
        // The cache need not know who tries to sign in.
        let account = format!("password|account|{}", self.derive.pseudonym(name));
        let from = address.map(|address| network(address).to_string()).unwrap_or_default();
        self.take(&format!("{account}|{from}"), self.account).await?;
        self.take(&account, self.account_anywhere).await
    }

    /// Takes an attempt from an address.
    ///
    /// # Errors
    /// `TOO_MANY_ATTEMPTS` with the time to wait.
    pub(crate) async fn by_address(&self, principal: &Principal, address: Option<IpAddr>) -> Result<()> {
        self.take_from("password|address", self.address, principal, address).await
    }

    /// Takes a guest session from an address.
    ///
    /// # Errors
    /// `TOO_MANY_ATTEMPTS` with the time to wait.
    pub(crate) async fn guest(&self, principal: &Principal, address: Option<IpAddr>) -> Result<()> {
        self.take_from("guest|address", self.guests, principal, address).await
    }

    /// Takes the end of a session from an address.
    ///
    /// # Errors
    /// `TOO_MANY_ATTEMPTS` with the time to wait.
    pub(crate) async fn session_end(&self, principal: &Principal, address: Option<IpAddr>) -> Result<()> {
        self.take_from("session-end|address", self.session_ends, principal, address).await
    }

    async fn take_from(
        &self,
        what: &str,
        quota: Quota,
        principal: &Principal,
        address: Option<IpAddr>,
    ) -> Result<()> {
        // Calls within the process that tell no address come from the house itself.
        let Some(address) = address else { return Ok(()) };
        let taken = self.take(&format!("{what}|{}", network(address)), quota).await;
        if principal.may(LIFTED_FOR) { Ok(()) } else { taken }
    }

    async fn take(&self, key: &str, quota: Quota) -> Result<()> {
        match self.kv.take_token(key, quota).await? {
            Taken::Allowed { .. } => Ok(()),
            Taken::Denied { retry_after } => {
                let wait = u64::try_from(retry_after.as_millis()).unwrap_or(u64::MAX).max(1);
                let error = Error::new(
                    Code::ResourceExhausted,
                    "TOO_MANY_ATTEMPTS",
                    "too many attempts; wait before the next",
                );
                Err(error.retry_after_ms(wait))
            }
        }
    }
}
