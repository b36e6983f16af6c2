//! Accounts: passwords, permissions, the last admin, deletion, lists.

use contract::souk::identity::v1::*;
use contract::souk::r#type::v1::PageRequest;
use mesh::Principal;

use crate::world::*;

fn change(request_id: &str, current: &str, new: &str) -> ChangePasswordRequest {
    ChangePasswordRequest {
        request_id: request_id.into(),
        current_password: current.into(),
        new_password: new.into(),
    }
}

#[tokio::test(start_paused = true)]
async fn changing_the_password_ends_the_other_sessions() {
    let world = World::start().await;
    let telephone = world.sign_up("ada").await;
    let laptop = world.sign_in("in-1", "ada").await;
    let mut client = world.as_person(&laptop);
    assert_eq!(
        reason(client.change_password(change("c-1", "wrong password", "a new password")).await),
        "CREDENTIALS_REFUSED"
    );
    let changed = client.change_password(change("c-2", PASSWORD, "a new password")).await.expect("changed");
    assert!(!replayed(&changed));
    let changed = changed.into_inner();
    assert_eq!((changed.sessions_ended, changed.account.expect("an account").version), (1, 2));
    assert!(replayed(
        &client.change_password(change("c-2", PASSWORD, "a new password")).await.expect("replayed")
    ));
    world.settle().await;
    assert_eq!(world.verify(&telephone.tokens.access_token), Err("TOKEN_REVOKED".into()));
    assert!(world.verify(&laptop.tokens.access_token).is_ok(), "the session that changed it goes on");
    assert!(world.refresh("r", &laptop.tokens.refresh_token).await.is_ok());
    assert_eq!(
        reason(world.anybody().sign_in(sign_in("in-2", "ada", PASSWORD)).await),
        "CREDENTIALS_REFUSED"
    );
    assert!(world.anybody().sign_in(sign_in("in-3", "ada", "a new password")).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn an_account_is_seen_by_itself_and_by_staff() {
    let world = World::start().await;
    let (ada, eve) = (world.sign_up("ada").await, world.sign_up("eve").await);
    let get = |id: &str| GetAccountRequest { account_id: id.into() };
    let own = world.as_person(&ada).get_account(get("")).await.expect("own").into_inner().account;
    assert_eq!(own.as_ref(), Some(&ada.account));
    assert_eq!(
        reason(world.as_person(&eve).get_account(get(&ada.account.account_id)).await),
        "ACCOUNT_NOT_FOUND"
    );
    let sessions = ListSessionsRequest { account_id: ada.account.account_id.clone() };
    assert_eq!(reason(world.as_person(&eve).list_sessions(sessions.clone()).await), "ACCOUNT_NOT_FOUND");
    let everywhere =
        SignOutEverywhereRequest { request_id: "e".into(), account_id: ada.account.account_id.clone() };
    assert_eq!(
        reason(world.as_person(&eve).sign_out_everywhere(everywhere.clone()).await),
        "ACCOUNT_NOT_FOUND"
    );
    let (mut admin, _) = world.admin().await;
    assert_eq!(
        admin.get_account(get(&ada.account.account_id)).await.expect("staff").into_inner().account,
        own
    );
    assert_eq!(admin.list_sessions(sessions).await.expect("staff").into_inner().sessions.len(), 1);
    admin.sign_out_everywhere(everywhere).await.expect("staff");
    world.settle().await;
    assert_eq!(world.verify(&ada.tokens.access_token), Err("TOKEN_REVOKED".into()));
}

#[tokio::test(start_paused = true)]
async fn permissions_come_with_the_next_token_and_go_at_once() {
    let world = World::start().await;
    let (mut admin, _) = world.admin().await;
    let ada = world.sign_up("ada").await;
    let clerk = world.permit(&mut admin, &ada.account, &["orders.read", "stock.write"]).await.expect("given");
    assert_eq!(
        (clerk.version, clerk.permissions.as_slice()),
        (2, ["orders.read".to_owned(), "stock.write".to_owned()].as_slice())
    );
    world.settle().await;
    assert!(
        world.verify(&ada.tokens.access_token).is_ok(),
        "who gains nothing loses does not lose the session's token"
    );
    let tokens = world
        .refresh("r-1", &ada.tokens.refresh_token)
        .await
        .expect("refreshed")
        .into_inner()
        .tokens
        .expect("tokens");
    let principal = world.verify(&tokens.access_token).expect("good");
    assert!(principal.may("orders.read") && principal.may("stock.write") && !principal.may("orders.write"));
    world.permit(&mut admin, &clerk, &["orders.read"]).await.expect("taken");
    world.settle().await;
    assert_eq!(world.verify(&tokens.access_token), Err("TOKEN_REVOKED".into()));
    let tokens = world
        .refresh("r-2", &tokens.refresh_token)
        .await
        .expect("the session goes on")
        .into_inner()
        .tokens
        .expect("tokens");
    let principal = world.verify(&tokens.access_token).expect("good at once");
    assert!(principal.may("orders.read") && !principal.may("stock.write"));
}

#[tokio::test(start_paused = true)]
async fn permissions_are_known_and_held_and_set_on_what_was_seen() {
    let world = World::start().await;
    let (mut admin, operator) = world.admin().await;
    let (ada, eve) = (world.sign_up("ada").await, world.sign_up("eve").await);
    let unknown = world.permit(&mut admin, &ada.account, &["orders.read", "orders.steal"]).await;
    assert_eq!(refusal(unknown), ("PERMISSION_UNKNOWN".into(), vec!["/permissions/1".into()]));
    let stale = Account { version: 7, ..ada.account.clone() };
    assert_eq!(reason(world.permit(&mut admin, &stale, &["orders.read"]).await), "VERSION_CONFLICT");
    let unseen = Account { version: 0, ..ada.account.clone() };
    assert_eq!(field(world.permit(&mut admin, &unseen, &["orders.read"]).await), "/version");
    let absent = Account { account_id: "cus_00000000000000000000000000".into(), ..ada.account.clone() };
    assert_eq!(reason(world.permit(&mut admin, &absent, &[]).await), "ACCOUNT_NOT_FOUND");
    world
        .permit(&mut admin, &ada.account, &["accounts.write", "accounts.read", "orders.read"])
        .await
        .expect("given");
    let tokens = world
        .refresh("r", &ada.tokens.refresh_token)
        .await
        .expect("refreshed")
        .into_inner()
        .tokens
        .expect("tokens");
    let mut clerk = world.client(world.verify(&tokens.access_token).expect("good"));
    assert!(world.permit(&mut clerk, &eve.account, &["orders.read"]).await.is_ok());
    for (account, permissions) in
        [(&ada.account, vec!["admin"]), (&operator, vec![]), (&eve.account, vec!["stock.write"])]
    {
        let current = admin
            .get_account(GetAccountRequest { account_id: account.account_id.clone() })
            .await
            .expect("there");
        let current = current.into_inner().account.expect("an account");
        assert_eq!(reason(world.permit(&mut clerk, &current, &permissions).await), "PERMISSION_NOT_HELD");
    }
    let secret = CreateSecretRequest {
        request_id: "s".into(),
        account_id: operator.account_id.clone(),
        label: "x".into(),
        lifetime: None,
    };
    assert_eq!(
        reason(clerk.create_secret(secret).await),
        "PERMISSION_NOT_HELD",
        "else a clerk could act as an admin"
    );
    let everywhere = SignOutEverywhereRequest { request_id: "e".into(), account_id: operator.account_id };
    assert_eq!(reason(clerk.sign_out_everywhere(everywhere).await), "PERMISSION_NOT_HELD");
}

#[tokio::test(start_paused = true)]
async fn the_last_admin_stays() {
    let world = World::start().await;
    let (mut admin, operator) = world.admin().await;
    assert_eq!(reason(world.permit(&mut admin, &operator, &[]).await), "LAST_ADMIN");
    let ada = world.sign_up("ada").await;
    let ada_admin = world.permit(&mut admin, &ada.account, &["admin"]).await.expect("given");
    let delete = |request_id: &str, account: &Account| DeleteAccountRequest {
        request_id: request_id.into(),
        account_id: account.account_id.clone(),
        version: account.version,
        current_password: String::new(),
    };
    assert_eq!(reason(admin.delete_account(delete("d-1", &operator)).await), "OPERATOR_STAYS");
    world.permit(&mut admin, &operator, &[]).await.expect("there is another admin");
    let tokens = world
        .refresh("r", &ada.tokens.refresh_token)
        .await
        .expect("refreshed")
        .into_inner()
        .tokens
        .expect("tokens");
    let mut ada_client = world.client(world.verify(&tokens.access_token).expect("good"));
    assert_eq!(reason(world.permit(&mut ada_client, &ada_admin, &["orders.read"]).await), "LAST_ADMIN");
    let own = DeleteAccountRequest { current_password: PASSWORD.into(), ..delete("d-2", &ada_admin) };
    assert_eq!(reason(ada_client.delete_account(own).await), "LAST_ADMIN");
}

#[tokio::test(start_paused = true)]
async fn two_admins_who_remove_each_other_at_once_leave_one() {
    let world = World::start().await;
    let (mut admin, operator) = world.admin().await;
    let ada = world.sign_up("ada").await;
    let ada = world.permit(&mut admin, &ada.account, &["admin"]).await.expect("given");
    let mut other = admin.clone();
    let (one, two) =
        tokio::join!(world.permit(&mut admin, &ada, &[]), world.permit(&mut other, &operator, &[]));
    let refused: Vec<_> = [one, two]
        .into_iter()
        .filter_map(Result::err)
        .map(|status| contract::error(status).reason().to_owned())
        .collect();
    assert_eq!(refused, ["LAST_ADMIN"]);
}

#[tokio::test(start_paused = true)]
async fn an_account_is_deleted_by_its_owner_with_the_password_and_by_staff() {
    let world = World::start().await;
    let (ada, eve) = (world.sign_up("ada").await, world.sign_up("eve").await);
    let delete = |password: &str, version| DeleteAccountRequest {
        request_id: format!("d-{password}-{version}").replace(' ', "-"),
        version,
        current_password: password.into(),
        ..DeleteAccountRequest::default()
    };
    let mut client = world.as_person(&ada);
    assert_eq!(field(client.delete_account(delete(PASSWORD, 0)).await), "/version");
    assert_eq!(reason(client.delete_account(delete(PASSWORD, 2)).await), "VERSION_CONFLICT");
    assert_eq!(field(client.delete_account(delete("", 1)).await), "/current_password");
    assert_eq!(reason(client.delete_account(delete("wrong password", 1)).await), "CREDENTIALS_REFUSED");
    let others = DeleteAccountRequest { account_id: eve.account.account_id.clone(), ..delete(PASSWORD, 1) };
    assert_eq!(reason(client.delete_account(others.clone()).await), "ACCOUNT_NOT_FOUND");
    assert!(!replayed(&client.delete_account(delete(PASSWORD, 1)).await.expect("deleted")));
    assert!(replayed(&client.delete_account(delete(PASSWORD, 1)).await.expect("replayed")));
    world.settle().await;
    assert_eq!(world.verify(&ada.tokens.access_token), Err("TOKEN_REVOKED".into()));
    assert_eq!(reason(world.refresh("r", &ada.tokens.refresh_token).await), "REFRESH_TOKEN_REFUSED");
    assert_eq!(reason(world.anybody().sign_in(sign_in("in", "ada", PASSWORD)).await), "CREDENTIALS_REFUSED");
    let again =
        world.anybody().sign_up(sign_up("anew", "ada")).await.expect("the address is free").into_inner();
    assert_ne!(again.account.expect("an account").account_id, ada.account.account_id);
    let (mut admin, _) = world.admin().await;
    assert!(
        admin
            .delete_account(DeleteAccountRequest { current_password: String::new(), ..others })
            .await
            .is_ok()
    );
    assert_eq!(
        reason(world.as_person(&eve).get_account(GetAccountRequest::default()).await),
        "ACCOUNT_NOT_FOUND"
    );
}

#[tokio::test(start_paused = true)]
async fn accounts_are_listed_in_pages_and_found_by_address_and_permission() {
    let world = World::start().await;
    let (mut admin, operator) = world.admin().await;
    for name in ["ada", "bea", "cleo"] {
        world.sign_up(name).await;
    }
    let list = |limit, cursor: &str, email: &str, permission: &str| ListAccountsRequest {
        page: Some(PageRequest { limit, cursor: cursor.into() }),
        email: email.into(),
        permission: permission.into(),
    };
    let first = admin.list_accounts(list(3, "", "", "")).await.expect("a page").into_inner();
    let cursor = first.page.expect("page info").next_cursor;
    assert_eq!((first.accounts.len(), cursor.is_empty()), (3, false));
    let second = admin.list_accounts(list(3, &cursor, "", "")).await.expect("a page").into_inner();
    assert_eq!((second.accounts.len(), second.page.expect("page info").next_cursor.as_str()), (1, ""));
    let admins = admin.list_accounts(list(0, "", "", "admin")).await.expect("a page").into_inner().accounts;
    assert_eq!(admins.iter().map(|account| &account.account_id).collect::<Vec<_>>(), [&operator.account_id]);
    let found =
        admin.list_accounts(list(0, "", "BEA@example.com", "")).await.expect("a page").into_inner().accounts;
    assert_eq!(found.iter().map(|account| account.email.as_str()).collect::<Vec<_>>(), ["bea@example.com"]);
    assert_eq!(
        field(admin.list_accounts(list(3, &cursor, "", "admin")).await),
        "/page/cursor",
        "a cursor of another query"
    );
    assert_eq!(field(admin.list_accounts(list(101, "", "", "")).await), "/page/limit");
    assert_eq!(field(admin.list_accounts(list(1, "", "x", "")).await), "/email");
    assert_eq!(field(admin.list_accounts(list(1, "", "", "%")).await), "/permission");
    let mut nobody = world.client(Principal::Anonymous);
    assert_eq!(reason(nobody.list_accounts(list(1, "", "", "")).await), "UNAUTHENTICATED");
}
