//! What stands around every page: title, header, aisles, footer.

use std::sync::Arc;

use edge::Ask;

use crate::screens::assets;
use crate::shop::{Shop, Tree, Visit};
use crate::view::CategoryView;

/// What stands around a page.
pub struct Frame {
    pub title: String,
    pub description: String,
    pub shop: String,
    pub aisles: Vec<CategoryView>,
    /// The path of the category that the page is in; empty elsewhere.
    pub aisle: String,
    pub currency: String,
    pub currencies: Vec<String>,
    /// Where a form that changes a preference leads back to.
    pub here: String,
    /// What is in the search box.
    pub query: String,
    /// The page waits for something: without JavaScript it looks again by itself.
    pub waits: bool,
    pub css: &'static str,
    pub js: &'static str,
    pub icon: &'static str,
}

impl Frame {
    /// The frame of a page, once the categories are known.
    pub fn with(visit: &Visit, tree: &Tree, title: &str) -> Self {
        Self::of_shop(&visit.shop, &visit.ask, tree, title)
    }

    /// The same, where there is no visit yet.
    pub fn of_shop(house: &Shop, ask: &Ask, tree: &Tree, title: &str) -> Self {
        let shop = house.name.clone();
        Self {
            title: if title.is_empty() { shop.clone() } else { format!("{title} · {shop}") },
            description: format!("{shop}: useful things for the house, chosen slowly."),
            shop,
            aisles: tree.below("").map(CategoryView::of).collect(),
            aisle: String::new(),
            currency: house.currency(ask),
            currencies: house.offered_now(),
            here: without_currency(&ask.target()),
            query: String::new(),
            waits: false,
            css: assets::css(),
            js: assets::js(),
            icon: assets::icon(),
        }
    }

    /// The same on a page that is shown at other addresses, too, where a form was sent: this is the one to come back to.
    #[must_use]
    pub fn at(mut self, path: &str) -> Self {
        path.clone_into(&mut self.here);
        self
    }

    /// The same around a page that shows its prices in this currency.
    #[must_use]
    pub fn priced_in(mut self, currency: &str) -> Self {
        currency.clone_into(&mut self.currency);
        self
    }

    /// The frame of a page.
    pub async fn of(visit: &Visit, title: &str) -> Self {
        let tree: Arc<Tree> = visit.shop.categories(visit).await;
        Self::with(visit, &tree, title)
    }
}

/// An address without the currency that it asks for: who comes back to it has chosen another one.
fn without_currency(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else { return target.to_owned() };
    let kept: Vec<&str> = query.split('&').filter(|pair| !pair.starts_with("currency_code=")).collect();
    if kept.is_empty() { path.to_owned() } else { format!("{path}?{}", kept.join("&")) }
}
