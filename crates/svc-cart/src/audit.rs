//! What an audit checks of the stored carts, and what it compares with events and orders.

use std::collections::BTreeSet;
use std::sync::Arc;

use chassis::audit::{Examine, Examined, Fact, check_document, last_of_full_page};
use contract::souk::cart::v1::CartChanged;
use kernel::{Result, Violations};
use prost::{Message, Name};
use store::{Database, Inspector, StoredEvent};
use tonic::async_trait;

use crate::domain::{BOUGHT_MAX, Cart, CartState, MERGED_MAX};
use crate::store::{GONE, Head};

/// The most units of a line: no setting allows more.
const QUANTITY_MAX: i64 = 1_000_000_000;

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
            examined.facts.extend(bought(cart));
        }
        examined.next = last_of_full_page(&rows, limit).map(|last| last.id.clone());
        Ok(examined)
    }
}

/// The orders whose lines were taken out, as the order service said. An owner may claim any order, so that is not compared.
fn bought(cart: &Cart) -> impl Iterator<Item = Fact> {
    cart.bought.iter().map(|order| Fact::new("bought", order.to_string()))
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
        violations.check(named, "sku", "is not a SKU");
        let good = (1..=QUANTITY_MAX).contains(&line.quantity);
        violations.check(good, "quantity", format!("is {}", line.quantity));
        violations.check(ids.insert(line.id.to_string()), "line_id", "is there twice");
        violations.check(skus.insert(&line.sku), "sku", "is there twice");
        violations.check(line.created.micros() > 0, "created", "is not set");
        if let Err(error) = violations.finish() {
            examined.finds(row, format!("line {} as it may be", line.id), format!("{error:?}"));
        }
    }
    let remembered = cart.bought.iter().chain(&cart.claimed);
    let orders: BTreeSet<String> = remembered.map(ToString::to_string).collect();
    let (bought, claimed) = (cart.bought.len(), cart.claimed.len());
    let once = orders.len() == bought + claimed && bought <= BOUGHT_MAX && claimed <= BOUGHT_MAX;
    let expected = format!("up to {BOUGHT_MAX} orders of each kind, each once");
    examined.expects(once, row, expected, format!("{bought} and {claimed}"));
    let carts: BTreeSet<String> = cart.merged.iter().map(ToString::to_string).collect();
    let once = carts.len() == cart.merged.len() && carts.len() <= MERGED_MAX;
    let expected = format!("up to {MERGED_MAX} merged carts, each once");
    examined.expects(once, row, expected, cart.merged.len());
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use kernel::{CustomerId, OrderId, Timestamp};
    use sha2::{Digest, Sha256};

    use super::*;
    use crate::domain::{Limits, Owner, Purchase};

    #[test]
    fn what_an_owner_claims_of_an_order_is_not_told() {
        let limits = Limits {
            line_quantity: 9,
            lines: 9,
            quantity: 99,
            guest_keep: std::time::Duration::from_secs(100),
        };
        let owner = Owner::Customer(CustomerId::from_bits(1));
        let mut cart = Cart::new(owner);
        let before = Head::of(&cart, 1).digest;
        let mut remove = |order: u128, claimed_by| {
            let purchase = Purchase { order: OrderId::from_bits(order), units: BTreeMap::new(), claimed_by };
            cart.remove_bought(&purchase, &limits, Timestamp::from_secs(1_700_000_000));
        };
        remove(7, None);
        (10..50).for_each(|order| remove(order, Some(owner)));
        let mut examined = Examined::default();
        examine(&owner.cart_id().to_string(), &cart, &mut examined);
        assert_eq!(examined.findings, []);
        let told: Vec<String> = bought(&cart).map(|fact| fact.key).collect();
        assert_eq!(told, [OrderId::from_bits(7).to_string()]);
        assert_ne!(Head::of(&cart, 1).digest, before);
    }

    #[test]
    fn a_cart_of_an_earlier_release_reads_and_has_the_digest_that_it_had() {
        let stored = r#"{"owner":"cus_00000000000000000000000001","state":{"is":"open"},"lines":[],
            "bought":["ord_00000000000000000000000007"],"merged":[],"updated":1700000000000000,"expires":null}"#;
        let cart: Cart = serde_json::from_str(stored).expect("a cart");
        assert_eq!(bought(&cart).count(), 1);
        let text = "cus_00000000000000000000000001 open|ord_00000000000000000000000007|1700000000000000 None";
        assert_eq!(Head::of(&cart, 1).digest.as_slice(), Sha256::digest(text).as_slice());
    }
}
