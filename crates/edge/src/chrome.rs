//! What all pages of a gateway have in common.

use std::pin::Pin;
use std::sync::Arc;

use crate::ask::Ask;
use crate::problem::Problem;

/// A personal part in the making.
pub type Personal<'a> = Pin<Box<dyn Future<Output = String> + Send + 'a>>;

/// What all pages of a gateway have in common.
pub trait Chrome: Send + Sync + 'static {
    /// The text in a page in whose place its personal part goes.
    fn mark(&self) -> &'static str;
    /// What a preference means here: what was chosen where the gateway knows it, else the usual. One of few values whatever a
    /// stranger sends, since responses are cached by it.
    fn preference<'a>(&'a self, name: &str, chosen: Option<&str>) -> &'a str;
    /// The personal part for who asks; the same for everybody without a session.
    fn personal<'a>(&'a self, ask: &'a Arc<Ask>) -> Personal<'a>;
    /// The page that says a problem.
    fn problem(&self, ask: &Ask, problem: &Problem) -> String;
}

/// A gateway without pages.
pub struct NoPages;

impl Chrome for NoPages {
    fn mark(&self) -> &'static str {
        ""
    }
    fn preference<'a>(&'a self, _: &str, _: Option<&str>) -> &'a str {
        ""
    }
    fn personal<'a>(&'a self, _: &'a Arc<Ask>) -> Personal<'a> {
        Box::pin(std::future::ready(String::new()))
    }
    fn problem(&self, _: &Ask, problem: &Problem) -> String {
        problem.detail.clone()
    }
}
