//! What sending costs, and what a shipment may do; decided without I/O.

pub mod defaults;
pub mod rates;
pub mod shipment;

pub use rates::{Band, Basis, Method, MethodRate, Offer, RateTable, Zone};
pub use shipment::{Shipment, ShipmentState, Step};
