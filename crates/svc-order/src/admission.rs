//! How many orders are worked on at once, in all, of one shopper and of one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Weak};
use std::time::Duration;

use kernel::{Code, Error, Result};
use mesh::{Principal, Shares, network};
use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How long a caller waits for a place among the orders in flight.
const PLACE_WAIT: Duration = Duration::from_secs(5);
/// One customer or guest may have one in so many of the orders that are placed at once, and of those that wait for it, so that a
/// slow provider does not let one of them take every place.
const OWNER_PARTS: usize = 4;
/// One address may have one in so many, whoever orders from there.
const ADDRESS_PARTS: usize = 2;
/// Owners and addresses whose semaphores are looked through for such as nobody holds any more, at the earliest.
const SHARES_SWEPT: usize = 1_024;

/// Bounds the orders in flight: so many are worked on, so many wait for a place, the rest are told to come again.
#[derive(Clone)]
pub struct Admission {
    places: Arc<Semaphore>,
    queue: Arc<Semaphore>,
    in_flight_max: usize,
    waiting_max: usize,
    /// By owner and by address: the places that each may have.
    shares: Arc<Mutex<HashMap<String, Weak<Semaphore>>>>,
    waiting: Arc<Shares<String>>,
}

/// The place of an order that is worked on; given back when it is dropped.
pub struct OrderPlace {
    _permit: OwnedSemaphorePermit,
    _own: Vec<OwnedSemaphorePermit>,
}

/// An owner or an address, and the part of all places that it may have.
struct Part {
    key: String,
    one_in: usize,
}

impl From<OwnedSemaphorePermit> for OrderPlace {
    fn from(permit: OwnedSemaphorePermit) -> Self {
        Self { _permit: permit, _own: Vec::new() }
    }
}

impl Admission {
    /// Room for `in_flight_max` orders, and for `waiting_max` that wait for a place.
    #[must_use]
    pub fn new(in_flight_max: u32, waiting_max: u32) -> Self {
        Self {
            places: Arc::new(Semaphore::new(in_flight_max as usize)),
            queue: Arc::new(Semaphore::new(waiting_max as usize)),
            in_flight_max: in_flight_max as usize,
            waiting_max: waiting_max as usize,
            shares: Arc::default(),
            waiting: Arc::default(),
        }
    }

    /// A place for one order of a caller. Staff and roles, who place orders for others, have no part of their own.
    ///
    /// # Errors
    /// `TOO_MANY_ORDERS_IN_FLIGHT` when there is none, or none comes free in time.
    pub async fn enter(&self, principal: &Principal, address: Option<IpAddr>) -> Result<OrderPlace> {
        let parts = parts(principal, address);
        let semaphores: Vec<_> = parts.iter().map(|part| self.of(part)).collect();
        if let Some(place) = self.try_enter(&semaphores) {
            return Ok(place);
        }
        let _waiting = self.queue.try_acquire().map_err(|_| too_many())?;
        let mut shares = Vec::with_capacity(parts.len());
        for part in parts {
            let most = (self.waiting_max / part.one_in).max(1);
            shares.push(self.waiting.take(part.key, 1, most).ok_or_else(too_many)?);
        }
        let wait = async {
            let mut own = Vec::with_capacity(semaphores.len());
            for semaphore in semaphores {
                own.push(semaphore.acquire_owned().await?);
            }
            self.places.clone().acquire_owned().await.map(|permit| OrderPlace { _permit: permit, _own: own })
        };
        tokio::time::timeout(PLACE_WAIT, wait)
            .await
            .ok()
            .and_then(std::result::Result::ok)
            .ok_or_else(too_many)
    }

    fn try_enter(&self, semaphores: &[Arc<Semaphore>]) -> Option<OrderPlace> {
        let own = semaphores.iter().map(|semaphore| semaphore.clone().try_acquire_owned());
        let own = own.collect::<std::result::Result<_, _>>().ok()?;
        let permit = self.places.clone().try_acquire_owned().ok()?;
        Some(OrderPlace { _permit: permit, _own: own })
    }

    /// The places of one owner or address; forgotten when none is taken and nobody waits.
    fn of(&self, part: &Part) -> Arc<Semaphore> {
        let mut shares = self.shares.lock();
        if let Some(semaphore) = shares.get(&part.key).and_then(Weak::upgrade) {
            return semaphore;
        }
        if shares.len() >= SHARES_SWEPT && shares.len() == shares.capacity() {
            shares.retain(|_, semaphore| semaphore.strong_count() > 0);
        }
        let semaphore = Arc::new(Semaphore::new((self.in_flight_max / part.one_in).max(1)));
        shares.insert(part.key.clone(), Arc::downgrade(&semaphore));
        semaphore
    }
}

fn parts(principal: &Principal, address: Option<IpAddr>) -> Vec<Part> {
    let shopper = match principal {
        Principal::Guest { .. } => true,
        Principal::Account { permissions, .. } => permissions.is_empty(),
        Principal::Anonymous => false,
    };
    if !shopper {
        return Vec::new();
    }
    let address = address.map(|address| Part { key: network(address).to_string(), one_in: ADDRESS_PARTS });
    std::iter::once(Part { key: principal.subject(), one_in: OWNER_PARTS }).chain(address).collect()
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
        let first = admission.enter(&guest(1), None).await.expect("a place");
        let _second = admission.enter(&guest(1), None).await.expect("a place");
        let one = guest(1);
        let (third, other) = tokio::join!(admission.enter(&one, None), async {
            let other = admission.enter(&guest(2), None).await;
            drop(first);
            other
        });
        assert!(other.is_ok(), "another guest does not wait");
        assert!(third.is_ok(), "he waits for his own");
        let error = admission.enter(&guest(1), None).await.err().expect("none comes free in time");
        assert_eq!((error.reason(), error.retryable()), ("TOO_MANY_ORDERS_IN_FLIGHT", true));
        let staff = Principal::Anonymous;
        assert!(admission.enter(&staff, None).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn many_guests_of_one_address_leave_places_for_another() {
        let admission = Admission::new(8, 2);
        let enter = |bits: u128, last: u8| {
            let id = (GuestId::from_bits(bits), SessionId::from_bits(bits));
            let guest = Principal::Guest { id: id.0, session: id.1 };
            let admission = admission.clone();
            async move { admission.enter(&guest, Some(IpAddr::from([192, 0, 2, last]))).await }
        };
        let mut places = Vec::new();
        for bits in 0..4 {
            places.push(enter(bits, 1).await.expect("half of all"));
        }
        let (fifth, sixth, other) = tokio::join!(enter(5, 1), enter(6, 1), enter(7, 2));
        assert!(fifth.is_err() && sixth.is_err(), "the address has its half, and half of the queue");
        assert!(other.is_ok(), "another address does not wait");
        drop(places);
        assert!(enter(8, 1).await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn owners_are_forgotten() {
        let admission = Admission::new(8, 8);
        for bits in 0..20_000 {
            let guest =
                Principal::Guest { id: GuestId::from_bits(bits), session: SessionId::from_bits(bits) };
            drop(admission.enter(&guest, None).await.expect("a place"));
        }
        assert!(admission.shares.lock().len() <= 4 * SHARES_SWEPT, "{}", admission.shares.lock().len());
    }
}
