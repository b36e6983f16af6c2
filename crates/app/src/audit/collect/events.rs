//! Outboxes, and who reads them.

use std::collections::BTreeSet;

use contract::souk::event::v1 as wire;
use contract::souk::event::v1::event_service_client::EventServiceClient;
use contract::souk::search::v1::GetIndexStatusRequest;
use contract::souk::search::v1::search_service_client::SearchServiceClient;

use super::Unread;
use crate::audit::books::{Consumer, Position, Stream};
use crate::client::{CallError, Shop};

const CHECK: &str = "events.readable";

/// The consumers first, then the outboxes: so none seems to be ahead of its source.
pub(super) async fn read(shop: &Shop) -> Result<(Vec<Stream>, Vec<Consumer>), Unread> {
    // The roles are those that the contract names; one that has no events at this address says so.
    let roles: BTreeSet<&str> = contract::methods().iter().map(|method| method.package_role).collect();
    let mut consumers: Vec<Consumer> = index(shop).await?.into_iter().collect();
    let mut with_events = Vec::new();
    for role in roles {
        let Some(status) = status(shop, role).await? else { continue };
        with_events.push(role);
        consumers.extend(status.consumers.into_iter().map(|row| Consumer {
            role: role.into(),
            source: row.source.into(),
            name: row.name.into(),
            position: position(row.position),
            parked: row.parked.into_iter().map(Into::into).collect(),
        }));
    }
    let mut streams = Vec::with_capacity(with_events.len());
    for role in with_events {
        let Some(status) = status(shop, role).await? else { continue };
        streams.push(Stream {
            role: role.into(),
            oldest: position(status.oldest).sequence,
            head: position(status.head),
            count: status.count,
            gaps: status.gaps,
        });
    }
    Ok((streams, consumers))
}

async fn status(shop: &Shop, role: &str) -> Result<Option<wire::GetStatusResponse>, Unread> {
    let client = shop.client(EventServiceClient::new);
    let request = wire::GetStatusRequest { source: role.to_owned(), ..wire::GetStatusRequest::default() };
    let send = || {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.get_status(request).await }
    };
    match shop.call(send).await {
        Ok(status) => Ok(Some(status)),
        Err(CallError::Refused(error)) if error.reason() == "UNKNOWN_SOURCE" => Ok(None),
        Err(error) => Err(super::unread(CHECK, "get_status", error)),
    }
}

/// Search's index follows product without a durable position of its own; it says how far it is. `None` where search is not served.
async fn index(shop: &Shop) -> Result<Option<Consumer>, Unread> {
    let client = shop.client(SearchServiceClient::new);
    let send = || {
        let mut client = client.clone();
        async move { client.get_index_status(GetIndexStatusRequest {}).await }
    };
    let answer = match shop.call(send).await {
        Ok(answer) => answer,
        Err(CallError::Refused(error)) if error.reason() == "UNIMPLEMENTED" => return Ok(None),
        Err(error) => return Err(super::unread(CHECK, "get_index_status", error)),
    };
    let at = answer.status.unwrap_or_default().position;
    Ok(Some(Consumer {
        role: "search".into(),
        source: "product".into(),
        name: "index".into(),
        position: position(at),
        parked: Vec::new(),
    }))
}

fn position(at: Option<wire::Position>) -> Position {
    at.map(|at| Position { epoch: at.epoch, sequence: at.sequence }).unwrap_or_default()
}
