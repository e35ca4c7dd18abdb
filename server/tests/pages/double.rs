//! Two independent readings: blind until both are signed, compared by a person, settled by a third where they differ.

use actix_web::http::StatusCode;
use dokuei_models::state::{CaseState, ReadKind, RequestKind};
use dokuei_models::store::cases::COMPARE;
use dokuei_models::store::{case_events, cases, deliveries, reads};
use dokuei_models::{CaseId, ReadId};
use dokuei_server::authority::{Role, Scope};

use super::app::{Client, PASSWORD, TestApp};
use super::reading::{case_state, draft, sign, versions};
use super::ward::Ward;

struct Both<'a> {
    one: Client<'a>,
    two: Client<'a>,
    case: CaseId,
    reads: [ReadId; 2],
}

/// Both readers have signed, the second last.
async fn both_signed<'a>(app: &'a TestApp, ward: &Ward<'a>) -> Both<'a> {
    let (one, first) = ward.reader("one").await;
    let (two, second) = ward.reader("two").await;
    let (case, read, _) = ward.case_for(first, RequestKind::Double).await;
    let all = app.state.db.read(move |conn| reads::read_list_of_case(conn, case)).await.unwrap();
    let twin = all[1].id;
    ward.give(twin, second).await;
    one.form(&format!("/reads/{read}/start"), &[]).await;
    two.form(&format!("/reads/{twin}/start"), &[]).await;
    draft(&one, read, 0, "第一の見立て").await;
    assert_eq!(sign(&one, read, 1, PASSWORD).await.status, StatusCode::OK);
    assert_eq!(case_state(app, case).await, CaseState::Reading, "the other still reads");
    assert!(!two.get(&format!("/reads/{twin}")).await.body.contains("第一の見立て"));
    app.clock.advance(chrono::TimeDelta::minutes(1));
    draft(&two, twin, 0, "第二の見立て").await;
    let signed = sign(&two, twin, 1, PASSWORD).await;
    assert_eq!(signed.status, StatusCode::OK, "{}", signed.body);
    assert!(signed.body.contains(&format!("/reads/{twin}#compare")), "he stays and compares: {}", signed.body);
    Both { one, two, case, reads: [read, twin] }
}

#[actix_web::test]
async fn two_reports_that_agree_are_returned_when_the_second_reader_says_so() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let both = both_signed(&app, &ward).await;
    let [read, twin] = both.reads;
    let case = both.case;
    assert_eq!(case_state(&app, case).await, CaseState::Reading, "nobody has compared them");
    let owed = app.state.db.read(move |conn| deliveries::delivery_list_of_case(conn, case)).await.unwrap();
    assert!(owed.is_empty(), "and nothing has gone out");
    let room = both.two.get(&format!("/reads/{twin}")).await.body;
    assert!(room.contains("第一の見立て") && room.contains("id=\"compare\""), "now he sees the first");
    assert!(both.two.get("/worklist").await.body.contains(&format!("/reads/{twin}#compare")));
    assert!(!both.one.get(&format!("/reads/{read}")).await.body.contains("id=\"compare\""));
    let not_his = both.one.form(&format!("/reads/{read}/compare"), &[("outcome", "agree")]).await;
    assert_eq!(not_his.status, StatusCode::CONFLICT);
    let nothing = both.two.form(&format!("/reads/{twin}/compare"), &[]).await;
    assert_eq!(nothing.status, StatusCode::UNPROCESSABLE_ENTITY, "it is never guessed");
    let agreed = both.two.form(&format!("/reads/{twin}/compare"), &[("outcome", "agree")]).await;
    assert_eq!(agreed.status, StatusCode::SEE_OTHER, "{}", agreed.body);
    assert_eq!(case_state(&app, case).await, CaseState::Reported);
    let owed = app.state.db.read(move |conn| deliveries::delivery_list_of_case(conn, case)).await.unwrap();
    assert_eq!(owed.len(), 6, "both reports go to all three destinations");
    let again = both.two.form(&format!("/reads/{twin}/compare"), &[("outcome", "agree")]).await;
    assert_eq!(again.status, StatusCode::CONFLICT);
    assert!(!both.two.get("/worklist").await.body.contains("#compare"));
}

#[actix_web::test]
async fn two_reports_that_differ_are_settled_by_a_third_reader_whose_report_goes_out() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let both = both_signed(&app, &ward).await;
    let ([read, twin], case) = (both.reads, both.case);
    let path = format!("/reads/{twin}/compare");
    let wordless = both.two.form(&path, &[("outcome", "differ"), ("reason", " ")]).await;
    assert_eq!(wordless.status, StatusCode::UNPROCESSABLE_ENTITY);
    let differs = both.two.form(&path, &[("outcome", "differ"), ("reason", "結節の有無")]).await;
    assert_eq!(differs.status, StatusCode::SEE_OTHER, "{}", differs.body);
    assert_eq!(case_state(&app, case).await, CaseState::Reading);
    let all = app.state.db.read(move |conn| reads::read_list_of_case(conn, case)).await.unwrap();
    let third = all.iter().find(|one| one.kind == ReadKind::Third).expect("a third reading").id;
    let (_, problem) = app
        .state
        .db
        .read(move |conn| {
            let row = cases::case_get(conn, case)?;
            let now = dokuei_server::clock::Clock::stamp(&dokuei_server::clock::WallClock);
            Ok((row.version, dokuei_server::app::planning::snapshot(conn, row.pool_id, now)?.problem))
        })
        .await
        .unwrap();
    let planned = problem.reads.iter().find(|one| one.id == third.0).expect("it is planned");
    assert_eq!(planned.not_reader_of.len(), 2, "neither of the two reads it once more");

    let (judge, id) = ward.reader("judge").await;
    ward.give(third, id).await;
    judge.form(&format!("/reads/{third}/start"), &[]).await;
    let room = judge.get(&format!("/reads/{third}")).await.body;
    assert!(room.contains("第一の見立て") && room.contains("第二の見立て"), "the third sees both");
    draft(&judge, third, 0, "第三の判定").await;
    assert_eq!(sign(&judge, third, 1, PASSWORD).await.status, StatusCode::OK);
    assert_eq!(case_state(&app, case).await, CaseState::Reported);
    let newest = versions(&app, case).await.pop().unwrap();
    let owed = app.state.db.read(move |conn| deliveries::delivery_list_of_case(conn, case)).await.unwrap();
    assert!(owed.len() == 3 && owed.iter().all(|one| one.report_version_id == newest.id), "only the third goes out");
    let events = app.state.db.read(move |conn| case_events::case_event_list(conn, case)).await.unwrap();
    let compared = events.iter().find(|event| event.kind == "compare").unwrap();
    assert!(compared.data.contains("結節の有無") && compared.data.contains("\"agrees\":false"), "{}", compared.data);
    assert_ne!(read, twin);
}

#[actix_web::test]
async fn a_dispatcher_compares_where_the_second_reader_is_gone() {
    let app = TestApp::init().await;
    let ward = Ward::in_app(&app).await;
    let both = both_signed(&app, &ward).await;
    let case = both.case;
    let chief = app.with_user("chief", &[(Role::Dispatcher, Scope::Pool(ward.pool))]).await;
    assert!(chief.get(&format!("/cases/{case}")).await.body.contains(&format!("/cases/{case}/compare")));
    assert!(chief.get("/dispatch").await.body.contains("比較待ち"));
    let agreed = chief.form(&format!("/cases/{case}/compare"), &[("outcome", "agree")]).await;
    assert_eq!(agreed.status, StatusCode::SEE_OTHER, "{}", agreed.body);
    assert_eq!(case_state(&app, case).await, CaseState::Reported);
    let row = app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap();
    assert!(!row.has_flag(COMPARE));
}
