//! One absolute deadline: what remains of it is inherited by every call made while serving.

use std::time::Duration;

use http::HeaderName;
use kernel::{Code, Error};

use crate::{Answer, Call, Layer, policy};

/// The layer: the inherited deadline, cut to what the method may take.
pub struct Deadline<N> {
    pub(crate) next: N,
}

impl<N: Layer> Layer for Deadline<N> {
    async fn call(&self, mut call: Box<Call>) -> Answer {
        if call.method.is_some_and(|method| method.server_streaming || method.client_streaming) {
            // A stream lives as long as its caller wants it; what it calls sets deadlines of its own.
            call.scope.deadline = None;
            return self.next.call(call).await;
        }
        let most = call.method.map_or(policy::EDGE_DEADLINE, |method| method.timeout);
        let own = call.arrived + most;
        let deadline = call.scope.deadline.map_or(own, |inherited| inherited.min(own));
        if deadline <= call.arrived {
            return Err(spent());
        }
        call.scope.deadline = Some(deadline);
        match tokio::time::timeout_at(deadline, self.next.call(call)).await {
            Ok(answer) => answer,
            Err(_) => Err(spent()),
        }
    }
}

fn spent() -> Error {
    Error::new(
        Code::DeadlineExceeded,
        "DEADLINE_EXCEEDED",
        "it took longer than allowed; whether it happened is not known",
    )
}

/// The field with the time that a call may take.
pub(crate) const GRPC_TIMEOUT: HeaderName = HeaderName::from_static("grpc-timeout");

/// Reads `grpc-timeout`: up to eight digits and a unit (gRPC over HTTP/2). `None` when it is not one.
pub(crate) fn parse_timeout(text: &str) -> Option<Duration> {
    let (digits, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(value * 3600)),
        "M" => Some(Duration::from_secs(value * 60)),
        "S" => Some(Duration::from_secs(value)),
        "m" => Some(Duration::from_millis(value)),
        "u" => Some(Duration::from_micros(value)),
        "n" => Some(Duration::from_nanos(value)),
        _ => None,
    }
}

/// What remains as a `grpc-timeout`, in microseconds up to 99 s and milliseconds above.
pub(crate) fn timeout_text(remaining: Duration) -> String {
    let micros = remaining.as_micros();
    if micros < 100_000_000 {
        format!("{micros}u")
    } else {
        format!("{}m", remaining.as_millis().min(99_999_999))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timeouts_there_and_back() {
        for millis in [1, 250, 5_000, 99_000, 3_600_000] {
            let remaining = Duration::from_millis(millis);
            assert_eq!(parse_timeout(&timeout_text(remaining)), Some(remaining));
        }
        for bad in ["", "S", "1", "-1S", "123456789S", "1x", "1é"] {
            assert_eq!(parse_timeout(bad), None, "{bad}");
        }
    }
}
