//! The registry: every role of the house, in the order in which they start.

use chassis::Service;

/// Every role.
pub const ROLES: &[Service] = &[
    svc_identity::SERVICE,
    svc_user::SERVICE,
    svc_product::SERVICE,
    svc_inventory::SERVICE,
    svc_shipping::SERVICE,
    svc_payment::SERVICE,
    svc_cart::SERVICE,
    svc_checkout::SERVICE,
    svc_order::SERVICE,
    svc_search::SERVICE,
    bff_web::SERVICE,
];

/// The registry as JSON: what each role owns, calls and consumes.
#[must_use]
pub fn as_json() -> serde_json::Value {
    let roles = ROLES.iter().map(|role| {
        serde_json::json!({
            "name": role.name,
            "about": role.about,
            "calls": role.calls,
            "consumes": role.consumes,
        })
    });
    serde_json::json!({ "roles": roles.collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_name_only_roles() {
        let names: Vec<_> = ROLES.iter().map(|role| role.name).collect();
        for role in ROLES {
            for other in role.calls.iter().chain(role.consumes) {
                assert!(names.contains(other), "{} names {other}, which is no role", role.name);
            }
            assert!(!role.about.is_empty(), "{} does not say what it owns", role.name);
        }
    }
}
