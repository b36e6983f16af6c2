//! Every method is refused to every kind of caller that its contract excludes.

use chassis::testing::{customer, guest, staff};
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::inventory::v1::*;
use kernel::Code;
use mesh::Principal;
use tonic::Status;

use crate::shop::{Client, Shop};

/// Calls one method with an empty request; the code it is refused with.
macro_rules! codes {
    ($client:expr, [$($method:ident($request:ident)),* $(,)?]) => {
        vec![$((stringify!($method), code($client.$method($request::default()).await.map(drop)))),*]
    };
}

fn code(result: Result<(), Status>) -> Option<Code> {
    result.err().map(|status| contract::error(status).code())
}

async fn staff_methods(mut client: Client) -> Vec<(&'static str, Option<Code>)> {
    codes!(
        client,
        [
            receive_stock(ReceiveStockRequest),
            adjust_stock(AdjustStockRequest),
            list_stock(ListStockRequest),
            list_movements(ListMovementsRequest),
            list_sku_balances(ListSkuBalancesRequest),
            get_totals(GetTotalsRequest),
            create_location(CreateLocationRequest),
            list_holds(ListHoldsRequest),
        ]
    )
}

async fn order_methods(mut client: Client) -> Vec<(&'static str, Option<Code>)> {
    codes!(
        client,
        [
            create_hold(CreateHoldRequest),
            renew_hold(RenewHoldRequest),
            commit_hold(CommitHoldRequest),
            release_hold(ReleaseHoldRequest),
            return_hold(ReturnHoldRequest),
        ]
    )
}

async fn public_methods(mut client: Client) -> Vec<(&'static str, Option<Code>)> {
    codes!(
        client,
        [
            get_stock(GetStockRequest),
            batch_get_stock(BatchGetStockRequest),
            list_locations(ListLocationsRequest)
        ]
    )
}

#[tokio::test(start_paused = true)]
async fn strangers_customers_and_the_wrong_staff_are_refused() {
    let shop = Shop::open().await;
    for principal in [Principal::Anonymous, guest(1), customer(1), staff(1, &["orders.write"])] {
        let signed_in = principal != Principal::Anonymous;
        let client = shop.harness.client(InventoryServiceClient::new, principal.clone());
        let refused = if signed_in { Code::PermissionDenied } else { Code::Unauthenticated };
        for (method, code) in staff_methods(client.clone()).await {
            assert_eq!(code, Some(refused), "{method} by {principal:?}");
        }
        for (method, code) in order_methods(client.clone()).await {
            assert_eq!(code, Some(Code::PermissionDenied), "{method} by {principal:?}");
        }
        let shown = client.clone().get_hold(GetHoldRequest::default()).await.map(drop);
        assert_eq!(code(shown), Some(refused), "get_hold by {principal:?}");
        for (method, code) in public_methods(client).await {
            assert!(
                matches!(code, None | Some(Code::InvalidArgument)),
                "{method} by {principal:?}: {code:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn staff_may_not_hold_and_order_may_not_receive() {
    let shop = Shop::open().await;
    for (method, code) in order_methods(shop.staff.clone()).await {
        assert_eq!(code, Some(Code::PermissionDenied), "{method} by staff");
    }
    for (method, code) in staff_methods(shop.order.clone()).await {
        assert!(
            matches!(code, Some(Code::Unauthenticated | Code::PermissionDenied)),
            "{method} by order: {code:?}"
        );
    }
    let checkout = shop.harness.client_as_role("checkout", InventoryServiceClient::new, Principal::Anonymous);
    for (method, code) in order_methods(checkout).await {
        assert_eq!(code, Some(Code::PermissionDenied), "{method} by checkout");
    }
}

#[tokio::test(start_paused = true)]
async fn those_who_may_get_past_the_door() {
    let shop = Shop::open().await;
    for (method, code) in staff_methods(shop.staff.clone()).await {
        assert!(matches!(code, None | Some(Code::InvalidArgument)), "{method}: {code:?}");
    }
    for (method, code) in order_methods(shop.order.clone()).await {
        assert_eq!(code, Some(Code::InvalidArgument), "{method}: it names the missing field");
    }
}
