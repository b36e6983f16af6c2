//! Every method is refused to every kind of caller that its contract excludes.

use chassis::testing::{customer, guest, staff};
use contract::souk::cart::v1::cart_service_client::CartServiceClient;
use contract::souk::cart::v1::*;
use kernel::Code;
use mesh::Principal;
use tonic::Status;

use crate::shop::{Client, Shop};

fn code(result: Result<(), Status>) -> Option<Code> {
    result.err().map(|status| contract::error(status).code())
}

/// Calls one method with an empty request; the code it is refused with.
macro_rules! codes {
    ($client:expr, [$($method:ident($request:ident)),* $(,)?]) => {
        vec![$((stringify!($method), code($client.$method($request::default()).await.map(drop)))),*]
    };
}

async fn shoppers(mut client: Client) -> Vec<(&'static str, Option<Code>)> {
    codes!(
        client,
        [
            get_cart(GetCartRequest),
            add_line(AddLineRequest),
            set_line_quantity(SetLineQuantityRequest),
            remove_line(RemoveLineRequest),
            clear_cart(ClearCartRequest),
            remove_ordered_lines(RemoveOrderedLinesRequest),
        ]
    )
}

#[tokio::test(start_paused = true)]
async fn a_cart_is_for_guests_and_customers() {
    let shop = Shop::open().await;
    let client = |principal| shop.harness.client(CartServiceClient::new, principal);
    for (method, code) in shoppers(client(Principal::Anonymous)).await {
        assert_eq!(code, Some(Code::Unauthenticated), "{method}");
    }
    for principal in [guest(1), customer(1), staff(1, &["orders.write"])] {
        for (method, code) in shoppers(client(principal.clone())).await {
            assert!(
                matches!(code, None | Some(Code::InvalidArgument)),
                "{method} by {principal:?}: {code:?}"
            );
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_merge_is_for_customers_and_what_was_bought_for_the_role_order() {
    let shop = Shop::open().await;
    let cases = [
        (None, Principal::Anonymous, Some(Code::Unauthenticated), Some(Code::PermissionDenied)),
        (None, guest(1), Some(Code::PermissionDenied), Some(Code::PermissionDenied)),
        (None, customer(1), Some(Code::InvalidArgument), Some(Code::PermissionDenied)),
        (None, staff(1, &["admin"]), Some(Code::InvalidArgument), Some(Code::PermissionDenied)),
        (Some("order"), Principal::Anonymous, Some(Code::Unauthenticated), Some(Code::InvalidArgument)),
        (Some("checkout"), Principal::Anonymous, Some(Code::Unauthenticated), Some(Code::PermissionDenied)),
    ];
    for (role, principal, merge, bought) in cases {
        let mut client = match role {
            None => shop.harness.client(CartServiceClient::new, principal.clone()),
            Some(role) => shop.harness.client_as_role(role, CartServiceClient::new, principal.clone()),
        };
        let merged = client.merge_guest_cart(MergeGuestCartRequest::default()).await.map(drop);
        assert_eq!(code(merged), merge, "merge_guest_cart by {role:?} {principal:?}");
        let removed = client.remove_bought_lines(RemoveBoughtLinesRequest::default()).await.map(drop);
        assert_eq!(code(removed), bought, "remove_bought_lines by {role:?} {principal:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn roles_that_are_not_named_may_not_look() {
    let shop = Shop::open().await;
    let mut search = shop.harness.client_as_role("search", CartServiceClient::new, Principal::Anonymous);
    assert_eq!(code(search.get_cart(GetCartRequest::default()).await.map(drop)), Some(Code::Unauthenticated));
}
