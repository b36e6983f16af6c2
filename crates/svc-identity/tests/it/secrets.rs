//! Secrets of the operator and of programs.

use contract::souk::identity::v1::*;
use prost_types::Duration;

use crate::world::*;

fn ensure(request_id: &str, reissue: bool) -> EnsureOperatorRequest {
    EnsureOperatorRequest { request_id: request_id.into(), reissue }
}

#[tokio::test(start_paused = true)]
async fn the_operator_is_made_once_and_its_secret_told_once() {
    let world = World::start().await;
    let first = world.role("app").ensure_operator(ensure("start-1", false)).await.expect("made").into_inner();
    let account = first.account.clone().expect("an account");
    assert_eq!(
        (account.kind(), account.name.as_str(), account.permissions.as_slice()),
        (AccountKind::Operator, "operator", ["admin".to_owned()].as_slice())
    );
    assert!(first.secret.starts_with("ops_") && first.secret.len() == 47, "32 bytes of base64url");
    let again = world.role("app").ensure_operator(ensure("start-1", false)).await.expect("replayed");
    assert!(replayed(&again), "a start whose answer was lost gets it again");
    assert_eq!(again.into_inner(), first);
    let second =
        world.role("app").ensure_operator(ensure("start-2", false)).await.expect("there").into_inner();
    assert_eq!((second.account, second.secret.as_str()), (Some(account), ""));
    let principal = world.verify(&world.exchange(&first.secret).await.expect("exchanged")).expect("good");
    assert!(principal.may("whatever there is"));
}

#[tokio::test(start_paused = true)]
async fn a_lost_secret_is_replaced_and_the_old_one_ends() {
    let world = World::start().await;
    let (_, old) = world.operator().await;
    let token = world.exchange(&old).await.expect("exchanged");
    let fresh =
        world.role("app").ensure_operator(ensure("start-2", true)).await.expect("reissued").into_inner();
    assert_ne!(fresh.secret, old);
    assert_eq!(reason(world.exchange(&old).await), "SECRET_REFUSED");
    world.settle().await;
    assert_eq!(world.verify(&token), Err("TOKEN_REVOKED".into()));
    assert!(world.verify(&world.exchange(&fresh.secret).await.expect("exchanged")).is_ok());
}

#[tokio::test(start_paused = true)]
async fn only_the_app_asks_for_the_operator() {
    let world = World::start().await;
    assert_eq!(reason(world.role("order").ensure_operator(ensure("x", true)).await), "PERMISSION_DENIED");
    assert_eq!(reason(world.anybody().ensure_operator(ensure("x", true)).await), "PERMISSION_DENIED");
    let (mut admin, _) = world.admin().await;
    assert_eq!(reason(admin.ensure_operator(ensure("x", true)).await), "PERMISSION_DENIED");
    assert_eq!(field(world.role("app").ensure_operator(ensure("", false)).await), "/request_id");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_secret_is_refused() {
    let world = World::start().await;
    let (_, secret) = world.operator().await;
    assert_eq!(field(world.exchange("").await), "/secret");
    let mut forged = secret.clone();
    forged.replace_range(10..11, if &secret[10..11] == "A" { "B" } else { "A" });
    for text in ["ops_", "nothing", &forged, &secret[..46], &format!("{secret}A"), &"ops_".repeat(10_000)] {
        assert_eq!(reason(world.exchange(text).await), "SECRET_REFUSED");
    }
}

fn create(request_id: &str, account: &Account, lifetime: Option<i64>) -> CreateSecretRequest {
    CreateSecretRequest {
        request_id: request_id.into(),
        account_id: account.account_id.clone(),
        label: "nightly import".into(),
        lifetime: lifetime.map(|seconds| Duration { seconds, nanos: 0 }),
    }
}

#[tokio::test(start_paused = true)]
async fn a_program_acts_as_its_account_until_its_secret_ends() {
    let world = World::start().await;
    let (mut admin, operator) = world.admin().await;
    let ada = world.sign_up("ada").await;
    world.permit(&mut admin, &ada.account, &["stock.write"]).await.expect("given");
    let first =
        admin.create_secret(create("s-1", &ada.account, Some(3600))).await.expect("made").into_inner();
    let again = admin.create_secret(create("s-1", &ada.account, Some(3600))).await.expect("replayed");
    assert!(replayed(&again));
    assert_eq!(again.into_inner(), first, "the same secret again");
    let principal = world.verify(&world.exchange(&first.secret).await.expect("exchanged")).expect("good");
    assert_eq!(
        (principal.subject(), principal.may("stock.write"), principal.may("admin")),
        (ada.account.account_id.clone(), true, false)
    );
    world.advance(3600).await;
    assert_eq!(reason(world.exchange(&first.secret).await), "SECRET_REFUSED");

    let forever = admin.create_secret(create("s-2", &ada.account, None)).await.expect("made").into_inner();
    let token = world.exchange(&forever.secret).await.expect("exchanged");
    let info = forever.info.expect("info");
    let list = ListSecretsRequest { account_id: ada.account.account_id.clone() };
    let listed = admin.list_secrets(list).await.expect("listed").into_inner().secrets;
    assert_eq!((listed.len(), &listed[0]), (2, &info), "newest first");
    let revoke = RevokeSecretRequest { request_id: "rv".into(), secret_id: info.secret_id };
    let revoked = admin.revoke_secret(revoke.clone()).await.expect("revoked");
    assert!(revoked.get_ref().info.as_ref().is_some_and(|info| info.revoked_at.is_some()));
    assert!(replayed(&admin.revoke_secret(revoke).await.expect("replayed")));
    assert_eq!(reason(world.exchange(&forever.secret).await), "SECRET_REFUSED");
    world.settle().await;
    assert_eq!(world.verify(&token), Err("TOKEN_REVOKED".into()));
    assert_eq!(
        admin
            .list_secrets(ListSecretsRequest { account_id: operator.account_id })
            .await
            .expect("listed")
            .into_inner()
            .secrets
            .len(),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn secrets_are_asked_for_in_full() {
    let world = World::start().await;
    let (mut admin, operator) = world.admin().await;
    let request = create("s", &operator, None);
    let wrong = [
        (CreateSecretRequest { request_id: String::new(), ..request.clone() }, "/request_id"),
        (CreateSecretRequest { account_id: String::new(), ..request.clone() }, "/account_id"),
        (CreateSecretRequest { label: " ".into(), ..request.clone() }, "/label"),
        (CreateSecretRequest { label: "x".repeat(101), ..request.clone() }, "/label"),
        (create("s", &operator, Some(59)), "/lifetime"),
        (create("s", &operator, Some(-1)), "/lifetime"),
        (create("s", &operator, Some(i64::MAX)), "/lifetime"),
    ];
    for (request, expected) in wrong {
        assert_eq!(field(admin.create_secret(request).await), expected);
    }
    let absent = CreateSecretRequest { account_id: "cus_00000000000000000000000000".into(), ..request };
    assert_eq!(reason(admin.create_secret(absent).await), "ACCOUNT_NOT_FOUND");
    let revoke = |id: &str| RevokeSecretRequest { request_id: "rv".into(), secret_id: id.into() };
    assert_eq!(field(admin.revoke_secret(revoke("")).await), "/secret_id");
    assert_eq!(
        reason(admin.revoke_secret(revoke("sec_00000000000000000000000000")).await),
        "SECRET_NOT_FOUND"
    );
    let nobody = ListSecretsRequest { account_id: "cus_00000000000000000000000000".into() };
    assert_eq!(reason(admin.list_secrets(nobody).await), "ACCOUNT_NOT_FOUND");
    for n in 0..99 {
        admin.create_secret(create(&format!("n-{n}"), &operator, None)).await.expect("made");
    }
    assert_eq!(reason(admin.create_secret(create("one-more", &operator, None)).await), "TOO_MANY_SECRETS");
}
