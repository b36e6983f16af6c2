//! What an audit checks of the stored profiles.

use std::collections::BTreeSet;
use std::sync::Arc;

use chassis::audit::{Examine, Examined, Fact, check_document, last_of_full_page};
use contract::souk::user::v1 as pb;
use kernel::{CustomerId, Result};
use prost::Message;
use store::{Database, Inspector, StoredEvent};
use tonic::async_trait;

use crate::domain::Profile;

/// The profiles of a database.
pub fn tables(database: &Database) -> [Arc<dyn Examine>; 1] {
    [Arc::new(ProfileRows(database.inspect()))]
}

struct ProfileRows(Inspector);

#[async_trait]
impl Examine for ProfileRows {
    fn table(&self) -> &'static str {
        "profiles"
    }

    async fn page(&self, after: Option<&str>, limit: u32) -> Result<Examined> {
        let rows = self.0.documents::<Profile>(after.unwrap_or_default(), limit).await?;
        let mut examined = Examined::default();
        for stored in &rows {
            let Some(profile) = check_document(&stored.id, stored, &mut examined) else { continue };
            let good = CustomerId::parse(&stored.id).is_ok();
            examined.expects(good, &stored.id, "the id of a customer", &stored.id);
            let ids: BTreeSet<String> =
                profile.addresses.iter().map(|address| address.id.to_string()).collect();
            let once = ids.len() == profile.addresses.len();
            examined.expects(once, &stored.id, "each address once", profile.addresses.len());
            let uses: Vec<_> = profile.addresses.iter().flat_map(|address| &address.default_for).collect();
            let distinct: BTreeSet<_> = uses.iter().collect();
            let found = format!("{} defaults", uses.len());
            examined.expects(distinct.len() == uses.len(), &stored.id, "one default for each use", found);
            let versions = profile.addresses.iter().all(|address| address.version > 0);
            examined.expects(versions, &stored.id, "addresses with versions from 1", "one below");
            let row = Fact::new("row", stored.id.clone()).version(stored.version);
            examined.facts.push(row.at(profile.updated_at));
        }
        examined.next = last_of_full_page(&rows, limit).map(|last| last.id.clone());
        Ok(examined)
    }
}

/// What an event of this service says: which profile, and its version after it. What is personal is in no event.
///
/// # Errors
/// When it is about another profile than it says.
pub fn describe(event: &StoredEvent) -> std::result::Result<Vec<Fact>, String> {
    // Every event of a profile begins with its id and version; this one has no more.
    let told =
        pb::ProfileDeleted::decode(event.event.payload.as_slice()).map_err(|error| error.to_string())?;
    if told.profile_id != event.event.aggregate_id {
        return Err(format!("{} in an event of {}", told.profile_id, event.event.aggregate_id));
    }
    // A profile that is made by its first change has two events of one version.
    let fact = Fact::new("event", told.profile_id).version(told.version);
    Ok(vec![fact.state("repeats")])
}
