//! Whose profile it is, wrong fields, and callers that the contract excludes.

use chassis::testing::{customer, guest, staff};
use contract::souk::r#type::v1::Address;
use contract::souk::user::v1::*;
use mesh::Principal;

use crate::world::*;

#[tokio::test(start_paused = true)]
async fn somebody_elses_profile_is_as_good_as_absent() {
    let world = World::start().await;
    let (mut ada, mut eve) = (world.of(customer(1)), world.of(customer(2)));
    let id = own(&mut ada).await.profile_id;
    let address = ada.add_address(add("a-1")).await.expect("added").into_inner().address.expect("an address");
    let absent = customer(3).account().expect("an account").to_string();
    for id in [id.clone(), absent] {
        assert_eq!(reason(eve.get_profile(profile_of(&id)).await), "PROFILE_NOT_FOUND");
        assert_eq!(
            reason(eve.list_addresses(ListAddressesRequest { profile_id: id.clone() }).await),
            "PROFILE_NOT_FOUND"
        );
        let update = UpdateProfileRequest {
            request_id: "u".into(),
            profile_id: id.clone(),
            version: 1,
            ..Default::default()
        };
        assert_eq!(reason(eve.update_profile(update).await), "PROFILE_NOT_FOUND");
        let delete = DeleteProfileRequest { request_id: "d".into(), profile_id: id.clone(), version: 1 };
        assert_eq!(reason(eve.delete_profile(delete).await), "PROFILE_NOT_FOUND");
        assert_eq!(
            reason(eve.add_address(AddAddressRequest { profile_id: id.clone(), ..add("a") }).await),
            "PROFILE_NOT_FOUND"
        );
        let update = UpdateAddressRequest {
            request_id: "ua".into(),
            profile_id: id.clone(),
            address_id: address.address_id.clone(),
            version: 1,
            address: london(),
            ..Default::default()
        };
        assert_eq!(reason(eve.update_address(update).await), "PROFILE_NOT_FOUND");
        let delete = DeleteAddressRequest {
            request_id: "da".into(),
            profile_id: id,
            address_id: address.address_id.clone(),
            version: 1,
        };
        assert_eq!(reason(eve.delete_address(delete).await), "PROFILE_NOT_FOUND");
    }
    let own = UpdateAddressRequest {
        request_id: "x".into(),
        address_id: address.address_id,
        version: 1,
        address: london(),
        ..Default::default()
    };
    assert_eq!(reason(eve.update_address(own).await), "ADDRESS_NOT_FOUND", "in the own book it is not");
}

#[tokio::test(start_paused = true)]
async fn staff_see_and_change_everybodys() {
    let world = World::start().await;
    let id = own(&mut world.of(customer(1))).await.profile_id;
    let mut reader = world.of(staff(901, &["users.read"]));
    assert!(reader.get_profile(profile_of(&id)).await.is_ok());
    let update = UpdateProfileRequest {
        request_id: "u".into(),
        profile_id: id,
        version: 1,
        name: "Ada".into(),
        ..Default::default()
    };
    assert_eq!(
        reason(reader.update_profile(update.clone()).await),
        "PROFILE_NOT_FOUND",
        "reading is not writing"
    );
    let changed = world
        .of(clerk())
        .update_profile(update)
        .await
        .expect("changed")
        .into_inner()
        .profile
        .expect("a profile");
    assert_eq!((changed.name.as_str(), changed.version), ("Ada", 2));
}

#[tokio::test(start_paused = true)]
async fn a_role_reads_for_the_order_it_works_on() {
    let world = World::start().await;
    let id = own(&mut world.of(customer(1))).await.profile_id;
    assert!(world.role("order", Principal::Anonymous).get_profile(profile_of(&id)).await.is_ok());
    assert!(
        world.role("checkout", customer(1)).list_addresses(ListAddressesRequest::default()).await.is_ok()
    );
    let for_eve = world.role("checkout", customer(2)).get_profile(profile_of(&id)).await;
    assert_eq!(reason(for_eve), "PROFILE_NOT_FOUND", "a role that acts for somebody sees what they may see");
    let nobody = world.role("order", Principal::Anonymous).get_profile(profile_of("")).await;
    assert_eq!(field(nobody), "/profile_id");
    assert_eq!(
        reason(world.role("search", Principal::Anonymous).get_profile(profile_of(&id)).await),
        "UNAUTHENTICATED"
    );
}

#[tokio::test(start_paused = true)]
async fn every_wrong_field_is_named() {
    let world = World::start().await;
    let mut ada = world.of(customer(1));
    let mut clerk = world.of(clerk());
    let create = |request_id: &str| CreateProfileRequest {
        request_id: request_id.into(),
        ..CreateProfileRequest::default()
    };
    assert_eq!(field(ada.create_profile(create("")).await), "/request_id");
    assert_eq!(field(ada.create_profile(create(&"x".repeat(129))).await), "/request_id");
    assert_eq!(
        field(ada.create_profile(CreateProfileRequest { country_code: "UK".into(), ..create("c") }).await),
        "/country_code"
    );
    assert_eq!(
        field(ada.create_profile(CreateProfileRequest { name: "x".repeat(201), ..create("c") }).await),
        "/name"
    );
    assert_eq!(
        field(ada.create_profile(CreateProfileRequest { email: "x".into(), ..create("c") }).await),
        "/email"
    );
    assert_eq!(
        field(ada.create_profile(CreateProfileRequest { locale: "x".into(), ..create("c") }).await),
        "/locale"
    );
    assert_eq!(field(clerk.create_profile(import("c", "a b")).await), "/external_reference");
    assert_eq!(field(clerk.create_profile(import("c", &"x".repeat(201))).await), "/external_reference");
    assert_eq!(field(clerk.find_profile(FindProfileRequest::default()).await), "/external_reference");
    assert_eq!(field(ada.get_profile(profile_of("prd_1")).await), "/profile_id");
    assert_eq!(field(ada.add_address(AddAddressRequest { address: None, ..add("a") }).await), "/address");
    assert_eq!(
        field(ada.add_address(AddAddressRequest { label: "x".repeat(101), ..add("a") }).await),
        "/label"
    );
    assert_eq!(
        field(ada.add_address(AddAddressRequest { default_for: vec![1, 7], ..add("a") }).await),
        "/default_for/1"
    );
    assert_eq!(
        field(ada.add_address(AddAddressRequest { default_for: vec![0], ..add("a") }).await),
        "/default_for/0"
    );
    assert_eq!(
        field(ada.add_address(AddAddressRequest { default_for: vec![1; 100], ..add("a") }).await),
        "/default_for"
    );
    let nowhere = Some(Address { country_code: "gb".into(), ..Address::default() });
    assert_eq!(
        field(ada.add_address(AddAddressRequest { address: nowhere, ..add("a") }).await),
        "/address/country_code"
    );
    let update = UpdateAddressRequest {
        request_id: "u".into(),
        version: 1,
        address: london(),
        ..UpdateAddressRequest::default()
    };
    assert_eq!(field(ada.update_address(update).await), "/address_id");
    let delete = DeleteAddressRequest {
        request_id: "d".into(),
        address_id: "adr_x".into(),
        version: 1,
        ..DeleteAddressRequest::default()
    };
    assert_eq!(field(ada.delete_address(delete).await), "/address_id");
    assert_eq!(own(&mut ada).await.version, 1, "nothing was made by what was refused");
}

#[tokio::test(start_paused = true)]
async fn every_method_is_refused_to_whom_its_contract_excludes() {
    let world = World::start().await;
    for (principal, expected) in [(Principal::Anonymous, "UNAUTHENTICATED"), (guest(1), "PERMISSION_DENIED")]
    {
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
    assert_eq!(
        reason(ada.find_profile(FindProfileRequest { external_reference: "x".into() }).await),
        "PERMISSION_DENIED"
    );
    assert_eq!(reason(ada.list_profiles(ListProfilesRequest::default()).await), "PERMISSION_DENIED");
    let error =
        contract::error(ada.create_profile(import("i", "online-retail:1")).await.expect_err("denied"));
    assert_eq!(
        (error.reason(), error.metadata()["permission"].as_str()),
        ("PERMISSION_DENIED", "users.write")
    );
}
