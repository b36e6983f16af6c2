//! Responses that are the same for everybody, kept in memory: fresh for a stated time, served stale while they are made anew,
//! worthless once something that they show changes. Nothing in them is made from anybody's request.
//!
//! What is kept is bounded in bytes, by the sizes that an allocator gives out. Looking up, inserting, evicting and dropping a
//! tag each take a time that does not depend on how much is kept, and no lock is held by all.

use std::collections::HashMap;
use std::hash::RandomState;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use kernel::{Clock, Error, Result};
use parking_lot::Mutex;
use quick_cache::sync::{Cache, DefaultLifecycle};
use quick_cache::{OptionsBuilder, Weighter};
use tokio::sync::watch;

use crate::compress::Encoding;
use crate::generations::{Generation, Generations, Slot};
use crate::route::Keep;

/// Longest key, in bytes. A response with a longer one is made for its request alone.
pub(crate) const KEY_BYTES_MAX: usize = 2_048;
/// Responses that are made once for all who ask meanwhile. Beyond that each request makes its own.
const FLIGHTS_MAX: usize = 1_024;
/// How long a stale response is served before it is tried again to make it anew, after that failed.
const RENEWAL_PAUSE: Duration = Duration::from_secs(5);
/// Bytes that a shard is to have, while there are fewer than the most: what the largest response is measured by.
const SHARD_BYTES: usize = 8 << 20;
/// Shards at most.
const SHARDS_MAX: usize = 16;
/// What the tables of the cache take for an entry: its place in a list that grows by doubling, its hash, and the hash of an
/// entry that was evicted a while ago.
const ENTRY_BYTES: usize = 256;
/// What an allocator holds beyond what is in use when responses of all sizes come and go: the example `flood` measured 31 to 46.
const FRAGMENTATION_PERCENT: usize = 45;
/// What a header value of its own takes.
const VALUE_BYTES: usize = 64;
/// The share of the cache that is for what was asked for more than once.
const HOT: f64 = 0.8;
/// A response that is expected when the tables are sized, in bytes.
const TYPICAL_BYTES: usize = 8 << 10;

/// The bytes of a response in one encoding, as a visitor without a session gets them.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) bytes: Bytes,
    pub(crate) etag: HeaderValue,
    pub(crate) encoding: Encoding,
}

/// A response that is kept.
#[derive(Debug)]
pub(crate) struct CachedResponse {
    /// Its own fields.
    pub(crate) headers: Box<[(HeaderName, HeaderValue)]>,
    /// The body as it was made, with the mark where personal parts go.
    pub(crate) body: Bytes,
    /// Whether it is a page, into which personal parts go.
    pub(crate) page: bool,
    /// Whether compressing it makes it smaller.
    pub(crate) compressible: bool,
    pub(crate) variants: [OnceLock<Variant>; 4],
    /// When it was begun, on the monotonic clock.
    pub(crate) made: Duration,
    pub(crate) keep: Keep,
    slots: Box<[Slot]>,
    begun: Generation,
    /// The latest change at which it was found to hold still.
    held: AtomicU64,
    /// When it could last not be made anew, in milliseconds of the monotonic clock; 0 when it was not tried.
    failed: AtomicU64,
}

/// How a response was found.
pub(crate) enum Found {
    /// It is fresh, for so much longer.
    Fresh(Arc<CachedResponse>, Duration),
    /// It may be served while it is made anew.
    Stale(Arc<CachedResponse>),
    /// There is none.
    Nothing,
}

/// Whether somebody makes a response already.
pub(crate) enum Turn {
    /// Make it, and let go of this when it is done.
    Make(Flight),
    /// Somebody does: this tells when they are done.
    Wait(watch::Receiver<()>),
}

/// An entry: its weight changes with its variants, and only where the cache is told.
#[derive(Clone)]
struct Entry {
    response: Arc<CachedResponse>,
    weight: u64,
}

#[derive(Clone)]
struct Weigh;

impl Weighter<Box<str>, Entry> for Weigh {
    fn weight(&self, _: &Box<str>, entry: &Entry) -> u64 {
        entry.weight
    }
}

type Flights = Mutex<HashMap<Box<str>, watch::Receiver<()>>>;

/// The responses that a gateway keeps.
pub(crate) struct ResponseCache {
    clock: Arc<dyn Clock>,
    entries: Cache<Box<str>, Entry, Weigh, RandomState>,
    generations: Generations,
    flights: Arc<Flights>,
    /// The heaviest entry that is kept.
    weight_max: u64,
}

/// Somebody makes a response; who wants the same waits until this is dropped.
pub(crate) struct Flight {
    begun: Generation,
    started: Duration,
    /// Absent when nobody waits for it.
    shared: Option<SharedFlight>,
}

struct SharedFlight {
    key: Box<str>,
    flights: Arc<Flights>,
    _done: watch::Sender<()>,
}

impl Drop for SharedFlight {
    fn drop(&mut self) {
        self.flights.lock().remove(&self.key);
    }
}

impl Flight {
    /// Whether others wait for it.
    pub(crate) fn is_shared(&self) -> bool {
        self.shared.is_some()
    }
}

impl ResponseCache {
    /// Takes at most so many bytes, its tables among them.
    ///
    /// # Errors
    /// INTERNAL when the cache's options contradict each other.
    pub(crate) fn new(clock: Arc<dyn Clock>, bytes_max: usize) -> Result<Self> {
        let generations = Generations::for_cache(bytes_max);
        let left = bytes_max.saturating_sub(generations.bytes());
        let shards = (left / SHARD_BYTES).next_power_of_two().clamp(1, SHARDS_MAX);
        let options = OptionsBuilder::new()
            .shards(shards)
            .estimated_items_capacity((left / TYPICAL_BYTES).max(1))
            .weight_capacity(left as u64)
            // The rest is for what was asked for once, so that new responses have the time to be asked for again.
            .hot_allocation(HOT)
            .build();
        let options = options.map_err(|error| Error::internal(error.to_string()))?;
        let entries = Cache::with_options(options, Weigh, RandomState::new(), DefaultLifecycle::default());
        let weight_max = entries.shard_capacity() / 4;
        Ok(Self { clock, entries, generations, flights: Arc::default(), weight_max })
    }

    pub(crate) fn find(&self, key: &str) -> Found {
        let Some(Entry { response, .. }) = self.entries.get(key) else { return Found::Nothing };
        if !response.holds(&self.generations) {
            return Found::Nothing;
        }
        let age = self.clock.monotonic().saturating_sub(response.made);
        if let Some(left) = response.keep.fresh.checked_sub(age) {
            return Found::Fresh(response, left);
        }
        if age < response.keep.stale { Found::Stale(response) } else { Found::Nothing }
    }

    /// Begins to make a response, unless somebody does.
    pub(crate) fn turn(&self, key: &str) -> Turn {
        let mut flights = self.flights.lock();
        if let Some(done) = flights.get(key) {
            return Turn::Wait(done.clone());
        }
        let shared = (flights.len() < FLIGHTS_MAX && key.len() <= KEY_BYTES_MAX).then(|| {
            let (sender, receiver) = watch::channel(());
            flights.insert(key.into(), receiver);
            SharedFlight { key: key.into(), flights: self.flights.clone(), _done: sender }
        });
        drop(flights);
        Turn::Make(Flight { shared, ..self.alone() })
    }

    /// Begins to make a response that nobody waits for.
    pub(crate) fn alone(&self) -> Flight {
        Flight { begun: self.generations.now(), started: self.clock.monotonic(), shared: None }
    }

    /// A response to keep, as it was made in a flight: nothing of it is larger than it needs to be.
    pub(crate) fn response(&self, flight: &Flight, content: Content, keep: Keep) -> Arc<CachedResponse> {
        let slots = content.tags.iter().map(|tag| self.generations.slot(tag)).collect();
        Arc::new(CachedResponse {
            compressible: !crate::compress::is_dense(&content.headers),
            headers: content.headers.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
            body: content.body,
            page: content.page,
            variants: Default::default(),
            made: flight.started,
            keep,
            slots,
            begun: flight.begun,
            held: AtomicU64::new(flight.begun.number()),
            failed: AtomicU64::new(0),
        })
    }

    /// Keeps a response, unless something that it shows changed while it was made. Whether it is kept.
    pub(crate) fn insert(&self, key: &str, response: Arc<CachedResponse>) -> bool {
        let weight = response.weight(key);
        if key.len() > KEY_BYTES_MAX || weight > self.weight_max || !response.holds(&self.generations) {
            return false;
        }
        self.entries.insert(key.into(), Entry { response, weight });
        true
    }

    /// Tells the cache what a response weighs now that it has another variant.
    ///
    /// Another response may take its place between the look and the change. This one then stands there again, which does no
    /// harm: each is checked for what changed since it was begun.
    pub(crate) fn weigh(&self, key: &str, response: &Arc<CachedResponse>) {
        let Some(entry) = self.entries.peek(key) else { return };
        let weight = response.weight(key);
        if !Arc::ptr_eq(&entry.response, response) || entry.weight == weight {
            return;
        }
        if weight > self.weight_max {
            self.entries.remove(key);
        } else {
            // Evicted meanwhile: then there is nothing to weigh.
            let _ = self.entries.replace(key.into(), Entry { response: response.clone(), weight }, true);
        }
    }

    /// Makes worthless what shows something that changed.
    pub(crate) fn drop_tag(&self, tag: &str) {
        self.generations.change(tag);
    }

    /// Makes worthless everything, and what is being made. Its memory goes to what is made next.
    pub(crate) fn change_all(&self) {
        self.generations.change_all();
    }

    /// Responses that are kept, and the bytes that they and the tables take.
    pub(crate) fn size(&self) -> (usize, usize) {
        let bytes = usize::try_from(self.entries.weight()).unwrap_or(usize::MAX);
        (self.entries.len(), bytes.saturating_add(self.generations.bytes()))
    }
}

/// What a screen made, on its way to be kept.
#[derive(Default)]
pub(crate) struct Content {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
    pub(crate) page: bool,
    pub(crate) tags: Vec<String>,
}

impl CachedResponse {
    /// Whether it is time to make it anew: not just after that failed.
    pub(crate) fn may_be_renewed(&self, now: Duration) -> bool {
        let failed = self.failed.load(Ordering::Relaxed);
        failed == 0 || milliseconds(now).saturating_sub(failed) >= milliseconds(RENEWAL_PAUSE)
    }

    /// Notes that it could not be made anew.
    pub(crate) fn renewal_failed(&self, now: Duration) {
        self.failed.store(milliseconds(now).max(1), Ordering::Relaxed);
    }

    fn holds(&self, generations: &Generations) -> bool {
        let now = generations.now().number();
        if self.held.load(Ordering::Relaxed) == now {
            return true;
        }
        let holds = generations.holds(self.begun, &self.slots);
        if holds {
            self.held.store(now, Ordering::Relaxed);
        }
        holds
    }

    /// Bytes that it takes in memory under this key.
    fn weight(&self, key: &str) -> u64 {
        let own = size_of::<Self>() + 2 * size_of::<usize>();
        let headers = size_of_val(&*self.headers) + self.headers.len() * VALUE_BYTES;
        let variants = self.variants.iter().filter_map(OnceLock::get).map(|variant| {
            // What is not compressed may be the body itself.
            let shared = variant.bytes.as_ptr() == self.body.as_ptr();
            if shared { VALUE_BYTES } else { allocation(variant.bytes.len()) + VALUE_BYTES }
        });
        let parts = [own, key.len(), headers, self.body.len(), size_of_val(&*self.slots)];
        let bytes = parts.into_iter().map(allocation).sum::<usize>() + variants.sum::<usize>() + ENTRY_BYTES;
        (bytes + bytes * FRAGMENTATION_PERCENT / 100) as u64
    }
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// What an allocator takes for so many bytes: allocators with size classes (mimalloc, jemalloc) round up to a quarter of the
/// power of two below.
fn allocation(bytes: usize) -> usize {
    if bytes <= 16 {
        return if bytes == 0 { 0 } else { 16 };
    }
    let step = (1 << bytes.ilog2()) / 4;
    bytes.next_multiple_of(step)
}

#[cfg(test)]
mod tests;
