//! Finding any case by patient ID, kanji or kana name, or accession number.

use actix_web::web;
use askama::Template;
use serde::Deserialize;

use crate::app::finding_cases::{self, Finding};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::http::case_words::{age_and_sex, parts_in_words, state_badge};
use crate::http::{Answer, Page, Routes};
use crate::state::State;
use crate::ui::Html;

pub(super) fn routes(routes: &mut Routes) {
    routes.post("/dispatch/search", search);
}

#[derive(Deserialize)]
struct SearchForm {
    #[serde(default)]
    q: String,
}

struct FoundLine {
    href: String,
    name: String,
    facts: String,
    title: String,
    site: String,
    priority: Html,
    state: Html,
    due: Html,
}

#[derive(Template)]
#[template(path = "dispatch/found.html")]
struct FoundFragment<'a> {
    page: &'a Page,
    asked: bool,
    more: bool,
    lines: Vec<FoundLine>,
}

#[derive(Template)]
#[template(path = "dispatch/found_page.html")]
struct FoundPage<'a> {
    page: &'a Page,
    asked: bool,
    more: bool,
    lines: Vec<FoundLine>,
}

async fn search(who: Allowed<Dispatch>, state: State, page: Page, form: web::Form<SearchForm>) -> Answer {
    let asked = !form.q.trim().is_empty();
    let found = finding_cases::find(&state, who.person(), who.reach(), &form.q).await?;
    let lines = found_lines(&page, &found);
    if page.fragment {
        return page.show(&FoundFragment { page: &page, asked, more: found.more, lines });
    }
    let page = page.clone().titled(&page.t("dispatch-search"));
    page.show(&FoundPage { page: &page, asked, more: found.more, lines })
}

fn found_lines(page: &Page, found: &Finding) -> Vec<FoundLine> {
    found
        .cases
        .iter()
        .map(|one| FoundLine {
            href: format!("/cases/{}", one.case.id),
            name: one.patient.name().shown(),
            facts: [
                one.patient.patient_id.clone(),
                age_and_sex(page, one.patient.birth_date, &one.patient.sex),
                one.accession_number.clone(),
            ]
            .into_iter()
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ・ "),
            title: parts_in_words(page, &one.parts),
            site: found.names.site(page.language, one.case.site_id),
            priority: page.priority(one.case.priority),
            state: state_badge(page, one.case.state),
            due: match one.case.reported_at {
                Some(at) => Html::raw(format!("<time>{}</time>", page.time(at))),
                None => page.due(one.case.due_at),
            },
        })
        .collect()
}
