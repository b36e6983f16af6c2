//! What the visitors look at, search for and buy: what the shop sells, stocked for this load.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use bytes::Bytes;
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::inventory::v1::{ReceiptLine, ReceiveStockRequest};
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::product::v1::{
    ImportOutcome, ImportProduct, ImportProductsRequest, ListCategoriesRequest, ListProductsRequest, Product,
    ProductInput, ProductStatus, TaxClass, VariantInput,
};
use contract::souk::r#type::v1::PageRequest;
use contract::wire;
use http::Uri;
use kernel::{Currency, UnitPrice};
use serde_json::json;
use tokio::time::Instant;

use super::cookies::Jar;
use super::web::{Asking, Web};
use crate::client::{Link, Shop};
use crate::console::Failure;
use crate::import::send::request_id;

/// Everything is bought in pounds.
const CURRENCY: Currency = Currency::GBP;
/// SKUs that are bought, at most.
const OFFERS_MAX: usize = 500;
/// Products on a page of their list.
const PAGE: i32 = 100;
/// Words that are searched for, at most.
const WORDS_MAX: usize = 200;
/// Letters of a word that somebody has typed when suggestions are asked for.
const TYPED: usize = 3;
/// Units above what a SKU sells on average: buyers choose at random.
const SPARE_UNITS: i64 = 100;
/// For how long the shop window is given to show what was imported.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);
/// Pause between two looks at it.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What this command puts into a shop that has nothing: kinds of things, and how many of each.
const OWN_KINDS: [&str; 6] = ["Mug", "Bowl", "Lamp", "Blanket", "Basket", "Candle"];
const OWN_OF_A_KIND: usize = 8;

/// Something that can be bought.
#[derive(Clone, Debug)]
pub struct Offer {
    /// Its product's page.
    pub page: Uri,
    /// The document that puts one of it into a cart.
    pub add: Bytes,
}

/// What the visitors look at, search for and buy. None of the lists is empty.
#[derive(Debug)]
pub struct Shelf {
    /// What can be bought.
    pub offers: Vec<Offer>,
    /// Pages of categories; of everything, where there is no category.
    pub categories: Vec<Uri>,
    /// Words: the page of what is found, and the suggestions for their beginning.
    pub words: Vec<(Uri, Uri)>,
}

/// A product's SKU as it is found in the catalogue.
struct Found {
    sku: String,
    slug: String,
}

impl Shelf {
    /// Finds what the shop sells in pounds, or brings something of its own; receives enough of it to be bought `buys` times;
    /// and waits until the shop window shows it.
    ///
    /// # Errors
    /// Exit code 1 when the shop is lost or refuses stock; 2 when the shop window is another shop's, or the credential may not.
    pub async fn fill(shop: &Shop, web: &Web, run: &str, buys: u64) -> Result<Self, Failure> {
        let products = shop.client(ProductServiceClient::new);
        let mut sold = list(shop, &products).await?;
        if sold.is_empty() {
            bring(shop, &products).await?;
            sold = list(shop, &products).await?;
        }
        let found: Vec<Found> = sold.iter().flat_map(found).take(OFFERS_MAX).collect();
        if found.is_empty() {
            return Err(Failure::unfinished("the shop sells nothing in pounds, not even what was imported"));
        }
        if buys > 0 {
            receive(shop, &found, run, buys).await?;
        }
        let shelf = Self {
            offers: found.iter().filter_map(offer).collect(),
            categories: categories(shop, &products, &sold).await?,
            words: words(&sold),
        };
        shelf.is_shown(web).await?;
        Ok(shelf)
    }

    /// Waits until the shop window shows the first product and the first category.
    async fn is_shown(&self, web: &Web) -> Result<(), Failure> {
        let deadline = Instant::now() + SHOWN_WITHIN;
        let (mut line, mut jar) = (web.line(), Jar::default());
        for page in self.offers.iter().map(|offer| &offer.page).take(1).chain(self.categories.iter().take(1))
        {
            loop {
                let answer = line.ask(&Asking::page(page.clone()), &mut jar).await;
                match answer {
                    Ok(answer) if answer.status.is_success() => break,
                    _ if Instant::now() < deadline => tokio::time::sleep(LOOK_EVERY).await,
                    Ok(answer) => {
                        return Err(Failure::usage(format!(
                            "the shop window answers {} to {page}, which the shop sells; --web and --at must name the same shop",
                            answer.status.as_u16()
                        )));
                    }
                    Err(reason) => {
                        return Err(Failure::unfinished(format!("the shop window was lost ({})", reason.0)));
                    }
                }
            }
        }
        Ok(())
    }
}

type Products = ProductServiceClient<Link>;

/// The active products that have a price in pounds.
async fn list(shop: &Shop, products: &Products) -> Result<Vec<Product>, Failure> {
    let mut sold = Vec::new();
    let mut cursor = String::new();
    loop {
        let request = ListProductsRequest {
            page: Some(PageRequest { limit: PAGE, cursor }),
            status: ProductStatus::Active.into(),
        };
        let answer = shop.call(|| {
            let (mut products, request) = (products.clone(), request.clone());
            async move { products.list_products(request).await }
        });
        let answer = answer.await.map_err(|error| error.fatal("the products could not be listed"))?;
        sold.extend(answer.products.into_iter().filter(|product| found(product).next().is_some()));
        cursor = answer.page.map(|page| page.next_cursor).unwrap_or_default();
        if cursor.is_empty() || sold.len() >= OFFERS_MAX {
            return Ok(sold);
        }
    }
}

/// The SKUs of a product that cost something in pounds.
fn found(product: &Product) -> impl Iterator<Item = Found> {
    let costs = |price: &UnitPriceMessage| price.currency_code == CURRENCY.code() && price.micros > 0;
    let sold = product.variants.iter().filter(move |variant| {
        variant.prices.iter().any(|price| price.unit_price.as_ref().is_some_and(costs))
    });
    sold.map(|variant| Found { sku: variant.sku.clone(), slug: product.slug.clone() })
}

type UnitPriceMessage = contract::souk::r#type::v1::UnitPrice;

fn offer(found: &Found) -> Option<Offer> {
    let add = json!({ "sku": found.sku, "quantity": 1 }).to_string();
    Some(Offer { page: format!("/products/{}", found.slug).parse().ok()?, add: add.into() })
}

/// Fills an empty shop. The same products again when it is called again.
async fn bring(shop: &Shop, products: &Products) -> Result<(), Failure> {
    let own = OWN_KINDS.iter().flat_map(|kind| (1..=OWN_OF_A_KIND).map(move |number| own(kind, number)));
    let request = ImportProductsRequest {
        request_id: request_id(),
        products: own.collect(),
        price_reason: "souk load".to_owned(),
    };
    let answer = shop.call(|| {
        let (mut products, request) = (products.clone(), request.clone());
        async move { products.import_products(request).await }
    });
    let what = "the shop is empty, and products for the load could not be imported";
    let answer = answer.await.map_err(|error| error.fatal(what))?;
    let refused = answer.results.iter().find(|result| result.outcome() == ImportOutcome::Refused);
    match refused.map(|result| result.refusals.first()) {
        None => Ok(()),
        Some(why) => {
            let why = why.map(|why| format!("{} {}", why.field, why.description)).unwrap_or_default();
            Err(Failure::unfinished(format!("{what}: {why}")))
        }
    }
}

fn own(kind: &str, number: usize) -> ImportProduct {
    let pounds = i64::try_from(number).unwrap_or(1) * 3;
    ImportProduct {
        external_reference: format!("souk-load:{kind}-{number}"),
        product: Some(ProductInput {
            name: format!("{kind} number {number}"),
            description: "Made for a load test. Nobody will send it.".to_owned(),
            tax_class: TaxClass::Standard.into(),
            status: ProductStatus::Active.into(),
            variants: vec![VariantInput {
                sku: format!("LOAD-{}-{number}", kind.to_uppercase()),
                prices: vec![wire::unit_price(UnitPrice::new(pounds * 1_000_000, CURRENCY))],
                weight_grams: 400,
                ..VariantInput::default()
            }],
            ..ProductInput::default()
        }),
        category_paths: vec![format!("Load/{kind}")],
        price_history: Vec::new(),
    }
}

/// Receives what the load may sell, once for each run.
async fn receive(shop: &Shop, found: &[Found], run: &str, buys: u64) -> Result<(), Failure> {
    let each = i64::try_from(buys.div_ceil(found.len() as u64)).unwrap_or(i64::MAX);
    let line = |found: &Found| ReceiptLine {
        sku: found.sku.clone(),
        location: String::new(),
        quantity: each.saturating_mul(2).saturating_add(SPARE_UNITS),
        reference: format!("load:{run}:{}", found.sku),
    };
    let request =
        ReceiveStockRequest { request_id: format!("load-{run}"), lines: found.iter().map(line).collect() };
    let inventory = shop.client(InventoryServiceClient::new);
    let answer = shop.call(|| {
        let (mut inventory, request) = (inventory.clone(), request.clone());
        async move { inventory.receive_stock(request).await }
    });
    answer.await.map(drop).map_err(|error| error.fatal("the stock for the load could not be received"))
}

/// Pages of the categories that these products stand in.
async fn categories(shop: &Shop, products: &Products, sold: &[Product]) -> Result<Vec<Uri>, Failure> {
    let answer = shop.call(|| {
        let mut products = products.clone();
        async move { products.list_categories(ListCategoriesRequest::default()).await }
    });
    let answer = answer.await.map_err(|error| error.fatal("the categories could not be listed"))?;
    let paths: HashMap<_, _> =
        answer.categories.into_iter().map(|category| (category.category_id, category.path)).collect();
    let used: BTreeSet<&String> =
        sold.iter().flat_map(|product| &product.category_ids).filter_map(|id| paths.get(id)).collect();
    let mut pages: Vec<Uri> = used.iter().filter_map(|path| format!("/c/{path}").parse().ok()).collect();
    if pages.is_empty() {
        pages.push(Uri::from_static("/search"));
    }
    Ok(pages)
}

/// Words of the products' names, each with what is found by it and what its beginning suggests.
fn words(sold: &[Product]) -> Vec<(Uri, Uri)> {
    let names =
        sold.iter().flat_map(|product| product.name.split(|letter: char| !letter.is_ascii_alphabetic()));
    let words: BTreeSet<String> =
        names.filter(|word| word.len() > TYPED).map(str::to_ascii_lowercase).collect();
    let targets = |word: &str| {
        let found = format!("/search?q={word}").parse().ok()?;
        let suggested = format!("/api/v1/suggestions?q={}", word.get(..TYPED)?).parse().ok()?;
        Some((found, suggested))
    };
    let mut targets: Vec<(Uri, Uri)> =
        words.iter().filter_map(|word| targets(word)).take(WORDS_MAX).collect();
    if targets.is_empty() {
        targets.push((Uri::from_static("/search?q=mug"), Uri::from_static("/api/v1/suggestions?q=mug")));
    }
    targets
}

#[cfg(test)]
mod tests {
    use contract::souk::product::v1::{Variant, VariantPrice};

    use super::*;

    fn product(name: &str, prices: &[(&str, i64)]) -> Product {
        let price = |(code, micros): &(&str, i64)| VariantPrice {
            unit_price: Some(UnitPriceMessage { currency_code: (*code).to_owned(), micros: *micros }),
            ..VariantPrice::default()
        };
        let prices = prices.iter().map(price).collect();
        let variant = Variant { sku: "A \"1\"".to_owned(), prices, ..Variant::default() };
        Product {
            name: name.to_owned(),
            slug: "a-1".to_owned(),
            variants: vec![variant],
            ..Product::default()
        }
    }

    #[test]
    fn only_what_costs_something_in_pounds_is_bought() {
        assert_eq!(found(&product("Mug", &[("EUR", 5), ("GBP", 7)])).count(), 1);
        assert_eq!(found(&product("Mug", &[("EUR", 5)])).count(), 0);
        assert_eq!(found(&product("Mug", &[("GBP", 0)])).count(), 0);
        let found = found(&product("Mug", &[("GBP", 7)])).next().expect("one");
        let offer = offer(&found).expect("an offer");
        assert_eq!(offer.page, "/products/a-1");
        assert_eq!(&*offer.add, br#"{"quantity":1,"sku":"A \"1\""}"#);
    }

    #[test]
    fn words_are_those_that_somebody_would_type() {
        let targets = words(&[product("Café MUG, large & blue", &[]), product("blue Mugs", &[])]);
        let targets: Vec<String> = targets.iter().map(|(page, typed)| format!("{page} {typed}")).collect();
        assert_eq!(
            targets,
            [
                "/search?q=blue /api/v1/suggestions?q=blu",
                "/search?q=large /api/v1/suggestions?q=lar",
                "/search?q=mugs /api/v1/suggestions?q=mug"
            ]
        );
        assert_eq!(words(&[]).len(), 1);
    }
}
