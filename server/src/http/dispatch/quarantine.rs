//! `/dispatch/quarantine/{object}`: one object that was kept apart, and what can be done with it.

use actix_web::{HttpResponse, web};
use askama::Template;

use crate::app::quarantine::{self, Sheet};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::http::{Answer, Page, Routes, page};
use crate::state::State;

pub(super) fn routes(routes: &mut Routes) {
    routes.get("/dispatch/quarantine/{object}", show);
    routes.post("/dispatch/quarantine/{object}/retry", retry);
    routes.get("/dispatch/quarantine/{object}/file", file);
}

#[derive(Template)]
#[template(path = "dispatch/quarantine.html")]
struct QuarantinePage<'a> {
    page: &'a Page,
    sheet: &'a Sheet,
    reason: String,
}

async fn show(who: Allowed<Dispatch>, state: State, page: Page, path: web::Path<i64>) -> Answer {
    let sheet = quarantine::sheet(&state, who.person(), who.reach(), *path).await?;
    let page = page.clone().titled(&page.t("dispatch-trouble-quarantine"));
    page.show(&QuarantinePage {
        reason: page.code("dispatch-quarantine", &sheet.row.reason),
        page: &page,
        sheet: &sheet,
    })
}

async fn retry(who: Allowed<Dispatch>, state: State, path: web::Path<i64>) -> Answer {
    quarantine::retry(&state, who.person(), who.reach(), *path).await?;
    Ok(page::see_other(false, "/dispatch/trouble#quarantine"))
}

async fn file(who: Allowed<Dispatch>, state: State, path: web::Path<i64>) -> Answer {
    let bytes = quarantine::file(&state, who.person(), who.reach(), *path).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/dicom")
        .insert_header(("Content-Disposition", format!("attachment; filename=\"object-{}.dcm\"", *path)))
        .body(bytes))
}
