//! Damage to who may do what.

use super::super::facts::{at, told};
use super::finds;
use crate::audit::books::Books;
use crate::audit::rows::{RoleRows, Told};

const CHECK: &str = "identity.grants";

fn identity(damage: impl FnOnce(&mut RoleRows)) -> impl FnOnce(&mut Books) {
    move |books| damage(books.rows.iter_mut().find(|rows| &*rows.role == "identity").expect("a role"))
}

fn loses(rows: &mut RoleRows, set: &str, key: &str) {
    rows.sets.get_mut(set).and_then(|facts| facts.remove(key)).expect("a fact");
}

#[test]
fn permissions_that_no_event_gave() {
    let admin = || told(0, "admin", "");
    for account in ["cus_ada", "cus_clerk"] {
        finds(identity(|rows| rows.add("permissions held", account, admin())), &[(CHECK, account)]);
    }
    finds(
        identity(|rows| rows.add("permissions held", "cus_clerk", told(0, "none", "begun"))),
        &[(CHECK, "cus_clerk")],
    );
    // One that was made before the oldest event has none.
    let pruned = |rows: &mut RoleRows| {
        rows.add("permissions held", "cus_ada", admin());
        loses(rows, "permissions set", "cus_ada");
    };
    finds(identity(pruned), &[]);
}

#[test]
fn secrets_without_their_event_and_events_without_their_secret() {
    finds(identity(|rows| loses(rows, "secret", "sec_1")), &[(CHECK, "sec_1")]);
    finds(identity(|rows| rows.add("secret", "sec_2", at(told(0, "", ""), 1_000))), &[(CHECK, "sec_2")]);
    let given = Told { about: "cus_ada".into(), ..told(0, "", "") };
    finds(identity(|rows| rows.add("secret", "sec_1", at(given, 1_000))), &[(CHECK, "sec_1")]);
    let deleted = |rows: &mut RoleRows| {
        loses(rows, "secret", "sec_1");
        rows.add("event", "cus_op", told(3, "", "gone"));
        loses(rows, "row", "cus_op");
    };
    finds(identity(deleted), &[]);
}

#[test]
fn revocations_that_are_gone_and_what_is_revoked_and_lives() {
    finds(identity(|rows| loses(rows, "revocation", "ses_2")), &[(CHECK, "revocation of ses_2")]);
    finds(
        identity(|rows| rows.add("must be revoked", "ses_2", told(10, "", "at least"))),
        &[(CHECK, "ses_2")],
    );
    finds(identity(|rows| rows.add("revocation", "ses_1", told(10, "", ""))), &[(CHECK, "secret sec_1")]);
    finds(identity(|rows| rows.add("not revoked", "ses_2", told(0, "", ""))), &[(CHECK, "session of ses_2")]);
}

#[test]
fn events_that_are_gone_are_older_than_what_was_pruned() {
    let day = 24 * 3600;
    // Pruned up to a time: what changed before it may lack its event, what changed after it may not.
    let pruned = |row_at: i64| {
        identity(move |rows| {
            rows.add("outbox", "oldest", told(5, "", ""));
            rows.add("outbox", "since", told(10 * day * 1_000_000, "", ""));
            rows.add("row", "cus_old", at(told(4, "", ""), row_at));
        })
    };
    finds(pruned(9 * day), &[]);
    finds(pruned(11 * day), &[("events.content", "cus_old")]);
}

#[test]
fn an_event_that_is_older_than_the_row_it_tells() {
    let event = |seconds: i64| at(told(2, "", "log repeats"), seconds);
    let newest = |told: Told| identity(move |rows| drop(rows.newest.insert("cus_op".into(), told)));
    finds(newest(at(told(2, "", ""), 990)), &[]);
    let later = |told: Told| {
        identity(move |rows| {
            rows.add("row", "cus_op", at(self::told(2, "", ""), 500_000));
            drop(rows.newest.insert("cus_op".into(), told));
        })
    };
    finds(later(at(told(2, "", ""), 1)), &[("events.content", "cus_op")]);
    finds(later(event(500_010)), &[]);
}
