//! What is played, at both sizes.

mod account;
mod keyboard;
mod live;
mod payment;
mod purchase;
mod rooms;

use std::pin::Pin;

use crate::Result;
use crate::window::Window;

/// A scenario on its way.
type Playing<'a> = Pin<Box<dyn Future<Output = Result> + 'a>>;

/// What is played.
pub struct Scenario {
    /// What it shows, and its name.
    pub name: &'static str,
    /// Whether the browser runs JavaScript.
    pub script: bool,
    /// It itself.
    pub play: for<'a> fn(&'a mut Window) -> Playing<'a>,
}

/// A product of the demo catalogue with variants and much stock.
pub const PRODUCT: &str = "harbour-bowl";

macro_rules! scenario {
    ($name:literal, $play:path) => {
        scenario!($name, $play, true)
    };
    ($name:literal, $play:path, $script:literal) => {
        Scenario { name: $name, script: $script, play: |window| Box::pin($play(window)) }
    };
}

/// All, those first on which the others stand.
pub const SCENARIOS: &[Scenario] = &[
    scenario!("axe-core finds what is wrong", rooms::axe),
    scenario!("a guest buys", purchase::with_script),
    scenario!("a guest buys without JavaScript", purchase::without_script, false),
    scenario!("a declined card, then another", payment::declined),
    scenario!("a declined card without JavaScript", payment::declined, false),
    scenario!("the bank asks and is answered", payment::approved),
    scenario!("the bank asks and is refused", payment::refused),
    scenario!("the bank without JavaScript", payment::approved, false),
    scenario!("sign up, out and in, with the cart from before", account::sessions),
    scenario!("sign up, out and in without JavaScript", account::sessions, false),
    scenario!("the address book", account::addresses),
    scenario!("an open order changes by itself", live::cancelled),
    scenario!("cancelling without JavaScript", live::cancelled_by_pages, false),
    scenario!("a cart counts in two windows", live::counted),
    scenario!("light and dark", rooms::dark),
    scenario!("by keyboard alone", keyboard::buys),
    scenario!("suggestions by keyboard", keyboard::suggestions),
    scenario!("search, its facets and what it does not find", rooms::search),
    scenario!("a cart is edited, and a removal undone", rooms::cart),
    scenario!("the last one is sold", rooms::sold_out),
    scenario!("what is not there", rooms::not_there),
];

impl Window {
    /// Puts one of the usual product into the cart.
    pub async fn fill_cart(&mut self) -> Result {
        self.go(&format!("/products/{PRODUCT}")).await?;
        self.add_to_cart().await
    }

    /// Adds what the page shows, and goes to the cart.
    pub async fn add_to_cart(&mut self) -> Result {
        self.press("Add to cart").await?;
        if self.script() {
            self.says("It is in your cart.").await?;
            self.press("Go to your cart").await?;
        }
        self.at("/cart").await
    }

    /// Fills in the checkout form with good answers.
    pub async fn fill_checkout(&self) -> Result {
        self.fill("#email", "ada@example.com").await?;
        self.fill("#recipient", "Ada Lovelace").await?;
        self.fill("#line1", "12 St James Square").await?;
        self.fill("#city", "London").await?;
        self.fill("#postal_code", "SW1Y 4JH").await
    }

    /// From a filled cart to where it is paid.
    pub async fn to_payment(&self) -> Result {
        self.go("/checkout").await?;
        self.fill_checkout().await?;
        self.press("See delivery and total").await?;
        self.see("#payment_method").await.map(|_| ())
    }

    /// Pays with a card.
    pub async fn pay_with(&self, card: &str) -> Result {
        self.choose(card).await?;
        self.press("Pay £").await
    }

    /// Waits until the order that it shows is placed.
    pub async fn confirmed(&self) -> Result {
        self.at("/orders/ord_").await?;
        self.headline("Thank you").await.map(|_| ())
    }
}
