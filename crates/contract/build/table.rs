//! Writes the method contracts as Rust constants.

use std::fmt::Write;

use crate::check::{Access, Cache, Method};

/// The source of `methods.rs`: one static table, sorted by path.
pub fn render(methods: &[Method]) -> String {
    let mut out = String::from("pub(crate) static METHODS: &[MethodContract] = &[\n");
    for (index, method) in methods.iter().enumerate() {
        render_method(&mut out, index, method).expect("a String takes all that is written");
    }
    out.push_str("];\n");
    out
}

fn render_method(out: &mut String, index: usize, method: &Method) -> std::fmt::Result {
    writeln!(out, "    MethodContract {{")?;
    writeln!(out, "        index: {index},")?;
    writeln!(out, "        path: {:?},", method.path)?;
    writeln!(out, "        package_role: {:?},", method.package_role)?;
    writeln!(out, "        service: {:?},", method.service)?;
    writeln!(out, "        method: {:?},", method.method)?;
    writeln!(out, "        idempotency: Idempotency::{},", method.idempotency)?;
    writeln!(out, "        timeout: {},", duration(method.timeout))?;
    writeln!(out, "        criticality: Criticality::{},", method.criticality)?;
    match &method.cache {
        Some(cache) => writeln!(out, "        cache: Some({}),", render_cache(cache))?,
        None => writeln!(out, "        cache: None,")?,
    }
    writeln!(out, "        moves_money: {},", method.moves_money)?;
    let access: Vec<String> = method.access.iter().map(render_access).collect();
    writeln!(out, "        access: &[{}],", access.join(", "))?;
    writeln!(out, "        reasons: &{:?},", method.reasons)?;
    writeln!(out, "        request_bytes_max: {},", method.request_bytes_max)?;
    writeln!(out, "        client_streaming: {},", method.client_streaming)?;
    writeln!(out, "        server_streaming: {},", method.server_streaming)?;
    writeln!(out, "        input: {:?},", method.input)?;
    writeln!(out, "        output: {:?},", method.output)?;
    writeln!(out, "    }},")
}

fn render_cache(cache: &Cache) -> String {
    format!(
        "Cache {{ fresh: {}, stale: {}, scope: CacheScope::{}, key_fields: &{:?} }}",
        duration(cache.fresh),
        duration(cache.stale),
        cache.scope,
        cache.key_fields
    )
}

fn render_access(access: &Access) -> String {
    match access {
        Access::Public => "Access::Public".into(),
        Access::Guest => "Access::Guest".into(),
        Access::Customer => "Access::Customer".into(),
        Access::Merchant => "Access::Merchant".into(),
        Access::Partner(scope) => format!("Access::Partner({scope:?})"),
        Access::Staff(permission) => format!("Access::Staff({permission:?})"),
        Access::Internal(roles) => format!("Access::Internal(&{roles:?})"),
    }
}

fn duration(duration: std::time::Duration) -> String {
    format!("Duration::new({}, {})", duration.as_secs(), duration.subsec_nanos())
}
