//! Pictures: a document for what is known of one, written last, and one for each rendition. None is ever changed.

use std::collections::HashMap;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use kernel::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use store::{CommitError, Document, Index, Put, Value};

use super::Catalogue;
use crate::domain::{Format, Picture};
use crate::rendition::{Rendered, Rendition};

impl Document for Picture {
    const KIND: &'static str = "picture";
    const INDEXES: &'static [Index] = &[];

    fn keys(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

/// A rendition as it is stored: documents are text.
#[derive(Clone, Serialize, Deserialize)]
pub struct Kept {
    /// In pixels.
    pub height: i32,
    /// The file.
    pub base64: String,
    /// SHA-256 of the file in hexadecimal; empty for one of before there was one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub sha256: String,
}

impl Document for Kept {
    const KIND: &'static str = "rendition";
    const INDEXES: &'static [Index] = &[];

    fn keys(&self) -> Vec<(&'static str, Value)> {
        Vec::new()
    }
}

/// A picture in one width.
pub struct Shown {
    /// In pixels.
    pub height: i32,
    /// The file.
    pub data: Vec<u8>,
}

/// The id of a rendition.
pub fn rendition_id(hash: &str, width: i32, format: Format) -> String {
    let ending = match format {
        Format::Webp => "webp",
        Format::Jpeg => "jpg",
    };
    format!("{hash}-{width}.{ending}")
}

/// SHA-256 of a file in hexadecimal.
pub fn digest(data: &[u8]) -> String {
    hex::encode(Sha256::digest(data))
}

impl Catalogue {
    /// What is known of a picture.
    ///
    /// # Errors
    /// The store's.
    pub async fn picture(&self, hash: &str) -> Result<Option<Picture>> {
        Ok(self.0.pictures.get(hash).await?.map(|found| found.value))
    }

    /// What is known of pictures, those that there are.
    ///
    /// # Errors
    /// The store's.
    pub async fn pictures(&self, hashes: &[String]) -> Result<HashMap<String, Picture>> {
        let found = self.0.pictures.get_many(hashes).await?;
        Ok(found.into_iter().map(|found| (found.id, found.value)).collect())
    }

    /// A picture in one of its widths.
    ///
    /// # Errors
    /// The store's.
    pub async fn rendition(&self, hash: &str, width: i32, format: Format) -> Result<Option<Shown>> {
        let Some(found) = self.0.renditions.get(&rendition_id(hash, width, format)).await? else {
            return Ok(None);
        };
        let data = STANDARD.decode(&found.value.base64).map_err(Error::internal)?;
        Ok(Some(Shown { height: found.value.height, data }))
    }

    /// Keeps a picture. Begun again after a kill, it writes what is missing.
    ///
    /// # Errors
    /// The store's.
    pub async fn keep_picture(&self, hash: &str, rendered: Rendered) -> Result<Picture> {
        let pixels = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
        let mut widths: Vec<i32> = Vec::new();
        for Rendition { format, width, height, data } in rendered.renditions {
            widths.push(pixels(width));
            let sha256 = digest(&data);
            let kept = Kept { height: pixels(height), base64: STANDARD.encode(data), sha256 };
            let put = Put::create(rendition_id(hash, pixels(width), format), kept);
            unless_there(self.0.renditions.put(put).await)?;
        }
        widths.sort_unstable();
        widths.dedup();
        let picture = Picture { width: pixels(rendered.width), height: pixels(rendered.height), widths };
        unless_there(self.0.pictures.put(Put::create(hash, picture.clone())).await)?;
        Ok(picture)
    }
}

/// Two uploads of the same bytes write the same.
fn unless_there(outcome: Result<i64, CommitError>) -> Result<()> {
    match outcome {
        Ok(_) | Err(CommitError::Duplicate { .. } | CommitError::Unexpected { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}
