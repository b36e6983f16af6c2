//! One product per SKU, without a transaction over two documents.
//!
//! A claim is a document whose id is the SKU and whose value names a product. Invariant: **a product carries a SKU only
//! if the SKU's claim names it.** A writer that adds a SKU makes the claim, or renews it, before it writes the product
//! on the version that it saw. A claim whose product does not carry the SKU is left over (its writer was killed, or the
//! SKU was removed), and another product may take it, in this order: raise the version of the product that it names, or
//! spend that id if no product was ever written under it, so that a writer that is still on its way fails; then move the
//! claim, on the version of the claim that was seen, so that a writer that renewed it meanwhile wins. A claim is left
//! alone for [`CLAIM_FRESH`], for two writers would otherwise chase each other.

use std::time::Duration;

use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, TryFutureExt, TryStreamExt, stream};
use kernel::{Error, ProductId, Result, Timestamp};
use serde::{Deserialize, Serialize};
use store::{CommitError, Document, Index, Put, Value, Versioned};

use super::{Catalogue, Held};
use crate::domain::Product;

/// For how long a claim waits for its product. Longer than any request may take.
const CLAIM_FRESH: Duration = Duration::from_secs(120);
/// Claims made at once for one product.
const CLAIMS_IN_FLIGHT: usize = 16;
/// How often a claim is looked at again when others change it at the same time.
const TRIES: usize = 8;

/// Which product a SKU belongs to.
#[derive(Clone, Serialize, Deserialize)]
pub struct Claim {
    /// The product.
    pub product: ProductId,
    /// When it was made or renewed.
    pub time: Timestamp,
}

impl Document for Claim {
    const KIND: &'static str = "sku";
    const INDEXES: &'static [Index] = &[];

    fn keys(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

impl Catalogue {
    /// Claims the SKUs that `product` has and `before` has not.
    pub(super) async fn claim_skus(&self, product: &Product, before: Option<&Product>) -> Result<()> {
        let mut claims: Vec<BoxFuture<'_, Result<()>>> = Vec::new();
        for (n, variant) in product.variants.iter().enumerate() {
            if before.is_none_or(|before| before.variant(&variant.sku).is_none()) {
                let claim = self.claim(&variant.sku, product.id);
                claims.push(claim.map_err(move |error| error.at(&format!("/variants/{n}/sku"))).boxed());
            }
        }
        stream::iter(claims).buffer_unordered(CLAIMS_IN_FLIGHT).try_collect().await
    }

    async fn claim(&self, sku: &str, id: ProductId) -> Result<()> {
        for _ in 0..TRIES {
            let claim = Claim { product: id, time: self.0.clock.now() };
            let put = match self.0.claims.get(sku).await? {
                None => Put::create(sku, claim),
                Some(seen) if seen.value.product == id => Put::replace(sku, seen.version, claim),
                Some(seen) => {
                    if !self.release(sku, &seen).await? {
                        continue;
                    }
                    Put::replace(sku, seen.version, claim)
                }
            };
            match self.0.claims.put(put).await {
                Ok(_) => return Ok(()),
                Err(CommitError::Duplicate { .. } | CommitError::Unexpected { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(busy())
    }

    /// Makes sure that nobody can use a left-over claim any more. `false`: look again.
    async fn release(&self, sku: &str, claim: &Versioned<Claim>) -> Result<bool> {
        let id = claim.value.product.to_string();
        let holder = self.0.products.get(&id).await?;
        let carried = holder.as_ref().and_then(|holder| holder.value.product.as_ref());
        if carried.is_some_and(|product| product.variant(sku).is_some()) {
            return Err(Error::exists("SKU_TAKEN", "belongs to another product").with("product_id", id));
        }
        // A claim of the future was made by a clock that was ahead, and is not fresh for that long.
        let now = self.0.clock.now();
        if now.since(claim.value.time).max(claim.value.time.since(now)) < CLAIM_FRESH {
            return Err(busy());
        }
        let fence = match holder {
            None => Put::create(id, Held { product: None, version_origin: None }),
            Some(holder) if holder.value.product.is_none() => return Ok(true),
            Some(holder) => Put::replace(id, holder.version, holder.value.with_unpublished_version()),
        };
        let product = claim.value.product;
        let inner = std::sync::Arc::clone(&self.0);
        let write = async move {
            let _writing = inner.cache.begin_write(product);
            inner.products.put(fence).await
        };
        match super::finish(tokio::spawn(write).await) {
            Ok(_) => Ok(true),
            Err(CommitError::Duplicate { .. } | CommitError::Unexpected { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}

/// Another change holds the SKU right now; if it was left over, it can be taken after a while.
fn busy() -> Error {
    let wait_ms = u64::try_from(CLAIM_FRESH.as_millis()).unwrap_or(u64::MAX);
    Error::conflict("SKU_TAKEN", "is just being given to another product").retry_after_ms(wait_ms)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use chassis::VirtualClock;
    use kernel::Clock;
    use store::{Database, OpenOptions};

    use super::*;
    use crate::domain::{Input, InputVariant, Why};
    use crate::store::{Outbound, Saved};

    async fn catalogue() -> Catalogue {
        let clock: Arc<dyn Clock> = Arc::new(VirtualClock::new(Timestamp::from_secs(1)));
        let options = OpenOptions::new(Arc::clone(&clock));
        let database: Database = store::open("mem:", "product", &[], options).await.expect("in memory");
        Catalogue::open(database, clock).await.expect("opens")
    }

    fn product(number: u128, name: &str, skus: &[&str]) -> Product {
        let variant = |sku: &&str| InputVariant {
            sku: (*sku).into(),
            options: vec![crate::domain::OptionValue { name: "size".into(), value: (*sku).into() }],
            ..InputVariant::default()
        };
        let input = Input {
            name: name.into(),
            option_names: vec!["size".into()],
            variants: skus.iter().map(variant).collect(),
            ..Input::default()
        };
        Product::create(ProductId::from_bits(number), input.check().expect("good"), Vec::new(), &why())
    }

    fn why() -> Why {
        Why { actor: "cus_1".into(), reason: String::new(), now: Timestamp::from_secs(1) }
    }

    async fn create(catalogue: &Catalogue, product: Product) -> Result<Saved> {
        catalogue.create(product, true, &|_, _| Outbound::default()).await
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_killed_writer_left_is_gone_on_with_or_taken_after_a_while() {
        let catalogue = catalogue().await;
        // Killed between the claim and the product.
        catalogue.claim("S", ProductId::from_bits(1)).await.expect("claimed");
        let early = create(&catalogue, product(2, "Two", &["S"])).await.err().expect("too early");
        assert_eq!((early.reason(), early.retryable()), ("SKU_TAKEN", true));
        tokio::time::sleep(CLAIM_FRESH).await;
        create(&catalogue, product(2, "Two", &["S"])).await.expect("taken over");
        // The writer was only slow: it comes too late, whatever it had claimed.
        let late = product(1, "One", &["S"]);
        let held = super::super::held::document_of(&late, 1, &Outbound::default());
        let late = catalogue.0.products.put(Put::create(late.id.to_string(), held)).await;
        assert!(matches!(late, Err(CommitError::Duplicate { .. })), "{late:?}");
        let found = catalogue.by_skus(&["S".to_owned()]).await.expect("read");
        assert_eq!(found[0].as_ref().expect("carried").product.id, ProductId::from_bits(2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_claim_that_a_clock_a_year_ahead_left_is_taken_over() {
        let clock = Arc::new(VirtualClock::new(Timestamp::from_secs(1)));
        clock.set_ahead(365 * 86_400);
        let options = OpenOptions::new(clock.clone());
        let database: Database = store::open("mem:", "product", &[], options).await.expect("in memory");
        let catalogue = Catalogue::open(database, clock.clone()).await.expect("opens");
        catalogue.claim("S", ProductId::from_bits(1)).await.expect("claimed");
        clock.set_ahead(0);
        create(&catalogue, product(2, "Two", &["S"])).await.expect("taken over");
    }

    /// A version without an event is counted, so that an audit can tell it from one that somebody else wrote.
    #[tokio::test(start_paused = true)]
    async fn a_version_without_an_event_is_counted() {
        let catalogue = catalogue().await;
        let published = |_: &Product, version: i64| Outbound {
            events: vec![store::NewEvent {
                aggregate_id: "prd_1".into(),
                aggregate_version: version,
                type_name: "souk.product.v1.ProductCreated".into(),
                payload: Vec::new(),
            }],
            remember: None,
        };
        catalogue.create(product(1, "One", &["A"]), true, &published).await.expect("made");
        catalogue.claim("S", ProductId::from_bits(1)).await.expect("claimed");
        tokio::time::sleep(CLAIM_FRESH).await;
        create(&catalogue, product(2, "Two", &["S"])).await.expect("taken over");
        let stored = catalogue.0.products.get(&ProductId::from_bits(1).to_string()).await;
        let stored = stored.expect("read").expect("there");
        assert_eq!(stored.version, 2);
        assert_eq!(
            stored.value.version_origin,
            Some(crate::store::VersionOrigin { published: 1, unpublished: 1 })
        );
    }

    #[tokio::test(start_paused = true)]
    async fn categories_that_an_earlier_release_removed_are_noted_once() {
        let catalogue = catalogue().await;
        let gone = kernel::CategoryId::from_bits(5);
        let product = Product { categories: vec![gone], ..product(1, "One", &["A"]) };
        create(&catalogue, product).await.expect("made");
        assert_eq!(catalogue.never_categories(&[gone]).await.expect("read"), [gone]);
        for _ in 0..2 {
            catalogue.adopt_removed().await.expect("noted");
        }
        assert_eq!(catalogue.never_categories(&[gone]).await.expect("read"), []);
        assert!(catalogue.tree().is_empty(), "it is no category again");
    }

    #[tokio::test(start_paused = true)]
    async fn the_same_writer_goes_on_at_once() {
        let catalogue = catalogue().await;
        catalogue.claim("S", ProductId::from_bits(1)).await.expect("claimed");
        create(&catalogue, product(1, "One", &["S"])).await.expect("its own claim");
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_writer_of_another_version_fails_too() {
        let catalogue = catalogue().await;
        create(&catalogue, product(1, "One", &["A"])).await.expect("made");
        let seen = catalogue.product(ProductId::from_bits(1)).await.expect("read").expect("there");
        // It claims what it adds, and then is slow.
        catalogue.claim("S", seen.product.id).await.expect("claimed");
        tokio::time::sleep(CLAIM_FRESH).await;
        create(&catalogue, product(2, "Two", &["S"])).await.expect("taken over");
        let late = Put::replace(
            seen.product.id.to_string(),
            seen.version,
            super::super::held::document_of(
                &product(1, "One", &["A", "S"]),
                seen.version + 1,
                &Outbound::default(),
            ),
        );
        assert!(matches!(catalogue.0.products.put(late).await, Err(CommitError::Unexpected { .. })));
    }
}
