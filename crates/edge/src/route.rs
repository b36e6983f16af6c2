//! Routes: what a gateway answers at an address, with everything that its layers and its description need to know.

use std::borrow::Cow;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use kernel::{Code, Error, Result};
use schemars::{JsonSchema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::input;
use crate::need::Need;
use crate::query::Parameters;

/// Whom a route answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A person: pages and forms; failures are pages.
    Page,
    /// A program: JSON; failures are problems. It is described in `/openapi.json`.
    Api,
}

/// How long a screen is kept for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// It is served as it is.
    pub fresh: Duration,
    /// Beyond that, it is served while it is made anew in the background.
    pub stale: Duration,
}

/// Whether a change takes an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// It may come with one.
    Optional,
    /// It must: money moves.
    Required,
}

/// What a request says, before its type is known.
#[derive(Debug, Default)]
pub(crate) struct Said {
    pub(crate) params: Vec<(String, String)>,
    pub(crate) query: String,
    pub(crate) body: bytes::Bytes,
}

pub(crate) type Answering = Pin<Box<dyn Future<Output = Result<Answer>> + Send>>;
type Handler = Arc<dyn Fn(Arc<Ask>, Said) -> Answering + Send + Sync>;

/// Makes a schema, where there is one.
type MakeSchema = fn(&mut SchemaGenerator) -> Option<schemars::Schema>;

/// A route.
pub struct Route {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) kind: Kind,
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) cost: u32,
    pub(crate) sign_in: bool,
    pub(crate) keep: Option<Keep>,
    pub(crate) varies: &'static [&'static str],
    pub(crate) key: Option<Key>,
    pub(crate) if_match: bool,
    pub(crate) status: u16,
    pub(crate) deadline: Duration,
    pub(crate) body_bytes_max: usize,
    pub(crate) needs: &'static [&'static Need],
    pub(crate) problems: &'static [u16],
    pub(crate) reasons: &'static [&'static str],
    pub(crate) parameters: Parameters,
    pub(crate) public: bool,
    pub(crate) params_schema: fn(&mut SchemaGenerator) -> schemars::Schema,
    pub(crate) body_schema: MakeSchema,
    pub(crate) answer_schema: MakeSchema,
    pub(crate) handler: Handler,
}

/// The most a screen may take (mesh: edge 5 s).
const DEADLINE: Duration = Duration::from_secs(5);
/// Largest body unless a route says otherwise, in bytes.
const BODY_BYTES_MAX: usize = 64 << 10;

/// A body of nothing, for routes that take none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Nothing;

/// What can be a body.
pub trait Input: Send + Sized + 'static {
    /// Reads it.
    ///
    /// # Errors
    /// INVALID_ARGUMENT naming the field.
    fn read(kind: Kind, bytes: &[u8], shape: &serde_json::Value) -> Result<Self>;
    /// Its schema; `None` for nothing.
    fn schema(generator: &mut SchemaGenerator) -> Option<schemars::Schema>;
    /// Its schema with all that it refers to.
    fn shape() -> serde_json::Value;
}

impl Input for Nothing {
    fn read(_: Kind, _: &[u8], _: &serde_json::Value) -> Result<Self> {
        Ok(Self)
    }
    fn schema(_: &mut SchemaGenerator) -> Option<schemars::Schema> {
        None
    }
    fn shape() -> serde_json::Value {
        serde_json::Value::Null
    }
}

impl<T: DeserializeOwned + JsonSchema + Send + 'static> Input for T {
    fn read(kind: Kind, bytes: &[u8], shape: &serde_json::Value) -> Result<Self> {
        match kind {
            Kind::Api => input::json_of(bytes, shape),
            Kind::Page => match std::str::from_utf8(bytes) {
                Ok(text) => input::form(text, shape),
                Err(_) => Err(Error::invalid("INVALID_ARGUMENT", "the form is not UTF-8 text")),
            },
        }
    }
    fn schema(generator: &mut SchemaGenerator) -> Option<schemars::Schema> {
        Some(generator.subschema_for::<T>())
    }
    fn shape() -> serde_json::Value {
        SchemaGenerator::default().into_root_schema_for::<T>().to_value()
    }
}

impl Route {
    /// A route at a path such as `/products/{slug}`, answered by a function of the request, its parameters (path and query
    /// in one) and its body.
    pub fn new<P, B, F>(
        kind: Kind,
        method: Method,
        path: &'static str,
        handler: impl Fn(Arc<Ask>, P, B) -> F + Send + Sync + 'static,
    ) -> Self
    where
        P: DeserializeOwned + JsonSchema + Send + 'static,
        B: Input,
        F: Future<Output = Result<Answer>> + Send + 'static,
    {
        let shape = B::shape();
        let params_shape = SchemaGenerator::default().into_root_schema_for::<P>().to_value();
        let erased = move |ask: Arc<Ask>, said: Said| -> Answering {
            let read = || -> Result<(P, B)> {
                let params = input::params::<P>(&said.params, &said.query, &params_shape)?;
                Ok((params, B::read(kind, &said.body, &shape)?))
            };
            match read() {
                Ok((params, body)) => Box::pin(handler(ask, params, body)),
                Err(error) => Box::pin(std::future::ready(Err(error))),
            }
        };
        Self {
            method,
            path,
            kind,
            id: "",
            summary: "",
            cost: 1,
            sign_in: false,
            keep: None,
            varies: &[],
            key: None,
            if_match: false,
            status: 200,
            deadline: DEADLINE,
            body_bytes_max: BODY_BYTES_MAX,
            needs: &[],
            problems: &[],
            reasons: &[],
            parameters: Parameters::of::<P>(kind),
            public: false,
            params_schema: |generator| P::json_schema(generator),
            body_schema: B::schema,
            answer_schema: |_| None,
            handler: Arc::new(erased),
        }
    }

    /// Says what it answers with, for its description.
    #[must_use]
    pub fn answers<T: JsonSchema>(mut self) -> Self {
        self.answer_schema = |generator| Some(generator.subschema_for::<T>());
        self
    }

    /// Its name and what it does, for programs.
    #[must_use]
    pub fn named(mut self, id: &'static str, summary: &'static str) -> Self {
        (self.id, self.summary) = (id, summary);
        self
    }

    /// The status of its answer when all is well, if not 200.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// The statuses that it fails with beside those that every route has.
    #[must_use]
    pub fn problems(mut self, statuses: &'static [u16]) -> Self {
        self.problems = statuses;
        self
    }

    /// The stable reasons that it refuses for by itself, beside those of the calls that it makes.
    #[must_use]
    pub fn refuses(mut self, reasons: &'static [&'static str]) -> Self {
        self.reasons = reasons;
        self
    }

    /// What it costs, in units of a plain page.
    #[must_use]
    pub fn cost(mut self, units: u32) -> Self {
        self.cost = units;
        self
    }

    /// It tries credentials: a quota of its own counts.
    #[must_use]
    pub fn signs_in(mut self) -> Self {
        self.sign_in = true;
        self
    }

    /// It is the same for everybody who has the same of these preferences, and is kept.
    #[must_use]
    pub fn kept(mut self, keep: Keep, varies: &'static [&'static str]) -> Self {
        (self.keep, self.varies) = (Some(keep), varies);
        self
    }

    /// It is the same for everybody, whoever asks: no session is looked up, renewed or ended for it, and it sets no cookie.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.public = true;
        self
    }

    /// It takes an idempotency key.
    #[must_use]
    pub fn keyed(mut self, key: Key) -> Self {
        self.key = Some(key);
        self
    }

    /// It changes a version that is named in `If-Match`.
    #[must_use]
    pub fn if_match(mut self) -> Self {
        self.if_match = true;
        self
    }

    /// The most it may take.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The largest body it takes, in bytes.
    #[must_use]
    pub fn body_up_to(mut self, bytes: usize) -> Self {
        self.body_bytes_max = bytes;
        self
    }

    /// The calls it makes.
    #[must_use]
    pub fn needs(mut self, needs: &'static [&'static Need]) -> Self {
        self.needs = needs;
        self
    }

    /// Whether an error says that a page's address means nothing: a person who follows it is not told of fields.
    pub(crate) fn is_no_address(&self, error: &Error) -> bool {
        let in_path = |field: &str| self.path.contains(&format!("{{{}}}", field.trim_start_matches('/')));
        self.kind == Kind::Page
            && self.method == Method::GET
            && error.code() == Code::InvalidArgument
            && error.violations().iter().any(|violation| in_path(&violation.field))
    }

    /// Its method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The calls that it declares.
    #[must_use]
    pub fn declared(&self) -> &'static [&'static Need] {
        self.needs
    }
}

/// Serializes an answer that says which optional parts are absent.
#[derive(Debug, Serialize)]
pub struct Shown<T> {
    /// The screen.
    #[serde(flatten)]
    pub screen: T,
    /// Parts that could not be had just now.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub absent: Vec<String>,
}

/// Described as the screen is, with one more field.
impl<T: JsonSchema> JsonSchema for Shown<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("{}Answer", T::schema_name()).into()
    }
    fn schema_id() -> Cow<'static, str> {
        format!("{}<{}>", std::any::type_name::<Self>(), T::schema_id()).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> schemars::Schema {
        let mut schema = T::json_schema(generator);
        let screen = schema.get("description").and_then(Value::as_str).unwrap_or_default();
        let description = format!("{screen} It says which of its optional parts are absent.");
        schema.insert("description".to_owned(), description.trim_start().into());
        let mut absent = generator.subschema_for::<Vec<String>>();
        absent.insert("description".to_owned(), "Parts that could not be had just now.".into());
        if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
            properties.insert("absent".to_owned(), absent.to_value());
        }
        schema
    }
}

impl<T> Shown<T> {
    /// A screen with what is absent from it.
    #[must_use]
    pub fn new(screen: T, ask: &Ask) -> Self {
        Self { screen, absent: ask.absent().into_iter().map(str::to_owned).collect() }
    }
}
