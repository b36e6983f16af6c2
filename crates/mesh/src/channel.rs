//! The one client type that every generated client takes.

use std::convert::Infallible;
use std::sync::Arc;
use std::task::{Context, Poll};

use tonic::body::Body;
use tower::Service;

use crate::outbound::{self, Routes};
use crate::transport::local::Local;
use crate::{Endpoint, Principal, Response, Scope, Verified, boxed};

/// A way from one role to another, wherever it runs. Cheap to clone; connects when it is first used.
#[derive(Clone)]
pub struct Channel(Arc<dyn Endpoint>);

impl Channel {
    /// From a role to a role.
    #[must_use]
    pub fn new(routes: &Routes, from: &str, to: &str) -> Self {
        Self(outbound::stack(routes, Arc::from(from), Arc::from(to)))
    }

    /// Straight to an endpoint of this process, for somebody who was verified here: what a gateway or a test uses.
    #[must_use]
    pub fn on_behalf_of(endpoint: Arc<dyn Endpoint>, role: Option<&str>, principal: Principal) -> Self {
        let role: Option<Arc<str>> = role.map(Arc::from);
        let principal = Arc::new(Verified::on_behalf_of(principal));
        Self(boxed(move |mut request| {
            let scope = Scope { principal: Some(principal.clone()), ..Scope::default() };
            request.extensions_mut().insert(Local { role: role.clone(), scope, method: None });
            endpoint.call(request)
        }))
    }

    /// Straight to an endpoint of this process, with nothing but what the request itself carries.
    #[must_use]
    pub fn anonymous(endpoint: Arc<dyn Endpoint>) -> Self {
        Self(endpoint)
    }
}

impl std::fmt::Debug for Channel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Channel")
    }
}

impl Service<http::Request<Body>> for Channel {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Response;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        self.0.call(request)
    }
}

const fn clonable<T: Clone + Send + Sync + 'static>() {}
const _: () = clonable::<Channel>();
