-- A payment is one tender of one order. Its id follows from both, so that an order's payments lie side by side.
CREATE TABLE payments (
    id VARCHAR(40) NOT NULL PRIMARY KEY,
    order_id VARCHAR(40) NOT NULL,
    tender BIGINT NOT NULL,
    owner VARCHAR(64) NOT NULL,
    state VARCHAR(20) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    amount BIGINT NOT NULL,
    authorized BIGINT NOT NULL,
    capture_claimed BIGINT NOT NULL,
    captured BIGINT NOT NULL,
    refund_claimed BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    operations BIGINT NOT NULL,
    provider VARCHAR(32) NOT NULL,
    version BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    CHECK (amount > 0 AND authorized <= amount AND capture_claimed <= authorized AND captured <= capture_claimed
        AND refund_claimed <= captured AND refunded <= refund_claimed AND refunded >= 0)
);

-- Attempts to authorize: one row per payment and number, and so per order, tender and number.
-- check_at: when the provider is to be asked about it; NULL when it has ended.
CREATE TABLE attempts (
    payment_id VARCHAR(40) NOT NULL,
    number BIGINT NOT NULL,
    state VARCHAR(20) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    amount BIGINT NOT NULL,
    provider VARCHAR(32) NOT NULL,
    reference VARCHAR(128) NOT NULL,
    challenge_url VARCHAR(2048) NOT NULL,
    challenge_token VARCHAR(256) NOT NULL,
    failure_code VARCHAR(64) NOT NULL,
    failure_message VARCHAR(512) NOT NULL,
    asked BIGINT NOT NULL,
    check_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (payment_id, number)
);
CREATE INDEX attempts_check ON attempts (check_at);

-- Captures, voids and refunds. The id follows from the payment and the request, and is the provider's idempotency key.
CREATE TABLE operations (
    id VARCHAR(40) NOT NULL PRIMARY KEY,
    payment_id VARCHAR(40) NOT NULL,
    attempt BIGINT NOT NULL,
    kind VARCHAR(16) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    amount BIGINT NOT NULL,
    state VARCHAR(20) NOT NULL,
    provider VARCHAR(32) NOT NULL,
    target VARCHAR(128) NOT NULL,
    reference VARCHAR(128) NOT NULL,
    failure_code VARCHAR(64) NOT NULL,
    failure_message VARCHAR(512) NOT NULL,
    reason VARCHAR(1024) NOT NULL,
    asked BIGINT NOT NULL,
    check_at BIGINT,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL
);
CREATE INDEX operations_payment ON operations (payment_id);
CREATE INDEX operations_check ON operations (check_at);

-- Provider events that had an effect, for ever: each counts once.
CREATE TABLE webhook_events (
    provider VARCHAR(32) NOT NULL,
    event_id VARCHAR(128) NOT NULL,
    received_at BIGINT NOT NULL,
    PRIMARY KEY (provider, event_id)
);

-- The ledger. Rows are only ever inserted. Debits are positive, credits negative; an entry's rows sum to zero.
CREATE TABLE ledger_postings (
    entry_id VARCHAR(40) NOT NULL,
    line BIGINT NOT NULL,
    kind VARCHAR(20) NOT NULL,
    payment_id VARCHAR(40) NOT NULL,
    order_id VARCHAR(40) NOT NULL,
    operation_id VARCHAR(40) NOT NULL,
    account VARCHAR(64) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    amount BIGINT NOT NULL,
    booked_at BIGINT NOT NULL,
    PRIMARY KEY (entry_id, line)
);

-- Entries that wait for the sealer.
CREATE TABLE ledger_unsealed (
    entry_id VARCHAR(40) NOT NULL PRIMARY KEY,
    booked_at BIGINT NOT NULL
);

-- The chain: hash = SHA-256(previous + entry).
CREATE TABLE ledger_chain (
    position BIGINT NOT NULL PRIMARY KEY,
    entry_id VARCHAR(40) NOT NULL,
    previous BLOB NOT NULL,
    hash BLOB NOT NULL,
    sealed_at BIGINT NOT NULL,
    UNIQUE (entry_id)
);
