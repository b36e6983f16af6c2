-- By which rule the keys of addresses were made. `email_rule`: 1 until the accounts of this directory have the form of today,
-- which is computed in code when the role starts.
INSERT INTO counters (name, amount) VALUES ('email_rule', 1);
