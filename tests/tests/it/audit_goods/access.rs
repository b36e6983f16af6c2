//! Damage to who may do what, to tax tables and settings, to the order and the times of events, and to what a database notes
//! about itself.

use contract::souk::checkout::v1 as checkout;
use contract::souk::checkout::v1::checkout_service_client::CheckoutServiceClient;
use contract::souk::identity::v1 as identity;
use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;
use mesh::Principal;
use tests::World;

use super::{Data, Kind, kind};

/// Somebody with permissions, a secret that is revoked, a session that has ended.
#[derive(Clone, Default)]
pub(super) struct Access {
    account: String,
    secret: String,
    session: String,
}

/// Signs somebody up, lets them do something, makes them two secrets and revokes one, and signs them out.
pub(super) async fn prepares(world: &World) -> Access {
    let mut anybody = world.person(Principal::Anonymous).client("identity", IdentityServiceClient::new);
    let sign_up = identity::SignUpRequest {
        request_id: world.request_id(),
        email: "clerk@example.com".into(),
        password: "correct horse battery".into(),
        device: String::new(),
    };
    let made = anybody.sign_up(sign_up).await.expect("signed up").into_inner();
    let account = made.account.expect("an account");
    let session = made.tokens.and_then(|tokens| tokens.session).expect("a session").session_id;
    let mut operator = world.operator().client("identity", IdentityServiceClient::new);
    let permit = identity::SetPermissionsRequest {
        request_id: world.request_id(),
        account_id: account.account_id.clone(),
        permissions: vec!["orders.read".into()],
        version: account.version,
    };
    operator.set_permissions(permit).await.expect("permitted");
    let mut secrets = Vec::new();
    for label in ["one", "other"] {
        let create = identity::CreateSecretRequest {
            request_id: world.request_id(),
            account_id: account.account_id.clone(),
            label: label.into(),
            lifetime: None,
        };
        let made = operator.create_secret(create).await.expect("made").into_inner();
        secrets.push(made.info.expect("what is known of it").secret_id);
    }
    let revoke =
        identity::RevokeSecretRequest { request_id: world.request_id(), secret_id: secrets[0].clone() };
    operator.revoke_secret(revoke).await.expect("revoked");
    let own = Principal::Account {
        id: kernel::CustomerId::parse(&account.account_id).expect("an id"),
        session: kernel::SessionId::parse(&session).expect("an id"),
        permissions: Vec::new().into(),
    };
    let out = identity::SignOutRequest { request_id: world.request_id(), session_id: String::new() };
    let mut own = world.person(own).client("identity", IdentityServiceClient::new);
    own.sign_out(out).await.expect("signed out");
    taxes(world).await;
    Access { account: account.account_id, secret: secrets.remove(0), session }
}

/// Sets a table twice, and the settings once.
async fn taxes(world: &World) {
    let mut taxes = world.operator().client("checkout", CheckoutServiceClient::new);
    for (version, rate_micros) in [(1, 210_000), (2, 200_000)] {
        let rate = checkout::TaxRate {
            tax_class: "standard".into(),
            name: "VAT".into(),
            rate_micros,
            valid_from: None,
        };
        let set = checkout::SetTaxRatesRequest {
            request_id: world.request_id(),
            country_code: "IE".into(),
            tax_mode: checkout::TaxMode::Inclusive.into(),
            rates: vec![rate],
            version,
        };
        taxes.set_tax_rates(set).await.expect("set");
    }
}

const VALID: &str = "rows.valid";
const GRANTS: &str = "identity.grants";

/// Each of these leaves what proves the others.
pub(super) fn grants(data: &Data) -> Vec<Kind> {
    let Access { account, secret, session } = &data.access;
    let foreign = format!(
        "INSERT INTO signing_keys (id, seed, public_key, predecessor, signs_from, signs_until, verifies_until) \
         SELECT 'aaaaaaaaaaaaaaaa', seed, X'{}', id, signs_from, signs_until, verifies_until FROM signing_keys",
        "11".repeat(32)
    );
    vec![
        kind(
            "identity",
            format!("UPDATE accounts SET permissions = ' admin ', staff = 1 WHERE id = '{account}'"),
            GRANTS,
            format!("permissions of {account}"),
        ),
        kind(
            "identity",
            format!("UPDATE secrets SET revoked_at = NULL WHERE id = '{secret}'"),
            GRANTS,
            format!("secret {secret}"),
        ),
        kind(
            "identity",
            format!("UPDATE sessions SET ended_at = NULL, end_reason = NULL WHERE id = '{session}'"),
            GRANTS,
            format!("session of {session}"),
        ),
        kind("identity", foreign, VALID, "signing key aaaaaaaaaaaaaaaa"),
        kind(
            "identity",
            "UPDATE revocations SET ends_at = ends_at + 1 WHERE row_id = (SELECT MIN(r.row_id) FROM revocations r)",
            VALID,
            "revocation ",
        ),
        kind(
            "checkout",
            "UPDATE tax_rates SET rate_micros = -1 WHERE country = 'AT'",
            VALID,
            "tax table AT/rates/0",
        ),
        kind("checkout", "UPDATE tax_tables SET tax_mode = 'x' WHERE country = 'FR'", VALID, "tax table FR"),
        kind(
            "checkout",
            "UPDATE tax_rates SET rate_micros = 1 WHERE country = 'IE'",
            "events.content",
            "tax:IE",
        ),
        kind("checkout", "DELETE FROM tax_tables WHERE country = 'DE'", VALID, "tax table DE"),
        kind("checkout", "DELETE FROM settings", VALID, "settings"),
        kind(
            "identity",
            "UPDATE counters SET amount = 1995914502000000 WHERE name = 'revocations_swept'",
            VALID,
            "counter revocations_swept",
        ),
    ]
}

/// What was revoked, and what was made.
pub(super) fn revocations(data: &Data) -> Vec<Kind> {
    let Access { account, secret, session } = &data.access;
    vec![
        kind("identity", "DELETE FROM revocations", GRANTS, format!("revocation of {session}")),
        kind(
            "identity",
            format!("DELETE FROM secrets WHERE id = '{secret}'"),
            GRANTS,
            format!("secret {secret}"),
        ),
        kind(
            "identity",
            "INSERT INTO secrets (id, account_id, label, hash, session_id, created_at) \
             SELECT 'sec_00000000000000000000000001', account_id, label, 'x', session_id, created_at FROM secrets LIMIT 1",
            GRANTS,
            "secret sec_00000000000000000000000001",
        ),
        kind(
            "identity",
            "UPDATE signing_keys SET verifies_until = verifies_until + 1",
            VALID,
            "identity: signing key ",
        ),
        kind(
            "identity",
            format!("UPDATE accounts SET version = version + 1 WHERE id = '{account}'"),
            "events.content",
            account.clone(),
        ),
        kind(
            "checkout",
            "UPDATE tax_tables SET version = 2 WHERE country = 'GB'",
            "events.content",
            "tax:GB",
        ),
        kind(
            "checkout",
            "UPDATE settings SET version = 2, rounding_level = 'total'",
            "events.content",
            "checkout: settings",
        ),
        kind(
            "identity",
            format!("UPDATE secrets SET label = 'x' WHERE id <> '{secret}'"),
            VALID,
            "secret sec_",
        ),
    ]
}

/// Two events of an aggregate change places, also in a role that does not describe its events.
pub(super) fn order(data: &Data) -> Vec<Kind> {
    let ordered = "events.ordered";
    let swaps = [("identity", data.access.account.as_str()), ("checkout", "tax:IE")];
    let mut kinds = Vec::new();
    for (role, row) in swaps {
        for (from, to) in [(2, -1), (1, 2), (-1, 1)] {
            let moves = format!("UPDATE souk_outbox SET sequence = {to} WHERE sequence = {from}");
            kinds.push(kind(role, moves, ordered, row));
        }
    }
    // A payment publishes little: its event comes once more, of an earlier version.
    let again = "INSERT INTO souk_outbox (sequence, time, aggregate_id, aggregate_version, type_name, payload) \
         SELECT sequence + 1, time, aggregate_id, aggregate_version - 1, type_name, payload FROM souk_outbox \
         ORDER BY sequence DESC LIMIT 1";
    kinds.push(kind("payment", again, VALID, "payment: outbox, sequence"));
    kinds
}

/// Times of events, epochs, notes.
pub(super) fn notes() -> Vec<Kind> {
    let note = |role: &str, name: &str| format!("{role}: note {name}");
    let pruned = "INSERT INTO souk_meta (name, value) VALUES ('pruned', '1')";
    vec![
        kind(
            "order",
            "UPDATE souk_outbox SET time = 1 WHERE sequence = 5",
            VALID,
            "order: outbox, sequence 5",
        ),
        kind(
            "payment",
            "UPDATE souk_outbox SET time = 9000000000000000 WHERE sequence = 1",
            VALID,
            "payment: outbox, sequence 1",
        ),
        kind(
            "cart",
            "UPDATE souk_outbox SET time = time - 864000000000 WHERE sequence = (SELECT max(o.sequence) FROM souk_outbox o)",
            "events.content",
            "cart: crt_",
        ),
        kind("shipping", "DELETE FROM souk_outbox WHERE sequence = 1", VALID, note("shipping", "pruned")),
        kind("shipping", pruned, VALID, note("shipping", "pruned")),
        kind(
            "user",
            "INSERT INTO souk_meta (name, value) VALUES ('other', 'x')",
            VALID,
            note("user", "other"),
        ),
        kind("product", "UPDATE souk_epoch SET began_at = 1", VALID, "product: epoch "),
        kind("inventory", "DELETE FROM souk_epoch", VALID, "inventory: epoch "),
        kind("identity", "UPDATE souk_epoch SET first = 2", VALID, "identity: epoch "),
    ]
}
