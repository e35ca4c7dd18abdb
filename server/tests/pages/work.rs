//! Background work: claimed once, tried again, buried, woken.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use dokuei_models::store::jobs::{self, JobState, NewJob};
use dokuei_server::clock::Clock as _;
use dokuei_server::work::{Kind, Worker};

use super::app::TestApp;

async fn queue(app: &TestApp, kind: &'static str, key: &str, max_attempts: i32) {
    let job = NewJob { max_attempts, ..NewJob::now(kind, key.to_owned(), app.clock.stamp()) };
    app.state.db.tx(move |connection| jobs::enqueue_in_tx(connection, &job)).await.unwrap();
}

async fn count(app: &TestApp, state: JobState) -> i64 {
    let counts = app.state.db.read(jobs::job_counts).await.unwrap();
    counts.iter().find(|(of, _)| *of == state).map_or(0, |(_, count)| *count)
}

/// A kind that counts its runs and fails the first `failures` times.
fn counting(failures: usize) -> (Kind, Arc<AtomicUsize>) {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let kind = Kind::new("count", move |_, job| {
        let run = counted.fetch_add(1, Ordering::SeqCst);
        async move {
            anyhow::ensure!(run >= failures, "attempt {} failed", job.attempt);
            Ok(())
        }
    });
    (kind, runs)
}

#[actix_web::test]
async fn a_job_that_went_well_is_done_once() {
    let app = TestApp::init().await;
    let (kind, runs) = counting(0);
    let worker = Worker::new(app.state.clone(), "one", vec![kind]);
    queue(&app, "count", "a", 3).await;
    queue(&app, "count", "a", 3).await;
    assert!(worker.work_once().await.unwrap());
    assert!(!worker.work_once().await.unwrap(), "the same kind and key was one job");
    assert_eq!(runs.load(Ordering::SeqCst), 1);
    assert_eq!(count(&app, JobState::Done).await, 1);
}

#[actix_web::test]
async fn a_job_that_fails_waits_longer_and_is_buried_in_the_end() {
    let app = TestApp::init().await;
    let (kind, runs) = counting(usize::MAX);
    let worker = Worker::new(app.state.clone(), "one", vec![kind]);
    queue(&app, "count", "a", 3).await;
    for attempt in 1..=3 {
        assert!(worker.work_once().await.unwrap());
        assert!(!worker.work_once().await.unwrap(), "after attempt {attempt} it waits");
        app.clock.advance(TimeDelta::minutes(10));
    }
    assert_eq!(runs.load(Ordering::SeqCst), 3);
    assert_eq!(count(&app, JobState::Dead).await, 1);
    let dead = app.state.db.read(|connection| jobs::job_list_dead(connection, 10)).await.unwrap();
    assert_eq!(dead[0].last_error.as_deref(), Some("attempt 3 failed"));
}

#[actix_web::test]
async fn a_handler_that_panics_fails_its_job_and_not_the_worker() {
    let app = TestApp::init().await;
    let kind = Kind::new("panic", |_, _| async { panic!("for the test") });
    let (good, runs) = counting(0);
    let worker = Worker::new(app.state.clone(), "one", vec![kind, good]);
    queue(&app, "panic", "a", 1).await;
    queue(&app, "count", "b", 1).await;
    assert!(worker.work_once().await.unwrap());
    assert!(worker.work_once().await.unwrap());
    assert_eq!(count(&app, JobState::Dead).await, 1);
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[actix_web::test]
async fn a_dead_workers_job_is_taken_over_when_its_lease_ran_out() {
    let app = TestApp::init().await;
    queue(&app, "count", "a", 3).await;
    let now = app.clock.stamp();
    let taken = app
        .state
        .db
        .tx(move |connection| jobs::lease_in_tx(connection, &["count"], "dead", now, TimeDelta::seconds(120)))
        .await;
    assert!(taken.unwrap().is_some());
    let (kind, runs) = counting(0);
    let worker = Worker::new(app.state.clone(), "two", vec![kind]);
    assert!(!worker.work_once().await.unwrap(), "it is in somebody's hands");
    app.clock.advance(TimeDelta::seconds(121));
    assert!(worker.work_once().await.unwrap());
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}
