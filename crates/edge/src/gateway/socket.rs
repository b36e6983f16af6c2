//! The way to a WebSocket: whose it is, how much they may ask for, and the handshake.

use http::request::Parts;
use kernel::{Code, Error, Result};

use super::Gateway;
use super::head::Head;
use crate::live::{Handshake, Live};
use crate::quota::{Asking, Fields};
use crate::reply::Reply;
use crate::{client, forgery};

/// Where sockets are opened.
pub(super) const PATH: &str = "/ws";

/// What the connection of a request offers, when it asks for a socket.
pub(super) fn handshake(live: &Option<Live>, parts: &mut Parts) -> Option<Handshake> {
    let asks = live.is_some() && parts.uri.path() == PATH;
    asks.then(|| Handshake::of(&mut parts.extensions))
}

impl Gateway {
    /// Opens a socket.
    pub(super) async fn socket(
        &self,
        head: &Head,
        handshake: Handshake,
        fields: &mut Fields,
    ) -> Result<Reply> {
        let live = self.live.as_ref().ok_or_else(crate::table::nothing_here)?;
        // A socket is opened by a GET that no form protects, so its origin counts here above all.
        if !forgery::same_origin(&head.headers, &self.origins) {
            let message = "this socket belongs to another site";
            return Err(Error::new(Code::PermissionDenied, "FORGED_ORIGIN", message));
        }
        let address = client::address(head.peer, &head.headers, self.settings.trusted_proxies);
        let lifted = self.is_lifted(&head.headers);
        let (session, cookies) = self.sessions.open(&head.headers, Some(address)).await?;
        let asking = Asking { cost: 1, sign_in: false, address, session: None, lifted };
        self.quotas.take(&asking, fields).await?;
        let query = head.uri.query().unwrap_or_default();
        let mut reply = live.upgrade(&head.method, &head.headers, query, handshake, session, address)?;
        for cookie in cookies {
            reply.headers.append(http::header::SET_COOKIE, cookie);
        }
        Ok(reply)
    }
}
