//! Where the parts of an order stand, and the numbers that is kept as.

/// Declares an enum that is kept as a small number; the numbers never change.
macro_rules! coded {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$variant_doc])* $variant,)* }

        impl $name {
            /// Every value.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The number it is kept as.
            #[must_use]
            pub const fn code(self) -> i64 {
                match self { $(Self::$variant => $code,)* }
            }

            /// The value of a number.
            ///
            /// # Errors
            /// Internal when the number is unknown: damage, or a newer release wrote it.
            pub fn from_code(code: i64) -> kernel::Result<Self> {
                match code {
                    $($code => Ok(Self::$variant),)*
                    _ => Err(kernel::Error::internal(format!(concat!(stringify!($name), " {} is unknown"), code))),
                }
            }
        }
    )*};
}

coded! {
    /// Where an order stands; the numbers are the wire's.
    State {
        /// Being placed, or being undone because it could not be placed.
        Pending = 1,
        /// Waits for the buyer to pass a challenge of their bank.
        ActionRequired = 2,
        /// Waits for staff.
        AwaitingApproval = 3,
        /// Placed. At rest, though follow-ups may still run.
        Confirmed = 4,
        /// Being undone at somebody's wish.
        Cancelling = 5,
        /// Undone at somebody's wish. Terminal.
        Cancelled = 6,
        /// Could not be placed. Terminal.
        Failed = 7,
    }

    /// What was done about stock. `Asked` and `Committing` are intents: written before the call, outcome unknown until recorded.
    Stock {
        /// A hold is to be made.
        Asked = 1,
        /// Held.
        Held = 2,
        /// The hold is to be committed: the pivot.
        Committing = 3,
        /// The buyer's.
        Committed = 4,
        /// Given back before it was committed.
        Released = 5,
        /// Given back after it was committed.
        Returned = 6,
        /// Inventory said no.
        Refused = 7,
    }

    /// What was done about money. `Asked` and `CaptureAsked` are intents.
    Payment {
        /// The total is zero.
        NotNeeded = 1,
        /// Nothing yet.
        Later = 2,
        /// To be authorized.
        Asked = 3,
        /// The buyer must pass a challenge.
        Challenged = 4,
        /// Authorized.
        Authorized = 5,
        /// To be captured.
        CaptureAsked = 6,
        /// Captured.
        Captured = 7,
        /// Authorization given back.
        Voided = 8,
        /// Captured money given back.
        Refunded = 9,
        /// Payment said no.
        Declined = 10,
    }

    /// What was done about shipment. `Asked` is an intent.
    Shipment {
        /// Nothing yet.
        Later = 1,
        /// To be asked for.
        Asked = 2,
        /// Shipping has it.
        Requested = 3,
        /// Recalled before it left.
        Recalled = 4,
        /// Has left: learnt when a recall was refused.
        Left = 5,
    }

    /// What was done about the cart that the lines came from. `Asked` is an intent.
    Cart {
        /// The lines came from no cart.
        NotNeeded = 1,
        /// Nothing yet.
        Later = 2,
        /// The bought lines are to be taken out.
        Asked = 3,
        /// They are out.
        Cleared = 4,
    }

    /// Whether staff must agree.
    Approval {
        /// No.
        NotNeeded = 1,
        /// Yes, and have not yet.
        Needed = 2,
        /// They have.
        Given = 3,
    }

    /// What document an invoice is; the numbers are the wire's.
    InvoiceKind {
        /// Asks for the money of an order.
        Invoice = 1,
        /// Takes an invoice back.
        CreditNote = 2,
    }
}

impl State {
    /// Whether nothing more will happen to it ever.
    #[must_use]
    pub const fn terminal(self) -> bool {
        matches!(self, Self::Cancelled | Self::Failed)
    }

    /// Whether somebody who waits for the order has their answer: at rest, or it is a person's turn.
    #[must_use]
    pub const fn answers(self) -> bool {
        matches!(
            self,
            Self::Confirmed | Self::Cancelled | Self::Failed | Self::ActionRequired | Self::AwaitingApproval
        )
    }

    /// Whether it is confirmed or terminal.
    #[must_use]
    pub const fn at_rest(self) -> bool {
        matches!(self, Self::Confirmed | Self::Cancelled | Self::Failed)
    }
}
