use std::time::Duration;

use contract::souk::product::v1 as pb;

use super::shop::{Shop, bowl, fields, gbp};

#[tokio::test(start_paused = true)]
async fn a_product_is_made_once_whatever_is_repeated() {
    let shop = Shop::open(1).await;
    let made = shop.create("k-1", bowl("Harbour bowl", &[("B-1", 1800), ("b-1", 1900)])).await.expect("made");
    assert_eq!((made.version, made.slug.as_str(), made.variants.len()), (1, "harbour-bowl", 2));
    let request = pb::CreateProductRequest {
        request_id: "k-1".into(),
        product: Some(bowl("Harbour bowl", &[("B-1", 1800), ("b-1", 1900)])),
    };
    let again = shop.staff.clone().create_product(request).await.expect("replayed");
    assert_eq!(again.metadata().get("souk-replayed").expect("marked"), "true");
    assert_eq!(again.into_inner().product.expect("a product"), made);
    let reused = shop.create("k-1", bowl("Another", &[("B-9", 1)])).await.expect_err("reused");
    assert_eq!(reused.reason(), "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(shop.event_names().await, ["ProductCreated"]);
}

#[tokio::test(start_paused = true)]
async fn two_at_once_with_one_key_make_one_product() {
    let shop = Shop::open(2).await;
    let tries = (0..8).map(|_| shop.create("k-1", bowl("Bowl", &[("B-1", 1800)])));
    let made = futures_util::future::join_all(tries).await;
    for outcome in &made {
        match outcome {
            Ok(product) => assert_eq!(product.version, 1),
            Err(error) => assert_eq!(error.reason(), "REQUEST_IN_PROGRESS"),
        }
    }
    assert!(made.iter().any(Result::is_ok));
    assert_eq!(shop.event_names().await, ["ProductCreated"]);
}

#[tokio::test(start_paused = true)]
async fn a_sku_belongs_to_one_product_at_a_time() {
    let shop = Shop::open(3).await;
    let first = shop.create("k-1", bowl("First", &[("S-1", 100), ("S-2", 100)])).await.expect("made");
    let taken = shop.create("k-2", bowl("Second", &[("S-2", 100)])).await.expect_err("taken");
    assert_eq!((taken.reason(), fields(&taken)), ("SKU_TAKEN", vec!["/product/variants/0/sku"]));
    assert!(!taken.retryable());
    shop.update("k-3", &first, bowl("First", &[("S-1", 100)])).await.expect("changed");
    assert_eq!(shop.variants(&["S-2"]).await.missing_skus, ["S-2"]);
    shop.harness.advance(Duration::from_secs(121)).await;
    let second = shop.create("k-4", bowl("Second", &[("S-2", 100)])).await.expect("free again");
    assert_eq!(shop.variants(&["S-2"]).await.variants[0].product_id, second.product_id);
    let back =
        shop.staff.clone().get_product(pb::GetProductRequest { product_id: first.product_id.clone() }).await;
    let back = back.expect("there").into_inner().product.expect("a product");
    let taken =
        shop.update("k-5", &back, bowl("First", &[("S-1", 100), ("S-2", 100)])).await.expect_err("taken");
    assert_eq!(taken.reason(), "SKU_TAKEN");
}

#[tokio::test(start_paused = true)]
async fn many_who_want_one_sku_make_one_product_with_it() {
    let shop = Shop::open(4).await;
    let wanted = (0..24).map(|n| {
        let shop = &shop;
        async move { shop.create(&format!("k-{n}"), bowl(&format!("Bowl {n}"), &[("ONE", 100)])).await }
    });
    let made = futures_util::future::join_all(wanted).await;
    assert_eq!(made.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    assert!(
        made.iter().filter_map(|outcome| outcome.as_ref().err()).all(|error| error.reason() == "SKU_TAKEN")
    );
    assert_eq!(shop.event_names().await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn slugs_are_made_different_and_chosen_ones_refused() {
    let shop = Shop::open(5).await;
    shop.create("k-1", bowl("Bowl", &[("A", 1)])).await.expect("made");
    let second = shop.create("k-2", bowl("Bowl", &[("B", 1)])).await.expect("made");
    assert!(second.slug.starts_with("bowl-") && second.slug.len() > 8, "{}", second.slug);
    let mut chosen = bowl("Bowl", &[("C", 1)]);
    chosen.slug = "bowl".into();
    let taken = shop.create("k-3", chosen.clone()).await.expect_err("taken");
    assert_eq!((taken.reason(), fields(&taken)), ("SLUG_TAKEN", vec!["/product/slug"]));
    chosen.slug = "bowl-c".into();
    shop.create("k-4", chosen).await.expect("the SKU was not spent");
}

#[tokio::test(start_paused = true)]
async fn stale_versions_and_wrong_fields_change_nothing() {
    let shop = Shop::open(6).await;
    let first = shop.create("k-1", bowl("Bowl", &[("A", 100)])).await.expect("made");
    let second = shop.update("k-2", &first, bowl("Dish", &[("A", 100)])).await.expect("changed");
    assert_eq!((second.version, second.name.as_str(), second.slug.as_str()), (2, "Dish", "bowl"));
    let stale = shop.update("k-3", &first, bowl("Plate", &[("A", 100)])).await.expect_err("stale");
    assert_eq!((stale.reason(), stale.retryable()), ("VERSION_CONFLICT", true));
    let zero = pb::Product { version: 0, ..second.clone() };
    assert_eq!(
        fields(&shop.update("k-4", &zero, bowl("Plate", &[("A", 1)])).await.expect_err("zero")),
        ["/version"]
    );
    let mut wrong = bowl("", &[("A", -1)]);
    wrong.category_ids = vec!["cat_x".into()];
    wrong.tax_class = 77;
    let error = shop.create("k-5", wrong).await.expect_err("wrong");
    assert_eq!(fields(&error), ["/product/category_ids/0", "/product/tax_class"]);
    assert_eq!(shop.event_names().await, ["ProductCreated", "ProductUpdated"]);
}

#[tokio::test(start_paused = true)]
async fn prices_change_and_are_remembered() {
    let shop = Shop::open(7).await;
    let mut product = shop.create("k-1", bowl("Bowl", &[("A", 100)])).await.expect("made");
    for (n, pence) in [(1, 120), (2, 120), (3, 90)] {
        shop.harness.advance(Duration::from_secs(60)).await;
        let request = pb::SetPriceRequest {
            request_id: format!("p-{n}"),
            product_id: product.product_id.clone(),
            version: product.version,
            sku: "A".into(),
            unit_price: Some(gbp(pence)),
            reason: format!("reason {n}"),
        };
        product = shop
            .staff
            .clone()
            .set_price(request)
            .await
            .expect("set")
            .into_inner()
            .product
            .expect("a product");
    }
    // The same price again changed nothing.
    assert_eq!(product.version, 3);
    assert_eq!(shop.variants(&["A"]).await.variants[0].prices[0].unit_price, Some(gbp(90)));
    for limit in [1, 2, 3, 10] {
        let micros: Vec<_> =
            shop.history("A", limit).await.into_iter().map(|(micros, _)| micros / 10_000).collect();
        assert_eq!(micros, [100, 120, 90], "{limit}");
    }
    assert_eq!(shop.history("A", 10).await[2].1, "reason 3");
    assert_eq!(shop.event_names().await, ["ProductCreated", "PriceChanged", "PriceChanged"]);
}

#[tokio::test(start_paused = true)]
async fn an_archived_product_is_gone_for_buyers_and_comes_back() {
    let shop = Shop::open(8).await;
    let product = shop.create("k-1", bowl("Bowl", &[("A", 100)])).await.expect("made");
    let request = pb::ArchiveProductRequest {
        request_id: "k-2".into(),
        product_id: product.product_id.clone(),
        version: 1,
    };
    let archived = shop.staff.clone().archive_product(request).await.expect("archived").into_inner().product;
    let archived = archived.expect("a product");
    assert_eq!(archived.status(), pb::ProductStatus::Archived);
    let get = pb::GetProductRequest { product_id: product.product_id.clone() };
    let gone =
        shop.anybody.clone().get_product(get.clone()).await.map_err(contract::error).expect_err("gone");
    assert_eq!(gone.reason(), "PRODUCT_NOT_FOUND");
    shop.staff.clone().get_product(get.clone()).await.expect("staff see it");
    assert_eq!(shop.variants(&["A"]).await.variants[0].status(), pb::ProductStatus::Archived);
    let mut back = bowl("Bowl", &[("A", 100)]);
    back.status = pb::ProductStatus::Active.into();
    shop.update("k-3", &archived, back).await.expect("back");
    shop.anybody.clone().get_product(get).await.expect("everybody sees it");
    assert_eq!(shop.event_names().await, ["ProductCreated", "ProductArchived", "ProductUpdated"]);
}
