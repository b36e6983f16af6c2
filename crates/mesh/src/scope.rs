//! What every call made while serving inherits: the deadline, the principal and the trace.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

use crate::Verified;

/// W3C trace context: 16 bytes of trace id, 8 of the span that calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// Trace id; 0 when there is none yet.
    pub trace: u128,
    /// Span id.
    pub span: u64,
    /// Whether somebody records it.
    pub sampled: bool,
}

/// What a call inherits from the call that made it.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// When the answer is of no use any more.
    pub deadline: Option<Instant>,
    /// On whose behalf.
    pub principal: Option<Arc<Verified>>,
    /// Trace context.
    pub trace: Trace,
    /// Names the request of a gateway or a client that all of it is done for, in the logs.
    pub request_id: Option<Arc<str>>,
}

/// The field that names a request.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
/// The field with the trace context (W3C Trace Context, level 1).
pub const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// The name that a caller gave their request, where it may stand in our logs.
#[must_use]
pub fn request_id_of(headers: &HeaderMap) -> Option<&str> {
    text(headers, &REQUEST_ID).filter(|id| is_request_id(id))
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

/// Whether a stranger's name of a request may stand in our logs: 8 to 64 letters, digits and `-_`.
fn is_request_id(text: &str) -> bool {
    (8..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

/// Tells who asked the name that their request has in our logs; for answers that say an error.
pub(crate) fn tell_request(headers: &mut HeaderMap, request_id: Option<&str>) {
    if let Some(id) = request_id.and_then(|id| HeaderValue::from_str(id).ok()) {
        headers.insert(REQUEST_ID, id);
    }
}

tokio::task_local! {
    static SCOPE: Scope;
}

/// The scope of the running task; empty outside of a call.
#[must_use]
pub fn scope() -> Scope {
    SCOPE.try_with(Clone::clone).unwrap_or_default()
}

/// Runs a future in a scope: what the inbound stack does for each call, and a saga for its steps.
pub async fn with_scope<F: Future>(scope: Scope, future: F) -> F::Output {
    SCOPE.scope(scope, future).await
}

static SPANS: AtomicU64 = AtomicU64::new(1);

/// Mixes a counter into 64 well spread bits (splitmix64, Steele et al. 2014); span ids need no secrecy.
fn mixed() -> u64 {
    let mut z = SPANS.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (z ^ (z >> 31)).max(1)
}

impl Trace {
    /// The trace of a call made in this one; begins a trace when there is none.
    #[must_use]
    pub fn child(self) -> Self {
        let trace =
            if self.trace == 0 { (u128::from(mixed()) << 64) | u128::from(mixed()) } else { self.trace };
        Self { trace, span: mixed(), sampled: self.sampled }
    }

    /// The trace of a request in the trace of its caller; begins a trace when that told none.
    #[must_use]
    pub fn of_request(headers: &HeaderMap) -> Self {
        text(headers, &TRACEPARENT).and_then(Self::parse).unwrap_or_default().child()
    }

    /// Reads a `traceparent` field; `None` when it is not one (W3C Trace Context, level 1).
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        let hex = |part: &str, len: usize| {
            part.len() == len && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        if !hex(version, 2) || version == "ff" || !hex(trace, 32) || !hex(span, 16) || !hex(flags, 2) {
            return None;
        }
        let trace = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|id| *id != 0)?;
        Some(Self { trace, span, sampled: u8::from_str_radix(flags, 16).ok()? & 1 == 1 })
    }

    /// The trace id as logs show it: 32 hexadecimal digits.
    #[must_use]
    pub fn id(self) -> String {
        let mut text = String::with_capacity(32);
        push_hex(&mut text, self.trace, 32);
        text
    }

    /// The `traceparent` field of this span.
    #[must_use]
    pub fn header(self) -> String {
        let mut text = String::with_capacity(55);
        text.push_str("00-");
        push_hex(&mut text, self.trace, 32);
        text.push('-');
        push_hex(&mut text, self.span.into(), 16);
        text.push_str(if self.sampled { "-01" } else { "-00" });
        text
    }
}

/// Appends the last so many hexadecimal digits. Every answer carries 48 of them, and formatting costs far more.
fn push_hex(text: &mut String, number: u128, digits: u32) {
    for place in (0..digits).rev() {
        let digit = (number >> (4 * place)) & 15;
        text.push(char::from(b"0123456789abcdef"[digit as usize]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn traceparent_there_and_back() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        assert_eq!(Trace::parse(text).map(Trace::header).as_deref(), Some(text));
        for bad in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-0-0-0",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Trace::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_child_keeps_the_trace_and_has_its_own_span() {
        let parent = Trace::default().child();
        let child = parent.child();
        assert!(parent.trace != 0 && child.trace == parent.trace && child.span != parent.span);
    }
}
