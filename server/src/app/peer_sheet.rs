//! What an administrator of a PACS wants to know of each peer: when it was last heard of, whether it answers, what
//! came and went, and why it was turned away.

use std::collections::BTreeMap;

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_models::store::commitments::{self, CommitmentRow};
use dokuei_models::store::endpoint_states::{self, EndpointStateRow};
use dokuei_models::store::peer_counts::{self, PeerCount};
use dokuei_models::store::quarantine::{self, RefusalRow};
use dokuei_models::store::sites::{self, EndpointRow, SiteRow};
use dokuei_models::store::spooled::{self, SpoolNode};
use dokuei_models::{Connection, EndpointId, SiteId, StoreError, japan};

use crate::error::{Error, Result};
use crate::state::State;

/// Days that the small chart shows.
const DAYS: i64 = 7;
/// Refusals that are looked at.
const MOST: i64 = 5_000;
/// Storage commitments of a peer that are shown.
const COMMITMENTS: i64 = 10;

/// One peer.
#[derive(Debug, Clone)]
pub struct PeerLine {
    /// Its settings.
    pub row: EndpointRow,
    /// Its site.
    pub site: SiteRow,
    /// How it was found when it was last called, and what it showed over TLS.
    pub state: Option<EndpointStateRow>,
    /// What came and went in the last 24 hours.
    pub day: PeerCount,
    /// What came and went in the last 7 days.
    pub week: PeerCount,
    /// Instances that came on each of the last 7 days in Japan, today's last.
    pub per_day: Vec<i64>,
    /// How often it was turned away in the last 24 hours.
    pub refused_day: usize,
    /// Why it was turned away in the last 7 days, the newest first.
    pub refusals: Vec<Refused>,
    /// The storage commitments that it asked for last, the newest first.
    pub commitments: Vec<CommitmentRow>,
}

/// One reason for which somebody was turned away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// As the gateway says it.
    pub reason: String,
    /// The address he called from.
    pub address: String,
    /// How often.
    pub times: usize,
    /// When last (UTC).
    pub last_at: NaiveDateTime,
}

impl PeerLine {
    /// How often it was turned away in the last 7 days.
    pub fn refused_week(&self) -> usize {
        self.refusals.iter().map(|one| one.times).sum()
    }

    /// Since when it does not answer echoes.
    pub fn failing_since(&self) -> Option<NaiveDateTime> {
        self.state.as_ref().and_then(|state| state.failing_since)
    }

    /// When the certificate ends that it last showed.
    pub fn certificate_not_after(&self) -> Option<NaiveDateTime> {
        self.state.as_ref().and_then(|state| state.certificate_not_after)
    }
}

/// Every peer, and who failed before he said who he is.
#[derive(Debug, Clone)]
pub struct Peers {
    /// By site and name.
    pub lines: Vec<PeerLine>,
    /// Refusals of callers without a name, as those who fail at TLS.
    pub nameless: Vec<Refused>,
    /// What waits for the bucket, by node: of nodes that hold something or were heard of in the last day.
    pub spools: Vec<SpoolNode>,
}

/// Every peer.
///
/// # Errors
/// What the database says.
pub async fn list(state: &State) -> Result<Peers> {
    let now = state.now();
    Ok(state.db.read(move |conn| load(conn, now)).await?)
}

/// One peer.
///
/// # Errors
/// `not_found`.
pub async fn get(state: &State, endpoint: EndpointId) -> Result<PeerLine> {
    let peers = list(state).await?;
    peers.lines.into_iter().find(|line| line.row.id == endpoint).ok_or_else(Error::not_found)
}

fn load(conn: &mut Connection, now: NaiveDateTime) -> Result<Peers, StoreError> {
    let site_rows: BTreeMap<SiteId, SiteRow> =
        sites::site_list(conn)?.into_iter().map(|site| (site.id, site)).collect();
    let mut states: BTreeMap<EndpointId, EndpointStateRow> =
        endpoint_states::endpoint_state_list(conn)?.into_iter().map(|row| (row.endpoint_id, row)).collect();
    let (day_ago, week_ago) = (now - TimeDelta::days(1), now - TimeDelta::days(DAYS));
    let after = now + TimeDelta::seconds(1);
    let day = peer_counts::peer_count_list(conn, day_ago, after)?;
    let week = peer_counts::peer_count_list(conn, week_ago, after)?;
    let today = japan::midnight(japan::day(now));
    let mut per_day = Vec::new();
    for back in (0..DAYS).rev() {
        let begins = today - TimeDelta::days(back);
        per_day.push(peer_counts::peer_count_list(conn, begins, begins + TimeDelta::days(1))?);
    }
    let refusals = quarantine::refusal_list(conn, week_ago, MOST)?.0;
    let mut lines: Vec<PeerLine> = Vec::new();
    for row in sites::endpoint_list(conn, None)? {
        let Some(site) = site_rows.get(&row.site_id).cloned() else { continue };
        let own: Vec<&RefusalRow> = refusals.iter().filter(|one| one.calling_ae == row.ae_title).collect();
        let of = |counts: &BTreeMap<EndpointId, PeerCount>| counts.get(&row.id).copied().unwrap_or_default();
        lines.push(PeerLine {
            state: states.remove(&row.id),
            day: of(&day),
            week: of(&week),
            per_day: per_day.iter().map(|counts| of(counts).received).collect(),
            refused_day: own.iter().filter(|one| one.at >= day_ago).count(),
            refusals: grouped(&own),
            commitments: commitments::commitment_list(conn, row.id, COMMITMENTS)?,
            site,
            row,
        });
    }
    lines.sort_by(|a, b| (&a.site.code, &a.row.name, a.row.id).cmp(&(&b.site.code, &b.row.name, b.row.id)));
    let nameless: Vec<&RefusalRow> = refusals.iter().filter(|one| one.calling_ae.is_empty()).collect();
    let mut spools = spooled::spool_node_list(conn)?;
    spools.retain(|node| node.waiting > 0 || node.lost > 0 || node.seen_at >= day_ago);
    Ok(Peers { lines, nameless: grouped(&nameless), spools })
}

/// Refusals by reason and address; `rows` are the newest first.
fn grouped(rows: &[&RefusalRow]) -> Vec<Refused> {
    let mut found: Vec<Refused> = Vec::new();
    for row in rows {
        match found.iter_mut().find(|one| one.reason == row.reason && one.address == row.address) {
            Some(one) => one.times += 1,
            None => found.push(Refused {
                reason: row.reason.clone(),
                address: row.address.clone(),
                times: 1,
                last_at: row.at,
            }),
        }
    }
    found
}
