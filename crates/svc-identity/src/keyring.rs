//! The key set as it now is: who signs, what verifies, what is revoked.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chassis::Context;
use ed25519_dalek::Signer;
use kernel::{Error, Result, SessionId, Timestamp};
use mesh::{Claims, KEY_AUDIENCE, KEY_ISSUER};
use store::Batch;
use tokio::sync::watch;

use crate::derive::Derive;
use crate::domain::{
    KeyPlan, KeyTimes, Permissions, Revocation, SigningKey, Subject, TOKEN_LIFE, end_all, is_behind, overlap,
    plan, published, revoked_kind, signer, told, void_before,
};
use crate::store::{Refused, Store, keys, sessions};

/// Watchers are told the state at least this often, so that they know that they still hear everything.
const SPEAK_EVERY: Duration = Duration::from_secs(15);
/// Two instances that replace a key at once: one is refused and looks again.
const TRIES_MAX: usize = 8;

/// Everything that verifies tokens, at one time.
pub(crate) struct State {
    /// The keys that are known, the newest first.
    pub(crate) keys: Vec<SigningKey>,
    /// What is revoked, by id.
    pub(crate) revocations: Vec<Revocation>,
    /// When this was read.
    pub(crate) as_of: Timestamp,
    /// The number of the reading: of two, the one with the greater number began later.
    reading: u64,
    /// When watchers were told it, on the monotonic clock.
    told_at: Duration,
}

/// Signs tokens and tells what verifies them.
#[derive(Clone)]
pub(crate) struct Keyring {
    ctx: Context,
    store: Store,
    derive: Derive,
    times: KeyTimes,
    state: Arc<watch::Sender<Arc<State>>>,
    /// Numbers the readings of the database: wall time may go back, and says nothing about their order.
    readings: Arc<AtomicU64>,
    /// The latest time, in microseconds, that the clock showed when a token was signed or that the database tells. It never
    /// follows the `iat` of a token, which a sign-out puts ahead of the clock: then a few sign-outs would look like a clock that
    /// was set back.
    newest: Arc<AtomicI64>,
    /// Held while all keys are replaced, so that many calls at once do it once.
    settling: Arc<tokio::sync::Mutex<()>>,
}

/// What a token is to say.
pub(crate) struct Grant<'a> {
    pub(crate) subject: Subject,
    pub(crate) session: SessionId,
    pub(crate) permissions: &'a Permissions,
    /// The key that signs; the present one when it is not given or not known any more.
    pub(crate) key: Option<&'a str>,
    /// A whole second.
    pub(crate) issued: Timestamp,
    /// A whole second.
    pub(crate) expires: Timestamp,
}

/// An access token.
pub(crate) struct AccessToken {
    pub(crate) text: String,
    /// The key that signed it.
    pub(crate) key: String,
}

#[derive(serde::Serialize)]
struct Header<'a> {
    alg: &'static str,
    typ: &'static str,
    kid: &'a str,
}

impl Keyring {
    /// Reads the keys, and makes the first one on a new database.
    pub(crate) async fn open(ctx: Context, store: Store, derive: Derive, times: KeyTimes) -> Result<Self> {
        let (as_of, told_at) = (ctx.now(), ctx.clock().monotonic());
        let nothing = State { keys: Vec::new(), revocations: Vec::new(), as_of, reading: 0, told_at };
        let newest = store.newest().await?;
        let keyring = Self {
            ctx,
            store,
            derive,
            times,
            state: Arc::new(watch::channel(Arc::new(nothing)).0),
            readings: Arc::default(),
            newest: Arc::new(AtomicI64::new(newest.micros())),
            settling: Arc::default(),
        };
        keyring.reload().await?;
        keyring.settle().await?;
        keyring.tend().await?;
        Ok(keyring)
    }

    /// The state now and from now on.
    pub(crate) fn watch(&self) -> watch::Receiver<Arc<State>> {
        self.state.subscribe()
    }

    /// The keys that may have signed a living token.
    pub(crate) fn published(state: &State) -> Vec<&SigningKey> {
        published(&state.keys, state.as_of)
    }

    /// Reads what is in the database, and tells the watchers when it is news or they have not heard for a while.
    pub(crate) async fn reload(&self) -> Result<()> {
        let reading = self.readings.fetch_add(1, Ordering::Relaxed) + 1;
        let (as_of, told_at) = (self.ctx.now(), self.ctx.clock().monotonic());
        let mut keys = self.store.signing_keys().await?;
        self.judge(&mut keys);
        keys.sort_by(|a, b| b.signs_from.cmp(&a.signs_from).then_with(|| a.id.cmp(&b.id)));
        let revocations = told(self.store.revocations(as_of).await?);
        let fresh = State { keys, revocations, as_of, reading, told_at };
        self.state.send_if_modified(|state| {
            // Two reloads at once may end in either order; the one that began earlier tells nothing new.
            let later = fresh.reading > state.reading;
            let news = state.keys != fresh.keys || state.revocations != fresh.revocations;
            let silent = fresh.told_at.saturating_sub(state.told_at) >= SPEAK_EVERY;
            let tell = later && (news || silent);
            if tell {
                *state = Arc::new(fresh);
            }
            tell
        });
        Ok(())
    }

    /// Tells the watchers what was just committed. A failure is only logged: the change is durable, and the next look at
    /// the database finds it.
    pub(crate) async fn changed(&self) {
        if let Err(error) = self.reload().await {
            tracing::warn!(error = ?error, "the key set could not be read again");
        }
    }

    /// When the clock went back behind what was issued: ends all keys, so that no token comes back when its time comes, makes
    /// one that signs at once, and brings times that are ahead back to now.
    async fn settle(&self) -> Result<()> {
        if !self.is_behind() {
            return Ok(());
        }
        let _one = self.settling.lock().await;
        for _ in 0..TRIES_MAX {
            if !self.is_behind() {
                return Ok(());
            }
            self.reload().await?;
            let (state, now) = (self.state.borrow().clone(), self.ctx.now());
            let (ended, plan) = end_all(&state.keys, now);
            let key = self.make(&plan).ok_or_else(|| Error::internal("a rotation makes a key"))?;
            let batch = ended.iter().fold(sessions::settle(Batch::new(), self.store.seals(), now), keys::end);
            match self.store.commit(keys::insert(batch, &key)).await {
                Ok(_) => {
                    self.newest.store(now.micros(), Ordering::Relaxed);
                    tracing::warn!(
                        key = key.id,
                        "the clock is behind what was issued before; all signing keys were replaced, and sessions are to be refreshed"
                    );
                }
                Err(Refused::Stale) => {}
                Err(refused) => return Err(refused.into()),
            }
            self.reload().await?;
        }
        Err(Error::internal("the signing keys keep changing"))
    }

    fn is_behind(&self) -> bool {
        let newest = Timestamp::from_micros(self.newest.load(Ordering::Relaxed));
        is_behind(&self.state.borrow().keys, &self.times, newest, self.ctx.now())
    }

    /// Before which time a subject's tokens are void that are revoked now: after all that was issued to it, also by a clock that
    /// was ahead. `tokens_from` is that of its account, and zero for a guest.
    pub(crate) fn void_before(&self, subject: Subject, tokens_from: Timestamp, now: Timestamp) -> Timestamp {
        let clock = now.max(Timestamp::from_micros(self.newest.load(Ordering::Relaxed)));
        let issued = self.not_before(subject, tokens_from);
        void_before(clock).max(issued.plus(Duration::from_secs(1)))
    }

    /// When a subject's next token is issued at the earliest: not before what was revoked.
    fn not_before(&self, subject: Subject, tokens_from: Timestamp) -> Timestamp {
        let kind = revoked_kind(subject);
        let state = self.state.borrow();
        let whole = state.revocations.iter().find(|revocation| revocation.id == kind).map(|all| all.before);
        tokens_from.max(whole.unwrap_or_default())
    }

    /// Does what is due: makes the first key or the next one.
    pub(crate) async fn tend(&self) -> Result<()> {
        self.settle().await?;
        for _ in 0..TRIES_MAX {
            let plan = plan(&self.state.borrow().keys, &self.times, self.ctx.now());
            let Some(key) = self.make(&plan) else { return Ok(()) };
            match self.store.commit(keys::insert(Batch::new(), &key)).await {
                Ok(_) => tracing::info!(key = key.id, signs_from = %key.signs_from, "a signing key was made"),
                Err(Refused::Stale) => {}
                Err(refused) => return Err(refused.into()),
            }
            self.reload().await?;
        }
        Err(Error::internal("the signing keys keep changing"))
    }

    /// Finds the keys whose public half does not follow from their seed: somebody else put them there, or the secret of the house
    /// was lost. They are told once.
    fn judge(&self, keys: &mut [SigningKey]) {
        let state = self.state.borrow();
        for key in keys {
            key.fits = key.fits && self.public(&key.seed) == key.public;
            let was_known = || state.keys.iter().any(|known| known.id == key.id && !known.fits);
            if !key.fits && !was_known() {
                tracing::error!(
                    key = key.id,
                    "a signing key does not fit the secret of the house; it is not published and signs nothing, and an immediate \
                     rotation of the keys removes it"
                );
            }
        }
    }

    /// The statements of a rotation and the key that it makes.
    ///
    /// # Errors
    /// `ROTATION_PENDING`.
    pub(crate) fn rotation(&self, immediate: bool) -> Result<(Batch, SigningKey)> {
        let (state, now) = (self.state.borrow().clone(), self.ctx.now());
        let (ended, plan) = if immediate {
            end_all(&state.keys, now)
        } else {
            let (ended, plan) = overlap(&state.keys, &self.times, now)?;
            (ended.into_iter().collect(), plan)
        };
        let key = self.make(&plan).ok_or_else(|| Error::internal("a rotation makes a key"))?;
        let batch = ended.iter().fold(Batch::new(), keys::end);
        Ok((keys::insert(batch, &key), key))
    }

    fn public(&self, seed: &[u8; 32]) -> [u8; 32] {
        self.derive.signing_key(seed).verifying_key().to_bytes()
    }

    fn make(&self, plan: &KeyPlan) -> Option<SigningKey> {
        let KeyPlan::Make { predecessor, signs_from } = plan else { return None };
        let seed = self.ctx.random();
        let signs_until = signs_from.plus(self.times.life);
        Some(SigningKey {
            id: hex::encode(self.ctx.random::<8>()),
            public: self.public(&seed),
            seed,
            predecessor: predecessor.clone(),
            signs_from: *signs_from,
            signs_until,
            verifies_until: KeyTimes::verifies_until(signs_until),
            fits: true,
        })
    }

    /// When a token that is given now is issued and ends: after all that was revoked, and with its session.
    ///
    /// # Errors
    /// When the clock went back and the keys cannot be replaced.
    pub(crate) async fn times(
        &self,
        subject: Subject,
        now: Timestamp,
        tokens_from: Timestamp,
        session_ends: Timestamp,
    ) -> Result<(Timestamp, Timestamp)> {
        let was_behind = self.is_behind();
        self.settle().await?;
        // What was revoked before the keys were replaced is over with them.
        let tokens_from = if was_behind { Timestamp::default() } else { tokens_from };
        let issued = Timestamp::from_secs(now.secs()).max(self.not_before(subject, tokens_from));
        let expires = issued.plus(TOKEN_LIFE).min(Timestamp::from_secs(session_ends.secs()));
        Ok((issued, expires))
    }

    /// Whether a token may be given again as it was: its key still signs, and it was not issued by a clock that was ahead.
    pub(crate) fn may_repeat(&self, key: &str, issued: Timestamp, now: Timestamp) -> bool {
        let known = self.state.borrow().keys.iter().any(|known| known.id == key && known.verifies(now));
        known && issued <= void_before(now)
    }

    /// Signs a token. EdDSA is deterministic, so the same grant under the same key is the same token.
    ///
    /// # Errors
    /// When no key signs and none can be made.
    pub(crate) async fn sign(&self, grant: &Grant<'_>) -> Result<AccessToken> {
        let now = self.ctx.now();
        let mut key = self.signer(grant.key, now);
        if key.is_none() {
            self.tend().await?;
            key = self.signer(None, now);
        }
        let key = key.ok_or_else(|| Error::internal("no key signs"))?;
        self.newest.fetch_max(now.micros(), Ordering::Relaxed);
        let claims = Claims {
            iss: KEY_ISSUER.to_owned(),
            aud: KEY_AUDIENCE.to_owned(),
            sub: grant.subject.to_string(),
            sid: grant.session.to_string(),
            perms: grant.permissions.names().map(str::to_owned).collect(),
            iat: grant.issued.secs(),
            nbf: grant.issued.secs(),
            exp: grant.expires.secs(),
        };
        let header = Header { alg: "EdDSA", typ: "JWT", kid: &key.id };
        let json = |part: serde_json::Result<Vec<u8>>| {
            part.map(|part| BASE64_URL_SAFE_NO_PAD.encode(part)).map_err(Error::internal)
        };
        let mut text =
            format!("{}.{}", json(serde_json::to_vec(&header))?, json(serde_json::to_vec(&claims))?);
        let signature = self.derive.signing_key(&key.seed).sign(text.as_bytes());
        text.push('.');
        text.push_str(&BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes()));
        Ok(AccessToken { text, key: key.id })
    }

    fn signer(&self, wanted: Option<&str>, now: Timestamp) -> Option<SigningKey> {
        let state = self.state.borrow();
        let known = state.keys.iter().find(|key| Some(key.id.as_str()) == wanted && key.verifies(now));
        known.or_else(|| signer(&state.keys, now)).cloned()
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn verifiers_know_what_revokes_a_whole_kind() {
        use crate::domain::{ALL_ACCOUNTS, ALL_GUESTS};
        assert_eq!((ALL_GUESTS, ALL_ACCOUNTS), (mesh::REVOKED_GUESTS, mesh::REVOKED_ACCOUNTS));
    }
}
