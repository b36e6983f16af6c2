//! The kinds of damage, a group for each copy: each is one statement, and names the check and the row that must tell it.

use super::{Data, Kind, kind};

/// Movements and receipts; each kind has a SKU and a number of its own.
pub(super) fn movements(data: &Data) -> Vec<Kind> {
    let (valid, counters, receipts) = ("rows.valid", "stock.counters", "stock.receipts");
    let of = |number: usize| data.like("hld", number);
    let held = |number: usize, set: &str| {
        format!("UPDATE movements SET {set} WHERE kind = 2 AND reference = '{}'", of(number))
    };
    vec![
        kind("inventory", held(0, "quantity = quantity + 1"), "stock.holds", of(0)),
        kind("inventory", held(1, "on_hand = on_hand + 1"), counters, "of stock cup@main"),
        kind("inventory", held(2, "held = held + 1"), counters, "of stock plate@main"),
        kind("inventory", held(3, "kind = 6"), "stock.holds", of(3)),
        kind("inventory", held(4, "moved_at = moved_at + 1"), valid, "of bowl@main"),
        kind("inventory", held(5, "reference = 'hld_00000000000000000000000001'"), "stock.holds", of(5)),
        kind(
            "inventory",
            format!("DELETE FROM movements WHERE kind = 5 AND reference = '{}'", of(6)),
            "stock.holds",
            of(6),
        ),
        kind(
            "inventory",
            "UPDATE movements SET reference = 'another' WHERE reference = 'north cup'",
            receipts,
            "another",
        ),
        kind(
            "inventory",
            "UPDATE movements SET moved_at = moved_at + 1 WHERE reference = 'north plate'",
            receipts,
            "north plate",
        ),
        kind(
            "inventory",
            "UPDATE receipts SET quantity = 8 WHERE reference = 'north jug'",
            receipts,
            "north jug",
        ),
        kind(
            "inventory",
            "UPDATE receipts SET sku = 'cup' WHERE reference = 'north bowl'",
            receipts,
            "north bowl",
        ),
        kind(
            "inventory",
            "UPDATE movements SET reference = '' WHERE sku = 'lamp' AND number = 1",
            valid,
            "movement 1 of lamp@main",
        ),
        kind(
            "inventory",
            "INSERT INTO receipts SELECT 'twice', sku, location, quantity, received_at FROM receipts WHERE reference = 'north cup'",
            receipts,
            "twice",
        ),
        kind(
            "inventory",
            "UPDATE movements SET quantity = -1 * quantity WHERE location = 'north' AND sku = 'bowl' AND kind = 7",
            valid,
            "of bowl@north",
        ),
        kind(
            "inventory",
            "UPDATE receipts SET location = 'south' WHERE sku = 'lamp'",
            valid,
            "receipt receipt-",
        ),
    ]
}

/// Counters and locations, and receipts that are gone.
pub(super) fn counters(data: &Data) -> Vec<Kind> {
    let of = |number: usize| data.like("hld", number);
    vec![
        kind(
            "inventory",
            "UPDATE stock SET held = held + 1 WHERE sku = 'plate' AND location = 'main'",
            "stock.balanced",
            "stock plate@main",
        ),
        kind(
            "inventory",
            "UPDATE stock SET version = version + 1 WHERE sku = 'cup' AND location = 'main'",
            "stock.counters",
            "stock cup@main",
        ),
        kind(
            "inventory",
            "DELETE FROM stock WHERE sku = 'plate' AND location = 'north'",
            "stock.counters",
            "stock plate@north",
        ),
        kind(
            "inventory",
            "UPDATE stock SET location = 'south' WHERE sku = 'cup' AND location = 'north'",
            "rows.valid",
            "stock cup@south",
        ),
        kind(
            "inventory",
            "UPDATE stock SET sku = ' jug' WHERE sku = 'jug' AND location = 'north'",
            "rows.valid",
            "stock  jug@north",
        ),
        kind(
            "inventory",
            "DELETE FROM receipts WHERE reference = 'north cup'",
            "stock.receipts",
            "north cup",
        ),
        kind(
            "inventory",
            "UPDATE locations SET display_name = '' WHERE code = 'main'",
            "rows.valid",
            "location main",
        ),
        kind(
            "inventory",
            "UPDATE receipts SET received_at = received_at + 1, quantity = 0 WHERE sku = 'lamp'",
            "rows.valid",
            "receipt receipt-",
        ),
        kind(
            "inventory",
            "UPDATE locations SET code = 'NORTH' WHERE code = 'north'",
            "rows.valid",
            "location NORTH",
        ),
        kind(
            "inventory",
            format!("DELETE FROM movements WHERE reference = '{}'", of(7)),
            "stock.holds",
            of(7),
        ),
    ]
}

pub(super) fn holds(data: &Data) -> Vec<Kind> {
    let of = |number: usize| data.like("hld", number);
    let set = |number: usize, set: &str| format!("UPDATE holds SET {set} WHERE id = '{}'", of(number));
    let valid = "rows.valid";
    // The lines of two holds change places: sums and states stay.
    let swap = format!(
        "UPDATE holds SET lines = (SELECT h.lines FROM holds h WHERE h.id IN ('{0}', '{1}') AND h.id <> holds.id) WHERE id IN ('{0}', '{1}')",
        of(0),
        of(1)
    );
    vec![
        kind("inventory", swap, "stock.lines", data.order(0)),
        kind("inventory", set(2, "state = 3"), "stock.holds", of(2)),
        kind("inventory", set(3, "created_at = created_at + 1"), valid, "of bowl@main"),
        kind("inventory", set(4, "expires_at = updated_at"), valid, of(4)),
        kind("inventory", set(5, "limit_at = 5"), valid, of(5)),
        kind("inventory", set(6, "updated_at = updated_at - 1"), valid, "of plate@main"),
        kind("inventory", set(7, "version = 1"), valid, of(7)),
        kind("inventory", set(8, "sweep_at = 5"), valid, of(8)),
        kind("inventory", format!("DELETE FROM holds WHERE id = '{}'", of(9)), "stock.lines", data.order(9)),
        kind(
            "inventory",
            format!(
                "INSERT INTO holds SELECT 'hld_00000000000000000000000001', state, created_at, expires_at, limit_at, updated_at, version, sweep_at, lines FROM holds WHERE id = '{}'",
                of(10)
            ),
            "stock.orders",
            "hld_00000000000000000000000001",
        ),
    ]
}

pub(super) fn shipments(data: &Data) -> Vec<Kind> {
    let order = |number: usize| data.order(number).to_owned();
    let shipment = |number: usize| data.shipment(number).to_owned();
    let set =
        |number: usize, set: &str| format!("UPDATE shipments SET {set} WHERE id = '{}'", shipment(number));
    let (orders, content, valid) = ("shipments.orders", "events.content", "rows.valid");
    let swap = format!(
        "UPDATE shipments SET contents = (SELECT s.contents FROM shipments s WHERE s.id IN ('{0}', '{1}') AND s.id <> shipments.id) WHERE id IN ('{0}', '{1}')",
        shipment(0),
        shipment(1)
    );
    vec![
        kind("shipping", swap, orders, order(0)),
        kind("shipping", set(2, "tracking = ''"), valid, shipment(2)),
        kind("shipping", set(3, "owner = 'cus_00000000000000000000000001'"), orders, order(3)),
        kind("shipping", set(4, "method = 'express'"), orders, order(4)),
        kind("shipping", set(5, "state = 'cancelled'"), orders, order(5)),
        kind("shipping", set(6, "group_id = 'sgr_00000000000000000000000001'"), orders, order(6)),
        kind("shipping", format!("DELETE FROM shipments WHERE id = '{}'", shipment(7)), orders, order(7)),
        kind("shipping", set(8, "contents = X'00'"), valid, shipment(8)),
        kind("shipping", set(9, "version = version + 1"), valid, shipment(9)),
        kind("shipping", set(10, "carrier = 'Nobody'"), content, shipment(10)),
        kind(
            "shipping",
            set(11, "created_at = created_at + 1, updated_at = updated_at + 1"),
            content,
            shipment(11),
        ),
        kind(
            "shipping",
            format!("UPDATE shipments SET state = 'pending' WHERE order_id = '{}'", data.cancelled),
            orders,
            &*data.cancelled,
        ),
        kind(
            "shipping",
            "INSERT INTO rates SELECT 3, body, created_at FROM rates WHERE version = 1",
            valid,
            "rates, version 3",
        ),
        kind("shipping", "UPDATE rates SET body = X'7b7d' WHERE version = 1", valid, "rates, version 1"),
    ]
}

pub(super) fn steps(data: &Data) -> Vec<Kind> {
    let of = |number: usize| data.shipment(number).to_owned();
    let valid = "rows.valid";
    let step = |set: &str, version: i64, number: usize| {
        format!(
            "UPDATE shipment_steps SET {set} WHERE version = {version} AND shipment_id = '{}'",
            of(number)
        )
    };
    let stray = "INSERT INTO shipment_steps (shipment_id, version, state, note, at) VALUES";
    vec![
        kind("shipping", step("note = 'elsewhere'", 3, 0), "events.content", of(0)),
        kind("shipping", step("at = at + 1", 3, 1), valid, of(1)),
        kind("shipping", step("state = 'delivered'", 2, 2), valid, format!("step 2 of {}", of(2))),
        kind(
            "shipping",
            format!("{stray} ('{}', 2, 'lost', '', 5)", of(3)),
            valid,
            format!("step 2 of {}", of(3)),
        ),
        kind("shipping", format!("{stray} ('shp_none', 2, 'lost', '', 5)"), valid, "step 2 of shp_none"),
    ]
}

/// The cart of a customer, as `World` numbers them.
fn cart(number: u128) -> String {
    kernel::CartId::from_bits(number).to_string()
}

pub(super) fn carts() -> Vec<Kind> {
    let set = |number: u128, set: &str| format!("UPDATE doc_cart SET {set} WHERE id = '{}'", cart(number));
    let (valid, content) = ("rows.valid", "events.content");
    vec![
        kind(
            "cart",
            set(201, "body = replace(body, '\"quantity\":3', '\"quantity\":4')"),
            content,
            cart(201),
        ),
        kind(
            "cart",
            set(202, "body = replace(body, '\"sku\":\"bowl\"', '\"sku\":\"cup\"')"),
            content,
            cart(202),
        ),
        kind("cart", set(203, "body = replace(body, 'cus_', 'gst_')"), valid, cart(203)),
        kind("cart", set(204, "version = version + 1"), content, cart(204)),
        kind("cart", set(205, "body = '{}'"), valid, cart(205)),
        kind("cart", set(206, "body = replace(body, '\"quantity\":3', '\"quantity\":-3')"), valid, cart(206)),
        kind("cart", format!("DELETE FROM doc_cart WHERE id = '{}'", cart(207)), content, cart(207)),
        kind("cart", set(301, "k_expires_on = k_expires_on + 1"), valid, cart(301)),
        kind("cart", set(302, "k_merging = 1"), valid, cart(302)),
        kind("cart", format!("DELETE FROM doc_cart WHERE id = '{}'", cart(303)), content, cart(303)),
        kind(
            "cart",
            format!("UPDATE doc_cart SET id = '{}' WHERE id = '{}'", cart(999), cart(304)),
            valid,
            cart(999),
        ),
        kind(
            "cart",
            set(100, "body = replace(body, '\"bought\":[\"ord_', '\"bought\":[\"ord_0')"),
            valid,
            cart(100),
        ),
        kind(
            "cart",
            format!(
                "INSERT INTO doc_cart SELECT '{}', version, body, k_expires_on, k_merging FROM doc_cart WHERE id = '{}'",
                cart(998),
                cart(305)
            ),
            valid,
            cart(998),
        ),
    ]
}

pub(super) fn products(data: &Data) -> Vec<Kind> {
    let set =
        |sku: &str, set: &str| format!("UPDATE doc_product SET {set} WHERE id = '{}'", data.product(sku));
    let of = |sku: &str| data.product(sku).to_owned();
    let (valid, content, past) = ("rows.valid", "events.content", "price of the past");
    vec![
        kind(
            "product",
            set("bowl", "body = replace(body, 'Product bowl', 'Product bowI')"),
            content,
            of("bowl"),
        ),
        kind("product", set("cup", "k_slug = 'another'"), valid, of("cup")),
        kind("product", set("plate", "k_status = 'draft'"), valid, of("plate")),
        kind("product", set("jug", "body = replace(body, '13000000', '12990000')"), content, of("jug")),
        kind("product", "DELETE FROM doc_sku WHERE id = 'lamp'", valid, of("lamp")),
        kind("product", "UPDATE doc_price SET body = replace(body, '40000000', '39000000')", valid, past),
        kind(
            "product",
            "DELETE FROM doc_price WHERE body LIKE '%41000000%'",
            "rows.references",
            "at 41000000",
        ),
        kind("product", "UPDATE doc_price SET k_series = 'x' WHERE body LIKE '%12500000%'", valid, past),
        kind(
            "product",
            set("gone", "body = replace(body, 'archived', 'active'), k_status = 'active'"),
            content,
            of("gone"),
        ),
        kind("product", set("vase", "version = 0"), valid, of("vase")),
    ]
}

/// The tree and what is gone.
pub(super) fn categories(data: &Data) -> Vec<Kind> {
    vec![
        kind(
            "product",
            "UPDATE doc_category SET body = replace(body, '\"name\":\"Things\"', '\"name\":\"Thing\"')",
            "events.content",
            "cat_",
        ),
        kind("product", "UPDATE doc_category SET k_place = 'top/other'", "rows.valid", "cat_"),
        kind(
            "product",
            format!("DELETE FROM doc_product WHERE id = '{}'", data.product("cup")),
            "events.content",
            data.product("cup"),
        ),
        // A category that there never was, in the product and in its trail.
        kind(
            "product",
            format!(
                "UPDATE doc_product SET body = replace(body, 'cat_0', 'cat_7') WHERE id = '{}'",
                data.product("bowl")
            ),
            "rows.valid",
            data.product("bowl"),
        ),
        kind(
            "product",
            format!("UPDATE doc_product SET version = version + 1 WHERE id = '{}'", data.product("jug")),
            "rows.valid",
            data.product("jug"),
        ),
    ]
}

pub(super) fn pictures(data: &Data) -> Vec<Kind> {
    let hash = &data.picture;
    vec![
        kind(
            "product",
            format!("DELETE FROM doc_rendition WHERE id = '{hash}-240.jpg'"),
            "rows.references",
            format!("{hash}-240.jpg"),
        ),
        kind(
            "product",
            format!(
                "UPDATE doc_rendition SET body = replace(body, '\"height\":160', '\"height\":161') WHERE id = '{hash}-240.webp'"
            ),
            "rows.valid",
            format!("rendition {hash}-240.webp"),
        ),
        kind(
            "product",
            format!("UPDATE doc_rendition SET body = replace(body, 'AA', 'AB') WHERE id = '{hash}-300.jpg'"),
            "rows.valid",
            format!("rendition {hash}-300.jpg"),
        ),
        kind(
            "product",
            "UPDATE doc_picture SET body = replace(body, '\"width\":300', '\"width\":301')",
            "rows.valid",
            data.product("vase"),
        ),
    ]
}

/// Events: a value changed, a row moved, one that is gone.
pub(super) fn events(data: &Data) -> Vec<Kind> {
    let valid = "rows.valid";
    let set = |sequence: i64, set: &str| format!("UPDATE souk_outbox SET {set} WHERE sequence = {sequence}");
    let row = |role: &str, sequence: i64| format!("{role}: outbox, sequence {sequence}");
    vec![
        kind("shipping", set(2, "payload = X'00'"), valid, row("shipping", 2)),
        kind("shipping", set(3, "payload = X''"), valid, row("shipping", 3)),
        kind("cart", set(9, "type_name = 'souk.cart.v1.Nothing'"), valid, row("cart", 9)),
        kind("cart", set(8, "aggregate_version = aggregate_version + 1"), valid, row("cart", 8)),
        kind("cart", set(7, "aggregate_version = 0"), valid, row("cart", 7)),
        kind("product", set(3, "aggregate_id = 'prd_00000000000000000000000001'"), valid, row("product", 3)),
        kind("product", set(4, "type_name = 'souk.product.v1.PriceChanged'"), valid, row("product", 4)),
        kind("inventory", set(2, "payload = X''"), valid, row("inventory", 2)),
        kind("inventory", "DELETE FROM souk_outbox WHERE sequence = 3", "events.content", "@main"),
        kind("order", set(4, "time = 0"), valid, row("order", 4)),
        kind("order", set(6, &format!("aggregate_id = '{}'", data.order(9))), valid, row("order", 6)),
        kind(
            "order",
            "DELETE FROM souk_outbox WHERE sequence = 1",
            "events.gap_free",
            "outbox of order, sequence 1",
        ),
        kind(
            "order",
            "UPDATE souk_outbox SET sequence = 9 + 1000000 WHERE sequence = 9",
            "events.gap_free",
            "outbox of order, sequence 9",
        ),
    ]
}

/// The newest event is gone: its aggregate has a version that nobody told of.
pub(super) fn ends(data: &Data) -> Vec<Kind> {
    let newest = "DELETE FROM souk_outbox WHERE sequence = (SELECT max(o.sequence) FROM souk_outbox o)";
    vec![
        kind("shipping", newest, "events.content", data.shipment(2)),
        kind("cart", newest, "events.content", cart(307)),
        kind("order", newest, "events.gap_free", "outbox of order, sequence"),
    ]
}

pub(super) fn requests() -> Vec<Kind> {
    let one = |set: &str| {
        format!("UPDATE souk_request SET {set} WHERE id = (SELECT min(r.id) FROM souk_request r) ")
    };
    let valid = "rows.valid";
    vec![
        kind("order", one("fingerprint = X'00'"), valid, "order: remembered answer"),
        kind("cart", one("expires_at = 5000000000000000"), valid, "cart: remembered answer"),
        kind("product", one("method = ''"), valid, "product: remembered answer"),
        kind("inventory", one("id = ''"), valid, "inventory: remembered answer"),
        kind("shipping", one("principal = ''"), valid, "shipping: remembered answer"),
        kind(
            "order",
            "INSERT INTO souk_parked (source, consumer, epoch, sequence, aggregate_id, reason, event, parked_at) VALUES ('payment', 'nobody', 1, 1, 'pay_x', 'a test', X'', 0)",
            valid,
            "order: event 1 of payment",
        ),
    ]
}

/// Profiles, accounts and sessions.
pub(super) fn people() -> Vec<Kind> {
    let valid = "rows.valid";
    let id = |number: u128| kernel::CustomerId::from_bits(number).to_string();
    let set = |number: u128, set: &str| format!("UPDATE doc_profile SET {set} WHERE id = '{}'", id(number));
    let account = |number: u128, staff: i64| {
        format!(
            "INSERT INTO accounts (id, kind, email, email_key, password, permissions, staff, tokens_from, version, created_at, updated_at) \
             VALUES ('{0}', 'person', '{0}@x.org', '{0}@x.org', NULL, '', {staff}, 0, 1, 5, 5)",
            id(number)
        )
    };
    let session = "INSERT INTO sessions (id, subject, device, seed, generation, created_at, refreshed_at, expires_at) VALUES";
    vec![
        kind("user", set(201, "k_live = NULL"), valid, id(201)),
        kind("user", set(202, "version = version + 1"), "events.content", id(202)),
        kind("user", set(203, "body = '{}'"), valid, id(203)),
        kind("user", format!("DELETE FROM doc_profile WHERE id = '{}'", id(204)), "events.content", id(204)),
        kind("user", set(205, "k_external_reference = 'x'"), valid, id(205)),
        kind("identity", "UPDATE counters SET amount = amount + 5", valid, "counter admins"),
        kind("identity", account(801, 1), valid, id(801)),
        kind(
            "identity",
            format!(
                "{session} ('ses_00000000000000000000000001', '{}', '', X'00', 1, 5, 5, 9000000000000000)",
                id(802)
            ),
            valid,
            "session ses_00000000000000000000000001",
        ),
    ]
}
