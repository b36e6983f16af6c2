//! The page of testpay's bank, where a payer proves who they are (3-D Secure). A real bank has this page at its own address.

use std::sync::Arc;

use askama::Template;
use contract::souk::order::v1::{GetOrderRequest, Order};
use contract::souk::testpay::v1::{ChallengeOutcome, CompleteChallengeRequest};
use edge::{Answer, Key, Need, Nothing, Route};
use http::Method;
use kernel::{Error, OrderId, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::listing::links::with_own_names;
use super::{api, page, shown};
use crate::frame::Frame;
use crate::money::Money;
use crate::said;
use crate::shop::{CATEGORIES, Shop, Visit};
use crate::view::encoded;

const ORDER: Need = Need::optional("order", "/souk.order.v1.OrderService/GetOrder");
const CHALLENGE: Need = Need::required("bank", "/souk.testpay.v1.TestpayService/CompleteChallenge");

/// Which challenge, and the order it is for.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    challenge: String,
    #[serde(default)]
    order: String,
}

/// How the payer ends it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Outcome {
    /// They proved who they are.
    Approve,
    /// They failed, or gave up.
    Refuse,
}

/// How the payer ends it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Ending {
    /// How.
    outcome: Outcome,
}

/// Which challenge.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Named {
    /// As the order names it.
    #[schemars(length(min = 1, max = 64), extend("pattern" = said::NAME))]
    challenge_id: String,
}

/// How a challenge ended.
#[derive(Debug, Serialize, JsonSchema)]
struct Ended {
    /// How; the first outcome counts.
    outcome: Outcome,
}

#[derive(Template)]
#[template(path = "screens/bank.html")]
struct BankPage {
    frame: Frame,
    action: String,
    total: Option<Money>,
}

/// Its routes.
pub fn routes(shop: &Arc<Shop>) -> Vec<Route> {
    vec![
        page(shop, Method::GET, "/bank/{challenge}", show).needs(&[&ORDER, &CATEGORIES]),
        page(shop, Method::POST, "/bank/{challenge}", end_form).needs(&[&CHALLENGE]),
        api(shop, Method::POST, "/api/v1/challenges/{challenge_id}", end_json)
            .named(
                "completeChallenge",
                "End a 3-D Secure challenge of testpay, as the payer would at their bank",
            )
            .answers::<Ended>()
            .keyed(Key::Optional)
            .needs(&[&CHALLENGE]),
    ]
}

async fn show(visit: Visit, which: Which, _: Nothing) -> Result<Answer> {
    let order_id = order_of(&which);
    if order_id.is_empty() {
        return Err(Error::not_found("CHALLENGE_NOT_FOUND", "there is no such challenge"));
    }
    // A bank knows no session of the shop: who has none, as an app that opens its link, sees the page without the order's total.
    let request = visit.request(GetOrderRequest { order_id: order_id.clone() });
    let answer = visit.may(&ORDER, visit.shop.orders.clone().get_order(request)).await;
    let order = answer.and_then(|answer| answer.order);
    let is_waiting = |order: &Order| {
        order.next_action.as_ref().is_some_and(|action| action.challenge_id == which.challenge)
    };
    if order.as_ref().is_some_and(|order| !is_waiting(order)) {
        // It has ended, or it is not this order's: the order says how it stands.
        return Answer::see(&format!("/orders/{order_id}"));
    }
    let action = format!("/bank/{}?order={order_id}", encoded(&which.challenge));
    let total = order.and_then(|order| order.total).map(Money::from);
    shown(&BankPage { frame: Frame::of(&visit, "Your bank").await, action, total })
}

/// The order's id, if it is one.
fn order_of(which: &Which) -> String {
    OrderId::parse(&which.order).map(|id| id.to_string()).unwrap_or_default()
}

async fn end(visit: &Visit, challenge: String, outcome: Outcome) -> Result<Outcome> {
    let wanted = match outcome {
        Outcome::Approve => ChallengeOutcome::Approve,
        Outcome::Refuse => ChallengeOutcome::Fail,
    };
    let request = CompleteChallengeRequest {
        request_id: visit.key()?,
        challenge_token: challenge,
        outcome: wanted.into(),
    };
    let answer =
        visit.need(&CHALLENGE, visit.shop.testpay.clone().complete_challenge(visit.request(request))).await?;
    Ok(if answer.outcome() == ChallengeOutcome::Approve { Outcome::Approve } else { Outcome::Refuse })
}

async fn end_form(visit: Visit, which: Which, form: Ending) -> Result<Answer> {
    let order = order_of(&which);
    let ended = end(&visit, which.challenge, form.outcome).await;
    match ended {
        Err(error) if error.reason() != "CHALLENGE_COMPLETED" => Err(error),
        // It was ended before, here or in another window: the order says how.
        _ if order.is_empty() => Answer::see("/orders"),
        _ => Answer::see(&format!("/orders/{order}")),
    }
}

async fn end_json(visit: Visit, named: Named, body: Ending) -> Result<Answer> {
    let ended = end(&visit, named.challenge_id, body.outcome).await;
    let outcome = ended.map_err(|error| with_own_names(error, &[("/challenge_token", "/challenge_id")]))?;
    Answer::json(&Ended { outcome })
}
