//! How much a client may ask for: cost units by address and by session, taken from buckets that fill evenly (GCRA).

use std::fmt::Write;
use std::net::IpAddr;
use std::time::Duration;

use chassis::{Kv, Quota, Taken};
use http::{HeaderName, HeaderValue};
use kernel::{Code, Error, Result};

use crate::client;
use crate::settings::Settings;

const WINDOW: Duration = Duration::from_secs(60);
/// The fields of draft-ietf-httpapi-ratelimit-headers.
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
const LIMIT: HeaderName = HeaderName::from_static("ratelimit");

/// Fields of an answer, in order; names may stand twice.
pub(crate) type Fields = Vec<(HeaderName, HeaderValue)>;

/// Whose units are counted, and at what rate.
struct Bucket {
    name: &'static str,
    quota: Quota,
    policy: HeaderValue,
}

impl Bucket {
    fn new(name: &'static str, units_per_minute: u32) -> Self {
        let quota = Quota { tokens: units_per_minute, period: WINDOW, burst: units_per_minute };
        let policy = format!("\"{name}\";q={units_per_minute};w={}", WINDOW.as_secs());
        let policy = HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static(""));
        Self { name, quota, policy }
    }
}

/// The quotas of a gateway.
pub(crate) struct Quotas {
    kv: Kv,
    address: Bucket,
    session: Bucket,
    sign_in: Bucket,
}

/// Who asks for how much.
pub(crate) struct Asking<'a> {
    /// Units that the route costs.
    pub(crate) cost: u32,
    /// The route tries credentials.
    pub(crate) sign_in: bool,
    pub(crate) address: IpAddr,
    /// The session's id, when there is one.
    pub(crate) session: Option<&'a str>,
    /// Counted, but let through.
    pub(crate) lifted: bool,
}

impl Quotas {
    pub(crate) fn new(kv: Kv, settings: &Settings) -> Self {
        Self {
            kv,
            address: Bucket::new("address", settings.units_per_minute_address),
            session: Bucket::new("session", settings.units_per_minute_session),
            sign_in: Bucket::new("sign-in", settings.sign_ins_per_minute_address),
        }
    }

    /// Takes the units of a request, and notes what is left in the fields of its answer.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED` with the time to wait.
    pub(crate) async fn take(&self, asking: &Asking<'_>, fields: &mut Fields) -> Result<()> {
        if asking.cost == 0 && !asking.sign_in {
            // A probe of who balances load is answered whatever else comes from its address.
            return Ok(());
        }
        let address = client::network(asking.address);
        self.from(&self.address, &address, asking.cost, asking.lifted, fields).await?;
        if asking.sign_in {
            self.from(&self.sign_in, &address, 1, asking.lifted, fields).await?;
        }
        if let Some(session) = asking.session {
            self.from(&self.session, &session, asking.cost, asking.lifted, fields).await?;
        }
        Ok(())
    }

    async fn from(
        &self,
        bucket: &Bucket,
        whose: &(dyn std::fmt::Display + Sync),
        cost: u32,
        lifted: bool,
        fields: &mut Fields,
    ) -> Result<()> {
        let mut key = String::with_capacity(48);
        // Writing to a String cannot fail.
        let _ = write!(key, "{}|{whose}", bucket.name);
        let taken = match self.kv.take_tokens(&key, bucket.quota, cost).await {
            Ok(taken) => taken,
            // A gateway that cannot count goes on serving.
            Err(error) => {
                tracing::warn!(error = ?error, "a quota could not be counted");
                return Ok(());
            }
        };
        let (remaining, wait) = match taken {
            Taken::Allowed { remaining } => (remaining, None),
            Taken::Denied { retry_after } => (0, Some(retry_after)),
        };
        let used = u64::from(bucket.quota.tokens - remaining.min(bucket.quota.tokens));
        let full = (used * WINDOW.as_secs()).div_ceil(u64::from(bucket.quota.tokens));
        // The policy that has least left stands last, and is the one that matters; each is one field line.
        fields.push((POLICY, bucket.policy.clone()));
        if let Ok(value) = HeaderValue::try_from(format!("\"{}\";r={remaining};t={full}", bucket.name)) {
            fields.push((LIMIT, value));
        }
        match wait {
            Some(wait) if !lifted => Err(exceeded(bucket.name, wait)),
            _ => Ok(()),
        }
    }
}

fn exceeded(bucket: &'static str, wait: Duration) -> Error {
    let milliseconds = u64::try_from(wait.as_millis()).unwrap_or(u64::MAX).max(1);
    Error::new(Code::ResourceExhausted, "QUOTA_EXCEEDED", "too many requests; wait before the next")
        .with("quota", bucket)
        .retry_after_ms(milliseconds)
}
