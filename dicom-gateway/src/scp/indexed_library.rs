//! The library over the index and the object store.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::Utc;
use dokuei_models::objects::Objects;
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::endpoints::{EndpointRow, NameForm as Registered};
use dokuei_models::store::image_search::{self, ImageKeys, Page, Scope};
use dokuei_models::store::studies::InstanceRow;
use dokuei_models::store::{sites, submissions};
use dokuei_models::{Actor, Db, StoreError};

use super::library::{Found, Level, Library, LibraryError, Requester, Rights, Usage};
use crate::ae_title::AeTitle;
use crate::charset::{NameForm, Repertoire};
use crate::scu::Destination;

/// How a registered endpoint is called; `None` if it cannot be.
pub type Calling = Arc<dyn Fn(&EndpointRow) -> Option<Destination> + Send + Sync>;

/// Finds in [`Db`], reads from [`Objects`].
#[derive(Clone)]
pub struct IndexedLibrary {
    db: Db,
    objects: Objects,
    calling: Calling,
}

impl IndexedLibrary {
    /// `calling` says how a move destination is reached.
    pub fn new(db: Db, objects: Objects, calling: Calling) -> Self {
        Self { db, objects, calling }
    }
}

impl From<StoreError> for LibraryError {
    fn from(error: StoreError) -> Self {
        Self(error.to_string())
    }
}

#[async_trait]
impl Library for IndexedLibrary {
    async fn rights(&self, who: &Requester) -> Result<Rights, LibraryError> {
        let endpoint = who.peer.endpoint;
        let row = self.db.read(move |conn| submissions::endpoint_get(conn, endpoint)).await?;
        let registered = (!row.character_set.is_empty()).then(|| Repertoire::parse(&row.character_set));
        if matches!(registered, Some(None)) {
            tracing::warn!(calling = %who.calling, "the endpoint's character set cannot be written");
        }
        let names = match row.name_form {
            Registered::All => NameForm::All,
            Registered::Romaji => NameForm::Romaji,
            Registered::Kana => NameForm::Kana,
        };
        Ok(Rights { queries: who.peer.queries, repertoire: registered.flatten(), names })
    }

    async fn find(
        &self,
        who: &Requester,
        level: Level,
        keys: &ImageKeys,
        page: Page,
    ) -> Result<Vec<Found>, LibraryError> {
        let (scope, keys) = (Scope::Sites(vec![who.peer.site]), keys.clone());
        let found = self.db.read(move |conn| {
            Ok(match level {
                Level::Patient => {
                    let found = image_search::patient_search(conn, &scope, &keys, page)?;
                    found.into_iter().map(Found::Patient).collect()
                }
                Level::Study => {
                    let found = image_search::study_search(conn, &scope, &keys, page)?;
                    found.into_iter().map(Found::Study).collect()
                }
                Level::Series => {
                    let found = image_search::series_search(conn, &scope, &keys, page)?;
                    found.into_iter().map(Found::Series).collect()
                }
                Level::Image => {
                    let found = image_search::instance_search(conn, &scope, &keys, page)?;
                    found.into_iter().map(|found| Found::Instance(Box::new(found))).collect::<Vec<_>>()
                }
            })
        });
        Ok(found.await?)
    }

    async fn read(&self, instance: &InstanceRow, range: Range<u64>) -> Result<Bytes, LibraryError> {
        let bytes = self.objects.get_range(&instance.object_key, range).await;
        bytes.map_err(|error| LibraryError(error.to_string()))
    }

    async fn destination(&self, who: &Requester, ae_title: &AeTitle) -> Result<Option<Destination>, LibraryError> {
        let site = who.peer.site;
        let rows = self.db.read(move |conn| sites::endpoint_list(conn, Some(site))).await?;
        let wanted = |row: &&EndpointRow| {
            row.ae_title == ae_title.as_str() && row.active && (row.receives || row.queries) && row.port > 0
        };
        Ok(rows.iter().find(wanted).and_then(|row| (self.calling)(row)))
    }

    async fn used(&self, who: &Requester, usage: Usage) {
        let actor = Actor::peer(who.calling.as_str(), &who.from.to_string(), Utc::now().naive_utc());
        let subject = Subject::row("endpoint", who.peer.endpoint.0, Some(who.peer.site));
        let (action, outcome) = match usage.service {
            "find" | "worklist" => ("dicom.query", if usage.status == 0 { "done" } else { "refused" }),
            _ => ("dicom.retrieve", if usage.failed == 0 && usage.status == 0 { "done" } else { "refused" }),
        };
        let detail = serde_json::json!({
            "service": usage.service, "level": usage.level, "count": usage.count, "failed": usage.failed,
            "destination": usage.destination, "status": format!("{:04X}", usage.status),
        });
        let row = move |conn: &mut dokuei_models::Connection| {
            audit::append_in_tx(conn, &actor, action, subject, outcome, &detail.to_string())
        };
        if let Err(error) = self.db.tx(row).await {
            tracing::error!(%error, "a query or retrieval was not recorded");
        }
    }
}
