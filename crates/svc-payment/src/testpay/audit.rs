//! What an audit checks of testpay's own rows: each is as its card makes it, in a state that its other columns fit.

use std::sync::Arc;

use chassis::audit::{Examine, Examined, last_of_full_page};
use kernel::Result;
use tonic::async_trait;

use super::AuthorizationId;
use super::books::{AuthorizationRow, Books, MovementRow};
use super::cards::{self, CHALLENGE_FAILED, Card, REFUND_PENDING, Refunds, Verdict};
use super::news;

/// The tables of testpay.
pub(super) fn tables(books: &Books) -> [Arc<dyn Examine>; 5] {
    [
        Arc::new(AuthorizationRows(books.clone())),
        Arc::new(CaptureRows(books.clone())),
        Arc::new(RefundRows(books.clone())),
        Arc::new(ChallengeRows(books.clone())),
        Arc::new(DeliveryRows(books.clone())),
    ]
}

struct AuthorizationRows(Books);
struct CaptureRows(Books);
struct RefundRows(Books);
struct ChallengeRows(Books);
struct DeliveryRows(Books);

fn examined<T>(rows: &[T], limit: u32, id: impl Fn(&T) -> String) -> Examined {
    let next = last_of_full_page(rows, limit).map(id);
    Examined { rows: rows.len(), next, ..Examined::default() }
}

#[async_trait]
impl Examine for AuthorizationRows {
    fn table(&self) -> &'static str {
        "authorizations of testpay"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let rows = self.0.challenged_authorizations(after.unwrap_or_default(), limit).await?;
        let mut examined = examined(&rows, limit, |row| row.authorization.id.to_string());
        for row in &rows {
            authorization(&row.authorization, row.outcome.as_deref(), &mut examined);
        }
        Ok(examined)
    }
}

/// The challenge's outcome is `None` when there is no challenge.
fn authorization(row: &AuthorizationRow, outcome: Option<&str>, examined: &mut Examined) {
    let at = format!("authorization {}", row.id);
    let (place, _) = cards::find(&row.method);
    examined.expects(cards::mark(row.id, place) == row.id, &at, "the card that its id names", &row.method);
    let card = cards::of(row.id);
    let challenged = matches!(card.verdict, Verdict::Challenge);
    examined.expects(
        challenged != row.challenge.is_empty(),
        &at,
        "a challenge as its card asks",
        &row.challenge,
    );
    examined.expects(
        challenged == outcome.is_some(),
        &at,
        "the challenge that it names, or none",
        &row.challenge,
    );
    let (states, code): (&[&str], &str) = match (card.verdict, outcome.unwrap_or_default()) {
        (Verdict::Approve, _) | (Verdict::Challenge, "approve") => (&["authorized", "voided"], ""),
        (Verdict::Decline(code, _), _) => (&["declined"], code),
        (Verdict::Challenge, "fail") => (&["declined"], CHALLENGE_FAILED),
        (Verdict::Challenge, _) => (&["requires_action", "voided"], ""),
    };
    examined.expects(
        states.contains(&row.state.as_str()),
        &at,
        format!("{}, by its card", states.join(" or ")),
        &row.state,
    );
    examined.expects(row.decline_code == code, &at, format!("the decline code {code:?}"), &row.decline_code);
    let free = row.state == "authorized" || (row.captured, row.refunded) == (0, 0);
    examined.expects(free, &at, format!("nothing captured, as it is {}", row.state), row.captured);
    let whole = row.amount.minor > 0 && row.captured >= 0 && row.refunded >= 0;
    examined.expects(whole, &at, "amounts from 0", row.amount);
    examined.expects(row.created.micros() > 0, &at, "the time of its making", row.created);
}

#[async_trait]
impl Examine for CaptureRows {
    fn table(&self) -> &'static str {
        "captures of testpay"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let rows = self.0.captures(after.unwrap_or_default(), limit).await?;
        let mut examined = examined(&rows, limit, |row| row.id.clone());
        for row in &rows {
            movement(&format!("capture {}", row.id), row, &mut examined);
        }
        Ok(examined)
    }
}

#[async_trait]
impl Examine for RefundRows {
    fn table(&self) -> &'static str {
        "refunds of testpay"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let rows = self.0.refunds(after.unwrap_or_default(), limit).await?;
        let mut examined = examined(&rows, limit, |row| row.id.clone());
        for row in &rows {
            let at = format!("refund {}", row.id);
            movement(&at, row, &mut examined);
            // One of an authorization that is not there is named by whoever compares both sides.
            let Ok(of) = AuthorizationId::parse(&row.authorization) else { continue };
            refund(&at, row, cards::of(of), &mut examined);
        }
        Ok(examined)
    }
}

fn movement(at: &str, row: &MovementRow, examined: &mut Examined) {
    let of = AuthorizationId::parse(&row.authorization).is_ok();
    examined.expects(of, at, "an authorization", &row.authorization);
    examined.expects(row.amount.minor > 0, at, "an amount above 0", row.amount);
    examined.expects(row.created.micros() > 0, at, "the time of its making", row.created);
}

fn refund(at: &str, row: &MovementRow, card: Card, examined: &mut Examined) {
    let (state, settles) = match card.refunds {
        Refunds::Usual => ("succeeded", row.created),
        Refunds::Pending => ("succeeded", row.created.plus(REFUND_PENDING)),
        Refunds::Fail => ("failed", row.created.plus(REFUND_PENDING)),
    };
    examined.expects(row.state == state, at, format!("{state}, by its card"), &row.state);
    examined.expects(
        row.settle_at == settles,
        at,
        format!("settled at {settles}, by its card"),
        row.settle_at,
    );
}

#[async_trait]
impl Examine for ChallengeRows {
    fn table(&self) -> &'static str {
        "challenges of testpay"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let rows = self.0.challenges(after.unwrap_or_default(), limit).await?;
        let mut examined = examined(&rows, limit, |row| row.token.clone());
        for row in &rows {
            let at = format!("challenge {}", row.token);
            examined.expects(row.is_of_authorization, &at, "an authorization that names it", "none");
            let known = matches!(row.outcome.as_str(), "" | "approve" | "fail");
            examined.expects(known, &at, "an outcome that there is, or none yet", &row.outcome);
            examined.expects(row.created.micros() > 0, &at, "the time of its making", row.created);
        }
        Ok(examined)
    }
}

#[async_trait]
impl Examine for DeliveryRows {
    fn table(&self) -> &'static str {
        "webhooks of testpay"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let rows = self.0.queued(after.unwrap_or_default(), limit).await?;
        let mut examined = examined(&rows, limit, |row| row.id.clone());
        for row in &rows {
            let at = format!("webhook {}", row.id);
            let due = row.id.split_once('-').is_some_and(|(due, unique)| {
                due.len() == 20 && due.bytes().all(|byte| byte.is_ascii_digit()) && !unique.is_empty()
            });
            examined.expects(due, &at, "a time when it is due, and what makes it unique", &row.id);
            let reads = news::read(&news::body([row.event.as_str()])).is_ok_and(|events| events.len() == 1);
            examined.expects(reads, &at, "an event that reads", &row.event);
        }
        Ok(examined)
    }
}

#[cfg(test)]
mod tests {
    use kernel::{Currency, Money, Timestamp};

    use super::*;

    const MADE: Timestamp = Timestamp::from_secs(1_700_000_000);

    fn row(token: &str, state: &str, code: &str, challenge: &str) -> AuthorizationRow {
        let (place, _) = cards::find(token);
        AuthorizationRow {
            id: cards::mark(AuthorizationId::from_bits(1 << 40), place),
            key: "k".into(),
            payment: "pay_1".into(),
            method: token.into(),
            amount: Money::new(100, Currency::GBP),
            captured: 0,
            refunded: 0,
            state: state.into(),
            decline_code: code.into(),
            challenge: challenge.into(),
            created: MADE,
        }
    }

    fn found(row: &AuthorizationRow, outcome: Option<&str>) -> Vec<String> {
        let mut examined = Examined::default();
        authorization(row, outcome, &mut examined);
        examined.findings.into_iter().map(|finding| finding.expected).collect()
    }

    #[test]
    fn authorizations_are_as_their_cards_make_them() {
        let (visa, declined, asks) =
            ("pm_card_visa", "pm_card_chargeDeclined", "pm_card_authenticationRequired");
        for (row, outcome) in [
            (row(visa, "authorized", "", ""), None),
            (row(visa, "voided", "", ""), None),
            (row(declined, "declined", "card_declined", ""), None),
            (row(asks, "requires_action", "", "tpx_1"), Some("")),
            (row(asks, "voided", "", "tpx_1"), Some("")),
            (row(asks, "authorized", "", "tpx_1"), Some("approve")),
            (row(asks, "declined", CHALLENGE_FAILED, "tpx_1"), Some("fail")),
            (row("pm_nobody", "declined", "payment_method_unknown", ""), None),
        ] {
            assert_eq!(found(&row, outcome), [""; 0], "{row:?}");
        }
        for (row, outcome, told) in [
            (row(visa, "authorized", "card_declined", ""), None, "the decline code \"\""),
            (row(declined, "declined", "", ""), None, "the decline code \"card_declined\""),
            (row(visa, "declined", "", ""), None, "authorized or voided, by its card"),
            (row(visa, "authorized", "", "tpx_1"), None, "a challenge as its card asks"),
            (row(asks, "authorized", "", "tpx_1"), None, "the challenge that it names, or none"),
            (row(asks, "authorized", "", "tpx_1"), Some(""), "requires_action or voided, by its card"),
            (
                AuthorizationRow { method: declined.into(), ..row(visa, "authorized", "", "") },
                None,
                "the card that its id names",
            ),
            (
                AuthorizationRow { captured: 5, ..row(visa, "voided", "", "") },
                None,
                "nothing captured, as it is voided",
            ),
        ] {
            let found = found(&row, outcome);
            assert!(found.iter().any(|found| found == told), "{row:?} should be told as {told}: {found:?}");
        }
    }

    #[test]
    fn refunds_settle_when_their_cards_say() {
        let told = |token: &str, state: &str, after: u64| {
            let row = MovementRow {
                id: "tpr_1".into(),
                key: "k".into(),
                authorization: String::new(),
                amount: Money::new(100, Currency::GBP),
                state: state.into(),
                settle_at: MADE.plus(std::time::Duration::from_secs(after)),
                created: MADE,
            };
            let mut examined = Examined::default();
            refund("refund", &row, cards::find(token).1, &mut examined);
            examined.findings.len()
        };
        assert_eq!(told("pm_card_visa", "succeeded", 0), 0);
        assert_eq!(told("pm_card_pendingRefund", "succeeded", 5), 0);
        assert_eq!(told("pm_card_refundFail", "failed", 5), 0);
        assert_eq!(told("pm_card_visa", "succeeded", 5), 1);
        assert_eq!(told("pm_card_visa", "failed", 0), 1);
        assert_eq!(told("pm_card_pendingRefund", "failed", 0), 2);
    }
}
