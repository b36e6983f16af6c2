//! What the roles of a good shop say about their rows.

use std::sync::Arc;

use contract::souk::order::v1::OrderState;
use kernel::Timestamp;

use crate::audit::books::{Books, Hold, Order};
use crate::audit::rows::{RoleRows, Told};

/// A fact at a version, with this content, under this rule.
pub fn told(version: i64, content: &str, state: &str) -> Told {
    let mut digest = [0; 16];
    for (slot, byte) in digest.iter_mut().zip(content.bytes()) {
        *slot = byte;
    }
    let digest = (!content.is_empty()).then_some(digest);
    Told { version, digest, state: Arc::from(state), about: content.into(), at: Timestamp::default() }
}

/// The facts that go with good books: an event of each row, what each order and its hold say, parcels, receipts, products.
pub fn rows(books: &Books) -> Vec<RoleRows> {
    let role =
        |name: &str| RoleRows { role: name.into(), examined: 9, oldest_event: 1, ..RoleRows::default() };
    let (mut orders, mut stock, mut shipping) = (role("order"), role("inventory"), role("shipping"));
    for order in &books.orders {
        let id = order.id.to_string();
        orders.add("event", &id, told(1, "", "at least"));
        orders.add("event", &id, told(3, "", "at least"));
        orders.add("row", &id, told(4, "", ""));
        let hold = books.holds.iter().find(|hold| hold.order == order.id);
        let may_lack = if hold.is_none() { "may lack" } else { "" };
        orders.add("lines", &id, told(0, "5 of it", may_lack));
        if let Some(Hold { order, .. }) = hold {
            stock.add("lines", &order.to_string(), told(0, "5 of it", ""));
        }
        parcel(order, &mut orders, &mut shipping);
    }
    stock.add("receipt", "delivery 1", told(0, "7 of bowl", ""));
    stock.add("received", "delivery 1", told(0, "7 of bowl", ""));
    stock.add("event", "bowl@main", told(3, "", "log"));
    stock.add("band event", "bowl@main/3", told(0, "few", ""));
    stock.add("band", "bowl@main/3", told(0, "few", ""));
    stock.add("band units event", "bowl@main/3", told(0, "5 left", ""));
    stock.add("band units", "bowl@main/3", told(0, "5 left", ""));
    let (mut products, mut search, mut carts) = (role("product"), role("search"), role("cart"));
    products.add("event", "prd_1", told(2, "a bowl", "at least"));
    products.add("row", "prd_1", told(3, "a bowl", ""));
    products.add("event", "cat_gone", told(2, "", "gone"));
    products.add("active", "prd_1", told(3, "bowl", ""));
    search.add("indexed", "prd_1", told(2, "bowl", "at least"));
    products.add("price ended", "prd_1 GBP bowl at 5", told(0, "", ""));
    products.add("price past", "prd_1 GBP bowl at 5", told(0, "", ""));
    products.add("price set", "prd_1 GBP bowl at 6", told(0, "ada", ""));
    products.add("price kept", "prd_1 GBP bowl at 6", told(0, "ada", ""));
    products.add("wants rendition", "f00-240.jpg", told(0, "", ""));
    products.add("rendition", "f00-240.jpg", told(0, "", ""));
    carts.add("event", "crt_1", told(1, "two", ""));
    carts.add("event", "crt_1", told(2, "three", ""));
    carts.add("row", "crt_1", told(2, "three", ""));
    if let Some(order) = books.orders.first() {
        carts.add("bought", &order.id.to_string(), told(0, "", ""));
    }
    vec![
        orders,
        stock,
        shipping,
        products,
        search,
        carts,
        identity(role("identity")),
        payments(role("payment")),
    ]
}

/// A payment that was given back, one that was captured late, and one that nobody had to be told of.
fn payments(mut role: RoleRows) -> RoleRows {
    for (id, version) in [("pay_back", 5), ("pay_late", 3), ("pay_plain", 4)] {
        role.add("row", id, told(version, "", "unpublished"));
        role.add("payment", id, told(0, "100 of ada", ""));
        role.add("payment at", &format!("{id} {version}"), told(0, "all of it", ""));
    }
    for (id, version) in [("pay_back", 5), ("pay_late", 2)] {
        role.add("event", id, told(version, "", "at least"));
        role.add("payment event", id, told(0, "100 of ada", ""));
        role.add("payment event at", &format!("{id} {version}"), told(0, "all of it", ""));
    }
    for (event, row, key, state) in [
        ("refund event", "refund", "ref_1", ""),
        ("voided event", "voided", "pay_back", ""),
        ("capture event", "capture", "cap_1", "unpublished"),
    ] {
        role.add(event, key, told(0, "100", ""));
        role.add(row, key, told(0, "100", state));
    }
    role.add("capture", "cap_2", told(0, "100", "unpublished"));
    role
}

/// A fact at a time, in seconds.
pub fn at(told: Told, seconds: i64) -> Told {
    Told { at: Timestamp::from_secs(seconds), ..told }
}

/// The operator with a secret, a customer, a clerk who was given what he may, and a session that ended.
fn identity(mut role: RoleRows) -> RoleRows {
    for (account, version) in [("cus_op", 2), ("cus_ada", 1), ("cus_clerk", 3)] {
        role.add("event", account, at(told(version, "", ""), 1_000));
        role.add("row", account, at(told(version, "", ""), 1_000));
        role.add("permissions set", account, told(0, "", "begun"));
        role.add("permissions held", account, told(0, "none", "begun"));
    }
    role.add("permissions set", "cus_clerk", told(0, "orders.read", ""));
    role.add("permissions held", "cus_clerk", told(0, "orders.read", ""));
    role.add("secret made", "sec_1", Told { about: "cus_op".into(), ..told(0, "", "") });
    role.add("secret", "sec_1", at(Told { about: "cus_op".into(), ..told(0, "", "") }, 1_000));
    role.add("not revoked", "ses_1", Told { about: "secret sec_1".into(), ..told(0, "", "") });
    role.add("must be revoked", "ses_2", told(7, "", "at least"));
    role.add("revocation", "ses_2", told(9, "", ""));
    role.add("revocation", "ses_2", told(8, "", ""));
    role
}

fn parcel(order: &Order, orders: &mut RoleRows, shipping: &mut RoleRows) {
    let key = format!("{} sgr_1", order.id);
    let (state, shipment) = match order.state {
        OrderState::Confirmed => ("wanted", Some("live")),
        OrderState::Cancelled => ("unwanted", Some("cancelled")),
        OrderState::Failed => ("unwanted", None),
        _ => ("open", None),
    };
    orders.add("parcel", &key, told(0, "a parcel", state));
    if let Some(shipment) = shipment {
        shipping.add("shipment", &key, told(0, "a parcel", shipment));
        shipping.add("shipment id", &key, told(0, "shp_1", ""));
        orders.add("named shipment", &key, told(0, "shp_1", ""));
        shipping.add("event", &format!("shp {key}"), told(1, "a parcel", ""));
        shipping.add("row", &format!("shp {key}"), told(1, "a parcel", ""));
    }
}
