//! The service that copies the spool to the bucket, and the sweeping of what a crash left half received.

use std::time::Duration;

use anyhow::Context as _;

use super::Services;
use crate::state::State;
use crate::work;

/// Nobody writes to a half-received object for so long and goes on.
const IDLE: Duration = Duration::from_secs(3600);

/// Sweeps, and begins to copy where there is a spool.
pub(super) async fn begin(state: &State, services: &mut Services) -> anyhow::Result<()> {
    let objects = state.objects.clone();
    match tokio::task::spawn_blocking(move || objects.sweep_temporary(IDLE)).await? {
        Ok(0) => {}
        Ok(swept) => tracing::info!(swept, "half-received objects were removed"),
        Err(error) => tracing::warn!(%error, "half-received objects were not removed"),
    }
    let Some(spool) = state.objects.bucket_spool() else { return Ok(()) };
    if state.config.objects.node_url.is_none()
        && let Some(address) = services.http.filter(|address| !address.ip().is_unspecified())
    {
        spool.announce(&format!("http://{address}")).await.context("the spool")?;
    }
    let copying = state.clone();
    services.add("copying to the bucket", async move {
        work::copy_spool::run(copying).await;
        Ok(())
    });
    Ok(())
}
