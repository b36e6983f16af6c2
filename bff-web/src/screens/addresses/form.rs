//! The form of an address: what a person fills in, and how it becomes an entry of the book.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::checkout::form::{CheckoutForm, FieldError};
use super::{BookAddressInput, BookAddressView};
use crate::view::{AddressInput, AddressView};

/// The form of an address.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AddressForm {
    pub label: String,
    pub recipient: String,
    pub line1: String,
    pub line2: String,
    pub line3: String,
    pub line4: String,
    pub city: String,
    pub region: String,
    pub postal_code: String,
    pub country: String,
    pub phone: String,
    pub default_shipping: String,
    pub default_billing: String,
    pub version: i64,
    pub key: String,
}

impl AddressForm {
    pub fn input(&self) -> BookAddressInput {
        let lines = [&self.line1, &self.line2, &self.line3, &self.line4];
        let lines = lines.into_iter().map(|line| line.trim().to_owned());
        BookAddressInput {
            label: self.label.trim().to_owned(),
            address: AddressInput {
                recipient: self.recipient.clone(),
                lines: lines.filter(|line| !line.is_empty()).collect(),
                city: self.city.clone(),
                region: self.region.clone(),
                postal_code: self.postal_code.clone(),
                country_code: self.country.clone(),
                phone: self.phone.clone(),
            },
            default_shipping: !self.default_shipping.is_empty(),
            default_billing: !self.default_billing.is_empty(),
        }
    }

    pub fn of(address: BookAddressView) -> Self {
        let mut lines = CheckoutForm::default();
        lines.fill(address.address);
        Self {
            label: address.label,
            recipient: lines.recipient,
            line1: lines.line1,
            line2: lines.line2,
            line3: lines.line3,
            line4: lines.line4,
            city: lines.city,
            region: lines.region,
            postal_code: lines.postal_code,
            country: lines.country,
            phone: lines.phone,
            default_shipping: if address.default_shipping { "on".to_owned() } else { String::new() },
            default_billing: if address.default_billing { "on".to_owned() } else { String::new() },
            version: address.version,
            ..Self::default()
        }
    }

    /// The address as it stands on a parcel, a line each.
    pub fn parcel(&self) -> Vec<String> {
        AddressView::from(contract::souk::r#type::v1::Address::from(self.input().address)).parcel()
    }

    pub fn has_more_lines(&self) -> bool {
        !self.line3.is_empty() || !self.line4.is_empty()
    }

    /// What is missing, as at checkout.
    pub fn check(&self) -> Vec<FieldError> {
        let form = CheckoutForm {
            email: "nobody@example.com".to_owned(),
            recipient: self.recipient.clone(),
            line1: self.line1.clone(),
            line2: self.line2.clone(),
            line3: self.line3.clone(),
            line4: self.line4.clone(),
            city: self.city.clone(),
            region: self.region.clone(),
            postal_code: self.postal_code.clone(),
            country: self.country.clone(),
            ..CheckoutForm::default()
        };
        form.check()
    }
}
