//! How often a password may be tried, on virtual time.

use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;
use contract::souk::identity::v1::*;
use mesh::Principal;

use crate::world::*;

#[tokio::test(start_paused = true)]
async fn an_account_is_tried_ten_times_a_minute_known_or_not() {
    let world = World::start().await;
    world.sign_up("ada").await;
    for name in ["ada", "nobody"] {
        for n in 0..10 {
            assert_eq!(
                reason(world.anybody().sign_in(sign_in(&format!("{n}"), name, "wrong password")).await),
                "CREDENTIALS_REFUSED"
            );
        }
        let refused =
            world.anybody().sign_in(sign_in("x", name, "wrong password")).await.expect_err("refused");
        let error = contract::error(refused);
        assert_eq!(error.reason(), "TOO_MANY_ATTEMPTS");
        assert!(error.retryable() && error.retry_delay_ms().is_some_and(|wait| (1..=6_000).contains(&wait)));
    }
    assert_eq!(
        reason(world.anybody().sign_in(sign_in("y", "ada", PASSWORD)).await),
        "TOO_MANY_ATTEMPTS",
        "the right one waits too"
    );
    world.advance(6).await;
    assert!(world.anybody().sign_in(sign_in("z", "ada", PASSWORD)).await.is_ok());
    assert_eq!(reason(world.anybody().sign_in(sign_in("zz", "ada", PASSWORD)).await), "TOO_MANY_ATTEMPTS");
    assert!(world.anybody().sign_in(sign_in("z", "ada", PASSWORD)).await.is_ok(), "a replay tries nothing");
}

#[tokio::test(start_paused = true)]
async fn an_address_has_a_quota_of_its_own() {
    let world = World::with("password_tries_per_minute_address", 3).await;
    let mut gateway = world.role("bff-web");
    let sign_up_from = |address: &'static str, name: &'static str| {
        let mut gateway = gateway.clone();
        async move { gateway.sign_up(from_address(address, sign_up(name, name))).await }
    };
    for name in ["a", "b", "c"] {
        sign_up_from("192.0.2.1", name).await.expect("signed up");
    }
    assert_eq!(reason(sign_up_from("192.0.2.1", "d").await), "TOO_MANY_ATTEMPTS");
    assert!(sign_up_from("192.0.2.2", "d").await.is_ok());
    let tried = gateway.sign_in(from_address("192.0.2.1", sign_in("in", "zoe", PASSWORD))).await;
    assert_eq!(reason(tried), "TOO_MANY_ATTEMPTS", "sign-in and sign-up share it");
    world.advance(20).await;
    assert_eq!(
        reason(gateway.sign_in(from_address("192.0.2.1", sign_in("in", "zoe", PASSWORD))).await),
        "CREDENTIALS_REFUSED"
    );
    let staff = chassis::testing::staff(9, &["admin"]);
    let mut load = world.harness.client_as_role("bff-web", IdentityServiceClient::new, staff);
    for n in 0..10 {
        let name = format!("load{n}");
        load.sign_up(from_address("192.0.2.1", sign_up(&name, &name)))
            .await
            .expect("the operator's own load is not held up");
    }
}

#[tokio::test(start_paused = true)]
async fn guest_sessions_are_bounded_by_address() {
    let world = World::with("guest_sessions_per_minute_address", 2).await;
    let begin = |n: u32| {
        let mut gateway = world.role("bff-web");
        let request =
            CreateGuestSessionRequest { request_id: format!("guest-{n:020}"), device: String::new() };
        async move { gateway.create_guest_session(from_address("2001:db8::1", request)).await }
    };
    assert!(begin(1).await.is_ok() && begin(2).await.is_ok());
    assert_eq!(reason(begin(3).await), "TOO_MANY_ATTEMPTS");
    assert!(begin(2).await.is_ok(), "a replay begins nothing");
    world.advance(30).await;
    assert!(begin(3).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn ends_of_sessions_are_bounded_by_address() {
    let world = World::with("session_ends_per_minute_address", 2).await;
    let mut guests = Vec::new();
    for n in 0..4 {
        let request =
            CreateGuestSessionRequest { request_id: format!("guest-{n:020}"), device: String::new() };
        let created = world.role("bff-web").create_guest_session(from_address("192.0.2.1", request)).await;
        guests.push(created.expect("a guest").into_inner().tokens.expect("tokens"));
    }
    let sign_out = |n: usize, address: &'static str| {
        let guest = world.verify(&guests[n].access_token).expect("a good token");
        let mut gateway = world.harness.client_as_role("bff-web", IdentityServiceClient::new, guest);
        let request = SignOutRequest { request_id: format!("out-{n:020}"), session_id: String::new() };
        async move { gateway.sign_out(from_address(address, request)).await }
    };
    assert!(sign_out(0, "192.0.2.1").await.is_ok() && sign_out(1, "192.0.2.1").await.is_ok());
    assert_eq!(reason(sign_out(2, "192.0.2.1").await), "TOO_MANY_ATTEMPTS");
    assert!(sign_out(1, "192.0.2.1").await.is_ok(), "a replay ends nothing");
    assert!(sign_out(3, "198.51.100.7").await.is_ok(), "another address has its own share");
    world.advance(30).await;
    assert!(sign_out(2, "192.0.2.1").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn two_strangers_who_chose_one_key_are_two_guests() {
    let world = World::start().await;
    let begin = |address: &'static str| {
        let mut gateway = world.role("bff-web");
        let request =
            CreateGuestSessionRequest { request_id: "a-guest-on-a-tour-1".into(), device: String::new() };
        async move {
            gateway.create_guest_session(from_address(address, request)).await.expect("a guest").into_inner()
        }
    };
    let here = begin("192.0.2.1").await;
    assert_eq!(begin("192.0.2.1").await, here, "who asks again gets the same");
    let there = begin("198.51.100.7").await;
    assert_ne!(there.guest_id, here.guest_id);
    assert_eq!(begin("2001:db8::1").await, begin("2001:db8::2").await, "one network");
}

#[tokio::test(start_paused = true)]
async fn nobody_but_a_role_says_where_it_comes_from() {
    let world = World::with("guest_sessions_per_minute_address", 1).await;
    let mut outside = world.client(Principal::Anonymous);
    for n in 0..3 {
        let request =
            CreateGuestSessionRequest { request_id: format!("guest-{n:020}"), device: String::new() };
        outside
            .create_guest_session(from_address("192.0.2.1", request))
            .await
            .expect("the address is not believed");
    }
}

#[tokio::test(start_paused = true)]
async fn the_password_of_a_change_is_throttled_too() {
    let world = World::start().await;
    let ada = world.sign_up("ada").await;
    let change = |n: u32| ChangePasswordRequest {
        request_id: format!("c-{n}"),
        current_password: "wrong password".into(),
        new_password: "a new password".into(),
    };
    for n in 0..10 {
        assert_eq!(reason(world.as_person(&ada).change_password(change(n)).await), "CREDENTIALS_REFUSED");
    }
    assert_eq!(reason(world.as_person(&ada).change_password(change(10)).await), "TOO_MANY_ATTEMPTS");
}
