//! Who somebody is, decided without I/O: addresses, passwords, permissions, sessions, keys.

mod account;
mod email;
mod key;
mod password;
mod permission;
mod session;

pub use account::{Account, AccountKind, OPERATOR};
pub use email::Email;
pub use key::{KEYS_MAX, KeyPlan, KeyTimes, SigningKey, end_all, overlap, plan, published, signer};
pub use password::Password;
pub use permission::{ADMIN, AdminChange, PERMISSIONS_MAX, Permissions};
pub use session::{Presented, Session, SessionEnd, Subject};

use std::time::Duration;

use kernel::Timestamp;

kernel::ids! {
    /// Kind of a secret of a program.
    Secret => SecretId, "sec";
}

/// How long an access token is good.
pub const TOKEN_LIFE: Duration = Duration::from_secs(600);
/// By how much clocks may differ: verifiers accept tokens that much too early and too late.
pub const LEEWAY: Duration = Duration::from_secs(60);
/// Sessions of an account that may be live at once; the oldest ends when another begins.
pub const SESSIONS_MAX: usize = 100;
/// Live secrets of an account.
pub const SECRETS_MAX: usize = 100;
/// Revocations that a key set lists; beyond, everybody's tokens are void and everybody refreshes.
pub const REVOCATIONS_MAX: usize = 10_000;
/// A revocation also covers tokens issued this long after it: what was being decided on older facts while it was
/// committed, and by instances whose clocks are ahead. Tokens issued on newer facts carry a later `iat`.
pub const REVOCATION_MARGIN: Duration = Duration::from_secs(5);

/// Tokens void from `now` on: those whose `iat`, a whole second, is before this.
#[must_use]
pub fn void_before(now: Timestamp) -> Timestamp {
    Timestamp::from_secs(now.plus(REVOCATION_MARGIN).secs() + 1)
}

/// How long a revocation has to be told: until the last token that it voids would have ended by itself.
#[must_use]
pub fn revocation_ends(before: Timestamp) -> Timestamp {
    before.plus(TOKEN_LIFE).plus(LEEWAY)
}

/// What is void before its time: the tokens of a session or a subject issued before a point in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// `ses_…`, `cus_…`, `gst_…`, or `*`.
    pub id: String,
    /// Tokens with an earlier `iat` are void.
    pub before: Timestamp,
}

/// The revocations to tell: the latest of each id, by id; one for everybody when there would be too many.
#[must_use]
pub fn told(mut revocations: Vec<Revocation>) -> Vec<Revocation> {
    revocations.sort_by(|a, b| a.id.cmp(&b.id).then(b.before.cmp(&a.before)));
    revocations.dedup_by(|later, first| later.id == first.id);
    match revocations.iter().map(|revocation| revocation.before).max() {
        Some(before) if revocations.len() > REVOCATIONS_MAX => vec![Revocation { id: "*".to_owned(), before }],
        _ => revocations,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_latest_revocation_of_each_id_is_told() {
        let at = |id: &str, seconds| Revocation { id: id.to_owned(), before: Timestamp::from_secs(seconds) };
        assert_eq!(told(vec![at("b", 1), at("a", 2), at("b", 3), at("b", 2)]), [at("a", 2), at("b", 3)]);
    }

    #[test]
    fn too_many_revocations_become_one_for_everybody() {
        let all = (0..=REVOCATIONS_MAX as i64)
            .map(|n| Revocation { id: format!("ses_{n}"), before: Timestamp::from_secs(n) })
            .collect::<Vec<_>>();
        let last = Timestamp::from_secs(REVOCATIONS_MAX as i64);
        assert_eq!(told(all[1..].to_vec()).len(), REVOCATIONS_MAX);
        assert_eq!(told(all), [Revocation { id: "*".to_owned(), before: last }]);
    }

    proptest! {
        #[test]
        fn a_revocation_voids_all_that_was_issued_until_then(now in 0_i64..4_000_000_000_000_000, earlier in 0_i64..1_000_000_000) {
            let now = Timestamp::from_micros(now);
            let before = void_before(now);
            let issued = now.minus(Duration::from_micros(earlier as u64)).secs();
            prop_assert!(Timestamp::from_secs(issued) < before);
            prop_assert_eq!(before.micros() % 1_000_000, 0);
            // What is issued from then on is no further ahead than verifiers bear.
            prop_assert!(before.since(now) <= LEEWAY / 2);
        }
    }
}
