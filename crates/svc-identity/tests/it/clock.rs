//! Wall time leaps: people sign up, in and out wherever the clock stands, and what was ended stays ended.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use chassis::testing::START;
use chassis::{Options, Running, VirtualClock, run};
use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;
use contract::souk::identity::v1::*;
use mesh::Principal;
use svc_identity::SERVICE;

use crate::world::{Client, PASSWORD, Person, World, reason, sign_in, sign_up};

const HOUR: i64 = 3_600;
const DAY: i64 = 24 * HOUR;
const YEAR: i64 = 365 * DAY;

impl World {
    /// Sets the wall clock and waits until it is believed.
    async fn leap(&self, ahead: i64) {
        self.harness.system_clock().set_ahead(ahead);
        self.advance(70).await;
    }

    /// Whether a token is good once everybody has heard the news.
    async fn is_good(&self, token: &str) -> bool {
        self.settle().await;
        self.verify(token).is_ok()
    }

    async fn sign_out(&self, person: &Person, request_id: &str) {
        let request = SignOutRequest { request_id: request_id.into(), session_id: String::new() };
        self.as_person(person).sign_out(request).await.expect("signed out");
    }
}

#[tokio::test(start_paused = true)]
async fn who_signs_out_after_the_clock_went_back_is_signed_out() {
    for back in [HOUR, YEAR, 45, 6] {
        let world = World::start().await;
        let before = world.sign_up("ada").await;
        world.leap(-back).await;
        // Who was signed in before refreshes and goes on.
        let tokens =
            world.refresh("r", &before.tokens.refresh_token).await.expect("refreshed").into_inner().tokens;
        let ada = Person { tokens: tokens.expect("tokens"), ..before.clone() };
        world.sign_out(&ada, "out").await;
        for token in [&before.tokens.access_token, &ada.tokens.access_token] {
            assert!(!world.is_good(token).await, "{back} s back: signed out");
        }
        assert_eq!(reason(world.refresh("r2", &ada.tokens.refresh_token).await), "SESSION_ENDED");
        let again = world.sign_in("in", "ada").await;
        assert!(world.is_good(&again.tokens.access_token).await);
        world.sign_out(&again, "out-again").await;
        assert!(!world.is_good(&again.tokens.access_token).await);
        // Nothing of it comes back when its time comes.
        for _ in 0..20 {
            world.advance(300).await;
            for token in [&before.tokens.access_token, &ada.tokens.access_token, &again.tokens.access_token] {
                assert!(!world.is_good(token).await, "{back} s back: stays signed out");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_month_ahead_and_back_keeps_nobody_out_on_any_day_after() {
    let world = World::start().await;
    world.sign_up("ada").await;
    world.leap(30 * DAY).await;
    let ahead = world.sign_in("ahead", "ada").await;
    assert!(world.is_good(&ahead.tokens.access_token).await);
    world.leap(0).await;
    assert!(!world.is_good(&ahead.tokens.access_token).await, "it was issued in the future");
    let mut refresh_token = ahead.tokens.refresh_token;
    for day in 0..35 {
        let ada = world.sign_in(&format!("day-{day}"), "ada").await;
        assert!(world.is_good(&ada.tokens.access_token).await, "day {day}");
        let refreshed =
            world.refresh(&format!("r-{day}"), &refresh_token).await.expect("the session goes on");
        let tokens = refreshed.into_inner().tokens.expect("tokens");
        assert!(world.is_good(&tokens.access_token).await, "day {day}");
        refresh_token = tokens.refresh_token;
        world.sign_out(&ada, &format!("out-{day}")).await;
        assert!(!world.is_good(&ada.tokens.access_token).await, "day {day}");
        // A day passes on the wall clock; letting it pass on the other one too would take minutes of loops.
        world.leap((day + 1) * DAY).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_revoked_a_year_ahead_is_no_reason_to_wait_for_a_year() {
    let world = World::start().await;
    let ada = world.sign_up("ada").await;
    world.leap(YEAR).await;
    let ahead = world.sign_in("ahead", "ada").await;
    let request = SignOutEverywhereRequest { request_id: "all".into(), account_id: String::new() };
    world.as_person(&ahead).sign_out_everywhere(request).await.expect("signed out");
    world.leap(0).await;
    assert_eq!(reason(world.refresh("r", &ada.tokens.refresh_token).await), "SESSION_ENDED");
    let now = world.sign_in("now", "ada").await;
    assert!(world.is_good(&now.tokens.access_token).await);
    // The request of a year ahead, repeated: its session has ended.
    assert_eq!(reason(world.anybody().sign_in(sign_in("ahead", "ada", PASSWORD)).await), "SESSION_ENDED");
}

#[tokio::test(start_paused = true)]
async fn keys_that_were_replaced_at_once_verify_nothing_when_the_clock_goes_back() {
    let world = World::start().await;
    let ada = world.sign_up("ada").await;
    world.advance(2 * 3_600).await;
    let (mut admin, _) = world.admin().await;
    let request = RotateKeysRequest { request_id: "rotate".into(), rotation: KeyRotation::Immediate.into() };
    admin.rotate_keys(request).await.expect("rotated");
    world.leap(-2 * HOUR).await;
    assert!(!world.is_good(&ada.tokens.access_token).await);
    let again = world.sign_in("in", "ada").await;
    assert!(world.is_good(&again.tokens.access_token).await);
}

#[tokio::test(start_paused = true)]
async fn signing_out_everywhere_again_and_again_ends_nobody_elses_tokens() {
    let world = World::with("password_tries_per_minute_account", 1_000).await;
    let other = world.sign_up("other").await;
    let guest = world.guest(1).await.tokens.expect("tokens").access_token;
    let names = ["ada", "bea", "cleo"];
    let mut people = Vec::new();
    for name in names {
        people.push(world.sign_up(name).await);
    }
    let mut revoked = Vec::new();
    for round in 0..20 {
        for (name, person) in names.iter().zip(&mut people) {
            let request = SignOutEverywhereRequest {
                request_id: format!("all-{name}-{round}"),
                account_id: String::new(),
            };
            world.as_person(person).sign_out_everywhere(request).await.expect("signed out");
            revoked.push(person.tokens.access_token.clone());
            *person = world.sign_in(&format!("in-{name}-{round}"), name).await;
        }
        assert!(world.is_good(&other.tokens.access_token).await, "round {round}");
    }
    assert!(world.is_good(&guest).await);
    for person in &people {
        assert!(world.is_good(&person.tokens.access_token).await, "the last sign-in is good");
    }
    // A single session, issued ahead of the clock, ends like any other.
    world.sign_out(&people[0], "out").await;
    revoked.push(people[0].tokens.access_token.clone());
    for _ in 0..12 {
        for token in &revoked {
            assert!(!world.is_good(token).await, "what was revoked stays revoked");
        }
        world.advance(60).await;
    }
}

async fn start(dir: &Path, ahead: i64) -> Running {
    let mut options = Options::new(format!("dir:{}", dir.display()));
    let clock = VirtualClock::new(START);
    clock.set_ahead(ahead);
    options.clock = Arc::new(clock);
    run(&[SERVICE], options).await.expect("starts")
}

fn client(running: &Running) -> Client {
    running.client("identity", None, Principal::Anonymous, IdentityServiceClient::new).expect("runs here")
}

/// Signs up, in and out, and looks whether tokens are good and bad when they have to be.
async fn lives(running: &Running, name: &str) {
    let up =
        client(running).sign_up(sign_up(&format!("up-{name}"), name)).await.expect("signed up").into_inner();
    let request = sign_in(&format!("in-{name}"), name, PASSWORD);
    let tokens =
        client(running).sign_in(request).await.expect("signed in").into_inner().tokens.expect("tokens");
    let mut stranger = IdentityServiceClient::new(running.outside());
    for (at, token) in [up.tokens.expect("tokens").access_token, tokens.access_token].iter().enumerate() {
        let with = |message: SignOutRequest| {
            let mut request = tonic::Request::new(message);
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
            request
        };
        let out = SignOutRequest { request_id: format!("out-{name}-{at}"), session_id: String::new() };
        stranger.sign_out(with(out)).await.expect("the token is good");
        let again = SignOutRequest { request_id: format!("again-{name}-{at}"), session_id: String::new() };
        let mut refused = stranger.sign_out(with(again.clone())).await;
        for _ in 0..1000 {
            if refused.is_err() {
                break;
            }
            // The news is on its way through the stream of keys.
            tokio::task::yield_now().await;
            refused = stranger.sign_out(with(again.clone())).await;
        }
        assert_eq!(reason(refused), "TOKEN_REVOKED");
    }
}

#[tokio::test]
async fn starts_under_clocks_that_were_ahead_and_behind_serve_all_the_same() {
    let dir = tempfile::tempdir().expect("a directory");
    for (at, ahead) in [YEAR, 0, -HOUR, 30 * DAY, 12 * DAY, 0].into_iter().enumerate() {
        let running = start(dir.path(), ahead).await;
        lives(&running, &format!("visitor{at}")).await;
        running.stop(Duration::from_secs(5)).await;
    }
}
