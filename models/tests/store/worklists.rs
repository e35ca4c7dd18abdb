//! What is asked of a reader is found by what is asked, not by all that he ever signed.

use diesel::connection::SimpleConnection as _;
use diesel::prelude::*;
use diesel::sql_types::Text;
use dokuei_models::Connection;
use dokuei_models::store::worklists::Asked;

use super::databases::on_each;

#[derive(QueryableByName)]
struct SqliteStep {
    #[diesel(sql_type = Text)]
    detail: String,
}

#[derive(QueryableByName)]
struct PostgresStep {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    detail: String,
}

#[test]
fn what_is_asked_is_found_by_an_index_of_its_own() {
    on_each(|db| async move {
        for (asked, index) in [(Asked::Compare, "cases_to_compare"), (Asked::Withdraw, "cases_withdrawal_asked")] {
            let query = format!("SELECT * FROM cases WHERE {}", asked.condition());
            let plan: Vec<String> = db
                .tx(move |conn| {
                    let explained = |how: &str| diesel::sql_query(format!("{how} {query}"));
                    Ok(match conn {
                        Connection::Sqlite(_) => explained("EXPLAIN QUERY PLAN")
                            .load::<SqliteStep>(conn)?
                            .into_iter()
                            .map(|step| step.detail)
                            .collect(),
                        Connection::Postgres(_) => {
                            // A table of no rows is read whole whatever there is.
                            conn.batch_execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")?;
                            let steps = explained("EXPLAIN").load::<PostgresStep>(conn)?;
                            steps.into_iter().map(|step| step.detail).collect()
                        }
                    })
                })
                .await
                .unwrap();
            assert!(
                plan[0].to_lowercase().contains(&format!("using index {index}"))
                    || plan[0].to_lowercase().contains(&format!("index scan using {index}")),
                "{plan:?}"
            );
        }
    });
}
