//! The referring site's portal: one page to send, ask and follow; a page per case with its report and thread.

mod case;
mod elsewhere;
mod form;

use actix_web::http::StatusCode;
use actix_web::web;
use askama::Template;
use dokuei_models::store::sites::SiteRow;
use dokuei_models::{SiteId, StudyId};
use dokuei_terms::Language;
use serde::Deserialize;

use self::form::FormView;
use super::{Answer, Page, Routes, live};
use crate::app::portal::{self, Far, Line, ReportLine, STEPS, Said, Show, Standing};
use crate::app::requests;
use crate::authority::Allowed;
use crate::authority::rights::{SeeReports, Submit};
use crate::error::{Error, Result};
use crate::state::State;
use crate::ui::Html;
use crate::ui::badge::{self, Tone};
use crate::wake::Topic;

/// Registers the portal.
pub fn routes(routes: &mut Routes) {
    routes.get("/portal", show);
    routes.get("/portal/list", list);
    routes.get("/portal/events", events);
    routes.get("/portal/reports", reports);
    form::routes(routes);
    case::routes(routes);
    elsewhere::routes(routes);
}

/// What a list is asked for. No patient data: texts are looked for in the browser.
#[derive(Deserialize)]
struct Wanted {
    #[serde(default)]
    show: Show,
    site: Option<SiteId>,
    study: Option<StudyId>,
}

/// A line in the words of the page.
struct LineView {
    line: Line,
    said: String,
    tone: Html,
    steps: Vec<StepView>,
    href: String,
}

struct StepView {
    word: String,
    far: Far,
}

impl StepView {
    fn class(&self) -> &'static str {
        match self.far {
            Far::Done => "done",
            Far::Stuck => "stuck",
            Far::Now | Far::Ahead => "",
        }
    }

    fn is_current(&self) -> bool {
        matches!(self.far, Far::Now | Far::Stuck)
    }
}

impl LineView {
    fn new(page: &Page, line: Line) -> Self {
        let images = match line.awaited {
            Some(awaited) => format!("{} / {awaited}", line.received),
            None => line.received.to_string(),
        };
        let (tone, key) = match line.standing {
            Standing::Question => (Tone::Warning, "portal-standing-question"),
            Standing::Todo => (Tone::Warning, "portal-standing-todo"),
            Standing::Report => (Tone::Good, "portal-standing-report"),
            Standing::Going => (Tone::Active, "portal-standing-going"),
            Standing::Over => (Tone::Plain, "portal-standing-over"),
        };
        let steps = STEPS
            .iter()
            .zip(line.steps)
            .enumerate()
            .map(|(at, (key, far))| {
                let word = page.t(key);
                StepView { word: if at == 0 { format!("{word} {images}") } else { word }, far }
            })
            .collect();
        let href = match (line.case, line.request, line.study) {
            (Some(case), ..) => format!("/portal/cases/{case}"),
            (None, Some(request), _) => format!("/portal/requests/{request}"),
            (None, None, Some(study)) => format!("/portal?study={study}"),
            (None, None, None) => "/portal".to_owned(),
        };
        Self { said: say(page, &line.now), tone: badge::tone(tone, &page.t(key)), steps, href, line }
    }

    fn is_question(&self) -> bool {
        self.line.standing == Standing::Question
    }

    fn is_report(&self) -> bool {
        self.line.standing == Standing::Report
    }
}

/// A sentence in the words of the page.
fn say(page: &Page, said: &Said) -> String {
    let mut text = page.tv(said.key, &said.value);
    if !said.doubts.is_empty() {
        let words: Vec<String> =
            said.doubts.iter().map(|code| page.t(&format!("portal-doubt-{}", code.replace('_', "-")))).collect();
        text = format!("{text} {}", words.join(if page.language == Language::Ja { "、" } else { ", " }));
    }
    if let Some(until) = said.until {
        text = format!("{text} {}", page.tv("portal-until", page.time(until)));
    }
    text
}

struct Tab {
    code: &'static str,
    word: String,
    count: usize,
    current: bool,
}

#[derive(Template)]
#[template(path = "portal/list.html")]
struct ListView<'a> {
    page: &'a Page,
    tabs: Vec<Tab>,
    lines: Vec<LineView>,
    show: Show,
    site: Option<SiteId>,
}

impl ListView<'_> {
    fn query(&self) -> String {
        self.site.map(|site| format!("&site={site}")).unwrap_or_default()
    }

    fn empty_words(&self) -> (String, String) {
        let code = self.show.code();
        (self.page.t(&format!("portal-empty-{code}-title")), self.page.t(&format!("portal-empty-{code}-text")))
    }
}

fn list_view<'a>(page: &'a Page, lines: Vec<Line>, show: Show, site: Option<SiteId>) -> ListView<'a> {
    let tabs = Show::ALL
        .iter()
        .map(|tab| Tab {
            code: tab.code(),
            word: page.t(&format!("portal-show-{}", tab.code())),
            count: lines.iter().filter(|line| line.is_in(*tab)).count(),
            current: *tab == show,
        })
        .collect();
    let lines = lines.into_iter().filter(|line| line.is_in(show)).map(|line| LineView::new(page, line)).collect();
    ListView { page, tabs, lines, show, site }
}

#[derive(Template)]
#[template(path = "portal/page.html")]
struct PortalView<'a> {
    page: &'a Page,
    sites: Vec<SiteRow>,
    site: SiteRow,
    form: String,
    list: String,
    form_open: bool,
}

impl PortalView<'_> {
    fn fate_word(&self, fate: &str) -> String {
        self.page.t(&format!("upload-fate-{fate}"))
    }

    fn site_name<'s>(&self, site: &'s SiteRow) -> &'s str {
        name_of(site, self.page.language)
    }
}

fn name_of(site: &SiteRow, language: Language) -> &str {
    match language {
        Language::En if !site.name_en.is_empty() => &site.name_en,
        _ => &site.name_ja,
    }
}

/// The site asked for, or the first of the person's.
fn pick(sites: &[SiteRow], wanted: Option<SiteId>) -> Result<SiteRow> {
    match wanted {
        Some(wanted) => sites.iter().find(|site| site.id == wanted).cloned().ok_or_else(Error::not_found),
        None => sites.first().cloned().ok_or_else(Error::not_found),
    }
}

async fn show(who: Allowed<Submit>, state: State, page: Page, wanted: web::Query<Wanted>) -> Answer {
    let sites = portal::sites_of(&state, &who).await?;
    portal::note_look(&state, &who, &sites).await?;
    let (site, form) = match wanted.study {
        Some(study) => {
            let (site, form) = requests::prefilled(&state, &who, study).await?;
            (pick(&sites, Some(site))?, form)
        }
        None => (pick(&sites, wanted.site)?, requests::empty_form(&who)),
    };
    let doctors = requests::doctors(&state, site.id).await?;
    let view = FormView::new(&page, &site, doctors, form, Vec::new());
    whole(&state, &page, sites, site.clone(), StatusCode::OK, &view, wanted.show, wanted.study.is_some()).await
}

/// The whole page around a form.
#[expect(clippy::too_many_arguments, reason = "a page's parts")]
async fn whole(
    state: &State,
    page: &Page,
    sites: Vec<SiteRow>,
    site: SiteRow,
    status: StatusCode,
    form: &FormView<'_>,
    show: Show,
    form_open: bool,
) -> Answer {
    let page = page.clone().titled(&page.t("portal-title"));
    let lines = portal::lines(state, &sites).await?;
    let list = list_view(&page, lines, show, None).render().map_err(Error::internal)?;
    let form = form.render().map_err(Error::internal)?;
    page.show_as(status, &PortalView { page: &page, sites, site, form, list, form_open })
}

async fn list(who: Allowed<Submit>, state: State, page: Page, wanted: web::Query<Wanted>) -> Answer {
    let sites = portal::sites_of(&state, &who).await?;
    let lines = portal::lines(&state, &sites).await?;
    page.show(&list_view(&page, lines, wanted.show, wanted.site))
}

async fn events(who: Allowed<Submit>, state: State) -> Answer {
    // The board of the pool tells of what readers and dispatchers do; that something changed is all that is said.
    let sites = portal::sites_of(&state, &who).await?;
    let topics = sites.iter().flat_map(|site| [Topic::Portal(site.id.0), Topic::Board(site.pool_id.0)]).collect();
    Ok(live::events(&state, &who, topics))
}

struct ReportView {
    report: ReportLine,
    line: LineView,
    state: Html,
}

#[derive(Template)]
#[template(path = "portal/reports.html")]
struct ReportsView<'a> {
    page: &'a Page,
    reports: Vec<ReportView>,
}

/// A version's state as a badge.
fn version_badge(page: &Page, state: dokuei_models::state::VersionState) -> Html {
    use dokuei_models::state::VersionState;
    let tone = match state {
        VersionState::Final | VersionState::Amended | VersionState::Addendum => Tone::Good,
        VersionState::Preliminary | VersionState::Draft => Tone::Warning,
        VersionState::Withdrawn => Tone::Bad,
    };
    badge::tone(tone, &page.t(&format!("portal-version-{}", state.code())))
}

async fn reports(who: Allowed<SeeReports>, state: State, page: Page) -> Answer {
    let sites = portal::sites_of(&state, &who).await?;
    portal::note_look(&state, &who, &sites).await?;
    let page = page.clone().titled(&page.t("portal-reports-title"));
    let reports = portal::reports(&state, &sites)
        .await?
        .into_iter()
        .map(|report| ReportView {
            line: LineView::new(&page, report.line.clone()),
            state: version_badge(&page, report.version.state),
            report,
        })
        .collect();
    page.show(&ReportsView { page: &page, reports })
}
