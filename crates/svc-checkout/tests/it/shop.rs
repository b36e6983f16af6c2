//! Checkout among fakes, and requests that are good until a test spoils them.

use chassis::testing::{Harness, customer, staff};
use contract::souk::checkout::v1::checkout_service_client::CheckoutServiceClient;
use contract::souk::checkout::v1::*;
use contract::souk::r#type::v1::{Address, UnitPrice};
use kernel::{Code, Error};
use mesh::{Channel, Principal};

use crate::fakes::{self, Fakes};

/// A field, and what makes it wrong.
pub type Case<T> = (&'static str, fn(&mut T));
pub type Client = CheckoutServiceClient<Channel>;

pub struct Shop {
    pub harness: Harness,
    pub fakes: Fakes,
}

impl Shop {
    pub async fn open() -> Self {
        let fakes = Fakes::new();
        let harness = Harness::builder(&svc_checkout::SERVICE, 7)
            .fake("product", fakes::Product(fakes.clone()))
            .fake("inventory", fakes::Inventory(fakes.clone()))
            .fake("cart", fakes::Cart(fakes.clone()))
            .fake("shipping", fakes::Shipping(fakes.clone()))
            .fake("user", fakes::User(fakes.clone()))
            .start()
            .await
            .expect("starts");
        Self { harness, fakes }
    }

    pub fn client(&self, principal: Principal) -> Client {
        self.harness.client(CheckoutServiceClient::new, principal)
    }

    pub fn shopper(&self) -> Client {
        self.client(customer(1))
    }

    pub fn clerk(&self) -> Client {
        self.client(clerk())
    }

    /// Order, on a shopper's behalf.
    pub fn order(&self) -> Client {
        self.harness.client_as_role("order", CheckoutServiceClient::new, customer(1))
    }
}

pub fn clerk() -> Principal {
    staff(9, &["checkout.override", "checkout.write", "users.read"])
}

pub fn london() -> Option<Address> {
    Some(Address {
        recipient: "Ada Lovelace".into(),
        lines: vec!["12 St James's Square".into()],
        city: "London".into(),
        postal_code: "SW1Y 4JH".into(),
        country_code: "GB".into(),
        ..Default::default()
    })
}

pub fn from_cart() -> CreateQuoteRequest {
    CreateQuoteRequest { currency_code: "GBP".into(), destination: london(), ..Default::default() }
}

pub fn line(sku: &str, quantity: i64) -> DraftLine {
    DraftLine { sku: sku.into(), quantity, ..Default::default() }
}

pub fn priced(sku: &str, quantity: i64, micros: i64) -> DraftLine {
    DraftLine {
        unit_price: Some(UnitPrice { currency_code: "GBP".into(), micros }),
        override_reason: "price on the invoice".into(),
        ..line(sku, quantity)
    }
}

/// A draft for a country, with free delivery and 20 % included.
pub fn draft(country: &str, lines: Vec<DraftLine>) -> CreateQuoteRequest {
    CreateQuoteRequest {
        currency_code: "GBP".into(),
        destination: Some(Address { country_code: country.into(), ..Default::default() }),
        draft: Some(StaffDraft {
            lines,
            customer: None,
            terms: Some(StaffTerms {
                tax_mode: TaxMode::Inclusive.into(),
                tax_rate_micros: Some(200_000),
                delivery_charge: DeliveryCharge::Free.into(),
                reason: "as invoiced".into(),
            }),
        }),
        ..Default::default()
    }
}

pub async fn quote(client: &mut Client, request: CreateQuoteRequest) -> Quote {
    client.create_quote(request).await.expect("a quote").into_inner().quote.expect("a quote")
}

pub async fn refused(client: &mut Client, request: CreateQuoteRequest) -> Error {
    contract::error(client.create_quote(request).await.map(|_| ()).expect_err("refused"))
}

pub fn fields(error: &Error) -> Vec<&str> {
    error.violations().iter().map(|violation| violation.field.as_str()).collect()
}

pub fn minor(money: &Option<contract::souk::r#type::v1::Money>) -> i64 {
    money.as_ref().expect("an amount").minor_units
}

pub fn assert_invalid(error: &Error, field: &str) {
    assert_eq!(error.code(), Code::InvalidArgument, "{error:?}");
    assert!(fields(error).contains(&field), "{field} is not named by {error:?}");
}
