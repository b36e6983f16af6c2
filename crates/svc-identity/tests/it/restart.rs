//! What lasts: sessions, keys and secrets are there again in another process, and nothing secret is in the files.

use std::path::Path;
use std::time::Duration;

use chassis::{Options, Running, run};
use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;
use contract::souk::identity::v1::*;
use mesh::Principal;
use svc_identity::SERVICE;

use crate::world::{PASSWORD, reason, sign_in, sign_up};

async fn start(dir: &Path) -> Running {
    run(&[SERVICE], Options::new(format!("dir:{}", dir.display()))).await.expect("starts")
}

/// Stops, and starts again on a copy of the files, as another process would find them.
async fn restart(running: Running, from: &Path, to: &Path) -> Running {
    assert!(running.stop(Duration::from_secs(5)).await, "ends by itself");
    copy(from, to);
    start(to).await
}

fn copy(from: &Path, to: &Path) {
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

fn client(running: &Running, role: Option<&str>) -> crate::world::Client {
    running.client("identity", role, Principal::Anonymous, IdentityServiceClient::new).expect("runs here")
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

    let running = restart(running, &before, &after).await;
    let keys = client(&running, None)
        .get_key_set(GetKeySetRequest {})
        .await
        .expect("public")
        .into_inner()
        .key_set
        .expect("keys")
        .keys;
    assert_eq!(keys.len(), 2, "the old one verifies what it signed");
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
