//! Listens, and gives every connection a task of its own.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::account::Accounts;
use super::association::{self, Shared};
use super::desk::{AssociationSummary, Caller, Desk, Outcome, Refusal, Tally};
use super::doors::{Doors, Place};
use super::library::Library;
use super::limits::Limits;
use super::negotiate;
use crate::ae_title::AeTitle;
use crate::intake::Archive;
use crate::tls::TlsServer;
use crate::wire::{Link, Wire};

/// How the receiver is called and what it allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScpConfig {
    /// The title that peers must call.
    pub ae_title: AeTitle,
    /// What they may take.
    pub limits: Limits,
}

/// Places and memory for what is received, which the receivers of one process share.
#[derive(Clone)]
pub struct Places {
    pub(super) doors: Arc<Doors>,
    pub(super) accounts: Arc<Accounts>,
}

impl Places {
    /// As many as the limits say.
    pub fn new(limits: &Limits) -> Self {
        Self { doors: Doors::new(limits), accounts: Arc::new(Accounts::new(limits)) }
    }
}

/// As [`serve_with`], without queries and retrieval.
pub async fn serve(
    listener: TcpListener,
    config: ScpConfig,
    desk: Arc<dyn Desk>,
    archive: Arc<dyn Archive>,
    shutdown: watch::Receiver<bool>,
) {
    serve_with(listener, config, desk, archive, None, shutdown).await;
}

/// Receives on `listener` as [`Receiver::serve`] without TLS.
pub async fn serve_with(
    listener: TcpListener,
    config: ScpConfig,
    desk: Arc<dyn Desk>,
    archive: Arc<dyn Archive>,
    library: Option<Arc<dyn Library>>,
    shutdown: watch::Receiver<bool>,
) {
    Receiver::new(config, desk, archive, library).serve(listener, None, shutdown).await;
}

/// A receiver that may listen at several doors, whose limits hold for all of them together.
#[derive(Clone)]
pub struct Receiver {
    pub(super) shared: Arc<Shared>,
}

impl Receiver {
    /// A receiver that does not listen yet, with places of its own.
    pub fn new(
        config: ScpConfig,
        desk: Arc<dyn Desk>,
        archive: Arc<dyn Archive>,
        library: Option<Arc<dyn Library>>,
    ) -> Self {
        let places = Places::new(&config.limits);
        Self::among(places, config, desk, archive, library)
    }

    /// One that shares its places with others.
    pub fn among(
        places: Places,
        config: ScpConfig,
        desk: Arc<dyn Desk>,
        archive: Arc<dyn Archive>,
        library: Option<Arc<dyn Library>>,
    ) -> Self {
        Self { shared: Arc::new(Shared { config, desk, archive, library, places }) }
    }

    /// Receives on `listener`, over TLS where `tls` is given, until `shutdown` becomes true or its sender is dropped.
    /// Associations may then finish the object they are at, within [`Limits::grace`]; those that wait are aborted at
    /// once.
    pub async fn serve(self, listener: TcpListener, tls: Option<Arc<TlsServer>>, shutdown: watch::Receiver<bool>) {
        listen(listener, self.shared, tls, shutdown).await;
    }

    /// Speaks with one caller over a stream that is open already, as with each that [`Receiver::serve`] lets in, and
    /// returns when the association has ended and the desk knows. Takes no place.
    pub async fn speak<L: Link>(&self, link: L, caller: Caller, shutdown: watch::Receiver<bool>) {
        association::run(link, caller, Arc::clone(&self.shared), shutdown).await;
    }
}

async fn listen(
    listener: TcpListener,
    shared: Arc<Shared>,
    tls: Option<Arc<TlsServer>>,
    mut shutdown: watch::Receiver<bool>,
) {
    let grace = shared.config.limits.grace;
    let mut associations = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = shutdown.wait_for(|stop| *stop) => break,
            Some(ended) = associations.join_next(), if !associations.is_empty() => {
                if let Err(error) = ended {
                    tracing::error!(%error, "an association's task died");
                }
                continue;
            }
            accepted = listener.accept() => accepted,
        };
        match accepted {
            Ok((stream, from)) => {
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "TCP_NODELAY was refused");
                }
                let shared = Arc::clone(&shared);
                match shared.places.doors.enter(from.ip()) {
                    Ok(place) => {
                        associations.spawn(admit(stream, from, shared, place, tls.clone(), shutdown.clone()));
                    }
                    // Whoever would speak TLS is not shaken hands with only to be told that there is no place.
                    Err(_) if tls.is_some() => drop(stream),
                    Err(refusal) => {
                        associations.spawn(turn_away(stream, from, shared, refusal));
                    }
                }
            }
            Err(error) => {
                // Out of file handles, most likely: others will end.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
    drop(listener);
    let ended = tokio::time::timeout(grace, async { while associations.join_next().await.is_some() {} }).await;
    if ended.is_err() {
        tracing::warn!(left = associations.len(), "associations were cut off at shutdown");
        associations.shutdown().await;
    }
}

async fn admit(
    stream: TcpStream,
    from: SocketAddr,
    shared: Arc<Shared>,
    place: Place,
    tls: Option<Arc<TlsServer>>,
    shutdown: watch::Receiver<bool>,
) {
    let from = from.ip();
    match tls {
        None => association::run(stream, Caller { from, tls: None }, shared, shutdown).await,
        Some(server) => {
            let started_at = Utc::now();
            match timeout(shared.config.limits.request, server.accept(stream)).await {
                Ok(Ok((stream, tls))) => {
                    let caller = Caller { from, tls: Some(tls) };
                    association::run(stream, caller, shared, shutdown).await;
                }
                Ok(Err(Some(fault))) => {
                    tracing::info!(%from, reason = %fault, "TLS did not come about");
                    refused(&shared, from, started_at, Refusal::TlsFailed(fault)).await;
                }
                // A port scan or a health check: nobody asked for anything.
                Ok(Err(None)) | Err(_) => {}
            }
        }
    }
    drop(place);
}

/// Tells the desk of somebody who was turned away before he said who he is.
async fn refused(shared: &Shared, from: IpAddr, started_at: DateTime<Utc>, refusal: Refusal) {
    let summary = AssociationSummary {
        calling: String::new(),
        called: String::new(),
        from,
        tls: None,
        admission: None,
        started_at,
        ended_at: Utc::now(),
        outcome: Outcome::Refused(refusal),
        fetched: false,
        tally: Tally::default(),
    };
    shared.desk.ended(summary).await;
}

/// Says that there is no place. The request is not waited for long, so that the
/// refused cannot pile up.
async fn turn_away(stream: TcpStream, from: SocketAddr, shared: Arc<Shared>, refusal: Refusal) {
    tracing::info!(from = %from.ip(), reason = %refusal, "an association was refused");
    let started_at = Utc::now();
    let mut wire = Wire::new(stream, shared.config.limits.max_pdu, Duration::from_secs(1));
    if wire.next().await.is_ok()
        && let Err(error) = wire.send(&negotiate::reject(refusal)).await
    {
        tracing::debug!(%error, "a rejection could not be sent");
    }
    wire.shutdown().await;
    refused(&shared, from.ip(), started_at, refusal).await;
}
