use contract::souk::product::v1 as pb;
use contract::souk::r#type::v1::PageRequest;

use super::shop::{Shop, bowl, fields};

#[tokio::test(start_paused = true)]
async fn variants_are_answered_in_the_order_asked_and_case_matters() {
    let shop = Shop::open(1).await;
    shop.create("k-1", bowl("Bowl", &[("85123A", 255), ("85123a", 295)])).await.expect("made");
    let answer = shop.variants(&["none", "85123a", "85123A", "85123a", "", &"x".repeat(65)]).await;
    let skus: Vec<_> = answer.variants.iter().map(|variant| variant.sku.as_str()).collect();
    assert_eq!(skus, ["85123a", "85123A"]);
    assert_eq!(answer.missing_skus.len(), 3);
    assert_eq!(answer.variants[0].product_name, "Bowl");
    assert_eq!(answer.variants[0].tax_class(), pb::TaxClass::Standard);
    assert_eq!(answer.variants[0].weight_grams, 400);
}

#[tokio::test(start_paused = true)]
async fn a_read_never_shows_less_than_the_last_write() {
    let shop = Shop::open(2).await;
    let mut product = shop.create("k-0", bowl("Bowl", &[("A", 100)])).await.expect("made");
    for n in 1..20 {
        let key = format!("k-{n}");
        let read = shop.variants(&["A"]);
        let write = shop.update(&key, &product, bowl("Bowl", &[("A", 100 + n)]));
        let (_, written) = tokio::join!(read, write);
        product = written.expect("changed");
        assert_eq!(shop.variants(&["A"]).await.variants[0].product_version, product.version);
    }
}

#[tokio::test(start_paused = true)]
async fn too_many_or_no_skus_are_refused() {
    let shop = Shop::open(3).await;
    for count in [0, 1001] {
        let request = pb::BatchGetVariantsRequest { skus: vec!["A".into(); count] };
        let error = shop.anybody.clone().batch_get_variants(request).await.map_err(contract::error);
        assert_eq!(fields(&error.expect_err("refused")), ["/skus"]);
    }
}

#[tokio::test(start_paused = true)]
async fn lists_are_paged_and_show_each_caller_what_is_his() {
    let shop = Shop::open(4).await;
    for n in 0..7 {
        let mut product = bowl(&format!("Bowl {n}"), &[(&format!("S-{n}"), 100)]);
        product.status = if n == 3 { pb::ProductStatus::Draft.into() } else { 0 };
        shop.create(&format!("k-{n}"), product).await.expect("made");
    }
    for (mut client, expected) in [(shop.anybody.clone(), 6), (shop.staff.clone(), 7)] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = Some(PageRequest { limit: 2, cursor });
            let request = pb::ListProductsRequest { page, status: 0 };
            let response = client.list_products(request).await.expect("a page").into_inner();
            assert_eq!(response.as_of.expect("a place").sequence, 7);
            seen.extend(response.products.into_iter().map(|product| product.product_id));
            cursor = response.page.expect("a page").next_cursor;
            if cursor.is_empty() {
                break;
            }
        }
        assert_eq!(seen.len(), expected);
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), expected);
    }
    let draft = pb::ListProductsRequest { status: pb::ProductStatus::Draft.into(), page: None };
    let denied = shop.anybody.clone().list_products(draft.clone()).await.map_err(contract::error);
    let denied = denied.expect_err("denied");
    assert_eq!(denied.reason(), "PERMISSION_DENIED");
    assert_eq!(denied.metadata()["permission"], "catalogue.write", "{denied:?}");
    assert_eq!(shop.staff.clone().list_products(draft).await.expect("a page").into_inner().products.len(), 1);
    assert_eq!(shop.variants(&["S-3"]).await.missing_skus, ["S-3"]);
}

#[tokio::test(start_paused = true)]
async fn cursors_of_another_list_are_refused() {
    let shop = Shop::open(5).await;
    for n in 0..3 {
        shop.create(&format!("k-{n}"), bowl(&format!("Bowl {n}"), &[(&format!("S-{n}"), 1)]))
            .await
            .expect("made");
    }
    let page = Some(PageRequest { limit: 1, cursor: String::new() });
    let request = pb::ListProductsRequest { page, status: pb::ProductStatus::Active.into() };
    let first = shop.staff.clone().list_products(request).await.expect("a page").into_inner();
    let cursor = first.page.expect("a page").next_cursor;
    for (cursor, status) in
        [(cursor, pb::ProductStatus::Draft), ("AAAA".to_owned(), pb::ProductStatus::Active)]
    {
        let page = Some(PageRequest { limit: 1, cursor });
        let request = pb::ListProductsRequest { page, status: status.into() };
        let error = shop
            .staff
            .clone()
            .list_products(request)
            .await
            .map_err(contract::error)
            .expect_err("another list");
        assert_eq!((error.reason(), fields(&error)), ("INVALID_CURSOR", vec!["/page/cursor"]));
    }
}

#[tokio::test(start_paused = true)]
async fn products_are_found_by_slug_and_in_batches() {
    let shop = Shop::open(6).await;
    let bowl = shop.create("k-1", bowl("Harbour bowl", &[("A", 1)])).await.expect("made");
    let request = pb::GetProductBySlugRequest { slug: "harbour-bowl".into() };
    let found = shop.anybody.clone().get_product_by_slug(request).await.expect("there").into_inner();
    assert_eq!(found.product.expect("a product"), bowl);
    for (slug, reason) in [("nothing", "PRODUCT_NOT_FOUND"), ("No Slug", "INVALID_ARGUMENT")] {
        let request = pb::GetProductBySlugRequest { slug: slug.into() };
        let error = shop.anybody.clone().get_product_by_slug(request).await.map_err(contract::error);
        assert_eq!(error.expect_err("none").reason(), reason);
    }
    let missing = kernel::ProductId::from_bits(9).to_string();
    let request = pb::BatchGetProductsRequest { product_ids: vec![missing.clone(), bowl.product_id.clone()] };
    let batch = shop.anybody.clone().batch_get_products(request).await.expect("an answer").into_inner();
    assert_eq!((batch.products, batch.missing_product_ids), (vec![bowl], vec![missing]));
}
