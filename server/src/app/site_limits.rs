//! What a site may send: as an administrator enters it, and as the gateway holds a caller to it.

use std::time::Duration;

use chrono::{NaiveDateTime, TimeDelta};
use dokuei_dicom_gateway::scp::{SiteLimits, Volume};
use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::site_limits::{self, SiteLimitsRow};
use dokuei_models::{Actor, Connection, EndpointId, SiteId, StoreError};
use serde::{Deserialize, Serialize};

use super::endpoints;
use super::typed::{Faults, Typed};
use crate::error::Result;
use crate::state::State;

const MEGABYTE: u64 = 1_000_000;

/// The limits of a site as they are entered. Empty is without limit, or as for everybody.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct LimitsForm {
    /// Associations at once.
    pub associations: Typed<i32>,
    /// Megabytes over one association.
    pub association_megabytes: Typed<i32>,
    /// Objects over one association.
    pub association_objects: Typed<i32>,
    /// Longest association, in minutes.
    pub association_minutes: Typed<i32>,
    /// Longest silence within an association, in seconds.
    pub idle_seconds: Typed<i32>,
    /// Megabytes in an hour.
    pub hour_megabytes: Typed<i32>,
    /// Megabytes in a day.
    pub day_megabytes: Typed<i32>,
}

impl LimitsForm {
    /// Limits as they are.
    pub fn of(row: &SiteLimitsRow) -> Self {
        Self {
            associations: row.associations.into(),
            association_megabytes: row.association_megabytes.into(),
            association_objects: row.association_objects.into(),
            association_minutes: row.association_minutes.into(),
            idle_seconds: row.idle_seconds.into(),
            hour_megabytes: row.hour_megabytes.into(),
            day_megabytes: row.day_megabytes.into(),
        }
    }

    fn check(&self) -> Result<SiteLimitsRow> {
        let mut faults = Faults::default();
        let mut number = |field: &'static str, typed: &Typed<i32>, most: i32| match typed {
            Typed::Empty => None,
            typed => Some(faults.number(field, typed, 1..=most)),
        };
        let row = SiteLimitsRow {
            associations: number("associations", &self.associations, 1_000),
            association_megabytes: number("association_megabytes", &self.association_megabytes, 10_000_000),
            association_objects: number("association_objects", &self.association_objects, 10_000_000),
            association_minutes: number("association_minutes", &self.association_minutes, 1_440),
            idle_seconds: number("idle_seconds", &self.idle_seconds, 3_600),
            hour_megabytes: number("hour_megabytes", &self.hour_megabytes, 100_000_000),
            day_megabytes: number("day_megabytes", &self.day_megabytes, 100_000_000),
        };
        faults.done()?;
        Ok(row)
    }
}

/// The limits of an endpoint's site.
///
/// # Errors
/// `not_found`.
pub async fn get(state: &State, endpoint: EndpointId) -> Result<SiteLimitsRow> {
    let site = endpoints::get(state, endpoint).await?.site_id;
    Ok(state.db.read(move |conn| site_limits::site_limits_get(conn, site)).await?)
}

/// Writes the limits of an endpoint's site; they hold for associations that begin from now on.
///
/// # Errors
/// `form_invalid`, `not_found`.
pub async fn set(state: &State, actor: Actor, endpoint: EndpointId, form: &LimitsForm) -> Result<()> {
    let site = endpoints::get(state, endpoint).await?.site_id;
    let row = form.check()?;
    let detail = serde_json::to_string(form).unwrap_or_default();
    state
        .db
        .tx(move |conn| {
            site_limits::site_limits_set_in_tx(conn, site, &row)?;
            append_in_tx(conn, &actor, "site.limits", Subject::row("site", site.0, Some(site)), "done", &detail)
        })
        .await?;
    Ok(())
}

/// What the gateway holds a site to from `now` on, with what it has sent in the hour and the day before.
pub(super) fn of(conn: &mut Connection, site: SiteId, now: NaiveDateTime) -> Result<SiteLimits, StoreError> {
    let row = site_limits::site_limits_get(conn, site)?;
    let number = |number: Option<i32>| number.and_then(|number| u64::try_from(number).ok());
    let mut volume = |megabytes: Option<i32>, span: TimeDelta| {
        let Some(most) = number(megabytes) else { return Ok::<_, StoreError>(None) };
        let came = site_limits::site_volume_since(conn, site, now - span)?;
        Ok(Some(Volume { most: most * MEGABYTE, came }))
    };
    Ok(SiteLimits {
        hour: volume(row.hour_megabytes, TimeDelta::hours(1))?,
        day: volume(row.day_megabytes, TimeDelta::days(1))?,
        associations: number(row.associations).and_then(|number| usize::try_from(number).ok()),
        bytes: number(row.association_megabytes).map(|megabytes| megabytes * MEGABYTE),
        objects: row.association_objects.and_then(|number| u32::try_from(number).ok()),
        idle: number(row.idle_seconds).map(Duration::from_secs),
        association: number(row.association_minutes).map(|minutes| Duration::from_secs(minutes * 60)),
    })
}
