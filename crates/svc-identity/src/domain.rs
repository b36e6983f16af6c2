//! Who somebody is, decided without I/O: addresses, passwords, permissions, sessions, keys.

mod account;
mod email;
mod key;
mod password;
mod permission;
mod session;

pub use account::{Account, AccountKind, OPERATOR};
pub use email::{SignInName, is_key_of};
pub use key::{KeyPlan, KeyTimes, SigningKey, end_all, is_behind, overlap, plan, published, signer};
pub use password::Password;
pub use permission::{ADMIN, AdminChange, KNOWN, Permissions};
pub use session::{IDLE, Presented, Session, SessionEnd, Subject, ended, refused};

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
/// Revocations of guests, and as many of accounts, that a key set lists; beyond, the oldest of a kind are told as one for all
/// of that kind. One address cannot reach it with guests by their usual rate (600 a minute, for as long as a token lives).
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
    /// `ses_…`, `cus_…`, `gst_…`, `cus_*` or `gst_*`.
    pub id: String,
    /// Tokens with an earlier `iat` are void.
    pub before: Timestamp,
}

/// The id of a revocation of all guests' tokens, as verifiers know it.
pub const ALL_GUESTS: &str = "gst_*";
/// The id of a revocation of all accounts' tokens, as verifiers know it.
pub const ALL_ACCOUNTS: &str = "cus_*";

/// The revocations to tell: the latest of each id, by id. When there are too many of guests, or of accounts, the oldest are told
/// as one for all of that kind: it ends tokens a little before their time, whose owners refresh them, and lets none of those
/// live that were revoked. Guests cost nobody with an account anything, nor the other way round.
#[must_use]
pub fn told(mut revocations: Vec<Revocation>) -> Vec<Revocation> {
    revocations.sort_by(|a, b| a.id.cmp(&b.id).then(b.before.cmp(&a.before)));
    revocations.dedup_by(|later, first| later.id == first.id);
    let (guests, accounts) = revocations.into_iter().partition(|revocation| is_guests(&revocation.id));
    let mut all = bounded(guests, ALL_GUESTS);
    all.extend(bounded(accounts, ALL_ACCOUNTS));
    all.sort_by(|a, b| a.id.cmp(&b.id));
    all
}

/// Whether a revocation concerns a guest. A guest has one session, so his sign-out is told by his own name.
fn is_guests(id: &str) -> bool {
    id.starts_with(GUEST_PREFIX)
}

/// How the name of a guest begins.
pub const GUEST_PREFIX: &str = "gst_";

fn bounded(mut revocations: Vec<Revocation>, rest: &str) -> Vec<Revocation> {
    if revocations.len() > REVOCATIONS_MAX {
        revocations.sort_by_key(|revocation| std::cmp::Reverse(revocation.before));
        let before = revocations[REVOCATIONS_MAX - 1].before;
        revocations.truncate(REVOCATIONS_MAX - 1);
        revocations.push(Revocation { id: rest.to_owned(), before });
    }
    revocations
}

/// The id under which the tokens of all of a subject's kind are revoked.
#[must_use]
pub fn revoked_kind(subject: Subject) -> &'static str {
    match subject {
        Subject::Guest(_) => ALL_GUESTS,
        Subject::Account(_) => ALL_ACCOUNTS,
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
    fn of_too_many_revocations_the_oldest_are_told_as_one_for_all_of_their_kind() {
        for (prefix, rest) in [("ses_", ALL_ACCOUNTS), ("gst_", ALL_GUESTS)] {
            let all: Vec<_> = (0..=REVOCATIONS_MAX as i64)
                .map(|n| Revocation { id: format!("{prefix}{n}"), before: Timestamp::from_secs(n) })
                .collect();
            assert_eq!(told(all[1..].to_vec()).len(), REVOCATIONS_MAX);
            let other = Revocation { id: "cus_ada".to_owned(), before: Timestamp::from_secs(0) };
            let told = told(all.iter().cloned().chain([other.clone()]).collect());
            let whole = told.iter().find(|revocation| revocation.id == rest).expect("the rest");
            assert_eq!(told.iter().filter(|revocation| revocation.id.ends_with('*')).count(), 1);
            for revocation in &all {
                assert!(told.contains(revocation) || revocation.before <= whole.before, "{revocation:?}");
            }
            if prefix == "gst_" {
                assert!(told.contains(&other), "an account's is told as ever");
                assert_eq!(told.len(), REVOCATIONS_MAX + 1);
                assert_eq!(whole.before, Timestamp::from_secs(1), "the newest of the rest");
            }
        }
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
