//! The role `user` through its client: ownership, replays, versions, references, address books, refusals.

use chassis::testing::{Harness, customer, guest, staff};
use contract::souk::r#type::v1::{Address, PageRequest};
use contract::souk::user::v1::user_service_client::UserServiceClient;
use contract::souk::user::v1::*;
use mesh::{Channel, Principal};
use svc_user::SERVICE;
use tonic::{Response, Status};

type Client = UserServiceClient<Channel>;

struct World {
    harness: Harness,
}

impl World {
    async fn start() -> Self {
        Self { harness: Harness::start(&SERVICE, 7).await.expect("starts") }
    }

    fn of(&self, principal: Principal) -> Client {
        self.harness.client(UserServiceClient::new, principal)
    }

    fn role(&self, role: &str, principal: Principal) -> Client {
        self.harness.client_as_role(role, UserServiceClient::new, principal)
    }
}

fn clerk() -> Principal {
    staff(900, &["users.read", "users.write"])
}

/// Reason and fields of a refusal.
fn refusal<T>(result: Result<T, Status>) -> (String, Vec<String>) {
    let error = contract::error(result.err().expect("it is refused"));
    (error.reason().to_owned(), error.violations().iter().map(|violation| violation.field.clone()).collect())
}

fn reason<T>(result: Result<T, Status>) -> String {
    refusal(result).0
}

fn field<T>(result: Result<T, Status>) -> String {
    refusal(result).1.into_iter().next().expect("a field is named")
}

fn replayed<T>(response: &Response<T>) -> bool {
    response.metadata().get("souk-replayed").is_some_and(|value| value == "true")
}

fn london() -> Option<Address> {
    let lines = vec!["12 St James's Square".into()];
    Some(Address { recipient: "Ada Lovelace".into(), lines, city: "London".into(), postal_code: "SW1Y 4JH".into(), country_code: "GB".into(), ..Address::default() })
}

fn import(request_id: &str, reference: &str) -> CreateProfileRequest {
    CreateProfileRequest {
        request_id: request_id.into(),
        external_reference: reference.into(),
        country_code: "GB".into(),
        ..CreateProfileRequest::default()
    }
}

fn add(request_id: &str) -> AddAddressRequest {
    AddAddressRequest { request_id: request_id.into(), label: "Home".into(), address: london(), ..AddAddressRequest::default() }
}

fn profile_of(id: &str) -> GetProfileRequest {
    GetProfileRequest { profile_id: id.into() }
}

async fn own(client: &mut Client) -> Profile {
    client.get_profile(profile_of("")).await.expect("own").into_inner().profile.expect("a profile")
}

#[tokio::test(start_paused = true)]
async fn the_owners_first_call_makes_the_profile() {
    let world = World::start().await;
    let mut ada = world.of(customer(1));
    let profile = own(&mut ada).await;
    let id = customer(1).account().expect("an account").to_string();
    assert_eq!((profile.profile_id.as_str(), profile.version, profile.country_code.as_str()), (id.as_str(), 1, "ZZ"));
    assert_eq!(own(&mut ada).await, profile, "asking again makes nothing more");
    let by_id = ada.get_profile(profile_of(&id)).await.expect("own by id").into_inner().profile;
    assert_eq!(by_id, Some(profile));
}

#[tokio::test(start_paused = true)]
async fn an_owner_makes_its_profile_once() {
    let world = World::start().await;
    let mut ada = world.of(customer(1));
    let request = CreateProfileRequest {
        request_id: "c-1".into(),
        name: " Ada Lovelace ".into(),
        email: "ada@example.com".into(),
        locale: "en-GB".into(),
        country_code: "GB".into(),
        ..CreateProfileRequest::default()
    };
    let first = ada.create_profile(request.clone()).await.expect("made");
    assert!(!replayed(&first));
    let profile = first.into_inner().profile.expect("a profile");
    assert_eq!((profile.name.as_str(), profile.version), ("Ada Lovelace", 1));
    let again = ada.create_profile(request.clone()).await.expect("replayed");
    assert!(replayed(&again));
    assert_eq!(again.into_inner().profile, Some(profile));
    let other = CreateProfileRequest { name: "Grace Hopper".into(), ..request.clone() };
    assert_eq!(refusal(ada.create_profile(other).await), ("IDEMPOTENCY_KEY_REUSED".into(), vec!["/request_id".into()]));
    let twice = CreateProfileRequest { request_id: "c-2".into(), ..request };
    assert_eq!(reason(ada.create_profile(twice).await), "PROFILE_EXISTS");
}

#[tokio::test(start_paused = true)]
async fn a_reference_names_one_profile_for_ever() {
    let world = World::start().await;
    let mut clerk = world.of(clerk());
    let first = clerk.create_profile(import("i-1", "online-retail:17850")).await.expect("made");
    assert!(!replayed(&first));
    let profile = first.into_inner().profile.expect("a profile");
    let again = clerk.create_profile(import("i-2", "online-retail:17850")).await.expect("found");
    assert!(replayed(&again), "the same reference under another key is the same profile");
    assert_eq!(again.into_inner().profile.as_ref(), Some(&profile));
    let found = clerk.find_profile(FindProfileRequest { external_reference: "online-retail:17850".into() }).await;
    assert_eq!(found.expect("found").into_inner().profile.as_ref(), Some(&profile));
    let delete = DeleteProfileRequest { request_id: "d-1".into(), profile_id: profile.profile_id.clone(), version: 1 };
    let deleted = clerk.delete_profile(delete.clone()).await.expect("deleted");
    assert!(!replayed(&deleted));
    assert!(replayed(&clerk.delete_profile(delete).await.expect("replayed")));
    assert_eq!(reason(clerk.get_profile(profile_of(&profile.profile_id)).await), "PROFILE_NOT_FOUND");
    let find = FindProfileRequest { external_reference: "online-retail:17850".into() };
    assert_eq!(reason(clerk.find_profile(find).await), "PROFILE_NOT_FOUND");
    let taken = clerk.create_profile(import("i-3", "online-retail:17850")).await;
    assert_eq!(refusal(taken), ("EXTERNAL_REFERENCE_USED".into(), vec!["/external_reference".into()]));
    let upper = clerk.create_profile(import("i-4", "Online-Retail:17850")).await.expect("case counts");
    assert!(!replayed(&upper));
}

#[tokio::test(start_paused = true)]
async fn two_imports_at_once_make_one_profile() {
    let world = World::start().await;
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let mut clerk = world.of(clerk());
            tokio::spawn(async move { clerk.create_profile(import(&format!("i-{n}"), "online-retail:1")).await })
        })
        .collect();
    let mut fresh = 0;
    let mut ids = std::collections::BTreeSet::new();
    for task in tasks {
        let response = task.await.expect("ran").expect("made or found");
        fresh += usize::from(!replayed(&response));
        ids.insert(response.into_inner().profile.expect("a profile").profile_id);
    }
    assert_eq!((fresh, ids.len()), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn somebody_elses_profile_is_as_good_as_absent() {
    let world = World::start().await;
    let (mut ada, mut eve) = (world.of(customer(1)), world.of(customer(2)));
    let id = own(&mut ada).await.profile_id;
    let address = ada.add_address(add("a-1")).await.expect("added").into_inner().address.expect("an address");
    let absent = customer(3).account().expect("an account").to_string();
    for id in [id.clone(), absent] {
        assert_eq!(reason(eve.get_profile(profile_of(&id)).await), "PROFILE_NOT_FOUND");
        assert_eq!(reason(eve.list_addresses(ListAddressesRequest { profile_id: id.clone() }).await), "PROFILE_NOT_FOUND");
        let update = UpdateProfileRequest { request_id: "u".into(), profile_id: id.clone(), version: 1, ..Default::default() };
        assert_eq!(reason(eve.update_profile(update).await), "PROFILE_NOT_FOUND");
        let delete = DeleteProfileRequest { request_id: "d".into(), profile_id: id.clone(), version: 1 };
        assert_eq!(reason(eve.delete_profile(delete).await), "PROFILE_NOT_FOUND");
        assert_eq!(reason(eve.add_address(AddAddressRequest { profile_id: id.clone(), ..add("a") }).await), "PROFILE_NOT_FOUND");
        let update = UpdateAddressRequest {
            request_id: "ua".into(),
            profile_id: id.clone(),
            address_id: address.address_id.clone(),
            version: 1,
            address: london(),
            ..Default::default()
        };
        assert_eq!(reason(eve.update_address(update).await), "PROFILE_NOT_FOUND");
        let delete = DeleteAddressRequest { request_id: "da".into(), profile_id: id, address_id: address.address_id.clone(), version: 1 };
        assert_eq!(reason(eve.delete_address(delete).await), "PROFILE_NOT_FOUND");
    }
    let own = UpdateAddressRequest { request_id: "x".into(), address_id: address.address_id, version: 1, address: london(), ..Default::default() };
    assert_eq!(reason(eve.update_address(own).await), "ADDRESS_NOT_FOUND", "in the own book it is not");
}

#[tokio::test(start_paused = true)]
async fn staff_see_and_change_everybodys() {
    let world = World::start().await;
    let id = own(&mut world.of(customer(1))).await.profile_id;
    let mut reader = world.of(staff(901, &["users.read"]));
    assert!(reader.get_profile(profile_of(&id)).await.is_ok());
    let update = UpdateProfileRequest { request_id: "u".into(), profile_id: id, version: 1, name: "Ada".into(), ..Default::default() };
    assert_eq!(reason(reader.update_profile(update.clone()).await), "PROFILE_NOT_FOUND", "reading is not writing");
    let changed = world.of(clerk()).update_profile(update).await.expect("changed").into_inner().profile.expect("a profile");
    assert_eq!((changed.name.as_str(), changed.version), ("Ada", 2));
}

#[tokio::test(start_paused = true)]
async fn a_role_reads_for_the_order_it_works_on() {
    let world = World::start().await;
    let id = own(&mut world.of(customer(1))).await.profile_id;
    assert!(world.role("order", Principal::Anonymous).get_profile(profile_of(&id)).await.is_ok());
    assert!(world.role("checkout", customer(1)).list_addresses(ListAddressesRequest::default()).await.is_ok());
    let for_eve = world.role("checkout", customer(2)).get_profile(profile_of(&id)).await;
    assert_eq!(reason(for_eve), "PROFILE_NOT_FOUND", "a role that acts for somebody sees what they may see");
    let nobody = world.role("order", Principal::Anonymous).get_profile(profile_of("")).await;
    assert_eq!(field(nobody), "/profile_id");
    assert_eq!(reason(world.role("search", Principal::Anonymous).get_profile(profile_of(&id)).await), "UNAUTHENTICATED");
}

#[tokio::test(start_paused = true)]
async fn an_edit_names_the_version_it_saw() {
    let world = World::start().await;
    let mut ada = world.of(customer(1));
    let update = |request_id: &str, version| UpdateProfileRequest {
        request_id: request_id.into(),
        version,
        name: "Ada".into(),
        country_code: "GB".into(),
        ..UpdateProfileRequest::default()
    };
    assert_eq!(reason(ada.update_profile(update("u-0", 1)).await), "PROFILE_NOT_FOUND", "nobody has seen it");
    own(&mut ada).await;
    assert_eq!(field(ada.update_profile(update("u-1", 0)).await), "/version");
    let changed = ada.update_profile(update("u-2", 1)).await.expect("changed").into_inner().profile.expect("a profile");
    assert_eq!((changed.version, changed.country_code.as_str()), (2, "GB"));
    assert_eq!(reason(ada.update_profile(update("u-3", 1)).await), "VERSION_CONFLICT");
    let again = ada.update_profile(update("u-2", 1)).await.expect("replayed");
    assert!(replayed(&again), "what was done is answered although the version went on");
    let delete = |request_id: &str, version| DeleteProfileRequest { request_id: request_id.into(), version, ..Default::default() };
    assert_eq!(reason(ada.delete_profile(delete("d-1", 1)).await), "VERSION_CONFLICT");
    ada.delete_profile(delete("d-2", 2)).await.expect("deleted");
    let anew = own(&mut ada).await;
    assert_eq!((anew.version, anew.name.as_str()), (4, ""), "versions go on after a deletion");
}

#[tokio::test(start_paused = true)]
async fn an_address_book_is_kept_with_versions() {
    let world = World::start().await;
    let mut ada = world.of(customer(1));
    let first = ada.add_address(add("a-1")).await.expect("added, and the profile made").into_inner();
    let home = first.address.expect("an address");
    assert_eq!((home.version, home.default_for.clone()), (1, vec![AddressUse::Shipping.into(), AddressUse::Billing.into()]));
    assert!(replayed(&ada.add_address(add("a-1")).await.expect("replayed")));
    let work = AddAddressRequest { label: "Work".into(), default_for: vec![AddressUse::Billing.into()], ..add("a-2") };
    let work = ada.add_address(work).await.expect("added").into_inner().address.expect("an address");
    let update = UpdateAddressRequest {
        request_id: "u-1".into(),
        address_id: home.address_id.clone(),
        version: 1,
        label: "Cottage".into(),
        address: london(),
        default_for: vec![AddressUse::Shipping.into()],
        ..UpdateAddressRequest::default()
    };
    let changed = ada.update_address(update.clone()).await.expect("changed").into_inner();
    assert_eq!((changed.address.expect("an address").version, changed.profile_version), (2, 3));
    assert!(replayed(&ada.update_address(update.clone()).await.expect("replayed")));
    let stale = UpdateAddressRequest { request_id: "u-2".into(), ..update };
    assert_eq!(reason(ada.update_address(stale).await), "VERSION_CONFLICT");
    let book = ada.list_addresses(ListAddressesRequest::default()).await.expect("own").into_inner().addresses;
    let labels: Vec<_> = book.iter().map(|address| (address.label.as_str(), address.default_for.clone())).collect();
    assert_eq!(labels, [("Cottage", vec![AddressUse::Shipping.into()]), ("Work", vec![AddressUse::Billing.into()])]);
    let delete = |request_id: &str, id: &str, version| DeleteAddressRequest {
        request_id: request_id.into(),
        address_id: id.into(),
        version,
        ..DeleteAddressRequest::default()
    };
    assert_eq!(reason(ada.delete_address(delete("x-1", &home.address_id, 1)).await), "VERSION_CONFLICT");
    ada.delete_address(delete("x-2", &home.address_id, 2)).await.expect("deleted");
    assert!(replayed(&ada.delete_address(delete("x-2", &home.address_id, 2)).await.expect("replayed")));
    assert_eq!(reason(ada.delete_address(delete("x-3", &home.address_id, 2)).await), "ADDRESS_NOT_FOUND");
    let book = own(&mut ada).await.addresses;
    assert_eq!(book.iter().map(|address| &address.address_id).collect::<Vec<_>>(), [&work.address_id]);
}

#[tokio::test(start_paused = true)]
async fn addresses_added_at_once_are_all_there_up_to_the_limit() {
    let world = World::start().await;
    let tasks: Vec<_> = (0..60)
        .map(|n| {
            let mut ada = world.of(customer(1));
            tokio::spawn(async move { ada.add_address(add(&format!("a-{n}"))).await })
        })
        .collect();
    let mut refused = 0;
    for task in tasks {
        if let Err(status) = task.await.expect("ran") {
            assert_eq!(contract::error(status).reason(), "TOO_MANY_ADDRESSES");
            refused += 1;
        }
    }
    assert_eq!((own(&mut world.of(customer(1))).await.addresses.len(), refused), (50, 10));
}

#[tokio::test(start_paused = true)]
async fn lists_are_paged_and_their_cursors_are_their_own() {
    let world = World::start().await;
    let mut clerk = world.of(clerk());
    for n in 0..5 {
        clerk.create_profile(import(&format!("i-{n}"), &format!("online-retail:{n}"))).await.expect("made");
    }
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = Some(PageRequest { limit: 2, cursor });
        let response = clerk.list_profiles(ListProfilesRequest { page }).await.expect("a page").into_inner();
        seen.extend(response.profiles.into_iter().map(|profile| profile.external_reference));
        cursor = response.page.expect("page info").next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert_eq!(seen.len(), 5);
    let page = Some(PageRequest { limit: 2, cursor: "made-up".into() });
    assert_eq!(refusal(clerk.list_profiles(ListProfilesRequest { page }).await), ("INVALID_CURSOR".into(), vec!["/page/cursor".into()]));
    let page = Some(PageRequest { limit: 101, cursor: String::new() });
    assert_eq!(field(clerk.list_profiles(ListProfilesRequest { page }).await), "/page/limit");
}

#[tokio::test(start_paused = true)]
async fn every_wrong_field_is_named() {
    let world = World::start().await;
    let mut ada = world.of(customer(1));
    let mut clerk = world.of(clerk());
    let create = |request_id: &str| CreateProfileRequest { request_id: request_id.into(), ..CreateProfileRequest::default() };
    assert_eq!(field(ada.create_profile(create("")).await), "/request_id");
    assert_eq!(field(ada.create_profile(create(&"x".repeat(129))).await), "/request_id");
    assert_eq!(field(ada.create_profile(CreateProfileRequest { country_code: "UK".into(), ..create("c") }).await), "/country_code");
    assert_eq!(field(ada.create_profile(CreateProfileRequest { name: "x".repeat(201), ..create("c") }).await), "/name");
    assert_eq!(field(ada.create_profile(CreateProfileRequest { email: "x".into(), ..create("c") }).await), "/email");
    assert_eq!(field(ada.create_profile(CreateProfileRequest { locale: "x".into(), ..create("c") }).await), "/locale");
    assert_eq!(field(clerk.create_profile(import("c", "a b")).await), "/external_reference");
    assert_eq!(field(clerk.create_profile(import("c", &"x".repeat(201))).await), "/external_reference");
    assert_eq!(field(clerk.find_profile(FindProfileRequest::default()).await), "/external_reference");
    assert_eq!(field(ada.get_profile(profile_of("prd_1")).await), "/profile_id");
    assert_eq!(field(ada.add_address(AddAddressRequest { address: None, ..add("a") }).await), "/address");
    assert_eq!(field(ada.add_address(AddAddressRequest { label: "x".repeat(101), ..add("a") }).await), "/label");
    assert_eq!(field(ada.add_address(AddAddressRequest { default_for: vec![1, 7], ..add("a") }).await), "/default_for/1");
    assert_eq!(field(ada.add_address(AddAddressRequest { default_for: vec![0], ..add("a") }).await), "/default_for/0");
    assert_eq!(field(ada.add_address(AddAddressRequest { default_for: vec![1; 100], ..add("a") }).await), "/default_for");
    let nowhere = Some(Address { country_code: "gb".into(), ..Address::default() });
    assert_eq!(field(ada.add_address(AddAddressRequest { address: nowhere, ..add("a") }).await), "/address/country_code");
    let update = UpdateAddressRequest { request_id: "u".into(), version: 1, address: london(), ..UpdateAddressRequest::default() };
    assert_eq!(field(ada.update_address(update).await), "/address_id");
    let delete = DeleteAddressRequest { request_id: "d".into(), address_id: "adr_x".into(), version: 1, ..DeleteAddressRequest::default() };
    assert_eq!(field(ada.delete_address(delete).await), "/address_id");
    assert_eq!(own(&mut ada).await.version, 1, "nothing was made by what was refused");
}

#[tokio::test(start_paused = true)]
async fn every_method_is_refused_to_whom_its_contract_excludes() {
    let world = World::start().await;
    for (principal, expected) in [(Principal::Anonymous, "UNAUTHENTICATED"), (guest(1), "PERMISSION_DENIED")] {
        let mut client = world.of(principal);
        assert_eq!(reason(client.create_profile(CreateProfileRequest::default()).await), expected);
        assert_eq!(reason(client.get_profile(GetProfileRequest::default()).await), expected);
        assert_eq!(reason(client.find_profile(FindProfileRequest::default()).await), expected);
        assert_eq!(reason(client.list_profiles(ListProfilesRequest::default()).await), expected);
        assert_eq!(reason(client.update_profile(UpdateProfileRequest::default()).await), expected);
        assert_eq!(reason(client.delete_profile(DeleteProfileRequest::default()).await), expected);
        assert_eq!(reason(client.add_address(AddAddressRequest::default()).await), expected);
        assert_eq!(reason(client.update_address(UpdateAddressRequest::default()).await), expected);
        assert_eq!(reason(client.delete_address(DeleteAddressRequest::default()).await), expected);
        assert_eq!(reason(client.list_addresses(ListAddressesRequest::default()).await), expected);
    }
    let mut ada = world.of(customer(1));
    assert_eq!(reason(ada.find_profile(FindProfileRequest { external_reference: "x".into() }).await), "PERMISSION_DENIED");
    assert_eq!(reason(ada.list_profiles(ListProfilesRequest::default()).await), "PERMISSION_DENIED");
    assert_eq!(reason(ada.create_profile(import("i", "online-retail:1")).await), "PERMISSION_DENIED");
}
