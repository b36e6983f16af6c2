//! Lists of products: a category, and what a search finds, with facets; and suggestions while somebody types.

pub mod links;
mod view;

use std::sync::Arc;
use std::time::Duration;

use askama::Template;
use contract::souk::inventory::v1::BatchGetStockRequest;
use contract::souk::search::v1::{
    AttributeFilter, PriceFilter, SearchHit, SearchMatch, SearchRequest, SearchResponse, SearchSort,
    SuggestRequest, SuggestionKind,
};
use contract::souk::r#type::v1::PageRequest;
use edge::{Answer, Keep, Need, Nothing, Route, Shown};
use http::Method;
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::links::{Chip, Group, Links};
use self::view::facets_view;
pub use self::view::{ListingView, Matching, PriceFacet};
use super::{NoParams, api, page, page_limit, shown};
use crate::frame::Frame;
use crate::money::CurrencyCode;
use crate::news;
use crate::said;
use crate::shop::{CATEGORIES, CURRENCY, Shop, Tree, Visit};
use crate::view::{Card, CategoryView, encoded};

/// Products on a page.
const PAGE: i32 = 24;
/// How long a list is kept: what it shows of the index may be a second old when it is made.
const KEEP: Keep = Keep { fresh: Duration::from_secs(10), stale: Duration::from_secs(300) };
/// Longest query, in characters.
const QUERY_CHARS_MAX: usize = 200;

/// How much is left of what a list shows.
pub const STOCK: Need = Need::optional("stock", "/souk.inventory.v1.InventoryService/BatchGetStock");
const FOUND: Need = Need::required("search", "/souk.search.v1.SearchService/Search");
const SUGGESTIONS: Need = Need::required("suggestions", "/souk.search.v1.SearchService/Suggest");

/// How a list is ordered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sort {
    /// Best match first; without words, newest first.
    #[default]
    Relevance,
    /// Cheapest first.
    PriceAscending,
    /// Dearest first.
    PriceDescending,
    /// Newest first.
    Newest,
    /// By name.
    Name,
}

impl Sort {
    /// All, with their names in addresses and for people.
    pub const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Relevance, "relevance", "Best match"),
        (Self::PriceAscending, "price_ascending", "Price, low to high"),
        (Self::PriceDescending, "price_descending", "Price, high to low"),
        (Self::Newest, "newest", "Newest"),
        (Self::Name, "name", "Name"),
    ];

    fn wire(self) -> SearchSort {
        match self {
            Self::Relevance => SearchSort::Relevance,
            Self::PriceAscending => SearchSort::PriceAscending,
            Self::PriceDescending => SearchSort::PriceDescending,
            Self::Newest => SearchSort::Newest,
            Self::Name => SearchSort::Name,
        }
    }
}

/// What is looked for.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// Words, at most 200 characters; none: everything.
    #[serde(default)]
    #[schemars(length(max = 200))]
    pub q: String,
    /// Only in this category and below it, by its path, for example `kitchen/mugs-and-cups`.
    #[serde(default)]
    #[schemars(length(max = 400))]
    pub category: String,
    /// Only with these facts, each `name:value`; several values of one name are alternatives. At most 20.
    #[serde(default)]
    #[schemars(length(max = 20), inner(regex(pattern = r"^[^:\u0000]{1,100}:[^\u0000]{0,255}$")))]
    pub attribute: Vec<String>,
    /// Only at these prices in micros, `from-below`; `0` for no limit above.
    #[serde(default)]
    #[schemars(length(max = 40), extend("pattern" = said::PRICES_OR_NONE))]
    pub price: String,
    /// How to order.
    #[serde(default)]
    pub sort: Sort,
    /// Prices in this currency, an ISO 4217 code; the chosen or usual one when left out.
    pub currency_code: Option<CurrencyCode>,
    /// Products on a page, 1 to 100.
    #[schemars(range(min = 1, max = 100))]
    pub limit: Option<i32>,
    /// `next_cursor` of the page before.
    #[serde(default)]
    pub cursor: String,
}

/// A category's page: its path, and what is looked for in it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct InCategory {
    path: String,
    #[serde(default)]
    attribute: Vec<String>,
    #[serde(default)]
    price: String,
    #[serde(default)]
    sort: Sort,
    currency_code: Option<CurrencyCode>,
    #[serde(default)]
    cursor: String,
}

/// What somebody is typing.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Typed {
    /// What is typed so far, at most 200 characters.
    #[serde(default)]
    #[schemars(length(max = 200))]
    q: String,
}

/// Suggestions.
#[derive(Debug, Serialize, JsonSchema)]
struct SuggestionsView {
    /// Categories first, then products, best first.
    suggestions: Vec<SuggestionView>,
}

/// A suggestion.
#[derive(Debug, Serialize, JsonSchema)]
struct SuggestionView {
    /// The text to show.
    text: String,
    /// Where it leads, at this gateway.
    href: String,
    /// Whether it is a category.
    category: bool,
}

#[derive(Template)]
#[template(path = "screens/listing.html")]
struct ListingPage {
    frame: Frame,
    headline: String,
    listing: ListingView,
    groups: Vec<Group>,
    chips: Vec<Chip>,
    sorts: Vec<links::Choice>,
    /// The fields that the sorting form carries on.
    carried: Vec<(String, String)>,
    action: String,
    first: Option<String>,
    next: Option<String>,
    nearest: bool,
    corrected: bool,
}

/// Their routes.
pub fn routes(shop: &Arc<Shop>) -> Vec<Route> {
    let needs: &[&Need] = &[&FOUND, &CATEGORIES, &STOCK];
    vec![
        page(shop, Method::GET, "/c/{*path}", category).kept(KEEP, &[CURRENCY]).needs(needs).cost(2),
        page(shop, Method::GET, "/search", search).needs(needs).cost(2),
        api(shop, Method::GET, "/api/v1/search", search_json)
            .named("search", "Find products by words and filters")
            .answers::<Shown<ListingView>>()
            .problems(&[404, 422])
            .refuses(&["CATEGORY_NOT_FOUND", "INVALID_LIMIT", "INVALID_PRICE_RANGE"])
            .needs(needs)
            .cost(2),
        api(shop, Method::GET, "/api/v1/categories", categories)
            .named("listCategories", "The tree of categories, parents before children")
            .answers::<Shown<TreeView>>()
            .kept(KEEP, &[])
            .needs(&[&CATEGORIES]),
        api(shop, Method::GET, "/api/v1/suggestions", suggest)
            .named("suggest", "Complete what somebody is typing")
            .answers::<SuggestionsView>()
            .needs(&[&SUGGESTIONS]),
    ]
}

/// The tree of categories.
#[derive(Debug, Serialize, JsonSchema)]
struct TreeView {
    /// Parents before children.
    categories: Vec<CategoryView>,
}

async fn categories(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    let tree = visit.shop.categories(&visit).await;
    let view = TreeView { categories: tree.0.iter().map(CategoryView::of).collect() };
    Ok(Answer::json(&Shown::new(view, &visit))?.showing([news::CATEGORIES.to_owned()]))
}

async fn suggest(visit: Visit, typed: Typed, _: Nothing) -> Result<Answer> {
    let request = visit.request(SuggestRequest { query: typed.q, limit: 8 });
    let answer = visit.need(&SUGGESTIONS, visit.shop.search.clone().suggest(request)).await;
    let answer = answer.map_err(links::in_query)?;
    let suggestions = answer.suggestions.into_iter().map(|found| {
        let category = found.kind() == SuggestionKind::Category;
        let href = if category {
            format!("/c/{}", found.slug)
        } else {
            format!("/products/{}", encoded(&found.slug))
        };
        SuggestionView { text: found.text, href, category }
    });
    Answer::json(&SuggestionsView { suggestions: suggestions.collect() })
}

async fn search_json(visit: Visit, wanted: Wanted, _: Nothing) -> Result<Answer> {
    let tree = visit.shop.categories(&visit).await;
    let currency = visit.shop.asked_currency(&visit, wanted.currency_code.as_ref())?;
    let listing = load(&visit, &wanted, &currency, &tree).await?;
    Answer::json(&Shown::new(listing, &visit))
}

async fn search(visit: Visit, mut wanted: Wanted, _: Nothing) -> Result<Answer> {
    wanted.q = wanted.q.chars().take(QUERY_CHARS_MAX).collect();
    let tree = visit.shop.categories(&visit).await;
    let currency = visit.shop.page_currency(&visit, wanted.currency_code.as_ref());
    let listing = load(&visit, &wanted, &currency, &tree).await.map_err(links::for_people)?;
    let title = if wanted.q.is_empty() { "Everything".to_owned() } else { format!("“{}”", wanted.q) };
    let links = Links::search(&wanted);
    shown(&listing_page(&visit, &tree, listing, title, &currency, &wanted, &links))
}

async fn category(visit: Visit, at: InCategory, _: Nothing) -> Result<Answer> {
    let tree = visit.shop.categories(&visit).await;
    let title = tree.by_path(&at.path).map(|category| category.name.clone()).unwrap_or_default();
    let wanted = Wanted {
        category: at.path.clone(),
        attribute: at.attribute,
        price: at.price,
        sort: at.sort,
        currency_code: at.currency_code,
        cursor: at.cursor,
        ..Wanted::default()
    };
    let currency = visit.shop.page_currency(&visit, wanted.currency_code.as_ref());
    let listing = load(&visit, &wanted, &currency, &tree).await.map_err(links::for_people)?;
    let tags: Vec<String> = [news::CATALOGUE, news::CATEGORIES].map(str::to_owned).to_vec();
    let links = Links::category(&at.path, &wanted);
    let empty = listing.products.is_empty();
    let page = listing_page(&visit, &tree, listing, title, &currency, &wanted, &links);
    Ok(shown(&page)?.showing(tags).passing(empty))
}

fn listing_page(
    visit: &Visit,
    tree: &Tree,
    listing: ListingView,
    headline: String,
    currency: &str,
    wanted: &Wanted,
    links: &Links,
) -> ListingPage {
    let mut frame = Frame::with(visit, tree, &headline).priced_in(currency);
    frame.query = wanted.q.clone();
    frame.aisle = wanted.category.split('/').next().unwrap_or_default().to_owned();
    ListingPage {
        groups: links.groups(&listing, currency),
        chips: links.chips(&listing, currency),
        sorts: links.sorts(wanted.sort),
        carried: links.carried(),
        action: links.base.clone(),
        first: (!wanted.cursor.is_empty()).then(|| links.to(|_| {})),
        next: (!listing.next_cursor.is_empty()).then(|| links.next(&listing.next_cursor)),
        nearest: listing.matching == Matching::Nearest && !listing.products.is_empty(),
        corrected: listing.matching == Matching::Corrected,
        frame,
        headline,
        listing,
    }
}

async fn load(visit: &Visit, wanted: &Wanted, currency: &str, tree: &Tree) -> Result<ListingView> {
    let chosen = match wanted.category.as_str() {
        "" => None,
        path => Some(tree.by_path(path).ok_or_else(|| {
            Error::not_found("CATEGORY_NOT_FOUND", "there is no such category")
                .with_field("/category", "is not the path of a category")
        })?),
    };
    let request = SearchRequest {
        query: wanted.q.clone(),
        category_ids: chosen.map(|category| category.category_id.clone()).into_iter().collect(),
        attributes: attributes(&wanted.attribute)?,
        currency_code: currency.to_owned(),
        price: price(&wanted.price)?,
        sort: wanted.sort.wire().into(),
        facets: true,
        price_band_bounds_micros: Vec::new(),
        page: Some(PageRequest { limit: page_limit(wanted.limit, PAGE)?, cursor: wanted.cursor.clone() }),
    };
    let found = visit.need(&FOUND, visit.shop.search.clone().search(visit.request(request))).await;
    let found = found.map_err(links::in_query)?;
    let matching = match found.matching() {
        SearchMatch::Corrected => Matching::Corrected,
        SearchMatch::Nearest => Matching::Nearest,
        SearchMatch::Exact | SearchMatch::Unspecified => Matching::Exact,
    };
    let SearchResponse { hits, total, facets, page, .. } = found;
    Ok(ListingView {
        products: cards(visit, hits, currency, tree).await,
        total,
        matching,
        trail: chosen.map(|category| CategoryView::trail(tree, &category.category_id)).unwrap_or_default(),
        facets: facets.map(facets_view).unwrap_or_default(),
        next_cursor: page.map(|page| page.next_cursor).unwrap_or_default(),
    })
}

/// Products that were found, with whether they are sold out where that is known.
pub async fn cards(visit: &Visit, hits: Vec<SearchHit>, currency: &str, tree: &Tree) -> Vec<Card> {
    let skus: Vec<String> = hits.iter().flat_map(|hit| hit.skus.iter().cloned()).take(1_000).collect();
    let stock = if skus.is_empty() {
        None
    } else {
        let request = visit.request(BatchGetStockRequest { skus });
        visit.may(&STOCK, visit.shop.inventory.clone().batch_get_stock(request)).await
    };
    let available = |sku: &String| {
        let stock = stock.as_ref()?.stocks.iter().find(|stock| stock.sku == *sku)?;
        Some(stock.available)
    };
    let card = |hit: SearchHit| {
        let known: Option<Vec<i64>> = hit.skus.iter().map(available).collect();
        let sold_out = known.filter(|_| hit.skus.len() == usize::try_from(hit.variant_count).unwrap_or(0));
        let mut card = Card::of_hit(hit, currency, tree, &visit.shop.pictures);
        card.sold_out = sold_out.map(|units| units.iter().all(|units| *units == 0));
        card
    };
    hits.into_iter().map(card).collect()
}

/// `material:stoneware` and `material:glass` are one filter.
fn attributes(given: &[String]) -> Result<Vec<AttributeFilter>> {
    let mut filters: Vec<AttributeFilter> = Vec::new();
    for (index, text) in given.iter().enumerate() {
        let (name, value) = text.split_once(':').ok_or_else(|| {
            Error::field(format!("/attribute/{index}"), "INVALID_ARGUMENT", "must be name:value")
        })?;
        match filters.iter_mut().find(|filter| filter.name == name) {
            Some(filter) => filter.values.push(value.to_owned()),
            None => filters.push(AttributeFilter { name: name.to_owned(), values: vec![value.to_owned()] }),
        }
    }
    Ok(filters)
}

/// `5000000-10000000`.
fn price(given: &str) -> Result<Option<PriceFilter>> {
    if given.is_empty() {
        return Ok(None);
    }
    let bad = || {
        Error::field(
            "/price",
            "INVALID_ARGUMENT",
            "must be from-below in micros, for example 5000000-10000000",
        )
    };
    let (min, below) = given.split_once('-').ok_or_else(bad)?;
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0).ok_or_else(bad);
    let (min_micros, below_micros) = (number(min)?, number(below)?);
    if below_micros != 0 && below_micros <= min_micros {
        return Err(Error::field(
            "/price",
            "INVALID_PRICE_RANGE",
            "must end above where it begins, or with 0",
        ));
    }
    Ok(Some(PriceFilter { min_micros, below_micros }))
}
