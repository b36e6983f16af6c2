//! What changes by itself, over the WebSocket.

use crate::Result;
use crate::window::Window;

/// A page keeps what a script put into it as long as it is not loaded again.
const MARK: &str = "window.marked = true";
const MARKED: &str = "return window.marked === true";

/// An order that is open in one window is cancelled in another.
pub async fn cancelled(window: &mut Window) -> Result {
    window.fill_cart().await?;
    window.to_payment().await?;
    window.pay_with("pm_card_visa").await?;
    window.confirmed().await?;
    window.ask(MARK, Vec::new()).await?;
    let path = window.path().await?;
    let (first, second) = window.another().await?;
    window.go(&path).await?;
    cancel(window).await?;
    window.headline("Your order is cancelled").await?;
    window.look("order, cancelled").await?;
    window.show(second, first).await?;
    window.headline("Your order is cancelled").await?;
    window.lacks("form[action$='/cancel']").await?;
    if window.ask(MARKED, Vec::new()).await? != true {
        return Err("the page was loaded again in place of being changed".to_owned());
    }
    window.look("order, cancelled live").await
}

/// Asks to cancel, thinks better of it, and then does it: in a dialog with JavaScript, on a page of its own without.
async fn cancel(window: &mut Window) -> Result {
    window.press("Cancel this order").await?;
    if window.script() {
        window.until("the dialog", "return document.querySelector('#cancel').open", "").await?;
    } else {
        window.headline("Cancel this order?").await?;
    }
    window.says("goes back to the card").await?;
    window.look("order, asked whether to cancel").await?;
    window.press("Keep it").await?;
    if window.script() {
        window.until("no dialog", "return !document.querySelector('#cancel').open", "").await?;
    }
    window.press("Cancel this order").await?;
    window.press("Yes, cancel it").await
}

/// The same without JavaScript: a page asks.
pub async fn cancelled_by_pages(window: &mut Window) -> Result {
    window.fill_cart().await?;
    window.to_payment().await?;
    window.pay_with("pm_card_visa").await?;
    window.confirmed().await?;
    cancel(window).await?;
    window.headline("Your order is cancelled").await.map(|_| ())
}

/// What is added in one window is counted in the other.
pub async fn counted(window: &mut Window) -> Result {
    window.fill_cart().await?;
    window.go("/").await?;
    window.ask(MARK, Vec::new()).await?;
    let (first, second) = window.another().await?;
    window.go("/products/camp-mug").await?;
    window.press("Add to cart").await?;
    window.says("It is in your cart.").await?;
    window.show(second, first).await?;
    window
        .until("the count", "return document.querySelector('[data-count]').textContent === '2'", "")
        .await?;
    if window.ask(MARKED, Vec::new()).await? != true {
        return Err("the page was loaded again in place of being changed".to_owned());
    }
    Ok(())
}
