//! The account: orders, addresses, profile, sessions, password.

mod ending;
mod profile;

use std::sync::Arc;

use askama::Template;
use contract::souk::identity::v1 as pb;
use edge::{Answer, Key, Need, Nothing, Route, Shown};
use http::{Method, StatusCode};
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use self::profile::{ProfileForm, ProfileView};
use super::addresses::{self, BookAddressView};
use super::checkout::form::{FieldError, FieldErrors};
use super::orders::{self, OrdersScreen};
use super::{NoParams, api, page, shown};
use crate::frame::Frame;
use crate::said;
use crate::shop::{CATEGORIES, Shop, Visit};
use crate::view::{minute, time};

const ACCOUNT: Need = Need::required("account", "/souk.identity.v1.IdentityService/GetAccount");
const SESSIONS: Need = Need::optional("sessions", "/souk.identity.v1.IdentityService/ListSessions");
const SESSION_LIST: Need = Need::required("sessions", "/souk.identity.v1.IdentityService/ListSessions");
const END: Need = Need::required("sign-out", "/souk.identity.v1.IdentityService/SignOut");
const EVERYWHERE: Need = Need::required("sign-out", "/souk.identity.v1.IdentityService/SignOutEverywhere");
const PASSWORD: Need = Need::required("account", "/souk.identity.v1.IdentityService/ChangePassword");

/// The account of this session.
#[derive(Debug, Serialize, JsonSchema)]
struct AccountView {
    /// `cus_…`.
    account_id: String,
    /// The address it signs in with.
    email: String,
    /// When it was made, RFC 3339.
    create_time: String,
}

/// The sessions of an account.
#[derive(Debug, Serialize, JsonSchema)]
struct SessionList {
    /// The live ones, newest first.
    sessions: Vec<SessionLine>,
}

/// A session.
#[derive(Debug, Serialize, JsonSchema)]
struct SessionLine {
    /// `ses_…`.
    session_id: String,
    /// What the device calls itself; may be empty.
    device: String,
    /// When it began, RFC 3339.
    create_time: String,
    /// Whether it is this one.
    current: bool,
}

impl SessionLine {
    fn of(session: pb::Session) -> Self {
        Self {
            create_time: time(session.created_at.as_ref()),
            session_id: session.session_id,
            device: session.device,
            current: session.current,
        }
    }

    fn when(&self) -> String {
        minute(&self.create_time)
    }
}

/// How many sessions ended.
#[derive(Debug, Serialize, JsonSchema)]
struct EndedView {
    /// That many.
    sessions_ended: i32,
}

/// A session.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Which {
    /// `ses_…`.
    #[schemars(extend("pattern" = said::id("ses")))]
    session_id: String,
}

/// A new password.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PasswordChange {
    /// The password until now.
    #[schemars(length(min = 1, max = 256))]
    current_password: String,
    /// The password from now on, 8 to 256 characters.
    #[schemars(length(min = 8, max = 256))]
    new_password: String,
}

#[derive(Template)]
#[template(path = "screens/account.html")]
struct AccountPage {
    frame: Frame,
    account: AccountView,
    orders: Option<OrdersScreen>,
    addresses: Option<Vec<BookAddressView>>,
    sessions: Option<Vec<SessionLine>>,
    profile: Option<ProfileForm>,
    countries: Vec<(&'static str, &'static str)>,
    message: String,
    errors: FieldErrors,
}

/// What the account's page says besides what is always there.
#[derive(Default)]
struct Feedback {
    message: &'static str,
    errors: Vec<FieldError>,
    /// The profile's form as it was filled in; as the profile is when absent.
    profile: Option<ProfileForm>,
    status: StatusCode,
}

/// Its routes.
pub fn routes(shop: &Arc<Shop>) -> Vec<Route> {
    const SHOW: &[&Need] =
        &[&ACCOUNT, orders::LIST, addresses::BOOK_IF_THERE, profile::IF_THERE, &SESSIONS, &CATEGORIES];
    const CHANGE: &[&Need] = &[
        &PASSWORD,
        profile::UPDATE,
        &ACCOUNT,
        orders::LIST,
        addresses::BOOK_IF_THERE,
        profile::IF_THERE,
        &SESSIONS,
        &CATEGORIES,
    ];
    vec![
        page(shop, Method::GET, "/account", show).needs(SHOW).cost(2),
        page(shop, Method::GET, "/account/sessions/end", ending::ask_page)
            .needs(&[&SESSION_LIST, &CATEGORIES]),
        page(shop, Method::POST, "/account/sessions/end", ending::form).needs(&[&END, &EVERYWHERE]),
        page(shop, Method::POST, "/account/profile", profile::form).needs(CHANGE),
        page(shop, Method::POST, "/account/password", password_form).needs(CHANGE).signs_in(),
        api(shop, Method::GET, "/api/v1/account", account_json)
            .named("getAccount", "The account of this session")
            .answers::<AccountView>()
            .problems(&[401])
            .needs(&[&ACCOUNT]),
        api(shop, Method::POST, "/api/v1/account/password", password_json)
            .named("changePassword", "Change the password; every other session ends")
            .answers::<EndedView>()
            .keyed(Key::Optional)
            .problems(&[401])
            .refuses(&["CURRENT_PASSWORD_WRONG"])
            .needs(&[&PASSWORD])
            .signs_in(),
        api(shop, Method::GET, "/api/v1/profile", profile::show_json)
            .named("getProfile", "What the shop knows of who has this account")
            .answers::<ProfileView>()
            .problems(&[401])
            .needs(&[profile::READ]),
        api(shop, Method::PUT, "/api/v1/profile", profile::update_json)
            .named("updateProfile", "Replace what the shop knows of who has this account")
            .answers::<ProfileView>()
            .if_match()
            .keyed(Key::Optional)
            .problems(&[401])
            .needs(&[profile::UPDATE]),
        api(shop, Method::GET, "/api/v1/sessions", sessions_json)
            .named("listSessions", "Where this account is signed in")
            .answers::<SessionList>()
            .problems(&[401])
            .needs(&[&SESSION_LIST]),
        api(shop, Method::DELETE, "/api/v1/sessions", everywhere_json)
            .named("signOutEverywhere", "End every session of this account")
            .answers::<EndedView>()
            .keyed(Key::Optional)
            .problems(&[401])
            .needs(&[&EVERYWHERE]),
        api(shop, Method::DELETE, "/api/v1/sessions/{session_id}", end_json)
            .named("endSession", "End another session of this account")
            .status(204)
            .keyed(Key::Optional)
            .problems(&[401])
            .needs(&[&END]),
    ]
}

async fn account(visit: &Visit) -> Result<AccountView> {
    visit.needs_account()?;
    let request = visit.request(pb::GetAccountRequest::default());
    let answer = visit.need(&ACCOUNT, visit.shop.identity.clone().get_account(request)).await?;
    let account = answer.account.ok_or_else(|| Error::internal("an answer without an account"))?;
    Ok(AccountView {
        account_id: account.account_id,
        email: account.email,
        create_time: time(account.created_at.as_ref()),
    })
}

async fn account_json(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    Answer::json(&account(&visit).await?)
}

async fn show(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    account_page(&visit, Feedback::default()).await
}

async fn account_page(visit: &Visit, feedback: Feedback) -> Result<Answer> {
    visit.needs_account()?;
    let mut identity = visit.shop.identity.clone();
    let sessions = visit.request(pb::ListSessionsRequest::default());
    let (account, orders, addresses, profile, sessions) = futures_util::join!(
        account(visit),
        orders::list(visit, 5, String::new(), orders::Which::Placed),
        addresses::if_there(visit),
        profile::if_there(visit),
        visit.may(&SESSIONS, identity.list_sessions(sessions))
    );
    let page = AccountPage {
        frame: Frame::of(visit, "Your account").await.at("/account"),
        account: account?,
        orders: Some(orders?),
        addresses,
        sessions: sessions.map(|answer| answer.sessions.into_iter().map(SessionLine::of).collect()),
        profile: feedback.profile.or(profile.map(ProfileForm::from)),
        countries: kernel::country::by_name(),
        message: feedback.message.to_owned(),
        errors: feedback.errors.into(),
    };
    Ok(shown(&page)?.with_status(feedback.status))
}

async fn sessions_json(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    visit.needs_account()?;
    let request = visit.request(pb::ListSessionsRequest::default());
    let answer = visit.need(&SESSION_LIST, visit.shop.identity.clone().list_sessions(request)).await?;
    Answer::json(&Shown::new(
        SessionList { sessions: answer.sessions.into_iter().map(SessionLine::of).collect() },
        &visit,
    ))
}

async fn end(visit: &Visit, session_id: String) -> Result<()> {
    visit.needs_account()?;
    let request = pb::SignOutRequest { request_id: visit.key()?, session_id };
    visit.need(&END, visit.shop.identity.clone().sign_out(visit.request(request))).await?;
    Ok(())
}

async fn end_json(visit: Visit, which: Which, _: Nothing) -> Result<Answer> {
    end(&visit, which.session_id).await?;
    Ok(Answer::done())
}

async fn everywhere(visit: &Visit) -> Result<EndedView> {
    visit.needs_account()?;
    let request =
        pb::SignOutEverywhereRequest { request_id: visit.key()?, ..pb::SignOutEverywhereRequest::default() };
    let answer = visit
        .need(&EVERYWHERE, visit.shop.identity.clone().sign_out_everywhere(visit.request(request)))
        .await?;
    visit.signs_out().await;
    Ok(EndedView { sessions_ended: answer.sessions_ended })
}

async fn everywhere_json(visit: Visit, _: NoParams, _: Nothing) -> Result<Answer> {
    Answer::json(&everywhere(&visit).await?)
}

async fn change(visit: &Visit, wanted: PasswordChange) -> Result<EndedView> {
    visit.needs_account()?;
    let request = pb::ChangePasswordRequest {
        request_id: visit.key()?,
        current_password: wanted.current_password,
        new_password: wanted.new_password,
    };
    let answer =
        visit.need(&PASSWORD, visit.shop.identity.clone().change_password(visit.request(request))).await?;
    Ok(EndedView { sessions_ended: answer.sessions_ended })
}

async fn password_json(visit: Visit, _: NoParams, wanted: PasswordChange) -> Result<Answer> {
    let changed = change(&visit, wanted).await.map_err(|error| match error.reason() {
        // Who asks is known: it is the field that is wrong, and signing in again would not help.
        "CREDENTIALS_REFUSED" => {
            Error::field("/current_password", "CURRENT_PASSWORD_WRONG", "is not your current password")
        }
        _ => error,
    });
    Answer::json(&changed?)
}

async fn password_form(visit: Visit, _: NoParams, wanted: PasswordChange) -> Result<Answer> {
    match change(&visit, wanted).await {
        Ok(_) => {
            let message = "Your password is changed, and every other session has ended.";
            account_page(&visit, Feedback { message, ..Feedback::default() }).await
        }
        Err(error) => {
            let (field, words) = match error.reason() {
                "CREDENTIALS_REFUSED" => ("current_password", "That is not your current password."),
                "PASSWORD_REQUIRED" => ("current_password", "Give both passwords."),
                "PASSWORD_TOO_SHORT" => ("new_password", "Use at least 8 characters."),
                "PASSWORD_TOO_LONG" => ("new_password", "Use at most 256 characters."),
                "PASSWORD_TOO_COMMON" => ("new_password", "Many people use this one. Choose another."),
                "TOO_MANY_ATTEMPTS" => ("", "That was often. Wait a minute before you try again."),
                _ => return Err(error),
            };
            let errors = vec![FieldError::new(field, words)];
            account_page(
                &visit,
                Feedback { errors, status: StatusCode::UNPROCESSABLE_ENTITY, ..Feedback::default() },
            )
            .await
        }
    }
}
