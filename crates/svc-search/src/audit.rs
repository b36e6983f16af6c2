//! What the index holds, for an audit to compare with the catalogue.

use std::sync::Arc;

use chassis::audit::{Examine, Examined, Fact};
use kernel::{Error, Result};
use tonic::async_trait;

use crate::api::show;
use crate::state::State;

/// The index that serves, as a table of its hits.
pub struct IndexRows(pub Arc<State>);

#[async_trait]
impl Examine for IndexRows {
    fn table(&self) -> &'static str {
        "index"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let from = match after.and_then(|after| after.split_once(' ')) {
            Some((segment, document)) => {
                let number = |text: &str| text.parse::<u32>().map_err(Error::internal);
                (number(segment)?, number(document)?)
            }
            None => (0, 0),
        };
        // Until the first index is built there is nothing in it.
        let Some(served) = self.0.served.load_full() else { return Ok(Examined::default()) };
        let (hits, next) = served.index.hits_from(from, limit as usize)?;
        let mut examined = Examined { rows: hits.len(), ..Examined::default() };
        for hit in &hits {
            let hit = show::hit(hit)?;
            let content = format!("{} | {} | {:?}", hit.name, hit.slug, hit.skus);
            let fact = Fact::new("indexed", hit.product_id).version(hit.version).state("at least");
            examined.facts.push(fact.content(content.as_bytes()).about(&content));
        }
        examined.next = next.map(|(segment, document)| format!("{segment} {document}"));
        Ok(examined)
    }
}
