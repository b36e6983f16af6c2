//! What an audit checks of the stored catalogue, and what it compares with events and search.

mod events;

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chassis::audit::{Examine, Examined, Fact, check_document, last_of_full_page};
use kernel::{ProductId, Result};
use store::StoredDocument;
use tonic::async_trait;

pub use self::events::describe;
use self::events::{category_content, row_content};
use crate::api::show;
use crate::domain::{
    Category, DEPTH_MAX, Format, ImageSource, PRICE_MICROS_MAX, Picture, Price, Product, Status,
    content_hash_is_good, slug_is_good,
};
use crate::store::{
    Catalogue, Claim, Held, Kept, Record, VersionOrigin, file_digest, record_id, rendition_id,
};

/// SKUs that a hit of search has.
const SKUS_INDEXED_MAX: usize = 20;
/// Products read at once: one of many variants takes some hundred kilobytes, and tells thousands of facts.
const PRODUCTS_MAX: u32 = 100;
/// Renditions read at once: each may have some megabytes.
const RENDITIONS_MAX: u32 = 16;

/// The tables of the catalogue.
pub fn tables(catalogue: &Catalogue) -> [Arc<dyn Examine>; 6] {
    [
        Arc::new(ProductRows(catalogue.clone())),
        Arc::new(ClaimRows(catalogue.clone())),
        Arc::new(RecordRows(catalogue.clone())),
        Arc::new(CategoryRows(catalogue.clone())),
        Arc::new(PictureRows(catalogue.clone())),
        Arc::new(RenditionRows(catalogue.clone())),
    ]
}

struct ProductRows(Catalogue);
struct ClaimRows(Catalogue);
struct RecordRows(Catalogue);
struct CategoryRows(Catalogue);
struct PictureRows(Catalogue);
struct RenditionRows(Catalogue);

fn next<T>(rows: &[StoredDocument<T>], limit: u32) -> Option<String> {
    last_of_full_page(rows, limit).map(|last| last.id.clone())
}

#[async_trait]
impl Examine for ProductRows {
    fn table(&self) -> &'static str {
        "products"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let limit = limit.min(PRODUCTS_MAX);
        let rows = self.0.inspect().documents::<Held>(after.unwrap_or_default(), limit).await?;
        let mut examined = Examined { next: next(&rows, limit), ..Examined::default() };
        for stored in &rows {
            let Some(held) = check_document(&stored.id, stored, &mut examined) else { continue };
            // An id that is spent has no product.
            let Some(product) = &held.product else { continue };
            examine_product(&stored.id, product, &mut examined);
            self.examine_references(product, &mut examined).await?;
            let content = row_content(&show::product(product, stored.version, &self.0.tree()));
            let row = Fact::new("row", stored.id.clone()).content(&content).at(product.created);
            let row = match held.version_origin {
                Some(origin) => {
                    examine_version(&stored.id, stored.version, origin, &mut examined);
                    row.version(origin.published).state("exact")
                }
                None => row.version(stored.version),
            };
            examined.facts.push(row);
            if product.status == Status::Active {
                let skus: Vec<&str> = product.skus().take(SKUS_INDEXED_MAX).collect();
                let content = format!("{} | {} | {skus:?}", product.name, product.slug);
                let active = Fact::new("active", stored.id.clone()).version(stored.version);
                examined.facts.push(active.content(content.as_bytes()).about(&content));
            }
        }
        Ok(examined)
    }
}

impl ProductRows {
    /// What a product names: the claims of its SKUs, its categories, its pictures.
    async fn examine_references(&self, product: &Product, examined: &mut Examined) -> Result<()> {
        let row = product.id.to_string();
        let skus: Vec<String> = product.variants.iter().map(|variant| variant.sku.clone()).collect();
        let claims = self.0.claims_of(&skus).await?;
        for sku in &skus {
            let claim = claims.get(sku);
            let found = claim.map_or_else(|| "no claim".to_owned(), ToString::to_string);
            examined.expects(claim == Some(&product.id), &row, format!("a claim of {sku} for it"), found);
        }
        for id in self.0.never_categories(&product.categories).await? {
            examined.finds(&row, format!("the category {id}, or that it was removed"), "none");
        }
        let tree = self.0.tree();
        let known: Vec<_> = product.categories.iter().copied().filter(|id| tree.get(*id).is_some()).collect();
        let told: Vec<_> = product.trail.iter().copied().filter(|id| tree.get(*id).is_some()).collect();
        let trail = tree.trail(&known);
        // A category that was removed stays in the trails of its products until they change.
        let whole = trail.iter().all(|id| told.contains(id));
        let only = told.iter().all(|id| trail.contains(id)) || known.len() < product.categories.len();
        examined.expects(whole && only, &row, format!("a trail of {trail:?}"), format!("{told:?}"));
        let hash = |source: &ImageSource| match source {
            ImageSource::ContentHash(hash) => Some(hash.clone()),
            ImageSource::Url(_) => None,
        };
        let hashes: Vec<String> = product.images.iter().filter_map(|image| hash(&image.source)).collect();
        let pictures = if hashes.is_empty() { HashMap::new() } else { self.0.pictures(&hashes).await? };
        for image in &product.images {
            let Some(hash) = hash(&image.source) else { continue };
            let found = pictures.get(&hash);
            let same = found.is_some_and(|picture| {
                (picture.width, picture.height) == (image.width, image.height)
                    && picture.widths == image.widths
            });
            examined.expects(same, &row, format!("its picture {hash} as it is kept"), format!("{image:?}"));
        }
        Ok(())
    }
}

/// A version is that of the newest event, and one more for each change without an event.
fn examine_version(row: &str, version: i64, origin: VersionOrigin, examined: &mut Examined) {
    let VersionOrigin { published, unpublished } = origin;
    let good = published > 0 && unpublished >= 0 && version == published.saturating_add(unpublished);
    let expected = format!("version {published} of its newest event, and {unpublished} more");
    examined.expects(good, row, expected, version);
}

fn examine_product(row: &str, product: &Product, examined: &mut Examined) {
    examined.expects(product.id.to_string() == row, row, "a product of this id", product.id);
    examined.expects(slug_is_good(&product.slug), row, "a slug that may be", &product.slug);
    examined.expects(!product.name.trim().is_empty(), row, "a name", "none");
    examined.expects(!product.variants.is_empty(), row, "a variant", "none");
    let made = product.created.micros() > 0 && product.updated.micros() > 0;
    examined.expects(made, row, "times of its making and its last change", product.created);
    let mut skus = BTreeSet::new();
    for variant in &product.variants {
        let sku = &variant.sku;
        examined.expects(skus.insert(sku), row, "each SKU once", sku);
        examined.expects(sku_may_be(sku), row, "a SKU that may be", sku);
        let names = variant.options.iter().map(|option| &option.name);
        let fits = names.eq(product.option_names.iter()) || variant.options.is_empty();
        examined.expects(
            fits,
            row,
            format!("an option of {sku} for each name"),
            format!("{:?}", variant.options),
        );
        let weight = (0..=1_000_000).contains(&variant.weight_grams);
        examined.expects(weight, row, format!("a weight of {sku} up to 1000000 g"), variant.weight_grams);
        let sorted = variant.prices.windows(2).all(|two| two[0].unit.currency < two[1].unit.currency);
        examined.expects(sorted, row, format!("prices of {sku} by currency"), "another order");
        for price in &variant.prices {
            examine_price(row, price, examined);
            examined.expects(!price.actor.is_empty(), row, "who set the price", "nobody");
            let series = format!("{} {} {sku}", product.id, price.unit.currency);
            examined.facts.push(set_price("price kept", &series, price));
        }
    }
}

/// Rows of earlier releases stay as they were let in, so this asks for less than a request is asked for.
fn sku_may_be(sku: &str) -> bool {
    (1..=64).contains(&sku.chars().count()) && !sku.chars().any(char::is_control)
}

fn price_fact(set: &'static str, series: &str, micros: i64) -> Fact {
    Fact::new(set, format!("{series} at {micros}"))
}

/// That a price was set then, by whom and why.
fn set_price(set: &'static str, series: &str, price: &Price) -> Fact {
    let key = format!("{series} at {} from {}", price.unit.micros, price.since);
    let content = format!("by {}: {}", price.actor, price.reason);
    Fact::new(set, key).content(content.as_bytes()).about(&content)
}

fn examine_price(row: &str, price: &Price, examined: &mut Examined) {
    let good = (0..=PRICE_MICROS_MAX).contains(&price.unit.micros);
    examined.expects(good, row, "a price from 0", price.unit.micros);
}

#[async_trait]
impl Examine for ClaimRows {
    fn table(&self) -> &'static str {
        "claims of SKUs"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let rows = self.0.inspect().documents::<Claim>(after.unwrap_or_default(), limit).await?;
        let mut examined = Examined { next: next(&rows, limit), ..Examined::default() };
        for stored in &rows {
            let row = format!("claim of {}", stored.id);
            let Some(claim) = check_document(&row, stored, &mut examined) else { continue };
            examined.expects(sku_may_be(&stored.id), &row, "a SKU that may be", &stored.id);
            examined.expects(claim.time.micros() > 0, &row, "the time of the claim", claim.time);
        }
        Ok(examined)
    }
}

#[async_trait]
impl Examine for RecordRows {
    fn table(&self) -> &'static str {
        "price history"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let rows = self.0.inspect().documents::<Record>(after.unwrap_or_default(), limit).await?;
        let mut examined = Examined { next: next(&rows, limit), ..Examined::default() };
        for stored in &rows {
            let row = format!("price of the past {}", stored.id);
            let Some(record) = check_document(&row, stored, &mut examined) else { continue };
            let id = record_id(&record.series, &record.price);
            examined.expects(id == stored.id, &row, format!("the id of what it says, {id}"), &stored.id);
            examined.expects(stored.version == 1, &row, "version 1: it is never changed", stored.version);
            examine_price(&row, &record.price, &mut examined);
            let mut parts = record.series.splitn(3, ' ');
            let product = parts.next().and_then(|id| ProductId::parse(id).ok());
            let currency = parts.next() == Some(record.price.unit.currency.code());
            let good = product.is_some() && currency && parts.next().is_some_and(sku_may_be);
            examined.expects(good, &row, "a product, its own currency and a SKU", &record.series);
            if let Some(product) = product {
                let there = self.0.product(product).await?.is_some();
                examined.expects(there, &row, format!("the product {product}"), "none");
            }
            examined.facts.push(price_fact("price past", &record.series, record.price.unit.micros));
            examined.facts.push(set_price("price kept", &record.series, &record.price));
        }
        Ok(examined)
    }
}

#[async_trait]
impl Examine for CategoryRows {
    fn table(&self) -> &'static str {
        "categories"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let rows = self.0.inspect().documents::<Category>(after.unwrap_or_default(), limit).await?;
        let tree = self.0.tree();
        let mut examined = Examined { next: next(&rows, limit), ..Examined::default() };
        for stored in &rows {
            let row = &stored.id;
            let Some(category) = check_document(row, stored, &mut examined) else { continue };
            examined.expects(category.id.to_string() == *row, row, "a category of this id", category.id);
            if category.removed {
                let gone = tree.get(category.id).is_none();
                examined.expects(gone, row, "no place in the tree, as it was removed", "one");
                continue;
            }
            examined.expects(slug_is_good(&category.slug), row, "a slug that may be", &category.slug);
            examined.expects(!category.name.trim().is_empty(), row, "a name", "none");
            if let Some(parent) = category.parent {
                examined.expects(tree.get(parent).is_some(), row, format!("the category {parent}"), "none");
            }
            let depth = tree.line(category.id).len();
            examined.expects((1..=DEPTH_MAX).contains(&depth), row, "a place in the tree", depth);
            let content = category_content(&show::category(category, stored.version, &tree));
            examined.facts.push(Fact::new("row", row.clone()).version(stored.version).content(&content));
        }
        Ok(examined)
    }
}

#[async_trait]
impl Examine for PictureRows {
    fn table(&self) -> &'static str {
        "pictures"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let rows = self.0.inspect().documents::<Picture>(after.unwrap_or_default(), limit).await?;
        let mut examined = Examined { next: next(&rows, limit), ..Examined::default() };
        for stored in &rows {
            let row = format!("picture {}", stored.id);
            let Some(picture) = check_document(&row, stored, &mut examined) else { continue };
            examined.expects(content_hash_is_good(&stored.id), &row, "a SHA-256", &stored.id);
            let sides = picture.width > 0 && picture.height > 0 && !picture.widths.is_empty();
            examined.expects(sides, &row, "sides in pixels and widths", format!("{picture:?}"));
            let rising = picture.widths.windows(2).all(|two| two[0] < two[1]);
            examined.expects(rising, &row, "widths, the narrowest first", format!("{:?}", picture.widths));
            for width in &picture.widths {
                for format in [Format::Webp, Format::Jpeg] {
                    let id = rendition_id(&stored.id, *width, format);
                    examined.facts.push(Fact::new("wants rendition", id));
                }
            }
        }
        Ok(examined)
    }
}

#[async_trait]
impl Examine for RenditionRows {
    fn table(&self) -> &'static str {
        "renditions of pictures"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let limit = limit.min(RENDITIONS_MAX);
        let rows = self.0.inspect().documents::<Kept>(after.unwrap_or_default(), limit).await?;
        let mut examined = Examined { next: next(&rows, limit), ..Examined::default() };
        for stored in &rows {
            let row = format!("rendition {}", stored.id);
            let Some(kept) = check_document(&row, stored, &mut examined) else { continue };
            examined.expects(stored.version == 1, &row, "version 1: it is never changed", stored.version);
            examine_rendition(&row, &stored.id, kept, &mut examined);
            examined.facts.push(Fact::new("rendition", stored.id.clone()));
        }
        Ok(examined)
    }
}

/// Whether a rendition has the bytes that were written, and they are a file of its format and size. The picture is not read
/// anew, which would take seconds for a few hundred.
fn examine_rendition(row: &str, id: &str, kept: &Kept, examined: &mut Examined) {
    let name = id.split_once('-').and_then(|(hash, rest)| Some((hash, rest.split_once('.')?)));
    let Some((hash, (width, ending))) = name else {
        return examined.finds(row, "an id of hash, width and format", id);
    };
    examined.expects(content_hash_is_good(hash), row, "a SHA-256", hash);
    let data = match STANDARD.decode(&kept.base64) {
        Ok(data) => data,
        Err(error) => return examined.finds(row, "base64", error.to_string()),
    };
    // Those of earlier releases have no digest.
    let digest = file_digest(&data);
    let same = kept.sha256.is_empty() || kept.sha256 == digest;
    examined.expects(same, row, format!("bytes of the digest {}", kept.sha256), digest);
    let format = if ending == "webp" { image::ImageFormat::WebP } else { image::ImageFormat::Jpeg };
    let reader = image::ImageReader::with_format(std::io::Cursor::new(&data), format);
    match reader.into_dimensions() {
        Ok((wide, high)) => {
            let found = format!("{wide}x{high}");
            let expected = format!("{width}x{}", kept.height);
            examined.expects(found == expected, row, expected.clone(), &found);
        }
        Err(error) => examined.finds(row, "a picture that reads", error.to_string()),
    }
}
