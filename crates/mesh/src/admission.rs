//! How many calls are served at once, and who is turned away first.
//!
//! The limit follows the queue delay: how late the runtime wakes a task that was due. While tasks run when they are due
//! the limit rises; when they wait longer than [`policy::QUEUE_DELAY_MAX`] it shrinks by a tenth a tick. What waits for
//! others (a person, a saga) does not count as load, as a latency-based limit would have it.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contract::Criticality;
use kernel::{Code, Error};

use crate::receive::Requests;
use crate::shares::network;
use crate::stream::OpenStreams;
use crate::{Answer, Call, Layer, Share, Shares, policy};

/// The limit of one process, shared by its roles.
#[derive(Debug)]
pub struct Admission {
    limit: AtomicUsize,
    in_flight: AtomicUsize,
    /// Calls in flight by address outside.
    by_address: Arc<Shares<IpAddr>>,
    /// Request messages that are arriving.
    pub(crate) requests: Requests,
    /// Streams that are open.
    pub(crate) streams: OpenStreams,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            limit: AtomicUsize::new(policy::ADMISSION_MAX),
            in_flight: AtomicUsize::new(0),
            by_address: Arc::default(),
            requests: Requests::default(),
            streams: OpenStreams::default(),
        }
    }
}

/// One admitted call; leaving it frees its place.
pub(crate) struct Place<'a>(&'a Admission);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.in_flight.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Admission {
    /// Calls let in at once, now.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// Calls that hold a place now.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    /// Learns how late the runtime was.
    pub fn observe(&self, queue_delay: Duration) {
        let limit = self.limit();
        let next =
            if queue_delay > policy::QUEUE_DELAY_MAX { limit - limit / 10 } else { limit + limit / 20 + 1 };
        self.limit.store(next.clamp(policy::ADMISSION_MIN, policy::ADMISSION_MAX), Ordering::Relaxed);
    }

    /// Watches the runtime until it is dropped.
    pub async fn watch(self: Arc<Self>) {
        loop {
            let due = tokio::time::Instant::now() + policy::ADMISSION_TICK;
            tokio::time::sleep_until(due).await;
            self.observe(due.elapsed());
        }
    }

    /// A place for a call of this criticality: SHEDDABLE may fill 70 % of the limit, DEFAULT 90 %, CRITICAL all of it.
    pub(crate) fn admit(&self, criticality: Criticality) -> Result<Place<'_>, Error> {
        let limit = self.limit();
        let share = match criticality {
            Criticality::Sheddable => limit * 7 / 10,
            Criticality::Default => limit * 9 / 10,
            Criticality::Critical => limit,
        };
        let before = self.in_flight.fetch_add(1, Ordering::AcqRel);
        let place = Place(self);
        if before >= share {
            drop(place);
            return Err(overloaded("too busy right now; try again shortly"));
        }
        Ok(place)
    }

    /// An address outside has at most a quarter of the places, so that a few cannot take all of them with calls that wait; when
    /// there are few places, half of them.
    fn admit_address(&self, address: IpAddr) -> Result<Share<IpAddr>, Error> {
        let limit = self.limit();
        let most = (limit / 4).max(policy::ADMISSION_PER_ADDRESS_MIN).min((limit / 2).max(1));
        let share = self.by_address.take(network(address), 1, most);
        share.ok_or_else(|| overloaded("this address has too many calls in flight; try again shortly"))
    }
}

fn overloaded(message: &'static str) -> Error {
    Error::new(Code::ResourceExhausted, "OVERLOADED", message).retry_after_ms(100)
}

/// The layer. Streams hold a place only while they open.
pub struct Admit<N> {
    pub(crate) admission: Arc<Admission>,
    pub(crate) next: N,
}

impl<N: Layer> Layer for Admit<N> {
    async fn call(&self, call: Box<Call>) -> Answer {
        // A call of a role belongs to work that was let in already.
        if call.caller.role.is_some() {
            return self.next.call(call).await;
        }
        let criticality = call.method.map_or(Criticality::Default, |method| method.criticality);
        let peer = call.request.extensions().get::<SocketAddr>().map(SocketAddr::ip);
        let _share = peer.map(|address| self.admission.admit_address(address)).transpose()?;
        let _place = self.admission.admit(criticality)?;
        self.next.call(call).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_never_has_all_places() {
        for (limit, most) in
            [(policy::ADMISSION_MAX, policy::ADMISSION_MAX / 4), (300, 128), (20, 10), (1, 1)]
        {
            let admission = Admission { limit: AtomicUsize::new(limit), ..Admission::default() };
            let address = IpAddr::from([192, 0, 2, 1]);
            let mut places = Vec::new();
            while let Ok(place) = admission.admit_address(address) {
                places.push(place);
            }
            assert_eq!(places.len(), most, "of {limit}");
            assert!(admission.admit_address(IpAddr::from([192, 0, 2, 2])).is_ok());
        }
    }

    #[test]
    fn the_least_important_is_turned_away_first() {
        let admission = Admission { limit: AtomicUsize::new(20), ..Admission::default() };
        let mut places = Vec::new();
        for criticality in [Criticality::Sheddable, Criticality::Default, Criticality::Critical] {
            while let Ok(place) = admission.admit(criticality) {
                places.push(place);
            }
            let error = admission.admit(criticality).err().expect("full");
            assert_eq!((error.reason(), error.retry_delay_ms()), ("OVERLOADED", Some(100)));
        }
        assert_eq!(places.len(), 20);
        drop(places);
        assert_eq!(admission.in_flight.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn the_limit_shrinks_under_delay_and_recovers() {
        let admission = Admission::default();
        for _ in 0..200 {
            admission.observe(Duration::from_secs(1));
        }
        assert_eq!(admission.limit(), policy::ADMISSION_MIN);
        for _ in 0..200 {
            admission.observe(Duration::ZERO);
        }
        assert_eq!(admission.limit(), policy::ADMISSION_MAX);
    }
}
