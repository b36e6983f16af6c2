-- Keyed seals of rows (HMAC-SHA256 under a key outside the database), so that an audit names a row that was changed behind the
-- service's back. Rows of before are sealed once, when the service first starts with these columns.
ALTER TABLE orders ADD COLUMN seal BLOB;
-- The seal of the last line of its history, which follows from the one before.
ALTER TABLE orders ADD COLUMN history_seal BLOB;
ALTER TABLE order_quotes ADD COLUMN seal BLOB;
ALTER TABLE order_history ADD COLUMN seal BLOB;
ALTER TABLE order_shipments ADD COLUMN seal BLOB;
-- Each follows from the one before it in number; absent until the sealer has come by.
ALTER TABLE invoices ADD COLUMN seal BLOB;
