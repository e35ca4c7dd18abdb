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
