//! Who somebody is, decided without I/O: addresses, passwords, permissions, sessions, keys.

mod account;
mod email;
mod key;
mod password;
mod permission;
mod session;

pub use account::{Account, AccountKind, OPERATOR};
pub use email::SignInName;
pub use key::{KeyPlan, KeyTimes, SigningKey, end_all, overlap, plan, published, signer};
pub use password::Password;
pub use permission::{ADMIN, AdminChange, KNOWN, Permissions};
pub use session::{Presented, Session, SessionEnd, Subject, refused};

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
/// Revocations that a key set lists; beyond, the oldest are told as one for everybody.
pub const REVOCATIONS_MAX: usize = 9_999;
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

/// The id of a revocation of everybody's tokens.
pub const EVERYBODY: &str = "*";

/// The revocations to tell: the latest of each id, by id. When there are too many, the oldest are told as one for everybody:
/// it ends tokens a little before their time, and lets none of those live that were revoked.
#[must_use]
pub fn told(mut revocations: Vec<Revocation>) -> Vec<Revocation> {
    revocations.sort_by(|a, b| a.id.cmp(&b.id).then(b.before.cmp(&a.before)));
    revocations.dedup_by(|later, first| later.id == first.id);
    if revocations.len() > REVOCATIONS_MAX {
        revocations.sort_by_key(|revocation| std::cmp::Reverse(revocation.before));
        let before = revocations[REVOCATIONS_MAX - 1].before;
        revocations.truncate(REVOCATIONS_MAX - 1);
        revocations.push(Revocation { id: EVERYBODY.to_owned(), before });
        revocations.sort_by(|a, b| a.id.cmp(&b.id));
    }
    revocations
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
    fn of_too_many_revocations_the_oldest_are_told_as_one_for_everybody() {
        let all: Vec<_> = (0..=REVOCATIONS_MAX as i64)
            .map(|n| Revocation { id: format!("ses_{n}"), before: Timestamp::from_secs(n) })
            .collect();
        assert_eq!(told(all[1..].to_vec()).len(), REVOCATIONS_MAX);
        let told = told(all.clone());
        assert_eq!(told.len(), REVOCATIONS_MAX);
        let everybody = told.iter().find(|revocation| revocation.id == EVERYBODY).expect("the rest");
        for revocation in &all {
            assert!(told.contains(revocation) || revocation.before <= everybody.before, "{revocation:?}");
        }
        assert_eq!(everybody.before, Timestamp::from_secs(1), "the newest of the rest");
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
