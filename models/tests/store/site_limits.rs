//! What a site may send and what it has sent, on both databases.

use chrono::TimeDelta;
use dokuei_models::state::Whose;
use dokuei_models::store::images::{self, ArrivalCounts, NewArrival};
use dokuei_models::store::site_limits::{self, SiteLimitsRow};
use dokuei_models::store::sites::{self, EndpointRow};

use super::databases::on_each;
use super::world::{self, noon};

#[test]
fn limits_are_written_changed_and_taken_away_again() {
    on_each(|db| async move {
        let (_, site) = db.tx(world::site).await.unwrap();
        let of = move |conn: &mut dokuei_models::Connection| site_limits::site_limits_get(conn, site);
        assert_eq!(db.read(of).await.unwrap(), SiteLimitsRow::default());
        let first = SiteLimitsRow { associations: Some(4), hour_megabytes: Some(100), ..SiteLimitsRow::default() };
        let second = SiteLimitsRow { associations: None, idle_seconds: Some(20), ..first };
        for wanted in [first, second, SiteLimitsRow::default()] {
            db.tx(move |conn| site_limits::site_limits_set_in_tx(conn, site, &wanted)).await.unwrap();
            assert_eq!(db.read(of).await.unwrap(), wanted);
        }
    });
}

#[test]
fn the_volume_of_a_site_is_what_its_associations_brought_that_ended_in_the_span() {
    on_each(|db| async move {
        let (_, site) = db.tx(world::site).await.unwrap();
        let row = EndpointRow { site_id: site, name: "ct".into(), ae_title: "CT".into(), ..EndpointRow::default() };
        let endpoint = db.tx(move |conn| sites::endpoint_insert_in_tx(conn, &row)).await.unwrap();
        // Begun, ended (hours ago), bytes; the last one goes on.
        let came = [(30, Some(25), 1), (5, Some(3), 10), (2, Some(0), 100), (1, None, 1_000)];
        for (begun, ended, bytes) in came {
            db.tx(move |conn| {
                let new = NewArrival {
                    site,
                    endpoint: Some(endpoint),
                    user: None,
                    via: "dicom",
                    whose: Whose::Ours,
                    calling_ae: "CT".into(),
                    address: "192.0.2.1".into(),
                    at: noon() - TimeDelta::hours(begun),
                };
                let arrival = images::arrival_open_in_tx(conn, &new)?;
                let counts = ArrivalCounts { kept: 1, repeated: 0, quarantined: 0, failed: 0, bytes };
                match ended {
                    Some(ago) => {
                        let at = noon() - TimeDelta::hours(ago);
                        images::arrival_close_in_tx(conn, arrival, counts, "released", at)
                    }
                    None => Ok(()),
                }
            })
            .await
            .unwrap();
        }
        for (hours, bytes) in [(1, 100), (4, 110), (24, 110), (26, 111)] {
            let since = noon() - TimeDelta::hours(hours);
            let volume = db.read(move |conn| site_limits::site_volume_since(conn, site, since)).await.unwrap();
            assert_eq!(volume, bytes, "{hours} h");
        }
        let other = dokuei_models::SiteId(site.0 + 1);
        let since = noon() - TimeDelta::days(2);
        assert_eq!(db.read(move |conn| site_limits::site_volume_since(conn, other, since)).await.unwrap(), 0);
    });
}
