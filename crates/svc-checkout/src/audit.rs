//! What an audit checks of the stored tax tables and settings. Keys of quotes are stored nowhere: they are derived.

use std::collections::BTreeSet;
use std::sync::Arc;

use chassis::audit::{Examine, Examined, Fact};
use contract::souk::checkout::v1 as pb;
use kernel::{Result, Violations};
use prost::Message as _;
use store::{Database, Row, Sql, StoredEvent, sql};
use tonic::async_trait;

use crate::api::{settings_to_wire, table_to_wire};
use crate::domain::{RATES_MAX, Settings, TaxMode, TaxRate, TaxTable, check_rates};
use crate::store::{LEVELS, ROUNDINGS, SETTINGS, defaults, read_word};

/// Rates of one table that are looked at; more than it may have are damage.
const RATES_READ_MAX: i64 = RATES_MAX as i64 + 1;

/// The tables of a database.
pub(crate) fn tables(database: &Database) -> [Arc<dyn Examine>; 3] {
    [
        Arc::new(TaxRows(database.sql())),
        Arc::new(StrayRows(database.sql())),
        Arc::new(SettingsRows(database.sql())),
    ]
}

struct TaxRows(Sql);
struct StrayRows(Sql);
struct SettingsRows(Sql);

#[async_trait]
impl Examine for TaxRows {
    fn table(&self) -> &'static str {
        "tax tables"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let query = sql(
            "SELECT country, tax_mode, version FROM tax_tables WHERE country > ? ORDER BY country LIMIT ?",
        )
        .bind(after.unwrap_or_default())
        .bind(limit);
        let heads = self.0.fetch(query).await?;
        let mut examined = Examined::default();
        for head in &heads {
            let country = head.str("country")?;
            let query =
                sql("SELECT tax_class, valid_from, name, rate_micros FROM tax_rates WHERE country = ? \
                 ORDER BY tax_class, valid_from LIMIT ?")
                .bind(country)
                .bind(RATES_READ_MAX);
            let rates = self.0.fetch(query).await?;
            examined.rows += 1 + rates.len();
            check_table(head, &rates, &mut examined)?;
            if examined.rows >= limit as usize {
                examined.next = Some(country.to_owned());
                return Ok(examined);
            }
        }
        Ok(examined)
    }
}

fn check_table(head: &Row, rates: &[Row], examined: &mut Examined) -> Result<()> {
    let (country, version) = (head.text("country")?, head.int("version")?);
    let at = format!("tax table {country}");
    let known = contract::wire::parse_country("", &country).is_ok() && country != "ZZ";
    examined.expects(known, &at, "a country", &country);
    examined.expects(version > 0, &at, "a version from 1", version);
    let Ok(mode) = TaxMode::from_word(head.str("tax_mode")?) else {
        examined.finds(at, "a tax mode", head.text("tax_mode")?);
        return Ok(());
    };
    let mut table = TaxTable { country, mode, rates: Vec::with_capacity(rates.len()), version };
    for rate in rates {
        table.rates.push(TaxRate {
            class: rate.text("tax_class")?,
            name: rate.text("name")?,
            rate_micros: rate.int("rate_micros")?,
            valid_from: rate.timestamp("valid_from")?,
        });
    }
    let (mut clean, mut violations) = (table.rates.clone(), Violations::new());
    check_rates(&mut clean, &mut violations);
    if let Err(error) = violations.finish() {
        for wrong in error.violations() {
            examined.finds(format!("{at}{}", wrong.field), "a rate that may be", wrong.description.clone());
        }
    }
    examined.expects(clean == table.rates, &at, "texts as they are written", "others");
    let default = defaults().into_iter().find(|default| default.country == table.country);
    let is_default = default.filter(|_| table.version == 1);
    let fact = Fact::new("row", format!("tax:{}", table.country)).version(version);
    if let Some(default) = &is_default {
        // Nobody set it: it is what the shop began with.
        let same = content(&table_to_wire(default)) == content(&table_to_wire(&table));
        examined.expects(same, &at, "the mode and the rates that version 1 began with", "others");
    }
    let fact = fact.content(&content(&table_to_wire(&table)));
    examined.facts.push(if is_default.is_some() { fact.state("unpublished") } else { fact });
    Ok(())
}

/// Rates of a country without a table, and tables that are gone: none is ever removed.
#[async_trait]
impl Examine for StrayRows {
    fn table(&self) -> &'static str {
        "tax rates without a table"
    }

    async fn page(&self, _: Option<&str>, limit: u32) -> Result<Examined> {
        let query = sql("SELECT r.country AS country, r.tax_class AS tax_class FROM tax_rates r \
             LEFT JOIN tax_tables t ON t.country = r.country WHERE t.country IS NULL ORDER BY r.country, r.tax_class LIMIT ?");
        let strays = self.0.fetch(query.bind(limit)).await?;
        let countries = self.0.fetch(sql("SELECT country FROM tax_tables LIMIT ?").bind(limit)).await?;
        let mut examined = Examined { rows: strays.len() + countries.len(), ..Examined::default() };
        for stray in &strays {
            let row = format!("tax rate {} of {}", stray.str("tax_class")?, stray.str("country")?);
            examined.finds(row, "a tax table of its country", "none");
        }
        let countries =
            countries.iter().map(|row| row.text("country")).collect::<Result<BTreeSet<String>>>()?;
        for default in defaults() {
            let row = format!("tax table {}", default.country);
            examined.expects(countries.contains(&default.country), &row, "the table, or a later one", "none");
        }
        Ok(examined)
    }
}

#[async_trait]
impl Examine for SettingsRows {
    fn table(&self) -> &'static str {
        "settings"
    }

    async fn page(&self, _: Option<&str>, limit: u32) -> Result<Examined> {
        let query =
            "SELECT id, rounding, rounding_level, home_country, version FROM settings ORDER BY id LIMIT ?";
        let rows = self.0.fetch(sql(query).bind(limit)).await?;
        let mut examined = Examined { rows: rows.len(), ..Examined::default() };
        let there = rows.iter().any(|row| row.str("id").is_ok_and(|id| id == SETTINGS));
        examined.expects(there, SETTINGS, "the settings of checkout", "none");
        for row in &rows {
            let at = row.text("id")?;
            examined.expects(at == SETTINGS, &at, "no other settings than those of checkout", &at);
            let home_country = row.text("home_country")?;
            let known = contract::wire::parse_country("", &home_country).is_ok() && home_country != "ZZ";
            examined.expects(known, &at, "a country", &home_country);
            let version = row.int("version")?;
            examined.expects(version > 0, &at, "a version from 1", version);
            let (rounding, level) =
                (read_word(row.str("rounding")?, ROUNDINGS), read_word(row.str("rounding_level")?, LEVELS));
            let (Ok(rounding), Ok(level)) = (rounding, level) else {
                let found = format!("{} {}", row.str("rounding")?, row.str("rounding_level")?);
                examined.finds(at, "a way of rounding and its level", found);
                continue;
            };
            let settings = Settings { rounding, level, home_country, version };
            if version == 1 {
                let begun = settings == Settings::at_first();
                examined.expects(begun, &at, "what version 1 began with", format!("{settings:?}"));
            }
            let fact = Fact::new("row", at).version(version);
            let fact = fact.content(&settings_to_wire(&settings).encode_to_vec());
            examined.facts.push(if version == 1 { fact.state("unpublished") } else { fact });
        }
        Ok(examined)
    }
}

/// What a table says, whatever the order of its rates.
fn content(table: &pb::TaxTable) -> Vec<u8> {
    let mut table = table.clone();
    table.rates.sort_by(|a, b| {
        let from = |rate: &pb::TaxRate| rate.valid_from.map(|from| (from.seconds, from.nanos));
        (&a.tax_class, from(a)).cmp(&(&b.tax_class, from(b)))
    });
    table.encode_to_vec()
}

/// What an event of this service says: the table or the settings after it.
///
/// # Errors
/// When it is about something else than it says.
pub(crate) fn describe(event: &StoredEvent) -> std::result::Result<Vec<Fact>, String> {
    let (bytes, of) = (event.event.payload.as_slice(), &event.event.aggregate_id);
    let (key, version, content) = match event.event.type_name.as_str() {
        "souk.checkout.v1.TaxTableChanged" => {
            let changed = pb::TaxTableChanged::decode(bytes).map_err(|error| error.to_string())?;
            let table = changed.table.ok_or("an event without its table")?;
            (format!("tax:{}", table.country_code), table.version, content(&table))
        }
        "souk.checkout.v1.CheckoutSettingsChanged" => {
            let changed = pb::CheckoutSettingsChanged::decode(bytes).map_err(|error| error.to_string())?;
            let settings = changed.settings.ok_or("an event without its settings")?;
            (SETTINGS.to_owned(), settings.version, settings.encode_to_vec())
        }
        other => return Err(format!("an event {other}")),
    };
    if key != *of {
        return Err(format!("{key} in an event of {of}"));
    }
    Ok(vec![Fact::new("event", key).version(version).content(&content)])
}

#[cfg(test)]
mod tests {
    use store::OpenOptions;

    use super::*;
    use crate::store::MIGRATIONS;

    struct Still;
    impl kernel::Clock for Still {
        fn now(&self) -> kernel::Timestamp {
            kernel::Timestamp::from_secs(1_700_000_000)
        }
        fn monotonic(&self) -> std::time::Duration {
            std::time::Duration::ZERO
        }
    }

    /// What is found in a new database after a statement.
    async fn found(statement: &str) -> Vec<String> {
        let options = OpenOptions::new(Arc::new(Still));
        let database = store::open("mem:", "checkout", MIGRATIONS, options).await.expect("opened");
        if !statement.is_empty() {
            let batch = store::Batch::new().run(sql(statement.to_owned()));
            database.sql().commit(batch).await.expect("written");
        }
        let mut rows = Vec::new();
        for table in tables(&database) {
            let mut after = None;
            loop {
                let page = table.page(after.as_deref(), 40).await.expect("read");
                assert!(page.rows <= 40 + RATES_MAX, "{} rows", page.rows);
                rows.extend(page.findings.into_iter().map(|finding| finding.row));
                after = page.next;
                if after.is_none() {
                    break;
                }
            }
        }
        rows
    }

    #[tokio::test]
    async fn what_a_shop_begins_with_is_good() {
        assert_eq!(defaults().len(), 29);
        assert_eq!(found("").await, Vec::<String>::new());
    }

    #[tokio::test]
    async fn each_kind_of_damage_is_named() {
        for (statement, row) in [
            ("UPDATE tax_rates SET rate_micros = -1", "tax table AT/rates/0/rate_micros"),
            (
                "UPDATE tax_rates SET rate_micros = 190000 WHERE country = 'GB' AND tax_class = 'standard'",
                "tax table GB",
            ),
            ("UPDATE tax_rates SET name = '' WHERE country = 'GB'", "tax table GB/rates/0/name"),
            (
                "UPDATE tax_rates SET valid_from = -1 WHERE country = 'SE' AND tax_class = 'zero'",
                "tax table SE/rates/2/valid_from",
            ),
            ("UPDATE tax_tables SET tax_mode = 'x'", "tax table US"),
            ("UPDATE tax_tables SET tax_mode = 'exclusive' WHERE country = 'FR'", "tax table FR"),
            ("UPDATE tax_tables SET version = 0 WHERE country = 'FR'", "tax table FR"),
            ("UPDATE tax_tables SET country = 'XX' WHERE country = 'DE'", "tax table XX"),
            ("DELETE FROM tax_tables WHERE country = 'DE'", "tax rate standard of DE"),
            ("DELETE FROM tax_tables", "tax table GB"),
            ("DELETE FROM tax_rates WHERE country = 'US' OR country = 'IT'", "tax table IT"),
            ("DELETE FROM settings", "settings"),
            ("UPDATE settings SET id = 'other'", "other"),
            ("UPDATE settings SET rounding = 'x'", "settings"),
            ("UPDATE settings SET rounding = 'half_up'", "settings"),
            ("UPDATE settings SET rounding_level = 'x'", "settings"),
            ("UPDATE settings SET home_country = 'xx'", "settings"),
            ("UPDATE settings SET version = -1", "settings"),
        ] {
            let found = found(statement).await;
            assert!(found.iter().any(|found| found == row), "{row} should be named: {statement}: {found:?}");
        }
    }
}
