//! What the feed and the service share: the index that serves, and how it stands.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::{ArcSwap, ArcSwapOption};
use contract::souk::event::v1::Position as WirePosition;
use contract::souk::search::v1 as pb;
use contract::wire;
use kernel::Timestamp;
use parking_lot::Mutex;
use store::Position;
use tokio::sync::Notify;

use crate::categories::Categories;
use crate::index::Index;

/// Request keys of Reindex that are remembered.
const KEYS_MAX: usize = 100;

/// An index that serves.
pub struct Served {
    /// The index.
    pub index: Index,
    /// Rises by one with each that takes its predecessor's place in this process.
    pub generation: u64,
    /// When it was built or opened.
    pub built: Timestamp,
    /// How long that took.
    pub took: Duration,
}

/// Shared by the feed, which writes it, and the service, which reads it.
#[derive(Default)]
pub struct State {
    /// The index that serves; `None` until the first one is built.
    pub served: ArcSwapOption<Served>,
    /// Categories by id.
    pub categories: ArcSwap<Categories>,
    /// Wakes the feed to build a new index.
    pub rebuild: Notify,
    /// Products in the index that is being built.
    pub building: AtomicU64,
    is_building: AtomicBool,
    /// What the index shows, and the newest that is known.
    positions: Mutex<(Position, Position)>,
    keys: Mutex<VecDeque<(String, String)>>,
}

impl State {
    /// Asks for a new index, unless this request did so before; answers whether it did.
    pub fn ask_rebuild(&self, principal: String, request_id: String) -> bool {
        let key = (principal, request_id);
        let mut keys = self.keys.lock();
        if keys.contains(&key) {
            return true;
        }
        if keys.len() >= KEYS_MAX {
            keys.pop_front();
        }
        keys.push_back(key);
        if !self.is_building.swap(true, Ordering::AcqRel) {
            self.rebuild.notify_one();
        }
        false
    }

    /// Notes that an index is being built.
    pub fn begin_building(&self) {
        self.building.store(0, Ordering::Release);
        self.is_building.store(true, Ordering::Release);
    }

    /// Notes that none is being built.
    pub fn end_building(&self) {
        self.is_building.store(false, Ordering::Release);
        self.building.store(0, Ordering::Release);
    }

    /// Puts an index in the place of the one that serves, which is returned.
    pub fn serve(
        &self,
        index: Index,
        position: Position,
        built: Timestamp,
        took: Duration,
    ) -> Option<Arc<Served>> {
        let generation = self.served.load().as_ref().map_or(1, |served| served.generation + 1);
        self.shows(position);
        self.served.swap(Some(Arc::new(Served { index, generation, built, took })))
    }

    /// Notes what the index shows.
    pub fn shows(&self, position: Position) {
        self.positions.lock().0 = position;
    }

    /// Notes the newest event that is known.
    pub fn knows(&self, head: Position) {
        self.positions.lock().1 = head;
    }

    /// What the index shows.
    pub fn position(&self) -> Position {
        self.positions.lock().0
    }

    /// How the index stands.
    pub fn status(&self) -> pb::IndexStatus {
        let (position, head) = *self.positions.lock();
        let served = self.served.load();
        let is_building = self.is_building.load(Ordering::Acquire);
        let state = match (&*served, is_building) {
            (None, _) => pb::IndexState::Building,
            (Some(_), true) => pb::IndexState::Reindexing,
            (Some(_), false) => pb::IndexState::Serving,
        };
        let mut status = pb::IndexStatus {
            state: state.into(),
            position: Some(to_wire(position)),
            lag_events: head.sequence.saturating_sub(position.sequence).max(0),
            building_documents: signed(self.building.load(Ordering::Acquire)),
            ..pb::IndexStatus::default()
        };
        if let Some(served) = &*served {
            status.documents = signed(served.index.documents());
            status.generation = signed(served.generation);
            status.build_time = Some(wire::timestamp(served.built));
            status.build_duration = Some(wire::duration(served.took));
        }
        status
    }
}

/// A count for the wire.
pub fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// A position for the wire.
pub fn to_wire(position: Position) -> WirePosition {
    WirePosition { epoch: position.epoch, sequence: position.sequence }
}
