//! Turns `proto/` into Rust: messages, clients and servers, the descriptor set, and the table of method contracts.
//!
//! A `.proto` file that appears under `proto/souk/` is found by itself. What does not hold together (`check.rs`) ends
//! the build with a sentence per problem.
#![expect(clippy::print_stdout, reason = "a build script speaks to cargo by printing")]
#![expect(clippy::disallowed_methods, reason = "cargo tells a build script where things are by variables")]

mod check;
mod comments;
mod events;
mod redact;
mod table;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use protox::Compiler;
use protox::prost_reflect::DescriptorPool;

/// Compiled files: the descriptor set as bytes with comments and options, and the pool to look into.
struct Compiled {
    descriptors: Vec<u8>,
    pool: DescriptorPool,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problems) => {
            for problem in &problems {
                println!("cargo::error={}", problem.replace('\n', " "));
            }
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Vec<String>> {
    let manifest_dir = PathBuf::from(variable("CARGO_MANIFEST_DIR")?);
    let out_dir = PathBuf::from(variable("OUT_DIR")?);
    let proto_dir = manifest_dir.join("../../proto");
    println!("cargo::rerun-if-changed={}", proto_dir.display());
    println!("cargo::rerun-if-changed=build");

    let mut files = Vec::new();
    find_protos(&proto_dir.join("souk"), &mut files)
        .map_err(|error| vec![format!("reading proto/: {error}")])?;
    files.sort();
    let compiled = compile(&proto_dir, &files)?;
    let methods = check::methods(&compiled.pool)?;
    write(&out_dir.join("descriptors.bin"), &compiled.descriptors)?;
    write(&out_dir.join("methods.rs"), table::render(&methods).as_bytes())?;
    generate(&compiled, &out_dir)
}

fn variable(name: &str) -> Result<String, Vec<String>> {
    std::env::var(name).map_err(|_| vec![format!("{name} is not set; this build script is run by cargo")])
}

fn write(path: &Path, content: &[u8]) -> Result<(), Vec<String>> {
    std::fs::write(path, content).map_err(|error| vec![format!("writing {}: {error}", path.display())])
}

/// Every `.proto` below `dir`.
fn find_protos(dir: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(dir)? {
        let path = entry?.path();
        if path.is_dir() {
            find_protos(&path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(path);
        }
    }
    Ok(())
}

/// Compiles all files, and tells the errors of all of them, not only of the first.
fn compile(proto_dir: &Path, files: &[PathBuf]) -> Result<Compiled, Vec<String>> {
    let mut compiler = Compiler::new([proto_dir]).map_err(|error| vec![error.to_string()])?;
    compiler.include_source_info(true).include_imports(true);
    let mut problems = Vec::new();
    for file in files {
        if let Err(error) = compiler.open_file(file) {
            // Its Debug form is one line with file, line and column.
            problems.push(format!("proto/{error:?} (so protobuf cannot be compiled)"));
        }
    }
    if !problems.is_empty() {
        problems.dedup();
        return Err(problems);
    }
    Ok(Compiled { descriptors: compiler.encode_file_descriptor_set(), pool: compiler.descriptor_pool() })
}

fn generate(compiled: &Compiled, out_dir: &Path) -> Result<(), Vec<String>> {
    let redacted = redact::messages(&compiled.pool);
    write(&out_dir.join("redacted.rs"), redact::render(&redacted).as_bytes())?;
    write(&out_dir.join("events.rs"), events::render(&compiled.pool).as_bytes())?;
    let mut config = tonic_prost_build::Config::new();
    config.skip_debug(redacted.iter().map(|message| format!(".{}", message.full_name())));
    config.enable_type_names().type_name_domain(["."], "type.googleapis.com");
    tonic_prost_build::configure()
        // Without transport no client connects by itself: every client takes the mesh's channel.
        .build_transport(false)
        // Maps in order, so that a message encodes the same way every time and can be fingerprinted.
        .btree_map(".")
        .out_dir(out_dir)
        .include_file("contract.rs")
        .compile_fds_with_config(file_descriptor_set(compiled), config)
        .map_err(|error| vec![format!("generating code: {error}")])
}

/// The files as prost knows them, without custom options, which only the table reads.
fn file_descriptor_set(compiled: &Compiled) -> tonic_prost_build::FileDescriptorSet {
    let file = compiled.pool.file_descriptor_protos().cloned().collect();
    tonic_prost_build::FileDescriptorSet { file }
}
