//! Who may come in: calling AE title, address and certificate decide the site.
//!
//! A stranger is refused and recorded; so is a known AE title from an address
//! that was not agreed. Every association leaves one audit row, and its arrival
//! row is closed by the gateway.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::scp::{Admission, AssociationSummary, Caller, Desk, Outcome, Peer, Refusal};
use dokuei_dicom_gateway::tls::TlsCaller;
use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::endpoint_states::{self, ShownTls};
use dokuei_models::store::evidence::{self, EvidenceKind, NewEvidence};
use dokuei_models::store::jobs::{self, NewJob};
use dokuei_models::store::sites::{self, EndpointRow, PeerTls};
use dokuei_models::store::{endpoints, quarantine, submissions};
use dokuei_models::{Actor, Connection, StoreError};

use super::site_limits;
use crate::state::State;
use crate::wake::Topic;

/// The gateway's desk over the tables.
pub struct FrontDesk {
    state: State,
    ours: AeTitle,
}

impl FrontDesk {
    /// A desk that answers for `ours`.
    pub fn new(state: State, ours: AeTitle) -> Arc<Self> {
        Arc::new(Self { state, ours })
    }

    async fn lookup(&self, calling: &AeTitle, caller: &Caller) -> Result<Peer, Refusal> {
        let from = caller.from;
        let ae_title = calling.as_str().to_owned();
        let now = self.state.now();
        let found = self
            .state
            .db
            .read(move |conn| {
                let endpoints = sites::endpoint_list_by_ae(conn, &ae_title)?;
                let here = endpoints.iter().find(|endpoint| is_allowed(endpoint, from)).cloned();
                let peer = here.as_ref().map(|endpoint| peer(conn, endpoint, now)).transpose()?;
                Ok((endpoints.is_empty(), here.zip(peer)))
            })
            .await;
        match found {
            Ok((_, Some((endpoint, peer)))) => {
                caller.prove(endpoint.tls == PeerTls::Required, &endpoint.certificate_sha256)?;
                Ok(peer)
            }
            Ok((true, ..)) => Err(Refusal::CallingUnknown),
            Ok(_) => Err(Refusal::AddressNotAllowed),
            Err(error) => {
                tracing::error!(%error, "admission cannot be decided");
                Err(Refusal::Unavailable)
            }
        }
    }

    async fn record(&self, summary: AssociationSummary) -> Result<(), StoreError> {
        let at = self.state.now();
        self.state
            .db
            .tx(move |conn| {
                let actor = Actor::peer(&summary.calling, &summary.from.to_string(), at);
                if let Outcome::Refused(refusal) = summary.outcome {
                    let (from, reason) = (summary.from.to_string(), refusal.code());
                    quarantine::refusal_record_in_tx(conn, &summary.calling, &summary.called, &from, reason, at)?;
                    return audit::append_in_tx(
                        conn,
                        &actor,
                        "association.refused",
                        Subject::none("endpoint"),
                        "refused",
                        reason,
                    );
                }
                let Some(admission) = &summary.admission else { return Ok(()) };
                // What was cut off or refused on the way is told beside what was turned away.
                let from = summary.from.to_string();
                let cut = match summary.outcome {
                    Outcome::Cut(cut) => Some(cut.code()),
                    _ => None,
                };
                for reason in cut.into_iter().chain(summary.tally.limited.keys().copied()) {
                    quarantine::refusal_record_in_tx(conn, &summary.calling, &summary.called, &from, reason, at)?;
                }
                if let Some(tls) = &summary.tls {
                    endpoint_states::endpoint_tls_in_tx(conn, admission.peer.endpoint, at, &shown(tls))?;
                }
                let tally = &summary.tally;
                let detail = serde_json::json!({
                    "new": tally.new, "repeated": tally.repeated, "renewed": tally.renewed, "conflicting": tally.conflicting,
                    "quarantined": tally.quarantined, "failed": tally.failed, "echoes": tally.echoes,
                    "unasked": tally.unasked, "fetched": summary.fetched, "bytes": tally.bytes, "end": summary.outcome.word(), "cut": cut, "limited": tally.limited,
                });
                if matches!(summary.outcome, Outcome::Released) {
                    released_in_tx(conn, &summary, admission, at)?;
                }
                // An echo alone is a contact too.
                endpoints::endpoint_contact_in_tx(conn, admission.peer.endpoint, at)?;
                let subject = Subject::row("endpoint", admission.peer.endpoint.0, Some(admission.peer.site));
                audit::append_in_tx(conn, &actor, "association", subject, "done", &detail.to_string())
            })
            .await
    }
}

/// What an endpoint may do, and what its site may take.
///
/// # Errors
/// What the database says.
pub fn peer(conn: &mut Connection, endpoint: &EndpointRow, now: chrono::NaiveDateTime) -> Result<Peer, StoreError> {
    let site = sites::site_get(conn, endpoint.site_id)?;
    Ok(Peer {
        site: site.id,
        endpoint: endpoint.id,
        private_classes: site.unknown_classes,
        stores: endpoint.sends,
        queries: endpoint.queries,
        limits: site_limits::of(conn, site.id, now)?,
    })
}

/// What a caller showed over TLS, as rows keep it.
fn shown(tls: &TlsCaller) -> ShownTls {
    let certificate = tls.certificate.as_ref();
    let certificate = certificate.map(|one| (one.sha256.clone(), one.subject.clone(), one.not_after.naive_utc()));
    ShownTls { version: tls.version.clone(), certificate }
}

/// The association's end is evidence for each study it brought, which is looked at again at once.
fn released_in_tx(
    conn: &mut Connection,
    summary: &AssociationSummary,
    admission: &Admission,
    at: chrono::NaiveDateTime,
) -> Result<(), StoreError> {
    for (uid, count) in &summary.tally.studies {
        let said = NewEvidence {
            site: admission.peer.site,
            study_uid: uid.clone(),
            kind: EvidenceKind::Release,
            source: admission.arrival.map(|arrival| arrival.to_string()).unwrap_or_default(),
            expected_instances: None,
            detail: serde_json::json!({ "calling": summary.calling, "instances": count }),
            at,
        };
        evidence::evidence_record_in_tx(conn, &said)?;
        if let Some(study) = submissions::study_of_uid(conn, admission.peer.site, uid)? {
            jobs::enqueue_in_tx(conn, &NewJob::now("settle_study", study.to_string(), at))?;
        }
    }
    Ok(())
}

#[async_trait]
impl Desk for FrontDesk {
    async fn admit(&self, calling: &AeTitle, called: &AeTitle, caller: &Caller) -> Result<Peer, Refusal> {
        if *called != self.ours {
            return Err(Refusal::CalledUnknown);
        }
        self.lookup(calling, caller).await
    }

    async fn ended(&self, summary: AssociationSummary) {
        let site = summary.admission.as_ref().map(|admission| admission.peer.site);
        if let Err(error) = self.record(summary).await {
            tracing::error!(%error, "an association's end was not recorded");
        }
        self.state.wake.tell(Topic::Jobs);
        if let Some(site) = site {
            self.state.wake.tell(Topic::Portal(site.0));
        }
    }
}

/// Whether an endpoint may call from an address: one of its comma-parted addresses or prefixes (`10.1.2.0/24`).
pub fn is_allowed(endpoint: &EndpointRow, from: IpAddr) -> bool {
    endpoint.addresses.split(',').map(str::trim).filter(|text| !text.is_empty()).any(|text| matches(text, from))
}

fn matches(pattern: &str, from: IpAddr) -> bool {
    range(pattern).is_some_and(|range| meet(range, whole(from)))
}

/// A range of addresses: its first bits, how many of them count, and how many there are.
type Range = (u128, u32, u32);

fn whole(address: IpAddr) -> Range {
    match address.to_canonical() {
        IpAddr::V4(v4) => (u128::from(u32::from(v4)) << 96, 32, 32),
        IpAddr::V6(v6) => (u128::from(v6), 128, 128),
    }
}

fn range(pattern: &str) -> Option<Range> {
    let (base, length) = pattern.split_once('/').map_or((pattern, None), |(base, length)| (base, Some(length)));
    let (bits, width, _) = whole(base.parse().ok()?);
    let length = length.map_or(Ok(width), str::parse::<u32>).ok()?;
    (length <= width).then_some((bits, length, width))
}

fn meet((a, a_length, a_width): Range, (b, b_length, b_width): Range) -> bool {
    let length = a_length.min(b_length);
    a_width == b_width && (length == 0 || (a ^ b) >> (128 - length) == 0)
}

/// Whether a text is an address or a range (`10.1.2.0/24`).
pub fn is_range(pattern: &str) -> bool {
    range(pattern).is_some()
}

/// Whether two comma-parted lists of addresses and ranges have an address in common.
pub fn lists_meet(a: &str, b: &str) -> bool {
    let ranges = |list: &str| list.split(',').filter_map(|one| range(one.trim())).collect::<Vec<_>>();
    let b = ranges(b);
    ranges(a).into_iter().any(|one| b.iter().any(|other| meet(one, *other)))
}

#[cfg(test)]
mod tests {
    use super::{lists_meet, matches};

    #[test]
    fn an_address_is_one_of_those_agreed() {
        let from = |text: &str| text.parse().unwrap();
        assert!(matches("127.0.0.1", from("127.0.0.1")));
        assert!(matches("10.1.2.0/24", from("10.1.2.77")));
        assert!(!matches("10.1.2.0/24", from("10.1.3.77")));
        assert!(matches("127.0.0.1", from("::ffff:127.0.0.1")));
        assert!(!matches("0.0.0.0/0", from("2001:db8::1")));
        assert!(!matches("hospital", from("127.0.0.1")));
        assert!(!matches("10.0.0.0/40", from("10.0.0.1")));
    }

    #[test]
    fn two_lists_meet_where_one_address_could_be_either() {
        assert!(lists_meet("192.0.2.1, 10.0.0.0/8", "10.4.0.0/16"));
        assert!(!lists_meet("10.1.0.0/16", "10.2.0.0/16,::1"));
        assert!(!lists_meet("", "0.0.0.0/0"));
    }
}
