//! Wrong fields are named, and every method is refused to whom its contract excludes.

use chassis::testing::{customer, guest, staff};
use contract::souk::identity::v1::*;
use mesh::Principal;

use crate::world::*;

#[tokio::test(start_paused = true)]
async fn every_wrong_field_of_a_sign_up_is_named() {
    let world = World::start().await;
    let good = sign_up("up", "ada");
    let cases = [
        (SignUpRequest { request_id: String::new(), ..good.clone() }, "/request_id", "INVALID_REQUEST_ID"),
        (SignUpRequest { request_id: "x".repeat(129), ..good.clone() }, "/request_id", "INVALID_REQUEST_ID"),
        (SignUpRequest { email: String::new(), ..good.clone() }, "/email", "INVALID_EMAIL"),
        (SignUpRequest { email: "ada".into(), ..good.clone() }, "/email", "INVALID_EMAIL"),
        (SignUpRequest { email: "operator".into(), ..good.clone() }, "/email", "INVALID_EMAIL"),
        (
            SignUpRequest { email: format!("{}@example.com", "x".repeat(500_000)), ..good.clone() },
            "/email",
            "INVALID_EMAIL",
        ),
        (SignUpRequest { password: String::new(), ..good.clone() }, "/password", "PASSWORD_REQUIRED"),
        (SignUpRequest { password: "short".into(), ..good.clone() }, "/password", "PASSWORD_TOO_SHORT"),
        (SignUpRequest { password: "x".repeat(257), ..good.clone() }, "/password", "PASSWORD_TOO_LONG"),
        (
            SignUpRequest { password: "Password123".into(), ..good.clone() },
            "/password",
            "PASSWORD_TOO_COMMON",
        ),
        (SignUpRequest { password: email("ada"), ..good.clone() }, "/password", "PASSWORD_TOO_COMMON"),
        (SignUpRequest { device: "x".repeat(201), ..good.clone() }, "/device", "INVALID_ARGUMENT"),
        (SignUpRequest { device: "a\u{1b}b".into(), ..good.clone() }, "/device", "INVALID_ARGUMENT"),
        (SignUpRequest { device: "\u{200b}".into(), ..good.clone() }, "/device", "INVALID_ARGUMENT"),
    ];
    for (request, field, reason) in cases {
        assert_eq!(refusal(world.anybody().sign_up(request).await), (reason.into(), vec![field.into()]));
    }
    world.anybody().sign_up(good).await.expect("nothing was left behind");
}

#[tokio::test(start_paused = true)]
async fn every_wrong_field_of_the_others_is_named() {
    let world = World::start().await;
    let good = sign_in("in", "ada", PASSWORD);
    let mut anybody = world.anybody();
    assert_eq!(
        field(anybody.sign_in(SignInRequest { request_id: String::new(), ..good.clone() }).await),
        "/request_id"
    );
    assert_eq!(field(anybody.sign_in(SignInRequest { email: "x".into(), ..good.clone() }).await), "/email");
    assert_eq!(
        field(anybody.sign_in(SignInRequest { password: String::new(), ..good.clone() }).await),
        "/password"
    );
    assert_eq!(
        field(anybody.sign_in(SignInRequest { password: "x".repeat(10_000), ..good.clone() }).await),
        "/password"
    );
    assert_eq!(field(anybody.sign_in(SignInRequest { device: "x".repeat(201), ..good }).await), "/device");
    let request_id = "a-random-key-of-a-guest".to_owned();
    let guest = CreateGuestSessionRequest { request_id: request_id.clone(), device: "x".repeat(201) };
    assert_eq!(field(anybody.create_guest_session(guest).await), "/device");
    let ada = world.sign_up("ada").await;
    assert_eq!(field(world.refresh("", &ada.tokens.refresh_token).await), "/request_id");
    let mut client = world.as_person(&ada);
    assert_eq!(field(client.sign_out(SignOutRequest::default()).await), "/request_id");
    let everywhere = SignOutEverywhereRequest { request_id: "e".into(), account_id: "x".into() };
    assert_eq!(field(client.sign_out_everywhere(everywhere).await), "/account_id");
    assert_eq!(
        field(client.get_account(GetAccountRequest { account_id: "gst_1".into() }).await),
        "/account_id"
    );
    assert_eq!(
        field(client.list_sessions(ListSessionsRequest { account_id: "ses_1".into() }).await),
        "/account_id"
    );
    let change = ChangePasswordRequest {
        request_id: "c".into(),
        current_password: PASSWORD.into(),
        new_password: "short".into(),
    };
    assert_eq!(field(client.change_password(change.clone()).await), "/new_password");
    let change = ChangePasswordRequest { current_password: String::new(), ..change };
    assert_eq!(field(client.change_password(change).await), "/current_password");
}

/// Calls every method that is not for everybody, and returns the reasons of the refusals by name.
async fn refusals(client: &mut Client) -> Vec<(&'static str, String)> {
    let mut reasons = Vec::new();
    macro_rules! call {
        ($($method:ident($request:expr)),* $(,)?) => {$(
            let refused = client.$method($request).await.err().map(|status| contract::error(status).reason().to_owned());
            reasons.push((stringify!($method), refused.unwrap_or_default()));
        )*};
    }
    call!(
        sign_out(SignOutRequest::default()),
        sign_out_everywhere(SignOutEverywhereRequest::default()),
        list_sessions(ListSessionsRequest::default()),
        change_password(ChangePasswordRequest::default()),
        create_secret(CreateSecretRequest::default()),
        list_secrets(ListSecretsRequest::default()),
        revoke_secret(RevokeSecretRequest::default()),
        ensure_operator(EnsureOperatorRequest::default()),
        get_account(GetAccountRequest::default()),
        list_accounts(ListAccountsRequest::default()),
        set_permissions(SetPermissionsRequest::default()),
        delete_account(DeleteAccountRequest::default()),
        rotate_keys(RotateKeysRequest::default()),
        watch_key_set(WatchKeySetRequest::default()),
    );
    reasons
}

#[tokio::test(start_paused = true)]
async fn every_method_is_refused_to_whom_its_contract_excludes() {
    let world = World::start().await;
    let internal = ["ensure_operator", "watch_key_set"];
    for (method, reason) in refusals(&mut world.client(Principal::Anonymous)).await {
        let expected = if internal.contains(&method) { "PERMISSION_DENIED" } else { "UNAUTHENTICATED" };
        assert_eq!(reason, expected, "{method} to nobody");
    }
    for (method, reason) in refusals(&mut world.client(guest(1))).await {
        assert_eq!(reason == "PERMISSION_DENIED", method != "sign_out", "{method} to a guest: {reason}");
    }
    let for_customers = [
        "sign_out",
        "sign_out_everywhere",
        "list_sessions",
        "change_password",
        "get_account",
        "delete_account",
    ];
    for (method, reason) in refusals(&mut world.client(customer(1))).await {
        assert_eq!(
            reason == "PERMISSION_DENIED",
            !for_customers.contains(&method),
            "{method} to a customer: {reason}"
        );
    }
    for (method, reason) in refusals(&mut world.client(staff(1, &["orders.read"]))).await {
        assert_eq!(
            reason == "PERMISSION_DENIED",
            !for_customers.contains(&method),
            "{method} to other staff: {reason}"
        );
    }
    for (method, reason) in refusals(&mut world.client(staff(1, &["admin"]))).await {
        assert_eq!(
            reason == "PERMISSION_DENIED",
            internal.contains(&method),
            "{method} to an admin: {reason}"
        );
    }
    for (method, reason) in refusals(&mut world.role("order")).await {
        assert_eq!(reason.is_empty(), method == "watch_key_set", "{method} to a role: {reason}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stranger_is_who_the_token_says_and_nobody_with_a_forged_one() {
    let world = World::start().await;
    let ada = world.sign_up("ada").await;
    let call = async |token: String| {
        let mut client =
            identity_service_client::IdentityServiceClient::new(world.harness.running().outside());
        let mut request = tonic::Request::new(GetAccountRequest::default());
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
        client.get_account(request).await.map(|response| response.into_inner().account)
    };
    assert_eq!(call(ada.tokens.access_token.clone()).await.expect("own"), Some(ada.account.clone()));
    let parts: Vec<_> = ada.tokens.access_token.split('.').collect();
    // {"alg":"none"} with the claims of a good token.
    let none = format!("eyJhbGciOiJub25lIn0.{}.", parts[1]);
    let unsigned = format!("{}.{}.", parts[0], parts[1]);
    for token in [none, unsigned, "x".into(), ada.tokens.refresh_token.clone()] {
        assert_eq!(reason(call(token).await), "TOKEN_INVALID");
    }
}
