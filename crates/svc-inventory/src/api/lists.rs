//! Lists for staff and the audit.

use contract::souk::inventory::v1 as wire;
use contract::wire::page_info;
use kernel::{Error, Result, Violations};

use super::stock::list_limit;
use super::{Api, convert};
use crate::domain::check_sku;
use crate::store::After;

impl Api {
    pub(super) async fn counters(&self, request: wire::ListStockRequest) -> Result<wire::ListStockResponse> {
        let page = contract::wire::page(&request.page)?;
        let limit = list_limit(&page, request.limit)?;
        let after = self.after("inventory.ListStock", &page.cursor)?;
        let counters = self.stock.list_counters(&after, limit).await?;
        let items = counters.items.iter().map(|(place, counter)| convert::counter(place, *counter)).collect();
        Ok(wire::ListStockResponse {
            counters: items,
            page: Some(self.next("inventory.ListStock", counters.next)),
        })
    }

    pub(super) async fn movements(
        &self,
        request: wire::ListMovementsRequest,
    ) -> Result<wire::ListMovementsResponse> {
        let page = contract::wire::page(&request.page)?;
        let limit = list_limit(&page, request.limit)?;
        let sku = (!request.sku.is_empty()).then_some(request.sku.as_str());
        if let Some(sku) = sku {
            let mut violations = Violations::new();
            check_sku(&mut violations, "/sku", sku);
            violations.finish()?;
        }
        let query = format!("inventory.ListMovements|{}", request.sku);
        let after = self.after(&query, &page.cursor)?;
        let movements = self.stock.list_movements(sku, &after, limit).await?;
        let items = movements.items.iter().map(convert::movement).collect();
        Ok(wire::ListMovementsResponse { movements: items, page: Some(self.next(&query, movements.next)) })
    }

    pub(super) async fn balances(
        &self,
        request: wire::ListSkuBalancesRequest,
    ) -> Result<wire::ListSkuBalancesResponse> {
        let page = contract::wire::page(&request.page)?;
        let limit = list_limit(&page, request.limit)?;
        let after = self.after("inventory.ListSkuBalances", &page.cursor)?;
        let balances = self.stock.list_balances(&after, limit).await?;
        let items = balances.items.iter().map(convert::balance).collect();
        Ok(wire::ListSkuBalancesResponse {
            balances: items,
            page: Some(self.next("inventory.ListSkuBalances", balances.next)),
        })
    }

    pub(super) async fn holds(&self, request: wire::ListHoldsRequest) -> Result<wire::ListHoldsResponse> {
        let page = contract::wire::page(&request.page)?;
        let limit = list_limit(&page, request.limit)?;
        let state = convert::parse_state(request.state)?;
        let query = format!("inventory.ListHolds|{}", request.state);
        let after = self.cursors.open(&query, &page.cursor)?.unwrap_or_default();
        let holds = self.stock.list_holds(state, &after, limit).await?;
        let items = holds.items.into_iter().map(convert::hold).collect();
        Ok(wire::ListHoldsResponse { holds: items, page: Some(self.next(&query, holds.next)) })
    }

    /// Where a list goes on.
    fn after(&self, query: &str, cursor: &str) -> Result<After> {
        match self.cursors.open(query, cursor)? {
            None => Ok(After::default()),
            Some(position) => serde_json::from_str(&position).map_err(Error::internal),
        }
    }

    fn next(&self, query: &str, next: Option<String>) -> contract::souk::r#type::v1::PageInfo {
        page_info(next.map(|position| self.cursors.seal(query, &position)))
    }
}
