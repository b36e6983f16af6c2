//! Messages with a field marked `debug_redact` never show themselves: a secret must not reach a log by way of `{:?}`.

use std::fmt::Write;

use protox::prost_reflect::{DescriptorPool, MessageDescriptor};

/// Every message that has such a field of its own.
pub fn messages(pool: &DescriptorPool) -> Vec<MessageDescriptor> {
    let secret = |message: &MessageDescriptor| {
        message.fields().any(|field| {
            field
                .options()
                .get_field_by_name("debug_redact")
                .is_some_and(|value| value.as_bool() == Some(true))
        })
    };
    pool.all_messages()
        .filter(|message| message.package_name().starts_with("souk.") && secret(message))
        .collect()
}

/// Their `Debug`, which tells the name and nothing else.
pub fn render(messages: &[MessageDescriptor]) -> String {
    let mut code = String::new();
    for message in messages {
        let path = message.package_name().replace('.', "::").replace("::type::", "::r#type::");
        let name = message.name();
        let _ = writeln!(
            code,
            "impl std::fmt::Debug for {path}::{name} {{\n    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {{\n        f.write_str(\"{name} {{ .. }}\")\n    }}\n}}"
        );
    }
    code
}
