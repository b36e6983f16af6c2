//! The ways through the shop, request by request.

use std::sync::Mutex;
use std::sync::PoisonError;

use http::{HeaderValue, Uri};
use kernel::OrderId;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::accounts::Accounts;
use super::cookies::Jar;
use super::mix::Journey;
use super::shelf::{Offer, Shelf};
use super::tally::{Ended, Fate, Step, Tally};
use super::web::{Answer, Asking, Line, Web};
use crate::audit::books::Remembered;
use crate::console::Failure;
use crate::retail::replay::confirmed::Confirmed;

/// The card that everybody pays with.
const PAYMENT_METHOD: &str = "pm_card_visa";
/// The address that everything goes to.
const QUOTE: &str = r#"{"destination":{"recipient":"Ada Lovelace","lines":["12 St James Square"],"city":"London","postal_code":"SW1Y 4JH","country_code":"GB"},"currency_code":"GBP"}"#;
/// What a shop that works may say to an honest buyer.
const REFUSALS: [&str; 3] = ["OUT_OF_STOCK", "PAYMENT_DECLINED", "HOLD_EXPIRED"];

/// What all journeys have in common.
#[derive(Debug)]
pub struct Stage {
    /// The shop window.
    pub web: Web,
    /// What is looked at and bought.
    pub shelf: Shelf,
    /// Who is signed in.
    pub accounts: Accounts,
    /// What is measured.
    pub tally: Tally,
    /// Names this run in keys.
    pub run: String,
    /// Orders that were told to be confirmed.
    pub told: Mutex<Vec<Remembered>>,
    /// The file that they are appended to.
    pub confirmed: Option<Confirmed>,
    /// Why the load cannot go on.
    pub stopped: Mutex<Option<Failure>>,
}

/// One who walks through the shop.
#[derive(Clone, Copy, Debug)]
pub struct Walk {
    /// What for.
    pub journey: Journey,
    /// The how manieth of all.
    pub number: u64,
    /// Whether it is somebody with an account; only buyers are.
    pub signed_in: bool,
    /// When it should have begun.
    pub due: Instant,
}

#[derive(Deserialize)]
struct Quoted {
    quote_token: String,
}

#[derive(Serialize)]
struct Place<'a> {
    quote_token: &'a str,
    payment_method: &'a str,
}

#[derive(Deserialize)]
struct Placed {
    order_id: String,
    state: String,
    total: Total,
}

#[derive(Deserialize)]
struct Total {
    minor_units: i64,
}

struct Visitor<'a> {
    stage: &'a Stage,
    line: Line<'a>,
    jar: Jar,
    /// When the next request is due.
    due: Instant,
}

/// Walks one journey, and measures it from when it was due.
pub async fn walk(stage: &Stage, walk: Walk) {
    let jar = if walk.signed_in { stage.accounts.take().await } else { Jar::default() };
    let mut visitor = Visitor { stage, line: stage.web.line(), jar, due: walk.due };
    let chance = scattered(walk.number);
    let fate = match walk.journey {
        Journey::Browse => visitor.browse(chance).await,
        Journey::Search => visitor.search(chance).await,
        Journey::Cart => visitor.cart(chance).await,
        Journey::Buy => visitor.buy(chance, walk.number).await,
    };
    stage.tally.journey(walk.journey, visitor.due.saturating_duration_since(walk.due), &fate);
    if walk.signed_in {
        stage.accounts.give(visitor.jar);
    }
}

/// A number without order for each number (the finalizer of splitmix64).
fn scattered(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

fn pick<T>(from: &[T], chance: u64) -> &T {
    // A shelf has no empty lists.
    &from[usize::try_from(chance % from.len() as u64).unwrap_or(0)]
}

impl<'a> Visitor<'a> {
    async fn browse(&mut self, chance: u64) -> Fate {
        let shelf = &self.stage.shelf;
        self.page(Step::Home, Uri::from_static("/")).await?;
        self.page(Step::Category, pick(&shelf.categories, chance >> 32).clone()).await?;
        self.page(Step::Product, pick(&shelf.offers, chance).page.clone()).await
    }

    async fn search(&mut self, chance: u64) -> Fate {
        let (page, typed) = pick(&self.stage.shelf.words, chance);
        self.step(Step::Suggest, Asking::json(typed.clone())).await?;
        self.page(Step::Search, page.clone()).await
    }

    async fn cart(&mut self, chance: u64) -> Fate {
        self.chosen(pick(&self.stage.shelf.offers, chance)).await?;
        self.page(Step::Cart, Uri::from_static("/cart")).await
    }

    async fn buy(&mut self, chance: u64, number: u64) -> Fate {
        self.chosen(pick(&self.stage.shelf.offers, chance)).await?;
        self.page(Step::Checkout, Uri::from_static("/checkout")).await?;
        let quote = Asking::post("/api/v1/quotes", QUOTE.into());
        let quote = self.step(Step::Quote, quote).await?;
        let quoted: Quoted = said(&quote)?;
        let place = Place { quote_token: &quoted.quote_token, payment_method: PAYMENT_METHOD };
        let mut pay = Asking::post("/api/v1/orders", serde_json::to_vec(&place).unwrap_or_default());
        pay.key = HeaderValue::try_from(format!("load-{}-{number}", self.stage.run)).ok();
        let order_id = self.pay(pay).await?;
        let order = format!("/orders/{order_id}").parse().map_err(|_| malformed())?;
        self.page(Step::Order, order).await
    }

    /// Looks at a product, and puts one into the cart.
    async fn chosen(&mut self, offer: &'a Offer) -> Fate {
        self.page(Step::Product, offer.page.clone()).await?;
        let mut add = Asking::post("/api/v1/cart/lines", Vec::new());
        add.post = Some(offer.add.clone());
        self.step(Step::Add, add).await.map(drop)
    }

    async fn page(&mut self, step: Step, target: Uri) -> Fate {
        self.step(step, Asking::page(target)).await.map(drop)
    }

    /// One request: due since the one before it ended.
    async fn step(&mut self, step: Step, asking: Asking) -> Result<Answer, Ended> {
        let answered = self.ask(&asking).await;
        self.ends(step, answered)
    }

    /// Pays. What was told to be confirmed is noted before anything else happens.
    async fn pay(&mut self, asking: Asking) -> Result<OrderId, Ended> {
        let placed = match self.ask(&asking).await {
            Ok(answer) => said::<Placed>(&answer).and_then(|placed| {
                let order = OrderId::parse(&placed.order_id).map_err(|_| malformed())?;
                match placed.state.as_str() {
                    "confirmed" => Ok((order, placed.total.minor_units)),
                    state => Err(Ended::Failed(format!("STATE_{}", state.to_uppercase()))),
                }
            }),
            Err(ended) => Err(ended),
        };
        if let Ok((order, minor_units)) = placed {
            self.stage.note(order, minor_units);
        }
        self.ends(Step::Pay, placed).map(|(order, _)| order)
    }

    async fn ask(&mut self, asking: &Asking) -> Result<Answer, Ended> {
        let answer = self.line.ask(asking, &mut self.jar).await;
        let answer = answer.map_err(|reason| Ended::Failed(reason.0.to_owned()))?;
        if answer.status.is_success() {
            return Ok(answer);
        }
        let reason = answer.reason();
        if REFUSALS.contains(&reason.as_str()) {
            Err(Ended::Refused(reason))
        } else {
            Err(Ended::Failed(reason))
        }
    }

    /// Measures a request that ends now; the next one is due from now on.
    fn ends<T>(&mut self, step: Step, answered: Result<T, Ended>) -> Result<T, Ended> {
        let now = Instant::now();
        let took = now.saturating_duration_since(self.due);
        self.due = now;
        match answered {
            Ok(answer) => {
                self.stage.tally.step(step, took, &Ok(()));
                Ok(answer)
            }
            Err(ended) => {
                let fate = Err(ended.clone());
                self.stage.tally.step(step, took, &fate);
                Err(ended)
            }
        }
    }
}

fn said<T: serde::de::DeserializeOwned>(answer: &Answer) -> Result<T, Ended> {
    serde_json::from_slice(&answer.body).map_err(|_| malformed())
}

fn malformed() -> Ended {
    Ended::Failed("ANSWER_MALFORMED".to_owned())
}

impl Stage {
    fn note(&self, order: OrderId, minor_units: i64) {
        self.tally.confirmed();
        self.told.lock().unwrap_or_else(PoisonError::into_inner).push(Remembered { order, minor_units });
        let noted = self.confirmed.as_ref().map_or(Ok(()), |file| file.note(order, minor_units));
        if let Err(failure) = noted {
            self.stopped.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(failure);
        }
    }

    /// Why the load cannot go on, if it cannot.
    pub fn is_stopped(&self) -> bool {
        self.stopped.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chances_are_scattered_and_the_same_in_every_run() {
        let mut seen = [0_u32; 50];
        for number in 0..5_000 {
            seen[*pick(&(0..50).collect::<Vec<usize>>(), scattered(number))] += 1;
        }
        assert!(seen.iter().all(|count| (60..=140).contains(count)), "{seen:?}");
        assert_eq!(scattered(7), scattered(7));
    }

    #[test]
    fn the_quote_that_is_asked_for_is_json() {
        assert!(serde_json::from_str::<serde_json::Value>(QUOTE).is_ok());
    }
}
