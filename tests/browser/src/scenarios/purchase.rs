//! The whole purchase of a guest, from the hall to the confirmed order.

use crate::Result;
use crate::window::Window;

/// With JavaScript.
pub async fn with_script(window: &mut Window) -> Result {
    let chosen = choose(window).await?;
    window.says("It is in your cart.").await?;
    window
        .until("the count", "return document.querySelector('[data-count]').textContent === '1'", "")
        .await?;
    window.look("product, added").await?;
    window.press("Go to your cart").await?;
    buy(window, &chosen).await
}

/// With forms alone.
pub async fn without_script(window: &mut Window) -> Result {
    window.go("/").await?;
    window.see("noscript, body").await?;
    let chosen = choose(window).await?;
    buy(window, &chosen).await
}

/// From the hall through a category to a product; what it is called.
async fn choose(window: &mut Window) -> Result<String> {
    window.go("/").await?;
    window.headline("").await?;
    window.look("home").await?;
    window.press("Kitchen").await?;
    window.at("/c/kitchen").await?;
    window.headline("Kitchen").await?;
    window.look("category").await?;
    window.click(".shelf .card:not(.gone) a").await?;
    window.at("/products/").await?;
    let chosen = window.text("h1").await?;
    window.see("[data-price]").await?;
    window.look("product").await?;
    window.press("Add to cart").await?;
    Ok(chosen)
}

async fn buy(window: &mut Window, chosen: &str) -> Result {
    window.at("/cart").await?;
    window.says(chosen).await?;
    window.look("cart").await?;
    window.press("Check out").await?;
    window.at("/checkout").await?;
    window.look("checkout, empty").await?;
    errors(window).await?;
    window.fill_checkout().await?;
    window.press("See delivery and total").await?;
    window.see("#payment_method input:checked").await?;
    window.lacks(".errors").await?;
    window.look("checkout, quoted").await?;
    dearer_delivery(window).await?;
    window.pay_with("pm_card_visa").await?;
    window.confirmed().await?;
    // At once, and not only once it is told.
    let counted = window.text("[data-count]").await?;
    if !counted.is_empty() {
        return Err(format!("after paying, the header still counts {counted}"));
    }
    window.says(chosen).await?;
    window.look("order, confirmed").await?;
    afterwards(window).await
}

/// What is missing is said on top, with links, and beside each field.
async fn errors(window: &mut Window) -> Result {
    window.press("See delivery and total").await?;
    window.see(".errors").await?;
    for field in ["email", "recipient", "line1", "city"] {
        window.see(&format!(".errors a[href='#{field}']")).await?;
        window.see(&format!("#{field}[aria-invalid='true']")).await?;
        let beside = window.text(&format!("#e-{field}")).await?;
        if beside.is_empty() {
            return Err(format!("nothing is said beside {field}"));
        }
    }
    if window.script() {
        window
            .until("the focus on the list", "return document.activeElement.matches('[data-errors]')", "")
            .await?;
    }
    window.look("checkout, with errors").await
}

/// Another way of delivery makes another total.
async fn dearer_delivery(window: &mut Window) -> Result {
    let ways = "#method input[name=method]";
    if window.count(ways).await? < 2 {
        return Ok(());
    }
    let before = window.text(".summary .total dd").await?;
    window.click("#method label:has(input:not(:checked))").await?;
    if !window.script() {
        window.press("Work out the total again").await?;
    }
    let changed = "return document.querySelector('.summary .total dd')?.innerText !== arguments[0]";
    window.until("another total", changed, &before).await
}

/// The invoice, the list of orders, and the cart that is empty again.
async fn afterwards(window: &mut Window) -> Result {
    window.press("Invoice").await?;
    window.headline("Invoice").await?;
    window.look("invoice").await?;
    window.press("Back to the order").await?;
    window.press("All your orders").await?;
    window.headline("Your orders").await?;
    window.says("Placed").await?;
    window.look("orders").await?;
    window.go("/cart").await?;
    window.says("Nothing in it yet.").await?;
    window.look("cart, empty").await
}
