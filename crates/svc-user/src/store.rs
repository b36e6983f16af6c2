//! The repository of profiles.

use kernel::{CustomerId, Page, Result};
use store::{CommitError, Docs, Document, Index, List, Put, RequestKey, Updated, Value, Versioned};

use crate::domain::Profile;

const REFERENCE: &str = "external_reference";
const LIVE: &str = "live";

impl Document for Profile {
    const KIND: &'static str = "profile";
    const INDEXES: &'static [Index] = &[Index::unique(REFERENCE), Index::plain(LIVE)];

    fn keys(&self) -> Vec<(&'static str, Value)> {
        let live = if self.is_deleted() { Value::Null } else { Value::Int(1) };
        vec![(REFERENCE, self.external_reference.clone().into()), (LIVE, live)]
    }
}

/// The profiles.
#[derive(Clone)]
pub(crate) struct Profiles {
    docs: Docs<Profile>,
}

/// How a new profile was written.
pub(crate) enum Created {
    /// It is written.
    Written,
    /// Its id or its reference is taken: look again.
    Taken,
    /// The request had been done before: its answer.
    Replayed(Vec<u8>),
}

impl Profiles {
    pub(crate) fn new(docs: Docs<Profile>) -> Self {
        Self { docs }
    }

    pub(crate) async fn answer(&self, key: &RequestKey) -> Result<Option<Vec<u8>>> {
        self.docs.answer(key).await
    }

    /// A profile, even one that was deleted.
    pub(crate) async fn get(&self, id: CustomerId) -> Result<Option<Versioned<Profile>>> {
        self.docs.get(&id.to_string()).await
    }

    /// The profile that has or had this reference.
    pub(crate) async fn find(&self, reference: &str) -> Result<Option<Versioned<Profile>>> {
        self.docs.find(REFERENCE, reference).await
    }

    /// Profiles that are not deleted, by id.
    pub(crate) async fn list(&self, after: Option<String>, limit: u32) -> Result<Page<Versioned<Profile>>> {
        self.docs.list(List { index: Some(LIVE), equals: Some(Value::Int(1)), after, limit }).await
    }

    /// Writes a new profile, or one in the place of a deleted one.
    pub(crate) async fn create(&self, put: Put<Profile>) -> Result<Created> {
        match self.docs.put(put).await {
            Ok(_) => Ok(Created::Written),
            Err(CommitError::Replayed(answer)) => Ok(Created::Replayed(answer)),
            Err(CommitError::Duplicate { .. } | CommitError::Unexpected { .. }) => Ok(Created::Taken),
            Err(error) => Err(error.into()),
        }
    }

    /// Decides on a profile as it is and writes what was decided.
    pub(crate) async fn update<R>(
        &self,
        id: CustomerId,
        decide: impl FnMut(Option<&Versioned<Profile>>) -> Result<(Option<Put<Profile>>, R)>,
    ) -> Result<Updated<R>> {
        self.docs.update(&id.to_string(), decide).await
    }
}

/// The write of a profile over what was found at its id.
pub(crate) fn over(found: Option<&Versioned<Profile>>, id: CustomerId, profile: Profile) -> Put<Profile> {
    match found {
        Some(found) => Put::replace(id.to_string(), found.version, profile),
        None => Put::create(id.to_string(), profile),
    }
}
