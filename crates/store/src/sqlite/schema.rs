//! What every embedded database keeps beside its rows, in SQLite's own dialect.
//!
//! Tables with text keys have no row ids: one tree instead of two, so a commit touches fewer pages.

/// Version of these tables. A database with a greater one was made by a newer release.
pub(super) const VERSION: i64 = 2;

pub(super) const TABLES: &str = "
CREATE TABLE souk_meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE souk_migration (name TEXT PRIMARY KEY, hash BLOB NOT NULL, applied_at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE souk_epoch (epoch INTEGER PRIMARY KEY, first INTEGER NOT NULL, began_at INTEGER NOT NULL);
CREATE TABLE souk_outbox (
  sequence INTEGER PRIMARY KEY, time INTEGER NOT NULL, aggregate_id TEXT NOT NULL, aggregate_version INTEGER NOT NULL,
  type_name TEXT NOT NULL, payload BLOB NOT NULL, link BLOB);
CREATE TABLE souk_request (
  principal TEXT NOT NULL, method TEXT NOT NULL, id TEXT NOT NULL, fingerprint BLOB NOT NULL, expires_at INTEGER NOT NULL,
  answer BLOB NOT NULL, PRIMARY KEY (principal, method, id)) WITHOUT ROWID;
CREATE INDEX souk_request_expires ON souk_request (expires_at);
CREATE TABLE souk_position (
  source TEXT NOT NULL, consumer TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL,
  PRIMARY KEY (source, consumer)) WITHOUT ROWID;
CREATE TABLE souk_parked (
  source TEXT NOT NULL, consumer TEXT NOT NULL, epoch INTEGER NOT NULL, sequence INTEGER NOT NULL, aggregate_id TEXT NOT NULL,
  reason TEXT NOT NULL, event BLOB NOT NULL, parked_at INTEGER NOT NULL, PRIMARY KEY (source, consumer, epoch, sequence));
CREATE INDEX souk_parked_aggregate ON souk_parked (source, consumer, aggregate_id);
CREATE TABLE souk_lease (
  name TEXT PRIMARY KEY, owner TEXT NOT NULL, epoch INTEGER NOT NULL, beat INTEGER NOT NULL, ttl_us INTEGER NOT NULL,
  run TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE souk_index (kind TEXT NOT NULL, name TEXT NOT NULL, rule TEXT NOT NULL, PRIMARY KEY (kind, name)) WITHOUT ROWID;
";

/// What version 2 adds to tables of version 1: the links of events. Those that are there have none.
pub(super) const TO_VERSION_2: &str = "ALTER TABLE souk_outbox ADD COLUMN link BLOB";

pub(super) const SET_META: &str = "INSERT INTO souk_meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value";
pub(super) const SELECT_META: &str = "SELECT value FROM souk_meta WHERE name = ?";
/// Name in `souk_meta` of the last sequence that was pruned.
pub(super) const PRUNED: &str = crate::inspect::NOTE_PRUNED;
/// Name in `souk_meta` of a time, in microseconds, that every pruned event was committed before.
pub(super) const PRUNED_BEFORE: &str = crate::inspect::NOTE_PRUNED_BEFORE;
/// Name in `souk_meta` of the link of the last event that was pruned; empty when it had none.
pub(super) const PRUNED_LINK: &str = crate::inspect::NOTE_PRUNED_LINK;
/// Name in `souk_meta` of where the chain of events ends.
pub(super) const HEAD: &str = crate::inspect::NOTE_HEAD;
pub(super) const INSERT_EVENT: &str = "INSERT INTO souk_outbox (sequence, time, aggregate_id, aggregate_version, type_name, payload, link) VALUES (?, ?, ?, ?, ?, ?, ?)";
pub(super) const INSERT_REQUEST: &str = "INSERT INTO souk_request (principal, method, id, fingerprint, expires_at, answer) VALUES (?, ?, ?, ?, ?, ?)";
pub(super) const SELECT_REQUEST: &str =
    "SELECT fingerprint, expires_at, answer FROM souk_request WHERE principal = ? AND method = ? AND id = ?";
pub(super) const UPDATE_REQUEST: &str = "UPDATE souk_request SET fingerprint = ?, expires_at = ?, answer = ? WHERE principal = ? AND method = ? AND id = ?";
pub(super) const SWEEP_REQUESTS: &str = "DELETE FROM souk_request WHERE (principal, method, id) IN \
    (SELECT principal, method, id FROM souk_request WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)";
pub(super) const INSERT_POSITION: &str =
    "INSERT INTO souk_position (source, consumer, epoch, sequence) VALUES (?, ?, ?, ?)";
pub(super) const UPDATE_POSITION: &str = "UPDATE souk_position SET epoch = ?, sequence = ? \
    WHERE source = ? AND consumer = ? AND epoch = ? AND sequence = ?";
pub(super) const SELECT_POSITION: &str =
    "SELECT epoch, sequence FROM souk_position WHERE source = ? AND consumer = ?";
pub(super) const SELECT_FENCE: &str = "SELECT 1 FROM souk_lease WHERE name = ? AND owner = ? AND epoch = ?";
pub(super) const INSERT_PARKED: &str = "INSERT INTO souk_parked \
    (source, consumer, epoch, sequence, aggregate_id, reason, event, parked_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
