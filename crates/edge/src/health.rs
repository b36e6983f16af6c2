//! Whether this process runs (`/healthz`), and whether it is ready for requests (`/readyz`): for whoever balances load.

use http::header::CACHE_CONTROL;
use http::{HeaderValue, Method, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::answer::Answer;
use crate::route::{Kind, Nothing, Route};

/// No parameters.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NoParams {}

/// Both routes. They cost nothing and look up no session.
#[must_use]
pub fn health() -> Vec<Route> {
    let alive = Route::new(Kind::Page, Method::GET, "/healthz", |_, _: NoParams, _: Nothing| {
        std::future::ready(Ok(words(StatusCode::OK, "ok\n")))
    });
    let ready = Route::new(Kind::Page, Method::GET, "/readyz", |ask, _: NoParams, _: Nothing| {
        std::future::ready(Ok(if ask.context().is_ready() {
            words(StatusCode::OK, "ready\n")
        } else {
            words(StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
        }))
    });
    [alive, ready].map(|route| route.cost(0).public()).into()
}

fn words(status: StatusCode, text: &'static str) -> Answer {
    let answer = Answer::raw("text/plain; charset=utf-8", text).with_status(status);
    answer.with(CACHE_CONTROL, HeaderValue::from_static("no-store"))
}
