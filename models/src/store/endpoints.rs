//! Changes to DICOM endpoints, and when they were last heard of.

use chrono::NaiveDateTime;
use diesel::prelude::*;

use super::sites::EndpointRow;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::EndpointId;
use crate::schema::site_endpoints;

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
