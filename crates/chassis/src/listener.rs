//! One accept loop for every listener: who is let in, and whose connection is closed when nothing comes of it.
//!
//! A listener has room for so many connections, and one address for a part of them. When there is no room, the connections
//! that have had no request for longest are closed; when all have one, those of the addresses that have most, unless the newcomer
//! has as many himself. Then he is closed at once, after an answer that says so where HTTP/1.1 is spoken. A sweeper closes those that say nothing, have no request for too long, or do not take what is
//! sent to them.

use std::collections::{BinaryHeap, HashMap};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use mesh::{Budget, network, policy};
use parking_lot::Mutex;
use tokio::net::{TcpListener, TcpStream};
use tokio::time::Instant;

use crate::Drain;
use crate::connection::{Connection, End, NEVER};
use crate::connections::ListenerMetrics;

/// The part of a listener's connections that one search for room closes, so that a full listener is not looked through for
/// every newcomer.
const ROOM_PARTS: usize = 64;
/// WebSockets leave one in so many of a listener's connections to pages.
const PAGE_PARTS: usize = 8;
/// For how long nobody searches again where no connection could be closed.
const SEARCH_PAUSE: Duration = Duration::from_millis(100);

/// What a listener lets in, and for how long.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// Connections at once.
    pub(crate) connections_max: usize,
    /// Connections at once of one address.
    pub(crate) per_address_max: usize,
    /// How long a connection may take until it has said what it is for.
    pub(crate) greeting: Duration,
    /// How long the head of a further request may take from its first byte; `None` where requests share a connection.
    pub(crate) head: Option<Duration>,
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
    connections: Mutex<Connections>,
    calls: Budget,
    answers: Budget,
    sockets: Budget,
}

/// The connections of a listener, by address. Held weakly: a connection that has ended takes itself out.
#[derive(Default)]
struct Connections {
    all: Count,
    by_address: HashMap<IpAddr, Own>,
}

/// The connections of one address.
#[derive(Default)]
struct Own {
    count: Count,
    connections: HashMap<u64, Weak<Connection>>,
}

#[derive(Default)]
struct Count {
    open: usize,
    /// Of which were asked to end at once, and have not ended yet.
    leaving: usize,
    /// When no connection could be closed for a newcomer, and how many he had himself.
    searched_in_vain: Option<(Instant, usize)>,
}

impl Count {
    /// Those that were not asked to end.
    fn staying(&self) -> usize {
        self.open - self.leaving
    }
}

impl Own {
    fn open(&self) -> impl Iterator<Item = Arc<Connection>> {
        self.connections.values().filter_map(Weak::upgrade)
    }
}

impl Connections {
    /// Of an address, if it has any, or of all.
    fn count(&mut self, of: Option<IpAddr>) -> Option<&mut Count> {
        match of {
            Some(address) => self.by_address.get_mut(&address).map(|own| &mut own.count),
            None => Some(&mut self.all),
        }
    }
}

impl Table {
    pub(crate) fn new(name: &'static str, limits: Limits, metrics: Arc<ListenerMetrics>) -> Arc<Self> {
        metrics.limit(name, limits.connections_max);
        let sockets_max = (limits.connections_max - limits.connections_max / PAGE_PARTS).max(1);
        Arc::new(Self {
            name,
            limits,
            metrics,
            began: Instant::now(),
            numbers: AtomicU64::new(0),
            connections: Mutex::default(),
            calls: Budget::new(policy::CALLS_OPEN_MAX, policy::CALLS_OPEN_PER_ADDRESS_MAX),
            answers: Budget::new(policy::ANSWERS_BYTES_MAX, policy::ANSWERS_BYTES_PER_ADDRESS_MAX),
            sockets: Budget::new(sockets_max, sockets_max),
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

    /// Connections that are WebSockets.
    pub(crate) fn sockets(&self) -> &Budget {
        &self.sockets
    }

    /// A connection has ended.
    pub(crate) fn forget(&self, address: IpAddr, number: u64, was_leaving: bool) {
        let mut connections = self.connections.lock();
        connections.all.open -= 1;
        connections.all.leaving -= usize::from(was_leaving);
        if let Some(own) = connections.by_address.get_mut(&address) {
            own.connections.remove(&number);
            own.count.open -= 1;
            own.count.leaving -= usize::from(was_leaving);
            if own.count.open == 0 {
                connections.by_address.remove(&address);
            }
        }
        drop(connections);
        self.metrics.open(self.name, -1);
    }

    /// A connection was asked to end at once.
    pub(crate) fn note_leaving(&self, address: IpAddr) {
        let mut connections = self.connections.lock();
        connections.all.leaving += 1;
        if let Some(own) = connections.by_address.get_mut(&address) {
            own.count.leaving += 1;
        }
    }

    /// Lets a newcomer in; `None` when every connection has a request, of his address, or of all while no address has more than
    /// his.
    pub(crate) fn admit(self: &Arc<Self>, peer: SocketAddr) -> Option<Arc<Connection>> {
        let address = network(peer.ip());
        if !(self.has_room(Some(address), address) && self.has_room(None, address)) {
            self.metrics.closed(self.name, "refused");
            return None;
        }
        let number = self.numbers.fetch_add(1, Ordering::Relaxed);
        let connection = Arc::new(Connection::new(self.clone(), number, address));
        let mut connections = self.connections.lock();
        connections.all.open += 1;
        let own = connections.by_address.entry(address).or_default();
        own.count.open += 1;
        own.connections.insert(number, Arc::downgrade(&connection));
        drop(connections);
        self.metrics.open(self.name, 1);
        Some(connection)
    }

    /// Whether there is room for one more, of an address or of all. Closes connections when there is none otherwise.
    fn has_room(&self, of: Option<IpAddr>, newcomer: IpAddr) -> bool {
        let most = if of.is_some() { self.limits.per_address_max } else { self.limits.connections_max };
        let own = {
            let mut connections = self.connections.lock();
            let Some(count) = connections.count(of) else { return true };
            let is_overfull = count.open >= most + leaving_max(most);
            if is_overfull || count.staying() < most {
                return !is_overfull;
            }
            let in_vain = count.searched_in_vain;
            let own = connections.by_address.get(&newcomer).map_or(0, |own| own.count.staying());
            // Who has fewer may find what another did not.
            if in_vain.is_some_and(|(at, had)| had <= own && at.elapsed() < SEARCH_PAUSE) {
                return false;
            }
            own
        };
        let wanted = most / ROOM_PARTS + 1;
        let found = self.end_idle(of, wanted) || of.is_none() && self.end_heaviest(own, wanted);
        if !found && let Some(count) = self.connections.lock().count(of) {
            count.searched_in_vain = Some((Instant::now(), own));
        }
        found
    }

    /// Connections of an address, or all.
    fn open_connections(&self, of: Option<IpAddr>) -> Vec<Arc<Connection>> {
        // Upgraded under the lock, dropped outside of it: the last handle takes the lock again.
        let connections = self.connections.lock();
        match of {
            Some(address) => connections.by_address.get(&address).into_iter().flat_map(Own::open).collect(),
            None => connections.by_address.values().flat_map(Own::open).collect(),
        }
    }

    /// Asks the connections that have had no request for longest to end, of one address or of all; whether there were any.
    fn end_idle(&self, of: Option<IpAddr>, wanted: usize) -> bool {
        let open = self.open_connections(of);
        let mut idle: Vec<_> =
            open.iter().filter_map(|connection| Some((connection.idle_since()?, connection))).collect();
        idle.sort_unstable_by_key(|(since, _)| *since);
        self.displace(idle.iter().take(wanted).map(|(_, connection)| *connection))
    }

    /// Asks connections of the addresses that have most to end, one at a time from whichever has most then, as long as that is
    /// more than a newcomer with `own` connections will have; whether there were any. Of an address those go first whose last
    /// request began longest ago: sockets, streams, and bodies that do not come.
    fn end_heaviest(&self, own: usize, wanted: usize) -> bool {
        let mut heaviest: BinaryHeap<(usize, IpAddr)> = {
            let connections = self.connections.lock();
            connections.by_address.iter().map(|(address, own)| (own.count.staying(), *address)).collect()
        };
        let mut shares: HashMap<IpAddr, usize> = HashMap::new();
        for _ in 0..wanted {
            let Some((count, address)) = heaviest.pop().filter(|(count, _)| *count > own + 1) else { break };
            *shares.entry(address).or_default() += 1;
            heaviest.push((count - 1, address));
        }
        let mut found = false;
        for (address, share) in shares {
            let mut open = self.open_connections(Some(address));
            open.retain(|connection| !connection.is_cut());
            open.sort_unstable_by_key(|connection| connection.last_request());
            found |= self.displace(open.iter().take(share));
        }
        found
    }

    /// Asks connections to end for a newcomer; whether any was not asked before.
    fn displace<'a>(&self, connections: impl Iterator<Item = &'a Arc<Connection>>) -> bool {
        let mut found = false;
        for connection in connections {
            if connection.ask_to_end(End::Cut) {
                self.metrics.closed(self.name, "displaced");
                found = true;
            }
        }
        found
    }

    /// Ends what has a fault, once.
    pub(crate) fn sweep(&self) {
        let (now, at) = (self.now(), Instant::now());
        let mut unread = Vec::new();
        for connection in self.open_connections(None) {
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
    pub(crate) async fn watch(self: Arc<Self>) {
        let shortest = self.limits.greeting.min(self.limits.idle).min(self.limits.write);
        let pause = (shortest / 4).clamp(Duration::from_millis(10), Duration::from_secs(2));
        loop {
            tokio::time::sleep(pause).await;
            self.sweep();
        }
    }
}

/// Connections that may be ending beside a full listener.
fn leaving_max(most: usize) -> usize {
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
mod tests;
