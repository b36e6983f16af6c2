//! What a payment is and may do, decided without I/O.

pub mod attempt;
pub mod ledger;
pub mod method;
pub mod operation;
pub mod payment;

pub use attempt::{Attempt, AttemptState, AuthorizationOutcome, Challenge, Failure};
pub use method::PaymentMethod;
pub use operation::{Operation, OperationKind, OperationOutcome, OperationState};
pub use payment::{Payment, PaymentState};

/// Declares a state whose stored word is fixed: the enum, `as_str` and `parse`.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// The word it is stored as.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }

            /// Reads the stored word.
            ///
            /// # Errors
            /// `INTERNAL` for any other word: the row is damaged.
            pub fn parse(word: &str) -> kernel::Result<Self> {
                match word {
                    $($word => Ok(Self::$variant),)*
                    other => Err(kernel::Error::internal(format!("{other:?} is no {}", stringify!($name)))),
                }
            }
        }
    };
}
pub(crate) use words;

/// The most tenders one order has.
pub const TENDERS_MAX: u32 = 16;
/// The most attempts one payment has.
pub const ATTEMPTS_MAX: u32 = 20;
/// The most captures one payment has, and the most refunds.
pub const OPERATIONS_MAX: u32 = 100;
