//! Signing up, in and out; guests; refreshing.

use std::mem::take;

use chassis::Reply;
use contract::souk::identity::v1 as wire;
use kernel::{Code, Email, Error, Result, SessionId, Timestamp};
use mesh::Principal;
use store::{Batch, RequestKey};
use zeroize::Zeroizing;

use super::grant::{Again, Given};
use super::{Api, Asked, TRIES_MAX, busy, convert, credentials_refused, no_account, reply};
use crate::derive::RefreshToken;
use crate::domain::{
    Account, Password, Presented, SESSIONS_MAX, Session, SessionEnd, SignInName, Subject, refused,
};
use crate::store::{Credentials, Refused, Revoke, Written, accounts, sessions};
use crate::throttle;

/// Fewest characters of the idempotency key of somebody whom nothing else tells apart.
const ANONYMOUS_KEY_CHARS_MIN: usize = 16;

impl Api {
    pub(super) async fn sign_up(
        &self,
        mut asked: Asked<wire::SignUpRequest>,
    ) -> Result<Reply<wire::SignUpResponse>> {
        let fingerprint = self.derive.fingerprint(&asked.message);
        let password = Zeroizing::new(take(&mut asked.message.password));
        let email = Email::parse("/email", &asked.message.email)?;
        let device = convert::device(&asked.message.device)?;
        let password = Password::chosen("/password", &password, Some(&email))?;
        let owner = self.derive.pseudonym(&email.key());
        let key = self.key(owner, "identity.SignUp", &asked.message.request_id, fingerprint)?;
        if let Some(answer) = self.store.answer(&key).await? {
            return signed_up_again(self.give_again(&key, &answer).await?);
        }
        self.throttle.by_address(&asked.caller.principal, asked.address).await?;
        // Hashed before anybody knows whether the address is taken, so that both answers take as long.
        let hash = self.hasher.hash(password, self.ctx.random(), asked.address).await?;
        let now = self.ctx.now();
        let account = Account::person(self.ctx.id(), email, now);
        let session = self.begin(Subject::Account(account.id), device, now);
        let (given, tokens) = self.give(&session, Some(&account), now).await?;
        let event = wire::AccountCreated { account_id: account.id.to_string(), version: account.version };
        let batch = accounts::insert(Batch::new(), &account, Some(hash))
            .event(chassis::event(account.id, account.version, &event))
            .remember(key.clone(), self.seal_answer(&key, &given)?);
        match self.store.commit(sessions::insert(batch, self.store.seals(), &session)).await? {
            Written::Fresh => {
                let account = Some(convert::account(&account));
                Ok(Reply::fresh(wire::SignUpResponse { account, tokens: Some(tokens) }))
            }
            Written::Replayed(answer) => signed_up_again(self.give_again(&key, &answer).await?),
        }
    }

    pub(super) async fn sign_in(
        &self,
        mut asked: Asked<wire::SignInRequest>,
    ) -> Result<Reply<wire::SignInResponse>> {
        let fingerprint = self.derive.fingerprint(&asked.message);
        let password = Zeroizing::new(take(&mut asked.message.password));
        let name = SignInName::parse("/email", &asked.message.email)?;
        let device = convert::device(&asked.message.device)?;
        let password = Password::given("/password", &password)?;
        let owner = self.derive.pseudonym(name.key());
        let key = self.key(owner, "identity.SignIn", &asked.message.request_id, fingerprint)?;
        if let Some(answer) = self.store.answer(&key).await? {
            return signed_in_again(self.give_again(&key, &answer).await?);
        }
        self.throttle.by_address(&asked.caller.principal, asked.address).await?;
        self.throttle.by_account(name.key(), asked.address).await?;
        for _ in 0..TRIES_MAX {
            let now = self.ctx.now();
            let (found, outdated) = self.verify(&name, &password, asked.address).await?;
            let mut batch = Batch::new();
            if outdated {
                let hash = self.hasher.hash(password.clone(), self.ctx.random(), asked.address).await?;
                batch = accounts::set_password(batch, found.account.id, hash);
            }
            match self.write_sign_in(batch, found, device.clone(), key.clone(), now).await {
                Ok(reply) => return Ok(reply),
                Err(Refused::Stale) => {}
                Err(refused) => return Err(refused.into()),
            }
        }
        Err(busy())
    }

    /// The account whose password this is, and whether the hash of it is out of date. Somebody unknown takes as long.
    async fn verify(
        &self,
        name: &SignInName,
        password: &Password,
        address: Option<std::net::IpAddr>,
    ) -> Result<(Credentials, bool)> {
        let mut found = self.store.accounts_by_email(name.keys()).await?.into_iter();
        let mut next = found.next();
        loop {
            let stored = next.as_ref().and_then(|found| found.password.as_deref());
            let verdict = self.hasher.verify(password.clone(), stored, address).await?;
            if let Some(found) = next.filter(|_| verdict.good) {
                return Ok((found, verdict.outdated));
            }
            // Two spellings of one address were two accounts once.
            next = found.next();
            if next.is_none() {
                return Err(credentials_refused());
            }
        }
    }

    async fn write_sign_in(
        &self,
        batch: Batch,
        found: Credentials,
        device: String,
        key: RequestKey,
        now: Timestamp,
    ) -> Result<Reply<wire::SignInResponse>, Refused> {
        let account = found.account;
        let session = self.begin(Subject::Account(account.id), device, now);
        let (given, tokens) = self.give(&session, Some(&account), now).await.map_err(Refused::Failed)?;
        let batch = accounts::signed_in(batch, &account, now);
        let mut batch = sessions::insert(batch, self.store.seals(), &session);
        let live = self.store.live_sessions(session.subject, now).await.map_err(Refused::Failed)?;
        let surplus = live.iter().skip(SESSIONS_MAX - 1);
        let ended = surplus.clone().count();
        for old in surplus {
            batch = sessions::end(
                batch,
                old,
                SessionEnd::TooMany,
                now,
                self.revoke(session.subject, account.tokens_from, now),
            );
        }
        let remembered = self.seal_answer(&key, &given).map_err(Refused::Failed)?;
        let batch = batch.remember(key.clone(), remembered);
        match self.store.commit(batch).await? {
            Written::Fresh => {
                if ended > 0 {
                    self.keyring.changed().await;
                }
                let account = Some(convert::account(&account));
                Ok(Reply::fresh(wire::SignInResponse { account, tokens: Some(tokens) }))
            }
            Written::Replayed(answer) => {
                let again = self.give_again(&key, &answer).await.map_err(Refused::Failed)?;
                signed_in_again(again).map_err(Refused::Failed)
            }
        }
    }

    pub(super) async fn create_guest_session(
        &self,
        asked: Asked<wire::CreateGuestSessionRequest>,
    ) -> Result<Reply<wire::CreateGuestSessionResponse>> {
        let device = convert::device(&asked.message.device)?;
        let request_id = &asked.message.request_id;
        let key = self.key(
            throttle::stranger(asked.address),
            "identity.CreateGuestSession",
            request_id,
            self.derive.fingerprint(&asked.message),
        )?;
        if request_id.len() < ANONYMOUS_KEY_CHARS_MIN {
            let what = format!(
                "must have at least {ANONYMOUS_KEY_CHARS_MIN} random characters, since little else tells guests apart"
            );
            return Err(Error::field("/request_id", "INVALID_REQUEST_ID", what));
        }
        if let Some(answer) = self.store.answer(&key).await? {
            return guest_again(self.give_again(&key, &answer).await?);
        }
        self.throttle.guest(&asked.caller.principal, asked.address).await?;
        let now = self.ctx.now();
        let guest = self.ctx.id();
        let session = self.begin(Subject::Guest(guest), device, now);
        let (given, tokens) = self.give(&session, None, now).await?;
        let batch = sessions::insert(Batch::new(), self.store.seals(), &session)
            .remember(key.clone(), self.seal_answer(&key, &given)?);
        match self.store.commit(batch).await? {
            Written::Fresh => {
                let guest_id = guest.to_string();
                Ok(Reply::fresh(wire::CreateGuestSessionResponse { guest_id, tokens: Some(tokens) }))
            }
            Written::Replayed(answer) => guest_again(self.give_again(&key, &answer).await?),
        }
    }

    pub(super) async fn refresh_session(
        &self,
        mut asked: Asked<wire::RefreshSessionRequest>,
    ) -> Result<Reply<wire::RefreshSessionResponse>> {
        let fingerprint = self.derive.fingerprint(&asked.message);
        let text = Zeroizing::new(take(&mut asked.message.refresh_token));
        if text.is_empty() {
            return Err(Error::field("/refresh_token", "INVALID_ARGUMENT", "is required"));
        }
        let token = RefreshToken::parse(&text).ok_or_else(refused)?;
        for _ in 0..TRIES_MAX {
            let now = self.ctx.now();
            let session = self.store.session(token.session).await?;
            let session =
                session.filter(|session| self.derive.is_genuine(session, &token)).ok_or_else(refused)?;
            let key = self.key(
                session.id.to_string(),
                "identity.RefreshSession",
                &asked.message.request_id,
                fingerprint,
            )?;
            if let Some(answer) = self.store.answer(&key).await?
                && let Some(tokens) = self.refreshed_again(&session, &key, &answer, now).await?
            {
                return Ok(Reply::replayed(wire::RefreshSessionResponse { tokens: Some(tokens) }));
            }
            let next = match session.present(token.generation, now)? {
                Presented::Newest(next) => next,
                Presented::Spent => {
                    self.throttle.session_end(&asked.caller.principal, asked.address).await?;
                    return Err(self.end_stolen(&session, now).await?);
                }
            };
            match self.write_refresh(&next, key, now).await {
                Ok(Some(tokens)) => {
                    return Ok(Reply::fresh(wire::RefreshSessionResponse { tokens: Some(tokens) }));
                }
                // Done at the same time: under the same key it is found remembered, under another it was reused.
                Ok(None) | Err(Refused::Stale) => {}
                Err(refused) => return Err(refused.into()),
            }
        }
        Err(busy())
    }

    /// The tokens of a refresh that comes again, while they are those of the session's present generation.
    async fn refreshed_again(
        &self,
        session: &Session,
        key: &RequestKey,
        answer: &[u8],
        now: Timestamp,
    ) -> Result<Option<wire::SessionTokens>> {
        let present = |given: &Given| given.session == session.id && given.generation == session.generation;
        match self.open_answer::<Given>(key, answer)? {
            Some(given) if present(&given) => {
                session.live(now)?;
                Ok(Some(self.give_as(session.clone(), &given, now).await?.tokens))
            }
            Some(_) => Ok(None),
            // A release without seals remembered it: of what it says the session alone counts, which is the token's own.
            None if serde_json::from_slice(answer).is_ok_and(|given| present(&given)) => {
                session.live(now)?;
                let account = self.account_of(session).await?;
                Ok(Some(self.give(session, account.as_ref(), now).await?.1))
            }
            None => Ok(None),
        }
    }

    /// The account of a session; none for a guest's.
    async fn account_of(&self, session: &Session) -> Result<Option<Account>> {
        let Some(id) = session.subject.account() else { return Ok(None) };
        Ok(Some(self.store.account(id).await?.ok_or_else(refused)?.account))
    }

    async fn write_refresh(
        &self,
        next: &Session,
        key: RequestKey,
        now: Timestamp,
    ) -> Result<Option<wire::SessionTokens>, Refused> {
        let account = self.account_of(next).await.map_err(Refused::Failed)?;
        let (given, tokens) = self.give(next, account.as_ref(), now).await.map_err(Refused::Failed)?;
        let remembered = self.seal_answer(&key, &given).map_err(Refused::Failed)?;
        let batch = sessions::refresh(Batch::new(), self.store.seals(), next).remember(key, remembered);
        Ok(match self.store.commit(batch).await? {
            Written::Fresh => Some(tokens),
            Written::Replayed(_) => None,
        })
    }

    /// Ends a session whose spent refresh token was shown, and says so.
    async fn end_stolen(&self, session: &Session, now: Timestamp) -> Result<Error> {
        let event = wire::SessionTheftSuspected {
            session_id: session.id.to_string(),
            subject: session.subject.to_string(),
        };
        let revoke = self.revoke(session.subject, self.tokens_from(session.subject).await?, now);
        let batch = sessions::end(Batch::new(), session, SessionEnd::Theft, now, revoke)
            .event(chassis::event(session.id, session.generation, &event));
        self.store.commit(batch).await?;
        self.keyring.changed().await;
        tracing::warn!(session = %session.id, "a spent refresh token was shown; the session was ended");
        let message = "this refresh token was used before, so the session was ended; sign in again";
        Ok(Error::new(Code::Unauthenticated, "REFRESH_TOKEN_REUSED", message))
    }

    pub(super) async fn sign_out(
        &self,
        asked: Asked<wire::SignOutRequest>,
    ) -> Result<Reply<wire::SignOutResponse>> {
        let named = contract::wire::parse_optional_id("/session_id", &asked.message.session_id)?;
        let fingerprint = self.derive.fingerprint(&asked.message);
        let key =
            self.key(asked.caller.key_owner(), "identity.SignOut", &asked.message.request_id, fingerprint)?;
        if let Some(reply) = self.again(&key).await? {
            return Ok(reply);
        }
        let none = || Error::not_found("SESSION_NOT_FOUND", "no such session");
        let (subject, current) = match &asked.caller.principal {
            Principal::Guest { id, session } => (Subject::Guest(*id), *session),
            Principal::Account { id, session, .. } => (Subject::Account(*id), *session),
            Principal::Anonymous => return Err(none()),
        };
        let id: SessionId = named.unwrap_or(current);
        let session =
            self.store.session(id).await?.filter(|session| session.subject == subject).ok_or_else(none)?;
        let message = wire::SignOutResponse { session_id: session.id.to_string() };
        let now = self.ctx.now();
        // A session that has ended is not ended again: its tokens are void already.
        let batch = match session.ended_at {
            Some(_) => Batch::new(),
            None => {
                self.throttle.session_end(&asked.caller.principal, asked.address).await?;
                let revoke = self.revoke(subject, self.tokens_from(subject).await?, now);
                sessions::end(Batch::new(), &session, SessionEnd::SignedOut, now, revoke)
            }
        };
        let batch = batch.remember(key, prost::Message::encode_to_vec(&message));
        let written = self.store.commit(batch).await?;
        self.keyring.changed().await;
        reply(written, message)
    }

    pub(super) async fn sign_out_everywhere(
        &self,
        asked: Asked<wire::SignOutEverywhereRequest>,
    ) -> Result<Reply<wire::SignOutEverywhereResponse>> {
        let target = asked.target("/account_id", &asked.message.account_id, "accounts.write")?;
        let fingerprint = self.derive.fingerprint(&asked.message);
        let key = self.key(
            asked.caller.key_owner(),
            "identity.SignOutEverywhere",
            &asked.message.request_id,
            fingerprint,
        )?;
        if let Some(reply) = self.again(&key).await? {
            return Ok(reply);
        }
        self.throttle.session_end(&asked.caller.principal, asked.address).await?;
        for _ in 0..TRIES_MAX {
            let now = self.ctx.now();
            let account = self.store.account(target).await?.ok_or_else(no_account)?.account;
            if asked.caller.principal.account() != Some(target) {
                account.permissions.managed_by(|permission| asked.may(permission))?;
            }
            let subject = Subject::Account(target);
            let live = self.store.live_sessions(subject, now).await?.len();
            let message =
                wire::SignOutEverywhereResponse { sessions_ended: i32::try_from(live).unwrap_or(i32::MAX) };
            let revoke = self.revoke(subject, account.tokens_from, now);
            let account = account.revoked(now, revoke.before);
            let event = wire::AccountSignedOut {
                account_id: target.to_string(),
                version: account.version,
                changed_by: asked.caller.principal.subject(),
            };
            let batch = sessions::end_all(
                accounts::save(Batch::new(), &account),
                subject,
                SessionEnd::Everywhere,
                now,
            )
            .event(chassis::event(target, account.version, &event))
            .remember(key.clone(), prost::Message::encode_to_vec(&message));
            match self.store.commit(sessions::revoke(batch, &target.to_string(), revoke)).await {
                Ok(written) => {
                    self.keyring.changed().await;
                    return reply(written, message);
                }
                Err(Refused::Stale) => {}
                Err(refused) => return Err(refused.into()),
            }
        }
        Err(busy())
    }

    pub(super) async fn list_sessions(
        &self,
        asked: Asked<wire::ListSessionsRequest>,
    ) -> Result<wire::ListSessionsResponse> {
        let target = asked.target("/account_id", &asked.message.account_id, "accounts.read")?;
        if self.store.account(target).await?.is_none() {
            return Err(no_account());
        }
        let live = self.store.live_sessions(Subject::Account(target), self.ctx.now()).await?;
        let asking = asked.caller.principal.session();
        let sessions =
            live.iter().take(SESSIONS_MAX).map(|session| convert::session(session, asking)).collect();
        Ok(wire::ListSessionsResponse { sessions })
    }

    fn begin(&self, subject: Subject, device: String, now: Timestamp) -> Session {
        Session::begin(self.ctx.id(), subject, device, self.ctx.random(), now)
    }

    /// A revocation of all that was issued to a subject until now.
    pub(super) fn revoke(&self, subject: Subject, tokens_from: Timestamp, now: Timestamp) -> Revoke {
        Revoke { row: self.ctx.random(), before: self.keyring.void_before(subject, tokens_from, now) }
    }

    /// From when the tokens of a subject are good; zero for guests and accounts that were deleted.
    pub(super) async fn tokens_from(&self, subject: Subject) -> Result<Timestamp> {
        let Some(id) = subject.account() else { return Ok(Timestamp::default()) };
        Ok(self.store.account(id).await?.map(|found| found.account.tokens_from).unwrap_or_default())
    }
}

fn signed_up_again(again: Again) -> Result<Reply<wire::SignUpResponse>> {
    let account = again.account.as_ref().map(convert::account);
    Ok(Reply::replayed(wire::SignUpResponse { account, tokens: Some(again.tokens) }))
}

fn signed_in_again(again: Again) -> Result<Reply<wire::SignInResponse>> {
    let account = again.account.as_ref().map(convert::account);
    Ok(Reply::replayed(wire::SignInResponse { account, tokens: Some(again.tokens) }))
}

fn guest_again(again: Again) -> Result<Reply<wire::CreateGuestSessionResponse>> {
    let guest_id = again.session.subject.to_string();
    Ok(Reply::replayed(wire::CreateGuestSessionResponse { guest_id, tokens: Some(again.tokens) }))
}
