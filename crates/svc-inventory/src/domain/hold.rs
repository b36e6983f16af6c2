//! Holds: `held → committed | released | expired`, `committed → returned`.

use std::time::Duration;

use kernel::{Error, HoldId, OrderId, Result, Timestamp, Violations};

use super::line::check_lines;
use super::{HoldLine, MovementKind};

/// The shortest time that a hold lasts.
const HOLD_FOR_MIN: Duration = Duration::from_secs(1);

/// Where a hold stands. The numbers are stored and sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HoldState {
    /// The stock waits for its order.
    Held = 1,
    /// It is sold.
    Committed = 2,
    /// It is back: the order gave it up.
    Released = 3,
    /// It is back: time was over.
    Expired = 4,
    /// It is back: it had been sold.
    Returned = 5,
}

impl HoldState {
    /// Every state.
    pub const ALL: [Self; 5] = [Self::Held, Self::Committed, Self::Released, Self::Expired, Self::Returned];

    /// The number it is stored as.
    #[must_use]
    pub const fn number(self) -> i64 {
        self as i64
    }

    /// The state with this number.
    #[must_use]
    pub fn from_number(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.number() == number)
    }
}

/// Stock kept for an order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hold {
    /// Its id: the bits of its order's.
    pub id: HoldId,
    /// The order.
    pub order: OrderId,
    /// Where it stands.
    pub state: HoldState,
    /// What is held, as it was asked for.
    pub lines: Vec<HoldLine>,
    /// When it was made.
    pub created: Timestamp,
    /// When it expires, or would have.
    pub expires: Timestamp,
    /// The latest time to which it is renewed.
    pub limit: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Rises with every change; 1 when it is made.
    pub version: i64,
}

/// How long holds last.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// When the caller does not say.
    pub usual: Duration,
    /// From the making to the latest expiry.
    pub longest: Duration,
}

/// What is asked of a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Sell it.
    Commit,
    /// Give it up.
    Release,
    /// Put what was sold back.
    Return,
    /// End it if its time is over.
    Expire,
}

/// A step of the state machine, with what it does to stock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state after it.
    pub to: HoldState,
    /// What moves.
    pub movement: MovementKind,
    /// It may be written only while the hold expires later than this …
    pub expires_after: Timestamp,
    /// … and not later than this.
    pub expires_until: Timestamp,
}

/// Checks what is asked and makes the hold of an order.
///
/// # Errors
/// `INVALID_ARGUMENT` naming every wrong field below `/lines` and `/hold_for`.
pub fn new_hold(
    order: OrderId,
    lines: Vec<HoldLine>,
    hold_for: Option<Duration>,
    terms: Terms,
    now: Timestamp,
) -> Result<Hold> {
    let mut violations = Violations::new();
    let lines = check_lines(&mut violations, lines);
    let hold_for = hold_for.unwrap_or(terms.usual);
    let good = (HOLD_FOR_MIN..=terms.longest).contains(&hold_for);
    violations.check(good, "/hold_for", format!("must be between 1 s and {} s", terms.longest.as_secs()));
    violations.finish()?;
    Ok(Hold {
        id: HoldId::from_bits(order.bits()),
        order,
        state: HoldState::Held,
        lines,
        created: now,
        expires: now.plus(hold_for),
        limit: now.plus(terms.longest),
        updated: now,
        version: 1,
    })
}

impl Hold {
    /// What `ask` does to it now; `None` when it is done already.
    ///
    /// # Errors
    /// FAILED_PRECONDITION with the reason that says where it stands.
    pub fn decide(&self, ask: Ask, now: Timestamp) -> Result<Option<Transition>> {
        use HoldState as S;
        let forever = Timestamp::from_micros(i64::MAX);
        let always = Timestamp::from_micros(i64::MIN);
        let step = |to, movement, expires_after, expires_until| {
            Ok(Some(Transition { to, movement, expires_after, expires_until }))
        };
        match (ask, self.state) {
            (Ask::Commit, S::Held) if self.expires > now => {
                step(S::Committed, MovementKind::Sold, now, forever)
            }
            (Ask::Commit, S::Held) => Err(self.refusal(S::Expired)),
            (Ask::Release, S::Held) => step(S::Released, MovementKind::Released, always, forever),
            (Ask::Expire, S::Held) if self.expires <= now => {
                step(S::Expired, MovementKind::Expired, always, now)
            }
            (Ask::Expire, S::Held) if self.is_astray(now) => {
                step(S::Expired, MovementKind::Expired, always, forever)
            }
            (Ask::Return, S::Committed) => step(S::Returned, MovementKind::Returned, always, forever),
            (Ask::Commit, S::Committed)
            | (Ask::Release, S::Released | S::Expired)
            | (Ask::Return, S::Returned)
            | (Ask::Expire, _) => Ok(None),
            (Ask::Return, _) => {
                Err(Error::precondition("HOLD_NOT_COMMITTED", "only a committed hold can be returned")
                    .with("hold_id", self.id.to_string()))
            }
            (Ask::Commit | Ask::Release, state) => Err(self.refusal(state)),
        }
    }

    /// The later expiry that a renewal gives it; `None` when it lasts that long already.
    ///
    /// A hold past its end that nobody expired yet still keeps its units, so renewing it takes them from nobody: its order may
    /// have been unable to renew it in time, since the shop was down.
    ///
    /// # Errors
    /// FAILED_PRECONDITION when it is not held any more, or its limit is reached; INVALID_ARGUMENT at `/hold_for`.
    pub fn renewed(&self, hold_for: Duration, now: Timestamp) -> Result<Option<Timestamp>> {
        if hold_for < HOLD_FOR_MIN {
            return Err(Error::field("/hold_for", "INVALID_ARGUMENT", "must be at least 1 s"));
        }
        if self.state != HoldState::Held {
            return Err(self.refusal(self.state));
        }
        if self.limit <= now || self.is_astray(now) {
            return Err(self.refusal(HoldState::Expired));
        }
        let wanted = now.plus(hold_for);
        if wanted <= self.expires {
            return Ok(None);
        }
        if self.expires >= self.limit {
            return Err(Error::precondition("HOLD_LIMIT_REACHED", "the hold cannot be renewed any further")
                .with("limit_time", self.limit.to_string()));
        }
        Ok(Some(wanted.min(self.limit)))
    }

    /// Whether a clock made it that was ahead: it would keep its units until then.
    #[must_use]
    pub fn is_astray(&self, now: Timestamp) -> bool {
        self.created > now.plus(AHEAD_MAX)
    }

    fn refusal(&self, state: HoldState) -> Error {
        let (reason, message) = match state {
            HoldState::Held => ("HOLD_HELD", "the hold is still held"),
            HoldState::Committed => ("HOLD_COMMITTED", "the hold is committed"),
            HoldState::Released => ("HOLD_RELEASED", "the hold was released"),
            HoldState::Expired => ("HOLD_EXPIRED", "the hold has expired"),
            HoldState::Returned => ("HOLD_RETURNED", "the hold was returned"),
        };
        Error::precondition(reason, message).with("hold_id", self.id.to_string())
    }
}

/// A hold that was made later than this from now was made by a clock that was ahead. One that was ahead by less keeps the
/// units for as much longer.
pub const AHEAD_MAX: Duration = Duration::from_secs(24 * 3_600);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp::from_secs(1_000);
    const TERMS: Terms = Terms { usual: Duration::from_secs(900), longest: Duration::from_secs(3_600) };

    fn line(id: &str, sku: &str, quantity: i64) -> HoldLine {
        HoldLine { line: id.to_owned(), sku: sku.to_owned(), location: String::new(), quantity }
    }

    fn hold() -> Hold {
        let lines = vec![line("l1", "b", 2), line("l2", "a", 1), line("l3", "b", 3)];
        new_hold(OrderId::from_bits(42), lines, None, TERMS, NOW).expect("a good hold")
    }

    fn at(state: HoldState) -> Hold {
        Hold { state, ..hold() }
    }

    #[test]
    fn a_hold_that_a_clock_a_year_ahead_made_expires_now() {
        let ahead = NOW.plus(Duration::from_secs(365 * 86_400));
        let hold =
            new_hold(OrderId::from_bits(42), vec![line("l1", "b", 2)], None, TERMS, ahead).expect("a hold");
        let step = hold.decide(Ask::Expire, NOW).expect("held").expect("a step");
        assert!(hold.expires <= step.expires_until);
        assert_eq!(hold.renewed(TERMS.usual, NOW).expect_err("expired").reason(), "HOLD_EXPIRED");
        let hour =
            new_hold(OrderId::from_bits(42), vec![line("l1", "b", 2)], None, TERMS, NOW.plus(TERMS.longest));
        assert!(
            hour.expect("a hold").decide(Ask::Expire, NOW).expect("held").is_none(),
            "an hour back is borne"
        );
    }

    #[test]
    fn a_hold_is_named_by_its_order() {
        let hold = hold();
        assert_eq!(hold.id.to_string()[3..], hold.order.to_string()[3..]);
        assert_eq!((hold.expires, hold.lines[0].location.as_str()), (NOW.plus(TERMS.usual), "main"));
    }

    #[test]
    fn wrong_lines_are_named() {
        let lines = vec![line("", "a", 1), line("l", "", 0), line("l", "a", -1)];
        let error =
            new_hold(OrderId::from_bits(1), lines, Some(Duration::ZERO), TERMS, NOW).expect_err("all wrong");
        let fields: Vec<_> = error.violations().iter().map(|v| v.field.as_str()).collect();
        let expected = [
            "/lines/0/line_id",
            "/lines/1/sku",
            "/lines/1/quantity",
            "/lines/2/line_id",
            "/lines/2/quantity",
            "/hold_for",
        ];
        assert_eq!(fields, expected);
        assert!(new_hold(OrderId::from_bits(1), Vec::new(), None, TERMS, NOW).is_err());
        let many = (0..2001).map(|n| line(&n.to_string(), "a", 1)).collect();
        assert!(new_hold(OrderId::from_bits(1), many, None, TERMS, NOW).is_err());
    }

    #[test]
    fn the_state_machine_has_these_steps_and_no_others() {
        use {Ask as A, HoldState as S};
        let outcome = |ask, state| match at(state).decide(ask, NOW) {
            Ok(Some(step)) => format!("{:?}", step.to),
            Ok(None) => "already".to_owned(),
            Err(error) => error.reason().to_owned(),
        };
        let table = [
            (A::Commit, ["Committed", "already", "HOLD_RELEASED", "HOLD_EXPIRED", "HOLD_RETURNED"]),
            (A::Release, ["Released", "HOLD_COMMITTED", "already", "already", "HOLD_RETURNED"]),
            (
                A::Return,
                ["HOLD_NOT_COMMITTED", "Returned", "HOLD_NOT_COMMITTED", "HOLD_NOT_COMMITTED", "already"],
            ),
            (A::Expire, ["already", "already", "already", "already", "already"]),
        ];
        for (ask, row) in table {
            for (state, expected) in S::ALL.into_iter().zip(row) {
                assert_eq!(outcome(ask, state), expected, "{ask:?} {state:?}");
            }
        }
    }

    #[test]
    fn commit_and_expiry_exclude_each_other() {
        let hold = hold();
        for (now, commits) in [(hold.expires.minus(Duration::from_micros(1)), true), (hold.expires, false)] {
            assert_eq!(hold.decide(Ask::Commit, now).is_ok(), commits);
            assert_eq!(hold.decide(Ask::Expire, now).expect("never refused").is_none(), commits);
        }
        let commit = hold.decide(Ask::Commit, NOW).expect("held").expect("a step");
        let expire = hold.decide(Ask::Expire, hold.expires).expect("held").expect("a step");
        assert!(hold.expires > commit.expires_after && hold.expires <= expire.expires_until);
    }

    #[test]
    fn a_hold_is_renewed_up_to_its_limit() {
        let mut hold = hold();
        let quarter = Duration::from_secs(900);
        assert_eq!(hold.renewed(Duration::from_secs(60), NOW).expect("lasts already"), None);
        let later = NOW.plus(Duration::from_secs(600));
        assert_eq!(hold.renewed(quarter, later).expect("held"), Some(later.plus(quarter)));
        assert_eq!(hold.renewed(Duration::from_secs(86_400), later).expect("held"), Some(hold.limit));
        hold.expires = hold.limit;
        assert_eq!(
            hold.renewed(Duration::from_secs(86_400), later).expect_err("limit").reason(),
            "HOLD_LIMIT_REACHED"
        );
        assert_eq!(hold.renewed(quarter, hold.limit).expect_err("over").reason(), "HOLD_EXPIRED");
        assert_eq!(at(HoldState::Expired).renewed(quarter, NOW).expect_err("gone").reason(), "HOLD_EXPIRED");
        assert_eq!(
            at(HoldState::Released).renewed(quarter, NOW).expect_err("gone").reason(),
            "HOLD_RELEASED"
        );
        assert_eq!(hold.renewed(Duration::ZERO, NOW).expect_err("none").violations()[0].field, "/hold_for");
    }

    #[test]
    fn a_hold_past_its_end_is_renewed_while_it_keeps_its_units() {
        let hold = hold();
        let quarter = Duration::from_secs(900);
        let late = hold.expires.plus(Duration::from_secs(60));
        assert_eq!(hold.renewed(quarter, late).expect("still held"), Some(late.plus(quarter)));
        assert_eq!(hold.renewed(quarter, hold.limit).expect_err("over").reason(), "HOLD_EXPIRED");
    }

    proptest! {
        /// Whatever is asked in whatever order: what was held is given back or sold once, and returned at most once after a sale.
        #[test]
        fn units_leave_a_hold_once(asks in proptest::collection::vec((0_usize..4, 0_u64..2_000), 0..40)) {
            let mut hold = hold();
            let mut moves = Vec::new();
            for (ask, after) in asks {
                let ask = [Ask::Commit, Ask::Release, Ask::Return, Ask::Expire][ask];
                if let Ok(Some(step)) = hold.decide(ask, NOW.plus(Duration::from_secs(after))) {
                    hold.state = step.to;
                    moves.push(step.movement);
                }
            }
            use MovementKind as K;
            prop_assert!(matches!(moves.as_slice(), [] | [K::Sold] | [K::Released] | [K::Expired] | [K::Sold, K::Returned]), "{moves:?}");
        }
    }
}
