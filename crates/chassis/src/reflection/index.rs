//! Where each name of the embedded descriptors stands.

use std::collections::{BTreeMap, HashMap};

use prost::Message;
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorProto};

/// A `google.protobuf.FileDescriptorSet` whose files stay as they were encoded: decoded ones lose the options of the contract.
#[derive(Clone, PartialEq, Message)]
struct EncodedFiles {
    #[prost(bytes = "vec", repeated, tag = "1")]
    file: Vec<Vec<u8>>,
}

/// The files, and in which of them a name or an extension is.
#[derive(Default)]
pub(super) struct Index {
    files: Vec<Vec<u8>>,
    names: HashMap<String, usize>,
    symbols: HashMap<String, usize>,
    /// By the message that is extended and the number.
    extensions: HashMap<String, BTreeMap<i32, usize>>,
}

impl Index {
    /// The contracts, health, reflection, and the details of errors: these travel as `google.protobuf.Any`, and who shows them
    /// asks for their types here.
    pub(super) fn new() -> Self {
        let mut index = Self::default();
        for set in [
            contract::DESCRIPTORS,
            tonic_health::pb::FILE_DESCRIPTOR_SET,
            tonic_types::pb::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1::FILE_DESCRIPTOR_SET,
            tonic_reflection::pb::v1alpha::FILE_DESCRIPTOR_SET,
        ] {
            let set = EncodedFiles::decode(set).expect("the embedded descriptors are whole");
            for file in set.file {
                index.add(file);
            }
        }
        index
    }

    pub(super) fn file(&self, name: &str) -> Option<&[u8]> {
        self.bytes(self.names.get(name))
    }

    pub(super) fn file_of_symbol(&self, name: &str) -> Option<&[u8]> {
        self.bytes(self.symbols.get(name))
    }

    pub(super) fn file_of_extension(&self, message: &str, number: i32) -> Option<&[u8]> {
        self.bytes(self.extensions.get(message)?.get(&number))
    }

    /// The numbers of a message's extensions; `None` for what is no symbol.
    pub(super) fn extension_numbers(&self, message: &str) -> Option<Vec<i32>> {
        self.symbols.get(message)?;
        let numbers = self.extensions.get(message);
        Some(numbers.map(|numbers| numbers.keys().copied().collect()).unwrap_or_default())
    }

    fn bytes(&self, file: Option<&usize>) -> Option<&[u8]> {
        self.files.get(*file?).map(Vec::as_slice)
    }

    fn add(&mut self, bytes: Vec<u8>) {
        let file = FileDescriptorProto::decode(bytes.as_slice()).expect("the embedded descriptors are whole");
        if self.names.contains_key(file.name()) {
            return;
        }
        let at = self.files.len();
        self.files.push(bytes);
        self.names.insert(file.name().to_owned(), at);
        let package = file.package();
        for message in &file.message_type {
            self.add_message(at, package, message);
        }
        for values in &file.enum_type {
            self.add_enum(at, package, values);
        }
        self.add_extensions(at, package, &file.extension);
        for service in &file.service {
            let name = self.add_symbol(at, package, service.name());
            for method in &service.method {
                self.add_symbol(at, &name, method.name());
            }
        }
    }

    fn add_message(&mut self, at: usize, scope: &str, message: &DescriptorProto) {
        let name = self.add_symbol(at, scope, message.name());
        for field in &message.field {
            self.add_symbol(at, &name, field.name());
        }
        for choice in &message.oneof_decl {
            self.add_symbol(at, &name, choice.name());
        }
        for nested in &message.nested_type {
            self.add_message(at, &name, nested);
        }
        for values in &message.enum_type {
            self.add_enum(at, &name, values);
        }
        self.add_extensions(at, &name, &message.extension);
    }

    /// The values of an enum are names of the scope that it stands in, not of its own.
    fn add_enum(&mut self, at: usize, scope: &str, values: &EnumDescriptorProto) {
        self.add_symbol(at, scope, values.name());
        for value in &values.value {
            self.add_symbol(at, scope, value.name());
        }
    }

    fn add_extensions(&mut self, at: usize, scope: &str, extensions: &[FieldDescriptorProto]) {
        for extension in extensions {
            self.add_symbol(at, scope, extension.name());
            let extended = extension.extendee().trim_start_matches('.').to_owned();
            self.extensions.entry(extended).or_default().insert(extension.number(), at);
        }
    }

    fn add_symbol(&mut self, at: usize, scope: &str, name: &str) -> String {
        let name = if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") };
        self.symbols.insert(name.clone(), at);
        name
    }
}
