//! `/dispatch/conflicts/{study}`: images that came again and contradict what is shown.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use askama::Template;
use dokuei_models::StudyId;
use dokuei_models::store::images::Decision;
use serde::Deserialize;

use crate::app::conflicts::{self, Order, Pair, SHOWN, Sheet};
use crate::app::form::need_reason;
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::error::{Error, codes};
use crate::http::case_words::study_title;
use crate::http::{Answer, Page, Routes, page};
use crate::state::State;

pub(super) fn routes(routes: &mut Routes) {
    routes.get("/dispatch/conflicts/{study}", show);
    routes.post("/dispatch/conflicts/{study}/decide", decide);
    routes.post("/dispatch/conflicts/{study}/undo", undo);
    routes.get("/dispatch/versions/{version}/png", picture);
}

#[derive(Template)]
#[template(path = "dispatch/conflict.html")]
struct ConflictPage<'a> {
    page: &'a Page,
    sheet: &'a Sheet,
    title: String,
    patient: String,
    versions: String,
    identity: Vec<String>,
    pixels: usize,
    headers: usize,
    shown: Vec<&'a Pair>,
    more: usize,
}

impl ConflictPage<'_> {
    fn decided_word(&self, row: &dokuei_models::store::images::VersionRow) -> String {
        self.page.code("conflict-decided", row.standing.code())
    }

    fn number(&self, pair: &&Pair) -> String {
        let number = pair.new.facts().ok().and_then(|facts| facts.instance_number);
        number.map_or_else(|| "–".to_owned(), |number| number.to_string())
    }

    fn decided_at(&self, row: &dokuei_models::store::images::VersionRow) -> String {
        row.decided_at.map(|at| self.page.time(at)).unwrap_or_default()
    }
}

async fn show(who: Allowed<Dispatch>, state: State, page: Page, path: web::Path<StudyId>) -> Answer {
    let sheet = conflicts::sheet(&state, who.person(), who.reach(), path.into_inner()).await?;
    let page = page.clone().titled(&page.t("conflict-title"));
    let mut identity: Vec<String> = Vec::new();
    for code in sheet.pairs.iter().flat_map(|pair| pair.new.identity_change_codes()) {
        let word = page.code("conflict-identity", &code);
        if !identity.contains(&word) {
            identity.push(word);
        }
    }
    let ids: Vec<String> = sheet.pairs.iter().map(|pair| pair.new.id.to_string()).collect();
    let pixels = sheet.pairs.iter().filter(|pair| pair.new.difference.code() == "pixels").count();
    let shown: Vec<&Pair> = sheet.pairs.iter().take(SHOWN).collect();
    let patient = sheet.study.identity();
    page.show(&ConflictPage {
        page: &page,
        title: study_title(&page, &sheet.study),
        patient: format!("{} {}", patient.name.shown(), patient.patient_id),
        versions: ids.join(","),
        identity,
        pixels,
        headers: sheet.pairs.len() - pixels,
        more: sheet.pairs.len() - shown.len(),
        shown,
        sheet: &sheet,
    })
}

#[derive(Deserialize)]
struct Decide {
    #[serde(default)]
    versions: String,
    #[serde(default)]
    decision: String,
    #[serde(default)]
    reason: String,
}

fn numbers(text: &str) -> Result<Vec<i64>, Error> {
    let ids: Result<Vec<i64>, _> = text.split(',').filter(|id| !id.is_empty()).map(str::parse).collect();
    ids.map_err(|_| Error::new(&codes::common::BAD_REQUEST).with("reason", "versions"))
}

async fn decide(who: Allowed<Dispatch>, state: State, path: web::Path<StudyId>, form: web::Form<Decide>) -> Answer {
    let decision = match form.decision.as_str() {
        "keep" => Decision::Keep,
        "take" => Decision::Take,
        _ => return Err(Error::new(&codes::common::BAD_REQUEST).with("reason", "decision")),
    };
    let order = Order { versions: numbers(&form.versions)?, decision, reason: need_reason("reason", &form.reason)? };
    conflicts::decide(&state, who.person(), who.reach(), *path, order).await?;
    Ok(page::see_other(false, &format!("/dispatch/conflicts/{}", *path)))
}

async fn undo(who: Allowed<Dispatch>, state: State, path: web::Path<StudyId>, form: web::Form<Decide>) -> Answer {
    conflicts::undo(&state, who.person(), who.reach(), *path, numbers(&form.versions)?).await?;
    Ok(page::see_other(false, &format!("/dispatch/conflicts/{}", *path)))
}

async fn picture(who: Allowed<Dispatch>, state: State, path: web::Path<i64>) -> Answer {
    let png = conflicts::picture(&state, who.reach(), *path).await?;
    Ok(HttpResponse::Ok().content_type("image/png").insert_header((header::CONTENT_ENCODING, "identity")).body(png))
}
