//! Words of identity for the wire.

use contract::souk::identity::v1 as wire;
use contract::wire::timestamp;
use kernel::{Email, Result, SessionId, Violations};

use crate::domain::{Account, AccountKind, Revocation, Session, SigningKey, Subject};
use crate::store::SecretRow;

/// Longest name of a device in characters.
const DEVICE_CHARS_MAX: usize = 200;

pub(super) fn account(account: &Account) -> wire::Account {
    let kind = match account.kind {
        AccountKind::Person => wire::AccountKind::Person,
        AccountKind::Operator => wire::AccountKind::Operator,
    };
    wire::Account {
        account_id: account.id.to_string(),
        version: account.version,
        kind: kind.into(),
        email: account.email.as_ref().map(Email::as_str).unwrap_or_default().to_owned(),
        name: account.name().to_owned(),
        permissions: account.permissions.names().map(str::to_owned).collect(),
        created_at: Some(timestamp(account.created_at)),
        updated_at: Some(timestamp(account.updated_at)),
    }
}

pub(super) fn session(session: &Session, asking: Option<SessionId>) -> wire::Session {
    let kind = match session.subject {
        Subject::Account(_) => wire::SessionKind::Account,
        Subject::Guest(_) => wire::SessionKind::Guest,
    };
    wire::Session {
        session_id: session.id.to_string(),
        kind: kind.into(),
        subject: session.subject.to_string(),
        device: session.device.clone(),
        created_at: Some(timestamp(session.created_at)),
        refreshed_at: Some(timestamp(session.refreshed_at)),
        expires_at: Some(timestamp(session.expires_at)),
        current: asking == Some(session.id),
    }
}

pub(super) fn secret(secret: &SecretRow) -> wire::SecretInfo {
    wire::SecretInfo {
        secret_id: secret.id.to_string(),
        account_id: secret.account.to_string(),
        label: secret.label.clone(),
        created_at: Some(timestamp(secret.created_at)),
        expires_at: secret.expires_at.map(timestamp),
        revoked_at: secret.revoked_at.map(timestamp),
    }
}

pub(super) fn key(key: &SigningKey) -> wire::Key {
    wire::Key {
        key_id: key.id.clone(),
        public_key: key.public.to_vec(),
        not_before: Some(timestamp(key.signs_from)),
        not_after: Some(timestamp(key.verifies_until)),
    }
}

pub(super) fn revocation(revocation: &Revocation) -> wire::Revocation {
    wire::Revocation { id: revocation.id.clone(), before: Some(timestamp(revocation.before)) }
}

/// What a device calls itself; may be empty.
pub(super) fn device(text: &str) -> Result<String> {
    let mut violations = Violations::new();
    let device = violations.optional_text("/device", text, DEVICE_CHARS_MAX);
    violations.finish()?;
    Ok(device)
}
