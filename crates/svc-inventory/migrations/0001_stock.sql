-- Places where stock lies.
CREATE TABLE locations (
    code VARCHAR(32) NOT NULL PRIMARY KEY,
    display_name VARCHAR(100) NOT NULL,
    created_at BIGINT NOT NULL
);

INSERT INTO locations (code, display_name, created_at) VALUES ('main', 'Main', 0);

-- Counters. `version` is the number of the counter's last movement.
CREATE TABLE stock (
    sku VARCHAR(64) NOT NULL,
    location VARCHAR(32) NOT NULL,
    on_hand BIGINT NOT NULL,
    held BIGINT NOT NULL,
    version BIGINT NOT NULL,
    PRIMARY KEY (sku, location)
);

-- The ledger: one row for each change of a counter, with the counter as it was after it. Rows are never changed.
CREATE TABLE movements (
    sku VARCHAR(64) NOT NULL,
    location VARCHAR(32) NOT NULL,
    number BIGINT NOT NULL,
    kind BIGINT NOT NULL,
    quantity BIGINT NOT NULL,
    on_hand BIGINT NOT NULL,
    held BIGINT NOT NULL,
    reference VARCHAR(200) NOT NULL,
    moved_at BIGINT NOT NULL,
    PRIMARY KEY (sku, location, number)
);

-- What arrived, by the name it came with: counts once for ever.
CREATE TABLE receipts (
    reference VARCHAR(200) NOT NULL PRIMARY KEY,
    sku VARCHAR(64) NOT NULL,
    location VARCHAR(32) NOT NULL,
    quantity BIGINT NOT NULL,
    received_at BIGINT NOT NULL
);

-- Holds, one for each order, with which they share the characters of their id. `lines` is JSON.
-- `sweep_at` is when to look whether it expired; NULL when there is nothing left to expire.
CREATE TABLE holds (
    id VARCHAR(30) NOT NULL PRIMARY KEY,
    state BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    limit_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    version BIGINT NOT NULL,
    sweep_at BIGINT,
    lines BLOB NOT NULL
);

CREATE INDEX holds_sweep ON holds (sweep_at, id);
