//! Who may call: the calling role, and the principal against the contract's `access`.

use contract::Access;
use kernel::{Code, Error};

use crate::{Answer, Call, Caller, Layer, Principal};

/// The layer.
pub struct Check<N> {
    pub(crate) next: N,
}

impl<N: Layer> Layer for Check<N> {
    async fn call(&self, mut call: Box<Call>) -> Answer {
        match call.method {
            Some(method) => {
                allowed(method.access, &call.caller)?;
                call.caller.internal = is_internal(method.access, &call.caller);
            }
            None if crate::foreign(call.request.uri().path()).is_some() => {}
            None => return Ok(crate::endpoint::unimplemented(call.request.uri().path())),
        }
        let caller = call.caller.clone();
        call.request.extensions_mut().insert(caller);
        self.next.call(call).await
    }
}

/// Whether one of the kinds of caller matches.
///
/// # Errors
/// `UNAUTHENTICATED` when signing in could help, `PERMISSION_DENIED` when it could not.
pub(crate) fn allowed(access: &[Access], caller: &Caller) -> Result<(), Error> {
    if access.iter().any(|kind| matches_kind(kind, caller)) {
        return Ok(());
    }
    let could_sign_in = access.iter().any(|kind| !matches!(kind, Access::Internal(_)));
    if caller.principal == Principal::Anonymous && could_sign_in {
        let message = "sign in first: this call needs an access token (authorization: Bearer …)";
        return Err(Error::new(Code::Unauthenticated, "UNAUTHENTICATED", message));
    }
    Err(match permissions(access) {
        wanted if wanted.is_empty() => Error::denied("this caller may not call this method"),
        wanted => Error::missing_permission("this", &wanted),
    })
}

/// The permissions of which one lets staff in.
fn permissions(access: &[Access]) -> Vec<&str> {
    let staff = access.iter().filter_map(|kind| match kind {
        Access::Staff(permission) => Some(*permission),
        _ => None,
    });
    staff.collect()
}

/// Whether a role calls for nobody, by an access that names it.
fn is_internal(access: &[Access], caller: &Caller) -> bool {
    let named = |kind: &Access| matches!(kind, Access::Internal(_)) && matches_kind(kind, caller);
    caller.principal == Principal::Anonymous && access.iter().any(named)
}

fn matches_kind(kind: &Access, caller: &Caller) -> bool {
    match kind {
        Access::Public => true,
        Access::Guest => caller.principal.guest().is_some(),
        Access::Customer => caller.principal.account().is_some(),
        Access::Staff(permission) => caller.principal.may(permission),
        Access::Internal(roles) => caller
            .role
            .as_deref()
            .is_some_and(|role| roles.iter().any(|allowed| *allowed == "*" || *allowed == role)),
        // Nobody can be one yet: merchants and partners get their tokens on a later floor.
        Access::Merchant | Access::Partner(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kernel::{CustomerId, GuestId, SessionId};

    use super::*;

    fn account(permissions: &[&str]) -> Caller {
        let permissions: Vec<String> = permissions.iter().map(|p| (*p).to_owned()).collect();
        let principal = Principal::Account {
            id: CustomerId::from_bits(1),
            session: SessionId::from_bits(2),
            permissions: permissions.into(),
        };
        Caller::new(principal, None)
    }

    #[test]
    fn every_kind_of_caller_gets_what_is_its_own() {
        let anonymous = Caller::default();
        let guest = Principal::Guest { id: GuestId::from_bits(1), session: SessionId::from_bits(1) };
        let guest = Caller::new(guest, None);
        let role = Caller::new(Principal::Anonymous, Some(Arc::from("order")));
        let cases: [(&[Access], [bool; 6]); 6] = [
            (&[Access::Public], [true, true, true, true, true, true]),
            (&[Access::Guest], [false, true, false, false, false, false]),
            (&[Access::Customer], [false, false, true, true, true, false]),
            (&[Access::Staff("stock.write")], [false, false, false, true, true, false]),
            (&[Access::Internal(&["order"])], [false, false, false, false, false, true]),
            (&[Access::Merchant, Access::Partner("orders.read")], [false; 6]),
        ];
        let callers = [anonymous, guest, account(&[]), account(&["stock.write"]), account(&["admin"]), role];
        for (access, expected) in cases {
            for (caller, expected) in callers.iter().zip(expected) {
                assert_eq!(allowed(access, caller).is_ok(), expected, "{access:?} {caller:?}");
            }
        }
    }

    #[test]
    fn a_missing_permission_is_named() {
        let access = [Access::Staff("stock.write"), Access::Staff("orders.write")];
        let error = allowed(&access, &account(&["stock.read"])).expect_err("another permission");
        assert_eq!(error.message(), "this needs the permission stock.write or orders.write");
        assert_eq!(error.metadata()["permission"], "stock.write,orders.write");
    }

    #[test]
    fn a_thing_is_for_its_owner_for_staff_and_for_roles_that_the_contract_names() {
        let access = [Access::Guest, Access::Customer, Access::Internal(&["order"])];
        let on = |principal: &Principal, role: Option<&str>| {
            let mut caller = Caller::new(principal.clone(), role.map(Arc::from));
            caller.internal = is_internal(&access, &caller);
            caller
        };
        let owner = account(&[]).principal;
        let (mine, others) = (owner.subject(), GuestId::from_bits(7).to_string());
        for role in [None, Some("bff-web"), Some("order")] {
            let caller = on(&owner, role);
            assert!(caller.may_access(&mine, "orders.read"), "{role:?}");
            assert!(!caller.may_access(&others, "orders.read"), "{role:?} passes for somebody else");
        }
        let nobody = |role| on(&Principal::Anonymous, role);
        assert!(nobody(Some("order")).may_access(&mine, "orders.read"));
        assert!(!nobody(Some("bff-web")).may_access(&mine, "orders.read"));
        assert!(!nobody(None).may_access(&mine, "orders.read"));
        assert!(!nobody(Some("bff-web")).may_access("", "orders.read"), "nobody owns what has no owner");
        let staff = account(&["orders.read"]).principal;
        assert!(on(&staff, Some("bff-web")).may_access(&others, "orders.read"));
    }

    #[test]
    fn signing_in_is_only_proposed_where_it_helps() {
        let denied = allowed(&[Access::Internal(&["order"])], &Caller::default()).expect_err("outside");
        assert_eq!(denied.code(), Code::PermissionDenied);
        let unknown = allowed(&[Access::Customer], &Caller::default()).expect_err("nobody");
        assert_eq!(unknown.code(), Code::Unauthenticated);
    }
}
