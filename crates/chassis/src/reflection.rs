//! Server reflection, v1 and v1alpha. The index of descriptors is made when somebody first asks: it is larger than what an
//! idle shop needs otherwise.

use std::sync::{Arc, OnceLock};

use mesh::{Endpoint, Response};
use tonic::body::Body;

/// Both versions, by the full names of their services.
pub(crate) fn endpoints(services: &[String]) -> Vec<(&'static str, Arc<dyn Endpoint>)> {
    let lazy = |version| {
        let endpoint: Arc<dyn Endpoint> =
            Arc::new(Lazy { services: services.to_vec(), version, made: OnceLock::new() });
        endpoint
    };
    vec![
        ("grpc.reflection.v1.ServerReflection", lazy(Version::V1)),
        ("grpc.reflection.v1alpha.ServerReflection", lazy(Version::V1Alpha)),
    ]
}

#[derive(Clone, Copy)]
enum Version {
    V1,
    V1Alpha,
}

struct Lazy {
    services: Vec<String>,
    version: Version,
    made: OnceLock<Arc<dyn Endpoint>>,
}

impl Endpoint for Lazy {
    fn call(&self, request: http::Request<Body>) -> Response {
        self.made.get_or_init(|| make(&self.services, self.version)).call(request)
    }
}

fn make(services: &[String], version: Version) -> Arc<dyn Endpoint> {
    let mut builder = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(contract::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        // The details of errors travel as google.protobuf.Any: who shows them asks for their types here.
        .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET);
    for service in services {
        builder = builder.with_service_name(service.clone());
    }
    let bytes_max = mesh::policy::FOREIGN_BYTES_MAX;
    match version {
        Version::V1 => {
            let server = builder.build_v1().expect("the embedded descriptors are whole");
            mesh::grpc(server.max_decoding_message_size(bytes_max)).1
        }
        Version::V1Alpha => {
            let server = builder.build_v1alpha().expect("the embedded descriptors are whole");
            mesh::grpc(server.max_decoding_message_size(bytes_max)).1
        }
    }
}
