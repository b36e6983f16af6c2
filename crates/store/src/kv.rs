//! Keys with a time to live: only for what may be lost, such as caches and quota tokens.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::{Clock, Error, Result};
use parking_lot::Mutex;

/// The most bytes of a key.
pub const KV_KEY_BYTES_MAX: usize = 512;
/// The most bytes of a value.
pub const KV_VALUE_BYTES_MAX: usize = 1 << 20;
/// The most keys in memory unless said otherwise.
pub const KV_ENTRIES_MAX: usize = 100_000;
/// The most bytes of keys and values in memory.
const BYTES_MAX: usize = 64 << 20;
/// Keys that live longer than they did when they were queued, and are queued anew, while one is put: so that a put takes a short
/// time however many there are.
const REQUEUED_MAX: usize = 64;

/// How many tokens there are: `tokens` per `period`, up to `burst` at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Tokens per period, from 1.
    pub tokens: u32,
    /// The period, above zero.
    pub period: Duration,
    /// Tokens that may be taken at once after a rest, from 1.
    pub burst: u32,
}

/// Whether a token was there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It was.
    Allowed {
        /// Tokens that are left now.
        remaining: u32,
    },
    /// It was not.
    Denied {
        /// When the next one comes.
        retry_after: Duration,
    },
}

/// What a key engine does. Each operation is atomic.
#[async_trait]
pub trait KvEngine: Send + Sync + 'static {
    /// See [`Kv::get`].
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>>;
    /// Sets a key, if `absent` only when it is not there; whether it was set.
    async fn set(&self, key: &str, value: &[u8], ttl: Duration, absent: bool) -> Result<bool>;
    /// See [`Kv::add`].
    async fn add(&self, key: &str, by: i64, ttl: Duration) -> Result<i64>;
    /// See [`Kv::take_tokens`].
    async fn take_tokens(&self, key: &str, quota: Quota, cost: u32) -> Result<Taken>;
    /// See [`Kv::remove`].
    async fn remove(&self, key: &str) -> Result<bool>;
}

/// Keys with a time to live.
#[derive(Clone)]
pub struct Kv {
    engine: Arc<dyn KvEngine>,
}

impl Kv {
    /// Over an engine.
    #[must_use]
    pub fn new(engine: Arc<dyn KvEngine>) -> Self {
        Self { engine }
    }

    /// In this process, with at most [`KV_ENTRIES_MAX`] keys: when it is full, what expires first goes first.
    #[must_use]
    pub fn memory(clock: Arc<dyn Clock>) -> Self {
        Self::memory_of(clock, KV_ENTRIES_MAX)
    }

    /// In this process, with at most `entries_max` keys.
    #[must_use]
    pub fn memory_of(clock: Arc<dyn Clock>, entries_max: usize) -> Self {
        Self::new(Arc::new(Memory { clock, entries_max: entries_max.max(1), map: Mutex::default() }))
    }

    /// The value of a key. A counter reads as its decimal digits.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        check(key, 0)?;
        self.engine.get(key).await
    }

    /// Sets a key for a time.
    ///
    /// # Errors
    /// When the store fails; `KV_TOO_LARGE` above [`KV_KEY_BYTES_MAX`] or [`KV_VALUE_BYTES_MAX`].
    pub async fn set(&self, key: &str, value: &[u8], ttl: Duration) -> Result<()> {
        check(key, value.len())?;
        self.engine.set(key, value, ttl, false).await.map(|_| ())
    }

    /// Sets a key for a time if it is not there; whether it was set.
    ///
    /// # Errors
    /// As [`Kv::set`].
    pub async fn set_if_absent(&self, key: &str, value: &[u8], ttl: Duration) -> Result<bool> {
        check(key, value.len())?;
        self.engine.set(key, value, ttl, true).await
    }

    /// Adds to a counter, which begins at 0 and then lives for `ttl`; returns what it is now. Stops at the ends of `i64`.
    ///
    /// # Errors
    /// When the store fails, or the key holds something else.
    pub async fn add(&self, key: &str, by: i64, ttl: Duration) -> Result<i64> {
        check(key, 0)?;
        self.engine.add(key, by, ttl).await
    }

    /// Takes a token of a quota by the generic cell rate algorithm (ITU-T I.371): no bursts beyond `burst`, no windows.
    ///
    /// # Errors
    /// When the store fails, the quota is zero, or the key holds something else.
    pub async fn take_token(&self, key: &str, quota: Quota) -> Result<Taken> {
        self.take_tokens(key, quota, 1).await
    }

    /// Takes several tokens of a quota at once, or none; a cost above the burst counts as the burst.
    ///
    /// # Errors
    /// As [`Kv::take_token`].
    pub async fn take_tokens(&self, key: &str, quota: Quota, cost: u32) -> Result<Taken> {
        check(key, 0)?;
        if quota.tokens == 0 || quota.burst == 0 || quota.period.is_zero() {
            return Err(Error::internal(format!("a quota must not be zero: {quota:?}")));
        }
        self.engine.take_tokens(key, quota, cost.clamp(1, quota.burst)).await
    }

    /// Forgets a key; whether it was there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn remove(&self, key: &str) -> Result<bool> {
        check(key, 0)?;
        self.engine.remove(key).await
    }
}

fn check(key: &str, value_bytes: usize) -> Result<()> {
    if key.is_empty() || key.len() > KV_KEY_BYTES_MAX || value_bytes > KV_VALUE_BYTES_MAX {
        let message =
            format!("a key has 1 to {KV_KEY_BYTES_MAX} bytes and a value at most {KV_VALUE_BYTES_MAX}");
        return Err(Error::invalid("KV_TOO_LARGE", message));
    }
    Ok(())
}

enum Stored {
    Bytes(Vec<u8>),
    Count(i64),
    /// When the quota is whole again: the theoretical arrival time of the algorithm.
    Whole(Duration),
}

impl Stored {
    fn len(&self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Count(_) | Self::Whole(_) => 16,
        }
    }
}

struct Entry {
    stored: Stored,
    expires: Duration,
    /// The place in the queue of what expires: `expires` as it was when the entry was queued. Never after `expires`.
    queued: Duration,
}

/// A map on the clock.
struct Memory {
    clock: Arc<dyn Clock>,
    entries_max: usize,
    map: Mutex<Map>,
}

#[derive(Default)]
struct Map {
    entries: HashMap<Arc<str>, Entry>,
    by_expiry: BTreeSet<(Duration, Arc<str>)>,
    bytes: usize,
}

impl Map {
    fn get(&self, key: &str, now: Duration) -> Option<&Entry> {
        self.entries.get(key).filter(|entry| entry.expires > now)
    }

    fn remove(&mut self, key: &str) -> Option<Entry> {
        let (key, entry) = self.entries.remove_entry(key)?;
        self.bytes -= key.len() + entry.stored.len();
        self.by_expiry.remove(&(entry.queued, key));
        Some(entry)
    }

    fn put(&mut self, key: &str, stored: Stored, expires: Duration, now: Duration, entries_max: usize) {
        self.remove(key);
        self.bytes += key.len() + stored.len();
        let key: Arc<str> = key.into();
        self.by_expiry.insert((expires, Arc::clone(&key)));
        self.entries.insert(key, Entry { stored, expires, queued: expires });
        self.drop_expired(now, entries_max);
    }

    /// Drops what has expired, and what expires first while the map is full.
    fn drop_expired(&mut self, now: Duration, entries_max: usize) {
        let (mut requeued, mut soonest) = (0, None::<(Duration, Arc<str>)>);
        while let Some((first, _)) = self.by_expiry.first() {
            let full = self.entries.len() > entries_max || self.bytes > BYTES_MAX;
            if !full && (*first > now || requeued == REQUEUED_MAX) {
                return;
            }
            let Some((queued, key)) = self.by_expiry.pop_first() else { return };
            let later = self.entries.get_mut(&key).filter(|entry| entry.expires > queued);
            let Some(entry) = later else {
                self.drop_queued(&key);
                continue;
            };
            entry.queued = entry.expires;
            let expires = entry.expires;
            self.by_expiry.insert((expires, key.clone()));
            if soonest.as_ref().is_none_or(|(known, _)| expires < *known) {
                soonest = Some((expires, key));
            }
            requeued += 1;
            if full && requeued > REQUEUED_MAX {
                // Of those that were looked at. What expires later keeps its place, above all a quota that is used up.
                if let Some((expires, key)) = soonest.take() {
                    self.by_expiry.remove(&(expires, key.clone()));
                    self.drop_queued(&key);
                }
            }
        }
    }

    /// Drops an entry that has left the queue.
    fn drop_queued(&mut self, key: &Arc<str>) {
        if let Some(entry) = self.entries.remove(key) {
            self.bytes -= key.len() + entry.stored.len();
        }
    }
}

impl Memory {
    fn within<R>(&self, work: impl FnOnce(&mut Map, Duration) -> R) -> R {
        let now = self.clock.monotonic();
        work(&mut self.map.lock(), now)
    }
}

fn other(key: &str) -> Error {
    Error::internal(format!("the key {key:?} holds something else"))
}

#[async_trait]
impl KvEngine for Memory {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>> {
        self.within(|map, now| match map.get(key, now).map(|entry| &entry.stored) {
            None => Ok(None),
            Some(Stored::Bytes(bytes)) => Ok(Some(bytes.clone())),
            Some(Stored::Count(count)) => Ok(Some(count.to_string().into_bytes())),
            Some(Stored::Whole(_)) => Err(other(key)),
        })
    }

    async fn set(&self, key: &str, value: &[u8], ttl: Duration, absent: bool) -> Result<bool> {
        self.within(|map, now| {
            if absent && map.get(key, now).is_some() {
                return Ok(false);
            }
            map.put(key, Stored::Bytes(value.to_vec()), now.saturating_add(ttl), now, self.entries_max);
            Ok(true)
        })
    }

    async fn add(&self, key: &str, by: i64, ttl: Duration) -> Result<i64> {
        self.within(|map, now| {
            let (count, expires) = match map.get(key, now) {
                None => (0, now.saturating_add(ttl)),
                Some(Entry { stored: Stored::Count(count), expires, .. }) => (*count, *expires),
                Some(_) => return Err(other(key)),
            };
            let count = count.saturating_add(by);
            map.put(key, Stored::Count(count), expires, now, self.entries_max);
            Ok(count)
        })
    }

    async fn take_tokens(&self, key: &str, quota: Quota, cost: u32) -> Result<Taken> {
        let interval = (quota.period / quota.tokens).max(Duration::from_nanos(1));
        let room = interval.saturating_mul(quota.burst);
        self.within(|map, now| {
            let known = map.entries.get_mut(key);
            let is_over = known.as_ref().is_none_or(|entry| entry.expires <= now);
            let known = known.filter(|entry| !is_over || matches!(entry.stored, Stored::Whole(_)));
            let whole = match known.as_ref().map(|entry| &entry.stored) {
                None => now,
                Some(Stored::Whole(whole)) => (*whole).max(now),
                Some(_) => return Err(other(key)),
            };
            let next = whole.saturating_add(interval.saturating_mul(cost));
            let used = next.saturating_sub(now);
            if used > room {
                return Ok(Taken::Denied { retry_after: used.saturating_sub(room) });
            }
            match known {
                // Every request takes tokens, mostly of a key that is there: it keeps its place in the queue, and is queued anew
                // when its turn comes.
                Some(entry) => (entry.stored, entry.expires) = (Stored::Whole(next), next),
                None => map.put(key, Stored::Whole(next), next, now, self.entries_max),
            }
            let remaining =
                (room.saturating_sub(used).as_nanos() / interval.as_nanos()).min(u128::from(quota.burst));
            Ok(Taken::Allowed { remaining: u32::try_from(remaining).unwrap_or(quota.burst) })
        })
    }

    async fn remove(&self, key: &str) -> Result<bool> {
        Ok(self.within(|map, now| map.remove(key).is_some_and(|entry| entry.expires > now)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::TestClock;

    #[tokio::test]
    async fn a_full_map_gives_up_what_expires_first() {
        let kv = Kv::memory_of(TestClock::new(), 3);
        for (key, seconds) in [("b", 20), ("a", 10), ("c", 30), ("d", 40)] {
            kv.set(key, b"x", Duration::from_secs(seconds)).await.expect("set");
        }
        assert_eq!(kv.get("a").await.expect("a read"), None);
        for key in ["b", "c", "d"] {
            assert!(kv.get(key).await.expect("a read").is_some(), "{key}");
        }
    }

    #[tokio::test]
    async fn a_quota_that_is_used_outlives_what_expires_before_it() {
        let clock = TestClock::new();
        let kv = Kv::memory_of(clock.clone(), 2);
        let quota = Quota { tokens: 60, period: Duration::from_secs(60), burst: 60 };
        kv.take_tokens("used", quota, 10).await.expect("a quota");
        kv.set("short", b"x", Duration::from_secs(20)).await.expect("set");
        // Whole again after the other has expired: what is full gives up the other.
        kv.take_tokens("used", quota, 30).await.expect("a quota");
        kv.set("long", b"x", Duration::from_secs(90)).await.expect("set");
        assert_eq!(kv.get("short").await.expect("a read"), None);
        let taken = kv.take_tokens("used", quota, 1).await.expect("a quota");
        assert_eq!(taken, Taken::Allowed { remaining: 19 });
        // And goes when it is whole.
        clock.advance(Duration::from_secs(60));
        kv.set("more", b"x", Duration::from_secs(90)).await.expect("set");
        assert_eq!(
            kv.take_tokens("used", quota, 1).await.expect("a quota"),
            Taken::Allowed { remaining: 59 }
        );
    }

    #[tokio::test]
    async fn a_quota_that_is_used_up_stays_among_many_that_are_used() {
        let kv = Kv::memory_of(TestClock::new(), 3 * REQUEUED_MAX);
        let quota = Quota { tokens: 60, period: Duration::from_secs(60), burst: 60 };
        for cost in [1, 59] {
            kv.take_tokens("spent", quota, cost).await.expect("a quota");
        }
        for _ in 0..2 {
            for n in 1..3 * REQUEUED_MAX {
                kv.take_tokens(&format!("other {n}"), quota, 1).await.expect("a quota");
            }
        }
        for n in 0..REQUEUED_MAX {
            kv.set(&format!("new {n}"), b"x", Duration::from_secs(90)).await.expect("set");
            let taken = kv.take_tokens("spent", quota, 1).await.expect("a quota");
            assert!(matches!(taken, Taken::Denied { .. }), "after {n}");
        }
    }

    #[tokio::test]
    async fn expired_keys_leave_no_bytes() {
        let clock = TestClock::new();
        let memory = Memory { clock: clock.clone(), entries_max: 10, map: Mutex::default() };
        for at in 0..5 {
            memory.set(&format!("k{at}"), &[0; 100], Duration::from_secs(1), false).await.expect("set");
        }
        clock.advance(Duration::from_secs(1));
        memory.set("last", &[0; 10], Duration::from_secs(1), false).await.expect("set");
        let map = memory.map.lock();
        assert_eq!((map.entries.len(), map.by_expiry.len(), map.bytes), (1, 1, 14));
    }
}
