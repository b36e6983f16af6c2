//! Pictures that a file of products names: read from beside it and uploaded, once each.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use kernel::Code;

use super::product_rows::{ImageRow, Located, Problem};
use super::send;
use crate::client::{CallError, Shop};
use crate::console::Failure;
use crate::table::source;

/// The largest picture that the catalogue takes.
const BYTES_MAX: u64 = 10 << 20;

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

    /// Puts the content hash in the place of every file that a row names. A file that is not a picture costs itself: it is
    /// left out, and told.
    pub async fn of(&mut self, located: &mut Located) -> Result<Vec<Problem>, Failure> {
        let mut problems = Vec::new();
        let mut good = Vec::with_capacity(located.row.images.len());
        for (n, mut image) in std::mem::take(&mut located.row.images).into_iter().enumerate() {
            let file = std::mem::take(&mut image.file);
            if file.is_empty() {
                good.push(image);
                continue;
            }
            let upload = upload(self.shop, &self.folder, &file);
            match self.answers.or_ask(&file, upload).await? {
                Ok(hash) => good.push(ImageRow { content_hash: hash, ..image }),
                Err(reason) => {
                    let reason = format!("names {file:?}, which {reason}; the product goes in without it");
                    problems.push(located.problem(&format!("/images/{n}/file"), &reason));
                }
            }
        }
        located.row.images = good;
        Ok(problems)
    }
}

async fn upload(shop: &Shop, folder: &Path, file: &str) -> Result<Result<String, String>, Failure> {
    let data = match source::read_below(folder, file, BYTES_MAX) {
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
