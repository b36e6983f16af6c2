-- Keyed seals of rows (HMAC-SHA256 under a key outside the database), so that an audit names a row that was changed behind the
-- service's back. Rows of before are sealed once, when the service first starts with these columns.
ALTER TABLE payments ADD COLUMN seal BLOB;
ALTER TABLE attempts ADD COLUMN seal BLOB;
ALTER TABLE operations ADD COLUMN seal BLOB;
ALTER TABLE webhook_events ADD COLUMN seal BLOB;
-- The keyed chain beside the plain one: each follows from the one before it, and covers the plain hash.
ALTER TABLE ledger_chain ADD COLUMN keyed BLOB;
