//! Who has a keyboard and nothing else.

use crate::Result;
use crate::keys::{DOWN, ENTER, ESCAPE};
use crate::window::Window;

/// The whole purchase with Tab, Enter and letters; every stop is visible.
pub async fn buys(window: &mut Window) -> Result {
    window.go("/").await?;
    window.tab_to(".skip").await?;
    window.tab_to(".shelf .card:not(.gone) a").await?;
    window.key(ENTER).await?;
    window.at("/products/").await?;
    window.tab_to("[data-add] button").await?;
    window.key(ENTER).await?;
    window.says("It is in your cart.").await?;
    window.tab_to("[data-said] a").await?;
    window.key(ENTER).await?;
    window.at("/cart").await?;
    window.tab_to("a[href='/checkout']").await?;
    window.key(ENTER).await?;
    window.at("/checkout").await?;
    for (field, text) in [
        ("#email", "ada@example.com"),
        ("#recipient", "Ada Lovelace"),
        ("#line1", "12 St James Square"),
        ("#city", "London"),
        ("#postal_code", "SW1Y 4JH"),
    ] {
        window.tab_to(field).await?;
        window.types(text).await?;
    }
    window.tab_to(".summary button").await?;
    window.key(ENTER).await?;
    window.see("#payment_method").await?;
    window.tab_to("input[name=payment_method]").await?;
    window.tab_to(".summary button").await?;
    window.key(ENTER).await?;
    window.confirmed().await?;
    window.tab_to("a[href='/orders']").await
}

/// The list under the search field, as the ARIA practices describe a combobox.
pub async fn suggestions(window: &mut Window) -> Result {
    window.go("/").await?;
    window.tab_to("#q").await?;
    window.types("bow").await?;
    window.see("#suggestions:not([hidden]) [role=option]").await?;
    window.see("#q[role=combobox][aria-expanded=true]").await?;
    window.key(DOWN).await?;
    window.see("#q[aria-activedescendant='suggestion-0']").await?;
    window.see("#suggestion-0[aria-selected=true]").await?;
    window.look("suggestions").await?;
    window.key(ESCAPE).await?;
    window.see("#q[aria-expanded=false]").await?;
    window.see("#suggestions[hidden]").await?;
    window.types("l").await?;
    window.see("#suggestions:not([hidden]) [role=option]").await?;
    window.key(DOWN).await?;
    window.see("#suggestion-0[aria-selected=true]").await?;
    window.key(ENTER).await?;
    let led = "return ['/products/', '/c/'].some((place) => location.pathname.startsWith(place))";
    window.until("where the suggestion leads", led, "").await?;
    window.tab_to("#q").await?;
    window.types("mug").await?;
    window.key(ENTER).await?;
    window.at("/search").await?;
    window.headline("mug").await.map(|_| ())
}
