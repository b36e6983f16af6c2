use contract::souk::product::v1 as pb;
use contract::wire;
use kernel::Timestamp;

use super::shop::{Shop, bowl, fields, gbp};

fn row(reference: &str, product: pb::ProductInput) -> pb::ImportProduct {
    pb::ImportProduct {
        external_reference: reference.into(),
        product: Some(product),
        ..pb::ImportProduct::default()
    }
}

fn past(sku: &str, pence: i64, seconds: i64) -> pb::HistoricPrice {
    pb::HistoricPrice {
        sku: sku.into(),
        unit_price: Some(gbp(pence)),
        from: Some(wire::timestamp(Timestamp::from_secs(seconds))),
        reason: "invoice".into(),
    }
}

async fn import(shop: &Shop, key: &str, products: Vec<pb::ImportProduct>) -> Vec<pb::ImportResult> {
    let request =
        pb::ImportProductsRequest { request_id: key.into(), products, price_reason: "import".into() };
    shop.staff.clone().import_products(request).await.expect("imported").into_inner().results
}

fn outcomes(results: &[pb::ImportResult]) -> Vec<pb::ImportOutcome> {
    results.iter().map(pb::ImportResult::outcome).collect()
}

#[tokio::test(start_paused = true)]
async fn the_same_rows_again_change_nothing() {
    use pb::ImportOutcome::{Created, Unchanged, Updated};
    let shop = Shop::open(1).await;
    let mut first = row("a", bowl("Bowl", &[("A", 100)]));
    first.category_paths = vec!["Kitchen/Bowls".into(), "Gifts".into()];
    first.price_history = vec![past("A", 80, 1000), past("A", 90, 2000)];
    let rows = vec![first, row("b", bowl("Mug", &[("B", 100), ("b", 110)]))];
    let results = import(&shop, "k-1", rows.clone()).await;
    assert_eq!(outcomes(&results), [Created, Created]);
    assert_eq!(results[0].prices_recorded, 2);
    let published = shop.event_names().await.len();
    let results = import(&shop, "k-2", rows.clone()).await;
    assert_eq!(outcomes(&results), [Unchanged, Unchanged]);
    assert_eq!(results[0].prices_recorded, 0);
    assert_eq!(shop.event_names().await.len(), published);
    assert_eq!(
        shop.history("A", 2).await.into_iter().map(|(micros, _)| micros / 10_000).collect::<Vec<_>>(),
        [80, 90, 100]
    );

    let mut changed = rows;
    changed[1].product.as_mut().expect("a product").variants[0].prices[0] = gbp(120);
    let results = import(&shop, "k-3", changed).await;
    assert_eq!(outcomes(&results), [Unchanged, Updated]);
    assert_eq!(shop.history("B", 5).await.len(), 2);
    let trail = &shop.variants(&["A"]).await.variants[0].category_trail_ids;
    assert_eq!(trail.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn good_rows_are_applied_and_bad_ones_answered_with_their_fields() {
    use pb::ImportOutcome::{Created, Refused};
    let shop = Shop::open(2).await;
    let mut deep = row("deep", bowl("Deep", &[("D", 1)]));
    deep.category_paths = vec!["a/b/c/d/e/f/g/h/i".into()];
    let mut odd = row("odd", bowl("Odd", &[("O", 1)]));
    odd.price_history =
        vec![past("O", 1, 1000), past("X", 1, 1000), past("O", 1, i64::from(u32::MAX)), past("O", -1, 1)];
    let rows = vec![
        row("good", bowl("Good", &[("G", 1)])),
        row("", bowl("No reference", &[("N", 1)])),
        row("bad", bowl("", &[("B", -1)])),
        row("none", pb::ProductInput::default()),
        deep,
        odd,
        pb::ImportProduct { external_reference: "empty".into(), ..pb::ImportProduct::default() },
    ];
    let results = import(&shop, "k-1", rows).await;
    assert_eq!(outcomes(&results), [Created, Refused, Refused, Refused, Refused, Created, Refused]);
    let refused =
        |n: usize| results[n].refusals.iter().map(|refusal| refusal.field.as_str()).collect::<Vec<_>>();
    assert_eq!(refused(1), ["/external_reference"]);
    assert_eq!(refused(2), ["/product/name", "/product/variants/0/prices/0/micros"]);
    assert_eq!(refused(3), ["/product/name", "/product/variants"]);
    assert_eq!(refused(4), ["/category_paths/0"]);
    assert_eq!(
        refused(5),
        ["/price_history/1/sku", "/price_history/2/from", "/price_history/3/unit_price/micros"]
    );
    assert_eq!(refused(6), ["/product"]);
    assert!(results[5].refusals.iter().all(|refusal| refusal.index == 5));
    assert_eq!(results[5].prices_recorded, 1);
}

#[tokio::test(start_paused = true)]
async fn one_reference_or_one_sku_twice_in_a_call_makes_one_product() {
    let shop = Shop::open(3).await;
    let rows = (0..6).map(|n| row("same", bowl(&format!("Bowl {n}"), &[("S", 100)]))).collect();
    let results = import(&shop, "k-1", rows).await;
    assert!(results.iter().all(|result| result.outcome() != pb::ImportOutcome::Refused), "{results:?}");
    assert!(results.iter().all(|result| result.product_id == results[0].product_id));
    let rows = (0..6).map(|n| row(&format!("r{n}"), bowl("Bowl", &[("T", 100)]))).collect();
    let results = import(&shop, "k-2", rows).await;
    let made: Vec<_> =
        results.iter().filter(|result| result.outcome() == pb::ImportOutcome::Created).collect();
    assert_eq!(made.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_catalogue_of_thousands_is_imported_and_found() {
    let shop = Shop::open(4).await;
    for part in 0..6 {
        let one = |n: usize| {
            let sku = format!("SKU{n}");
            let mut row = row(&format!("r{n}"), bowl("WHITE HANGING HEART", &[(&sku, 255)]));
            row.price_history = (0..4).map(|m| past(&sku, 200 + m, 1000 + m)).collect();
            row
        };
        let results =
            import(&shop, &format!("k-{part}"), (part * 500..(part + 1) * 500).map(one).collect()).await;
        assert!(results.iter().all(|result| result.outcome() == pb::ImportOutcome::Created));
    }
    let skus: Vec<String> = (0..1000).map(|n| format!("SKU{}", n * 3)).collect();
    let skus: Vec<&str> = skus.iter().map(String::as_str).collect();
    assert_eq!(shop.variants(&skus).await.variants.len(), 1000);
    assert_eq!(shop.history("SKU2999", 2).await.len(), 5);
}

#[tokio::test(start_paused = true)]
async fn prices_of_the_past_are_kept_once() {
    let shop = Shop::open(5).await;
    import(&shop, "k-1", vec![row("a", bowl("Bowl", &[("A", 100)]))]).await;
    let entries = vec![past("A", 50, 100), past("A", 60, 200), past("A", 50, 100), past("Z", 1, 1)];
    let mut answers = Vec::new();
    for key in ["h-1", "h-2"] {
        let request = pb::RecordPriceHistoryRequest { request_id: key.into(), entries: entries.clone() };
        answers.push(shop.staff.clone().record_price_history(request).await.expect("kept").into_inner());
    }
    assert_eq!((answers[0].recorded, answers[0].already), (2, 1));
    assert_eq!((answers[1].recorded, answers[1].already), (0, 3));
    assert_eq!((answers[0].refusals[0].index, answers[0].refusals[0].field.as_str()), (3, "/sku"));
    assert_eq!(shop.history("A", 1).await.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn too_many_rows_are_refused_whole() {
    let shop = Shop::open(6).await;
    for count in [0, 501] {
        let products = vec![row("a", bowl("Bowl", &[("A", 100)])); count];
        let request =
            pb::ImportProductsRequest { request_id: "k".into(), products, price_reason: String::new() };
        let error =
            shop.staff.clone().import_products(request).await.map_err(contract::error).expect_err("refused");
        assert_eq!(fields(&error), ["/products"]);
    }
}
