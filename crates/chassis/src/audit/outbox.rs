//! The outbox of a role: each event by itself, and what it says.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use contract::EventDefect;
use kernel::{Clock, Result, Timestamp};
use store::{ChainCheck, Database, Inspector, NOTE_HEAD, NOTE_PRUNED_BEFORE, StoredEvent, StoredNotes};

use super::{DescribeEvent, Examine, Examined, Fact};

/// By how much a clock may have been wrong while the shop ran: an event may be so much older than the shop, or newer than now.
const CLOCK_WRONG_MAX: Duration = Duration::from_secs(2 * 365 * 24 * 3600);
/// A clock that was set back by this much for the time of one event alone is not believed.
const FALLS_MAX: Duration = Duration::from_secs(400 * 24 * 3600);

/// The events of a role.
pub(super) struct OutboxRows {
    package: String,
    rows: Inspector,
    describe: Option<DescribeEvent>,
    clock: Arc<dyn Clock>,
}

/// Times between which those of events lie.
struct Life {
    from: Timestamp,
    until: Timestamp,
}

/// Where a page ended: its last event in the chain, and the times of its last two events, by which the next page judges the
/// last one.
#[derive(Clone, Copy, Default)]
struct Place {
    chain: ChainCheck,
    before: Option<Timestamp>,
    last: Option<Timestamp>,
}

impl OutboxRows {
    pub(super) fn new(
        role: &str,
        database: &Database,
        describe: Option<DescribeEvent>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        let clock = Arc::clone(clock);
        Self { package: format!("souk.{role}.v1."), rows: database.inspect(), describe, clock }
    }

    fn check(&self, event: &StoredEvent, life: &Life, examined: &mut Examined) {
        let row = row(event.position.sequence);
        let type_name = &event.event.type_name;
        let named = format!("{} of {}", type_name, event.event.aggregate_id);
        examined.expects(
            type_name.starts_with(&self.package),
            &row,
            format!("an event of {}", self.package.trim_end_matches('.')),
            &named,
        );
        examined.expects(event.position.epoch > 0, &row, "a known epoch", event.position.epoch);
        examined.expects(
            event.event.aggregate_version > 0,
            &row,
            "a version from 1",
            event.event.aggregate_version,
        );
        let known = event.time.micros() > 0 && life.from <= event.time && event.time <= life.until;
        let expected = format!("the time of its commit, from {} to {}", life.from, life.until);
        examined.expects(known, &row, expected, event.time);
        match contract::check_event(type_name, &event.event.payload) {
            Ok(()) => {}
            Err(EventDefect::UnknownType) => {
                examined.finds(&row, "a type that a contract has", named);
                return;
            }
            Err(EventDefect::Malformed) => {
                examined.finds(&row, format!("bytes of {type_name}"), "bytes that do not decode");
                return;
            }
            Err(EventDefect::NotCanonical) => {
                examined.finds(&row, format!("{type_name} as it is encoded"), "other bytes");
            }
        }
        self.describe(event, &row, examined);
    }

    fn describe(&self, event: &StoredEvent, row: &str, examined: &mut Examined) {
        match self.describe.map(|describe| describe(event)) {
            Some(Ok(facts)) => {
                let told = |fact: &&Fact| fact.set == "event" && fact.key == event.event.aggregate_id;
                for fact in facts.iter().filter(told) {
                    let good = fact.version == event.event.aggregate_version;
                    let expected = format!("version {}, as its content says", fact.version);
                    examined.expects(good, row, expected, event.event.aggregate_version);
                }
                examined.facts.extend(facts.into_iter().map(|fact| match fact.set {
                    "event" => fact.at(event.time),
                    _ => fact,
                }));
            }
            Some(Err(problem)) => examined.finds(row, "content that fits its aggregate", problem),
            None => {
                // Nobody compares it with a row, but the versions of an aggregate rise all the same.
                let fact = Fact::new("event", &event.event.aggregate_id);
                let fact = fact.version(event.event.aggregate_version).state("log repeats");
                examined.facts.push(fact.at(event.time));
            }
        }
    }

    /// Whether the last event is the one that is noted as the last, by notes of before and after it was read.
    fn ends(&self, last: &ChainCheck, [before, after]: [&StoredNotes; 2], examined: &mut Examined) {
        let at = format!("note {NOTE_HEAD}");
        let (Some(before), Some(after)) = (before.head(self.rows.chain()), after.head(self.rows.chain()))
        else {
            return examined.finds(
                at,
                "a signed note of the newest event",
                "none, or one that this shop's key did not sign",
            );
        };
        let sequence = last.sequence;
        if before.sequence > sequence {
            let found = format!("none after sequence {sequence}");
            examined.finds(row(before.sequence), "the last event that was written", found);
        } else if after.sequence < sequence {
            let expected = format!("no event after sequence {}, the last that was written", after.sequence);
            examined.finds(row(sequence), expected, "one more");
        } else if let Some(head) = [before, after].iter().find(|head| head.sequence == sequence) {
            let fits = last.is_head(self.rows.chain(), head);
            examined.expects(fits, &at, format!("the link of sequence {sequence}"), "another");
        }
    }

    /// What is known of the events that are gone: the oldest that is kept, and the time that all the others are before.
    async fn extent(&self, notes: &StoredNotes, examined: &mut Examined) -> Result<()> {
        let extent = self.rows.extent().await?;
        examined.facts.push(Fact::new("outbox", "oldest").version(extent.oldest));
        if notes.pruned() == 0 && extent.oldest <= 1 {
            return Ok(());
        }
        let since = match notes.number(NOTE_PRUNED_BEFORE).unwrap_or(0) {
            // An earlier release pruned: what it left is not older than what it took.
            0 => {
                let oldest = self.rows.events(0, 1).await?;
                oldest.first().map_or(i64::MAX, |oldest| oldest.time.micros())
            }
            before => before,
        };
        examined.facts.push(Fact::new("outbox", "since").version(since));
        Ok(())
    }
}

#[async_trait]
impl Examine for OutboxRows {
    fn table(&self) -> &'static str {
        "outbox"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let mut examined = Examined::default();
        let notes = self.rows.notes().await?;
        let mut place = after.map_or_else(Place::default, Place::parse);
        if after.is_none() {
            self.extent(&notes, &mut examined).await?;
        }
        let began = notes.epochs.iter().map(|epoch| epoch.began_at).min().unwrap_or_default();
        let until = self.clock.now().plus(CLOCK_WRONG_MAX);
        let life = Life { from: began.minus(CLOCK_WRONG_MAX), until };
        let events = self.rows.linked_events(place.chain.sequence, limit).await?;
        // Read again, since the shop goes on: events may have been written, or pruned.
        let later = self.rows.notes().await?;
        examined.rows = events.len();
        for linked in &events {
            self.check(&linked.event, &life, &mut examined);
            let former = place.chain;
            place.goes_on(&linked.event, &mut examined);
            if !place.chain.follow(self.rows.chain(), linked, [&notes, &later]) {
                let sequence = linked.event.position.sequence;
                let expected = format!("the event that followed sequence {}, by its link", former.sequence);
                let found = if linked.link.is_none() { "one without a link" } else { "another" };
                examined.finds(row(sequence), expected, found);
            }
        }
        if events.is_empty() {
            self.ends(&place.chain, [&notes, &later], &mut examined);
        }
        // A page may be shorter than asked for when its events are large: only an empty one is the last.
        examined.next = events.last().map(|_| place.text());
        Ok(examined)
    }
}

impl Place {
    fn parse(text: &str) -> Self {
        let mut parts = text.split(' ');
        let mut next = || parts.next().and_then(|part| part.parse::<i64>().ok());
        let sequence = next().unwrap_or(i64::MAX);
        let (before, last) = (next().map(Timestamp::from_micros), next().map(Timestamp::from_micros));
        let link = parts.next().and_then(store::parse_link);
        Self { chain: ChainCheck { sequence, link }, before, last }
    }

    fn text(&self) -> String {
        let time =
            |time: Option<Timestamp>| time.map_or_else(|| "-".to_owned(), |at| at.micros().to_string());
        let link = self.chain.link.map_or_else(|| "-".to_owned(), hex::encode);
        format!("{} {} {} {link}", self.chain.sequence, time(self.before), time(self.last))
    }

    /// Judges the time of the event before by the one that follows: a clock that was set back stays so for a while.
    fn goes_on(&mut self, event: &StoredEvent, examined: &mut Examined) {
        if let (Some(before), Some(last)) = (self.before, self.last) {
            let next = event.time;
            let falls = before.minus(FALLS_MAX) > last && next.minus(FALLS_MAX) > last;
            let expected = format!("a time near those beside it, {before} and {next}");
            examined.expects(!falls, &row(self.chain.sequence), expected, last);
        }
        (self.before, self.last) = (self.last, Some(event.time));
    }
}

fn row(sequence: i64) -> String {
    format!("outbox, sequence {sequence}")
}

#[cfg(test)]
mod tests {
    use store::{NewEvent, Position};

    use super::*;

    fn event(sequence: i64, days: i64) -> StoredEvent {
        let time = Timestamp::from_secs(days * 86_400);
        let event = NewEvent {
            aggregate_id: "a".to_owned(),
            aggregate_version: sequence,
            type_name: "souk.test.v1.Nothing".to_owned(),
            payload: Vec::new(),
        };
        let id = kernel::EventId::from_bits(1);
        StoredEvent { position: Position { epoch: 1, sequence }, id, time, event }
    }

    /// The sequences that do not fit those beside them, page by page.
    fn falls(days: &[i64], page: usize) -> Vec<String> {
        let events: Vec<StoredEvent> =
            (1..).zip(days).map(|(sequence, days)| event(sequence, *days)).collect();
        let (mut examined, mut place) = (Examined::default(), Place::default());
        for page in events.chunks(page) {
            for event in page {
                place.goes_on(event, &mut examined);
                place.chain.sequence = event.position.sequence;
            }
            place = Place::parse(&place.text());
        }
        examined.findings.into_iter().map(|finding| finding.row).collect()
    }

    #[test]
    fn a_time_far_behind_both_neighbours_is_told_on_whatever_page() {
        for page in 1..=5 {
            assert_eq!(falls(&[900, 901, 0, 902, 903], page), ["outbox, sequence 3"], "pages of {page}");
        }
    }

    #[test]
    fn clocks_that_were_set_back_are_no_damage() {
        for days in [&[365, 0, 0, 30, 0][..], &[365, 365, 0, 365], &[800, 801, 0, 0, 0], &[0, 800, 0], &[1]] {
            assert!(falls(days, 2).is_empty(), "{days:?}");
        }
    }
}
