//! The keyboard, for who has nothing else.

use fantoccini::actions::{InputSource, KeyAction, KeyActions};
use serde_json::{Value, json};

use crate::Result;
use crate::window::Window;

/// Tab.
pub const TAB: char = '\u{e004}';
/// Enter.
pub const ENTER: char = '\u{e007}';
/// Escape.
pub const ESCAPE: char = '\u{e00c}';
/// Arrow down.
pub const DOWN: char = '\u{e015}';

/// More stops than any page of the shop has.
const STOPS_MAX: usize = 150;

/// Whether the focus is where it is wanted, and whether a person sees where it is: something around what has it has an
/// outline, and stands in the window.
const FOCUS: &str = "const held = document.activeElement;
if (!held || held === document.body) return { there: false, seen: true, at: 'body' };
const box = held.getBoundingClientRect();
const ringed = [held, held.closest('label')].filter(Boolean).some((element) => {
  const style = getComputedStyle(element);
  return style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2;
});
const inside = box.bottom > 0 && box.right > 0 && box.top < innerHeight && box.left < innerWidth;
return { there: held.matches(arguments[0]), seen: ringed && inside,
  at: held.outerHTML.slice(0, 120) + (inside ? '' : ' (outside the window)') };";

impl Window {
    /// Presses a key.
    pub async fn key(&self, key: char) -> Result {
        let actions = KeyActions::new("keyboard".to_owned())
            .then(KeyAction::Down { value: key })
            .then(KeyAction::Up { value: key });
        self.client.perform_actions(actions).await.map_err(|error| format!("a key: {error}"))
    }

    /// Types into what has the focus.
    pub async fn types(&self, text: &str) -> Result {
        for letter in text.chars() {
            self.key(letter).await?;
        }
        Ok(())
    }

    /// Presses Tab until something has the focus, which must be visible at every stop.
    pub async fn tab_to(&self, css: &str) -> Result {
        self.see(css).await?;
        for _ in 0..STOPS_MAX {
            self.key(TAB).await?;
            let focus = self.ask(FOCUS, vec![json!(css)]).await?;
            if focus["seen"] != Value::Bool(true) {
                return Err(format!("the focus is not visible at {}", focus["at"]));
            }
            if focus["there"] == Value::Bool(true) {
                return Ok(());
            }
        }
        Err(format!("Tab does not reach {css}"))
    }
}
