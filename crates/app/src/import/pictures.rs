//! Pictures that a file of products names: read from beside it and uploaded, once each.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use kernel::Code;
use kernel::text::{self, Lines};
use svc_product::domain::limits::{ALT_CHARS_MAX, IMAGES_MAX, PICTURE_BYTES_MAX, PIXELS_MAX, URL_BYTES_MAX};
use svc_product::domain::{address_is_good, content_hash_is_good};

use super::product_rows::{ImageRow, Located, Problem};
use super::send;
use crate::client::{CallError, Shop};
use crate::console::Failure;
use crate::table::{excerpt, source};

/// Bytes of names and reasons that are remembered of files that were refused.
const REFUSED_BYTES_MAX: usize = 16 << 20;

/// Uploads pictures of one file of products.
pub struct Uploads<'a> {
    shop: &'a Shop,
    /// Where the file of products is.
    folder: PathBuf,
    answers: Answers,
}

/// What became of files, so that each is read and uploaded once: the good ones by their content hashes, and the bad ones by why
/// they are refused. When too many were refused, these are forgotten.
#[derive(Default)]
struct Answers {
    good: HashMap<String, String>,
    refused: HashMap<String, String>,
    refused_bytes: usize,
}

impl Answers {
    fn get(&self, file: &str) -> Option<Result<String, String>> {
        let good = self.good.get(file).cloned().map(Ok);
        good.or_else(|| self.refused.get(file).cloned().map(Err))
    }

    fn remember(&mut self, file: &str, answer: &Result<String, String>) {
        match answer {
            Ok(hash) => drop(self.good.insert(file.to_owned(), hash.clone())),
            Err(reason) => {
                self.refused_bytes += file.len() + reason.len() + 2 * size_of::<String>();
                if self.refused_bytes > REFUSED_BYTES_MAX {
                    self.refused.clear();
                    self.refused_bytes = file.len() + reason.len();
                }
                self.refused.insert(file.to_owned(), reason.clone());
            }
        }
    }

    /// What became of a file, asked for when that is not known yet.
    async fn or_ask<E>(
        &mut self,
        file: &str,
        ask: impl Future<Output = Result<Result<String, String>, E>>,
    ) -> Result<Result<String, String>, E> {
        if let Some(answer) = self.get(file) {
            return Ok(answer);
        }
        let answer = ask.await?;
        self.remember(file, &answer);
        Ok(answer)
    }
}

impl<'a> Uploads<'a> {
    pub fn new(shop: &'a Shop, file: &Path) -> Self {
        let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
        Self { shop, folder, answers: Answers::default() }
    }

    /// Puts the content hash in the place of every file that a row names. A picture that the catalogue would not take costs
    /// itself: it is left out, and told.
    pub async fn of(&mut self, located: &mut Located) -> Result<Pictures, Failure> {
        let mut found = Pictures::default();
        let mut good = Vec::with_capacity(located.row.images.len().min(IMAGES_MAX));
        let images = std::mem::take(&mut located.row.images);
        let all = images.len();
        for (n, mut image) in images.into_iter().enumerate() {
            if good.len() == IMAGES_MAX {
                let reason = format!(
                    "are {all} pictures of one product; it has at most {IMAGES_MAX}: it goes in without the {} behind them",
                    all - n
                );
                found.notes.push(located.problem("/images", &reason));
                break;
            }
            if let Err((field, reason)) = check_source(&image) {
                let reason = format!("{reason}; the product goes in without it");
                found.problems.push(located.problem(&format!("/images/{n}/{field}"), &reason));
                continue;
            }
            for (field, reason) in mend(&mut image) {
                found.notes.push(located.problem(&format!("/images/{n}/{field}"), &reason));
            }
            let file = std::mem::take(&mut image.file);
            if !file.is_empty() {
                let upload = upload(self.shop, &self.folder, &file);
                match self.answers.or_ask(&file, upload).await? {
                    Ok(hash) => image.content_hash = hash,
                    Err(reason) => {
                        let reason =
                            format!("names {file:?}, which {reason}; the product goes in without it");
                        found.problems.push(located.problem(&format!("/images/{n}/file"), &reason));
                        continue;
                    }
                }
            }
            good.push(image);
            found.places.push(n);
        }
        located.row.images = good;
        Ok(found)
    }
}

/// What came of the pictures of a row.
#[derive(Default)]
pub struct Pictures {
    /// The place in the file of each that is left.
    pub places: Vec<usize>,
    /// Those that are left out.
    pub problems: Vec<Problem>,
    /// What else is to be known.
    pub notes: Vec<Problem>,
}

/// Whether a picture has a source that the catalogue may take; else the field that is wrong, with a clause.
fn check_source(image: &ImageRow) -> Result<(), (&'static str, String)> {
    if !image.file.is_empty() {
        return Ok(());
    }
    let (url, hash) = (image.url.as_str(), image.content_hash.as_str());
    match (url, hash) {
        ("", "") => Err(("file", "names no file, no content hash and no address".to_owned())),
        ("", hash) if !content_hash_is_good(hash) => {
            Err(("content_hash", format!("is {}, not 64 lower-case hexadecimal digits", excerpt(hash))))
        }
        ("", _) => Ok(()),
        (url, _) if !address_is_good(url) => {
            let reason =
                format!("is {}, not an https address of at most {URL_BYTES_MAX} characters", excerpt(url));
            Err(("url", reason))
        }
        _ => Ok(()),
    }
}

/// Leaves out of what is said of a picture what the catalogue would not take; answers the fields, each with a clause.
fn mend(image: &mut ImageRow) -> Vec<(&'static str, String)> {
    let mut told = Vec::new();
    let (width, height) = (image.width, image.height);
    if [width, height].iter().any(|side| !(0..=PIXELS_MAX).contains(side)) {
        told.push(("width", format!("is {width} × {height} of a picture; its size is left out")));
        (image.width, image.height) = (0, 0);
    }
    match text::clean(&image.alt, Lines::One) {
        Ok(alt) if alt.chars().count() > ALT_CHARS_MAX => {
            let reason = format!("is longer than {ALT_CHARS_MAX} characters; the rest of it is left out");
            told.push(("alt", reason));
            image.alt = alt.chars().take(ALT_CHARS_MAX).collect();
        }
        Ok(alt) => image.alt = alt,
        Err(reason) => {
            told.push(("alt", format!("{reason}; it is left out")));
            image.alt.clear();
        }
    }
    told
}

async fn upload(shop: &Shop, folder: &Path, file: &str) -> Result<Result<String, String>, Failure> {
    let data = match source::read_below(folder, file, PICTURE_BYTES_MAX as u64) {
        Ok(data) => data,
        Err(reason) => return Ok(Err(reason)),
    };
    match send::picture(shop, data).await {
        Ok(hash) => Ok(Ok(hash)),
        Err(CallError::Refused(error)) if error.code() == Code::InvalidArgument => {
            let description = error.violations().first().map(|violation| violation.description.clone());
            Ok(Err(description.unwrap_or_else(|| error.message().to_owned())))
        }
        Err(error) => Err(error.fatal("the pictures could not be uploaded")),
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::convert::Infallible;

    use super::*;

    fn answer(answers: &mut Answers, file: &str, asked: &Cell<u32>) -> Result<String, String> {
        let ask = async {
            asked.set(asked.get() + 1);
            let bad = || Err("is not a picture".to_owned());
            Ok::<_, Infallible>(if file.starts_with("bad") { bad() } else { Ok("hash".to_owned()) })
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(answers.or_ask(file, ask)).expect("answers")
    }

    #[test]
    fn a_picture_is_asked_for_once_whether_it_is_good_or_bad() {
        let (mut answers, asked) = (Answers::default(), Cell::new(0));
        for _ in 0..100 {
            assert_eq!(answer(&mut answers, "good.jpg", &asked), Ok("hash".to_owned()));
            assert!(answer(&mut answers, "bad.jpg", &asked).is_err());
        }
        assert_eq!(asked.get(), 2);
    }

    #[test]
    fn a_bad_picture_costs_itself() {
        let of = |url: &str, hash: &str| ImageRow {
            url: url.into(),
            content_hash: hash.into(),
            ..ImageRow::default()
        };
        for (image, field) in [
            (of("http://x.example/a.jpg", ""), "url"),
            (of("https://", ""), "url"),
            (of("https://x.example/a b.jpg", ""), "url"),
            (of(&format!("https://x.example/{}", "a".repeat(2_000)), ""), "url"),
            (of("", "cafe"), "content_hash"),
            (of("", ""), "file"),
        ] {
            assert_eq!(check_source(&image).map_err(|(field, _)| field), Err(field), "{image:?}");
        }
        assert_eq!(check_source(&of("https://x.example/a.jpg", "")), Ok(()));
        assert_eq!(check_source(&of("", &"a1".repeat(32))), Ok(()));
        let mut image =
            ImageRow { width: 20_001, height: 5, alt: "é".repeat(301), ..of("https://x.example/a", "") };
        assert_eq!(mend(&mut image).iter().map(|(field, _)| *field).collect::<Vec<_>>(), ["width", "alt"]);
        assert_eq!((image.width, image.height, image.alt.chars().count()), (0, 0, 300));
        let mut image = ImageRow { width: -1, alt: "a\u{7}".into(), ..ImageRow::default() };
        assert_eq!((mend(&mut image).len(), image.width, image.alt.as_str()), (2, 0, ""));
        let mut image = ImageRow { width: 20_000, alt: "a\tmug".into(), ..ImageRow::default() };
        assert_eq!((mend(&mut image).len(), image.alt.as_str()), (0, "a mug"));
    }

    #[test]
    fn what_is_remembered_of_bad_pictures_is_bounded() {
        let mut answers = Answers::default();
        let long = "x".repeat(1 << 20);
        for n in 0..100 {
            answers.remember(&format!("bad{n}"), &Err(long.clone()));
            assert!(answers.refused.values().map(String::len).sum::<usize>() <= REFUSED_BYTES_MAX);
        }
        assert!(answers.get("bad99").is_some_and(|answer| answer.is_err()));
    }
}
