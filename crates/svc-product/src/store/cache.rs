//! Products in memory, by id and by SKU.
//!
//! A write takes its product out before it begins and puts it back when it is durable; what was read from the database
//! while any write was running is not kept. So memory never holds anything older than the database, without a lock that
//! is held over either.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel::ProductId;
use parking_lot::RwLock;

use crate::domain::Product;

/// The most products kept; when there are more, memory begins anew.
const PRODUCTS_MAX: usize = 10_000;

/// A product and its version.
#[derive(Debug)]
pub struct Found {
    /// The product.
    pub product: Product,
    /// Its version.
    pub version: i64,
}

#[derive(Default)]
pub(super) struct Cache {
    maps: RwLock<Maps>,
    begun: AtomicU64,
    ended: AtomicU64,
}

#[derive(Default)]
struct Maps {
    /// How often memory began anew.
    round: u64,
    products: HashMap<ProductId, Arc<Found>>,
    skus: HashMap<String, ProductId>,
}

/// When a read began.
#[derive(Clone, Copy)]
pub(super) struct Fill(Option<u64>);

/// A write that is running.
pub(super) struct Writing<'a> {
    cache: &'a Cache,
    round: u64,
}

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.cache.ended.fetch_add(1, Ordering::SeqCst);
    }
}

impl Writing<'_> {
    /// Keeps what was written. Two writes of a product may end in either order: the newer version stays. When memory
    /// began anew meanwhile, nobody knows whether there was a newer one.
    pub(super) fn written(&self, found: Found) -> Arc<Found> {
        let found = Arc::new(found);
        let mut maps = self.cache.maps.write();
        let newer = |kept: &Arc<Found>| kept.version > found.version;
        if maps.round == self.round && !maps.products.get(&found.product.id).is_some_and(newer) {
            maps.insert(&found);
        }
        found
    }
}

impl Cache {
    pub(super) fn product(&self, id: ProductId) -> Option<Arc<Found>> {
        self.maps.read().products.get(&id).cloned()
    }

    pub(super) fn by_sku(&self, sku: &str) -> Option<Arc<Found>> {
        let maps = self.maps.read();
        maps.products.get(maps.skus.get(sku)?).cloned()
    }

    pub(super) fn begin_fill(&self) -> Fill {
        let ended = self.ended.load(Ordering::SeqCst);
        Fill((self.begun.load(Ordering::SeqCst) == ended).then_some(ended))
    }

    /// Keeps what was read, unless a write began since.
    pub(super) fn fill(&self, fill: Fill, found: Found) -> Arc<Found> {
        let found = Arc::new(found);
        let mut maps = self.maps.write();
        // Under the lock: a write that begins later takes the product out again.
        if fill.0 == Some(self.begun.load(Ordering::SeqCst)) {
            maps.insert(&found);
        }
        found
    }

    pub(super) fn begin_write(&self, id: ProductId) -> Writing<'_> {
        self.begun.fetch_add(1, Ordering::SeqCst);
        let mut maps = self.maps.write();
        maps.remove(id);
        Writing { cache: self, round: maps.round }
    }
}

impl Maps {
    fn insert(&mut self, found: &Arc<Found>) {
        if self.products.len() >= PRODUCTS_MAX {
            *self = Self { round: self.round + 1, ..Self::default() };
        }
        let id = found.product.id;
        self.remove(id);
        for variant in &found.product.variants {
            self.skus.insert(variant.sku.clone(), id);
        }
        self.products.insert(id, Arc::clone(found));
    }

    fn remove(&mut self, id: ProductId) {
        let Some(old) = self.products.remove(&id) else { return };
        for variant in &old.product.variants {
            if self.skus.get(&variant.sku) == Some(&id) {
                self.skus.remove(&variant.sku);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use kernel::Timestamp;

    use super::*;
    use crate::domain::{Input, InputVariant, Why};

    fn found(version: i64, skus: &[&str]) -> Found {
        let variants = skus.iter().map(|sku| InputVariant { sku: (*sku).into(), ..InputVariant::default() });
        let input = Input {
            name: "Bowl".into(),
            option_names: Vec::new(),
            variants: variants.collect(),
            ..Input::default()
        };
        let why = Why { actor: "cus_1".into(), reason: String::new(), now: Timestamp::from_secs(1) };
        let draft = input.check().expect("good");
        Found { product: Product::create(ProductId::from_bits(7), draft, Vec::new(), &why), version }
    }

    #[test]
    fn what_was_read_while_a_write_ran_is_not_kept() {
        let cache = Cache::default();
        let before = cache.begin_fill();
        let writing = cache.begin_write(ProductId::from_bits(7));
        let during = cache.begin_fill();
        writing.written(found(2, &["A"]));
        drop(writing);
        cache.fill(before, found(1, &["A"]));
        cache.fill(during, found(1, &["A"]));
        assert_eq!(cache.by_sku("A").expect("kept").version, 2);
        let after = cache.begin_fill();
        assert_eq!(cache.fill(after, found(2, &["A"])).version, 2);
    }

    #[test]
    fn the_newer_of_two_writes_stays_whichever_ends_last() {
        let cache = Cache::default();
        let id = ProductId::from_bits(7);
        let (first, second) = (cache.begin_write(id), cache.begin_write(id));
        second.written(found(3, &["B"]));
        first.written(found(2, &["A"]));
        assert_eq!(cache.product(id).expect("kept").version, 3);
        assert!(cache.by_sku("A").is_none() && cache.by_sku("B").is_some());
    }

    #[test]
    fn a_sku_that_left_its_product_is_forgotten() {
        let cache = Cache::default();
        let id = ProductId::from_bits(7);
        cache.begin_write(id).written(found(1, &["A"]));
        cache.begin_write(id).written(found(2, &["a"]));
        assert!(cache.by_sku("A").is_none());
        assert_eq!(cache.by_sku("a").expect("kept").version, 2);
    }
}
