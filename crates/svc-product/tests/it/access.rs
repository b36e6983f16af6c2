use chassis::testing::{customer, guest, staff};
use contract::souk::product::v1 as pb;
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use kernel::Code;
use mesh::Principal;

use super::shop::{Shop, bowl};

#[tokio::test(start_paused = true)]
async fn only_staff_of_the_catalogue_write() {
    let shop = Shop::open(1).await;
    for who in [Principal::Anonymous, guest(1), customer(2), staff(3, &["stock.write", "orders.write"])] {
        let client = || shop.harness.client(ProductServiceClient::new, who.clone());
        let refusals = [
            client().create_product(pb::CreateProductRequest::default()).await.map(drop),
            client().update_product(pb::UpdateProductRequest::default()).await.map(drop),
            client().archive_product(pb::ArchiveProductRequest::default()).await.map(drop),
            client().set_price(pb::SetPriceRequest::default()).await.map(drop),
            client().list_price_history(pb::ListPriceHistoryRequest::default()).await.map(drop),
            client().record_price_history(pb::RecordPriceHistoryRequest::default()).await.map(drop),
            client().import_products(pb::ImportProductsRequest::default()).await.map(drop),
            client().create_category(pb::CreateCategoryRequest::default()).await.map(drop),
            client().update_category(pb::UpdateCategoryRequest::default()).await.map(drop),
            client().delete_category(pb::DeleteCategoryRequest::default()).await.map(drop),
        ];
        for refusal in refusals {
            let error = contract::error(refusal.expect_err("refused"));
            assert!(matches!(error.code(), Code::PermissionDenied | Code::Unauthenticated), "{error:?}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn every_write_wants_a_request_key() {
    let shop = Shop::open(2).await;
    for key in ["", "two words", &"x".repeat(129)] {
        let error = shop.create(key, bowl("Bowl", &[("A", 1)])).await.expect_err("refused");
        assert_eq!(error.violations()[0].field, "/request_id");
    }
}
