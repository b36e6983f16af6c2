//! Reads the contract of every method from its options, and refuses what makes no sense.
//!
//! Shared by the build script and the tests. Each problem is a sentence: the file with its line, the thing, what is
//! wrong with it and what to do.

use std::collections::BTreeSet;
use std::time::Duration;

use protox::prost_reflect::{
    Cardinality, DescriptorPool, DynamicMessage, ExtensionDescriptor, Kind, MessageDescriptor,
    MethodDescriptor, Value,
};

use crate::comments;

/// The option that holds a method's contract.
const OPTION: &str = "souk.contract.v1.method";
/// What is checked: the house's own packages.
pub const PACKAGES: &str = "souk.";
/// The timeout of a method that does not say one.
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(1);

/// The largest request of a method that strangers may call and that does not say one, in bytes.
const REQUEST_BYTES_STRANGERS: u32 = 256 << 10;
/// The same for methods of staff and of roles.
const REQUEST_BYTES_HOUSE: u32 = 4 << 20;
/// The most that a method may say.
const REQUEST_BYTES_MOST: u32 = 32 << 20;

/// The contract of one method, as read. Names of variants are those of `contract`'s public enums.
pub struct Method {
    pub path: String,
    pub package_role: String,
    pub service: String,
    pub method: String,
    pub idempotency: &'static str,
    pub timeout: Duration,
    pub criticality: &'static str,
    pub cache: Option<Cache>,
    pub moves_money: bool,
    pub access: Vec<Access>,
    pub reasons: Vec<String>,
    pub request_bytes_max: u64,
    pub client_streaming: bool,
    pub server_streaming: bool,
    pub input: String,
    pub output: String,
}

/// How answers may be reused.
pub struct Cache {
    pub fresh: Duration,
    pub stale: Duration,
    pub scope: &'static str,
    pub key_fields: Vec<String>,
}

/// One kind of caller.
#[derive(PartialEq)]
pub enum Access {
    Public,
    Guest,
    Customer,
    Merchant,
    Partner(String),
    Staff(String),
    Internal(Vec<String>),
}

/// Every method of the house's packages, sorted by path.
///
/// # Errors
/// Every problem found, a sentence each.
pub fn methods(pool: &DescriptorPool) -> Result<Vec<Method>, Vec<String>> {
    let Some(option) = pool.get_extension_by_name(OPTION) else {
        return Err(vec![format!(
            "the option ({OPTION}) is gone: souk/contract/v1/contract.proto must define it"
        )]);
    };
    let mut problems = comments::missing(pool);
    let mut methods = Vec::new();
    for service in pool.services().filter(|service| service.package_name().starts_with(PACKAGES)) {
        for method in service.methods() {
            let mut reader = Reader { method: &method, problems: Vec::new() };
            methods.push(reader.read(&option));
            problems.append(&mut reader.problems);
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    methods.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(methods)
}

/// Reads one method and collects what is wrong with it.
struct Reader<'a> {
    method: &'a MethodDescriptor,
    problems: Vec<String>,
}

impl Reader<'_> {
    fn problem(&mut self, what: &str) {
        let method = self.method;
        let place = comments::place(&method.parent_file(), method.path());
        self.problems.push(format!("{place}: {}.{} {what}", method.parent_service().name(), method.name()));
    }

    fn read(&mut self, option: &ExtensionDescriptor) -> Method {
        let method = self.method;
        let service = method.parent_service();
        // Without the option it is the empty message, which lets nobody in.
        let contract =
            method.options().get_extension(option).as_message().cloned().expect("the option is a message");
        let reads = self.idempotency() == "NoSideEffects";
        let moves_money = flag(&contract, "moves_money");
        let access = self.access(&contract);
        let cache = self.cache(&contract, reads, moves_money, &access);
        self.request_id(reads, moves_money);
        Method {
            path: format!("/{}/{}", service.full_name(), method.name()),
            package_role: self.package_role(),
            service: service.full_name().to_owned(),
            method: method.name().to_owned(),
            idempotency: self.idempotency(),
            timeout: self.timeout(&contract),
            criticality: match number(&contract, "criticality") {
                1 => "Sheddable",
                3 => "Critical",
                _ => "Default",
            },
            cache,
            moves_money,
            request_bytes_max: self.request_bytes_max(&contract, &access),
            access,
            reasons: self.reasons(&contract),
            client_streaming: method.is_client_streaming(),
            server_streaming: method.is_server_streaming(),
            input: method.input().full_name().to_owned(),
            output: method.output().full_name().to_owned(),
        }
    }

    /// The NAME in `souk.NAME.v1`.
    fn package_role(&mut self) -> String {
        let package = self.method.parent_service().package_name().to_owned();
        if let ["souk", name, _version] = package.split('.').collect::<Vec<_>>().as_slice() {
            return (*name).to_owned();
        }
        self.problem(&format!("is in package `{package}`; a package is named souk.NAME.v1"));
        String::new()
    }

    fn idempotency(&self) -> &'static str {
        match number(&self.method.options(), "idempotency_level") {
            1 => "NoSideEffects",
            2 => "Idempotent",
            _ => "Unknown",
        }
    }

    fn timeout(&mut self, contract: &DynamicMessage) -> Duration {
        match duration(contract, "timeout") {
            None => TIMEOUT_DEFAULT,
            Some(Some(timeout)) if !timeout.is_zero() => timeout,
            Some(_) => {
                self.problem("has a timeout that is not above zero; give one like `timeout: {seconds: 2}`");
                TIMEOUT_DEFAULT
            }
        }
    }

    /// What a request may have: little where strangers may call, unless the method says that it needs more.
    fn request_bytes_max(&mut self, contract: &DynamicMessage, access: &[Access]) -> u64 {
        let said =
            contract.get_field_by_name("request_bytes_max").and_then(|value| value.as_u32()).unwrap_or(0);
        let strangers = access
            .iter()
            .any(|access| !matches!(access, Access::Staff(_) | Access::Internal(_) | Access::Merchant));
        let usual = if strangers { REQUEST_BYTES_STRANGERS } else { REQUEST_BYTES_HOUSE };
        if said > REQUEST_BYTES_MOST {
            self.problem("has a request_bytes_max above 32 MiB; send what is larger in parts");
        }
        u64::from(if said == 0 { usual } else { said })
    }

    /// What changes something is asked with a key, so that asking twice does it once.
    fn request_id(&mut self, reads: bool, moves_money: bool) {
        if reads && moves_money {
            self.problem("moves money but says NO_SIDE_EFFECTS; make it IDEMPOTENT");
        }
        if reads {
            return;
        }
        let input = self.method.input();
        let good = input.get_field_by_name("request_id").is_some_and(|field| {
            field.kind() == Kind::String && field.cardinality() == Cardinality::Optional
        });
        if !good {
            self.problem(&format!(
                "changes something, so {} needs `string request_id = 1;` (if it only reads, say `option idempotency_level = NO_SIDE_EFFECTS;`)",
                input.name()
            ));
        }
    }

    fn cache(
        &mut self,
        contract: &DynamicMessage,
        reads: bool,
        moves_money: bool,
        access: &[Access],
    ) -> Option<Cache> {
        let cache = message(contract, "cache")?;
        if moves_money {
            self.problem("moves money and is cached; remove the cache");
        }
        if !reads {
            self.problem("changes something and is cached; remove the cache, or say NO_SIDE_EFFECTS");
        }
        if self.method.is_client_streaming() || self.method.is_server_streaming() {
            self.problem("is a stream and is cached; remove the cache");
        }
        let fresh = duration(&cache, "fresh").flatten().unwrap_or_default();
        if fresh.is_zero() {
            self.problem("has a cache that is fresh for no time; give one like `fresh: {seconds: 5}`");
        }
        let stale = match duration(&cache, "stale") {
            None => fresh,
            Some(stale) => stale.unwrap_or_default(),
        };
        if stale < fresh {
            self.problem("has a cache whose `stale` is shorter than its `fresh`; make it at least as long, or leave it out");
        }
        Some(Cache { fresh, stale, scope: self.scope(&cache, access), key_fields: self.key_fields(&cache) })
    }

    fn scope(&mut self, cache: &DynamicMessage, access: &[Access]) -> &'static str {
        let personal = |access: &Access| !matches!(access, Access::Public | Access::Internal(_));
        match number(cache, "scope") {
            1 if !access.contains(&Access::Public) && access.iter().any(personal) => {
                self.problem("shares its cache with everybody, but not everybody may call it; say CACHE_SCOPE_PRINCIPAL");
                "Public"
            }
            1 => "Public",
            2 => "Principal",
            _ => {
                self.problem("has a cache without a scope; say CACHE_SCOPE_PUBLIC or CACHE_SCOPE_PRINCIPAL");
                "Principal"
            }
        }
    }

    fn key_fields(&mut self, cache: &DynamicMessage) -> Vec<String> {
        let input = self.method.input();
        let fields = texts(cache, "key_fields");
        for field in &fields {
            if !names_a_field(&input, field) {
                let known: Vec<String> = input.fields().map(|field| field.name().to_owned()).collect();
                self.problem(&format!(
                    "has the cache key field `{field}`, which {} does not have; it has {}",
                    input.name(),
                    known.join(", ")
                ));
            }
        }
        fields
    }

    fn access(&mut self, contract: &DynamicMessage) -> Vec<Access> {
        let kinds: Vec<Access> =
            messages(contract, "access").iter().filter_map(|entry| self.kind(entry)).collect();
        if kinds.is_empty() {
            self.problem("lets nobody in; say who may call, for example `option (souk.contract.v1.method) = { access: { customer: {} } };`");
        }
        kinds
    }

    fn kind(&mut self, entry: &DynamicMessage) -> Option<Access> {
        let Some((field, value)) = entry.fields().next() else {
            self.problem("has an `access` without a kind; say one of public, guest, customer, merchant, partner, staff, internal");
            return None;
        };
        let Value::Message(details) = value else { return None };
        match field.name() {
            "public" => Some(Access::Public),
            "guest" => Some(Access::Guest),
            "customer" => Some(Access::Customer),
            "merchant" => Some(Access::Merchant),
            "partner" => self.named(details, "scope", "orders.read").map(Access::Partner),
            "staff" => self.named(details, "permission", "catalogue.write").map(Access::Staff),
            "internal" => {
                let roles = texts(details, "roles");
                if roles.is_empty() || roles.iter().any(String::is_empty) {
                    self.problem("lets INTERNAL callers in without naming roles; say `internal: { roles: [\"order\"] }`, or \"*\" for all");
                }
                Some(Access::Internal(roles))
            }
            unknown => {
                self.problem(&format!(
                    "has the kind of access `{unknown}`, which build/check.rs does not know"
                ));
                None
            }
        }
    }

    fn named(&mut self, details: &DynamicMessage, field: &str, example: &str) -> Option<String> {
        let name = text(details, field);
        if name.is_empty() {
            self.problem(&format!("has an `access` without {field}; say `{field}: \"{example}\"`"));
            return None;
        }
        Some(name)
    }

    fn reasons(&mut self, contract: &DynamicMessage) -> Vec<String> {
        let reasons = texts(contract, "reasons");
        let mut seen = BTreeSet::new();
        for reason in &reasons {
            if !is_screaming_snake(reason) {
                self.problem(&format!(
                    "has the reason `{reason}`; reasons are in SCREAMING_SNAKE_CASE, at most 63 characters"
                ));
            }
            if !seen.insert(reason) {
                self.problem(&format!("has the reason `{reason}` twice; remove one"));
            }
        }
        for missing in
            self.reasons_of_a_list().into_iter().filter(|reason| !seen.contains(&(*reason).to_owned()))
        {
            self.problem(&format!("reads a list by pages and lacks the reason `{missing}`; add it"));
        }
        reasons
    }

    /// What a list that is read by pages answers to a page that cannot be.
    fn reasons_of_a_list(&self) -> Vec<&'static str> {
        let input = self.method.input();
        let has = |field| input.get_field_by_name(field).is_some();
        match (has("page"), has("cursor"), has("limit")) {
            (true, ..) | (_, true, true) => vec!["INVALID_LIMIT", "INVALID_CURSOR"],
            (_, true, false) => vec!["INVALID_CURSOR"],
            _ => Vec::new(),
        }
    }
}

/// `A_B2`, as google.rpc.ErrorInfo wants it.
fn is_screaming_snake(reason: &str) -> bool {
    let letters = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    reason.len() <= 63
        && reason.starts_with(|c: char| c.is_ascii_uppercase())
        && !reason.ends_with('_')
        && !reason.contains("__")
        && reason.chars().all(letters)
}

/// Whether `path` (`filter.colour`) names a field of the message.
fn names_a_field(message: &MessageDescriptor, path: &str) -> bool {
    let (first, rest) = path.split_once('.').map_or((path, None), |(first, rest)| (first, Some(rest)));
    match (message.get_field_by_name(first), rest) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some(field), Some(rest)) => {
            field.kind().as_message().is_some_and(|inner| names_a_field(inner, rest))
        }
    }
}

fn number(message: &DynamicMessage, field: &str) -> i32 {
    message.get_field_by_name(field).and_then(|value| value.as_enum_number()).unwrap_or(0)
}

fn flag(message: &DynamicMessage, field: &str) -> bool {
    message.get_field_by_name(field).and_then(|value| value.as_bool()).unwrap_or(false)
}

fn text(message: &DynamicMessage, field: &str) -> String {
    message.get_field_by_name(field).and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

fn texts(message: &DynamicMessage, field: &str) -> Vec<String> {
    let value = message.get_field_by_name(field);
    let list = value.as_deref().and_then(Value::as_list).unwrap_or_default();
    list.iter().filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

fn messages(message: &DynamicMessage, field: &str) -> Vec<DynamicMessage> {
    let value = message.get_field_by_name(field);
    let list = value.as_deref().and_then(Value::as_list).unwrap_or_default();
    list.iter().filter_map(|value| value.as_message().cloned()).collect()
}

fn message(message: &DynamicMessage, field: &str) -> Option<DynamicMessage> {
    if !message.has_field_by_name(field) {
        return None;
    }
    message.get_field_by_name(field)?.as_message().cloned()
}

/// A google.protobuf.Duration: absent, or given and not negative, or given and negative.
fn duration(holder: &DynamicMessage, field: &str) -> Option<Option<Duration>> {
    let value = message(holder, field)?;
    let seconds = value.get_field_by_name("seconds").and_then(|value| value.as_i64()).unwrap_or(0);
    let nanos = value.get_field_by_name("nanos").and_then(|value| value.as_i32()).unwrap_or(0);
    Some(match (u64::try_from(seconds), u32::try_from(nanos)) {
        (Ok(seconds), Ok(nanos)) if nanos < 1_000_000_000 => Some(Duration::new(seconds, nanos)),
        _ => None,
    })
}
