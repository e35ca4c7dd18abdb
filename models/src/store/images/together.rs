//! Instances that came shortly one after the other, indexed together.
//!
//! The first of a series goes the whole way; those beside it go into the rows that it found or made, under one insert and
//! one change of each count. What [`instances_keep_in_tx`] leaves behind is what
//! [`instance_keep_in_tx`](super::instance_keep_in_tx) leaves of each in turn.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDateTime;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Integer, Nullable, Text, Timestamp};

use super::{InstanceFacts, Kept, Placed, one_in_tx, quiet_from_in_tx};
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{ArrivalId, InstanceId, SiteId, StudyId};
use crate::objects::KeptObject;
use crate::schema::{series, studies};

/// Rows of one statement.
const ROWS: usize = 64;

/// An instance whose bytes are durable.
#[derive(Debug, Clone, Copy)]
pub struct Arrived<'a> {
    /// The site that sent it.
    pub site: SiteId,
    /// What brought it.
    pub arrival: Option<ArrivalId>,
    /// What its header says.
    pub facts: &'a InstanceFacts,
    /// Its bytes.
    pub object: &'a KeptObject,
    /// When it came.
    pub at: NaiveDateTime,
}

impl Arrived<'_> {
    fn uid(&self) -> (SiteId, &str) {
        (self.site, &self.facts.sop_instance_uid)
    }

    /// Whether it goes into the rows of another one's patient, study and series, as these were left by that one.
    fn is_beside(&self, other: &Self) -> bool {
        let (a, b) = (self.facts, other.facts);
        self.site == other.site
            && a.rejection.is_none()
            && a.study_uid == b.study_uid
            && a.series_uid == b.series_uid
            && a.modality == b.modality
            && a.identity == b.identity
    }
}

/// Indexes instances: what became of each, in their order.
///
/// # Errors
/// What the database says of any of them; then nothing may be acknowledged of all.
pub fn instances_keep_in_tx(conn: &mut Connection, came: &[Arrived<'_>]) -> Result<Vec<Kept>, StoreError> {
    // What came twice is taken in turn: which was first counts.
    let mut times: HashMap<(SiteId, &str), usize> = HashMap::new();
    for one in came {
        *times.entry(one.uid()).or_default() += 1;
    }
    let mut kept: Vec<Option<Kept>> = vec![None; came.len()];
    // Rows are not written in the order in which they came.
    let mut last: BTreeMap<StudyId, (Placed, NaiveDateTime)> = BTreeMap::new();
    for (first, one) in came.iter().enumerate() {
        if kept[first].is_some() {
            continue;
        }
        let (outcome, placed) = one_in_tx(conn, one)?;
        kept[first] = Some(outcome);
        // Of a study from elsewhere it depends on the arrival what an instance is.
        let Some(placed) = placed.filter(|placed| !placed.elsewhere) else { continue };
        let mut came_at = one.at;
        let beside: Vec<usize> = (first + 1..came.len())
            .filter(|at| kept[*at].is_none() && came[*at].is_beside(one) && times[&came[*at].uid()] == 1)
            .collect();
        for part in beside.chunks(ROWS) {
            let rows: Vec<&Arrived<'_>> = part.iter().map(|at| &came[*at]).collect();
            let new = beside_in_tx(conn, placed, &rows)?;
            // Those that are known already take their turn.
            for at in part {
                kept[*at] = new.get(&came[*at].facts.sop_instance_uid).copied().map(Kept::New);
                came_at = if kept[*at].is_some() { came_at.max(came[*at].at) } else { came_at };
            }
        }
        if !beside.is_empty() || last.contains_key(&placed.study) {
            last.entry(placed.study).and_modify(|(_, at)| *at = came_at.max(*at)).or_insert((placed, came_at));
        }
    }
    for (study, (placed, at)) in last {
        diesel::update(studies::table.find(study)).set(studies::last_received_at.eq(at)).execute(conn)?;
        quiet_from_in_tx(conn, placed, at)?;
    }
    Ok(kept.into_iter().flatten().collect())
}

#[derive(QueryableByName)]
struct Inserted {
    #[diesel(sql_type = BigInt)]
    id: InstanceId,
    #[diesel(sql_type = Text)]
    sop_instance_uid: String,
}

/// Inserts those whose UID is not known, and counts them. Gives their ids by UID.
fn beside_in_tx(
    conn: &mut Connection,
    placed: Placed,
    rows: &[&Arrived<'_>],
) -> Result<HashMap<String, InstanceId>, StoreError> {
    let inserted = insert(conn, placed, rows)?;
    let new: HashMap<String, InstanceId> = inserted.into_iter().map(|row| (row.sop_instance_uid, row.id)).collect();
    if new.is_empty() {
        return Ok(new);
    }
    let count = i32::try_from(new.len()).unwrap_or(i32::MAX);
    diesel::update(series::table.find(placed.series))
        .set(series::instances.eq(series::instances + count))
        .execute(conn)?;
    diesel::update(studies::table.find(placed.study))
        .set((studies::instances.eq(studies::instances + count), studies::version.eq(studies::version + count)))
        .execute(conn)?;
    Ok(new)
}

fn insert(conn: &mut Connection, placed: Placed, rows: &[&Arrived<'_>]) -> Result<Vec<Inserted>, StoreError> {
    const BOUND: usize = 13;
    // Ids are numbers of ours. SQLite looks for a numbered mark among all before it, so there they have no numbers.
    let numbered = matches!(conn, Connection::Postgres(_));
    let mark = |number: usize| if numbered { format!("${number}") } else { "?".to_owned() };
    let ids = |row: &Arrived<'_>| format!("{}, {}, {}", row.site.0, placed.study.0, placed.series.0);
    let values: Vec<String> = rows
        .iter()
        .enumerate()
        .map(|(at, row)| {
            let marks: Vec<String> = (1..=BOUND).map(|number| mark(at * BOUND + number)).collect();
            format!("({}, {})", ids(row), marks.join(", "))
        })
        .collect();
    let text = format!(
        "INSERT INTO instances (site_id, study_id, series_id, arrival_id, sop_instance_uid, sop_class_uid, \
         transfer_syntax, sha256, size, object_key, number, image_rows, image_columns, frames, position_along_normal, \
         received_at) VALUES {} ON CONFLICT DO NOTHING RETURNING id, sop_instance_uid",
        values.join(", ")
    );
    macro_rules! on {
        ($conn:expr, $backend:ty) => {{
            let mut query = diesel::sql_query(text).into_boxed::<$backend>();
            for row in rows {
                let (facts, object) = (row.facts, row.object);
                query = query
                    .bind::<Nullable<BigInt>, _>(row.arrival.map(|arrival| arrival.0))
                    .bind::<Text, _>(&facts.sop_instance_uid)
                    .bind::<Text, _>(&facts.sop_class_uid)
                    .bind::<Text, _>(&facts.transfer_syntax)
                    .bind::<Text, _>(&object.sha256)
                    .bind::<BigInt, _>(object.size)
                    .bind::<Text, _>(&object.key)
                    .bind::<Nullable<Integer>, _>(facts.instance_number)
                    .bind::<Nullable<Integer>, _>(facts.rows)
                    .bind::<Nullable<Integer>, _>(facts.columns)
                    .bind::<Integer, _>(facts.frames)
                    .bind::<Nullable<Double>, _>(facts.position_along_normal)
                    .bind::<Timestamp, _>(row.at);
            }
            query.load::<Inserted>($conn)?
        }};
    }
    Ok(match conn {
        Connection::Postgres(conn) => on!(conn, diesel::pg::Pg),
        Connection::Sqlite(conn) => on!(conn, diesel::sqlite::Sqlite),
    })
}
