//! Images without a request, a request without images: both sides compared, field by field.

use actix_web::web;
use askama::Template;
use dokuei_models::identity::IdentityDoubt;
use dokuei_models::store::requests::RequestRow;
use dokuei_models::store::studies::StudyRow;
use dokuei_models::{RequestId, StudyId};

use crate::app::case_sheet::{self, Unpaired};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::http::case_words::{doubt_words, study_title};
use crate::http::{Answer, Page, Routes};
use crate::state::State;
use crate::ui::Html;

pub(super) fn routes(routes: &mut Routes) {
    routes.get("/dispatch/studies/{study}", show_study);
    routes.get("/dispatch/requests/{request}", show_request);
}

/// One side of a pair, as two columns are compared.
struct Side {
    patient_id: String,
    name: String,
    kana: String,
    birth_date: String,
    sex: String,
    accession_number: String,
    about: String,
}

/// One thing it may belong to.
struct Offer {
    study: StudyId,
    request: RequestId,
    heading: String,
    other: Side,
    doubts: Vec<IdentityDoubt>,
    doubt_codes: String,
    doubt_words: String,
}

impl Offer {
    fn differs(&self, code: &str) -> bool {
        self.doubts.iter().any(|doubt| doubt.code() == code)
    }
}

#[derive(Template)]
#[template(path = "dispatch/unpaired.html")]
struct UnpairedFragment<'a> {
    page: &'a Page,
    found: &'a Unpaired,
    title: String,
    own: Side,
    deadline: Option<Html>,
    offers: Vec<Offer>,
}

#[derive(Template)]
#[template(path = "dispatch/unpaired_page.html")]
struct UnpairedPage<'a> {
    page: &'a Page,
    found: &'a Unpaired,
    title: String,
    own: Side,
    deadline: Option<Html>,
    offers: Vec<Offer>,
}

async fn show_study(who: Allowed<Dispatch>, state: State, page: Page, path: web::Path<StudyId>) -> Answer {
    let found = case_sheet::unpaired_study(&state, who.person(), who.reach(), path.into_inner()).await?;
    show_unpaired(&page, &found)
}

async fn show_request(who: Allowed<Dispatch>, state: State, page: Page, path: web::Path<RequestId>) -> Answer {
    let found = case_sheet::unpaired_request(&state, who.person(), who.reach(), path.into_inner()).await?;
    show_unpaired(&page, &found)
}

fn side_of_study(page: &Page, study: &StudyRow) -> Side {
    let identity = study.identity();
    side(
        page,
        &identity,
        &study.accession_number,
        [
            study_title(page, study),
            study.description.clone(),
            study.study_date.map(|day| day.to_string()).unwrap_or_default(),
        ],
    )
}

fn side_of_request(page: &Page, request: &RequestRow) -> Side {
    side(
        page,
        &request.identity(),
        &request.accession_number,
        [
            request.exam.clone(),
            request.question.clone(),
            page.tv("dispatch-requested-at", page.time(request.created_at)),
        ],
    )
}

fn side(
    page: &Page,
    identity: &dokuei_models::store::patients::Identity,
    accession_number: &str,
    about: [String; 3],
) -> Side {
    let or_dash = |text: &str| if text.is_empty() { "—".to_owned() } else { text.replace('^', " ") };
    Side {
        patient_id: or_dash(&identity.patient_id),
        name: or_dash(&identity.name.shown()),
        kana: or_dash(if identity.name.phonetic.is_empty() {
            &identity.name.alphabetic
        } else {
            &identity.name.phonetic
        }),
        birth_date: identity.birth_date.map_or_else(|| "—".to_owned(), |day| day.to_string()),
        sex: match identity.sex.as_str() {
            "M" => page.t("dispatch-sex-m"),
            "F" => page.t("dispatch-sex-f"),
            "O" => page.t("dispatch-sex-o"),
            _ => "—".to_owned(),
        },
        accession_number: or_dash(accession_number),
        about: about.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ・ "),
    }
}

fn show_unpaired(page: &Page, found: &Unpaired) -> Answer {
    let offer = |study: StudyId, asked: RequestId, heading: String, other: Side, doubts: &[IdentityDoubt]| Offer {
        study,
        request: asked,
        heading,
        other,
        doubt_codes: doubts.iter().map(|doubt| doubt.code()).collect::<Vec<_>>().join("+"),
        doubt_words: doubt_words(page, doubts),
        doubts: doubts.to_vec(),
    };
    let (title, own, deadline, offers) = match (&found.study, &found.request) {
        (Some(study), _) => (
            study_title(page, study),
            side_of_study(page, study),
            study.match_deadline.map(|at| page.due(at)),
            found
                .requests
                .iter()
                .map(|(asked, doubts)| {
                    let heading = page.tv("dispatch-request-number", asked.id);
                    offer(study.id, asked.id, heading, side_of_request(page, asked), doubts)
                })
                .collect(),
        ),
        (None, Some(asked)) => (
            page.tv("dispatch-request-number", asked.id),
            side_of_request(page, asked),
            asked.wanted_by.map(|at| page.due(at)),
            found
                .studies
                .iter()
                .map(|loose| {
                    let heading = page.tv("dispatch-study-number", loose.study.id);
                    offer(loose.study.id, asked.id, heading, side_of_study(page, &loose.study), &loose.doubts)
                })
                .collect(),
        ),
        (None, None) => return Err(crate::error::Error::not_found()),
    };
    if page.fragment {
        return page.show(&UnpairedFragment { page, found, title, own, deadline, offers });
    }
    let page = page.clone().titled(&page.t("dispatch-lane-unmatched"));
    page.show(&UnpairedPage { page: &page, found, title, own, deadline, offers })
}
