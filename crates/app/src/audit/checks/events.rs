//! Events: outboxes without gaps, consumers that have read them, nothing set aside.

use super::Check;
use crate::audit::books::{Books, Consumer, Position};

/// `events.gap_free`: between its oldest and its newest event an outbox has every sequence. Examined are events.
pub fn gap_free(books: &Books) -> Check {
    let mut check = Check::new("events.gap_free");
    for stream in &books.streams {
        check.examined += u64::try_from(stream.count).unwrap_or(0);
        for gap in &stream.gaps {
            check.violated(format!("outbox of {}, sequence {gap}", stream.role), "an event", "none");
        }
        let span = stream.head.sequence.saturating_sub(stream.oldest).saturating_add(1);
        if stream.gaps.is_empty() && stream.count != span {
            let expected = format!("{span} events from {} to {}", stream.oldest, stream.head.sequence);
            check.violated(
                format!("outbox of {}", stream.role),
                expected,
                format!("{} events", stream.count),
            );
        }
    }
    check
}

/// `events.caught_up`: every consumer has read all that its source has published. One that is behind says by how much, and is
/// a violation when it stands still.
pub fn caught_up(books: &Books) -> Check {
    let mut check = Check::new("events.caught_up");
    for consumer in &books.consumers {
        check.examined += 1;
        let at = format!("consumer {} of {}, reading {}", consumer.name, consumer.role, consumer.source);
        let Some(head) = head(books, consumer) else {
            check.violated(at, format!("a role {} with events", consumer.source), "none");
            continue;
        };
        let Position { epoch, sequence } = consumer.position;
        let found = format!("at {}", consumer.position);
        if sequence > head.sequence || epoch > head.epoch {
            check.violated(at, format!("at most at {head}"), found);
        } else if sequence < head.sequence {
            check.note(at, format!("at {head}; {} behind", head.sequence - sequence), found, true);
        }
    }
    check
}

fn head(books: &Books, consumer: &Consumer) -> Option<Position> {
    books.streams.iter().find(|stream| stream.role == consumer.source).map(|stream| stream.head)
}

/// `events.parked`: no aggregate is set aside because an event of it could not be applied.
pub fn parked(books: &Books) -> Check {
    let mut check = Check::new("events.parked");
    for consumer in &books.consumers {
        check.examined += 1;
        for aggregate in &consumer.parked {
            let at = format!("{aggregate} at consumer {} of {}", consumer.name, consumer.role);
            check.violated(at, format!("every event of {} applied", consumer.source), "set aside");
        }
    }
    check
}
