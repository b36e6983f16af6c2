//! Ending sessions from the account's page. Who is signed out has to find the password again, so it asks first.

use askama::Template;
use contract::souk::identity::v1 as pb;
use edge::{Answer, Nothing};
use kernel::{Error, Result};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{SESSION_LIST, SessionLine, end, everywhere};
use crate::frame::Frame;
use crate::screens::{NoParams, shown};
use crate::shop::Visit;

/// Which session shall end; all of the account when none is named.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct Ending {
    #[serde(default)]
    session_id: String,
}

#[derive(Template)]
#[template(path = "screens/end_session.html")]
struct EndPage {
    frame: Frame,
    /// The session that shall end; `None` for all of them.
    session: Option<SessionLine>,
}

/// Asks before it is done, for browsers without JavaScript; with it, a dialog asks the same.
pub(super) async fn ask_page(visit: Visit, wanted: Ending, _: Nothing) -> Result<Answer> {
    visit.needs_account()?;
    let session = if wanted.session_id.is_empty() {
        None
    } else {
        let request = visit.request(pb::ListSessionsRequest::default());
        let answer = visit.need(&SESSION_LIST, visit.shop.identity.clone().list_sessions(request)).await?;
        let found = answer.sessions.into_iter().find(|session| session.session_id == wanted.session_id);
        let missing = || Error::not_found("SESSION_NOT_FOUND", "there is no such session");
        Some(SessionLine::of(found.ok_or_else(missing)?))
    };
    let title = if session.is_some() { "End this session?" } else { "Sign out everywhere?" };
    let frame = Frame::of(&visit, title).await;
    shown(&EndPage { frame, session })
}

/// Ends the session that is named, or, without a name, all of them.
pub(super) async fn form(visit: Visit, _: NoParams, wanted: Ending) -> Result<Answer> {
    if wanted.session_id.is_empty() {
        everywhere(&visit).await?;
        return Answer::see("/");
    }
    match end(&visit, wanted.session_id).await {
        Err(error) if error.reason() != "SESSION_NOT_FOUND" => Err(error),
        _ => Answer::see("/account"),
    }
}
