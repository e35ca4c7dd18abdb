//! DICOM endpoints: what a peer of a site is, changes to it, and when it was last heard of.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use crate::codes::codes;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{EndpointId, SiteId};
use crate::schema::site_endpoints;

/// A site's DICOM node.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = site_endpoints)]
pub struct EndpointRow {
    /// The row's id.
    pub id: EndpointId,
    /// The site.
    pub site_id: SiteId,
    /// What people call it.
    pub name: String,
    /// `site`, `engine` or `viewer`.
    pub kind: String,
    /// Whether it sends to us.
    pub sends: bool,
    /// Whether signed reports are returned to it.
    pub receives: bool,
    /// Its AE title.
    pub ae_title: String,
    /// Where it listens; empty when it only sends.
    pub host: String,
    /// The port it listens on; 0 when it only sends.
    pub port: i32,
    /// The addresses it may call from, parted by commas; empty means that no address is accepted.
    pub addresses: String,
    /// Whether it is in use.
    pub active: bool,
    /// When it was last heard of.
    pub last_contact_at: Option<NaiveDateTime>,
    /// What went wrong last.
    pub last_error: Option<String>,
    /// For optimistic locking.
    pub version: i32,
    /// Whether it may query and retrieve here (C-FIND, C-GET, C-MOVE).
    pub queries: bool,
    /// Whether it must speak TLS.
    pub tls: PeerTls,
    /// SHA-256 of the one certificate it may show (DER), 64 small hexadecimal digits; empty where the CA decides.
    pub certificate_sha256: String,
    /// The value of Specific Character Set (0008,0005) of what is sent to it; empty means the study's own.
    pub character_set: String,
    /// Which groups of a person's name it is sent.
    pub name_form: NameForm,
    /// Whether it is called with an echo from time to time.
    pub watched: bool,
}

impl EndpointRow {
    /// Whether it may open associations to us at all.
    pub fn calls(&self) -> bool {
        self.sends || self.queries
    }
}

impl Default for EndpointRow {
    /// A node of a site that does nothing yet; not a row.
    fn default() -> Self {
        Self {
            id: EndpointId(0),
            site_id: SiteId(0),
            name: String::new(),
            kind: "site".to_owned(),
            sends: false,
            receives: false,
            ae_title: String::new(),
            host: String::new(),
            port: 0,
            addresses: String::new(),
            active: true,
            last_contact_at: None,
            last_error: None,
            version: 1,
            queries: false,
            tls: PeerTls::None,
            certificate_sha256: String::new(),
            character_set: String::new(),
            name_form: NameForm::All,
            watched: false,
        }
    }
}

codes! {
    /// Whether a peer must speak TLS.
    PeerTls {
        /// Plain DICOM; TLS is accepted from it, not asked for.
        None => "none",
        /// Never without TLS, in either direction.
        Required => "required",
    }
}

codes! {
    /// Which of the three groups of a person's name (PS3.5 6.2.1.1) a peer is sent.
    NameForm {
        /// All that are known.
        All => "all",
        /// The alphabetic group alone, for a device without Japanese letters.
        Romaji => "romaji",
        /// Kana in place of kanji.
        Kana => "kana",
    }
}

/// Every endpoint of an AE title but one, switched off or not.
///
/// # Errors
/// What the database says.
pub fn endpoint_list_of_title(
    conn: &mut Connection,
    ae_title: &str,
    except: Option<EndpointId>,
) -> Result<Vec<EndpointRow>, StoreError> {
    Ok(site_endpoints::table
        .filter(site_endpoints::ae_title.eq(ae_title))
        .filter(site_endpoints::id.ne(except.unwrap_or(EndpointId(0))))
        .order(site_endpoints::id)
        .select(EndpointRow::as_select())
        .load(conn)?)
}

/// Writes an endpoint, where nobody changed the row since `endpoint.version`. Site and last contact stay.
///
/// # Errors
/// [`StoreError::Stale`] when somebody did.
pub fn endpoint_update_in_tx(conn: &mut Connection, endpoint: &EndpointRow) -> Result<(), StoreError> {
    let seen = site_endpoints::table.find(endpoint.id).filter(site_endpoints::version.eq(endpoint.version));
    let changed = diesel::update(seen)
        .set((
            site_endpoints::name.eq(&endpoint.name),
            site_endpoints::kind.eq(&endpoint.kind),
            site_endpoints::sends.eq(endpoint.sends),
            site_endpoints::receives.eq(endpoint.receives),
            site_endpoints::ae_title.eq(&endpoint.ae_title),
            site_endpoints::host.eq(&endpoint.host),
            site_endpoints::port.eq(endpoint.port),
            site_endpoints::addresses.eq(&endpoint.addresses),
            site_endpoints::active.eq(endpoint.active),
            site_endpoints::queries.eq(endpoint.queries),
            site_endpoints::tls.eq(endpoint.tls),
            site_endpoints::certificate_sha256.eq(&endpoint.certificate_sha256),
            site_endpoints::character_set.eq(&endpoint.character_set),
            site_endpoints::name_form.eq(endpoint.name_form),
            site_endpoints::watched.eq(endpoint.watched),
            site_endpoints::version.eq(endpoint.version + 1),
        ))
        .execute(conn)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Stale("the endpoint")) }
}

/// Notes that the peer was heard of: an association of its own, or an answer to ours. No change of the row's facts, so
/// its version stays.
///
/// # Errors
/// What the database says.
pub fn endpoint_contact_in_tx(
    conn: &mut Connection,
    endpoint: EndpointId,
    at: NaiveDateTime,
) -> Result<(), StoreError> {
    diesel::update(site_endpoints::table.find(endpoint))
        .set((site_endpoints::last_contact_at.eq(Some(at)), site_endpoints::last_error.eq(None::<String>)))
        .execute(conn)?;
    Ok(())
}

/// Notes why the peer could not be reached: a Japanese line and an English one.
///
/// # Errors
/// What the database says.
pub fn endpoint_error_in_tx(conn: &mut Connection, endpoint: EndpointId, error: &str) -> Result<(), StoreError> {
    diesel::update(site_endpoints::table.find(endpoint))
        .set(site_endpoints::last_error.eq(Some(error)))
        .execute(conn)?;
    Ok(())
}
