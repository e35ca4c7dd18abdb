//! The skill table: looked at, taken in from a sheet, and handed out as one.

use actix_web::{HttpResponse, web};
use askama::Template;
use dokuei_models::ReaderId;
use dokuei_models::store::readers::{self, ReaderRow, SkillCell};
use dokuei_terms::{Modality, Region};

use super::{Answer, Page, Routes};
use crate::app::skill_table::{self, SheetFault};
use crate::authority::{Allowed, rights::Administer};
use crate::state::State;
use crate::wake::Topic;

/// Registers the skill pages.
pub fn routes(routes: &mut Routes) {
    routes.get("/skills", show);
    routes.get("/skills/export", export);
    routes.post("/skills/import", import);
}

#[derive(Template)]
#[template(path = "skills/page.html")]
struct SkillsPage<'a> {
    page: &'a Page,
    readers: Vec<(ReaderRow, String, String)>,
    cells: Vec<SkillCell>,
    regions: Vec<Region>,
    modalities: Vec<Modality>,
}

impl SkillsPage<'_> {
    fn region(&self, region: &Region) -> &'static str {
        region.label(self.page.language)
    }

    fn modality(&self, modality: &Modality) -> &'static str {
        modality.label(self.page.language)
    }

    /// The value in force and whether it is the cell's own.
    fn value(&self, reader: &ReaderId, region: &Region, modality: &Modality) -> (Option<i32>, bool) {
        let own = |at: Region| {
            let found = self
                .cells
                .iter()
                .find(|cell| cell.reader == *reader && cell.region == at && cell.modality == *modality);
            found.map(|cell| cell.declared)
        };
        (region.and_ancestors().find_map(own), own(*region).is_some())
    }

    fn shown(&self, reader: &ReaderId, region: &Region, modality: &Modality) -> String {
        self.value(reader, region, modality).0.map(|value| value.to_string()).unwrap_or_default()
    }

    fn inherited(&self, reader: &ReaderId, region: &Region, modality: &Modality) -> bool {
        !self.value(reader, region, modality).1
    }
}

async fn show(_who: Allowed<Administer>, state: State, page: Page) -> Answer {
    let (people, cells) =
        state.db.read(|conn| Ok((readers::reader_list(conn, None)?, readers::skill_list(conn, None)?))).await?;
    let page = page.clone().titled(&page.t("skills-title"));
    let regions = Region::all().collect();
    let modalities = Modality::ALL.to_vec();
    page.show(&SkillsPage { page: &page, readers: people, cells, regions, modalities })
}

async fn export(who: Allowed<Administer>, state: State) -> Answer {
    let actor = who.actor(state.now());
    let text = state
        .db
        .tx(move |conn| {
            use dokuei_models::store::audit::{Subject, append_in_tx};
            append_in_tx(conn, &actor, "skills.export", Subject::none("skills"), "done", "")?;
            skill_table::export(conn)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(("content-type", "text/csv; charset=utf-8"))
        .insert_header(("content-disposition", "attachment; filename=\"dokuei-skills.csv\""))
        .body([b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat()))
}

/// Takes a sheet's bytes as the body; answers `{"cells": n}` or 422 with `{"faults": [...]}`.
async fn import(who: Allowed<Administer>, state: State, page: Page, body: web::Bytes) -> Answer {
    let actor = who.actor(state.now());
    let outcome = match skill_table::read_sheet(&body) {
        Err(faults) => Err(faults),
        Ok(sheet) => state.db.tx(move |conn| skill_table::import_in_tx(conn, &actor, &sheet)).await?,
    };
    Ok(match outcome {
        Ok(cells) => {
            state.wake.tell(Topic::Jobs);
            HttpResponse::Ok()
                .json(serde_json::json!({ "cells": cells, "sentence": page.tn("skills-imported", cells) }))
        }
        Err(faults) => {
            let sentences: Vec<String> = faults.iter().map(|fault| sentence(&page, fault)).collect();
            HttpResponse::UnprocessableEntity().json(serde_json::json!({ "faults": faults, "sentences": sentences }))
        }
    })
}

fn sentence(page: &Page, fault: &SheetFault) -> String {
    let place = page.tv("skills-fault-place", format!("{}-{}", fault.row, fault.column));
    let what = page.tv(&format!("skills-fault-{}", fault.kind), &fault.found);
    format!("{place} {what}")
}
