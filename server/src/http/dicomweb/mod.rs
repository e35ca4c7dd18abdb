//! DICOMweb (PS3.18): `/dicomweb/sites/{code}/…` and `/dicomweb/cases/{id}/…`.
//!
//! | service | file |
//! |---|---|
//! | QIDO-RS, searching | `qido` with `query` (what is asked) and `attributes` (what is told) |
//! | WADO-RS, studies, series, instances whole | `wado` |
//! | WADO-RS, metadata and bulk data | `metadata`, `bulk` |
//! | WADO-RS, frames | `frames` |
//! | WADO-RS, rendered and thumbnail | `rendered` |
//! | STOW-RS | `stow` with `stow_answer` |
//!
//! What is pure, and tested without a server: `accept`, `multipart`, `query`, `attributes`, `stow_answer`.

mod accept;
mod attributes;
mod bulk;
mod cors;
mod frames;
mod metadata;
mod multipart;
mod qido;
mod query;
mod rendered;
mod stow;
mod stow_answer;
mod wado;

use actix_web::HttpRequest;
use serde::Deserialize;

use crate::app::dicomweb::{Root, RootRight};
use crate::authority::rights::{SeeImages, SeeReads, Submit};
use crate::error::Error;
use crate::error::codes::dicomweb as codes;
use crate::http::Routes;
use crate::state::State;

pub use cors::{allow, is_known, preflight};

/// What an address names.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Place {
    root: String,
    study: Option<String>,
    series: Option<String>,
    instance: Option<String>,
    frames: Option<String>,
    bulk: Option<String>,
}

/// Registers every route of both kinds of roots.
pub fn routes(routes: &mut Routes) {
    below::<SeeImages>(routes);
    below::<SeeReads>(routes);
    let sites = format!("/dicomweb/{}/{{root}}/studies", Submit::KIND);
    routes.post(&sites, stow::store);
    routes.post(&format!("{sites}/{{study}}"), stow::store);
}

fn below<R: RootRight>(routes: &mut Routes) {
    let root = format!("/dicomweb/{}/{{root}}", R::KIND);
    let study = format!("{root}/studies/{{study}}");
    let series = format!("{study}/series/{{series}}");
    let instance = format!("{series}/instances/{{instance}}");

    routes.get(&format!("{root}/studies"), qido::studies::<R>);
    routes.get(&format!("{root}/series"), qido::series::<R>);
    routes.get(&format!("{root}/instances"), qido::instances::<R>);
    routes.get(&format!("{study}/series"), qido::series::<R>);
    routes.get(&format!("{study}/instances"), qido::instances::<R>);
    routes.get(&format!("{series}/instances"), qido::instances::<R>);

    for place in [&study, &series, &instance] {
        routes.get(place, wado::retrieve::<R>);
        routes.get(&format!("{place}/metadata"), metadata::metadata::<R>);
        routes.get(&format!("{place}/thumbnail"), rendered::thumbnail::<R>);
    }
    routes.get(&format!("{instance}/rendered"), rendered::rendered::<R>);
    routes.get(&format!("{instance}/bulkdata/{{bulk:.+}}"), bulk::bulk::<R>);
    routes.get(&format!("{instance}/frames/{{frames}}"), frames::frames::<R>);
    routes.get(&format!("{instance}/frames/{{frames}}/rendered"), rendered::rendered::<R>);
    routes.get(&format!("{instance}/frames/{{frames}}/thumbnail"), rendered::thumbnail::<R>);
}

/// The absolute address of a root, for the addresses in answers.
fn base(state: &State, request: &HttpRequest, root: &Root) -> String {
    match &state.config.http.public_url {
        Some(url) => format!("{}{}", url.trim_end_matches('/'), root.path),
        None => {
            let host = request.headers().get("host").and_then(|value| value.to_str().ok()).unwrap_or("localhost");
            format!("http://{host}{}", root.path)
        }
    }
}

fn not_acceptable(reason: &str, offered: &str) -> Error {
    Error::new(&codes::NOT_ACCEPTABLE).with("reason", reason).with("offered", offered)
}
