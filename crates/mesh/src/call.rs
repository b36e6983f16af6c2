//! One call on its way through the layers.

use contract::MethodContract;
use kernel::Error;
use tokio::time::Instant;
use tonic::body::Body;

use crate::{Caller, Scope};

/// A call, with what the layers have found out about it so far.
pub struct Call {
    /// The request itself.
    pub request: http::Request<Body>,
    /// Its contract; `None` for what the house does not define (health, reflection).
    pub method: Option<&'static MethodContract>,
    /// Who asks and through whom.
    pub caller: Caller,
    /// What calls made while serving inherit.
    pub scope: Scope,
    /// When it arrived.
    pub arrived: Instant,
}

/// What a layer answers: a response, which may itself carry a gRPC status, or an error that rescue turns into one.
pub type Answer = Result<http::Response<Body>, Error>;

/// A layer, or what the layers end in.
pub trait Layer: Send + Sync + 'static {
    /// Handles one call. It is in a box because every layer passes it on: a pointer, and not 400 bytes each time.
    fn call(&self, call: Box<Call>) -> impl Future<Output = Answer> + Send;
}
