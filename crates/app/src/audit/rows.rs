//! What each role says about its own rows: what is wrong with them, and facts that must agree with other rows, other roles
//! and events. Kept compact: a fact is a key, a version and a digest.

use std::collections::HashMap;
use std::sync::Arc;

use kernel::Timestamp;

/// What one role says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RoleRows {
    /// The role.
    pub role: Box<str>,
    /// Rows that it checked.
    pub examined: u64,
    /// What it found wrong with them.
    pub findings: Vec<RowFinding>,
    /// Sequence of the oldest event that it keeps; 1 when none was pruned yet.
    pub oldest_event: i64,
    /// Every event that is gone was committed before this; 0 when none is, or nobody knows.
    pub events_since: Timestamp,
    /// The newest event of each aggregate.
    pub newest: Facts,
    /// Events that came after one of a greater version of the same aggregate.
    pub disordered: Vec<Disorder>,
    /// Facts by their set.
    pub sets: HashMap<Box<str>, Facts>,
}

/// Facts by what they are about.
pub type Facts = HashMap<Box<str>, Told>;

/// A row that is not as it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowFinding {
    /// Its table and its key.
    pub row: Box<str>,
    /// What must be there.
    pub expected: Box<str>,
    /// What is there.
    pub found: Box<str>,
}

/// What is said about a thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// Its version; 0 where it has none.
    pub version: i64,
    /// Digest of the rest; `None` where only the version is said.
    pub digest: Option<[u8; 16]>,
    /// Which rule applies.
    pub state: Arc<str>,
    /// What is said, for people.
    pub about: Box<str>,
    /// When it last changed, or was committed; 0 where that is not known.
    pub at: Timestamp,
}

/// Two events of an aggregate in the wrong order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Disorder {
    /// The aggregate.
    pub aggregate: Box<str>,
    /// The version of the earlier event.
    pub before: i64,
    /// The version of the later one.
    pub after: i64,
}

impl RoleRows {
    /// The facts of a set; none when nothing was said in it.
    #[must_use]
    pub fn set(&self, set: &str) -> Option<&Facts> {
        self.sets.get(set)
    }

    fn version(&self, set: &str, key: &str) -> i64 {
        self.set(set).and_then(|facts| facts.get(key)).map_or(0, |told| told.version)
    }

    /// Takes a fact in. Events come in the order of their sequences.
    pub fn add(&mut self, set: &str, key: &str, told: Told) {
        match set {
            "outbox" if key == "since" => self.events_since = Timestamp::from_micros(told.version),
            "outbox" => self.oldest_event = told.version,
            "event" => self.add_event(key, told),
            // The latest counts.
            "revocation" | "must be revoked" if self.version(set, key) > told.version => {}
            set => match self.sets.get_mut(set) {
                Some(facts) => drop(facts.insert(key.into(), told)),
                None => drop(self.sets.insert(set.into(), Facts::from([(key.into(), told)]))),
            },
        }
    }

    /// Keeps the newest event of each aggregate. Versions rise; where several events tell of one change they may repeat, and
    /// what was dropped and made again begins with 1.
    fn add_event(&mut self, key: &str, told: Told) {
        let Some(before) = self.newest.get_mut(key) else {
            self.newest.insert(key.into(), told);
            return;
        };
        let may_repeat = matches!(&*told.state, "at least" | "repeats" | "log repeats");
        let again = told.version == 1 && matches!(&*before.state, "gone" | "may be gone");
        let rises = told.version > before.version || (may_repeat && told.version == before.version);
        if !rises && !again {
            let (before, after) = (before.version, told.version);
            self.disordered.push(Disorder { aggregate: key.into(), before, after });
        }
        *before = told;
    }
}
