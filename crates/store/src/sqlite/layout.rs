//! Whether a database has the tables, columns, indexes and triggers that its migrations make, and no others.
//!
//! What is expected is made once, by the same statements in a database in memory. Documents have no migrations: their tables follow
//! from the kinds that this process declared and from the indexes that the database recorded.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Result};

use super::{documents, schema};
use crate::docs::DeclaredKind;
use crate::migration::Migration;

/// Objects of a schema by their type and name: SQLite's own (automatic indexes, statistics) are left out, since they follow from
/// the others or decide nothing.
const OBJECTS: &str = "SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE substr(name, 1, 7) <> 'sqlite_' ORDER BY type, name";
const COLUMNS: &str = "SELECT name FROM pragma_table_xinfo(?)";
const RECORDED_INDEXES: &str = "SELECT kind, name, rule FROM souk_index ORDER BY kind, name";
const RECORDED_STEPS: &str = "SELECT name, hash FROM souk_migration ORDER BY name";

/// A table, an index, a trigger or a view.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Object {
    /// The table that it belongs to.
    table: String,
    /// How it was made, in one spelling.
    text: String,
    /// The columns of a table; empty for the others.
    columns: Vec<String>,
}

/// The objects of a schema, by type and name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Layout(BTreeMap<(String, String), Object>);

impl Layout {
    /// What the store's own statements and these migrations make in an empty database.
    pub(super) fn expected(migrations: &[Migration]) -> Result<Self> {
        let conn = Connection::open_in_memory()?;
        conn.execute_batch(schema::TABLES)?;
        for migration in migrations {
            conn.execute_batch(migration.sql)?;
        }
        Self::read(&conn)
    }

    fn read(conn: &Connection) -> Result<Self> {
        let mut objects = BTreeMap::new();
        let mut select = conn.prepare(OBJECTS)?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, name): (String, String) = (row.get(0)?, row.get(1)?);
            let text: Option<String> = row.get(3)?;
            let columns = if kind == "table" { columns(conn, &name)? } else { Vec::new() };
            let object =
                Object { table: row.get(2)?, text: normalize_sql(&text.unwrap_or_default()), columns };
            objects.insert((kind, name), object);
        }
        Ok(Self(objects))
    }

    fn add(&mut self, kind: &str, name: String, table: String, text: &str, columns: Vec<String>) {
        self.0.insert((kind.to_owned(), name), Object { table, text: normalize_sql(text), columns });
    }

    fn table(&self, name: &str) -> Option<&Object> {
        self.0.get(&("table".to_owned(), name.to_owned()))
    }
}

fn columns(conn: &Connection, table: &str) -> Result<Vec<String>> {
    conn.prepare_cached(COLUMNS)?.query_map([table], |row| row.get(0))?.collect()
}

/// What differs from `expected`, in sentences. To be called within a transaction, so that all is of one moment.
pub(super) fn differences(
    conn: &Connection,
    expected: &Layout,
    migrations: &[Migration],
    kinds: &[DeclaredKind],
) -> Result<Vec<String>> {
    let found = Layout::read(conn)?;
    let mut problems = Vec::new();
    let mut expected = expected.clone();
    // When one of these tables is gone, that is told below.
    if found.table("souk_index").is_some() {
        add_documents(&mut expected, &found, &recorded_indexes(conn)?, kinds, &mut problems);
    }
    if found.table("souk_migration").is_some() {
        compare_steps(conn, migrations, &mut problems)?;
    }
    for ((kind, name), object) in &expected.0 {
        match found.0.get(&(kind.clone(), name.clone())) {
            Some(other) if other.text == object.text => {}
            Some(other) => compare(kind, name, object, other, &mut problems),
            None => problems.push(format!("{} is missing", object_name(kind, name, &object.table))),
        }
    }
    for ((kind, name), object) in &found.0 {
        if !expected.0.contains_key(&(kind.clone(), name.clone())) {
            problems
                .push(format!("{} was added: no migration makes it", object_name(kind, name, &object.table)));
        }
    }
    Ok(problems)
}

fn object_name(kind: &str, name: &str, table: &str) -> String {
    if kind == "table" { format!("table {name}") } else { format!("{kind} {name} on {table}") }
}

/// Says what of a table or an index is otherwise.
fn compare(kind: &str, name: &str, expected: &Object, found: &Object, problems: &mut Vec<String>) {
    let object = object_name(kind, name, &expected.table);
    let before = problems.len();
    for column in expected.columns.iter().filter(|column| !found.columns.contains(column)) {
        problems.push(format!("{object} has no column {column}"));
    }
    for column in found.columns.iter().filter(|column| !expected.columns.contains(column)) {
        problems.push(format!("{object} has a column {column} that no migration makes"));
    }
    if problems.len() == before {
        problems.push(format!("{object} differs from its definition in the migrations: {}", found.text));
    }
}

/// Each step is recorded as it reads, and there are no others.
fn compare_steps(conn: &Connection, known: &[Migration], problems: &mut Vec<String>) -> Result<()> {
    let mut select = conn.prepare(RECORDED_STEPS)?;
    let recorded: BTreeMap<String, Vec<u8>> =
        select.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_>>()?;
    for step in known {
        match recorded.get(step.name) {
            Some(hash) if *hash == step.hash() => {}
            Some(_) => problems.push(format!("migration {} is recorded with another hash", step.name)),
            None => problems.push(format!("migration {} is not recorded", step.name)),
        }
    }
    for name in recorded.keys().filter(|name| !known.iter().any(|step| step.name == *name)) {
        problems.push(format!("migration {name} is recorded, but this release has no such migration"));
    }
    Ok(())
}

/// The indexes that each kind of documents has, with their rules, as the database recorded them.
type Recorded = BTreeMap<String, BTreeMap<String, String>>;

fn recorded_indexes(conn: &Connection) -> Result<Recorded> {
    let mut recorded = Recorded::new();
    let mut select = conn.prepare(RECORDED_INDEXES)?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let indexes = recorded.entry(row.get(0)?).or_default();
        indexes.insert(row.get(1)?, row.get(2)?);
    }
    Ok(recorded)
}

/// Adds the tables of documents. A kind that this process has not used yet may still be as an earlier release left it, so it is
/// as recorded; so is a kind or an index that only an earlier release had.
fn add_documents(
    expected: &mut Layout,
    found: &Layout,
    recorded: &Recorded,
    kinds: &[DeclaredKind],
    problems: &mut Vec<String>,
) {
    let none = BTreeMap::new();
    let names: BTreeSet<&str> =
        kinds.iter().map(|declared| declared.kind).chain(recorded.keys().map(String::as_str)).collect();
    for kind in names {
        let declared = kinds.iter().find(|declared| declared.kind == kind);
        let ready = declared.is_some_and(|declared| declared.ready);
        let recorded = recorded.get(kind).unwrap_or(&none);
        let name = format!("doc_{kind}");
        let stored = found.table(&name);
        if stored.is_none() && recorded.is_empty() && !ready {
            continue;
        }
        let declared: BTreeMap<&str, &str> = declared
            .iter()
            .flat_map(|declared| declared.indexes)
            .map(|index| (index.name, documents::rule(index)))
            .collect();
        let mut indexes: BTreeMap<&str, &str> =
            recorded.iter().map(|(name, rule)| (name.as_str(), rule.as_str())).collect();
        if ready {
            for (index, rule) in &declared {
                if recorded.get(*index).is_none_or(|recorded| recorded != rule) {
                    problems.push(format!("index {index} of {name} is not recorded as {rule}"));
                }
            }
            indexes.extend(declared.iter().map(|(index, rule)| (*index, *rule)));
        }
        // Columns stand in the order in which releases added them.
        let is_known_index = |index: &str| indexes.contains_key(index) || declared.contains_key(index);
        let stored_columns = stored.map(|table| table.columns.as_slice()).unwrap_or_default();
        let mut index_columns: Vec<&str> = stored_columns
            .iter()
            .filter_map(|column| column.strip_prefix("k_"))
            .filter(|index| is_known_index(index))
            .collect();
        let missing: Vec<&str> =
            indexes.keys().copied().filter(|index| !index_columns.contains(index)).collect();
        index_columns.extend(missing);
        let mut columns: Vec<String> = ["id", "version", "body"].map(str::to_owned).to_vec();
        columns.extend(index_columns.iter().map(|index| format!("k_{index}")));
        expected.add(
            "table",
            name.clone(),
            name.clone(),
            &documents::table_text(kind, index_columns),
            columns,
        );
        for (index, rule) in indexes {
            let text = documents::index_text(kind, index, rule == documents::UNIQUE);
            expected.add("index", format!("{kind}.{index}"), name.clone(), &text, Vec::new());
        }
    }
}

/// One spelling of a statement: without comments, one blank between words and none beside signs, plain names without quotes.
fn normalize_sql(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    let mut blank = false;
    while let Some(first) = rest.chars().next() {
        let taken = match first {
            _ if rest.starts_with("--") => rest.find('\n').unwrap_or(rest.len()),
            _ if rest.starts_with("/*") => rest[2..].find("*/").map_or(rest.len(), |end| end + 4),
            quote @ ('\'' | '"') => rest[1..].find(quote).map_or(rest.len(), |end| end + 2),
            other => other.len_utf8(),
        };
        let (token, after) = rest.split_at(taken);
        rest = after;
        if token.starts_with("--") || token.starts_with("/*") || first.is_whitespace() {
            blank = true;
            continue;
        }
        let is_punctuation = |c: char| matches!(c, '(' | ')' | ',' | ';');
        if blank && !is_punctuation(first) && !out.is_empty() && !out.ends_with(is_punctuation) {
            out.push(' ');
        }
        blank = false;
        let plain = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        let unquoted = token.strip_prefix('"').and_then(|token| token.strip_suffix('"'));
        out.push_str(unquoted.filter(|name| plain(name)).unwrap_or(token));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::docs::Index;

    const MIGRATIONS: &[Migration] = &[Migration {
        name: "0001_orders",
        sql: "-- Orders.\nCREATE TABLE orders (\n  id VARCHAR(9) NOT NULL PRIMARY KEY, -- theirs\n  due_at BIGINT,\n  UNIQUE (due_at)\n);\n\
              CREATE INDEX orders_due ON orders (due_at);",
    }];
    const CARTS: &[Index] = &[Index::plain("expires"), Index::unique("owner")];
    const READY: &[DeclaredKind] = &[DeclaredKind { kind: "cart", indexes: CARTS, ready: true }];

    /// A database with a table of rows and one of documents.
    fn database() -> Connection {
        let conn = Connection::open_in_memory().expect("opens");
        conn.execute_batch(schema::TABLES).expect("made");
        for step in MIGRATIONS {
            conn.execute_batch(step.sql).expect("made");
            let record = "INSERT INTO souk_migration (name, hash, applied_at) VALUES (?, ?, 1)";
            conn.execute(record, (step.name, step.hash())).expect("recorded");
        }
        // An earlier release had one index; this one added the other.
        conn.execute_batch(
            "CREATE TABLE doc_cart (id TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, body TEXT NOT NULL, k_owner);
             CREATE UNIQUE INDEX \"cart.owner\" ON doc_cart (k_owner);
             ALTER TABLE doc_cart ADD COLUMN k_expires;
             CREATE INDEX \"cart.expires\" ON doc_cart (k_expires, id);
             INSERT INTO souk_index (kind, name, rule) VALUES ('cart', 'owner', 'unique'), ('cart', 'expires', 'plain');
             ANALYZE",
        )
        .expect("made");
        conn
    }

    fn found(damage: &str, kinds: &[DeclaredKind]) -> Vec<String> {
        let conn = database();
        conn.execute_batch(damage).expect(damage);
        let expected = Layout::expected(MIGRATIONS).expect("made");
        differences(&conn, &expected, MIGRATIONS, kinds).expect("compared")
    }

    #[test]
    fn what_the_migrations_made_is_good() {
        let unused = [DeclaredKind { ready: false, ..READY[0] }];
        for kinds in [READY, &unused, &[]] {
            assert_eq!(found("", kinds), [""; 0]);
        }
        // A kind whose new index is being made, and one that nobody has used yet.
        let begun = "DROP INDEX \"cart.expires\"; DELETE FROM souk_index WHERE name = 'expires'";
        assert_eq!(found(begun, &unused), [""; 0]);
        let new = [READY[0], DeclaredKind { kind: "order", indexes: CARTS, ready: false }];
        assert_eq!(found("", &new), [""; 0]);
    }

    #[test]
    fn each_difference_is_named() {
        for (damage, told) in [
            ("DROP INDEX orders_due", "index orders_due on orders is missing"),
            ("DROP INDEX souk_request_expires", "index souk_request_expires on souk_request is missing"),
            (
                "DROP INDEX orders_due; CREATE INDEX orders_due ON orders (id)",
                "index orders_due on orders differs from its definition in the migrations: CREATE INDEX orders_due ON orders(id)",
            ),
            (
                "CREATE TRIGGER quiet BEFORE DELETE ON orders BEGIN SELECT 1; END",
                "trigger quiet on orders was added: no migration makes it",
            ),
            ("CREATE VIEW seen AS SELECT 1", "view seen on seen was added: no migration makes it"),
            ("CREATE TABLE extra (id BIGINT)", "table extra was added: no migration makes it"),
            ("CREATE TABLE doc_extra (id BIGINT)", "table doc_extra was added: no migration makes it"),
            ("CREATE INDEX extra ON orders (id)", "index extra on orders was added: no migration makes it"),
            (
                "ALTER TABLE orders ADD COLUMN extra BIGINT",
                "table orders has a column extra that no migration makes",
            ),
            ("DROP TABLE souk_lease", "table souk_lease is missing"),
            ("DROP TABLE souk_index", "table souk_index is missing"),
            ("DROP TABLE souk_migration", "table souk_migration is missing"),
            ("ALTER TABLE souk_lease DROP COLUMN run", "table souk_lease has no column run"),
            (
                "DROP TABLE orders; CREATE TABLE orders (id VARCHAR(9) NOT NULL PRIMARY KEY, due_at BIGINT)",
                "table orders differs from its definition in the migrations: \
                 CREATE TABLE orders(id VARCHAR(9)NOT NULL PRIMARY KEY,due_at BIGINT)",
            ),
            ("DELETE FROM souk_migration", "migration 0001_orders is not recorded"),
            ("UPDATE souk_migration SET hash = X'00'", "migration 0001_orders is recorded with another hash"),
            (
                "INSERT INTO souk_migration VALUES ('0002_more', X'00', 1)",
                "migration 0002_more is recorded, but this release has no such migration",
            ),
            ("DROP INDEX \"cart.owner\"", "index cart.owner on doc_cart is missing"),
            (
                "DROP INDEX \"cart.owner\"; CREATE INDEX \"cart.owner\" ON doc_cart (k_owner)",
                "index cart.owner on doc_cart differs from its definition in the migrations: \
                 CREATE INDEX \"cart.owner\" ON doc_cart(k_owner)",
            ),
            (
                "DELETE FROM souk_index WHERE name = 'owner'",
                "index owner of doc_cart is not recorded as unique",
            ),
            ("UPDATE souk_index SET rule = 'unique'", "index expires of doc_cart is not recorded as plain"),
            (
                "ALTER TABLE doc_cart ADD COLUMN k_extra",
                "table doc_cart has a column k_extra that no migration makes",
            ),
            ("DROP TABLE doc_cart", "table doc_cart is missing"),
        ] {
            let found = found(damage, READY);
            assert!(
                found.iter().any(|found| found == told),
                "{damage} should be told as {told:?}: {found:?}"
            );
        }
    }

    #[test]
    fn statements_have_one_spelling() {
        let text = "CREATE  TABLE \"a\" (\n  b VARCHAR(9), -- a comment, ( with signs\n  c TEXT /* and\n more */ DEFAULT 'x  -- y' )";
        assert_eq!(normalize_sql(text), "CREATE TABLE a(b VARCHAR(9),c TEXT DEFAULT 'x  -- y')");
        assert_eq!(normalize_sql("INDEX i ON a (b /*/ ,c /*/ )"), "INDEX i ON a(b)", "one comment");
        assert_eq!(normalize_sql("INDEX \"a.b\" ON a (c)"), "INDEX \"a.b\" ON a(c)");
    }
}
