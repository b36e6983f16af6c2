//! A direct call to an endpoint of this process. What a remote caller sends as headers travels as a value.

use std::sync::Arc;

use crate::{Answer, Call, Endpoint, Scope};

/// What a caller in this process says about itself. Cannot come from outside: extensions do not travel.
#[derive(Clone)]
pub(crate) struct Local {
    /// The calling role; `None` for somebody outside whom the caller has verified.
    pub(crate) role: Option<Arc<str>>,
    pub(crate) scope: Scope,
}

pub(crate) async fn send(endpoint: Arc<dyn Endpoint>, role: &Arc<str>, call: Call) -> Answer {
    let Call { mut request, scope, .. } = call;
    request.extensions_mut().insert(Local { role: Some(role.clone()), scope });
    Ok(endpoint.call(request).await)
}
