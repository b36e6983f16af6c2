//! `souk.shipping.v1.ShippingService`.

use chassis::{Context, Reply, event, request_key};
use contract::souk::shipping::v1::{self, shipping_service_server::ShippingService};
use contract::wire::{self as words, parse_country, parse_id, parse_money, parse_optional_id};
use kernel::{Error, OrderId, Result, ShipmentGroupId, ShipmentId, Violations};
use mesh::Caller;
use prost::Message;
use store::CommitError;
use tonic::{Request, Response, Status};

use crate::domain::rates::WEIGHT_GRAMS_MAX;
use crate::domain::shipment::Update;
use crate::domain::{Shipment, ShipmentState, Step};
use crate::rates::RateCache;
use crate::store::{Books, Kept, Listed, Rates};
use crate::wire;

/// Longest remark, in characters.
const NOTE_CHARS_MAX: usize = 200;
/// Roles that ask for staff's methods only once they know that staff asks.
const QUOTING_ROLES: [&str; 2] = ["checkout", "order"];
/// How often a decision is made anew because the row changed meanwhile.
const RETRIES_MAX: u32 = 16;

/// The service.
#[derive(Clone)]
pub struct Api {
    ctx: Context,
    books: Books,
    rates: RateCache,
}

impl Api {
    /// The service on this repository and these rates.
    #[must_use]
    pub fn new(ctx: Context, books: Books, rates: RateCache) -> Self {
        Self { ctx, books, rates }
    }

    fn quote(&self, caller: &Caller, request: &v1::QuoteRatesRequest) -> Result<v1::QuoteRatesResponse> {
        let mut wrong = Violations::new();
        let country = wrong.take("", parse_country("/country_code", &request.country_code));
        let light = (0..=WEIGHT_GRAMS_MAX).contains(&request.weight_grams);
        wrong.check(light, "/weight_grams", format!("must be between 0 and {WEIGHT_GRAMS_MAX}"));
        let goods = wrong.take("", parse_money("/goods_price", &request.goods_price));
        wrong.check(
            goods.is_none_or(|goods| goods.minor >= 0),
            "/goods_price/minor_units",
            "must not be negative",
        );
        wrong.finish()?;
        let (Some(country), Some(goods)) = (country, goods) else {
            return Err(Error::internal("a checked request lacks a field"));
        };
        let staff = request.include_staff_methods;
        if staff
            && !QUOTING_ROLES.iter().any(|role| caller.is_role(role))
            && !caller.principal.may("shipping.write")
        {
            return Err(Error::missing_permission("asking for methods for staff", &["shipping.write"]));
        }
        let rates = self.rates.current();
        let offers = rates.quoter.quote(&country, request.weight_grams, goods, staff);
        Ok(v1::QuoteRatesResponse {
            options: offers.into_iter().map(wire::offer).collect(),
            rates_version: rates.version,
        })
    }

    async fn set_rates(
        &self,
        caller: &Caller,
        request: v1::SetRatesRequest,
    ) -> Result<Reply<v1::SetRatesResponse>> {
        let key = request_key(caller, "shipping.SetRates", &request.request_id, &request)?;
        if let Some(answer) = self.books.answer(&key).await? {
            return Reply::from_answer(&answer);
        }
        let wanted = request
            .rates
            .as_ref()
            .ok_or_else(|| Error::field("/rates", "INVALID_ARGUMENT", "is required"))?;
        if wanted.version < 1 {
            return Err(Error::field(
                "/rates/version",
                "INVALID_ARGUMENT",
                "must be the version that was read",
            ));
        }
        let table = wire::parse_rates(wanted)?;
        let stale =
            || Error::conflict("VERSION_CONFLICT", "the rates changed since they were read; read them again");
        if self.books.rates_version().await? != wanted.version {
            return Err(stale());
        }
        let rates = Rates { version: wanted.version + 1, table };
        let answer = v1::SetRatesResponse { rates: Some(wire::rates(&rates)) };
        match self.books.add_rates(&rates, self.ctx.now(), Some((key, answer.encode_to_vec()))).await {
            Ok(()) => {
                self.rates.put(rates);
                Ok(Reply::fresh(answer))
            }
            Err(CommitError::Replayed(answer)) => Reply::from_answer(&answer),
            Err(CommitError::Duplicate { .. }) => Err(stale()),
            Err(error) => Err(error.into()),
        }
    }

    async fn create(
        &self,
        caller: &Caller,
        request: v1::CreateShipmentRequest,
    ) -> Result<Reply<v1::CreateShipmentResponse>> {
        let key = request_key(caller, "shipping.CreateShipment", &request.request_id, &request)?;
        let kept = wire::parse_shipment(request, self.ctx.now())?;
        let message = wire::shipment(&kept, &[made(&kept.shipment)])?;
        let created = event(kept.shipment.id, 1, &v1::ShipmentCreated { shipment: Some(message.clone()) });
        match self.books.create(&kept, key, created).await {
            Ok(()) => Ok(Reply::fresh(v1::CreateShipmentResponse { shipment: Some(message) })),
            Err(CommitError::Replayed(_) | CommitError::Duplicate { .. }) => {
                let there = self.books.shipment(kept.shipment.id).await?.ok_or_else(not_found)?;
                let same = there.contents == kept.contents
                    && there.shipment.owner == kept.shipment.owner
                    && there.shipment.method == kept.shipment.method;
                if !same {
                    let told = "the order's shipment group has another shipment already";
                    return Err(Error::exists("SHIPMENT_EXISTS", told)
                        .with("shipment_id", there.shipment.id.to_string()));
                }
                Ok(Reply::replayed(v1::CreateShipmentResponse { shipment: Some(self.whole(&there).await?) }))
            }
            Err(error) => Err(error.into()),
        }
    }

    async fn cancel(
        &self,
        caller: &Caller,
        request: v1::CancelShipmentRequest,
    ) -> Result<Reply<v1::CancelShipmentResponse>> {
        let key = request_key(caller, "shipping.CancelShipment", &request.request_id, &request)?;
        let mut wrong = Violations::new();
        let order = wrong.take("", parse_id::<OrderId>("/order_id", &request.order_id));
        let group =
            wrong.take("", parse_id::<ShipmentGroupId>("/shipment_group_id", &request.shipment_group_id));
        let note = wrong.optional_lines("/note", &request.note, NOTE_CHARS_MAX);
        wrong.finish()?;
        let (Some(order), Some(group)) = (order, group) else {
            return Err(Error::internal("a checked request lacks a field"));
        };
        self.books.answer(&key).await?;
        for _ in 0..RETRIES_MAX {
            let kept = self.books.shipment(wire::shipment_id(order, group)).await?.ok_or_else(not_found)?;
            let Some((after, step)) = kept.shipment.cancel(note.clone(), self.ctx.now())? else {
                let shipment = Some(self.whole(&kept).await?);
                return Ok(Reply::replayed(v1::CancelShipmentResponse { shipment }));
            };
            let remember = (key.clone(), after.id.to_string().into_bytes());
            if let Some((shipment, _)) = self.step(kept, after, step, |_| remember).await? {
                return Ok(Reply::fresh(v1::CancelShipmentResponse { shipment: Some(shipment) }));
            }
        }
        Err(busy())
    }

    async fn update(
        &self,
        caller: &Caller,
        request: v1::UpdateShipmentRequest,
    ) -> Result<Reply<v1::UpdateShipmentResponse>> {
        let key = request_key(caller, "shipping.UpdateShipment", &request.request_id, &request)?;
        let mut wrong = Violations::new();
        let id = wrong.take("", parse_id::<ShipmentId>("/shipment_id", &request.shipment_id));
        wrong.check(request.version > 0, "/version", "must be the version that was read");
        let state = wrong.take("", wire::parse_state(request.state));
        let carrier = wrong.optional_text("/carrier", &request.carrier, 100);
        let tracking = wrong.optional_text("/tracking_number", &request.tracking_number, 100);
        let note = wrong.optional_lines("/note", &request.note, NOTE_CHARS_MAX);
        wrong.finish()?;
        let (Some(id), Some(state)) = (id, state) else {
            return Err(Error::internal("a checked request lacks a field"));
        };
        if let Some(answer) = self.books.answer(&key).await? {
            return Reply::from_answer(&answer);
        }
        let kept = self.books.shipment(id).await?.ok_or_else(not_found)?;
        let update = Update { state, carrier, tracking, note };
        let (after, step) = kept.shipment.update(request.version, update, self.ctx.now())?;
        let remember = |shipment: &v1::Shipment| {
            (key, v1::UpdateShipmentResponse { shipment: Some(shipment.clone()) }.encode_to_vec())
        };
        match self.step(kept, after, step, remember).await? {
            Some((shipment, replayed)) => {
                Ok(Reply { message: v1::UpdateShipmentResponse { shipment: Some(shipment) }, replayed })
            }
            None => Err(busy()),
        }
    }

    /// Writes a step; `None` when the shipment changed meanwhile.
    async fn step(
        &self,
        kept: Kept,
        after: Shipment,
        step: Step,
        remember: impl FnOnce(&v1::Shipment) -> (store::RequestKey, Vec<u8>),
    ) -> Result<Option<(v1::Shipment, bool)>> {
        let previous = kept.shipment.state;
        let mut history = self.books.history(&kept.shipment).await?;
        history.push(step.clone());
        let shipment = wire::shipment(&Kept { shipment: after.clone(), ..kept }, &history)?;
        let updated = v1::ShipmentUpdated {
            shipment: Some(shipment.clone()),
            previous_state: wire::state(previous).into(),
        };
        let updated = event(after.id, after.version, &updated);
        match self.books.step(&after, &step, remember(&shipment), updated).await {
            Ok(()) => Ok(Some((shipment, false))),
            Err(CommitError::Replayed(_)) => {
                let now = self.books.shipment(after.id).await?.ok_or_else(not_found)?;
                Ok(Some((self.whole(&now).await?, true)))
            }
            Err(CommitError::Unexpected { .. } | CommitError::Duplicate { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn get(&self, caller: &Caller, request: v1::GetShipmentRequest) -> Result<v1::GetShipmentResponse> {
        let id: ShipmentId = parse_id("/shipment_id", &request.shipment_id)?;
        let kept =
            self.books.shipment(id).await?.filter(|kept| may_see(caller, kept)).ok_or_else(not_found)?;
        Ok(v1::GetShipmentResponse { shipment: Some(self.whole(&kept).await?) })
    }

    async fn list(
        &self,
        caller: &Caller,
        request: v1::ListShipmentsRequest,
    ) -> Result<v1::ListShipmentsResponse> {
        let wanted = listed(caller, &request)?;
        let page = words::page(&request.page)?;
        let query =
            format!("shipments|{}|{}|{}", request.order_id, request.state, caller.principal.subject());
        let after = self.ctx.cursors().open(&query, &page.cursor)?.unwrap_or_default();
        let mut found = self.books.list(&wanted, &after, page.limit + 1).await?;
        let more = found.len() > page.limit as usize;
        found.truncate(page.limit as usize);
        let next = found
            .last()
            .filter(|_| more)
            .map(|last| self.ctx.cursors().seal(&query, &wanted.position(&last.shipment)));
        let visible = found.iter().filter(|kept| may_see(caller, kept));
        let shipments = visible.map(|kept| wire::shipment(kept, &[])).collect::<Result<_>>()?;
        Ok(v1::ListShipmentsResponse { shipments, page: Some(words::page_info(next)) })
    }

    async fn whole(&self, kept: &Kept) -> Result<v1::Shipment> {
        wire::shipment(kept, &self.books.history(&kept.shipment).await?)
    }
}

/// Which shipments a caller wants; those of all orders are for staff.
fn listed(caller: &Caller, request: &v1::ListShipmentsRequest) -> Result<Listed> {
    let order = parse_optional_id::<OrderId>("/order_id", &request.order_id)?;
    if order.is_none() && !caller.principal.may("shipping.write") {
        let what = "may only be left empty with the permission shipping.write";
        return Err(Error::field("/order_id", "INVALID_ARGUMENT", what).with("permission", "shipping.write"));
    }
    let any = request.state == i32::from(v1::ShipmentState::Unspecified);
    let state = if any { None } else { Some(wire::parse_state(request.state)?) };
    Ok(Listed { order, state })
}

fn made(shipment: &Shipment) -> Step {
    Step { state: ShipmentState::Pending, time: shipment.created, note: String::new() }
}

fn may_see(caller: &Caller, kept: &Kept) -> bool {
    caller.may_access(&kept.shipment.owner, "shipping.write")
}

fn not_found() -> Error {
    Error::not_found("SHIPMENT_NOT_FOUND", "there is no such shipment")
}

fn busy() -> Error {
    Error::conflict(
        "VERSION_CONFLICT",
        "the shipment was changed by someone else in the meantime; read it again and retry",
    )
}

#[tonic::async_trait]
impl ShippingService for Api {
    async fn quote_rates(
        &self,
        request: Request<v1::QuoteRatesRequest>,
    ) -> Result<Response<v1::QuoteRatesResponse>, Status> {
        let caller = mesh::caller(&request);
        self.quote(&caller, request.get_ref()).map(Response::new).map_err(contract::status)
    }

    async fn get_rates(
        &self,
        _: Request<v1::GetRatesRequest>,
    ) -> Result<Response<v1::GetRatesResponse>, Status> {
        let current = self.rates.current();
        let rates = Rates { version: current.version, table: current.quoter.table().clone() };
        Ok(Response::new(v1::GetRatesResponse { rates: Some(wire::rates(&rates)) }))
    }

    async fn set_rates(
        &self,
        request: Request<v1::SetRatesRequest>,
    ) -> Result<Response<v1::SetRatesResponse>, Status> {
        let caller = mesh::caller(&request);
        self.set_rates(&caller, request.into_inner())
            .await
            .map(Reply::into_response)
            .map_err(contract::status)
    }

    async fn create_shipment(
        &self,
        request: Request<v1::CreateShipmentRequest>,
    ) -> Result<Response<v1::CreateShipmentResponse>, Status> {
        let caller = mesh::caller(&request);
        self.create(&caller, request.into_inner()).await.map(Reply::into_response).map_err(contract::status)
    }

    async fn cancel_shipment(
        &self,
        request: Request<v1::CancelShipmentRequest>,
    ) -> Result<Response<v1::CancelShipmentResponse>, Status> {
        let caller = mesh::caller(&request);
        self.cancel(&caller, request.into_inner()).await.map(Reply::into_response).map_err(contract::status)
    }

    async fn update_shipment(
        &self,
        request: Request<v1::UpdateShipmentRequest>,
    ) -> Result<Response<v1::UpdateShipmentResponse>, Status> {
        let caller = mesh::caller(&request);
        self.update(&caller, request.into_inner()).await.map(Reply::into_response).map_err(contract::status)
    }

    async fn get_shipment(
        &self,
        request: Request<v1::GetShipmentRequest>,
    ) -> Result<Response<v1::GetShipmentResponse>, Status> {
        let caller = mesh::caller(&request);
        self.get(&caller, request.into_inner()).await.map(Response::new).map_err(contract::status)
    }

    async fn list_shipments(
        &self,
        request: Request<v1::ListShipmentsRequest>,
    ) -> Result<Response<v1::ListShipmentsResponse>, Status> {
        let caller = mesh::caller(&request);
        self.list(&caller, request.into_inner()).await.map(Response::new).map_err(contract::status)
    }
}
