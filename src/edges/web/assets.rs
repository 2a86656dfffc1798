//! The style sheet, the script and the icon: part of the binary, named after their content, cached for ever.

use super::secret;
use super::trouble::Trouble;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use std::sync::LazyLock;

/// One file as it is served.
#[derive(Debug)]
pub struct Asset {
    /// `/assets/console-1f0c….css`.
    pub address: String,
    media_type: &'static str,
    body: &'static str,
}

pub static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console", "css", "text/css; charset=utf-8", include_str!("assets/console.css")));
pub static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("console", "js", "text/javascript; charset=utf-8", include_str!("assets/console.js")));
pub static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon", "svg", "image/svg+xml", include_str!("assets/icon.svg")));

impl Asset {
    fn new(stem: &str, extension: &str, media_type: &'static str, body: &'static str) -> Self {
        let digest: String = secret::digest(&[body]).hex().chars().take(16).collect();
        Self { address: format!("/assets/{stem}-{digest}.{extension}"), media_type, body }
    }
}

pub async fn serve(Path(file): Path<String>) -> Response {
    let asked = format!("/assets/{file}");
    [&*STYLE, &*SCRIPT, &*ICON].into_iter().find(|asset| asset.address == asked).map_or_else(
        || Trouble::NoSuchPage.into_response(),
        |asset| {
            let cached = "public, max-age=31536000, immutable";
            let headers = [(header::CONTENT_TYPE, asset.media_type), (header::CACHE_CONTROL, cached)];
            (headers, asset.body).into_response()
        },
    )
}
