//! One accept loop for every listener: who is let in, and whose connection is closed when nothing comes of it.
//!
//! A listener has room for so many connections, and one address for a part of them. When there is no room, the connections
//! that have been idle longest are closed; when none is idle, the newcomer is told so and closed at once. A sweeper closes
//! those that say nothing, have no request for too long, or do not take what is sent to them.

use std::collections::HashMap;
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use mesh::{Budget, Shares, network, policy};
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::Drain;
use crate::connection::{Connection, End, NEVER};
use crate::connections::ListenerMetrics;

/// The part of a listener's connections that one sweep for room closes at least, so that a full listener is not looked
/// through for every newcomer.
const ROOM_PARTS: usize = 64;

/// What a listener lets in, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Connections at once.
    pub(crate) connections_max: usize,
    /// Connections at once of one address.
    pub(crate) per_address_max: usize,
    /// How long a connection may take until it has said what it is for.
    pub(crate) greeting: Duration,
    /// How long a connection may have no request.
    pub(crate) idle: Duration,
    /// How long what is sent may be left lying by its reader.
    pub(crate) write: Duration,
}

/// The connections of one listener.
pub(crate) struct Table {
    name: &'static str,
    limits: Limits,
    metrics: Arc<ListenerMetrics>,
    began: Instant,
    numbers: AtomicU64,
    /// Held weakly: a connection that has ended takes itself out.
    connections: Mutex<HashMap<u64, Weak<Connection>>>,
    by_address: Arc<Shares<IpAddr>>,
    calls: Budget,
    answers: Budget,
}

impl Table {
    pub(crate) fn new(name: &'static str, limits: Limits, metrics: Arc<ListenerMetrics>) -> Arc<Self> {
        metrics.limit(name, limits.connections_max);
        Arc::new(Self {
            name,
            limits,
            metrics,
            began: Instant::now(),
            numbers: AtomicU64::new(0),
            connections: Mutex::default(),
            by_address: Arc::default(),
            calls: Budget::new(policy::CALLS_OPEN_MAX, policy::CALLS_OPEN_PER_ADDRESS_MAX),
            answers: Budget::new(policy::ANSWERS_BYTES_MAX, policy::ANSWERS_BYTES_PER_ADDRESS_MAX),
        })
    }

    /// Milliseconds since the listener began.
    pub(crate) fn now(&self) -> u64 {
        u64::try_from(self.began.elapsed().as_millis()).unwrap_or(NEVER - 1)
    }

    /// Calls that are open.
    pub(crate) fn calls(&self) -> &Budget {
        &self.calls
    }

    /// Bytes of answers that are not taken.
    pub(crate) fn answers(&self) -> &Budget {
        &self.answers
    }

    /// A connection has ended.
    pub(crate) fn forget(&self, number: u64) {
        self.connections.lock().remove(&number);
        self.metrics.open(self.name, -1);
    }

    /// A place for a newcomer; `None` when every connection is busy, of his address or of all.
    pub(crate) fn admit(self: &Arc<Self>, peer: SocketAddr) -> Option<Arc<Connection>> {
        let address = network(peer.ip());
        let mut share = self.by_address.take(address, 1, self.limits.per_address_max);
        if share.is_none() {
            if !self.make_room(Some(address), self.limits.per_address_max) {
                self.metrics.closed(self.name, "refused");
                return None;
            }
            // Those that were asked to end have not gone yet.
            share = self.by_address.take(
                address,
                1,
                self.limits.per_address_max + leaving(self.limits.per_address_max),
            );
        }
        let open = self.connections.lock().len();
        let no_room = open >= self.limits.connections_max
            && (open >= self.limits.connections_max + leaving(self.limits.connections_max)
                || !self.make_room(None, self.limits.connections_max));
        if share.is_none() || no_room {
            self.metrics.closed(self.name, "refused");
            return None;
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection::new(self.clone(), number, address, share));
        self.connections.lock().insert(number, Arc::downgrade(&connection));
        self.metrics.open(self.name, 1);
        Some(connection)
    }

    fn all(&self) -> Vec<Arc<Connection>> {
        // Upgraded under the lock, dropped outside of it: the last handle takes the lock again.
        self.connections.lock().values().filter_map(Weak::upgrade).collect()
    }

    /// Asks the connections that have been idle longest to end, of one address or of all; whether there were any.
    fn make_room(&self, of: Option<IpAddr>, most: usize) -> bool {
        let all = self.all();
        let mut idle: Vec<&Arc<Connection>> = all
            .iter()
            .filter(|connection| connection.is_idle())
            .filter(|connection| of.is_none_or(|address| connection.address() == address))
            .collect();
        idle.sort_unstable_by_key(|connection| connection.active_at());
        let enough = most / ROOM_PARTS + 1;
        for connection in idle.iter().take(enough) {
            connection.ask_to_end(End::Cut);
            self.metrics.closed(self.name, "displaced");
        }
        !idle.is_empty()
    }

    /// Ends what has a fault, once.
    pub(crate) fn sweep(&self) {
        let (now, at) = (self.now(), Instant::now());
        let mut unread = Vec::new();
        for connection in self.all() {
            if connection.is_cut() {
                continue;
            }
            if let Some((end, why)) = connection.fault(now, at, &self.limits) {
                connection.ask_to_end(end);
                self.metrics.closed(self.name, why);
            } else if let Some((since, bytes)) = connection.unread() {
                unread.push((since, bytes, connection));
            }
        }
        self.end_unread(now, unread);
    }

    /// When readers leave too much lying together, ends those who have not read for longest.
    fn end_unread(&self, now: u64, mut unread: Vec<(u64, usize, Arc<Connection>)>) {
        let mut lie: usize = unread.iter().map(|(_, bytes, _)| bytes).sum();
        unread.sort_unstable_by_key(|(since, ..)| *since);
        for (since, bytes, connection) in &unread {
            let lies = Duration::from_millis(now.saturating_sub(*since));
            if lie <= policy::UNREAD_PAGES_BYTES_MAX || lies < policy::UNREAD_PAGES_TIMEOUT {
                return;
            }
            lie -= bytes;
            connection.ask_to_end(End::Cut);
            self.metrics.closed(self.name, "unread");
        }
    }

    /// Ends what has a fault, from time to time.
    async fn watch(self: Arc<Self>) {
        let shortest = self.limits.greeting.min(self.limits.idle).min(self.limits.write);
        let pause = (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(2));
        loop {
            tokio::time::sleep(pause).await;
            self.sweep();
        }
    }
}

/// Connections that may be on their way out beside a full listener.
fn leaving(most: usize) -> usize {
    most / 8 + 4
}

/// Accepts connections until the drain begins.
pub(crate) async fn accept<F>(
    listener: TcpListener,
    table: Arc<Table>,
    drain: Drain,
    refuse: impl Fn(&TcpStream),
    serve: impl Fn(TcpStream, SocketAddr, Arc<Connection>) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    drain.spawn_loop(table.clone().watch());
    loop {
        let accepted = tokio::select! {
            () = drain.draining() => return,
            accepted = listener.accept() => accepted,
        };
        match accepted {
            // Whoever has left already needs nothing.
            Ok((stream, _)) if stream.set_nodelay(true).is_err() => {}
            Ok((stream, peer)) => match table.admit(peer) {
                Some(connection) => {
                    let served = serve(stream, peer, connection.clone());
                    drain.spawn_work(async move {
                        tokio::select! {
                            () = served => {}
                            () = connection.cutting() => {}
                        }
                    });
                }
                None => refuse(&stream),
            },
            // Out of file descriptors, as a rule: what is open goes on, and there is a pause before the next.
            Err(error) => {
                table.metrics.closed(table.name, "not accepted");
                tracing::warn!(%error, listener = table.name, "a connection could not be accepted");
                tokio::time::sleep(policy::RECONNECT_MIN).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits() -> Limits {
        Limits {
            connections_max: 8,
            per_address_max: 4,
            greeting: Duration::from_secs(10),
            idle: Duration::from_secs(30),
            write: Duration::from_secs(20),
        }
    }

    fn table() -> (Arc<Table>, Arc<ListenerMetrics>) {
        let metrics = Arc::new(ListenerMetrics::default());
        (Table::new("grpc", limits(), metrics.clone()), metrics)
    }

    fn peer(last: u8) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, last], 1))
    }

    fn is_cut(connection: &Connection) -> bool {
        connection.is_cut()
    }

    #[tokio::test(start_paused = true)]
    async fn one_address_displaces_its_own_and_nobody_elses() {
        let (table, metrics) = table();
        let other = table.admit(peer(9)).expect("room");
        let mut own = Vec::new();
        for _ in 0..4 {
            tokio::time::advance(Duration::from_millis(5)).await;
            own.push(table.admit(peer(1)).expect("room"));
        }
        let fifth = table.admit(peer(1)).expect("in place of the oldest");
        assert!(is_cut(&own[0]) && !is_cut(&own[1]) && !is_cut(&other));
        assert_eq!(metrics.count("grpc", "displaced"), 1);
        drop(own.remove(0));
        let busy: Vec<_> = own.iter().chain([&fifth]).map(Connection::begin_request).collect();
        assert!(table.admit(peer(1)).is_none(), "all of its connections are busy");
        assert!(table.admit(peer(2)).is_some(), "another address has its own share");
        drop(busy);
        assert!(table.admit(peer(1)).is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_full_listener_closes_what_is_idle_longest() {
        let (table, _) = table();
        let mut open = Vec::new();
        for number in 0..8 {
            tokio::time::advance(Duration::from_millis(5)).await;
            open.push(table.admit(peer(number)).expect("room"));
        }
        open[0].note_activity();
        let ninth = table.admit(peer(100)).expect("in place of the one that is idle longest");
        assert_eq!(open.iter().map(|open| is_cut(open)).collect::<Vec<_>>()[..3], [false, true, false]);
        let busy: Vec<_> = open.iter().chain([&ninth]).map(Connection::begin_request).collect();
        assert!(table.admit(peer(101)).is_none(), "everybody is busy");
        drop((busy, open, ninth));
        assert!(table.connections.lock().is_empty() && table.by_address.of(&peer(1).ip()) == 0);
    }

    #[tokio::test(start_paused = true)]
    async fn large_pages_that_lie_are_ended_sooner() {
        let (table, _) = table();
        let mut open = Vec::new();
        for number in 0..4 {
            tokio::time::advance(Duration::from_millis(5)).await;
            let connection = table.admit(peer(number)).expect("room");
            connection.greet();
            connection.note_answer(policy::UNREAD_PAGES_BYTES_MAX / 2);
            connection.note_blocked(true);
            open.push(connection);
        }
        table.sweep();
        assert!(!open.iter().any(|open| is_cut(open)), "they have a moment");
        tokio::time::advance(policy::UNREAD_PAGES_TIMEOUT).await;
        table.sweep();
        assert_eq!(open.iter().map(|open| is_cut(open)).collect::<Vec<_>>(), [true, true, false, false]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_says_nothing_or_takes_nothing_is_ended() {
        let (table, metrics) = table();
        let silent = table.admit(peer(1)).expect("room");
        let unread = table.admit(peer(2)).expect("room");
        let resting = table.admit(peer(3)).expect("room");
        let busy = table.admit(peer(4)).expect("room");
        let _request = busy.begin_request();
        drop(resting.begin_request());
        unread.greet();
        unread.note_blocked(true);
        tokio::time::advance(Duration::from_secs(9)).await;
        table.sweep();
        assert!(
            [&silent, &unread, &resting, &busy]
                .iter()
                .all(|open| open.fault(table.now(), Instant::now(), &limits()).is_none())
        );
        tokio::time::advance(Duration::from_secs(1)).await;
        unread.note_blocked(true);
        table.sweep();
        assert!(is_cut(&silent) && !is_cut(&unread));
        tokio::time::advance(Duration::from_secs(10)).await;
        table.sweep();
        assert!(is_cut(&unread), "since it was first blocked");
        tokio::time::advance(Duration::from_secs(10)).await;
        table.sweep();
        assert_eq!(resting.ending().await, End::Retire);
        let fault = busy.fault(table.now(), Instant::now(), &limits());
        assert_eq!(fault, None, "a request may take as long as its deadline allows");
        let counts = ["silent", "unread", "idle"].map(|why| metrics.count("grpc", why));
        assert_eq!(counts, [1, 1, 1]);
    }
}
