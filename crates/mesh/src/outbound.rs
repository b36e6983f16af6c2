//! The outbound stack of a channel, assembled in `stack`.

use std::sync::Arc;

use tokio::time::Instant;
use tonic::body::Body;

use crate::endpoint::unreachable;
use crate::fault::Inject;
use crate::peer::Peers;
use crate::rescue::{Rescue, Side};
use crate::telemetry::Count;
use crate::transport::{http2, local};
use crate::{Answer, Call, Caller, Directory, Endpoint, Faults, Layer, Response, Target, Telemetry};

/// What the outbound layers need; shared by the roles of a process.
#[derive(Clone)]
pub struct Routes {
    /// Where the roles are.
    pub directory: Directory,
    /// Faults on purpose.
    pub faults: Faults,
    /// Signs the caller's name for other processes.
    pub peers: Peers,
    /// Counts calls.
    pub telemetry: Arc<Telemetry>,
}

/// The layers from one role to another. Outermost first:
#[must_use]
pub(crate) fn stack(routes: &Routes, from: Arc<str>, to: Arc<str>) -> Arc<dyn Endpoint> {
    // Here come, with the rest of the mesh: cache and coalescing before the route; retry, balance and breaker after it.
    let route =
        Route { directory: routes.directory.clone(), peers: routes.peers.clone(), from: from.clone(), to };
    // what a test or an operator wants to go wrong
    let inject = Inject { faults: routes.faults.clone(), next: route };
    // what remains of the caller's time is what this call may take; the callee enforces it, and we do when it cannot
    let inherit = Inherit { next: inject };
    // a caller never sees anything but a status with a reason
    let rescue = Rescue { side: Side::Caller, next: inherit };
    // what is counted includes all of it
    let count = Count { telemetry: routes.telemetry.clone(), next: rescue };
    Arc::new(Stack { layers: Arc::new(count), from })
}

struct Stack<L> {
    layers: Arc<L>,
    from: Arc<str>,
}

impl<L: Layer> Endpoint for Stack<L> {
    fn call(&self, request: http::Request<Body>) -> Response {
        let layers = self.layers.clone();
        let method = contract::method(request.uri().path());
        let scope = crate::scope();
        let caller = Caller { role: Some(self.from.clone()), ..Caller::default() };
        let call = Box::new(Call { request, method, caller, scope, arrived: Instant::now() });
        Box::pin(async move { Ok(layers.call(call).await.unwrap_or_else(crate::endpoint::failed)) })
    }
}

/// A call takes no longer than what is left of the one that made it.
struct Inherit<N> {
    next: N,
}

impl<N: Layer> Layer for Inherit<N> {
    async fn call(&self, call: Box<Call>) -> Answer {
        let Some(deadline) = call.scope.deadline else { return self.next.call(call).await };
        tokio::time::timeout_at(deadline, self.next.call(call)).await.unwrap_or_else(|_| {
            let message = "there was no time left for this call; whether it happened is not known";
            Err(kernel::Error::new(kernel::Code::DeadlineExceeded, "DEADLINE_EXCEEDED", message))
        })
    }
}

/// The end of the stack: the transport that the callee's place asks for.
struct Route {
    directory: Directory,
    peers: Peers,
    from: Arc<str>,
    to: Arc<str>,
}

impl Layer for Route {
    async fn call(&self, call: Box<Call>) -> Answer {
        match self.directory.find(&self.to) {
            Some(Target::Local(endpoint)) => local::send(endpoint, &self.from, call).await,
            Some(Target::Remote(connection)) => http2::send(&connection, &self.from, &self.peers, call).await,
            None => Err(unreachable(&self.to)),
        }
    }
}
