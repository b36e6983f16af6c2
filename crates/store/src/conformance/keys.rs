//! Keys that live for a time.

use std::time::Duration;

use super::{Opener, TestClock};
use crate::{Quota, Taken};

const MINUTE: Duration = Duration::from_secs(60);

/// And no longer.
pub async fn values_live_for_their_time(opener: &dyn Opener, _: &str) {
    let clock = TestClock::new();
    let keys = opener.keys(clock.clone());
    assert_eq!(keys.get("a").await.expect("a read"), None);
    keys.set("a", b"1", MINUTE).await.expect("set");
    keys.set("b", b"2", MINUTE * 2).await.expect("set");
    assert_eq!(keys.get("a").await.expect("a read"), Some(b"1".to_vec()));
    clock.advance(MINUTE);
    assert_eq!(keys.get("a").await.expect("expired"), None);
    assert_eq!(keys.get("b").await.expect("a read"), Some(b"2".to_vec()));
    assert!(keys.remove("b").await.expect("removed") && !keys.remove("b").await.expect("gone"));
    assert!(keys.set("", b"", MINUTE).await.is_err(), "a key has a name");
}

/// Until they expire.
pub async fn absent_keys_are_set_once(opener: &dyn Opener, _: &str) {
    let clock = TestClock::new();
    let keys = opener.keys(clock.clone());
    assert!(keys.set_if_absent("a", b"1", MINUTE).await.expect("set"));
    assert!(!keys.set_if_absent("a", b"2", MINUTE).await.expect("there"));
    assert_eq!(keys.get("a").await.expect("a read"), Some(b"1".to_vec()));
    clock.advance(MINUTE);
    assert!(keys.set_if_absent("a", b"2", MINUTE).await.expect("set again"));
}

/// From the first addition for their time.
pub async fn counters_add_up(opener: &dyn Opener, _: &str) {
    let clock = TestClock::new();
    let keys = opener.keys(clock.clone());
    assert_eq!(keys.add("n", 2, MINUTE).await.expect("added"), 2);
    clock.advance(MINUTE / 2);
    assert_eq!(keys.add("n", -5, MINUTE).await.expect("added"), -3);
    assert_eq!(keys.get("n").await.expect("a read"), Some(b"-3".to_vec()));
    clock.advance(MINUTE / 2);
    assert_eq!(keys.add("n", 1, MINUTE).await.expect("begun anew"), 1);
    keys.set("text", b"x", MINUTE).await.expect("set");
    assert!(keys.add("text", 1, MINUTE).await.is_err(), "that is no counter");
}

/// A burst, then one by one.
pub async fn tokens_come_at_their_rate(opener: &dyn Opener, _: &str) {
    let clock = TestClock::new();
    let keys = opener.keys(clock.clone());
    let quota = Quota { tokens: 60, period: MINUTE, burst: 3 };
    for remaining in [2, 1, 0] {
        assert_eq!(keys.take_token("a", quota).await.expect("taken"), Taken::Allowed { remaining });
    }
    let denied = Taken::Denied { retry_after: Duration::from_secs(1) };
    assert_eq!(keys.take_token("a", quota).await.expect("asked"), denied);
    assert_eq!(keys.take_token("b", quota).await.expect("apart"), Taken::Allowed { remaining: 2 });
    clock.advance(Duration::from_secs(1));
    assert_eq!(keys.take_token("a", quota).await.expect("taken"), Taken::Allowed { remaining: 0 });
    assert_eq!(keys.take_token("a", quota).await.expect("asked"), denied);
    clock.advance(MINUTE);
    assert_eq!(keys.take_token("a", quota).await.expect("rested"), Taken::Allowed { remaining: 2 });
    clock.advance(MINUTE);
    assert_eq!(keys.take_tokens("a", quota, 2).await.expect("two at once"), Taken::Allowed { remaining: 1 });
    assert_eq!(keys.take_tokens("a", quota, 2).await.expect("asked"), denied, "all or none");
    assert_eq!(keys.take_token("a", quota).await.expect("the third"), Taken::Allowed { remaining: 0 });
    assert!(keys.take_token("a", Quota { tokens: 0, ..quota }).await.is_err(), "a quota of nothing");
}
