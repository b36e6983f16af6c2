-- What is to be packed, oldest order first.
CREATE INDEX shipments_by_state ON shipments (state, id);
