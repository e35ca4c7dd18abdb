//! How a peer was found when it was last called, and what it showed of itself over TLS.
//!
//! Facts, not settings: written by the echo monitor and at the end of each association, kept apart from the endpoint
//! so that no form meets a version that a machine has raised.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::endpoints::EndpointRow;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::EndpointId;
use crate::schema::{endpoint_states, site_endpoints, sites};

/// What is known of a peer's state.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = endpoint_states)]
pub struct EndpointStateRow {
    /// The peer.
    pub endpoint_id: EndpointId,
    /// When it was last called.
    pub echo_at: Option<NaiveDateTime>,
    /// How long its last answer took, in milliseconds.
    pub echo_ms: Option<i32>,
    /// When it last answered.
    pub answered_at: Option<NaiveDateTime>,
    /// When it first did not answer after its last answer.
    pub failing_since: Option<NaiveDateTime>,
    /// How often in a row it did not answer.
    pub failures: i32,
    /// Why not: a Japanese line and an English one.
    pub failure: Option<String>,
    /// When it last spoke TLS.
    pub tls_at: Option<NaiveDateTime>,
    /// `TLSv1_3` or `TLSv1_2`.
    pub tls_version: Option<String>,
    /// SHA-256 of the certificate that it showed.
    pub certificate_sha256: Option<String>,
    /// That certificate's subject.
    pub certificate_subject: Option<String>,
    /// When that certificate ends.
    pub certificate_not_after: Option<NaiveDateTime>,
}

/// What a peer showed over TLS.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ShownTls {
    /// `TLSv1_3` or `TLSv1_2`; empty where it is not known.
    pub version: String,
    /// SHA-256, subject and end of its certificate, where it showed one.
    pub certificate: Option<(String, String, NaiveDateTime)>,
}

/// The states that are known.
///
/// # Errors
/// What the database says.
pub fn endpoint_state_list(conn: &mut Connection) -> Result<Vec<EndpointStateRow>, StoreError> {
    Ok(endpoint_states::table.select(EndpointStateRow::as_select()).load(conn)?)
}

/// One state, where any is known.
///
/// # Errors
/// What the database says.
pub fn endpoint_state_get(conn: &mut Connection, endpoint: EndpointId) -> Result<Option<EndpointStateRow>, StoreError> {
    Ok(endpoint_states::table.find(endpoint).select(EndpointStateRow::as_select()).first(conn).optional()?)
}

/// The watched peers that can be called, of sites in use, with when each was last called.
///
/// # Errors
/// What the database says.
pub fn endpoint_list_watched(conn: &mut Connection) -> Result<Vec<(EndpointRow, Option<NaiveDateTime>)>, StoreError> {
    Ok(site_endpoints::table
        .inner_join(sites::table.on(sites::id.eq(site_endpoints::site_id)))
        .left_join(endpoint_states::table.on(endpoint_states::endpoint_id.eq(site_endpoints::id)))
        .filter(site_endpoints::watched.eq(true))
        .filter(site_endpoints::active.eq(true))
        .filter(sites::active.eq(true))
        .filter(site_endpoints::host.ne(""))
        .filter(site_endpoints::port.gt(0))
        .order(site_endpoints::id)
        .select((EndpointRow::as_select(), endpoint_states::echo_at.nullable()))
        .load(conn)?)
}

/// Notes an echo's end: how long the answer took, or why there was none. Returns how often in a row there was none.
///
/// # Errors
/// What the database says.
pub fn endpoint_echo_in_tx(
    conn: &mut Connection,
    endpoint: EndpointId,
    at: NaiveDateTime,
    ms: i32,
    failure: Option<&str>,
) -> Result<i32, StoreError> {
    ensure_in_tx(conn, endpoint)?;
    let row = endpoint_states::table.find(endpoint);
    match failure {
        None => {
            diesel::update(row)
                .set((
                    endpoint_states::echo_at.eq(Some(at)),
                    endpoint_states::echo_ms.eq(Some(ms)),
                    endpoint_states::answered_at.eq(Some(at)),
                    endpoint_states::failing_since.eq(None::<NaiveDateTime>),
                    endpoint_states::failures.eq(0),
                    endpoint_states::failure.eq(None::<String>),
                ))
                .execute(conn)?;
            Ok(0)
        }
        Some(failure) => {
            let (failures, since): (i32, Option<NaiveDateTime>) =
                row.select((endpoint_states::failures, endpoint_states::failing_since)).first(conn)?;
            diesel::update(row)
                .set((
                    endpoint_states::echo_at.eq(Some(at)),
                    endpoint_states::failing_since.eq(Some(since.unwrap_or(at))),
                    endpoint_states::failures.eq(failures + 1),
                    endpoint_states::failure.eq(Some(failure)),
                ))
                .execute(conn)?;
            Ok(failures + 1)
        }
    }
}

/// Notes what a peer showed over TLS.
///
/// # Errors
/// What the database says.
pub fn endpoint_tls_in_tx(
    conn: &mut Connection,
    endpoint: EndpointId,
    at: NaiveDateTime,
    shown: &ShownTls,
) -> Result<(), StoreError> {
    ensure_in_tx(conn, endpoint)?;
    let row = endpoint_states::table.find(endpoint);
    diesel::update(row).set(endpoint_states::tls_at.eq(Some(at))).execute(conn)?;
    if !shown.version.is_empty() {
        diesel::update(row).set(endpoint_states::tls_version.eq(Some(&shown.version))).execute(conn)?;
    }
    if let Some((sha256, subject, not_after)) = &shown.certificate {
        diesel::update(row)
            .set((
                endpoint_states::certificate_sha256.eq(Some(sha256)),
                endpoint_states::certificate_subject.eq(Some(subject)),
                endpoint_states::certificate_not_after.eq(Some(not_after)),
            ))
            .execute(conn)?;
    }
    Ok(())
}

fn ensure_in_tx(conn: &mut Connection, endpoint: EndpointId) -> Result<(), StoreError> {
    use diesel::sql_types::BigInt;
    diesel::sql_query("INSERT INTO endpoint_states (endpoint_id, failures) VALUES ($1, 0) ON CONFLICT DO NOTHING")
        .bind::<BigInt, _>(endpoint)
        .execute(conn)?;
    Ok(())
}
