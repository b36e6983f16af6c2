//! Orders of before rows had seals.

use super::*;

/// Orders without seals, as an earlier release left them, are sealed at the next start; damage after that is named, and so is an
/// order that loses its seal once all have theirs.
pub(super) async fn orders(data: &Data) {
    let copy = data.dir.with_file_name("adopted");
    copied(&data.dir, &copy);
    for table in ["orders", "order_history", "order_quotes", "order_shipments"] {
        run(&copy, "order", "svc-order", &format!("UPDATE {table} SET seal = NULL")).await;
    }
    run(&copy, "order", "svc-order", "UPDATE orders SET history_seal = NULL").await;
    let report = audited(&copy, None).await;
    assert!(names(&report, "orders.sealed", data.id(0)), "the mark says that all are sealed");
    std::fs::remove_file(copy.join("secrets/order-records-adopted")).expect("the mark");
    let list = std::fs::read_to_string(copy.join("databases")).expect("the list");
    assert!(list.contains("secrets/order-records-adopted\n"), "{list}");
    let list = list.replace("secrets/order-records-adopted\n", "");
    std::fs::write(copy.join("databases"), list).expect("written");
    let report = audited(&copy, None).await;
    assert!(report.ok, "{:#?}", failed(&report));
    let dearer = format!("UPDATE orders SET total_minor = total_minor + 1 WHERE id = '{}'", data.id(0));
    let unsealed = format!("UPDATE orders SET seal = NULL WHERE id = '{}'", data.id(1));
    for statement in [dearer, unsealed] {
        run(&copy, "order", "svc-order", &statement).await;
    }
    let report = audited(&copy, None).await;
    for number in [0, 1] {
        assert!(names(&report, "orders.sealed", data.id(number)), "{:#?}", failed(&report));
    }
}

/// A data directory whose secrets are gone is refused, by the name of the first that is missing.
pub(super) async fn secrets(data: &Data) {
    let copy = data.dir.with_file_name("secretless");
    copied(&data.dir, &copy);
    std::fs::remove_dir_all(copy.join("secrets")).expect("removed");
    let free = "127.0.0.1:0".parse().expect("an address");
    let args = UpArgs {
        data: format!("dir:{}", copy.display()),
        no_demo: true,
        grpc: free,
        metrics: free,
        web: free,
        ..UpArgs::default()
    };
    let error = up::start(&args).await.err().expect("nothing is made anew");
    assert_eq!(error.reason(), "SECRET_MISSING", "{error}");
    assert!(!copy.join("secrets").exists());
}
