//! Every method is refused to every kind of caller that its contract excludes.

use chassis::testing::{customer, guest, staff};
use contract::{Access, MethodContract};
use kernel::Code;
use mesh::{Channel, Principal};
use prost_reflect::DynamicMessage;
use tests::World;

use crate::dynamic;

/// A kind of caller, and whether a contract lets it in.
struct Kind {
    name: &'static str,
    role: Option<&'static str>,
    principal: Principal,
    excluded_by: fn(&MethodContract) -> bool,
}

fn has(method: &MethodContract, kind: impl Fn(&Access) -> bool) -> bool {
    method.access.iter().any(|access| matches!(access, Access::Public) || kind(access))
}

fn kinds() -> Vec<Kind> {
    vec![
        Kind {
            name: "a stranger",
            role: None,
            principal: Principal::Anonymous,
            excluded_by: |method| !has(method, |_| false),
        },
        Kind {
            name: "a guest",
            role: None,
            principal: guest(9),
            excluded_by: |method| !has(method, |kind| matches!(kind, Access::Guest)),
        },
        Kind {
            name: "a customer",
            role: None,
            principal: customer(9),
            excluded_by: |method| !has(method, |kind| matches!(kind, Access::Customer)),
        },
        Kind {
            name: "staff with another permission",
            role: None,
            principal: staff(9, &["something.else"]),
            excluded_by: |method| !has(method, |kind| matches!(kind, Access::Customer)),
        },
        Kind {
            name: "a role that is not named",
            role: Some("stranger"),
            principal: Principal::Anonymous,
            excluded_by: |method| {
                !has(method, |kind| matches!(kind, Access::Internal(roles) if roles.contains(&"*")))
            },
        },
    ]
}

/// The role in this shop that serves a method.
fn role(method: &MethodContract) -> &'static str {
    match method.package_role {
        "testpay" => "payment",
        "event" | "audit" => "product",
        role => role,
    }
}

#[tokio::test(start_paused = true)]
async fn every_excluded_caller_is_refused_everywhere() {
    let world = World::start(11).await;
    let pool = dynamic::pool();
    let mut refused = 0;
    for method in contract::methods() {
        let empty = DynamicMessage::new(dynamic::input(&pool, method));
        for kind in kinds().into_iter().filter(|kind| (kind.excluded_by)(method)) {
            let client: Channel = world
                .running()
                .client(role(method), kind.role, kind.principal, |channel| channel)
                .expect("every role runs here");
            let error = dynamic::call(client, method, &empty).await.expect_err(method.path);
            let right = matches!(error.code(), Code::PermissionDenied | Code::Unauthenticated);
            assert!(right, "{} is not refused to {}: {error:?}", method.path, kind.name);
            refused += 1;
        }
    }
    assert!(refused > 200, "only {refused} combinations were tried");
}

#[tokio::test(start_paused = true)]
async fn a_token_that_is_not_good_is_refused_even_where_anybody_may_call() {
    let world = World::start(12).await;
    let mut client = contract::souk::product::v1::product_service_client::ProductServiceClient::new(
        world.running().outside(),
    );
    for token in ["x", "Bearer", "Bearer x.y.z", "Basic abc", "Bearer eyJhbGciOiJub25lIn0.e30."] {
        let mut request = tonic::Request::new(contract::souk::product::v1::ListProductsRequest::default());
        request.metadata_mut().insert("authorization", token.parse().expect("ASCII"));
        let error = contract::error(client.list_products(request).await.expect_err(token));
        assert_eq!(error.reason(), "TOKEN_INVALID", "{token}");
    }
}
