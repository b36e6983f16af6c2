//! What the log says of a call that failed on our side: its cause, once, with who asked for what.

use std::sync::Arc;

use kernel::{Code, Error};
use tonic::Status;

use crate::{Call, Caller, Principal, Trace};

/// Who asked for what, and in which request.
#[derive(Clone, Debug)]
pub struct Report {
    method: &'static str,
    caller: Caller,
    trace: Trace,
    request_id: Option<Arc<str>>,
}

impl Report {
    pub(crate) fn of(call: &Call) -> Self {
        let principal = call.scope.principal.as_ref().map(|verified| verified.principal.clone());
        Self {
            method: call.method.map_or("", |method| method.path),
            caller: Caller::new(principal.unwrap_or_default(), call.caller.role.clone()),
            trace: call.scope.trace,
            request_id: call.scope.request_id.clone(),
        }
    }

    /// Of the call of `method` (its path) that is being served: for a stream, which may fail after it was answered.
    #[must_use]
    pub fn of_stream(method: &'static str, caller: Caller) -> Self {
        let scope = crate::scope();
        Self { method, caller, trace: scope.trace, request_id: scope.request_id }
    }

    /// The status that ends a stream. The cause of an internal error is logged.
    #[must_use]
    pub fn ends_with(&self, error: Error) -> Status {
        if error.code() != Code::Internal || error.is_logged() {
            return contract::status(error);
        }
        self.log(&error.chain());
        contract::status(error.mark_logged())
    }

    pub(crate) fn log(&self, cause: &str) {
        let principal = match &self.caller.principal {
            Principal::Anonymous => "anonymous".to_owned(),
            known => known.subject(),
        };
        tracing::error!(
            method = self.method,
            caller = self.caller.role.as_deref().unwrap_or("outside"),
            principal,
            request_id = self.request_id.as_deref().unwrap_or_default(),
            trace_id = self.trace.id(),
            cause,
            "a call failed on our side"
        );
    }
}
