//! A direct call to an endpoint of this process. What a remote caller sends as headers travels as a value.

use std::sync::Arc;

use contract::MethodContract;

use crate::{Answer, Call, Endpoint, Scope};

/// What a caller in this process says about itself. Cannot come from outside: extensions do not travel.
#[derive(Clone)]
pub(crate) struct Local {
    /// The calling role; `None` for somebody outside whom the caller has verified.
    pub(crate) role: Option<Arc<str>>,
    pub(crate) scope: Scope,
    /// The contract of the method, when the caller has looked it up already.
    pub(crate) method: Option<&'static MethodContract>,
}

pub(crate) async fn send(endpoint: Arc<dyn Endpoint>, role: &Arc<str>, call: Box<Call>) -> Answer {
    let Call { mut request, scope, method, .. } = *call;
    request.extensions_mut().insert(Local { role: Some(role.clone()), scope, method });
    match endpoint.call(request).await {
        Ok(response) => Ok(response),
        Err(never) => match never {},
    }
}
