//! What an account may do beyond being a customer.

use std::collections::BTreeSet;

use kernel::{Code, Error, Result, Violations};

/// The permission that is all others.
pub const ADMIN: &str = "admin";
/// The permissions that services ask for beside those that the contracts name.
pub const KNOWN: [&str; 14] = [
    "accounts.read",
    "accounts.write",
    "catalogue.write",
    "checkout.override",
    "events.read",
    "orders.read",
    "orders.write",
    "payments.read",
    "payments.write",
    "search.write",
    "shipping.write",
    "stock.write",
    "users.read",
    "users.write",
];
/// Most permissions of one account.
const PERMISSIONS_MAX: usize = 50;
/// Longest name of a permission in bytes.
const NAME_BYTES_MAX: usize = 64;

/// A set of permissions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Permissions(BTreeSet<String>);

/// What a change of permissions means for the number of admins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AdminChange {
    /// As many as before.
    None,
    /// One more.
    Gained,
    /// One less.
    Lost,
}

impl Permissions {
    /// Reads what was asked for, against the permissions that exist.
    ///
    /// # Errors
    /// `PERMISSION_UNKNOWN` naming `/permissions/N`; `INVALID_ARGUMENT` for too many.
    pub fn parse(asked: &[String], exists: impl Fn(&str) -> bool) -> Result<Self> {
        let mut violations = Violations::new();
        violations.check(
            asked.len() <= PERMISSIONS_MAX,
            "/permissions",
            format!("has more than {PERMISSIONS_MAX} entries"),
        );
        violations.finish()?;
        for (n, name) in asked.iter().enumerate() {
            if name.len() > NAME_BYTES_MAX || !(name == ADMIN || exists(name)) {
                return Err(Error::field(
                    format!("/permissions/{n}"),
                    "PERMISSION_UNKNOWN",
                    "is not a permission",
                ));
            }
        }
        Ok(Self(asked.iter().cloned().collect()))
    }

    /// Whether some of these permissions are not among `new`.
    #[must_use]
    pub fn lost_in(&self, new: &Self) -> bool {
        !self.0.is_subset(&new.0)
    }

    /// The operator's.
    #[must_use]
    pub fn admin() -> Self {
        Self(BTreeSet::from([ADMIN.to_owned()]))
    }

    /// Reads a list that was stored by [`Self::stored`].
    #[must_use]
    pub fn from_stored(text: &str) -> Self {
        Self(text.split_whitespace().map(str::to_owned).collect())
    }

    /// As it is stored: each name between blanks, so that ` name ` is found in it.
    #[must_use]
    pub fn stored(&self) -> String {
        if self.0.is_empty() {
            return String::new();
        }
        let names: Vec<_> = self.0.iter().map(String::as_str).collect();
        format!(" {} ", names.join(" "))
    }

    /// Whether it is the list of somebody who runs the shop.
    #[must_use]
    pub fn is_staff(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether it holds everything.
    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.0.contains(ADMIN)
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether somebody who holds what `may` says may act on an account with these permissions: end its sessions, make it
    /// secrets, delete it. Otherwise a clerk who may write accounts could make a secret of an admin.
    ///
    /// # Errors
    /// `PERMISSION_NOT_HELD`.
    pub fn managed_by(&self, may: impl Fn(&str) -> bool) -> Result<()> {
        match self.names().find(|name| !may(name)) {
            None => Ok(()),
            Some(name) => Err(not_held(name)),
        }
    }

    /// Checks that somebody who holds what `may` says may turn these permissions into `new`: nobody gives or takes what
    /// they do not hold.
    ///
    /// # Errors
    /// `PERMISSION_NOT_HELD`.
    pub fn change(&self, new: &Self, may: impl Fn(&str) -> bool) -> Result<AdminChange> {
        if let Some(name) = self.0.symmetric_difference(&new.0).find(|name| !may(name)) {
            return Err(not_held(name));
        }
        Ok(match (self.is_admin(), new.is_admin()) {
            (false, true) => AdminChange::Gained,
            (true, false) => AdminChange::Lost,
            _ => AdminChange::None,
        })
    }
}

fn not_held(name: &str) -> Error {
    let message = format!("this takes the permission {name}, which you do not hold yourself");
    Error::new(Code::PermissionDenied, "PERMISSION_NOT_HELD", message).with("permission", name)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(names: &[&str]) -> Permissions {
        Permissions(names.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn unknown_names_are_refused_at_their_place() {
        let asked = ["orders.read".to_owned(), "orders.steal".to_owned()];
        let error = Permissions::parse(&asked, |name| name == "orders.read").expect_err("unknown");
        assert_eq!(
            (error.reason(), error.violations()[0].field.as_str()),
            ("PERMISSION_UNKNOWN", "/permissions/1")
        );
        let many = vec!["admin".to_owned(); PERMISSIONS_MAX + 1];
        assert_eq!(
            Permissions::parse(&many, |_| true).expect_err("many").violations()[0].field,
            "/permissions"
        );
    }

    #[test]
    fn nobody_gives_or_takes_what_they_do_not_hold() {
        let clerk = |name: &str| matches!(name, "accounts.write" | "orders.read");
        assert_eq!(set(&[]).change(&set(&["orders.read"]), clerk).expect("held"), AdminChange::None);
        for (old, new) in
            [(set(&[]), set(&["admin"])), (set(&["admin"]), set(&[])), (set(&[]), set(&["stock.write"]))]
        {
            assert_eq!(old.change(&new, clerk).expect_err("not held").reason(), "PERMISSION_NOT_HELD");
        }
        assert!(set(&["orders.read", "stock.write"]).change(&set(&["stock.write"]), clerk).is_ok());
        assert_eq!(set(&["admin"]).managed_by(clerk).expect_err("an admin").reason(), "PERMISSION_NOT_HELD");
        assert!(set(&["orders.read"]).managed_by(clerk).is_ok());
    }

    #[test]
    fn admins_are_counted() {
        let all = |_: &str| true;
        assert_eq!(set(&[]).change(&set(&["admin"]), all).expect("admin"), AdminChange::Gained);
        assert_eq!(set(&["admin"]).change(&set(&["x"]), all).expect("admin"), AdminChange::Lost);
        assert_eq!(set(&["admin"]).change(&set(&["admin", "x"]), all).expect("admin"), AdminChange::None);
    }

    proptest! {
        #[test]
        fn stored_reads_back(names in proptest::collection::btree_set("[a-z]{1,8}\\.[a-z]{1,8}", 0..20)) {
            let permissions = Permissions(names.clone());
            let stored = permissions.stored();
            for name in &names {
                let needle = format!(" {name} ");
                prop_assert!(stored.contains(&needle));
            }
            prop_assert_eq!(Permissions::from_stored(&stored), permissions);
        }
    }
}
