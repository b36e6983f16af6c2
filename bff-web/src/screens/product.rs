//! One product: picture, price, variants with what is left of them, its story, and others like it.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use contract::souk::inventory::v1::BatchGetStockRequest;
use contract::souk::product::v1::{GetProductBySlugRequest, Product, Variant};
use contract::souk::search::v1::SearchRequest;
use contract::souk::r#type::v1::PageRequest;
use edge::{Answer, Keep, Need, Nothing, Route, Shown};
use http::Method;
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::{self, STOCK};
use super::{api, page, shown};
use crate::frame::Frame;
use crate::money::{CurrencyCode, Price};
use crate::news;
use crate::pictures::PictureView;
use crate::said;
use crate::shop::{CATEGORIES, CURRENCY, Shop, Tree, Visit};
use crate::view::{Card, CategoryView, Left, OptionView, StockView, category_name};

/// Others that are shown.
const OTHERS: usize = 4;
/// How long a product is kept: what it shows tells when it changes, so this only bounds what a lost event costs.
const KEEP: Keep = Keep { fresh: Duration::from_secs(60), stale: Duration::from_secs(600) };

const PRODUCT: Need = Need::required("product", "/souk.product.v1.ProductService/GetProductBySlug");
const OTHER: Need = Need::optional("others like it", "/souk.search.v1.SearchService/Search");

/// A product.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ProductView {
    /// `prd_…`.
    pub product_id: String,
    /// Rises with every change.
    pub version: i64,
    /// Its name.
    pub name: String,
    /// Its name in addresses.
    pub slug: String,
    /// Its story, in plain text.
    pub description: String,
    /// What its variants differ by.
    pub option_names: Vec<String>,
    /// What can be bought.
    pub variants: Vec<VariantView>,
    /// Facts about it.
    pub attributes: Vec<OptionView>,
    /// Its pictures, the main one first.
    pub pictures: Vec<PictureView>,
    /// From the top to the category it stands in.
    pub trail: Vec<CategoryView>,
}

/// Products like one.
#[derive(Debug, Serialize, JsonSchema)]
pub struct OthersView {
    /// Others from its category, at most 4.
    pub products: Vec<Card>,
}

/// A variant of a product.
#[derive(Debug, Serialize, JsonSchema)]
pub struct VariantView {
    /// What is bought by.
    pub sku: String,
    /// The values of its options.
    pub options: Vec<OptionView>,
    /// What one costs; absent when it is not sold in this currency.
    pub price: Option<Price>,
    /// How much is left; absent when that is not known.
    pub stock: Option<StockView>,
}

impl VariantView {
    /// Its options in words: "Sea blue, large".
    pub fn words(&self) -> String {
        self.options.iter().map(|option| option.value.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// Whether none can be had, as far as is known.
    pub fn gone(&self) -> bool {
        self.price.is_none() || self.stock.as_ref().is_some_and(|stock| stock.left == Left::None)
    }

    /// What is said about how much is left; nothing where there is plenty.
    pub fn left(&self) -> String {
        match &self.stock {
            // What is not sold at all is not sold out.
            _ if self.price.is_none() => String::new(),
            Some(StockView { left: Left::None, .. }) => "Sold out".to_owned(),
            Some(StockView { only: Some(units), .. }) => format!("Only {units} left"),
            _ => String::new(),
        }
    }
}

impl ProductView {
    /// The variant that is chosen at first: the first that can be had.
    pub fn first(&self) -> Option<&VariantView> {
        self.variants.iter().find(|variant| !variant.gone())
    }

    /// Whether nothing of it is sold in the currency of the page.
    pub fn has_no_price(&self) -> bool {
        self.variants.iter().all(|variant| variant.price.is_none())
    }

    /// Whether this variant is chosen at first.
    pub fn is_first(&self, variant: &VariantView) -> bool {
        self.first().is_some_and(|first| first.sku == variant.sku)
    }

    /// What the price line says.
    pub fn price(&self) -> String {
        let prices: Vec<&Price> = self.variants.iter().filter_map(|variant| variant.price.as_ref()).collect();
        let lowest = prices.iter().min_by_key(|price| price.micros);
        let varies = prices.iter().any(|price| Some(&price.micros) != lowest.map(|lowest| &lowest.micros));
        match lowest {
            Some(price) if varies => format!("from {price}"),
            Some(price) => price.to_string(),
            None => "Not sold in this currency".to_owned(),
        }
    }

    /// The story in paragraphs.
    pub fn paragraphs(&self) -> Vec<&str> {
        self.description.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()).collect()
    }
}

/// Which product.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// Its name in addresses.
    #[schemars(length(min = 1, max = 120), extend("pattern" = said::SLUG))]
    slug: String,
    /// Prices in this currency, an ISO 4217 code; the chosen or usual one when left out.
    currency_code: Option<CurrencyCode>,
}

#[derive(Template)]
#[template(path = "screens/product.html")]
struct ProductPage {
    frame: Frame,
    product: ProductView,
    others: Vec<Card>,
    stock_known: bool,
}

/// Its routes.
pub fn routes(shop: &Arc<Shop>) -> Vec<Route> {
    vec![
        page(shop, Method::GET, "/products/{slug}", show).kept(KEEP, &[CURRENCY]).needs(&[
            &PRODUCT,
            &STOCK,
            &CATEGORIES,
            &OTHER,
        ]),
        api(shop, Method::GET, "/api/v1/products/{slug}", show_json)
            .named("getProduct", "One product with its variants, prices and what is left")
            .answers::<Shown<ProductView>>()
            .kept(KEEP, &[CURRENCY])
            .needs(&[&PRODUCT, &STOCK, &CATEGORIES]),
        api(shop, Method::GET, "/api/v1/products/{slug}/others", others_json)
            .named("listOthers", "Products like one: others from its category")
            .answers::<Shown<OthersView>>()
            .kept(KEEP, &[CURRENCY])
            .needs(&[&PRODUCT, &STOCK, &CATEGORIES, &OTHER]),
    ]
}

async fn show(visit: Visit, which: Which, _: Nothing) -> Result<Answer> {
    let (product, tree) = find(&visit, which.slug).await?;
    let currency = visit.shop.page_currency(&visit, which.currency_code.as_ref());
    // What is left and what is like it need to know which product it is.
    let (stock, others) =
        futures_util::join!(stock(&visit, &product), others(&visit, &product, &currency, &tree));
    let product = view(&visit, product, stock.as_deref(), &currency, &tree);
    let tags = tags(&product, &others);
    let mut frame = Frame::with(&visit, &tree, &product.name).priced_in(&currency);
    frame.description = product.description.chars().take(155).collect();
    frame.aisle = product.trail.first().map(|category| category.path.clone()).unwrap_or_default();
    let stock_known = product.variants.iter().all(|variant| variant.stock.is_some());
    Ok(shown(&ProductPage { frame, product, others, stock_known })?.showing(tags))
}

async fn show_json(visit: Visit, which: Which, _: Nothing) -> Result<Answer> {
    let currency = visit.shop.asked_currency(&visit, which.currency_code.as_ref())?;
    let (product, tree) = find(&visit, which.slug).await?;
    let stock = stock(&visit, &product).await;
    let product = view(&visit, product, stock.as_deref(), &currency, &tree);
    let tags = tags(&product, &[]);
    Ok(Answer::json(&Shown::new(product, &visit))?.showing(tags))
}

async fn others_json(visit: Visit, which: Which, _: Nothing) -> Result<Answer> {
    let currency = visit.shop.asked_currency(&visit, which.currency_code.as_ref())?;
    let (product, tree) = find(&visit, which.slug).await?;
    let products = others(&visit, &product, &currency, &tree).await;
    let tags =
        products.iter().map(|card| news::product_tag(&card.product_id)).chain([news::CATALOGUE.to_owned()]);
    let tags: Vec<String> = tags.collect();
    Ok(Answer::json(&Shown::new(OthersView { products }, &visit))?.showing(tags))
}

/// What the page shows, and is dropped with.
fn tags(product: &ProductView, others: &[Card]) -> Vec<String> {
    let others = others.iter().map(|card| news::product_tag(&card.product_id));
    let skus = product.variants.iter().map(|variant| news::sku_tag(&variant.sku));
    let own = [news::product_tag(&product.product_id), news::CATEGORIES.to_owned()];
    own.into_iter().chain(others).chain(skus).collect()
}

async fn find(visit: &Visit, slug: String) -> Result<(Product, Arc<Tree>)> {
    let request = visit.request(GetProductBySlugRequest { slug });
    let mut products = visit.shop.products.clone();
    let answer = visit.need(&PRODUCT, products.get_product_by_slug(request));
    let (answer, tree) = futures_util::join!(answer, visit.shop.categories(visit));
    let product = answer?.product.ok_or_else(|| Error::internal("an answer without a product"))?;
    Ok((product, tree))
}

type SkuStock = Vec<(String, StockView)>;

async fn stock(visit: &Visit, product: &Product) -> Option<SkuStock> {
    let skus = product.variants.iter().map(|variant| variant.sku.clone()).collect();
    let request = visit.request(BatchGetStockRequest { skus });
    let answer = visit.may(&STOCK, visit.shop.inventory.clone().batch_get_stock(request)).await?;
    Some(answer.stocks.iter().map(|stock| (stock.sku.clone(), StockView::of(stock))).collect())
}

async fn others(visit: &Visit, product: &Product, currency: &str, tree: &Tree) -> Vec<Card> {
    let Some(category) = product.category_ids.first() else { return Vec::new() };
    let request = SearchRequest {
        category_ids: vec![category.clone()],
        currency_code: currency.to_owned(),
        page: Some(PageRequest { limit: i32::try_from(OTHERS).unwrap_or(1) + 1, cursor: String::new() }),
        ..SearchRequest::default()
    };
    let answer = visit.may(&OTHER, visit.shop.search.clone().search(visit.request(request))).await;
    let mut hits = answer.map(|found| found.hits).unwrap_or_default();
    hits.retain(|hit| hit.product_id != product.product_id);
    hits.truncate(OTHERS);
    listing::cards(visit, hits, currency, tree).await
}

fn view(
    visit: &Visit,
    product: Product,
    stock: Option<&[(String, StockView)]>,
    currency: &str,
    tree: &Tree,
) -> ProductView {
    let category = product.category_ids.first().cloned().unwrap_or_default();
    let variant = |variant: &Variant| VariantView {
        sku: variant.sku.clone(),
        options: variant.options.iter().map(OptionView::from).collect(),
        price: price_in(variant, currency),
        stock: stock.and_then(|stock| {
            stock.iter().find(|(sku, _)| *sku == variant.sku).map(|(_, stock)| stock.clone())
        }),
    };
    let pictures = pictures(visit, &product, category_name(tree, &category));
    ProductView {
        pictures,
        variants: product.variants.iter().map(variant).collect(),
        attributes: product
            .attributes
            .into_iter()
            .map(|attribute| OptionView { name: attribute.name, value: attribute.value })
            .collect(),
        trail: CategoryView::trail(tree, &category),
        product_id: product.product_id,
        version: product.version,
        name: product.name,
        slug: product.slug,
        description: product.description,
        option_names: product.option_names,
    }
}

/// Its own pictures, or a drawing.
fn pictures(visit: &Visit, product: &Product, category: &str) -> Vec<PictureView> {
    let own: Vec<PictureView> = product.images.iter().filter_map(PictureView::own).collect();
    if own.is_empty() {
        return vec![visit.shop.pictures.of(None, &product.product_id, &product.name, category)];
    }
    own
}

fn price_in(variant: &Variant, currency: &str) -> Option<Price> {
    let prices = variant.prices.iter().filter_map(|price| price.unit_price.clone());
    prices.map(Price::from).find(|price| price.currency_code == currency)
}
