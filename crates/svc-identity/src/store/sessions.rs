//! Sessions and revocations.

use std::time::Duration;

use kernel::{Error, Result, SessionId, Timestamp};
use store::{Batch, Row, sql};

use super::seals::is_sealed;
use super::{SWEEP_ROWS, Seals, Store};
use crate::domain::{
    GUEST_PREFIX, IDLE, REVOCATIONS_MAX, Revocation, SESSIONS_MAX, Session, SessionEnd, Subject,
    revocation_ends, void_before,
};

const COLUMNS: &str = "id, subject, device, seed, generation, created_at, refreshed_at, expires_at, ended_at";

impl Store {
    /// A session; none when its seal does not fit, since somebody else wrote it.
    pub(crate) async fn session(&self, id: SessionId) -> Result<Option<Session>> {
        let query = sql(format!("SELECT {COLUMNS}, seal FROM sessions WHERE id = ?")).bind(id);
        let Some(row) = self.sql.fetch_one(query).await? else { return Ok(None) };
        let session = read(&row)?;
        if is_sealed(self.seals.session(&session), &row)? {
            return Ok(Some(session));
        }
        tracing::error!(session = %id, "the stored session does not fit its seal; it is refused");
        Ok(None)
    }

    /// The live sessions of somebody, newest first. A few more than are allowed may be there while others begin.
    pub(crate) async fn live_sessions(&self, subject: Subject, now: Timestamp) -> Result<Vec<Session>> {
        let query = sql(format!(
            "SELECT {COLUMNS} FROM sessions WHERE subject = ? AND ended_at IS NULL AND expires_at > ? ORDER BY id DESC LIMIT ?"
        ));
        let rows =
            self.sql.fetch(query.bind(subject.to_string()).bind(now).bind(2 * SESSIONS_MAX as i64)).await?;
        rows.iter().map(read).collect()
    }

    /// The newest revocations that may still concern a living token, of guests and of accounts; of each kind one more than a key
    /// set lists when there are more.
    pub(crate) async fn revocations(&self, now: Timestamp) -> Result<Vec<Revocation>> {
        let mut all = Vec::new();
        for kind in ["substr(revoked, 1, 4) = ?", "substr(revoked, 1, 4) <> ?"] {
            let query = sql(format!(
                "SELECT revoked, MAX(void_before) AS void_before, MAX(ends_at) AS latest FROM revocations \
                 WHERE ends_at > ? AND {kind} GROUP BY revoked ORDER BY latest DESC LIMIT ?"
            ));
            let query = query.bind(now).bind(GUEST_PREFIX).bind(REVOCATIONS_MAX as i64 + 1);
            for row in &self.sql.fetch(query).await? {
                all.push(Revocation { id: row.text("revoked")?, before: row.timestamp("void_before")? });
            }
        }
        Ok(all)
    }

    /// The latest time that the clock showed when a session or an account changed; it is ahead of now when the clock was set
    /// back. Times from which tokens are good say nothing of it: sign-outs put them ahead of the clock.
    pub(crate) async fn newest(&self) -> Result<Timestamp> {
        let mut newest = Timestamp::default();
        for text in [
            "SELECT MAX(created_at) AS at FROM sessions",
            "SELECT MAX(refreshed_at) AS at FROM sessions",
            "SELECT MAX(updated_at) AS at FROM accounts",
        ] {
            let row = self.sql.fetch_one(sql(text)).await?;
            let at = row.map(|row| row.opt_timestamp("at")).transpose()?.flatten();
            newest = newest.max(at.unwrap_or_default());
        }
        Ok(newest)
    }

    /// Deletes what nobody asks for any more: some sessions that expired before `expired`, revocations that ended.
    pub(crate) async fn sweep_sessions(&self, now: Timestamp, expired: Timestamp) -> Result<()> {
        for (table, key, column, until) in
            [("sessions", "id", "expires_at", expired), ("revocations", "row_id", "ends_at", now)]
        {
            let query =
                sql(format!("SELECT {key} FROM {table} WHERE {column} < ? ORDER BY {column} LIMIT ?"));
            let rows = self.sql.fetch(query.bind(until).bind(SWEEP_ROWS)).await?;
            let keys = rows.iter().map(|row| row.text(key)).collect::<Result<Vec<_>>>()?;
            if keys.is_empty() {
                continue;
            }
            let places = vec!["?"; keys.len()].join(", ");
            let delete = sql(format!("DELETE FROM {table} WHERE {key} IN ({places})")).bind_all(keys);
            let mut batch = Batch::new().run(delete);
            if table == "revocations" {
                batch = swept(batch, &self.seals, until);
            }
            self.sql.commit(batch).await?;
        }
        Ok(())
    }
}

pub(crate) fn read(row: &Row) -> Result<Session> {
    let subject = row.str("subject")?;
    let subject =
        Subject::parse(subject).ok_or_else(|| Error::internal(format!("a session of {subject:?}")))?;
    Ok(Session {
        id: row.id("id")?,
        subject,
        device: row.text("device")?,
        seed: row
            .blob("seed")?
            .try_into()
            .map_err(|_| Error::internal("a session's seed has not 16 bytes"))?,
        generation: row.int("generation")?,
        created_at: row.timestamp("created_at")?,
        refreshed_at: row.timestamp("refreshed_at")?,
        expires_at: row.timestamp("expires_at")?,
        ended_at: row.opt_timestamp("ended_at")?,
    })
}

/// Adds a session.
pub(crate) fn insert(batch: Batch, seals: &Seals, session: &Session) -> Batch {
    let insert = sql(
        "INSERT INTO sessions (id, subject, device, seed, generation, created_at, refreshed_at, expires_at, seal) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(session.id)
    .bind(session.subject.to_string())
    .bind(session.device.clone())
    .bind(session.seed.to_vec())
    .bind(session.generation)
    .bind(session.created_at)
    .bind(session.refreshed_at)
    .bind(session.expires_at)
    .bind(seals.session(session).seal().to_vec());
    batch.insert(insert, "session")
}

/// Writes a refreshed session over the generation before it; `Stale` when that was refreshed or ended.
pub(crate) fn refresh(batch: Batch, seals: &Seals, session: &Session) -> Batch {
    let update = sql(
        "UPDATE sessions SET generation = ?, refreshed_at = ?, expires_at = ?, seal = ? WHERE id = ? AND generation = ? AND \
         ended_at IS NULL",
    )
    .bind(session.generation)
    .bind(session.refreshed_at)
    .bind(session.expires_at)
    .bind(seals.session(session).seal().to_vec())
    .bind(session.id)
    .bind(session.generation - 1);
    batch.expect(update, 1, "session")
}

/// Ends a session, if it has not ended, and voids its tokens. A guest has one session, and is named himself, so that it is seen
/// whose tokens are void.
pub(crate) fn end(batch: Batch, session: &Session, why: SessionEnd, now: Timestamp, row: Revoke) -> Batch {
    let update = sql("UPDATE sessions SET ended_at = ?, end_reason = ? WHERE id = ? AND ended_at IS NULL");
    let revoked = match session.subject {
        Subject::Guest(guest) => guest.to_string(),
        Subject::Account(_) => session.id.to_string(),
    };
    revoke(batch.run(update.bind(now).bind(why.name()).bind(session.id)), &revoked, row)
}

/// Ends every session of somebody; their tokens are voided by the subject's revocation.
pub(crate) fn end_all(batch: Batch, subject: Subject, why: SessionEnd, now: Timestamp) -> Batch {
    let update =
        sql("UPDATE sessions SET ended_at = ?, end_reason = ? WHERE subject = ? AND ended_at IS NULL");
    batch.run(update.bind(now).bind(why.name()).bind(subject.to_string()))
}

/// Ends every session of somebody but one, whatever the clock says of its expiry.
pub(crate) fn end_rest(
    batch: Batch,
    subject: Subject,
    keep: Option<SessionId>,
    why: SessionEnd,
    now: Timestamp,
) -> Batch {
    let text =
        "UPDATE sessions SET ended_at = ?, end_reason = ? WHERE subject = ? AND id <> ? AND ended_at IS NULL";
    let keep = keep.map(|id| id.to_string()).unwrap_or_default();
    batch.run(sql(text).bind(now).bind(why.name()).bind(subject.to_string()).bind(keep))
}

/// Brings times that a clock wrote which was ahead back to now, so that sessions end in their time and nobody waits for what
/// was revoked in the future. Revocations go with the keys of the tokens that they are about.
pub(crate) fn settle(mut batch: Batch, seals: &Seals, now: Timestamp) -> Batch {
    for (text, to) in [
        ("UPDATE sessions SET created_at = ? WHERE created_at > ?", now),
        ("UPDATE sessions SET refreshed_at = ? WHERE refreshed_at > ?", now),
        ("UPDATE sessions SET expires_at = ? WHERE expires_at > ?", now.plus(IDLE)),
        ("UPDATE accounts SET updated_at = ? WHERE updated_at > ?", now),
        ("UPDATE sessions SET ended_at = ? WHERE ended_at > ?", now),
        ("UPDATE secrets SET revoked_at = ? WHERE revoked_at > ?", now),
        ("UPDATE accounts SET tokens_from = ? WHERE tokens_from > ?", Timestamp::from_secs(now.secs())),
    ] {
        batch = batch.run(sql(text).bind(to).bind(to));
    }
    swept(batch, seals, revocation_ends(void_before(now)).plus(Duration::from_micros(1)))
        .run(sql("DELETE FROM revocations"))
}

/// Notes that revocations which end before a time may be gone, for the audit.
fn swept(batch: Batch, seals: &Seals, until: Timestamp) -> Batch {
    let text = "UPDATE counters SET amount = ?, seal = ? WHERE name = 'revocations_swept' AND amount < ?";
    batch.run(sql(text).bind(until).bind(seals.swept(until).seal().to_vec()).bind(until))
}

/// What a revocation's row needs.
#[derive(Clone, Copy)]
pub(crate) struct Revoke {
    /// A random name of the row.
    pub(crate) row: [u8; 16],
    /// Tokens issued before this are void.
    pub(crate) before: Timestamp,
}

/// Voids the tokens of a session or a subject.
pub(crate) fn revoke(batch: Batch, id: &str, revoke: Revoke) -> Batch {
    let insert = sql("INSERT INTO revocations (row_id, revoked, void_before, ends_at) VALUES (?, ?, ?, ?)")
        .bind(hex::encode(revoke.row))
        .bind(id)
        .bind(revoke.before)
        .bind(revocation_ends(revoke.before));
    batch.insert(insert, "revocation")
}
