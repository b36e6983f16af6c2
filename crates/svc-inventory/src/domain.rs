//! What stock is and how it may change. Pure: every decision is made from what was read and what is asked.

mod counter;
mod hold;
mod line;
mod place;
mod receipt;

pub use counter::{Band, COUNTER_MAX, Counter, Crossing, MovementKind, Step, plan};
pub use hold::{AHEAD_MAX, Ask, Hold, HoldState, Terms, Transition, new_hold};
pub use line::{HoldLine, Shortage, shortages, sum_by_place};
pub use place::{Place, QUANTITY_MAX, check_location, check_quantity, check_sku};
pub use receipt::{Adjustment, AdjustmentReason, Receipt, check_references};
