//! What a screen needs: the calls it makes, declared, with what the absence of each means.

/// What it means that a call fails because its role is away or late.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// The screen answers 503 and names the part.
    Required,
    /// The screen comes without the part and says so, in `absent` and in the field `Souk-Absent`.
    Optional,
}

/// A call that a screen makes.
#[derive(Debug)]
pub struct Need {
    /// The part of the screen, for people: `stock`.
    pub part: &'static str,
    /// The method that is called: `/souk.inventory.v1.InventoryService/BatchGetStock`.
    pub method: &'static str,
    /// What its absence means.
    pub absence: Absence,
}

impl Need {
    /// A part without which there is no screen.
    #[must_use]
    pub const fn required(part: &'static str, method: &'static str) -> Self {
        Self { part, method, absence: Absence::Required }
    }

    /// A part that a screen can do without.
    #[must_use]
    pub const fn optional(part: &'static str, method: &'static str) -> Self {
        Self { part, method, absence: Absence::Optional }
    }
}
