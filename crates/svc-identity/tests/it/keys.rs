//! Signing keys and the key set.

use contract::souk::identity::v1::*;

use crate::world::*;

fn rotate(request_id: &str, rotation: KeyRotation) -> RotateKeysRequest {
    RotateKeysRequest { request_id: request_id.into(), rotation: rotation.into() }
}

async fn key_set(client: &mut Client) -> KeySet {
    client.get_key_set(GetKeySetRequest {}).await.expect("public").into_inner().key_set.expect("a key set")
}

#[tokio::test(start_paused = true)]
async fn a_new_key_is_published_before_it_signs_and_the_old_one_verifies_on() {
    let world = World::start().await;
    let (mut admin, _) = world.admin().await;
    let before = key_set(&mut admin).await;
    assert_eq!((before.keys.len(), before.issuer.as_str(), before.audience.as_str()), (1, "souk", "souk"));
    let ada = world.sign_up("ada").await;
    let rotated = admin
        .rotate_keys(rotate("k-1", KeyRotation::Overlap))
        .await
        .expect("rotated")
        .into_inner()
        .key
        .expect("a key");
    assert!(replayed(&admin.rotate_keys(rotate("k-1", KeyRotation::Overlap)).await.expect("replayed")));
    assert_eq!(reason(admin.rotate_keys(rotate("k-2", KeyRotation::Overlap)).await), "ROTATION_PENDING");
    let published = key_set(&mut admin).await;
    assert_eq!(
        published.keys.iter().map(|key| &key.key_id).collect::<Vec<_>>(),
        [&rotated.key_id, &before.keys[0].key_id]
    );
    let bea = world.sign_up("bea").await;
    assert_eq!(kid(&bea.tokens.access_token), before.keys[0].key_id, "published, it does not sign yet");
    world.advance(60).await;
    let cleo = world.sign_up("cleo").await;
    assert_eq!(kid(&cleo.tokens.access_token), rotated.key_id);
    for person in [&ada, &bea, &cleo] {
        assert!(world.verify(&person.tokens.access_token).is_ok());
    }
    world.advance(12 * 60).await;
    assert_eq!(key_set(&mut admin).await.keys.len(), 1, "the old one goes with its last token");
}

/// `kid` of a token's header, read as plainly as it is written.
fn kid(token: &str) -> String {
    let header = token.split('.').next().expect("a header");
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut bits = 0_u32;
    let mut held = 0;
    let mut text = String::new();
    for letter in header.chars() {
        bits = bits << 6 | alphabet.find(letter).expect("base64url") as u32;
        held += 6;
        if held >= 8 {
            held -= 8;
            text.push(char::from((bits >> held & 0xff) as u8));
        }
    }
    assert!(text.contains(r#""alg":"EdDSA""#) && text.contains(r#""typ":"JWT""#), "{text}");
    text.split(r#""kid":""#).nth(1).and_then(|rest| rest.split('"').next()).expect("a kid").to_owned()
}

#[tokio::test(start_paused = true)]
async fn an_immediate_rotation_voids_every_token_and_no_session() {
    let world = World::start().await;
    let (mut admin, _) = world.admin().await;
    let ada = world.sign_up("ada").await;
    admin.rotate_keys(rotate("k-1", KeyRotation::Immediate)).await.expect("rotated");
    world.settle().await;
    assert_eq!(world.verify(&ada.tokens.access_token), Err("TOKEN_INVALID".into()));
    let tokens = world
        .refresh("r", &ada.tokens.refresh_token)
        .await
        .expect("refreshed")
        .into_inner()
        .tokens
        .expect("tokens");
    assert!(world.verify(&tokens.access_token).is_ok());
    assert_eq!(key_set(&mut admin).await.keys.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn keys_rotate_by_themselves() {
    let world = World::with("signing_key_hours", 2).await;
    let first = key_set(&mut world.anybody()).await.keys[0].key_id.clone();
    world.advance(2 * 3600 - 3500).await;
    let keys = key_set(&mut world.anybody()).await.keys;
    assert_eq!((keys.len(), &keys[1].key_id), (2, &first), "the next is published an hour ahead");
    let ada = world.sign_up("ada").await;
    assert_eq!(kid(&ada.tokens.access_token), first);
    world.advance(3500).await;
    let bea = world.sign_up("bea").await;
    assert_eq!(kid(&bea.tokens.access_token), keys[0].key_id);
    assert!(world.verify(&bea.tokens.access_token).is_ok());
}

#[tokio::test(start_paused = true)]
async fn watchers_are_told_the_whole_state_at_once() {
    let world = World::start().await;
    let ada = world.sign_up("ada").await;
    let mut stream =
        world.role("order").watch_key_set(WatchKeySetRequest {}).await.expect("watched").into_inner();
    let mut next =
        async || stream.message().await.expect("speaks").expect("goes on").key_set.expect("a key set");
    let first = next().await;
    assert_eq!((first.keys.len(), first.revocations.len()), (1, 0));
    let out = SignOutRequest { request_id: "out".into(), session_id: String::new() };
    world.as_person(&ada).sign_out(out).await.expect("signed out");
    let asked = world.harness.context().now();
    let second = next().await;
    assert_eq!(world.harness.context().now(), asked, "no time has passed");
    let session = ada.tokens.session.expect("a session").session_id;
    assert_eq!(second.revocations.iter().map(|revocation| &revocation.id).collect::<Vec<_>>(), [&session]);
    assert_eq!(second.keys, first.keys);
    let third = next().await;
    let silent = third.as_of.expect("a time").seconds - second.as_of.expect("a time").seconds;
    assert!((15..=17).contains(&silent), "speaks up when nothing happens: after {silent} s");
    world.advance(12 * 60).await;
    let mut last = next().await;
    while last.as_of.expect("a time").seconds < world.harness.context().now().secs() - 20 {
        last = next().await;
    }
    assert!(last.revocations.is_empty(), "a revocation is told as long as a token may live");
}

#[tokio::test(start_paused = true)]
async fn outside_nobody_learns_who_signed_out() {
    let world = World::start().await;
    let ada = world.sign_up("ada").await;
    let out = SignOutRequest { request_id: "out".into(), session_id: String::new() };
    world.as_person(&ada).sign_out(out).await.expect("signed out");
    assert!(key_set(&mut world.anybody()).await.revocations.is_empty());
    assert_eq!(key_set(&mut world.role("order")).await.revocations.len(), 1);
    assert_eq!(reason(world.anybody().watch_key_set(WatchKeySetRequest {}).await), "PERMISSION_DENIED");
}

#[tokio::test(start_paused = true)]
async fn a_rotation_says_how() {
    let world = World::start().await;
    let (mut admin, _) = world.admin().await;
    assert_eq!(field(admin.rotate_keys(rotate("k", KeyRotation::Unspecified)).await), "/rotation");
    assert_eq!(
        field(admin.rotate_keys(RotateKeysRequest { request_id: "k".into(), rotation: 99 }).await),
        "/rotation"
    );
    assert_eq!(field(admin.rotate_keys(rotate("", KeyRotation::Overlap)).await), "/request_id");
}

#[tokio::test(start_paused = true)]
async fn a_guests_sign_out_is_told_by_his_own_name() {
    let world = World::start().await;
    let guest = world.guest(1).await;
    let token = guest.tokens.expect("tokens").access_token;
    let client = || world.client(world.verify(&token).expect("a good token"));
    let out = SignOutRequest { request_id: "out".into(), session_id: String::new() };
    client().sign_out(out).await.expect("signed out");
    let told = key_set(&mut world.role("order")).await.revocations;
    assert_eq!(told.iter().map(|revocation| &revocation.id).collect::<Vec<_>>(), [&guest.guest_id]);
}
