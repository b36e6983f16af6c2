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
    pub async fn merge(
        &self,
        guest: GuestId,
        into: CustomerId,
        asked: Asked<'_>,
        now: Timestamp,
    ) -> Result<Changed<Vec<Dropped>>> {
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
        let half_done =
            List { index: Some(MERGING), equals: Some(1_i64.into()), after: None, limit: FINISH_MAX };
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
        self.step(from, |cart| (cart.state == CartState::Merging { into }).then(|| cart.end_merge(into, now)))
            .await
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

    async fn take_in(
        &self,
        guest: &Versioned<Cart>,
        into: Owner,
        asked: Option<Asked<'_>>,
        now: Timestamp,
    ) -> Result<Changed<Vec<Dropped>>> {
        let id = into.cart_id().to_string();
        let decided = self.docs.update(&id, |found| {
            let (mut cart, version) =
                found.map_or_else(|| (Cart::new(into), 0), |found| (found.value.clone(), found.version));
            if !matches!(cart.state, CartState::Open) {
                return Err(Error::internal(format!(
                    "{} is a customer's cart, but was merged",
                    into.cart_id()
                )));
            }
            let Some(dropped) =
                cart.take_in(guest.value.owner.cart_id(), &guest.value.lines, &self.limits, now)
            else {
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use kernel::{Clock, LineId};
    use store::{NewEvent, OpenOptions};

    use super::*;
    use crate::domain::{Limits, Purchase};

    struct Still;
    impl Clock for Still {
        fn now(&self) -> Timestamp {
            NOW
        }
        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);
    const LIMITS: Limits =
        Limits { line_quantity: 9, lines: 9, quantity: 99, guest_keep: Duration::from_secs(100) };
    const GUEST: GuestId = GuestId::from_bits(5);
    const ADA: CustomerId = CustomerId::from_bits(6);

    async fn carts() -> Carts {
        let database =
            store::open("mem:", "cart", &[], OpenOptions::new(Arc::new(Still))).await.expect("opened");
        let quiet = |head: &Head| NewEvent {
            aggregate_id: head.id.to_string(),
            aggregate_version: head.version,
            type_name: "test".to_owned(),
            payload: Vec::new(),
        };
        Carts::new(&database, LIMITS, quiet)
    }

    async fn fill(carts: &Carts) {
        let mut cart = Cart::new(Owner::Guest(GUEST));
        cart.add("a", 2, LineId::from_bits(1), &LIMITS, NOW).expect("fits");
        carts.docs.put(store::Put::create(cart.owner.cart_id().to_string(), cart)).await.expect("written");
    }

    /// Wherever a merge stops, the sweeper ends it, and the units are there once.
    #[tokio::test]
    async fn a_merge_that_stopped_is_finished() {
        for stopped_after_taking_in in [false, true] {
            let carts = carts().await;
            fill(&carts).await;
            let (from, into) = (Owner::Guest(GUEST).cart_id(), Owner::Customer(ADA));
            carts.close(from, into.cart_id(), NOW).await.expect("closed");
            if stopped_after_taking_in {
                let guest = carts.docs.get(&from.to_string()).await.expect("read").expect("there");
                carts.take_in(&guest, into, None, NOW).await.expect("taken in");
            }
            assert_eq!(carts.finish_merges(NOW).await.expect("finished"), 1);
            assert_eq!(carts.finish_merges(NOW).await.expect("nothing left"), 0);
            assert_eq!(carts.of(into).await.expect("read").0.quantity(), 2);
            let guest = carts.docs.get(&from.to_string()).await.expect("read").expect("there").value;
            assert_eq!((guest.state, guest.lines.len()), (CartState::Merged { into: into.cart_id() }, 0));
        }
    }

    /// An order that bought from a cart in the middle of its merge takes its units from where they end up.
    #[tokio::test]
    async fn what_was_bought_is_followed_through_a_merge_under_way() {
        let carts = carts().await;
        fill(&carts).await;
        let (from, into) = (Owner::Guest(GUEST).cart_id(), Owner::Customer(ADA));
        carts.close(from, into.cart_id(), NOW).await.expect("closed");
        let key = RequestKey {
            principal: "p".into(),
            method: "m",
            id: "1".into(),
            fingerprint: [0; 32],
            keep: Duration::from_secs(9),
        };
        let units = std::collections::BTreeMap::from([("a".to_owned(), 1)]);
        let purchase = Purchase { order: kernel::OrderId::from_bits(1), units, claimed_by: None };
        let changed = carts.remove_bought(from, &purchase, &key, |_| Vec::new(), NOW).await.expect("removed");
        assert!(matches!(changed, Some(Changed::Now(head, true)) if head.id == into.cart_id()));
        assert_eq!(carts.of(into).await.expect("read").0.quantity(), 1);
    }

    /// A guest's cart whose time is over is dropped, but not in the middle of a merge.
    #[tokio::test]
    async fn only_what_is_over_and_at_rest_is_dropped() {
        let carts = carts().await;
        fill(&carts).await;
        let later = NOW.plus(LIMITS.guest_keep);
        assert_eq!(carts.drop_expired(later.minus(Duration::from_micros(1))).await.expect("looked"), 0);
        carts
            .close(Owner::Guest(GUEST).cart_id(), Owner::Customer(ADA).cart_id(), NOW)
            .await
            .expect("closed");
        assert_eq!(carts.drop_expired(later).await.expect("looked"), 0);
        carts.finish_merges(NOW).await.expect("finished");
        assert_eq!(carts.drop_expired(later).await.expect("looked"), 1);
        assert_eq!(carts.drop_expired(later).await.expect("looked"), 0);
    }
}
