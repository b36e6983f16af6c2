//! How many calls are served at once, and who is turned away first.
//!
//! The limit follows the queue delay: how late the runtime wakes a task that was due. While tasks run when they are due
//! the limit rises; when they wait longer than [`policy::QUEUE_DELAY_MAX`] it shrinks by a tenth a tick. What waits for
//! others (a person, a saga) does not count as load, as a latency-based limit would have it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use contract::Criticality;
use kernel::{Code, Error};

use crate::{Answer, Call, Layer, policy};

/// The limit of one process, shared by its roles.
#[derive(Debug)]
pub struct Admission {
    limit: AtomicUsize,
    in_flight: AtomicUsize,
    /// Streams that are open.
    pub(crate) streams: AtomicUsize,
}

impl Default for Admission {
    fn default() -> Self {
        Self {
            limit: AtomicUsize::new(policy::ADMISSION_MAX),
            in_flight: AtomicUsize::new(0),
            streams: AtomicUsize::new(0),
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
            return Err(Error::new(
                Code::ResourceExhausted,
                "OVERLOADED",
                "too busy right now; try again shortly",
            )
            .retry_after_ms(100));
        }
        Ok(place)
    }
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
        let _place = self.admission.admit(criticality)?;
        self.next.call(call).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_important_is_turned_away_first() {
        let admission = Admission {
            limit: AtomicUsize::new(20),
            in_flight: AtomicUsize::new(0),
            streams: AtomicUsize::new(0),
        };
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
