//! What never changes is kept from changing by the database itself.

use diesel::prelude::*;
use dokuei_models::StoreError;
use dokuei_models::schema::{audit, case_events, report_versions, reports};
use dokuei_models::state::VersionState;

use super::databases::on_each;
use super::world::{self, noon};

#[test]
fn a_signed_version_and_the_trail_refuse_every_change() {
    on_each(|db| async move {
        let world = db.tx(world::make).await.unwrap();
        let version: i64 = db
            .tx(move |conn| {
                let report: i64 = diesel::insert_into(reports::table)
                    .values((
                        reports::case_id.eq(world.case),
                        reports::read_id.eq(world.read),
                        reports::reader_id.eq(world.readers[0]),
                        reports::created_at.eq(noon()),
                    ))
                    .returning(reports::id)
                    .get_result(conn)?;
                Ok(diesel::insert_into(report_versions::table)
                    .values((
                        report_versions::report_id.eq(report),
                        report_versions::number.eq(1),
                        report_versions::state.eq(VersionState::Draft),
                        report_versions::revision.eq(1),
                        report_versions::findings.eq("a"),
                        report_versions::impression.eq("b"),
                        report_versions::reason.eq(""),
                        report_versions::saved_at.eq(noon()),
                        report_versions::saved_by.eq(world.user),
                    ))
                    .returning(report_versions::id)
                    .get_result(conn)?)
            })
            .await
            .unwrap();
        let write = |text: &'static str, state: VersionState| {
            db.tx(move |conn| {
                diesel::update(report_versions::table.find(version))
                    .set((report_versions::findings.eq(text), report_versions::state.eq(state)))
                    .execute(conn)
                    .map_err(StoreError::from)
            })
        };
        write("while a draft", VersionState::Draft).await.unwrap();
        write("signed", VersionState::Final).await.unwrap();
        write("afterwards", VersionState::Final).await.expect_err("a signed version never changes");
        let gone = db.tx(move |conn| Ok(diesel::delete(report_versions::table.find(version)).execute(conn)?)).await;
        gone.expect_err("a signed version is never removed");
        let text: String = db
            .read(move |conn| Ok(report_versions::table.find(version).select(report_versions::findings).first(conn)?))
            .await
            .unwrap();
        assert_eq!(text, "signed");
        db.tx(|conn| Ok(diesel::update(audit::table).set(audit::outcome.eq("x")).execute(conn)?))
            .await
            .expect_err("the trail never changes");
        db.tx(|conn| Ok(diesel::delete(case_events::table).execute(conn)?)).await.expect_err("nor does a history");
    });
}
