//! Rows that somebody else wrote: they give nothing, and the audit names them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use chassis::Running;
use contract::souk::audit::v1::CheckRowsRequest;
use contract::souk::audit::v1::audit_service_client::AuditServiceClient;
use contract::souk::identity::v1::*;
use mesh::Principal;

use crate::restart::{client, copy, start, write};
use crate::world::{PASSWORD, reason, replayed, sign_in, sign_up};

/// A directory in which three signed up, of whom one signed out everywhere; a guest came; and the operator has a secret and made two
/// others, of which one is revoked.
struct Data {
    dir: tempfile::TempDir,
    guest: CreateGuestSessionResponse,
    /// The account of who has the secrets, and the operator's.
    account: String,
    admin: String,
    /// The operator's secret, and one of a program that may do nothing.
    operator: String,
    program: CreateSecretResponse,
    revoked: CreateSecretResponse,
}

impl Data {
    async fn make() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let running = start(&dir.path().join("good")).await;
        let mut anybody = client(&running, None);
        let ada = anybody.sign_up(sign_up("up", "ada")).await.expect("signed up").into_inner();
        anybody.sign_up(sign_up("up-2", "mallory")).await.expect("signed up");
        let eve = anybody.sign_up(sign_up("up-3", "eve")).await.expect("signed up").into_inner();
        let everywhere = SignOutEverywhereRequest { request_id: "out".into(), account_id: String::new() };
        let mut eve = account(&running, &eve.account.expect("an account").account_id, &[]);
        eve.sign_out_everywhere(everywhere).await.expect("signed out");
        let account_id = ada.account.expect("an account").account_id;
        let guest =
            CreateGuestSessionRequest { request_id: "guest-00000000000001".into(), device: String::new() };
        let guest = anybody.create_guest_session(guest).await.expect("a guest").into_inner();
        let ensure = EnsureOperatorRequest { request_id: "start".into(), reissue: false };
        let operator =
            client(&running, Some("app")).ensure_operator(ensure).await.expect("made").into_inner();
        let admin_id = operator.account.expect("an account").account_id;
        let mut admin = account(&running, &admin_id, &["admin"]);
        let mut made = Vec::new();
        for label in ["one", "other"] {
            let (request_id, account_id) = (format!("secret-{label}"), account_id.clone());
            let create = CreateSecretRequest { request_id, account_id, label: label.into(), lifetime: None };
            made.push(admin.create_secret(create).await.expect("made").into_inner());
        }
        let (revoked, program) = (made.pop().expect("two"), made.pop().expect("two"));
        let secret_id = revoked.info.clone().expect("known").secret_id;
        admin
            .revoke_secret(RevokeSecretRequest { request_id: "revoke".into(), secret_id })
            .await
            .expect("revoked");
        assert!(running.stop(Duration::from_secs(5)).await, "ends by itself");
        Self { dir, guest, account: account_id, admin: admin_id, operator: operator.secret, program, revoked }
    }

    /// A copy in which a statement was done to the database.
    async fn damaged(&self, name: &str, statement: &str) -> PathBuf {
        let copied = self.dir.path().join(name);
        copy(&self.dir.path().join("good"), &copied);
        if !statement.is_empty() {
            write(&copied, statement.to_owned()).await;
        }
        copied
    }

    fn session(&self) -> String {
        let tokens = self.guest.tokens.clone().expect("tokens");
        tokens.session.expect("a session").session_id
    }
}

/// A client of an account with these permissions.
fn account(running: &Running, account: &str, permissions: &[&str]) -> crate::world::Client {
    let principal = Principal::Account {
        id: kernel::CustomerId::parse(account).expect("an id"),
        session: kernel::SessionId::from_bits(1),
        permissions: permissions.iter().map(|name| (*name).into()).collect(),
    };
    let new = identity_service_client::IdentityServiceClient::new;
    running.client("identity", None, principal, new).expect("runs here")
}

/// The rows that the service finds something wrong with, as the operator asks it from outside.
async fn found(running: &Running, operator: &str) -> Vec<String> {
    let exchange = ExchangeSecretRequest { secret: operator.to_owned() };
    let token =
        client(running, None).exchange_secret(exchange).await.expect("exchanged").into_inner().access_token;
    let mut audit = AuditServiceClient::new(running.outside());
    let (mut rows, mut cursor) = (Vec::new(), String::new());
    loop {
        let mut request =
            tonic::Request::new(CheckRowsRequest { source: "identity".into(), limit: 0, cursor });
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().expect("ASCII"));
        let page = audit.check_rows(request).await.expect("checked").into_inner();
        rows.extend(page.findings.into_iter().map(|finding| finding.row));
        cursor = page.next_cursor;
        if cursor.is_empty() {
            return rows;
        }
    }
}

async fn stop(running: Running) {
    assert!(running.stop(Duration::from_secs(5)).await, "ends by itself");
}

async fn exchange(running: &Running, secret: &str) -> Result<(), String> {
    let request = ExchangeSecretRequest { secret: secret.to_owned() };
    let answer = client(running, None).exchange_secret(request).await;
    if answer.is_ok() { Ok(()) } else { Err(reason(answer)) }
}

#[tokio::test]
async fn a_session_that_was_given_to_somebody_else_is_refused_and_named() {
    let data = Data::make().await;
    let (session, refresh_token) = (data.session(), data.guest.tokens.clone().expect("tokens").refresh_token);
    let gives = format!(
        "UPDATE sessions SET subject = (SELECT id FROM accounts WHERE permissions = ' admin ') WHERE id = '{session}'"
    );
    let running = start(&data.damaged("given", &gives).await).await;
    let refresh = RefreshSessionRequest { request_id: "r".into(), refresh_token };
    assert_eq!(reason(client(&running, None).refresh_session(refresh).await), "REFRESH_TOKEN_REFUSED");
    assert_eq!(found(&running, &data.operator).await, [format!("session {session}")]);
    stop(running).await;
}

#[tokio::test]
async fn a_secret_that_was_given_to_somebody_else_or_revived_is_refused_and_named() {
    let data = Data::make().await;
    let secret_id = |made: &CreateSecretResponse| made.info.clone().expect("known").secret_id;
    let (program, revoked) = (secret_id(&data.program), secret_id(&data.revoked));
    let gives = format!(
        "UPDATE secrets SET account_id = (SELECT id FROM accounts WHERE permissions = ' admin ') WHERE id = '{program}'"
    );
    let revives = format!("UPDATE secrets SET revoked_at = NULL WHERE id = '{revoked}'");
    for (name, statement, secret, row) in
        [("given", gives, &data.program, program), ("revived", revives, &data.revoked, revoked)]
    {
        let running = start(&data.damaged(name, &statement).await).await;
        assert_eq!(exchange(&running, &secret.secret).await, Err("SECRET_REFUSED".into()), "{name}");
        assert_eq!(found(&running, &data.operator).await, [format!("secret {row}")]);
        stop(running).await;
    }
}

#[tokio::test]
async fn each_kind_of_damage_to_who_is_who_is_named() {
    let data = Data::make().await;
    let undamaged = start(&data.damaged("undamaged", "").await).await;
    assert_eq!(found(&undamaged, &data.operator).await, [""; 0]);
    stop(undamaged).await;
    let (session, secret) = (data.session(), data.program.info.clone().expect("known").secret_id);
    let of_session = |set: &str| {
        (format!("UPDATE sessions SET {set} WHERE id = '{session}'"), format!("session {session}"))
    };
    let of_secret =
        |set: &str| (format!("UPDATE secrets SET {set} WHERE id = '{secret}'"), format!("secret {secret}"));
    let counter = |value: &str| {
        let set = format!("UPDATE counters SET amount = {value} WHERE name = 'revocations_swept'");
        (set, "counter revocations_swept".to_owned())
    };
    let kinds = [
        of_session("seed = X'00112233445566778899aabbccddeeff'"),
        of_session("device = 'another'"),
        of_session("generation = generation + 1"),
        of_session("expires_at = expires_at + 315360000000000"),
        of_session("ended_at = created_at, end_reason = 'x'"),
        of_session("seal = NULL"),
        of_secret("label = 'another'"),
        of_secret(&format!("hash = '{}'", "ab".repeat(32))),
        of_secret("session_id = 'ses_00000000000000000000000001'"),
        of_secret("created_at = created_at + 1000000"),
        of_secret("expires_at = 4000000000000000"),
        counter("4000000000000000"),
        counter("0"),
        ("UPDATE accounts SET tokens_from = 0".into(), "account cus_".into()),
        (
            "UPDATE accounts SET tokens_from = created_at / 1000000 * 1000000 WHERE email LIKE 'eve%'".into(),
            "account cus_".into(),
        ),
        (
            "UPDATE accounts SET email_key = 'z@example.com' WHERE email = 'ada@example.com'".into(),
            "account cus_".into(),
        ),
    ];
    for (number, (statement, row)) in kinds.into_iter().enumerate() {
        let running = start(&data.damaged(&format!("damaged {number}"), &statement).await).await;
        let found = found(&running, &data.operator).await;
        assert!(found.iter().any(|found| found.starts_with(&row)), "{row} of {statement}: {found:?}");
        stop(running).await;
    }
}

/// Makes a directory as it was before there were seals.
fn forgets_seals(dir: &Path) {
    for secret in ["identity-records", "identity-records-adopted"] {
        std::fs::remove_file(dir.join("secrets").join(secret)).expect("it was there");
        let list = std::fs::read_to_string(dir.join("databases")).expect("the list");
        std::fs::write(dir.join("databases"), list.replace(&format!("secrets/{secret}\n"), ""))
            .expect("written");
    }
}

#[tokio::test]
async fn rows_of_before_there_were_seals_are_sealed_once() {
    let data = Data::make().await;
    let without = data.damaged("without", "UPDATE sessions SET seal = NULL").await;
    write(&without, "UPDATE secrets SET seal = NULL".into()).await;
    write(&without, "UPDATE counters SET seal = NULL".into()).await;
    // What such a release remembered has no seal behind it.
    let remembered = "UPDATE souk_request SET answer = substr(answer, 1, length(answer) - 32) WHERE method = 'identity.SignUp'";
    write(&without, remembered.into()).await;
    forgets_seals(&without);
    let running = start(&without).await;
    assert_eq!(found(&running, &data.operator).await, [""; 0]);
    assert_eq!(exchange(&running, &data.program.secret).await, Ok(()));
    let refresh_token = data.guest.tokens.clone().expect("tokens").refresh_token;
    let refresh = RefreshSessionRequest { request_id: "r".into(), refresh_token };
    client(&running, None).refresh_session(refresh.clone()).await.expect("refreshed");
    assert_eq!(reason(client(&running, None).sign_up(sign_up("up", "ada")).await), "SESSION_MOVED_ON");
    stop(running).await;
    let remembered = remembered.replace("SignUp", "RefreshSession");
    write(&without, remembered).await;
    let running = start(&without).await;
    let again = client(&running, None).refresh_session(refresh).await.expect("given again");
    assert!(replayed(&again), "a refresh whose answer was lost during the change of release is no theft");
    let refresh_token = again.into_inner().tokens.expect("tokens").refresh_token;
    let refresh = RefreshSessionRequest { request_id: "s".into(), refresh_token };
    client(&running, None).refresh_session(refresh).await.expect("refreshed");
    assert!(client(&running, None).sign_in(sign_in("in", "ada", PASSWORD)).await.is_ok());
    stop(running).await;
    write(&without, format!("UPDATE sessions SET seal = NULL WHERE id = '{}'", data.session())).await;
    let running = start(&without).await;
    let row = format!("session {}", data.session());
    assert_eq!(found(&running, &data.operator).await, [row], "it is done once");
    stop(running).await;
}

#[tokio::test]
async fn tokens_that_are_remembered_for_one_are_not_given_to_another() {
    let data = Data::make().await;
    let moves = "UPDATE souk_request SET answer = (SELECT r.answer FROM souk_request r WHERE r.method = 'identity.SignUp' LIMIT 1) \
         WHERE method = 'identity.SignUp'";
    let running = start(&data.damaged("moved", moves).await).await;
    let mut refused = 0;
    for (request_id, name) in [("up", "ada"), ("up-2", "mallory"), ("up-3", "eve")] {
        match client(&running, None).sign_up(sign_up(request_id, name)).await {
            Ok(again) => {
                let account = again.into_inner().account.expect("an account");
                assert_eq!(account.email, format!("{name}@example.com"));
            }
            again => refused += usize::from(reason(again) == "SESSION_MOVED_ON"),
        }
    }
    assert_eq!(refused, 2);
    stop(running).await;
    // Of the operator's remembered secret nothing is told to a program's maker.
    let moves = "UPDATE souk_request SET answer = (SELECT r.answer FROM souk_request r WHERE r.method = 'identity.EnsureOperator') \
         WHERE method = 'identity.CreateSecret'";
    let running = start(&data.damaged("moved secret", moves).await).await;
    let info = data.program.info.clone().expect("known");
    let (account_id, label) = (data.account.clone(), info.label);
    let create = CreateSecretRequest { request_id: "secret-one".into(), account_id, label, lifetime: None };
    let mut admin = account(&running, &data.admin, &["admin"]);
    assert_eq!(reason(admin.create_secret(create).await), "SECRET_NOT_FOUND");
    stop(running).await;
}
