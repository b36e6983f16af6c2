//! Documents.

use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::{Bench, Opener, event, key};
use crate::{Batch, CommitError, Docs, Document, Index, Put, Updated, Value, Versioned};

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Profile {
    pub(super) name: String,
    pub(super) email: Option<String>,
    pub(super) visits: i64,
}

impl Document for Profile {
    const KIND: &'static str = "profile";
    const INDEXES: &'static [Index] = &[Index::unique("email"), Index::plain("visits")];

    fn keys(&self) -> Vec<(&'static str, Value)> {
        vec![("email", self.email.clone().into()), ("visits", self.visits.into())]
    }
}

pub(super) fn profile(name: &str, email: Option<&str>, visits: i64) -> Profile {
    Profile { name: name.to_owned(), email: email.map(str::to_owned), visits }
}

async fn got(docs: &Docs<Profile>, id: &str) -> Versioned<Profile> {
    docs.get(id).await.expect("a read").expect("a document")
}

fn label(error: CommitError) -> String {
    match error {
        CommitError::Duplicate { label } | CommitError::Unexpected { label, rows: 0 } => label,
        other => panic!("{other:?}"),
    }
}

/// 1, then one more with each write.
pub async fn a_document_has_versions(opener: &dyn Opener, name: &str) {
    let docs = Bench::open(opener, name).await.database.docs::<Profile>();
    assert_eq!(docs.get("a").await.expect("a read"), None);
    let value = profile("Ann \u{1f980} \"'", None, 0);
    assert_eq!(docs.put(Put::create("a", value.clone())).await.expect("created"), 1);
    assert_eq!(got(&docs, "a").await, Versioned { id: "a".to_owned(), version: 1, value });
    assert_eq!(docs.put(Put::replace("a", 1, profile("Ann", None, 1))).await.expect("replaced"), 2);
    assert_eq!(docs.put(Put::replace("a", 2, profile("Ann", None, 2))).await.expect("replaced"), 3);
    assert_eq!((got(&docs, "a").await.version, got(&docs, "a").await.value.visits), (3, 2));
}

/// A version that has passed, and an id that is there.
pub async fn a_stale_write_changes_nothing(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let docs = bench.database.docs::<Profile>();
    docs.put(Put::create("a", profile("Ann", None, 0)).event(event("a", 1))).await.expect("created");
    docs.put(Put::replace("a", 1, profile("Ann", None, 1)).event(event("a", 2))).await.expect("replaced");
    let stale = Put::replace("a", 1, profile("Bob", None, 9)).event(event("a", 2));
    assert_eq!(label(docs.put(stale).await.expect_err("stale")), "version");
    assert_eq!(label(docs.put(Put::delete("a", 1)).await.expect_err("stale")), "version");
    assert_eq!(
        label(docs.put(Put::replace("absent", 1, profile("Bob", None, 9))).await.expect_err("absent")),
        "version"
    );
    let again = Put::create("a", profile("Bob", None, 9)).event(event("a", 1));
    assert_eq!(label(docs.put(again).await.expect_err("taken")), "id");
    assert_eq!(got(&docs, "a").await.value, profile("Ann", None, 1));
    bench.assert_published(2).await;
}

/// By bytes; documents without a value do not meet.
pub async fn a_unique_index_is_held(opener: &dyn Opener, name: &str) {
    let docs = Bench::open(opener, name).await.database.docs::<Profile>();
    docs.put(Put::create("a", profile("Ann", Some("a@x"), 0))).await.expect("created");
    docs.put(Put::create("b", profile("Bob", Some("A@x"), 0))).await.expect("another case is another value");
    for id in ["c", "d"] {
        docs.put(Put::create(id, profile("No mail", None, 0))).await.expect("no value is no duplicate");
    }
    assert_eq!(
        label(docs.put(Put::create("e", profile("Eve", Some("a@x"), 0))).await.expect_err("taken")),
        "email"
    );
    assert_eq!(
        label(docs.put(Put::replace("b", 1, profile("Bob", Some("a@x"), 0))).await.expect_err("taken")),
        "email"
    );
    assert_eq!(docs.find("email", "a@x").await.expect("found").expect("Ann").id, "a");
    docs.put(Put::replace("a", 1, profile("Ann", None, 0))).await.expect("gives it up");
    assert_eq!(docs.find("email", "a@x").await.expect("a read"), None);
    docs.put(Put::replace("b", 1, profile("Bob", Some("a@x"), 0))).await.expect("takes it");
    assert_eq!(docs.find("email", "a@x").await.expect("found").expect("Bob").id, "b");
    assert!(docs.find("visits", 0).await.is_err(), "that index is not unique");
}

/// Events, answer and position commit with the document.
pub async fn what_goes_along_is_written_with_it(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let docs = bench.database.docs::<Profile>();
    let put = || {
        Put::create("a", profile("Ann", None, 0)).event(event("a", 1)).remember(key("k", 1), b"a".to_vec())
    };
    docs.put(put()).await.expect("created");
    let error = docs.put(put()).await.expect_err("done before");
    assert!(matches!(error, CommitError::Replayed(ref answer) if answer == b"a"), "{error:?}");
    assert_eq!(docs.answer(&key("k", 1)).await.expect("remembered"), Some(b"a".to_vec()));
    bench.assert_published(1).await;
    bench.database.sql().commit(Batch::new().event(event("b", 1))).await.expect("rows share the outbox");
    bench.assert_published(2).await;
}

/// By id and by a unique value.
pub async fn many_are_read_in_the_order_asked(opener: &dyn Opener, name: &str) {
    let docs = Bench::open(opener, name).await.database.docs::<Profile>();
    for id in ["a", "b", "c", "d", "e"] {
        docs.put(Put::create(id, profile(id, Some(&format!("{id}@x")), 0))).await.expect("created");
    }
    let ids = ["d", "absent", "a", "e"].map(str::to_owned);
    let found = docs.get_many(&ids).await.expect("documents");
    assert_eq!(found.iter().map(|doc| &*doc.id).collect::<Vec<_>>(), ["d", "a", "e"]);
    let values = ["c@x", "absent", "a@x", "b@x"].map(Value::from);
    let found = docs.find_many("email", &values).await.expect("documents");
    assert_eq!(found.iter().map(|doc| &*doc.id).collect::<Vec<_>>(), ["c", "a", "b"]);
    assert!(docs.get_many(&[]).await.expect("none").is_empty());
    let many: Vec<_> = (0..1001).map(|n| n.to_string()).collect();
    assert!(docs.get_many(&many).await.is_err(), "too many at once");
    assert!(docs.get_many(&many[..1000]).await.expect("as many as may be").is_empty());
}

/// Fifty at once, and each counts.
pub async fn updates_of_one_all_arrive(opener: &dyn Opener, name: &str) {
    let bench = Bench::open(opener, name).await;
    let mut writers = JoinSet::new();
    for _ in 0..50 {
        let docs = bench.database.docs::<Profile>();
        writers.spawn(async move {
            docs.update("a", |found| {
                let put = match found {
                    None => Put::create("a", profile("Ann", None, 1)),
                    Some(found) => {
                        Put::replace("a", found.version, profile("Ann", None, found.value.visits + 1))
                    }
                };
                let version = put.version();
                Ok((Some(put.event(event("a", version))), ()))
            })
            .await
        });
    }
    for outcome in writers.join_all().await {
        assert!(matches!(outcome, Ok(Updated::Done((), _))), "{outcome:?}");
    }
    let last = got(&bench.database.docs(), "a").await;
    assert_eq!((last.version, last.value.visits), (50, 50));
    bench.assert_published(50).await;
}

/// A decision may write nothing; a replay is told apart.
pub async fn an_update_replays(opener: &dyn Opener, name: &str) {
    let docs = Bench::open(opener, name).await.database.docs::<Profile>();
    let nothing = docs.update("a", |found| Ok((None, found.is_some()))).await.expect("decided");
    assert_eq!(nothing, Updated::Done(false, 0));
    let create = |id: &'static str| {
        let docs = docs.clone();
        async move {
            let put = || Put::create(id, profile("Ann", None, 0)).remember(key("k", 1), b"done".to_vec());
            docs.update(id, |_| Ok((Some(put()), ()))).await.expect("decided")
        }
    };
    assert_eq!(create("a").await, Updated::Done((), 1));
    assert_eq!(create("b").await, Updated::Replayed(b"done".to_vec()));
    assert_eq!(docs.get("b").await.expect("a read"), None);
    let refused = docs
        .update("a", |_| Err::<(Option<Put<Profile>>, ()), _>(kernel::Error::precondition("NO", "no")))
        .await;
    assert_eq!(refused.expect_err("the decision's error").reason(), "NO");
}

/// And its id and its unique values are free.
pub async fn a_deleted_document_is_gone(opener: &dyn Opener, name: &str) {
    let docs = Bench::open(opener, name).await.database.docs::<Profile>();
    docs.put(Put::create("a", profile("Ann", Some("a@x"), 0))).await.expect("created");
    assert_eq!(docs.put(Put::delete("a", 1)).await.expect("deleted"), 0);
    assert_eq!(docs.get("a").await.expect("a read"), None);
    assert_eq!(docs.find("email", "a@x").await.expect("a read"), None);
    assert_eq!(label(docs.put(Put::delete("a", 1)).await.expect_err("gone")), "version");
    docs.put(Put::create("a", profile("Ann", Some("a@x"), 0))).await.expect("free again");
}
