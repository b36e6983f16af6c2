//! Signing keys.

use kernel::{Result, Timestamp};
use store::{Batch, Row, sql};

use super::Store;
use crate::domain::SigningKey;

impl Store {
    /// Every key that is still known.
    pub(crate) async fn signing_keys(&self) -> Result<Vec<SigningKey>> {
        let query = sql(
            "SELECT id, seed, public_key, predecessor, signs_from, signs_until, verifies_until FROM signing_keys",
        );
        self.sql.fetch(query).await?.iter().map(read).collect()
    }

    /// Forgets keys that verify nothing since `until`, with their seeds.
    pub(crate) async fn sweep_keys(&self, until: Timestamp) -> Result<()> {
        let delete = sql("DELETE FROM signing_keys WHERE verifies_until < ?").bind(until);
        self.sql.commit(Batch::new().run(delete)).await?;
        Ok(())
    }
}

pub(crate) fn read(row: &Row) -> Result<SigningKey> {
    let seed = <[u8; 32]>::try_from(row.blob("seed")?);
    let public = <[u8; 32]>::try_from(row.blob("public_key")?);
    Ok(SigningKey {
        id: row.text("id")?,
        // A row that is damaged has its place in the chain, and signs and verifies nothing.
        fits: seed.is_ok() && public.is_ok(),
        seed: seed.unwrap_or_default(),
        public: public.unwrap_or_default(),
        predecessor: row.text("predecessor")?,
        signs_from: row.timestamp("signs_from")?,
        signs_until: row.timestamp("signs_until")?,
        verifies_until: row.timestamp("verifies_until")?,
    })
}

/// Adds a key; `Stale` when its predecessor has a successor already.
pub(crate) fn insert(batch: Batch, key: &SigningKey) -> Batch {
    let insert = sql(
        "INSERT INTO signing_keys (id, seed, public_key, predecessor, signs_from, signs_until, verifies_until) VALUES (?, ?, ?, \
         ?, ?, ?, ?)",
    )
    .bind(key.id.clone())
    .bind(key.seed.to_vec())
    .bind(key.public.to_vec())
    .bind(key.predecessor.clone())
    .bind(key.signs_from)
    .bind(key.signs_until)
    .bind(key.verifies_until);
    batch.insert(insert, "successor")
}

/// Moves the end of a key; it only ever comes nearer.
pub(crate) fn end(batch: Batch, key: &SigningKey) -> Batch {
    let update = sql("UPDATE signing_keys SET signs_from = ?, signs_until = ?, verifies_until = ? WHERE id = ? AND verifies_until >= ?")
        .bind(key.signs_from)
        .bind(key.signs_until)
        .bind(key.verifies_until)
        .bind(key.id.clone())
        .bind(key.verifies_until);
    batch.expect(update, 1, "key")
}
