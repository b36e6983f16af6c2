//! The three writes of a merge, each on the version that was read; see [`crate::domain::MergeStep`].

use kernel::{CartId, CustomerId, Error, GuestId, Result, Timestamp};
use store::{List, RequestKey, Updated, Versioned};

use super::{Carts, Changed, Head, MERGING};
use crate::domain::{Cart, CartState, Dropped, MergeStep, Owner};

/// Looks at the guest's cart before a merge gives up; each of its steps is taken once.
const LOOKS_MAX: usize = 8;
/// Half-done merges that one run finishes at most.
const FINISH_MAX: u32 = 200;

/// The request that a merge answers, and how.
type Asked<'a> = (&'a RequestKey, &'a (dyn Fn(&Head, &[Dropped]) -> Vec<u8> + Send + Sync));

impl Carts {
    /// Moves a guest's lines into a customer's cart; says what did not fit.
    ///
    /// # Errors
    /// `CART_NOT_FOUND` when the guest's cart was merged into another's; `VERSION_CONFLICT`, `IDEMPOTENCY_KEY_REUSED`.
    pub async fn merge(&self, guest: GuestId, into: CustomerId, asked: Asked<'_>, now: Timestamp) -> Result<Changed<Vec<Dropped>>> {
        if let Some(answer) = self.docs.answer(asked.0).await? {
            return Ok(Changed::Replayed(answer));
        }
        let (from, into) = (Owner::Guest(guest).cart_id(), Owner::Customer(into));
        for _ in 0..LOOKS_MAX {
            let Some(found) = self.docs.get(&from.to_string()).await? else { break };
            match found.value.merge_step(into.cart_id())? {
                MergeStep::Close => self.close(from, into.cart_id(), now).await?,
                MergeStep::TakeIn => {
                    let changed = self.take_in(&found, into, Some(asked), now).await?;
                    self.end_merge(from, into.cart_id(), now).await?;
                    return Ok(changed);
                }
                MergeStep::Done => break,
            }
        }
        let (cart, version) = self.of(into).await?;
        Ok(Changed::Now(Head::of(&cart, version), Vec::new()))
    }

    /// Goes on with a merge that was begun, for nobody in particular.
    pub(super) async fn finish_merge(&self, guest: &Versioned<Cart>, now: Timestamp) -> Result<()> {
        let CartState::Merging { into } = guest.value.state else { return Ok(()) };
        let owner = Owner::Customer(CustomerId::from_bits(into.bits()));
        self.take_in(guest, owner, None, now).await?;
        self.end_merge(guest.value.owner.cart_id(), into, now).await
    }

    /// Finishes merges that were left half done, some at a time; says how many.
    pub async fn finish_merges(&self, now: Timestamp) -> Result<usize> {
        let half_done = List { index: Some(MERGING), equals: Some(1_i64.into()), after: None, limit: FINISH_MAX };
        let page = self.docs.list(half_done).await?;
        for guest in &page.items {
            self.finish_merge(guest, now).await?;
        }
        Ok(page.items.len())
    }

    async fn close(&self, from: CartId, into: CartId, now: Timestamp) -> Result<()> {
        self.step(from, |cart| matches!(cart.state, CartState::Open).then(|| cart.close(into, now))).await
    }

    async fn end_merge(&self, from: CartId, into: CartId, now: Timestamp) -> Result<()> {
        self.step(from, |cart| (cart.state == CartState::Merging { into }).then(|| cart.end_merge(into, now))).await
    }

    /// Changes a cart where `change` says so; a cart that is gone or has gone on stays as it is.
    async fn step(&self, id: CartId, change: impl Fn(&mut Cart) -> Option<()>) -> Result<()> {
        self.docs
            .update(&id.to_string(), |found| {
                let Some(found) = found else { return Ok((None, ())) };
                let mut cart = found.value.clone();
                let put = change(&mut cart).map(|()| {
                    let head = Head::of(&cart, found.version + 1);
                    self.put(Some(found), cart, &head)
                });
                Ok((put, ()))
            })
            .await
            .map(drop)
    }

    async fn take_in(&self, guest: &Versioned<Cart>, into: Owner, asked: Option<Asked<'_>>, now: Timestamp) -> Result<Changed<Vec<Dropped>>> {
        let id = into.cart_id().to_string();
        let decided = self.docs.update(&id, |found| {
            let (mut cart, version) = found.map_or_else(|| (Cart::new(into), 0), |found| (found.value.clone(), found.version));
            if !matches!(cart.state, CartState::Open) {
                return Err(Error::internal(format!("{} is a customer's cart, but was merged", into.cart_id())));
            }
            let Some(dropped) = cart.take_in(guest.value.owner.cart_id(), &guest.value.lines, &self.limits, now) else {
                return Ok((None, (Head::of(&cart, version), Vec::new())));
            };
            let head = Head::of(&cart, version + 1);
            let mut put = self.put(found, cart, &head);
            if let Some((key, answer)) = asked {
                put = put.remember(key.clone(), answer(&head, &dropped));
            }
            Ok((Some(put), (head, dropped)))
        });
        match decided.await? {
            Updated::Done((head, dropped), _) => Ok(Changed::Now(head, dropped)),
            Updated::Replayed(answer) => Ok(Changed::Replayed(answer)),
        }
    }
}
