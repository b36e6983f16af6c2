//! News for the people whose sockets are open: what happened lately, by whom it concerns, so that a socket that was lost goes on
//! where it stopped.

use std::collections::{HashMap, VecDeque};
use std::fmt::Write;
use std::sync::Arc;

use chassis::Position;

/// News that are remembered, over all people.
const REMEMBERED: usize = 10_000;
/// Of which one person has at most these, so that one who changes much pushes out nobody else's.
const REMEMBERED_PER_PERSON_MAX: usize = 100;

/// Something that happened, for one person.
#[derive(Clone, Debug, PartialEq)]
pub struct News {
    /// Whom it concerns: `cus_…` or `gst_…`.
    pub owner: String,
    /// What it says: a JSON object with a `type`.
    pub body: serde_json::Map<String, serde_json::Value>,
}

/// News with its place.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) owner: String,
    /// The message as it is sent.
    pub(crate) text: String,
    source: &'static str,
    position: Position,
}

/// What happened lately.
#[derive(Default)]
pub(crate) struct Lately {
    told: VecDeque<Arc<Told>>,
    /// By source: the position up to which it is forgotten, and the newest.
    reach: HashMap<&'static str, (Position, Position)>,
    /// By person, while any of theirs are remembered.
    people: HashMap<String, Person>,
}

/// What is remembered for one person.
#[derive(Default)]
struct Person {
    count: usize,
    /// By source: the position up to which theirs is forgotten though others' may not be.
    forgotten: HashMap<&'static str, Position>,
}

/// What somebody missed.
pub(crate) enum Missed {
    /// These, oldest first.
    All(Vec<Arc<Told>>),
    /// More than is remembered: they must look anew.
    Unknown,
}

impl Lately {
    /// A source is told from a position on.
    pub(crate) fn begins(&mut self, source: &'static str, after: Position) {
        let (gone, left): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.told).into_iter().partition(|told| told.source == source);
        self.told = left;
        for told in gone {
            self.count_down(&told.owner);
        }
        self.reach.insert(source, (after, after));
    }

    /// A source's name, when it is told.
    pub(crate) fn source(&self, name: &str) -> Option<&'static str> {
        self.reach.keys().find(|source| **source == name).copied()
    }

    /// A source has come so far.
    pub(crate) fn passes(&mut self, source: &'static str, position: Position) {
        if let Some((_, newest)) = self.reach.get_mut(source) {
            *newest = position;
        }
    }

    pub(crate) fn tell(&mut self, source: &'static str, position: Position, news: News) -> Arc<Told> {
        self.passes(source, position);
        let mut body = news.body;
        body.insert("id".to_owned(), self.id().into());
        let text = serde_json::Value::Object(body).to_string();
        let told = Arc::new(Told { owner: news.owner, text, source, position });
        self.make_room(&told.owner);
        self.people.entry(told.owner.clone()).or_default().count += 1;
        self.told.push_back(told.clone());
        told
    }

    /// Forgets a person's oldest when they have their share, or else the oldest of all when there are too many.
    fn make_room(&mut self, owner: &str) {
        if let Some(person) = self.people.get_mut(owner)
            && person.count >= REMEMBERED_PER_PERSON_MAX
            && let Some(oldest) = self.told.iter().position(|told| told.owner == owner)
            && let Some(forgotten) = self.told.remove(oldest)
        {
            person.forgotten.insert(forgotten.source, forgotten.position);
            person.count -= 1;
        } else if self.told.len() >= REMEMBERED
            && let Some(forgotten) = self.told.pop_front()
        {
            if let Some((floor, _)) = self.reach.get_mut(forgotten.source) {
                *floor = forgotten.position;
            }
            self.count_down(&forgotten.owner);
        }
    }

    fn count_down(&mut self, owner: &str) {
        if let Some(person) = self.people.get_mut(owner) {
            person.count -= 1;
            if person.count == 0 {
                self.people.remove(owner);
            }
        }
    }

    /// The id of now: how far each source is.
    pub(crate) fn id(&self) -> String {
        let mut sources: Vec<_> = self.reach.iter().collect();
        sources.sort_unstable_by_key(|(source, _)| **source);
        let mut text = String::new();
        for (source, (_, newest)) in sources {
            let dot = if text.is_empty() { "" } else { "." };
            // Writing to a String cannot fail.
            let _ = write!(text, "{dot}{source}-{}-{}", newest.epoch, newest.sequence);
        }
        text
    }

    /// What somebody missed since an id of ours.
    pub(crate) fn missed(&self, owner: &str, last_id: &str) -> Missed {
        let mut since: HashMap<&str, Position> = HashMap::new();
        for part in last_id.split('.') {
            let mut words = part.split('-');
            let (source, epoch, sequence) = (words.next(), words.next(), words.next());
            let number = |word: Option<&str>| word.and_then(|word| word.parse::<i64>().ok());
            let (Some(source), Some(epoch), Some(sequence)) = (source, number(epoch), number(sequence))
            else {
                return Missed::Unknown;
            };
            since.insert(source, Position { epoch, sequence });
        }
        let own = self.people.get(owner).map(|person| &person.forgotten);
        for (source, (floor, newest)) in &self.reach {
            let floor = own.and_then(|own| own.get(source)).map_or(floor, |own| own.max(floor));
            match since.get(source) {
                Some(position) if position >= floor && position <= newest => {}
                _ => return Missed::Unknown,
            }
        }
        let missed = self.told.iter().filter(|told| {
            told.owner == owner && since.get(told.source).is_some_and(|position| told.position > *position)
        });
        Missed::All(missed.cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(sequence: i64) -> Position {
        Position { epoch: 1, sequence }
    }

    fn news(owner: &str) -> News {
        let body = serde_json::json!({ "type": "cart.changed" });
        News { owner: owner.to_owned(), body: body.as_object().expect("an object").clone() }
    }

    fn count(missed: &Missed) -> Option<usize> {
        match missed {
            Missed::All(told) => Some(told.len()),
            Missed::Unknown => None,
        }
    }

    #[test]
    fn a_lost_socket_goes_on_where_it_stopped() {
        let mut lately = Lately::default();
        lately.begins("order", at(10));
        lately.begins("cart", at(0));
        lately.tell("order", at(11), news("ada"));
        let id = lately.id();
        assert_eq!(id, "cart-1-0.order-1-11");
        lately.tell("cart", at(1), news("ada"));
        lately.tell("cart", at(2), news("eve"));
        lately.tell("order", at(12), news("ada"));
        assert_eq!(count(&lately.missed("ada", &id)), Some(2));
        assert_eq!(count(&lately.missed("ada", &lately.id())), Some(0));
        assert_eq!(count(&lately.missed("ada", "cart-1-0.order-1-9")), None, "forgotten");
        for bad in ["", "x", "cart-1-0", "cart-1-0.order-2-1", "cart-1-9.order-1-11", "cart-a-b.order-1-11"] {
            assert_eq!(count(&lately.missed("ada", bad)), None, "{bad}");
        }
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let mut lately = Lately::default();
        lately.begins("cart", at(0));
        let id = lately.id();
        let person = |sequence: i64| format!("person-{}", sequence % 1_000);
        for sequence in 1..=i64::try_from(REMEMBERED).expect("small") + 1 {
            lately.tell("cart", at(sequence), news(&person(sequence)));
        }
        assert_eq!(lately.told.len(), REMEMBERED);
        assert_eq!(count(&lately.missed("person-2", &id)), None);
        assert_eq!(count(&lately.missed("person-2", "cart-1-1")), Some(REMEMBERED / 1_000));
        lately.begins("cart", at(0));
        assert!(lately.told.is_empty() && lately.people.is_empty());
    }

    #[test]
    fn one_person_pushes_out_nobody_elses() {
        let mut lately = Lately::default();
        lately.begins("cart", at(0));
        lately.tell("cart", at(1), news("eve"));
        let most = i64::try_from(REMEMBERED_PER_PERSON_MAX).expect("small");
        for sequence in 2..most + 3 {
            lately.tell("cart", at(sequence), news("ada"));
        }
        assert_eq!(lately.told.len(), REMEMBERED_PER_PERSON_MAX + 1);
        assert_eq!(count(&lately.missed("eve", "cart-1-0")), Some(1), "hers is there");
        assert_eq!(count(&lately.missed("ada", "cart-1-1")), None, "the first is forgotten");
        assert_eq!(count(&lately.missed("ada", "cart-1-2")), Some(REMEMBERED_PER_PERSON_MAX));
    }
}
