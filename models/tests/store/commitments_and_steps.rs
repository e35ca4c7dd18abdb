//! What peers ask and say of what they have sent, on both databases.

use dokuei_models::store::commitments::{self, CommitmentState};
use dokuei_models::store::evidence;
use dokuei_models::store::performed_steps::{self, StepChange, StepStatus};
use dokuei_models::store::sites::{self, EndpointRow};

use super::databases::on_each;
use super::world::{self, noon};

#[test]
fn one_transaction_of_one_endpoint_is_one_question_with_one_job() {
    on_each(|db| async move {
        let (_, site) = db.tx(world::site).await.unwrap();
        let row = EndpointRow {
            site_id: site,
            name: "ct".into(),
            ae_title: "CT".into(),
            sends: true,
            ..EndpointRow::default()
        };
        let endpoint = db.tx(move |conn| sites::endpoint_insert_in_tx(conn, &row)).await.unwrap();
        let items = vec![("1.2.840.1".to_owned(), "1.2.3".to_owned())];
        let ask = move |job| {
            let items = items.clone();
            db_ask(site, endpoint, items, job)
        };
        let first = db.tx(ask(Some("report_commitment"))).await.unwrap();
        let again = db.tx(ask(Some("report_commitment"))).await.unwrap();
        assert_eq!(first, again);
        let row = db.read(move |conn| commitments::commitment_get(conn, first)).await.unwrap();
        assert_eq!((row.state, row.references().unwrap().len()), (CommitmentState::Asked, 1));
        db.tx(move |conn| commitments::commitment_reported_in_tx(conn, first, 1, 0, noon())).await.unwrap();
        let row = db.read(move |conn| commitments::commitment_get(conn, first)).await.unwrap();
        assert_eq!((row.state, row.committed, row.reported_at), (CommitmentState::Reported, 1, Some(noon())));
    });
}

fn db_ask(
    site: dokuei_models::SiteId,
    endpoint: dokuei_models::EndpointId,
    items: Vec<(String, String)>,
    job: Option<&'static str>,
) -> impl Fn(&mut dokuei_models::Connection) -> Result<i64, dokuei_models::StoreError> + Clone + Send + 'static {
    move |conn| commitments::commitment_ask_in_tx(conn, site, endpoint, "1.2.9", &items, job, noon())
}

#[test]
fn a_step_that_has_ended_is_never_changed_and_each_change_is_evidence() {
    on_each(|db| async move {
        let (_, site) = db.tx(world::site).await.unwrap();
        let row = EndpointRow {
            site_id: site,
            name: "ct".into(),
            ae_title: "CT".into(),
            sends: true,
            ..EndpointRow::default()
        };
        let endpoint = db.tx(move |conn| sites::endpoint_insert_in_tx(conn, &row)).await.unwrap();
        let create = move |conn: &mut dokuei_models::Connection| {
            performed_steps::step_create_in_tx(conn, site, endpoint, "1.2.8", &["1.2.3".to_owned()], noon())
        };
        assert_eq!(db.tx(create).await.unwrap(), StepChange::Done);
        assert_eq!(db.tx(create).await.unwrap(), StepChange::Known);
        let set = move |uid: &'static str, status| {
            move |conn: &mut dokuei_models::Connection| {
                let made = [("1.2.3.1".to_owned(), vec!["1".to_owned(), "2".to_owned()])];
                performed_steps::step_set_in_tx(conn, site, uid, status, Some(&made), noon())
            }
        };
        assert_eq!(db.tx(set("1.2.7", None)).await.unwrap(), StepChange::Unknown);
        assert_eq!(db.tx(set("1.2.8", None)).await.unwrap(), StepChange::Done);
        assert_eq!(db.tx(set("1.2.8", Some(StepStatus::Discontinued))).await.unwrap(), StepChange::Done);
        assert_eq!(db.tx(set("1.2.8", Some(StepStatus::Completed))).await.unwrap(), StepChange::Ended);
        let said = db.read(move |conn| evidence::evidence_list(conn, site, "1.2.3")).await.unwrap();
        let counts: Vec<_> = said.iter().map(|row| row.expected_instances).collect();
        assert_eq!(counts, [None, None, Some(2)], "what is not ended does not count");
    });
}

/// An answer that reaches nobody is not tried for ever, and the peer may ask again.
#[test]
fn a_commitment_that_cannot_be_told_expires_and_can_be_asked_for_again() {
    on_each(|db| async move {
        let (_, site) = db.tx(world::site).await.unwrap();
        let row = EndpointRow { site_id: site, name: "ct".into(), ae_title: "CT".into(), ..EndpointRow::default() };
        let endpoint = db.tx(move |conn| sites::endpoint_insert_in_tx(conn, &row)).await.unwrap();
        let items = vec![("1.2.840.1".to_owned(), "1.2.3".to_owned())];
        let id = db.tx(db_ask(site, endpoint, items.clone(), None)).await.unwrap();
        let day = chrono::TimeDelta::hours(24);
        assert_eq!(db.tx(move |conn| commitments::commitment_expire_in_tx(conn, noon())).await.unwrap(), 0);
        assert_eq!(db.tx(move |conn| commitments::commitment_expire_in_tx(conn, noon() + day)).await.unwrap(), 1);
        let listed = db.read(move |conn| commitments::commitment_list(conn, endpoint, 10)).await.unwrap();
        assert_eq!((listed.len(), listed[0].id, listed[0].state), (1, id, CommitmentState::Expired));
        assert_eq!(db.tx(db_ask(site, endpoint, items, Some("report_commitment"))).await.unwrap(), id);
        let row = db.read(move |conn| commitments::commitment_get(conn, id)).await.unwrap();
        assert_eq!(row.state, CommitmentState::Asked);
        // One that was told never expires.
        db.tx(move |conn| commitments::commitment_reported_in_tx(conn, id, 1, 0, noon())).await.unwrap();
        assert_eq!(db.tx(move |conn| commitments::commitment_expire_in_tx(conn, noon() + day)).await.unwrap(), 0);
    });
}

/// The quiet time is for senders who say nothing: a step that has ended says it.
#[test]
fn a_step_that_ends_has_its_study_looked_at_at_once() {
    use dokuei_models::store::images::{self, InstanceFacts};
    use dokuei_models::store::jobs;
    on_each(|db| async move {
        let (_, site) = db.tx(world::site).await.unwrap();
        db.tx(move |conn| {
            let row = EndpointRow { site_id: site, name: "ct".into(), ae_title: "CT".into(), ..EndpointRow::default() };
            let endpoint = sites::endpoint_insert_in_tx(conn, &row)?;
            let facts = InstanceFacts {
                study_uid: "1.2.3".into(),
                series_uid: "1.2.3.1".into(),
                sop_instance_uid: "1.2.3.1.1".into(),
                ..InstanceFacts::default()
            };
            let object = dokuei_models::objects::KeptObject { key: "k/step".into(), sha256: "5".repeat(64), size: 10 };
            images::instance_keep_in_tx(conn, site, None, &facts, &object, noon())?;
            let due = |conn: &mut dokuei_models::Connection| {
                Ok::<_, dokuei_models::StoreError>(jobs::job_next_due(conn, &["settle_study"])?.expect("a job"))
            };
            assert!(due(conn)? > noon(), "it waits for the quiet time");
            performed_steps::step_create_in_tx(conn, site, endpoint, "1.2.8", &["1.2.3".to_owned()], noon())?;
            assert!(due(conn)? > noon(), "a step that has begun says nothing of the end");
            let made = [("1.2.3.1".to_owned(), vec!["1.2.3.1.1".to_owned()])];
            let ended = Some(StepStatus::Completed);
            performed_steps::step_set_in_tx(conn, site, "1.2.8", ended, Some(&made), noon())?;
            assert_eq!(due(conn)?, noon());
            Ok(())
        })
        .await
        .unwrap();
    });
}
