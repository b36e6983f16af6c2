//! What the shop knows of who has an account: what to call them, where to write to, language and country.

use contract::souk::user::v1 as pb;
use edge::{Answer, Need, Nothing};
use http::StatusCode;
use kernel::country::UNKNOWN;
use kernel::{Error, FieldViolation, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::checkout::form::FieldError;
use super::{Feedback, account_page};
use crate::said;
use crate::screens::NoParams;
use crate::shop::Visit;

const GET: Need = Need::required("profile", "/souk.user.v1.UserService/GetProfile");
const GET_OPTIONAL: Need = Need::optional("profile", "/souk.user.v1.UserService/GetProfile");
const SET: Need = Need::required("profile", "/souk.user.v1.UserService/UpdateProfile");

/// What reading it needs.
pub(super) const READ: &Need = &GET;
/// What a screen needs that shows it where it is there.
pub(super) const IF_THERE: &Need = &GET_OPTIONAL;
/// What changing it needs.
pub(super) const UPDATE: &Need = &SET;

/// The profile of this account.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct ProfileView {
    /// Rises with every change, of addresses too; an edit names it in `If-Match` as `"v…"`.
    version: i64,
    /// What to call its owner; may be empty.
    name: String,
    /// Where to write to, which is not where it signs in; may be empty.
    email: String,
    /// Language as a BCP 47 tag; may be empty.
    locale: String,
    /// ISO 3166-1 alpha-2; empty when it is not known.
    country_code: String,
}

/// A profile as it shall be; what is left out becomes empty.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(super) struct ProfileInput {
    /// What to call its owner, at most 200 characters.
    #[schemars(length(max = 200), extend("pattern" = said::LINE_OR_NONE))]
    name: String,
    /// Where to write to, at most 254 bytes.
    #[schemars(length(max = 254), extend("anyOf" = [{ "type": "string", "maxLength": 0 }, { "type": "string", "format": "email" }]))]
    email: String,
    /// Language as a BCP 47 tag, at most 35 characters.
    #[schemars(length(max = 35), extend("pattern" = said::LANGUAGE_OR_NONE))]
    locale: String,
    /// ISO 3166-1 alpha-2 in capitals.
    #[schemars(extend("enum" = said::countries_or_none()))]
    country_code: String,
}

/// The form of a profile.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ProfileForm {
    pub version: i64,
    pub name: String,
    pub contact_email: String,
    pub locale: String,
    pub country: String,
}

impl From<ProfileView> for ProfileForm {
    fn from(profile: ProfileView) -> Self {
        Self {
            version: profile.version,
            name: profile.name,
            contact_email: profile.email,
            locale: profile.locale,
            country: profile.country_code,
        }
    }
}

fn view(profile: Option<pb::Profile>) -> Result<ProfileView> {
    let profile = profile.ok_or_else(|| Error::internal("an answer without a profile"))?;
    let is_known = profile.country_code != UNKNOWN;
    Ok(ProfileView {
        version: profile.version,
        name: profile.name,
        email: profile.email,
        locale: profile.locale,
        country_code: if is_known { profile.country_code } else { String::new() },
    })
}

/// The profile, for a screen that can do without it.
pub(super) async fn if_there(visit: &Visit) -> Option<ProfileView> {
    let request = visit.request(pb::GetProfileRequest::default());
    let answer = visit.may(&GET_OPTIONAL, visit.shop.users.clone().get_profile(request)).await?;
    view(answer.profile).ok()
}

pub(super) async fn show_json(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    visit.needs_account()?;
    let request = visit.request(pb::GetProfileRequest::default());
    let answer = visit.need(&GET, visit.shop.users.clone().get_profile(request)).await?;
    let profile = view(answer.profile)?;
    Ok(Answer::json(&profile)?.at_version(profile.version))
}

async fn update(visit: &Visit, version: i64, wanted: ProfileInput) -> Result<ProfileView> {
    visit.needs_account()?;
    if wanted.country_code == UNKNOWN {
        let what = "is not an ISO 3166-1 country code in capitals";
        return Err(Error::field("/country_code", "INVALID_COUNTRY", what));
    }
    let request = pb::UpdateProfileRequest {
        request_id: visit.key()?,
        profile_id: String::new(),
        version,
        name: wanted.name,
        email: wanted.email,
        locale: wanted.locale,
        country_code: wanted.country_code,
    };
    let answer = visit.need(&SET, visit.shop.users.clone().update_profile(visit.request(request))).await?;
    let profile = view(answer.profile)?;
    visit.saw(&visit.principal().subject(), profile.version);
    Ok(profile)
}

pub(super) async fn update_json(visit: Visit, _: NoParams, wanted: ProfileInput) -> Result<Answer> {
    visit.needs_account()?;
    let profile = update(&visit, visit.if_match()?, wanted).await?;
    Ok(Answer::json(&profile)?.at_version(profile.version))
}

pub(super) async fn form(visit: Visit, _: NoParams, form: ProfileForm) -> Result<Answer> {
    let wanted = ProfileInput {
        name: form.name.clone(),
        email: form.contact_email.trim().to_owned(),
        locale: form.locale.trim().to_owned(),
        country_code: form.country.clone(),
    };
    let feedback = match update(&visit, form.version, wanted).await {
        Ok(_) => Feedback { message: "It is saved.", ..Feedback::default() },
        Err(error) if error.reason() == "VERSION_CONFLICT" => Feedback {
            message: "Your profile changed in another window. This is how it is now.",
            status: StatusCode::CONFLICT,
            ..Feedback::default()
        },
        Err(error) => Feedback {
            errors: wrong(&error).ok_or(error)?,
            profile: Some(form),
            status: StatusCode::UNPROCESSABLE_ENTITY,
            ..Feedback::default()
        },
    };
    account_page(&visit, feedback).await
}

/// What a person can mend about an error, beside the form's fields; `None` for one that is not theirs.
fn wrong(error: &Error) -> Option<Vec<FieldError>> {
    let told = |wrong: &FieldViolation| match wrong.field.as_str() {
        "/name" => Some(FieldError::clause("name", &wrong.description)),
        "/email" => Some(FieldError::clause("contact_email", &wrong.description)),
        // The standards' names say nothing to a person.
        "/locale" if wrong.description.contains("BCP 47") => {
            Some(FieldError::new("locale", "This is not a language tag. One looks like en-GB."))
        }
        "/locale" => Some(FieldError::clause("locale", &wrong.description)),
        "/country_code" => Some(FieldError::new("country", "Choose a country from the list.")),
        _ => None,
    };
    let errors: Option<Vec<FieldError>> = error.violations().iter().map(told).collect();
    errors.filter(|errors| !errors.is_empty())
}
