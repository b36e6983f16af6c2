//! Password hashing: argon2id, a few at a time, off the threads that serve.

use std::net::IpAddr;
use std::sync::Arc;

use argon2::{Algorithm, Argon2, Params, Version};
use base64::Engine;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use kernel::{Code, Error, Result};
use mesh::{Shares, network};
use subtle::ConstantTimeEq;
use tokio::sync::Semaphore;

use crate::domain::Password;

const SALT_BYTES: usize = 16;
const HASH_BYTES: usize = 32;

/// Cost of a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cost {
    /// Memory in KiB.
    memory_kib: u32,
    /// Passes over it.
    passes: u32,
    /// Lanes.
    lanes: u32,
}

/// 19 MiB, two passes, one lane (OWASP Password Storage Cheat Sheet, argon2id).
const COST: Cost = Cost { memory_kib: 19_456, passes: 2, lanes: 1 };

/// A hash with its salt and cost, as PHC string `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
#[derive(Clone)]
struct Stored {
    cost: Cost,
    salt: Vec<u8>,
    hash: Vec<u8>,
}

/// What a comparison found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The password is the right one.
    pub(crate) good: bool,
    /// The stored hash has another cost than new ones.
    pub(crate) outdated: bool,
}

/// Hashes that may wait for each that runs, the running ones included.
const WAITING: usize = 32;
/// Of those that wait, one address may have this part.
const ADDRESS_PARTS: usize = 4;

/// Hashes and compares passwords.
#[derive(Clone)]
pub(crate) struct Hasher {
    /// Who may hash now; each takes 19 MiB.
    running: Arc<Semaphore>,
    /// Who may wait for it, the running ones included.
    admitted: Arc<Semaphore>,
    /// How many of those that may wait are of which address.
    by_address: Arc<Shares<IpAddr>>,
    per_address_max: usize,
    /// Compared with when there is no such account, so that it takes as long.
    nobody: Arc<Stored>,
}

impl Hasher {
    /// Runs `at_once` hashes at a time and lets 32 times as many wait. `nobody` is random.
    pub(crate) fn new(at_once: usize, nobody: [u8; SALT_BYTES + HASH_BYTES]) -> Self {
        let (salt, hash) = nobody.split_at(SALT_BYTES);
        Self {
            running: Arc::new(Semaphore::new(at_once.max(1))),
            admitted: Arc::new(Semaphore::new(at_once.max(1) * WAITING)),
            by_address: Arc::default(),
            per_address_max: at_once.max(1) * WAITING / ADDRESS_PARTS,
            nobody: Arc::new(Stored { cost: COST, salt: salt.to_vec(), hash: hash.to_vec() }),
        }
    }

    /// The PHC string to store for a password.
    ///
    /// # Errors
    /// `OVERLOADED` when too many wait.
    pub(crate) async fn hash(
        &self,
        password: Password,
        salt: [u8; SALT_BYTES],
        address: Option<IpAddr>,
    ) -> Result<String> {
        let hash = self.compute(password, COST, salt.to_vec(), address).await?;
        Ok(Stored { cost: COST, salt: salt.to_vec(), hash }.to_phc())
    }

    /// Compares a password with what is stored for it, or with nobody's, on the same path and in the same time.
    ///
    /// # Errors
    /// `OVERLOADED` when too many wait; INTERNAL when what is stored is damaged.
    pub(crate) async fn verify(
        &self,
        password: Password,
        stored: Option<&str>,
        address: Option<IpAddr>,
    ) -> Result<Verdict> {
        let known = stored.map(|text| {
            Stored::parse(text).ok_or_else(|| Error::internal("a stored password hash is damaged"))
        });
        let known = known.transpose()?;
        let against = known.clone().unwrap_or_else(|| (*self.nobody).clone());
        let hash = self.compute(password, against.cost, against.salt, address).await?;
        let same = bool::from(hash.ct_eq(&against.hash));
        Ok(Verdict { good: same & known.is_some(), outdated: against.cost != COST })
    }

    async fn compute(
        &self,
        password: Password,
        cost: Cost,
        salt: Vec<u8>,
        address: Option<IpAddr>,
    ) -> Result<Vec<u8>> {
        let overloaded = || {
            Error::new(
                Code::ResourceExhausted,
                "OVERLOADED",
                "too many passwords are being checked; try again",
            )
        };
        let share = address
            .map(|address| self.by_address.take(network(address), 1, self.per_address_max))
            .map(|share| share.ok_or_else(|| overloaded().retry_after_ms(1000)))
            .transpose()?;
        let admitted =
            self.admitted.clone().try_acquire_owned().map_err(|_| overloaded().retry_after_ms(1000))?;
        let running = self.running.clone().acquire_owned().await.map_err(Error::internal)?;
        // The permits go along: a caller that leaves does not let another in before this hash is done.
        let work = move || {
            let _permits = (admitted, running, share);
            derive(password.bytes(), cost, &salt)
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)?
    }
}

fn derive(password: &[u8], cost: Cost, salt: &[u8]) -> Result<Vec<u8>> {
    let failed = |error: argon2::Error| Error::internal(error.to_string());
    let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(HASH_BYTES)).map_err(failed)?;
    let mut hash = vec![0; HASH_BYTES];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(password, salt, &mut hash)
        .map_err(failed)?;
    Ok(hash)
}

impl Stored {
    fn to_phc(&self) -> String {
        let Cost { memory_kib, passes, lanes } = self.cost;
        let (salt, hash) =
            (BASE64_STANDARD_NO_PAD.encode(&self.salt), BASE64_STANDARD_NO_PAD.encode(&self.hash));
        format!("$argon2id$v=19$m={memory_kib},t={passes},p={lanes}${salt}${hash}")
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.strip_prefix("$argon2id$v=19$")?.split('$');
        let (costs, salt, hash) = (parts.next()?, parts.next()?, parts.next()?);
        let mut costs = costs.split(',');
        let mut cost = |name: &str| costs.next()?.strip_prefix(name)?.strip_prefix('=')?.parse().ok();
        let cost = Cost { memory_kib: cost("m")?, passes: cost("t")?, lanes: cost("p")? };
        let hash = BASE64_STANDARD_NO_PAD.decode(hash).ok().filter(|hash| hash.len() == HASH_BYTES)?;
        Some(Self { cost, salt: BASE64_STANDARD_NO_PAD.decode(salt).ok()?, hash })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::given("/password", text).expect("a password")
    }

    fn hasher() -> Hasher {
        Hasher::new(2, [9; SALT_BYTES + HASH_BYTES])
    }

    #[tokio::test]
    async fn only_the_right_password_is_good() {
        let hasher = hasher();
        let stored = hasher.hash(password("correct horse"), [1; 16], None).await.expect("hashed");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let good = hasher.verify(password("correct horse"), Some(&stored), None).await.expect("compared");
        assert_eq!(good, Verdict { good: true, outdated: false });
        assert!(!hasher.verify(password("wrong horse"), Some(&stored), None).await.expect("compared").good);
        assert!(!hasher.verify(password("correct horse"), None, None).await.expect("compared").good);
    }

    #[tokio::test]
    async fn a_cheap_old_hash_is_known_as_outdated() {
        let cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
        let hash = derive(b"correct horse", cost, &[1; 16]).expect("hashed");
        let stored = Stored { cost, salt: vec![1; 16], hash }.to_phc();
        let verdict =
            hasher().verify(password("correct horse"), Some(&stored), None).await.expect("compared");
        assert_eq!(verdict, Verdict { good: true, outdated: true });
    }

    #[tokio::test]
    async fn nobody_costs_as_much_as_somebody() {
        let hasher = hasher();
        assert_eq!(hasher.nobody.cost, COST);
        assert_eq!((hasher.nobody.salt.len(), hasher.nobody.hash.len()), (SALT_BYTES, HASH_BYTES));
        // Matching the dummy hash never authenticates.
        let stored = hasher.hash(password("correct horse"), [1; 16], None).await.expect("hashed");
        let nobody = Hasher { nobody: Arc::new(Stored::parse(&stored).expect("own text")), ..hasher };
        assert!(!nobody.verify(password("correct horse"), None, None).await.expect("compared").good);
    }

    #[tokio::test]
    async fn who_comes_when_too_many_wait_is_turned_away() {
        let hasher = Hasher::new(1, [9; 48]);
        let _all = hasher.admitted.clone().acquire_many_owned(32).await.expect("free");
        let error = hasher.verify(password("correct horse"), None, None).await.expect_err("full");
        assert_eq!((error.reason(), error.retryable()), ("OVERLOADED", true));
    }

    #[tokio::test]
    async fn one_address_fills_its_part_of_the_queue_and_no_more() {
        let hasher = Hasher::new(1, [9; 48]);
        let address = IpAddr::from([192, 0, 2, 1]);
        let _own = hasher.by_address.take(address, hasher.per_address_max, 32).expect("free");
        let error =
            hasher.verify(password("correct horse"), None, Some(address)).await.expect_err("its part");
        assert_eq!((error.reason(), error.retryable()), ("OVERLOADED", true));
        let other = Some(IpAddr::from([192, 0, 2, 2]));
        assert!(!hasher.verify(password("correct horse"), None, other).await.expect("compared").good);
    }

    #[test]
    fn damaged_hashes_are_no_hashes() {
        for text in [
            "",
            "$argon2id$v=19$",
            "$argon2id$v=19$m=1,t=1$AA$AA",
            "$argon2i$v=19$m=1,t=1,p=1$AA$AA",
            "$argon2id$v=19$m=x,t=1,p=1$AA$AA",
        ] {
            assert!(Stored::parse(text).is_none(), "{text}");
        }
    }
}
