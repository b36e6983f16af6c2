//! Counters, movements and holds.

use std::collections::{BTreeMap, HashMap};

use contract::souk::inventory::v1 as wire;
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::r#type::v1::PageRequest;
use contract::wire::{parse_enum, parse_id};
use kernel::{HoldId, Result};

use super::{ANSWER_BYTES_MAX, Interner, PAGE, Unread, ask, malformed, pages};
use crate::audit::books::{Counter, Hold, Movement, Place, Shelf};
use crate::client::{Link, Shop};

const CHECK: &str = "stock.readable";

type Client = InventoryServiceClient<Link>;

/// Every counter, then its movements, then every hold.
pub(super) async fn read(shop: &Shop) -> Result<(Vec<Shelf>, Vec<Hold>), Unread> {
    let client = shop.client(InventoryServiceClient::new).max_decoding_message_size(ANSWER_BYTES_MAX);
    let mut names = Interner::default();
    let mut shelves = counters(shop, &client, &mut names).await?;
    movements(shop, &client, &mut names, &mut shelves).await?;
    let holds = holds(shop, &client, &mut names).await?;
    Ok((shelves, holds))
}

async fn counters(shop: &Shop, client: &Client, names: &mut Interner) -> Result<Vec<Shelf>, Unread> {
    let mut shelves = Vec::new();
    pages(async |cursor| {
        let request = wire::ListStockRequest { page: page(cursor), limit: PAGE };
        let answer = ask!(shop, CHECK, client, list_stock, request)?;
        shelves.extend(answer.counters.iter().map(|row| Shelf {
            place: place(names, &row.sku, &row.location),
            counter: Some(Counter { on_hand: row.on_hand, held: row.held, version: row.version }),
            movements: Vec::with_capacity(usize::try_from(row.version).unwrap_or(0).min(4096)),
        }));
        Ok(next(answer.page))
    })
    .await?;
    Ok(shelves)
}

async fn movements(
    shop: &Shop,
    client: &Client,
    names: &mut Interner,
    shelves: &mut Vec<Shelf>,
) -> Result<(), Unread> {
    let mut index: HashMap<Place, usize> =
        shelves.iter().enumerate().map(|(at, shelf)| (shelf.place.clone(), at)).collect();
    pages(async |cursor| {
        let request = wire::ListMovementsRequest { page: page(cursor), limit: PAGE, sku: String::new() };
        let answer = ask!(shop, CHECK, client, list_movements, request)?;
        for row in answer.movements {
            let place = place(names, &row.sku, &row.location);
            let at = *index.entry(place).or_insert_with_key(|place| {
                shelves.push(Shelf { place: place.clone(), counter: None, movements: Vec::new() });
                shelves.len() - 1
            });
            let movement = movement(&row).map_err(malformed(CHECK, "list_movements"))?;
            shelves[at].movements.push(movement);
        }
        Ok(next(answer.page))
    })
    .await
}

fn movement(row: &wire::Movement) -> Result<Movement> {
    use wire::MovementKind::{Expired, Held, Released, Returned, Sold};
    let kind = parse_enum("/kind", row.kind)?;
    let of_hold = matches!(kind, Held | Released | Expired | Sold | Returned);
    Ok(Movement {
        number: row.number,
        kind,
        quantity: row.quantity,
        on_hand: row.on_hand,
        held: row.held,
        hold: if of_hold { Some(parse_id("/reference", &row.reference)?) } else { None },
    })
}

async fn holds(shop: &Shop, client: &Client, names: &mut Interner) -> Result<Vec<Hold>, Unread> {
    let mut holds = Vec::new();
    pages(async |cursor| {
        let request = wire::ListHoldsRequest { page: page(cursor), limit: PAGE, state: 0 };
        let answer = ask!(shop, CHECK, client, list_holds, request)?;
        for row in answer.holds {
            holds.push(hold(&row, names).map_err(malformed(CHECK, "list_holds"))?);
        }
        Ok(next(answer.page))
    })
    .await?;
    Ok(holds)
}

fn hold(row: &wire::Hold, names: &mut Interner) -> Result<Hold> {
    let mut units: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    for line in &row.lines {
        let sum = units.entry((&line.sku, &line.location)).or_insert(0);
        *sum = sum.saturating_add(line.quantity);
    }
    Ok(Hold {
        id: parse_id::<HoldId>("/hold_id", &row.hold_id)?,
        order: parse_id("/order_id", &row.order_id)?,
        state: parse_enum("/state", row.state)?,
        units: units.into_iter().map(|((sku, location), sum)| (place(names, sku, location), sum)).collect(),
    })
}

fn place(names: &mut Interner, sku: &str, location: &str) -> Place {
    Place { sku: names.get(sku), location: names.get(location) }
}

fn page(cursor: String) -> Option<PageRequest> {
    Some(PageRequest { limit: 0, cursor })
}

fn next(page: Option<contract::souk::r#type::v1::PageInfo>) -> String {
    page.map(|page| page.next_cursor).unwrap_or_default()
}
