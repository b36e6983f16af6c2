-- Orders as they change. `id` has the bits of the quote's id, so the primary key lets a quote be placed once.
CREATE TABLE orders (
    id VARCHAR(30) NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL,
    state BIGINT NOT NULL,
    owner VARCHAR(30) NOT NULL,
    placed_by VARCHAR(30) NOT NULL,
    external_reference VARCHAR(200),
    external_time BIGINT,
    currency VARCHAR(3) NOT NULL,
    total_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    line_count BIGINT NOT NULL,
    units BIGINT NOT NULL,
    payment_method VARCHAR(200) NOT NULL,
    stock BIGINT NOT NULL,
    payment BIGINT NOT NULL,
    shipment BIGINT NOT NULL,
    cart BIGINT NOT NULL,
    approval BIGINT NOT NULL,
    attempt BIGINT NOT NULL,
    payment_id VARCHAR(30),
    tries BIGINT NOT NULL,
    hold_until BIGINT NOT NULL,
    limit_at BIGINT NOT NULL,
    due_at BIGINT,
    challenge_url VARCHAR(2000),
    challenge_id VARCHAR(500),
    ending BLOB,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    confirmed_at BIGINT,
    lease_owner VARCHAR(32) NOT NULL,
    lease_epoch BIGINT NOT NULL
);

-- A name outside is used once at a time: an order that fails gives it back.
CREATE UNIQUE INDEX orders_by_reference ON orders (external_reference);
CREATE INDEX orders_by_owner ON orders (owner, id);
CREATE INDEX orders_by_state ON orders (state, id);
-- What the worker must look at; at rest it is NULL.
CREATE INDEX orders_by_due ON orders (due_at);

-- What was bought, frozen: an encoded souk.checkout.v1.Quote as checkout signed it. Written once, never again.
CREATE TABLE order_quotes (
    order_id VARCHAR(30) NOT NULL PRIMARY KEY,
    quote BLOB NOT NULL
);

-- What happened to an order, a row per version.
CREATE TABLE order_history (
    order_id VARCHAR(30) NOT NULL,
    version BIGINT NOT NULL,
    at BIGINT NOT NULL,
    actor VARCHAR(30) NOT NULL,
    state BIGINT NOT NULL,
    what VARCHAR(40) NOT NULL,
    note VARCHAR(1000) NOT NULL,
    PRIMARY KEY (order_id, version)
);

-- Which shipment shipping made for a group of an order.
CREATE TABLE order_shipments (
    order_id VARCHAR(30) NOT NULL,
    group_id VARCHAR(30) NOT NULL,
    shipment_id VARCHAR(30) NOT NULL,
    PRIMARY KEY (order_id, group_id)
);

-- The next number per legal entity and kind of document. A commit that numbers a document moves it, so there are no gaps.
CREATE TABLE invoice_counters (
    legal_entity VARCHAR(40) NOT NULL,
    kind BIGINT NOT NULL,
    next BIGINT NOT NULL,
    PRIMARY KEY (legal_entity, kind)
);

CREATE TABLE invoices (
    legal_entity VARCHAR(40) NOT NULL,
    kind BIGINT NOT NULL,
    number BIGINT NOT NULL,
    order_id VARCHAR(30) NOT NULL,
    currency VARCHAR(3) NOT NULL,
    total_minor BIGINT NOT NULL,
    tax_minor BIGINT NOT NULL,
    issued_at BIGINT NOT NULL,
    PRIMARY KEY (legal_entity, kind, number)
);

CREATE UNIQUE INDEX invoices_by_order ON invoices (order_id, kind);
