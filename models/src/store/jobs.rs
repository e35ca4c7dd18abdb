//! Background work as rows: unique while open, leased, retried with back-off, dead after some tries, visible.

use chrono::{NaiveDateTime, TimeDelta};
use diesel::prelude::*;
use diesel::sql_types::{Integer, Text, Timestamp};

use crate::codes::codes;
use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{JobId, PoolId};
use crate::schema::jobs;

codes! {
    /// Where a job stands.
    JobState {
        /// Waits for its time.
        Queued => "queued",
        /// A worker has it.
        Leased => "leased",
        /// Done.
        Done => "done",
        /// Failed too often: shown to a person.
        Dead => "dead",
    }
}

/// A job to be queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewJob {
    /// What to do; one handler file per kind.
    pub kind: &'static str,
    /// What to do it to: (kind, key) is unique while open.
    pub key: String,
    /// More that the handler needs, as JSON.
    pub payload: String,
    /// Not before (UTC).
    pub run_at: NaiveDateTime,
    /// Tries before it is dead.
    pub max_attempts: i32,
    /// Now.
    pub now: NaiveDateTime,
}

impl NewJob {
    /// A job to be run at once.
    pub fn now(kind: &'static str, key: String, now: NaiveDateTime) -> Self {
        Self { kind, key, payload: String::new(), run_at: now, max_attempts: 12, now }
    }

    /// The same, later.
    pub fn at(mut self, run_at: NaiveDateTime) -> Self {
        self.run_at = run_at;
        self
    }
}

/// A job that a worker holds.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = jobs)]
pub struct JobRow {
    /// The row's id.
    pub id: JobId,
    /// What to do.
    pub kind: String,
    /// What to do it to.
    pub key: String,
    /// More that the handler needs.
    pub payload: String,
    /// Where it stands.
    pub state: JobState,
    /// Not before.
    pub run_at: NaiveDateTime,
    /// Tries so far.
    pub attempts: i32,
    /// Tries before it is dead.
    pub max_attempts: i32,
    /// Who has it.
    pub leased_by: Option<String>,
    /// What went wrong last.
    pub last_error: Option<String>,
}

/// Queues a job, or joins the open one of the same kind and key.
///
/// A queued one is pulled forward if `run_at` is earlier; one that is being run is run once more afterwards.
///
/// # Errors
/// What the database says.
pub fn enqueue_in_tx(conn: &mut Connection, job: &NewJob) -> Result<(), StoreError> {
    // Written as one statement because a unique violation would end PostgreSQL's transaction.
    let inserted = diesel::sql_query(
        "INSERT INTO jobs (kind, key, payload, state, run_at, attempts, max_attempts, again, created_at) \
         VALUES ($1, $2, $3, 'queued', $4, 0, $5, FALSE, $6) ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(job.kind)
    .bind::<Text, _>(&job.key)
    .bind::<Text, _>(&job.payload)
    .bind::<Timestamp, _>(job.run_at)
    .bind::<Integer, _>(job.max_attempts)
    .bind::<Timestamp, _>(job.now)
    .execute(conn)?;
    if inserted == 0 {
        let same = jobs::kind.eq(job.kind).and(jobs::key.eq(&job.key));
        diesel::update(
            jobs::table.filter(same).filter(jobs::state.eq(JobState::Queued)).filter(jobs::run_at.gt(job.run_at)),
        )
        .set(jobs::run_at.eq(job.run_at))
        .execute(conn)?;
        // While it runs it is asked for once more, for the earliest time that anybody named: one that asks for itself later
        // must not begin at once.
        diesel::sql_query(
            "UPDATE jobs SET run_at = CASE WHEN again AND run_at < $1 THEN run_at ELSE $1 END, again = TRUE \
             WHERE kind = $2 AND key = $3 AND state = 'leased'",
        )
        .bind::<Timestamp, _>(job.run_at)
        .bind::<Text, _>(job.kind)
        .bind::<Text, _>(&job.key)
        .execute(conn)?;
    }
    Ok(())
}

/// Moves a queued job to another time, later included (a study's quiet time starts anew with each instance).
///
/// # Errors
/// What the database says.
pub fn postpone_in_tx(conn: &mut Connection, job: &NewJob) -> Result<(), StoreError> {
    let queued = jobs::table
        .filter(jobs::kind.eq(job.kind))
        .filter(jobs::key.eq(&job.key))
        .filter(jobs::state.eq(JobState::Queued));
    // First, because this is done with every image and the job is nearly always there.
    if diesel::update(queued).set(jobs::run_at.eq(job.run_at)).execute(conn)? == 0 {
        enqueue_in_tx(conn, job)?;
    }
    Ok(())
}

/// Queues a new plan for a pool. Changes that come together are planned together.
///
/// # Errors
/// What the database says.
pub fn enqueue_plan_in_tx(conn: &mut Connection, pool: PoolId, now: NaiveDateTime) -> Result<(), StoreError> {
    enqueue_in_tx(conn, &NewJob::now("plan", pool.to_string(), now))
}

/// Takes the most overdue job of one of the kinds, for `lease`.
///
/// # Errors
/// What the database says.
pub fn lease_in_tx(
    conn: &mut Connection,
    kinds: &[&str],
    worker: &str,
    now: NaiveDateTime,
    lease: TimeDelta,
) -> Result<Option<JobRow>, StoreError> {
    // A lease that ran out is free again: its worker died.
    let free = jobs::state.eq(JobState::Queued).and(jobs::run_at.le(now));
    let abandoned = jobs::state.eq(JobState::Leased).and(jobs::leased_until.lt(now).assume_not_null());
    let candidates: Vec<(JobId, i32)> = jobs::table
        .filter(jobs::kind.eq_any(kinds))
        .filter(free.or(abandoned))
        .order((jobs::run_at, jobs::id))
        .limit(8)
        .select((jobs::id, jobs::attempts))
        .load(conn)?;
    for (id, attempts) in candidates {
        let taken = diesel::update(
            jobs::table.filter(jobs::id.eq(id)).filter(jobs::attempts.eq(attempts)).filter(free.or(abandoned)),
        )
        .set((
            jobs::state.eq(JobState::Leased),
            jobs::leased_by.eq(Some(worker)),
            jobs::leased_until.eq(Some(now + lease)),
            jobs::attempts.eq(jobs::attempts + 1),
            jobs::again.eq(false),
        ))
        .execute(conn)?;
        if taken == 1 {
            return Ok(Some(jobs::table.find(id).select(JobRow::as_select()).first(conn)?));
        }
    }
    Ok(None)
}

/// Holds a job longer: its kind takes more time than others.
///
/// # Errors
/// [`StoreError::Stale`] when the lease was lost.
pub fn lease_extend_in_tx(
    conn: &mut Connection,
    job: JobId,
    worker: &str,
    until: NaiveDateTime,
) -> Result<(), StoreError> {
    let mine = jobs::id.eq(job).and(jobs::state.eq(JobState::Leased)).and(jobs::leased_by.eq(worker).assume_not_null());
    let changed = diesel::update(jobs::table.filter(mine)).set(jobs::leased_until.eq(Some(until))).execute(conn)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Stale("the job's lease")) }
}

/// Ends a job that went well. One that was asked for again meanwhile is queued anew, for when it was asked for.
///
/// # Errors
/// [`StoreError::Stale`] when the lease was lost.
pub fn finish_in_tx(conn: &mut Connection, job: JobId, worker: &str, now: NaiveDateTime) -> Result<(), StoreError> {
    let mine = jobs::id.eq(job).and(jobs::state.eq(JobState::Leased)).and(jobs::leased_by.eq(worker).assume_not_null());
    let again = diesel::update(jobs::table.filter(mine).filter(jobs::again.eq(true)))
        .set((
            jobs::state.eq(JobState::Queued),
            jobs::again.eq(false),
            jobs::attempts.eq(0),
            jobs::leased_by.eq(None::<String>),
        ))
        .execute(conn)?;
    let done = diesel::update(jobs::table.filter(mine))
        .set((jobs::state.eq(JobState::Done), jobs::finished_at.eq(Some(now)), jobs::last_error.eq(None::<String>)))
        .execute(conn)?;
    if again + done == 0 { Err(StoreError::Stale("the job")) } else { Ok(()) }
}

/// Puts a failed job back with a back-off that doubles from 2 s to 10 min, or buries it. Returns its new state.
///
/// # Errors
/// [`StoreError::Stale`] when the lease was lost.
pub fn fail_in_tx(
    conn: &mut Connection,
    job: &JobRow,
    worker: &str,
    error: &str,
    now: NaiveDateTime,
) -> Result<JobState, StoreError> {
    let dead = job.attempts >= job.max_attempts;
    let state = if dead { JobState::Dead } else { JobState::Queued };
    let exponent = u32::try_from(job.attempts.clamp(1, 12)).unwrap_or(1);
    let wait = TimeDelta::seconds(2_i64.saturating_pow(exponent).min(600));
    let changed = diesel::update(
        jobs::table
            .filter(jobs::id.eq(job.id))
            .filter(jobs::state.eq(JobState::Leased))
            .filter(jobs::leased_by.eq(worker).assume_not_null()),
    )
    .set((
        jobs::state.eq(state),
        jobs::run_at.eq(now + wait),
        jobs::leased_by.eq(None::<String>),
        jobs::last_error.eq(Some(error)),
        jobs::finished_at.eq(dead.then_some(now)),
    ))
    .execute(conn)?;
    if changed == 0 { Err(StoreError::Stale("the job")) } else { Ok(state) }
}

/// The dead ones, newest first.
///
/// # Errors
/// What the database says.
pub fn job_list_dead(conn: &mut Connection, limit: i64) -> Result<Vec<JobRow>, StoreError> {
    Ok(jobs::table
        .filter(jobs::state.eq(JobState::Dead))
        .order(jobs::id.desc())
        .limit(limit)
        .select(JobRow::as_select())
        .load(conn)?)
}

/// Puts a dead job back because a person says so: from the first try, now. Where the same is queued already, that one
/// does the work and the dead one is done with.
///
/// # Errors
/// [`StoreError::Repeat`] when it is not dead any more.
pub fn job_revive_in_tx(conn: &mut Connection, job: JobId, now: NaiveDateTime) -> Result<JobRow, StoreError> {
    let row: JobRow = jobs::table.find(job).select(JobRow::as_select()).first(conn).or_not_found("the job")?;
    let buried = diesel::update(jobs::table.find(job).filter(jobs::state.eq(JobState::Dead)))
        .set((jobs::state.eq(JobState::Done), jobs::finished_at.eq(Some(now))))
        .execute(conn)?;
    if buried == 0 {
        return Err(StoreError::Repeat("the job's return"));
    }
    diesel::sql_query(
        "INSERT INTO jobs (kind, key, payload, state, run_at, attempts, max_attempts, again, created_at) \
         VALUES ($1, $2, $3, 'queued', $4, 0, $5, FALSE, $4) ON CONFLICT DO NOTHING",
    )
    .bind::<Text, _>(&row.kind)
    .bind::<Text, _>(&row.key)
    .bind::<Text, _>(&row.payload)
    .bind::<Timestamp, _>(now)
    .bind::<Integer, _>(row.max_attempts)
    .execute(conn)?;
    Ok(row)
}

/// When the next queued job of these kinds is due.
///
/// # Errors
/// What the database says.
pub fn job_next_due(conn: &mut Connection, kinds: &[&str]) -> Result<Option<NaiveDateTime>, StoreError> {
    Ok(jobs::table
        .filter(jobs::kind.eq_any(kinds))
        .filter(jobs::state.eq(JobState::Queued))
        .order(jobs::run_at)
        .select(jobs::run_at)
        .first(conn)
        .optional()?)
}

/// Removes finished jobs older than `before`. Returns how many.
///
/// # Errors
/// What the database says.
pub fn job_sweep_in_tx(conn: &mut Connection, before: NaiveDateTime) -> Result<usize, StoreError> {
    Ok(diesel::sql_query("DELETE FROM jobs WHERE state = 'done' AND finished_at < $1")
        .bind::<Timestamp, _>(before)
        .execute(conn)?)
}

/// How many jobs stand in each state.
///
/// # Errors
/// What the database says.
pub fn job_counts(conn: &mut Connection) -> Result<Vec<(JobState, i64)>, StoreError> {
    Ok(jobs::table.group_by(jobs::state).select((jobs::state, diesel::dsl::count_star())).load(conn)?)
}

/// The keys of the jobs of a kind that wait for their time, the soonest first.
///
/// # Errors
/// What the database says.
pub fn job_keys_queued(conn: &mut Connection, kind: &str, limit: i64) -> Result<Vec<String>, StoreError> {
    Ok(jobs::table
        .filter(jobs::kind.eq(kind))
        .filter(jobs::state.eq(JobState::Queued))
        .order(jobs::run_at)
        .limit(limit)
        .select(jobs::key)
        .load(conn)?)
}
