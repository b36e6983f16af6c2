//! The counters of documents: each kind has one for this shop's legal entity, and others belong to documents that were issued.

use chassis::audit::{Examine, Examined};
use kernel::Result;
use tonic::async_trait;

use crate::domain::InvoiceKind;
use crate::store::Orders;

/// The counters of documents. That each is the number after the greatest is proved by whoever reads the documents, too.
pub struct CounterRows(pub Orders);

#[async_trait]
impl Examine for CounterRows {
    fn table(&self) -> &'static str {
        "counters of documents"
    }

    async fn page(&self, _: Option<&str>, _: u32) -> Result<Examined> {
        let series = self.0.series().await?;
        let mut examined = Examined { rows: series.len(), ..Examined::default() };
        let ours = self.0.legal_entity();
        for kind in InvoiceKind::ALL {
            let begun = series
                .iter()
                .any(|one| one.legal_entity == ours && one.kind.code() == kind.code() && one.next.is_some());
            examined.expects(begun, &counter_name(*kind, ours), "a counter", "none");
        }
        for one in series.iter().filter(|one| one.legal_entity != ours) {
            let issued = one.greatest > 0
                || series.iter().any(|other| other.legal_entity == one.legal_entity && other.greatest > 0);
            let row = counter_name(one.kind, &one.legal_entity);
            examined.expects(issued, &row, format!("documents of {}", one.legal_entity), "a counter alone");
        }
        Ok(examined)
    }
}

fn counter_name(kind: InvoiceKind, legal_entity: &str) -> String {
    let kind = match kind {
        InvoiceKind::Invoice => "invoice",
        InvoiceKind::CreditNote => "credit_note",
    };
    format!("counter of {kind} {legal_entity}")
}
