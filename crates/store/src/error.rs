//! Why a commit did not happen.

use std::fmt;

use kernel::{Code, Error};

/// Begins the label of a fence.
pub(crate) const FENCE: &str = "lease:";

/// Why a commit did not happen. But for `Failed`, nothing was written.
#[derive(Debug)]
pub enum CommitError {
    /// The statement with this label touched another number of rows than it had to: the condition on what was read does
    /// not hold any more. A fence that fell is labelled `lease:NAME`.
    Unexpected {
        /// Label of the statement.
        label: String,
        /// Rows that it touched.
        rows: u64,
    },
    /// The statement with this label met a UNIQUE or PRIMARY KEY that is taken.
    Duplicate {
        /// Label of the statement; for documents the index that is taken, or `id`.
        label: String,
    },
    /// The request was done before: this was its answer.
    Replayed(Vec<u8>),
    /// The idempotency key was used for another request.
    KeyReused,
    /// The consumer does not stand where the step begins: another reader applied it.
    PositionMoved,
    /// The store failed. Whether it is written is not known, unless the error is `OVERLOADED` or `BATCH_TOO_LARGE`, which
    /// come before the attempt. With a request key the same batch may be sent again.
    Failed(Error),
}

impl CommitError {
    /// Whether it says that the row or document changed since it was read, so that reading again and deciding anew may
    /// help. A fence that fell is none of these: the work is another's now.
    #[must_use]
    pub fn is_stale(&self) -> bool {
        matches!(self, Self::Unexpected { label, .. } if !label.starts_with(FENCE))
    }
}

impl fmt::Display for CommitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unexpected { label, rows } => write!(f, "{label:?} touched {rows} rows"),
            Self::Duplicate { label } => write!(f, "{label:?} is taken"),
            Self::Replayed(_) => f.write_str("the request was done before"),
            Self::KeyReused => f.write_str("the idempotency key was used for another request"),
            Self::PositionMoved => f.write_str("the consumer moved"),
            Self::Failed(error) => write!(f, "{error}"),
        }
    }
}

impl std::error::Error for CommitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Failed(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Error> for CommitError {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<CommitError> for Error {
    /// What a caller is told when the service has no better word for it.
    fn from(error: CommitError) -> Self {
        match error {
            CommitError::Unexpected { label, .. } if label.starts_with(FENCE) => {
                Error::conflict("LEASE_LOST", "another instance has taken this work over")
                    .with("label", label)
            }
            CommitError::Unexpected { label, .. } => Error::conflict(
                "VERSION_CONFLICT",
                "it was changed by someone else in the meantime; read it again and retry",
            )
            .with("label", label),
            CommitError::Duplicate { label } => {
                Error::exists("ALREADY_EXISTS", "it exists already").with("label", label)
            }
            CommitError::Replayed(_) => Error::conflict(
                "REQUEST_IN_PROGRESS",
                "the same request was done at the same time; send it again for its answer",
            ),
            CommitError::KeyReused => key_reused(),
            CommitError::PositionMoved => {
                Error::conflict("POSITION_MOVED", "another reader has applied the event")
            }
            CommitError::Failed(error) => error,
        }
    }
}

/// The idempotency key came with another request.
pub(crate) fn key_reused() -> Error {
    Error::new(
        Code::InvalidArgument,
        "IDEMPOTENCY_KEY_REUSED",
        "the idempotency key was used for another request",
    )
    .with_field("/request_id", "was used for another request")
}
