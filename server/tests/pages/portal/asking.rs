//! Images and their requests find each other; a question is answered, a request taken back.

use actix_web::http::StatusCode;
use chrono::TimeDelta;
use dokuei_models::state::{CaseEvent, CaseState, HoldActor, NoteKind, OrphanRule, case_apply_in_tx};
use dokuei_models::store::evidence::{EvidenceKind, evidence_list};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::{case_notes, cases, reads, studies};
use dokuei_models::{Actor, StudyId};
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;

use super::{case_of, house, image, request, send_request, site, submitted, upload, work};

#[actix_web::test]
async fn images_come_first_and_their_request_finds_them() {
    let (app, pool, site_id) = house().await;
    let who = app.with_user("gishi", &[(Role::SiteTechnologist, Scope::Site(site_id))]).await;
    let empty = who.get("/portal").await;
    assert!(empty.body.contains("進行中のものはありません"), "an empty list says what to do");

    let lines = upload(
        &who,
        site_id,
        &[("CD%2FIM1", &image(1)), ("IM2", &image(2)), ("IM1", &image(1)), ("memo.txt", "hello")],
    )
    .await;
    let fates: Vec<&str> = lines.iter().map(|line| line["fate"].as_str().unwrap()).collect();
    assert_eq!(fates, ["kept", "kept", "repeated", "ignored"]);
    assert_eq!(lines[0]["name"], "CD/IM1");
    assert!(lines[3]["reason"].as_str().unwrap().contains("画像ではない"));
    let study = lines[0]["study"].as_i64().unwrap();
    let said = app.state.db.read(move |conn| {
        let row = studies::study_get(conn, StudyId(study))?;
        evidence_list(conn, row.site_id, &row.study_uid)
    });
    let ended: Vec<_> = said.await.unwrap().into_iter().filter(|one| one.kind == EvidenceKind::Release).collect();
    assert_eq!(ended.len(), 1, "the upload's end is evidence, as an association's release is");
    assert!(ended[0].detail.contains("\"instances\":3"), "known ones count: {}", ended[0].detail);

    work(&app).await;
    let page = who.get("/portal").await;
    assert!(page.body.contains("依頼票がありません") && page.body.contains("架空 花子") && page.body.contains("2 / 2"));
    let form = who.get(&format!("/portal/form?study={study}")).await;
    assert!(
        form.body.contains("value=\"0042\"")
            && form.body.contains("1960-04-01")
            && form.body.contains("value=\"A-100\"")
    );

    let mut wrong = request(site_id);
    wrong.retain(|(name, _)| *name != "exam");
    wrong.iter_mut().find(|(name, _)| *name == "priority").unwrap().1 = "stat".to_owned();
    let refused = send_request(&who, &wrong).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.body.contains("いま出られる電話番号が必要") && refused.body.contains("肺炎の有無"),
        "what was typed stays"
    );

    let sent = send_request(&who, &request(site_id)).await;
    assert_eq!(sent.status, StatusCode::SEE_OTHER, "{}", sent.body);
    let case = case_of(&app).await;
    assert_eq!(sent.header("location"), format!("/portal/cases/{case}"));
    let page = who.get(&format!("/portal/cases/{case}")).await;
    assert!(page.body.contains("肺炎の有無"), "{}", page.body);

    // Another site's person sees nothing of it.
    let other = app.state.db.tx(move |conn| sites::site_insert_in_tx(conn, &site("b", pool))).await.unwrap();
    let stranger = app.with_user("other", &[(Role::SiteDoctor, Scope::Site(other))]).await;
    for path in
        [format!("/portal/cases/{case}"), format!("/portal/form?study={study}"), "/portal/requests/1".to_owned()]
    {
        assert_eq!(stranger.get(&path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert!(!stranger.get("/portal").await.body.contains("架空 花子"));
    let theft = stranger.form("/portal/requests/1/cancel", &[("reason", "x")]).await;
    assert_eq!(theft.status, StatusCode::NOT_FOUND);
    assert_eq!(stranger.form("/portal/uploads", &[("site", &site_id.to_string())]).await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn a_pair_that_names_two_patients_is_read_by_nobody_and_says_why() {
    let (app, _, site_id) = house().await;
    let who = app.with_user("jimu", &[(Role::SiteClerk, Scope::Site(site_id))]).await;
    upload(&who, site_id, &[("a", &image(1))]).await;
    work(&app).await;
    let mut twin = request(site_id);
    twin.iter_mut().find(|(name, _)| *name == "birth_date").unwrap().1 = "1961-04-01".to_owned();
    assert_eq!(send_request(&who, &twin).await.status, StatusCode::SEE_OTHER);
    let all = app
        .state
        .db
        .read(|conn| cases::case_list(conn, &cases::CaseQuery { limit: 10, ..Default::default() }))
        .await
        .unwrap();
    assert!(all.is_empty(), "no case is opened");
    let page = who.get("/portal?show=todo").await;
    assert!(page.body.contains("一致しない") && page.body.contains("生年月日"), "{}", page.body);
}

#[actix_web::test]
async fn a_written_request_takes_the_place_of_the_one_by_rule() {
    let (app, pool, _) = house().await;
    let row = SiteRow { orphan_rule: OrphanRule::DefaultRequest, ..site("c", pool) };
    let site_id = app.state.db.tx(move |conn| sites::site_insert_in_tx(conn, &row)).await.unwrap();
    let who = app.with_user("gishi", &[(Role::SiteTechnologist, Scope::Site(site_id))]).await;
    upload(&who, site_id, &[("a", &image(1))]).await;
    work(&app).await;
    let by_rule = case_of(&app).await;
    let mut double = request(site_id);
    double.iter_mut().find(|(name, _)| *name == "kind").unwrap().1 = "double".to_owned();
    assert_eq!(send_request(&who, &double).await.status, StatusCode::SEE_OTHER);
    let case = case_of(&app).await;
    assert_ne!(case, by_rule, "nobody read it yet, so it is opened anew");
    let (old, reads_of) = app
        .state
        .db
        .read(move |conn| Ok((cases::case_get(conn, by_rule)?.state, reads::read_list_of_case(conn, case)?.len())))
        .await
        .unwrap();
    assert_eq!((old, reads_of), (CaseState::Cancelled, 2));
    let again = send_request(&who, &double).await;
    assert_eq!(again.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(again.body.contains("すでに依頼があります"));
}

#[actix_web::test]
async fn an_answer_lets_the_reading_go_on_and_a_cancelled_request_ends_it() {
    let (app, _, site_id) = house().await;
    let who = app.with_user("gishi", &[(Role::SiteTechnologist, Scope::Site(site_id))]).await;
    let case = submitted(&app, &who, site_id).await;
    let actor = Actor::system("test", app.clock.stamp());
    app.state
        .db
        .tx(move |conn| {
            case_notes::case_note_add_in_tx(conn, &actor, case, NoteKind::Question, "", "側面像はありますか。")?;
            let until = actor.at + TimeDelta::hours(24);
            let hold = CaseEvent::Hold { reason: "question".to_owned(), actor: HoldActor::Site, until };
            case_apply_in_tx(conn, &actor, case, &hold)
        })
        .await
        .unwrap();
    let page = who.get("/portal").await;
    assert!(page.body.contains("回答する"), "{}", page.body);
    assert!(who.get(&format!("/portal/cases/{case}")).await.body.contains("側面像はありますか。"));
    let path = format!("/portal/cases/{case}/answer");
    assert_eq!(who.form(&path, &[("answer", "  ")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(who.form(&path, &[("answer", "追加で送りました。")]).await.status, StatusCode::SEE_OTHER);
    let row = app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap();
    assert_eq!(row.state, CaseState::Ready);

    let path = format!("/portal/requests/{}/cancel", row.request_id);
    assert_eq!(who.form(&path, &[("reason", "")]).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(who.form(&path, &[("reason", "患者の転院")]).await.status, StatusCode::SEE_OTHER);
    let row = app.state.db.read(move |conn| cases::case_get(conn, case)).await.unwrap();
    assert_eq!(row.state, CaseState::Cancelled);
    // The images are still here: a new request finds them.
    assert_eq!(send_request(&who, &request(site_id)).await.status, StatusCode::SEE_OTHER);
    assert_ne!(case_of(&app).await, case);
}
