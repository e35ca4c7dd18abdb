//! Instances that are indexed together leave what each of them in turn leaves.

use dokuei_models::objects::KeptObject;
use dokuei_models::state::Whose;
use dokuei_models::store::images::{self, Arrived, InstanceFacts, Kept, NewArrival, Rejection, WithdrawalCause};
use dokuei_models::{ArrivalId, Connection, Db, SiteId, StoreError};

use super::databases::{each, on_each};
use super::world::{self, identity, noon};

/// What came, by whose arrival (0 is the site's, 1 a medium's), how many seconds after noon.
type Came = (usize, InstanceFacts, &'static str, i64);

fn facts(study: &str, series: u32, number: i32) -> InstanceFacts {
    InstanceFacts {
        identity: identity(),
        study_uid: study.into(),
        series_uid: format!("{study}.{series}"),
        sop_instance_uid: format!("{study}.{series}.{number}"),
        sop_class_uid: "1.2.840.10008.5.1.4.1.1.2".into(),
        transfer_syntax: "1.2.840.10008.1.2.1".into(),
        modality: "CT".into(),
        instance_number: Some(number),
        images_in_acquisition: Some(4),
        position_along_normal: Some(f64::from(number) / 2.0),
        frames: 1,
        ..InstanceFacts::default()
    }
}

/// Two studies in turn; one of them also the medium's way; what is here, came twice, contradicts, and rejects.
fn everything() -> Vec<Came> {
    let mut came = Vec::new();
    for number in 1..=3 {
        came.push((0, facts("1.2.3", 1, number), "a", i64::from(number)));
        came.push((0, facts("1.2.4", 1, number), "a", i64::from(number)));
        came.push((1, facts("1.2.5", 1, number), "a", i64::from(number)));
    }
    came.push((1, facts("1.2.3", 1, 4), "a", 9));
    came.push((0, facts("1.2.3", 1, 1), "a", 10));
    came.push((0, facts("1.2.3", 1, 2), "other", 11));
    came.push((0, facts("1.2.3", 1, 7), "first", 12));
    came.push((0, facts("1.2.3", 1, 7), "second", 13));
    came.push((0, facts("1.2.5", 1, 8), "claimed", 14));
    let mut ultrasound = facts("1.2.3", 2, 1);
    ultrasound.modality = "US".into();
    came.push((0, ultrasound, "a", 15));
    let mut theirs = facts("1.2.3", 1, 9);
    theirs.identity.patient_id = "0021".into();
    came.push((0, theirs, "a", 16));
    let mut note = facts("1.2.3", 3, 1);
    note.modality = "KO".into();
    note.rejection =
        Some(Rejection { cause: WithdrawalCause::Quality, instances: vec!["1.2.3.1.3".into(), "1.2.3.1.4".into()] });
    came.push((0, note, "note", 17));
    came.push((0, facts("1.2.3", 1, 11), "a", 18));
    came
}

fn arrivals(conn: &mut Connection, site: SiteId) -> Result<[ArrivalId; 2], StoreError> {
    let mut open = |via, whose| {
        let (calling_ae, address) = (String::new(), String::new());
        let arrival = NewArrival { site, endpoint: None, user: None, via, whose, calling_ae, address, at: noon() };
        images::arrival_open_in_tx(conn, &arrival)
    };
    Ok([open("dicom", Whose::Ours)?, open("import", Whose::Elsewhere)?])
}

/// Keeps what came in groups of so many.
fn keep(conn: &mut Connection, came: &[Came], group: usize) -> Result<Vec<String>, StoreError> {
    let (_, site) = world::site(conn)?;
    let arrivals = arrivals(conn, site)?;
    let objects: Vec<KeptObject> = came
        .iter()
        .map(|(_, facts, bytes, _)| {
            let sha256 = format!("{}-{bytes}", facts.sop_instance_uid);
            KeptObject { key: format!("k/{sha256}"), sha256, size: 10 }
        })
        .collect();
    let rows: Vec<Arrived<'_>> = came
        .iter()
        .zip(&objects)
        .map(|((arrival, facts, _, seconds), object)| {
            let at = noon() + chrono::TimeDelta::seconds(*seconds);
            Arrived { site, arrival: Some(arrivals[*arrival]), facts, object, at }
        })
        .collect();
    let mut kept = Vec::new();
    for rows in rows.chunks(group) {
        if group == 1 {
            let Arrived { site, arrival, facts, object, at } = rows[0];
            kept.push(images::instance_keep_in_tx(conn, site, arrival, facts, object, at)?);
        } else {
            kept.extend(images::instances_keep_in_tx(conn, rows)?);
        }
    }
    Ok(kept.iter().map(|kept| word(kept).to_owned()).collect())
}

/// What became of an instance, without ids: they follow the order of insertion.
fn word(kept: &Kept) -> &'static str {
    match kept {
        Kept::New(_) => "new",
        Kept::Repeat(_) => "repeat",
        Kept::Known(_) => "known",
        Kept::OtherPatient => "other patient",
        Kept::Claimed => "claimed",
    }
}

/// Every table that an arriving instance writes, without ids.
async fn left(db: &Db) -> Vec<String> {
    db.read(|conn| {
        use diesel::prelude::*;
        use diesel::sql_types::Text;
        #[derive(QueryableByName)]
        struct Line {
            #[diesel(sql_type = Text)]
            line: String,
        }
        let queries = [
            "SELECT 'study ' || study_uid || ' ' || instances || ' ' || series || ' ' || version || ' ' || modalities || \
             ' ' || CAST(last_received_at AS TEXT) AS line FROM studies ORDER BY line",
            "SELECT 'series ' || series_uid || ' ' || instances || ' ' || modality AS line FROM series ORDER BY line",
            "SELECT 'instance ' || i.sop_instance_uid || ' ' || i.sha256 || ' ' || i.object_key || ' ' || i.size || ' ' || \
             series.series_uid || ' ' || studies.study_uid || ' ' || arrivals.via || ' ' || i.number || ' ' || i.frames || \
             ' ' || i.position_along_normal || ' ' || CAST(i.received_at AS TEXT) || ' ' || \
             COALESCE(CAST(i.hidden_at AS TEXT), 'shown') AS line FROM instances i \
             JOIN series ON series.id = i.series_id JOIN studies ON studies.id = i.study_id \
             JOIN arrivals ON arrivals.id = i.arrival_id ORDER BY line",
            "SELECT 'job ' || kind || ' ' || CAST(run_at AS TEXT) AS line FROM jobs ORDER BY line",
            "SELECT 'apart ' || reason || ' ' || sop_instance_uid AS line FROM quarantine ORDER BY line",
            "SELECT 'evidence ' || kind || ' ' || source || ' ' || expected_instances AS line FROM study_evidence ORDER BY line",
        ];
        let mut lines = Vec::new();
        for query in queries {
            lines.extend(diesel::sql_query(query).load::<Line>(conn)?.into_iter().map(|line| line.line));
        }
        Ok(lines)
    })
    .await
    .unwrap()
}

#[test]
fn together_is_as_in_turn() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut outcomes = Vec::new();
    for group in [1, 4, 100] {
        for fresh in each() {
            runtime.block_on(async {
                let kept = fresh.db.tx(move |conn| keep(conn, &everything(), group)).await.unwrap();
                outcomes.push((fresh.name, group, kept, left(&fresh.db).await));
            });
        }
    }
    let (_, _, kept, lines) = outcomes[0].clone();
    assert_eq!(kept.iter().filter(|kept| *kept == "new").count(), 14);
    for other in ["repeat", "known", "claimed", "other patient"] {
        assert!(kept.iter().any(|kept| kept == other), "{other} is tried");
    }
    assert!(
        lines.iter().any(|line| line.starts_with("evidence")) && lines.iter().any(|line| line.starts_with("apart"))
    );
    for (name, group, other_kept, other_lines) in &outcomes {
        assert_eq!(other_kept, &kept, "{name}, {group} together");
        if *name == "sqlite" {
            assert_eq!(other_lines, &lines, "{name}, {group} together");
        }
    }
    let postgres: Vec<_> = outcomes.iter().filter(|(name, ..)| *name == "postgres").collect();
    for (_, group, _, other_lines) in &postgres {
        assert_eq!(other_lines, &postgres[0].3, "postgres, {group} together");
    }
}

#[test]
fn a_long_series_is_counted_whole() {
    on_each(|db| async move {
        db.tx(|conn| {
            let came: Vec<Came> = (1..=300).map(|number| (0, facts("1.2.3", 1, number), "a", 0)).collect();
            let kept = keep(conn, &came, 300)?;
            assert!(kept.iter().all(|kept| kept == "new"));
            Ok(())
        })
        .await
        .unwrap();
        let lines = left(&db).await;
        assert!(lines[0].starts_with("study 1.2.3 300 1 301 CT"), "{}", lines[0]);
        assert_eq!(lines[1], "series 1.2.3.1 300 CT");
        assert_eq!(lines.iter().filter(|line| line.starts_with("instance")).count(), 300);
    });
}
