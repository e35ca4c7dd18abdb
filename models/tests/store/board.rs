//! The board's numbers are those of what is to be done.

use chrono::TimeDelta;
use diesel::prelude::*;
use dokuei_models::schema::cases as case_table;
use dokuei_models::state::CaseState;
use dokuei_models::store::board;
use dokuei_models::{SiteId, StoreError};

use super::databases::on_each;
use super::world::{self, noon};

#[test]
fn a_case_that_was_opened_again_counts_however_old_its_report() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world::make(conn)?;
            let site: SiteId = case_table::table.find(world.case).select(case_table::site_id).first(conn)?;
            for (state, counted) in [(CaseState::Reading, 1), (CaseState::OnHold, 1), (CaseState::Returned, 0)] {
                diesel::update(case_table::table.find(world.case))
                    .set((case_table::state.eq(state), case_table::reported_at.eq(Some(noon() - TimeDelta::days(3)))))
                    .execute(conn)?;
                let counts = board::board_case_counts(conn, &[site], noon() - TimeDelta::days(1))?;
                let found: i64 = counts.iter().filter(|(of, _)| *of == state).map(|(_, count)| count).sum();
                assert_eq!(found, counted, "{state:?}");
            }
            Ok::<(), StoreError>(())
        })
        .await
        .unwrap();
    });
}
