//! Changes of one product.

use chassis::{event, request_key};
use contract::souk::product::v1 as pb;
use contract::wire;
use kernel::{CategoryId, Error, Result};
use mesh::Caller;
use prost::Message;
use store::RequestKey;
use tonic::Response;

use super::{Api, derived_id, parse, reply, show};
use crate::domain::{Draft, Input, Product, Revision, Why};
use crate::store::{Found, Outbound, Saved, version_conflict};

impl Api {
    pub(super) async fn create(
        &self,
        caller: Caller,
        request: pb::CreateProductRequest,
    ) -> Result<Response<pb::CreateProductResponse>> {
        let key = request_key(&caller, "product.CreateProduct", &request.request_id, &request)?;
        if let Some(answer) = self.catalogue.answer(&key).await? {
            return reply(Err(answer));
        }
        let draft =
            self.draft(parse::input(request.product.as_ref())).await.map_err(|error| error.at("/product"))?;
        let why = self.why(&caller, String::new());
        let id = derived_id(&["request", &key.principal, &key.id]);
        let (trail, slug_is_made) = (self.trail(draft.categories()), draft.slug_is_made);
        let product = Product::create(id, draft, trail, &why);
        let tree = self.catalogue.tree();
        let effects = |product: &Product, version: i64| {
            let after = show::product(product, version, &tree);
            let created =
                event(&after.product_id, version, &pb::ProductCreated { product: Some(after.clone()) });
            let answer = pb::CreateProductResponse { product: Some(after) }.encode_to_vec();
            Outbound { events: vec![created], remember: Some((key.clone(), answer)) }
        };
        let saved =
            self.catalogue.create(product, slug_is_made, &effects).await.map_err(|error| {
                match error.reason() {
                    "VERSION_CONFLICT" => {
                        Error::conflict("REQUEST_IN_PROGRESS", "the same request is being worked on")
                    }
                    _ => error.at("/product"),
                }
            })?;
        reply(self.shown(saved).map(|product| pb::CreateProductResponse { product: Some(product) }))
    }

    pub(super) async fn update(
        &self,
        caller: Caller,
        request: pb::UpdateProductRequest,
    ) -> Result<Response<pb::UpdateProductResponse>> {
        let key = request_key(&caller, "product.UpdateProduct", &request.request_id, &request)?;
        if let Some(answer) = self.catalogue.answer(&key).await? {
            return reply(Err(answer));
        }
        let seen = parse::version(request.version)?;
        let id = wire::parse_id("/product_id", &request.product_id)?;
        let reason = parse::reason("/price_reason", &request.price_reason)?;
        let draft =
            self.draft(parse::input(request.product.as_ref())).await.map_err(|error| error.at("/product"))?;
        let found = self.at_version(id, seen).await?;
        let why = self.why(&caller, reason);
        let trail = self.trail(draft.categories());
        let revision = found.product.revise(draft, trail, &why);
        let answer = |product: pb::Product| pb::UpdateProductResponse { product: Some(product) };
        reply(self.save(&found, revision, &why, key, answer).await.map_err(|error| place(error, "/product"))?)
    }

    pub(super) async fn archive(
        &self,
        caller: Caller,
        request: pb::ArchiveProductRequest,
    ) -> Result<Response<pb::ArchiveProductResponse>> {
        let key = request_key(&caller, "product.ArchiveProduct", &request.request_id, &request)?;
        if let Some(answer) = self.catalogue.answer(&key).await? {
            return reply(Err(answer));
        }
        let seen = parse::version(request.version)?;
        let found = self.at_version(wire::parse_id("/product_id", &request.product_id)?, seen).await?;
        let why = self.why(&caller, String::new());
        let revision = found.product.archive(&why);
        let answer = |product: pb::Product| pb::ArchiveProductResponse { product: Some(product) };
        reply(self.save(&found, revision, &why, key, answer).await?)
    }

    pub(super) async fn price(
        &self,
        caller: Caller,
        request: pb::SetPriceRequest,
    ) -> Result<Response<pb::SetPriceResponse>> {
        let key = request_key(&caller, "product.SetPrice", &request.request_id, &request)?;
        if let Some(answer) = self.catalogue.answer(&key).await? {
            return reply(Err(answer));
        }
        let seen = parse::version(request.version)?;
        let id = wire::parse_id("/product_id", &request.product_id)?;
        let price = wire::parse_unit_price("/unit_price", &request.unit_price)?;
        let why = self.why(&caller, parse::reason("/reason", &request.reason)?);
        let found = self.at_version(id, seen).await?;
        let revision = found.product.with_price(&request.sku, price, &why)?;
        let answer = |product: pb::Product| pb::SetPriceResponse { product: Some(product) };
        reply(self.save(&found, revision, &why, key, answer).await?)
    }

    /// Writes a revision with its events and the answer; one that changes nothing is only remembered.
    async fn save<T: Message + Default>(
        &self,
        found: &Found,
        revision: Revision,
        why: &Why,
        key: RequestKey,
        answer: impl Fn(pb::Product) -> T + Send + Sync,
    ) -> Result<std::result::Result<T, Vec<u8>>> {
        if revision.is_nothing() {
            let same = answer(self.show(found));
            let before = self.catalogue.remember(key, same.encode_to_vec()).await?;
            return Ok(before.map_or(Ok(same), Err));
        }
        let tree = self.catalogue.tree();
        let what = revision.clone();
        let effects = |product: &Product, version: i64| {
            let after = show::product(product, version, &tree);
            let events = show::events(&what, why, &after);
            Outbound { events, remember: Some((key.clone(), answer(after).encode_to_vec())) }
        };
        let saved = self.catalogue.replace(found, revision, &effects).await?;
        Ok(self.shown(saved).map(&answer))
    }

    fn shown(&self, saved: Saved) -> std::result::Result<pb::Product, Vec<u8>> {
        match saved {
            Saved::Done(found) => Ok(self.show(&found)),
            Saved::Replayed(answer) => Err(answer),
        }
    }

    async fn at_version(&self, id: kernel::ProductId, seen: i64) -> Result<std::sync::Arc<Found>> {
        let found = self.found(id).await?;
        if found.version != seen {
            return Err(version_conflict());
        }
        Ok(found)
    }

    /// An input that is good in itself, and names only what is there.
    pub(super) async fn draft(&self, input: Result<Input>) -> Result<Draft> {
        self.with_pictures(input?).await?.check().and_then(|draft| self.known_categories(draft))
    }

    /// Whether every category of a draft is there.
    fn known_categories(&self, draft: Draft) -> Result<Draft> {
        let tree = self.catalogue.tree();
        match draft.categories().iter().position(|id| tree.get(*id).is_none()) {
            Some(n) => {
                let error = Error::not_found("CATEGORY_NOT_FOUND", "is not a category");
                Err(error.at(&format!("/category_ids/{n}")))
            }
            None => Ok(draft),
        }
    }

    pub(super) fn trail(&self, categories: &[CategoryId]) -> Vec<CategoryId> {
        self.catalogue.tree().trail(categories)
    }
}

/// Puts `prefix` before the pointers of what stands in the product; the version stands beside it.
fn place(error: Error, prefix: &str) -> Error {
    if error.reason() == "VERSION_CONFLICT" { error } else { error.at(prefix) }
}
