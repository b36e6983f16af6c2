//! The repository: one document per cart, under its owner's bits.

mod merge;
mod sweep;

use std::fmt::Write;

use kernel::{CartId, Error, Result, Timestamp};
use sha2::{Digest, Sha256};
use store::{Database, Docs, Document, Index, NewEvent, Put, RequestKey, Updated, Value, Versioned};

use crate::domain::{Cart, CartState, Limits, Owner, Purchase};

/// Carts that a purchase is followed through at most; a guest's cart is merged once.
const HOPS_MAX: usize = 4;
/// Index of guests' carts by the day on which they are dropped.
const EXPIRES_ON: &str = "expires_on";
/// Index of carts whose merge is under way.
const MERGING: &str = "merging";
const DAY_SECONDS: i64 = 86_400;

impl Document for Cart {
    const KIND: &'static str = "cart";
    const INDEXES: &'static [Index] = &[Index::plain(EXPIRES_ON), Index::plain(MERGING)];

    fn keys(&self) -> Vec<(&'static str, Value)> {
        let merging = matches!(self.state, CartState::Merging { .. });
        // By day, so that an addition seldom moves the entry.
        let day = self.expires.map(|expires| expires.secs().div_euclid(DAY_SECONDS));
        vec![(EXPIRES_ON, day.into()), (MERGING, merging.then_some(1_i64).into())]
    }
}

/// A cart without its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The cart.
    pub id: CartId,
    /// Whose it is.
    pub owner: Owner,
    /// Its version; 0 when it is not there yet.
    pub version: i64,
    /// Its lines.
    pub lines: usize,
    /// Units over all lines.
    pub quantity: i64,
    /// Digest of all that is in it.
    pub digest: [u8; 32],
}

/// What became of a change.
#[derive(Clone, Debug)]
pub enum Changed<R> {
    /// It is done: the cart after it, and what the decision said.
    Now(Head, R),
    /// The request was done before: its answer.
    Replayed(Vec<u8>),
}

/// The carts. Cheap to clone.
#[derive(Clone)]
pub struct Carts {
    docs: Docs<Cart>,
    limits: Limits,
    announce: fn(&Head) -> NewEvent,
}

impl Head {
    /// What a cart comes to at a version.
    pub fn of(cart: &Cart, version: i64) -> Self {
        let shown = matches!(cart.state, CartState::Open);
        let (lines, quantity) = if shown { (cart.lines.len(), cart.quantity()) } else { (0, 0) };
        Self { id: cart.owner.cart_id(), owner: cart.owner, version, lines, quantity, digest: digest(cart) }
    }
}

/// The digest of a cart that was dropped.
pub const GONE: [u8; 32] = [0; 32];

/// SHA-256 of all that a cart says, as text in a fixed order.
fn digest(cart: &Cart) -> [u8; 32] {
    let Cart { owner, state, lines, bought, claimed, merged, updated, expires } = cart;
    // Written into one text, since every change of a cart passes here; writing to a String cannot fail.
    let mut text = String::with_capacity(128 + 112 * lines.len());
    let _ = match state {
        CartState::Open => write!(text, "{owner} open"),
        CartState::Merging { into } => write!(text, "{owner} merging {into}"),
        CartState::Merged { into } => write!(text, "{owner} merged {into}"),
    };
    for line in lines {
        let _ = write!(text, "|{} {} {} {}", line.id, line.quantity, line.created.micros(), line.sku);
    }
    for order in bought {
        let _ = write!(text, "|{order}");
    }
    for order in claimed {
        let _ = write!(text, "|claimed {order}");
    }
    for cart in merged {
        let _ = write!(text, "|{cart}");
    }
    let _ = write!(text, "|{} {:?}", updated.micros(), expires.map(kernel::Timestamp::micros));
    Sha256::digest(text).into()
}

impl Carts {
    /// The carts of a database; `announce` makes the event of a change.
    pub fn new(database: &Database, limits: Limits, announce: fn(&Head) -> NewEvent) -> Self {
        Self { docs: database.docs(), limits, announce }
    }

    /// What carts may hold.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// An owner's cart and its version; empty and 0 when there is none. One that was merged is empty.
    pub async fn of(&self, owner: Owner) -> Result<(Cart, i64)> {
        match self.docs.get(&owner.cart_id().to_string()).await? {
            None => Ok((Cart::new(owner), 0)),
            Some(found) if found.value.owner != owner => Err(not_found()),
            Some(mut found) => {
                if !matches!(found.value.state, CartState::Open) {
                    found.value.lines.clear();
                }
                Ok((found.value, found.version))
            }
        }
    }

    /// The remembered answer of a request that cannot be done any more; else why it cannot.
    pub async fn replay_or<R>(&self, key: &RequestKey, error: Error) -> Result<Changed<R>> {
        match self.docs.answer(key).await? {
            Some(answer) => Ok(Changed::Replayed(answer)),
            None => Err(error),
        }
    }

    /// Changes an owner's cart: reads it, decides, writes on the version that was read, and starts over when it lost.
    ///
    /// # Errors
    /// What `decide` says; `VERSION_CONFLICT` when `seen` is not the cart's version, or it changes all the time;
    /// `IDEMPOTENCY_KEY_REUSED`.
    pub async fn change<R>(
        &self,
        owner: Owner,
        seen: Option<i64>,
        key: &RequestKey,
        mut decide: impl FnMut(&mut Cart) -> Result<R>,
        answer: impl Fn(&Head, &R) -> Vec<u8>,
    ) -> Result<Changed<R>> {
        let id = owner.cart_id().to_string();
        let decided = self.docs.update(&id, |found| {
            let (mut cart, version) =
                found.map_or_else(|| (Cart::new(owner), 0), |found| (found.value.clone(), found.version));
            if cart.owner != owner {
                return Err(not_found());
            }
            if seen.is_some_and(|seen| seen != version) {
                return Err(stale(version));
            }
            let outcome = decide(&mut cart)?;
            let head = Head::of(&cart, version + 1);
            let put = self.put(found, cart, &head).remember(key.clone(), answer(&head, &outcome));
            Ok((Some(put), (head, outcome)))
        });
        match decided.await {
            Ok(Updated::Done((head, outcome), _)) => Ok(Changed::Now(head, outcome)),
            Ok(Updated::Replayed(answer)) => Ok(Changed::Replayed(answer)),
            Err(error) => self.replay_or(key, error).await,
        }
    }

    /// Takes out what an order bought, once; `None` where there is no cart. For the order service it follows a cart that was
    /// merged; an owner is let into their own cart alone, and one that was merged is somebody else's.
    ///
    /// # Errors
    /// `CART_NOT_FOUND` when it is not the cart of the owner who asks; `VERSION_CONFLICT`, `IDEMPOTENCY_KEY_REUSED`.
    pub async fn remove_bought(
        &self,
        cart: CartId,
        purchase: &Purchase,
        key: &RequestKey,
        answer: impl Fn(&Head) -> Vec<u8>,
        now: Timestamp,
    ) -> Result<Option<Changed<bool>>> {
        let mut at = cart;
        for _ in 0..HOPS_MAX {
            let id = at.to_string();
            let decided = self.docs.update(&id, |found| {
                let Some(found) = found else { return Ok((None, Bought::Nothing)) };
                let moved = !matches!(found.value.state, CartState::Open);
                if purchase.claimed_by.is_some_and(|owner| moved || owner != found.value.owner) {
                    return Err(not_found());
                }
                if let CartState::Merging { into } | CartState::Merged { into } = found.value.state {
                    return Ok((None, Bought::Moved(found.clone(), into)));
                }
                let mut cart = found.value.clone();
                if !cart.remove_bought(purchase, &self.limits, now) {
                    return Ok((None, Bought::Done(Head::of(&cart, found.version), false)));
                }
                let head = Head::of(&cart, found.version + 1);
                let put = self.put(Some(found), cart, &head).remember(key.clone(), answer(&head));
                Ok((Some(put), Bought::Done(head, true)))
            });
            match decided.await? {
                Updated::Replayed(answer) => return Ok(Some(Changed::Replayed(answer))),
                Updated::Done(Bought::Nothing, _) => return Ok(None),
                Updated::Done(Bought::Done(head, changed), _) => {
                    return Ok(Some(Changed::Now(head, changed)));
                }
                Updated::Done(Bought::Moved(moved, into), _) => {
                    self.finish_merge(&moved, now).await?;
                    at = into;
                }
            }
        }
        Err(Error::internal(format!("{cart} was merged more than {HOPS_MAX} times")))
    }

    fn put(&self, found: Option<&Versioned<Cart>>, cart: Cart, head: &Head) -> Put<Cart> {
        let put = match found {
            None => Put::create(head.id.to_string(), cart),
            Some(found) => Put::replace(found.id.clone(), found.version, cart),
        };
        put.event((self.announce)(head))
    }
}

/// What a purchase found.
enum Bought {
    Nothing,
    Done(Head, bool),
    Moved(Versioned<Cart>, CartId),
}

/// An id that two owners share does not open one's cart to the other.
fn not_found() -> Error {
    Error::not_found("CART_NOT_FOUND", "no such cart")
}

fn stale(version: i64) -> Error {
    Error::conflict("VERSION_CONFLICT", "the cart was changed in the meantime; look at it again and retry")
        .with("version", version.to_string())
}
