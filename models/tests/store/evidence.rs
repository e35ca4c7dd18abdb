//! What is said of a study's completeness stands beside what was said before.

use dokuei_models::schema::study_evidence;
use dokuei_models::store::evidence::{self, EvidenceKind, NewEvidence};

use super::databases::on_each;
use super::world::{self, noon};
use diesel::prelude::*;

#[test]
fn a_later_saying_of_one_source_takes_the_place_of_the_earlier_and_neither_is_lost() {
    on_each(|db| async move {
        let (_, site) = db.tx(world::site).await.unwrap();
        let say = |kind, source: &str, expected| NewEvidence {
            site,
            study_uid: "1.2.3".into(),
            kind,
            source: source.into(),
            expected_instances: expected,
            detail: serde_json::json!({"step": "IN PROGRESS"}),
            at: noon(),
        };
        let said = [
            say(EvidenceKind::Mpps, "1.2.9", None),
            say(EvidenceKind::Request, "7", Some(350)),
            say(EvidenceKind::Mpps, "1.2.9", Some(312)),
            say(EvidenceKind::Mpps, "1.2.10", Some(38)),
            NewEvidence { study_uid: "1.2.4".into(), ..say(EvidenceKind::Quiet, "", None) },
        ];
        db.tx(move |conn| said.iter().try_for_each(|one| evidence::evidence_record_in_tx(conn, one))).await.unwrap();
        let (all, newest) = db
            .read(move |conn| {
                Ok((evidence::evidence_list(conn, site, "1.2.3")?, evidence::evidence_newest(conn, site, "1.2.3")?))
            })
            .await
            .unwrap();
        assert_eq!(all.len(), 4, "another study's evidence is its own");
        let counts: Vec<_> = newest.iter().map(|row| (row.kind, row.expected_instances)).collect();
        assert_eq!(
            counts,
            [(EvidenceKind::Request, Some(350)), (EvidenceKind::Mpps, Some(312)), (EvidenceKind::Mpps, Some(38))]
        );
        db.tx(|conn| Ok(diesel::update(study_evidence::table).set(study_evidence::source.eq("x")).execute(conn)?))
            .await
            .expect_err("evidence never changes");
        db.tx(|conn| Ok(diesel::delete(study_evidence::table).execute(conn)?)).await.expect_err("nor is it removed");
    });
}
