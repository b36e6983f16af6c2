//! SKUs of a whole export.

use std::collections::HashMap;

use kernel::sku::{self, SKU_BYTES_MAX};

use super::{Item, note};
use crate::import::product_rows::VariantRow;

/// SKUs of a whole file: a second use is refused by row, and what has none gets one once all that the file names are taken.
#[derive(Default)]
pub struct Skus {
    /// The line of each.
    lines: HashMap<String, u64>,
    /// The number to try next behind a word that was made before, by the digits that it has.
    next: HashMap<(u32, String), u32>,
}

impl Skus {
    /// Takes a SKU for a line, unless another line has it.
    pub fn take(&mut self, sku: &str, line: u64) -> Result<(), String> {
        let Ok(sku) = sku::clean(sku) else {
            return Err(format!("is {}; it {}", crate::table::excerpt(sku), sku::RULE));
        };
        match self.lines.get(&sku) {
            Some(other) => Err(format!("is {sku:?}, which line {other} has already")),
            None => {
                self.lines.insert(sku, line);
                Ok(())
            }
        }
    }

    /// Makes a SKU of words: the product's and the values of its options.
    pub fn make<'a>(&mut self, words: impl Iterator<Item = &'a str>, line: u64) -> String {
        let words: Vec<String> = words.map(sku_word).filter(|word| !word.is_empty()).collect();
        let whole = words.join("-");
        let whole = if whole.is_empty() { "sku".to_owned() } else { whole };
        let made = cut_bytes(&whole, SKU_BYTES_MAX).to_owned();
        if self.take(&made, line).is_ok() {
            return made;
        }
        for digits in 1_u32..=9 {
            let stem = cut_bytes(&whole, SKU_BYTES_MAX - 1 - digits as usize).to_owned();
            let first = if digits == 1 { 2 } else { 10_u32.pow(digits - 1) };
            let key = (digits, stem);
            // Numbers that were tried before are taken for ever.
            let mut n = self.next.get(&key).copied().unwrap_or(first);
            while n < 10_u32.pow(digits) {
                let made = format!("{}-{n}", key.1);
                n += 1;
                if self.take(&made, line).is_ok() {
                    self.next.insert(key, n);
                    return made;
                }
            }
            self.next.insert(key, n);
        }
        whole
    }

    /// Gives the variants that have no SKU one that is made of the product's name and the values of their options.
    pub fn fill(
        &mut self,
        name: &str,
        options: &[String],
        variants: &mut [VariantRow],
        lines: &[u64],
        column: &str,
        notes: &mut Vec<Item>,
    ) {
        for (variant, line) in variants.iter_mut().zip(lines).filter(|(variant, _)| variant.sku.is_empty()) {
            let values = options.iter().filter_map(|option| variant.options.get(option));
            let sku = self.make(std::iter::once(name).chain(values.map(String::as_str)), *line);
            notes.push(note(*line, column, format!("is empty: the SKU is {sku:?}")));
            variant.sku = sku;
        }
    }
}

/// Letters and digits of any script in lower case, all else as hyphens.
fn sku_word(text: &str) -> String {
    let letters =
        text.chars().flat_map(char::to_lowercase).map(|c| if c.is_alphanumeric() { c } else { '-' });
    let letters: String = letters.collect();
    letters.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

fn cut_bytes(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text[..end].trim_end_matches('-')
}
