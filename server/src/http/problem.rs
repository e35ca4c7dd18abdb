//! Errors as a person or a program can use them: a page, a fragment for htmx, or an RFC 9457 document.

use std::rc::Rc;

use actix_web::body::BoxBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::{HttpMessage as _, HttpResponse};
use askama::Template;
use dokuei_terms::Language;
use serde_json::json;

use super::door::RequestFacts;
use super::page::{self, Page};
use crate::authority::{Anyone, Person};
use crate::error::{Code, Error, codes};
use crate::state::State;
use crate::words;

/// How an error is to be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Page,
    Fragment,
    Json,
}

/// What the caller of a request accepts; kept aside before the handler takes the request.
pub struct Asking {
    form: Form,
    language: Language,
    person: Option<Rc<Person>>,
    path: String,
    theme: String,
    id: String,
}

impl Asking {
    /// Reads it off the request.
    pub fn of(request: &ServiceRequest) -> Self {
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let path = request.path();
        let machine = path.starts_with("/api/") || path.starts_with("/dicomweb/") || header("authorization").len() > 6;
        let accept = header("accept");
        let form = if header("hx-request") == "true" {
            Form::Fragment
        } else if !machine && accept.contains("text/html") {
            Form::Page
        } else {
            Form::Json
        };
        let person = request.extensions().get::<Rc<Person>>().cloned();
        Self {
            form,
            language: page::language_of(request.request(), person.as_deref()),
            theme: page::theme_of(request.request(), person.as_deref()),
            person,
            path: path.to_owned(),
            id: request.extensions().get::<RequestFacts>().map(|facts| facts.id.clone()).unwrap_or_default(),
        }
    }
}

#[derive(Template)]
#[template(path = "error/page.html")]
struct ErrorPage<'a> {
    page: &'a Page,
    status: u16,
    sentence: &'a str,
    id: &'a str,
    signed_in: bool,
}

#[derive(Template)]
#[template(path = "error/toast.html")]
struct ErrorToast<'a> {
    page: &'a Page,
    sentence: &'a str,
    id: &'a str,
    fields: &'a [(String, String)],
}

/// Gives the answer of a failed handler its body. Other answers pass.
pub fn dress(response: ServiceResponse<BoxBody>, asking: &Asking, state: &State) -> ServiceResponse<BoxBody> {
    if response.response().error().is_none() {
        return response;
    }
    let (request, response) = response.into_parts();
    let dressed = match response.error() {
        Some(error) => render(error, asking, state),
        None => return ServiceResponse::new(request, response),
    };
    ServiceResponse::new(request, dressed)
}

/// The same for an error that no resource has turned into an answer.
pub fn dress_error(error: actix_web::Error, asking: &Asking, state: &State) -> actix_web::Error {
    let response = render(&error, asking, state);
    actix_web::error::InternalError::from_response(error, response).into()
}

/// An error of another library in our table.
fn of_foreign(error: &actix_web::Error) -> Error {
    let code: &'static Code = match error.as_response_error().status_code() {
        StatusCode::NOT_FOUND => &codes::common::NOT_FOUND,
        StatusCode::METHOD_NOT_ALLOWED => &codes::common::METHOD_NOT_ALLOWED,
        StatusCode::PAYLOAD_TOO_LARGE => return Error::new(&codes::common::BODY_TOO_LARGE).with("limit", "—"),
        StatusCode::UNSUPPORTED_MEDIA_TYPE => &codes::common::MEDIA_TYPE_UNSUPPORTED,
        status if status.is_client_error() => {
            return Error::new(&codes::common::BAD_REQUEST).with("reason", status.as_u16());
        }
        _ => return Error::internal(anyhow::anyhow!("{error}")),
    };
    Error::new(code)
}

fn render(cause: &actix_web::Error, asking: &Asking, state: &State) -> HttpResponse {
    let foreign;
    let error = match cause.as_error::<Error>() {
        Some(error) => error,
        None => {
            foreign = of_foreign(cause);
            &foreign
        }
    };
    if error.code().status >= 500 {
        tracing::error!(code = error.code().name, cause = error.source().map(tracing::field::debug), "failed");
    } else {
        tracing::debug!(code = error.code().name, cause = error.source().map(tracing::field::debug), "refused");
    }
    metrics::counter!("dokuei_errors_total", "code" => error.code().name).increment(1);
    let status = StatusCode::from_u16(error.code().status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut answer = match asking.form {
        Form::Json => as_json(error, status, asking),
        Form::Fragment => as_fragment(error, status, asking, state),
        Form::Page => as_page(error, status, asking, state),
    };
    if let Some(seconds) = error.retry_after_seconds() {
        answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    answer
}

fn as_json(error: &Error, status: StatusCode, asking: &Asking) -> HttpResponse {
    let fields: Vec<_> = error
        .fields()
        .iter()
        .map(|(field, code)| json!({ "field": field, "code": code.name, "detail": code.sentence(asking.language) }))
        .collect();
    let mut problem = json!({
        "type": format!("urn:dokuei:error:{}", error.code().name),
        "title": error.code().name,
        "status": status.as_u16(),
        "code": error.code().name,
        "detail": error.sentence(asking.language),
        "request_id": asking.id,
    });
    if !fields.is_empty() {
        problem["fields"] = json!(fields);
    }
    let mut answer = HttpResponse::build(status);
    answer.content_type("application/problem+json");
    answer.insert_header((header::CONTENT_LANGUAGE, words::code(asking.language)));
    if status == StatusCode::UNAUTHORIZED {
        answer.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
    }
    answer.body(problem.to_string())
}

fn page_for(asking: &Asking, state: &State) -> Page {
    Page::new(asking.language, asking.theme.clone(), asking.person.clone(), asking.path.clone(), state.now())
}

fn as_fragment(error: &Error, status: StatusCode, asking: &Asking, state: &State) -> HttpResponse {
    if error.code() == &codes::common::SIGN_IN_FIRST {
        return HttpResponse::build(status).insert_header(("HX-Redirect", "/login")).finish();
    }
    let fields: Vec<(String, String)> =
        error.fields().iter().map(|(field, code)| (field.clone(), code.sentence(asking.language).to_owned())).collect();
    let page = page_for(asking, state);
    let toast = ErrorToast { page: &page, sentence: &error.sentence(asking.language), id: &asking.id, fields: &fields };
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .insert_header((HeaderName::from_static("hx-retarget"), "#toasts"))
        .insert_header((HeaderName::from_static("hx-reswap"), "beforeend"))
        .body(toast.render().unwrap_or_else(|_| error.sentence(asking.language)))
}

fn as_page(error: &Error, status: StatusCode, asking: &Asking, state: &State) -> HttpResponse {
    if error.code() == &codes::common::SIGN_IN_FIRST {
        // Only a place of ours, and never a query: it may hold what was looked for.
        let to = if asking.path == "/" { "/login".to_owned() } else { format!("/login?to={}", asking.path) };
        return HttpResponse::SeeOther().insert_header((header::LOCATION, to)).finish();
    }
    let sentence = error.sentence(asking.language);
    let page = page_for(asking, state).titled(&words::word(asking.language, "error-title"));
    let shown = ErrorPage {
        page: &page,
        status: status.as_u16(),
        sentence: &sentence,
        id: &asking.id,
        signed_in: asking.person.is_some(),
    };
    HttpResponse::build(status).content_type("text/html; charset=utf-8").body(shown.render().unwrap_or(sentence))
}

/// Answers what no route knows.
pub async fn no_such_page(_: Anyone) -> super::Answer {
    Err(Error::not_found())
}

/// Answers a known path with another method.
pub async fn wrong_method(_: Anyone) -> super::Answer {
    Err(Error::new(&codes::common::METHOD_NOT_ALLOWED))
}
