//! The ledger: a month with what people know its cases by, and an add-on that was taken back.

use chrono::NaiveDate;
use diesel::prelude::*;
use dokuei_models::schema::{billable_events as lines, cases};
use dokuei_models::state::Place;
use dokuei_models::store::billable_events::{self as ledger, BillableEventRow};
use dokuei_models::store::reports;
use dokuei_models::{BillableEventId, Connection, PatientId, SiteId, StoreError};
use dokuei_terms::{Laterality, Modality, Priority, Region};

use super::databases::on_each;
use super::world::{self, noon};

fn addon(conn: &mut Connection) -> Result<(SiteId, PatientId, BillableEventRow), StoreError> {
    let world = world::make(conn)?;
    let draft = reports::draft_open_in_tx(conn, world.read, world.readers[0], world.user, "", noon())?;
    let (site, patient): (SiteId, PatientId) =
        cases::table.find(world.case).select((cases::site_id, cases::patient_id)).first(conn)?;
    let line = BillableEventRow {
        id: BillableEventId(0),
        site_id: site,
        contract_id: None,
        case_id: world.case,
        read_id: world.read,
        report_version_id: draft.id,
        reader_id: world.readers[0],
        kind: "addon".into(),
        region: Region::WHOLE_BODY,
        modality: Modality::Ct,
        laterality: Laterality::None,
        priority: Priority::Routine,
        tariff_line_id: None,
        quantity: 1,
        amount_yen: 0,
        counts_on: NaiveDate::from_ymd_opt(2026, 10, 1).unwrap(),
        month: "2026-10".into(),
        reading_site_id: None,
        reading_site_filing: String::new(),
        reader_filed: true,
        place: Place::OnSite,
        addon: "yes".into(),
        addon_tier: "addon2".into(),
        addon_group: "E203".into(),
        addon_points: 180,
        addon_sentence_ja: String::new(),
        addon_sentence_en: String::new(),
        corrects_id: None,
        at: noon(),
    };
    Ok((site, patient, line))
}

#[test]
fn a_months_lines_come_with_the_patient_id_and_the_accession_number() {
    on_each(|db| async move {
        db.tx(|conn| {
            let (site, _, line) = addon(conn)?;
            ledger::billable_event_append_in_tx(conn, &line)?;
            ledger::billable_event_append_in_tx(conn, &BillableEventRow { month: "2026-11".into(), ..line })?;
            for of in [None, Some(site)] {
                let month = ledger::billable_event_list_named(conn, "2026-10", of)?;
                assert_eq!(month.len(), 1);
                assert_eq!((month[0].patient_id.as_str(), month[0].accession_number.as_str()), ("0012", "A1"));
            }
            assert!(ledger::billable_event_list_named(conn, "2026-10", Some(SiteId(site.0 + 1)))?.is_empty());
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn an_add_on_that_was_taken_back_is_not_counted_even_in_another_month() {
    on_each(|db| async move {
        db.tx(|conn| {
            let (site, patient, line) = addon(conn)?;
            let counted = |conn: &mut Connection| ledger::addon_counted(conn, site, patient, "2026-10", "E203");
            assert!(!counted(conn)?);
            let first = ledger::billable_event_append_in_tx(conn, &line)?;
            assert!(counted(conn)?);
            let back = BillableEventRow {
                quantity: -1,
                addon_points: -180,
                month: "2026-11".into(),
                corrects_id: Some(first),
                ..line.clone()
            };
            ledger::billable_event_append_in_tx(conn, &back)?;
            assert!(!counted(conn)?, "its month has none any more");
            ledger::billable_event_append_in_tx(conn, &line)?;
            assert!(counted(conn)?, "the reading done anew counts");
            let all: i64 = lines::table.count().get_result(conn)?;
            assert_eq!(all, 3, "nothing was taken out of the ledger");
            Ok(())
        })
        .await
        .unwrap();
    });
}
