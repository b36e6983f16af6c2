//! A browser without a network: it keeps cookies, fills in forms, and reads what it gets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use mesh::Endpoint;
use parking_lot::Mutex;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;
use tonic::body::Body;

/// A browser at the shop window.
pub struct Browser {
    gateway: Arc<dyn Endpoint>,
    cookies: Mutex<BTreeMap<String, String>>,
    address: SocketAddr,
}

/// What a browser got.
#[derive(Debug)]
pub struct Page {
    /// The status.
    pub status: StatusCode,
    /// The fields.
    pub headers: HeaderMap,
    /// The body.
    pub body: Bytes,
}

impl Browser {
    pub(crate) fn new(gateway: Arc<dyn Endpoint>) -> Self {
        Self { gateway, cookies: Mutex::default(), address: SocketAddr::from(([192, 0, 2, 1], 40_000)) }
    }

    /// The same browser elsewhere in the network.
    #[must_use]
    pub fn at(mut self, address: [u8; 4]) -> Self {
        self.address = SocketAddr::from((address, 40_000));
        self
    }

    /// A second browser with the same cookies.
    #[must_use]
    pub fn copy(&self) -> Self {
        let cookies = Mutex::new(self.cookies.lock().clone());
        Self { gateway: self.gateway.clone(), cookies, address: self.address }
    }

    /// A cookie.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().get(name).cloned()
    }

    /// Sets a cookie by hand.
    pub fn set_cookie(&self, name: &str, value: &str) {
        self.cookies.lock().insert(name.to_owned(), value.to_owned());
    }

    /// Sends a request as it is, with this browser's cookies.
    pub async fn send(&self, request: http::request::Builder, body: impl Into<Bytes>) -> Page {
        let cookies: Vec<String> =
            self.cookies.lock().iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request = if cookies.is_empty() { request } else { request.header(COOKIE, cookies.join("; ")) };
        let body = Full::new(body.into());
        let mut request = request.header("host", "shop.test").body(Body::new(body)).expect("a good request");
        request.extensions_mut().insert(self.address);
        let Ok(response) = self.gateway.call(request).await;
        let (parts, body) = response.into_parts();
        for cookie in parts.headers.get_all(SET_COOKIE) {
            let pair = cookie.to_str().expect("text").split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').expect("a pair");
            if value.is_empty() {
                self.cookies.lock().remove(name);
            } else {
                self.set_cookie(name, value);
            }
        }
        let body = body.collect().await.expect("a body").to_bytes();
        Page { status: parts.status, headers: parts.headers, body }
    }

    /// Opens an address.
    pub async fn get(&self, path: &str) -> Page {
        self.send(Request::get(path).header("accept", "text/html"), Bytes::new()).await
    }

    /// Opens an address and follows where it leads.
    pub async fn follow(&self, path: &str) -> Page {
        let mut page = self.get(path).await;
        for _ in 0..5 {
            let Some(to) = page.location() else { return page };
            page = self.get(&to).await;
        }
        page
    }

    /// Sends a form.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Page {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let pairs: Vec<String> =
            fields.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
        let request = Request::post(path)
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin");
        self.send(request, pairs.join("&")).await
    }

    /// Sends JSON.
    pub async fn json(&self, method: Method, path: &str, body: &Value) -> Page {
        let request = Request::builder().method(method).uri(path).header(CONTENT_TYPE, "application/json");
        self.send(request, body.to_string()).await
    }
}

impl Page {
    /// The body as text.
    #[must_use]
    pub fn text(&self) -> String {
        String::from_utf8(self.body.to_vec()).expect("text")
    }

    /// The body as JSON.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// Where it leads.
    #[must_use]
    pub fn location(&self) -> Option<String> {
        let to = self.headers.get(LOCATION).filter(|_| self.status.is_redirection())?;
        Some(to.to_str().expect("text").to_owned())
    }

    /// A field of the answer, when it is there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("text"))
    }

    /// The value of a field of a form on the page.
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        let text = self.text();
        let at = format!("name=\"{name}\" value=\"");
        let rest = text.split(&at).nth(1).unwrap_or_else(|| panic!("no field {name} on the page: {text}"));
        rest.split('"').next().unwrap_or_default().to_owned()
    }

    /// The stable reason of a problem; empty for anything else.
    #[must_use]
    pub fn code(&self) -> String {
        let value: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        value["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The pointer of a problem's first wrong field.
    #[must_use]
    pub fn pointer(&self) -> String {
        self.value()["errors"][0]["pointer"].as_str().unwrap_or_default().to_owned()
    }
}
