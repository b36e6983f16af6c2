//! The contract of checkout.

use std::sync::Arc;

use chassis::{Context, Reply};
use contract::souk::checkout::v1 as pb;
use contract::souk::checkout::v1::checkout_service_server::CheckoutService;
use contract::wire;
use kernel::{Error, Result, Violations};
use prost::Message as _;
use store::CommitError;
use tonic::{Request, Response, Status};

use crate::domain::{RATES_MAX, Settings, TaxMode, TaxRate, TaxTable, check_rates};
use crate::keys::Keys;
use crate::quote::{Quoter, tax_mode};
use crate::store::Taxes;
use crate::token::RECOGNIZED;

/// The contract over quoter and repository.
pub(crate) struct Api {
    pub ctx: Context,
    pub quoter: Quoter,
    pub taxes: Taxes,
    pub keys: Arc<Keys>,
}

type Answer<T> = std::result::Result<Response<T>, Status>;

#[tonic::async_trait]
impl CheckoutService for Api {
    async fn create_quote(
        &self,
        request: Request<pb::CreateQuoteRequest>,
    ) -> Answer<pb::CreateQuoteResponse> {
        let caller = mesh::caller(&request);
        let answer = self.quoter.create(&caller, request.into_inner()).await.map_err(contract::status)?;
        Ok(Response::new(answer))
    }

    async fn requote_quote(
        &self,
        request: Request<pb::RequoteQuoteRequest>,
    ) -> Answer<pb::RequoteQuoteResponse> {
        let answer = self.quoter.requote(&request.get_ref().quote_token).await.map_err(contract::status)?;
        Ok(Response::new(answer))
    }

    async fn get_quote_key(&self, _: Request<pb::GetQuoteKeyRequest>) -> Answer<pb::GetQuoteKeyResponse> {
        let keys = self.keys.published(self.ctx.now()).map(|key| pb::QuoteKey {
            key_id: key.id().to_vec(),
            public_key: key.public().to_vec(),
            not_before: Some(wire::timestamp(key.not_before)),
            not_after: Some(wire::timestamp(key.not_after)),
            recognized: Some(wire::duration(RECOGNIZED)),
        });
        Ok(Response::new(pb::GetQuoteKeyResponse { keys: keys.into() }))
    }

    async fn get_tax_table(
        &self,
        request: Request<pb::GetTaxTableRequest>,
    ) -> Answer<pb::GetTaxTableResponse> {
        let table = self.tax_table(request.get_ref()).await.map_err(contract::status)?;
        Ok(Response::new(pb::GetTaxTableResponse { table: Some(table_to_wire(&table)) }))
    }

    async fn list_tax_tables(
        &self,
        request: Request<pb::ListTaxTablesRequest>,
    ) -> Answer<pb::ListTaxTablesResponse> {
        self.list(request.get_ref()).await.map(Response::new).map_err(contract::status)
    }

    async fn set_tax_rates(
        &self,
        request: Request<pb::SetTaxRatesRequest>,
    ) -> Answer<pb::SetTaxRatesResponse> {
        self.set_rates(request).await.map(Reply::into_response).map_err(contract::status)
    }

    async fn get_settings(&self, _: Request<pb::GetSettingsRequest>) -> Answer<pb::GetSettingsResponse> {
        let settings = self.taxes.settings().await.map_err(contract::status)?;
        Ok(Response::new(pb::GetSettingsResponse { settings: Some(settings_to_wire(&settings)) }))
    }

    async fn update_settings(
        &self,
        request: Request<pb::UpdateSettingsRequest>,
    ) -> Answer<pb::UpdateSettingsResponse> {
        self.set_settings(request).await.map(Reply::into_response).map_err(contract::status)
    }
}

impl Api {
    async fn tax_table(&self, request: &pb::GetTaxTableRequest) -> Result<TaxTable> {
        let country = wire::parse_country("/country_code", &request.country_code)?;
        self.taxes.table(&country).await
    }

    async fn list(&self, request: &pb::ListTaxTablesRequest) -> Result<pb::ListTaxTablesResponse> {
        const QUERY: &str = "checkout.tax_tables";
        let page = wire::page(&request.page)?;
        let after = self.ctx.cursors().open(QUERY, &page.cursor)?.unwrap_or_default();
        let mut tables = self.taxes.list(&after, page.limit + 1).await?;
        let more = tables.len() > page.limit as usize;
        tables.truncate(page.limit as usize);
        let next = tables.last().filter(|_| more).map(|table| self.ctx.cursors().seal(QUERY, &table.country));
        Ok(pb::ListTaxTablesResponse {
            tables: tables.iter().map(table_to_wire).collect(),
            page: Some(wire::page_info(next)),
        })
    }

    async fn set_rates(
        &self,
        request: Request<pb::SetTaxRatesRequest>,
    ) -> Result<Reply<pb::SetTaxRatesResponse>> {
        let caller = mesh::caller(&request);
        let request = request.into_inner();
        let key = chassis::request_key(&caller, "checkout.SetTaxRates", &request.request_id, &request)?;
        let mut table = table_from_wire(&request)?;
        if let Some(answer) = self.taxes.answer(&key).await? {
            return Reply::from_answer(&answer);
        }
        table.version = next_version(request.version)?;
        let answer = pb::SetTaxRatesResponse { table: Some(table_to_wire(&table)) };
        let changed = pb::TaxTableChanged { table: answer.table.clone() };
        let event = chassis::event(format!("tax:{}", table.country), table.version, &changed);
        let done = self.taxes.set_table(&table, event, key, answer.encode_to_vec()).await;
        settle(done, answer)
    }

    async fn set_settings(
        &self,
        request: Request<pb::UpdateSettingsRequest>,
    ) -> Result<Reply<pb::UpdateSettingsResponse>> {
        let caller = mesh::caller(&request);
        let request = request.into_inner();
        let key = chassis::request_key(&caller, "checkout.UpdateSettings", &request.request_id, &request)?;
        let home_country = wire::parse_country("/home_country", &request.home_country)?;
        let mut settings = Settings {
            rounding: wire::parse_rounding("/rounding_mode", request.rounding_mode)?,
            level: wire::parse_rounding_level("/rounding_level", request.rounding_level)?,
            home_country,
            version: 0,
        };
        if settings.home_country == "ZZ" {
            return Err(Error::field("/home_country", "INVALID_ARGUMENT", "must be a known country"));
        }
        if let Some(answer) = self.taxes.answer(&key).await? {
            return Reply::from_answer(&answer);
        }
        if request.version < 1 {
            return Err(Error::field(
                "/version",
                "INVALID_ARGUMENT",
                "must be the version that was seen, from 1",
            ));
        }
        settings.version = next_version(request.version)?;
        let answer = pb::UpdateSettingsResponse { settings: Some(settings_to_wire(&settings)) };
        let changed = pb::CheckoutSettingsChanged { settings: answer.settings.clone() };
        let event = chassis::event("settings", settings.version, &changed);
        let done = self.taxes.set_settings(&settings, event, key, answer.encode_to_vec()).await;
        settle(done, answer)
    }
}

fn next_version(seen: i64) -> Result<i64> {
    if !(0..i64::MAX).contains(&seen) {
        return Err(Error::field(
            "/version",
            "INVALID_ARGUMENT",
            "must be the version that was seen, from 0",
        ));
    }
    Ok(seen + 1)
}

/// What a change that was committed, or not, is answered with.
fn settle<T: prost::Message + Default>(
    done: std::result::Result<(), CommitError>,
    answer: T,
) -> Result<Reply<T>> {
    match done {
        Ok(()) => Ok(Reply::fresh(answer)),
        Err(CommitError::Replayed(answer)) => Reply::from_answer(&answer),
        Err(CommitError::Duplicate { .. }) => Err(Error::conflict(
            "VERSION_CONFLICT",
            "it was changed by someone else in the meantime; read it again and retry",
        )),
        Err(error) => Err(error.into()),
    }
}

fn table_from_wire(request: &pb::SetTaxRatesRequest) -> Result<TaxTable> {
    let country = wire::parse_country("/country_code", &request.country_code)?;
    if country == "ZZ" {
        let description = "must be a known country; unknown destinations have the taxes of the home country";
        return Err(Error::field("/country_code", "INVALID_ARGUMENT", description));
    }
    let mode = match wire::parse_enum("/tax_mode", request.tax_mode)? {
        pb::TaxMode::Exclusive => TaxMode::Exclusive,
        pb::TaxMode::Inclusive | pb::TaxMode::Unspecified => TaxMode::Inclusive,
    };
    let mut violations = Violations::new();
    let mut rates = Vec::with_capacity(request.rates.len().min(RATES_MAX + 1));
    for (index, rate) in request.rates.iter().take(RATES_MAX + 1).enumerate() {
        let valid_from = match &rate.valid_from {
            None => kernel::Timestamp::default(),
            Some(_) => wire::parse_timestamp(&format!("/rates/{index}/valid_from"), &rate.valid_from)?,
        };
        rates.push(TaxRate {
            class: rate.tax_class.clone(),
            name: rate.name.clone(),
            rate_micros: rate.rate_micros,
            valid_from,
        });
    }
    check_rates(&mut rates, &mut violations);
    violations.finish()?;
    Ok(TaxTable { country, mode, rates, version: 0 })
}

pub(crate) fn table_to_wire(table: &TaxTable) -> pb::TaxTable {
    let rates = table.rates.iter().map(|rate| pb::TaxRate {
        tax_class: rate.class.clone(),
        name: rate.name.clone(),
        rate_micros: rate.rate_micros,
        valid_from: (rate.valid_from.micros() > 0).then(|| wire::timestamp(rate.valid_from)),
    });
    pb::TaxTable {
        country_code: table.country.clone(),
        tax_mode: tax_mode(table.mode).into(),
        rates: rates.collect(),
        version: table.version,
    }
}

pub(crate) fn settings_to_wire(settings: &Settings) -> pb::CheckoutSettings {
    pb::CheckoutSettings {
        rounding_mode: wire::rounding(settings.rounding).into(),
        rounding_level: wire::rounding_level(settings.level).into(),
        home_country: settings.home_country.clone(),
        version: settings.version,
    }
}
