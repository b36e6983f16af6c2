//! The cart as it is shown.

use chassis::testing::customer;
use contract::souk::cart::v1::cart_service_client::CartServiceClient;
use contract::souk::cart::v1::*;
use mesh::Principal;

use crate::shop::{Person, Shop, customers_cart, fields, lines, refused};

async fn show(person: &Person, currency: &str, view: CartView) -> Cart {
    let request = GetCartRequest { currency_code: currency.into(), view: view.into(), ..Default::default() };
    person.client.clone().get_cart(request).await.expect("shown").into_inner().cart.expect("a cart")
}

#[tokio::test(start_paused = true)]
async fn lines_have_names_and_prices_in_the_currency_asked_for() {
    let shop = Shop::open().await;
    let ada = shop.customer(1);
    ada.add("1", "a", 3).await.expect("added");
    ada.add("2", "A", 3).await.expect("added");
    let pounds = ada.cart().await;
    assert_eq!(pounds.currency_code, "GBP");
    let told: Vec<_> = pounds
        .lines
        .iter()
        .map(|line| {
            (
                line.product_name.as_str(),
                line.price_status(),
                line.unit_price.as_ref().map(|p| p.micros),
                line.total.as_ref().map(|t| t.minor_units),
            )
        })
        .collect();
    // 3 × 0.005 is 1.5 pence, which is rounded to the even 2.
    let expected = [
        ("The a", PriceStatus::Priced, Some(2_500_000), Some(750)),
        ("The A", PriceStatus::Priced, Some(5_000), Some(2)),
    ];
    assert_eq!(told, expected);
    assert_eq!(pounds.subtotal.expect("a sum").minor_units, 752);
    let euros = show(&ada, "EUR", CartView::Full).await;
    assert_eq!(euros.lines[0].total.as_ref().map(|total| total.minor_units), Some(900));
    assert_eq!(
        (euros.lines[1].price_status(), &euros.lines[1].unit_price),
        (PriceStatus::NotInCurrency, &None)
    );
    assert_eq!(euros.subtotal, None, "a line has no price in euros");
}

#[tokio::test(start_paused = true)]
async fn an_empty_cart_costs_nothing_and_asks_nobody() {
    let shop = Shop::open().await;
    let cart = shop.guest(1).cart().await;
    assert_eq!(cart.subtotal.expect("a sum").minor_units, 0);
    assert_eq!((cart.version, cart.update_time, cart.expire_time), (0, None, None));
    assert_eq!(shop.product_asked(), 0);
}

#[tokio::test(start_paused = true)]
async fn lines_alone_are_shown_without_asking_product() {
    let shop = Shop::open().await;
    let gus = shop.guest(1);
    gus.add("1", "a", 3).await.expect("added");
    let asked = shop.product_asked();
    let cart = show(&gus, "", CartView::Lines).await;
    assert_eq!(
        (cart.lines[0].sku.as_str(), cart.lines[0].quantity, cart.lines[0].product_name.as_str()),
        ("a", 3, "")
    );
    assert!(cart.expire_time.is_some() && cart.update_time.is_some());
    assert_eq!(shop.product_asked(), asked);
}

#[tokio::test(start_paused = true)]
async fn checkout_sees_the_cart_of_whom_it_acts_for() {
    let shop = Shop::open().await;
    let ada = shop.customer(1);
    ada.add("1", "a", 3).await.expect("added");
    let lines_view = GetCartRequest { view: CartView::Lines.into(), ..Default::default() };
    let mut checkout = shop.harness.client_as_role("checkout", CartServiceClient::new, customer(1));
    let cart = checkout.get_cart(lines_view.clone()).await.expect("shown").into_inner().cart.expect("a cart");
    assert_eq!((cart.cart_id, cart.quantity), (customers_cart(1), 3));
    let mut nobody = shop.harness.client_as_role("checkout", CartServiceClient::new, Principal::Anonymous);
    assert_eq!(refused(nobody.get_cart(lines_view).await).reason(), "CART_NOT_FOUND");
    assert_eq!(ada.lines().await, lines(&[("a", 3)]));
}

#[tokio::test(start_paused = true)]
async fn wrong_fields_are_named() {
    let shop = Shop::open().await;
    let mut client = shop.customer(1).client;
    for (currency, view, cart_id, field) in
        [("gbp", 0, "", "/currency_code"), ("", 9, "", "/view"), ("", 0, "cart", "/cart_id")]
    {
        let request = GetCartRequest { currency_code: currency.into(), view, cart_id: cart_id.into() };
        assert_eq!(fields(&refused(client.get_cart(request).await)), [field]);
    }
}
