//! Damage to counters, movements and holds.

use contract::souk::inventory::v1::{HoldState, MovementKind};
use kernel::HoldId;

use super::{Kind, at, finds, good, order};

#[test]
fn a_counter_that_was_changed() {
    finds(
        |books| books.shelves[0].counter.as_mut().expect("counted").on_hand += 1,
        &[("stock.balanced", "stock 85123A@main"), ("stock.counters", "stock 85123A@main")],
    );
    finds(
        |books| {
            let counter = books.shelves[1].counter.as_mut().expect("counted");
            (counter.on_hand, counter.held) = (counter.on_hand + 1, counter.held - 1);
        },
        &[("stock.counters", "stock 85123a@main")],
    );
    finds(
        |books| books.shelves[2].counter.as_mut().expect("counted").on_hand = -1,
        &[
            ("stock.balanced", "stock bowl@main"),
            ("stock.counters", "stock bowl@main"),
            ("stock.not_negative", "stock bowl@main"),
        ],
    );
    finds(
        |books| books.shelves[2].counter = None,
        &[("stock.balanced", "stock bowl@main"), ("stock.counters", "stock bowl@main")],
    );
}

#[test]
fn a_movement_that_was_changed_or_removed() {
    finds(
        |books| books.shelves[0].movements[1].quantity += 4,
        &[("stock.counters", "movement 2 of stock 85123A@main"), ("stock.holds", "hld_")],
    );
    finds(
        |books| books.shelves[0].movements[0].quantity += 4,
        &[("stock.balanced", "stock 85123A@main"), ("stock.counters", "movement 1 of stock 85123A@main")],
    );
    finds(
        |books| books.shelves[0].movements[1].on_hand += 4,
        &[
            ("stock.counters", "movement 2 of stock 85123A@main"),
            ("stock.counters", "movement 3 of stock 85123A@main"),
        ],
    );
    finds(
        |books| _ = books.shelves[0].movements.remove(2),
        &[
            ("stock.balanced", "stock 85123A@main"),
            ("stock.counters", "movement 3 of stock 85123A@main"),
            ("stock.holds", "hld_"),
        ],
    );
    finds(
        |books| books.shelves[2].movements[1].held = -1,
        &[
            ("stock.counters", "movement 2 of stock bowl@main"),
            ("stock.counters", "movement 3 of stock bowl@main"),
            ("stock.not_negative", "movement 2 of stock bowl@main"),
        ],
    );
    finds(
        |books| _ = books.shelves[2].movements.pop(),
        &[("stock.balanced", "stock bowl@main"), ("stock.counters", "stock bowl@main")],
    );
    finds(
        |books| {
            let mut extra = books.shelves[2].movements[1].clone();
            (extra.number, extra.kind) = (4, MovementKind::WrittenOff);
            books.shelves[2].movements.push(extra);
        },
        &[("stock.counters", "stock bowl@main")],
    );
}

#[test]
fn a_hold_that_is_not_what_moved() {
    let hold = |kind: Kind| HoldId::from_bits(good().orders[at(kind)].id.bits()).to_string();
    finds(
        |books| books.holds[0].state = HoldState::Held,
        &[
            ("stock.holds", "85123A@main"),
            ("stock.holds", "85123a@main"),
            ("stock.orders", &order(Kind::Paid)),
        ],
    );
    finds(
        |books| books.holds[0].units[0].1 = 1,
        &[("stock.holds", &hold(Kind::Paid)), ("stock.orders", &hold(Kind::Paid))],
    );
    finds(
        |books| _ = books.holds.remove(0),
        &[
            ("stock.holds", &hold(Kind::Paid)),
            ("stock.holds", &hold(Kind::Paid)),
            ("stock.holds", &hold(Kind::Paid)),
            ("stock.holds", &hold(Kind::Paid)),
            ("stock.orders", &order(Kind::Paid)),
        ],
    );
    finds(|books| books.orders[0].units = 6, &[("stock.orders", &hold(Kind::Paid))]);
}
