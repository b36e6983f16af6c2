-- Keyed seals of rows (HMAC-SHA256 under a key outside the database), so that a row that was changed behind the service's back
-- gives nothing and an audit names it. Rows of before are sealed once, when the service first starts with these columns.
ALTER TABLE sessions ADD COLUMN seal BLOB;
ALTER TABLE secrets ADD COLUMN seal BLOB;
ALTER TABLE counters ADD COLUMN seal BLOB;
