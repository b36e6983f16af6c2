//! The inbound stack of a role, assembled in [`stack`].

use std::sync::Arc;

use http::{HeaderMap, HeaderName};
use kernel::{Code, Error};
use tokio::time::Instant;
use tonic::body::Body;

use crate::access::Check;
use crate::admission::Admit;
use crate::deadline::{Deadline, GRPC_TIMEOUT, parse_timeout};
use crate::peer::{BEHALF_HEADER, PEER_HEADER, Peers};
use crate::receive::{FromOutside, Receive};
use crate::rescue::{Rescue, Side};
use crate::scope::{request_id_of, tell_request};
use crate::stream::Streams;
use crate::telemetry::Count;
use crate::transport::http2::parse_behalf;
use crate::transport::local::Local;
use crate::{
    Admission, Answer, Call, Caller, Endpoint, Layer, Response, Scope, Telemetry, Trace, Verified, Verifier,
};

/// What the inbound layers need; shared by the roles of a process.
#[derive(Clone, Debug)]
pub struct Guards {
    /// Counts calls.
    pub telemetry: Arc<Telemetry>,
    /// Checks access tokens.
    pub verifier: Arc<Verifier>,
    /// Checks the signatures of other processes' roles.
    pub peers: Peers,
    /// Limits what is served at once.
    pub admission: Arc<Admission>,
}

/// Puts the inbound layers before a role's endpoint. Outermost first:
#[must_use]
pub fn stack(guards: &Guards, endpoint: Arc<dyn Endpoint>) -> Arc<dyn Endpoint> {
    let serve = Serve { endpoint };
    // the time it may take, known before anything is begun
    let deadline = Deadline { next: serve };
    // a stream has a limit of its own instead of a deadline
    let streams = Streams { admission: guards.admission.clone(), next: deadline };
    // what is turned away costs nothing more
    let admit = Admit { admission: guards.admission.clone(), next: streams };
    // a message that does not come holds no place
    let receive = Receive { admission: guards.admission.clone(), next: admit };
    // who may call at all
    let check = Check { next: receive };
    // what goes wrong on our side is logged, with who called
    let report = Rescue { side: Side::Callee, next: check };
    // who calls, and on whose behalf
    let identify = Identify { verifier: guards.verifier.clone(), peers: guards.peers.clone(), next: report };
    // every failure below becomes a status with a reason
    let rescue = Rescue { side: Side::Callee, next: identify };
    // what is counted includes all of it
    let count = Count { telemetry: guards.telemetry.clone(), next: rescue };
    Arc::new(Stack(Arc::new(count)))
}

struct Stack<L>(Arc<L>);

impl<L: Layer> Endpoint for Stack<L> {
    fn call(&self, request: http::Request<Body>) -> Response {
        let layers = self.0.clone();
        let local = request.extensions().get::<Local>();
        // A caller in this process passes its scope, which names the request already.
        let scope = local.map_or_else(|| named(request.headers()), |_| Scope::default());
        let known = local.and_then(|local| local.method);
        let method = known.or_else(|| contract::method(request.uri().path()));
        let request_id = scope.request_id.clone();
        let call =
            Box::new(Call { request, method, caller: Caller::default(), scope, arrived: Instant::now() });
        Box::pin(async move {
            let mut response = layers.call(call).await.unwrap_or_else(crate::endpoint::failed);
            if crate::rescue::code(response.headers()) != 0 {
                tell_request(response.headers_mut(), request_id.as_deref());
            }
            Ok(response)
        })
    }
}

/// The scope of a call from outside, which goes on in the trace of its caller and has the name that its caller gave; one
/// without a name has that of its trace.
fn named(headers: &HeaderMap) -> Scope {
    let trace = Trace::of_request(headers);
    let request_id = request_id_of(headers).map_or_else(|| Arc::from(trace.id()), Arc::from);
    Scope { trace, request_id: Some(request_id), ..Scope::default() }
}

/// Finds out who calls: from the value that a caller in this process passes, or from the headers.
struct Identify<N> {
    verifier: Arc<Verifier>,
    peers: Peers,
    next: N,
}

impl<N: Layer> Layer for Identify<N> {
    async fn call(&self, mut call: Box<Call>) -> Answer {
        if let Some(local) = call.request.extensions_mut().remove::<Local>() {
            call.scope = Scope { trace: local.scope.trace.child(), ..local.scope };
            call.caller.role = local.role;
        } else {
            call.request.extensions_mut().insert(FromOutside);
            self.read_headers(&mut call)?;
        }
        // Health and reflection answer everybody alike, so a token that is not good hinders nobody there: whoever is refused
        // elsewhere finds the types of the refusal's details by reflection.
        let is_for_everybody = call.method.is_none() && crate::foreign(call.request.uri().path()).is_some();
        // A token in the request itself counts before what is inherited.
        if !is_for_everybody && let Some(token) = bearer(&call.request)? {
            call.scope.principal = Some(self.verifier.verify(token)?);
        }
        if let Some(verified) = &call.scope.principal {
            call.caller.principal = verified.principal.clone();
        }
        self.next.call(call).await
    }
}

impl<N> Identify<N> {
    fn read_headers(&self, call: &mut Call) -> Result<(), Error> {
        let headers = call.request.headers();
        let text = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        if let Some(timeout) = text(&GRPC_TIMEOUT) {
            let bad =
                || Error::invalid("INVALID_TIMEOUT", "grpc-timeout is not up to eight digits and a unit");
            let remains = parse_timeout(timeout).ok_or_else(bad)?;
            call.scope.deadline = call.arrived.checked_add(remains);
        }
        if let Some(value) = text(&PEER_HEADER) {
            let forged =
                || Error::new(Code::Unauthenticated, "PEER_INVALID", "the calling role cannot be verified");
            call.caller.role = Some(self.peers.check(value).ok_or_else(forged)?);
            let behalf = text(&BEHALF_HEADER).and_then(parse_behalf);
            call.scope.principal = behalf.map(|principal| Arc::new(Verified::on_behalf_of(principal)));
        }
        Ok(())
    }
}

fn bearer(request: &http::Request<Body>) -> Result<Option<&str>, Error> {
    let Some(value) = request.headers().get(http::header::AUTHORIZATION) else { return Ok(None) };
    let malformed = || {
        Error::new(
            Code::Unauthenticated,
            "TOKEN_INVALID",
            "authorization must be `Bearer` and an access token",
        )
    };
    let (scheme, token) = value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or_else(malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") {
        return Err(malformed());
    }
    Ok(Some(token.trim()))
}

/// The end of the stack: the role's own code, in the scope of the call.
struct Serve {
    endpoint: Arc<dyn Endpoint>,
}

impl Layer for Serve {
    async fn call(&self, call: Box<Call>) -> Answer {
        let Call { request, scope, .. } = *call;
        match crate::with_scope(scope, self.endpoint.call(request)).await {
            Ok(response) => Ok(response),
            Err(never) => match never {},
        }
    }
}
