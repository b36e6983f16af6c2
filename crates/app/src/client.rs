//! A shop as a command sees it: over gRPC, with the operator's credential, patient when it is lost on the way.

use std::future::Future;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use contract::souk::identity::v1::ExchangeSecretRequest;
use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;
use kernel::{Code, Error};
use tokio::sync::{Mutex, RwLock};
use tokio::time::Instant;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::console::Failure;
use crate::files::OPERATOR_FILE;

/// How long a command waits for a shop that it has lost.
pub const LOST_MAX: Duration = Duration::from_secs(30);
/// Pauses between attempts: 50 ms, doubling up to 1 s.
const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// An access token is replaced when it has less than this left.
const RENEW_BEFORE: Duration = Duration::from_secs(120);
/// How long access tokens live.
const TOKEN_LIFE: Duration = Duration::from_secs(600);
/// Largest answer, in bytes.
const ANSWER_BYTES_MAX: usize = 16 << 20;

/// Which shop, and as whom.
#[derive(Args, Clone, Debug)]
pub struct ShopArgs {
    /// Where the shop is.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:9000")]
    pub at: String,
    /// The credential: an access token, or a secret (`ops_…`, `svc_…`).
    #[arg(long, value_name = "T", env = "SOUK_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Where the operator's secret is, when no token is given.
    #[arg(long, value_name = "URL", default_value = "dir:.souk")]
    pub data: String,
    /// One JSON document on stdout.
    #[arg(long)]
    pub json: bool,
}

/// What carries a call: a connection, and the token that goes with each request.
pub type Wire = InterceptedService<Channel, Bearer>;

/// Adds the access token.
#[derive(Clone)]
pub struct Bearer(MetadataValue<Ascii>);

impl Interceptor for Bearer {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        request.metadata_mut().insert("authorization", self.0.clone());
        Ok(request)
    }
}

/// A shop. Cheap to clone.
#[derive(Clone)]
pub struct Shop(Arc<Inner>);

struct Inner {
    at: String,
    channel: Channel,
    credential: Credential,
    token: RwLock<Token>,
    renewing: Mutex<()>,
}

enum Credential {
    /// A long-lived secret, exchanged for access tokens.
    Secret(String),
    /// An access token, used as it is.
    Token,
}

struct Token {
    bearer: Bearer,
    text: String,
    until: Instant,
}

impl Shop {
    /// Finds the shop and gets an access token. Waits for nobody: a shop that is not there now is an error.
    ///
    /// # Errors
    /// Exit code 2 with a sentence that says how to start it, or where to get a credential.
    pub async fn connect(args: &ShopArgs) -> Result<Self, Failure> {
        let secret = credential(args)?;
        let endpoint = Endpoint::from_shared(args.at.clone())
            .map_err(|_| Failure::usage(format!("--at {} is no address such as http://127.0.0.1:9000", args.at)))?
            .tcp_nodelay(true)
            .connect_timeout(Duration::from_secs(5));
        let channel = endpoint.connect().await.map_err(|_| nobody(&args.at))?;
        let (credential, text) = if ["ops_", "svc_"].iter().any(|prefix| secret.starts_with(prefix)) {
            let token = exchange(&channel, &secret).await.map_err(|error| refused(&args.at, &error))?;
            (Credential::Secret(secret), token)
        } else {
            (Credential::Token, secret)
        };
        let token = RwLock::new(Token::new(text)?);
        Ok(Self(Arc::new(Inner { at: args.at.clone(), channel, credential, token, renewing: Mutex::default() })))
    }

    /// The access token, good for at least two minutes.
    pub async fn token(&self) -> String {
        self.0.token.read().await.text.clone()
    }

    /// A call of the shop: `shop.call(|wire| async move { OrderServiceClient::new(wire).get_order(request).await })`.
    ///
    /// A shop that is lost on the way is tried again for [`LOST_MAX`], and so is one that is overloaded; the closure is
    /// then called again, so what it sends must carry its idempotency key.
    ///
    /// # Errors
    /// What the shop says; UNAVAILABLE with reason `SHOP_LOST` when it stayed away.
    pub async fn call<T, F, R>(&self, call: F) -> Result<T, Error>
    where
        F: Fn(Wire) -> R,
        R: Future<Output = Result<tonic::Response<T>, Status>>,
    {
        let mut lost_since: Option<Instant> = None;
        let mut pause = PAUSE_MIN;
        loop {
            let wire = match self.wire().await {
                Ok(wire) => wire,
                Err(error) if error.code() == Code::Unavailable => {
                    self.wait(&mut lost_since, &mut pause).await?;
                    continue;
                }
                Err(error) => return Err(error),
            };
            match call(wire).await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) if is_lost(&status) => self.wait(&mut lost_since, &mut pause).await?,
                Err(status) => {
                    let error = contract::error(status);
                    if matches!(error.reason(), "TOKEN_EXPIRED" | "TOKEN_INVALID") && lost_since.is_none() {
                        self.renew(true).await?;
                        lost_since = Some(Instant::now());
                        continue;
                    }
                    if !matches!(error.code(), Code::Unavailable | Code::ResourceExhausted) {
                        return Err(error);
                    }
                    self.wait(&mut lost_since, &mut pause).await?;
                }
            }
        }
    }

    /// A client's wire, with a token that is good for a while. For streams; calls go through [`Shop::call`].
    ///
    /// # Errors
    /// When the token cannot be renewed.
    pub async fn wire(&self) -> Result<Wire, Error> {
        if self.0.token.read().await.until < Instant::now() {
            self.renew(false).await?;
        }
        let bearer = self.0.token.read().await.bearer.clone();
        Ok(InterceptedService::new(self.0.channel.clone(), bearer))
    }

    async fn renew(&self, whatever: bool) -> Result<(), Error> {
        let Credential::Secret(secret) = &self.0.credential else { return Ok(()) };
        let _one = self.0.renewing.lock().await;
        if !whatever && self.0.token.read().await.until >= Instant::now() {
            return Ok(());
        }
        let text = exchange(&self.0.channel, secret).await?;
        *self.0.token.write().await = Token::new(text).map_err(|failure| Error::internal(failure.to_string()))?;
        Ok(())
    }

    async fn wait(&self, lost_since: &mut Option<Instant>, pause: &mut Duration) -> Result<(), Error> {
        let since = *lost_since.get_or_insert_with(Instant::now);
        if since.elapsed() + *pause > LOST_MAX {
            let message = format!("the shop at {} has been away for 30 s", self.0.at);
            return Err(Error::unavailable("SHOP_LOST", message));
        }
        tokio::time::sleep(*pause).await;
        *pause = (*pause * 2).min(PAUSE_MAX);
        Ok(())
    }
}

impl Token {
    fn new(text: String) -> Result<Self, Failure> {
        let bad = |_| Failure::usage("the token has characters that no token has; see --token");
        let mut value: MetadataValue<Ascii> = format!("Bearer {text}").parse().map_err(bad)?;
        value.set_sensitive(true);
        Ok(Self { bearer: Bearer(value), text, until: Instant::now() + TOKEN_LIFE - RENEW_BEFORE })
    }
}

/// A status that the shop did not make: the connection ended.
fn is_lost(status: &Status) -> bool {
    let code = status.code();
    let transport = matches!(code, tonic::Code::Unavailable | tonic::Code::Unknown | tonic::Code::Cancelled | tonic::Code::Internal);
    transport && status.details().is_empty()
}

async fn exchange(channel: &Channel, secret: &str) -> Result<String, Error> {
    let mut identity = IdentityServiceClient::new(channel.clone()).max_decoding_message_size(ANSWER_BYTES_MAX);
    let request = ExchangeSecretRequest { secret: secret.to_owned(), ..ExchangeSecretRequest::default() };
    let answer = identity.exchange_secret(request).await.map_err(|status| {
        if is_lost(&status) { Error::unavailable("SHOP_LOST", "the shop is away") } else { contract::error(status) }
    })?;
    Ok(answer.into_inner().access_token)
}

fn credential(args: &ShopArgs) -> Result<String, Failure> {
    if let Some(token) = &args.token {
        return Ok(token.trim().to_owned());
    }
    let Some(dir) = args.data.strip_prefix("dir:") else {
        return Err(Failure::usage(format!("there is no credential in {}; give --token or SOUK_TOKEN", args.data)));
    };
    let path = PathBuf::from(dir).join(OPERATOR_FILE);
    let text = std::fs::read_to_string(&path).map_err(|error| {
        let path = path.display();
        Failure::usage(format!("{path} cannot be read ({error}); say where the shop's data is with --data, or give --token"))
    })?;
    Ok(text.trim().to_owned())
}

fn nobody(at: &str) -> Failure {
    Failure::usage(format!("nobody answers at {at}; start a shop with `souk up`, or say where it is with --at"))
}

fn refused(at: &str, error: &Error) -> Failure {
    match error.code() {
        Code::Unavailable => nobody(at),
        _ => Failure::usage(format!("the shop at {at} does not take this credential: {error}; `operator.token` in its data directory holds a good one")),
    }
}
