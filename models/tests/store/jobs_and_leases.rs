//! Work is done once, comes back after a crash, and is buried where people see it.

use chrono::TimeDelta;
use dokuei_models::StoreError;
use dokuei_models::store::jobs::{self, JobState, NewJob};
use dokuei_models::store::leases;

use super::databases::on_each;
use super::world::noon;

const KINDS: &[&str] = &["plan"];

fn minute() -> TimeDelta {
    TimeDelta::minutes(1)
}

#[test]
fn a_job_is_open_once_and_asked_for_again_while_it_runs_runs_again() {
    on_each(|db| async move {
        let queue = || db.tx(|conn| jobs::enqueue_in_tx(conn, &NewJob::now("plan", "1".into(), noon())));
        queue().await.unwrap();
        queue().await.unwrap();
        let lease = || db.tx(|conn| jobs::lease_in_tx(conn, KINDS, "w", noon(), minute()));
        let job = lease().await.unwrap().expect("one job");
        assert_eq!(lease().await.unwrap(), None, "and no second");
        queue().await.unwrap();
        db.tx(move |conn| jobs::finish_in_tx(conn, job.id, "w", noon())).await.unwrap();
        let again = lease().await.unwrap().expect("it was asked for while it ran");
        assert_eq!(again.id, job.id);
        db.tx(move |conn| jobs::finish_in_tx(conn, again.id, "w", noon())).await.unwrap();
        assert_eq!(lease().await.unwrap(), None);
    });
}

/// A study whose quiet time is not over asks for itself at its end: begun again at once, it would spin until then.
#[test]
fn a_job_that_asks_for_itself_later_while_it_runs_waits_until_then() {
    on_each(|db| async move {
        let queue = |at| db.tx(move |conn| jobs::enqueue_in_tx(conn, &NewJob::now("plan", "1".into(), noon()).at(at)));
        let lease = |now| db.tx(move |conn| jobs::lease_in_tx(conn, KINDS, "w", now, minute()));
        queue(noon()).await.unwrap();
        let job = lease(noon()).await.unwrap().unwrap();
        queue(noon() + minute() * 5).await.unwrap();
        queue(noon() + minute() * 3).await.unwrap();
        queue(noon() + minute() * 4).await.unwrap();
        db.tx(move |conn| jobs::finish_in_tx(conn, job.id, "w", noon())).await.unwrap();
        assert_eq!(lease(noon() + minute() * 2).await.unwrap(), None);
        assert_eq!(
            lease(noon() + minute() * 3).await.unwrap().map(|row| row.id),
            Some(job.id),
            "the earliest time counts"
        );
    });
}

#[test]
fn a_dead_workers_job_is_taken_over_and_its_own_end_comes_too_late() {
    on_each(|db| async move {
        db.tx(|conn| jobs::enqueue_in_tx(conn, &NewJob::now("plan", "1".into(), noon()))).await.unwrap();
        let job = db.tx(|conn| jobs::lease_in_tx(conn, KINDS, "dead", noon(), minute())).await.unwrap().unwrap();
        let later = noon() + TimeDelta::minutes(2);
        let taken = db.tx(move |conn| jobs::lease_in_tx(conn, KINDS, "alive", later, minute())).await.unwrap().unwrap();
        assert_eq!(taken.id, job.id);
        let late = db.tx(move |conn| jobs::finish_in_tx(conn, job.id, "dead", later)).await;
        assert_eq!(late, Err(StoreError::Stale("the job")));
    });
}

#[test]
fn a_job_that_fails_too_often_is_dead_and_listed() {
    on_each(|db| async move {
        let mut job = NewJob::now("plan", "1".into(), noon());
        job.max_attempts = 2;
        db.tx(move |conn| jobs::enqueue_in_tx(conn, &job)).await.unwrap();
        let mut now = noon();
        for expected in [JobState::Queued, JobState::Dead] {
            let row = db.tx(move |conn| jobs::lease_in_tx(conn, KINDS, "w", now, minute())).await.unwrap().unwrap();
            let state = db.tx(move |conn| jobs::fail_in_tx(conn, &row, "w", "no room", now)).await.unwrap();
            assert_eq!(state, expected);
            now += TimeDelta::minutes(20);
        }
        let dead = db.read(|conn| jobs::job_list_dead(conn, 10)).await.unwrap();
        assert_eq!(dead[0].last_error.as_deref(), Some("no room"));
    });
}

#[test]
fn many_workers_never_take_one_job_twice() {
    on_each(|db| async move {
        for key in 0..20 {
            db.tx(move |conn| jobs::enqueue_in_tx(conn, &NewJob::now("plan", key.to_string(), noon()))).await.unwrap();
        }
        let mut workers = tokio::task::JoinSet::new();
        for worker in 0..4 {
            let db = db.clone();
            workers.spawn(async move {
                let mut taken = Vec::new();
                let name = format!("w{worker}");
                loop {
                    let holder = name.clone();
                    match db.tx(move |conn| jobs::lease_in_tx(conn, KINDS, &holder, noon(), minute())).await.unwrap() {
                        Some(job) => taken.push(job.id),
                        None => return taken,
                    }
                }
            });
        }
        let mut all = Vec::new();
        while let Some(taken) = workers.join_next().await {
            all.extend(taken.unwrap());
        }
        // A worker that lost every race of a round stops early; what it left is still queued, never taken twice.
        all.sort_unstable();
        let many = all.len();
        all.dedup();
        assert_eq!(all.len(), many);
        assert!(many > 0);
    });
}

#[test]
fn a_lease_has_one_holder_and_its_number_grows_with_each() {
    on_each(|db| async move {
        let take = |holder: &'static str, minutes: i64| {
            db.tx(move |conn| {
                leases::lease_take_in_tx(
                    conn,
                    "plan:1",
                    holder,
                    noon() + TimeDelta::minutes(minutes),
                    TimeDelta::minutes(1),
                )
            })
        };
        let first = take("a", 0).await.unwrap().expect("free");
        assert_eq!(take("b", 0).await.unwrap(), None);
        assert_eq!(take("a", 0).await.unwrap(), Some(first), "prolonged under the same number");
        let second = take("b", 5).await.unwrap().expect("ran out");
        assert!(second > first);
        assert!(!db.read(move |conn| leases::lease_holds(conn, "plan:1", first)).await.unwrap());
        assert!(db.read(move |conn| leases::lease_holds(conn, "plan:1", second)).await.unwrap());
    });
}
