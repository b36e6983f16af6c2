//! What lasts: sessions, keys and secrets are there again in another process, and nothing secret is in the files.

use std::path::Path;
use std::time::Duration;

use chassis::{Options, Running, run};
use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;
use contract::souk::identity::v1::*;
use mesh::Principal;
use svc_identity::SERVICE;

use crate::world::{PASSWORD, reason, sign_in, sign_up};

pub async fn start(dir: &Path) -> Running {
    run(&[SERVICE], Options::new(format!("dir:{}", dir.display()))).await.expect("starts")
}

/// Stops, and starts again on a copy of the files, as another process would find them.
async fn restart(running: Running, from: &Path, to: &Path) -> Running {
    assert!(running.stop(Duration::from_secs(5)).await, "ends by itself");
    copy(from, to);
    start(to).await
}

pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("writable");
    for entry in std::fs::read_dir(from).expect("a directory").map(|entry| entry.expect("an entry")) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copied");
        }
    }
}

pub fn client(running: &Running, role: Option<&str>) -> crate::world::Client {
    running.client("identity", role, Principal::Anonymous, IdentityServiceClient::new).expect("runs here")
}

async fn key_set(running: &Running) -> Vec<Key> {
    let set = client(running, None).get_key_set(GetKeySetRequest {}).await.expect("public").into_inner();
    set.key_set.expect("keys").keys
}

/// Runs a statement in the database of a role that does not run.
pub async fn write(dir: &Path, statement: String) {
    let migrations: &'static [store::Migration] = &[
        store::Migration { name: "0001_identity", sql: include_str!("../../migrations/0001_identity.sql") },
        store::Migration {
            name: "0002_email_rule",
            sql: include_str!("../../migrations/0002_email_rule.sql"),
        },
        store::Migration {
            name: "0003_revocations_swept",
            sql: include_str!("../../migrations/0003_revocations_swept.sql"),
        },
        store::Migration { name: "0004_seals", sql: include_str!("../../migrations/0004_seals.sql") },
    ];
    let options =
        store::OpenOptions::new(std::sync::Arc::new(chassis::VirtualClock::new(chassis::testing::START)));
    let url = format!("dir:{}", dir.display());
    let database = store::open(&url, "identity", migrations, options).await.expect("opened");
    database.sql().commit(store::Batch::new().run(store::sql(statement))).await.expect("written");
}

#[tokio::test]
async fn a_key_that_somebody_else_put_there_is_not_published() {
    let dir = tempfile::tempdir().expect("a directory");
    let (before, after) = (dir.path().join("before"), dir.path().join("after"));
    let running = start(&before).await;
    let ours = key_set(&running).await;
    assert!(running.stop(Duration::from_secs(5)).await, "ends by itself");
    copy(&before, &after);
    let strange = "INSERT INTO signing_keys (id, seed, public_key, predecessor, signs_from, signs_until, verifies_until)";
    let row = |id: &str, public: &str| {
        format!(
            "{strange} SELECT '{id}', seed, X'{public}', id, signs_from, signs_until, verifies_until FROM signing_keys \
             WHERE predecessor = '' OR predecessor = '{}'",
            ours[0].key_id
        )
    };
    write(&after, row("aaaaaaaaaaaaaaaa", &"11".repeat(32))).await;
    // A key that cannot even be read keeps nobody from starting.
    write(&after, "UPDATE signing_keys SET seed = X'00' WHERE id = 'aaaaaaaaaaaaaaaa'".to_owned()).await;
    let running = start(&after).await;
    assert_eq!(key_set(&running).await, ours);
    let ada = client(&running, None).sign_up(sign_up("up", "ada")).await.expect("signed up").into_inner();
    assert!(ada.tokens.is_some(), "ours signs");
    running.stop(Duration::from_secs(5)).await;
    let again = dir.path().join("again");
    copy(&before, &again);
    write(&again, row("aaaaaaaaaaaaaaaa", &"11".repeat(32))).await;
    let running = start(&again).await;
    assert_eq!(key_set(&running).await, ours);
}

/// Every file below, but for the secrets of the house.
fn stored(dir: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    for entry in std::fs::read_dir(dir).expect("a directory").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() && entry.file_name().is_some_and(|name| name != "secrets") {
            bytes.extend(stored(&entry));
        } else if entry.is_file() {
            bytes.extend(std::fs::read(&entry).expect("readable"));
        }
    }
    bytes
}

#[tokio::test]
async fn sessions_keys_and_secrets_survive_a_restart_and_are_not_in_the_files() {
    let dir = tempfile::tempdir().expect("a directory");
    let (before, after) = (dir.path().join("before"), dir.path().join("after"));
    let running = start(&before).await;
    let ada = client(&running, None).sign_up(sign_up("up", "ada")).await.expect("signed up").into_inner();
    let tokens = ada.tokens.clone().expect("tokens");
    let ensure = EnsureOperatorRequest { request_id: "start".into(), reissue: false };
    let secret = client(&running, Some("app"))
        .ensure_operator(ensure.clone())
        .await
        .expect("made")
        .into_inner()
        .secret;
    let keys = client(&running, None)
        .get_key_set(GetKeySetRequest {})
        .await
        .expect("public")
        .into_inner()
        .key_set
        .expect("keys")
        .keys;

    let running = restart(running, &before, &after).await;
    let again = client(&running, None)
        .get_key_set(GetKeySetRequest {})
        .await
        .expect("public")
        .into_inner()
        .key_set
        .expect("keys")
        .keys;
    assert_eq!(again, keys);
    let replay = client(&running, None).sign_up(sign_up("up", "ada")).await.expect("replayed").into_inner();
    assert_eq!(replay.tokens, ada.tokens, "remembered without being stored");
    assert_eq!(
        client(&running, Some("app")).ensure_operator(ensure).await.expect("replayed").into_inner().secret,
        secret
    );
    let refresh =
        RefreshSessionRequest { request_id: "r".into(), refresh_token: tokens.refresh_token.clone() };
    client(&running, None).refresh_session(refresh).await.expect("refreshed");
    let exchange = ExchangeSecretRequest { secret: secret.clone() };
    client(&running, None).exchange_secret(exchange).await.expect("exchanged");
    assert!(client(&running, None).sign_in(sign_in("in", "ada", PASSWORD)).await.is_ok());
    running.stop(Duration::from_secs(5)).await;

    let bytes = stored(dir.path());
    assert!(bytes.windows(15).any(|window| window == b"ada@example.com"), "the files are those");
    let signature = tokens.access_token.rsplit('.').next().expect("a signature");
    for text in [PASSWORD, &tokens.refresh_token[4..], signature, &secret[4..]] {
        assert!(
            !bytes.windows(text.len()).any(|window| window == text.as_bytes()),
            "a secret is in the files"
        );
    }
}

#[tokio::test]
async fn when_the_secret_of_the_house_is_lost_other_keys_sign_and_people_sign_in_again() {
    let dir = tempfile::tempdir().expect("a directory");
    let (before, after) = (dir.path().join("before"), dir.path().join("after"));
    let running = start(&before).await;
    let ada = client(&running, None).sign_up(sign_up("up", "ada")).await.expect("signed up").into_inner();
    std::fs::remove_file(before.join("secrets").join("identity")).expect("the secret was there");

    assert!(running.stop(Duration::from_secs(5)).await, "ends by itself");
    copy(&before, &after);
    let options = Options::new(format!("dir:{}", after.display()));
    let error = run(&[SERVICE], options).await.err().expect("the secret is not made anew in silence");
    assert_eq!(error.reason(), "SECRET_MISSING");
    let list = std::fs::read_to_string(after.join("databases")).expect("the list");
    std::fs::write(after.join("databases"), list.replace("secrets/identity\n", "")).expect("written");
    let running = start(&after).await;
    let keys = key_set(&running).await;
    assert_eq!(keys.len(), 1, "the old one does not fit, and is not published");
    let refresh_token = ada.tokens.expect("tokens").refresh_token;
    let refresh = RefreshSessionRequest { request_id: "r".into(), refresh_token };
    assert_eq!(reason(client(&running, None).refresh_session(refresh).await), "REFRESH_TOKEN_REFUSED");
    let signed_in =
        client(&running, None).sign_in(sign_in("in", "ada", PASSWORD)).await.expect("signed in").into_inner();
    let mut stranger = IdentityServiceClient::new(running.outside());
    let mut request = tonic::Request::new(GetAccountRequest::default());
    let token = signed_in.tokens.expect("tokens").access_token;
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
    assert!(stranger.get_account(request).await.is_ok(), "signed by a key that fits");
}
