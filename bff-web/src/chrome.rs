//! What all pages have in common and is not the same for everybody: who is here, what is in the cart, and how a failure looks.

use std::sync::Arc;

use askama::Template;
use contract::souk::cart::v1::{CartView, GetCartRequest};
use edge::{Ask, Chrome, Live, Personal, Problem};

use crate::frame::Frame;
use crate::screens::cart::CART_COUNT;
use crate::shop::{CURRENCY, Shop};

/// Where the personal part goes. Nothing that a person writes can make it: `<` is escaped in every template.
const MARK: &str = "<!--me-->";

/// The shop window's chrome.
pub struct Hall(pub Arc<Shop>, pub Live);

#[derive(Template)]
#[template(path = "screens/me.html")]
struct Me {
    signed_in: bool,
    session: bool,
    ended: bool,
    /// Id of the news of before the cart was read: a socket that is opened from the page is told what came after.
    since: String,
    /// Units in the cart; absent when that is not known.
    cart: Option<i64>,
}

#[derive(Template)]
#[template(path = "screens/problem.html")]
struct ProblemPage<'a> {
    frame: Frame,
    headline: &'static str,
    words: String,
    advice: &'static str,
    problem: &'a Problem,
    /// Whether to show the id by which the failure is found in the logs.
    traced: bool,
    sign_in: bool,
}

impl Chrome for Hall {
    fn mark(&self) -> &'static str {
        MARK
    }

    fn preference<'a>(&'a self, name: &str, chosen: Option<&str>) -> &'a str {
        if name == CURRENCY { self.0.known_currency(chosen) } else { "" }
    }

    fn personal<'a>(&'a self, ask: &'a Arc<Ask>) -> Personal<'a> {
        Box::pin(async move {
            let session = ask.session();
            let since = if session.exists() { self.1.last_id() } else { String::new() };
            let cart = if session.exists() {
                let lines = GetCartRequest { view: CartView::Lines.into(), ..GetCartRequest::default() };
                let answer = ask.aside(&CART_COUNT, self.0.carts.clone().get_cart(ask.request(lines))).await;
                answer.and_then(|answer| answer.cart).map(|cart| cart.quantity)
            } else {
                Some(0)
            };
            let me = Me {
                signed_in: session.is_signed_in(),
                session: session.exists(),
                ended: session.has_ended(),
                since,
                cart,
            };
            me.render().unwrap_or_default()
        })
    }

    fn problem(&self, ask: &Ask, problem: &Problem) -> String {
        let (headline, advice) = words(problem);
        let page = ProblemPage {
            // It may have been a form that was sent here.
            frame: Frame::of_shop(&self.0, ask, &self.0.categories_now(), headline).at("/"),
            headline,
            words: sentence(problem),
            advice,
            traced: problem.status >= 500,
            sign_in: problem.status == 401,
            problem,
        };
        page.render().unwrap_or_else(|_| problem.detail.clone())
    }
}

/// The headline and the advice for a problem.
fn words(problem: &Problem) -> (&'static str, &'static str) {
    match (problem.status, problem.code.as_str()) {
        (404, _) => (
            "We looked everywhere",
            "It may have moved, or it was never here. Search for it above, or start from the front.",
        ),
        (401, _) => ("Sign in to go on", "Then you come back to where you were."),
        (403, "FORGED_ORIGIN") => {
            ("That came from another site", "Nothing was changed. Open the page here and try again.")
        }
        (403, _) => ("That is not yours to change", "Sign in as somebody who may, or go back."),
        (405, _) => ("That cannot be done here", "Go back and use the page's own buttons."),
        (408 | 504, _) => {
            ("That took too long", "Try again in a moment. If you were paying, look at your orders first.")
        }
        (412, _) => ("It changed while you looked", "Go back, reload the page, and do it once more."),
        (413 | 414, _) => ("That is too long", "Send less and try again."),
        (429, _) => ("A little slower, please", "Wait a moment, then try again."),
        (503, _) => {
            ("A part of the shop is away", "It is usually back within a minute. Nothing of yours is lost.")
        }
        (500.., _) => ("Something broke on our side", "We have written it down. Try again in a moment."),
        _ => ("That did not work", "Go back, and try it another way."),
    }
}

/// What a person is told about a problem.
fn sentence(problem: &Problem) -> String {
    let part = problem.facts.get("part").and_then(|part| part.as_str());
    match (problem.status, part) {
        (503, Some(part)) => format!("We cannot reach the {part} just now."),
        (404, _) => "There is nothing at this address.".to_owned(),
        (400, _) if problem.code == "UNKNOWN_FIELD" => {
            "The form had something in it that this page does not know.".to_owned()
        }
        // The headline says it.
        (401 | 500.., _) => String::new(),
        _ => crate::words::sentence(&problem.detail),
    }
}
