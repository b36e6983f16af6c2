//! The two pictures of the README.

use std::path::Path;

use crate::Result;
use crate::driver::Driver;
use crate::scenarios::PRODUCT;
use crate::window::{Size, Window};

/// Takes home and a product, 1440 wide and light, as PNG.
pub async fn take(driver: &Driver, shop: &str, directory: &Path) -> Result {
    std::fs::create_dir_all(directory).map_err(|error| format!("{}: {error}", directory.display()))?;
    let window = Window::open(driver, shop, Size::Desktop, true, None).await?;
    let product = format!("/products/{PRODUCT}");
    for (path, name) in [("/", "home.png"), (product.as_str(), "product.png")] {
        window.go(path).await?;
        window.see("h1").await?;
        window
            .until("all pictures", "return [...document.images].slice(0, 6).every((i) => i.complete)", "")
            .await?;
        let picture = window.client.screenshot().await.map_err(|error| format!("no screenshot: {error}"))?;
        let file = directory.join(name);
        std::fs::write(&file, picture).map_err(|error| format!("{}: {error}", file.display()))?;
        println!("{}", file.display());
    }
    window.close().await;
    Ok(())
}
