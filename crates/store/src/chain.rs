//! The chain of a database's events: each has a link, a keyed hash over the link before it and over what the event says.
//!
//! Whoever can write the database, but does not have the key, cannot change an event, take one out or add one without a link that
//! does not fit. Where the chain ends is noted in the commit that writes its last event, so a newest event that is gone, or one
//! that was added, is seen as well.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::batch::{NewEvent, StoredEvent};
use crate::inspect::{NOTE_PRUNED_LINK, StoredNotes};

/// Bytes of a link: HMAC-SHA256, cut to half.
pub const LINK_BYTES: usize = 16;

/// The place of an event in the chain.
pub type Link = [u8; LINK_BYTES];

/// The key of a database's chain.
#[derive(Clone)]
pub struct EventChain {
    mac: Hmac<Sha256>,
    was_begun: bool,
}

/// The newest event of a chain, and its link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainHead {
    /// Its sequence; 0 before the first.
    pub sequence: i64,
    /// Its link.
    pub link: Link,
}

/// An event with its link as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkedEvent {
    /// The event.
    pub event: StoredEvent,
    /// Its link; `None` when it was written by a release that had none.
    pub link: Option<Vec<u8>>,
}

impl EventChain {
    /// The chain of the database `name` under a key.
    #[must_use]
    pub fn new(key: &[u8], name: &str) -> Self {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
        add(&mut mac, name.as_bytes());
        Self { mac, was_begun: false }
    }

    /// The same, of a database of which is known from elsewhere whether it has links: then one without any is no database of an
    /// earlier release.
    #[must_use]
    pub fn begun_before(self, was_begun: bool) -> Self {
        Self { was_begun, ..self }
    }

    pub(crate) fn was_begun(&self) -> bool {
        self.was_begun
    }

    /// The head of a chain that begins after an event without a link: the first event with one follows it.
    #[must_use]
    pub fn start_after(&self, sequence: i64) -> ChainHead {
        self.labelled(b"begins", sequence)
    }

    /// The head of a chain whose own was removed or replaced. No event is accepted as its next, so that the loss is seen in the
    /// first event that is written after it.
    #[must_use]
    pub fn lost_after(&self, sequence: i64) -> ChainHead {
        self.labelled(b"lost", sequence)
    }

    fn labelled(&self, label: &[u8], sequence: i64) -> ChainHead {
        let mut mac = self.mac.clone();
        add(&mut mac, label);
        add(&mut mac, &sequence.to_be_bytes());
        ChainHead { sequence, link: cut(mac) }
    }

    /// The text by which the head is noted in the database: with a keyed hash, so that nobody without the key notes a head of their
    /// own. It may be put back to what it was before, together with the rows.
    #[must_use]
    pub fn sign_head(&self, head: ChainHead) -> String {
        let mut mac = self.mac.clone();
        add(&mut mac, b"ends");
        add(&mut mac, &head.sequence.to_be_bytes());
        add(&mut mac, &head.link);
        format!("{} {} {}", head.sequence, hex::encode(head.link), hex::encode(cut(mac)))
    }

    /// The head in a text that this key signed; `None` for any other.
    #[must_use]
    pub fn verify_head(&self, text: &str) -> Option<ChainHead> {
        let mut words = text.split(' ');
        let (sequence, link) = (words.next()?.parse().ok()?, parse_link(words.next()?)?);
        let head = ChainHead { sequence, link };
        (sequence >= 0 && self.sign_head(head) == text).then_some(head)
    }

    /// The link of an event after another's.
    #[must_use]
    pub fn link(&self, before: &Link, sequence: i64, time_us: i64, event: &NewEvent) -> Link {
        let NewEvent { aggregate_id, aggregate_version, type_name, payload } = event;
        let mut mac = self.mac.clone();
        add(&mut mac, before);
        for number in [sequence, time_us, *aggregate_version] {
            add(&mut mac, &number.to_be_bytes());
        }
        for bytes in [aggregate_id.as_bytes(), type_name.as_bytes(), payload] {
            add(&mut mac, bytes);
        }
        cut(mac)
    }
}

/// Each field goes in with its length, so that no two events have the same bytes.
fn add(mac: &mut Hmac<Sha256>, field: &[u8]) {
    mac.update(&(field.len() as u64).to_be_bytes());
    mac.update(field);
}

fn cut(mac: Hmac<Sha256>) -> Link {
    let mut link = [0; LINK_BYTES];
    link.copy_from_slice(&mac.finalize().into_bytes()[..LINK_BYTES]);
    link
}

/// A link from its text, hexadecimal digits; `None` when it is not one.
#[must_use]
pub fn parse_link(text: &str) -> Option<Link> {
    let mut link = [0; LINK_BYTES];
    hex::decode_to_slice(text, &mut link).ok().map(|()| link)
}

/// Follows a chain, event by event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChainCheck {
    /// The sequence of the last event that was seen; 0 before the first.
    pub sequence: i64,
    /// Its link; `None` while no event had one.
    pub link: Option<Link>,
}

impl ChainCheck {
    /// Whether an event's link follows from the event before and from what it says. What comes after is judged by the stored link,
    /// so that one event that was changed is named alone.
    ///
    /// `notes` were read before or after the event, so they may be those of before or of after a pruning in between.
    pub fn follow(&mut self, chain: &EventChain, linked: &LinkedEvent, notes: [&StoredNotes; 2]) -> bool {
        let event = &linked.event;
        let sequence = event.position.sequence;
        let pruned =
            (sequence != self.sequence + 1).then(|| notes.into_iter().find(|n| n.pruned() == sequence - 1));
        if let Some(Some(notes)) = pruned {
            self.link = notes.note(NOTE_PRUNED_LINK).and_then(parse_link);
        }
        self.sequence = sequence;
        let stored = linked.link.as_deref();
        let before = match (stored, self.link) {
            (None, None) => return true,
            (_, Some(link)) => link,
            (Some(_), None) => chain.start_after(sequence - 1).link,
        };
        let expected = chain.link(&before, sequence, event.time.micros(), &event.event);
        self.link = Some(stored.and_then(|stored| stored.try_into().ok()).unwrap_or(expected));
        stored == Some(expected.as_slice())
    }

    /// Whether the event that was followed last is this head.
    #[must_use]
    pub fn is_head(&self, chain: &EventChain, head: &ChainHead) -> bool {
        self.sequence == head.sequence
            && self.link.unwrap_or(chain.start_after(head.sequence).link) == head.link
    }
}
