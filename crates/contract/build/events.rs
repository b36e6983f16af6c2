//! Writes the one function that knows every event by its name: what a role publishes is in the `events.proto` of its package.

use std::fmt::Write;

use protox::prost_reflect::DescriptorPool;

/// The source of `decode_event`.
pub fn render(pool: &DescriptorPool) -> String {
    let mut code = String::from(
        "/// Decodes an event of this full name and encodes it again; `None` for a name that no contract has.\n\
         pub(crate) fn recode_event(type_name: &str, payload: &[u8]) -> Option<Result<Vec<u8>, prost::DecodeError>> {\n    \
         use prost::Message;\n    Some(match type_name {\n",
    );
    let files = pool.files().filter(|file| file.name().ends_with("/events.proto"));
    for message in files.flat_map(|file| file.messages().collect::<Vec<_>>()) {
        let path = message.package_name().replace('.', "::").replace("::type::", "::r#type::");
        let (full, name) = (message.full_name(), message.name());
        let _ = writeln!(
            code,
            "        {full:?} => {path}::{name}::decode(payload).map(|event| event.encode_to_vec()),"
        );
    }
    code.push_str("        _ => return None,\n    })\n}\n");
    code
}
