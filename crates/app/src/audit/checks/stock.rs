//! Group `stock`: counters against movements, and holds against orders.

use std::collections::{BTreeMap, HashMap};

use contract::souk::inventory::v1::{HoldState, SkuBalance};
use contract::souk::order::v1::OrderState;

use super::super::facts::Facts;
use super::Check;

fn place(balance: &SkuBalance) -> String {
    format!("{} at {}", balance.sku, balance.location)
}

/// Every counter is the fold of its movements: received + returned + adjusted - sold - written off = on hand + held.
pub(super) fn balanced(facts: &Facts) -> Check {
    let mut check = Check::new("stock.balanced");
    for balance in &facts.balances {
        check.look();
        let at = place(balance);
        if !balance.counted {
            check.broken(&at, "a counter", format!("{} movements without one", balance.movements));
            continue;
        }
        let wide = i128::from;
        let on_hand = wide(balance.received)
            + wide(balance.returned)
            + wide(balance.released)
            + wide(balance.expired)
            + wide(balance.adjusted)
            - wide(balance.placed)
            - wide(balance.written_off);
        let held = wide(balance.placed) - wide(balance.released) - wide(balance.expired) - wide(balance.sold);
        check.equal(&at, "on hand, by its movements:", on_hand, wide(balance.on_hand));
        check.equal(&at, "held, by its movements:", held, wide(balance.held));
        check.equal(&at, "movements, by its version:", balance.version, balance.movements);
    }
    check
}

/// No counter is below zero.
pub(super) fn not_negative(facts: &Facts) -> Check {
    let mut check = Check::new("stock.not_negative");
    for balance in &facts.balances {
        check.look();
        if balance.on_hand < 0 || balance.held < 0 {
            check.broken(
                place(balance),
                "0 or more",
                format!("on hand {}, held {}", balance.on_hand, balance.held),
            );
        }
    }
    check
}

/// All counters together are all movements together, read by inventory in one moment.
pub(super) fn totals(facts: &Facts) -> Check {
    let mut check = Check::new("stock.totals");
    let totals = &facts.stock;
    check.examined = u64::try_from(totals.movements).unwrap_or(0);
    let wide = i128::from;
    let moved = wide(totals.received) + wide(totals.returned) + wide(totals.adjusted)
        - wide(totals.sold)
        - wide(totals.written_off);
    check.equal(
        "all stock",
        "on hand and held, by all movements:",
        moved,
        wide(totals.on_hand) + wide(totals.held),
    );
    check
}

/// A confirmed order has sold exactly its units; one that was undone has given them back; no hold is without its order.
pub(super) fn holds(facts: &Facts) -> Check {
    let mut check = Check::new("stock.holds");
    let holds: HashMap<&str, _> = facts.holds.iter().map(|hold| (hold.order_id.as_str(), hold)).collect();
    let orders: HashMap<&str, _> =
        facts.orders.iter().map(|order| (order.order_id.as_str(), order)).collect();
    for order in facts.orders.iter().filter(|order| !order.open) {
        check.look();
        let hold = holds.get(order.order_id.as_str());
        match (order.state(), hold) {
            (OrderState::Confirmed, Some(hold)) if hold.state == HoldState::Committed => {
                let at = format!("{} of {}", hold.hold_id, order.order_id);
                check.equal(&at, "units, by the order's lines:", order.units, hold.units);
            }
            (OrderState::Confirmed, Some(hold)) => {
                check.broken(
                    format!("{} of {}", hold.hold_id, order.order_id),
                    "committed",
                    name(hold.state),
                );
            }
            (OrderState::Confirmed, None) => check.broken(&order.order_id, "a committed hold", "no hold"),
            (OrderState::Failed | OrderState::Cancelled, Some(hold))
                if matches!(hold.state, HoldState::Held | HoldState::Committed) =>
            {
                let at = format!("{} of {}", hold.hold_id, order.order_id);
                check.broken(at, "given back: the order was undone", name(hold.state));
            }
            _ => {}
        }
    }
    for hold in facts.holds.iter().filter(|hold| !orders.contains_key(hold.order_id.as_str())) {
        check.look();
        check.broken(&hold.hold_id, format!("an order {}", hold.order_id), "none");
    }
    check
}

/// What counters say is held is what holds say.
pub(super) fn held(facts: &Facts) -> Check {
    let mut check = Check::new("stock.held");
    let mut held: BTreeMap<(&str, &str), i128> = BTreeMap::new();
    for hold in facts.holds.iter().filter(|hold| hold.state == HoldState::Held) {
        for ((sku, location), units) in &hold.held {
            *held.entry((sku, location)).or_default() += i128::from(*units);
        }
    }
    for balance in &facts.balances {
        check.look();
        let holds = held.remove(&(balance.sku.as_str(), balance.location.as_str())).unwrap_or(0);
        let more = i128::from(balance.held) - holds;
        if more != 0 {
            check.broken(place(balance), "held as its holds say", format!("{more:+} units"));
        }
    }
    for ((sku, location), units) in held {
        check.look();
        check.broken(
            format!("{sku} at {location}"),
            "a counter for what is held",
            format!("{units} units held without one"),
        );
    }
    check
}

fn name(state: HoldState) -> String {
    state.as_str_name().trim_start_matches("HOLD_STATE_").to_lowercase()
}
