//! Viewers from elsewhere (OHIF on a host of its own): off unless `http.dicomweb_origins` names them.
//!
//! Only addresses of DICOMweb answer them, and only callers with a token: no cookie is ever allowed across origins.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{Method, StatusCode};

/// The origin, if it is one that may call this path.
fn known<'a>(path: &str, origin: Option<&'a str>, allowed: &[String]) -> Option<&'a str> {
    origin.filter(|origin| path.starts_with("/dicomweb/") && allowed.iter().any(|one| one == origin))
}

/// Whether this origin may call this path.
pub fn is_known(path: &str, origin: Option<&str>, allowed: &[String]) -> bool {
    known(path, origin, allowed).is_some()
}

/// The answer to a browser's question before a request, if it is one from an origin that may ask.
pub fn preflight(method: &Method, path: &str, origin: Option<&str>, allowed: &[String]) -> Option<StatusCode> {
    (method == Method::OPTIONS && known(path, origin, allowed).is_some()).then_some(StatusCode::NO_CONTENT)
}

/// Adds what lets a browser show the answer to that origin. Returns whether it was added.
pub fn allow(headers: &mut HeaderMap, path: &str, origin: Option<&str>, allowed: &[String]) -> bool {
    let Some(value) = known(path, origin, allowed).and_then(|origin| HeaderValue::from_str(origin).ok()) else {
        return false;
    };
    let mut set = |name: &'static str, value: HeaderValue| {
        headers.insert(HeaderName::from_static(name), value);
    };
    set("access-control-allow-origin", value);
    set("access-control-allow-methods", HeaderValue::from_static("GET, HEAD, POST, OPTIONS"));
    set(
        "access-control-allow-headers",
        HeaderValue::from_static("accept, authorization, content-type, range, if-range"),
    );
    set(
        "access-control-expose-headers",
        HeaderValue::from_static("content-length, content-range, content-type, etag, warning, x-request-id"),
    );
    set("access-control-max-age", HeaderValue::from_static("600"));
    set("cross-origin-resource-policy", HeaderValue::from_static("cross-origin"));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_named_origin_and_only_dicomweb() {
        let allowed = vec!["https://viewer.example".to_owned()];
        let asked = |path, origin| preflight(&Method::OPTIONS, path, origin, &allowed);
        assert_eq!(asked("/dicomweb/sites/a/studies", Some("https://viewer.example")), Some(StatusCode::NO_CONTENT));
        assert_eq!(asked("/dicomweb/sites/a/studies", Some("https://other.example")), None);
        assert_eq!(asked("/dicomweb/sites/a/studies", None), None);
        assert_eq!(asked("/worklist", Some("https://viewer.example")), None);
        let mut headers = HeaderMap::new();
        assert!(!allow(&mut headers, "/dicomweb/x", Some("https://viewer.example"), &[]));
        assert!(headers.is_empty(), "off by default");
        assert!(allow(&mut headers, "/dicomweb/x", Some("https://viewer.example"), &allowed));
        assert!(headers.get("access-control-allow-credentials").is_none(), "a cookie never crosses");
    }
}
