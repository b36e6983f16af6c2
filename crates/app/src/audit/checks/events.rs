//! Group `events`: outboxes and their readers.

use std::collections::HashMap;

use super::super::facts::Facts;
use super::Check;

/// Every outbox is numbered without gaps.
pub(super) fn gap_free(facts: &Facts) -> Check {
    let mut check = Check::new("events.gap_free");
    for stream in &facts.streams {
        check.examined += 1 + u64::try_from(stream.status.count).unwrap_or(0);
        for gap in &stream.status.gaps {
            check.broken(format!("{} event {gap}", stream.role), "an event", "none");
        }
    }
    check
}

/// Every consumer is caught up or goes on, and has set nothing aside.
pub(super) fn consumed(facts: &Facts) -> Check {
    let mut check = Check::new("events.consumed");
    let heads: HashMap<&str, (i64, i64)> = facts
        .streams
        .iter()
        .filter_map(|s| Some((s.role.as_str(), s.status.head.map(|p| (p.epoch, p.sequence))?)))
        .collect();
    for stream in &facts.streams {
        for consumer in &stream.status.consumers {
            check.look();
            let place = format!("{} in {}, reading {}", consumer.name, stream.role, consumer.source);
            let at = consumer.position.map_or((0, 0), |position| (position.epoch, position.sequence));
            let Some(head) = heads.get(consumer.source.as_str()).copied() else {
                check.broken(&place, "a source that has events", "none of this name");
                continue;
            };
            let started = head.1 > 0;
            if at.0 != head.0 && started || at.1 > head.1 {
                check.broken(
                    &place,
                    format!("within epoch {} to {}", head.0, head.1),
                    format!("at epoch {} event {}", at.0, at.1),
                );
            } else if at.1 < head.1 {
                // Seen twice in the same words, it has not moved in between.
                check.broken(&place, "caught up, or going on", format!("stands at event {}", at.1));
            }
            for aggregate in &consumer.parked {
                check.broken(format!("{place}, {aggregate}"), "applied", "set aside");
            }
        }
    }
    check
}
