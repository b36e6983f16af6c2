//! A window of a browser as a person uses it: goes, looks for words, presses, fills in. It waits for what it looks for.

use std::time::Duration;

use fantoccini::elements::Element;
use fantoccini::error::CmdError;
use fantoccini::wd::WindowHandle;
use fantoccini::{Client, Locator};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::driver::Driver;
use crate::{Result, axe, cdp};

/// How long something may take to appear.
const WITHIN: Duration = Duration::from_secs(10);
/// How often it is looked for.
const EVERY: Duration = Duration::from_millis(50);

/// The size of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// 390 × 844.
    Phone,
    /// 1440 × 900.
    Desktop,
}

impl Size {
    /// In a word.
    pub fn words(self) -> &'static str {
        match self {
            Self::Phone => "phone",
            Self::Desktop => "desktop",
        }
    }

    fn metrics(self) -> Value {
        match self {
            Self::Phone => json!({ "width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": true }),
            Self::Desktop => json!({ "width": 1440, "height": 900, "deviceScaleFactor": 1, "mobile": false }),
        }
    }
}

/// A colour scheme that the reader prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// Light.
    Light,
    /// Dark.
    Dark,
}

/// A browser with a profile of its own.
pub struct Window {
    /// The WebDriver session.
    pub client: Client,
    /// How large it is.
    pub size: Size,
    shop: String,
    script: bool,
    axe: Option<String>,
    findings: Vec<String>,
    looks: usize,
    profile: TempDir,
}

fn told(what: &str, error: &CmdError) -> String {
    match error {
        CmdError::WaitTimeout => format!("{what}: not within {} s", WITHIN.as_secs()),
        error => format!("{what}: {error}"),
    }
}

/// Words as an XPath text; ours never have both kinds of quotes.
fn quoted(words: &str) -> String {
    if words.contains('"') { format!("'{words}'") } else { format!("\"{words}\"") }
}

impl Window {
    /// Opens one.
    pub async fn open(
        driver: &Driver,
        shop: &str,
        size: Size,
        script: bool,
        axe: Option<&str>,
    ) -> Result<Self> {
        let profile = tempfile::tempdir().map_err(|error| format!("no directory for a profile: {error}"))?;
        let client = driver.browser(profile.path(), script).await?;
        // What runs without JavaScript is the same page; axe-core needs it.
        let axe = axe.filter(|_| script).map(str::to_owned);
        let shop = shop.to_owned();
        let window = Self { client, size, shop, script, axe, findings: Vec::new(), looks: 0, profile };
        window.sized().await?;
        window.prefers(Scheme::Light).await?;
        Ok(window)
    }

    /// Whether it runs JavaScript.
    pub fn script(&self) -> bool {
        self.script
    }

    /// Opens another tab of the same browser and shows it; the first and the other.
    pub async fn another(&self) -> Result<(WindowHandle, WindowHandle)> {
        let first = self.client.window().await.map_err(|error| told("a window", &error))?;
        let second =
            self.client.new_window(true).await.map_err(|error| told("another window", &error))?.handle;
        self.client.switch_to_window(second.clone()).await.map_err(|error| told("another window", &error))?;
        self.sized().await?;
        self.prefers(Scheme::Light).await?;
        Ok((first, second))
    }

    /// Closes the tab that is shown and shows the other one.
    pub async fn show(&self, _shown: WindowHandle, other: WindowHandle) -> Result {
        self.client.close_window().await.map_err(|error| told("closing a window", &error))?;
        self.client.switch_to_window(other).await.map_err(|error| told("the other window", &error))
    }

    /// Gives the tab that is shown its size.
    pub async fn sized(&self) -> Result {
        cdp::send(&self.client, "Emulation.setDeviceMetricsOverride", self.size.metrics()).await.map(|_| ())
    }

    /// Sets the colour scheme. Motion is reduced: a transition between pages would take the next click.
    pub async fn prefers(&self, scheme: Scheme) -> Result {
        let scheme = if scheme == Scheme::Dark { "dark" } else { "light" };
        let features = json!({ "features": [
            { "name": "prefers-color-scheme", "value": scheme },
            { "name": "prefers-reduced-motion", "value": "reduce" },
        ] });
        cdp::send(&self.client, "Emulation.setEmulatedMedia", features).await.map(|_| ())
    }

    /// Ends the browser; what axe-core found, and how often it looked.
    pub async fn close(self) -> (Vec<String>, usize) {
        // A browser that is gone already has nothing left to end.
        let _ = self.client.close().await;
        let _ = self.profile.close();
        (self.findings, self.looks)
    }

    /// Where a scenario stood when it failed.
    pub async fn whereabouts(&self) -> String {
        let path = self.path().await.unwrap_or_default();
        let text = match self.client.find(Locator::Css("main")).await {
            Ok(main) => main.text().await.unwrap_or_default(),
            Err(_) => String::new(),
        };
        let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(300).collect();
        format!("\nit stood at {path}: {text}")
    }

    /// Lets axe-core look at the page as it stands, in both colour schemes.
    pub async fn look(&mut self, what: &str) -> Result {
        let Some(source) = self.axe.clone() else { return Ok(()) };
        for scheme in [Scheme::Dark, Scheme::Light] {
            self.prefers(scheme).await?;
            self.looks += 1;
            for found in axe::violations(&self.client, &source).await? {
                let why = found.why.split_whitespace().collect::<Vec<_>>().join(" ");
                self.findings.push(format!(
                    "axe: {what} ({}, {scheme:?}): {} at {}: {why}",
                    self.size.words(),
                    found.rule,
                    found.at
                ));
            }
        }
        Ok(())
    }

    /// The rules that the page breaks as it stands; they count for nothing.
    pub async fn found(&self) -> Result<Vec<String>> {
        let Some(source) = &self.axe else { return Err("axe-core is not here: --axe FILE".to_owned()) };
        let found = axe::violations(&self.client, source).await?;
        Ok(found.into_iter().map(|found| found.rule).collect())
    }

    /// Goes to a path of the shop.
    pub async fn go(&self, path: &str) -> Result {
        let address = format!("{}{path}", self.shop);
        self.client.goto(&address).await.map_err(|error| told(path, &error))
    }

    /// The path and query that it shows.
    pub async fn path(&self) -> Result<String> {
        let address = self.client.current_url().await.map_err(|error| told("the address", &error))?;
        Ok(address
            .query()
            .map_or_else(|| address.path().to_owned(), |query| format!("{}?{query}", address.path())))
    }

    async fn wait(&self, locator: Locator<'_>, what: &str) -> Result<Element> {
        let wait = self.client.wait().at_most(WITHIN).every(EVERY);
        wait.for_element(locator).await.map_err(|error| told(what, &error))
    }

    /// Waits for an element.
    pub async fn see(&self, css: &str) -> Result<Element> {
        self.wait(Locator::Css(css), css).await
    }

    /// Waits for words somewhere on the page, in one element.
    pub async fn says(&self, words: &str) -> Result<Element> {
        let path = format!("//body//*[contains(normalize-space(.), {0})]", quoted(words));
        self.wait(Locator::XPath(&path), words).await
    }

    /// Waits for a headline.
    pub async fn headline(&self, words: &str) -> Result<Element> {
        let path = format!("//h1[contains(normalize-space(.), {})]", quoted(words));
        self.wait(Locator::XPath(&path), &format!("the headline `{words}`")).await
    }

    /// Requires that something is not there, now.
    pub async fn lacks(&self, css: &str) -> Result {
        let found = self.client.find_all(Locator::Css(css)).await.map_err(|error| told(css, &error))?;
        if found.is_empty() { Ok(()) } else { Err(format!("{css} is there, and must not be")) }
    }

    /// How many there are of something, now.
    pub async fn count(&self, css: &str) -> Result<usize> {
        self.client
            .find_all(Locator::Css(css))
            .await
            .map(|found| found.len())
            .map_err(|error| told(css, &error))
    }

    /// What an element says.
    pub async fn text(&self, css: &str) -> Result<String> {
        self.see(css).await?.text().await.map_err(|error| told(css, &error))
    }

    /// Clicks what a selector finds.
    pub async fn click(&self, css: &str) -> Result {
        let found = self.see(css).await?;
        self.centre(&found, css).await?;
        found.click().await.map_err(|error| told(css, &error))
    }

    /// Brings something to the middle of the window, as a person scrolls: the driver itself brings it to the edge, where what
    /// stays at the foot of the screen may lie over it.
    async fn centre(&self, element: &Element, what: &str) -> Result {
        let argument = serde_json::to_value(element).map_err(|error| format!("{what}: {error}"))?;
        let script = "arguments[0].scrollIntoView({ block: 'center' })";
        self.client.execute(script, vec![argument]).await.map(|_| ()).map_err(|error| told(what, &error))
    }

    /// Presses the button or follows the link with these words.
    pub async fn press(&self, words: &str) -> Result {
        let path =
            format!("//*[(self::a or self::button) and contains(normalize-space(.), {})]", quoted(words));
        let mut again = 2;
        loop {
            let found = self.wait(Locator::XPath(&path), &format!("the button or link `{words}`")).await?;
            let pressed = match self.centre(&found, words).await {
                Ok(()) => found.click().await.map_err(|error| told(words, &error)),
                Err(error) => Err(error),
            };
            match pressed {
                // News of an order put a new part of the page in its place.
                Err(error) if again > 0 && error.contains("stale element") => again -= 1,
                pressed => return pressed,
            }
        }
    }

    /// Fills in a field in the place of what stood there.
    pub async fn fill(&self, css: &str, text: &str) -> Result {
        let field = self.see(css).await?;
        field.clear().await.map_err(|error| told(css, &error))?;
        field.send_keys(text).await.map_err(|error| told(css, &error))
    }

    /// Chooses the radio button or checkbox with this value, as a person does: by its label.
    /// Opens what it is folded into.
    pub async fn choose(&self, value: &str) -> Result {
        let label = format!("label:has(> input[value=\"{value}\"])");
        let folded = format!("details:not([open]):has({label}) > summary");
        if self.client.find(Locator::Css(&folded)).await.is_ok() {
            self.click(&folded).await?;
        }
        self.click(&label).await
    }

    /// Waits until its path begins so.
    pub async fn at(&self, prefix: &str) -> Result {
        let there = "return location.pathname.startsWith(arguments[0])";
        self.until(&format!("the address {prefix}"), there, prefix).await
    }

    /// Waits until a script says true.
    pub async fn until(&self, what: &str, script: &str, argument: &str) -> Result {
        let ready = async {
            let mut pace = tokio::time::interval(EVERY);
            loop {
                pace.tick().await;
                // A page that is just being left answers nothing.
                if let Ok(Value::Bool(true)) = self.client.execute(script, vec![json!(argument)]).await {
                    return;
                }
            }
        };
        let waited = tokio::time::timeout(WITHIN, ready).await;
        waited.map_err(|_| format!("{what}: not within {} s", WITHIN.as_secs()))
    }

    /// What a script answers.
    pub async fn ask(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        self.client.execute(script, arguments).await.map_err(|error| told("a script", &error))
    }
}
