//! The skill table: a grid whose cells are edited, taken in from a sheet, and handed out as one.

use actix_web::{HttpResponse, web};
use askama::Template;
use dokuei_models::ReaderId;
use dokuei_models::store::readers::{self, ReaderRow};
use dokuei_terms::{Modality, Region};
use serde::Deserialize;

use super::admin::{doer, named};
use super::page::see_other;
use super::{Answer, Page, Routes};
use crate::app::skill_cells::{self, CellChange, CellForm, SkillMap};
use crate::app::skill_table::{self, SheetFault};
use crate::app::typed::Typed;
use crate::authority::{Allowed, rights::Administer};
use crate::error::Result;
use crate::state::State;
use crate::wake::Topic;

/// Registers the skill pages.
pub fn routes(routes: &mut Routes) {
    routes.get("/skills", show);
    routes.post("/skills/cells", set_cell);
    routes.get("/skills/export", export);
    routes.post("/skills/import", import);
}

/// One reader's cells: a row a region, a column a modality.
#[derive(Template)]
#[template(path = "skills/grid.html")]
struct Grid<'a> {
    page: &'a Page,
    reader: ReaderId,
    map: SkillMap,
    regions: Vec<Region>,
    modalities: &'static [Modality],
    saved: Option<CellChange>,
}

impl Grid<'_> {
    async fn load<'a>(state: &State, page: &'a Page, reader: ReaderId, saved: Option<CellChange>) -> Result<Grid<'a>> {
        let cells = state.db.read(move |conn| readers::skill_list(conn, Some(reader))).await?;
        let (map, regions) = (SkillMap::of(&cells), Region::all().collect());
        Ok(Grid { page, reader, map, regions, modalities: Modality::ALL, saved })
    }

    fn region(&self, region: &Region) -> &'static str {
        region.label(self.page.language)
    }

    fn modality(&self, modality: &Modality) -> &'static str {
        modality.label(self.page.language)
    }

    /// How deep a region stands in the tree.
    fn depth(&self, region: &Region) -> usize {
        region.and_ancestors().count()
    }

    fn own(&self, region: &Region, modality: &Modality) -> String {
        self.map.own(self.reader, *region, *modality).map(|value| value.to_string()).unwrap_or_default()
    }

    fn inherited(&self, region: &Region, modality: &Modality) -> String {
        self.map.in_force(self.reader, *region, *modality).map(|value| value.to_string()).unwrap_or_default()
    }

    fn told(&self, saved: &CellChange) -> String {
        let value =
            |value: Option<i32>| value.map_or_else(|| self.page.t("skills-inherits"), |value| value.to_string());
        let place = format!("{} {}", self.region(&saved.region), self.modality(&saved.modality));
        format!("{place} {} → {}", value(saved.before), value(saved.now))
    }

    fn before(&self, saved: &CellChange) -> String {
        saved.before.map(|value| value.to_string()).unwrap_or_default()
    }
}

#[derive(Template)]
#[template(path = "skills/page.html")]
struct SkillsPage<'a> {
    page: &'a Page,
    readers: Vec<(ReaderRow, String, String)>,
    grid: Option<Grid<'a>>,
}

impl SkillsPage<'_> {
    fn name<'b>(&self, ja: &'b str, en: &'b str) -> &'b str {
        named(self.page, ja, en)
    }

    fn is_shown(&self, reader: &ReaderRow) -> bool {
        self.grid.as_ref().is_some_and(|grid| grid.reader == reader.id)
    }
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Wanted {
    reader: Typed<ReaderId>,
}

async fn show(who: Allowed<Administer>, state: State, page: Page, wanted: web::Query<Wanted>) -> Answer {
    doer(&who, &state)?;
    let people = state.db.read(|conn| readers::reader_list(conn, None)).await?;
    let page = page.clone().titled(&page.t("skills-title"));
    let wanted = people.iter().find(|(row, ..)| wanted.reader == Typed::Is(row.id)).or(people.first());
    let grid = match wanted {
        Some((row, ..)) => Some(Grid::load(&state, &page, row.id, None).await?),
        None => None,
    };
    page.show(&SkillsPage { page: &page, readers: people, grid })
}

/// Writes one cell; answers htmx with the reader's grid and a toast that undoes it.
async fn set_cell(who: Allowed<Administer>, state: State, page: Page, form: web::Form<CellForm>) -> Answer {
    let change = skill_cells::set(&state, doer(&who, &state)?, &form).await?;
    if !page.fragment {
        return Ok(see_other(false, &format!("/skills?reader={}", change.reader)));
    }
    page.show(&Grid::load(&state, &page, change.reader, Some(change)).await?)
}

async fn export(who: Allowed<Administer>, state: State) -> Answer {
    let actor = doer(&who, &state)?;
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
    let actor = doer(&who, &state)?;
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
