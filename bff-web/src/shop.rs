//! What every screen stands on: the clients of the services, and the tree of categories that every page shows.

use std::ops::Deref;
use std::sync::Arc;
use std::time::Duration;

use chassis::Context;
use contract::souk::cart::v1::cart_service_client::CartServiceClient;
use contract::souk::checkout::v1::checkout_service_client::CheckoutServiceClient;
use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::order::v1::order_service_client::OrderServiceClient;
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::product::v1::{Category, ListCategoriesRequest};
use contract::souk::search::v1::search_service_client::SearchServiceClient;
use contract::souk::search::v1::{PriceFilter, SearchRequest};
use contract::souk::shipping::v1::shipping_service_client::ShippingServiceClient;
use contract::souk::testpay::v1::testpay_service_client::TestpayServiceClient;
use contract::souk::r#type::v1::PageRequest;
use contract::souk::user::v1::user_service_client::UserServiceClient;
use edge::{Ask, Input, Kind, Need, Route, Settings};
use futures_util::future::join_all;
use http::Method;
use kernel::{Error, Result};
use mesh::Channel;
use parking_lot::Mutex;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;

use crate::money::CurrencyCode;
use crate::pictures::Pictures;

/// The cookie with the currency that a visitor chose.
pub const CURRENCY: &str = "souk_currency";
/// How long the categories are remembered; a change of one drops them at once.
const CATEGORIES_FRESH: Duration = Duration::from_secs(30);

/// How long it is remembered in which currencies something has a price.
const PRICED_FRESH: Duration = Duration::from_secs(30);
/// In which currencies something has a price: around every page, so no screen declares it.
const PRICED: Need = Need::optional("currencies", "/souk.search.v1.SearchService/Search");

/// The tree of categories, which a page can do without.
pub const CATEGORIES: Need = Need::optional("categories", "/souk.product.v1.ProductService/ListCategories");

/// The tree of categories, parents before children.
#[derive(Debug, Default)]
pub struct Tree(pub Vec<Category>);

impl Tree {
    /// A category by its id.
    pub fn by_id(&self, id: &str) -> Option<&Category> {
        self.0.iter().find(|category| category.category_id == id)
    }

    /// A category by the slugs from the top to it.
    pub fn by_path(&self, path: &str) -> Option<&Category> {
        self.0.iter().find(|category| category.path == path)
    }

    /// Those right below one, or at the top.
    pub fn below<'a>(&'a self, parent_id: &'a str) -> impl Iterator<Item = &'a Category> {
        self.0.iter().filter(move |category| category.parent_id == parent_id)
    }

    /// From the top to a category.
    pub fn trail(&self, id: &str) -> Vec<&Category> {
        let mut trail = Vec::new();
        let mut next = self.by_id(id);
        // A tree is 8 deep at most.
        while let Some(category) = next.filter(|_| trail.len() < 8) {
            trail.push(category);
            next = self.by_id(&category.parent_id);
        }
        trail.reverse();
        trail
    }
}

/// The services, as the screens call them.
pub struct Shop {
    pub name: String,
    pub currencies: Vec<String>,
    pub pictures: Pictures,
    pub carts: CartServiceClient<Channel>,
    pub checkout: CheckoutServiceClient<Channel>,
    pub identity: IdentityServiceClient<Channel>,
    pub inventory: InventoryServiceClient<Channel>,
    pub orders: OrderServiceClient<Channel>,
    pub products: ProductServiceClient<Channel>,
    pub search: SearchServiceClient<Channel>,
    pub shipping: ShippingServiceClient<Channel>,
    pub testpay: TestpayServiceClient<Channel>,
    pub users: UserServiceClient<Channel>,
    ctx: Context,
    categories: Mutex<Option<(Duration, Arc<Tree>)>>,
    priced: Mutex<Option<(Duration, Vec<String>)>>,
    /// Held by whoever asks what is priced.
    asking: tokio::sync::Mutex<()>,
}

impl Shop {
    pub fn new(ctx: &Context, settings: &Settings) -> Result<Self> {
        Ok(Self {
            name: settings.name(),
            currencies: settings.currencies.clone(),
            pictures: Pictures::default(),
            carts: ctx.call("cart", CartServiceClient::new)?,
            checkout: ctx.call("checkout", CheckoutServiceClient::new)?,
            identity: ctx.call("identity", IdentityServiceClient::new)?,
            inventory: ctx.call("inventory", InventoryServiceClient::new)?,
            orders: ctx.call("order", OrderServiceClient::new)?,
            products: ctx.call("product", ProductServiceClient::new)?,
            search: ctx.call("search", SearchServiceClient::new)?,
            shipping: ctx.call("shipping", ShippingServiceClient::new)?,
            testpay: ctx.call("payment", TestpayServiceClient::new)?,
            users: ctx.call("user", UserServiceClient::new)?,
            ctx: ctx.clone(),
            categories: Mutex::default(),
            priced: Mutex::default(),
            asking: tokio::sync::Mutex::default(),
        })
    }

    /// Forgets the categories: one of them changed.
    pub fn categories_changed(&self) {
        *self.categories.lock() = None;
    }

    /// The tree of categories; empty when it is absent.
    pub async fn categories(&self, ask: &Ask) -> Arc<Tree> {
        // Whoever shows the categories shows the currencies beside them.
        self.offered(ask).await;
        let now = self.ctx.clock().monotonic();
        if let Some((since, tree)) = &*self.categories.lock()
            && now.saturating_sub(*since) < CATEGORIES_FRESH
        {
            return tree.clone();
        }
        let request = ask.request(ListCategoriesRequest::default());
        let Some(answer) = ask.may(&CATEGORIES, self.products.clone().list_categories(request)).await else {
            return Arc::default();
        };
        let tree = Arc::new(Tree(answer.categories));
        *self.categories.lock() = Some((now, tree.clone()));
        tree
    }

    /// The tree of categories as it was last seen; empty when it was not.
    pub fn categories_now(&self) -> Arc<Tree> {
        self.categories.lock().as_ref().map(|(_, tree)| tree.clone()).unwrap_or_default()
    }

    /// The currencies that can be chosen: those of the settings in which something has a price. All of them while nothing has
    /// a price or nobody knows. Search is asked for them once in [`PRICED_FRESH`], by one visitor for all.
    pub async fn offered(&self, ask: &Ask) -> Vec<String> {
        if let Some(fresh) = self.fresh_offer() {
            return fresh;
        }
        let _asking = match self.asking.try_lock() {
            Ok(asking) => asking,
            Err(_) if self.priced.lock().is_some() => return self.offered_now(),
            // Nobody has looked yet.
            Err(_) => self.asking.lock().await,
        };
        if let Some(fresh) = self.fresh_offer() {
            return fresh;
        }
        let priced = join_all(self.currencies.iter().map(|code| self.is_priced(ask, code))).await;
        let with_prices = self.currencies.iter().zip(&priced).filter(|(_, priced)| **priced == Some(true));
        let mut offered: Vec<String> = with_prices.map(|(code, _)| code.clone()).collect();
        if offered.is_empty() || priced.contains(&None) {
            offered.clone_from(&self.currencies);
        }
        *self.priced.lock() = Some((self.ctx.clock().monotonic(), offered.clone()));
        offered
    }

    fn fresh_offer(&self) -> Option<Vec<String>> {
        let now = self.ctx.clock().monotonic();
        let priced = self.priced.lock();
        let (since, known) = priced.as_ref()?;
        (now.saturating_sub(*since) < PRICED_FRESH).then(|| known.clone())
    }

    /// Whether anything has a price in a currency; `None` when search does not say.
    async fn is_priced(&self, ask: &Ask, code: &str) -> Option<bool> {
        let anything = SearchRequest {
            currency_code: code.to_owned(),
            price: Some(PriceFilter { min_micros: 0, below_micros: 0 }),
            page: Some(PageRequest { limit: 1, cursor: String::new() }),
            ..SearchRequest::default()
        };
        let found = ask.aside(&PRICED, self.search.clone().search(ask.request(anything))).await?;
        Some(found.total > 0)
    }

    /// The currencies that could be chosen when somebody last looked.
    pub fn offered_now(&self) -> Vec<String> {
        self.priced.lock().as_ref().map_or_else(|| self.currencies.clone(), |(_, known)| known.clone())
    }

    /// The currency that a visitor sees prices in: the one chosen before, or the usual one.
    pub fn currency(&self, ask: &Ask) -> String {
        self.known_currency(ask.preference(CURRENCY)).to_owned()
    }

    /// The currency of an answer for a program: the one asked for, or that of [`Shop::currency`].
    ///
    /// # Errors
    /// `INVALID_CURRENCY` at `/currency_code` for one that the settings do not name.
    pub fn asked_currency(&self, ask: &Ask, asked: Option<&CurrencyCode>) -> Result<String> {
        let Some(asked) = asked.map(CurrencyCode::as_str) else { return Ok(self.currency(ask)) };
        if self.currencies.iter().any(|code| code == asked) {
            return Ok(asked.to_owned());
        }
        let what = format!("is {asked}; this shop sells in {}", self.currencies.join(", "));
        Err(Error::field("/currency_code", "INVALID_CURRENCY", what))
    }

    /// The currency of a page: the one that its address asks for where it can be chosen, the one chosen before, or the usual one.
    pub fn page_currency(&self, ask: &Ask, asked: Option<&CurrencyCode>) -> String {
        let asked = asked.map(CurrencyCode::as_str);
        let offered = asked.filter(|code| self.known_currency(Some(code)) == *code);
        offered.unwrap_or_else(|| self.known_currency(ask.preference(CURRENCY))).to_owned()
    }

    /// The chosen currency where it can be chosen, else the usual one.
    pub fn known_currency(&self, chosen: Option<&str>) -> &str {
        let priced = self.priced.lock();
        let is_offered = |code: &&String| priced.as_ref().is_none_or(|(_, known)| known.contains(code));
        let mut offered = self.currencies.iter().filter(is_offered);
        let first = offered.clone().next().or(self.currencies.first());
        let known = chosen.and_then(|chosen| offered.find(|currency| *currency == chosen));
        known.or(first).map_or("GBP", String::as_str)
    }
}

/// A request in the shop.
#[derive(Clone)]
pub struct Visit {
    pub shop: Arc<Shop>,
    pub ask: Arc<Ask>,
}

impl Deref for Visit {
    type Target = Ask;
    fn deref(&self) -> &Ask {
        &self.ask
    }
}

/// A route that is answered by a function of a visit, its parameters and its body.
pub fn route<P, B, F>(
    shop: &Arc<Shop>,
    kind: Kind,
    method: Method,
    path: &'static str,
    screen: fn(Visit, P, B) -> F,
) -> Route
where
    P: DeserializeOwned + JsonSchema + Send + 'static,
    B: Input,
    F: Future<Output = Result<edge::Answer>> + Send + 'static,
{
    let shop = shop.clone();
    Route::new(kind, method, path, move |ask, params, body| {
        screen(Visit { shop: shop.clone(), ask }, params, body)
    })
}
