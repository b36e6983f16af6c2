use chassis::testing::{customer, guest};
use contract::souk::product::v1 as product;
use contract::souk::search::v1 as pb;
use contract::souk::search::v1::search_service_client::SearchServiceClient;
use contract::souk::r#type::v1::PageRequest;
use kernel::Code;
use mesh::Principal;

use super::hall::{Hall, thing};

async fn category(hall: &Hall, id: &str, parent: &str, name: &str) {
    let request = product::CreateCategoryRequest {
        request_id: id.into(),
        parent_id: parent.into(),
        name: name.into(),
        slug: name.to_lowercase(),
        position: 0,
    };
    hall.products.clone().create_category(request).await.expect("made");
}

async fn kitchen() -> Hall {
    let hall = Hall::open().await;
    category(&hall, "cat_k", "", "Kitchen").await;
    category(&hall, "cat_m", "cat_k", "Mugs").await;
    for (n, (name, pounds, place, colour)) in [
        ("Dock mug", 14, "cat_m", "ink"),
        ("Camp mug", 9, "cat_m", "green"),
        ("Harbour bowl", 18, "cat_k", "ink"),
        ("Iron teapot", 58, "cat_k", "black"),
        ("Loose sign", 0, "cat_k", "green"),
    ]
    .into_iter()
    .enumerate()
    {
        let mut input = thing(name, pounds);
        input.category_ids =
            if place == "cat_m" { vec!["cat_k".into(), "cat_m".into()] } else { vec![place.into()] };
        input.attributes = vec![product::ProductAttribute { name: "colour".into(), value: colour.into() }];
        hall.put_unseen(n as u128 + 1, input).await;
    }
    hall.settle().await;
    hall
}

#[tokio::test(start_paused = true)]
async fn facets_come_with_their_names_and_agree() {
    let hall = kitchen().await;
    let request =
        pb::SearchRequest { facets: true, currency_code: "GBP".into(), ..pb::SearchRequest::default() };
    let all = hall.search(request.clone()).await.expect("an answer");
    // What has no price in pounds is not sold in pounds.
    assert_eq!((all.total, all.hits.len()), (4, 4));
    let facets = all.facets.expect("facets");
    let names: Vec<_> = facets
        .categories
        .iter()
        .map(|facet| (facet.name.as_str(), facet.path.as_str(), facet.count))
        .collect();
    assert_eq!(names, [("Kitchen", "kitchen", 4), ("Mugs", "kitchen/mugs", 2)]);
    let bands: Vec<_> = facets.price_bands.iter().map(|band| band.count).collect();
    assert_eq!(bands, [0, 1, 2, 0, 1, 0]);
    let ink = pb::AttributeFilter { name: "colour".into(), values: vec!["ink".into()] };
    let chosen =
        hall.search(pb::SearchRequest { attributes: vec![ink], ..request }).await.expect("an answer");
    assert_eq!(chosen.total, 2);
    let colours = &chosen.facets.expect("facets").attributes[0];
    let values: Vec<_> = colours.values.iter().map(|v| (v.value.as_str(), v.count, v.selected)).collect();
    assert_eq!(values, [("ink", 2, true), ("black", 1, false), ("green", 1, false)]);
}

#[tokio::test(start_paused = true)]
async fn results_are_sorted_and_paged_by_signed_cursors() {
    let hall = kitchen().await;
    let page = |cursor: &str| Some(PageRequest { limit: 2, cursor: cursor.into() });
    let request = pb::SearchRequest {
        currency_code: "GBP".into(),
        sort: pb::SearchSort::PriceAscending.into(),
        page: page(""),
        ..pb::SearchRequest::default()
    };
    let first = hall.search(request.clone()).await.expect("a page");
    let cursor = first.page.expect("a page").next_cursor;
    let second =
        hall.search(pb::SearchRequest { page: page(&cursor), ..request.clone() }).await.expect("a page");
    let names: Vec<_> = first.hits.iter().chain(&second.hits).map(|hit| hit.name.as_str()).collect();
    assert_eq!(names, ["Camp mug", "Dock mug", "Harbour bowl", "Iron teapot"]);
    assert!(second.page.expect("a page").next_cursor.is_empty());
    let other = pb::SearchRequest { page: page(&cursor), query: "mug".into(), ..request };
    let error = hall.search(other).await.expect_err("another question");
    assert_eq!((error.reason(), error.violations()[0].field.as_str()), ("INVALID_CURSOR", "/page/cursor"));
}

#[tokio::test(start_paused = true)]
async fn words_are_understood_and_the_answer_says_how() {
    let hall = kitchen().await;
    for (query, understood, first) in [
        ("harbour", pb::SearchMatch::Exact, "Harbour bowl"),
        ("harbuor bowl", pb::SearchMatch::Corrected, "Harbour bowl"),
        ("velvet teapot ", pb::SearchMatch::Nearest, "Iron teapot"),
    ] {
        let request = pb::SearchRequest { query: query.into(), ..pb::SearchRequest::default() };
        let answer = hall.search(request).await.expect("an answer");
        assert_eq!((answer.matching(), answer.hits[0].name.as_str()), (understood, first));
    }
}

#[tokio::test(start_paused = true)]
async fn suggestions_are_categories_and_products() {
    let hall = kitchen().await;
    let request = pb::SuggestRequest { query: "mu".into(), limit: 0 };
    let answer = hall.search.clone().suggest(request).await.expect("an answer").into_inner();
    let texts: Vec<_> = answer.suggestions.iter().map(|s| (s.kind(), s.text.as_str())).collect();
    assert_eq!(texts[0], (pb::SuggestionKind::Category, "Mugs"));
    assert_eq!(texts.len(), 3);
    for (query, limit) in [("", 0), ("!!", 5)] {
        let request = pb::SuggestRequest { query: query.into(), limit };
        assert!(
            hall.search
                .clone()
                .suggest(request)
                .await
                .expect("an answer")
                .into_inner()
                .suggestions
                .is_empty()
        );
    }
    let request = pb::SuggestRequest { query: "mu".into(), limit: 21 };
    let error = hall.search.clone().suggest(request).await.map_err(contract::error).expect_err("too many");
    assert_eq!(error.violations()[0].field, "/limit");
}

#[tokio::test(start_paused = true)]
async fn wrong_questions_name_their_field() {
    let hall = kitchen().await;
    let wrong = [
        ("/query", pb::SearchRequest { query: "x".repeat(201), ..pb::SearchRequest::default() }),
        ("/sort", pb::SearchRequest { sort: 99, ..pb::SearchRequest::default() }),
        ("/currency_code", pb::SearchRequest { currency_code: "gbp".into(), ..pb::SearchRequest::default() }),
        (
            "/currency_code",
            pb::SearchRequest { price: Some(pb::PriceFilter::default()), ..pb::SearchRequest::default() },
        ),
        (
            "/page/limit",
            pb::SearchRequest {
                page: Some(PageRequest { limit: 101, cursor: String::new() }),
                ..pb::SearchRequest::default()
            },
        ),
        (
            "/price_band_bounds_micros",
            pb::SearchRequest { price_band_bounds_micros: vec![5, 1], ..pb::SearchRequest::default() },
        ),
    ];
    for (field, request) in wrong {
        assert_eq!(hall.search(request).await.expect_err(field).violations()[0].field, field);
    }
}

#[tokio::test(start_paused = true)]
async fn only_staff_of_search_reindex() {
    let hall = Hall::open().await;
    for who in [Principal::Anonymous, guest(1), customer(2)] {
        let client = hall.running.client("search", None, who, SearchServiceClient::new).expect("runs");
        let request = pb::ReindexRequest { request_id: "k".into() };
        for refusal in [
            client.clone().reindex(request).await.map(drop),
            client.clone().get_index_status(pb::GetIndexStatusRequest {}).await.map(drop),
        ] {
            let error = contract::error(refusal.expect_err("refused"));
            assert!(matches!(error.code(), Code::PermissionDenied | Code::Unauthenticated), "{error:?}");
        }
    }
}
