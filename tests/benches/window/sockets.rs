//! Many idle WebSockets: what they cost.

use std::time::Duration;

use futures_util::StreamExt;
use tokio_tungstenite::tungstenite::ClientRequestBuilder;

use super::client::{self, Target};
use super::{Shop, say};

/// Sockets that are open at once.
const SOCKETS: usize = 10_000;
/// Sockets of one guest.
const EACH: usize = 10;

/// Opens them, and tells what memory the shop has more for it.
pub async fn idle(shop: &Shop) {
    let before = shop.rss_mib();
    let mut open = Vec::with_capacity(SOCKETS);
    let fields = [("content-type", "application/json"), ("content-length", "0")];
    for guest in 0..SOCKETS / EACH {
        let cookies = loop {
            let target = Target::with_body(shop.web, "POST", "/api/v1/session/guest", &fields, "");
            let cookies = client::once(&target).await.cookies();
            if !cookies.is_empty() {
                break cookies;
            }
            // identity lets one address begin so many guest sessions in a minute.
            tokio::time::sleep(Duration::from_millis(100)).await;
        };
        for _ in 0..EACH {
            let uri = format!("ws://{}/ws", shop.web).parse().expect("an address");
            let request = ClientRequestBuilder::new(uri).with_header("cookie", cookies.clone());
            match tokio_tungstenite::connect_async(request).await {
                Ok((mut socket, _)) => {
                    socket.next().await;
                    open.push(socket);
                }
                Err(error) => {
                    say(&format!("stopped after {} sockets of {guest} guests: {error}", open.len()));
                    return;
                }
            }
        }
    }
    let after = shop.rss_mib();
    say(&format!(
        "{} idle WebSockets: {:.0} MiB more ({before:.0} to {after:.0} MiB in all)",
        open.len(),
        after - before
    ));
}
