//! Each rule is broken once.

use protox::Compiler;
use protox::file::{ChainFileResolver, File, FileResolver, GoogleFileResolver};
use protox::prost_reflect::DescriptorPool;

use crate::{check, table};

const CONTRACT: &str = include_str!("../../../../proto/souk/contract/v1/contract.proto");

/// Serves the option's own file and the one under test.
struct Sources(String);

impl FileResolver for Sources {
    fn open_file(&self, name: &str) -> Result<File, protox::Error> {
        match name {
            "souk/contract/v1/contract.proto" => File::from_source(name, CONTRACT),
            "souk/shop/v1/shop.proto" => File::from_source(name, &self.0),
            _ => Err(protox::Error::file_not_found(name)),
        }
    }
}

fn compile(source: String) -> DescriptorPool {
    let mut resolver = ChainFileResolver::new();
    resolver.add(Sources(source));
    resolver.add(GoogleFileResolver::new());
    let mut compiler = Compiler::with_file_resolver(resolver);
    compiler.include_imports(true).include_source_info(true);
    compiler.open_file("souk/shop/v1/shop.proto").expect("the example compiles");
    compiler.descriptor_pool()
}

/// A service with one method: its level, its contract, and the fields of its request.
fn example(level: &str, contract: &str, fields: &str) -> String {
    format!(
        r#"syntax = "proto3";
        // A package.
        package souk.shop.v1;
        import "souk/contract/v1/contract.proto";
        // A service.
        service ShopService {{
          // A method.
          rpc Buy(BuyRequest) returns (BuyResponse) {{
            option idempotency_level = {level};
            option (souk.contract.v1.method) = {{ {contract} }};
          }}
        }}
        // A request.
        message BuyRequest {{
          {fields}
        }}
        // An answer.
        message BuyResponse {{}}"#
    )
}

const KEY: &str = "// A key.\nstring request_id = 1;\n// What.\nNested filter = 2;\n// Within.\nmessage Nested {\n// A word.\nstring word = 1;\n}";
const READ: &str = "NO_SIDE_EFFECTS";
const WRITE: &str = "IDEMPOTENT";

fn problems(source: String) -> Vec<String> {
    check::methods(&compile(source)).err().unwrap_or_default()
}

/// Exactly one problem, which names the place and says `what`.
fn refused(level: &str, contract: &str, fields: &str, what: &str) {
    let problems = problems(example(level, contract, fields));
    assert_eq!(problems.len(), 1, "{problems:#?}");
    assert!(problems[0].contains(what), "{problems:#?}");
    assert!(problems[0].starts_with("proto/souk/shop/v1/shop.proto:8: ShopService.Buy "), "{problems:#?}");
}

#[test]
fn a_good_contract_is_read_whole() {
    let contract = r#"
        timeout: {seconds: 2 nanos: 500000000}
        criticality: CRITICALITY_CRITICAL
        cache: { fresh: {seconds: 5} stale: {seconds: 60} scope: CACHE_SCOPE_PRINCIPAL key_fields: ["request_id", "filter.word"] }
        access: { public: {} } access: { guest: {} } access: { customer: {} } access: { merchant: {} }
        access: { partner: {scope: "orders.read"} } access: { staff: {permission: "orders.read"} }
        access: { internal: {roles: ["order", "cart"]} }
        reasons: ["OUT_OF_STOCK", "QUOTE_EXPIRED_2"]"#;
    let methods = check::methods(&compile(example(READ, contract, KEY))).expect("good");
    let source = table::render(&methods);
    for line in [
        r#"path: "/souk.shop.v1.ShopService/Buy","#,
        r#"package_role: "shop","#,
        "idempotency: Idempotency::NoSideEffects,",
        "timeout: Duration::new(2, 500000000),",
        "criticality: Criticality::Critical,",
        r#"cache: Some(Cache { fresh: Duration::new(5, 0), stale: Duration::new(60, 0), scope: CacheScope::Principal, key_fields: &["request_id", "filter.word"] }),"#,
        r#"access: &[Access::Public, Access::Guest, Access::Customer, Access::Merchant, Access::Partner("orders.read"), Access::Staff("orders.read"), Access::Internal(&["order", "cart"])],"#,
        r#"reasons: &["OUT_OF_STOCK", "QUOTE_EXPIRED_2"],"#,
        r#"input: "souk.shop.v1.BuyRequest","#,
    ] {
        assert!(source.contains(line), "{line}\nis not in\n{source}");
    }
}

#[test]
fn defaults_are_those_of_the_mesh() {
    let methods = check::methods(&compile(example(WRITE, "access: { public: {} }", KEY))).expect("good");
    let source = table::render(&methods);
    for line in [
        "timeout: Duration::new(1, 0),",
        "criticality: Criticality::Default,",
        "cache: None,",
        "moves_money: false,",
    ] {
        assert!(source.contains(line), "{line}\nis not in\n{source}");
    }
}

#[test]
fn a_method_without_a_contract_is_refused() {
    let source = example(READ, "access: { public: {} }", KEY);
    let bare = source.replace("option (souk.contract.v1.method) = { access: { public: {} } };", "");
    assert_ne!(source, bare);
    let problems = problems(bare);
    assert!(problems.len() == 1 && problems[0].contains("lets nobody in"), "{problems:#?}");
}

#[test]
fn somebody_may_call() {
    refused(READ, "", KEY, "lets nobody in");
    refused(READ, "access: {}  access: { public: {} }", KEY, "without a kind");
    refused(READ, "access: { internal: {} }", KEY, "without naming roles");
    refused(READ, "access: { staff: {} } access: { public: {} }", KEY, "without permission");
    refused(READ, "access: { partner: {} } access: { public: {} }", KEY, "without scope");
}

#[test]
fn a_list_names_what_it_answers_to_a_wrong_page() {
    let fields = "// How many.\nint32 limit = 1;\n// From where.\nstring cursor = 2;";
    let access = "access: { public: {} }";
    let both = r#"access: { public: {} } reasons: ["INVALID_LIMIT", "INVALID_CURSOR"]"#;
    assert!(problems(example(READ, both, fields)).is_empty());
    let one = r#"access: { public: {} } reasons: ["INVALID_CURSOR"]"#;
    refused(READ, one, fields, "lacks the reason `INVALID_LIMIT`");
    refused(READ, access, "// From where.\nstring cursor = 1;", "lacks the reason `INVALID_CURSOR`");
    let page = "// Which.\nPage page = 1;\n// A page.\nmessage Page {\n// How many.\nint32 limit = 1;\n}";
    assert_eq!(problems(example(READ, access, page)).len(), 2);
    assert!(problems(example(READ, access, "// How many.\nint32 limit = 1;")).is_empty());
}

#[test]
fn what_changes_something_has_a_key() {
    let access = "access: { public: {} }";
    refused(WRITE, access, "", "BuyRequest needs `string request_id");
    refused("IDEMPOTENCY_UNKNOWN", access, "", "BuyRequest needs `string request_id");
    refused(WRITE, access, "// A key.\nbytes request_id = 1;", "BuyRequest needs `string request_id");
    refused(
        WRITE,
        access,
        "// Keys.\nrepeated string request_id = 1;",
        "BuyRequest needs `string request_id",
    );
}

#[test]
fn money_is_never_cached() {
    let cache = "cache: { fresh: {seconds: 1} scope: CACHE_SCOPE_PUBLIC }";
    let contract = format!("access: {{ public: {{}} }} moves_money: true {cache}");
    let problems = problems(example(WRITE, &contract, KEY));
    assert!(problems.iter().any(|problem| problem.contains("moves money and is cached")), "{problems:#?}");
    refused(READ, "access: { public: {} } moves_money: true", KEY, "moves money but says NO_SIDE_EFFECTS");
}

#[test]
fn a_cache_makes_sense() {
    let cached = |cache: &str| format!("access: {{ public: {{}} }} cache: {{ {cache} }}");
    let scope = "scope: CACHE_SCOPE_PUBLIC";
    refused(
        WRITE,
        &cached(&format!("fresh: {{seconds: 1}} {scope}")),
        KEY,
        "changes something and is cached",
    );
    refused(READ, &cached("fresh: {seconds: 1}"), KEY, "without a scope");
    refused(READ, &cached(scope), KEY, "fresh for no time");
    refused(READ, &cached(&format!("fresh: {{seconds: -1}} {scope}")), KEY, "fresh for no time");
    refused(
        READ,
        &cached(&format!("fresh: {{seconds: 5}} stale: {{seconds: 4}} {scope}")),
        KEY,
        "shorter than its `fresh`",
    );
    for field in ["nothing", "filter.nothing", "request_id.word"] {
        let cache = cached(&format!("fresh: {{seconds: 5}} {scope} key_fields: [\"{field}\"]"));
        refused(READ, &cache, KEY, &format!("cache key field `{field}`"));
    }
}

#[test]
fn what_is_ones_own_is_not_shared() {
    let cache = "cache: { fresh: {seconds: 5} scope: CACHE_SCOPE_PUBLIC }";
    refused(READ, &format!("access: {{ customer: {{}} }} {cache}"), KEY, "say CACHE_SCOPE_PRINCIPAL");
    assert!(
        problems(example(READ, &format!("access: {{ internal: {{roles: [\"*\"]}} }} {cache}"), KEY))
            .is_empty()
    );
}

#[test]
fn a_stream_is_not_cached() {
    let cache = "cache: { fresh: {seconds: 5} scope: CACHE_SCOPE_PUBLIC }";
    let source = example(READ, &format!("access: {{ public: {{}} }} {cache}"), KEY);
    let problems = problems(source.replace("returns (BuyResponse)", "returns (stream BuyResponse)"));
    assert!(problems.len() == 1 && problems[0].contains("is a stream"), "{problems:#?}");
}

#[test]
fn a_timeout_is_above_zero() {
    for timeout in ["{}", "{seconds: 0}", "{seconds: -1}", "{nanos: -1}"] {
        refused(READ, &format!("access: {{ public: {{}} }} timeout: {timeout}"), KEY, "not above zero");
    }
}

#[test]
fn reasons_are_in_screaming_snake_case() {
    for reason in ["", "outOfStock", "OUT OF", "_OUT", "OUT_", "OUT__OF", "2OUT", "ÄPFEL"] {
        refused(
            READ,
            &format!("access: {{ public: {{}} }} reasons: [\"{reason}\"]"),
            KEY,
            "SCREAMING_SNAKE_CASE",
        );
    }
    refused(READ, "access: { public: {} } reasons: [\"A\", \"B\", \"A\"]", KEY, "`A` twice");
}

#[test]
fn a_package_is_named_after_its_role() {
    let source = example(READ, "access: { public: {} }", KEY)
        .replace("package souk.shop.v1", "package souk.shop.inner.v1");
    let problems = problems(source);
    assert!(problems.len() == 1 && problems[0].contains("souk.NAME.v1"), "{problems:#?}");
}

#[test]
fn everything_has_a_comment() {
    let access = "access: { public: {} }";
    let fields = format!("{KEY}\n// An enum.\nenum Kind {{\n// Not said.\nKIND_UNSPECIFIED = 0;\n}}");
    let source = example(READ, access, &fields);
    assert!(problems(source.clone()).is_empty());
    for (comment, what) in [
        ("// A service.", "service ShopService"),
        ("// A method.", "method Buy"),
        ("// A request.", "message BuyRequest"),
        ("// A key.", "field BuyRequest.request_id"),
        ("// Within.", "message Nested"),
        ("// A word.", "field Nested.word"),
        ("// An enum.", "enum Kind"),
        ("// Not said.", "enum value KIND_UNSPECIFIED"),
    ] {
        let problems = problems(source.replace(comment, "//"));
        assert_eq!(problems.len(), 1, "{what}: {problems:#?}");
        assert!(problems[0].contains(&format!("{what} has no comment")), "{problems:#?}");
    }
}

#[test]
fn all_problems_are_told_at_once() {
    let problems = problems(example(WRITE, "reasons: [\"bad\"]", "string x = 1;"));
    assert_eq!(problems.len(), 4, "comment, access, request_id and reason: {problems:#?}");
}
