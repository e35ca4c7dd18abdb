//! The service that serves pages and API.

use std::net::{SocketAddr, TcpListener};

use actix_web::HttpServer;
use anyhow::Context as _;

use super::Services;
use crate::http;
use crate::state::State;

/// Binds and begins to serve; returns the address (with the port that was free, where 0 was asked for).
pub(super) async fn begin(state: &State, services: &mut Services) -> anyhow::Result<SocketAddr> {
    crate::app::keys::prepare(state).await.context("the signing keys")?;
    let config = &state.config.http;
    let listener =
        TcpListener::bind(config.address).with_context(|| format!("http.address {} is not free", config.address))?;
    let address = listener.local_addr()?;
    let shared = state.clone();
    let server = HttpServer::new(move || http::application(shared.clone()))
        .workers(config.workers)
        .disable_signals()
        .shutdown_timeout(2)
        .listen(listener)?
        .run();
    let handle = server.handle();
    let stopping = state.clone();
    services.add("http", async move {
        tokio::spawn(async move {
            stopping.stopped().await;
            handle.stop(true).await;
        });
        server.await.map_err(anyhow::Error::from)
    });
    Ok(address)
}
