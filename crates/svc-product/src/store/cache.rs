//! Products in memory, by id and by SKU.
//!
//! A write takes its product out before it begins and puts it back when it is durable; what was read from the database
//! while any write was running is not kept. So memory never holds anything older than the database, without a lock that
//! is held over either.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use kernel::ProductId;
use parking_lot::RwLock;

use crate::domain::{ImageSource, Product};

/// The most products in memory; the oldest make room for new ones.
const PRODUCTS_MAX: usize = 10_000;
/// The most bytes that they take.
const BYTES_MAX: usize = 64 << 20;
/// What a text takes beside its letters, and a list beside its entries: pointer, length, capacity, and rounding up.
const TEXT_BYTES: usize = 40;
/// What a variant takes beside its texts and lists, with its entry in the index of SKUs.
const VARIANT_BYTES: usize = 256;
/// What a product takes beside its texts and lists, with its entries in the maps.
const PRODUCT_BYTES: usize = 768;

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
    /// How often a product made room for another.
    round: u64,
    products: HashMap<ProductId, Entry>,
    skus: HashMap<String, ProductId>,
    /// Products by the number they came in with.
    oldest: BTreeMap<u64, ProductId>,
    inserted: u64,
    bytes: usize,
}

struct Entry {
    found: Arc<Found>,
    bytes: usize,
    number: u64,
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
    /// Keeps what was written. Two writes of a product may end in either order: the newer version stays. When a product
    /// made room for another meanwhile, nobody knows whether it was a newer version of this one.
    pub(super) fn written(&self, found: Found) -> Arc<Found> {
        let found = Arc::new(found);
        let mut maps = self.cache.maps.write();
        let newer = |kept: &Entry| kept.found.version > found.version;
        if maps.round == self.round && !maps.products.get(&found.product.id).is_some_and(newer) {
            maps.insert(&found);
        }
        found
    }
}

impl Cache {
    pub(super) fn product(&self, id: ProductId) -> Option<Arc<Found>> {
        self.maps.read().products.get(&id).map(|entry| entry.found.clone())
    }

    pub(super) fn by_sku(&self, sku: &str) -> Option<Arc<Found>> {
        let maps = self.maps.read();
        maps.products.get(maps.skus.get(sku)?).map(|entry| entry.found.clone())
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
        let (id, bytes) = (found.product.id, bytes(&found.product));
        self.remove(id);
        while self.products.len() >= PRODUCTS_MAX || self.bytes + bytes > BYTES_MAX {
            let Some((_, oldest)) = self.oldest.first_key_value() else { return };
            let oldest = *oldest;
            self.remove(oldest);
            self.round += 1;
        }
        for variant in &found.product.variants {
            self.skus.insert(variant.sku.clone(), id);
        }
        self.inserted += 1;
        self.bytes += bytes;
        self.oldest.insert(self.inserted, id);
        self.products.insert(id, Entry { found: Arc::clone(found), bytes, number: self.inserted });
    }

    fn remove(&mut self, id: ProductId) {
        let Some(old) = self.products.remove(&id) else { return };
        self.bytes -= old.bytes;
        self.oldest.remove(&old.number);
        for variant in &old.found.product.variants {
            if self.skus.get(&variant.sku) == Some(&id) {
                self.skus.remove(&variant.sku);
            }
        }
    }
}

/// Bytes that a product takes in memory, about.
fn bytes(product: &Product) -> usize {
    let text = |text: &String| text.len() + TEXT_BYTES;
    let texts = |texts: &[String]| texts.iter().map(text).sum::<usize>();
    let variants = product.variants.iter().map(|variant| {
        // The index of SKUs has it once more.
        let options: usize =
            variant.options.iter().map(|option| text(&option.name) + text(&option.value)).sum();
        let prices =
            variant.prices.iter().map(|price| text(&price.actor) + text(&price.reason)).sum::<usize>()
                + size_of_val(&*variant.prices)
                + size_of_val(&*variant.compare_at);
        VARIANT_BYTES + 2 * variant.sku.len() + options + prices
    });
    let attributes = product.attributes.iter().map(|one| text(&one.name) + text(&one.value));
    let images = product.images.iter().map(|image| {
        let (ImageSource::Url(source) | ImageSource::ContentHash(source)) = &image.source;
        size_of_val(image) + text(source) + text(&image.alt) + size_of_val(&*image.widths)
    });
    let lists = size_of_val(&*product.categories) + size_of_val(&*product.trail);
    let own = text(&product.name) + text(&product.slug) + text(&product.description);
    PRODUCT_BYTES
        + own
        + lists
        + texts(&product.option_names)
        + texts(&product.synonyms)
        + product.external_reference.as_ref().map_or(0, text)
        + variants.sum::<usize>()
        + attributes.sum::<usize>()
        + images.sum::<usize>()
}

#[cfg(test)]
mod tests {
    use kernel::{Currency, Timestamp, UnitPrice};

    use super::*;
    use crate::domain::{Input, InputVariant, Price, Why};

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
    fn everything_that_a_price_holds_is_counted() {
        let unit = |minor| UnitPrice { micros: minor, currency: Currency::GBP };
        let priced = |actor: &str, reason: &str, compare_at: usize| {
            let mut found = found(1, &["A"]);
            found.product.variants[0].prices = vec![Price {
                unit: unit(5),
                since: Timestamp::from_secs(1),
                actor: actor.to_owned(),
                reason: reason.to_owned(),
            }];
            found.product.variants[0].compare_at = vec![unit(9); compare_at];
            bytes(&found.product)
        };
        let least = priced("", "", 0);
        assert!(priced(&"a".repeat(1_000), "", 0) >= least + 1_000);
        assert!(priced("", &"r".repeat(1_000), 0) >= least + 1_000);
        assert!(priced("", "", 20) >= least + 20 * size_of::<UnitPrice>());
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
    fn memory_is_bounded_in_bytes_and_the_oldest_go() {
        let cache = Cache::default();
        // A megabyte of text each: far fewer than there may be of small ones.
        for number in 0..200_u128 {
            let mut found = found(1, &[&format!("SKU-{number}")]);
            found.product.id = ProductId::from_bits(number);
            found.product.description = "x".repeat(1 << 20);
            let fill = cache.begin_fill();
            cache.fill(fill, found);
        }
        let maps = cache.maps.read();
        assert!((50..64).contains(&maps.products.len()), "{}", maps.products.len());
        let real: usize = maps.products.values().map(|entry| entry.found.product.description.len()).sum();
        assert!(real <= maps.bytes && maps.bytes <= BYTES_MAX, "{real} {}", maps.bytes);
        assert_eq!((maps.skus.len(), maps.oldest.len()), (maps.products.len(), maps.products.len()));
        drop(maps);
        assert!(cache.by_sku("SKU-199").is_some() && cache.by_sku("SKU-0").is_none());
    }

    #[test]
    fn what_made_room_meanwhile_is_not_written_over_by_an_older_version() {
        let cache = Cache::default();
        let writing = cache.begin_write(ProductId::from_bits(7));
        for number in 100..200_u128 {
            let mut found = found(1, &[&format!("SKU-{number}")]);
            found.product.id = ProductId::from_bits(number);
            found.product.description = "x".repeat(1 << 20);
            cache.begin_write(found.product.id).written(found);
        }
        writing.written(found(1, &["A"]));
        assert!(cache.by_sku("A").is_none(), "there may have been a newer one");
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
