//! How many orders are worked on at once, in all and of one shopper.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use std::time::Duration;

use kernel::{Code, Error, Result};
use mesh::{Principal, Shares};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a caller waits for a place among the orders in flight.
const PLACE_WAIT: Duration = Duration::from_secs(5);
/// One customer or guest may have one in so many of the orders that are placed at once, and of those that wait for it, so that a
/// slow provider does not let one of them take every place.
const OWNER_PARTS: usize = 4;
/// Owners whose semaphores are looked through for such as nobody holds any more, at the earliest.
const OWNERS_SWEPT: usize = 1_024;

/// Bounds the orders in flight: so many are worked on, so many wait for a place, the rest are told to come again.
#[derive(Clone)]
pub struct Admission {
    places: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    per_owner_max: usize,
    waiting_per_owner_max: usize,
    owners: Arc<Mutex<HashMap<String, Weak<Semaphore>>>>,
    waiting: Arc<Shares<String>>,
}

/// The place of an order that is worked on; given back when it is dropped.
pub struct OrderPlace {
    _permit: OwnedSemaphorePermit,
    _own: Option<OwnedSemaphorePermit>,
}

impl From<OwnedSemaphorePermit> for OrderPlace {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: permit, _own: None }
    }
}

impl Admission {
    /// Room for `in_flight_max` orders, and for `waiting_max` that wait for a place.
    #[must_use]
    pub fn new(in_flight_max: u32, waiting_max: u32) -> Self {
        let part = |all: u32| (all as usize / OWNER_PARTS).max(1);
        Self {
            places: Arc::new(Semaphore::new(in_flight_max as usize)),
            queue: Arc::new(Semaphore::new(waiting_max as usize)),
            per_owner_max: part(in_flight_max),
            waiting_per_owner_max: part(waiting_max),
            owners: Arc::default(),
            waiting: Arc::default(),
        }
    }

    /// A place for one order of a caller. Staff and roles, who place orders for others, have no part of their own.
    ///
    /// # Errors
    /// `TOO_MANY_ORDERS_IN_FLIGHT` when there is none, or none comes free in time.
    pub async fn enter(&self, principal: &Principal) -> Result<OrderPlace> {
        let own = match principal {
            Principal::Guest { .. } => Some(principal.subject()),
            Principal::Account { permissions, .. } if permissions.is_empty() => Some(principal.subject()),
            Principal::Account { .. } | Principal::Anonymous => None,
        };
        let semaphore = own.as_ref().map(|owner| self.of(owner));
        if let Some(place) = self.try_enter(semaphore.as_ref()) {
            return Ok(place);
        }
        let _waiting = self.queue.try_acquire().map_err(|_| too_many())?;
        let _share = match own {
            Some(owner) => {
                Some(self.waiting.take(owner, 1, self.waiting_per_owner_max).ok_or_else(too_many)?)
            }
            None => None,
        };
        let wait = async {
            let own = match semaphore {
                Some(semaphore) => Some(semaphore.acquire_owned().await?),
                None => None,
            };
            self.places.clone().acquire_owned().await.map(|permit| OrderPlace { _permit: permit, _own: own })
        };
        tokio::time::timeout(PLACE_WAIT, wait)
            .await
            .ok()
            .and_then(std::result::Result::ok)
            .ok_or_else(too_many)
    }

    fn try_enter(&self, own: Option<&Arc<Semaphore>>) -> Option<OrderPlace> {
        let own = own.map(|semaphore| semaphore.clone().try_acquire_owned()).transpose().ok()?;
        let permit = self.places.clone().try_acquire_owned().ok()?;
        Some(OrderPlace { _permit: permit, _own: own })
    }

    /// The places of one owner; forgotten when none is held and nobody waits.
    fn of(&self, owner: &str) -> Arc<Semaphore> {
        let mut owners = self.owners.lock();
        if let Some(semaphore) = owners.get(owner).and_then(Weak::upgrade) {
            return semaphore;
        }
        if owners.len() >= OWNERS_SWEPT && owners.len() == owners.capacity() {
            owners.retain(|_, semaphore| semaphore.strong_count() > 0);
        }
        let semaphore = Arc::new(Semaphore::new(self.per_owner_max));
        owners.insert(owner.to_owned(), Arc::downgrade(&semaphore));
        semaphore
    }
}

fn too_many() -> Error {
    let message = "too many orders are being placed at this moment";
    Error::new(Code::ResourceExhausted, "TOO_MANY_ORDERS_IN_FLIGHT", message).retry_after_ms(1000)
}

#[cfg(test)]
mod tests {
    use kernel::{GuestId, SessionId};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn one_guest_leaves_places_for_others_and_has_his_again() {
        let admission = Admission::new(8, 8);
        let guest =
            |bits| Principal::Guest { id: GuestId::from_bits(bits), session: SessionId::from_bits(bits) };
        let first = admission.enter(&guest(1)).await.expect("a place");
        let _second = admission.enter(&guest(1)).await.expect("a place");
        let one = guest(1);
        let (third, other) = tokio::join!(admission.enter(&one), async {
            let other = admission.enter(&guest(2)).await;
            drop(first);
            other
        });
        assert!(other.is_ok(), "another guest does not wait");
        assert!(third.is_ok(), "he waits for his own");
        let error = admission.enter(&guest(1)).await.err().expect("none comes free in time");
        assert_eq!((error.reason(), error.retryable()), ("TOO_MANY_ORDERS_IN_FLIGHT", true));
        let staff = Principal::Anonymous;
        assert!(admission.enter(&staff).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn owners_are_forgotten() {
        let admission = Admission::new(8, 8);
        for bits in 0..20_000 {
            let guest =
                Principal::Guest { id: GuestId::from_bits(bits), session: SessionId::from_bits(bits) };
            drop(admission.enter(&guest).await.expect("a place"));
        }
        assert!(admission.owners.lock().len() <= 4 * OWNERS_SWEPT, "{}", admission.owners.lock().len());
    }
}
