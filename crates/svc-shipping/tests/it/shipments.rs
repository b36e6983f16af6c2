use chassis::testing::{customer, guest, staff};
use contract::souk::shipping::v1::*;
use contract::souk::r#type::v1::PageRequest;
use mesh::Principal;
use tonic::Code;

use crate::shop::{BUYER, Shop, fields, reason};

#[tokio::test(start_paused = true)]
async fn a_shipment_goes_its_way_step_by_step() {
    let shop = Shop::open().await;
    let made = shop.create(shop.request()).await.expect("made");
    assert_eq!((made.state(), made.version, made.history.len()), (ShipmentState::Pending, 1, 1));
    assert_eq!(made.lines.iter().map(|line| line.sku.as_str()).collect::<Vec<_>>(), ["85123A", "85123a"]);
    let mut now = made;
    for (state, tracking) in [
        (ShipmentState::LabelCreated, "RM123"),
        (ShipmentState::InTransit, ""),
        (ShipmentState::InTransit, ""),
        (ShipmentState::OutForDelivery, ""),
        (ShipmentState::Delivered, ""),
    ] {
        shop.harness.advance(std::time::Duration::from_secs(2)).await;
        now = shop.update(&now, state, tracking).await.expect("moved on");
    }
    assert_eq!((now.version, now.tracking_number.as_str(), now.history.len()), (6, "RM123", 6));
    assert!(
        now.history.windows(2).all(|pair| pair[0].time.map(|t| t.seconds) < pair[1].time.map(|t| t.seconds))
    );
    let back = shop.update(&now, ShipmentState::Pending, "").await.expect_err("no way back");
    assert_eq!((back.code(), reason(&back).as_str()), (Code::FailedPrecondition, "SHIPMENT_STATE"));
    let shown =
        shop.by(customer(BUYER)).get_shipment(GetShipmentRequest { shipment_id: now.id.clone() }).await;
    assert_eq!(shown.expect("mine").into_inner().shipment.expect("a shipment"), now);
    let mut wanted = vec!["ShipmentCreated"];
    wanted.extend(["ShipmentUpdated"; 5]);
    assert_eq!(shop.events().await, wanted);
}

#[tokio::test(start_paused = true)]
async fn a_group_has_one_shipment_whatever_the_keys() {
    let shop = Shop::open().await;
    let request = shop.request();
    let first = shop.create(request.clone()).await.expect("made");
    let again = shop.as_role("order").create_shipment(request.clone()).await.expect("shown");
    assert_eq!(again.metadata().get("souk-replayed").expect("marked"), "true");
    assert_eq!(again.into_inner().shipment.expect("a shipment"), first);
    let other_key = CreateShipmentRequest { request_id: "another".to_owned(), ..request.clone() };
    assert_eq!(shop.create(other_key).await.expect("shown"), first);
    let mut other = CreateShipmentRequest { request_id: "a-third".to_owned(), ..request.clone() };
    other.lines.pop();
    let status = shop.create(other.clone()).await.expect_err("another shipment");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::AlreadyExists, "SHIPMENT_EXISTS"));
    let reused = shop
        .create(CreateShipmentRequest { request_id: request.request_id.clone(), ..other })
        .await
        .expect_err("another body");
    assert_eq!(reason(&reused), "IDEMPOTENCY_KEY_REUSED");
    let many = futures_util::future::join_all((0..32).map(|_| shop.create(request.clone()))).await;
    assert!(many.into_iter().all(|made| made.expect("shown") == first));
    assert_eq!(shop.events().await, ["ShipmentCreated"]);
}

#[tokio::test(start_paused = true)]
async fn what_has_not_left_can_be_cancelled_once() {
    let shop = Shop::open().await;
    let made = shop.create(shop.request()).await.expect("made");
    let cancelled = shop.cancel(&made, "c1").await.expect("cancelled");
    assert_eq!((cancelled.state(), cancelled.history.len()), (ShipmentState::Cancelled, 2));
    assert_eq!(shop.cancel(&made, "c1").await.expect("shown"), cancelled);
    assert_eq!(shop.cancel(&made, "c2").await.expect("shown"), cancelled);
    assert_eq!(
        reason(&shop.update(&cancelled, ShipmentState::LabelCreated, "x").await.expect_err("over")),
        "SHIPMENT_STATE"
    );

    let made = shop.create(shop.request()).await.expect("made");
    let labelled = shop.update(&made, ShipmentState::LabelCreated, "RM1").await.expect("labelled");
    shop.update(&labelled, ShipmentState::InTransit, "").await.expect("gone");
    assert_eq!(reason(&shop.cancel(&made, "c3").await.expect_err("gone")), "SHIPMENT_STATE");
    let mut unknown = made.clone();
    unknown.order_id = shop.some_ids().0.to_string();
    assert_eq!(shop.cancel(&unknown, "c4").await.expect_err("unknown").code(), Code::NotFound);
}

#[tokio::test(start_paused = true)]
async fn updates_need_the_version_that_was_seen() {
    let shop = Shop::open().await;
    let made = shop.create(shop.request()).await.expect("made");
    let updates = ["A", "B", "C", "D"].map(|tracking| {
        let (shop, made) = (&shop, &made);
        async move {
            let request = UpdateShipmentRequest {
                request_id: tracking.to_owned(),
                shipment_id: made.id.clone(),
                version: made.version,
                state: ShipmentState::LabelCreated.into(),
                tracking_number: tracking.to_owned(),
                ..UpdateShipmentRequest::default()
            };
            shop.as_staff().update_shipment(request).await
        }
    });
    let done = futures_util::future::join_all(updates).await;
    assert_eq!(done.iter().filter(|done| done.is_ok()).count(), 1);
    let stale = done.into_iter().find_map(Result::err).expect("the others are told");
    assert_eq!((stale.code(), reason(&stale).as_str()), (Code::Aborted, "VERSION_CONFLICT"));
    let request = UpdateShipmentRequest {
        request_id: "r".to_owned(),
        shipment_id: "shp".to_owned(),
        ..UpdateShipmentRequest::default()
    };
    let wrong = fields(&shop.as_staff().update_shipment(request).await.expect_err("wrong"));
    assert_eq!(wrong, ["/shipment_id", "/version", "/state"]);
    let unlabelled = shop.create(shop.request()).await.expect("made");
    let wrong = shop.update(&unlabelled, ShipmentState::LabelCreated, "").await.expect_err("no number");
    assert_eq!(fields(&wrong), ["/tracking_number"]);
}

#[tokio::test(start_paused = true)]
async fn shipments_are_their_owners_and_nobody_elses() {
    let shop = Shop::open().await;
    let request = shop.request();
    let mut made = Vec::new();
    for at in 0..5 {
        let group = shop.harness.context().id::<kernel::ShipmentGroup>().to_string();
        let request = CreateShipmentRequest {
            request_id: format!("g{at}"),
            shipment_group_id: group,
            ..request.clone()
        };
        made.push(shop.create(request).await.expect("made"));
    }
    made.sort_by(|a, b| a.shipment_group_id.cmp(&b.shipment_group_id));
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = Some(PageRequest { limit: 2, cursor });
        let list = ListShipmentsRequest { order_id: request.order_id.clone(), page, ..Default::default() };
        let page = shop.by(customer(BUYER)).list_shipments(list).await.expect("mine").into_inner();
        seen.extend(page.shipments.into_iter().map(|shipment| shipment.id));
        cursor = page.page.expect("a page").next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen, made.iter().map(|shipment| shipment.id.clone()).collect::<Vec<_>>());
    let get = GetShipmentRequest { shipment_id: made[0].id.clone() };
    let list = ListShipmentsRequest { order_id: request.order_id.clone(), ..Default::default() };
    for other in [customer(8), guest(BUYER)] {
        let status = shop.by(other.clone()).get_shipment(get.clone()).await.expect_err("not mine");
        assert_eq!((status.code(), reason(&status).as_str()), (Code::NotFound, "SHIPMENT_NOT_FOUND"));
        assert_eq!(
            shop.by(other).list_shipments(list.clone()).await.expect("nothing").into_inner().shipments,
            []
        );
    }
    assert!(shop.by(Principal::Anonymous).get_shipment(get).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn shipments_are_made_and_cancelled_by_order_alone() {
    let shop = Shop::open().await;
    let made = shop.create(shop.request()).await.expect("made");
    for principal in [Principal::Anonymous, guest(1), customer(BUYER), staff(1, &["admin"])] {
        let create = shop.by(principal.clone()).create_shipment(shop.request()).await.expect_err("refused");
        let cancel =
            shop.by(principal).cancel_shipment(shop.cancel_of(&made, "c")).await.expect_err("refused");
        for status in [create, cancel] {
            assert!(matches!(status.code(), Code::PermissionDenied | Code::Unauthenticated), "{status:?}");
        }
    }
    assert!(shop.as_role("cart").create_shipment(shop.request()).await.is_err());
    let update = UpdateShipmentRequest {
        request_id: "u".to_owned(),
        shipment_id: made.id,
        version: 1,
        ..UpdateShipmentRequest::default()
    };
    assert_eq!(
        shop.by(customer(BUYER)).update_shipment(update).await.expect_err("not staff").code(),
        Code::PermissionDenied
    );
}

#[tokio::test(start_paused = true)]
async fn wrong_fields_of_a_shipment_are_named_all_at_once() {
    let shop = Shop::open().await;
    let good = shop.request();
    let mut wrong = CreateShipmentRequest {
        order_id: "ord_1".to_owned(),
        shipment_group_id: String::new(),
        owner_subject: "anonymous".to_owned(),
        method: String::new(),
        destination: None,
        ..good.clone()
    };
    wrong.lines[0].quantity = 0;
    wrong.lines[1].sku = "x".repeat(65);
    wrong.lines[1].line_id = "1".to_owned();
    let named = fields(&shop.create(wrong).await.expect_err("wrong"));
    for field in [
        "/order_id",
        "/shipment_group_id",
        "/owner_subject",
        "/method",
        "/destination",
        "/lines/0/quantity",
        "/lines/1/sku",
        "/lines/1/line_id",
    ] {
        assert!(named.iter().any(|named| named == field), "{field} is not in {named:?}");
    }
    let none = CreateShipmentRequest { lines: Vec::new(), ..good.clone() };
    assert_eq!(fields(&shop.create(none).await.expect_err("no lines")), ["/lines"]);
    let line = good.lines[0].clone();
    let many = CreateShipmentRequest { lines: vec![line; 2_001], ..good };
    assert_eq!(fields(&shop.create(many).await.expect_err("too many")), ["/lines"]);
    assert_eq!(shop.events().await, Vec::<String>::new());
}

/// All shipments that a caller is shown, in pages of two.
async fn listed(shop: &Shop, principal: Principal, state: ShipmentState) -> Vec<String> {
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    for _ in 0..20 {
        let page = Some(PageRequest { limit: 2, cursor });
        let list = ListShipmentsRequest { order_id: String::new(), page, state: state.into() };
        let page = shop.by(principal.clone()).list_shipments(list).await.expect("staff").into_inner();
        assert!(page.shipments.len() <= 2);
        seen.extend(page.shipments.into_iter().map(|shipment| shipment.id));
        cursor = page.page.expect("a page").next_cursor;
        if cursor.is_empty() {
            return seen;
        }
    }
    panic!("the list does not end");
}

#[tokio::test(start_paused = true)]
async fn staff_lists_what_is_to_be_packed_the_oldest_order_first() {
    let shop = Shop::open().await;
    let mut made = Vec::new();
    for _ in 0..6 {
        made.push(shop.create(shop.request()).await.expect("made"));
        shop.harness.advance(std::time::Duration::from_secs(1)).await;
    }
    shop.update(&made[1], ShipmentState::LabelCreated, "RM1").await.expect("labelled");
    shop.update(&made[4], ShipmentState::LabelCreated, "RM4").await.expect("labelled");
    let ids = |places: &[usize]| places.iter().map(|at| made[*at].id.clone()).collect::<Vec<_>>();
    let packer = staff(1, &["shipping.write"]);
    assert_eq!(listed(&shop, packer.clone(), ShipmentState::Pending).await, ids(&[0, 2, 3, 5]));
    assert_eq!(listed(&shop, packer.clone(), ShipmentState::LabelCreated).await, ids(&[1, 4]));
    assert_eq!(listed(&shop, packer.clone(), ShipmentState::Unspecified).await, ids(&[0, 1, 2, 3, 4, 5]));

    let of_order = ListShipmentsRequest {
        order_id: made[1].order_id.clone(),
        page: None,
        state: ShipmentState::Pending.into(),
    };
    let none = shop.by(packer.clone()).list_shipments(of_order).await.expect("staff").into_inner();
    assert_eq!(none.shipments, [], "the only one is labelled");

    let all = ListShipmentsRequest {
        page: Some(PageRequest { limit: 1, cursor: String::new() }),
        ..Default::default()
    };
    let first = shop.by(packer.clone()).list_shipments(all.clone()).await.expect("staff").into_inner();
    let cursor = first.page.expect("a page").next_cursor;
    let elsewhere = ListShipmentsRequest {
        page: Some(PageRequest { limit: 1, cursor }),
        state: ShipmentState::Pending.into(),
        ..Default::default()
    };
    let refused = shop.by(packer).list_shipments(elsewhere).await.expect_err("the cursor of another list");
    assert_eq!(refused.code(), Code::InvalidArgument);
    for other in [customer(BUYER), guest(3), staff(2, &["orders.read"])] {
        let refused = shop.by(other).list_shipments(all.clone()).await.expect_err("not staff of shipping");
        assert_eq!((refused.code(), fields(&refused)), (Code::InvalidArgument, vec!["/order_id".to_owned()]));
        assert_eq!(contract::error(refused).metadata()["permission"], "shipping.write");
    }
}
