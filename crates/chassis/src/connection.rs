//! One connection, as its listener sees it: whether it has a request, waits for its reader, or has a fault.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use mesh::Spent;
use parking_lot::Mutex;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::listener::{Limits, Table};

/// Milliseconds that mean "not".
pub(crate) const NEVER: u64 = u64::MAX;

const OPEN: u8 = 0;
const RETIRED: u8 = 1;
const CUT: u8 = 2;

/// Why a connection is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// When what is in flight is answered.
    Retire,
    /// At once.
    Cut,
}

/// Answers of a connection that its reader leaves lying; what the sweeper asks.
pub(crate) trait Unsent: Send + Sync {
    /// Frees the answers that have lain for `most`; whether the connection is to be cut because of them.
    fn drop_stalled(&self, now: Instant, most: Duration) -> bool;
}

/// One connection, as its listener sees it. Its place is given back when the last handle is dropped.
pub(crate) struct Connection {
    table: Arc<Table>,
    number: u64,
    requests: AtomicUsize,
    /// These are in the table's milliseconds; [`NEVER`] for what is not.
    opened: u64,
    greeted: AtomicU8,
    /// When a request began or ended last.
    last_request: AtomicU64,
    /// Since when the head of a further request arrives.
    head: AtomicU64,
    /// When it was asked to end.
    retired: AtomicU64,
    blocked: AtomicU64,
    answer_bytes: AtomicUsize,
    address: IpAddr,
    end: AtomicU8,
    ended: Notify,
    unsent: Mutex<Option<Arc<dyn Unsent>>>,
}

impl Connection {
    pub(crate) fn new(table: Arc<Table>, number: u64, address: IpAddr) -> Self {
        let now = table.now();
        Self {
            table,
            number,
            address,
            requests: AtomicUsize::new(0),
            opened: now,
            greeted: AtomicU8::new(0),
            last_request: AtomicU64::new(now),
            head: AtomicU64::new(NEVER),
            retired: AtomicU64::new(NEVER),
            blocked: AtomicU64::new(NEVER),
            answer_bytes: AtomicUsize::new(0),
            end: AtomicU8::new(OPEN),
            ended: Notify::new(),
            unsent: Mutex::new(None),
        }
    }

    /// Since when it has no request, in the table's milliseconds; `None` while it has one, or is cut.
    pub(crate) fn idle_since(&self) -> Option<u64> {
        let is_idle = self.requests.load(Ordering::Acquire) == 0 && !self.is_cut();
        is_idle.then(|| self.last_request.load(Ordering::Relaxed))
    }

    /// When its last request began or ended, in the table's milliseconds, and its number, which orders those of one moment.
    pub(crate) fn last_request(&self) -> (u64, u64) {
        (self.last_request.load(Ordering::Relaxed), self.number)
    }

    /// A place among the WebSockets of the listener; `None` when they have their part of its connections.
    pub(crate) fn open_socket(&self) -> Option<Spent> {
        self.table.sockets().take(self.address, 1)
    }

    /// Since when a write waits for the other side, in the table's milliseconds, and the bytes of the answer that waits.
    pub(crate) fn unread(&self) -> Option<(u64, usize)> {
        let since = self.blocked.load(Ordering::Relaxed);
        (since != NEVER).then(|| (since, self.answer_bytes.load(Ordering::Relaxed)))
    }

    /// Whether it was told to end at once.
    pub(crate) fn is_cut(&self) -> bool {
        self.end.load(Ordering::Acquire) == CUT
    }

    /// Bytes came from the other side; between two requests they begin the head of the next one.
    pub(crate) fn note_read(&self) {
        let begins = self.head.load(Ordering::Relaxed) == NEVER && self.requests.load(Ordering::Acquire) == 0;
        if begins {
            self.head.store(self.table.now(), Ordering::Relaxed);
        }
    }

    /// A write waits for the other side, or does not any more.
    pub(crate) fn note_blocked(&self, blocked: bool) {
        if !blocked {
            self.blocked.store(NEVER, Ordering::Relaxed);
        } else if self.blocked.load(Ordering::Relaxed) == NEVER {
            self.blocked.store(self.table.now(), Ordering::Relaxed);
        }
    }

    /// An answer of this size is being sent.
    pub(crate) fn note_answer(&self, bytes: usize) {
        self.answer_bytes.store(bytes, Ordering::Relaxed);
    }

    /// A slot among the calls that are open; `None` when its address, or all, have as many as they may.
    pub(crate) fn open_call(&self) -> Option<Spent> {
        self.table.calls().take(self.address, 1)
    }

    /// Room for an answer until it is taken; `None` when its address, or all, leave too much lying.
    pub(crate) fn keep_answer(&self, bytes: usize) -> Option<Spent> {
        self.table.answers().take(self.address, bytes)
    }

    /// It has said what it is for.
    pub(crate) fn greet(&self) {
        self.greeted.store(1, Ordering::Relaxed);
    }

    /// Its answers are asked, too, whether they are taken.
    pub(crate) fn watch_answers(&self, unsent: Arc<dyn Unsent>) {
        *self.unsent.lock() = Some(unsent);
    }

    /// A request, or a socket, that is not done with: the connection is not idle until this is dropped.
    pub(crate) fn begin_request(self: &Arc<Self>) -> InFlight {
        self.greet();
        self.requests.fetch_add(1, Ordering::AcqRel);
        self.head.store(NEVER, Ordering::Relaxed);
        self.last_request.store(self.table.now(), Ordering::Relaxed);
        InFlight(self.clone())
    }

    /// Resolves when the listener wants the connection to end.
    pub(crate) async fn ending(&self) -> End {
        loop {
            let notified = self.ended.notified();
            match self.end.load(Ordering::Acquire) {
                RETIRED => return End::Retire,
                CUT => return End::Cut,
                _ => notified.await,
            }
        }
    }

    /// Resolves when the connection is to end at once.
    pub(crate) async fn cutting(&self) {
        loop {
            let notified = self.ended.notified();
            if self.end.load(Ordering::Acquire) == CUT {
                return;
            }
            notified.await;
        }
    }

    /// Asks it to end; its task sees to it. Whether it was not asked before.
    pub(crate) fn ask_to_end(&self, end: End) -> bool {
        let to = match end {
            End::Cut => CUT,
            End::Retire => {
                self.retired.store(self.table.now(), Ordering::Relaxed);
                RETIRED
            }
        };
        let is_new = self.end.fetch_max(to, Ordering::AcqRel) < to;
        if is_new {
            self.ended.notify_waiters();
            if end == End::Cut {
                self.table.note_leaving(self.address);
            }
        }
        is_new
    }

    /// What is wrong with it, if anything is.
    pub(crate) fn fault(&self, now: u64, at: Instant, limits: &Limits) -> Option<(End, &'static str)> {
        let for_longer = |since: u64, most: Duration| {
            since != NEVER && Duration::from_millis(now.saturating_sub(since)) >= most
        };
        let is_greeted = self.greeted.load(Ordering::Relaxed) != 0;
        let (began, most) = if is_greeted {
            (self.head.load(Ordering::Relaxed), limits.head)
        } else {
            (self.opened, Some(limits.greeting))
        };
        if most.is_some_and(|most| for_longer(began, most)) {
            return Some((End::Cut, "silent"));
        }
        if for_longer(self.blocked.load(Ordering::Relaxed), limits.write) {
            return Some((End::Cut, "unread"));
        }
        let unsent = self.unsent.lock().clone();
        if unsent.is_some_and(|unsent| unsent.drop_stalled(at, limits.write)) {
            return Some((End::Cut, "unread"));
        }
        let since = self.idle_since()?;
        let retired = self.retired.load(Ordering::Relaxed);
        if retired == NEVER {
            return for_longer(since, limits.idle).then_some((End::Retire, "idle"));
        }
        // Whoever answers to everything but the end does not stay for ever.
        for_longer(since.max(retired), limits.write).then_some((End::Cut, "idle"))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.table.forget(self.address, self.number, self.is_cut());
    }
}

/// A request that is not done with.
pub(crate) struct InFlight(Arc<Connection>);

impl InFlight {
    /// Its connection.
    pub(crate) fn connection(&self) -> &Connection {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.last_request.store(self.0.table.now(), Ordering::Relaxed);
        self.0.requests.fetch_sub(1, Ordering::AcqRel);
    }
}
