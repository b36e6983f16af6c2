//! Lists of documents and their indexes.

use serde::{Deserialize, Serialize};

use super::documents::{Profile, profile};
use super::{Bench, Opener};
use crate::{Docs, Document, Index, List, Put, Value};

async fn filled(bench: &Bench, count: i64) -> Docs<Profile> {
    let docs = bench.database.docs::<Profile>();
    for n in 0..count {
        // Every seventh has no mail; visits repeat.
        let email = (n % 7 != 0).then(|| format!("{:03}@x", (n * 37) % 1000));
        docs.put(Put::create(format!("p{n:03}"), profile("x", email.as_deref(), n % 4)))
            .await
            .expect("created");
    }
    docs
}

async fn pages(docs: &Docs<Profile>, list: List) -> Vec<String> {
    let mut ids = Vec::new();
    let mut after = None;
    loop {
        let page = docs.list(List { after, ..list.clone() }).await.expect("a page");
        assert!(page.items.len() <= list.limit as usize);
        ids.extend(page.items.into_iter().map(|doc| doc.id));
        match page.next {
            Some(next) => after = Some(next),
            None => return ids,
        }
    }
}

/// Whatever the size of a page: all, once, in order.
pub async fn pages_by_id(opener: &dyn Opener, name: &str) {
    let docs = filled(&Bench::open(opener, name).await, 50).await;
    let expected: Vec<_> = (0..50).map(|n| format!("p{n:03}")).collect();
    for limit in [1, 7, 25, 50, 51, 1000] {
        assert_eq!(pages(&docs, List { limit, ..List::default() }).await, expected, "pages of {limit}");
    }
    assert!(docs.list(List::default()).await.is_err(), "a list needs a limit");
}

/// In the order of the value, then the id; without those that have none.
pub async fn pages_by_index(opener: &dyn Opener, name: &str) {
    let docs = filled(&Bench::open(opener, name).await, 50).await;
    let mut by_visits: Vec<_> = (0..50).map(|n| (n % 4, format!("p{n:03}"))).collect();
    by_visits.sort();
    let by_visits: Vec<_> = by_visits.into_iter().map(|(_, id)| id).collect();
    let mut by_email: Vec<_> =
        (0..50).filter(|n| n % 7 != 0).map(|n| ((n * 37) % 1000, format!("p{n:03}"))).collect();
    by_email.sort();
    let by_email: Vec<_> = by_email.into_iter().map(|(_, id)| id).collect();
    for limit in [1, 3, 25, 1000] {
        assert_eq!(pages(&docs, List { index: Some("visits"), limit, ..List::default() }).await, by_visits);
        assert_eq!(pages(&docs, List { index: Some("email"), limit, ..List::default() }).await, by_email);
    }
    assert!(docs.list(List { index: Some("absent"), limit: 1, ..List::default() }).await.is_err());
}

/// Only those with the value.
pub async fn pages_of_one_value(opener: &dyn Opener, name: &str) {
    let docs = filled(&Bench::open(opener, name).await, 50).await;
    let expected: Vec<_> = (0..50).filter(|n| n % 4 == 2).map(|n| format!("p{n:03}")).collect();
    for limit in [1, 3, 1000] {
        let list = List { index: Some("visits"), equals: Some(Value::Int(2)), limit, ..List::default() };
        assert_eq!(pages(&docs, list).await, expected);
    }
    let none = List { index: Some("visits"), equals: Some(Value::Int(9)), limit: 5, ..List::default() };
    assert_eq!(pages(&docs, none).await, Vec::<String>::new());
}

/// Text that is no cursor, and one of a list in another order.
pub async fn cursors_of_another_list_are_refused(opener: &dyn Opener, name: &str) {
    let docs = filled(&Bench::open(opener, name).await, 10).await;
    let by_id = docs.list(List { limit: 1, ..List::default() }).await.expect("a page").next;
    let by_visits =
        docs.list(List { index: Some("visits"), limit: 1, ..List::default() }).await.expect("a page").next;
    assert!(by_id.is_some() && by_visits.is_some());
    let wrong = [
        List { after: by_visits, limit: 1, ..List::default() },
        List { index: Some("visits"), after: by_id, limit: 1, ..List::default() },
        List { after: Some("rubbish".to_owned()), limit: 1, ..List::default() },
        List { index: Some("visits"), after: Some(String::new()), limit: 1, ..List::default() },
    ];
    for list in wrong {
        assert_eq!(
            docs.list(list.clone()).await.expect_err("refused").reason(),
            "INVALID_CURSOR",
            "{list:?}"
        );
    }
}

/// The same kind as [`Profile`] in a later release: one index more.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Later(Profile);

impl Document for Later {
    const KIND: &'static str = Profile::KIND;
    const INDEXES: &'static [Index] = &[Index::unique("email"), Index::plain("visits"), Index::plain("name")];

    fn keys(&self) -> Vec<(&'static str, Value)> {
        let mut keys = self.0.keys();
        keys.push(("name", Value::from(&self.0.name)));
        keys
    }
}

/// A later release finds by the new index what an older one wrote.
pub async fn an_added_index_finds_old_documents(opener: &dyn Opener, name: &str) {
    if !opener.keeps() {
        return;
    }
    let bench = Bench::open(opener, name).await;
    filled(&bench, 20).await;
    let bench = bench.reopen(opener, name).await;
    let docs = bench.database.docs::<Later>();
    let list = || List { index: Some("name"), equals: Some(Value::from("x")), limit: 100, ..List::default() };
    assert_eq!(docs.list(list()).await.expect("a page").items.len(), 20);
    docs.put(Put::create("new", Later(profile("x", None, 1)))).await.expect("created");
    drop(docs);
    let bench = bench.reopen(opener, name).await;
    assert_eq!(bench.database.docs::<Later>().list(list()).await.expect("a page").items.len(), 21);
    let old = bench.database.docs::<Later>().get("p001").await.expect("a read").expect("there");
    assert_eq!(old.version, 1, "an index is no change of the document");
}

/// A later release makes an index unique over values that repeat.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Stricter(Profile);

impl Document for Stricter {
    const KIND: &'static str = Profile::KIND;
    const INDEXES: &'static [Index] = &[Index::unique("email"), Index::unique("visits")];

    fn keys(&self) -> Vec<(&'static str, Value)> {
        self.0.keys()
    }
}

/// It is refused, and the documents stay.
pub async fn an_index_cannot_become_unique_over_duplicates(opener: &dyn Opener, name: &str) {
    if !opener.keeps() {
        return;
    }
    let bench = Bench::open(opener, name).await;
    filled(&bench, 10).await;
    let bench = bench.reopen(opener, name).await;
    let error = bench.database.docs::<Stricter>().get("p001").await.expect_err("values repeat");
    assert_eq!(error.reason(), "INDEX_NOT_UNIQUE");
    let bench = bench.reopen(opener, name).await;
    assert!(bench.database.docs::<Profile>().get("p001").await.expect("a read").is_some());
}
