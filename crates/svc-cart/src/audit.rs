//! What an audit checks of the stored carts, and what it compares with events and orders.

use std::collections::BTreeSet;
use std::sync::Arc;

use chassis::audit::{Examine, Examined, Fact, check_document};
use contract::souk::cart::v1::CartChanged;
use kernel::{Result, Violations};
use prost::{Message, Name};
use store::{Database, Inspector, StoredEvent};
use tonic::async_trait;

use crate::domain::{Cart, CartState};
use crate::store::{GONE, Head};

/// The most units of a line that any setting allows to be plausible.
const QUANTITY_MAX: i64 = 1_000_000_000;
/// The most orders, and the most carts, that a cart remembers.
const REMEMBERED_MAX: usize = 16;

/// The carts of a database.
pub fn tables(database: &Database) -> [Arc<dyn Examine>; 1] {
    [Arc::new(CartRows(database.inspect()))]
}

struct CartRows(Inspector);

#[async_trait]
impl Examine for CartRows {
    fn table(&self) -> &'static str {
        "carts"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let rows = self.0.documents::<Cart>(after.unwrap_or_default(), limit).await?;
        let mut examined = Examined::default();
        for stored in &rows {
            let Some(cart) = check_document(&stored.id, stored, &mut examined) else { continue };
            examine(&stored.id, cart, &mut examined);
            let head = Head::of(cart, stored.version);
            let fact = Fact::new("row", stored.id.clone()).version(stored.version);
            examined.facts.push(fact.content(&head.digest).at(cart.updated));
            let bought = cart.bought.iter().map(|order| Fact::new("bought", order.to_string()));
            examined.facts.extend(bought);
        }
        examined.next = rows.last().filter(|_| rows.len() == limit as usize).map(|last| last.id.clone());
        Ok(examined)
    }
}

fn examine(row: &str, cart: &Cart, examined: &mut Examined) {
    let id = cart.owner.cart_id().to_string();
    examined.expects(id == row, row, format!("the cart of its owner, {id}"), cart.owner);
    let dropped = cart.expires.is_some();
    // A customer's cart has no end; a guest's has one from its first change on.
    examined.expects(dropped == cart.owner.is_guest(), row, "an end for guests alone", dropped);
    examined.expects(cart.updated.micros() > 0, row, "the time of its last change", cart.updated);
    let open = matches!(cart.state, CartState::Open);
    let in_order = !open || cart.expires.is_none_or(|expires| expires > cart.updated);
    examined.expects(in_order, row, "an end after its last change", cart.updated);
    let emptied = !matches!(cart.state, CartState::Merged { .. }) || cart.lines.is_empty();
    examined.expects(emptied, row, "no lines, as they are in another cart", cart.lines.len());
    let guest = open || cart.owner.is_guest();
    examined.expects(guest, row, "an open cart, as it is a customer's", "one that was merged");
    let (mut ids, mut skus) = (BTreeSet::new(), BTreeSet::new());
    for line in &cart.lines {
        let mut violations = Violations::new();
        let named = (1..=64).contains(&line.sku.chars().count()) && !line.sku.chars().any(char::is_control);
        violations.check(named, "sku", "is none");
        let good = (1..=QUANTITY_MAX).contains(&line.quantity);
        violations.check(good, "quantity", format!("is {}", line.quantity));
        violations.check(ids.insert(line.id.to_string()), "line_id", "is there twice");
        violations.check(skus.insert(&line.sku), "sku", "is there twice");
        violations.check(line.created.micros() > 0, "created", "is no time");
        if let Err(error) = violations.finish() {
            examined.finds(row, format!("line {} as it may be", line.id), format!("{error:?}"));
        }
    }
    let orders: BTreeSet<String> = cart.bought.iter().map(ToString::to_string).collect();
    let once = orders.len() == cart.bought.len() && orders.len() <= REMEMBERED_MAX;
    examined.expects(once, row, "up to 16 orders, each once", cart.bought.len());
    let carts: BTreeSet<String> = cart.merged.iter().map(ToString::to_string).collect();
    let once = carts.len() == cart.merged.len() && carts.len() <= REMEMBERED_MAX;
    examined.expects(once, row, "up to 16 merged carts, each once", cart.merged.len());
}

/// What an event of this service says of its cart.
///
/// # Errors
/// When it is about another cart than it says.
pub fn describe(event: &StoredEvent) -> std::result::Result<Vec<Fact>, String> {
    let stored = &event.event;
    if stored.type_name != CartChanged::full_name() {
        return Ok(Vec::new());
    }
    let told = CartChanged::decode(stored.payload.as_slice()).map_err(|error| error.to_string())?;
    if told.cart_id != stored.aggregate_id {
        return Err(format!("{} in an event of {}", told.cart_id, stored.aggregate_id));
    }
    let state = match told.digest.as_slice() {
        digest if digest == GONE => "gone",
        // Before events had digests, nothing told a guest's cart that was dropped from an empty one.
        [] if told.owner.starts_with("gst_") && told.line_count == 0 => "may be gone",
        _ => "",
    };
    let fact = Fact::new("event", told.cart_id).version(told.version).state(state);
    // Events of earlier releases have no digest: then the versions are compared alone.
    let fact = if told.digest.is_empty() { fact } else { fact.content(&told.digest) };
    Ok(vec![fact])
}
