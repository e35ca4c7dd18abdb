//! The request form: shown, filled from a study, sent, withdrawn; its scanned sheets.

use std::collections::BTreeMap;

use actix_multipart::Multipart;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpRequest, HttpResponse, web};
use askama::Template;
use bytes::BytesMut;
use dokuei_models::state::{RequestKind, Source};
use dokuei_models::store::sites::SiteRow;
use dokuei_models::{RequestId, SiteId, StudyId, UserId};
use dokuei_terms::{Language, Priority};
use futures_util::StreamExt as _;
use serde::Deserialize;

use super::super::page::see_other;
use super::super::{Answer, Page, Routes};
use super::case::DossierView;
use super::{pick, whole};
use crate::app::portal::{self, Show};
use crate::app::requests::{self, FormFile, LARGEST_FORM, MOST_FORMS, RequestForm};
use crate::authority::Allowed;
use crate::authority::rights::{SeeReports, Submit};
use crate::error::codes::{common, portal as codes};
use crate::error::{Error, Result};
use crate::state::State;

/// Registers the form and the request's own page.
pub fn routes(routes: &mut Routes) {
    routes.get("/portal/form", fragment);
    routes.post("/portal/requests", create);
    routes.get("/portal/requests/{request}", show);
    routes.post("/portal/requests/{request}/cancel", cancel);
    routes.get("/portal/forms/{file}", file);
}

/// The form with what was typed and what is wrong with it.
#[derive(Template)]
#[template(path = "portal/form.html")]
pub struct FormView<'a> {
    page: &'a Page,
    site: SiteId,
    doctors: Vec<(UserId, String)>,
    form: RequestForm,
    faults: Vec<(String, String)>,
    kinds: Vec<(&'static str, String)>,
    sources: Vec<(&'static str, String)>,
    priorities: Vec<(&'static str, &'static str)>,
    sexes: Vec<(&'static str, String)>,
}

impl<'a> FormView<'a> {
    /// A form for a site.
    pub fn new(
        page: &'a Page,
        site: &SiteRow,
        doctors: Vec<(UserId, String, String)>,
        form: RequestForm,
        faults: Vec<(String, String)>,
    ) -> Self {
        let name = |ja: String, en: String| if page.language == Language::En && !en.is_empty() { en } else { ja };
        Self {
            site: site.id,
            doctors: doctors.into_iter().map(|(id, ja, en)| (id, name(ja, en))).collect(),
            form,
            faults,
            kinds: RequestKind::ALL
                .iter()
                .map(|kind| (kind.code(), page.t(&format!("request-kind-{}", dashed(kind.code())))))
                .collect(),
            sources: Source::ALL
                .iter()
                .map(|source| (source.code(), page.t(&format!("request-source-{}", source.code()))))
                .collect(),
            priorities: Priority::ALL
                .iter()
                .rev()
                .map(|priority| (priority.code(), priority.label(page.language)))
                .collect(),
            sexes: ["M", "F", "O"]
                .into_iter()
                .map(|sex| (sex, page.t(&format!("request-sex-{}", sex.to_lowercase()))))
                .collect(),
            page,
        }
    }

    /// What is wrong with a field, if anything.
    fn fault(&self, field: &str) -> &str {
        self.faults.iter().find(|(name, _)| name == field).map_or("", |(_, sentence)| sentence.as_str())
    }

    /// The class of a field.
    fn mark(&self, field: &str) -> &'static str {
        if self.fault(field).is_empty() { "" } else { " wrong" }
    }

    fn is_doctor(&self, id: &UserId) -> bool {
        self.form.ordering_user == id.to_string()
    }
}

fn dashed(code: &str) -> String {
    code.replace('_', "-")
}

#[derive(Deserialize)]
struct Wanted {
    study: Option<StudyId>,
    site: Option<SiteId>,
}

async fn fragment(who: Allowed<Submit>, state: State, page: Page, wanted: web::Query<Wanted>) -> Answer {
    let sites = portal::sites_of(&state, &who).await?;
    let (site, form) = match wanted.study {
        Some(study) => {
            let (site, form) = requests::prefilled(&state, &who, study).await?;
            (pick(&sites, Some(site))?, form)
        }
        None => (pick(&sites, wanted.site)?, requests::empty_form(&who)),
    };
    let doctors = requests::doctors(&state, site.id).await?;
    page.show(&FormView::new(&page, &site, doctors, form, Vec::new()))
}

/// Takes the form. A script gets JSON when it went well and the form again when not; without a script the page.
async fn create(who: Allowed<Submit>, state: State, page: Page, request: HttpRequest, body: web::Payload) -> Answer {
    let (fields, files) = read(&request, body, state.config.http.body_limit_bytes).await?;
    let site: SiteId = fields.get("site").and_then(|site| site.parse().ok()).ok_or_else(Error::not_found)?;
    let form: RequestForm = serde_json::from_value(serde_json::json!(fields)).map_err(Error::internal)?;
    let quiet = request.headers().contains_key("x-quiet");
    match requests::create(&state, &who, site, &form, files).await {
        Ok(created) => {
            let to = match created.cases.first() {
                Some(case) => format!("/portal/cases/{case}"),
                None => format!("/portal/requests/{}", created.request),
            };
            if !quiet {
                return Ok(see_other(false, &to));
            }
            let key = match (created.for_a_person, created.cases.is_empty()) {
                (true, _) => "portal-sent-doubtful",
                (false, true) => "portal-sent-waiting",
                (false, false) => "portal-sent-matched",
            };
            Ok(HttpResponse::Created()
                .json(serde_json::json!({ "to": to, "sentence": page.t(key), "good": !created.for_a_person })))
        }
        Err(error) if error.code() == &common::FORM_INVALID => {
            let faults =
                error.fields().iter().map(|(f, code)| (f.clone(), code.sentence(page.language).to_owned())).collect();
            let sites = portal::sites_of(&state, &who).await?;
            let site = pick(&sites, Some(site))?;
            let doctors = requests::doctors(&state, site.id).await?;
            let view = FormView::new(&page, &site, doctors, form, faults);
            if quiet {
                return page.show_as(StatusCode::UNPROCESSABLE_ENTITY, &view);
            }
            whole(&state, &page, sites, site.clone(), StatusCode::UNPROCESSABLE_ENTITY, &view, Show::Open, true).await
        }
        Err(error) => Err(error),
    }
}

type Fields = BTreeMap<String, String>;

/// The fields and files of a form, multipart or not. A file that is too large comes cut off one byte behind the limit.
async fn read(request: &HttpRequest, mut body: web::Payload, limit: usize) -> Result<(Fields, Vec<FormFile>)> {
    let unreadable = |reason: &str| Error::new(&common::BAD_REQUEST).with("reason", reason);
    let content_type =
        request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !content_type.starts_with("multipart/form-data") {
        let mut text = BytesMut::new();
        while let Some(chunk) = body.next().await {
            text.extend_from_slice(&chunk.map_err(|_| unreadable("body"))?);
            if text.len() > limit {
                return Err(Error::new(&common::BODY_TOO_LARGE).with("limit", format!("{limit} B")));
            }
        }
        let text = std::str::from_utf8(&text).map_err(|_| unreadable("UTF-8"))?;
        let fields = web::Query::<Fields>::from_query(text).map_err(|_| unreadable("form"))?;
        return Ok((fields.into_inner(), Vec::new()));
    }
    let mut parts = Multipart::new(request.headers(), body);
    let (mut fields, mut files) = (Fields::new(), Vec::new());
    let most = LARGEST_FORM * (MOST_FORMS + 1) + limit;
    let mut all = 0usize;
    while let Some(part) = parts.next().await {
        let mut part = part.map_err(|_| unreadable("multipart"))?;
        let name = part.name().unwrap_or_default().to_owned();
        let file = part.content_disposition().and_then(|said| said.get_filename()).map(str::to_owned);
        let room = if file.is_some() { LARGEST_FORM + 1 } else { limit };
        let mut bytes = BytesMut::new();
        while let Some(chunk) = part.next().await {
            let chunk = chunk.map_err(|_| Error::new(&codes::UPLOAD_CUT_OFF))?;
            all += chunk.len();
            if all > most {
                return Err(Error::new(&common::BODY_TOO_LARGE).with("limit", format!("{} MB", most >> 20)));
            }
            bytes.extend_from_slice(&chunk[..chunk.len().min(room - bytes.len())]);
        }
        match file {
            // A field for files that was left empty comes as one without name and bytes.
            Some(file) if file.is_empty() && bytes.is_empty() => {}
            Some(file) => files.push(FormFile { name: file.chars().take(200).collect(), bytes: bytes.freeze() }),
            None => {
                let text = String::from_utf8(bytes.to_vec()).map_err(|_| unreadable("UTF-8"))?;
                fields.insert(name, text);
            }
        }
    }
    Ok((fields, files))
}

async fn show(who: Allowed<SeeReports>, state: State, page: Page, path: web::Path<RequestId>) -> Answer {
    let dossier = portal::dossier_of_request(&state, &who, path.into_inner()).await?;
    let page = page.clone().titled(&page.t("portal-request-title"));
    page.show(&DossierView::new(&page, dossier, &who, Vec::new(), String::new()))
}

#[derive(Deserialize)]
struct Reason {
    reason: String,
}

async fn cancel(
    who: Allowed<Submit>,
    state: State,
    page: Page,
    path: web::Path<RequestId>,
    form: web::Form<Reason>,
) -> Answer {
    let request = path.into_inner();
    match requests::cancel(&state, &who, request, &form.reason).await {
        Ok(()) => Ok(see_other(false, &format!("/portal/requests/{request}"))),
        Err(error) if error.code() == &common::FORM_INVALID => {
            let dossier = portal::dossier_of_request(&state, &who, request).await?;
            let page = page.clone().titled(&page.t("portal-request-title"));
            let faults = super::case::faults_of(&page, &error);
            page.show_as(
                StatusCode::UNPROCESSABLE_ENTITY,
                &DossierView::new(&page, dossier, &who, faults, form.reason.clone()),
            )
        }
        Err(error) => Err(error),
    }
}

async fn file(who: Allowed<SeeReports>, state: State, path: web::Path<i64>) -> Answer {
    let (row, bytes) = portal::form_file(&state, &who, path.into_inner()).await?;
    let extension = match row.content_type.as_str() {
        "application/pdf" => "pdf",
        "image/jpeg" => "jpg",
        _ => "png",
    };
    Ok(HttpResponse::Ok()
        .content_type(row.content_type.as_str())
        .insert_header((
            header::CONTENT_DISPOSITION,
            format!("inline; filename=\"request-form-{}.{extension}\"", row.id),
        ))
        .insert_header((header::CONTENT_SECURITY_POLICY, super::case::DOCUMENT_POLICY))
        .body(bytes))
}
