//! Which studies and parts belong to a case: attach, detach, split, merge, correct.

use std::collections::HashMap;

use actix_web::web;
use dokuei_models::identity::IdentityDoubt;
use dokuei_models::{CaseId, StudyId};
use dokuei_terms::{Laterality, Modality, Part, Region};
use serde::Deserialize;

use super::answer;
use crate::app::form::{invalid, need_reason};
use crate::app::regrouping::{self, Regroup};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::error::{Error, Result, codes};
use crate::http::case_view::MOST_PARTS;
use crate::http::{Answer, Page, Routes};
use crate::state::State;

pub(super) fn routes(routes: &mut Routes) {
    routes.post("/cases/{case}/merge", merge);
    routes.post("/cases/{case}/parts", correct);
    routes.post("/cases/{case}/studies/{study}/attach", attach);
    routes.post("/cases/{case}/studies/{study}/detach", detach);
    routes.post("/cases/{case}/studies/{study}/split", split);
}

async fn regroup(
    who: &Allowed<Dispatch>,
    state: &State,
    page: &Page,
    case: CaseId,
    what: Regroup,
    reason: String,
) -> Answer {
    regrouping::regroup(state, who.person(), who.reach(), case, what, reason).await?;
    answer(who, state, page, case).await
}

#[derive(Deserialize)]
struct AttachForm {
    #[serde(default)]
    seen: String,
}

async fn attach(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    path: web::Path<(CaseId, StudyId)>,
    form: web::Form<AttachForm>,
) -> Answer {
    let (case, study) = path.into_inner();
    let seen: Vec<IdentityDoubt> = form.seen.split('+').filter_map(|code| code.parse().ok()).collect();
    regroup(&who, &state, &page, case, Regroup::Attach { study, seen }, String::new()).await
}

async fn detach(who: Allowed<Dispatch>, state: State, page: Page, path: web::Path<(CaseId, StudyId)>) -> Answer {
    let (case, study) = path.into_inner();
    regroup(&who, &state, &page, case, Regroup::Detach(study), String::new()).await
}

async fn split(who: Allowed<Dispatch>, state: State, page: Page, path: web::Path<(CaseId, StudyId)>) -> Answer {
    let (case, study) = path.into_inner();
    regroup(&who, &state, &page, case, Regroup::Split(study), String::new()).await
}

#[derive(Deserialize)]
struct MergeForm {
    from: CaseId,
    #[serde(default)]
    reason: String,
}

async fn merge(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    path: web::Path<CaseId>,
    form: web::Form<MergeForm>,
) -> Answer {
    let reason = need_reason("reason", &form.reason)?;
    regroup(&who, &state, &page, *path, Regroup::Merge(form.from), reason).await
}

async fn correct(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    path: web::Path<CaseId>,
    form: web::Form<HashMap<String, String>>,
) -> Answer {
    let reason = need_reason("reason", form.get("reason").map(String::as_str).unwrap_or_default())?;
    regroup(&who, &state, &page, *path, Regroup::Correct(parts_of(&form)?), reason).await
}

/// `region0`, `modality0`, `laterality0`, `region1` ...; a line without a region is left out.
fn parts_of(form: &HashMap<String, String>) -> Result<Vec<Part>> {
    let mut parts = Vec::new();
    for at in 0..MOST_PARTS {
        let field = |name: &str| form.get(&format!("{name}{at}")).map(String::as_str).unwrap_or_default();
        if field("region").is_empty() {
            continue;
        }
        let region: Region = field("region").parse().map_err(|_| invalid("region0"))?;
        let modality: Modality = field("modality").parse().map_err(|_| invalid("modality0"))?;
        let laterality: Laterality = field("laterality").parse().map_err(|_| invalid("laterality0"))?;
        let part = Part { region, modality, laterality };
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    if parts.is_empty() {
        return Err(Error::new(&codes::common::FORM_INVALID).field("region0", &codes::common::FIELD_REQUIRED));
    }
    Ok(parts)
}
