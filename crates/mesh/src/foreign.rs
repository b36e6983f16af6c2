//! Health and reflection: services that are not of the house and have no contract, but have limits all the same.

use std::time::Duration;

use crate::policy;

/// What a method of a foreign service promises.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Foreign {
    /// The caller sends a stream.
    pub client_streaming: bool,
    /// The answer is a stream.
    pub server_streaming: bool,
    /// How long a stream of it may be silent.
    pub silence_max: Duration,
}

const HEALTH: &str = "/grpc.health.v1.Health/";
const REFLECTION: [&str; 2] =
    ["/grpc.reflection.v1.ServerReflection/", "/grpc.reflection.v1alpha.ServerReflection/"];

/// The limits of a method by its path; `None` for what is neither health nor reflection. Everybody may call these.
#[must_use]
pub fn foreign(path: &str) -> Option<Foreign> {
    if let Some(method) = path.strip_prefix(HEALTH) {
        let watch = method == "Watch";
        return Some(Foreign {
            client_streaming: false,
            server_streaming: watch,
            silence_max: policy::HEALTH_SILENCE_MAX,
        });
    }
    REFLECTION.iter().any(|service| path.starts_with(service)).then_some(Foreign {
        client_streaming: true,
        server_streaming: true,
        silence_max: policy::REFLECTION_SILENCE_MAX,
    })
}
