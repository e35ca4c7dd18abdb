//! What happens to every request before a handler sees it, and to every answer after.
//!
//! In: a request id, the caller's address, who is asking (cookie or bearer
//! token), and the CSRF check. Out: errors get a body that the caller can use
//! (`http::problem`), security headers, a line in the log and the metrics. The
//! log names the route's pattern, never the path or the query: those may hold
//! what the standard puts there (DICOMweb).

use std::net::IpAddr;
use std::rc::Rc;
use std::time::Instant;

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{Payload, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{HttpMessage as _, web};
use futures_util::StreamExt as _;
use tracing::Instrument as _;

use super::dicomweb;
use super::problem::{self, Asking};
use crate::app::sessions;
use crate::authority::Person;
use crate::config::CookieSecure;
use crate::error::{Error, Result, codes};
use crate::state::State;

/// The cookie that holds a session's token.
pub const SESSION_COOKIE: &str = "dokuei_session";
/// The header that carries the CSRF token.
pub const CSRF_HEADER: &str = "x-csrf-token";
/// The form field that carries it where there is no script.
pub const CSRF_FIELD: &str = "csrf";

/// Nothing runs or shows but what we serve ourselves; no inline script, no inline style, no plug-in, no frame of others.
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; \
     font-src 'self'; connect-src 'self'; frame-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; \
     frame-ancestors 'self'";

/// What is known of a request before it has a handler.
#[derive(Debug, Clone)]
pub struct RequestFacts {
    /// Sixteen hexadecimal digits, in the log, in the answer's `X-Request-Id` and on error pages.
    pub id: String,
    /// The caller's address.
    pub address: String,
}

/// The middleware.
pub async fn door(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> std::result::Result<ServiceResponse<BoxBody>, actix_web::Error> {
    let Some(state) = request.app_data::<State>().cloned() else {
        return Err(Error::internal(anyhow::anyhow!("the application has no state")).into());
    };
    let begun = Instant::now();
    let id = state.chance.token()[..16].to_owned();
    let address = caller(&request, &state).map(|ip| ip.to_string()).unwrap_or_default();
    request.extensions_mut().insert(RequestFacts { id: id.clone(), address: address.clone() });
    let method = request.method().clone();
    let span = tracing::info_span!("request", id = %id);

    let origin = origin_of(&request);
    let path = request.path().to_owned();
    let origins = &state.config.http.dicomweb_origins;
    if let Some(status) = dicomweb::preflight(&method, &path, origin.as_deref(), origins) {
        let mut response = request.into_response(actix_web::HttpResponse::build(status).finish());
        dicomweb::allow(response.headers_mut(), &path, origin.as_deref(), origins);
        protect(&mut response, &id, &state);
        return Ok(response);
    }
    let admitted = admit(&mut request, &state, &address).instrument(span.clone()).await;
    let asking = Asking::of(&request);
    let response = match admitted {
        Ok(()) => next.call(request).instrument(span.clone()).await.map(ServiceResponse::map_into_boxed_body),
        Err(error) => Ok(request.error_response(error).map_into_boxed_body()),
    };
    let _entered = span.enter();
    let mut response = match response {
        Ok(response) => problem::dress(response, &asking, &state),
        Err(error) => return Err(problem::dress_error(error, &asking, &state)),
    };
    dicomweb::allow(response.headers_mut(), &path, origin.as_deref(), origins);
    protect(&mut response, &id, &state);
    note(&response, &method, begun);
    Ok(response)
}

async fn admit(request: &mut ServiceRequest, state: &State, address: &str) -> Result<()> {
    if !request.path().starts_with("/assets/")
        && let Some(person) = who(request, state, address).await?
    {
        request.extensions_mut().insert(Rc::new(person));
    }
    if matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let viewer = dicomweb::is_known(request.path(), origin_of(request).as_deref(), &state.config.http.dicomweb_origins)
        && crate::authority::bearer(request.request()).is_some();
    if !viewer {
        refuse_other_origins(request)?;
    }
    let person = request.extensions().get::<Rc<Person>>().cloned();
    match person {
        Some(person) if person.session().is_some() => {
            check_csrf(request, &person, state.config.http.body_limit_bytes).await
        }
        _ => Ok(()),
    }
}

fn origin_of(request: &ServiceRequest) -> Option<String> {
    request.headers().get(header::ORIGIN).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

async fn who(request: &ServiceRequest, state: &State, address: &str) -> Result<Option<Person>> {
    if let Some(token) = crate::authority::bearer(request.request()) {
        return sessions::person_of_token(state, token, address).await;
    }
    match request.cookie(SESSION_COOKIE) {
        Some(cookie) => sessions::person_of_session(state, cookie.value(), address).await,
        None => Ok(None),
    }
}

/// A browser says where a change comes from; one that says "from elsewhere" is refused, signing in included.
fn refuse_other_origins(request: &ServiceRequest) -> Result<()> {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let refused = || Err(Error::new(&codes::common::CSRF_REFUSED));
    if header("sec-fetch-site").is_some_and(|site| site != "same-origin" && site != "none") {
        return refused();
    }
    if let (Some(origin), Some(host)) = (header("origin"), header("host"))
        && origin.split_once("://").map(|(_, authority)| authority) != Some(host)
    {
        return refused();
    }
    Ok(())
}

async fn check_csrf(request: &mut ServiceRequest, person: &Person, limit: usize) -> Result<()> {
    let given = request.headers().get(CSRF_HEADER).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let given = match given {
        Some(given) => Some(given),
        None if is_plain_form(request) => field_of_form(request, limit).await?,
        None => None,
    };
    match given {
        Some(given) if crate::authority::same(&given, person.csrf()) => Ok(()),
        _ => Err(Error::new(&codes::common::CSRF_REFUSED)),
    }
}

fn is_plain_form(request: &ServiceRequest) -> bool {
    request.content_type().eq_ignore_ascii_case("application/x-www-form-urlencoded")
}

/// Reads a form's body for the token and puts it back for the handler.
async fn field_of_form(request: &mut ServiceRequest, limit: usize) -> Result<Option<String>> {
    let mut payload = request.take_payload();
    let mut body = web::BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Error::new(&codes::common::BAD_REQUEST).with("reason", "body"))?;
        if body.len() + chunk.len() > limit {
            return Err(Error::new(&codes::common::BODY_TOO_LARGE).with("limit", format!("{limit} B")));
        }
        body.extend_from_slice(&chunk);
    }
    let prefix = format!("{CSRF_FIELD}=");
    // The token is hexadecimal, so the field needs no decoding.
    let token = std::str::from_utf8(&body)
        .ok()
        .and_then(|text| text.split('&').find_map(|pair| pair.strip_prefix(prefix.as_str()).map(str::to_owned)));
    request.set_payload(Payload::from(body.freeze()));
    Ok(token)
}

/// The peer, or what a trusted proxy says: the last address of `X-Forwarded-For` that is not a proxy of ours.
fn caller(request: &ServiceRequest, state: &State) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip();
    let trusted = &state.config.http.trusted_proxies;
    if !trusted.contains(&peer) {
        return Some(peer);
    }
    let chain = request.headers().get("x-forwarded-for").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let claimed =
        chain.rsplit(',').filter_map(|part| part.trim().parse::<IpAddr>().ok()).find(|ip| !trusted.contains(ip));
    Some(claimed.unwrap_or(peer))
}

/// Whether cookies carry the Secure flag.
pub fn cookies_are_secure(state: &State) -> bool {
    match state.config.security.cookie_secure {
        CookieSecure::Always => true,
        CookieSecure::Never => false,
        CookieSecure::Auto => state.config.http.is_https(),
    }
}

fn protect(response: &mut ServiceResponse<BoxBody>, id: &str, state: &State) {
    let secure = cookies_are_secure(state);
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: &'static str| {
        let name = HeaderName::from_static(name);
        if !headers.contains_key(&name) {
            headers.insert(name, HeaderValue::from_static(value));
        }
    };
    set("content-security-policy", CONTENT_SECURITY_POLICY);
    set("x-content-type-options", "nosniff");
    set("x-frame-options", "SAMEORIGIN");
    set("referrer-policy", "same-origin");
    set("cross-origin-opener-policy", "same-origin");
    set("cross-origin-resource-policy", "same-origin");
    set("permissions-policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()");
    // Patient data must not stay in a cache; assets say otherwise themselves.
    set("cache-control", "no-store");
    set("vary", "accept, accept-language, cookie, hx-request");
    if secure {
        set("strict-transport-security", "max-age=31536000; includeSubDomains");
    }
    if let Ok(id) = HeaderValue::from_str(id) {
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    headers.remove(header::SERVER);
}

fn note(response: &ServiceResponse<BoxBody>, method: &Method, begun: Instant) {
    let took = begun.elapsed();
    let route = response.request().match_pattern().unwrap_or_else(|| "none".to_owned());
    let status = response.status().as_u16();
    metrics::histogram!("dokuei_http_seconds", "route" => route.clone(), "method" => method.as_str().to_owned())
        .record(took.as_secs_f64());
    metrics::counter!("dokuei_http_answers_total", "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    if route.starts_with("/assets") || route == "/healthz" || route == "/readyz" || route == "/metrics" {
        tracing::debug!(%method, %route, status, took_ms = took.as_millis(), "answered");
    } else {
        tracing::info!(%method, %route, status, took_ms = took.as_millis(), "answered");
    }
}
