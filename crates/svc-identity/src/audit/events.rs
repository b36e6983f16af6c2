//! What events of this service say.

use chassis::audit::Fact;
use contract::souk::identity::v1 as wire;
use prost::Message;
use store::StoredEvent;

use super::permissions_content;
use crate::domain::Permissions;

/// What an event says: the account at its version, what it may do, a secret that was made. The event of a session has no row.
///
/// # Errors
/// When it is about another account than it says.
pub(crate) fn describe(event: &StoredEvent) -> Result<Vec<Fact>, String> {
    let (bytes, of) = (event.event.payload.as_slice(), event.event.aggregate_id.as_str());
    // Every event of an account begins with its id and version; this one has no more.
    let account = || wire::AccountCreated::decode(bytes).map_err(|error| error.to_string());
    let told = |account: &wire::AccountCreated, state| {
        if account.account_id != of {
            return Err(format!("{} in an event of {of}", account.account_id));
        }
        Ok(Fact::new("event", of).version(account.version).state(state))
    };
    let mut facts = Vec::new();
    match event.event.type_name.as_str() {
        "souk.identity.v1.AccountCreated" => {
            facts.push(told(&account()?, "")?);
            facts.push(Fact::new("permissions set", of).state("begun"));
        }
        "souk.identity.v1.AccountPermissionsChanged" => {
            let changed =
                wire::AccountPermissionsChanged::decode(bytes).map_err(|error| error.to_string())?;
            let permissions = Permissions::from_stored(&changed.permissions.join(" "));
            facts.push(told(&account()?, "")?);
            facts.push(permissions_content(Fact::new("permissions set", of), &permissions));
        }
        "souk.identity.v1.AccountSecretCreated" => {
            let made = wire::AccountSecretCreated::decode(bytes).map_err(|error| error.to_string())?;
            facts.push(told(&account()?, "")?);
            facts.push(Fact::new("secret made", made.secret_id).about(of));
        }
        "souk.identity.v1.AccountDeleted" => facts.push(told(&account()?, "gone")?),
        "souk.identity.v1.AccountPasswordChanged" | "souk.identity.v1.AccountSignedOut" => {
            facts.push(told(&account()?, "")?);
        }
        "souk.identity.v1.SessionTheftSuspected" => {
            let session =
                wire::SessionTheftSuspected::decode(bytes).map_err(|error| error.to_string())?.session_id;
            if session != of {
                return Err(format!("{session} in an event of {of}"));
            }
            // Two that show a spent token at once are told twice, of one generation.
            let fact = Fact::new("event", of).version(event.event.aggregate_version);
            facts.push(fact.state("log repeats"));
        }
        other => return Err(format!("an event {other}")),
    }
    Ok(facts)
}
