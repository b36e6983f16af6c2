//! Damaged rows are told, where the typed handles stop at them.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use store::conformance::TestClock;
use store::{
    Batch, Database, Document, Index, NewEvent, OpenOptions, Put, RequestId, RequestKey, Value, sql,
};

#[derive(Clone, Serialize, Deserialize)]
struct Thing {
    name: String,
}

impl Document for Thing {
    const KIND: &'static str = "thing";
    const INDEXES: &'static [Index] = &[Index::unique("name")];

    fn keys(&self) -> Vec<(&'static str, Value)> {
        vec![("name", self.name.clone().into())]
    }
}

async fn database() -> Database {
    store::open("mem:", "shop", &[], OpenOptions::new(TestClock::new())).await.expect("opens")
}

async fn run(database: &Database, statement: &'static str) {
    database.sql().commit(Batch::new().run(sql(statement))).await.expect(statement);
}

#[tokio::test]
async fn documents_say_which_of_their_index_columns_are_wrong() {
    let database = database().await;
    for id in ["a", "b", "c"] {
        let thing = Thing { name: format!("thing {id}") };
        database.docs().put(Put::create(id, thing)).await.expect("written");
    }
    run(&database, "UPDATE doc_thing SET k_name = 'another' WHERE id = 'a'").await;
    run(&database, "UPDATE doc_thing SET body = '{}' WHERE id = 'b'").await;
    let found = database.inspect().documents::<Thing>("", 10).await.expect("all of them");
    let wrong = ("name", Value::from("thing a"), Value::from("another"));
    assert_eq!(found[0].wrong_keys, [wrong]);
    assert!(found[1].value.as_ref().err().expect("does not read").contains("missing field"));
    assert!(found[2].value.is_ok() && found[2].wrong_keys.is_empty() && found[2].version == 1);
    let page = database.inspect().documents::<Thing>("a", 1).await.expect("a page");
    assert_eq!(page.iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["b"]);
}

#[tokio::test]
async fn remembered_answers_are_read_in_pages_by_their_keys() {
    let database = database().await;
    for (principal, id) in [("cus_2", "x"), ("cus_1", "y"), ("cus_1", "x")] {
        let key = RequestKey {
            principal: principal.into(),
            method: "shop.Do",
            id: id.into(),
            fingerprint: [7; 32],
            keep: Duration::from_secs(60),
        };
        database.sql().commit(Batch::new().remember(key, b"answer".to_vec())).await.expect("done");
    }
    run(&database, "UPDATE souk_request SET fingerprint = X'00' WHERE principal = 'cus_2'").await;
    let (mut after, mut seen) = (RequestId::default(), Vec::new());
    while let Some(request) = database.inspect().requests(&after, 1).await.expect("a page").pop() {
        seen.push((request.key.principal.clone(), request.key.id.clone(), request.fingerprint.len()));
        after = request.key;
    }
    let told: Vec<_> = seen.iter().map(|(who, id, bytes)| (who.as_str(), id.as_str(), *bytes)).collect();
    assert_eq!(told, [("cus_1", "x", 32), ("cus_1", "y", 32), ("cus_2", "x", 1)]);
}

/// The newest event is as much part of the sequence as any other.
#[tokio::test]
async fn a_newest_event_that_is_gone_is_a_gap() {
    let database = database().await;
    for version in 1..=4 {
        let event = NewEvent {
            aggregate_id: "a".into(),
            aggregate_version: version,
            type_name: "souk.test.v1.Happened".into(),
            payload: vec![],
        };
        database.sql().commit(Batch::new().event(event)).await.expect("published");
    }
    run(&database, "DELETE FROM souk_outbox WHERE sequence > 2").await;
    let gaps = database.outbox().gaps().await.expect("gaps");
    assert_eq!(gaps.iter().map(|gap| (gap.from, gap.to)).collect::<Vec<_>>(), [(3, 4)]);
    let sequences = database.inspect().events(0, 10).await.expect("events");
    assert_eq!(sequences.iter().map(|event| event.position.sequence).collect::<Vec<_>>(), [1, 2]);
}
