//! Two instances on one database.

#[allow(dead_code, reason = "the tests through a client use the rest")]
#[path = "../../tests/it/fakes.rs"]
mod fakes;

use chassis::testing::{Harness, START};
use contract::souk::checkout::v1 as checkout;
use kernel::{Currency, Money, QuoteId};
use prost::Message;
use store::{Database, OpenOptions, RequestKey};

use self::fakes::{Cart, Inventory, Payment, Shipping, World};
use super::*;
use crate::domain::tests::{new_order, policy};
use crate::domain::{InvoiceKind, State};
use crate::store::{MIGRATIONS, Seals};

struct House {
    harness: Harness,
    world: World,
    database: Database,
}

impl House {
    async fn build() -> Self {
        let world = World::default();
        world.stock("red", 10);
        world.hold_until(START.plus(Duration::from_secs(3600)));
        let harness = Harness::builder(&crate::SERVICE, 70)
            .fake("inventory", Inventory(world.clone()))
            .fake("payment", Payment(world.clone()))
            .fake("shipping", Shipping(world.clone()))
            .fake("cart", Cart(world.clone()));
        let harness = harness.start().await.expect("the role starts");
        let options = OpenOptions::new(harness.context().clock().clone());
        let database = ::store::open("mem:", "two", MIGRATIONS, options).await.expect("a database");
        Self { harness, world, database }
    }

    async fn orders(&self, instance: &str) -> Orders {
        let key = self.harness.context().secret("order-records").await.expect("made");
        let seals = Seals::new(chassis::RecordKey::new(key));
        Orders::open(&self.database, seals, instance.to_owned(), "souk".to_owned())
            .await
            .expect("the tables are there")
    }

    async fn worker(&self, instance: &str) -> Worker {
        let ctx = self.harness.context().clone();
        let callees = Callees::new(&ctx, Duration::from_secs(900)).expect("declared");
        let bounds = Bounds { recovering_max: 4, in_flight_max: 4, exclusive: false };
        Worker::new(ctx, self.orders(instance).await, callees, policy(), Metrics::default(), bounds)
    }

    /// An order that an instance wrote before it died.
    async fn orphan(&self, instance: &str, bits: u128) -> Order {
        let quote_id = QuoteId::from_bits(bits);
        let new = new_order(quote_id, Money::new(500, Currency::GBP));
        let new = crate::domain::NewOrder { external_reference: None, from_cart: false, ..new };
        let line = checkout::QuoteLine {
            sku: "red".into(),
            quantity: 1,
            shipment_group_id: "sgr_1".into(),
            ..Default::default()
        };
        let group = checkout::QuoteShipmentGroup { shipment_group_id: "sgr_1".into(), ..Default::default() };
        let quote = checkout::Quote { lines: vec![line], shipment_groups: vec![group], ..Default::default() };
        let decision = Order::place(new, &policy(), self.harness.context().now());
        let key = RequestKey {
            principal: "cus_1".into(),
            method: "order.PlaceOrder",
            id: bits.to_string(),
            fingerprint: [0; 32],
            keep: Duration::from_secs(60),
        };
        self.orders(instance)
            .await
            .create(&decision, quote.encode_to_vec(), Vec::new(), key)
            .await
            .expect("written")
    }
}

#[tokio::test(start_paused = true)]
async fn two_instances_that_recover_the_same_order_do_so_once() {
    let house = House::build().await;
    let orphan = house.orphan("dead", 5).await;
    let (one, two) = (house.worker("one").await, house.worker("two").await);
    let orders = house.orders("reader").await;
    let sweep = async || {
        let (first, second) = tokio::join!(one.sweep(), two.sweep());
        first.and(second).expect("both read");
    };
    sweep().await;
    house.harness.advance(LEASE - Duration::from_secs(1)).await;
    sweep().await;
    assert_eq!(one.running() + two.running(), 0, "its owner may still be alive");
    house.harness.advance(Duration::from_secs(2)).await;
    sweep().await;
    assert_eq!(one.running() + two.running(), 1, "one of them has it");
    house.harness.advance(Duration::from_secs(1)).await;
    let (order, lease) = orders.get(orphan.id).await.expect("read").expect("there");
    assert_eq!((order.state, order.due_at, lease.epoch), (State::Confirmed, None, 2));
    let history = orders.history(orphan.id).await.expect("read");
    let what: Vec<_> = history.iter().map(|entry| entry.what.as_str()).collect();
    assert_eq!(what, ["CREATED", "STOCK_HELD", "PAYMENT_AUTHORIZED", "CONFIRMED", "COMPLETED"]);
    let books = house.world.books();
    assert_eq!((books.sold, books.captured_net, books.shipments), (1, 500, 1));
}

#[tokio::test(start_paused = true)]
async fn an_owner_that_lost_its_lease_writes_nothing() {
    let house = House::build().await;
    let seen = house.orphan("slow", 6).await;
    let (slow, quick) = (house.orders("slow").await, house.orders("quick").await);
    let (_, due) = quick.get(seen.id).await.expect("read").expect("there");
    assert_eq!(quick.claim(&due).await.expect("written"), Some(2));
    assert_eq!(slow.claim(&due).await.expect("read"), None, "it was taken over since");
    let now = START;
    let held = Outcome::Held { until: START.plus(LEASE) };
    let decision = apply(seen.clone(), Step::HoldStock, held, &policy(), now).expect("held");
    let stale = slow.record(&seen, Fence::Lease(1), &decision, Vec::new(), None).await.expect_err("fenced");
    assert!(stale.is_stale());
    assert!(slow.park(&seen, 1, 1, now).await.expect_err("fenced").is_stale());
    quick.record(&seen, Fence::Lease(2), &decision, Vec::new(), None).await.expect("its lease");
}

#[tokio::test(start_paused = true)]
async fn a_record_that_fails_takes_no_number() {
    let house = House::build().await;
    let orders = house.orders("one").await;
    let mut numbers = Vec::new();
    for bits in 10..13 {
        let mut order = house.orphan("one", bits).await;
        for outcome in [
            Outcome::Held { until: START.plus(LEASE) },
            Outcome::Authorized(kernel::PaymentId::from_bits(bits)),
            Outcome::StockCommitted,
        ] {
            let decision = apply(order.clone(), next(&order, START), outcome, &policy(), START)
                .expect("its own outcome");
            let stale = Order { version: order.version + 7, ..order.clone() };
            let error = orders
                .record(&stale, Fence::Lease(1), &decision, Vec::new(), None)
                .await
                .expect_err("another version");
            assert!(error.is_stale());
            order = orders
                .record(&order, Fence::Lease(1), &decision, Vec::new(), None)
                .await
                .expect("its version");
        }
        numbers.push(order.invoice.expect("confirmed").number);
    }
    assert_eq!(numbers, [1, 2, 3]);
    let listed = orders.invoices("souk", InvoiceKind::Invoice, 0, 10).await.expect("read");
    assert_eq!((listed.items.len(), listed.next), (3, None));
}

#[tokio::test(start_paused = true)]
async fn a_row_that_somebody_changed_is_not_sealed_anew() {
    for (damage, fits) in [
        ("UPDATE orders SET tries = 0", true),
        ("UPDATE orders SET external_time = 7", false),
        ("UPDATE orders SET seal = X'00'", false),
    ] {
        let house = House::build().await;
        let id = house.orphan("one", 7).await.id;
        let orders = house.orders("one").await;
        house.database.sql().commit(::store::Batch::new().run(::store::sql(damage))).await.expect(damage);
        let (seen, _) = orders.get(id).await.expect("read").expect("there");
        let held = Outcome::Held { until: START.plus(LEASE) };
        let decision = apply(seen.clone(), Step::HoldStock, held, &policy(), START).expect("held");
        orders.record(&seen, Fence::Version, &decision, Vec::new(), None).await.expect("the order goes on");
        let page = orders.audit("", 10).await.expect("read");
        assert_eq!(page.rows[0].seal == orders.seals().order(&page.rows[0].order), fits, "{damage}");
    }
}
