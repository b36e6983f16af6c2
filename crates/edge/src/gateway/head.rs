//! The head of a request, before it is known who asks.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, Method};
use mesh::Trace;
use tokio::time::Instant;

use super::Gateway;
use crate::ask::{self, Ask};
use crate::need::Need;
use crate::session::Session;

/// The head of a request, taken apart once.
pub(super) struct Head {
    pub(super) headers: Arc<HeaderMap>,
    pub(super) method: Method,
    pub(super) uri: http::Uri,
    pub(super) peer: Option<SocketAddr>,
    pub(super) request_id: Arc<str>,
    pub(super) trace: Trace,
    pub(super) arrived: Instant,
}

impl Head {
    pub(super) fn ask_parts(
        &self,
        gateway: &Gateway,
        needs: &'static [&'static Need],
        query: String,
        address: IpAddr,
        lifted: bool,
        deadline: Duration,
    ) -> ask::Parts {
        ask::Parts {
            ctx: gateway.ctx.clone(),
            sessions: gateway.sessions.clone(),
            jar: gateway.jar,
            needs,
            method: if self.method == Method::HEAD { Method::GET } else { self.method.clone() },
            path: self.uri.path().to_owned(),
            query,
            headers: self.headers.clone(),
            address,
            lifted,
            request_id: self.request_id.clone(),
            trace: self.trace,
            deadline: self.arrived + deadline,
        }
    }

    /// A request of which nothing more than its head is known.
    pub(super) fn ask(&self, gateway: &Gateway) -> Ask {
        let time = self.arrived.elapsed() + Duration::from_secs(1);
        let parts = self.ask_parts(gateway, &[], String::new(), [0, 0, 0, 0].into(), false, time);
        Ask::new(parts, Session::default(), Vec::new())
    }
}
