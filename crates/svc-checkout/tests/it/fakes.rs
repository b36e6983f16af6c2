//! The services that checkout asks, as far as it sees them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll};

use contract::souk::cart::v1 as cart;
use contract::souk::inventory::v1 as inventory;
use contract::souk::product::v1 as product;
use contract::souk::shipping::v1 as shipping;
use contract::souk::r#type::v1::{Money, UnitPrice};
use contract::souk::user::v1 as user;
use kernel::{CustomerId, Error};
use prost::Message;
use tonic::body::Body;
use tonic::server::{Grpc, NamedService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

/// What the fakes know.
#[derive(Default)]
pub struct Known {
    /// Variants by SKU.
    pub variants: BTreeMap<String, product::SellableVariant>,
    /// Units by SKU.
    pub stock: BTreeMap<String, i64>,
    /// Cart lines: SKU and units.
    pub cart: Vec<(String, i32)>,
    /// The last rates that were asked for.
    pub rated: Option<shipping::QuoteRatesRequest>,
    /// Whether shipping reaches anything.
    pub reaches: bool,
}

/// All fakes share what they know.
#[derive(Clone, Default)]
pub struct Fakes(Arc<Mutex<Known>>);

impl Fakes {
    /// `mug` 2.55 GBP, 3.00 EUR, 300 g; `MUG` 1.25 GBP; `book` 10 GBP at the zero rate; `old` archived; 5 `mug` in stock.
    pub fn new() -> Self {
        let fakes = Self::default();
        fakes.sell("mug", product::TaxClass::Standard, &[("GBP", 2_550_000), ("EUR", 3_000_000)]);
        fakes.sell("MUG", product::TaxClass::Standard, &[("GBP", 1_250_000)]);
        fakes.sell("book", product::TaxClass::Zero, &[("GBP", 10_000_000)]);
        fakes.sell("old", product::TaxClass::Standard, &[("GBP", 1_000_000)]);
        fakes.know().variants.get_mut("old").expect("sold").status = product::ProductStatus::Archived.into();
        fakes.know().stock.insert("mug".into(), 5);
        fakes.know().reaches = true;
        fakes
    }

    pub fn know(&self) -> MutexGuard<'_, Known> {
        self.0.lock().expect("no fake panics")
    }

    pub fn sell(&self, sku: &str, tax_class: product::TaxClass, prices: &[(&str, i64)]) {
        let price = |(code, micros): &(&str, i64)| product::VariantPrice {
            unit_price: Some(UnitPrice { currency_code: (*code).into(), micros: *micros }),
            since: None,
        };
        let variant = product::SellableVariant {
            sku: sku.into(),
            product_id: "prd_00000000000000000000000001".into(),
            product_name: format!("The {sku}"),
            status: product::ProductStatus::Active.into(),
            prices: prices.iter().map(price).collect(),
            tax_class: tax_class.into(),
            weight_grams: 300,
            options: vec![product::OptionValue { name: "Cut".into(), value: format!("{sku} cut") }],
            ..Default::default()
        };
        self.know().variants.insert(sku.into(), variant);
    }

    pub fn fill_cart(&self, lines: &[(&str, i32)]) {
        self.know().cart = lines.iter().map(|(sku, quantity)| ((*sku).to_owned(), *quantity)).collect();
    }

    fn variants(
        &self,
        request: product::BatchGetVariantsRequest,
    ) -> Result<product::BatchGetVariantsResponse, Error> {
        assert!(request.skus.len() <= 1000, "product takes 1000 SKUs a call");
        let known = self.know();
        let (found, missing): (Vec<_>, Vec<_>) =
            request.skus.into_iter().partition(|sku| known.variants.contains_key(sku));
        let variants = found.iter().map(|sku| known.variants[sku].clone()).collect();
        Ok(product::BatchGetVariantsResponse { variants, missing_skus: missing })
    }

    fn stock(
        &self,
        request: inventory::BatchGetStockRequest,
    ) -> Result<inventory::BatchGetStockResponse, Error> {
        let known = self.know();
        let stocks = request.skus.into_iter().map(|sku| {
            let available = known.stock.get(&sku).copied().unwrap_or(0);
            inventory::Stock { sku, available, ..Default::default() }
        });
        Ok(inventory::BatchGetStockResponse { stocks: stocks.collect() })
    }

    fn cart(&self, request: cart::GetCartRequest) -> Result<cart::GetCartResponse, Error> {
        assert_eq!(request.cart_id, "", "the caller's own");
        let line = |(number, (sku, quantity)): (usize, &(String, i32))| cart::CartLine {
            line_id: format!("lin_{number:026}"),
            sku: sku.clone(),
            quantity: *quantity,
            ..Default::default()
        };
        let lines = self.know().cart.iter().enumerate().map(line).collect();
        let cart =
            cart::Cart { cart_id: "crt_00000000000000000000000001".into(), lines, ..Default::default() };
        Ok(cart::GetCartResponse { cart: Some(cart) })
    }

    /// Standard 4.99, express 9.99, and for staff also by hand, free.
    fn rates(&self, request: shipping::QuoteRatesRequest) -> Result<shipping::QuoteRatesResponse, Error> {
        let currency_code = request.goods_price.clone().expect("a price").currency_code;
        let option = |method: &str, minor_units, staff_only| shipping::ShippingOption {
            method: method.into(),
            name: format!("By {method}"),
            price: Some(Money { currency_code: currency_code.clone(), minor_units }),
            staff_only,
            ..Default::default()
        };
        let mut options = vec![option("standard", 499, false), option("express", 999, false)];
        if request.include_staff_methods {
            options.insert(0, option("hand", 0, true));
        }
        let mut known = self.know();
        if !known.reaches {
            options.clear();
        }
        known.rated = Some(request);
        Ok(shipping::QuoteRatesResponse { options, rates_version: 1 })
    }

    fn profile(&self, profile_id: &str) -> Result<user::Profile, Error> {
        if profile_id != CustomerId::from_bits(77).to_string() {
            return Err(Error::not_found("PROFILE_NOT_FOUND", "there is no such profile"));
        }
        Ok(user::Profile {
            profile_id: profile_id.into(),
            email: "buyer@example.com".into(),
            ..Default::default()
        })
    }

    fn get_profile(&self, request: user::GetProfileRequest) -> Result<user::GetProfileResponse, Error> {
        self.profile(&request.profile_id).map(|profile| user::GetProfileResponse { profile: Some(profile) })
    }

    fn find_profile(&self, request: user::FindProfileRequest) -> Result<user::FindProfileResponse, Error> {
        let number = if request.external_reference == "online-retail:17850" { 77 } else { 0 };
        let profile = self.profile(&CustomerId::from_bits(number).to_string())?;
        Ok(user::FindProfileResponse { profile: Some(profile) })
    }
}

/// Answers one call by a function.
fn answer<Q, A>(
    request: http::Request<Body>,
    this: Fakes,
    method: fn(&Fakes, Q) -> Result<A, Error>,
) -> Answer
where
    Q: Message + Default + Send + 'static,
    A: Message + Default + Send + 'static,
{
    let service = tower::service_fn(move |request: Request<Q>| {
        let answer = method(&this, request.into_inner()).map(Response::new).map_err(contract::status);
        std::future::ready::<Result<_, Status>>(answer)
    });
    Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).unary(service, request).await) })
}

macro_rules! fake {
    ($(#[$doc:meta])* $name:ident, $service:literal, $($method:literal => $function:path),+) => {
        $(#[$doc])*
        #[derive(Clone)]
        pub struct $name(pub Fakes);

        impl NamedService for $name {
            const NAME: &'static str = $service;
        }

        impl tower::Service<http::Request<Body>> for $name {
            type Response = http::Response<Body>;
            type Error = Infallible;
            type Future = Answer;

            fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
                Poll::Ready(Ok(()))
            }

            fn call(&mut self, request: http::Request<Body>) -> Answer {
                match request.uri().path().rsplit('/').next() {
                    $(Some($method) => answer(request, self.0.clone(), $function),)+
                    other => panic!("checkout asks {} for {other:?}", $service),
                }
            }
        }
    };
}

fake!(/// Variants and prices.
    Product, "souk.product.v1.ProductService", "BatchGetVariants" => Fakes::variants);
fake!(/// Stock.
    Inventory, "souk.inventory.v1.InventoryService", "BatchGetStock" => Fakes::stock);
fake!(/// The caller's cart.
    Cart, "souk.cart.v1.CartService", "GetCart" => Fakes::cart);
fake!(/// Rates.
    Shipping, "souk.shipping.v1.ShippingService", "QuoteRates" => Fakes::rates);
fake!(/// Profiles.
    User, "souk.user.v1.UserService", "GetProfile" => Fakes::get_profile, "FindProfile" => Fakes::find_profile);
