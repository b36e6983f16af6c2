//! The contracts as a whole, and the rules that a build holds them to.

#[path = "../build/check.rs"]
mod check;
#[path = "../build/comments.rs"]
mod comments;
#[path = "it/rules.rs"]
mod rules;
#[path = "../build/table.rs"]
mod table;

use std::collections::BTreeSet;

use contract::{Access, Idempotency};
use protox::prost_reflect::DescriptorPool;

#[test]
fn a_contract_is_found_by_its_path() {
    let contract = contract::method("/souk.event.v1.EventService/Subscribe").expect("every role serves it");
    assert_eq!((contract.package_role, contract.method), ("event", "Subscribe"));
    assert_eq!(contract.idempotency, Idempotency::NoSideEffects);
    assert_eq!(contract.access, [Access::Internal(&["*"]), Access::Staff("events.read")]);
    assert!(contract.server_streaming && contract.streams() && contract.reads());
    assert!(contract::method("/souk.event.v1.EventService/Publish").is_none());
    assert!(contract::method("/grpc.health.v1.Health/Check").is_none());
}

#[test]
fn every_method_of_the_descriptor_set_has_a_contract() {
    let pool = DescriptorPool::decode(contract::DESCRIPTORS).expect("the embedded set is whole");
    let mut described = BTreeSet::new();
    for service in pool.services() {
        described
            .extend(service.methods().map(|method| format!("/{}/{}", service.full_name(), method.name())));
    }
    let contracts: BTreeSet<String> =
        contract::methods().iter().map(|method| method.path.to_owned()).collect();
    assert_eq!(described, contracts);
    assert!(contract::methods().is_sorted_by_key(|method| method.path));
}

#[test]
fn the_descriptor_set_carries_comments_and_options() {
    let pool = DescriptorPool::decode(contract::DESCRIPTORS).expect("the embedded set is whole");
    let method =
        pool.get_service_by_name("souk.event.v1.EventService").and_then(|service| service.methods().next());
    let method = method.expect("it has methods");
    let option = pool.get_extension_by_name("souk.contract.v1.method").expect("the option is in the set");
    assert!(method.options().has_extension(&option));
    assert_eq!(comments::missing(&pool), Vec::<String>::new());
}

#[test]
fn messages_know_their_names() {
    use prost::Name;
    assert_eq!(contract::souk::event::v1::Event::full_name(), "souk.event.v1.Event");
    assert_eq!(contract::souk::event::v1::Event::type_url(), "type.googleapis.com/souk.event.v1.Event");
}
