-- Accounts, their sessions and secrets, the keys that sign tokens, and what is revoked. Times are microseconds since 1970.

CREATE TABLE accounts (
  id VARCHAR(30) NOT NULL PRIMARY KEY,
  kind VARCHAR(16) NOT NULL,
  email VARCHAR(254),
  -- The address in lower case, or "operator".
  email_key VARCHAR(508) NOT NULL,
  -- PHC string of argon2id; absent for accounts without a password.
  password VARCHAR(255),
  -- Each name between blanks; empty for customers.
  permissions VARCHAR(4000) NOT NULL,
  -- 1 when there are any.
  staff BIGINT NOT NULL,
  tokens_from BIGINT NOT NULL,
  signed_in_at BIGINT,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX accounts_email ON accounts (email_key);
CREATE INDEX accounts_staff ON accounts (staff, id);

-- Counters that conditions stand on. `admins`: accounts with the permission admin.
CREATE TABLE counters (
  name VARCHAR(32) NOT NULL PRIMARY KEY,
  amount BIGINT NOT NULL
);
INSERT INTO counters (name, amount) VALUES ('admins', 0);

CREATE TABLE sessions (
  id VARCHAR(30) NOT NULL PRIMARY KEY,
  subject VARCHAR(30) NOT NULL,
  device VARCHAR(200) NOT NULL,
  -- 16 random bytes that refresh tokens are derived from.
  seed BLOB NOT NULL,
  generation BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  refreshed_at BIGINT NOT NULL,
  expires_at BIGINT NOT NULL,
  ended_at BIGINT,
  end_reason VARCHAR(32)
);
CREATE INDEX sessions_subject ON sessions (subject, id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE secrets (
  id VARCHAR(30) NOT NULL PRIMARY KEY,
  account_id VARCHAR(30) NOT NULL,
  label VARCHAR(100) NOT NULL,
  -- SHA-256 of the secret, hexadecimal.
  hash VARCHAR(64) NOT NULL,
  -- The session that its access tokens name.
  session_id VARCHAR(30) NOT NULL,
  created_at BIGINT NOT NULL,
  expires_at BIGINT,
  revoked_at BIGINT
);
CREATE UNIQUE INDEX secrets_hash ON secrets (hash);
CREATE INDEX secrets_account ON secrets (account_id, id);

CREATE TABLE signing_keys (
  id VARCHAR(64) NOT NULL PRIMARY KEY,
  -- 32 random bytes that the private key is derived from.
  seed BLOB NOT NULL,
  public_key BLOB NOT NULL,
  predecessor VARCHAR(64) NOT NULL,
  signs_from BIGINT NOT NULL,
  signs_until BIGINT NOT NULL,
  verifies_until BIGINT NOT NULL
);
CREATE UNIQUE INDEX signing_keys_predecessor ON signing_keys (predecessor);

CREATE TABLE revocations (
  row_id VARCHAR(64) NOT NULL PRIMARY KEY,
  -- A session or a subject.
  revoked VARCHAR(30) NOT NULL,
  -- Tokens issued before this are void.
  void_before BIGINT NOT NULL,
  -- Nobody needs to know any more after this.
  ends_at BIGINT NOT NULL
);
CREATE INDEX revocations_end ON revocations (ends_at);
