//! Finds what has no comment in the `.proto` files: comments are the reference that callers read.

use protox::prost_reflect::{DescriptorPool, EnumDescriptor, FileDescriptor, MessageDescriptor};

use crate::check::PACKAGES;

/// A sentence for every service, method, message, field, enum and enum value without a comment above it.
pub fn missing(pool: &DescriptorPool) -> Vec<String> {
    let mut problems = Vec::new();
    for file in pool.files().filter(|file| file.package_name().starts_with(PACKAGES)) {
        let mut search = Search { file: &file, problems: &mut problems };
        for service in file.services() {
            search.check("service", service.name(), service.path());
            for method in service.methods() {
                search.check("method", method.name(), method.path());
            }
        }
        for message in file.messages() {
            search.message(&message);
        }
        for kind in file.enums() {
            search.kind(&kind);
        }
    }
    problems
}

struct Search<'a> {
    file: &'a FileDescriptor,
    problems: &'a mut Vec<String>,
}

impl Search<'_> {
    fn message(&mut self, message: &MessageDescriptor) {
        if message.is_map_entry() {
            return;
        }
        self.check("message", message.name(), message.path());
        for field in message.fields() {
            self.check("field", &format!("{}.{}", message.name(), field.name()), field.path());
        }
        for inner in message.child_messages() {
            self.message(&inner);
        }
        for kind in message.child_enums() {
            self.kind(&kind);
        }
    }

    fn kind(&mut self, kind: &EnumDescriptor) {
        self.check("enum", kind.name(), kind.path());
        for value in kind.values() {
            self.check("enum value", value.name(), value.path());
        }
    }

    fn check(&mut self, what: &str, name: &str, path: &[i32]) {
        let info = self.file.file_descriptor_proto().source_code_info.as_ref();
        let location = info.and_then(|info| info.location.iter().find(|location| location.path == path));
        let comment = location.map_or("", |location| location.leading_comments());
        if comment.trim().is_empty() {
            let place = place(self.file, path);
            self.problems.push(format!(
                "{place}: {what} {name} has no comment; say above it what it is (units, ranges, defaults)"
            ));
        }
    }
}

/// `proto/souk/order/v1/order.proto:12`.
pub fn place(file: &FileDescriptor, path: &[i32]) -> String {
    let info = file.file_descriptor_proto().source_code_info.as_ref();
    let location = info.and_then(|info| info.location.iter().find(|location| location.path == path));
    let line = location.and_then(|location| location.span.first()).map_or(0, |line| line + 1);
    format!("proto/{}:{line}", file.name())
}
