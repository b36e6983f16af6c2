//! Whether the databases are kept as they were written.

use super::Check;
use crate::audit::books::Books;

/// No database has a page, a row or an index that is damaged.
pub fn intact(books: &Books) -> Check {
    let mut check = Check::new("store.intact");
    for database in &books.storage {
        check.examined += 1;
        for problem in &database.problems {
            check.violated(format!("{}/{}", database.role, database.name), "an intact database", &**problem);
        }
    }
    check
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::books::Storage;

    #[test]
    fn a_damaged_database_is_named_with_what_is_wrong() {
        let of = |role: &str, problems: &[&str]| Storage {
            role: role.into(),
            name: role.into(),
            problems: problems.iter().map(|problem| (*problem).into()).collect(),
        };
        let wrong = "row 3 missing from index orders_by_due";
        let books = Books { storage: vec![of("cart", &[]), of("order", &[wrong])], ..Books::default() };
        let check = intact(&books);
        assert_eq!((check.examined, check.violations.len()), (2, 1));
        assert_eq!(
            (check.violations[0].at.as_str(), check.violations[0].found.as_str()),
            ("order/order", wrong)
        );
    }
}
