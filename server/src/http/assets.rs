//! Scripts, styles and icons: compiled in, served under an address with their content's hash, cached for a year.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::{HttpRequest, HttpResponse, web};
use rust_embed::RustEmbed;

use super::{Answer, Routes};
use crate::authority::Anyone;
use crate::error::Error;

#[derive(RustEmbed)]
#[folder = "../templates/assets"]
struct Files;

/// Name => the address it has.
static ADDRESSES: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    Files::iter()
        .filter_map(|name| {
            let file = Files::get(&name)?;
            let hash = hex::encode(&file.metadata.sha256_hash()[..6]);
            Some((name.to_string(), format!("/assets/{hash}/{name}")))
        })
        .collect()
});

/// The address of an asset. A name that does not exist gives one that answers 404 (and fails the test).
pub fn address(name: &str) -> String {
    ADDRESSES.get(name).cloned().unwrap_or_else(|| format!("/assets/none/{name}"))
}

/// Registers `/assets/HASH/NAME`.
pub fn routes(routes: &mut Routes) {
    routes.get("/assets/{hash}/{name:.*}", serve);
    routes.get("/favicon.ico", favicon);
}

async fn serve(_: Anyone, request: HttpRequest, path: web::Path<(String, String)>) -> Answer {
    let (_, name) = path.into_inner();
    let file = Files::get(&name).ok_or_else(Error::not_found)?;
    let etag = format!("\"{}\"", hex::encode(&file.metadata.sha256_hash()[..16]));
    let known = request.headers().get(header::IF_NONE_MATCH).is_some_and(|value| value.as_bytes() == etag.as_bytes());
    let mut answer = if known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    // An old address still gives the newest content, but only the true one may be kept.
    let cache = if request.path() == address(&name) { "public, max-age=31536000, immutable" } else { "no-cache" };
    answer.insert_header((header::CACHE_CONTROL, cache)).insert_header((header::ETAG, etag));
    answer.insert_header((header::CONTENT_TYPE, content_type(&name)));
    Ok(if known { answer.finish() } else { answer.body(file.data.into_owned()) })
}

async fn favicon(_: Anyone) -> Answer {
    Ok(HttpResponse::MovedPermanently().insert_header((header::LOCATION, address("favicon.svg"))).finish())
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        Some("json") => "application/json",
        _ => "text/plain; charset=utf-8",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_changes_with_the_content() {
        let app = address("app.css");
        assert!(app.starts_with("/assets/") && app.ends_with("/app.css") && !app.contains("none"), "{app}");
        assert_ne!(app.split('/').nth(2), address("app.js").split('/').nth(2));
    }

    #[test]
    fn every_asset_that_a_template_names_exists() {
        fn walk(folder: &std::path::Path) {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path);
                } else if path.extension().is_some_and(|extension| extension == "html") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    for rest in text.split("page.asset(\"").skip(1) {
                        let name = rest.split('"').next().unwrap();
                        assert!(ADDRESSES.contains_key(name), "{name} in {}", path.display());
                    }
                }
            }
        }
        walk(&std::path::PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../templates"));
    }
}
