//! `InspectEngine` on SQLite.

use async_trait::async_trait;
use kernel::{Result, Timestamp};

use super::errors::serving;
use super::rows::value;
use super::{Sqlite, schema};
use crate::batch::Position;
use crate::chain::{EventChain, LinkedEvent};
use crate::engine::DocRow;
use crate::inspect::{
    InspectEngine, NOTES_MAX, RequestId, StoredEpoch, StoredNotes, StoredPosition, StoredRequest,
};
use crate::value::Value;

#[async_trait]
impl InspectEngine for Sqlite {
    fn chain(&self) -> &EventChain {
        &self.opened.chain
    }

    async fn linked_events(&self, after: i64, limit: u32) -> Result<Vec<LinkedEvent>> {
        self.read(|conn| {
            self.stored_events(conn, after, limit, |row, event| Ok(LinkedEvent { event, link: row.get(6)? }))
        })
    }

    async fn stored_requests(&self, after: &RequestId, limit: u32) -> Result<Vec<StoredRequest>> {
        let query = "SELECT principal, method, id, fingerprint, expires_at FROM souk_request \
            WHERE (principal, method, id) > (?, ?, ?) ORDER BY principal, method, id LIMIT ?";
        self.read(|conn| {
            let mut prepared = conn.prepare_cached(query).map_err(serving)?;
            let values = (&after.principal, &after.method, &after.id, limit);
            let rows = prepared.query_map(values, |row| {
                Ok(StoredRequest {
                    key: RequestId { principal: row.get(0)?, method: row.get(1)?, id: row.get(2)? },
                    fingerprint: row.get(3)?,
                    expires_at: Timestamp::from_micros(row.get(4)?),
                })
            });
            rows.and_then(Iterator::collect).map_err(serving)
        })
    }

    async fn stored_positions(&self) -> Result<Vec<StoredPosition>> {
        let query = "SELECT source, consumer, epoch, sequence FROM souk_position ORDER BY source, consumer";
        self.read(|conn| {
            let mut prepared = conn.prepare_cached(query).map_err(serving)?;
            let rows = prepared.query_map((), |row| {
                Ok(StoredPosition {
                    source: row.get(0)?,
                    consumer: row.get(1)?,
                    position: Position { epoch: row.get(2)?, sequence: row.get(3)? },
                })
            });
            rows.and_then(Iterator::collect).map_err(serving)
        })
    }

    async fn stored_notes(&self) -> Result<StoredNotes> {
        let epochs = "SELECT epoch, first, began_at FROM souk_epoch ORDER BY epoch LIMIT ?";
        let notes = "SELECT name, value FROM souk_meta ORDER BY name LIMIT ?";
        self.read(|conn| {
            let mut prepared = conn.prepare_cached(epochs).map_err(serving)?;
            let rows = prepared.query_map([NOTES_MAX], |row| {
                let began_at = Timestamp::from_micros(row.get(2)?);
                Ok(StoredEpoch { epoch: row.get(0)?, first: row.get(1)?, began_at })
            });
            let epochs = rows.and_then(Iterator::collect).map_err(serving)?;
            let mut prepared = conn.prepare_cached(notes).map_err(serving)?;
            let rows = prepared.query_map([NOTES_MAX], |row| Ok((row.get(0)?, row.get(1)?)));
            let notes = rows.and_then(Iterator::collect).map_err(serving)?;
            Ok(StoredNotes { epochs, notes, schema: schema::VERSION })
        })
    }

    async fn stored_documents(
        &self,
        kind: &'static str,
        indexes: &[&'static str],
        after: &str,
        limit: u32,
    ) -> Result<Vec<(DocRow, Vec<Value>)>> {
        let columns: String = indexes.iter().map(|index| format!(", k_{index}")).collect();
        let query =
            format!("SELECT id, version, body{columns} FROM doc_{kind} WHERE id > ? ORDER BY id LIMIT ?");
        self.read(|conn| {
            let mut prepared = conn.prepare_cached(&query).map_err(serving)?;
            let mut rows = prepared.query((after, limit)).map_err(serving)?;
            let mut found = Vec::new();
            while let Some(row) = rows.next().map_err(serving)? {
                let document = || Ok(DocRow { id: row.get(0)?, version: row.get(1)?, body: row.get(2)? });
                let mut keys = Vec::with_capacity(indexes.len());
                for at in 0..indexes.len() {
                    keys.push(value(row.get_ref(3 + at).map_err(serving)?)?);
                }
                found.push((document().map_err(serving)?, keys));
            }
            Ok(found)
        })
    }
}
