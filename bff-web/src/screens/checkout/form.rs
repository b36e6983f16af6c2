//! The checkout form: what a person fills in, and what is wrong about it in their words.

use std::ops::Deref;

use contract::souk::r#type::v1::Address;
use kernel::{Email, Error, country, postal};
use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::view::AddressView;
use crate::words::sentence;

/// The form. Every field may be missing: what is required is said beside the field.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CheckoutForm {
    pub email: String,
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
    /// The way of delivery; empty: the cheapest.
    pub method: String,
    pub payment_method: String,
    /// The signed quote.
    pub quote_token: String,
    /// The digest of what it was made for.
    pub quoted: String,
    /// The idempotency key of paying.
    pub key: String,
}

/// Something wrong with a field.
#[derive(Clone, Debug)]
pub struct FieldError {
    pub field: &'static str,
    pub words: String,
}

impl FieldError {
    pub fn new(field: &'static str, words: &str) -> Self {
        Self { field, words: words.to_owned() }
    }

    /// What a service says of a field: a clause that follows the field's name.
    pub fn clause(field: &'static str, clause: &str) -> Self {
        Self { field, words: format!("This {}.", clause.trim_end_matches('.')) }
    }
}

/// What is wrong with a form, for its page.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl From<Vec<FieldError>> for FieldErrors {
    fn from(errors: Vec<FieldError>) -> Self {
        Self(errors)
    }
}

impl Deref for FieldErrors {
    type Target = [FieldError];
    fn deref(&self) -> &[FieldError] {
        &self.0
    }
}

impl FieldErrors {
    /// Whether something is wrong with a field.
    pub fn wrong(&self, field: &str) -> bool {
        self.0.iter().any(|error| error.field == field)
    }

    /// What is said beside a field; empty when nothing is wrong with it.
    pub fn told(&self, field: &str) -> &str {
        self.0.iter().find(|error| error.field == field).map_or("", |error| &error.words)
    }
}

impl CheckoutForm {
    /// Takes over an address from the address book.
    pub fn fill(&mut self, address: AddressView) {
        let mut lines = address.lines.into_iter();
        self.recipient = address.recipient;
        self.line1 = lines.next().unwrap_or_default();
        self.line2 = lines.next().unwrap_or_default();
        self.line3 = lines.next().unwrap_or_default();
        self.line4 = lines.next().unwrap_or_default();
        self.city = address.city;
        self.region = address.region;
        self.postal_code = address.postal_code;
        self.country = address.country_code;
        self.phone = address.phone;
    }

    /// The address.
    pub fn address(&self) -> Address {
        let lines = self.lines().into_iter().map(|line| line.trim().to_owned());
        Address {
            recipient: self.recipient.trim().to_owned(),
            lines: lines.filter(|line| !line.is_empty()).collect(),
            city: self.city.trim().to_owned(),
            region: self.region.trim().to_owned(),
            postal_code: self.postal_code.trim().to_owned(),
            country_code: self.country.clone(),
            phone: self.phone.trim().to_owned(),
        }
    }

    /// The street lines, as many as an address may have.
    fn lines(&self) -> [&String; 4] {
        [&self.line1, &self.line2, &self.line3, &self.line4]
    }

    /// Whether there is something in the lines that few people need.
    pub fn has_more_lines(&self) -> bool {
        !self.line3.is_empty() || !self.line4.is_empty()
    }

    /// Whether nothing that is required is missing.
    pub fn is_whole(&self) -> bool {
        self.check().is_empty()
    }

    /// What is missing or plainly wrong; the services say the rest.
    pub fn check(&self) -> Vec<FieldError> {
        let mut errors = Vec::new();
        let mut require = |good: bool, field, words| {
            if !good {
                errors.push(FieldError::new(field, words));
            }
        };
        let email = self.email.trim();
        require(!email.is_empty(), "email", "Give an e-mail address for the confirmation.");
        require(
            email.is_empty() || Email::parse("/email", email).is_ok(),
            "email",
            "This is not a whole e-mail address.",
        );
        require(!self.recipient.trim().is_empty(), "recipient", "Say who receives it.");
        require(!self.line1.trim().is_empty(), "line1", "Give street and number.");
        require(!self.city.trim().is_empty(), "city", "Give the town.");
        require(country::name(&self.country).is_some(), "country", "Choose a country.");
        errors.extend(self.check_by_country());
        errors
    }

    /// What the country asks for: the region and the postal code.
    fn check_by_country(&self) -> Vec<FieldError> {
        let Some(format) = postal::address_format(&self.country) else { return Vec::new() };
        let mut errors = Vec::new();
        if format.check_region(&self.region).is_err() {
            errors.push(FieldError::new("region", &format!("Give the {}.", format.region_name)));
        }
        if let Err(wrong) = format.check_postal_code(&self.postal_code) {
            let words = if self.postal_code.trim().is_empty() {
                format!("Give the postcode. One looks like {}.", format.example)
            } else {
                // The field is called so on the page.
                format!("This {}.", wrong.replace("postal code", "postcode"))
            };
            errors.push(FieldError::new("postal_code", &words));
        }
        errors
    }

    /// What a quote depends on: another address or way of delivery needs another quote.
    pub fn digest(&self) -> String {
        let parts = [
            self.email.trim(),
            self.recipient.trim(),
            self.line1.trim(),
            self.line2.trim(),
            self.line3.trim(),
            self.line4.trim(),
            self.city.trim(),
            self.region.trim(),
            self.postal_code.trim(),
            &self.country,
            self.phone.trim(),
            &self.method,
        ];
        let digest = Sha256::digest(parts.join("\u{1f}"));
        digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

/// The field of the form that a field of a quote is.
const FIELDS: &[(&str, &str)] = &[
    ("/destination/recipient", "recipient"),
    ("/destination/lines/0", "line1"),
    ("/destination/lines/1", "line2"),
    ("/destination/lines/2", "line3"),
    ("/destination/lines/3", "line4"),
    ("/destination/lines", "line1"),
    ("/destination/city", "city"),
    ("/destination/region", "region"),
    ("/destination/postal_code", "postal_code"),
    ("/destination/country_code", "country"),
    ("/destination/phone", "phone"),
    ("/contact_email", "email"),
];

/// What a person can mend about an error; `None` for one that is not theirs.
pub fn told(error: &Error) -> Option<Vec<FieldError>> {
    match error.reason() {
        "SKU_NOT_FOR_SALE" | "PRICE_NOT_FOUND" | "SKU_NOT_FOUND" => {
            let words = "Something in your cart cannot be bought any more. Take it out to go on.";
            return Some(vec![FieldError::new("cart", words)]);
        }
        _ => {}
    }
    let field =
        |pointer: &str| FIELDS.iter().find(|(theirs, _)| pointer.starts_with(theirs)).map(|(_, ours)| *ours);
    let violations = error.violations().iter();
    let errors: Option<Vec<FieldError>> = violations
        .map(|violation| {
            field(&violation.field).map(|field| FieldError::clause(field, &violation.description))
        })
        .collect();
    errors.filter(|errors| !errors.is_empty())
}

/// What a person is told of an order that was not placed: why, and that nothing was charged.
pub fn happened(error: &Error) -> String {
    let why = match error.reason() {
        "PAYMENT_DECLINED" => sentence(error.message()),
        "CARD_NUMBER_REFUSED" => "Never type a card number here.".to_owned(),
        "INVALID_TENDERS" if error.violations().iter().any(|wrong| wrong.field.starts_with("/tenders/0")) => {
            "We do not know that way to pay.".to_owned()
        }
        "INVALID_TENDERS" => "It was not said how to pay.".to_owned(),
        "QUOTE_EXPIRED" => "The prices were held for 15 minutes, and that time is over.".to_owned(),
        _ => return "We could not place this order, and nothing was charged.".to_owned(),
    };
    format!("{why} Nothing was charged.")
}

/// What to do about a way to pay that was not taken.
pub fn other_method(error: &Error) -> &'static str {
    match error.reason() {
        "CARD_NUMBER_REFUSED" => "Choose one of the cards below.",
        "INVALID_TENDERS" => "Choose how to pay.",
        _ => "Choose another card.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> CheckoutForm {
        CheckoutForm {
            email: "ada@example.com".into(),
            recipient: "Ada".into(),
            line1: "1 High Street".into(),
            city: "London".into(),
            postal_code: "SW1Y 4JH".into(),
            country: "GB".into(),
            ..CheckoutForm::default()
        }
    }

    #[test]
    fn what_is_missing_is_said_beside_its_field() {
        assert!(whole().is_whole());
        let fields: Vec<_> = CheckoutForm::default().check().iter().map(|error| error.field).collect();
        assert_eq!(fields, ["email", "recipient", "line1", "city", "country"]);
        for email in ["ada", "ada@", "@b.c", "a b@c.de", "a@b.", "a@b@c.de", "ada@b..c", "a@b.de,c@d.de"] {
            let form = CheckoutForm { email: email.into(), ..whole() };
            assert_eq!(form.check()[0].field, "email", "{email}");
        }
    }

    #[test]
    fn an_address_of_four_lines_stays_one() {
        let lines = ["Flat 3", "The Old Mill", "12 Mill Lane", "Lower End"].map(String::from).to_vec();
        let mut form = whole();
        form.fill(AddressView { lines: lines.clone(), ..AddressView::default() });
        assert_eq!(form.address().lines, lines);
        assert!(form.has_more_lines());
        let other = CheckoutForm { line4: "Upper End".into(), ..form.clone() };
        assert_ne!(other.digest(), form.digest());
    }

    #[test]
    fn what_a_country_asks_for_is_said_beside_its_field() {
        let fields = |country: &str, region: &str, postal_code: &str| {
            let form = CheckoutForm {
                country: country.into(),
                region: region.into(),
                postal_code: postal_code.into(),
                ..whole()
            };
            form.check().into_iter().map(|error| error.field).collect::<Vec<_>>()
        };
        assert_eq!(fields("GB", "", ""), ["postal_code"]);
        assert_eq!(fields("GB", "", "12345"), ["postal_code"]);
        assert_eq!(fields("US", "", "95014"), ["region"]);
        assert_eq!(fields("US", "CA", "95014"), [""; 0]);
        assert_eq!(fields("IE", "", ""), [""; 0]);
        assert_eq!(fields("AG", "", ""), [""; 0]);
        let form = CheckoutForm { postal_code: String::new(), ..whole() };
        assert_eq!(form.check()[0].words, "Give the postcode. One looks like EC1Y 8SY.");
    }

    #[test]
    fn another_address_is_another_quote() {
        let moved = CheckoutForm { postal_code: "E1".into(), ..whole() };
        assert_ne!(moved.digest(), whole().digest());
        let paid = CheckoutForm { payment_method: "pm".into(), key: "k".into(), ..whole() };
        assert_eq!(paid.digest(), whole().digest());
        let shifted = CheckoutForm { line1: "1 High".into(), line2: "Street".into(), ..whole() };
        assert_ne!(shifted.digest(), whole().digest());
    }

    #[test]
    fn a_services_error_stands_beside_the_forms_field() {
        let error = Error::field("/destination/postal_code", "INVALID_ARGUMENT", "is too long");
        let told = told(&error).expect("theirs");
        assert_eq!((told[0].field, told[0].words.as_str()), ("postal_code", "This is too long."));
        assert!(super::told(&Error::field("/draft", "INVALID_ARGUMENT", "x")).is_none());
    }
}
