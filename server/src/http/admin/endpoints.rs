//! Endpoints: their form, and the echo.

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use askama::Template;
use dokuei_models::store::sites::{EndpointRow, NameForm, PeerTls, site_get};
use dokuei_models::{EndpointId, SiteId};
use dokuei_terms::Language;
use serde::Deserialize;

use super::fields::Choice;
use super::{Fields, back, doer, is_invalid, named, site_choices};
use crate::app::endpoints::{self, CHARACTER_SETS, Echo, EndpointForm};
use crate::app::typed::Typed;
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::error::Error;
use crate::http::{Answer, Page, Routes};
use crate::state::State;

pub(super) fn routes(routes: &mut Routes) {
    routes.get("/admin/endpoints/new", new);
    routes.post("/admin/endpoints", create);
    routes.get("/admin/endpoints/{endpoint}", edit);
    routes.post("/admin/endpoints/{endpoint}", update);
    routes.post("/admin/endpoints/{endpoint}/echo", echo);
}

#[derive(Template)]
#[template(path = "admin/endpoint_form.html")]
struct FormPage<'a> {
    page: &'a Page,
    known: Option<&'a EndpointRow>,
    site_name: String,
    back_to: String,
    form: Fields<'a>,
    facts: &'a EndpointForm,
    sites: Vec<Choice>,
    tls_choices: Vec<Choice>,
    character_sets: Vec<Choice>,
    name_forms: Vec<Choice>,
    ours: &'a str,
}

/// The words of `codes`, by the label `prefix` with each code.
pub(super) fn choices(page: &Page, prefix: &str, codes: impl Iterator<Item = &'static str>) -> Vec<Choice> {
    codes.map(|code| (code.to_owned(), page.code(prefix, code))).collect()
}

/// What may be sent to it: the study's own set first, then each by its name in the standard with what it can write.
fn character_sets(page: &Page) -> Vec<Choice> {
    let named = |(index, set): (usize, &&str)| {
        let word = page.code("admin-character-set", &(index + 1).to_string());
        ((*set).to_owned(), format!("{set} — {word}"))
    };
    let own = (String::new(), page.t("admin-character-set-own"));
    std::iter::once(own).chain(CHARACTER_SETS.iter().enumerate().map(named)).collect()
}

async fn form_page(
    state: &State,
    page: Page,
    known: Option<&EndpointRow>,
    facts: &EndpointForm,
    refused: Option<&Error>,
) -> Answer {
    let language = page.language;
    let site = known.map(|row| row.site_id).or(match facts.site {
        Typed::Is(site) => Some(site),
        _ => None,
    });
    let (sites, site_row) = state
        .db
        .read(move |conn| {
            let row = site.map(|site| site_get(conn, site)).transpose()?;
            Ok((site_choices(conn, language)?, row))
        })
        .await?;
    let title = known.map_or_else(|| page.t("admin-endpoint-new"), |row| format!("{} {}", row.name, row.ae_title));
    let page = page.titled(&title);
    let view = FormPage {
        form: refused.map_or_else(|| Fields::new(&page), |error| Fields::refused(&page, error)),
        site_name: site_row.as_ref().map(|row| named(&page, &row.name_ja, &row.name_en).to_owned()).unwrap_or_default(),
        back_to: site_row.map_or_else(|| "/admin/sites".to_owned(), |row| format!("/admin/sites/{}", row.id)),
        ours: &state.config.dicom.ae_title,
        tls_choices: choices(&page, "admin-tls", PeerTls::ALL.iter().map(|tls| tls.code())),
        character_sets: character_sets(&page),
        name_forms: choices(&page, "admin-name-form", NameForm::ALL.iter().map(|form| form.code())),
        page: &page,
        known,
        facts,
        sites,
    };
    let status = if refused.is_some() { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK };
    page.show_as(status, &view)
}

/// What a stranger's line, or a site's sheet, already knows. AE titles and addresses name no patient.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Begun {
    site: Typed<SiteId>,
    ae: String,
    address: String,
}

async fn new(who: Allowed<Administer>, state: State, page: Page, begun: web::Query<Begun>) -> Answer {
    doer(&who, &state)?;
    let site = match begun.site {
        Typed::Is(site) => Some(site),
        _ => None,
    };
    let begun = begun.into_inner();
    let facts = EndpointForm { ae_title: begun.ae, addresses: begun.address, ..EndpointForm::fresh(site) };
    form_page(&state, page, None, &facts, None).await
}

async fn create(
    who: Allowed<Administer>,
    state: State,
    page: Page,
    request: HttpRequest,
    form: web::Form<EndpointForm>,
) -> Answer {
    match endpoints::create(&state, doer(&who, &state)?, &form).await {
        Ok(_) => back(&request, &format!("/admin/sites/{}#endpoints", form.site)),
        Err(error) if is_invalid(&error) => form_page(&state, page, None, &form, Some(&error)).await,
        Err(error) => Err(error),
    }
}

async fn edit(
    who: Allowed<Administer>,
    state: State,
    page: Page,
    path: web::Path<EndpointId>,
    begun: web::Query<Begun>,
) -> Answer {
    doer(&who, &state)?;
    let row = endpoints::get(&state, *path).await?;
    let mut facts = EndpointForm::of(&row);
    // A known peer that called from elsewhere: the address stands in the field, to be looked at and saved.
    if !begun.address.is_empty() {
        let both = [facts.addresses.as_str(), begun.address.as_str()];
        facts.addresses = both.into_iter().filter(|one| !one.is_empty()).collect::<Vec<_>>().join(",");
    }
    form_page(&state, page, Some(&row), &facts, None).await
}

async fn update(
    who: Allowed<Administer>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<EndpointId>,
    form: web::Form<EndpointForm>,
) -> Answer {
    let changed = endpoints::update(&state, doer(&who, &state)?, *path, &form).await;
    let row = endpoints::get(&state, *path).await?;
    match changed {
        Ok(()) => back(&request, &format!("/admin/sites/{}#endpoints", row.site_id)),
        Err(error) if is_invalid(&error) => form_page(&state, page, Some(&row), &form, Some(&error)).await,
        Err(error) => Err(error),
    }
}

#[derive(Template)]
#[template(path = "admin/echo.html")]
struct EchoView<'a> {
    page: &'a Page,
    echo: &'a Echo,
}

impl EchoView<'_> {
    fn sentence(&self) -> &str {
        match (&self.echo.failure, self.page.language) {
            (None, _) => "",
            (Some(failure), Language::Ja) => &failure.ja,
            (Some(failure), Language::En) => &failure.en,
        }
    }
}

/// Calls the endpoint. A fragment for htmx; without it the sheet, which then shows the contact or the failure.
async fn echo(
    who: Allowed<Administer>,
    state: State,
    page: Page,
    request: HttpRequest,
    path: web::Path<EndpointId>,
) -> Answer {
    let told = endpoints::echo(&state, doer(&who, &state)?, *path).await?;
    if page.fragment {
        return page.show(&EchoView { page: &page, echo: &told });
    }
    let row = endpoints::get(&state, *path).await?;
    back(&request, &format!("/admin/sites/{}#endpoints", row.site_id))
}
