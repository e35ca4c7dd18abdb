//! What every part of a process shares: settings, database, objects, signals, time and chance.

use std::future::{Ready, ready};
use std::ops::Deref;
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest};
use chrono::NaiveDateTime;
use dokuei_dicom_gateway::scp::Places;
use dokuei_dicom_gateway::tls::TlsClient;
use dokuei_models::Db;
use dokuei_models::objects::Objects;
use tokio::sync::watch;

use crate::app::dicomweb::Memory;
use crate::app::passwords::Passwords;
use crate::app::receiving;
use crate::clock::{Chance, Clock};
use crate::config::Config;
use crate::error::Error;
use crate::wake::Wake;

/// A handle to what is shared; clones are cheap.
#[derive(Clone)]
pub struct State(Arc<Shared>);

struct Shared {
    parts: Parts,
    images: Memory,
    places: Places,
}

/// What is shared.
pub struct Parts {
    /// Settings.
    pub config: Config,
    /// The door to the database.
    pub db: Db,
    /// Images and artefacts.
    pub objects: Objects,
    /// Signals between parts.
    pub wake: Wake,
    /// How peers are called with TLS, where that is set up.
    pub dicom_tls: Option<Arc<TlsClient>>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Unguessable bytes and seeds.
    pub chance: Arc<dyn Chance>,
    /// Hashes and proves passwords.
    pub passwords: Passwords,
    /// What `/metrics` shows.
    pub metrics: metrics_exporter_prometheus::PrometheusHandle,
    /// Becomes true when the process stops.
    pub stop: watch::Receiver<bool>,
}

impl State {
    /// Shares `parts`.
    pub fn new(parts: Parts) -> Self {
        let places = Places::new(&receiving::limits(&parts.config));
        Self(Arc::new(Shared { parts, images: Memory::default(), places }))
    }

    /// The current time as rows hold it (UTC).
    pub fn now(&self) -> NaiveDateTime {
        self.clock.stamp()
    }

    /// What DICOMweb remembers between requests.
    pub fn images(&self) -> &Memory {
        &self.0.images
    }

    /// Places and memory for what is received.
    pub fn places(&self) -> &Places {
        &self.0.places
    }

    /// Waits until the process stops.
    pub async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // An error means that the sender is gone: then the process is stopping as well.
        let _ = stop.wait_for(|stop| *stop).await;
    }
}

impl Deref for State {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0.parts
    }
}

impl FromRequest for State {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(
            request
                .app_data::<Self>()
                .cloned()
                .ok_or_else(|| Error::internal(anyhow::anyhow!("the application has no state"))),
        )
    }
}
