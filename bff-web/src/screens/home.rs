//! The hall: what this shop is, six things worth seeing, the categories.

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use contract::souk::product::v1::Category;
use contract::souk::search::v1::{SearchHit, SearchRequest, SearchSort};
use contract::souk::r#type::v1::PageRequest;
use edge::{Answer, Keep, Need, Nothing, Route, Shown};
use futures_util::future::join_all;
use http::Method;
use kernel::Result;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::{self, STOCK};
use super::{api, page, shown};
use crate::frame::Frame;
use crate::money::{CurrencyCode, Price};
use crate::news;
use crate::pictures::PictureView;
use crate::shop::{CATEGORIES, CURRENCY, Shop, Tree, Visit};
use crate::view::{Card, CategoryView, picture_of_hit};

/// Things that are shown.
const PICKS: usize = 6;
/// Categories that are looked into for them, and shown.
const AISLES_MAX: usize = 12;
/// How long the hall is kept: what it shows of the index may be a second old when it is made.
const KEEP: Keep = Keep { fresh: Duration::from_secs(15), stale: Duration::from_secs(600) };

const PRODUCTS: Need = Need::required("products", "/souk.search.v1.SearchService/Search");
const AISLE: Need = Need::optional("a category's products", "/souk.search.v1.SearchService/Search");

/// The hall.
#[derive(Debug, Serialize, JsonSchema)]
pub struct HomeView {
    /// What this shop is, in one sentence.
    pub promise: String,
    /// Things worth seeing.
    pub picks: Vec<Card>,
    /// The categories at the top.
    pub categories: Vec<AisleView>,
}

/// A category with a picture from it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AisleView {
    /// The category.
    #[serde(flatten)]
    pub category: CategoryView,
    /// A picture of something in it.
    pub picture: PictureView,
    /// How many products it has.
    pub products: i64,
}

/// How a screen with prices is asked for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InCurrency {
    /// Show prices in this currency, an ISO 4217 code; the chosen or usual one when left out.
    pub currency_code: Option<CurrencyCode>,
}

#[derive(Template)]
#[template(path = "screens/home.html")]
struct HomePage {
    frame: Frame,
    home: HomeView,
}

/// Its routes.
pub fn routes(shop: &Arc<Shop>) -> Vec<Route> {
    let needs: &[&Need] = &[&PRODUCTS, &AISLE, &CATEGORIES, &STOCK];
    vec![
        page(shop, Method::GET, "/", show).kept(KEEP, &[CURRENCY]).needs(needs).cost(2),
        api(shop, Method::GET, "/api/v1/home", show_json)
            .named("getHome", "The hall: things worth seeing, and the categories")
            .answers::<Shown<HomeView>>()
            .kept(KEEP, &[CURRENCY])
            .needs(needs)
            .cost(2),
    ]
}

async fn show(visit: Visit, asked: InCurrency, _: Nothing) -> Result<Answer> {
    let tree = visit.shop.categories(&visit).await;
    let currency = visit.shop.page_currency(&visit, asked.currency_code.as_ref());
    let home = load(&visit, &currency, &tree).await?;
    let empty = home.picks.is_empty();
    let page = HomePage { frame: Frame::with(&visit, &tree, "").priced_in(&currency), home };
    Ok(shown(&page)?.showing(tags()).passing(empty))
}

async fn show_json(visit: Visit, params: InCurrency, _: Nothing) -> Result<Answer> {
    let tree = visit.shop.categories(&visit).await;
    let currency = visit.shop.asked_currency(&visit, params.currency_code.as_ref())?;
    let home = load(&visit, &currency, &tree).await?;
    let empty = home.picks.is_empty();
    Ok(Answer::json(&Shown::new(home, &visit))?.showing(tags()).passing(empty))
}

fn tags() -> [String; 2] {
    [news::CATALOGUE.to_owned(), news::CATEGORIES.to_owned()]
}

async fn load(visit: &Visit, currency: &str, tree: &Tree) -> Result<HomeView> {
    let top: Vec<_> = tree.below("").take(AISLES_MAX).cloned().collect();
    let ask = |category_ids: Vec<String>, limit: usize| {
        let request = SearchRequest {
            category_ids,
            currency_code: currency.to_owned(),
            sort: SearchSort::Newest.into(),
            page: Some(PageRequest { limit: i32::try_from(limit).unwrap_or(1), cursor: String::new() }),
            ..SearchRequest::default()
        };
        let mut search = visit.shop.search.clone();
        let request = visit.request(request);
        async move { search.search(request).await }
    };
    let newest = visit.need(&PRODUCTS, ask(Vec::new(), PICKS)).await?;
    let looked =
        join_all(top.iter().map(|category| visit.may(&AISLE, ask(vec![category.category_id.clone()], 3))))
            .await;
    let mut aisles = Vec::new();
    let mut shelves: Vec<Vec<SearchHit>> = Vec::new();
    for (category, found) in top.iter().zip(looked) {
        let Some(found) = found.filter(|found| !found.hits.is_empty()) else { continue };
        aisles.push((category, found.total));
        shelves.push(found.hits);
    }
    let picks = picked(&shelves, newest.hits);
    let door = |((category, products), shelf): ((&Category, i64), &Vec<SearchHit>)| {
        let picture = picture_of_hit(for_door(shelf, &picks)?, tree, &visit.shop.pictures);
        Some(AisleView { category: CategoryView::of(category), picture, products })
    };
    let aisles = aisles.into_iter().zip(&shelves).filter_map(door).collect();
    let picks = listing::cards(visit, picks, currency, tree).await;
    let promise = "Useful things for the house, made well and chosen slowly.".to_owned();
    Ok(HomeView { promise, picks, categories: aisles })
}

/// One of each shelf in turn, none twice; then the newest.
fn picked(shelves: &[Vec<SearchHit>], newest: Vec<SearchHit>) -> Vec<SearchHit> {
    let deepest = shelves.iter().map(Vec::len).max().unwrap_or(0);
    let in_turn = (0..deepest).flat_map(|depth| shelves.iter().filter_map(move |shelf| shelf.get(depth)));
    let mut picks: Vec<SearchHit> = Vec::with_capacity(PICKS);
    for hit in in_turn.chain(&newest) {
        if picks.len() < PICKS && !picks.iter().any(|pick| pick.product_id == hit.product_id) {
            picks.push(hit.clone());
        }
    }
    picks
}

/// What stands for a category: something of it that is not seen above already, where there is such a thing.
fn for_door<'a>(shelf: &'a [SearchHit], picks: &[SearchHit]) -> Option<&'a SearchHit> {
    let seen = |hit: &SearchHit| picks.iter().any(|pick| pick.product_id == hit.product_id);
    shelf.iter().find(|hit| !seen(hit)).or(shelf.first())
}

/// What a price is called in a list: "from" when variants differ.
pub fn price_words(card: &Card) -> String {
    let price = |price: &Price| price.to_string();
    match &card.from_price {
        Some(found) if card.price_varies => format!("from {}", price(found)),
        Some(found) => price(found),
        None => "Not sold in this currency".to_owned(),
    }
}
