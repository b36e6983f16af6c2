//! Tax tables and settings, over the `Sql` shape.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use kernel::{Clock, Result, Rounding, RoundingLevel, Timestamp};
use parking_lot::Mutex;
use store::{Batch, Database, Migration, NewEvent, RequestKey, Row, Sql, sql};

use crate::domain::{Settings, TaxMode, TaxRate, TaxTable};

/// The schema, forward only.
pub const MIGRATIONS: &[Migration] = &[
    Migration { name: "0001_tax", sql: include_str!("../migrations/0001_tax.sql") },
    Migration { name: "0002_default_rates", sql: DEFAULT_RATES },
];

/// The tables that every shop begins with.
const DEFAULT_RATES: &str = include_str!("../migrations/0002_default_rates.sql");

/// The row that holds the settings.
pub(crate) const SETTINGS: &str = "settings";
/// A table with its rates; a country without rates has one row without them.
const TABLE: &str = "SELECT t.country AS country, t.tax_mode AS tax_mode, t.version AS version, r.tax_class AS tax_class, \
    r.valid_from AS valid_from, r.name AS name, r.rate_micros AS rate_micros \
    FROM tax_tables t LEFT JOIN tax_rates r ON r.country = t.country";

/// For how long what was read serves the next quotes. Another instance's change is seen after this; one's own at once.
const REMEMBERED: Duration = Duration::from_secs(1);

/// The repository. Quotes read it often and change it never, so what was read is remembered for a second.
#[derive(Clone)]
pub struct Taxes {
    sql: Sql,
    clock: Arc<dyn Clock>,
    remembered: Arc<Mutex<Remembered>>,
}

/// What was read last, and when, on the monotonic clock. There is at most one table for each country.
#[derive(Default)]
struct Remembered {
    settings: Option<(Duration, Arc<Settings>)>,
    tables: HashMap<String, (Duration, Arc<TaxTable>)>,
}

impl Taxes {
    /// Over this database.
    #[must_use]
    pub fn new(database: &Database, clock: Arc<dyn Clock>) -> Self {
        Self { sql: database.sql(), clock, remembered: Arc::default() }
    }

    /// The settings, at most a second old.
    ///
    /// # Errors
    /// As [`Taxes::settings`].
    pub async fn recent_settings(&self) -> Result<Arc<Settings>> {
        let now = self.clock.monotonic();
        let known = self.remembered.lock().settings.clone();
        if let Some((_, settings)) = known.filter(|(read, _)| now < *read + REMEMBERED) {
            return Ok(settings);
        }
        let settings = Arc::new(self.settings().await?);
        self.remembered.lock().settings = Some((now, settings.clone()));
        Ok(settings)
    }

    /// A country's table, at most a second old.
    ///
    /// # Errors
    /// As [`Taxes::table`].
    pub async fn recent_table(&self, country: &str) -> Result<Arc<TaxTable>> {
        let now = self.clock.monotonic();
        let known = self.remembered.lock().tables.get(country).cloned();
        if let Some((_, table)) = known.filter(|(read, _)| now < *read + REMEMBERED) {
            return Ok(table);
        }
        let table = Arc::new(self.table(country).await?);
        self.remembered.lock().tables.insert(country.to_owned(), (now, table.clone()));
        Ok(table)
    }

    /// The settings.
    ///
    /// # Errors
    /// What the store says.
    pub async fn settings(&self) -> Result<Settings> {
        let statement =
            sql("SELECT rounding, rounding_level, home_country, version FROM settings WHERE id = ?")
                .bind(SETTINGS);
        let row = self.sql.fetch_one(statement).await?;
        let row = row.ok_or_else(|| kernel::Error::internal("the settings row is missing"))?;
        Ok(Settings {
            rounding: read_word(row.str("rounding")?, ROUNDINGS)?,
            level: read_word(row.str("rounding_level")?, LEVELS)?,
            home_country: row.text("home_country")?,
            version: row.int("version")?,
        })
    }

    /// A country's table; the untaxed one when it was never set.
    ///
    /// # Errors
    /// What the store says.
    pub async fn table(&self, country: &str) -> Result<TaxTable> {
        let statement =
            sql(format!("{TABLE} WHERE t.country = ? ORDER BY r.tax_class, r.valid_from")).bind(country);
        let rows = self.sql.fetch(statement).await?;
        Ok(tables(&rows)?.pop().unwrap_or_else(|| TaxTable::untaxed(country)))
    }

    /// At most `limit` tables after a country, by country.
    ///
    /// # Errors
    /// What the store says.
    pub async fn list(&self, after: &str, limit: u32) -> Result<Vec<TaxTable>> {
        let countries = sql("SELECT country FROM tax_tables WHERE country > ? ORDER BY country LIMIT ?")
            .bind(after)
            .bind(limit);
        let countries = self.sql.fetch(countries).await?;
        let mut tables = Vec::with_capacity(countries.len());
        for row in &countries {
            tables.push(self.table(row.str("country")?).await?);
        }
        Ok(tables)
    }

    /// The remembered answer of a request, if it was done before.
    ///
    /// # Errors
    /// `IDEMPOTENCY_KEY_REUSED` when it was another request.
    pub async fn answer(&self, key: &RequestKey) -> Result<Option<Vec<u8>>> {
        self.sql.answer(key).await
    }

    /// Replaces a table by its next version: `table.version` is the new one.
    ///
    /// # Errors
    /// As [`store::CommitError`]; `Unexpected` or `Duplicate` when the version before is another.
    pub async fn set_table(
        &self,
        table: &TaxTable,
        event: NewEvent,
        key: RequestKey,
        answer: Vec<u8>,
    ) -> std::result::Result<(), store::CommitError> {
        let mut batch = Batch::new().remember(key, answer).event(event);
        if table.version == 1 {
            let insert = sql("INSERT INTO tax_tables (country, tax_mode, version) VALUES (?, ?, 1)");
            batch.push_insert(insert.bind(table.country.as_str()).bind(table.mode.word()), "version");
        } else {
            let update =
                sql("UPDATE tax_tables SET tax_mode = ?, version = ? WHERE country = ? AND version = ?")
                    .bind(table.mode.word())
                    .bind(table.version)
                    .bind(table.country.as_str())
                    .bind(table.version - 1);
            batch.push_expect(update, 1, "version");
            batch.push_run(sql("DELETE FROM tax_rates WHERE country = ?").bind(table.country.as_str()));
        }
        for rate in &table.rates {
            let insert = sql("INSERT INTO tax_rates (country, tax_class, valid_from, name, rate_micros) VALUES (?, ?, ?, ?, ?)")
                .bind(table.country.as_str())
                .bind(rate.class.as_str())
                .bind(rate.valid_from)
                .bind(rate.name.as_str())
                .bind(rate.rate_micros);
            batch.push_insert(insert, "rate");
        }
        let done = self.sql.commit(batch).await.map(|_| ());
        self.remembered.lock().tables.remove(&table.country);
        done
    }

    /// Replaces the settings by their next version: `settings.version` is the new one.
    ///
    /// # Errors
    /// As [`store::CommitError`]; `Unexpected` when the version before is another.
    pub async fn set_settings(
        &self,
        settings: &Settings,
        event: NewEvent,
        key: RequestKey,
        answer: Vec<u8>,
    ) -> std::result::Result<(), store::CommitError> {
        let update = sql("UPDATE settings SET rounding = ?, rounding_level = ?, home_country = ?, version = ? WHERE id = ? AND version = ?")
            .bind(word(settings.rounding, ROUNDINGS))
            .bind(word(settings.level, LEVELS))
            .bind(settings.home_country.as_str())
            .bind(settings.version)
            .bind(SETTINGS)
            .bind(settings.version - 1);
        let batch = Batch::new().remember(key, answer).expect(update, 1, "version").event(event);
        let done = self.sql.commit(batch).await.map(|_| ());
        self.remembered.lock().settings = None;
        done
    }
}

/// Groups rows of the join into tables.
fn tables(rows: &[Row]) -> Result<Vec<TaxTable>> {
    let mut tables: Vec<TaxTable> = Vec::new();
    for row in rows {
        let country = row.str("country")?;
        if tables.last().is_none_or(|table| table.country != country) {
            tables.push(TaxTable {
                country: country.to_owned(),
                mode: TaxMode::from_word(row.str("tax_mode")?)?,
                rates: Vec::new(),
                version: row.int("version")?,
            });
        }
        if let (Some(class), Some(table)) = (row.opt_text("tax_class")?, tables.last_mut()) {
            table.rates.push(TaxRate {
                class,
                name: row.text("name")?,
                rate_micros: row.int("rate_micros")?,
                valid_from: row.timestamp("valid_from")?,
            });
        }
    }
    Ok(tables)
}

pub(crate) const ROUNDINGS: &[(Rounding, &str)] = &[
    (Rounding::HalfEven, "half_even"),
    (Rounding::HalfUp, "half_up"),
    (Rounding::Down, "down"),
    (Rounding::Up, "up"),
];
pub(crate) const LEVELS: &[(RoundingLevel, &str)] =
    &[(RoundingLevel::Line, "line"), (RoundingLevel::Total, "total")];

fn word<T: PartialEq + Copy>(value: T, words: &'static [(T, &'static str)]) -> &'static str {
    words.iter().find(|(known, _)| *known == value).map(|(_, word)| *word).expect("every value has a word")
}

pub(crate) fn read_word<T: Copy>(text: &str, words: &'static [(T, &'static str)]) -> Result<T> {
    let found = words.iter().find(|(_, word)| *word == text).map(|(value, _)| *value);
    found.ok_or_else(|| kernel::Error::internal(format!("{text:?} is not known in the settings")))
}

/// The tables that every shop begins with, at version 1, as their migration has them: `('AT', 'inclusive', 1)` and
/// `('AT', 'standard', 0, 'VAT', 200000)`, a line each. By country, with their rates by class.
pub(crate) fn defaults() -> Vec<TaxTable> {
    let mut tables: BTreeMap<&str, TaxTable> = BTreeMap::new();
    for line in DEFAULT_RATES.lines() {
        let Some((row, _)) = line.trim().strip_prefix('(').and_then(|line| line.split_once(')')) else {
            continue;
        };
        let columns: Vec<&str> = row.split(", ").map(|column| column.trim_matches('\'')).collect();
        match columns.as_slice() {
            [country, mode, "1"] => {
                let mode = if *mode == "exclusive" { TaxMode::Exclusive } else { TaxMode::Inclusive };
                tables.insert(country, TaxTable { mode, version: 1, ..TaxTable::untaxed(country) });
            }
            [country, class, "0", name, rate] => {
                if let (Some(table), Ok(rate_micros)) = (tables.get_mut(country), rate.parse()) {
                    let (class, name) = ((*class).to_owned(), (*name).to_owned());
                    table.rates.push(TaxRate { class, name, rate_micros, valid_from: Timestamp::default() });
                }
            }
            _ => {}
        }
    }
    let mut tables: Vec<TaxTable> = tables.into_values().collect();
    tables.iter_mut().for_each(|table| table.rates.sort_by(|a, b| a.class.cmp(&b.class)));
    tables
}
