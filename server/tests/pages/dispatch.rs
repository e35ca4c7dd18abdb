//! The dispatcher's decisions: heard by the next plan; no study lost or doubled; anybody found by kana.

use actix_web::http::StatusCode;
use chrono::TimeDelta;
use dokuei_models::state::{CaseState, CaseStudyRole, HoldActor, MatchState, ReadState};
use dokuei_models::store::cases;
use dokuei_models::store::readers::{self, ReaderRow};
use dokuei_models::store::sites;
use dokuei_models::store::{audit, overrides, reads, studies};
use dokuei_models::{CaseId, Connection, PoolId, ReadId, StoreError, StudyId};
use dokuei_server::app::overriding::{self, Decision};
use dokuei_server::app::regrouping::{self, Settle};
use dokuei_server::app::{board, case_sheet, finding_cases};
use dokuei_server::authority::{Reach, Role, Scope};
use dokuei_server::clock::Clock as _;
use dokuei_terms::{Laterality, Modality, Part, Priority, Region};

use super::app::TestApp;
use super::pool::{World, case, identity, noon, on_each, plan, reader_in, request, study, user, world};

#[test]
fn a_pin_an_exclusion_and_their_undo_are_respected_by_the_next_plan() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let actor = world.actor();
            let (case, read) = case(conn, &world, "A1", &["1.2.3"])?;
            let row = cases::case_get(conn, case)?;
            assert_eq!(reader_in(&plan(conn, &world)?, read), Some(world.good));
            let pin = Decision::Pin { read, reader: world.fair };
            overriding::decide_in_tx(conn, &actor, &row, pin, "指名")?;
            assert_eq!(reader_in(&plan(conn, &world)?, read), Some(world.fair));
            let in_force = overrides::override_list(conn, &[case])?;
            assert_eq!(in_force.len(), 1);
            overriding::take_back_in_tx(conn, &actor, &row, in_force[0].id)?;
            assert_eq!(reader_in(&plan(conn, &world)?, read), Some(world.good));
            overriding::decide_in_tx(conn, &actor, &row, Decision::Exclude { reader: world.good }, "利益相反")?;
            assert_eq!(reader_in(&plan(conn, &world)?, read), Some(world.fair));
            // Whoever is pinned after all is no longer kept away.
            let pin = Decision::Pin { read, reader: world.good };
            overriding::decide_in_tx(conn, &actor, &row, pin, "確認済み")?;
            assert_eq!(reader_in(&plan(conn, &world)?, read), Some(world.good));
            let rows = audit::audit_search(conn, &audit::AuditQuery { limit: 100, ..Default::default() })?;
            for wanted in ["case.override_pin", "case.override_exclude", "case.override_revoke"] {
                assert!(rows.iter().any(|row| row.action == wanted), "{wanted}");
            }
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_held_case_is_not_planned_and_a_released_one_is() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let actor = world.actor();
            let (case, read) = case(conn, &world, "A1", &["1.2.3"])?;
            let row = cases::case_get(conn, case)?;
            let until = noon() + TimeDelta::hours(1);
            let hold = Decision::Hold { actor: HoldActor::Site, until };
            overriding::decide_in_tx(conn, &actor, &row, hold, "左右を確認中")?;
            assert_eq!(reader_in(&plan(conn, &world)?, read), None);
            let held = cases::case_get(conn, case)?;
            assert_eq!(held.state, CaseState::OnHold);
            overriding::decide_in_tx(conn, &actor, &held, Decision::Release, "確認済み")?;
            assert_eq!(reader_in(&plan(conn, &world)?, read), Some(world.good));
            assert!(overrides::override_list(conn, &[case])?.is_empty(), "a release ends the hold's row");
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn another_priority_brings_another_due_time_and_its_undo_the_first() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let actor = world.actor();
            let (case, _) = case(conn, &world, "A1", &["1.2.3"])?;
            let before = cases::case_get(conn, case)?;
            let decision = Decision::Prioritise(Priority::Stat);
            overriding::decide_in_tx(conn, &actor, &before, decision, "電話で依頼")?;
            let stat = cases::case_get(conn, case)?;
            assert_eq!(stat.priority, Priority::Stat);
            assert_eq!(stat.due_at, stat.received_at + TimeDelta::minutes(60), "without a contract: 60 min");
            let which = overrides::override_list(conn, &[case])?[0].id;
            overriding::take_back_in_tx(conn, &actor, &stat, which)?;
            let after = cases::case_get(conn, case)?;
            assert_eq!((after.priority, after.due_at), (before.priority, before.due_at));
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_read_in_progress_is_taken_back_before_it_is_pinned() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let actor = world.actor();
            let (case, read) = case(conn, &world, "A1", &["1.2.3"])?;
            let row = cases::case_get(conn, case)?;
            let seen = reads::read_get(conn, read)?;
            let item = dokuei_models::state::AssignedRead {
                read,
                seen_version: seen.version,
                reader: world.good,
                plan: None,
                place_in_list: 10,
                explanation: String::new(),
            };
            dokuei_models::state::read_assign_in_tx(conn, &actor, &item)?;
            let start = dokuei_models::state::ReadEvent::Start { reader: world.good };
            dokuei_models::state::read_apply_in_tx(conn, &actor, read, &start)?;
            let event = dokuei_models::state::CaseEvent::StartReading { read };
            dokuei_models::state::case_apply_in_tx(conn, &actor, case, &event)?;
            let pin = Decision::Pin { read, reader: world.fair };
            let refused = overriding::decide_in_tx(conn, &actor, &row, pin, "指名").unwrap_err();
            assert_eq!(overriding::refused(refused).code().name, "read_being_read");
            overriding::decide_in_tx(conn, &actor, &row, Decision::Unassign(read), "離席")?;
            assert_eq!(reads::read_get(conn, read)?.state, ReadState::Open);
            assert_eq!(cases::case_get(conn, case)?.state, CaseState::Ready, "nobody reads it any more");
            overriding::decide_in_tx(conn, &actor, &row, pin, "指名")?;
            assert_eq!(reader_in(&plan(conn, &world)?, read), Some(world.fair));
            Ok(())
        })
        .await
        .unwrap();
    });
}

/// For each study: the open cases in which it is to be read.
fn open_cases_of(conn: &mut Connection, of: &[StudyId]) -> Result<Vec<Vec<CaseId>>, StoreError> {
    let mut found = Vec::new();
    for study in of {
        let mut open = Vec::new();
        for (case, role) in studies::study_cases(conn, *study)? {
            if role == CaseStudyRole::Current && cases::case_get(conn, case)?.state.is_open() {
                open.push(case);
            }
        }
        found.push(open);
    }
    Ok(found)
}

#[test]
fn splitting_merging_detaching_and_attaching_keep_each_study_in_exactly_one_open_case() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let actor = world.actor();
            let (case, _) = case(conn, &world, "A1", &["1.2.3", "1.2.4", "1.2.5"])?;
            let all: Vec<StudyId> = cases::case_study_list(conn, case)?.into_iter().map(|(study, _)| study).collect();
            assert_eq!(all.len(), 3);
            assert_eq!(open_cases_of(conn, &all)?, vec![vec![case]; 3]);

            let row = cases::case_get(conn, case)?;
            let own = regrouping::split_in_tx(conn, &actor, &row, all[1])?;
            assert_eq!(open_cases_of(conn, &all)?, [vec![case], vec![own], vec![case]]);
            assert_eq!(cases::case_get(conn, own)?.state, CaseState::Ready, "it is planned by itself");
            let elsewhere = regrouping::attach_in_tx(conn, &actor, &row, all[1], &[]).unwrap_err();
            assert_eq!(overriding::refused(elsewhere).code().name, "study_elsewhere");

            regrouping::detach_in_tx(conn, &actor, &row, all[2])?;
            assert_eq!(open_cases_of(conn, &all)?, [vec![case], vec![own], vec![]]);
            let loose = studies::study_get(conn, all[2])?;
            assert_eq!(loose.match_state, MatchState::Unmatched, "what is taken out waits for a person");
            assert!(loose.match_deadline.is_some());
            let last = regrouping::detach_in_tx(conn, &actor, &row, all[0]).unwrap_err();
            assert_eq!(overriding::refused(last).code().name, "last_study");
            regrouping::attach_in_tx(conn, &actor, &row, all[2], &[])?;
            assert_eq!(open_cases_of(conn, &all)?, [vec![case], vec![own], vec![case]]);

            regrouping::merge_in_tx(conn, &actor, &row, own, "一回の検査")?;
            assert_eq!(open_cases_of(conn, &all)?, vec![vec![case]; 3]);
            assert_eq!(cases::case_get(conn, own)?.state, CaseState::Cancelled);
            assert!(reads::read_list_of_case(conn, own)?.iter().all(|read| read.state == ReadState::Void));
            let again = regrouping::merge_in_tx(conn, &actor, &row, own, "もう一度").unwrap_err();
            assert_eq!(overriding::refused(again).code().name, "case_state");
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn cases_of_two_patients_are_never_merged_and_a_signed_one_is_never_regrouped() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let actor = world.actor();
            let (one, read) = case(conn, &world, "A1", &["1.2.3", "1.2.4"])?;
            request(conn, &world, "B1", identity("99"))?;
            let other = study(conn, &world, "1.2.9", "B1", identity("99"))?;
            let other = regrouping::open_case_of(conn, other)?.unwrap();
            let row = cases::case_get(conn, one)?;
            let refused = regrouping::merge_in_tx(conn, &actor, &row, other, "x").unwrap_err();
            assert_eq!(overriding::refused(refused).code().name, "other_patient");

            let void = dokuei_models::state::ReadEvent::Void { reason: "x".into() };
            dokuei_models::state::read_apply_in_tx(conn, &actor, read, &void)?;
            let signed = cases::read_create_in_tx(conn, &actor, one, 2, dokuei_models::state::ReadKind::Single, 5.0)?;
            let item = dokuei_models::state::AssignedRead {
                read: signed,
                seen_version: 1,
                reader: world.good,
                plan: None,
                place_in_list: 10,
                explanation: String::new(),
            };
            dokuei_models::state::read_assign_in_tx(conn, &actor, &item)?;
            for event in [
                dokuei_models::state::ReadEvent::Start { reader: world.good },
                dokuei_models::state::ReadEvent::Sign { reader: world.good },
            ] {
                dokuei_models::state::read_apply_in_tx(conn, &actor, signed, &event)?;
            }
            let row = cases::case_get(conn, one)?;
            let studies_of = cases::case_study_list(conn, one)?;
            let refused = regrouping::split_in_tx(conn, &actor, &row, studies_of[0].0).unwrap_err();
            assert_eq!(overriding::refused(refused).code().name, "case_signed");
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_doubtful_pair_is_joined_only_by_whoever_has_seen_what_differs() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let actor = world.actor();
            let mut form = identity("12");
            form.sex = "M".into();
            let asked = request(conn, &world, "A1", form)?;
            let study = study(conn, &world, "1.2.3", "A1", identity("12"))?;
            assert_eq!(studies::study_get(conn, study)?.match_state, MatchState::Doubtful);
            let doubts = regrouping::doubts_between(conn, asked, study)?;
            assert_eq!(doubts.iter().map(|doubt| doubt.code()).collect::<Vec<_>>(), ["sex"]);
            let blind = Settle::Join { request: asked, study, seen: Vec::new() };
            let refused = regrouping::settle_in_tx(conn, &actor, &blind, "x").unwrap_err();
            assert_eq!(overriding::refused(refused).code().name, "identity_differs");
            assert_eq!(regrouping::open_case_of(conn, study)?, None, "nobody reads it");
            let seen = Settle::Join { request: asked, study, seen: doubts };
            let case = regrouping::settle_in_tx(conn, &actor, &seen, "電話で確認")?;
            assert_eq!(regrouping::open_case_of(conn, study)?, case);
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn what_a_person_calls_a_part_stays_when_more_images_come() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let actor = world.actor();
            let (case, _) = case(conn, &world, "A1", &["1.2.3"])?;
            let row = cases::case_get(conn, case)?;
            let brain: Region = "head.brain".parse()?;
            let part = Part { region: brain, modality: Modality::Ct, laterality: Laterality::None };
            regrouping::correct_in_tx(conn, &actor, &row, &[part], "頭部の誤り")?;
            dokuei_server::app::opening::understand_parts_in_tx(conn, case)?;
            dokuei_server::app::prescreening::prescreen_case_in_tx(conn, &actor, case)?;
            let parts = cases::case_part_list(conn, case)?;
            assert_eq!(parts.iter().map(|part| part.part).collect::<Vec<_>>(), [part]);
            assert!(!cases::case_get(conn, case)?.flags.contains("label_region"), "a person has settled it");
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn any_case_is_found_by_half_width_kana_by_kanji_by_patient_id_and_by_number() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let (case, _) = case(conn, &world, "ACC-77", &["1.2.3"])?;
            let mut reach = Reach::default();
            reach.add(Scope::Pool(world.pool));
            for text in ["ﾎｼｿﾞﾗ", "ホシゾラ ハナコ", "ほしぞら", "星空", "hoshizora", "0012", "ACC-77"]
            {
                let found = finding_cases::find_in(conn, &reach, text)?;
                assert_eq!(found.cases.iter().map(|found| found.case.id).collect::<Vec<_>>(), [case], "{text}");
            }
            for text in ["ﾔﾏﾀﾞ", "山田", "%", ""] {
                assert!(finding_cases::find_in(conn, &reach, text)?.cases.is_empty(), "{text:?}");
            }
            let mut other = Reach::default();
            other.add(Scope::Pool(PoolId(world.pool.0 + 1)));
            assert!(finding_cases::find_in(conn, &other, "星空")?.cases.is_empty(), "another pool's patient is none");
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn the_boards_numbers_are_those_of_its_cases() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let actor = world.actor();
            let (first, _) = case(conn, &world, "A1", &["1.2.3", "1.2.4"])?;
            let (second, _) = case(conn, &world, "A2", &["1.2.5"])?;
            study(conn, &world, "1.2.6", "NOBODY", identity("12"))?;
            request(conn, &world, "A9", identity("77"))?;
            let row = cases::case_get(conn, second)?;
            let hold = Decision::Hold { actor: HoldActor::Site, until: noon() + TimeDelta::hours(1) };
            overriding::decide_in_tx(conn, &actor, &row, hold, "確認中")?;
            let mut reach = Reach::default();
            reach.add(Scope::All);
            let later = noon() + TimeDelta::minutes(20);
            let shown = board::board_in(conn, &reach, later)?;
            assert_eq!((shown.orphan_count, shown.unmet_count), (1, 1));
            assert_eq!(shown.lane_counts, [0, 1, 0, 1, 0]);
            assert_eq!(shown.lanes[1].iter().map(|card| card.case.id).collect::<Vec<_>>(), [first]);
            assert_eq!(shown.lines.waiting.last(), Some(&1.0), "the held one does not wait");
            assert_eq!(shown.lines.worst_wait_minutes.last(), Some(&20.0));
            assert_eq!(shown.lines.on_shift.last(), Some(&2.0));
            assert_eq!(shown.lines.late.last(), Some(&0.0));
            assert!(shown.lines.gap_percent.is_empty(), "nobody has planned");
            let parts: i64 = shown.backlog.iter().map(|of| of.parts).sum();
            assert_eq!(parts, i64::try_from(cases::case_part_list(conn, first)?.len()).unwrap());
            let due_at = cases::case_get(conn, first)?.due_at;
            let overdue = board::board_in(conn, &reach, due_at)?;
            assert_eq!(overdue.lines.late.last(), Some(&2.0), "a held case is owed too");
            let sheet = case_sheet::sheet_in(conn, &reach, first)?;
            assert_eq!(sheet.siblings.iter().map(|other| other.id).collect::<Vec<_>>(), [second]);
            assert_eq!(sheet.loose.len(), 1, "the study that nobody asked for is offered");
            Ok(())
        })
        .await
        .unwrap();
    });
}

async fn app_with_case() -> (TestApp, World, CaseId, ReadId) {
    let app = TestApp::init().await;
    assert_eq!(app.clock.stamp(), noon());
    let (world, case, read) = app
        .state
        .db
        .tx(|conn| {
            let world = world(conn)?;
            let (case, read) = case(conn, &world, "ACC-77", &["1.2.3", "1.2.4"])?;
            Ok((world, case, read))
        })
        .await
        .unwrap();
    (app, world, case, read)
}

#[actix_web::test]
async fn the_board_shows_a_case_and_no_name_and_the_sheet_shows_both_and_leaves_one_audit_row() {
    let (app, _, case, _) = app_with_case().await;
    let client = app.with_user("dispatcher", &[(Role::Dispatcher, Scope::All)]).await;
    let board = client.get("/dispatch").await;
    assert_eq!(board.status, StatusCode::OK);
    assert!(board.body.contains(&format!("id=\"case-{case}\"")), "{}", board.body);
    assert!(!board.body.contains("星空"), "the board has no names");
    for _ in 0..3 {
        let sheet = client.get(&format!("/cases/{case}")).await;
        assert_eq!(sheet.status, StatusCode::OK, "{}", sheet.body);
        assert!(sheet.body.contains("星空 花子"));
    }
    let query = audit::AuditQuery { action: Some("case.show".into()), limit: 10, ..Default::default() };
    let rows = app.state.db.read(move |conn| audit::audit_search(conn, &query)).await.unwrap();
    assert_eq!(rows.len(), 1, "a sheet that renews itself is one view");
}

#[actix_web::test]
async fn a_pin_shows_its_price_first_and_a_reader_without_the_privilege_has_none() {
    let (app, world, case, read) = app_with_case().await;
    let client = app.with_user("dispatcher", &[(Role::Dispatcher, Scope::All)]).await;
    let price = client.get(&format!("/cases/{case}/reads/{read}/price?reader={}", world.fair)).await;
    assert_eq!(price.status, StatusCode::OK, "{}", price.body);
    assert!(price.body.contains(&format!("/cases/{case}/reads/{read}/pin")), "{}", price.body);
    let stranger = app
        .state
        .db
        .tx(move |conn| {
            let user_id = user(conn, "stranger")?;
            let row = ReaderRow { user_id, ..readers::reader_get(conn, world.good)? };
            readers::reader_insert_in_tx(conn, &row)
        })
        .await
        .unwrap();
    let price = client.get(&format!("/cases/{case}/reads/{read}/price?reader={stranger}")).await;
    assert!(price.body.contains("読影資格がない"), "{}", price.body);
    assert!(!price.body.contains("/pin\""), "no price buys that");
    let (reader, path) = (world.fair.to_string(), format!("/cases/{case}/reads/{read}/pin"));
    let empty = client.form(&path, &[("reader", &reader), ("reason", " ")]).await;
    assert_eq!(empty.status, StatusCode::UNPROCESSABLE_ENTITY);
    let done = client.form(&path, &[("reader", &reader), ("reason", "指名")]).await;
    assert_eq!(done.status, StatusCode::SEE_OTHER, "{}", done.body);
    let sheet = client.get(&format!("/cases/{case}")).await;
    assert!(sheet.body.contains("固定：") && sheet.body.contains("指名"), "{}", sheet.body);
}

#[actix_web::test]
async fn another_pools_dispatcher_finds_nothing() {
    let (app, world, case, read) = app_with_case().await;
    let elsewhere = Scope::Pool(PoolId(world.pool.0 + 100));
    let pool = app
        .state
        .db
        .tx(|conn| sites::pool_insert_in_tx(conn, "other", "別", "Other"))
        .await
        .map_or(elsewhere, Scope::Pool);
    let client = app.with_user("other", &[(Role::Dispatcher, pool)]).await;
    assert_eq!(client.get(&format!("/cases/{case}")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(client.get(&format!("/cases/{case}/events")).await.status, StatusCode::NOT_FOUND);
    let path = format!("/cases/{case}/reads/{read}/price?reader={}", world.good);
    assert_eq!(client.get(&path).await.status, StatusCode::NOT_FOUND);
    for act in ["hold", "release", "priority", "exclude", "cancel", "parts", "notes", "merge"] {
        let fields = [
            ("reason", "x"),
            ("actor", "site"),
            ("minutes", "30"),
            ("priority", "stat"),
            ("kind", "note"),
            ("body", "x"),
        ];
        let reader = world.good.to_string();
        let from = case.to_string();
        let mut fields = fields.to_vec();
        fields.extend([("reader", reader.as_str()), ("from", from.as_str())]);
        fields.extend([("region0", "head.brain"), ("modality0", "CT"), ("laterality0", "none")]);
        let answer = client.form(&format!("/cases/{case}/{act}"), &fields).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{act}: {}", answer.body);
    }
    let found = client.form("/dispatch/search", &[("q", "星空")]).await;
    assert_eq!(found.status, StatusCode::OK);
    assert!(!found.body.contains("星空 花子"));
    assert!(!client.get("/dispatch").await.body.contains(&format!("id=\"case-{case}\"")));
}

#[actix_web::test]
async fn a_search_says_whose_cases_were_shown_and_not_what_was_looked_for() {
    let (app, _, case, _) = app_with_case().await;
    let client = app.with_user("dispatcher", &[(Role::ReadingDirector, Scope::All)]).await;
    let found = client.form("/dispatch/search", &[("q", "ﾎｼｿﾞﾗ")]).await;
    assert!(found.body.contains("星空 花子") && found.body.contains(&format!("/cases/{case}")), "{}", found.body);
    let query = audit::AuditQuery { action: Some("case.search".into()), limit: 10, ..Default::default() };
    let rows = app.state.db.read(move |conn| audit::audit_search(conn, &query)).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0].detail, format!("{{\"cases\":[{case}]}}"));
}

#[actix_web::test]
async fn a_call_is_logged_and_a_dead_job_runs_again() {
    use dokuei_models::store::jobs::{self, JobState, NewJob};
    let (app, _, case, _) = app_with_case().await;
    let client = app.with_user("dispatcher", &[(Role::Dispatcher, Scope::All)]).await;
    let fields = [("kind", "phone"), ("contact", "技師長"), ("body", "左右を確認した")];
    assert_eq!(client.form(&format!("/cases/{case}/notes"), &fields).await.status, StatusCode::SEE_OTHER);
    assert!(client.get(&format!("/cases/{case}")).await.body.contains("左右を確認した"));

    let now = app.clock.stamp();
    app.state
        .db
        .tx(move |conn| {
            let job = NewJob { max_attempts: 1, ..NewJob::now("nothing", "7".into(), now) };
            jobs::enqueue_in_tx(conn, &job)?;
            let taken = jobs::lease_in_tx(conn, &["nothing"], "w", now, TimeDelta::seconds(60))?.unwrap();
            jobs::fail_in_tx(conn, &taken, "w", "it broke", now).map(|_| ())
        })
        .await
        .unwrap();
    let page = client.get("/dispatch/trouble").await;
    assert!(page.body.contains("it broke"), "{}", page.body);
    let dead = app.state.db.read(|conn| jobs::job_list_dead(conn, 10)).await.unwrap();
    let path = format!("/dispatch/jobs/{}/again", dead[0].id);
    assert_eq!(client.form(&path, &[]).await.status, StatusCode::SEE_OTHER);
    let counts = app.state.db.read(jobs::job_counts).await.unwrap();
    assert!(!counts.iter().any(|(state, _)| *state == JobState::Dead));
    let twice = client.form(&path, &[]).await;
    assert_eq!(twice.status, StatusCode::CONFLICT);
}
