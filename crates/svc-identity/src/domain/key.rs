//! Signing keys on the line of time: published, then signing, then only verifying, then gone.

use std::time::Duration;

use kernel::{Error, Result, Timestamp};

use super::{LEEWAY, TOKEN_LIFE};

/// Most keys that are published at once.
const KEYS_MAX: usize = 16;
/// The times of a key that was ended for good.
const ENDED: Timestamp = Timestamp::from_secs(0);
/// Facts that are newer than now by more than this were written under a clock that was ahead. Half of [`LEEWAY`], so that
/// tokens issued after a smaller step back are accepted everywhere.
const BEHIND: Duration = Duration::from_secs(30);

/// A key that signs access tokens. The private half is derived from the seed and the secret of the house.
#[derive(Clone, PartialEq, Eq)]
pub struct SigningKey {
    /// `kid` of its tokens.
    pub id: String,
    /// 32 random bytes; worth nothing without the secret of the house.
    pub seed: [u8; 32],
    /// The public half (RFC 8032).
    pub public: [u8; 32],
    /// The key whose place it takes; empty for the first. Unique, so that two instances do not replace one key twice.
    pub predecessor: String,
    /// It signs from here on.
    pub signs_from: Timestamp,
    /// It signs until here.
    pub signs_until: Timestamp,
    /// None of its tokens is good after this.
    pub verifies_until: Timestamp,
    /// Whether its public half follows from its seed. One that does not was put there by somebody else, or the secret of the
    /// house was lost: it signs nothing and is not published.
    pub fits: bool,
}

impl SigningKey {
    /// Whether tokens that it signed are good at a time.
    #[must_use]
    pub fn verifies(&self, now: Timestamp) -> bool {
        self.fits && now < self.verifies_until
    }

    /// Whether it was not ended for good.
    fn is_open(&self) -> bool {
        self.verifies_until > ENDED
    }
}

/// How long keys serve.
#[derive(Clone, Copy, Debug)]
pub struct KeyTimes {
    /// For how long a key signs.
    pub life: Duration,
    /// How long before it signs the next key is published, when it is made in the course of things.
    pub ahead: Duration,
    /// The same for one that is asked for.
    pub ahead_on_request: Duration,
}

impl KeyTimes {
    /// Until when the tokens of a key that signed until then may be good.
    #[must_use]
    pub fn verifies_until(signs_until: Timestamp) -> Timestamp {
        signs_until.plus(TOKEN_LIFE).plus(LEEWAY).plus(Duration::from_secs(1))
    }
}

/// What has to be done about the keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyPlan {
    /// Nothing.
    Nothing,
    /// A key that follows `predecessor` and signs from a time on.
    Make {
        /// The last key of the chain; empty when there is none.
        predecessor: String,
        /// When the new one begins to sign.
        signs_from: Timestamp,
    },
}

/// The key that signs now.
#[must_use]
pub fn signer(keys: &[SigningKey], now: Timestamp) -> Option<&SigningKey> {
    let signs = |key: &&SigningKey| key.fits && key.signs_from <= now && now < key.signs_until;
    keys.iter().filter(signs).max_by_key(|key| key.signs_from)
}

/// The keys whose tokens may still be good, the newest first.
pub fn published(keys: &[SigningKey], now: Timestamp) -> Vec<&SigningKey> {
    let mut published: Vec<_> = keys.iter().filter(|key| key.verifies(now)).collect();
    published.sort_by(|a, b| b.signs_from.cmp(&a.signs_from).then_with(|| a.id.cmp(&b.id)));
    published.truncate(KEYS_MAX);
    published
}

/// The end of the chain: the key that none follows.
fn last(keys: &[SigningKey]) -> Option<&SigningKey> {
    let followed = |id: &str| keys.iter().any(|key| key.predecessor == id);
    keys.iter().filter(|key| !followed(&key.id)).max_by_key(|key| key.signs_from)
}

/// What has to be done in the course of things: a first key, a next key in good time, or one at once when none signs: the
/// shop was closed for long, or the clock was wrong when the keys were made.
#[must_use]
pub fn plan(keys: &[SigningKey], times: &KeyTimes, now: Timestamp) -> KeyPlan {
    match last(keys) {
        None => KeyPlan::Make { predecessor: String::new(), signs_from: now },
        Some(last) if signer(keys, now).is_none() => {
            KeyPlan::Make { predecessor: last.id.clone(), signs_from: now }
        }
        Some(last) if last.signs_until.minus(times.ahead) <= now => {
            KeyPlan::Make { predecessor: last.id.clone(), signs_from: last.signs_until }
        }
        Some(_) => KeyPlan::Nothing,
    }
}

/// What has to be done when a rotation with overlap is asked for: which key ends when, and so when the next begins.
///
/// # Errors
/// `ROTATION_PENDING` while the next key is published and does not sign yet.
pub fn overlap(
    keys: &[SigningKey],
    times: &KeyTimes,
    now: Timestamp,
) -> Result<(Option<SigningKey>, KeyPlan)> {
    let Some(last) = last(keys) else { return Ok((None, plan(keys, times, now))) };
    if last.fits && last.signs_from > now {
        let error = Error::precondition("ROTATION_PENDING", "the next key is published already");
        return Err(error.with("signs_from", last.signs_from.to_string()));
    }
    let signs_from = last.signs_until.min(now.plus(times.ahead_on_request)).max(now);
    let verifies_until = last.verifies_until.min(KeyTimes::verifies_until(signs_from));
    let ended = SigningKey { signs_until: last.signs_until.min(signs_from), verifies_until, ..last.clone() };
    Ok((Some(ended), KeyPlan::Make { predecessor: last.id.clone(), signs_from }))
}

/// Whether time went back behind what was issued: keys that begin later than any is made ahead, or facts that are newer
/// than now. Tokens issued before would become good again when their time comes, so all keys have to end.
#[must_use]
pub fn is_behind(keys: &[SigningKey], times: &KeyTimes, newest: Timestamp, now: Timestamp) -> bool {
    let ahead = times.ahead.max(times.ahead_on_request).saturating_add(LEEWAY);
    newest > now.plus(BEHIND)
        || keys.iter().any(|key| key.fits && key.is_open() && key.signs_from > now.plus(ahead))
}

/// The keys as they are when all of them end, and the plan for one that takes over at once. They end at the beginning of
/// time, so that none of them comes back when the clock is set back.
#[must_use]
pub fn end_all(keys: &[SigningKey], now: Timestamp) -> (Vec<SigningKey>, KeyPlan) {
    let ended = keys.iter().filter(|key| key.is_open()).map(|key| SigningKey {
        signs_from: key.signs_from.min(now),
        signs_until: ENDED,
        verifies_until: ENDED,
        ..key.clone()
    });
    let predecessor = last(keys).map(|key| key.id.clone()).unwrap_or_default();
    (ended.collect(), KeyPlan::Make { predecessor, signs_from: now })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TIMES: KeyTimes = KeyTimes {
        life: Duration::from_secs(7 * 86_400),
        ahead: Duration::from_secs(3600),
        ahead_on_request: Duration::from_secs(60),
    };

    fn make(keys: &mut Vec<SigningKey>, plan: &KeyPlan) {
        let KeyPlan::Make { predecessor, signs_from } = plan else { return };
        assert!(keys.iter().all(|key| key.predecessor != *predecessor), "one successor a key");
        let signs_until = signs_from.plus(TIMES.life);
        keys.push(SigningKey {
            id: format!("k{}", keys.len()),
            seed: [0; 32],
            public: [0; 32],
            predecessor: predecessor.clone(),
            signs_from: *signs_from,
            signs_until,
            verifies_until: KeyTimes::verifies_until(signs_until),
            fits: true,
        });
    }

    fn put(keys: &mut [SigningKey], changed: impl IntoIterator<Item = SigningKey>) {
        for changed in changed {
            let key = keys.iter_mut().find(|key| key.id == changed.id).expect("known");
            *key = changed;
        }
    }

    #[test]
    fn the_next_key_is_published_before_it_signs_and_the_old_one_verifies_until_its_last_token_ended() {
        let start = Timestamp::from_secs(1000);
        let mut keys = Vec::new();
        let next = plan(&keys, &TIMES, start);
        make(&mut keys, &next);
        assert_eq!(signer(&keys, start).map(|key| key.id.as_str()), Some("k0"));
        assert_eq!(plan(&keys, &TIMES, start), KeyPlan::Nothing);
        let end = start.plus(TIMES.life);
        let next = plan(&keys, &TIMES, end.minus(TIMES.ahead));
        make(&mut keys, &next);
        assert_eq!(plan(&keys, &TIMES, end.minus(TIMES.ahead)), KeyPlan::Nothing);
        let just_before = end.minus(Duration::from_micros(1));
        assert_eq!(signer(&keys, just_before).map(|key| key.id.as_str()), Some("k0"));
        assert_eq!(published(&keys, just_before).len(), 2);
        assert_eq!(signer(&keys, end).map(|key| key.id.as_str()), Some("k1"));
        assert_eq!(published(&keys, end.plus(TOKEN_LIFE).plus(LEEWAY)).len(), 2);
        assert_eq!(published(&keys, end.plus(TOKEN_LIFE).plus(LEEWAY * 2)).len(), 1);
    }

    #[test]
    fn a_rotation_on_request_overlaps_and_is_not_asked_for_twice() {
        let start = Timestamp::from_secs(1000);
        let mut keys = Vec::new();
        let next = plan(&keys, &TIMES, start);
        make(&mut keys, &next);
        let now = start.plus(Duration::from_secs(100));
        let (ended, next) = overlap(&keys, &TIMES, now).expect("nothing pending");
        keys[0] = ended.expect("there was a key");
        make(&mut keys, &next);
        assert_eq!(overlap(&keys, &TIMES, now).err().expect("pending").reason(), "ROTATION_PENDING");
        assert_eq!(signer(&keys, now).map(|key| key.id.as_str()), Some("k0"));
        let then = now.plus(TIMES.ahead_on_request);
        assert_eq!(signer(&keys, then).map(|key| key.id.as_str()), Some("k1"));
        assert_eq!(plan(&keys, &TIMES, then), KeyPlan::Nothing);
    }

    #[test]
    fn a_key_that_does_not_fit_signs_nothing_and_is_not_published() {
        let start = Timestamp::from_secs(1000);
        let mut keys = Vec::new();
        let next = plan(&keys, &TIMES, start);
        make(&mut keys, &next);
        let stranger = SigningKey {
            id: "stranger".to_owned(),
            predecessor: "k0".to_owned(),
            signs_from: start.plus(Duration::from_secs(1)),
            fits: false,
            ..keys[0].clone()
        };
        keys.push(stranger);
        let now = start.plus(Duration::from_secs(2));
        assert_eq!(signer(&keys, now).map(|key| key.id.as_str()), Some("k0"));
        assert_eq!(published(&keys, now).len(), 1);
        let (_, next) = overlap(&keys, &TIMES, now).expect("it is not the next key");
        make(&mut keys, &next);
        keys[0].fits = false;
        assert!(matches!(plan(&keys[..2], &TIMES, now), KeyPlan::Make { .. }), "another one signs at once");
        assert!(end_all(&keys, now).0.iter().any(|key| key.id == "stranger"), "it ends with all");
    }

    #[test]
    fn an_immediate_rotation_leaves_one_key() {
        let start = Timestamp::from_secs(1000);
        let mut keys = Vec::new();
        let next = plan(&keys, &TIMES, start);
        make(&mut keys, &next);
        let (_, pending) = overlap(&keys, &TIMES, start).expect("nothing pending");
        make(&mut keys, &pending);
        let now = start.plus(Duration::from_secs(10));
        let (ended, next) = end_all(&keys, now);
        assert_eq!(ended.len(), 2);
        keys = ended;
        make(&mut keys, &next);
        assert_eq!(published(&keys, now).len(), 1);
        assert_eq!(signer(&keys, now).map(|key| key.id.as_str()), Some("k2"));
        assert_eq!(plan(&keys, &TIMES, now), KeyPlan::Nothing);
    }

    #[test]
    fn keys_made_a_year_ahead_do_not_keep_anybody_from_signing() {
        let now = Timestamp::from_secs(1_000_000_000);
        let year = Duration::from_secs(365 * 86_400);
        let mut keys = Vec::new();
        let next = plan(&keys, &TIMES, now.plus(year));
        make(&mut keys, &next);
        let next = plan(&keys, &TIMES, now);
        make(&mut keys, &next);
        assert_eq!(signer(&keys, now).map(|key| key.id.as_str()), Some("k1"));
        assert!(is_behind(&keys, &TIMES, now, now), "the first key's tokens must not become good in a year");
        let (ended, next) = end_all(&keys, now);
        put(&mut keys, ended);
        make(&mut keys, &next);
        assert!(!is_behind(&keys, &TIMES, now, now));
        for at in [now.minus(year), now.plus(year)] {
            assert!(!published(&keys, at).iter().any(|key| key.id == "k0" || key.id == "k1"));
        }
    }

    #[test]
    fn keys_that_were_ended_at_once_stay_ended_when_the_clock_goes_back() {
        let now = Timestamp::from_secs(1_000_000_000);
        let mut keys = Vec::new();
        let next = plan(&keys, &TIMES, now);
        make(&mut keys, &next);
        let (ended, next) = end_all(&keys, now.plus(Duration::from_secs(7200)));
        put(&mut keys, ended);
        make(&mut keys, &next);
        assert!(!published(&keys, now).iter().any(|key| key.id == "k0"));
    }

    #[test]
    fn facts_of_the_usual_margin_are_not_taken_for_a_clock_that_was_ahead() {
        let now = Timestamp::from_secs(1_000_000_000);
        let mut keys = Vec::new();
        let next = plan(&keys, &TIMES, now);
        make(&mut keys, &next);
        let end = now.plus(TIMES.life);
        let next = plan(&keys, &TIMES, end.minus(TIMES.ahead));
        make(&mut keys, &next);
        assert!(!is_behind(&keys, &TIMES, super::super::void_before(now), end.minus(TIMES.ahead)));
        assert!(is_behind(&keys, &TIMES, now.plus(Duration::from_secs(3600)), now), "an hour back");
    }

    proptest! {
        #[test]
        fn somebody_signs_wherever_the_clock_leaps(leaps in proptest::collection::vec(-40_000_000_i64..40_000_000, 1..40)) {
            let mut now = Timestamp::from_secs(2_000_000_000);
            let mut keys: Vec<SigningKey> = Vec::new();
            for leap in leaps {
                now = Timestamp::from_secs(now.secs() + leap);
                if is_behind(&keys, &TIMES, now, now) {
                    let (ended, next) = end_all(&keys, now);
                    put(&mut keys, ended);
                    make(&mut keys, &next);
                }
                let next = plan(&keys, &TIMES, now);
                make(&mut keys, &next);
                let signs = signer(&keys, now).expect("somebody signs");
                prop_assert!(published(&keys, now).iter().any(|key| key.id == signs.id));
            }
        }

        #[test]
        fn somebody_signs_at_every_moment(steps in proptest::collection::vec((0_u64..2_000_000, 0_u8..6), 1..40)) {
            let mut now = Timestamp::from_secs(1000);
            let mut keys: Vec<SigningKey> = Vec::new();
            for (seconds, what) in steps {
                now = now.plus(Duration::from_secs(seconds));
                match what {
                    0 => if let Ok((ended, next)) = overlap(&keys, &TIMES, now) {
                        put(&mut keys, ended);
                        make(&mut keys, &next);
                    },
                    1 => {
                        let (ended, next) = end_all(&keys, now);
                        put(&mut keys, ended);
                        make(&mut keys, &next);
                    }
                    _ => {}
                }
                let next = plan(&keys, &TIMES, now);
                make(&mut keys, &next);
                let signs = signer(&keys, now).expect("somebody signs");
                prop_assert!(published(&keys, now).iter().any(|key| key.id == signs.id));
                for key in &keys {
                    prop_assert!(key.signs_until <= key.verifies_until);
                }
            }
        }
    }
}
