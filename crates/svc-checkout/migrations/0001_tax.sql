-- Tax by country of destination, and how checkout computes.
CREATE TABLE tax_tables (
  country VARCHAR(2) NOT NULL PRIMARY KEY,
  tax_mode VARCHAR(16) NOT NULL,
  version BIGINT NOT NULL
);
CREATE TABLE tax_rates (
  country VARCHAR(2) NOT NULL,
  tax_class VARCHAR(160) NOT NULL,
  valid_from BIGINT NOT NULL,
  name VARCHAR(240) NOT NULL,
  rate_micros BIGINT NOT NULL,
  PRIMARY KEY (country, tax_class, valid_from)
);
CREATE TABLE settings (
  id VARCHAR(16) NOT NULL PRIMARY KEY,
  rounding VARCHAR(16) NOT NULL,
  rounding_level VARCHAR(16) NOT NULL,
  home_country VARCHAR(2) NOT NULL,
  version BIGINT NOT NULL
);
INSERT INTO settings (id, rounding, rounding_level, home_country, version) VALUES ('settings', 'half_even', 'line', 'GB', 1);
