//! The other rooms: colours, search, the cart's edges, what is sold out and what is not there.

use crate::Result;
use crate::keys::{ENTER, TAB};
use crate::window::{Scheme, Size, Window};

/// The lightness of the page's background, 0 to 1.
const PAPER: &str =
    "const canvas = document.createElement('canvas').getContext('2d', { colorSpace: 'srgb' });
canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
canvas.fillRect(0, 0, 1, 1);
const [red, green, blue] = canvas.getImageData(0, 0, 1, 1).data;
return (red + green + blue) / 765;";

/// The paper follows what the reader prefers.
pub async fn dark(window: &mut Window) -> Result {
    window.go("/").await?;
    let mut seen = Vec::new();
    for scheme in [Scheme::Light, Scheme::Dark, Scheme::Light] {
        window.prefers(scheme).await?;
        seen.push(window.ask(PAPER, Vec::new()).await?.as_f64().unwrap_or(0.5));
    }
    let [light, dark, again] = seen[..] else { return Err("three colours were asked for".to_owned()) };
    if light > 0.85 && dark < 0.3 && (light - again).abs() < 0.01 {
        return Ok(());
    }
    Err(format!("the paper's lightness is {light:.2}, dark {dark:.2}, light again {again:.2}"))
}

/// Words, a facet, an order, what is misspelt, and what nothing matches.
pub async fn search(window: &mut Window) -> Result {
    window.go("/").await?;
    window.fill("#q", "bowl").await?;
    window.click(".find button").await?;
    window.at("/search").await?;
    window.headline("bowl").await?;
    window.look("search").await?;
    if window.size == Size::Phone {
        window.click("details summary").await?;
        window.see("details[open] .groups a").await?;
        window.look("search, narrowing").await?;
    }
    window.click(".facets .groups a").await?;
    window.see(".chips a").await?;
    window.look("search, narrowed").await?;
    window.click(".chips a").await?;
    window.until("no choice", "return !document.querySelector('.chips')", "").await?;
    // At a keyboard the button sends the choice.
    window.see("#sort").await?.send_keys("Price, low").await.map_err(|error| error.to_string())?;
    window.key(TAB).await?;
    window.key(ENTER).await?;
    window.until("the order", "return location.search.includes('sort=price_ascending')", "").await?;
    window.go("/search?q=xyzzyqqq").await?;
    window.says("Nothing here goes by that name.").await?;
    window.look("search, nothing found").await?;
    window.see("#currency").await?.send_keys("EUR").await.map_err(|error| error.to_string())?;
    window.key(TAB).await?;
    window.key(ENTER).await?;
    // What the page that comes says, not what was just typed.
    let chosen = "return document.querySelector('#currency option[selected]')?.value === 'EUR'";
    window.until("euros", chosen, "").await?;
    window.go("/products/camp-mug").await?;
    window.says("€").await?;
    window.see(".variant.gone input:disabled").await?;
    window.look("product, a variant sold out").await
}

/// Another quantity, a removal, and its undoing.
pub async fn cart(window: &mut Window) -> Result {
    window.fill_cart().await?;
    window.fill("input[name=quantity]", "3").await?;
    window.press("Update").await?;
    window.until("three", "return document.querySelector('[data-count]').textContent === '3'", "").await?;
    window.says("each").await?;
    window.fill("input[name=quantity]", "2").await?;
    window.press("Update").await?;
    window.until("two", "return document.querySelector('[data-count]').textContent === '2'", "").await?;
    window.click("button[name=remove]").await?;
    window.says("is out of your cart.").await?;
    window.look("cart, removed").await?;
    window.press("Undo").await?;
    window.see("tr[data-sku]").await?;
    window
        .until("two again", "return document.querySelector('[data-count]').textContent === '2'", "")
        .await?;
    // Of this one only a few are left.
    window.go("/products/checker-rug").await?;
    if window.script() {
        // What a service says of a field is read as a sentence about the field's name.
        let lift = "document.querySelector('#quantity').removeAttribute('max')";
        window.ask(lift, Vec::new()).await?;
        window.fill("#quantity", "1000").await?;
        window.click("[data-add] .buyit").await?;
        window.says("Quantity must be").await?;
    }
    window.fill("#quantity", "99").await?;
    window.add_to_cart().await?;
    window.says("Something here cannot be bought as it stands.").await?;
    window.look("cart, more than there are").await?;
    window.lacks("main a[href='/checkout']").await?;
    window.go("/checkout").await?;
    window.see(".errors a[href='/cart']").await?;
    window.lacks("main .buyit").await?;
    window.look("checkout, more than there are").await
}

/// Somebody buys the last ones, and the page that was kept says so.
pub async fn sold_out(window: &mut Window) -> Result {
    // A product of its own for each size: few are left, and there is one variant.
    let (path, left) = match window.size {
        Size::Phone => ("/products/breakfast-tray-with-legs", "7"),
        Size::Desktop => ("/products/oak-mantel-clock", "5"),
    };
    window.go(path).await?;
    if window.count("#quantity").await? > 0 {
        window.fill("#quantity", left).await?;
        window.add_to_cart().await?;
        window.to_payment().await?;
        window.pay_with("pm_card_visa").await?;
        window.confirmed().await?;
        window.go(path).await?;
    }
    window.says("Sold out.").await?;
    window.lacks("#quantity").await?;
    window.look("product, sold out").await
}

/// axe-core itself: what it is meant to find, it finds.
pub async fn axe(window: &mut Window) -> Result {
    window.go("/").await?;
    // Styles that stand in the page are refused by the shop's own policy; a script may set them.
    let wrong = "const main = document.querySelector('main'), words = document.createElement('p');
      words.textContent = 'words';
      Object.assign(words.style, { color: '#888', backgroundColor: '#999' });
      const picture = document.createElement('img');
      picture.src = '/favicon.ico';
      main.append(words, picture, document.createElement('button'));";
    window.ask(wrong, Vec::new()).await?;
    let found = window.found().await?;
    for rule in ["image-alt", "color-contrast", "button-name"] {
        if !found.iter().any(|found| found == rule) {
            return Err(format!("axe-core does not find {rule} where it is; it finds {found:?}"));
        }
    }
    Ok(())
}

/// An address of nothing, a stranger's order, an account without a session; and the description for programs.
pub async fn not_there(window: &mut Window) -> Result {
    window.go("/nothing/here").await?;
    window.see("main h1").await?;
    window.look("not found").await?;
    window.press("Back to the shop").await?;
    window.until("the hall", "return location.pathname === '/'", "").await?;
    window.go("/products/no-such-thing").await?;
    window.see("main h1").await?;
    window.look("no such product").await?;
    window.go("/account").await?;
    window.see("main a[href^='/sign-in']").await?;
    window.look("account, signed out").await?;
    window.go("/docs").await?;
    window.see("h1").await?;
    window.look("docs").await
}
