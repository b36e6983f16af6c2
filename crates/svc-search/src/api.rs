//! `souk.search.v1.SearchService`: parse, ask, reply.

pub mod show;

use std::sync::Arc;

use chassis::{Context, Reply, request_key, status};
use contract::souk::search::v1 as pb;
use contract::souk::search::v1::search_service_server::SearchService;
use contract::wire;
use kernel::{Error, Result};
use mesh::caller;
use prost::Message;
use sha2::{Digest, Sha256};
use tonic::{Request, Response, Status};

use crate::domain::{Ask, AttributeChoice, Place, PriceRange, Sort};
use crate::state::{Served, State, signed, to_wire};

/// Suggestions in one answer.
const SUGGESTIONS_MAX: i32 = 20;
/// Suggestions when the caller does not say.
const SUGGESTIONS: i32 = 8;
/// Categories among the suggestions.
const CATEGORIES_SUGGESTED_MAX: usize = 3;

/// The service.
pub struct Api {
    ctx: Context,
    state: Arc<State>,
}

impl Api {
    /// The service over what the feed keeps in step.
    pub fn new(ctx: Context, state: Arc<State>) -> Self {
        Self { ctx, state }
    }

    fn served(&self) -> Result<Arc<Served>> {
        self.state.served.load_full().ok_or_else(|| {
            Error::unavailable("INDEX_BUILDING", "the search index is being built").retry_after_ms(500)
        })
    }

    fn search(&self, mut request: pb::SearchRequest) -> Result<pb::SearchResponse> {
        let page = wire::page(&request.page.take())?;
        // The cursor is good for exactly this question.
        let query = format!("search.Search|{}", hex::encode(Sha256::digest(request.encode_to_vec())));
        let place =
            self.ctx.cursors().open(&query, &page.cursor)?.map(|text| Place::read(&text)).transpose()?;
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let ask = parse(request)?.check()?;
        let position = self.state.position();
        let answer = self.served()?.index.ask(&Ask { limit, ..ask.clone() }, place.as_ref())?;
        let next = answer.place.as_ref().map(|place| self.ctx.cursors().seal(&query, &place.write()));
        let facets = ask.facets.then(|| show::facets(&ask, &answer.facets, &self.state.categories.load()));
        Ok(pb::SearchResponse {
            hits: answer.hits.iter().map(|hit| show::hit(hit)).collect::<Result<_>>()?,
            total: signed(answer.total),
            matching: show::understanding(answer.understanding).into(),
            facets,
            page: Some(wire::page_info(next)),
            position: Some(to_wire(position)),
        })
    }

    fn suggest(&self, request: pb::SuggestRequest) -> Result<pb::SuggestResponse> {
        if !(0..=SUGGESTIONS_MAX).contains(&request.limit) {
            return Err(Error::field("/limit", "INVALID_ARGUMENT", "must be between 0 and 20"));
        }
        let limit = if request.limit == 0 { SUGGESTIONS } else { request.limit };
        let limit = usize::try_from(limit).unwrap_or(0);
        let ask = Ask { query: request.query, limit, ..Ask::default() }.check()?;
        let served = self.served()?;
        let mut suggestions = Vec::new();
        if !ask.words.is_empty() {
            let categories = self.state.categories.load();
            let found = categories.beginning(&ask.words, CATEGORIES_SUGGESTED_MAX.min(limit));
            suggestions.extend(found.into_iter().map(show::category_suggestion));
            let room = limit - suggestions.len();
            if room > 0 {
                let answer = served.index.ask(&Ask { limit: room, ..ask }, None)?;
                for hit in &answer.hits {
                    suggestions.push(show::product_suggestion(show::hit(hit)?));
                }
            }
        }
        Ok(pb::SuggestResponse { suggestions })
    }
}

fn parse(request: pb::SearchRequest) -> Result<Ask> {
    let sort = match pb::SearchSort::try_from(request.sort) {
        Ok(pb::SearchSort::Unspecified | pb::SearchSort::Relevance) => Sort::Relevance,
        Ok(pb::SearchSort::PriceAscending) => Sort::PriceAscending,
        Ok(pb::SearchSort::PriceDescending) => Sort::PriceDescending,
        Ok(pb::SearchSort::Newest) => Sort::Newest,
        Ok(pb::SearchSort::Name) => Sort::Name,
        Err(_) => {
            return Err(Error::field(
                "/sort",
                "INVALID_ARGUMENT",
                format!("must be a known value, not {}", request.sort),
            ));
        }
    };
    let currency = match request.currency_code.as_str() {
        "" => None,
        code => Some(wire::parse_currency("/currency_code", code)?),
    };
    let choice = |filter: pb::AttributeFilter| AttributeChoice { name: filter.name, values: filter.values };
    let range = |price: pb::PriceFilter| PriceRange {
        min: price.min_micros,
        below: Some(price.below_micros).filter(|below| *below != 0),
    };
    Ok(Ask {
        query: request.query,
        words: Vec::new(),
        is_wordless: false,
        categories: request.category_ids,
        attributes: request.attributes.into_iter().map(choice).collect(),
        currency,
        price: request.price.map(range),
        sort,
        facets: request.facets,
        bounds: request.price_band_bounds_micros,
        limit: 0,
    })
}

#[tonic::async_trait]
impl SearchService for Api {
    async fn search(
        &self,
        request: Request<pb::SearchRequest>,
    ) -> Result<Response<pb::SearchResponse>, Status> {
        self.search(request.into_inner()).map(Response::new).map_err(status)
    }

    async fn suggest(
        &self,
        request: Request<pb::SuggestRequest>,
    ) -> Result<Response<pb::SuggestResponse>, Status> {
        self.suggest(request.into_inner()).map(Response::new).map_err(status)
    }

    async fn reindex(
        &self,
        request: Request<pb::ReindexRequest>,
    ) -> Result<Response<pb::ReindexResponse>, Status> {
        let caller = caller(&request);
        let message = request.into_inner();
        let key = request_key(&caller, "search.Reindex", &message.request_id, &message).map_err(status)?;
        let replayed = self.state.ask_rebuild(key.principal, key.id);
        let response = pb::ReindexResponse { status: Some(self.state.status()) };
        let reply = if replayed { Reply::replayed(response) } else { Reply::fresh(response) };
        Ok(reply.into_response())
    }

    async fn get_index_status(
        &self,
        _: Request<pb::GetIndexStatusRequest>,
    ) -> Result<Response<pb::GetIndexStatusResponse>, Status> {
        Ok(Response::new(pb::GetIndexStatusResponse { status: Some(self.state.status()) }))
    }
}
