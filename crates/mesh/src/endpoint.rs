//! Endpoints: what a call ends in, in this process.

use std::collections::HashMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use kernel::{Code, Error};
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

/// A response in the making; the very type that generated servers return, so that it passes without another box.
pub type Response = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

/// Something that answers gRPC requests. Never fails: an error is an answer with a status.
pub trait Endpoint: Send + Sync + 'static {
    /// Answers one request.
    fn call(&self, request: http::Request<Body>) -> Response;
}

struct Grpc<S>(S);

impl<S> Endpoint for Grpc<S>
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible, Future = Response>
        + Clone
        + Send
        + Sync
        + 'static,
{
    fn call(&self, request: http::Request<Body>) -> Response {
        self.0.clone().call(request)
    }
}

/// A generated gRPC server as an endpoint, with the full name of its service.
pub fn grpc<S>(server: S) -> (&'static str, Arc<dyn Endpoint>)
where
    S: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible, Future = Response>
        + NamedService
        + Clone
        + Send
        + Sync
        + 'static,
{
    (S::NAME, Arc::new(Grpc(server)))
}

/// Any function as an endpoint.
pub fn boxed<F>(function: F) -> Arc<dyn Endpoint>
where
    F: Fn(http::Request<Body>) -> Response + Send + Sync + 'static,
{
    struct Function<F>(F);
    impl<F: Fn(http::Request<Body>) -> Response + Send + Sync + 'static> Endpoint for Function<F> {
        fn call(&self, request: http::Request<Body>) -> Response {
            (self.0)(request)
        }
    }
    Arc::new(Function(function))
}

/// Endpoints by the full name of their service; itself an endpoint.
#[derive(Clone, Default)]
pub struct Endpoints(HashMap<String, Arc<dyn Endpoint>>);

impl Endpoints {
    /// Adds a service. The last one of a name wins.
    pub fn add(&mut self, service: impl Into<String>, endpoint: Arc<dyn Endpoint>) {
        self.0.insert(service.into(), endpoint);
    }

    /// The names of the services, sorted.
    #[must_use]
    pub fn services(&self) -> Vec<String> {
        let mut names: Vec<_> = self.0.keys().cloned().collect();
        names.sort();
        names
    }

    /// The endpoint that serves a path such as `/souk.cart.v1.CartService/AddLine`.
    #[must_use]
    pub fn route(&self, path: &str) -> Option<&Arc<dyn Endpoint>> {
        let (service, _) = path.strip_prefix('/')?.rsplit_once('/')?;
        self.0.get(service)
    }
}

impl Endpoint for Endpoints {
    fn call(&self, request: http::Request<Body>) -> Response {
        match self.route(request.uri().path()) {
            Some(endpoint) => endpoint.call(request),
            None => {
                let response = unimplemented(request.uri().path());
                Box::pin(std::future::ready(Ok(response)))
            }
        }
    }
}

/// The answer to a path that nobody serves.
pub(crate) fn unimplemented(path: &str) -> http::Response<Body> {
    let path: String = path.chars().take(200).collect();
    tonic::Status::unimplemented(format!("no such method here: {path}; `grpcurl … list` names the services"))
        .into_http()
}

/// The answer that says an error.
pub(crate) fn failed(error: Error) -> http::Response<Body> {
    contract::status(error).into_http()
}

/// The error of a role that this process cannot reach.
pub(crate) fn unreachable(role: &str) -> Error {
    Error::new(Code::Unavailable, "UNAVAILABLE", format!("{role} is not running")).with("role", role)
}
