//! The service that takes DICOM in.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::scp::IndexedLibrary;
use dokuei_dicom_gateway::scu::Timeouts;
use dokuei_dicom_gateway::tls::TlsServer;
use dokuei_models::store::endpoints::EndpointRow;
use tokio::net::TcpListener;

use super::{Services, certificates};
use crate::app::{peers, receiving};
use crate::state::State;

/// Begins to listen; returns the address.
pub(super) async fn begin(state: &State, services: &mut Services) -> anyhow::Result<Option<SocketAddr>> {
    let settings = &state.config.dicom;
    let ae_title = AeTitle::parse(&settings.ae_title)?;
    let listener = bind(settings.address).await?;
    let address = listener.local_addr()?;
    let asking = state.clone();
    let calling = move |endpoint: &EndpointRow| peers::destination(&asking, endpoint, Timeouts::default()).ok();
    let library = Arc::new(IndexedLibrary::new(state.db.clone(), state.objects.clone(), Arc::new(calling)));
    let receiver = receiving::receiver(state, ae_title, Some(library));
    if let (Some(address), Some(files)) = (settings.tls_address, settings.tls_files()) {
        let server = TlsServer::load(files, settings.tls_certificate_required).context("dicom.tls_certificate")?;
        let (server, tls_listener) = (Arc::new(server), bind(address).await?);
        services.dicom_tls = Some(tls_listener.local_addr()?);
        certificates::watch_server(state, services, Arc::clone(&server));
        let (receiver, stop) = (receiver.clone(), state.stop.clone());
        services.add("the DICOM listener over TLS", async move {
            receiver.serve(tls_listener, Some(server), stop).await;
            Ok(())
        });
    }
    let stop = state.stop.clone();
    services.add("the DICOM listener", async move {
        receiver.serve(listener, None, stop).await;
        Ok(())
    });
    Ok(Some(address))
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address)
        .await
        .with_context(|| format!("DICOM cannot listen on {address} (is another Dokuei running?)"))
}
