//! The texts of every contract, each with a request in which all else is good.

use contract::souk::checkout::v1 as checkout;
use contract::souk::identity::v1 as identity;
use contract::souk::inventory::v1 as inventory;
use contract::souk::order::v1 as order;
use contract::souk::payment::v1 as payment;
use contract::souk::product::v1 as product;
use contract::souk::shipping::v1 as shipping;
use contract::souk::r#type::v1::{Address, UnitPrice};
use contract::souk::user::v1 as user;
use kernel::{CategoryId, CustomerId, OrderId, PaymentId, ProductId, ShipmentId};
use prost::Message;

/// A text, with a request in which all else is good.
pub(super) struct Case {
    pub(super) path: &'static str,
    pub(super) request: Vec<u8>,
    /// The field, and where it stands in the request: names and places in lists.
    pub(super) field: &'static str,
    pub(super) at: &'static str,
}

fn case(path: &'static str, request: &impl Message, field: &'static str, at: &'static str) -> Case {
    Case { path, request: request.encode_to_vec(), field, at }
}

fn key() -> String {
    "texts".to_owned()
}

pub(super) fn home() -> Option<Address> {
    Some(Address { region: "London".into(), phone: "+44 20".into(), ..tests::address() })
}

fn addresses(cases: &mut Vec<Case>) {
    let add = user::AddAddressRequest { request_id: key(), address: home(), ..Default::default() };
    for (field, at) in [
        ("souk.type.v1.Address.recipient", "/address/recipient"),
        ("souk.type.v1.Address.lines", "/address/lines/0"),
        ("souk.type.v1.Address.city", "/address/city"),
        ("souk.type.v1.Address.region", "/address/region"),
        ("souk.type.v1.Address.postal_code", "/address/postal_code"),
        ("souk.type.v1.Address.phone", "/address/phone"),
        ("souk.user.v1.AddAddressRequest.label", "/label"),
    ] {
        cases.push(case("/souk.user.v1.UserService/AddAddress", &add, field, at));
    }
    let update = user::UpdateAddressRequest {
        request_id: key(),
        address_id: kernel::AddressId::from_bits(1).to_string(),
        version: 1,
        address: home(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.user.v1.UserService/UpdateAddress",
        &update,
        "souk.user.v1.UpdateAddressRequest.label",
        "/label",
    ));
    let create = user::CreateProfileRequest {
        request_id: key(),
        external_reference: "x".into(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.user.v1.UserService/CreateProfile",
        &create,
        "souk.user.v1.CreateProfileRequest.name",
        "/name",
    ));
    let update = user::UpdateProfileRequest { request_id: key(), version: 1, ..Default::default() };
    cases.push(case(
        "/souk.user.v1.UserService/UpdateProfile",
        &update,
        "souk.user.v1.UpdateProfileRequest.name",
        "/name",
    ));
}

fn quotes(cases: &mut Vec<Case>) {
    let line = checkout::DraftLine {
        sku: "mug".into(),
        quantity: 1,
        unit_price: Some(UnitPrice { currency_code: "GBP".into(), micros: 1 }),
        override_reason: "agreed".into(),
    };
    let terms =
        checkout::StaffTerms { tax_rate_micros: Some(0), reason: "export".into(), ..Default::default() };
    let draft = checkout::StaffDraft { lines: vec![line], terms: Some(terms), ..Default::default() };
    let quote = checkout::CreateQuoteRequest {
        currency_code: "GBP".into(),
        destination: home(),
        draft: Some(draft),
        ..Default::default()
    };
    let path = "/souk.checkout.v1.CheckoutService/CreateQuote";
    for (field, at) in [
        ("souk.checkout.v1.CreateQuoteRequest.shipping_method", "/shipping_method"),
        ("souk.checkout.v1.DraftLine.override_reason", "/draft/lines/0/override_reason"),
        ("souk.checkout.v1.StaffTerms.reason", "/draft/terms/reason"),
    ] {
        cases.push(case(path, &quote, field, at));
    }
    let rate = checkout::TaxRate {
        tax_class: "standard".into(),
        name: "VAT".into(),
        rate_micros: 1,
        valid_from: None,
    };
    let rates = checkout::SetTaxRatesRequest {
        request_id: key(),
        country_code: "JP".into(),
        tax_mode: checkout::TaxMode::Inclusive.into(),
        rates: vec![rate],
        version: 0,
    };
    let path = "/souk.checkout.v1.CheckoutService/SetTaxRates";
    cases.push(case(path, &rates, "souk.checkout.v1.TaxRate.tax_class", "/rates/0/tax_class"));
    cases.push(case(path, &rates, "souk.checkout.v1.TaxRate.name", "/rates/0/name"));
}

fn products(cases: &mut Vec<Case>) {
    let option = product::OptionValue { name: "size".into(), value: "L".into() };
    let variant = product::VariantInput {
        sku: "txt-1".into(),
        options: vec![option],
        prices: vec![UnitPrice { currency_code: "GBP".into(), micros: 1 }],
        weight_grams: 1,
        ..Default::default()
    };
    let image = product::ProductImage {
        source: Some(product::product_image::Source::Url("https://pictures.example/1".into())),
        alt: "a bowl".into(),
        width: 1,
        height: 1,
        ..Default::default()
    };
    let input = product::ProductInput {
        name: "Bowl".into(),
        option_names: vec!["size".into()],
        variants: vec![variant],
        attributes: vec![product::ProductAttribute { name: "colour".into(), value: "blue".into() }],
        images: vec![image],
        synonyms: vec!["Dish".into()],
        ..Default::default()
    };
    prices_and_categories(cases, &input);
    let create = product::CreateProductRequest { request_id: key(), product: Some(input) };
    let path = "/souk.product.v1.ProductService/CreateProduct";
    for (field, at) in [
        ("souk.product.v1.ProductInput.name", "/product/name"),
        ("souk.product.v1.ProductInput.description", "/product/description"),
        ("souk.product.v1.ProductInput.external_reference", "/product/external_reference"),
        ("souk.product.v1.ProductInput.option_names", "/product/option_names/0"),
        ("souk.product.v1.ProductInput.synonyms", "/product/synonyms/0"),
        ("souk.product.v1.ProductAttribute.name", "/product/attributes/0/name"),
        ("souk.product.v1.ProductAttribute.value", "/product/attributes/0/value"),
        ("souk.product.v1.ProductImage.alt", "/product/images/0/alt"),
        ("souk.product.v1.OptionValue.name", "/product/variants/0/options/0/name"),
        ("souk.product.v1.OptionValue.value", "/product/variants/0/options/0/value"),
    ] {
        cases.push(case(path, &create, field, at));
    }
}

fn prices_and_categories(cases: &mut Vec<Case>, input: &product::ProductInput) {
    let id = ProductId::from_bits(1).to_string();
    let update = product::UpdateProductRequest {
        request_id: key(),
        product_id: id.clone(),
        version: 1,
        product: Some(input.clone()),
        ..Default::default()
    };
    cases.push(case(
        "/souk.product.v1.ProductService/UpdateProduct",
        &update,
        "souk.product.v1.UpdateProductRequest.price_reason",
        "/price_reason",
    ));
    let price = product::SetPriceRequest {
        request_id: key(),
        product_id: id,
        version: 1,
        sku: "txt-1".into(),
        unit_price: Some(UnitPrice { currency_code: "GBP".into(), micros: 1 }),
        ..Default::default()
    };
    cases.push(case(
        "/souk.product.v1.ProductService/SetPrice",
        &price,
        "souk.product.v1.SetPriceRequest.reason",
        "/reason",
    ));
    let import = product::ImportProductsRequest {
        request_id: key(),
        products: vec![product::ImportProduct::default()],
        ..Default::default()
    };
    cases.push(case(
        "/souk.product.v1.ProductService/ImportProducts",
        &import,
        "souk.product.v1.ImportProductsRequest.price_reason",
        "/price_reason",
    ));
    let category =
        product::CreateCategoryRequest { request_id: key(), name: "Bowls".into(), ..Default::default() };
    cases.push(case(
        "/souk.product.v1.ProductService/CreateCategory",
        &category,
        "souk.product.v1.CreateCategoryRequest.name",
        "/name",
    ));
    let category = product::UpdateCategoryRequest {
        request_id: key(),
        category_id: CategoryId::from_bits(1).to_string(),
        version: 1,
        name: "Bowls".into(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.product.v1.ProductService/UpdateCategory",
        &category,
        "souk.product.v1.UpdateCategoryRequest.name",
        "/name",
    ));
}

fn stock_and_money(cases: &mut Vec<Case>) {
    let adjust = inventory::AdjustStockRequest {
        request_id: key(),
        sku: "mug".into(),
        change: 1,
        reason: inventory::AdjustmentReason::Count.into(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.inventory.v1.InventoryService/AdjustStock",
        &adjust,
        "souk.inventory.v1.AdjustStockRequest.note",
        "/note",
    ));
    let line = inventory::ReceiptLine {
        sku: "mug".into(),
        quantity: 1,
        reference: "r".into(),
        ..Default::default()
    };
    let receive = inventory::ReceiveStockRequest { request_id: key(), lines: vec![line] };
    cases.push(case(
        "/souk.inventory.v1.InventoryService/ReceiveStock",
        &receive,
        "souk.inventory.v1.ReceiptLine.reference",
        "/lines/0/reference",
    ));
    let location = inventory::CreateLocationRequest {
        request_id: key(),
        code: "texts".into(),
        display_name: "x".into(),
    };
    cases.push(case(
        "/souk.inventory.v1.InventoryService/CreateLocation",
        &location,
        "souk.inventory.v1.CreateLocationRequest.display_name",
        "/display_name",
    ));
    let refund = payment::RefundPaymentRequest {
        request_id: key(),
        payment_id: PaymentId::from_bits(1).to_string(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.payment.v1.PaymentService/RefundPayment",
        &refund,
        "souk.payment.v1.RefundPaymentRequest.reason",
        "/reason",
    ));
}

fn orders(cases: &mut Vec<Case>) {
    let order_id = OrderId::from_bits(1).to_string();
    let place = order::PlaceOrderRequest { request_id: key(), quote_token: "t".into(), ..Default::default() };
    cases.push(case(
        "/souk.order.v1.OrderService/PlaceOrder",
        &place,
        "souk.order.v1.PlaceOrderRequest.external_reference",
        "/external_reference",
    ));
    let approve =
        order::ApproveOrderRequest { request_id: key(), order_id: order_id.clone(), ..Default::default() };
    cases.push(case(
        "/souk.order.v1.OrderService/ApproveOrder",
        &approve,
        "souk.order.v1.ApproveOrderRequest.note",
        "/note",
    ));
    let cancel = order::CancelOrderRequest { request_id: key(), order_id, ..Default::default() };
    cases.push(case(
        "/souk.order.v1.OrderService/CancelOrder",
        &cancel,
        "souk.order.v1.CancelOrderRequest.note",
        "/note",
    ));
}

fn shipments(cases: &mut Vec<Case>) {
    let band = shipping::Band { up_to: 0, price_minor_units: 1 };
    let rate = shipping::MethodRate {
        zone: "all".into(),
        currency_code: "GBP".into(),
        basis: shipping::RateBasis::Weight.into(),
        bands: vec![band],
        days_min: 1,
        days_max: 2,
    };
    let rates = shipping::RateTable {
        version: 1,
        zones: vec![shipping::Zone {
            code: "all".into(),
            name: "All".into(),
            rest_of_world: true,
            ..Default::default()
        }],
        methods: vec![shipping::Method {
            code: "post".into(),
            name: "Post".into(),
            carrier: "Mail".into(),
            rates: vec![rate],
            ..Default::default()
        }],
    };
    let set = shipping::SetRatesRequest { request_id: key(), rates: Some(rates) };
    let path = "/souk.shipping.v1.ShippingService/SetRates";
    for (field, at) in [
        ("souk.shipping.v1.Zone.name", "/rates/zones/0/name"),
        ("souk.shipping.v1.Method.name", "/rates/methods/0/name"),
        ("souk.shipping.v1.Method.carrier", "/rates/methods/0/carrier"),
    ] {
        cases.push(case(path, &set, field, at));
    }
    let update = shipping::UpdateShipmentRequest {
        request_id: key(),
        shipment_id: ShipmentId::from_bits(1).to_string(),
        version: 1,
        state: shipping::ShipmentState::InTransit.into(),
        ..Default::default()
    };
    let path = "/souk.shipping.v1.ShippingService/UpdateShipment";
    for (field, at) in [
        ("souk.shipping.v1.UpdateShipmentRequest.carrier", "/carrier"),
        ("souk.shipping.v1.UpdateShipmentRequest.tracking_number", "/tracking_number"),
        ("souk.shipping.v1.UpdateShipmentRequest.note", "/note"),
    ] {
        cases.push(case(path, &update, field, at));
    }
    let cancel = shipping::CancelShipmentRequest {
        request_id: key(),
        order_id: OrderId::from_bits(1).to_string(),
        shipment_group_id: kernel::ShipmentGroupId::from_bits(1).to_string(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.shipping.v1.ShippingService/CancelShipment",
        &cancel,
        "souk.shipping.v1.CancelShipmentRequest.note",
        "/note",
    ));
}

fn devices(cases: &mut Vec<Case>) {
    let (email, password) = ("ada@example.com".to_owned(), "correct horse battery".to_owned());
    let up = identity::SignUpRequest {
        request_id: key(),
        email: email.clone(),
        password: password.clone(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.identity.v1.IdentityService/SignUp",
        &up,
        "souk.identity.v1.SignUpRequest.device",
        "/device",
    ));
    let sign_in = identity::SignInRequest { request_id: key(), email, password, ..Default::default() };
    cases.push(case(
        "/souk.identity.v1.IdentityService/SignIn",
        &sign_in,
        "souk.identity.v1.SignInRequest.device",
        "/device",
    ));
    let guest =
        identity::CreateGuestSessionRequest { request_id: "texts-of-a-guest-1".into(), ..Default::default() };
    cases.push(case(
        "/souk.identity.v1.IdentityService/CreateGuestSession",
        &guest,
        "souk.identity.v1.CreateGuestSessionRequest.device",
        "/device",
    ));
    let secret = identity::CreateSecretRequest {
        request_id: key(),
        account_id: CustomerId::from_bits(1).to_string(),
        label: "x".into(),
        ..Default::default()
    };
    cases.push(case(
        "/souk.identity.v1.IdentityService/CreateSecret",
        &secret,
        "souk.identity.v1.CreateSecretRequest.label",
        "/label",
    ));
}

pub(super) fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    addresses(&mut cases);
    quotes(&mut cases);
    products(&mut cases);
    stock_and_money(&mut cases);
    orders(&mut cases);
    shipments(&mut cases);
    devices(&mut cases);
    cases
}
