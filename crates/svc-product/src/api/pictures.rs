//! A merchant's own pictures: kept once for each content, given in widths and formats.

use chassis::request_key;
use contract::souk::product::v1 as pb;
use kernel::{Code, Error, Result};
use mesh::Caller;
use prost::Message;
use sha2::{Digest, Sha256};
use tonic::Response;

use super::{Api, UPLOADS_PER_OWNER_MAX, reply};
use crate::domain::{Format, ImageSource, Input, Picture, content_hash_is_good};
use crate::rendition::{self, Rendered};

impl Api {
    pub(super) async fn upload(
        &self,
        caller: Caller,
        request: pb::UploadPictureRequest,
    ) -> Result<Response<pb::UploadPictureResponse>> {
        rendition::check(&request.data)?;
        let key = request_key(&caller, "product.UploadPicture", &request.request_id, &request)?;
        if let Some(answer) = self.catalogue.answer(&key).await? {
            return reply(Err(answer));
        }
        let content_hash = hex::encode(Sha256::digest(&request.data));
        let Picture { width, height, widths } = match self.catalogue.picture(&content_hash).await? {
            Some(known) => known,
            None => {
                let rendered = self.render(&caller, request.data).await?;
                self.catalogue.keep_picture(&content_hash, rendered).await?
            }
        };
        let answer = pb::UploadPictureResponse { content_hash, width, height, widths };
        let before = self.catalogue.remember(key, answer.encode_to_vec()).await?;
        reply(before.map_or(Ok(answer), Err))
    }

    /// Makes renditions. Whoever asked may leave; the work goes on, and nobody else begins before it is done.
    async fn render(&self, caller: &Caller, file: Vec<u8>) -> Result<Rendered> {
        let many = || {
            let message = "many pictures are being read already; try again shortly";
            Error::new(Code::ResourceExhausted, "OVERLOADED", message).retry_after_ms(1000)
        };
        let share = self.by_owner.take(caller.key_owner(), 1, UPLOADS_PER_OWNER_MAX).ok_or_else(many)?;
        let place = (self.uploads.clone().try_acquire_owned().map_err(|_| many())?, share);
        let turn = self.drawing.clone().lock_owned().await;
        let work = tokio::task::spawn_blocking(move || {
            let _held = (place, turn);
            rendition::render(&file)
        });
        work.await.map_err(Error::internal)?
    }

    pub(super) async fn picture(&self, request: pb::GetPictureRequest) -> Result<pb::GetPictureResponse> {
        let pb::GetPictureRequest { content_hash, width, .. } = &request;
        if !content_hash_is_good(content_hash) {
            let what = "must be 64 lower-case hexadecimal digits";
            return Err(Error::field("/content_hash", "INVALID_ARGUMENT", what));
        }
        if *width < 1 {
            return Err(Error::field("/width", "INVALID_ARGUMENT", "must be above 0"));
        }
        let format = match pb::PictureFormat::try_from(request.format) {
            Ok(pb::PictureFormat::Unspecified | pb::PictureFormat::Webp) => Format::Webp,
            Ok(pb::PictureFormat::Jpeg) => Format::Jpeg,
            Err(_) => {
                let what = format!("must be a known value, not {}", request.format);
                return Err(Error::field("/format", "INVALID_ARGUMENT", what));
            }
        };
        let found = self.catalogue.rendition(content_hash, *width, format).await?;
        let shown = found.ok_or_else(|| {
            Error::not_found("PICTURE_NOT_FOUND", "there is no such picture, or not in this width")
        })?;
        Ok(pb::GetPictureResponse {
            data: shown.data,
            content_type: format.content_type().to_owned(),
            width: *width,
            height: shown.height,
        })
    }

    /// Fills in what the house knows of the pictures that were uploaded.
    pub(super) async fn with_pictures(&self, mut input: Input) -> Result<Input> {
        let named = input.images.iter().filter_map(|image| match &image.source {
            ImageSource::ContentHash(hash) if content_hash_is_good(hash) => Some(hash.clone()),
            _ => None,
        });
        let hashes: Vec<String> = named.collect();
        if hashes.is_empty() {
            return Ok(input);
        }
        let known = self.catalogue.pictures(&hashes).await?;
        for (n, image) in input.images.iter_mut().enumerate() {
            let ImageSource::ContentHash(hash) = &image.source else { continue };
            match known.get(hash) {
                Some(picture) => {
                    (image.width, image.height) = (picture.width, picture.height);
                    image.widths.clone_from(&picture.widths);
                }
                None if content_hash_is_good(hash) => {
                    let error = Error::not_found("PICTURE_NOT_FOUND", "is not a picture that was uploaded");
                    return Err(error.at(&format!("/images/{n}/content_hash")));
                }
                // What is wrong with it is told with all else that is wrong.
                None => {}
            }
        }
        Ok(input)
    }
}
