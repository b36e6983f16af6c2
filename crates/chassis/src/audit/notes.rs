//! What a database notes about itself: its epochs, and how far its events were pruned.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use kernel::{Clock, Result, Timestamp};
use store::{
    Database, Inspector, NOTE_HEAD, NOTE_PRUNED, NOTE_PRUNED_BEFORE, NOTE_PRUNED_LINK, NOTES_OTHER,
    StoredNotes,
};

use super::{Examine, Examined};
use crate::run::EVENTS_KEPT;

/// The furthest ahead that an epoch may have begun: a clock that was ahead by years when it was written is no damage.
const AHEAD_MAX: Duration = Duration::from_secs(10 * 365 * 24 * 3600);

/// The notes and epochs of a role's database.
pub(super) struct NoteRows {
    rows: Inspector,
    clock: Arc<dyn Clock>,
}

impl NoteRows {
    pub(super) fn new(database: &Database, clock: &Arc<dyn Clock>) -> Self {
        Self { rows: database.inspect(), clock: Arc::clone(clock) }
    }
}

#[async_trait]
impl Examine for NoteRows {
    fn table(&self) -> &'static str {
        "notes of the database"
    }

    async fn page(&self, _: Option<&str>, _: u32) -> Result<Examined> {
        // The extent is read after the notes: the outbox only grows, and is pruned with its note in one commit, so that what is
        // read later has at least as much pruned.
        let notes = self.rows.notes().await?;
        let extent = self.rows.extent().await?;
        let mut examined = Examined { rows: notes.epochs.len() + notes.notes.len(), ..Examined::default() };
        epochs(&notes, extent.head.sequence, self.clock.now(), &mut examined);
        pruned(&notes, extent.oldest, self.clock.now(), &mut examined);
        Ok(examined)
    }
}

fn epochs(notes: &StoredNotes, head: i64, now: Timestamp, examined: &mut Examined) {
    examined.expects(!notes.epochs.is_empty(), "epochs", "one or more", "none");
    let (mut number, mut first) = (0, 1);
    for (at, epoch) in notes.epochs.iter().enumerate() {
        let row = format!("epoch {}", epoch.epoch);
        let began = epoch.began_at;
        let good = began.micros() > 0 && began <= now.plus(AHEAD_MAX);
        examined.expects(good, &row, "the time of its beginning", began);
        let expected = (number + 1).max(began.millis());
        examined.expects(epoch.epoch == expected, &row, format!("number {expected}"), epoch.epoch);
        let begins = if at == 0 { epoch.first == 1 } else { (first..=head + 1).contains(&epoch.first) };
        let expected = if at == 0 {
            "sequence 1".to_owned()
        } else {
            format!("a sequence from {first} to {}", head + 1)
        };
        examined.expects(begins, &row, expected, epoch.first);
        (number, first) = (epoch.epoch, epoch.first);
    }
}

fn pruned(notes: &StoredNotes, oldest: i64, now: Timestamp, examined: &mut Examined) {
    for (name, value) in &notes.notes {
        let row = format!("note {name}");
        let number = value.parse::<i64>().is_ok_and(|number| number >= 0);
        match name.as_str() {
            NOTE_PRUNED | NOTE_PRUNED_BEFORE => examined.expects(number, &row, "a number from 0", value),
            "schema" => {
                let expected = notes.schema.to_string();
                examined.expects(*value == expected, &row, expected.clone(), value);
            }
            // Judged with the events.
            NOTE_HEAD => {}
            NOTE_PRUNED_LINK => {
                let link = value.is_empty() || store::parse_link(value).is_some();
                examined.expects(link, &row, "a link, or nothing", value);
            }
            name => examined.expects(NOTES_OTHER.contains(&name), &row, "a name that is known", name),
        }
    }
    let last = notes.pruned();
    let row = format!("note {NOTE_PRUNED}");
    examined.expects(last < oldest.max(1), &row, format!("less than {oldest}, which is kept"), last);
    let began = notes.epochs.first().map(|epoch| epoch.began_at).unwrap_or_default();
    match notes.number(NOTE_PRUNED_BEFORE) {
        _ if last == 0 => {}
        Some(before) => examined.expects(before > 0, &row, "0, as no event was ever pruned", last),
        // An earlier release pruned: it did so when events were old enough.
        None => {
            let young = now >= began && now.since(began) < EVENTS_KEPT;
            let expected = format!("0, as the first event is not older than {began}");
            examined.expects(!young, &row, expected, last);
        }
    }
}

#[cfg(test)]
mod tests {
    use store::StoredEpoch;

    use super::*;

    const DAY: Duration = Duration::from_secs(24 * 3600);
    const BEGAN: Timestamp = Timestamp::from_secs(1_700_000_000);

    fn notes(of: &[(&str, &str)]) -> StoredNotes {
        let epoch = |epoch, first| StoredEpoch { epoch, first, began_at: BEGAN };
        StoredNotes {
            epochs: vec![epoch(BEGAN.millis(), 1), epoch(BEGAN.millis() + 1, 4)],
            notes: of.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
            schema: 1,
        }
    }

    fn found(notes: &StoredNotes, oldest: i64, now: Timestamp) -> Vec<String> {
        let mut examined = Examined::default();
        epochs(notes, 9, now, &mut examined);
        pruned(notes, oldest, now, &mut examined);
        examined.findings.into_iter().map(|finding| finding.row).collect()
    }

    #[test]
    fn pruned_events_were_old_enough() {
        let later = BEGAN.plus(DAY * 2);
        let none: [String; 0] = [];
        assert_eq!(found(&notes(&[("schema", "1"), ("run", "x"), ("pruned_before", "0")]), 1, later), none);
        let by_hand = [("pruned", "1"), ("pruned_before", "0")];
        assert_eq!(found(&notes(&by_hand), 2, later.plus(DAY * 90)), ["note pruned"]);
        assert_eq!(found(&notes(&[("pruned", "1")]), 2, later), ["note pruned"], "an earlier release");
        assert_eq!(found(&notes(&[("pruned", "1")]), 2, BEGAN.plus(DAY * 8)), none);
        let behind = BEGAN.minus(DAY * 300);
        assert_eq!(
            found(&notes(&[("pruned", "1")]), 2, behind),
            none,
            "the clock was ahead at the first start"
        );
        assert_eq!(found(&notes(&[("pruned", "1"), ("pruned_before", "77")]), 2, later), none);
        assert_eq!(found(&notes(&[("pruned", "2"), ("pruned_before", "77")]), 2, later), ["note pruned"]);
        assert_eq!(found(&notes(&[("pruned", "x")]), 1, later), ["note pruned"]);
        assert_eq!(
            found(&notes(&[("other", "x"), ("schema", "2")]), 1, later),
            ["note other", "note schema"]
        );
    }

    #[test]
    fn epochs_follow_each_other() {
        let good = notes(&[]);
        let later = BEGAN.plus(DAY);
        let changed = |change: fn(&mut StoredNotes)| {
            let mut notes = good.clone();
            change(&mut notes);
            found(&notes, 1, later).len()
        };
        assert_eq!(changed(|_| {}), 0);
        assert_eq!(changed(|notes| notes.epochs.clear()), 1);
        assert_eq!(
            changed(|notes| notes.epochs = notes.epochs.split_off(1)),
            2,
            "its number, its first sequence"
        );
        assert_eq!(changed(|notes| notes.epochs[0].first = 2), 1);
        assert_eq!(changed(|notes| notes.epochs[1].first = 11), 1);
        assert_eq!(changed(|notes| notes.epochs[0].began_at = Timestamp::from_micros(1)), 1);
        assert_eq!(changed(|notes| notes.epochs[1].began_at = BEGAN.plus(DAY * 9000)), 2);
        assert_eq!(changed(|notes| notes.epochs[1].epoch += 7), 1);
    }
}
