//! Accounts: signing up, in and out, and what belongs to somebody.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::Result;
use crate::window::Window;

/// A password that nobody else uses.
const PASSWORD: &str = "a bowl of warm soup";

/// An address that nobody has signed up with.
fn email() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    format!("ada-{}-{}@example.com", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

async fn sign_up(window: &mut Window, email: &str) -> Result {
    window.go("/sign-up").await?;
    window.look("sign up").await?;
    window.fill("#email", email).await?;
    window.fill("#password", PASSWORD).await?;
    window.click("main form button").await?;
    window.see(".me a[href='/account']").await.map(|_| ())
}

async fn sign_in(window: &Window, email: &str, password: &str) -> Result {
    window.fill("#email", email).await?;
    window.fill("#password", password).await?;
    window.click("main form button").await
}

/// The units in the cart, as every page's header says.
async fn units(window: &Window, wanted: &str) -> Result {
    let found = window.text(".cart .count").await?;
    if found == wanted { Ok(()) } else { Err(format!("the header counts {found:?} in place of {wanted:?}")) }
}

/// A guest's cart comes along at sign-up, stays with the account, and a later guest's cart is merged into it.
pub async fn sessions(window: &mut Window) -> Result {
    let email = email();
    window.fill_cart().await?;
    window.go("/sign-up").await?;
    window.fill("#email", &email).await?;
    window.fill("#password", "password").await?;
    window.click("main form button").await?;
    window.says("Many people use this one.").await?;
    window.look("sign up, with errors").await?;
    sign_up(window, &email).await?;
    units(window, "1").await?;
    window.go("/account").await?;
    window.says(&email).await?;
    window.says("This one").await?;
    window.look("account, new").await?;
    window.click("form[action='/sign-out'] button").await?;
    window.see(".me a[href='/sign-in']").await?;
    units(window, "").await?;

    window.go("/products/camp-mug").await?;
    window.add_to_cart().await?;
    window.go("/sign-in").await?;
    window.look("sign in").await?;
    sign_in(window, &email, "not my password").await?;
    window.says("We do not know this e-mail address with this password.").await?;
    window.look("sign in, refused").await?;
    sign_in(window, &email, PASSWORD).await?;
    window.see(".me a[href='/account']").await?;
    units(window, "2").await?;
    window.go("/cart").await?;
    window.says("Harbour bowl").await?;
    window.says("Camp mug").await.map(|_| ())
}

/// Add with errors first, edit, buy with it, delete.
pub async fn addresses(window: &mut Window) -> Result {
    let email = email();
    sign_up(window, &email).await?;
    window.go("/account").await?;
    window.press("Add an address").await?;
    window.headline("New address").await?;
    window.look("new address").await?;
    window.press("Save").await?;
    window.see(".errors a[href='#recipient']").await?;
    window.look("new address, with errors").await?;
    window.fill("#recipient", "Grace Hopper").await?;
    window.fill("#line1", "1 High Street").await?;
    window.fill("#city", "Bath").await?;
    window.fill("#postal_code", "BA1 5AB").await?;
    window.press("Save").await?;
    window.headline("Your account").await?;
    window.says("Usual").await?;
    window.look("account, with an address").await?;
    window.press("Edit").await?;
    window.headline("Edit address").await?;
    window.look("edit address").await?;
    window.fill("#city", "Bristol").await?;
    window.press("Save").await?;
    window.headline("Your account").await?;
    window.says("Bristol").await?;

    window.fill_cart().await?;
    window.press("Check out").await?;
    window.at("/checkout").await?;
    for (field, wanted) in [("#city", "Bristol"), ("#email", email.as_str())] {
        let filled = window.see(field).await?.prop("value").await.map_err(|error| error.to_string())?;
        if filled.as_deref() != Some(wanted) {
            return Err(format!("{field} is filled with {filled:?}"));
        }
    }
    window.look("checkout, signed in").await?;
    window.pay_with("pm_card_visa").await?;
    window.confirmed().await?;
    window.go("/account").await?;
    window.says("Placed").await?;
    window.look("account, with an order").await?;
    window.press("Edit Grace Hopper").await?;
    window.press("Delete this address").await?;
    window.says("Delete this address?").await?;
    window.look("delete an address, asked").await?;
    window.press("Yes, delete it").await?;
    window.headline("Your account").await?;
    window.says("None yet.").await.map(|_| ())
}
