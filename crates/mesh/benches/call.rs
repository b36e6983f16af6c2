//! A call inside the process, all layers on, against a bare call of the generated server.

use criterion::{Criterion, criterion_group, criterion_main};

#[path = "../tests/fixture/mod.rs"]
mod fixture;

fn calls(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut group = criterion.benchmark_group("call");
    group.bench_function("bare", |bencher| {
        let client = fixture::bare();
        bencher.to_async(&runtime).iter(|| fixture::ask(client.clone()));
    });
    group.bench_function("mesh", |bencher| {
        let house = fixture::House::new(1);
        let client = house.client("order", "product");
        bencher.to_async(&runtime).iter(|| fixture::ask(client.clone()));
        assert_eq!(house.guards.telemetry.in_flight(), 0, "every call has ended");
    });
    group.finish();
}

criterion_group!(benches, calls);
criterion_main!(benches);
