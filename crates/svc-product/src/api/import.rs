//! Many products at once, and prices of the past.
//!
//! Rows are independent: each is applied in full or refused with its fields. A row is found by its external reference and
//! written only where it differs, so that the same import again, whole or from the middle, ends in the same catalogue.

use std::collections::HashMap;

use chassis::{event, request_key};
use contract::souk::product::v1 as pb;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt, StreamExt, stream};
use kernel::{Error, Result, Violations};
use mesh::Caller;
use prost::Message;
use tonic::Response;

use super::{Api, count, derived_id, parse, reply, show};
use crate::domain::{Category, DEPTH_MAX, Input, PriceRecord, Product, REFERENCE_CHARS_MAX, Tree, Why};
use crate::store::{Found, Outbound, Saved};

/// Rows of one import.
const ROWS_MAX: usize = 500;
/// Prices of the past in one row, or in one request.
const HISTORY_MAX: usize = 1_000;
/// Rows worked on at once.
const ROWS_IN_FLIGHT: usize = 32;
/// Category paths of one row.
const PATHS_MAX: usize = 10;
/// How often a row is tried again when others change the same product meanwhile.
const TRIES: usize = 8;

impl Api {
    pub(super) async fn import(
        &self,
        caller: Caller,
        request: pb::ImportProductsRequest,
    ) -> Result<Response<pb::ImportProductsResponse>> {
        let key = request_key(&caller, "product.ImportProducts", &request.request_id, &request)?;
        if let Some(answer) = self.catalogue.answer(&key).await? {
            return reply(Err(answer));
        }
        count("/products", request.products.len(), ROWS_MAX)?;
        let mut why = self.why(&caller, parse::reason("/price_reason", &request.price_reason)?);
        "import".clone_into(&mut why.actor);
        let mut rows: Vec<BoxFuture<'_, Result<pb::ImportResult>>> =
            Vec::with_capacity(request.products.len());
        for (index, row) in (0_i32..).zip(&request.products) {
            rows.push(self.import_row(index, row, &why).boxed());
        }
        let results: Vec<_> = stream::iter(rows).buffered(ROWS_IN_FLIGHT).collect().await;
        let results = results.into_iter().collect::<Result<Vec<_>>>()?;
        let response = pb::ImportProductsResponse { results };
        let before = self.catalogue.remember(key, response.encode_to_vec()).await?;
        reply(before.map_or(Ok(response), Err))
    }

    /// What became of a row; an error only when the store fails, which ends the import.
    async fn import_row(&self, index: i32, row: &pb::ImportProduct, why: &Why) -> Result<pb::ImportResult> {
        let mut result = pb::ImportResult {
            external_reference: row.external_reference.clone(),
            outcome: pb::ImportOutcome::Refused.into(),
            ..pb::ImportResult::default()
        };
        match self.apply_row(index, row, why).await {
            Ok(applied) => {
                result.outcome = applied.outcome.into();
                result.product_id = applied.found.product.id.to_string();
                result.version = applied.found.version;
                result.prices_recorded = applied.recorded;
                result.refusals = applied.refusals;
            }
            Err(error)
                if error.code() == kernel::Code::Internal || error.code() == kernel::Code::Unavailable =>
            {
                return Err(error);
            }
            Err(error) => result.refusals = refusals(index, &error),
        }
        Ok(result)
    }

    async fn apply_row(&self, index: i32, row: &pb::ImportProduct, why: &Why) -> Result<Applied> {
        let mut input = check_row(row)?;
        for (n, path) in row.category_paths.iter().enumerate() {
            let id =
                self.ensure_path(path).await.map_err(|error| error.at(&format!("/category_paths/{n}")))?;
            input.categories.push(id);
        }
        let (found, outcome) = self.upsert(input, why).await.map_err(|error| error.at("/product"))?;
        let known = |sku: &str| found.product.variant(sku).is_some();
        let (records, refused) = sift(&row.price_history, why, known);
        let recorded = self.catalogue.file(found.product.id, records).await?;
        let refusals = refused
            .into_iter()
            .flat_map(|(n, error)| refusals(index, &error.at(&format!("/price_history/{n}"))))
            .collect();
        Ok(Applied { found, outcome, recorded: i32::try_from(recorded).unwrap_or(i32::MAX), refusals })
    }

    async fn ensure_path(&self, path: &str) -> Result<kernel::CategoryId> {
        let names: Vec<&str> = path.split('/').map(str::trim).collect();
        let effects = |tree: &Tree, category: &Category, version: i64| {
            let after = show::category(category, version, tree);
            (event(category.id, version, &pb::CategoryCreated { category: Some(after) }), None)
        };
        // The path is one field; which of its names is wrong is said in words.
        let made = self.catalogue.ensure_path(&names, || self.ctx.id(), &effects).await;
        made.map_err(|error| match error.code() {
            kernel::Code::InvalidArgument => {
                Error::invalid("INVALID_ARGUMENT", "must be names of 1 to 100 characters joined by /")
            }
            _ => error,
        })
    }

    /// Makes or changes the product of the input's external reference; starts over when somebody else changes it.
    async fn upsert(&self, input: Input, why: &Why) -> Result<(std::sync::Arc<Found>, pb::ImportOutcome)> {
        let draft = self.draft(Ok(input)).await?;
        let trail = self.trail(draft.categories());
        let reference = draft.external_reference().to_owned();
        let mut last = None;
        for attempt in 0..TRIES {
            let tree = self.catalogue.tree();
            let (saved, outcome) = match self.catalogue.by_reference(&reference).await? {
                Some(found) => {
                    let revision = found.product.revise(draft.clone(), trail.clone(), why);
                    if revision.is_nothing() {
                        return Ok((found, pb::ImportOutcome::Unchanged));
                    }
                    let what = revision.clone();
                    let effects = |product: &Product, version: i64| {
                        let events = show::events(&what, why, &show::product(product, version, &tree));
                        Outbound { events, remember: None }
                    };
                    (self.catalogue.replace(&found, revision, &effects).await, pb::ImportOutcome::Updated)
                }
                None => {
                    let id = derived_id(&["reference", &reference, &attempt.to_string()]);
                    let product = Product::create(id, draft.clone(), trail.clone(), why);
                    let effects = |product: &Product, version: i64| {
                        let after = show::product(product, version, &tree);
                        let created = pb::ProductCreated { product: Some(after) };
                        Outbound { events: vec![event(product.id, version, &created)], remember: None }
                    };
                    let saved = self.catalogue.create(product, draft.slug_is_made, &effects).await;
                    (saved, pb::ImportOutcome::Created)
                }
            };
            match saved {
                Ok(Saved::Done(found)) => return Ok((found, outcome)),
                Ok(Saved::Replayed(_)) => return Err(Error::internal("a row has no request key")),
                Err(error) if matches!(error.reason(), "VERSION_CONFLICT" | "EXTERNAL_REFERENCE_TAKEN") => {
                    last = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        Err(last.unwrap_or_else(|| Error::internal("a row is tried at least once")))
    }

    pub(super) async fn record(
        &self,
        caller: Caller,
        request: pb::RecordPriceHistoryRequest,
    ) -> Result<Response<pb::RecordPriceHistoryResponse>> {
        let key = request_key(&caller, "product.RecordPriceHistory", &request.request_id, &request)?;
        if let Some(answer) = self.catalogue.answer(&key).await? {
            return reply(Err(answer));
        }
        count("/entries", request.entries.len(), HISTORY_MAX)?;
        let mut why = self.why(&caller, String::new());
        "import".clone_into(&mut why.actor);
        let mut skus: Vec<String> = request.entries.iter().map(|entry| entry.sku.clone()).collect();
        skus.sort();
        skus.dedup();
        let products = self.catalogue.by_skus(&skus).await?;
        let products: HashMap<_, _> = skus.iter().map(String::as_str).zip(products).collect();
        let product = |sku: &str| products.get(sku).and_then(Option::as_ref).map(|found| found.product.id);
        let (records, refused) = sift(&request.entries, &why, |sku| product(sku).is_some());
        let good = records.len();
        let mut by_product: HashMap<_, Vec<PriceRecord>> = HashMap::new();
        for record in records {
            by_product.entry(product(&record.sku)).or_default().push(record);
        }
        let mut recorded = 0;
        for (id, records) in by_product {
            recorded += self.catalogue.file(id.expect("sifted by product"), records).await?;
        }
        let response = pb::RecordPriceHistoryResponse {
            recorded: i32::try_from(recorded).unwrap_or(i32::MAX),
            already: i32::try_from(good - recorded).unwrap_or(i32::MAX),
            refusals: refused.into_iter().flat_map(|(n, error)| refusals(n, &error)).collect(),
        };
        let before = self.catalogue.remember(key, response.encode_to_vec()).await?;
        reply(before.map_or(Ok(response), Err))
    }
}

struct Applied {
    found: std::sync::Arc<Found>,
    outcome: pb::ImportOutcome,
    recorded: i32,
    refusals: Vec<pb::RowRefusal>,
}

/// Checks of a row before anything of it is done; the whole of its product is checked, so that a bad one makes no
/// categories.
fn check_row(row: &pb::ImportProduct) -> Result<Input> {
    let mut v = Violations::new();
    let reference = v.text("/external_reference", &row.external_reference, REFERENCE_CHARS_MAX);
    let inner = row.product.as_ref().map_or("", |product| product.external_reference.as_str());
    let agrees = inner.is_empty() || inner == row.external_reference;
    v.check(agrees, "/product/external_reference", "must be empty or that of the row");
    v.check(row.category_paths.len() <= PATHS_MAX, "/category_paths", "has more than 10 entries");
    for (n, path) in row.category_paths.iter().take(PATHS_MAX).enumerate() {
        let good =
            path.split('/').count() <= DEPTH_MAX && path.split('/').all(|name| !name.trim().is_empty());
        v.check(good, format!("/category_paths/{n}"), "must be 1 to 8 names joined by /");
    }
    v.check(row.price_history.len() <= HISTORY_MAX, "/price_history", "has more than 1000 entries");
    let input = v.take("/product", parse::input(row.product.as_ref()));
    let checked = input.map(|input| Input { external_reference: reference, ..input });
    if let Some(input) = &checked {
        v.take("/product", input.clone().check());
    }
    v.finish()?;
    checked.ok_or_else(|| Error::internal("a field without a violation is there"))
}

/// Parts good records of past prices from bad ones, which keep their place.
fn sift(
    entries: &[pb::HistoricPrice],
    why: &Why,
    known: impl Fn(&str) -> bool,
) -> (Vec<PriceRecord>, Vec<(i32, Error)>) {
    let (mut good, mut bad) = (Vec::with_capacity(entries.len()), Vec::new());
    for (n, entry) in (0_i32..).zip(entries) {
        match parse::historic(entry, &why.actor, why.now) {
            Ok(record) if known(&record.sku) => good.push(record),
            Ok(_) => {
                bad.push((n, Error::not_found("SKU_NOT_FOUND", "is not a SKU of this product").at("/sku")))
            }
            Err(error) => bad.push((n, error)),
        }
    }
    (good, bad)
}

/// One refusal for each wrong field of an error.
fn refusals(index: i32, error: &Error) -> Vec<pb::RowRefusal> {
    let refusal = |field: &str, description: &str| pb::RowRefusal {
        index,
        field: field.to_owned(),
        reason: error.reason().to_owned(),
        description: description.to_owned(),
    };
    if error.violations().is_empty() {
        return vec![refusal("", error.message())];
    }
    error.violations().iter().map(|violation| refusal(&violation.field, &violation.description)).collect()
}
