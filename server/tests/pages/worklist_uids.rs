//! A worklist gave a study's UID for one of two requests of one number: the study is that one's.

use dokuei_models::state::CaseState;
use dokuei_models::store::{cases, requests, studies};

use super::pool::{identity, on_each, request, study, world};

#[test]
fn a_study_is_joined_to_the_request_whose_uid_it_was_given() {
    on_each(|db| async move {
        db.tx(|conn| {
            let world = world(conn)?;
            let first = request(conn, &world, "A1", identity("1"))?;
            let second = request(conn, &world, "A1", identity("1"))?;
            requests::request_study_uid_in_tx(conn, world.site, second, "1.2.77")?;
            // Given again, it stays what it was.
            requests::request_study_uid_in_tx(conn, world.site, second, "1.2.78")?;
            assert_eq!(requests::request_get(conn, second)?.study_uid, "1.2.77");
            let came = study(conn, &world, "1.2.77", "A1", identity("1"))?;
            let of = studies::study_cases(conn, came)?;
            assert_eq!(of.len(), 1, "{of:?}");
            let case = cases::case_get(conn, of[0].0)?;
            assert_eq!((case.request_id, case.state), (second, CaseState::Ready));
            // Another study of that number, whose UID nobody was given, is both requests' as before.
            let named = requests::request_list_naming(conn, world.site, "A1", "1.2.99")?;
            assert_eq!(named.iter().map(|one| one.id).collect::<Vec<_>>(), [first, second]);
            Ok(())
        })
        .await
        .unwrap();
    });
}
