//! Damage to what roles say about their rows, and to facts that are told in two places.

use super::super::facts::told;
use super::{Kind, finds, order};
use crate::audit::books::Books;
use crate::audit::rows::{Facts, RoleRows, RowFinding, Told};

fn role<'a>(books: &'a mut Books, name: &str) -> &'a mut RoleRows {
    books.rows.iter_mut().find(|rows| &*rows.role == name).expect("a role")
}

fn set<'a>(books: &'a mut Books, name: &str, set: &str) -> &'a mut Facts {
    role(books, name).sets.get_mut(set).expect("a set")
}

/// The one fact of a set whose key has this in it.
fn fact<'a>(books: &'a mut Books, name: &str, of: &str, part: &str) -> &'a mut Told {
    let found = set(books, name, of).iter_mut().find(|(key, _)| key.contains(part));
    found.expect("a fact").1
}

fn lost(books: &mut Books, name: &str, of: &str, part: &str) {
    set(books, name, of).retain(|key, _| !key.contains(part));
}

#[test]
fn a_row_that_its_own_service_finds_wrong() {
    let finding = RowFinding { row: "doc 7".into(), expected: "a slug".into(), found: "none".into() };
    finds(|books| role(books, "product").findings.push(finding), &[("rows.valid", "product: doc 7")]);
}

#[test]
fn an_order_and_its_hold_that_tell_other_lines() {
    let (paid, short) = (order(Kind::Paid), order(Kind::Short));
    let (lines, stock) = ("stock.lines", "inventory");
    finds(|books| *fact(books, stock, "lines", &paid) = told(0, "4 of it", ""), &[(lines, &paid)]);
    finds(|books| lost(books, stock, "lines", &paid), &[(lines, &paid)]);
    // Where nothing was ever held there is nothing to tell.
    finds(|books| lost(books, stock, "lines", &short), &[]);
}

#[test]
fn receipts_without_a_movement_and_movements_without_a_receipt() {
    let (check, row) = ("stock.receipts", "delivery 1");
    finds(|books| lost(books, "inventory", "receipt", row), &[(check, row)]);
    finds(|books| lost(books, "inventory", "received", row), &[(check, row)]);
    finds(|books| *fact(books, "inventory", "receipt", row) = told(0, "8 of bowl", ""), &[(check, row)]);
}

#[test]
fn parcels_that_are_not_their_orders() {
    let (paid, cancelled, failed) = (order(Kind::Free), order(Kind::Voided), order(Kind::Declined));
    let (check, shipping) = ("shipments.orders", "shipping");
    finds(|books| lost(books, shipping, "shipment", &paid), &[(check, &paid)]);
    finds(|books| *fact(books, shipping, "shipment", &paid) = told(0, "another", "live"), &[(check, &paid)]);
    finds(|books| fact(books, shipping, "shipment", &paid).state = "cancelled".into(), &[(check, &paid)]);
    finds(
        |books| fact(books, shipping, "shipment", &cancelled).state = "live".into(),
        &[(check, &cancelled)],
    );
    finds(
        |books| {
            let stray = told(0, "a parcel", "live");
            set(books, shipping, "shipment").insert(format!("{failed} sgr_1").into(), stray);
        },
        &[(check, &failed)],
    );
    finds(
        |books| {
            drop(set(books, shipping, "shipment").insert("ord_x sgr_1".into(), told(0, "a parcel", "live")))
        },
        &[(check, "ord_x sgr_1")],
    );
    finds(|books| *fact(books, shipping, "shipment id", &paid) = told(0, "shp_2", ""), &[(check, &paid)]);
}

#[test]
fn references_that_lead_nowhere() {
    let (check, product) = ("rows.references", "product");
    finds(|books| lost(books, product, "price past", "bowl"), &[(check, "prd_1 GBP bowl at 5")]);
    finds(|books| lost(books, product, "rendition", "f00"), &[(check, "f00-240.jpg")]);
    finds(|books| lost(books, product, "wants rendition", "f00"), &[(check, "f00-240.jpg")]);
    finds(
        |books| role(books, "cart").add("bought", "ord_unknown", told(0, "", "")),
        &[(check, "ord_unknown")],
    );
}

#[test]
fn events_and_rows_that_do_not_agree() {
    let content = "events.content";
    let cart = |damage: fn(&mut RoleRows)| move |books: &mut Books| damage(role(books, "cart"));
    finds(cart(|rows| rows.add("row", "crt_1", told(2, "four", ""))), &[(content, "crt_1")]);
    finds(cart(|rows| rows.add("row", "crt_1", told(3, "three", ""))), &[(content, "crt_1")]);
    finds(cart(|rows| drop(rows.sets.remove("row"))), &[(content, "crt_1")]);
    finds(cart(|rows| rows.newest.clear()), &[(content, "crt_1")]);
    finds(cart(|rows| rows.add("row", "crt_2", told(1, "one", ""))), &[(content, "crt_2")]);
    // What is older than the events that are kept has none.
    finds(
        cart(|rows| {
            rows.add("row", "crt_2", told(1, "one", ""));
            rows.oldest_event = 2;
        }),
        &[],
    );
    finds(|books| role(books, "product").add("row", "cat_gone", told(2, "", "")), &[(content, "cat_gone")]);
    // The version of a product may rise without an event, its content may not change.
    finds(|books| role(books, "product").add("row", "prd_1", told(9, "a bowl", "")), &[]);
    finds(|books| role(books, "product").add("row", "prd_1", told(1, "a bowl", "")), &[(content, "prd_1")]);
    finds(|books| role(books, "product").add("row", "prd_1", told(3, "a cup", "")), &[(content, "prd_1")]);
    finds(|books| lost(books, "inventory", "band", "bowl@main/3"), &[(content, "bowl@main/3")]);
    finds(|books| lost(books, "inventory", "band event", "bowl@main/3"), &[(content, "bowl@main/3")]);
    let units = |set: &'static str| {
        move |books: &mut Books| role(books, "inventory").add(set, "bowl@main/3", told(0, "4 left", ""))
    };
    finds(units("band units"), &[(content, "bowl@main/3")]);
    finds(units("band units event"), &[(content, "bowl@main/3")]);
    finds(|books| drop(role(books, "inventory").sets.remove("band units event")), &[]);
    finds(|books| lost(books, "product", "price kept", "bowl"), &[(content, "prd_1 GBP bowl at 6")]);
}

#[test]
fn payments_and_their_events_that_do_not_agree() {
    let content = "events.content";
    let add = |set: &'static str, key: &'static str, fact: Told| {
        move |books: &mut Books| role(books, "payment").add(set, key, fact)
    };
    finds(add("payment event", "pay_late", told(0, "90 of ada", "")), &[(content, "pay_late")]);
    finds(add("payment event at", "pay_back 5", told(0, "half", "")), &[(content, "pay_back 5")]);
    finds(add("event", "pay_back", told(6, "", "at least")), &[(content, "pay_back")]);
    for (set, key) in [("refund event", "ref_1"), ("capture event", "cap_1")] {
        finds(add(set, key, told(0, "90", "")), &[(content, key)]);
    }
    finds(add("capture event", "cap_2", told(0, "90", "")), &[(content, "cap_2")]);
    finds(add("capture event", "cap_3", told(0, "100", "")), &[(content, "cap_3")]);
    for (set, key) in [("refund event", "ref_1"), ("voided event", "pay_back")] {
        finds(|books| lost(books, "payment", set, key), &[(content, key)]);
    }
    // Its caller may have been told by the answer.
    finds(|books| lost(books, "payment", "capture event", "cap_1"), &[]);
}

#[test]
fn a_row_that_changed_in_a_role_that_never_published() {
    let checkout = |version: i64, state: &'static str, oldest_event: i64| {
        move |books: &mut Books| {
            let mut rows = RoleRows { role: "checkout".into(), oldest_event, ..RoleRows::default() };
            rows.add("row", "tax:GB", told(version, "5 %", state));
            books.rows.push(rows);
        }
    };
    finds(checkout(1, "unpublished", 1), &[]);
    finds(checkout(2, "", 1), &[("events.content", "checkout: tax:GB")]);
    finds(checkout(2, "", 9), &[]);
}

#[test]
fn events_in_another_order() {
    let add = |role_name: &'static str, key: &'static str, fact: Told| {
        move |books: &mut Books| role(books, role_name).add("event", key, fact)
    };
    let again = told(2, "three", "");
    finds(add("cart", "crt_1", again), &[("events.ordered", "crt_1")]);
    finds(add("product", "prd_1", told(2, "a bowl", "at least")), &[]);
    finds(add("inventory", "bowl@main", told(2, "", "log")), &[("events.ordered", "bowl@main")]);
}

#[test]
fn an_index_that_is_not_the_catalogue() {
    let index = "search.index";
    finds(|books| lost(books, "search", "indexed", "prd_1"), &[(index, "prd_1")]);
    finds(|books| lost(books, "product", "active", "prd_1"), &[(index, "prd_1")]);
    finds(
        |books| *fact(books, "search", "indexed", "prd_1") = told(2, "cup", "at least"),
        &[(index, "prd_1")],
    );
    finds(
        |books| *fact(books, "search", "indexed", "prd_1") = told(4, "bowl", "at least"),
        &[(index, "prd_1")],
    );
}
