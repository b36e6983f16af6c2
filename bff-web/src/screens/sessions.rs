//! Signing up, in and out.

use std::sync::Arc;

use askama::Template;
use contract::souk::cart::v1::MergeGuestCartRequest;
use contract::souk::identity::v1 as identity;
use edge::{Answer, Key, Need, Nothing, Route};
use http::{Method, StatusCode};
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checkout::form::{FieldError, FieldErrors};
use super::preferences::local;
use super::{NoParams, api, page, shown};
use crate::frame::Frame;
use crate::shop::{CATEGORIES, Shop, Visit};

const SIGN_UP: Need = Need::required("sign-up", "/souk.identity.v1.IdentityService/SignUp");
const SIGN_IN: Need = Need::required("sign-in", "/souk.identity.v1.IdentityService/SignIn");
const SIGN_OUT: Need = Need::required("sign-out", "/souk.identity.v1.IdentityService/SignOut");
const MERGE: Need = Need::optional("the cart from before", "/souk.cart.v1.CartService/MergeGuestCart");

/// Who has this session.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SessionView {
    /// What kind of session it is.
    pub kind: SessionKind,
    /// `cus_…` of an account, `gst_…` of a guest; empty without a session.
    pub subject: String,
}

/// Kinds of session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SessionKind {
    /// There is none.
    None,
    /// Of a guest.
    Guest,
    /// Of an account.
    Account,
}

/// An e-mail address and its password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// E-mail address, at most 254 bytes.
    #[schemars(length(min = 3, max = 254), extend("format" = "email"))]
    email: String,
    /// 1 to 256 characters.
    #[schemars(length(min = 1, max = 256))]
    password: String,
}

/// The e-mail address and the password of a new account.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NewCredentials {
    /// E-mail address, at most 254 bytes.
    #[schemars(length(min = 3, max = 254), extend("format" = "email"))]
    email: String,
    /// 8 to 256 characters.
    #[schemars(length(min = 8, max = 256))]
    password: String,
}

/// The forms for it: where to go afterwards, and the key of the form.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Form {
    email: String,
    password: String,
    #[serde(default)]
    back: String,
    #[serde(default)]
    key: String,
}

/// Where to go afterwards.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Then {
    #[serde(default)]
    back: String,
}

#[derive(Template)]
#[template(path = "screens/sign_in.html")]
struct SignPage {
    frame: Frame,
    up: bool,
    email: String,
    back: String,
    key: String,
    errors: FieldErrors,
    ended: bool,
}

/// Their routes.
pub fn routes(shop: &Arc<Shop>) -> Vec<Route> {
    vec![
        page(shop, Method::GET, "/sign-in", sign_in_page).needs(&[&CATEGORIES]),
        page(shop, Method::GET, "/sign-up", sign_up_page).needs(&[&CATEGORIES]),
        page(shop, Method::POST, "/sign-in", sign_in_form).needs(&[&SIGN_IN, &MERGE, &CATEGORIES]).signs_in(),
        page(shop, Method::POST, "/sign-up", sign_up_form).needs(&[&SIGN_UP, &MERGE, &CATEGORIES]).signs_in(),
        page(shop, Method::POST, "/sign-out", sign_out_form).needs(&[&SIGN_OUT]),
        api(shop, Method::GET, "/api/v1/session", current)
            .named("getSession", "Who has this session")
            .answers::<SessionView>(),
        api(shop, Method::POST, "/api/v1/session", sign_in)
            .named("signIn", "Sign in; a guest's cart is merged into the account's")
            .answers::<SessionView>()
            .status(201)
            .keyed(Key::Optional)
            .problems(&[401])
            .needs(&[&SIGN_IN, &MERGE])
            .signs_in(),
        api(shop, Method::DELETE, "/api/v1/session", sign_out)
            .named("signOut", "End this session")
            .status(204)
            .keyed(Key::Optional)
            .problems(&[401, 404])
            .needs(&[&SIGN_OUT]),
        api(shop, Method::POST, "/api/v1/session/guest", guest)
            .named("beginGuestSession", "Begin a guest session where there is none")
            .answers::<SessionView>()
            .status(201),
        api(shop, Method::POST, "/api/v1/accounts", sign_up)
            .named("signUp", "Make an account and sign it in; a guest's cart is merged into its own")
            .answers::<SessionView>()
            .status(201)
            .keyed(Key::Optional)
            .needs(&[&SIGN_UP, &MERGE])
            .signs_in(),
    ]
}

fn view(visit: &Visit) -> SessionView {
    let principal = visit.principal();
    let kind = if principal.account().is_some() {
        SessionKind::Account
    } else if principal.guest().is_some() {
        SessionKind::Guest
    } else {
        return SessionView { kind: SessionKind::None, subject: String::new() };
    };
    SessionView { kind, subject: principal.subject() }
}

async fn current(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    Answer::json(&view(&visit))
}

async fn guest(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    visit.needs_session().await?;
    Ok(Answer::json(&view(&visit))?.with_status(StatusCode::CREATED))
}

async fn sign_in(visit: Visit, _: NoParams, given: Credentials) -> Result<Answer> {
    enter(&visit, visit.key()?, &given, false).await?;
    Ok(Answer::json(&view(&visit))?.with_status(StatusCode::CREATED))
}

async fn sign_up(visit: Visit, _: NoParams, given: NewCredentials) -> Result<Answer> {
    let given = Credentials { email: given.email, password: given.password };
    enter(&visit, visit.key()?, &given, true).await?;
    Ok(Answer::json(&view(&visit))?.with_status(StatusCode::CREATED))
}

/// Signs in or up, and brings the guest's cart along.
async fn enter(visit: &Visit, key: String, given: &Credentials, up: bool) -> Result<()> {
    let guest_token = visit.principal().guest().and_then(|_| visit.access_token());
    let (email, password) = (given.email.clone(), given.password.clone());
    let device = visit.device();
    let mut identity = visit.shop.identity.clone();
    let tokens = if up {
        let request = identity::SignUpRequest { request_id: key.clone(), email, password, device };
        visit.need(&SIGN_UP, identity.sign_up(visit.request(request))).await?.tokens
    } else {
        let request = identity::SignInRequest { request_id: key.clone(), email, password, device };
        visit.need(&SIGN_IN, identity.sign_in(visit.request(request))).await?.tokens
    };
    visit.signs_in(tokens).await?;
    if let Some(guest_access_token) = guest_token {
        let request = MergeGuestCartRequest { request_id: format!("{key}-merge"), guest_access_token };
        let merged =
            visit.may(&MERGE, visit.shop.carts.clone().merge_guest_cart(visit.request(request))).await;
        if let Some(summary) = merged.and_then(|answer| answer.cart) {
            visit.saw(&summary.cart_id, summary.version);
        }
    }
    Ok(())
}

async fn sign_in_page(visit: Visit, then: Then, _: Nothing) -> Result<Answer> {
    form_page(&visit, false, String::new(), then.back, Vec::new()).await
}

async fn sign_up_page(visit: Visit, then: Then, _: Nothing) -> Result<Answer> {
    form_page(&visit, true, String::new(), then.back, Vec::new()).await
}

async fn form_page(
    visit: &Visit,
    up: bool,
    email: String,
    back: String,
    errors: Vec<FieldError>,
) -> Result<Answer> {
    let title = if up { "Make an account" } else { "Sign in" };
    let status = if errors.is_empty() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
    let page = SignPage {
        frame: Frame::of(visit, title).await,
        up,
        email,
        back: local(&back).to_owned(),
        key: visit.new_key(),
        errors: errors.into(),
        ended: visit.session().has_ended(),
    };
    Ok(shown(&page)?.with_status(status))
}

async fn sign_in_form(visit: Visit, _: NoParams, form: Form) -> Result<Answer> {
    by_form(visit, form, false).await
}

async fn sign_up_form(visit: Visit, _: NoParams, form: Form) -> Result<Answer> {
    by_form(visit, form, true).await
}

async fn by_form(visit: Visit, form: Form, up: bool) -> Result<Answer> {
    let key = if form.key.is_empty() { visit.new_key() } else { edge::checked_key(&form.key)?.to_owned() };
    let given = Credentials { email: form.email, password: form.password };
    match enter(&visit, key, &given, up).await {
        Ok(()) => Answer::see(local(&form.back)),
        Err(error) => match told(&error) {
            Some(errors) => form_page(&visit, up, given.email, form.back, errors).await,
            None => Err(error),
        },
    }
}

/// What a person can mend about what they gave, by field; what is about both has none.
fn told(error: &Error) -> Option<Vec<FieldError>> {
    let words = |field: &'static str, words: &str| Some(vec![FieldError::new(field, words)]);
    match error.reason() {
        "CREDENTIALS_REFUSED" => words("", "We do not know this e-mail address with this password."),
        "EMAIL_TAKEN" => {
            words("email", "There is an account with this e-mail address already. Sign in instead.")
        }
        "INVALID_EMAIL" => words("email", "This is not a whole e-mail address."),
        "PASSWORD_REQUIRED" => words("password", "Give a password."),
        "PASSWORD_TOO_SHORT" => words("password", "Use at least 8 characters."),
        "PASSWORD_TOO_LONG" => words("password", "Use at most 256 characters."),
        "PASSWORD_TOO_COMMON" => words("password", "Many people use this one. Choose another."),
        "TOO_MANY_ATTEMPTS" => words("", "That was often. Wait a minute before you try again."),
        "SESSION_MOVED_ON" | "SESSION_ENDED" | "IDEMPOTENCY_KEY_REUSED" => {
            words("", "This form was sent before. Send it again.")
        }
        _ => None,
    }
}

async fn leave(visit: &Visit) -> Result<()> {
    visit.needs_somebody()?;
    let request = identity::SignOutRequest { request_id: visit.key()?, session_id: String::new() };
    visit.need(&SIGN_OUT, visit.shop.identity.clone().sign_out(visit.request(request))).await?;
    visit.signs_out().await;
    Ok(())
}

async fn sign_out(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    leave(&visit).await?;
    Ok(Answer::done())
}

async fn sign_out_form(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    match leave(&visit).await {
        Ok(()) => Answer::see("/"),
        // Who is signed out already wanted just that.
        Err(error) if matches!(error.reason(), "UNAUTHENTICATED" | "SESSION_NOT_FOUND") => {
            visit.signs_out().await;
            Answer::see("/")
        }
        Err(error) => Err(error),
    }
}
