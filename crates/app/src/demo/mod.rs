//! The demo catalogue: what a shop sells that nobody has filled yet.

use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::inventory::v1::{ReceiptLine, ReceiveStockRequest};
use contract::souk::product::v1 as pb;
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use kernel::{Error, Result};
use tonic::body::Body as TonicBody;
use tonic::client::GrpcService;
use tonic::codegen::{Body, Bytes, StdError};

use crate::import::product_rows::{Format, Item, Located};

/// Products in the format of `souk import products`, with stock.
const CATALOGUE: &str = include_str!("catalogue.jsonl");
/// Names this catalogue in request keys and receipts; changes when the catalogue does.
const EDITION: &str = "demo-1";

/// What was loaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Loaded {
    /// Products, made now or before.
    pub products: u64,
    /// Units received now; 0 when they were received before.
    pub units: i64,
}

/// Loads the demo catalogue and its stock: in full, however often it is called and wherever it was interrupted. The
/// clients must be those of staff who may write catalogue and stock.
///
/// # Errors
/// What product and inventory answer.
pub async fn load<P, I>(
    mut products: ProductServiceClient<P>,
    mut inventory: InventoryServiceClient<I>,
) -> Result<Loaded>
where
    P: GrpcService<TonicBody>,
    P::Error: Into<StdError>,
    P::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <P::ResponseBody as Body>::Error: Into<StdError> + Send,
    I: GrpcService<TonicBody>,
    I::Error: Into<StdError>,
    I::ResponseBody: Body<Data = Bytes> + Send + 'static,
    <I::ResponseBody as Body>::Error: Into<StdError> + Send,
{
    let rows = rows()?;
    let request = pb::ImportProductsRequest {
        request_id: format!("{EDITION}-products"),
        products: rows.iter().map(import).collect::<Result<_>>()?,
        price_reason: "demo catalogue".to_owned(),
    };
    let results = products.import_products(request).await.map_err(contract::error)?.into_inner().results;
    if let Some(refusal) = results.iter().flat_map(|result| &result.refusals).next() {
        let row = usize::try_from(refusal.index).ok().and_then(|index| rows.get(index));
        let name = row.map_or("", |located| located.row.name.as_str());
        return Err(damaged(&format!("{name}: {} {}", refusal.field, refusal.description)));
    }
    let lines = rows.iter().flat_map(|located| located.row.stock()).filter(|(_, units)| *units > 0);
    let line = |(sku, quantity): (&str, i64)| ReceiptLine {
        sku: sku.to_owned(),
        location: String::new(),
        quantity,
        reference: format!("{EDITION}:{sku}"),
    };
    let request =
        ReceiveStockRequest { request_id: format!("{EDITION}-stock"), lines: lines.map(line).collect() };
    let received = inventory.receive_stock(request).await.map_err(contract::error)?.into_inner();
    Ok(Loaded { products: results.len() as u64, units: received.units_received })
}

fn rows() -> Result<Vec<Located>> {
    let items = Format::JsonLines.read(Box::new(CATALOGUE.as_bytes()), None);
    let row = |item| match item {
        Item::Product(located) => Ok(located),
        Item::Note(problem) => Err(damaged(&problem.to_string())),
        Item::Refused(problems) => Err(damaged(&format!("{problems:?}"))),
    };
    items.map(row).collect()
}

fn import(located: &Located) -> Result<pb::ImportProduct> {
    located.row.to_import().map_err(|wrong| damaged(&format!("{}: {wrong:?}", located.row.name)))
}

fn damaged(what: &str) -> Error {
    Error::internal(format!("the demo catalogue is wrong: {what}"))
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn the_catalogue_reads_and_is_a_shop_of_about_sixty() {
        let rows = rows().expect("reads");
        assert!((55..=75).contains(&rows.len()), "{}", rows.len());
        let categories: HashSet<_> = rows.iter().flat_map(|located| &located.row.categories).collect();
        assert!(categories.len() >= 10);
        for located in &rows {
            let product = import(located).expect("good").product.expect("there");
            for variant in &product.variants {
                let currencies: Vec<_> =
                    variant.prices.iter().map(|price| price.currency_code.as_str()).collect();
                assert_eq!(currencies, ["EUR", "GBP"], "{}", variant.sku);
                assert!(variant.weight_grams > 0, "{}", variant.sku);
            }
        }
        let skus: Vec<_> = rows.iter().flat_map(|located| &located.row.variants).map(|v| &v.sku).collect();
        assert_eq!(skus.iter().collect::<HashSet<_>>().len(), skus.len());
    }

    #[test]
    fn the_shop_speaks_calmly() {
        assert!(!CATALOGUE.contains('!'));
    }

    #[test]
    fn one_call_each_is_enough() {
        let rows = rows().expect("reads");
        assert!(rows.len() <= 500 && rows.iter().flat_map(|located| located.row.stock()).count() <= 1000);
    }
}
