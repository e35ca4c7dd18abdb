//! A case as portable data, sent while it is packed.

use actix_web::HttpResponse;
use actix_web::http::header;
use dokuei_models::CaseId;
use futures_util::stream;
use serde::Deserialize;

use super::Answer;
use crate::app::medium;
use crate::authority::{Person, Reach};
use crate::state::State;

/// What else goes onto it.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(super) struct Priors {
    /// The studies for comparison too.
    #[serde(default)]
    priors: u8,
}

/// The ZIP. Its name holds no patient data: it stays in the downloads folder.
pub(super) async fn answer(state: &State, who: &Person, reach: Reach, case: CaseId, wanted: Priors) -> Answer {
    let chunks = medium::of_case(state, who, reach, case, wanted.priors == 1).await?;
    let body = stream::unfold(chunks, |mut chunks| async move { chunks.recv().await.map(|chunk| (chunk, chunks)) });
    Ok(HttpResponse::Ok()
        .content_type("application/zip")
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"case-{case}.zip\"")))
        .insert_header((header::CONTENT_ENCODING, "identity"))
        .streaming(body))
}
