//! The payment provider's own books.

use contract::souk::testpay::v1 as wire;
use contract::souk::testpay::v1::testpay_service_client::TestpayServiceClient;
use contract::wire::{parse_enum, parse_money};
use kernel::Result;

use super::{ANSWER_BYTES_MAX, Interner, PAGE, Unread, ask, malformed, pages};
use crate::audit::books::{Authorization, Provider, ProviderCapture, ProviderRefund};
use crate::client::{Link, Shop};

const CHECK: &str = "provider.readable";
/// The provider that can be asked.
const NAME: &str = "testpay";

type Client = TestpayServiceClient<Link>;

/// Everything that testpay knows: refunds before captures before authorizations, so that none seems to lack its own.
pub(super) async fn read(shop: &Shop) -> Result<Provider, Unread> {
    let client = shop.client(TestpayServiceClient::new).max_decoding_message_size(ANSWER_BYTES_MAX);
    let mut provider = Provider { name: NAME.into(), ..Provider::default() };
    provider.refunds = refunds(shop, &client).await?;
    provider.captures = captures(shop, &client).await?;
    provider.authorizations = authorizations(shop, &client).await?;
    Ok(provider)
}

async fn authorizations(shop: &Shop, client: &Client) -> Result<Vec<Authorization>, Unread> {
    let (mut rows, mut names) = (Vec::new(), Interner::default());
    pages(async |cursor| {
        let request = wire::ListAuthorizationsRequest { limit: PAGE, cursor };
        let answer = ask!(shop, CHECK, client, list_authorizations, request)?;
        for row in answer.authorizations {
            rows.push(authorization(row, &mut names).map_err(malformed(CHECK, "list_authorizations"))?);
        }
        Ok(answer.next_cursor)
    })
    .await?;
    Ok(rows)
}

fn authorization(row: wire::Authorization, names: &mut Interner) -> Result<Authorization> {
    Ok(Authorization {
        method: names.get(&row.payment_method),
        decline: names.get(&row.decline_code),
        captured: parse_money("/captured", &row.captured)?,
        refunded: parse_money("/refunded", &row.refunded)?,
        amount: parse_money("/amount", &row.amount)?,
        state: parse_enum("/state", row.state)?,
        id: row.id.into(),
        key: row.key.into(),
        payment: row.payment_id.into(),
    })
}

async fn captures(shop: &Shop, client: &Client) -> Result<Vec<ProviderCapture>, Unread> {
    let mut rows = Vec::new();
    pages(async |cursor| {
        let request = wire::ListCapturesRequest { limit: PAGE, cursor };
        let answer = ask!(shop, CHECK, client, list_captures, request)?;
        for row in answer.captures {
            let amount = parse_money("/amount", &row.amount).map_err(malformed(CHECK, "list_captures"))?;
            rows.push(ProviderCapture {
                id: row.id.into(),
                key: row.key.into(),
                authorization: row.authorization_id.into(),
                amount,
            });
        }
        Ok(answer.next_cursor)
    })
    .await?;
    Ok(rows)
}

async fn refunds(shop: &Shop, client: &Client) -> Result<Vec<ProviderRefund>, Unread> {
    let mut rows = Vec::new();
    pages(async |cursor| {
        let request = wire::ListRefundsRequest { limit: PAGE, cursor };
        let answer = ask!(shop, CHECK, client, list_refunds, request)?;
        for row in answer.refunds {
            rows.push(refund(row).map_err(malformed(CHECK, "list_refunds"))?);
        }
        Ok(answer.next_cursor)
    })
    .await?;
    Ok(rows)
}

fn refund(row: wire::Refund) -> Result<ProviderRefund> {
    Ok(ProviderRefund {
        id: row.id.into(),
        amount: parse_money("/amount", &row.amount)?,
        state: parse_enum("/state", row.state)?,
        key: row.key.into(),
        authorization: row.authorization_id.into(),
    })
}
