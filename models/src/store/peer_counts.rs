//! How much came from each peer and went to it, over a span of time.

use std::collections::BTreeMap;

use chrono::NaiveDateTime;
use diesel::dsl::{count_star, sum};
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::EndpointId;
use crate::schema::{arrivals, deliveries};
use crate::state::DeliveryState;

/// What came and went.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PeerCount {
    /// Associations that brought objects.
    pub associations: i64,
    /// New instances.
    pub received: i64,
    /// Instances that were here already.
    pub repeated: i64,
    /// Objects kept apart for a person.
    pub quarantined: i64,
    /// Objects that were not kept; the sender was told.
    pub failed: i64,
    /// Reports delivered to it.
    pub sent: i64,
    /// Reports that could not be delivered and wait for a person.
    pub undelivered: i64,
}

/// What came from and went to each peer from a moment on, up to before another. Peers with nothing are left out.
///
/// # Errors
/// What the database says.
pub fn peer_count_list(
    conn: &mut Connection,
    from: NaiveDateTime,
    to: NaiveDateTime,
) -> Result<BTreeMap<EndpointId, PeerCount>, StoreError> {
    let mut counts: BTreeMap<EndpointId, PeerCount> = BTreeMap::new();
    type Sums = (Option<EndpointId>, i64, Option<i64>, Option<i64>, Option<i64>, Option<i64>);
    let came: Vec<Sums> = arrivals::table
        .filter(arrivals::endpoint_id.is_not_null())
        .filter(arrivals::started_at.ge(from))
        .filter(arrivals::started_at.lt(to))
        .group_by(arrivals::endpoint_id)
        .select((
            arrivals::endpoint_id,
            count_star(),
            sum(arrivals::kept),
            sum(arrivals::repeated),
            sum(arrivals::quarantined),
            sum(arrivals::failed),
        ))
        .load(conn)?;
    for (endpoint, associations, received, repeated, quarantined, failed) in came {
        let Some(endpoint) = endpoint else { continue };
        let count = counts.entry(endpoint).or_default();
        count.associations = associations;
        count.received = received.unwrap_or_default();
        count.repeated = repeated.unwrap_or_default();
        count.quarantined = quarantined.unwrap_or_default();
        count.failed = failed.unwrap_or_default();
    }
    let went: Vec<(Option<EndpointId>, i64)> = deliveries::table
        .filter(deliveries::endpoint_id.is_not_null())
        .filter(deliveries::delivered_at.ge(from))
        .filter(deliveries::delivered_at.lt(to))
        .group_by(deliveries::endpoint_id)
        .select((deliveries::endpoint_id, count_star()))
        .load(conn)?;
    let stuck: Vec<(Option<EndpointId>, i64)> = deliveries::table
        .filter(deliveries::endpoint_id.is_not_null())
        .filter(deliveries::state.eq(DeliveryState::Dead))
        .filter(deliveries::created_at.ge(from))
        .filter(deliveries::created_at.lt(to))
        .group_by(deliveries::endpoint_id)
        .select((deliveries::endpoint_id, count_star()))
        .load(conn)?;
    for (endpoint, number) in went {
        if let Some(endpoint) = endpoint {
            counts.entry(endpoint).or_default().sent = number;
        }
    }
    for (endpoint, number) in stuck {
        if let Some(endpoint) = endpoint {
            counts.entry(endpoint).or_default().undelivered = number;
        }
    }
    Ok(counts)
}
