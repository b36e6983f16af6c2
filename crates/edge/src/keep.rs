//! Screens that are kept for others: for a stated time, made anew in the background beyond it, dropped when something they show
//! changes. Nothing personal is in them.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use kernel::Clock;
use parking_lot::Mutex;
use tokio::sync::watch;

use crate::compress::Encoding;
use crate::route::Keep;

/// What a kept answer costs beside its bytes, roughly.
const ENTRY_BYTES: usize = 1_024;
/// Drops that are remembered, so that what was being made meanwhile is not kept.
const DROPS_REMEMBERED: usize = 1_024;

/// The bytes of an answer in one encoding, as a visitor without a session gets them.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) bytes: Bytes,
    pub(crate) etag: HeaderValue,
    pub(crate) encoding: Encoding,
}

/// A kept answer.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Its own fields.
    pub(crate) headers: HeaderMap,
    /// The body as it was made, with the mark where personal parts go.
    pub(crate) body: Bytes,
    /// Whether it is a page, into which personal parts go.
    pub(crate) page: bool,
    pub(crate) variants: [OnceLock<Variant>; 4],
    pub(crate) tags: Vec<String>,
    pub(crate) made: Duration,
    pub(crate) keep: Keep,
}

/// How a kept answer was found.
pub(crate) enum Found {
    /// It is fresh, for so much longer.
    Fresh(Arc<Kept>, Duration),
    /// It may be served while it is made anew.
    Stale(Arc<Kept>),
    /// There is none.
    Nothing,
}

/// Whether somebody makes an answer already.
pub(crate) enum Turn {
    /// Make it, and let go of this when it is done.
    Make(Making),
    /// Somebody does: this tells when they are done.
    Wait(watch::Receiver<()>),
}

#[derive(Default)]
struct Inner {
    entries: HashMap<String, Arc<Kept>>,
    /// Keys in the order they came in; the oldest go first.
    order: VecDeque<String>,
    by_tag: HashMap<String, HashSet<String>>,
    bytes: usize,
    drops: VecDeque<String>,
    dropped: u64,
    making: HashMap<String, watch::Receiver<()>>,
}

/// The shelf of a gateway.
pub(crate) struct Shelf {
    clock: Arc<dyn Clock>,
    bytes_max: usize,
    inner: Arc<Mutex<Inner>>,
}

/// Somebody's turn to make an answer; the others wait until it is dropped.
pub(crate) struct Making {
    key: String,
    began: u64,
    inner: Arc<Mutex<Inner>>,
    _done: watch::Sender<()>,
}

impl Drop for Making {
    fn drop(&mut self) {
        self.inner.lock().making.remove(&self.key);
    }
}

impl Shelf {
    pub(crate) fn new(clock: Arc<dyn Clock>, bytes_max: usize) -> Self {
        Self { clock, bytes_max, inner: Arc::default() }
    }

    /// Now, for what is being made.
    pub(crate) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    pub(crate) fn find(&self, key: &str) -> Found {
        let now = self.now();
        let inner = self.inner.lock();
        let Some(kept) = inner.entries.get(key) else { return Found::Nothing };
        let age = now.saturating_sub(kept.made);
        if let Some(left) = kept.keep.fresh.checked_sub(age) {
            return Found::Fresh(kept.clone(), left);
        }
        if age < kept.keep.stale { Found::Stale(kept.clone()) } else { Found::Nothing }
    }

    pub(crate) fn turn(&self, key: &str) -> Turn {
        let mut inner = self.inner.lock();
        if let Some(making) = inner.making.get(key) {
            return Turn::Wait(making.clone());
        }
        let (sender, receiver) = watch::channel(());
        inner.making.insert(key.to_owned(), receiver);
        Turn::Make(Making {
            key: key.to_owned(),
            began: inner.dropped,
            inner: self.inner.clone(),
            _done: sender,
        })
    }

    /// Keeps an answer, unless something that it shows was dropped while it was made. Whether it is kept.
    pub(crate) fn keep(&self, turn: &Making, kept: Arc<Kept>) -> bool {
        let size = kept.size();
        if size > self.bytes_max / 4 {
            return false;
        }
        let mut inner = self.inner.lock();
        let missed = usize::try_from(inner.dropped - turn.began).unwrap_or(usize::MAX);
        let outdated = missed > DROPS_REMEMBERED
            || inner.drops.iter().rev().take(missed).any(|tag| kept.tags.contains(tag));
        if outdated {
            return false;
        }
        inner.remove(&turn.key);
        for tag in &kept.tags {
            inner.by_tag.entry(tag.clone()).or_default().insert(turn.key.clone());
        }
        inner.bytes += size;
        inner.order.push_back(turn.key.clone());
        inner.entries.insert(turn.key.clone(), kept);
        while inner.bytes > self.bytes_max {
            let Some(oldest) = inner.order.front().cloned() else { break };
            inner.remove(&oldest);
        }
        true
    }

    /// Drops what shows something that changed; how many answers that were.
    pub(crate) fn drop_tag(&self, tag: &str) -> usize {
        let mut inner = self.inner.lock();
        inner.dropped += 1;
        if inner.drops.len() == DROPS_REMEMBERED {
            inner.drops.pop_front();
        }
        inner.drops.push_back(tag.to_owned());
        let keys: Vec<String> = inner.by_tag.remove(tag).unwrap_or_default().into_iter().collect();
        for key in &keys {
            inner.remove(key);
        }
        keys.len()
    }

    /// Drops everything, and what is being made.
    pub(crate) fn clear(&self) {
        let mut inner = self.inner.lock();
        let making = std::mem::take(&mut inner.making);
        let dropped = inner.dropped + DROPS_REMEMBERED as u64 + 1;
        *inner = Inner { making, dropped, ..Inner::default() };
    }

    /// Answers that are kept, and their bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        let inner = self.inner.lock();
        (inner.entries.len(), inner.bytes)
    }
}

impl Kept {
    /// Bytes that it may take: the body, and half as much again for each compressed variant at most.
    fn size(&self) -> usize {
        self.body.len() * 2 + ENTRY_BYTES
    }
}

impl Inner {
    fn remove(&mut self, key: &str) {
        let Some(kept) = self.entries.remove(key) else { return };
        self.bytes -= kept.size();
        self.order.retain(|known| known != key);
        for tag in &kept.tags {
            if let Some(keys) = self.by_tag.get_mut(tag) {
                keys.remove(key);
                if keys.is_empty() {
                    self.by_tag.remove(tag);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Still(Mutex<Duration>);
    impl Clock for Still {
        fn now(&self) -> kernel::Timestamp {
            kernel::Timestamp::from_secs(0)
        }
        fn monotonic(&self) -> Duration {
            *self.0.lock()
        }
    }

    fn shelf(bytes_max: usize) -> (Arc<Still>, Shelf) {
        let clock = Arc::new(Still(Mutex::new(Duration::ZERO)));
        (clock.clone(), Shelf::new(clock, bytes_max))
    }

    fn kept(shelf: &Shelf, tags: &[&str], bytes: usize) -> Arc<Kept> {
        Arc::new(Kept {
            headers: HeaderMap::new(),
            body: Bytes::from(vec![b'x'; bytes]),
            page: true,
            variants: Default::default(),
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
            made: shelf.now(),
            keep: Keep { fresh: Duration::from_secs(10), stale: Duration::from_secs(60) },
        })
    }

    fn put(shelf: &Shelf, key: &str, tags: &[&str], bytes: usize) -> bool {
        let Turn::Make(turn) = shelf.turn(key) else { panic!("nobody else makes it") };
        shelf.keep(&turn, kept(shelf, tags, bytes))
    }

    #[test]
    fn fresh_then_stale_then_gone() {
        let (clock, shelf) = shelf(1 << 20);
        assert!(put(&shelf, "a", &[], 10));
        assert!(matches!(shelf.find("a"), Found::Fresh(_, left) if left == Duration::from_secs(10)));
        *clock.0.lock() = Duration::from_secs(11);
        assert!(matches!(shelf.find("a"), Found::Stale(_)));
        *clock.0.lock() = Duration::from_secs(60);
        assert!(matches!(shelf.find("a"), Found::Nothing));
    }

    #[test]
    fn what_changed_is_dropped_wherever_it_shows() {
        let (_, shelf) = shelf(1 << 20);
        put(&shelf, "a", &["bowl"], 10);
        put(&shelf, "b", &["bowl", "mug"], 10);
        put(&shelf, "c", &["mug"], 10);
        assert_eq!(shelf.drop_tag("bowl"), 2);
        assert_eq!(shelf.size().0, 1);
        assert_eq!(shelf.drop_tag("bowl"), 0);
    }

    #[test]
    fn what_changed_while_it_was_made_is_not_kept() {
        let (_, shelf) = shelf(1 << 20);
        let Turn::Make(turn) = shelf.turn("a") else { panic!("nobody else makes it") };
        assert!(matches!(shelf.turn("a"), Turn::Wait(_)));
        shelf.drop_tag("bowl");
        assert!(!shelf.keep(&turn, kept(&shelf, &["bowl"], 10)));
        assert!(shelf.keep(&turn, kept(&shelf, &["mug"], 10)), "something else changed");
        drop(turn);
        assert!(matches!(shelf.turn("a"), Turn::Make(_)));
    }

    #[test]
    fn it_is_never_larger_than_allowed() {
        let (_, shelf) = shelf(100_000);
        for number in 0..200 {
            put(&shelf, &format!("k{number}"), &["tag"], 1_000);
        }
        let (entries, bytes) = shelf.size();
        assert!((20..40).contains(&entries) && bytes <= 100_000, "{entries} {bytes}");
        assert!(matches!(shelf.find("k199"), Found::Fresh(..)) && matches!(shelf.find("k0"), Found::Nothing));
        assert!(!put(&shelf, "huge", &[], 50_000));
    }
}
