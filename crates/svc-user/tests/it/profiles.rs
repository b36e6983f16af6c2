//! Profiles: the first call, replays, references, versions, lists.

use chassis::testing::customer;
use contract::souk::r#type::v1::PageRequest;
use contract::souk::user::v1::*;

use crate::world::*;

#[tokio::test(start_paused = true)]
async fn the_owners_first_call_makes_the_profile() {
    let world = World::start().await;
    let mut ada = world.of(customer(1));
    let profile = own(&mut ada).await;
    let id = customer(1).account().expect("an account").to_string();
    assert_eq!(
        (profile.profile_id.as_str(), profile.version, profile.country_code.as_str()),
        (id.as_str(), 1, "ZZ")
    );
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
    assert_eq!(
        refusal(ada.create_profile(other).await),
        ("IDEMPOTENCY_KEY_REUSED".into(), vec!["/request_id".into()])
    );
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
    let found =
        clerk.find_profile(FindProfileRequest { external_reference: "online-retail:17850".into() }).await;
    assert_eq!(found.expect("found").into_inner().profile.as_ref(), Some(&profile));
    let delete =
        DeleteProfileRequest { request_id: "d-1".into(), profile_id: profile.profile_id.clone(), version: 1 };
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
            tokio::spawn(
                async move { clerk.create_profile(import(&format!("i-{n}"), "online-retail:1")).await },
            )
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
    let changed =
        ada.update_profile(update("u-2", 1)).await.expect("changed").into_inner().profile.expect("a profile");
    assert_eq!((changed.version, changed.country_code.as_str()), (2, "GB"));
    assert_eq!(reason(ada.update_profile(update("u-3", 1)).await), "VERSION_CONFLICT");
    let again = ada.update_profile(update("u-2", 1)).await.expect("replayed");
    assert!(replayed(&again), "what was done is answered although the version went on");
    let delete = |request_id: &str, version| DeleteProfileRequest {
        request_id: request_id.into(),
        version,
        ..Default::default()
    };
    assert_eq!(reason(ada.delete_profile(delete("d-1", 1)).await), "VERSION_CONFLICT");
    ada.delete_profile(delete("d-2", 2)).await.expect("deleted");
    let anew = own(&mut ada).await;
    assert_eq!((anew.version, anew.name.as_str()), (4, ""), "versions go on after a deletion");
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
    assert_eq!(
        refusal(clerk.list_profiles(ListProfilesRequest { page }).await),
        ("INVALID_CURSOR".into(), vec!["/page/cursor".into()])
    );
    let page = Some(PageRequest { limit: 101, cursor: String::new() });
    assert_eq!(field(clerk.list_profiles(ListProfilesRequest { page }).await), "/page/limit");
}
