//! What the index holds, for an audit to compare with the catalogue, and whether its files are whole.

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
        let mut examined = Examined::default();
        if after.is_none() {
            let index = served.index.clone();
            let read = tokio::task::spawn_blocking(move || index.damaged_files()).await;
            for file in read.map_err(Error::internal)?? {
                examined.finds(
                    format!("file {file}"),
                    "bytes that fit its checksum",
                    "others: reindex, or restart",
                );
            }
            if !examined.findings.is_empty() {
                // What stands in damaged files cannot be compared.
                return Ok(examined);
            }
        }
        let (hits, next) = served.index.hits_from(from, limit as usize)?;
        examined.rows = hits.len();
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
