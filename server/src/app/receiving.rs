//! Taking DICOM objects in: who listens and who fetches do it alike, and share places and memory in one process.

use std::sync::Arc;

use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::intake::IndexedArchive;
use dokuei_dicom_gateway::scp::{Library, Limits, Receiver, ScpConfig};

use super::admission::FrontDesk;
use crate::config::Config;
use crate::state::State;
use crate::wake::Topic;

/// What peers may take, as the settings say.
pub fn limits(config: &Config) -> Limits {
    let associations = config.dicom.max_associations;
    // One site leaves a quarter of the places to the others.
    let per_site = (associations - associations / 4).max(1);
    Limits { associations, per_site, ..Limits::default() }
}

/// A receiver that is called `ae_title`.
pub fn receiver(state: &State, ae_title: AeTitle, library: Option<Arc<dyn Library>>) -> Receiver {
    let config = ScpConfig { ae_title: ae_title.clone(), limits: limits(&state.config) };
    let desk = FrontDesk::new(state.clone(), ae_title);
    let wake = state.wake.clone();
    let archive = IndexedArchive::new(state.db.clone(), state.objects.clone());
    let archive = Arc::new(archive.telling(move || wake.tell(Topic::Jobs)));
    Receiver::among(state.places().clone(), config, desk, archive, library)
}
