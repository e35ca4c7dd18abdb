//! What is known of a study is noted as a new version when it changes, and the device's count and open associations count.

use chrono::TimeDelta;
use dokuei_models::completeness::{Says, Verdict};
use dokuei_models::objects::KeptObject;
use dokuei_models::schema::study_completeness;
use dokuei_models::state::Whose;
use dokuei_models::store::completeness::{completeness_list, completeness_note_in_tx, series_count_whole, study_judge};
use dokuei_models::store::evidence::{EvidenceKind, NewEvidence, evidence_record_in_tx};
use dokuei_models::store::images::{
    self, ArrivalCounts, InstanceFacts, Kept, NewArrival, arrival_close_in_tx, arrival_open_in_tx,
};
use dokuei_models::store::studies;
use dokuei_models::{ArrivalId, Connection, SiteId, StoreError, StudyId};

use super::databases::on_each;
use super::world::{self, identity, noon};
use diesel::prelude::*;

fn come(
    conn: &mut Connection,
    site: SiteId,
    arrival: ArrivalId,
    series: &str,
    number: i32,
    after: i64,
) -> Result<StudyId, StoreError> {
    let facts = InstanceFacts {
        identity: identity(),
        study_uid: "1.2.3".into(),
        series_uid: series.into(),
        sop_instance_uid: format!("{series}.{number}"),
        images_in_acquisition: Some(2),
        frames: 1,
        ..InstanceFacts::default()
    };
    let name = format!("{series}/{number}");
    let object = KeptObject { key: name.clone(), sha256: name, size: 10 };
    let at = noon() + TimeDelta::seconds(after);
    match images::instance_keep_in_tx(conn, site, Some(arrival), &facts, &object, at)? {
        Kept::New(id) => Ok(studies::instance_get(conn, id)?.study_id),
        other => panic!("{other:?}"),
    }
}

#[test]
fn each_change_is_a_version_and_an_open_association_is_heard_of() {
    on_each(|db| async move {
        db.tx(|conn| {
            let (_, site) = world::site(conn)?;
            let arrival = NewArrival {
                site,
                endpoint: None,
                user: None,
                via: "dicom",
                whose: Whose::Ours,
                calling_ae: "CT1".into(),
                address: "127.0.0.1".into(),
                at: noon(),
            };
            let arrival = arrival_open_in_tx(conn, &arrival)?;
            let study = come(conn, site, arrival, "1.2.3.1", 1, 0)?;
            let look = |conn: &mut Connection, after: i64| {
                let row = studies::study_get(conn, study)?;
                let known = study_judge(conn, &row, noon() + TimeDelta::seconds(after))?;
                let noted = completeness_note_in_tx(conn, &row, &known, noon() + TimeDelta::seconds(after))?;
                Ok::<_, StoreError>((known, noted))
            };
            let (known, noted) = look(conn, 1)?;
            assert_eq!((known.verdict, known.expected, noted), (Verdict::Coming, Some(2), true));
            assert!(known.reasons.iter().any(|one| one.says == Says::Running), "its association is open");
            assert!(!look(conn, 2)?.1, "nothing has changed");
            let row = studies::study_get(conn, study)?;
            assert_eq!(series_count_whole(conn, &row)?, 0);
            come(conn, site, arrival, "1.2.3.1", 2, 3)?;
            assert_eq!(series_count_whole(conn, &row)?, 1, "the device's count is reached");
            come(conn, site, arrival, "1.2.3.2", 1, 4)?;
            let senders = studies::study_senders(conn, study)?;
            assert_eq!(senders, [("CT1".to_owned(), "dicom".to_owned(), "open".to_owned())]);
            arrival_close_in_tx(conn, arrival, ArrivalCounts::default(), "released", noon())?;
            let mpps = |status: &str, expected| NewEvidence {
                site,
                study_uid: "1.2.3".into(),
                kind: EvidenceKind::Mpps,
                source: "1.2.9".into(),
                expected_instances: expected,
                detail: serde_json::json!({ "step": status }),
                at: noon(),
            };
            evidence_record_in_tx(conn, &mpps("IN PROGRESS", None))?;
            assert_eq!(look(conn, 600)?.0.verdict, Verdict::Coming, "the step goes on, however quiet it is");
            evidence_record_in_tx(conn, &mpps("COMPLETED", Some(3)))?;
            let (known, noted) = look(conn, 601)?;
            assert_eq!((known.verdict, known.received, noted), (Verdict::Complete, 3, true));
            let versions: Vec<(i32, Verdict, i32)> = completeness_list(conn, study)?
                .into_iter()
                .map(|row| (row.number, row.verdict, row.received))
                .collect();
            assert_eq!(versions, [(1, Verdict::Coming, 1), (2, Verdict::Coming, 3), (3, Verdict::Complete, 3)]);
            Ok(())
        })
        .await
        .unwrap();
        db.tx(|conn| {
            Ok(diesel::update(study_completeness::table).set(study_completeness::number.eq(9)).execute(conn)?)
        })
        .await
        .expect_err("a version never changes");
    });
}
