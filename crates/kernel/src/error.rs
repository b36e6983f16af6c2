//! One error for the whole house.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// A result of the house.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What kind of failure it is. Ten, and no more; the reason says the rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request is wrong whatever the state; fields say where.
    InvalidArgument,
    /// Nobody is signed in, or the token is not good.
    Unauthenticated,
    /// The caller may not do this.
    PermissionDenied,
    /// There is no such thing, or not for this caller.
    NotFound,
    /// It met another change: the same name exists already, the version is stale, the request is being worked on.
    /// Safe to retry after reading again when [`Error::retryable`] says so.
    Conflict,
    /// The request is good but the state does not allow it.
    FailedPrecondition,
    /// A limit is reached; try later.
    ResourceExhausted,
    /// It did not finish in time; the outcome is unknown.
    DeadlineExceeded,
    /// Something needed is away; try again.
    Unavailable,
    /// A bug, or damage.
    Internal,
}

/// One wrong field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldViolation {
    /// JSON pointer to the field, for example `/lines/0/quantity`.
    pub field: String,
    /// What is wrong with it, a clause that follows the field's name: "must be positive".
    pub description: String,
}

/// A failure: a code, a stable reason, a message that is safe to show, and what is only for the log.
pub struct Error(Box<Inner>);

struct Inner {
    code: Code,
    reason: Cow<'static, str>,
    message: Cow<'static, str>,
    violations: Vec<FieldViolation>,
    metadata: BTreeMap<String, String>,
    retryable: bool,
    retry_after_ms: Option<u64>,
    logged: bool,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Error {
    /// An error of a code with a stable reason in SCREAMING_SNAKE_CASE and a message that is safe to show.
    pub fn new(
        code: Code,
        reason: impl Into<Cow<'static, str>>,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        let retryable = matches!(code, Code::Unavailable | Code::ResourceExhausted);
        Self(Box::new(Inner {
            code,
            reason: reason.into(),
            message: message.into(),
            violations: Vec::new(),
            metadata: BTreeMap::new(),
            retryable,
            retry_after_ms: None,
            logged: false,
            source: None,
        }))
    }

    /// A wrong request.
    pub fn invalid(reason: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::InvalidArgument, reason, message)
    }

    /// A wrong field: JSON pointer, reason, what is wrong with it.
    pub fn field(
        pointer: impl Into<String>,
        reason: impl Into<Cow<'static, str>>,
        description: impl Into<String>,
    ) -> Self {
        let (field, description) = (pointer.into(), description.into());
        let mut error = Self::invalid(reason, format!("{field} {description}"));
        error.0.violations.push(FieldViolation { field, description });
        error
    }

    /// No such thing: `Error::not_found("ORDER_NOT_FOUND", "no such order")`.
    pub fn not_found(reason: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::NotFound, reason, message)
    }

    /// The state does not allow it.
    pub fn precondition(reason: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::FailedPrecondition, reason, message)
    }

    /// It met another change, and reading again and retrying may help.
    pub fn conflict(reason: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        let mut error = Self::new(Code::Conflict, reason, message);
        error.0.retryable = true;
        error
    }

    /// The same thing exists already; retrying does not help.
    pub fn exists(reason: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Conflict, reason, message)
    }

    /// The caller may not.
    pub fn denied(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::PermissionDenied, "PERMISSION_DENIED", message)
    }

    /// The caller lacks a permission, any of `any_of`: `Error::missing_permission("drafting orders", &["checkout.override"])`.
    /// The metadata `permission` names them for machines, separated by commas.
    pub fn missing_permission(what: &str, any_of: &[&str]) -> Self {
        let message = format!("{what} needs the permission {}", any_of.join(" or "));
        Self::denied(message).with("permission", any_of.join(","))
    }

    /// Something needed is away.
    pub fn unavailable(reason: impl Into<Cow<'static, str>>, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(Code::Unavailable, reason, message)
    }

    /// A bug or damage; the cause goes to the log, never to the caller.
    pub fn internal(source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::new(Code::Internal, "INTERNAL", "something went wrong on our side").because(source)
    }

    /// Adds the private cause.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Adds a fact for machines, for example the order's id.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.0.metadata.insert(key.into(), value.into());
        self
    }

    /// Adds a wrong field.
    #[must_use]
    pub fn with_field(mut self, pointer: impl Into<String>, description: impl Into<String>) -> Self {
        self.0.violations.push(FieldViolation { field: pointer.into(), description: description.into() });
        self
    }

    /// Says whether the same request may be sent again as it is.
    #[must_use]
    pub fn retry(mut self, retryable: bool) -> Self {
        self.0.retryable = retryable;
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after_ms(mut self, milliseconds: u64) -> Self {
        self.0.retryable = true;
        self.0.retry_after_ms = Some(milliseconds);
        self
    }

    /// Puts `prefix` before the pointer of every violation; a bare error becomes one about `prefix`.
    #[must_use]
    pub fn at(mut self, prefix: &str) -> Self {
        if self.0.violations.is_empty() {
            let description = self.0.message.to_string();
            self.0.message = format!("{prefix} {description}").into();
            return self.with_field(prefix, description);
        }
        for violation in &mut self.0.violations {
            violation.field.insert_str(0, prefix);
        }
        if let [only] = self.0.violations.as_slice() {
            self.0.message = format!("{} {}", only.field, only.description).into();
        }
        self
    }

    /// Says that its cause stands in a log already, here or where it came from.
    #[must_use]
    pub fn mark_logged(mut self) -> Self {
        self.0.logged = true;
        self
    }

    /// Whether its cause, or the cause of an error that led to it, stands in a log already.
    #[must_use]
    pub fn is_logged(&self) -> bool {
        let mut next: Option<&(dyn std::error::Error + 'static)> = Some(self);
        while let Some(error) = next {
            if error.downcast_ref::<Self>().is_some_and(|error| error.0.logged) {
                return true;
            }
            next = error.source();
        }
        false
    }

    /// The error with everything that led to it, for the log: never for a caller.
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = format!("{self:?}");
        // What Debug tells of the first cause already.
        let mut next = self.0.source.as_deref().and_then(|source| source.source());
        while let Some(error) = next {
            text.push_str(": ");
            text.push_str(&error.to_string());
            next = error.source();
        }
        text
    }

    /// Its code.
    #[must_use]
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Its stable reason.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.0.reason
    }

    /// The message that is safe to show.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// The wrong fields.
    #[must_use]
    pub fn violations(&self) -> &[FieldViolation] {
        &self.0.violations
    }

    /// Facts for machines.
    #[must_use]
    pub fn metadata(&self) -> &BTreeMap<String, String> {
        &self.0.metadata
    }

    /// Whether the same request may be sent again as it is.
    #[must_use]
    pub fn retryable(&self) -> bool {
        self.0.retryable
    }

    /// When to try again, in milliseconds, if it is known.
    #[must_use]
    pub fn retry_delay_ms(&self) -> Option<u64> {
        self.0.retry_after_ms
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {}: {}", self.0.code, self.0.reason, self.0.message)?;
        if !self.0.metadata.is_empty() {
            write!(f, " {:?}", self.0.metadata)?;
        }
        match &self.0.source {
            Some(source) => write!(f, " (because {source})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_field_is_named_at_its_place() {
        let error = Error::field("/quantity", "INVALID_ARGUMENT", "must be positive").at("/lines/3");
        assert_eq!(error.violations()[0].field, "/lines/3/quantity");
        assert_eq!(error.message(), "/lines/3/quantity must be positive");
    }

    #[test]
    fn a_missing_permission_is_named_in_words_and_for_machines() {
        let error = Error::missing_permission("drafting orders", &["a.read", "a.write"]);
        assert_eq!((error.code(), error.reason()), (Code::PermissionDenied, "PERMISSION_DENIED"));
        assert_eq!(error.message(), "drafting orders needs the permission a.read or a.write");
        assert_eq!(error.metadata()["permission"], "a.read,a.write");
    }

    #[test]
    fn what_is_logged_stays_so_when_it_is_a_cause() {
        let error = Error::internal("disk 7");
        assert!(!error.is_logged());
        let outer = Error::internal(error.mark_logged());
        assert!(outer.is_logged() && !Error::internal("disk 8").is_logged());
    }

    #[test]
    fn a_chain_tells_every_cause() {
        let error = Error::internal(Error::unavailable("AWAY", "away").because("disk 7"));
        assert!(error.chain().contains("away") && error.chain().ends_with(": disk 7"), "{}", error.chain());
    }

    #[test]
    fn the_cause_stays_out_of_the_message() {
        let error = Error::internal("password=hunter2");
        assert!(!error.to_string().contains("hunter2"));
        assert!(format!("{error:?}").contains("hunter2"));
    }
}
