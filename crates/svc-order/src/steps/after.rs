//! Steps after the pivot, and the way back: capture, ship and clear the cart; recall, give the money back, give the stock back.

use contract::souk::cart::v1::{RemoveBoughtLinesRequest, SkuQuantity};
use contract::souk::inventory::v1::{ReleaseHoldRequest, ReturnHoldRequest};
use contract::souk::payment::v1::{
    CapturePaymentRequest, OperationState, RefundPaymentRequest, VoidPaymentRequest,
};
use contract::souk::shipping::v1::{CancelShipmentRequest, CreateShipmentRequest, ShipmentLine};
use contract::wire::money;
use kernel::{Error, Result};
use mesh::Killed;

use super::{At, CAPTURE, CART, Callees, Done, Points, SHIP, pending};
use crate::domain::{MadeShipment, Outcome, Payment, Shipment, Stock};

impl Callees {
    /// What follows a confirmation, at the same time. What went well is recorded; the rest is asked again.
    pub(super) async fn follow_up(
        &self,
        at: At<'_>,
        capture: bool,
        ship: bool,
        cart: bool,
    ) -> Result<Done, Killed> {
        let (captured, shipped, cleared) = tokio::try_join!(
            self.when(capture, &CAPTURE, self.capture(at)),
            self.when(ship, &SHIP, self.ship(at)),
            self.when(cart, &CART, self.clear_cart(at)),
        )?;
        let (captured, no_capture) = split(captured);
        let (shipped, no_shipment) = split(shipped);
        let (cleared, no_cart) = split(cleared);
        let failure = no_capture.or(no_shipment).or(no_cart);
        if captured.is_none() && shipped.is_none() && cleared.is_none() {
            return Ok(Done::Later(
                failure.unwrap_or_else(|| Error::internal("a step without anything to do")),
            ));
        }
        if let Some(error) = failure {
            tracing::warn!(order = %at.order.id, error = ?error, "a follow-up is tried again");
        }
        Ok(Done::Known(Outcome::FollowedUp {
            captured: captured.is_some(),
            shipped,
            cleared: cleared.is_some(),
        }))
    }

    async fn when<T>(
        &self,
        wanted: bool,
        points: &Points,
        call: impl Future<Output = T>,
    ) -> Result<Option<T>, Killed> {
        if wanted { self.around(points, call).await.map(Some) } else { Ok(None) }
    }

    async fn capture(&self, at: At<'_>) -> Result<()> {
        let request = CapturePaymentRequest {
            request_id: at.key("capture"),
            payment_id: at.order.payment_id.map(|id| id.to_string()).unwrap_or_default(),
            amount: Some(money(at.order.total)),
        };
        let answer =
            self.payment.clone().capture_payment(request).await.map_err(contract::error)?.into_inner();
        operation(answer.capture.map_or(0, |capture| capture.state), "the capture")
    }

    async fn ship(&self, at: At<'_>) -> Result<Vec<MadeShipment>> {
        let mut made = Vec::with_capacity(at.quote.shipment_groups.len());
        for group in &at.quote.shipment_groups {
            let lines =
                at.quote.lines.iter().filter(|line| line.shipment_group_id == group.shipment_group_id);
            let lines = lines.map(|line| ShipmentLine {
                line_id: line.line_id.clone(),
                sku: line.sku.clone(),
                quantity: line.quantity,
                name: line.name.clone(),
                options: line.options.clone(),
            });
            let request = CreateShipmentRequest {
                request_id: format!("{}/{}", at.key("ship"), group.shipment_group_id),
                order_id: at.order.id.to_string(),
                shipment_group_id: group.shipment_group_id.clone(),
                owner_subject: at.subject(),
                method: group.method.clone(),
                destination: at.quote.destination.clone(),
                lines: lines.collect(),
            };
            let answer =
                self.shipping.clone().create_shipment(request).await.map_err(contract::error)?.into_inner();
            let shipment_id = answer.shipment.map(|shipment| shipment.id).unwrap_or_default();
            made.push(MadeShipment { group_id: group.shipment_group_id.clone(), shipment_id });
        }
        Ok(made)
    }

    async fn clear_cart(&self, at: At<'_>) -> Result<()> {
        let lines =
            at.quote.lines.iter().map(|line| SkuQuantity { sku: line.sku.clone(), quantity: line.quantity });
        let request = RemoveBoughtLinesRequest {
            request_id: at.key("cart"),
            order_id: at.order.id.to_string(),
            cart_id: at.quote.cart_id.clone(),
            lines: lines.collect(),
        };
        self.cart.clone().remove_bought_lines(request).await.map_err(contract::error).map(|_| ())
    }

    /// Cancels every shipment. One that was asked for, and may or may not be there, is asked for again first: then it is there, and
    /// no late request can make it after it was cancelled.
    pub(super) async fn recall(&self, at: At<'_>) -> Done {
        if at.order.shipment == Shipment::Asked
            && let Err(error) = self.ship(at).await
        {
            return Done::Later(error);
        }
        for group in &at.quote.shipment_groups {
            let request = CancelShipmentRequest {
                request_id: format!("{}/{}", at.key("recall"), group.shipment_group_id),
                order_id: at.order.id.to_string(),
                shipment_group_id: group.shipment_group_id.clone(),
                note: String::new(),
            };
            match self.shipping.clone().cancel_shipment(request).await.map_err(contract::error) {
                Ok(_) => {}
                Err(error) if error.reason() == "SHIPMENT_STATE" => {
                    return Done::Known(Outcome::ShipmentLeft);
                }
                Err(error) if error.reason() == "SHIPMENT_NOT_FOUND" => {}
                Err(error) => return Done::Later(error),
            }
        }
        Done::Known(Outcome::ShipmentRecalled)
    }

    /// Voids what was not captured; refunds what was. A void of a payment that is still on its way leaves a mark that refuses it.
    pub(super) async fn release_payment(&self, at: At<'_>) -> Done {
        if at.order.payment == Payment::Captured {
            return self.refund(at).await;
        }
        let request = VoidPaymentRequest {
            request_id: at.key("void"),
            order_id: at.order.id.to_string(),
            tender_index: 0,
            amount: Some(money(at.order.total)),
            owner_subject: at.subject(),
        };
        match self.payment.clone().void_payment(request).await.map_err(contract::error) {
            Ok(answer) => match operation(answer.into_inner().state, "the void") {
                Ok(()) => Done::Known(Outcome::PaymentVoided),
                Err(error) => Done::Later(error),
            },
            // What was asked to be captured may have been.
            Err(error) if error.reason() == "PAYMENT_STATE" && at.order.payment == Payment::CaptureAsked => {
                self.refund(at).await
            }
            Err(error) => Done::Later(error),
        }
    }

    async fn refund(&self, at: At<'_>) -> Done {
        let request = RefundPaymentRequest {
            request_id: at.key("refund"),
            payment_id: at.order.payment_id.map(|id| id.to_string()).unwrap_or_default(),
            amount: None,
            reason: "the order was cancelled".to_owned(),
        };
        match self.payment.clone().refund_payment(request).await.map_err(contract::error) {
            Ok(answer) => {
                match operation(answer.into_inner().refund.map_or(0, |refund| refund.state), "the refund") {
                    Ok(()) => Done::Known(Outcome::PaymentRefunded),
                    Err(error) => Done::Later(error),
                }
            }
            Err(error) => Done::Later(error),
        }
    }

    /// Releases the hold, or returns it when it is, or turns out to be, committed. A hold that is still on its way expires by itself.
    pub(super) async fn release_stock(&self, at: At<'_>) -> Done {
        if at.order.stock == Stock::Committed {
            return self.return_stock(at).await;
        }
        let request = ReleaseHoldRequest { request_id: at.key("release"), hold_id: at.hold_id() };
        match self.inventory.clone().release_hold(request).await.map_err(contract::error) {
            Ok(_) => Done::Known(Outcome::StockReleased),
            Err(error) if error.reason() == "HOLD_NOT_FOUND" => Done::Known(Outcome::StockReleased),
            Err(error) if matches!(error.reason(), "HOLD_COMMITTED" | "HOLD_RETURNED") => {
                self.return_stock(at).await
            }
            Err(error) => Done::Later(error),
        }
    }

    async fn return_stock(&self, at: At<'_>) -> Done {
        let request = ReturnHoldRequest { request_id: at.key("return"), hold_id: at.hold_id() };
        match self.inventory.clone().return_hold(request).await.map_err(contract::error) {
            Ok(_) => Done::Known(Outcome::StockReturned),
            Err(error) => Done::Later(error),
        }
    }
}

/// What went well, and what did not; neither when it was not asked for. A refusal is no reason to stop asking: after the
/// pivot there is no way back, and somebody is told by the alarm.
fn split<T>(result: Option<Result<T>>) -> (Option<T>, Option<Error>) {
    match result {
        Some(Ok(value)) => (Some(value), None),
        Some(Err(error)) => (None, Some(error)),
        None => (None, None),
    }
}

fn operation(state: i32, what: &str) -> Result<()> {
    match OperationState::try_from(state).unwrap_or_default() {
        OperationState::Succeeded => Ok(()),
        OperationState::Pending | OperationState::Unspecified => Err(pending(what)),
        OperationState::Failed => Err(Error::precondition(
            "PAYMENT_OPERATION_FAILED",
            format!("{what} was refused by the provider"),
        )),
    }
}
