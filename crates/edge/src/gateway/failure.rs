//! What a request that fails is answered: a page for people, a problem (RFC 9457) for programs.

use std::sync::Arc;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, VARY, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use kernel::{Code, Error};

use super::head::Head;
use super::{Gateway, insert};
use crate::answer::Answer;
use crate::ask::Ask;
use crate::problem::{self, Problem};
use crate::reply::{self, Reply};

impl Gateway {
    /// The answer to a request that failed; the cause of a failure on our side is logged.
    pub(super) async fn failed(
        &self,
        error: &Error,
        ask: Option<Arc<Ask>>,
        head: &Head,
        page: bool,
    ) -> Reply {
        let Head { method, request_id, .. } = head;
        let path = head.uri.path();
        let problem = Problem::of(error, request_id);
        let ask = ask.unwrap_or_else(|| Arc::new(head.ask(self)));
        if error.code() == Code::Internal && !error.is_logged() {
            let (trace_id, principal, cause) = (head.trace.id(), ask.principal().subject(), error.chain());
            tracing::error!(%request_id, trace_id, %method, path, caller = "outside", principal, cause, "a request failed on our side");
        } else {
            tracing::debug!(%request_id, %method, path, error = ?error, "a request was refused");
        }
        let status = problem::status(error);
        let mut reply = if page {
            let personal = self.chrome.personal(&ask).await;
            let answer = Answer::page(self.chrome.problem(&ask, &problem)).with_status(status);
            reply::own(answer, &head.headers, self.chrome.mark(), Some(&personal))
        } else {
            let mut reply = Reply::new(status);
            reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
            reply.headers.insert(VARY, HeaderValue::from_static("Cookie"));
            reply.body = Bytes::from(serde_json::to_vec(&problem).unwrap_or_default());
            reply
        };
        reply.headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = problem::retry_after_seconds(error) {
            reply.headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::METHOD_NOT_ALLOWED
            && let Some(allowed) = self.table.allowed(path)
        {
            reply.headers.insert(ALLOW, allowed);
        }
        if status == StatusCode::UNAUTHORIZED {
            insert(&mut reply.headers, WWW_AUTHENTICATE, "Bearer realm=\"souk\"");
        }
        ask.fields(&mut reply.headers);
        reply
    }
}
