//! Every row has the seal that its content makes.

use super::{Findings, SEALED};
use crate::store::Seals;

pub(super) fn check(findings: &mut Findings<'_>, seals: &Seals) {
    let row = findings.row;
    let (order, id) = (&row.order, row.order.id);
    let mut told = |part: &str, seal: &[u8], expected: &[u8], found: String| {
        if seal.is_empty() {
            findings.note(SEALED, part, "a seal", "none");
        } else if seal != expected {
            findings.note(SEALED, part, "what was sealed", found);
        }
    };
    told("row", &row.seal, &seals.order(order), format!("another content at version {}", order.version));
    told("quote", &row.quote_seal, &seals.quote(id, &row.quote), "another content".to_owned());
    let mut previous = Vec::new();
    for line in &row.history {
        let expected = seals.history(&previous, id, &line.line);
        let version = line.line.version;
        told(
            &format!("history {version}"),
            &line.seal,
            &expected,
            "another content, or one before it".to_owned(),
        );
        previous.clone_from(&line.seal);
    }
    if previous != order.history_seal {
        let last = row.history.last().map_or(0, |line| line.line.version);
        findings.note(SEALED, "history", "the last line that the order knows", format!("{last} as the last"));
    }
    for shipment in &row.shipments {
        let part = format!("shipment {}", shipment.made.group_id);
        let expected = seals.shipment(id, &shipment.made);
        if shipment.seal != expected {
            findings.note(SEALED, &part, "what was sealed", shipment.made.shipment_id.clone());
        }
    }
}
