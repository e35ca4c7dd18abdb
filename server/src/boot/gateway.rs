//! The service that takes DICOM in.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::intake::IndexedArchive;
use dokuei_dicom_gateway::scp::{self, IndexedLibrary, Limits, ScpConfig};
use dokuei_dicom_gateway::scu::Timeouts;
use dokuei_models::store::endpoints::EndpointRow;
use tokio::net::TcpListener;

use super::Services;
use crate::app::admission::FrontDesk;
use crate::app::peers;
use crate::state::State;

/// Begins to listen; returns the address.
pub(super) async fn begin(state: &State, services: &mut Services) -> anyhow::Result<Option<SocketAddr>> {
    let settings = &state.config.dicom;
    let ae_title = AeTitle::parse(&settings.ae_title)?;
    let listener = TcpListener::bind(settings.address)
        .await
        .with_context(|| format!("DICOM cannot listen on {} (is another Dokuei running?)", settings.address))?;
    let address = listener.local_addr()?;
    let limits = Limits { associations: settings.max_associations, ..Limits::default() };
    let config = ScpConfig { ae_title: ae_title.clone(), limits };
    let desk = FrontDesk::new(state.clone(), ae_title);
    let archive = Arc::new(IndexedArchive::new(state.db.clone(), state.objects.clone()));
    let ours = settings.ae_title.clone();
    let calling = move |endpoint: &EndpointRow| peers::destination(&ours, endpoint, Timeouts::default()).ok();
    let library = Arc::new(IndexedLibrary::new(state.db.clone(), state.objects.clone(), Arc::new(calling)));
    let stop = state.stop.clone();
    services.add("the DICOM listener", async move {
        scp::serve_with(listener, config, desk, archive, Some(library), stop).await;
        Ok(())
    });
    Ok(Some(address))
}
