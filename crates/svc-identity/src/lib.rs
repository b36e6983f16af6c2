//! Identity: who somebody is.
//!
//! Owns accounts, credentials, sessions, secrets of programs and the keys that sign access tokens. Promises that passwords
//! are checked in the same time for everybody and stored only as argon2id hashes; that tokens and private keys are not
//! stored at all but derived (see `derive.rs`); that a refresh token which comes twice ends its session; that sign-out and
//! lost permissions reach every role through the key set's stream at once; and that there is always an admin. Calls nobody.

mod api;
mod audit;
mod derive;
mod domain;
mod hashing;
mod keyring;
mod settings;
mod store;
mod throttle;

use std::time::Duration;

use ::store::Database;
use chassis::{Context, RecordKey, Role, Service, Starting};
use contract::souk::identity::v1::identity_service_server::IdentityServiceServer;
use kernel::{Error, Result};

pub use settings::Settings;

use crate::api::Api;
use crate::derive::Derive;
use crate::domain::KeyTimes;
use crate::hashing::Hasher;
use crate::keyring::Keyring;
use crate::store::{MIGRATIONS, Seals, Store};
use crate::throttle::Throttle;

/// The role.
pub const SERVICE: Service = Service::new("identity", start)
    .about("accounts, credentials, sessions, signing keys, permissions")
    .settings::<Settings>();

/// How long before it signs the next key is published: longer than any verifier is without identity and still works.
const KEY_AHEAD: Duration = Duration::from_secs(3600);
/// The same for a rotation that somebody asked for.
const KEY_AHEAD_ON_REQUEST: Duration = Duration::from_secs(60);
/// How often what is over is deleted.
const SWEEP_EVERY: Duration = Duration::from_secs(600);
/// Sessions that are over are kept for as long as a request key that names them.
const SESSIONS_KEPT: Duration = Duration::from_secs(96 * 3600);
/// Keys that verify nothing any more are kept so long, to tell what signed an old token.
const KEYS_KEPT: Duration = Duration::from_secs(86_400);

/// The secret under which rows are sealed.
const SEAL_KEY: &str = "identity-records";
/// The mark that rows of before there were seals have been sealed; it lies with the secrets, where no database can change it.
const ADOPTED: &str = "identity-records-adopted";

fn start(ctx: Context) -> Starting {
    Box::pin(async move {
        let settings: Settings = ctx.config()?;
        let database = ctx.database(MIGRATIONS).await?;
        let store = Store::new(database.sql(), Seals::new(RecordKey::new(ctx.secret(SEAL_KEY).await?)));
        if !ctx.has_secret(ADOPTED).await? {
            store.adopt_unsealed().await?;
            ctx.secret(ADOPTED).await?;
        }
        store.renew_emails().await?;
        let derive = Derive::new(ctx.secret("identity").await?.bytes());
        audit::tables(&store, &derive).into_iter().for_each(|table| ctx.examine(table));
        ctx.describe_events(audit::describe);
        let times =
            KeyTimes { life: settings.key_life(), ahead: KEY_AHEAD, ahead_on_request: KEY_AHEAD_ON_REQUEST };
        let keyring = Keyring::open(ctx.clone(), store.clone(), derive.clone(), times).await?;
        tend(&ctx, &database, &store, &keyring, &settings);
        let hasher = Hasher::new(settings.hashes_at_once(), ctx.random());
        let throttle = Throttle::new(ctx.kv(), derive.clone(), &settings);
        let api = Api { ctx, store, derive, keyring, hasher, throttle };
        Ok(Role::new().grpc(IdentityServiceServer::new(api)))
    })
}

/// Loops beside the calls: other instances' changes, the next key, what is over.
fn tend(ctx: &Context, database: &Database, store: &Store, keyring: &Keyring, settings: &Settings) {
    let watched = keyring.clone();
    ctx.every("watch keys", settings.look_every(), move || {
        let keyring = watched.clone();
        async move { log("the signing keys", keyring.reload().await.and(keyring.tend().await)) }
    });
    let (database, swept) = (database.clone(), store.clone());
    ctx.every("sweep sessions", SWEEP_EVERY, move || {
        let (store, now) = (swept.clone(), database.retention_now());
        async move {
            log("sessions that are over", store.sweep_sessions(now, now.minus(SESSIONS_KEPT)).await);
            log("keys that are over", store.sweep_keys(now.minus(KEYS_KEPT)).await);
        }
    });
}

fn log(what: &str, result: Result<()>) {
    if let Err::<(), Error>(error) = result {
        tracing::warn!(error = ?error, "{what} could not be tended; trying again later");
    }
}
