//! Accounts: reading, permissions, passwords, deletion.

use std::mem::take;

use chassis::Reply;
use contract::Access;
use contract::souk::identity::v1 as wire;
use kernel::{CustomerId, Error, Result, SessionId, Timestamp};
use prost::Message;
use store::Batch;
use zeroize::Zeroizing;

use super::{Api, Asked, TRIES_MAX, busy, convert, credentials_refused, no_account, reply};
use crate::domain::{
    ADMIN, Account, AdminChange, KNOWN, Password, Permissions, SessionEnd, SignInName, Subject,
};
use crate::store::{AccountFilter, Refused, accounts, sessions};

impl Api {
    pub(super) async fn get_account(
        &self,
        asked: Asked<wire::GetAccountRequest>,
    ) -> Result<wire::GetAccountResponse> {
        let target = asked.target("/account_id", &asked.message.account_id, "accounts.read")?;
        let found = self.store.account(target).await?.ok_or_else(no_account)?;
        Ok(wire::GetAccountResponse { account: Some(convert::account(&found.account)) })
    }

    pub(super) async fn list_accounts(
        &self,
        asked: Asked<wire::ListAccountsRequest>,
    ) -> Result<wire::ListAccountsResponse> {
        let page = contract::wire::page(&asked.message.page)?;
        let email = Some(asked.message.email.as_str()).filter(|email| !email.is_empty());
        let permission = Some(asked.message.permission.as_str()).filter(|permission| !permission.is_empty());
        if permission.is_some_and(|permission| permission != ADMIN && !exists(permission)) {
            return Err(Error::field("/permission", "PERMISSION_UNKNOWN", "is not a permission"));
        }
        let name = email.map(|email| SignInName::parse("/email", email)).transpose()?;
        let email_keys = name.map(|name| name.keys().to_vec()).unwrap_or_default();
        // The cursor does not carry the address, only that it belongs to a list of this address.
        let named = email_keys.first().map(|key| self.derive.pseudonym(key)).unwrap_or_default();
        let query = format!("accounts|{named}|{}", permission.unwrap_or_default());
        let after = self.ctx.cursors().open(&query, &page.cursor)?;
        let filter = AccountFilter { email_keys, permission: permission.map(str::to_owned) };
        let found = self.store.accounts(&filter, after, page.limit).await?;
        let next = found.next.map(|position| self.ctx.cursors().seal(&query, &position));
        let accounts = found.items.iter().map(convert::account).collect();
        Ok(wire::ListAccountsResponse { accounts, page: Some(contract::wire::page_info(next)) })
    }

    pub(super) async fn set_permissions(
        &self,
        asked: Asked<wire::SetPermissionsRequest>,
    ) -> Result<Reply<wire::SetPermissionsResponse>> {
        let target: CustomerId = contract::wire::parse_id("/account_id", &asked.message.account_id)?;
        let permissions = Permissions::parse(&asked.message.permissions, exists)?;
        let fingerprint = self.derive.fingerprint(&asked.message);
        let key = self.key(
            asked.caller.key_owner(),
            "identity.SetPermissions",
            &asked.message.request_id,
            fingerprint,
        )?;
        if let Some(reply) = self.again(&key).await? {
            return Ok(reply);
        }
        let now = self.ctx.now();
        let account = self.store.account(target).await?.ok_or_else(no_account)?.account;
        account.seen(asked.message.version)?;
        let admins = account.permissions.change(&permissions, |permission| asked.may(permission))?;
        let loses = account.permissions.lost_in(&permissions);
        let revoke = loses.then(|| self.revoke(Subject::Account(target), account.tokens_from, now));
        let changed = match &revoke {
            Some(revoke) => account.revoked(now, revoke.before),
            None => account.changed(now),
        };
        let account = Account { permissions, ..changed };
        let message = wire::SetPermissionsResponse { account: Some(convert::account(&account)) };
        let event = wire::AccountPermissionsChanged {
            account_id: target.to_string(),
            version: account.version,
            permissions: account.permissions.names().map(str::to_owned).collect(),
            changed_by: asked.caller.principal.subject(),
        };
        let mut batch = accounts::count_admins(accounts::save(Batch::new(), &account), admins)
            .event(chassis::event(target, account.version, &event))
            .remember(key, message.encode_to_vec());
        if let Some(revoke) = revoke {
            batch = sessions::revoke(batch, &target.to_string(), revoke);
        }
        let written = self.store.commit(batch).await?;
        self.keyring.changed().await;
        reply(written, message)
    }

    pub(super) async fn change_password(
        &self,
        mut asked: Asked<wire::ChangePasswordRequest>,
    ) -> Result<Reply<wire::ChangePasswordResponse>> {
        let fingerprint = self.derive.fingerprint(&asked.message);
        let current = Zeroizing::new(take(&mut asked.message.current_password));
        let new = Zeroizing::new(take(&mut asked.message.new_password));
        let target = asked.account()?;
        let current = Password::given("/current_password", &current)?;
        let key = self.key(
            asked.caller.key_owner(),
            "identity.ChangePassword",
            &asked.message.request_id,
            fingerprint,
        )?;
        if let Some(reply) = self.again(&key).await? {
            return Ok(reply);
        }
        let account = self.store.account(target).await?.ok_or_else(no_account)?.account;
        let new = Password::chosen("/new_password", &new, account.email.as_ref())?;
        let account = self.confirm(&asked, target, current).await?;
        let hash = self.hasher.hash(new, self.ctx.random(), asked.address).await?;
        let now = self.ctx.now();
        let account = account.changed(now);
        let batch = accounts::set_password(accounts::save(Batch::new(), &account), target, hash);
        let (batch, sessions_ended) =
            self.end_others(batch, &account, asked.caller.principal.session(), now).await?;
        let message =
            wire::ChangePasswordResponse { account: Some(convert::account(&account)), sessions_ended };
        let event = wire::AccountPasswordChanged { account_id: target.to_string(), version: account.version };
        let batch = batch
            .event(chassis::event(target, account.version, &event))
            .remember(key, message.encode_to_vec());
        let written = self.store.commit(batch).await?;
        self.keyring.changed().await;
        reply(written, message)
    }

    /// The account, if the password is its own. Throttled, and as slow for an account without a password.
    async fn confirm<T>(&self, asked: &Asked<T>, target: CustomerId, password: Password) -> Result<Account> {
        self.throttle.by_address(&asked.caller.principal, asked.address).await?;
        self.throttle.by_account(&target.to_string(), asked.address).await?;
        let found = self.store.account(target).await?.ok_or_else(no_account)?;
        let verdict = self.hasher.verify(password, found.password.as_deref(), asked.address).await?;
        if verdict.good { Ok(found.account) } else { Err(credentials_refused()) }
    }

    async fn end_others(
        &self,
        mut batch: Batch,
        account: &Account,
        keep: Option<SessionId>,
        now: Timestamp,
    ) -> Result<(Batch, i32)> {
        let mut ended = 0;
        let subject = Subject::Account(account.id);
        for session in self.store.live_sessions(subject, now).await? {
            if Some(session.id) != keep {
                batch = sessions::end(
                    batch,
                    &session,
                    SessionEnd::PasswordChanged,
                    now,
                    self.revoke(subject, account.tokens_from, now),
                );
                ended += 1;
            }
        }
        // Also those that look expired: they would be back if it was the clock that was wrong.
        batch = sessions::end_rest(batch, subject, keep, SessionEnd::PasswordChanged, now);
        Ok((batch, ended))
    }

    pub(super) async fn delete_account(
        &self,
        mut asked: Asked<wire::DeleteAccountRequest>,
    ) -> Result<Reply<wire::DeleteAccountResponse>> {
        let fingerprint = self.derive.fingerprint(&asked.message);
        let password = Zeroizing::new(take(&mut asked.message.current_password));
        let target = asked.target("/account_id", &asked.message.account_id, "accounts.write")?;
        let key = self.key(
            asked.caller.key_owner(),
            "identity.DeleteAccount",
            &asked.message.request_id,
            fingerprint,
        )?;
        if let Some(reply) = self.again(&key).await? {
            return Ok(reply);
        }
        let account = self.store.account(target).await?.ok_or_else(no_account)?.account;
        account.seen(asked.message.version)?;
        account.deletable()?;
        if asked.caller.principal.account() == Some(target) {
            let password = Password::given("/current_password", &password)?;
            self.confirm(&asked, target, password).await?;
        } else {
            account.permissions.managed_by(|permission| asked.may(permission))?;
        }
        let admins = if account.permissions.is_admin() { AdminChange::Lost } else { AdminChange::None };
        let now = self.ctx.now();
        let message = wire::DeleteAccountResponse { account_id: target.to_string() };
        let event = wire::AccountDeleted { account_id: target.to_string(), version: account.version + 1 };
        let batch = accounts::count_admins(accounts::delete(Batch::new(), &account), admins)
            .event(chassis::event(target, account.version + 1, &event))
            .remember(key, message.encode_to_vec());
        let revoke = self.revoke(Subject::Account(target), account.tokens_from, now);
        let batch = sessions::revoke(batch, &target.to_string(), revoke);
        let written = self.store.commit(batch).await?;
        self.keyring.changed().await;
        reply(written, message)
    }

    /// The operator's account, and whether it was there.
    pub(super) async fn operator_account(&self, now: Timestamp) -> Result<(Account, bool)> {
        if let Some(account) = self.store.operator().await? {
            return Ok((account, true));
        }
        let account = Account::operator(self.ctx.id(), now);
        Ok((account, false))
    }

    /// Changes an account again and again until nobody was faster.
    pub(super) async fn retry<T, F>(&self, mut change: impl FnMut() -> F) -> Result<T>
    where
        F: Future<Output = Result<T, Refused>>,
    {
        for _ in 0..TRIES_MAX {
            match change().await {
                Ok(done) => return Ok(done),
                Err(Refused::Stale) => {}
                Err(refused) => return Err(refused.into()),
            }
        }
        Err(busy())
    }
}

/// Whether a permission exists: the contracts or the services ask for it.
fn exists(permission: &str) -> bool {
    let asks = |access: &Access| matches!(access, Access::Staff(name) if *name == permission);
    KNOWN.contains(&permission) || contract::methods().iter().any(|method| method.access.iter().any(asks))
}
