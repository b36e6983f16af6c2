//! Categories.

use chassis::{event, request_key};
use contract::souk::product::v1 as pb;
use contract::wire;
use kernel::{CategoryId, Error, Result};
use mesh::Caller;
use prost::Message;
use tonic::Response;

use super::{Api, parse, reply, show};
use crate::domain::{Category, CategoryDraft, Tree};
use crate::store::SavedCategory;

impl Api {
    pub(super) async fn make_category(
        &self,
        caller: Caller,
        request: pb::CreateCategoryRequest,
    ) -> Result<Response<pb::CreateCategoryResponse>> {
        let key = request_key(&caller, "product.CreateCategory", &request.request_id, &request)?;
        if let Some(answer) = self.catalogue.answer(&key).await? {
            return reply(Err(answer));
        }
        let parent = wire::parse_optional_id("/parent_id", &request.parent_id)?;
        let draft = CategoryDraft::check(&request.name, &request.slug, request.position)?;
        let answer = |category: pb::Category| pb::CreateCategoryResponse { category: Some(category) };
        let effects = |tree: &Tree, category: &Category, version: i64| {
            let after = show::category(category, version, tree);
            let created = event(category.id, version, &pb::CategoryCreated { category: Some(after.clone()) });
            (created, Some((key.clone(), answer(after).encode_to_vec())))
        };
        let saved = self.catalogue.create_category(self.ctx.id(), parent, draft, &effects).await?;
        reply(self.shown_category(saved).map(answer))
    }

    pub(super) async fn change_category(
        &self,
        caller: Caller,
        request: pb::UpdateCategoryRequest,
    ) -> Result<Response<pb::UpdateCategoryResponse>> {
        let key = request_key(&caller, "product.UpdateCategory", &request.request_id, &request)?;
        if let Some(answer) = self.catalogue.answer(&key).await? {
            return reply(Err(answer));
        }
        let seen = parse::version(request.version)?;
        let id = wire::parse_id("/category_id", &request.category_id)?;
        let draft = CategoryDraft::check(&request.name, &request.slug, request.position)?;
        let answer = |category: pb::Category| pb::UpdateCategoryResponse { category: Some(category) };
        let effects = |tree: &Tree, category: &Category, version: i64| {
            let after = show::category(category, version, tree);
            let updated = event(category.id, version, &pb::CategoryUpdated { category: Some(after.clone()) });
            (updated, Some((key.clone(), answer(after).encode_to_vec())))
        };
        let saved = self.catalogue.update_category(id, seen, draft, &effects).await?;
        reply(self.shown_category(saved).map(answer))
    }

    pub(super) async fn remove_category(
        &self,
        caller: Caller,
        request: pb::DeleteCategoryRequest,
    ) -> Result<Response<pb::DeleteCategoryResponse>> {
        let key = request_key(&caller, "product.DeleteCategory", &request.request_id, &request)?;
        if let Some(answer) = self.catalogue.answer(&key).await? {
            return reply(Err(answer));
        }
        let seen = parse::version(request.version)?;
        let id = wire::parse_id("/category_id", &request.category_id)?;
        let effects = |tree: &Tree, category: &Category, version: i64| {
            let before = show::category(category, version - 1, tree);
            let deleted = event(category.id, version, &pb::CategoryDeleted { category: Some(before) });
            (deleted, Some((key.clone(), pb::DeleteCategoryResponse {}.encode_to_vec())))
        };
        let saved = self.catalogue.delete_category(id, seen, &effects).await?;
        reply(self.shown_category(saved).map(|_| pb::DeleteCategoryResponse {}))
    }

    pub(super) fn one_category(&self, request: &pb::GetCategoryRequest) -> Result<pb::GetCategoryResponse> {
        let id: CategoryId = wire::parse_id("/category_id", &request.category_id)?;
        let tree = self.catalogue.tree();
        let (category, version) = tree.get(id).ok_or_else(|| no_category().at("/category_id"))?;
        Ok(pb::GetCategoryResponse { category: Some(show::category(category, *version, &tree)) })
    }

    pub(super) fn all_categories(
        &self,
        request: &pb::ListCategoriesRequest,
    ) -> Result<pb::ListCategoriesResponse> {
        let root = wire::parse_optional_id::<CategoryId>("/root_id", &request.root_id)?;
        let tree = self.catalogue.tree();
        if root.is_some_and(|root| tree.get(root).is_none()) {
            return Err(no_category().at("/root_id"));
        }
        let walk = tree.walk(root);
        let categories =
            walk.into_iter().map(|(category, version)| show::category(category, *version, &tree));
        Ok(pb::ListCategoriesResponse { categories: categories.collect() })
    }

    fn shown_category(&self, saved: SavedCategory) -> std::result::Result<pb::Category, Vec<u8>> {
        match saved {
            SavedCategory::Done(category, version) => {
                Ok(show::category(&category, version, &self.catalogue.tree()))
            }
            SavedCategory::Replayed(answer) => Err(answer),
        }
    }
}

fn no_category() -> Error {
    Error::not_found("CATEGORY_NOT_FOUND", "is not a category")
}
