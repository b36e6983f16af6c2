//! Cards that the bank declines, and banks that ask.

use crate::Result;
use crate::window::Window;

/// A declined card is told in a sentence and nothing is charged; another card works on the same page.
pub async fn declined(window: &mut Window) -> Result {
    window.fill_cart().await?;
    window.to_payment().await?;
    window.pay_with("pm_card_chargeDeclined").await?;
    window.see(".errors a[href='#payment_method']").await?;
    let sentence = window.text(".errors").await?;
    if !sentence.contains("Nothing was charged.") {
        return Err(format!("a declined card is told as: {sentence}"));
    }
    window.look("checkout, card declined").await?;
    window.pay_with("pm_card_visa").await?;
    window.confirmed().await?;
    window.go("/orders").await?;
    window.headline("Your orders").await?;
    let table = window.text("main table").await?;
    if table.matches("Placed").count() != 1 {
        return Err(format!("not exactly one order is placed: {table}"));
    }
    Ok(())
}

/// From a filled cart to the bank's page.
async fn to_the_bank(window: &mut Window) -> Result {
    window.fill_cart().await?;
    window.to_payment().await?;
    window.pay_with("pm_card_authenticationRequired").await?;
    window.at("/bank/").await?;
    window.headline("Your bank").await.map(|_| ())
}

/// The payer proves who they are.
pub async fn approved(window: &mut Window) -> Result {
    to_the_bank(window).await?;
    window.look("bank").await?;
    window.press("Yes, it is me").await?;
    window.confirmed().await
}

/// The payer stops: the order is not placed, and the cart is still there.
pub async fn refused(window: &mut Window) -> Result {
    to_the_bank(window).await?;
    window.go("/orders").await?;
    window.press("Harbour bowl").await?;
    window.headline("Your bank wants to know").await?;
    window.look("order, waits for the bank").await?;
    window.press("Go to your bank").await?;
    window.press("No, stop").await?;
    window.at("/orders/ord_").await?;
    window.headline("We could not place this order").await?;
    window.says("Nothing was charged.").await?;
    window.look("order, not placed").await
}
