//! DICOM endpoints of sites: entered, changed, called with an echo; and the strangers that were turned away.

use std::net::IpAddr;
use std::time::{Duration, Instant};

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::scp::Refusal;
use dokuei_dicom_gateway::scu::{self, Timeouts, Tried};
use dokuei_dicom_gateway::tls::PeerCertificate;
use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::endpoint_states::{self, ShownTls};
use dokuei_models::store::sites::{self, EndpointRow, NameForm, PeerTls};
use dokuei_models::store::{endpoints, quarantine, submissions};
use dokuei_models::{Actor, Connection, EndpointId, SiteId, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::peers::{self, Sentence};
use super::typed::{Faults, Typed};
use super::{admission, changes};
use crate::error::codes::{admin as codes, common};
use crate::error::{Error, Result};
use crate::state::State;

/// How long an administrator waits for a peer.
const PATIENCE: Timeouts = Timeouts { connect: Duration::from_secs(5), answer: Duration::from_secs(10) };
/// Strangers of this long are shown.
const STRANGERS_OF: TimeDelta = TimeDelta::days(7);

/// An endpoint as it is entered. Numbers may come as texts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct EndpointForm {
    /// The version that was seen; not looked at for a new endpoint.
    pub version: i32,
    /// Its site; an endpoint keeps it.
    #[schema(value_type = Option<i64>)]
    pub site: Typed<SiteId>,
    /// What people call it.
    pub name: String,
    /// Its AE title.
    pub ae_title: String,
    /// Whether it sends to us.
    pub sends: bool,
    /// The addresses and ranges it may call from, parted by commas.
    pub addresses: String,
    /// Whether signed reports are returned to it.
    pub receives: bool,
    /// Where it listens.
    pub host: String,
    /// The port it listens on.
    #[schema(value_type = Option<i32>)]
    pub port: Typed<i32>,
    /// Whether it is in use.
    pub active: bool,
    /// Whether it may query and retrieve here (C-FIND, C-GET, C-MOVE).
    pub queries: bool,
    /// `none` or `required`; nothing is `none`.
    pub tls: String,
    /// SHA-256 of the certificate it shows, 64 hexadecimal digits with or without colons; may be empty.
    pub certificate_sha256: String,
    /// The Specific Character Set (0008,0005) of what is sent to it; empty means the study's own.
    pub character_set: String,
    /// `all`, `romaji` or `kana`: the groups of a name it is sent; nothing is `all`.
    pub name_form: String,
    /// Whether it is called with an echo from time to time.
    pub watched: bool,
}

/// The values of Specific Character Set that a peer can be sent (PS3.3 C.12.1.1.2).
pub const CHARACTER_SETS: [&str; 7] = [
    "ISO_IR 192",
    "\\ISO 2022 IR 87",
    "\\ISO 2022 IR 87\\ISO 2022 IR 159",
    "ISO 2022 IR 13\\ISO 2022 IR 87",
    "ISO_IR 13",
    "ISO_IR 100",
    "ISO_IR 6",
];

/// A fingerprint as rows hold it: 64 small hexadecimal digits, or nothing.
fn fingerprint(text: &str) -> Option<String> {
    let digits: String = text.chars().filter(|c| !matches!(c, ':' | ' ')).map(|c| c.to_ascii_lowercase()).collect();
    (digits.is_empty() || digits.len() == 64 && digits.chars().all(|c| c.is_ascii_hexdigit())).then_some(digits)
}

impl EndpointForm {
    /// A new endpoint that sends.
    pub fn fresh(site: Option<SiteId>) -> Self {
        Self { site: site.into(), name: "PACS".to_owned(), sends: true, active: true, ..Self::default() }
    }

    /// An endpoint as it is.
    pub fn of(row: &EndpointRow) -> Self {
        Self {
            version: row.version,
            site: row.site_id.into(),
            name: row.name.clone(),
            ae_title: row.ae_title.clone(),
            sends: row.sends,
            addresses: row.addresses.clone(),
            receives: row.receives,
            host: row.host.clone(),
            port: (row.port > 0).then_some(row.port).into(),
            active: row.active,
            queries: row.queries,
            tls: row.tls.code().to_owned(),
            certificate_sha256: row.certificate_sha256.clone(),
            character_set: row.character_set.clone(),
            name_form: row.name_form.code().to_owned(),
            watched: row.watched,
        }
    }

    /// The row of it, over what was known of it.
    fn check(&self, known: Option<&EndpointRow>) -> Result<EndpointRow> {
        let mut faults = Faults::default();
        let ae_title = AeTitle::parse(&self.ae_title).map(|title| title.as_str().to_owned());
        if ae_title.is_err() {
            faults.add("ae_title", &codes::AE_TITLE);
        }
        let addresses: Vec<&str> = self.addresses.split([',', '、', ' ']).filter(|one| !one.is_empty()).collect();
        if (self.sends || self.queries) && addresses.is_empty() || !addresses.iter().all(|one| admission::is_range(one))
        {
            faults.add("addresses", &codes::ADDRESSES);
        }
        let host = self.host.trim();
        let legal = |c: char| c.is_ascii_alphanumeric() || ".-_:".contains(c);
        if host.is_empty() && (self.receives || self.watched) || host.len() > 253 || !host.chars().all(legal) {
            faults.add("host", &codes::HOST);
        }
        let port = faults.optional("port", &self.port).unwrap_or(0);
        if !(0..=65_535).contains(&port) || port == 0 && (self.receives || !host.is_empty()) {
            faults.add("port", &codes::PORT);
        }
        if !self.sends && !self.receives && !self.queries && host.is_empty() {
            faults.add("sends", &codes::ENDPOINT_DOES_NOTHING);
        }
        let tls = faults.code("tls", &self.tls, PeerTls::None);
        let name_form = faults.code("name_form", &self.name_form, NameForm::All);
        let certificate_sha256 = fingerprint(&self.certificate_sha256);
        if certificate_sha256.is_none() {
            faults.add("certificate_sha256", &codes::FINGERPRINT);
        }
        let character_set = self.character_set.trim();
        if !character_set.is_empty() && !CHARACTER_SETS.contains(&character_set) {
            faults.add("character_set", &common::FIELD_INVALID);
        }
        let row = EndpointRow {
            id: known.map_or(EndpointId(0), |row| row.id),
            site_id: faults.required("site", &self.site).unwrap_or(SiteId(0)),
            name: faults.text("name", &self.name, 60),
            kind: known.map_or_else(|| "site".to_owned(), |row| row.kind.clone()),
            sends: self.sends,
            receives: self.receives,
            ae_title: ae_title.unwrap_or_default(),
            host: host.to_owned(),
            port,
            addresses: addresses.join(","),
            active: self.active,
            last_contact_at: None,
            last_error: None,
            version: self.version,
            queries: self.queries,
            tls,
            certificate_sha256: certificate_sha256.unwrap_or_default(),
            character_set: character_set.to_owned(),
            name_form,
            watched: self.watched,
        };
        faults.done()?;
        Ok(row)
    }
}

/// Whether another endpoint in use could be the one that calls.
fn is_ambiguous(conn: &mut Connection, row: &EndpointRow) -> Result<bool, StoreError> {
    let others = endpoints::endpoint_list_of_title(conn, &row.ae_title, Some(row.id))?;
    Ok(row.active
        && row.calls()
        && others.iter().any(|one| one.active && one.calls() && admission::lists_meet(&one.addresses, &row.addresses)))
}

fn taken() -> Error {
    Error::new(&common::FORM_INVALID).field("ae_title", &codes::AE_TITLE_TAKEN)
}

/// Makes an endpoint.
///
/// # Errors
/// `form_invalid`, `not_found` for its site.
pub async fn create(state: &State, actor: Actor, form: &EndpointForm) -> Result<EndpointId> {
    let row = form.check(None)?;
    let detail = changes::between(&EndpointForm::default(), form);
    let made = state
        .db
        .tx(move |conn| {
            let site = sites::site_get(conn, row.site_id)?.id;
            if is_ambiguous(conn, &row)? {
                return Ok(None);
            }
            let id = sites::endpoint_insert_in_tx(conn, &row)?;
            append_in_tx(conn, &actor, "endpoint.create", Subject::row("endpoint", id.0, Some(site)), "done", &detail)?;
            Ok(Some(id))
        })
        .await?;
    made.ok_or_else(taken)
}

/// Changes an endpoint. Its site stays.
///
/// # Errors
/// `form_invalid`, `not_found`, `conflict` when somebody was first.
pub async fn update(state: &State, actor: Actor, endpoint: EndpointId, form: &EndpointForm) -> Result<()> {
    let known = get(state, endpoint).await?;
    let form = EndpointForm { site: known.site_id.into(), ..form.clone() };
    let row = form.check(Some(&known))?;
    let detail = changes::between(&EndpointForm::of(&known), &form);
    let changed = state
        .db
        .tx(move |conn| {
            if is_ambiguous(conn, &row)? {
                return Ok(false);
            }
            endpoints::endpoint_update_in_tx(conn, &row)?;
            let subject = Subject::row("endpoint", endpoint.0, Some(row.site_id));
            append_in_tx(conn, &actor, "endpoint.change", subject, "done", &detail)?;
            Ok(true)
        })
        .await?;
    if changed { Ok(()) } else { Err(taken()) }
}

/// One endpoint.
///
/// # Errors
/// `not_found`.
pub async fn get(state: &State, endpoint: EndpointId) -> Result<EndpointRow> {
    Ok(state.db.read(move |conn| submissions::endpoint_get(conn, endpoint)).await?)
}

/// What became of an echo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Echo {
    /// From the connection's begin to the answer, or to giving up, in milliseconds.
    pub ms: u64,
    /// What was tried, in order; empty where it could not even begin.
    pub steps: Vec<Tried>,
    /// The certificate that the peer has shown.
    pub certificate: Option<PeerCertificate>,
    /// Why it did not answer; nothing where it did.
    pub failure: Option<Sentence>,
}

/// Calls an endpoint with a C-ECHO, step by step, and notes the contact, or why there was none.
///
/// # Errors
/// `not_found`, `form_invalid` when it has no host and port.
pub async fn echo(state: &State, actor: Actor, endpoint: EndpointId) -> Result<Echo> {
    let row = get(state, endpoint).await?;
    if row.host.is_empty() || row.port == 0 {
        return Err(Error::new(&codes::ECHO_NOWHERE));
    }
    // One that is switched off may be tried before it is switched on.
    let echo = call(state, &EndpointRow { active: true, ..row.clone() }, PATIENCE).await;
    let noted = echo.clone();
    state
        .db
        .tx(move |conn| {
            let subject = Subject::row("endpoint", endpoint.0, Some(row.site_id));
            let detail = serde_json::json!({ "ms": noted.ms }).to_string();
            note_in_tx(conn, endpoint, &noted, 0, actor.at)?;
            let outcome = if noted.failure.is_none() { "done" } else { "failed" };
            append_in_tx(conn, &actor, "endpoint.echo", subject, outcome, &detail)
        })
        .await?;
    Ok(echo)
}

/// Calls an endpoint with a C-ECHO. Nothing is written.
pub async fn call(state: &State, row: &EndpointRow, patience: Timeouts) -> Echo {
    let begun = Instant::now();
    let (steps, certificate, failure) = match peers::destination(state, row, patience) {
        Ok(to) => {
            let probe = scu::probe(&to).await;
            let failure = probe.failure().map(peers::sentence);
            (probe.steps, probe.certificate, failure)
        }
        Err(sentence) => (Vec::new(), None, Some(sentence)),
    };
    let ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    Echo { ms, steps, certificate, failure }
}

/// Notes how a call ended. A failure shows as the endpoint's fault once it came more than `tolerated` times in a row.
///
/// # Errors
/// What the database says.
pub fn note_in_tx(
    conn: &mut Connection,
    endpoint: EndpointId,
    echo: &Echo,
    tolerated: i32,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    let ms = i32::try_from(echo.ms).unwrap_or(i32::MAX);
    let kept = echo.failure.as_ref().map(Sentence::kept);
    let failures = endpoint_states::endpoint_echo_in_tx(conn, endpoint, at, ms, kept.as_deref())?;
    if let Some(one) = &echo.certificate {
        let certificate = Some((one.sha256.clone(), one.subject.clone(), one.not_after.naive_utc()));
        let shown = ShownTls { version: String::new(), certificate };
        endpoint_states::endpoint_tls_in_tx(conn, endpoint, at, &shown)?;
    }
    match kept {
        None => endpoints::endpoint_contact_in_tx(conn, endpoint, at),
        Some(error) if failures > tolerated => endpoints::endpoint_error_in_tx(conn, endpoint, &error),
        Some(_) => Ok(()),
    }
}

/// Somebody who was turned away, with how often.
#[derive(Debug, Clone)]
pub struct Stranger {
    /// The AE title that he called himself.
    pub calling_ae: String,
    /// The AE title that he called.
    pub called_ae: String,
    /// His address.
    pub address: String,
    /// Why, as the gateway says it.
    pub reason: String,
    /// When he last called (UTC).
    pub last_at: NaiveDateTime,
    /// How often he called.
    pub times: usize,
    /// The endpoint of his AE title whose addresses do not hold his.
    pub known: Option<EndpointRow>,
}

/// Who was turned away in the last week and would be again, the newest first.
///
/// # Errors
/// What the database says.
pub async fn strangers(state: &State) -> Result<Vec<Stranger>> {
    let since = state.now() - STRANGERS_OF;
    let load = move |conn: &mut Connection| {
        let mut found: Vec<Stranger> = Vec::new();
        for row in quarantine::refusal_list(conn, since, 500)?.0 {
            let same = |one: &&mut Stranger| {
                (&one.calling_ae, &one.called_ae, &one.address) == (&row.calling_ae, &row.called_ae, &row.address)
            };
            if let Some(stranger) = found.iter_mut().find(same) {
                stranger.times += 1;
                continue;
            }
            let (calling_ae, called_ae, address) = (row.calling_ae, row.called_ae, row.address);
            let (reason, last_at) = (row.reason, row.at);
            found.push(Stranger { calling_ae, called_ae, address, reason, last_at, times: 1, known: None });
        }
        let mut would_be_refused = Vec::new();
        for mut stranger in found {
            let known = sites::endpoint_list_by_ae(conn, &stranger.calling_ae)?;
            let from: Option<IpAddr> = stranger.address.parse().ok();
            let wrong_name = stranger.reason == Refusal::CalledUnknown.code();
            // Whoever failed at TLS is shown among the peers, where their certificates are.
            if stranger.reason.starts_with("tls_") || stranger.reason.starts_with("certificate_") {
                continue;
            }
            let may = from.is_some_and(|from| known.iter().any(|one| admission::is_allowed(one, from)));
            if wrong_name || !may {
                stranger.known = known.into_iter().next();
                would_be_refused.push(stranger);
            }
        }
        Ok(would_be_refused)
    };
    Ok(state.db.read(load).await?)
}
