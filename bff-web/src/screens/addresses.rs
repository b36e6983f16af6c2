//! The address book of an account.

mod delete;
mod form;

use std::sync::Arc;

use askama::Template;
use contract::souk::user::v1 as pb;
use edge::{Answer, Key, Need, Nothing, Route};
use http::{Method, StatusCode};
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::form::AddressForm;
use super::checkout::form::{FieldError, FieldErrors, told};
use super::{NoParams, api, page, shown};
use crate::frame::Frame;
use crate::said;
use crate::shop::{CATEGORIES, Shop, Visit};
use crate::view::{AddressInput, AddressView};

const BOOK: Need = Need::required("addresses", "/souk.user.v1.UserService/ListAddresses");
const BOOK_OPTIONAL: Need = Need::optional("addresses", "/souk.user.v1.UserService/ListAddresses");
const ADD: Need = Need::required("addresses", "/souk.user.v1.UserService/AddAddress");
const UPDATE: Need = Need::required("addresses", "/souk.user.v1.UserService/UpdateAddress");
const DELETE: Need = Need::required("addresses", "/souk.user.v1.UserService/DeleteAddress");

/// What a screen needs that shows the book where it is there.
pub const BOOK_IF_THERE: &Need = &BOOK_OPTIONAL;

/// An address in the book.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BookAddressView {
    /// `adr_…`.
    pub address_id: String,
    /// Rises with every change; an edit names it in `If-Match` as `"v…"`.
    pub version: i64,
    /// What its owner calls it; may be empty.
    pub label: String,
    /// The address.
    pub address: AddressView,
    /// Whether things are sent there unless another is chosen.
    pub default_shipping: bool,
    /// Whether it stands on invoices unless another is chosen.
    pub default_billing: bool,
}

impl BookAddressView {
    /// What tells it from the others: its name, or who receives it where.
    pub fn title(&self) -> String {
        if !self.label.is_empty() {
            return self.label.clone();
        }
        let AddressView { recipient, lines, city, .. } = &self.address;
        let parts = [recipient].into_iter().chain(lines.first()).chain([city]);
        parts.filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(", ")
    }

    /// What it is used for unless another is chosen, in words.
    pub fn uses(&self) -> &'static str {
        match (self.default_shipping, self.default_billing) {
            (true, true) => "Usual, and on invoices",
            (true, false) => "Usual",
            (false, true) => "On invoices",
            (false, false) => "",
        }
    }
}

/// The address book.
#[derive(Debug, Serialize, JsonSchema)]
struct BookView {
    /// In the order they were added, at most 50.
    addresses: Vec<BookAddressView>,
}

/// An address for the book.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BookAddressInput {
    /// What its owner calls it, at most 100 characters.
    #[serde(default)]
    #[schemars(length(max = 100), extend("pattern" = said::LINE_OR_NONE))]
    label: String,
    /// The address.
    address: AddressInput,
    /// Whether things are sent there unless another is chosen.
    #[serde(default)]
    default_shipping: bool,
    /// Whether it stands on invoices unless another is chosen.
    #[serde(default)]
    default_billing: bool,
}

/// Which address.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// `adr_…`.
    #[schemars(extend("pattern" = said::id("adr")))]
    address_id: String,
}

#[derive(Template)]
#[template(path = "screens/address.html")]
struct AddressPage {
    frame: Frame,
    form: AddressForm,
    address_id: String,
    errors: FieldErrors,
    countries: Vec<(&'static str, &'static str)>,
    message: String,
}

/// Its routes.
pub fn routes(shop: &Arc<Shop>) -> Vec<Route> {
    vec![
        page(shop, Method::GET, "/account/addresses/new", new_page).needs(&[&CATEGORIES]),
        page(shop, Method::POST, "/account/addresses/new", new_form).needs(&[&ADD, &CATEGORIES]),
        page(shop, Method::GET, "/account/addresses/{address_id}", edit_page).needs(&[&BOOK, &CATEGORIES]),
        page(shop, Method::POST, "/account/addresses/{address_id}", edit_form).needs(&[
            &BOOK,
            &UPDATE,
            &CATEGORIES,
        ]),
        page(shop, Method::GET, "/account/addresses/{address_id}/delete", delete::ask_page)
            .needs(&[&BOOK, &CATEGORIES]),
        page(shop, Method::POST, "/account/addresses/{address_id}/delete", delete::form).needs(&[
            &BOOK,
            &DELETE,
            &CATEGORIES,
        ]),
        api(shop, Method::GET, "/api/v1/addresses", list_json)
            .named("listAddresses", "The address book")
            .answers::<BookView>()
            .problems(&[401])
            .needs(&[&BOOK]),
        api(shop, Method::POST, "/api/v1/addresses", add_json)
            .named("addAddress", "Add an address; the first one becomes the default")
            .answers::<BookAddressView>()
            .status(201)
            .keyed(Key::Optional)
            .problems(&[401])
            .needs(&[&ADD]),
        api(shop, Method::PUT, "/api/v1/addresses/{address_id}", update_json)
            .named("updateAddress", "Replace an address")
            .answers::<BookAddressView>()
            .if_match()
            .keyed(Key::Optional)
            .problems(&[401])
            .needs(&[&UPDATE]),
        api(shop, Method::DELETE, "/api/v1/addresses/{address_id}", delete_json)
            .named("deleteAddress", "Take an address out of the book")
            .status(204)
            .if_match()
            .keyed(Key::Optional)
            .problems(&[401])
            .needs(&[&DELETE]),
    ]
}

fn view(address: pb::BookAddress) -> BookAddressView {
    BookAddressView {
        default_shipping: address.default_for.contains(&i32::from(pb::AddressUse::Shipping)),
        default_billing: address.default_for.contains(&i32::from(pb::AddressUse::Billing)),
        address_id: address.address_id,
        version: address.version,
        label: address.label,
        address: address.address.map(AddressView::from).unwrap_or_default(),
    }
}

fn uses(wanted: &BookAddressInput) -> Vec<i32> {
    let shipping = wanted.default_shipping.then_some(pb::AddressUse::Shipping);
    let billing = wanted.default_billing.then_some(pb::AddressUse::Billing);
    shipping.into_iter().chain(billing).map(i32::from).collect()
}

async fn book(visit: &Visit) -> Result<Vec<BookAddressView>> {
    visit.needs_account()?;
    let request = visit.request(pb::ListAddressesRequest::default());
    let answer = visit.need(&BOOK, visit.shop.users.clone().list_addresses(request)).await;
    match answer {
        Ok(answer) => Ok(answer.addresses.into_iter().map(view).collect()),
        // Nobody asked for this profile before: its book is empty.
        Err(error) if error.reason() == "PROFILE_NOT_FOUND" => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The book, for a screen that can do without it.
pub async fn if_there(visit: &Visit) -> Option<Vec<BookAddressView>> {
    let request = visit.request(pb::ListAddressesRequest::default());
    let answer = visit.may(&BOOK_OPTIONAL, visit.shop.users.clone().list_addresses(request)).await?;
    Some(answer.addresses.into_iter().map(view).collect())
}

async fn list_json(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    Answer::json(&BookView { addresses: book(&visit).await? })
}

async fn add(visit: &Visit, key: String, wanted: BookAddressInput) -> Result<BookAddressView> {
    visit.needs_account()?;
    let request = pb::AddAddressRequest {
        request_id: key,
        profile_id: String::new(),
        default_for: uses(&wanted),
        label: wanted.label,
        address: Some(wanted.address.into()),
    };
    let answer = visit.need(&ADD, visit.shop.users.clone().add_address(visit.request(request))).await?;
    kept(visit, answer.address, answer.profile_version)
}

fn kept(visit: &Visit, address: Option<pb::BookAddress>, profile_version: i64) -> Result<BookAddressView> {
    visit.saw(&visit.principal().subject(), profile_version);
    address.map(view).ok_or_else(|| Error::internal("an answer without an address"))
}

async fn add_json(visit: Visit, _: NoParams, body: BookAddressInput) -> Result<Answer> {
    visit.needs_account()?;
    body.address.check("/address")?;
    let address = add(&visit, visit.key()?, body).await?;
    let version = address.version;
    Ok(Answer::json(&address)?.with_status(StatusCode::CREATED).at_version(version))
}

async fn update(
    visit: &Visit,
    address_id: String,
    version: i64,
    wanted: BookAddressInput,
) -> Result<BookAddressView> {
    visit.needs_account()?;
    let request = pb::UpdateAddressRequest {
        request_id: visit.key()?,
        profile_id: String::new(),
        address_id,
        version,
        default_for: uses(&wanted),
        label: wanted.label,
        address: Some(wanted.address.into()),
    };
    let answer = visit.need(&UPDATE, visit.shop.users.clone().update_address(visit.request(request))).await?;
    kept(visit, answer.address, answer.profile_version)
}

async fn update_json(visit: Visit, which: Which, body: BookAddressInput) -> Result<Answer> {
    visit.needs_account()?;
    body.address.check("/address")?;
    let address = update(&visit, which.address_id, visit.if_match()?, body).await?;
    let version = address.version;
    Ok(Answer::json(&address)?.at_version(version))
}

async fn delete(visit: &Visit, address_id: String, version: i64) -> Result<()> {
    visit.needs_account()?;
    let request =
        pb::DeleteAddressRequest { request_id: visit.key()?, profile_id: String::new(), address_id, version };
    let answer = visit.need(&DELETE, visit.shop.users.clone().delete_address(visit.request(request))).await?;
    visit.saw(&visit.principal().subject(), answer.profile_version);
    Ok(())
}

async fn delete_json(visit: Visit, which: Which, _: Nothing) -> Result<Answer> {
    delete(&visit, which.address_id, visit.if_match()?).await?;
    Ok(Answer::done())
}

async fn form_page(
    visit: &Visit,
    mut form: AddressForm,
    address_id: String,
    errors: Vec<FieldError>,
    message: &str,
) -> Result<Answer> {
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let title = if address_id.is_empty() { "New address" } else { "Edit address" };
    form.key = visit.new_key();
    let page = AddressPage {
        frame: Frame::of(visit, title).await,
        form,
        address_id,
        errors: errors.into(),
        countries: kernel::country::by_name(),
        message: message.to_owned(),
    };
    Ok(shown(&page)?.with_status(status))
}

async fn new_page(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    visit.needs_account()?;
    let form = AddressForm { country: "GB".to_owned(), ..AddressForm::default() };
    form_page(&visit, form, String::new(), Vec::new(), "").await
}

async fn new_form(visit: Visit, _: NoParams, form: AddressForm) -> Result<Answer> {
    visit.needs_account()?;
    let errors = form.check();
    if !errors.is_empty() {
        return form_page(&visit, form, String::new(), errors, "").await;
    }
    let key = if form.key.is_empty() { visit.new_key() } else { edge::checked_key(&form.key)?.to_owned() };
    match add(&visit, key, form.input()).await {
        Ok(_) => Answer::see("/account"),
        Err(error) => not_saved(&visit, form, String::new(), error).await,
    }
}

/// The form again, with what a service says is wrong about it.
async fn not_saved(visit: &Visit, form: AddressForm, address_id: String, error: Error) -> Result<Answer> {
    if error.reason() == "TOO_MANY_ADDRESSES" {
        let words = "Your book is full. Take an address out first.";
        return form_page(visit, form, address_id, vec![FieldError::new("recipient", words)], "").await;
    }
    if error.reason() == "IDEMPOTENCY_KEY_REUSED" {
        let message = "You have saved this form before. Save again to add this as another address.";
        let page = form_page(visit, form, address_id, Vec::new(), message).await?;
        return Ok(page.with_status(StatusCode::UNPROCESSABLE_ENTITY));
    }
    if let Some(label) = error.violations().iter().find(|violation| violation.field == "/label") {
        let errors = vec![FieldError::clause("label", &label.description)];
        return form_page(visit, form, address_id, errors, "").await;
    }
    let moved = Error::invalid(error.reason().to_owned(), error.message().to_owned());
    let moved = error.violations().iter().fold(moved, |moved, violation| {
        let field = violation.field.replacen("/address", "/destination", 1);
        moved.with_field(field, violation.description.clone())
    });
    match told(&moved) {
        Some(errors) => form_page(visit, form, address_id, errors, "").await,
        None => Err(error),
    }
}

async fn edit_page(visit: Visit, which: Which, _: Nothing) -> Result<Answer> {
    let found = find(&visit, &which.address_id).await?;
    form_page(&visit, AddressForm::of(found), which.address_id, Vec::new(), "").await
}

async fn find(visit: &Visit, address_id: &str) -> Result<BookAddressView> {
    let found = book(visit).await?.into_iter().find(|address| address.address_id == address_id);
    found.ok_or_else(|| Error::not_found("ADDRESS_NOT_FOUND", "there is no such address"))
}

async fn edit_form(visit: Visit, which: Which, form: AddressForm) -> Result<Answer> {
    visit.needs_account()?;
    let address_id = which.address_id;
    let errors = form.check();
    if !errors.is_empty() {
        return form_page(&visit, form, address_id, errors, "").await;
    }
    match update(&visit, address_id.clone(), form.version, form.input()).await {
        Ok(_) => Answer::see("/account"),
        Err(error) if error.reason() == "VERSION_CONFLICT" => changed_page(&visit, address_id).await,
        Err(error) => not_saved(&visit, form, address_id, error).await,
    }
}

/// The form as the address is now, after it changed while its owner looked at it.
async fn changed_page(visit: &Visit, address_id: String) -> Result<Answer> {
    let found = find(visit, &address_id).await?;
    let message = "This address changed in another window. This is how it is now.";
    let page = form_page(visit, AddressForm::of(found), address_id, Vec::new(), message).await?;
    Ok(page.with_status(StatusCode::CONFLICT))
}
