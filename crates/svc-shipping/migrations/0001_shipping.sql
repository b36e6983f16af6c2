-- Rates, one row per version; the highest is in force. body: the table as JSON.
CREATE TABLE rates (
    version BIGINT NOT NULL PRIMARY KEY,
    body BLOB NOT NULL,
    created_at BIGINT NOT NULL
);

-- Shipments; there is one per order and group. contents: destination and lines, frozen, as protobuf.
CREATE TABLE shipments (
    id VARCHAR(40) NOT NULL PRIMARY KEY,
    order_id VARCHAR(40) NOT NULL,
    group_id VARCHAR(40) NOT NULL,
    owner VARCHAR(64) NOT NULL,
    method VARCHAR(32) NOT NULL,
    carrier VARCHAR(400) NOT NULL,
    tracking VARCHAR(400) NOT NULL,
    state VARCHAR(20) NOT NULL,
    version BIGINT NOT NULL,
    contents BLOB NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    UNIQUE (order_id, group_id)
);

-- What happened to a shipment after it was made; version is the one it had after.
CREATE TABLE shipment_steps (
    shipment_id VARCHAR(40) NOT NULL,
    version BIGINT NOT NULL,
    state VARCHAR(20) NOT NULL,
    note VARCHAR(800) NOT NULL,
    at BIGINT NOT NULL,
    PRIMARY KEY (shipment_id, version)
);
