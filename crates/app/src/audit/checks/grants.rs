//! Who may do what: permissions, secrets and revocations of identity, by the events that gave and the rows that took them.

use super::Check;
use super::rows::{find, has_published};
use crate::audit::books::Books;
use crate::audit::rows::{Facts, RoleRows};

/// `identity.grants`: an account may do what the newest event that tells it says; each secret was told when it was made, is of the
/// account that it was made for and there as long as that is; what ended or lost permissions lately is revoked, and nothing that is revoked is live.
pub fn grants(books: &Books) -> Check {
    let mut check = Check::new("identity.grants");
    let Some(role) = find(books, "identity") else { return check };
    let empty = Facts::default();
    let set = |name: &str| role.set(name).unwrap_or(&empty);
    let mut wrong: Vec<(String, String, String)> = Vec::new();
    permissions(set("permissions set"), set("permissions held"), &mut wrong);
    secrets(role, set("secret made"), set("secret"), &mut wrong);
    revocations(set("must be revoked"), set("not revoked"), set("revocation"), &mut wrong);
    check.examined = (set("permissions held").len() + set("secret").len() + set("revocation").len()) as u64;
    wrong.sort_unstable();
    for (at, expected, found) in wrong {
        check.violated(at, expected, found);
    }
    check
}

fn permissions(told: &Facts, held: &Facts, wrong: &mut Vec<(String, String, String)>) {
    for (account, held) in held {
        // Of one that was made before the oldest event there may be none.
        let Some(told) = told.get(account) else { continue };
        let (good, expected) = match &*told.state {
            "begun" => (&*held.state == "begun", "those that it began with"),
            _ => (held.digest == told.digest, &*told.about),
        };
        if !good {
            let expected = format!("{expected}, as the newest event that gave any says");
            wrong.push((format!("permissions of {account}"), expected, held.about.to_string()));
        }
    }
}

fn secrets(role: &RoleRows, made: &Facts, secrets: &Facts, wrong: &mut Vec<(String, String, String)>) {
    for (secret, told) in made {
        let gone = role.newest.get(&told.about).is_some_and(|account| &*account.state == "gone");
        let there = secrets.contains_key(secret);
        if there == gone {
            let (expected, found) = if gone {
                ("none, as its account is gone".to_owned(), "it")
            } else {
                (format!("the secret that was made for {}", told.about), "none")
            };
            wrong.push((format!("secret {secret}"), expected, found.to_owned()));
        }
        if let Some(row) = secrets.get(secret).filter(|row| !row.about.is_empty() && row.about != told.about)
        {
            let expected = format!("a secret of {}, for whom it was made", told.about);
            wrong.push((format!("secret {secret}"), expected, format!("one of {}", row.about)));
        }
    }
    for (secret, row) in secrets.iter().filter(|(secret, _)| !made.contains_key(*secret)) {
        if has_published(role, row) {
            let expected = "the event of its making".to_owned();
            wrong.push((format!("secret {secret}"), expected, "none".to_owned()));
        }
    }
}

fn revocations(ended: &Facts, live: &Facts, revoked: &Facts, wrong: &mut Vec<(String, String, String)>) {
    for (id, told) in ended {
        let found = revoked.get(id);
        if found.is_none_or(|found| found.version < told.version) {
            let found = if found.is_some() { "one of an earlier time" } else { "none" };
            let expected = "a revocation, as it ended or lost permissions".to_owned();
            wrong.push((format!("revocation of {id}"), expected, found.to_owned()));
        }
    }
    for (id, told) in live {
        if revoked.contains_key(id) {
            let at = if told.about.is_empty() { format!("session of {id}") } else { told.about.to_string() };
            wrong.push((at, format!("an end, as {id} is revoked"), "no end".to_owned()));
        }
    }
}
