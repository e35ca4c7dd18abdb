//! Plans of which nothing was applied are swept; the others, and what names them, stay.

use chrono::TimeDelta;
use diesel::prelude::*;
use dokuei_models::schema::{cases, plan_items, plans};
use dokuei_models::store::plans::{self as store, PlanRow};
use dokuei_models::{PlanId, PoolId};

use super::databases::on_each;
use super::world::{self, noon};

#[test]
fn an_old_plan_of_which_nothing_was_applied_is_swept_with_its_items() {
    on_each(|db| async move {
        let world = db.tx(world::make).await.unwrap();
        db.tx(move |conn| {
            let pool: PoolId = cases::table.find(world.case).select(cases::pool_id).first(conn)?;
            let mut parent = None;
            let mut made: Vec<PlanId> = Vec::new();
            for (applied, days) in [(1, 30), (0, 30), (2, 29), (0, 1)] {
                let row = PlanRow {
                    pool_id: pool,
                    parent_id: parent,
                    fencing: 1,
                    seed: 1,
                    reads: 1,
                    readers: 1,
                    assigned: 1,
                    waiting: 0,
                    applied,
                    stale: 1 - applied.min(1),
                    objective: 0.0,
                    bound: 0.0,
                    gap: 0.0,
                    stopped_by: String::new(),
                    solve_ms: 1,
                    at: noon() - TimeDelta::days(days),
                };
                let id = store::plan_create_in_tx(conn, &row)?;
                store::plan_item_add_in_tx(conn, id, world.read, Some(world.readers[0]), 0, "", "stale")?;
                parent = store::plan_newest_applied(conn, pool)?;
                made.push(id);
            }
            assert_eq!(parent, Some(made[2]), "a plan of which nothing was applied is nobody's parent");
            assert_eq!(store::plan_sweep_in_tx(conn, noon() - TimeDelta::days(7), 100)?, 1);
            let left: Vec<PlanId> = plans::table.order(plans::id).select(plans::id).load(conn)?;
            assert_eq!(left, [made[0], made[2], made[3]]);
            let items: i64 = plan_items::table.filter(plan_items::plan_id.eq(made[1])).count().get_result(conn)?;
            assert_eq!(items, 0);
            Ok(())
        })
        .await
        .unwrap();
    });
}
