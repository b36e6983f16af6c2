//! Rows as they are stored, for the audit.

use kernel::{Result, Timestamp};
use store::{Row, sql};

use super::{Books, Delivery, delivery};

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

impl Books {
    /// Challenges after a token.
    pub async fn challenges(&self, after: &str, limit: u32) -> Result<Vec<ChallengeRow>> {
        let text = "SELECT c.token, c.authorization_id, c.outcome, c.created_at, a.challenge AS of_authorization FROM challenges c \
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
