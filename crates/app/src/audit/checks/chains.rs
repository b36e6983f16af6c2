//! Keyed chains: that they hold, and that what a former audit saw is still in them.

use std::collections::HashMap;

use super::Check;
use super::documents::chain;
use crate::audit::books::{Books, Head, Heads};

/// The name of the ledger's chain.
const LEDGER: &str = "ledger";

/// `ledger.keyed`: each link follows under the key from the one before it, up to the head.
pub fn keyed(books: &Books) -> Check {
    let mut check = Check::new("ledger.keyed");
    for entry in &books.ledger.entries {
        let Some(seal) = &entry.seal else { continue };
        check.examined += 1;
        if !seal.keyed_holds {
            let found = if seal.keyed.is_empty() { "no keyed hash" } else { "another" };
            let at = format!("ledger position {} (ledger entry {})", seal.position, entry.id);
            check.violated(at, "the keyed hash that follows", found);
        }
    }
    check
}

/// `audit.heads`: every chain that a former audit told the head of still has it, at its position.
pub fn heads(books: &Books, former: &Heads) -> Check {
    let mut check = Check::new("audit.heads");
    let ledger: HashMap<i64, &[u8]> = books
        .ledger
        .entries
        .iter()
        .filter_map(|entry| entry.seal.as_ref())
        .map(|seal| (seal.position, &*seal.keyed))
        .collect();
    let mut documents: HashMap<String, HashMap<i64, &[u8]>> = HashMap::new();
    for series in &books.numbering {
        let rows = books
            .invoices
            .iter()
            .filter(|row| row.legal_entity == series.legal_entity && row.kind == series.kind)
            .map(|row| (row.number, &*row.seal));
        documents.insert(chain(series), rows.collect());
    }
    for (name, head) in former.iter().filter(|(_, head)| head.position > 0) {
        check.examined += 1;
        let rows = if name == LEDGER { Some(&ledger) } else { documents.get(name) };
        let found = rows.and_then(|rows| rows.get(&head.position));
        if found != Some(&&*head.hash) {
            let found = found.map_or("nothing".to_owned(), hex::encode);
            check.violated(format!("{name}, position {}", head.position), hex::encode(&head.hash), found);
        }
    }
    check
}

/// The heads as they are now: the last position of each chain and the keyed hash there.
#[must_use]
pub fn present(books: &Books) -> Heads {
    let ledger = (LEDGER.to_owned(), books.ledger.head.clone());
    let documents = books.numbering.iter().map(|series| (chain(series), series.head.clone()));
    documents.chain([ledger]).filter(|(_, head): &(String, Head)| head.position > 0).collect()
}
