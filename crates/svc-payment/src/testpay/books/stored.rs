//! Rows as they are stored, for the audit.

use kernel::{Result, Timestamp};
use store::{Row, sql};

use super::{AuthorizationRow, Books, Delivery, authorization, delivery};

/// A challenge as it is stored.
#[derive(Clone, Debug)]
pub struct ChallengeRow {
    /// Its token.
    pub token: String,
    /// Whether its authorization is there and names it.
    pub is_of_authorization: bool,
    /// Empty until the payer ends it.
    pub outcome: String,
    /// When it was made.
    pub created: Timestamp,
}

/// An authorization as it is stored, with the outcome of its challenge.
#[derive(Clone, Debug)]
pub struct ChallengedRow {
    /// The authorization.
    pub authorization: AuthorizationRow,
    /// Outcome of the challenge that it names, empty until the payer ends it; `None` when there is no such challenge.
    pub outcome: Option<String>,
}

impl Books {
    /// Authorizations after an id, with the outcomes of their challenges.
    pub async fn challenged_authorizations(&self, after: &str, limit: u32) -> Result<Vec<ChallengedRow>> {
        let text = "SELECT a.*, c.outcome AS challenge_outcome FROM authorizations a \
            LEFT JOIN challenges c ON c.token = a.challenge WHERE a.id > ? ORDER BY a.id LIMIT ?";
        let rows = self.sql.fetch(sql(text).bind(after).bind(limit)).await?;
        let challenged = |row: &Row| {
            let outcome = row.opt_text("challenge_outcome")?;
            Ok(ChallengedRow { authorization: authorization(row)?, outcome })
        };
        rows.iter().map(challenged).collect()
    }

    /// Challenges after a token.
    pub async fn challenges(&self, after: &str, limit: u32) -> Result<Vec<ChallengeRow>> {
        let text = "SELECT c.token, c.outcome, c.created_at, a.challenge AS of_authorization FROM challenges c \
            LEFT JOIN authorizations a ON a.id = c.authorization_id WHERE c.token > ? ORDER BY c.token LIMIT ?";
        let rows = self.sql.fetch(sql(text).bind(after).bind(limit)).await?;
        let challenge = |row: &Row| {
            let token = row.text("token")?;
            Ok(ChallengeRow {
                is_of_authorization: row.opt_text("of_authorization")?.as_ref() == Some(&token),
                token,
                outcome: row.text("outcome")?,
                created: row.timestamp("created_at")?,
            })
        };
        rows.iter().map(challenge).collect()
    }

    /// Webhooks after an id, due or not.
    pub async fn queued(&self, after: &str, limit: u32) -> Result<Vec<Delivery>> {
        let rows = self.sql.fetch(
            sql("SELECT id, event, tries FROM deliveries WHERE id > ? ORDER BY id LIMIT ?")
                .bind(after)
                .bind(limit),
        );
        rows.await?.iter().map(delivery).collect()
    }
}
