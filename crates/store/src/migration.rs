//! Forward-only changes of a database's tables.

use kernel::{Code, Error, Result};
use sha2::{Digest, Sha256};

/// One step, kept in a file of the service: `Migration { name: "0001_orders", sql: include_str!("…/0001_orders.sql") }`.
///
/// A step that has been released is never edited, since databases remember its hash; a later one follows it.
#[derive(Clone, Copy, Debug)]
pub struct Migration {
    /// Sorts after all before it; for example `0001_orders`.
    pub name: &'static str,
    /// Portable statements separated by `;`.
    pub sql: &'static str,
}

/// A step as a database recorded it.
#[derive(Clone, Debug)]
pub(crate) struct Applied {
    pub(crate) name: String,
    pub(crate) hash: Vec<u8>,
}

impl Migration {
    /// SHA-256 of its text; line ends do not count, so that a checkout on another system has the same.
    pub(crate) fn hash(&self) -> Vec<u8> {
        Sha256::digest(self.sql.replace("\r\n", "\n").as_bytes()).to_vec()
    }
}

/// What of `known` is still to be applied to the database `place`, given what it recorded, in order.
///
/// # Errors
/// `DATA_NEWER` when the database was made by a later release; `MIGRATION_CHANGED` when a recorded step reads otherwise
/// now; `INTERNAL` when `known` is not in order.
pub(crate) fn pending<'a>(
    place: &str,
    known: &'a [Migration],
    applied: &[Applied],
) -> Result<&'a [Migration]> {
    if !known.is_sorted_by(|a, b| a.name < b.name) {
        return Err(Error::internal(format!(
            "the migrations of {place} are not in the order of their names"
        )));
    }
    if cfg!(debug_assertions) {
        for migration in known {
            crate::portable::check(migration.sql)
                .map_err(|refused| Error::internal(format!("migration {}: {refused}", migration.name)))?;
        }
    }
    for (at, step) in applied.iter().enumerate() {
        let Some(migration) = known.iter().find(|migration| migration.name == step.name) else {
            return Err(newer(place, &step.name));
        };
        if migration.hash() != step.hash {
            return Err(changed(place, migration.name, "reads otherwise than when it was applied"));
        }
        if known.get(at).is_none_or(|expected| expected.name != step.name) {
            let skipped = known.get(at).map_or("", |skipped| skipped.name);
            return Err(changed(place, skipped, "comes before steps that are applied already"));
        }
    }
    Ok(known.get(applied.len()..).unwrap_or_default())
}

pub(crate) fn newer(place: &str, what: &str) -> Error {
    let message = format!(
        "{place} was written by a newer release of souk ({what} is unknown to this one); start that release, or restore a backup \
         made by this one"
    );
    Error::new(Code::FailedPrecondition, "DATA_NEWER", message)
}

fn changed(place: &str, name: &str, what: &str) -> Error {
    let message = format!(
        "migration {name} {what}, so {place} cannot be opened; use the release that wrote it, or add a new migration instead"
    );
    Error::new(Code::FailedPrecondition, "MIGRATION_CHANGED", message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Migration = Migration { name: "0001_a", sql: "CREATE TABLE a (id VARCHAR(9))" };
    const TWO: Migration = Migration { name: "0002_b", sql: "CREATE TABLE b (id VARCHAR(9))" };

    fn applied(migrations: &[Migration]) -> Vec<Applied> {
        migrations.iter().map(|m| Applied { name: m.name.to_owned(), hash: m.hash() }).collect()
    }

    fn reason(known: &[Migration], applied: &[Applied]) -> String {
        pending("DIR", known, applied).expect_err("refused").reason().to_owned()
    }

    #[test]
    fn what_is_not_applied_is_pending() {
        assert_eq!(pending("DIR", &[ONE, TWO], &[]).expect("fine").len(), 2);
        assert_eq!(pending("DIR", &[ONE, TWO], &applied(&[ONE])).expect("fine")[0].name, TWO.name);
        assert!(pending("DIR", &[ONE, TWO], &applied(&[ONE, TWO])).expect("fine").is_empty());
    }

    #[test]
    fn a_newer_a_changed_and_a_skipped_step_are_refused() {
        assert_eq!(reason(&[ONE], &applied(&[ONE, TWO])), "DATA_NEWER");
        let edited = Migration { sql: "CREATE TABLE a (id VARCHAR(10))", ..ONE };
        assert_eq!(reason(&[edited, TWO], &applied(&[ONE])), "MIGRATION_CHANGED");
        assert_eq!(reason(&[ONE, TWO], &applied(&[TWO])), "MIGRATION_CHANGED");
        assert_eq!(reason(&[TWO, ONE], &[]), "INTERNAL");
    }

    #[test]
    fn line_ends_do_not_change_a_step() {
        let unix = Migration { name: "0001_a", sql: "CREATE TABLE a (\nid VARCHAR(9))" };
        let dos = Migration { name: "0001_a", sql: "CREATE TABLE a (\r\nid VARCHAR(9))" };
        assert_eq!(unix.hash(), dos.hash());
    }
}
