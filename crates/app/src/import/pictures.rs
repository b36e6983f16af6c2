//! Pictures that a file of products names: read from beside it and uploaded, once each.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use kernel::Code;

use super::product_rows::{Located, Problem};
use super::send;
use crate::client::{CallError, Shop};
use crate::console::Failure;

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

    /// Puts the content hash in the place of every file that a row names. What is wrong with a file is the row's problem.
    pub async fn of(&mut self, located: &mut Located) -> Result<Vec<Problem>, Failure> {
        let mut problems = Vec::new();
        for n in 0..located.row.images.len() {
            let file = std::mem::take(&mut located.row.images[n].file);
            if file.is_empty() {
                continue;
            }
            match self.upload(&file).await? {
                Ok(hash) => located.row.images[n].content_hash = hash,
                Err(reason) => {
                    let reason = format!("names {file:?}, which {reason}");
                    problems.push(located.problem(&format!("/images/{n}/file"), &reason));
                }
            }
        }
        Ok(problems)
    }

    async fn upload(&mut self, file: &str) -> Result<Result<String, String>, Failure> {
        if let Some(hash) = self.done.get(file) {
            return Ok(Ok(hash.clone()));
        }
        let data = match read(&self.folder, file) {
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

/// A file below the folder; a row cannot reach for others.
fn read(folder: &Path, file: &str) -> Result<Vec<u8>, String> {
    if !Path::new(file).components().all(|part| matches!(part, Component::Normal(_))) {
        return Err("is not below the folder of this file".to_owned());
    }
    let open = File::open(folder.join(file)).map_err(|error| format!("cannot be read: {error}"))?;
    let mut data = Vec::new();
    let read = open.take(BYTES_MAX + 1).read_to_end(&mut data);
    read.map_err(|error| format!("cannot be read: {error}"))?;
    if data.len() as u64 > BYTES_MAX {
        return Err(format!("has more than {BYTES_MAX} bytes"));
    }
    Ok(data)
}
