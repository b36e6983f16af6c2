//! Access tokens: EdDSA JWTs of identity, verified offline against its key set, once per process.

use std::collections::HashMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use kernel::{Clock, Code, CustomerId, Error, GuestId, SessionId, Timestamp};
use quick_cache::sync::Cache;
use serde::{Deserialize, Serialize};

use crate::principal::Token;
use crate::{Principal, Verified, policy};

/// `iss` of every access token.
pub const KEY_ISSUER: &str = "souk";
/// `aud` of every access token.
pub const KEY_AUDIENCE: &str = "souk";

/// How long the announcement of a key, or of a revocation, may take to get here.
const KEY_ARRIVES_WITHIN: std::time::Duration = std::time::Duration::from_secs(2);
/// The id of a revocation of all guests' tokens.
pub const REVOKED_GUESTS: &str = "gst_*";
/// The id of a revocation of all accounts' tokens.
pub const REVOKED_ACCOUNTS: &str = "cus_*";

/// What an access token says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Claims {
    /// Issuer, [`KEY_ISSUER`].
    pub iss: String,
    /// Audience, [`KEY_AUDIENCE`].
    pub aud: String,
    /// The account (`cus_…`) or guest (`gst_…`).
    pub sub: String,
    /// The session, `ses_…`.
    pub sid: String,
    /// Permissions of staff; absent for everybody else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub perms: Vec<String>,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Not before, in seconds since 1970.
    pub nbf: i64,
    /// Expires at, in seconds since 1970.
    pub exp: i64,
}

/// A public key of identity.
#[derive(Clone, Debug)]
pub struct VerifyKey {
    /// `kid`.
    pub id: String,
    /// Ed25519 public key.
    pub public_key: [u8; 32],
    /// When tokens signed with it end for good.
    pub not_after: Timestamp,
}

/// Tokens of a session or subject issued before a time count no more.
#[derive(Clone, Debug)]
pub struct Revocation {
    /// `ses_…`, `cus_…`, `gst_…`, [`REVOKED_GUESTS`], [`REVOKED_ACCOUNTS`], or `*` for everybody.
    pub id: String,
    /// Tokens issued before this are refused.
    pub before: Timestamp,
}

/// Everything identity tells about tokens.
#[derive(Clone, Debug, Default)]
pub struct KeySet {
    /// Keys that may have signed a living token.
    pub keys: Vec<VerifyKey>,
    /// Revocations younger than the life of a token.
    pub revocations: Vec<Revocation>,
}

struct Current {
    /// How many key sets there were before it.
    number: u64,
    keys: HashMap<String, (DecodingKey, Timestamp)>,
    revoked: HashMap<String, Timestamp>,
}

impl Current {
    /// Whether tokens of this session and subject, issued at this time, count no more.
    fn revokes(&self, session: &str, subject: &str, issued: Timestamp) -> bool {
        let kind = if subject.starts_with("gst_") { REVOKED_GUESTS } else { REVOKED_ACCOUNTS };
        [session, subject, kind, "*"]
            .iter()
            .any(|id| self.revoked.get(*id).is_some_and(|before| issued < *before))
    }
}

/// Checks tokens, and remembers those that were good.
pub struct Verifier {
    clock: Arc<dyn Clock>,
    current: ArcSwap<Current>,
    /// Tokens that were good, each with the number of the key set that it was checked against: another one's word counts no more.
    remembered: Cache<Arc<str>, (u64, Arc<Verified>)>,
    updated: tokio::sync::watch::Sender<u64>,
}

impl std::fmt::Debug for Verifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Verifier")
    }
}

impl Verifier {
    /// Knows no key yet: every token is refused until [`Verifier::update`].
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        let current = Current { number: 0, keys: HashMap::new(), revoked: HashMap::new() };
        Self {
            clock,
            current: ArcSwap::from_pointee(current),
            remembered: Cache::new(policy::TOKENS_REMEMBERED_MAX),
            updated: tokio::sync::watch::Sender::new(0),
        }
    }

    /// Takes the key set as it now is. Remembered tokens are checked again, also those that are being checked now.
    pub fn update(&self, set: KeySet) {
        let keys = set.keys.into_iter().filter_map(|key| {
            let x = BASE64_URL_SAFE_NO_PAD.encode(key.public_key);
            Some((key.id, (DecodingKey::from_ed_components(&x).ok()?, key.not_after)))
        });
        let revoked = set.revocations.into_iter().map(|revocation| (revocation.id, revocation.before));
        let (keys, revoked) = (keys.collect(), revoked.collect());
        self.current.rcu(|before| Current {
            number: before.number + 1,
            keys: HashMap::clone(&keys),
            revoked: HashMap::clone(&revoked),
        });
        self.updated.send_modify(|updates| *updates += 1);
    }

    /// Resolves with the first key set, at once when there is one.
    pub async fn ready(&self) {
        // The sender lives as long as this, so waiting cannot fail.
        let _ = self.updated.subscribe().wait_for(|updates| *updates > 0).await;
    }

    /// Tells of each key set that comes from now on, also of one that comes while its reader is busy with another.
    #[must_use]
    pub fn updates(&self) -> tokio::sync::watch::Receiver<u64> {
        let mut updates = self.updated.subscribe();
        updates.mark_unchanged();
        updates
    }

    /// Whether tokens as old as this one were revoked since, for its session, its subject or everybody.
    #[must_use]
    pub fn is_revoked(&self, verified: &Verified) -> bool {
        let current = self.current.load();
        let Some(issued) = verified.issued else { return false };
        let session = verified.principal.session().map(|id| id.to_string()).unwrap_or_default();
        current.revokes(&session, &verified.principal.subject(), issued)
    }

    /// Waits for the news that tokens as old as this one were revoked, for at most two seconds: who was just told that a session
    /// ended does not find it open here.
    pub async fn revocation_arrives(&self, verified: &Verified) {
        if verified.issued.is_none() {
            return;
        }
        let mut updates = self.updates();
        let arrives = async { while !self.is_revoked(verified) && updates.changed().await.is_ok() {} };
        // When the news do not come in time the session ends here with them, later.
        let _ = tokio::time::timeout(KEY_ARRIVES_WITHIN, arrives).await;
    }

    /// Checks a token that was issued just now: a key that was made for it may still be on its way here, so a token of an
    /// unknown key is checked again with the next key set, for at most two seconds.
    ///
    /// # Errors
    /// As [`Verifier::verify`].
    pub async fn verify_fresh(&self, token: &str) -> Result<Arc<Verified>, Error> {
        let mut updates = self.updates();
        match self.verify(token) {
            Err(error) if error.reason() == "TOKEN_INVALID" => {
                // The sender lives as long as this; when nothing comes in time the second look says so.
                let _ = tokio::time::timeout(KEY_ARRIVES_WITHIN, updates.changed()).await;
                self.verify(token)
            }
            verdict => verdict,
        }
    }

    /// Checks a token: signature, algorithm, issuer, audience, times and revocation.
    ///
    /// # Errors
    /// UNAUTHENTICATED with reason `TOKEN_INVALID`, `TOKEN_EXPIRED` or `TOKEN_REVOKED`.
    pub fn verify(&self, token: &str) -> Result<Arc<Verified>, Error> {
        if token.len() > policy::TOKEN_BYTES_MAX {
            return Err(invalid("the access token is too long"));
        }
        let now = self.clock.now();
        let current = self.current.load();
        if let Some((number, known)) = self.remembered.get(token)
            && number == current.number
        {
            live(&known, now)?;
            return Ok(known);
        }
        let verified = Arc::new(check(&current, token)?);
        live(&verified, now)?;
        self.remembered.insert(Arc::from(token), (current.number, verified.clone()));
        Ok(verified)
    }
}

fn invalid(message: &'static str) -> Error {
    Error::new(Code::Unauthenticated, "TOKEN_INVALID", message)
}

fn live(verified: &Verified, now: Timestamp) -> Result<(), Error> {
    if verified.expires.is_some_and(|expires| expires.plus(policy::TOKEN_LEEWAY) <= now) {
        return Err(Error::new(
            Code::Unauthenticated,
            "TOKEN_EXPIRED",
            "the access token has expired; refresh it",
        ));
    }
    if verified.issued.is_some_and(|issued| issued > now.plus(policy::TOKEN_LEEWAY)) {
        return Err(invalid("the access token is not valid yet"));
    }
    Ok(())
}

fn check(current: &Current, token: &str) -> Result<Verified, Error> {
    let header = jsonwebtoken::decode_header(token)
        .map_err(|_| invalid("the access token is no token of this shop"))?;
    let kid = header.kid.as_deref().unwrap_or_default();
    let (key, _) =
        current.keys.get(kid).ok_or_else(|| invalid("the access token is not signed by this shop"))?;
    let mut validation = Validation::new(Algorithm::EdDSA);
    // Times are checked against the context's clock, not the system's.
    validation.validate_exp = false;
    validation.validate_nbf = false;
    validation.set_issuer(&[KEY_ISSUER]);
    validation.set_audience(&[KEY_AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let claims = jsonwebtoken::decode::<Claims>(token, key, &validation)
        .map_err(|error| invalid("the access token is not good").because(error))?
        .claims;
    let issued = Timestamp::from_secs(claims.iat.max(claims.nbf));
    if current.revokes(&claims.sid, &claims.sub, issued) {
        return Err(Error::new(Code::Unauthenticated, "TOKEN_REVOKED", "this session was signed out"));
    }
    Ok(Verified {
        principal: principal(&claims)?,
        token: Some(Token(Arc::from(token))),
        expires: Some(Timestamp::from_secs(claims.exp)),
        issued: Some(issued),
    })
}

fn principal(claims: &Claims) -> Result<Principal, Error> {
    let session = SessionId::parse(&claims.sid).map_err(|_| invalid("the access token names no session"))?;
    if let Ok(id) = GuestId::parse(&claims.sub) {
        return Ok(Principal::Guest { id, session });
    }
    let id = CustomerId::parse(&claims.sub).map_err(|_| invalid("the access token names nobody"))?;
    Ok(Principal::Account { id, session, permissions: claims.perms.clone().into() })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use jsonwebtoken::{EncodingKey, Header, encode};
    use parking_lot::Mutex;

    use super::*;

    struct Fixed(Mutex<Timestamp>);
    impl Clock for Fixed {
        fn now(&self) -> Timestamp {
            *self.0.lock()
        }
        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    // RFC 8410 wraps a raw Ed25519 seed as PKCS#8: this prefix, then the 32 bytes.
    const PKCS8: [u8; 16] =
        [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
    // RFC 8032, 7.1, test 1.
    const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
    const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("hex")).collect()
    }

    fn claims() -> Claims {
        Claims {
            iss: "souk".into(),
            aud: "souk".into(),
            sub: CustomerId::from_bits(7).to_string(),
            sid: SessionId::from_bits(8).to_string(),
            perms: vec!["stock.write".into()],
            iat: 1000,
            nbf: 1000,
            exp: 1600,
        }
    }

    fn sign(claims: &Claims, kid: &str) -> String {
        let der = [PKCS8.as_slice(), &bytes(SEED)].concat();
        let header = Header { kid: Some(kid.into()), ..Header::new(Algorithm::EdDSA) };
        encode(&header, claims, &EncodingKey::from_ed_der(&der)).expect("signs")
    }

    fn verifier(now: i64) -> (Arc<Fixed>, Verifier) {
        let clock = Arc::new(Fixed(Mutex::new(Timestamp::from_secs(now))));
        let verifier = Verifier::new(clock.clone());
        verifier.update(set(Vec::new()));
        (clock, verifier)
    }

    fn set(revocations: Vec<Revocation>) -> KeySet {
        let public_key = bytes(PUBLIC).try_into().expect("32 bytes");
        KeySet {
            keys: vec![VerifyKey { id: "k1".into(), public_key, not_after: Timestamp::from_secs(9999) }],
            revocations,
        }
    }

    #[test]
    fn a_good_token_tells_who_it_is_until_it_expires() {
        let (clock, verifier) = verifier(1010);
        let token = sign(&claims(), "k1");
        let verified = verifier.verify(&token).expect("good");
        assert!(verified.principal.may("stock.write") && !verified.principal.may("orders.write"));
        *clock.0.lock() = Timestamp::from_secs(1659);
        assert!(verifier.verify(&token).is_ok(), "within the leeway");
        *clock.0.lock() = Timestamp::from_secs(1660);
        assert_eq!(verifier.verify(&token).expect_err("expired").reason(), "TOKEN_EXPIRED");
    }

    #[test]
    fn forged_tokens_are_refused() {
        let (_, verifier) = verifier(1010);
        let good = sign(&claims(), "k1");
        let mut parts: Vec<String> = good.split('.').map(str::to_owned).collect();
        parts[1] = BASE64_URL_SAFE_NO_PAD.encode(serde_json_like(&claims()));
        let none = format!("{}.{}.", BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none","kid":"k1"}"#), parts[1]);
        let other = Claims { iss: "elsewhere".into(), ..claims() };
        let audience = Claims { aud: "elsewhere".into(), ..claims() };
        let early = Claims { nbf: 2000, ..claims() };
        for bad in [
            String::new(),
            "a.b.c".into(),
            parts.join("."),
            none,
            sign(&other, "k1"),
            sign(&audience, "k1"),
            sign(&early, "k1"),
            sign(&claims(), "k2"),
            "x".repeat(policy::TOKEN_BYTES_MAX + 1),
        ] {
            assert_eq!(verifier.verify(&bad).expect_err("forged").reason(), "TOKEN_INVALID", "{bad}");
        }
    }

    #[test]
    fn what_ends_all_guests_ends_no_account() {
        let (_, verifier) = verifier(1010);
        let guest = Claims { sub: GuestId::from_bits(7).to_string(), perms: Vec::new(), ..claims() };
        let all = |id: &str| vec![Revocation { id: id.into(), before: Timestamp::from_secs(1005) }];
        verifier.update(set(all(REVOKED_GUESTS)));
        assert!(verifier.verify(&sign(&claims(), "k1")).is_ok());
        assert_eq!(verifier.verify(&sign(&guest, "k1")).expect_err("revoked").reason(), "TOKEN_REVOKED");
        verifier.update(set(all(REVOKED_ACCOUNTS)));
        assert_eq!(verifier.verify(&sign(&claims(), "k1")).expect_err("revoked").reason(), "TOKEN_REVOKED");
        assert!(verifier.verify(&sign(&guest, "k1")).is_ok());
    }

    fn serde_json_like(claims: &Claims) -> String {
        format!(
            r#"{{"iss":"souk","aud":"souk","sub":"{}","sid":"{}","perms":["admin"],"iat":1000,"nbf":1000,"exp":9999}}"#,
            claims.sub, claims.sid
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_fresh_token_waits_for_the_news_of_its_key() {
        let clock = Arc::new(Fixed(Mutex::new(Timestamp::from_secs(1010))));
        let verifier = Verifier::new(clock);
        verifier.update(KeySet::default());
        let token = sign(&claims(), "k1");
        let arrives = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            verifier.update(set(Vec::new()));
        };
        let (fresh, ()) = tokio::join!(verifier.verify_fresh(&token), arrives);
        assert!(fresh.expect("its key has come").principal.may("stock.write"));
        let unknown = sign(&claims(), "k2");
        assert_eq!(verifier.verify_fresh(&unknown).await.expect_err("no such key").reason(), "TOKEN_INVALID");
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_a_session_waits_for_the_news_of_it() {
        let (_, verifier) = verifier(1010);
        let token = sign(&claims(), "k1");
        let verified = verifier.verify(&token).expect("good");
        let arrives = async {
            tokio::time::sleep(Duration::from_millis(300)).await;
            verifier.update(set(Vec::new()));
            tokio::time::sleep(Duration::from_millis(300)).await;
            verifier.update(set(vec![Revocation { id: claims().sid, before: Timestamp::from_secs(1005) }]));
        };
        let ended = async {
            verifier.revocation_arrives(&verified).await;
            verifier.verify(&token).expect_err("revoked").reason().to_owned()
        };
        assert_eq!(tokio::join!(ended, arrives).0, "TOKEN_REVOKED");
    }

    fn check_without_revocations(token: &str) -> Verified {
        let (_, verifier) = verifier(1010);
        check(&verifier.current.load(), token).expect("good")
    }

    #[test]
    fn a_revoked_session_counts_no_more_even_when_it_was_remembered() {
        let (_, verifier) = verifier(1010);
        let token = sign(&claims(), "k1");
        assert!(verifier.verify(&token).is_ok());
        verifier.update(set(vec![Revocation { id: claims().sid, before: Timestamp::from_secs(1005) }]));
        assert_eq!(verifier.verify(&token).expect_err("revoked").reason(), "TOKEN_REVOKED");
        let before = Arc::new(check_without_revocations(&token));
        verifier.remembered.insert(Arc::from(token.as_str()), (1, before));
        let error =
            verifier.verify(&token).expect_err("a check that began before the news proves nothing after it");
        assert_eq!(error.reason(), "TOKEN_REVOKED");
        let later = Claims { iat: 1006, nbf: 1006, ..claims() };
        assert!(verifier.verify(&sign(&later, "k1")).is_ok());
    }
}
