//! Signing: the sheet, the signature, addenda, the signed PDF, the authority's certificate.

use actix_web::{HttpResponse, web};
use askama::Template;
use dokuei_models::state::VersionState;
use dokuei_models::{ReadId, ReportVersionId};
use dokuei_prescreen::labels::{LabelConflict, LabelSource};
use dokuei_terms::{Language, Region};
use serde_json::json;

use super::page::see_other;
use super::worklist::person_in_words;
use super::{Answer, Page, Routes};
use crate::app::comparing;
use crate::app::due::day_in_japan;
use crate::app::keys;
use crate::app::signing::labels::Choice;
use crate::app::signing::{self, Order, Sheet};
use crate::authority::rights::{Read, SeeReads};
use crate::authority::{Allowed, Anyone};
use crate::error::{Error, codes};
use crate::state::State;

/// Registers signing.
pub fn routes(routes: &mut Routes) {
    routes.get("/reads/{read}/sign", sheet);
    routes.post("/reads/{read}/sign", sign);
    routes.post("/reads/{read}/addendum", addendum);
    routes.get("/reads/{read}/versions/{version}/pdf", pdf);
    routes.get("/ca/root.pem", authority);
}

/// A disagreement with its two sides in words.
struct Conflict {
    title: String,
    trusted: String,
    other: String,
}

#[derive(Template)]
#[template(path = "reading/sign.html")]
struct Shown<'a> {
    page: &'a Page,
    id: i64,
    revision: i32,
    patient: String,
    patient_id: &'a str,
    who: String,
    birth: Option<String>,
    studies: Vec<String>,
    parts: String,
    total: usize,
    unseen: usize,
    unseen_series: &'a [(String, usize)],
    impression: &'a str,
    empty: bool,
    conflicts: Vec<Conflict>,
    reopened: bool,
    reason: &'a str,
    needs_password: bool,
    coming: Option<String>,
}

async fn sheet(who: Allowed<Read>, state: State, page: Page, path: web::Path<i64>) -> Answer {
    let sheet = signing::sheet(&state, &who, ReadId(*path)).await?;
    page.show(&shown(&page, *path, &sheet))
}

fn shown<'a>(page: &'a Page, id: i64, sheet: &'a Sheet) -> Shown<'a> {
    let parts: Vec<String> = sheet.parts.iter().map(|part| part.part.label(page.language)).collect();
    let study = |row: &dokuei_models::store::studies::StudyRow| {
        let day = row.study_date.map_or_else(|| page.t("reading-date-unknown"), |day| day.to_string());
        format!("{day} {} {}", row.modalities.replace('\\', "/"), row.description).trim().to_owned()
    };
    Shown {
        page,
        id,
        revision: sheet.revision,
        patient: sheet.patient.name().shown(),
        patient_id: &sheet.patient.patient_id,
        who: person_in_words(page, sheet.patient.birth_date, &sheet.patient.sex, day_in_japan(page.now)),
        birth: sheet.patient.birth_date.map(|day| day.to_string()),
        studies: sheet.studies.iter().map(study).collect(),
        parts: parts.join(if page.language == Language::Ja { "・" } else { ", " }),
        total: sheet.total,
        unseen: sheet.unseen.iter().map(|(_, missing)| missing).sum(),
        unseen_series: &sheet.unseen,
        impression: &sheet.impression,
        empty: sheet.empty,
        conflicts: sheet.conflicts.iter().map(|conflict| conflict_in_words(page, conflict)).collect(),
        reopened: sheet.reopened,
        reason: &sheet.reason,
        needs_password: sheet.needs_password,
        coming: sheet.coming.map(|(received, expected)| coming_in_words(page, received, expected)),
    }
}

/// How much is here and how much is known to come.
pub(super) fn coming_in_words(page: &Page, received: i32, expected: Option<i32>) -> String {
    match expected.filter(|expected| *expected > received) {
        Some(expected) => format!(
            "{} {}",
            page.tv("coming-of", format!("{received} / {expected}")),
            page.tn("coming-missing", expected - received)
        ),
        None => page.tn("coming-so-far", received),
    }
}

fn source(page: &Page, source: LabelSource) -> String {
    page.t(match source {
        LabelSource::OrderCode => "sign-source-order-code",
        LabelSource::OrderWords => "sign-source-order-words",
        LabelSource::HeaderCode => "sign-source-header-code",
        LabelSource::StudyDescription => "sign-source-study-description",
        LabelSource::ProtocolName => "sign-source-protocol-name",
        LabelSource::SeriesDescription => "sign-source-series-description",
        LabelSource::BodyPartExamined => "sign-source-body-part-examined",
        LabelSource::Question => "sign-source-question",
        LabelSource::Nobody => "sign-source-nobody",
    })
}

fn conflict_in_words(page: &Page, conflict: &LabelConflict) -> Conflict {
    let regions = |regions: &[Region]| {
        let names: Vec<&str> = regions.iter().map(|region| region.label(page.language)).collect();
        names.join(", ")
    };
    let side = |value: String, from: LabelSource| format!("{value} — {}", source(page, from));
    match conflict {
        LabelConflict::Region { trusted, trusted_regions, other, other_regions } => Conflict {
            title: page.t("sign-region-title"),
            trusted: side(regions(trusted_regions), *trusted),
            other: side(regions(other_regions), *other),
        },
        LabelConflict::Laterality { region, trusted, trusted_side, other, other_side } => Conflict {
            title: page.tv("sign-side-title", region.label(page.language)),
            trusted: side(trusted_side.label(page.language).to_owned(), *trusted),
            other: side(other_side.label(page.language).to_owned(), *other),
        },
        LabelConflict::Modality { source: from, ordered, images } => {
            let names = |of: &[dokuei_terms::Modality]| {
                let names: Vec<&str> = of.iter().map(|modality| modality.label(page.language)).collect();
                names.join(", ")
            };
            Conflict { title: String::new(), trusted: side(names(ordered), *from), other: names(images) }
        }
    }
}

/// The form's fields; `label0`, `label1`, ... hold the choices.
type Fields = std::collections::BTreeMap<String, String>;

fn order_of(fields: &Fields) -> crate::error::Result<Order> {
    let bad = |field: &'static str| Error::new(&codes::common::BAD_REQUEST).with("reason", field);
    let text = |name: &str| fields.get(name).map(String::as_str).unwrap_or_default();
    let mut choices = Vec::new();
    while let Some(choice) = fields.get(&format!("label{}", choices.len())) {
        choices.push(match choice.as_str() {
            "trusted" => Choice::Trusted,
            "other" => Choice::Other,
            _ => return Err(bad("label")),
        });
    }
    Ok(Order {
        revision: text("revision").parse().map_err(|_| bad("revision"))?,
        password: fields.get("password").filter(|password| !password.is_empty()).cloned(),
        choices,
        becomes: match text("becomes") {
            "addendum" => Some(VersionState::Addendum),
            "amended" => Some(VersionState::Amended),
            _ => None,
        },
        reason: text("reason").to_owned(),
        although_coming: text("although_coming") == "yes",
    })
}

async fn sign(who: Allowed<Read>, state: State, path: web::Path<i64>, form: web::Form<Fields>) -> Answer {
    let order = order_of(&form)?;
    let read = ReadId(*path);
    let version = signing::sign(&state, &who, read, order).await?;
    // The second of two independent readers stays and compares.
    let asked = comparing::is_asked_of(&state, read).await?;
    let next = if asked { format!("/reads/{read}#compare") } else { "/worklist?done=signed".to_owned() };
    Ok(HttpResponse::Ok().json(json!({ "version": version, "next": next })))
}

async fn addendum(who: Allowed<Read>, state: State, path: web::Path<i64>, form: web::Form<Fields>) -> Answer {
    let reason = form.get("reason").map(String::as_str).unwrap_or_default();
    let read = signing::reopen(&state, &who, ReadId(*path), reason).await?;
    Ok(see_other(false, &format!("/reads/{read}")))
}

async fn pdf(who: Allowed<SeeReads>, state: State, path: web::Path<(i64, i64)>) -> Answer {
    let (read, version) = path.into_inner();
    let bytes = signing::pdf(&state, &who, ReadId(read), ReportVersionId(version)).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/pdf")
        .insert_header(("Content-Disposition", format!("inline; filename=\"report-{version}.pdf\"")))
        .body(bytes))
}

/// What a verifier imports to trust the demonstration's signatures.
async fn authority(_: Anyone, state: State) -> Answer {
    let pem = keys::authority_certificate(&state).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/x-pem-file")
        .insert_header(("Content-Disposition", "attachment; filename=\"dokuei-demo-ca.pem\""))
        .body(pem))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(pairs: &[(&str, &str)]) -> Fields {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_signature_names_its_revision_and_every_choice() {
        let order =
            order_of(&fields(&[("revision", "7"), ("label0", "other"), ("label1", "trusted"), ("password", "")]))
                .unwrap();
        assert_eq!(order.revision, 7);
        assert_eq!(order.choices, [Choice::Other, Choice::Trusted]);
        assert_eq!(order.password, None, "an empty password is none");
        assert!(order_of(&fields(&[])).is_err(), "without a revision nothing is signed");
        assert!(order_of(&fields(&[("revision", "1"), ("label0", "both")])).is_err());
    }
}
