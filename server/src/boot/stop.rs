//! Being asked to stop.

/// Waits for SIGINT or SIGTERM.
pub(super) async fn asked() {
    use tokio::signal::unix::{SignalKind, signal};
    let interrupt = signal(SignalKind::interrupt());
    let terminate = signal(SignalKind::terminate());
    match (interrupt, terminate) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        _ => {
            tracing::warn!("signals cannot be heard; only kill stops this process");
            std::future::pending::<()>().await;
        }
    }
}
