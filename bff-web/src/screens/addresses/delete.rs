//! Taking an address out of the book: there is no way back, so it asks first.

use askama::Template;
use edge::{Answer, Nothing};
use kernel::Result;
use schemars::JsonSchema;
use serde::Deserialize;

use super::form::AddressForm;
use super::{Which, changed_page, delete, find};
use crate::frame::Frame;
use crate::screens::shown;
use crate::shop::Visit;

/// The form that deletes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct DeleteForm {
    version: i64,
}

#[derive(Template)]
#[template(path = "screens/delete_address.html")]
struct DeletePage {
    frame: Frame,
    form: AddressForm,
    address_id: String,
}

/// Asks before it is done, for browsers without JavaScript; with it, a dialog asks the same.
pub(super) async fn ask_page(visit: Visit, which: Which, _: Nothing) -> Result<Answer> {
    let form = AddressForm::of(find(&visit, &which.address_id).await?);
    let frame = Frame::of(&visit, "Delete this address?").await;
    shown(&DeletePage { frame, form, address_id: which.address_id })
}

pub(super) async fn form(visit: Visit, which: Which, form: DeleteForm) -> Result<Answer> {
    visit.needs_account()?;
    match delete(&visit, which.address_id.clone(), form.version).await {
        Ok(()) => Answer::see("/account"),
        // It is gone already: that is what was wanted.
        Err(error) if error.reason() == "ADDRESS_NOT_FOUND" => Answer::see("/account"),
        Err(error) if error.reason() == "VERSION_CONFLICT" => changed_page(&visit, which.address_id).await,
        Err(error) => Err(error),
    }
}
