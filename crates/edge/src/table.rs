//! The table of routes: which route an address and a method mean.

use http::{HeaderValue, Method};
use kernel::{Error, Result};
use percent_encoding::percent_decode_str;

use crate::route::Route;

/// Longest path, in bytes.
const PATH_BYTES_MAX: usize = 2_048;

/// The routes of one path.
#[derive(Default)]
struct Methods {
    routes: Vec<(Method, usize)>,
}

/// A gateway's routes by path and method.
pub(crate) struct Table {
    router: matchit::Router<usize>,
    paths: Vec<Methods>,
}

/// A route that was found: its place, and the parameters of its path.
pub(crate) type Place = (usize, Vec<(String, String)>);

impl Table {
    /// # Errors
    /// INTERNAL for two routes that mean the same requests.
    pub(crate) fn new(routes: &[Route]) -> Result<Self> {
        let mut table = Self { router: matchit::Router::new(), paths: Vec::new() };
        let mut known: Vec<&str> = Vec::new();
        for (place, route) in routes.iter().enumerate() {
            let at = match known.iter().position(|path| *path == route.path) {
                Some(at) => at,
                None => {
                    let at = known.len();
                    table.router.insert(route.path, at).map_err(Error::internal)?;
                    known.push(route.path);
                    table.paths.push(Methods::default());
                    at
                }
            };
            let methods = &mut table.paths[at].routes;
            if methods.iter().any(|(method, _)| *method == route.method) {
                return Err(Error::internal(format!("{} {} stands twice", route.method, route.path)));
            }
            methods.push((route.method.clone(), place));
        }
        Ok(table)
    }

    /// The route of a request; HEAD is GET without a body.
    ///
    /// # Errors
    /// `PATH_TOO_LONG`, `ROUTE_NOT_FOUND`, `METHOD_NOT_ALLOWED`.
    pub(crate) fn find(&self, method: &Method, path: &str) -> Result<Place> {
        if path.len() > PATH_BYTES_MAX {
            return Err(Error::invalid("PATH_TOO_LONG", "the address is too long"));
        }
        let matched = self.router.at(path).map_err(|_| nothing_here())?;
        let params = matched.params.iter().map(|(name, value)| {
            let value = percent_decode_str(value).decode_utf8().ok()?;
            (!value.contains('\0')).then(|| (name.to_owned(), value.into_owned()))
        });
        let params = params.collect::<Option<Vec<_>>>().ok_or_else(nothing_here)?;
        let wanted = if *method == Method::HEAD { &Method::GET } else { method };
        let route = self.paths[*matched.value].routes.iter().find(|(method, _)| method == wanted);
        let (_, place) = route.ok_or_else(|| {
            let message = format!("{method} is not a thing to do here");
            Error::invalid("METHOD_NOT_ALLOWED", message)
        })?;
        Ok((*place, params))
    }

    /// The methods of a path, for `Allow`.
    pub(crate) fn allowed(&self, path: &str) -> Option<HeaderValue> {
        let matched = self.router.at(path).ok()?;
        let mut names: Vec<&str> =
            self.paths[*matched.value].routes.iter().map(|(method, _)| method.as_str()).collect();
        if names.contains(&"GET") {
            names.push("HEAD");
        }
        names.push("OPTIONS");
        HeaderValue::from_str(&names.join(", ")).ok()
    }

    /// The address that was meant by one with a slash too many at its end.
    pub(crate) fn without_slash<'a>(&self, path: &'a str) -> Option<&'a str> {
        let trimmed = path.strip_suffix('/').filter(|trimmed| !trimmed.is_empty() && !path.contains("//"))?;
        self.router.at(trimmed).is_ok().then_some(trimmed)
    }
}

pub(crate) fn nothing_here() -> Error {
    Error::not_found("ROUTE_NOT_FOUND", "there is nothing at this address")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::answer::Answer;
    use crate::ask::Ask;
    use crate::route::{Kind, Nothing};

    #[derive(serde::Deserialize, schemars::JsonSchema)]
    struct Anything {}

    fn route(method: Method, path: &'static str) -> Route {
        let nothing = |_: Arc<Ask>, _: Anything, _: Nothing| std::future::ready(Ok(Answer::done()));
        Route::new(Kind::Page, method, path, nothing)
    }

    #[test]
    fn a_request_finds_its_route_or_is_told_why_not() {
        let routes = [
            route(Method::GET, "/"),
            route(Method::GET, "/products/{slug}"),
            route(Method::POST, "/products/{slug}"),
            route(Method::GET, "/c/{*path}"),
        ];
        let table = Table::new(&routes).expect("routes");
        let find = |method: Method, path: &str| table.find(&method, path);
        assert_eq!(find(Method::GET, "/products/a%20b").expect("found").1, [("slug".into(), "a b".into())]);
        assert_eq!(find(Method::HEAD, "/c/kitchen/bowls").expect("found").1[0].1, "kitchen/bowls");
        let why = |method, path: &str| find(method, path).expect_err("no route").reason().to_owned();
        assert_eq!(why(Method::DELETE, "/products/a"), "METHOD_NOT_ALLOWED");
        assert_eq!(why(Method::GET, &format!("/{}", "a".repeat(3_000))), "PATH_TOO_LONG");
        for nowhere in ["/products", "/products/a/../b", "//", "/products/%ff", "/products/%00", "/c/"] {
            assert_eq!(why(Method::GET, nowhere), "ROUTE_NOT_FOUND", "{nowhere}");
        }
        assert_eq!(table.allowed("/products/a").expect("a path"), "GET, POST, HEAD, OPTIONS");
        assert_eq!(table.without_slash("/products/a/"), Some("/products/a"));
        assert_eq!(table.without_slash("//evil.example/"), None);
    }

    #[test]
    fn no_request_has_two_routes() {
        assert!(Table::new(&[route(Method::GET, "/a"), route(Method::GET, "/a")]).is_err());
    }
}
