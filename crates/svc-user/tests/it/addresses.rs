//! Address books.

use chassis::testing::customer;
use contract::souk::user::v1::*;

use crate::world::*;

#[tokio::test(start_paused = true)]
async fn an_address_book_is_kept_with_versions() {
    let world = World::start().await;
    let mut ada = world.of(customer(1));
    let first = ada.add_address(add("a-1")).await.expect("added, and the profile made").into_inner();
    let home = first.address.expect("an address");
    assert_eq!(
        (home.version, home.default_for.clone()),
        (1, vec![AddressUse::Shipping.into(), AddressUse::Billing.into()])
    );
    assert!(replayed(&ada.add_address(add("a-1")).await.expect("replayed")));
    let work = AddAddressRequest {
        label: "Work".into(),
        default_for: vec![AddressUse::Billing.into()],
        ..add("a-2")
    };
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
    let labels: Vec<_> =
        book.iter().map(|address| (address.label.as_str(), address.default_for.clone())).collect();
    assert_eq!(
        labels,
        [("Cottage", vec![AddressUse::Shipping.into()]), ("Work", vec![AddressUse::Billing.into()])]
    );
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
async fn the_owners_address_is_one_that_its_country_knows() {
    let world = World::start().await;
    let mut ada = world.of(customer(1));
    let with = |change: fn(&mut contract::souk::r#type::v1::Address)| {
        let mut address = london().expect("an address");
        change(&mut address);
        AddAddressRequest { address: Some(address), ..add("a-1") }
    };
    for (field, request) in [
        ("/address/postal_code", with(|a| a.postal_code.clear())),
        ("/address/postal_code", with(|a| a.postal_code = "1011".into())),
        ("/address/region", with(|a| (a.country_code, a.postal_code) = ("US".into(), "95014".into()))),
        ("/address/recipient", with(|a| a.recipient = "\u{3164}".into())),
        ("/address/country_code", with(|a| a.country_code = "ZZ".into())),
    ] {
        let error = contract::error(ada.add_address(request).await.expect_err("refused"));
        assert_eq!(error.violations()[0].field, field, "{error:?}");
    }
    let four = ["Flat 3", "The Old Mill", "12 Mill Lane", "Lower End"].map(String::from).to_vec();
    let mut request = with(|a| a.postal_code = " sw1y 4jh".into());
    request.address.as_mut().expect("an address").lines.clone_from(&four);
    let kept = ada.add_address(request).await.expect("good").into_inner().address.expect("an address");
    let kept = kept.address.expect("an address");
    assert_eq!((kept.postal_code.as_str(), kept.lines), ("SW1Y 4JH", four));
}
