//! Good books hold; each kind of damage to them is found by the checks that claim to find it, at the damaged row.

mod damage;
mod facts;
mod maker;

use proptest::prelude::*;

use super::all;
use maker::{Kind, books};

proptest! {
    /// Whatever was sold, refused, undone and taken back, in whatever order: books that are kept right hold.
    #[test]
    fn good_books_hold(kinds in prop::collection::vec(0..Kind::ALL.len(), 0..40)) {
        let kinds: Vec<Kind> = kinds.into_iter().map(|kind| Kind::ALL[kind]).collect();
        for check in all(&books(&kinds)) {
            prop_assert_eq!(&check.violations, &[], "{} of {:?}", check.name, kinds);
        }
    }
}

#[test]
fn every_check_looks_at_something() {
    for check in all(&books(&Kind::ALL)) {
        assert!(check.examined > 0, "{}", check.name);
    }
}

#[test]
fn only_what_stands_still_is_kept() {
    let find = |found: &str| {
        let mut check = super::Check::new("orders.at_rest");
        check.violated("ord_1", "at rest", found);
        check
    };
    let mut moved = find("cancelling");
    moved.keep_what_stood(Some(&find("pending")));
    assert!(moved.holds(), "{moved:?}");
    let mut stood = find("pending");
    stood.keep_what_stood(Some(&find("pending")));
    assert_eq!((stood.count, stood.holds()), (1, false));
    stood.keep_what_stood(None);
    assert!(stood.holds(), "one look is none");
}

#[test]
fn a_check_tells_so_many_and_counts_the_others() {
    let mut check = super::Check::new("orders.at_rest");
    for number in 0..super::TOLD_MAX + 5 {
        check.violated(format!("ord_{number}"), "at rest", "pending");
    }
    let json = serde_json::to_value(&check).expect("JSON");
    assert_eq!(json["violations"].as_array().map(Vec::len), Some(super::TOLD_MAX));
    assert_eq!(json["violation_count"], super::TOLD_MAX + 5);
    let few = serde_json::to_value(super::Check::new("x.y")).expect("JSON");
    assert_eq!(few, serde_json::json!({ "name": "x.y", "examined": 0, "violations": [] }));
}
