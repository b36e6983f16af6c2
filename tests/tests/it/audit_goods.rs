//! `souk audit` on copies of a shop's data: each kind of damage to stock, shipments, carts, the catalogue, events and remembered
//! answers, written straight into a database, is named.

mod access;
mod chains;
mod kinds;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use app::audit::Report;
use contract::souk::inventory::v1::inventory_service_client::InventoryServiceClient;
use contract::souk::inventory::v1::{
    AdjustStockRequest, AdjustmentReason, CreateLocationRequest, ReceiptLine, ReceiveStockRequest,
};
use contract::souk::order::v1::CancelOrderRequest;
use contract::souk::order::v1::order_service_client::OrderServiceClient;
use contract::souk::product::v1 as product;
use contract::souk::product::v1::product_service_client::ProductServiceClient;
use contract::souk::shipping::v1::shipping_service_client::ShippingServiceClient;
use contract::souk::shipping::v1::{ListShipmentsRequest, Shipment, ShipmentState, UpdateShipmentRequest};
use contract::souk::r#type::v1::UnitPrice;
use contract::souk::user::v1::AddAddressRequest;
use contract::souk::user::v1::user_service_client::UserServiceClient;
use tests::{Person, World, address, product_of};

use super::audit::{GRACE, audited, copied, failed, names, rests, run};

/// Orders that are paid.
const PAID: usize = 12;
const SKUS: [&str; 4] = ["bowl", "cup", "plate", "jug"];

/// A shop's data, at rest.
#[derive(Clone)]
struct Data {
    dir: PathBuf,
    /// Orders that are confirmed, captured and to be shipped.
    paid: Vec<String>,
    /// One that was cancelled after it was paid, and one whose card was declined.
    cancelled: String,
    declined: String,
    /// SHA-256 of a picture.
    picture: String,
    /// The shipments of the paid orders.
    shipments: Vec<String>,
    /// Products by SKU.
    products: HashMap<String, String>,
    access: access::Access,
}

/// One kind of damage: the database, its crate, what is done to it, and the check and row that must name it.
struct Kind {
    database: &'static str,
    statement: String,
    check: &'static str,
    row: String,
}

fn kind(
    database: &'static str,
    statement: impl Into<String>,
    check: &'static str,
    row: impl Into<String>,
) -> Kind {
    Kind { database, statement: statement.into(), check, row: row.into() }
}

impl Data {
    fn order(&self, number: usize) -> &str {
        &self.paid[number]
    }

    fn shipment(&self, number: usize) -> &str {
        &self.shipments[number]
    }

    fn product(&self, sku: &str) -> &str {
        &self.products[sku]
    }

    /// The id of another kind that has the characters of an order's.
    fn like(&self, prefix: &str, number: usize) -> String {
        format!("{prefix}{}", self.paid[number].trim_start_matches("ord"))
    }
}

/// A shop that has done a little of everything.
async fn data(dir: PathBuf) -> Data {
    let world = World::start_at(&format!("dir:{}", dir.display()), 77).await;
    for sku in SKUS {
        world.sells(sku, 1250, 100).await;
    }
    let picture = catalogue(&world).await;
    stock(&world).await;
    let mut paid = Vec::new();
    for number in 0..PAID {
        let buyer = world.customer(100 + number as u128);
        buyer.adds(SKUS[(number + 1) % 4], 1).await.expect("added");
        paid.push(buyer.buys(SKUS[number % 4], 2, "pm_card_visa").await.expect("bought").id);
    }
    let refused = world.customer(6).buys("cup", 1, "pm_card_chargeDeclined").await.expect_err("declined");
    let declined = refused.metadata().get("order_id").cloned().expect("the order's id");
    let sorry = world.customer(7);
    let cancelled = sorry.buys("plate", 3, "pm_card_visa").await.expect("bought").id;
    // Its shipment is there before it is recalled.
    rests(&world).await;
    let cancel = CancelOrderRequest {
        request_id: world.request_id(),
        order_id: cancelled.clone(),
        note: String::new(),
    };
    sorry.client("order", OrderServiceClient::new).cancel_order(cancel).await.expect("cancelled");
    for number in 1..8 {
        world.customer(200 + number).adds("bowl", 3).await.expect("added");
        world.customer(200 + number).adds("jug", 1).await.expect("added");
        world.guest(300 + number).adds("cup", 2).await.expect("added");
    }
    for number in 201..206 {
        let add = AddAddressRequest {
            request_id: world.request_id(),
            address: Some(address()),
            ..AddAddressRequest::default()
        };
        world.customer(number).client("user", UserServiceClient::new).add_address(add).await.expect("added");
    }
    rests(&world).await;
    let mut shipments = Vec::new();
    for (number, order) in paid.iter().enumerate() {
        shipments.push(sends(&world, order, if number < 3 { 2 } else { 0 }).await);
    }
    let products = ids(&world).await;
    let access = access::prepares(&world).await;
    rests(&world).await;
    world.passes(Duration::from_secs(3)).await;
    assert!(world.running().stop(GRACE).await, "the shop stops");
    Data { dir, paid, cancelled, declined, picture, shipments, products, access }
}

/// A picture, a price that changed twice, a product that is archived.
async fn catalogue(world: &World) -> String {
    let operator = world.operator();
    let mut products = operator.client("product", ProductServiceClient::new);
    let mut file = std::io::Cursor::new(Vec::new());
    image::DynamicImage::new_rgb8(300, 200).write_to(&mut file, image::ImageFormat::Png).expect("a picture");
    let upload = product::UploadPictureRequest { request_id: world.request_id(), data: file.into_inner() };
    let picture = products.upload_picture(upload).await.expect("kept").into_inner().content_hash;
    world.sells("lamp", 4000, 5).await;
    for (sku, pence) in [("lamp", 4100), ("lamp", 4200), ("jug", 1300)] {
        let variants = product::BatchGetVariantsRequest { skus: vec![sku.into()] };
        let found = products.batch_get_variants(variants).await.expect("found").into_inner().variants;
        let set = product::SetPriceRequest {
            request_id: world.request_id(),
            product_id: found[0].product_id.clone(),
            version: found[0].product_version,
            sku: sku.into(),
            unit_price: Some(UnitPrice { currency_code: "GBP".into(), micros: pence * 10_000 }),
            reason: "dearer".into(),
        };
        products.set_price(set).await.expect("set");
        world.passes(Duration::from_secs(1)).await;
    }
    // Two more with the picture, one of which leaves the shop.
    for sku in ["vase", "gone"] {
        let mut request = product_of(world.request_id(), sku, 900);
        let input = request.products[0].product.as_mut().expect("a product");
        let source = Some(product::product_image::Source::ContentHash(picture.clone()));
        input.images = vec![product::ProductImage { source, alt: "a vase".into(), ..Default::default() }];
        let answer = products.import_products(request).await.expect("imported").into_inner();
        assert!(answer.results[0].refusals.is_empty(), "{:?}", answer.results[0].refusals);
    }
    let variants = product::BatchGetVariantsRequest { skus: vec!["gone".into()] };
    let gone = products.batch_get_variants(variants).await.expect("found").into_inner().variants.remove(0);
    let archive = product::ArchiveProductRequest {
        request_id: world.request_id(),
        product_id: gone.product_id,
        version: gone.product_version,
    };
    products.archive_product(archive).await.expect("archived");
    picture
}

/// A second location, a correction, something that broke.
async fn stock(world: &World) {
    let mut inventory = world.operator().client("inventory", InventoryServiceClient::new);
    let request_id = world.request_id();
    let create = CreateLocationRequest { request_id, code: "north".into(), display_name: "The north".into() };
    inventory.create_location(create).await.expect("created");
    let line = |sku: &str| ReceiptLine {
        sku: sku.into(),
        location: "north".into(),
        quantity: 7,
        reference: format!("north {sku}"),
    };
    let lines = SKUS.iter().map(|sku| line(sku)).collect();
    let request = ReceiveStockRequest { request_id: world.request_id(), lines };
    inventory.receive_stock(request).await.expect("received");
    for (reason, change) in [(AdjustmentReason::WriteOff, -2), (AdjustmentReason::Count, 1)] {
        let request = AdjustStockRequest {
            request_id: world.request_id(),
            sku: "bowl".into(),
            location: "north".into(),
            change,
            reason: reason.into(),
            note: "counted".into(),
        };
        inventory.adjust_stock(request).await.expect("adjusted");
    }
}

/// The products that are sold, by SKU.
async fn ids(world: &World) -> HashMap<String, String> {
    let mut products = world.operator().client("product", ProductServiceClient::new);
    let skus = ["bowl", "cup", "plate", "jug", "lamp", "vase", "gone"].map(str::to_owned).to_vec();
    let request = product::BatchGetVariantsRequest { skus };
    let found = products.batch_get_variants(request).await.expect("found").into_inner().variants;
    found.into_iter().map(|variant| (variant.sku, variant.product_id)).collect()
}

/// Takes an order's parcel so many steps on: puts a label on it, gives it to the carrier. Its id.
async fn sends(world: &World, order_id: &str, steps: usize) -> String {
    let operator: Person<'_> = world.operator();
    let mut shipping = operator.client("shipping", ShippingServiceClient::new);
    let list = ListShipmentsRequest { order_id: order_id.to_owned(), ..Default::default() };
    let mut shipment: Shipment =
        shipping.list_shipments(list).await.expect("listed").into_inner().shipments.remove(0);
    for state in [ShipmentState::LabelCreated, ShipmentState::InTransit].into_iter().take(steps) {
        let update = UpdateShipmentRequest {
            request_id: world.request_id(),
            shipment_id: shipment.id.clone(),
            version: shipment.version,
            state: state.into(),
            carrier: "Royal Post".into(),
            tracking_number: "RP 1".into(),
            note: "on its way".into(),
        };
        shipment =
            shipping.update_shipment(update).await.expect("updated").into_inner().shipment.expect("it");
    }
    shipment.id
}

/// Damages a copy in several ways at once, each to rows of its own, and asserts that each is named.
async fn finds_all(data: &Data, name: &str, kinds: &[Kind]) {
    let copy = data.dir.with_file_name(name);
    copied(&data.dir, &copy);
    for kind in kinds {
        run(&copy, kind.database, &format!("svc-{}", kind.database), &kind.statement).await;
    }
    let report = audited(&copy, None).await;
    let missed: Vec<String> = kinds
        .iter()
        .filter(|kind| !names(&report, kind.check, &kind.row))
        .map(|kind| format!("{} should name {}: {}", kind.check, kind.row, kind.statement))
        .collect();
    assert!(missed.is_empty(), "{name}: {missed:#?}\n{:#?}", told(&report));
    std::fs::remove_dir_all(&copy).expect("removed");
}

/// What was found, in short.
fn told(report: &Report) -> Vec<String> {
    let violations = failed(report).into_iter().flat_map(|check| {
        check
            .violations
            .iter()
            .map(move |one| format!("{} {}: {} | {}", check.name, one.at, one.expected, one.found))
    });
    violations.collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_kind_of_damage_to_goods_is_named() {
    let scratch = tempfile::tempdir().expect("a directory");
    let data = data(scratch.path().join("good")).await;
    undamaged(&data).await;
    finds_all(&data, "movements", &kinds::movements(&data)).await;
    finds_all(&data, "stock", &kinds::counters(&data)).await;
    finds_all(&data, "holds", &kinds::holds(&data)).await;
    finds_all(&data, "shipments", &kinds::shipments(&data)).await;
    finds_all(&data, "steps", &kinds::steps(&data)).await;
    finds_all(&data, "carts", &kinds::carts()).await;
    finds_all(&data, "products", &kinds::products(&data)).await;
    finds_all(&data, "categories", &kinds::categories(&data)).await;
    finds_all(&data, "pictures", &kinds::pictures(&data)).await;
    finds_all(&data, "events", &kinds::events(&data)).await;
    finds_all(&data, "ends", &kinds::ends(&data)).await;
    finds_all(&data, "chains", &chains::chains()).await;
    finds_all(&data, "newest", &chains::newest()).await;
    chains::upgraded(&data).await;
    finds_all(&data, "payments", &chains::payments(&data)).await;
    finds_all(&data, "requests", &kinds::requests()).await;
    finds_all(&data, "people", &kinds::people()).await;
    finds_all(&data, "grants", &access::grants(&data)).await;
    finds_all(&data, "revocations", &access::revocations(&data)).await;
    finds_all(&data, "order", &access::order(&data)).await;
    finds_all(&data, "notes", &access::notes()).await;
}

async fn undamaged(data: &Data) {
    let copy = data.dir.with_file_name("undamaged");
    copied(&data.dir, &copy);
    let report = audited(&copy, None).await;
    assert!(report.ok, "{:#?}", told(&report));
    for check in &report.checks {
        assert!(check.examined > 0, "{} looks at nothing", check.name);
    }
    assert!(Path::new(&copy).exists() && !data.cancelled.is_empty() && !data.declined.is_empty());
}
