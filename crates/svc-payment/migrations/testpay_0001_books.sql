-- testpay's own books, apart from payment's.
CREATE TABLE authorizations (
    id VARCHAR(40) NOT NULL PRIMARY KEY,
    idempotency_key VARCHAR(128) NOT NULL,
    payment_id VARCHAR(40) NOT NULL,
    method VARCHAR(80) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    amount BIGINT NOT NULL,
    captured BIGINT NOT NULL,
    refunded BIGINT NOT NULL,
    state VARCHAR(20) NOT NULL,
    decline_code VARCHAR(64) NOT NULL,
    challenge VARCHAR(64) NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (idempotency_key),
    CHECK (captured <= amount AND refunded <= captured)
);

CREATE TABLE captures (
    id VARCHAR(40) NOT NULL PRIMARY KEY,
    idempotency_key VARCHAR(128) NOT NULL,
    authorization_id VARCHAR(40) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    amount BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (idempotency_key)
);

-- A refund is pending until settle_at, and then what its state says.
CREATE TABLE refunds (
    id VARCHAR(40) NOT NULL PRIMARY KEY,
    idempotency_key VARCHAR(128) NOT NULL,
    authorization_id VARCHAR(40) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    amount BIGINT NOT NULL,
    state VARCHAR(20) NOT NULL,
    settle_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    UNIQUE (idempotency_key)
);

-- 3-D Secure challenges; outcome is empty until the payer ends it.
CREATE TABLE challenges (
    token VARCHAR(64) NOT NULL PRIMARY KEY,
    authorization_id VARCHAR(40) NOT NULL,
    outcome VARCHAR(16) NOT NULL,
    created_at BIGINT NOT NULL
);

-- Webhooks that are to be delivered. The id begins with the microsecond they are due, so that it is the queue's order.
CREATE TABLE deliveries (
    id VARCHAR(80) NOT NULL PRIMARY KEY,
    event VARCHAR(4096) NOT NULL,
    tries BIGINT NOT NULL
);
