//! The calls that imports make, sent again while the shop is away or busy.

use chassis::Entropy;
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::inventory::v1::{ReceiptLine, ReceiveStockRequest};
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::product::v1::{ImportProduct, ImportProductsRequest, ImportResult, UploadPictureRequest};
use kernel::Code;

use crate::client::{CallError, Shop};
use crate::console::Failure;

/// Receipts in one call at most.
pub const RECEIPTS_MAX: usize = 1000;

/// Imports products; what became of each, in their order.
///
/// # Errors
/// A shop that is lost, or refuses all of them.
pub async fn products(shop: &Shop, products: Vec<ImportProduct>) -> Result<Vec<ImportResult>, Failure> {
    let request =
        ImportProductsRequest { request_id: request_id(), products, price_reason: "imported".to_owned() };
    let client = shop.client(ProductServiceClient::new);
    let answer = shop.call(|| {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.import_products(request).await }
    });
    Ok(answer.await.map_err(|error| error.fatal("the products could not be imported"))?.results)
}

/// Receives stock, at most [`RECEIPTS_MAX`] lines; the units that were not received before.
///
/// # Errors
/// A shop that is lost, or refuses a line: then none was received.
pub async fn receipts(shop: &Shop, lines: &[ReceiptLine]) -> Result<i64, CallError> {
    let request = ReceiveStockRequest { request_id: request_id(), lines: lines.to_vec() };
    let client = shop.client(InventoryServiceClient::new);
    let answer = shop.call(|| {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.receive_stock(request).await }
    });
    Ok(answer.await?.units_received)
}

/// What became of receipts.
#[derive(Debug, Default)]
pub struct Received {
    /// Units that were not received before.
    pub units: i64,
    /// Lines, by place, under whose reference another quantity was received before: these stay as they were.
    pub other_before: Vec<usize>,
    /// Lines, by place, that are refused for what is wrong with them.
    pub refused: Vec<(usize, String)>,
}

/// Receives stock, each line once, in calls of bounded size. Where a call is refused for one of its lines it is halved until
/// that line stands alone.
///
/// # Errors
/// A shop that is lost, or refuses to receive at all.
pub async fn receipts_once(shop: &Shop, lines: &[ReceiptLine]) -> Result<Received, Failure> {
    let mut received = Received::default();
    let mut waiting: Vec<std::ops::Range<usize>> = Vec::new();
    for from in (0..lines.len()).step_by(RECEIPTS_MAX).rev() {
        waiting.push(from..lines.len().min(from + RECEIPTS_MAX));
    }
    while let Some(range) = waiting.pop() {
        let error = match receipts(shop, &lines[range.clone()]).await {
            Ok(units) => {
                received.units += units;
                continue;
            }
            Err(CallError::Refused(error)) => error,
            Err(lost) => return Err(lost.fatal("the stock could not be received")),
        };
        let is_reused = error.reason() == "REFERENCE_REUSED";
        if !is_reused && error.code() != Code::InvalidArgument {
            return Err(CallError::Refused(error).fatal("the stock could not be received"));
        }
        if range.len() > 1 {
            let middle = range.start + range.len() / 2;
            waiting.extend([middle..range.end, range.start..middle]);
        } else if is_reused {
            received.other_before.push(range.start);
        } else {
            let description = error.violations().first().map(|violation| violation.description.clone());
            received.refused.push((range.start, description.unwrap_or_else(|| error.message().to_owned())));
        }
    }
    Ok(received)
}

/// Uploads a picture; its content hash.
///
/// # Errors
/// A shop that is lost, or does not take the file.
pub async fn picture(shop: &Shop, data: Vec<u8>) -> Result<String, CallError> {
    let request = UploadPictureRequest { request_id: request_id(), data };
    let client = shop.client(ProductServiceClient::new);
    let answer = shop.call(|| {
        let (mut client, request) = (client.clone(), request.clone());
        async move { client.upload_picture(request).await }
    });
    Ok(answer.await?.content_hash)
}

/// A new idempotency key.
pub fn request_id() -> String {
    hex::encode(Entropy::System.bytes::<16>())
}
