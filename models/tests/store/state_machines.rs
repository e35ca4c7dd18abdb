//! Every state times every event, on both databases: what is legal is done once, what is not is refused and changes nothing.
//!
//! The legal pairs stand here a second time, by hand: a slip in the code's own
//! table does not pass unseen.

use diesel::prelude::*;
use dokuei_models::schema::{audit, case_events, cases, reads};
use dokuei_models::state::{CaseEvent, CaseState, HoldActor, ReadEvent, ReadState, case_apply_in_tx, read_apply_in_tx};
use dokuei_models::{Connection, ReadId, ReaderId, ReportVersionId, StoreError, StudyId, UserId};
use dokuei_terms::Priority;

use super::databases::on_each;
use super::world::{self, World, actor, noon};

fn case_events_of(world: &World) -> Vec<(CaseEvent, &'static [CaseState], Option<CaseState>)> {
    use CaseState::{Acknowledged, Cancelled, OnHold, Reading, Ready, Receiving, Reported, Returned, WaitingRequest};
    const OPEN: &[CaseState] = &[Receiving, WaitingRequest, Ready, Reading, OnHold];
    let reason = || "why".to_owned();
    vec![
        (CaseEvent::AwaitRequest, &[Receiving], Some(WaitingRequest)),
        (CaseEvent::Ready, &[Receiving, WaitingRequest], Some(Ready)),
        (CaseEvent::StartReading { read: world.read }, &[Receiving, Ready], Some(Reading)),
        (CaseEvent::StopReading { read: world.read }, &[Reading], Some(Ready)),
        (
            CaseEvent::Report { version: Some(ReportVersionId(1)) },
            &[Ready, Reading, Reported, Returned, Acknowledged],
            Some(Reported),
        ),
        (CaseEvent::Compare { agrees: true, reason: reason() }, &[Reading], None),
        (CaseEvent::Return, &[Reported], Some(Returned)),
        (CaseEvent::Acknowledge { by: UserId(1) }, &[Returned], Some(Acknowledged)),
        (CaseEvent::Reopen { reason: reason() }, &[Reported, Returned, Acknowledged], Some(Reading)),
        (
            CaseEvent::Hold { reason: reason(), actor: HoldActor::Site, until: noon() },
            &[Receiving, WaitingRequest, Ready, Reading],
            Some(OnHold),
        ),
        (
            CaseEvent::Withdraw { reason: reason(), until: noon() },
            &[Reading, OnHold, Reported, Returned, Acknowledged],
            Some(OnHold),
        ),
        // The state before the hold, which the fixture sets to ready.
        (CaseEvent::Release { reason: reason() }, &[OnHold], Some(Ready)),
        (CaseEvent::Cancel { reason: reason() }, OPEN, Some(Cancelled)),
        (CaseEvent::Prioritise { priority: Priority::Stat, due_at: noon(), reason: reason() }, OPEN, None),
        (CaseEvent::AttachStudy { study: StudyId(1) }, OPEN, None),
        (CaseEvent::DetachStudy { study: StudyId(1) }, OPEN, None),
        (
            CaseEvent::ImagesArrived { study: StudyId(1), instances: 2 },
            &[Receiving, WaitingRequest, Ready, Reading, OnHold, Reported, Returned, Acknowledged],
            None,
        ),
    ]
}

fn rows(conn: &mut Connection) -> Result<(i64, i64), StoreError> {
    Ok((case_events::table.count().get_result(conn)?, audit::table.count().get_result(conn)?))
}

#[test]
fn a_case_changes_only_along_its_arrows() {
    on_each(|db| async move {
        let world = db.tx(world::make).await.unwrap();
        for (event, legal, target) in case_events_of(&world) {
            for state in CaseState::ALL.iter().copied() {
                let event = event.clone();
                db.tx(move |conn| {
                    diesel::update(cases::table.find(world.case))
                        .set((cases::state.eq(state), cases::held_state.eq(Some(CaseState::Ready))))
                        .execute(conn)?;
                    let before = rows(conn)?;
                    let outcome = case_apply_in_tx(conn, &actor(), world.case, &event);
                    let after: CaseState = cases::table.find(world.case).select(cases::state).first(conn)?;
                    let label = format!("{} from {state}", event.kind());
                    if legal.contains(&state) {
                        assert_eq!(outcome, Ok(target.unwrap_or(state)), "{label}");
                        assert_eq!(after, target.unwrap_or(state), "{label}");
                        let now = rows(conn)?;
                        assert!(now.0 > before.0 && now.1 > before.1, "{label}: an event row and an audit row");
                    } else {
                        assert_eq!(after, state, "{label}");
                        assert_eq!(rows(conn)?, before, "{label}: nothing is written");
                        match outcome {
                            Err(StoreError::Repeat(_)) => assert_eq!(target, Some(state), "{label}"),
                            // Where a release leads is not the event's to say, so that one too many is a conflict.
                            Err(StoreError::Conflict { .. }) => {
                                assert!(target != Some(state) || event.kind() == "release", "{label}");
                            }
                            other => panic!("{label}: {other:?}"),
                        }
                    }
                    Ok(())
                })
                .await
                .unwrap();
            }
        }
    });
}

fn read_events_of(reader: ReaderId) -> Vec<(ReadEvent, &'static [ReadState], ReadState)> {
    use ReadState::{Assigned, InProgress, Open, Signed, Void};
    let reason = || "why".to_owned();
    vec![
        (ReadEvent::Assign { reader, plan: None }, &[Open, Assigned], Assigned),
        (ReadEvent::Unassign { reason: reason() }, &[Assigned], Open),
        (ReadEvent::NotStarted { reader, missed: 1 }, &[Assigned], Open),
        (ReadEvent::Start { reader }, &[Assigned], InProgress),
        (ReadEvent::GiveBack { reader, reason: reason() }, &[InProgress], Open),
        (ReadEvent::Decline { reader, reason: reason() }, &[Assigned, InProgress], Open),
        (ReadEvent::Sign { reader }, &[InProgress], Signed),
        (ReadEvent::Void { reason: reason() }, &[Open, Assigned, InProgress], Void),
        (ReadEvent::Wait { reason: reason(), until: noon() }, &[Open], Open),
    ]
}

fn put_read(conn: &mut Connection, read: ReadId, state: ReadState, reader: Option<ReaderId>) -> Result<(), StoreError> {
    diesel::update(reads::table.find(read))
        .set((reads::state.eq(state), reads::reader_id.eq(reader), reads::frozen.eq(false)))
        .execute(conn)?;
    Ok(())
}

#[test]
fn a_read_changes_only_along_its_arrows() {
    on_each(|db| async move {
        let world = db.tx(world::make).await.unwrap();
        let [mine, _] = world.readers;
        for (event, legal, target) in read_events_of(mine) {
            for state in ReadState::ALL.iter().copied() {
                let event = event.clone();
                db.tx(move |conn| {
                    let reader = (state != ReadState::Open).then_some(mine);
                    put_read(conn, world.read, state, reader)?;
                    let outcome = read_apply_in_tx(conn, &actor(), world.read, &event);
                    let after: ReadState = reads::table.find(world.read).select(reads::state).first(conn)?;
                    let label = format!("{} from {state}", event.kind());
                    if legal.contains(&state) {
                        assert_eq!((outcome, after), (Ok(()), target), "{label}");
                    } else {
                        assert_eq!(after, state, "{label}");
                        assert!(
                            matches!(outcome, Err(StoreError::Repeat(_) | StoreError::Conflict { .. })),
                            "{label}: {outcome:?}"
                        );
                    }
                    Ok(())
                })
                .await
                .unwrap();
            }
        }
    });
}

#[test]
fn nobody_signs_what_another_holds_and_nobody_works_on_a_held_read() {
    on_each(|db| async move {
        let world = db.tx(world::make).await.unwrap();
        let [mine, theirs] = world.readers;
        db.tx(move |conn| {
            put_read(conn, world.read, ReadState::InProgress, Some(theirs))?;
            let refused = read_apply_in_tx(conn, &actor(), world.read, &ReadEvent::Sign { reader: mine });
            let held = StoreError::Conflict { what: "read_sign", state: "held_by_another".into() };
            assert_eq!(refused, Err(held));
            diesel::update(reads::table.find(world.read)).set(reads::frozen.eq(true)).execute(conn)?;
            let refused = read_apply_in_tx(conn, &actor(), world.read, &ReadEvent::Sign { reader: theirs });
            assert_eq!(refused, Err(StoreError::Conflict { what: "read_sign", state: "on_hold".into() }));
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn of_two_readers_who_reach_for_one_read_one_gets_it() {
    on_each(|db| async move {
        let world = db.tx(world::make).await.unwrap();
        let [mine, _] = world.readers;
        for _ in 0..8 {
            db.tx(move |conn| put_read(conn, world.read, ReadState::Assigned, Some(mine))).await.unwrap();
            let start = || {
                let db = db.clone();
                async move {
                    db.tx(move |conn| read_apply_in_tx(conn, &actor(), world.read, &ReadEvent::Start { reader: mine }))
                        .await
                }
            };
            let outcomes = tokio::join!(start(), start(), start(), start());
            let outcomes = [outcomes.0, outcomes.1, outcomes.2, outcomes.3];
            assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1, "{outcomes:?}");
            assert!(outcomes.iter().all(|one| matches!(one, Ok(()) | Err(StoreError::Repeat(_)))), "{outcomes:?}");
        }
    });
}
