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

/// Uploads pictures of one file of products.
pub struct Uploads<'a> {
    shop: &'a Shop,
    /// Where the file of products is.
    folder: PathBuf,
    /// Content hashes by path.
    done: HashMap<String, String>,
}

impl<'a> Uploads<'a> {
    pub fn new(shop: &'a Shop, file: &Path) -> Self {
        let folder = file.parent().map(Path::to_path_buf).unwrap_or_default();
        Self { shop, folder, done: HashMap::new() }
    }

    /// Puts the content hash in the place of every file that a row names. A file that is no picture costs itself: it is left
    /// out, and told.
    pub async fn of(&mut self, located: &mut Located) -> Result<Vec<Problem>, Failure> {
        let mut problems = Vec::new();
        let mut good = Vec::with_capacity(located.row.images.len());
        for (n, mut image) in std::mem::take(&mut located.row.images).into_iter().enumerate() {
            let file = std::mem::take(&mut image.file);
            if file.is_empty() {
                good.push(image);
                continue;
            }
            match self.upload(&file).await? {
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

    async fn upload(&mut self, file: &str) -> Result<Result<String, String>, Failure> {
        if let Some(hash) = self.done.get(file) {
            return Ok(Ok(hash.clone()));
        }
        let data = match source::read_below(&self.folder, file, BYTES_MAX) {
            Ok(data) => data,
            Err(reason) => return Ok(Err(reason)),
        };
        match send::picture(self.shop, data).await {
            Ok(hash) => {
                self.done.insert(file.to_owned(), hash.clone());
                Ok(Ok(hash))
            }
            Err(CallError::Refused(error)) if error.code() == Code::InvalidArgument => {
                let description = error.violations().first().map(|violation| violation.description.clone());
                Ok(Err(description.unwrap_or_else(|| error.message().to_owned())))
            }
            Err(error) => Err(error.fatal("the pictures could not be uploaded")),
        }
    }
}
