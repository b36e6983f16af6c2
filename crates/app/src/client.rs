//! A command's connection to a shop: where it is, the credential, and what to do when it is lost on the way.

mod address;

use std::future::Future;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use contract::souk::identity::v1::ExchangeSecretRequest;
use contract::souk::identity::v1::identity_service_client::IdentityServiceClient;
use kernel::{Code, Error};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::metadata::AsciiMetadataValue;
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint, Uri};
use tonic::{Request, Response, Status};

use self::address::{USUAL_PORT, address};
use crate::console::Failure;
use crate::files::OPERATOR_FILE;
use crate::process;

/// For how long a lost shop is tried again.
const LOST_AFTER: Duration = Duration::from_secs(30);
/// The longest pause between two tries.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// The longest that a connection may take to come about.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest that a call may take, above every method's own limit.
const CALL_TIMEOUT: Duration = Duration::from_secs(90);
/// How long before its end an access token is replaced.
const REFRESH_BEFORE: Duration = Duration::from_secs(120);

/// Which shop, and by what credential.
#[derive(Args, Clone, Debug)]
pub struct ShopArgs {
    /// Where the shop is: a URL, or HOST:PORT.
    #[arg(long, value_name = "URL", default_value_t = process::usual_shop().0)]
    pub at: String,
    /// An operator's or service's secret, or an access token.
    #[arg(long, value_name = "TOKEN", env = "SOUK_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// Data directory of the shop, where its operator.token is read when no token is given.
    #[arg(long, value_name = "URL", default_value_t = process::usual_shop().1)]
    pub data: String,
}

/// Why a call brought no answer.
#[derive(Debug)]
pub enum CallError {
    /// The shop was away for too long.
    Lost(Failure),
    /// The shop said no.
    Refused(Error),
}

impl CallError {
    /// The failure of a command that cannot go on without this answer.
    #[must_use]
    pub fn fatal(self, what: &str) -> Failure {
        match self {
            Self::Lost(failure) => failure,
            Self::Refused(error)
                if matches!(error.code(), Code::Unauthenticated | Code::PermissionDenied) =>
            {
                let advice = "give a credential that may do this by --token, SOUK_TOKEN or --data";
                Failure::usage(format!("{what}: {error}; {advice}"))
            }
            Self::Refused(error) => Failure::unfinished(format!("{what}: {error} ({})", error.reason())),
        }
    }
}

/// Adds the access token to every call.
#[derive(Clone)]
pub struct Authorize(watch::Receiver<Option<AsciiMetadataValue>>);

impl Interceptor for Authorize {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        if let Some(token) = self.0.borrow().clone() {
            request.metadata_mut().insert("authorization", token);
        }
        Ok(request)
    }
}

/// What a generated client stands on.
pub type Link = InterceptedService<Channel, Authorize>;

/// A shop that commands talk to. Cheap to clone.
#[derive(Clone)]
pub struct Shop {
    at: String,
    channel: Channel,
    authorize: Authorize,
    renew: watch::Sender<Option<AsciiMetadataValue>>,
    secret: Option<Secret>,
}

/// A long-lived secret; never shown.
#[derive(Clone)]
struct Secret(String);

impl std::fmt::Debug for Shop {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shop").field("at", &self.at).finish_non_exhaustive()
    }
}

impl Shop {
    /// Connects with a credential.
    ///
    /// # Errors
    /// Exit code 2: no such address, nobody there, no credential, or one that is refused. Each says what to do.
    pub async fn connect(args: &ShopArgs) -> Result<Self, Failure> {
        let credential = credential(args)?;
        let at = address(&args.at)?;
        let endpoint = Endpoint::from(at.clone())
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(CALL_TIMEOUT)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(Duration::from_secs(10))
            .keep_alive_timeout(Duration::from_secs(10))
            .initial_stream_window_size(1 << 20)
            .initial_connection_window_size(8 << 20);
        let (renew, token) = watch::channel(None);
        let mut shop = Self {
            at: at.to_string().trim_end_matches('/').to_owned(),
            channel: endpoint.connect_lazy(),
            authorize: Authorize(token),
            renew,
            secret: None,
        };
        // An access token has three parts with dots between them; a secret has none.
        if credential.contains('.') {
            shop.renew.send_replace(Some(bearer(&credential)?));
            return Ok(shop);
        }
        shop.secret = Some(Secret(credential));
        let left = match shop.exchange().await {
            Ok(left) => left,
            Err(error) => return Err(shop.first_failure(&error).await),
        };
        tokio::spawn(shop.clone().keep_fresh(left));
        Ok(shop)
    }

    /// A client of one of the shop's services.
    pub fn client<C>(&self, new: impl FnOnce(Link) -> C) -> C {
        new(InterceptedService::new(self.channel.clone(), self.authorize.clone()))
    }

    /// The access token in use, for other programs.
    #[must_use]
    pub fn access_token(&self) -> Option<String> {
        let token = self.authorize.0.borrow().clone()?;
        Some(token.to_str().ok()?.trim_start_matches("Bearer ").to_owned())
    }

    /// Calls, and calls again while the shop is away or busy, for up to 30 s. The request must be safe to send again as it is:
    /// a read, or a change under one request id.
    ///
    /// # Errors
    /// [`CallError`].
    pub async fn call<T, F>(&self, mut send: impl FnMut() -> F) -> Result<T, CallError>
    where
        F: Future<Output = Result<Response<T>, Status>>,
    {
        let mut first_failure = None;
        let mut pause = Duration::from_millis(50);
        let mut renewed = false;
        loop {
            let status = match send().await {
                Ok(answer) => return Ok(answer.into_inner()),
                Err(status) => status,
            };
            let error = contract::error(status);
            if error.code() == Code::Unauthenticated && !renewed && self.secret.is_some() {
                renewed = true;
                if self.exchange().await.is_ok() {
                    continue;
                }
            }
            if !passes(&error) {
                return Err(CallError::Refused(error));
            }
            let since = *first_failure.get_or_insert_with(Instant::now);
            if since.elapsed() >= LOST_AFTER {
                return Err(CallError::Lost(self.lost()));
            }
            let asked = error.retry_delay_ms().map_or(Duration::ZERO, Duration::from_millis);
            tokio::time::sleep(pause.max(asked).min(PAUSE_MAX)).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn lost(&self) -> Failure {
        Failure::unfinished(format!(
            "the shop at {} was lost and did not come back within {} s; start it again with `souk up`, and then this command: it goes on where it stopped",
            self.at,
            LOST_AFTER.as_secs()
        ))
    }

    /// Why there is no shop, as far as that can be told apart from here.
    async fn first_failure(&self, error: &Error) -> Failure {
        let at = &self.at;
        if is_foreign(error) && (passes(error) || error.reason() == "UNIMPLEMENTED") {
            return Failure::usage(if self.is_taken().await {
                format!(
                    "what answers at {at} is not the gRPC of a shop; name that with --at, as the line of `souk up` shows it"
                )
            } else {
                format!("nobody serves at {at}; start a shop with `souk up`, or name another with --at")
            });
        }
        if passes(error) {
            return Failure::unfinished(format!("the shop at {at} cannot answer now ({error}); try again"));
        }
        Failure::usage(format!(
            "the shop at {} refuses the credential ({error}); give the one of this shop by --token, SOUK_TOKEN or --data",
            self.at
        ))
    }

    /// Whether anybody takes connections at the address.
    #[expect(clippy::disallowed_methods, reason = "this asks for no role: it asks whether anything is there")]
    async fn is_taken(&self) -> bool {
        let Ok(uri) = self.at.parse::<Uri>() else { return false };
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        let connects = TcpStream::connect((host, uri.port_u16().unwrap_or(USUAL_PORT)));
        tokio::time::timeout(CONNECT_TIMEOUT, connects).await.is_ok_and(|connected| connected.is_ok())
    }

    /// Exchanges the secret for an access token, and tells for how long it is good.
    async fn exchange(&self) -> Result<Duration, Error> {
        let secret = self.secret.as_ref().map(|secret| secret.0.clone()).unwrap_or_default();
        let mut identity = IdentityServiceClient::new(self.channel.clone());
        let answer =
            identity.exchange_secret(ExchangeSecretRequest { secret }).await.map_err(contract::error)?;
        let token = bearer(&answer.into_inner().access_token)
            .map_err(|failure| Error::internal(failure.to_string()))?;
        self.renew.send_replace(Some(token));
        Ok(TOKEN_LIFE)
    }

    /// Replaces the token before it ends, for as long as the command runs.
    async fn keep_fresh(self, first: Duration) {
        let mut left = first;
        loop {
            tokio::time::sleep(left.saturating_sub(REFRESH_BEFORE).max(Duration::from_secs(1))).await;
            // A shop that is away now is noticed, and waited for, by the calls themselves.
            left = self.exchange().await.unwrap_or(REFRESH_BEFORE + Duration::from_secs(5));
        }
    }
}

/// For how long identity's access tokens are good (commerce: 10 minutes). Counted from their arrival, so that this machine's
/// clock does not matter.
const TOKEN_LIFE: Duration = Duration::from_secs(600);

/// Whether an error may pass by itself: the shop is away, busy, or had another change in the way.
fn passes(error: &Error) -> bool {
    match error.code() {
        Code::Unavailable | Code::DeadlineExceeded => true,
        Code::ResourceExhausted | Code::Conflict => error.retryable(),
        Code::Internal => is_foreign(error) && error.reason() != "UNIMPLEMENTED",
        Code::InvalidArgument
        | Code::Unauthenticated
        | Code::PermissionDenied
        | Code::NotFound
        | Code::FailedPrecondition => false,
    }
}

/// Whether an error is not the house's: what a transport says when a connection breaks, or a server of another kind, has no
/// reason of the house and keeps its cause.
fn is_foreign(error: &Error) -> bool {
    std::error::Error::source(error).is_some()
}

fn bearer(token: &str) -> Result<AsciiMetadataValue, Failure> {
    let mut value = AsciiMetadataValue::try_from(format!("Bearer {}", token.trim())).map_err(|_| {
        Failure::usage(
            "the token has characters that no token has; give it by --token or SOUK_TOKEN as it was told",
        )
    })?;
    value.set_sensitive(true);
    Ok(value)
}

/// The credential: `--token` or `SOUK_TOKEN`, else the operator's secret in the data directory.
fn credential(args: &ShopArgs) -> Result<String, Failure> {
    if let Some(token) = &args.token {
        return Ok(token.trim().to_owned());
    }
    let Some(directory) = data_directory(&args.data) else {
        return Err(Failure::usage(format!(
            "{} keeps no operator.token; give the token by --token or SOUK_TOKEN",
            args.data
        )));
    };
    let path = directory.join(OPERATOR_FILE);
    std::fs::read_to_string(&path).map(|secret| secret.trim().to_owned()).map_err(|error| {
        Failure::usage(format!(
            "{} cannot be read ({error}); name the shop's data directory with --data, or give a token by --token or SOUK_TOKEN",
            path.display()
        ))
    })
}

/// The directory that a data URL names: `dir:PATH`, or a path alone; `None` for others.
fn data_directory(url: &str) -> Option<PathBuf> {
    match url.split_once(':') {
        Some(("dir", path)) => Some(Path::new(path).to_owned()),
        None => Some(Path::new(url).to_owned()),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(token: Option<&str>, data: &str) -> ShopArgs {
        ShopArgs {
            at: "http://127.0.0.1:9".to_owned(),
            token: token.map(str::to_owned),
            data: data.to_owned(),
        }
    }

    #[test]
    fn the_token_goes_before_the_data_directory() {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::write(directory.path().join(OPERATOR_FILE), "ops_secret\n").expect("written");
        let data = format!("dir:{}", directory.path().display());
        assert_eq!(credential(&args(None, &data)), Ok("ops_secret".to_owned()));
        assert_eq!(credential(&args(Some("ops_other"), &data)), Ok("ops_other".to_owned()));
        for missing in ["mem:", "dir:/nowhere/at/all"] {
            let failure = credential(&args(None, missing)).expect_err("none there");
            assert!(failure.code() == 2 && failure.to_string().contains("--token"), "{failure}");
        }
    }

    #[tokio::test]
    async fn with_nobody_there_the_error_says_how_to_start() {
        let failure = Shop::connect(&args(Some("ops_secret"), "mem:")).await.expect_err("nobody");
        assert_eq!(failure.code(), 2);
        assert!(failure.to_string().contains("souk up"), "{failure}");
        let wrong = ShopArgs { at: "not a url".to_owned(), ..args(Some("ops_secret"), "mem:") };
        assert!(Shop::connect(&wrong).await.expect_err("no address").to_string().contains("--at"));
    }

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "something that listens and is no shop")]
    async fn what_is_no_shop_is_told_from_nobody() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let at = listener.local_addr().expect("bound").to_string();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                use tokio::io::AsyncWriteExt as _;
                let _ = stream.write_all(b"HTTP/1.1 426 Upgrade Required\r\nContent-Length: 0\r\n\r\n").await;
            }
        });
        let args = ShopArgs { at, ..args(Some("ops_secret"), "mem:") };
        let failure = Shop::connect(&args).await.expect_err("no shop");
        assert!(
            failure.code() == 2 && failure.to_string().contains("is not the gRPC of a shop"),
            "{failure}"
        );
    }

    #[test]
    fn what_may_pass_is_tried_again() {
        assert!(passes(&contract::error(Status::unavailable("gone"))));
        assert!(passes(&contract::error(Status::unknown("transport error"))));
        assert!(!passes(&Error::precondition("OUT_OF_STOCK", "none left")));
        assert!(!passes(&Error::new(Code::Internal, "INTERNAL", "a bug of the house")));
        assert!(passes(&Error::conflict("STOCK_BUSY", "again")));
        assert!(!passes(&Error::exists("SKU_TAKEN", "never")));
    }
}
