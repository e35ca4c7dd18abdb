//! The library over the index and the object store.

use std::ops::Range;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use chrono::Utc;
use dokuei_models::objects::Objects;
use dokuei_models::state::RequestState;
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::commitments::Reference;
use dokuei_models::store::endpoints::{EndpointRow, NameForm as Registered};
use dokuei_models::store::evidence::{self, EvidenceKind, NewEvidence};
use dokuei_models::store::image_search::{self, ImageKeys, Page, Scope};
use dokuei_models::store::performed_steps::{Made, StepChange, StepStatus};
use dokuei_models::store::requests::{self, RequestRow};
use dokuei_models::store::studies::InstanceRow;
use dokuei_models::store::{commitments, performed_steps, sites, submissions};
use dokuei_models::{Actor, Connection, Db, RequestId, SiteId, StoreError};

use super::commitment::Asked;
use super::library::{Found, Level, Library, LibraryError, Requester, Rights, Usage};
use super::performed_step::Availability;
use crate::ae_title::AeTitle;
use crate::charset::{NameForm, Repertoire};
use crate::commitment::{self, Findings};
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

/// The job that brings a commitment's answer; its key is the row's id.
pub const REPORT_COMMITMENT: &str = "report_commitment";

/// Longest worklist of a site.
const WORKLIST: i64 = 2000;

/// How often a transaction that lost a race is run again.
const ATTEMPTS: usize = 5;

impl IndexedLibrary {
    async fn tx<T, F>(&self, change: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: Fn(&mut Connection) -> Result<T, StoreError> + Clone + Send + 'static,
    {
        let mut attempt = 1;
        loop {
            match self.db.tx(change.clone()).await {
                Err(error) if error.is_transient() && attempt < ATTEMPTS => attempt += 1,
                outcome => return outcome,
            }
        }
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

    async fn waiting(&self, who: &Requester) -> Result<Vec<RequestRow>, LibraryError> {
        let site = who.peer.site;
        let waiting =
            move |conn: &mut Connection| requests::request_list_in(conn, RequestState::Waiting, Some(site), WORKLIST);
        Ok(self.db.read(waiting).await?)
    }

    async fn study_uids_given(&self, who: &Requester, given: &[(RequestId, String)]) -> Result<(), LibraryError> {
        let (site, given) = (who.peer.site, given.to_vec());
        let change = self.tx(move |conn| {
            for (request, uid) in &given {
                requests::request_study_uid_in_tx(conn, site, *request, uid)?;
            }
            Ok(())
        });
        Ok(change.await?)
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
        let row = move |conn: &mut Connection| {
            audit::append_in_tx(conn, &actor, action, subject, outcome, &detail.to_string())
        };
        if let Err(error) = self.tx(row).await {
            tracing::error!(%error, "a query or retrieval was not recorded");
        }
    }
    async fn commitment_asked(
        &self,
        who: &Requester,
        transaction_uid: &str,
        items: &[Reference],
    ) -> Result<Asked, LibraryError> {
        let (site, endpoint) = (who.peer.site, who.peer.endpoint);
        let (transaction, items) = (transaction_uid.to_owned(), items.to_vec());
        let row = self.db.read(move |conn| submissions::endpoint_get(conn, endpoint)).await?;
        let by_job = row.port > 0 && (self.calling)(&row).is_some();
        let actor = Actor::peer(who.calling.as_str(), &who.from.to_string(), Utc::now().naive_utc());
        let asked = self.tx(move |conn| {
            let job = by_job.then_some(REPORT_COMMITMENT);
            let id = commitments::commitment_ask_in_tx(conn, site, endpoint, &transaction, &items, job, actor.at)?;
            let subject = Subject::row("commitment", id, Some(site));
            let detail = serde_json::json!({"items": items.len()}).to_string();
            audit::append_in_tx(conn, &actor, "dicom.commitment", subject, "done", &detail)?;
            Ok(id)
        });
        Ok(Asked { commitment: asked.await?, by_job })
    }

    async fn verify(&self, who: &Requester, items: &[Reference]) -> Result<Findings, LibraryError> {
        let findings = commitment::verify(&self.db, &self.objects, who.peer.site, items).await;
        findings.map_err(|error| LibraryError(error.to_string()))
    }

    async fn commitment_reported(&self, asked: Asked, findings: &Findings) {
        let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
        let (committed, failed) = (count(findings.committed.len()), count(findings.failed.len()));
        let at = Utc::now().naive_utc();
        let id = asked.commitment;
        let noted = self.tx(move |conn| commitments::commitment_reported_in_tx(conn, id, committed, failed, at)).await;
        if let Err(error) = noted {
            tracing::error!(%error, "a storage commitment's answer was not noted");
        }
    }

    async fn step_created(&self, who: &Requester, uid: &str, studies: &[String]) -> Result<StepChange, LibraryError> {
        let (site, endpoint) = (who.peer.site, who.peer.endpoint);
        let (uid, studies) = (uid.to_owned(), studies.to_vec());
        let actor = Actor::peer(who.calling.as_str(), &who.from.to_string(), Utc::now().naive_utc());
        let change = self.tx(move |conn| {
            let change = performed_steps::step_create_in_tx(conn, site, endpoint, &uid, &studies, actor.at)?;
            record(conn, &actor, who_is(endpoint.0, site), "dicom.step", change == StepChange::Done, "created")?;
            Ok(change)
        });
        Ok(change.await?)
    }

    async fn step_set(
        &self,
        who: &Requester,
        uid: &str,
        status: Option<StepStatus>,
        made: Option<&[Made]>,
    ) -> Result<StepChange, LibraryError> {
        let (site, endpoint) = (who.peer.site, who.peer.endpoint);
        let (uid, made) = (uid.to_owned(), made.map(<[Made]>::to_vec));
        let actor = Actor::peer(who.calling.as_str(), &who.from.to_string(), Utc::now().naive_utc());
        let change = self.tx(move |conn| {
            let change = performed_steps::step_set_in_tx(conn, site, &uid, status, made.as_deref(), actor.at)?;
            let word = status.map_or("changed", StepStatus::code);
            record(conn, &actor, who_is(endpoint.0, site), "dicom.step", change == StepChange::Done, word)?;
            Ok(change)
        });
        Ok(change.await?)
    }

    async fn available(&self, who: &Requester, said: &Availability) -> Result<(), LibraryError> {
        let (site, endpoint) = (who.peer.site, who.peer.endpoint);
        let actor = Actor::peer(who.calling.as_str(), &who.from.to_string(), Utc::now().naive_utc());
        let count: usize = said.series.iter().map(|(_, instances)| instances.len()).sum();
        let series =
            said.series.iter().map(|(uid, instances)| serde_json::json!({"series": uid, "instances": instances.len()}));
        let new = NewEvidence {
            site,
            study_uid: said.study_uid.clone(),
            kind: EvidenceKind::Ian,
            source: said.notification.clone(),
            expected_instances: Some(i32::try_from(count).unwrap_or(i32::MAX)),
            detail: serde_json::json!({"series": series.collect::<Vec<_>>(), "unavailable": said.unavailable}),
            at: actor.at,
        };
        let kept = self.tx(move |conn| {
            evidence::evidence_record_in_tx(conn, &new)?;
            record(conn, &actor, who_is(endpoint.0, site), "dicom.availability", true, "")
        });
        Ok(kept.await?)
    }
}

fn who_is(endpoint: i64, site: SiteId) -> Subject {
    Subject::row("endpoint", endpoint, Some(site))
}

fn record(
    conn: &mut Connection,
    actor: &Actor,
    subject: Subject,
    action: &str,
    done: bool,
    detail: &str,
) -> Result<(), StoreError> {
    audit::append_in_tx(conn, actor, action, subject, if done { "done" } else { "refused" }, detail)
}
