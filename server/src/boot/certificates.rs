//! Certificates of TLS, of DICOM and of the pages: read at the start, and again when their files change or at SIGHUP.
//!
//! A file that cannot be used stops the start; later it leaves what was read before in use, and says so once.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use dokuei_dicom_gateway::tls::{FilesError, OwnCertificate, TlsClient, TlsServer};
use tokio::signal::unix::{SignalKind, signal};

use super::Services;
use crate::config::Config;
use crate::state::State;

/// How often files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// What peers are called with over TLS; nothing where no certificate is set.
pub(super) fn client(config: &Config) -> anyhow::Result<Option<Arc<TlsClient>>> {
    let load = |files| TlsClient::load(files).map(Arc::new).context("dicom.tls_certificate");
    config.dicom.tls_files().map(load).transpose()
}

/// Reads the client's files again when they change.
pub(super) fn watch_client(state: &State, services: &mut Services) {
    if let Some(client) = state.dicom_tls.clone() {
        watch(state, services, "certificates of the sender", move || client.reload());
    }
}

/// Reads the listener's files again when they change.
pub(super) fn watch_server(state: &State, services: &mut Services, server: Arc<TlsServer>) {
    watch(state, services, "certificates of the receiver", move || server.reload());
}

/// Reads the files of the pages' certificate again when they change.
pub(super) fn watch_pages(state: &State, services: &mut Services, certificate: Arc<OwnCertificate>) {
    watch(state, services, "certificate of the pages", move || certificate.reload());
}

fn watch(
    state: &State,
    services: &mut Services,
    name: &'static str,
    reload: impl Fn() -> Result<bool, FilesError> + Send + Sync + 'static,
) {
    let state = state.clone();
    services.add(name, async move {
        let mut hangup = signal(SignalKind::hangup()).context("SIGHUP cannot be heard")?;
        let mut last_fault = String::new();
        loop {
            tokio::select! {
                _ = hangup.recv() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
                () = state.stopped() => return Ok(()),
            }
            match reload() {
                Ok(true) => {
                    tracing::info!("{name}: read again");
                    last_fault.clear();
                }
                Ok(false) => last_fault.clear(),
                Err(error) => {
                    let fault = error.to_string();
                    if fault != last_fault {
                        tracing::error!(error = %fault, "{name}: what was read before stays in use");
                    }
                    last_fault = fault;
                }
            }
        }
    });
}
