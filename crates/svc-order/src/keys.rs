//! Checkout's public keys, kept until a token names one that is not among them.

use std::sync::Arc;
use std::time::Duration;

use chassis::Context;
use contract::souk::checkout::v1::checkout_service_client::CheckoutServiceClient;
use contract::souk::checkout::v1::{GetQuoteKeyRequest, RequoteQuoteRequest, RequoteQuoteResponse};
use kernel::Result;
use mesh::Channel;
use parking_lot::Mutex;

use crate::domain::{PublicKey, open_token, token_key_id};

/// How soon checkout is asked again at the earliest: tokens with made-up keys must not make work for it.
const ASK_EVERY: Duration = Duration::from_secs(1);

/// Verifies quote tokens.
#[derive(Clone)]
pub struct QuoteKeys {
    ctx: Context,
    checkout: CheckoutServiceClient<Channel>,
    known: Arc<Mutex<Known>>,
}

#[derive(Default)]
struct Known {
    keys: Arc<[PublicKey]>,
    asked_at: Option<Duration>,
}

impl QuoteKeys {
    /// No keys yet.
    ///
    /// # Errors
    /// Internal when the role does not declare that it calls checkout.
    pub fn new(ctx: &Context) -> Result<Self> {
        Ok(Self {
            ctx: ctx.clone(),
            checkout: ctx.call("checkout", CheckoutServiceClient::new)?,
            known: Arc::default(),
        })
    }

    /// The bytes of the quote in a token, as checkout signed them.
    ///
    /// # Errors
    /// `QUOTE_TOKEN_INVALID` when checkout did not sign it; checkout's when it cannot be asked for a new key.
    pub async fn open(&self, token: &str) -> Result<Vec<u8>> {
        let id = token_key_id(token)?;
        let mut keys = self.known.lock().keys.clone();
        if !keys.iter().any(|key| key.id() == id) && self.may_ask() {
            keys = self.ask().await?;
        }
        open_token(token, &keys)
    }

    fn may_ask(&self) -> bool {
        let now = self.ctx.clock().monotonic();
        let mut known = self.known.lock();
        let may =
            known.keys.is_empty() || known.asked_at.is_none_or(|at| now.saturating_sub(at) >= ASK_EVERY);
        if may {
            known.asked_at = Some(now);
        }
        may
    }

    async fn ask(&self) -> Result<Arc<[PublicKey]>> {
        let answer = self
            .checkout
            .clone()
            .get_quote_key(GetQuoteKeyRequest {})
            .await
            .map_err(contract::error)?
            .into_inner();
        let keys = answer
            .keys
            .iter()
            .map(|key| PublicKey::new(&key.key_id, &key.public_key))
            .collect::<Result<Arc<[_]>>>()?;
        self.known.lock().keys = keys.clone();
        Ok(keys)
    }

    /// Has checkout quote an expired token again.
    ///
    /// # Errors
    /// Checkout's.
    pub async fn requote(&self, token: &str) -> Result<RequoteQuoteResponse> {
        let request = RequoteQuoteRequest { quote_token: token.to_owned() };
        Ok(self.checkout.clone().requote_quote(request).await.map_err(contract::error)?.into_inner())
    }
}
