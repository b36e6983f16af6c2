//! Who sees and does what.

use chassis::testing::{customer, guest, staff};
use contract::souk::order::v1::*;
use contract::souk::r#type::v1::PageRequest;
use kernel::{Code, Error};
use mesh::Principal;

use super::shop::{Shop, Wanted, buyer, operator};

#[tokio::test(start_paused = true)]
async fn an_order_of_somebody_else_does_not_exist() {
    let shop = Shop::open(60).await;
    let order_id = shop.place("pm_card_visa").await.expect("placed").id;
    for stranger in [customer(2), guest(1), staff(3, &["catalogue.write"])] {
        let mut client = shop.client(stranger.clone());
        let refusals = [
            client.get_order(GetOrderRequest { order_id: order_id.clone() }).await.map(|_| ()),
            client.watch_order(WatchOrderRequest { order_id: order_id.clone() }).await.map(|_| ()),
            client.get_order_history(GetOrderHistoryRequest { order_id: order_id.clone() }).await.map(|_| ()),
            client.get_invoice(GetInvoiceRequest { order_id: order_id.clone(), kind: 0 }).await.map(|_| ()),
            client
                .cancel_order(CancelOrderRequest {
                    request_id: "k".into(),
                    order_id: order_id.clone(),
                    note: String::new(),
                })
                .await
                .map(|_| ()),
        ];
        for refusal in refusals {
            let error = contract::error(refusal.expect_err("not theirs"));
            assert_eq!((error.code(), error.reason()), (Code::NotFound, "ORDER_NOT_FOUND"), "{stranger:?}");
        }
        let error = shop
            .send(stranger, shop.request(&Wanted::default(), "pm_card_visa"))
            .await
            .expect_err("not their quote");
        assert_eq!((error.code(), error.reason()), (Code::NotFound, "QUOTE_NOT_FOUND"));
    }
}

#[tokio::test(start_paused = true)]
async fn methods_for_staff_are_for_staff() {
    let shop = Shop::open(61).await;
    for stranger in [Principal::Anonymous, guest(1), customer(2), staff(3, &["catalogue.write"])] {
        let mut client = shop.client(stranger.clone());
        let refusals = [
            client.find_order(FindOrderRequest { external_reference: "x".into() }).await.map(|_| ()),
            client
                .approve_order(ApproveOrderRequest { request_id: "k".into(), ..Default::default() })
                .await
                .map(|_| ()),
            client.list_invoices(ListInvoicesRequest::default()).await.map(|_| ()),
            client.get_totals(GetTotalsRequest {}).await.map(|_| ()),
            client.list_for_audit(ListForAuditRequest::default()).await.map(|_| ()),
        ];
        for refusal in refusals {
            let code = contract::error(refusal.expect_err("not for them")).code();
            assert!(matches!(code, Code::PermissionDenied | Code::Unauthenticated), "{stranger:?}: {code:?}");
        }
    }
    let mut nobody = shop.client(Principal::Anonymous);
    let error = contract::error(
        nobody.place_order(shop.request(&Wanted::default(), "pm_a")).await.expect_err("nobody"),
    );
    assert!(matches!(error.code(), Code::Unauthenticated | Code::PermissionDenied));
}

#[tokio::test(start_paused = true)]
async fn lists_are_the_callers_own_newest_first_and_paged() {
    let shop = Shop::open(62).await;
    let mut placed = Vec::new();
    for _ in 0..5 {
        placed.push(shop.place("pm_card_visa").await.expect("placed").id);
        shop.harness.advance(std::time::Duration::from_secs(1)).await;
    }
    let theirs = Wanted { owner: guest(1).subject(), ..Wanted::default() };
    let other = shop.send(guest(1), shop.request(&theirs, "pm_card_visa")).await.expect("placed");
    assert_eq!(other.guest_id, guest(1).subject());
    placed.reverse();
    let page = |limit, cursor: &str| ListOrdersRequest {
        page: Some(PageRequest { limit, cursor: cursor.to_owned() }),
        ..Default::default()
    };
    let mut client = shop.client(buyer());
    let first = client.list_orders(page(3, "")).await.expect("a page").into_inner();
    let cursor = first.page.expect("how it goes on").next_cursor;
    let second = client.list_orders(page(3, &cursor)).await.expect("a page").into_inner();
    assert_eq!(second.page.expect("the end").next_cursor, "");
    let seen: Vec<_> = first.orders.iter().chain(&second.orders).map(|order| order.id.clone()).collect();
    assert_eq!(seen, placed);

    let told = |result: Result<_, tonic::Status>| -> Error {
        contract::error(result.map(|_: tonic::Response<ListOrdersResponse>| ()).expect_err("refused"))
    };
    assert_eq!(told(shop.client(guest(1)).list_orders(page(3, &cursor)).await).reason(), "INVALID_CURSOR");
    assert_eq!(told(client.list_orders(page(101, "")).await).reason(), "INVALID_LIMIT");
    let spying = ListOrdersRequest { customer_id: customer(2).subject(), ..page(3, "") };
    let error = told(client.list_orders(spying.clone()).await);
    assert_eq!(
        (error.violations()[0].field.as_str(), error.metadata()["permission"].as_str()),
        ("/customer_id", "orders.read")
    );
    assert_eq!(
        told(client.list_orders(ListOrdersRequest { state: 99, ..page(3, "") }).await).violations()[0].field,
        "/state"
    );
    let mut operator = shop.client(operator());
    assert_eq!(operator.list_orders(page(100, "")).await.expect("all").into_inner().orders.len(), 6);
    assert!(operator.list_orders(spying).await.expect("none").into_inner().orders.is_empty());
    let failed = ListOrdersRequest { state: OrderState::Failed.into(), ..page(100, "") };
    assert!(operator.list_orders(failed.clone()).await.expect("none").into_inner().orders.is_empty());

    // Attempts that failed can be left out; the pages go on in the same list.
    shop.place("pm_card_chargeDeclined").await.expect_err("declined");
    shop.quiet().await;
    let without = |limit, cursor: &str| ListOrdersRequest { without_failed: true, ..page(limit, cursor) };
    assert_eq!(
        client.list_orders(page(100, "")).await.expect("all").into_inner().orders.len(),
        placed.len() + 1
    );
    let first = client.list_orders(without(3, "")).await.expect("a page").into_inner();
    let cursor = first.page.expect("how it goes on").next_cursor;
    let second = client.list_orders(without(3, &cursor)).await.expect("a page").into_inner();
    let seen: Vec<_> = first.orders.iter().chain(&second.orders).map(|order| order.id.clone()).collect();
    assert_eq!(seen, placed);
    assert_eq!(told(client.list_orders(page(3, &cursor)).await).reason(), "INVALID_CURSOR");
    assert_eq!(operator.list_orders(without(100, "")).await.expect("all").into_inner().orders.len(), 6);
    let both = ListOrdersRequest { without_failed: true, ..failed };
    assert_eq!(told(operator.list_orders(both).await).violations()[0].field, "/without_failed");
}

#[tokio::test(start_paused = true)]
async fn staff_read_totals_invoices_and_the_audit_in_pages() {
    let shop = Shop::open(63).await;
    for _ in 0..3 {
        shop.place("pm_card_visa").await.expect("placed");
    }
    shop.place("pm_card_chargeDeclined").await.expect_err("declined");
    shop.quiet().await;
    let mut client = shop.client(operator());
    let totals = client.get_totals(GetTotalsRequest {}).await.expect("totals").into_inner();
    let count = |state: OrderState| {
        totals.states.iter().find(|count| count.state() == state).map_or(0, |count| count.orders)
    };
    assert_eq!((count(OrderState::Confirmed), count(OrderState::Failed), totals.open), (3, 1, 0));

    let page = Some(PageRequest { limit: 2, cursor: String::new() });
    let invoices = client
        .list_invoices(ListInvoicesRequest { page, ..Default::default() })
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(invoices.invoices.iter().map(|invoice| invoice.number).collect::<Vec<_>>(), [1, 2]);
    let page = Some(PageRequest { limit: 2, cursor: invoices.page.expect("more").next_cursor });
    let rest = client
        .list_invoices(ListInvoicesRequest { page, ..Default::default() })
        .await
        .expect("a page")
        .into_inner();
    assert_eq!(
        rest.invoices.iter().map(|invoice| invoice.display_number.as_str()).collect::<Vec<_>>(),
        ["souk-0000000003"]
    );

    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let answer = client
            .list_for_audit(ListForAuditRequest { limit: 3, cursor })
            .await
            .expect("a page")
            .into_inner();
        seen.extend(answer.orders.into_iter().map(|order| order.order_id));
        cursor = answer.next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 4);
    assert!(seen.is_sorted());
    let bad = client
        .list_for_audit(ListForAuditRequest { limit: 3, cursor: "AAAA".into() })
        .await
        .expect_err("no cursor of ours");
    assert_eq!(contract::error(bad).violations()[0].field, "/cursor");
    let missing = client.get_order(GetOrderRequest { order_id: "ord_1".into() }).await.expect_err("no id");
    assert_eq!(contract::error(missing).violations()[0].field, "/order_id");
}
