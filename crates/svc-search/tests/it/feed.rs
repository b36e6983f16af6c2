use std::time::Duration;

use contract::souk::product::v1::{CreateCategoryRequest, ProductInput, ProductStatus};
use contract::souk::search::v1 as pb;

use super::hall::{Hall, thing};

#[tokio::test(start_paused = true)]
async fn changes_show_within_a_second() {
    let hall = Hall::open().await;
    hall.put(1, thing("Dock mug", 14)).await;
    assert_eq!(hall.names("mug").await, ["Dock mug"]);
    hall.put_unseen(1, thing("Dock bowl", 14)).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(hall.names("dock").await, ["Dock bowl"]);
    let mut gone = thing("Dock bowl", 14);
    gone.status = ProductStatus::Archived.into();
    hall.put(1, gone).await;
    assert!(hall.names("dock").await.is_empty());
    let status = hall.status().await;
    assert_eq!((status.documents, status.lag_events), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_category_that_was_made_while_the_first_index_was_is_known() {
    let hall = Hall::open().await;
    let late = CreateCategoryRequest {
        request_id: "cat_late".into(),
        parent_id: "cat_early".into(),
        name: "Late".into(),
        slug: "late".into(),
        ..CreateCategoryRequest::default()
    };
    hall.products.clone().create_category(late).await.expect("made");
    let mug = ProductInput { category_ids: vec!["cat_late".into()], ..thing("Dock mug", 14) };
    hall.put(1, mug).await;
    let request = pb::SearchRequest { facets: true, ..pb::SearchRequest::default() };
    let facets = hall.search(request).await.expect("an answer").facets.expect("facets");
    let paths: Vec<_> = facets.categories.iter().map(|facet| facet.path.as_str()).collect();
    assert_eq!(paths, ["early/late"]);
}

#[tokio::test(start_paused = true)]
async fn a_reindex_serves_all_the_while_and_loses_nothing() {
    let hall = Hall::open().await;
    for n in 0..250 {
        hall.put_unseen(n + 1, thing(&format!("Mug number {n}"), 14)).await;
    }
    let before = hall.settle().await;
    let reindex = |key: &str| {
        let request = pb::ReindexRequest { request_id: key.into() };
        let mut client = hall.staff.clone();
        async move { client.reindex(request).await.expect("begun") }
    };
    let begun = reindex("k-1").await.into_inner().status.expect("a status");
    assert_eq!((begun.state(), begun.documents), (pb::IndexState::Reindexing, 250));
    for n in 0..50 {
        hall.put_unseen(n + 1, thing(&format!("Bowl number {n}"), 14)).await;
        assert!(!hall.names("number").await.is_empty());
    }
    let after = hall.settle().await;
    assert_eq!((after.generation, after.documents), (before.generation + 1, 250));
    let count = |query: &str| {
        let request = pb::SearchRequest { query: query.into(), ..pb::SearchRequest::default() };
        let hall = &hall;
        async move { hall.search(request).await.expect("an answer").total }
    };
    assert_eq!((count("mug ").await, count("bowl ").await), (200, 50));
    let replayed = reindex("k-1").await;
    assert_eq!(replayed.metadata().get("souk-replayed").expect("marked"), "true");
    assert_eq!(hall.settle().await.generation, after.generation);
}

#[tokio::test(start_paused = true)]
async fn a_product_that_is_away_delays_and_breaks_nothing() {
    let hall = Hall::open().await;
    hall.put(1, thing("Dock mug", 14)).await;
    hall.away(true).await;
    let request = pb::ReindexRequest { request_id: "k-1".into() };
    hall.staff.clone().reindex(request).await.expect("begun");
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(hall.names("mug").await, ["Dock mug"]);
    assert_eq!(hall.status().await.generation, 1);
    hall.away(false).await;
    let request = pb::ReindexRequest { request_id: "k-2".into() };
    hall.staff.clone().reindex(request).await.expect("begun");
    assert_eq!(hall.settle().await.generation, 2);
}

#[tokio::test]
async fn a_restart_goes_on_where_the_index_stands() {
    let directory = tempfile::tempdir().expect("a directory");
    let hall = Hall::open_in(directory.path()).await;
    hall.put(1, thing("Dock mug", 14)).await;
    hall.put(2, thing("Camp mug", 9)).await;
    let before = hall.settle().await;
    assert!(hall.running.stop(Duration::from_secs(5)).await);
    drop(hall);

    let hall = Hall::open_in(directory.path()).await;
    // The stand-in has forgotten its products: what is found stands in the index.
    let mut names = hall.names("mug").await;
    names.sort();
    assert_eq!(names, ["Camp mug", "Dock mug"]);
    assert_eq!(hall.status().await.position, before.position);
    hall.put(3, thing("Iron teapot", 58)).await;
    assert_eq!(hall.names("teapot").await, ["Iron teapot"]);
}

#[tokio::test]
async fn an_index_of_another_epoch_is_built_anew() {
    let directory = tempfile::tempdir().expect("a directory");
    let hall = Hall::open_in(directory.path()).await;
    hall.put(1, thing("Dock mug", 14)).await;
    assert!(hall.running.stop(Duration::from_secs(5)).await);
    drop(hall);
    std::fs::remove_dir_all(directory.path().join("product")).expect("lost");
    // Somebody decided that it begins anew.
    let list = directory.path().join("databases");
    let names = std::fs::read_to_string(&list).expect("a list").replace("product\n", "");
    std::fs::write(&list, names).expect("written");

    let hall = Hall::open_in(directory.path()).await;
    hall.put(2, thing("Iron teapot", 58)).await;
    assert!(hall.names("mug").await.is_empty());
    assert_eq!(hall.names("teapot").await, ["Iron teapot"]);
}
