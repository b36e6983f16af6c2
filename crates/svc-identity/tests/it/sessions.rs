//! Signing up, in and out; refreshing; guests.

use contract::souk::identity::v1::*;
use mesh::Principal;

use crate::world::*;

#[tokio::test(start_paused = true)]
async fn signing_up_gives_a_token_that_every_role_believes() {
    let world = World::start().await;
    let ada = world.sign_up("ada").await;
    assert_eq!((ada.account.version, ada.account.email.as_str()), (1, "ada@example.com"));
    let Ok(Principal::Account { id, permissions, .. }) = world.verify(&ada.tokens.access_token) else {
        panic!("an account")
    };
    assert_eq!((id.to_string(), permissions.len()), (ada.account.account_id.clone(), 0));
    world.advance(9 * 60).await;
    assert!(world.verify(&ada.tokens.access_token).is_ok());
    world.advance(2 * 60 + 1).await;
    assert_eq!(world.verify(&ada.tokens.access_token), Err("TOKEN_EXPIRED".into()));
}

#[tokio::test(start_paused = true)]
async fn a_replay_gives_the_very_same_tokens() {
    let world = World::start().await;
    let request = sign_up("once", "ada");
    let first = world.anybody().sign_up(request.clone()).await.expect("signed up");
    assert!(!replayed(&first));
    let first = first.into_inner();
    world.advance(300).await;
    let again = world.anybody().sign_up(request.clone()).await.expect("replayed");
    assert!(replayed(&again));
    assert_eq!(again.into_inner(), first);
    let other = SignUpRequest { password: "another password".into(), ..request.clone() };
    assert_eq!(
        refusal(world.anybody().sign_up(other).await),
        ("IDEMPOTENCY_KEY_REUSED".into(), vec!["/request_id".into()])
    );
    world.advance(400).await;
    let later = world
        .anybody()
        .sign_up(request.clone())
        .await
        .expect("replayed")
        .into_inner()
        .tokens
        .expect("tokens");
    let before = first.tokens.expect("tokens");
    assert_eq!(later.refresh_token, before.refresh_token, "the same session");
    assert!(world.verify(&later.access_token).is_ok() && world.verify(&before.access_token).is_err());
    world.refresh("r", &later.refresh_token).await.expect("refreshed");
    assert_eq!(reason(world.anybody().sign_up(request).await), "SESSION_MOVED_ON");
}

#[tokio::test(start_paused = true)]
async fn a_replay_after_sign_out_gives_nothing() {
    let world = World::start().await;
    let request = sign_in("in", "ada", PASSWORD);
    world.sign_up("ada").await;
    let ada = world.sign_in("in", "ada").await;
    let out = SignOutRequest { request_id: "out".into(), session_id: String::new() };
    world.as_person(&ada).sign_out(out).await.expect("signed out");
    assert_eq!(reason(world.anybody().sign_in(request).await), "SESSION_ENDED");
}

#[tokio::test(start_paused = true)]
async fn an_address_has_one_account() {
    let world = World::start().await;
    world.sign_up("ada").await;
    let twice = SignUpRequest { email: " ADA@Example.Com ".into(), ..sign_up("twice", "ada") };
    assert_eq!(refusal(world.anybody().sign_up(twice).await), ("EMAIL_TAKEN".into(), vec!["/email".into()]));
    let upper = SignInRequest { email: "Ada@EXAMPLE.com".into(), ..sign_in("in", "ada", PASSWORD) };
    assert!(world.anybody().sign_in(upper).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn who_signs_up_twice_at_once_has_one_account() {
    let world = World::start().await;
    let tasks = (0..6).map(|n| {
        let mut client = world.anybody();
        tokio::spawn(async move { client.sign_up(sign_up(&format!("up-{}", n % 2), "ada")).await })
    });
    let mut accounts = std::collections::BTreeSet::new();
    let mut taken = 0;
    for task in tasks.collect::<Vec<_>>() {
        match task.await.expect("ran") {
            Ok(response) => {
                _ = accounts.insert(response.into_inner().account.expect("an account").account_id)
            }
            Err(status) => {
                assert_eq!(contract::error(status).reason(), "EMAIL_TAKEN");
                taken += 1;
            }
        }
    }
    assert_eq!((accounts.len(), taken), (1, 3), "one key wins and is replayed, the other is refused");
}

#[tokio::test(start_paused = true)]
async fn an_unknown_address_and_a_wrong_password_answer_the_same() {
    let world = World::start().await;
    world.sign_up("ada").await;
    let wrong = world.anybody().sign_in(sign_in("1", "ada", "wrong password")).await.expect_err("refused");
    let unknown = world.anybody().sign_in(sign_in("1", "eve", "wrong password")).await.expect_err("refused");
    assert_eq!(
        (wrong.code(), wrong.message(), wrong.details()),
        (unknown.code(), unknown.message(), unknown.details())
    );
    assert_eq!(contract::error(wrong).reason(), "CREDENTIALS_REFUSED");
    assert!(
        world.anybody().sign_in(sign_in("1", "ada", PASSWORD)).await.is_ok(),
        "a refusal is not remembered"
    );
}

#[tokio::test(start_paused = true)]
async fn refreshing_rotates_and_a_lost_answer_is_given_again() {
    let world = World::start().await;
    let ada = world.sign_up("ada").await;
    let first = world.refresh("r-1", &ada.tokens.refresh_token).await.expect("refreshed");
    assert!(!replayed(&first));
    let first = first.into_inner().tokens.expect("tokens");
    assert_ne!(first.refresh_token, ada.tokens.refresh_token);
    assert!(world.verify(&first.access_token).is_ok());
    let again = world.refresh("r-1", &ada.tokens.refresh_token).await.expect("given again");
    assert!(replayed(&again));
    assert_eq!(again.into_inner().tokens, Some(first.clone()));
    let reused = world.refresh("r-1", &first.refresh_token).await;
    assert_eq!(reason(reused), "IDEMPOTENCY_KEY_REUSED");
    assert!(world.refresh("r-2", &first.refresh_token).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn a_spent_refresh_token_ends_the_session() {
    let world = World::start().await;
    let ada = world.sign_up("ada").await;
    let newest = world
        .refresh("r-1", &ada.tokens.refresh_token)
        .await
        .expect("refreshed")
        .into_inner()
        .tokens
        .expect("tokens");
    assert_eq!(reason(world.refresh("thief", &ada.tokens.refresh_token).await), "REFRESH_TOKEN_REUSED");
    assert_eq!(
        reason(world.refresh("r-2", &newest.refresh_token).await),
        "SESSION_ENDED",
        "the family is gone"
    );
    world.settle().await;
    assert_eq!(world.verify(&newest.access_token), Err("TOKEN_REVOKED".into()));
    assert!(world.sign_in("in", "ada").await.account == ada.account, "the account is not");
}

#[tokio::test(start_paused = true)]
async fn an_old_answer_is_not_given_to_a_thief_who_knows_its_key() {
    let world = World::start().await;
    let ada = world.sign_up("ada").await;
    let second = world
        .refresh("r-1", &ada.tokens.refresh_token)
        .await
        .expect("refreshed")
        .into_inner()
        .tokens
        .expect("tokens");
    world.refresh("r-2", &second.refresh_token).await.expect("refreshed");
    assert_eq!(reason(world.refresh("r-1", &ada.tokens.refresh_token).await), "REFRESH_TOKEN_REUSED");
}

#[tokio::test(start_paused = true)]
async fn two_refreshes_at_once_under_one_key_are_one() {
    let world = World::start().await;
    let ada = world.sign_up("ada").await;
    let (one, other) = tokio::join!(
        world.refresh("r", &ada.tokens.refresh_token),
        world.refresh("r", &ada.tokens.refresh_token)
    );
    assert_eq!(one.expect("refreshed").into_inner(), other.expect("refreshed").into_inner());
}

#[tokio::test(start_paused = true)]
async fn what_is_no_refresh_token_is_refused() {
    let world = World::start().await;
    let ada = world.sign_up("ada").await;
    assert_eq!(field(world.refresh("r", "").await), "/refresh_token");
    let mut forged = ada.tokens.refresh_token.clone();
    let last = if forged.ends_with('A') { 'E' } else { 'A' };
    forged.pop();
    forged.push(last);
    for token in ["rft_AAAA", "nothing", &ada.tokens.access_token, &forged] {
        assert_eq!(reason(world.refresh("r", token).await), "REFRESH_TOKEN_REFUSED", "{token}");
    }
    assert!(world.refresh("r", &ada.tokens.refresh_token).await.is_ok(), "a forgery harms nobody");
}

#[tokio::test(start_paused = true)]
async fn guests_have_sessions_of_their_own() {
    let world = World::start().await;
    let guest = world.guest(1).await;
    let tokens = guest.tokens.clone().expect("tokens");
    let Ok(Principal::Guest { id, .. }) = world.verify(&tokens.access_token) else { panic!("a guest") };
    assert_eq!(id.to_string(), guest.guest_id);
    let session = tokens.session.clone().expect("a session");
    let seconds =
        session.expires_at.expect("an end").seconds - session.created_at.expect("a beginning").seconds;
    assert_eq!(seconds, 30 * 86_400);
    assert_eq!(world.guest(1).await, guest, "the same key, the same guest");
    assert_ne!(world.guest(2).await.guest_id, guest.guest_id);
    let request = CreateGuestSessionRequest { request_id: "short".into(), device: String::new() };
    assert_eq!(field(world.anybody().create_guest_session(request).await), "/request_id");
    let next = world
        .refresh("r", &tokens.refresh_token)
        .await
        .expect("refreshed")
        .into_inner()
        .tokens
        .expect("tokens");
    assert_eq!(next.refresh_token_expires_at, tokens.refresh_token_expires_at, "30 days however often");
    let out = SignOutRequest { request_id: "out".into(), session_id: String::new() };
    world.client(world.verify(&next.access_token).expect("good")).sign_out(out).await.expect("signed out");
    world.settle().await;
    assert_eq!(world.verify(&next.access_token), Err("TOKEN_REVOKED".into()));
}

#[tokio::test(start_paused = true)]
async fn signing_out_ends_one_session() {
    let world = World::start().await;
    let telephone = world.sign_up("ada").await;
    let laptop = world.sign_in("in", "ada").await;
    let eve = world.sign_up("eve").await;
    let session = |person: &Person| person.tokens.session.as_ref().expect("a session").session_id.clone();
    let out =
        |request_id: &str, session_id: String| SignOutRequest { request_id: request_id.into(), session_id };
    let other = world.as_person(&eve).sign_out(out("o-1", session(&laptop))).await;
    assert_eq!(reason(other), "SESSION_NOT_FOUND", "somebody else's is as good as absent");
    let ended = world.as_person(&laptop).sign_out(out("o-1", session(&telephone))).await.expect("signed out");
    assert!(!replayed(&ended));
    assert!(replayed(
        &world.as_person(&laptop).sign_out(out("o-1", session(&telephone))).await.expect("replayed")
    ));
    world.settle().await;
    assert_eq!(world.verify(&telephone.tokens.access_token), Err("TOKEN_REVOKED".into()));
    assert_eq!(reason(world.refresh("r", &telephone.tokens.refresh_token).await), "SESSION_ENDED");
    let list = ListSessionsRequest::default();
    let sessions = world.as_person(&laptop).list_sessions(list).await.expect("own").into_inner().sessions;
    assert_eq!(sessions.len(), 1);
    assert!(sessions[0].current && sessions[0].session_id == session(&laptop));
    assert_eq!(field(world.as_person(&laptop).sign_out(out("o-2", "x".into())).await), "/session_id");
}

#[tokio::test(start_paused = true)]
async fn signing_out_everywhere_ends_all_and_the_next_sign_in_is_good_at_once() {
    let world = World::start().await;
    let telephone = world.sign_up("ada").await;
    let laptop = world.sign_in("in-1", "ada").await;
    let request = SignOutEverywhereRequest { request_id: "all".into(), account_id: String::new() };
    let mut client = world.as_person(&laptop);
    let ended = client.sign_out_everywhere(request.clone()).await.expect("signed out").into_inner();
    assert_eq!(ended.sessions_ended, 2);
    assert!(replayed(&client.sign_out_everywhere(request).await.expect("replayed")));
    let anew = world.sign_in("in-2", "ada").await;
    world.settle().await;
    for person in [&telephone, &laptop] {
        assert_eq!(world.verify(&person.tokens.access_token), Err("TOKEN_REVOKED".into()));
        assert_eq!(reason(world.refresh("r", &person.tokens.refresh_token).await), "SESSION_ENDED");
    }
    assert!(world.verify(&anew.tokens.access_token).is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_account_has_a_hundred_sessions_and_the_oldest_makes_room() {
    let world = World::with("password_tries_per_minute_account", 1000).await;
    let first = world.sign_up("ada").await;
    let mut last = first.clone();
    for n in 0..100 {
        world.advance(1).await;
        last = world.sign_in(&format!("in-{n}"), "ada").await;
    }
    let sessions = world
        .as_person(&last)
        .list_sessions(ListSessionsRequest::default())
        .await
        .expect("own")
        .into_inner()
        .sessions;
    assert_eq!(sessions.len(), 100);
    assert_eq!(reason(world.refresh("r", &first.tokens.refresh_token).await), "SESSION_ENDED");
}
