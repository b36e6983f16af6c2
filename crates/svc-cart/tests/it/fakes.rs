//! Product and identity, as far as cart sees them.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::{Future, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use contract::souk::identity::v1::{Key, KeySet, WatchKeySetRequest, WatchKeySetResponse};
use contract::souk::product::v1::*;
use contract::souk::r#type::v1::UnitPrice;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use tokio_stream::{Stream, StreamExt};
use tonic::body::Body;
use tonic::server::{Grpc, NamedService, ServerStreamingService, UnaryService};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

type Answer = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

/// A product service that knows these SKUs.
#[derive(Clone)]
pub struct Product {
    variants: Arc<BTreeMap<String, SellableVariant>>,
    /// How often it was asked.
    pub asked: Arc<AtomicU64>,
}

impl Product {
    /// Knows: `a` (2.50 GBP, 3 EUR), `A` (0.005 GBP), `b` (10 GBP), `old` (archived), and `s0` to `s149` (1 GBP).
    pub fn new() -> Self {
        let mut variants = BTreeMap::new();
        let mut add = |sku: &str, status: ProductStatus, prices: &[(&str, i64)]| {
            let price = |(code, micros): &(&str, i64)| VariantPrice {
                unit_price: Some(UnitPrice { currency_code: (*code).into(), micros: *micros }),
                since: None,
            };
            let variant = SellableVariant {
                sku: sku.into(),
                product_id: "prd_00000000000000000000000001".into(),
                product_name: format!("The {sku}"),
                status: status.into(),
                prices: prices.iter().map(price).collect(),
                ..Default::default()
            };
            variants.insert(sku.to_owned(), variant);
        };
        add("a", ProductStatus::Active, &[("EUR", 3_000_000), ("GBP", 2_500_000)]);
        add("A", ProductStatus::Active, &[("GBP", 5_000)]);
        add("b", ProductStatus::Active, &[("GBP", 10_000_000)]);
        add("old", ProductStatus::Archived, &[("GBP", 1_000_000)]);
        for n in 0..150 {
            add(&format!("s{n}"), ProductStatus::Active, &[("GBP", 1_000_000)]);
        }
        Self { variants: Arc::new(variants), asked: Arc::default() }
    }
}

impl NamedService for Product {
    const NAME: &'static str = "souk.product.v1.ProductService";
}

impl tower::Service<http::Request<Body>> for Product {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        assert!(request.uri().path().ends_with("/BatchGetVariants"), "cart asks for nothing else");
        let this = self.clone();
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).unary(this, request).await) })
    }
}

impl UnaryService<BatchGetVariantsRequest> for Product {
    type Response = BatchGetVariantsResponse;
    type Future = std::future::Ready<Result<Response<BatchGetVariantsResponse>, Status>>;

    fn call(&mut self, request: Request<BatchGetVariantsRequest>) -> Self::Future {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let (mut variants, mut missing_skus) = (Vec::new(), Vec::new());
        for sku in request.into_inner().skus {
            match self.variants.get(&sku) {
                Some(variant) => variants.push(variant.clone()),
                None => missing_skus.push(sku),
            }
        }
        ready(Ok(Response::new(BatchGetVariantsResponse { variants, missing_skus })))
    }
}

/// An identity whose only key is the first of RFC 8032's test vectors.
#[derive(Clone)]
pub struct Identity;

// RFC 8410 wraps a raw Ed25519 seed as PKCS#8: this prefix, then the 32 bytes.
const PKCS8: &str = "302e020100300506032b657004220420";
// RFC 8032, 7.1, test 1.
const SEED: &str = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
const PUBLIC: &str = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len() / 2).map(|i| u8::from_str_radix(&hex[2 * i..2 * i + 2], 16).expect("hex")).collect()
}

/// An access token of this subject, good for ten minutes from `now`, in seconds.
pub fn token(subject: &str, now: i64) -> String {
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some("k1".into());
    let claims = mesh::Claims {
        iss: "souk".into(),
        aud: "souk".into(),
        sub: subject.into(),
        sid: "ses_00000000000000000000000001".into(),
        perms: Vec::new(),
        iat: now,
        nbf: now,
        exp: now + 600,
    };
    let key = EncodingKey::from_ed_der(&bytes(&format!("{PKCS8}{SEED}")));
    encode(&header, &claims, &key).expect("signed")
}

impl NamedService for Identity {
    const NAME: &'static str = "souk.identity.v1.IdentityService";
}

impl tower::Service<http::Request<Body>> for Identity {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Answer;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Answer {
        Box::pin(async move { Ok(Grpc::new(ProstCodec::default()).server_streaming(Self, request).await) })
    }
}

impl ServerStreamingService<WatchKeySetRequest> for Identity {
    type Response = WatchKeySetResponse;
    type ResponseStream = Pin<Box<dyn Stream<Item = Result<WatchKeySetResponse, Status>> + Send>>;
    type Future = std::future::Ready<Result<Response<Self::ResponseStream>, Status>>;

    fn call(&mut self, _: Request<WatchKeySetRequest>) -> Self::Future {
        let never = prost_types::Timestamp { seconds: 4_000_000_000, nanos: 0 };
        let key =
            Key { key_id: "k1".into(), public_key: bytes(PUBLIC), not_before: None, not_after: Some(never) };
        let message = WatchKeySetResponse { key_set: Some(KeySet { keys: vec![key], ..Default::default() }) };
        let stream: Self::ResponseStream =
            Box::pin(tokio_stream::once(Ok(message)).chain(tokio_stream::pending()));
        ready(Ok(Response::new(stream)))
    }
}
