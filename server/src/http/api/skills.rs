//! The skill table, as the sheet that people keep.

use actix_web::{HttpResponse, web};
use dokuei_models::store::audit::{Subject, append_in_tx};
use serde::Serialize;
use utoipa::ToSchema;

use super::super::admin::doer;
use super::super::{Answer, Routes};
use crate::app::skill_table;
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::state::State;
use crate::wake::Topic;

/// Registers both ways.
pub(super) fn routes(routes: &mut Routes) {
    routes.get("/api/v1/skills.csv", skills_export);
    routes.put("/api/v1/skills.csv", skills_import);
}

/// The whole table as CSV, UTF-8 with a byte order mark.
#[utoipa::path(get, path = "/api/v1/skills.csv", tag = "administration",
    responses((status = 200, content_type = "text/csv", body = String)))]
pub(super) async fn skills_export(who: Allowed<Administer>, state: State) -> Answer {
    let actor = doer(&who, &state)?;
    let text = state
        .db
        .tx(move |conn| {
            append_in_tx(conn, &actor, "skills.export", Subject::none("skills"), "done", "")?;
            skill_table::export(conn)
        })
        .await?;
    Ok(HttpResponse::Ok()
        .insert_header(("content-type", "text/csv; charset=utf-8"))
        .body([b"\xef\xbb\xbf".as_slice(), text.as_bytes()].concat()))
}

/// How many cells were written.
#[derive(Serialize, ToSchema)]
struct WrittenShape {
    cells: usize,
}

/// What is wrong with a sheet; nothing was written.
#[derive(Serialize, ToSchema)]
struct FaultsShape {
    /// Per fault: `row`, `column`, `kind`, `found`.
    #[schema(value_type = Vec<Object>)]
    faults: Vec<skill_table::SheetFault>,
}

/// Takes a sheet in UTF-8 or CP932, whole or not at all; the pools are planned anew.
#[utoipa::path(put, path = "/api/v1/skills.csv", tag = "administration",
    request_body(content = String, content_type = "text/csv"),
    responses((status = 200, body = WrittenShape),
        (status = 422, description = "Every fault of the sheet", body = FaultsShape)))]
pub(super) async fn skills_import(who: Allowed<Administer>, state: State, body: web::Bytes) -> Answer {
    let actor = doer(&who, &state)?;
    let outcome = match skill_table::read_sheet(&body) {
        Err(faults) => Err(faults),
        Ok(sheet) => state.db.tx(move |conn| skill_table::import_in_tx(conn, &actor, &sheet)).await?,
    };
    Ok(match outcome {
        Ok(cells) => {
            state.wake.tell(Topic::Jobs);
            HttpResponse::Ok().json(WrittenShape { cells })
        }
        Err(faults) => HttpResponse::UnprocessableEntity().json(FaultsShape { faults }),
    })
}
