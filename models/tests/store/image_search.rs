//! The search that C-FIND and QIDO-RS share, on both databases.

use chrono::NaiveDate;
use dokuei_models::names::PatientName;
use dokuei_models::objects::KeptObject;
use dokuei_models::store::image_search::{
    self, DayRange, ImageKeys, NamePattern, Page, Scope, TextPattern, TimeRange, instance_search, patient_search,
    series_search, study_search,
};
use dokuei_models::store::images::{self, InstanceFacts};
use dokuei_models::store::patients::Identity;
use dokuei_models::store::sites;
use dokuei_models::{Connection, SiteId, StoreError};

use crate::databases::on_each;
use crate::world;

const ALL: Page = Page { limit: 100, offset: 0 };

struct Made<'a> {
    uid: &'a str,
    patient: &'a str,
    name: [&'a str; 3],
    day: Option<&'a str>,
    time: &'a str,
    modality: &'a str,
    description: &'a str,
    accession: &'a str,
    body_part: &'a str,
}

const STUDIES: [Made<'static>; 4] = [
    Made {
        uid: "1.1",
        patient: "0012",
        name: ["KAKUU^TAROU", "架空^太郎", "カクウ^タロウ"],
        day: Some("20260401"),
        time: "093000",
        modality: "CT",
        description: "Chest CT",
        accession: "A100",
        body_part: "CHEST",
    },
    Made {
        uid: "1.2",
        patient: "12",
        name: ["KAKUU^TAROU", "架空^太郎", ""],
        day: Some("20260402"),
        time: "235959",
        modality: "MR",
        description: "頭部MRI",
        accession: "A101",
        body_part: "HEAD",
    },
    Made {
        uid: "1.3",
        patient: "X_9",
        name: ["", "松本^花子", "まつもと^はなこ"],
        day: Some("20260402"),
        time: "",
        modality: "MR",
        description: "100% knee",
        accession: "B_1",
        body_part: "KNEE",
    },
    Made {
        uid: "1.4",
        patient: "XA9",
        name: ["ﾔﾏﾓﾄ^ｼﾞﾛｳ", "", ""],
        day: None,
        time: "",
        modality: "DX",
        description: "",
        accession: "",
        body_part: "",
    },
];

fn keep(conn: &mut Connection, site: SiteId, made: &Made<'_>) -> Result<(), StoreError> {
    for n in 1..=2 {
        let facts = InstanceFacts {
            identity: Identity {
                patient_id: made.patient.into(),
                name: PatientName {
                    alphabetic: made.name[0].into(),
                    ideographic: made.name[1].into(),
                    phonetic: made.name[2].into(),
                },
                birth_date: NaiveDate::from_ymd_opt(1960, 4, 1),
                sex: "M".into(),
            },
            study_uid: made.uid.into(),
            series_uid: format!("{}.{n}", made.uid),
            sop_instance_uid: format!("{}.{n}.1", made.uid),
            sop_class_uid: "1.2.840.10008.5.1.4.1.1.2".into(),
            transfer_syntax: "1.2.840.10008.1.2.1".into(),
            // A second series with its report in each.
            modality: if n == 1 { made.modality.into() } else { "SR".into() },
            series_number: Some(3 - n),
            instance_number: Some(7),
            study_date: made.day.and_then(|day| NaiveDate::parse_from_str(day, "%Y%m%d").ok()),
            study_time: made.time.into(),
            study_description: made.description.into(),
            accession_number: made.accession.into(),
            body_part: made.body_part.into(),
            referring_physician: "IRAI^ISHI=依頼^医師".into(),
            frames: 1,
            ..InstanceFacts::default()
        };
        let hash = format!("{site}-{}-{n}", made.uid);
        let object = KeptObject { key: format!("k/{hash}"), sha256: hash, size: 10 };
        images::instance_keep_in_tx(conn, site, None, &facts, &object, world::noon())?;
    }
    Ok(())
}

/// Two sites with the same four studies each.
fn two_sites(conn: &mut Connection) -> Result<[SiteId; 2], StoreError> {
    let (_, one) = world::site(conn)?;
    let mut row = sites::site_get(conn, one)?;
    row.code = "b".into();
    row.patient_id_rule = "exact".into();
    let two = sites::site_insert_in_tx(conn, &row)?;
    for made in &STUDIES {
        keep(conn, one, made)?;
        keep(conn, two, made)?;
    }
    Ok([one, two])
}

fn uids(conn: &mut Connection, site: SiteId, keys: &ImageKeys) -> Result<String, StoreError> {
    let mut found: Vec<String> = study_search(conn, &Scope::Sites(vec![site]), keys, ALL)?
        .into_iter()
        .map(|study| study.study_uid.trim_start_matches("1.").to_owned())
        .collect();
    found.sort();
    Ok(found.join(""))
}

fn text(pattern: &str) -> Option<TextPattern> {
    TextPattern::parse(pattern)
}

#[test]
fn every_kind_of_key_finds_what_it_says() {
    on_each(|db| async move {
        let [one, _] = db.tx(two_sites).await.unwrap();
        let name = |pattern: &str| ImageKeys { patient_name: NamePattern::parse(pattern), ..ImageKeys::default() };
        let fuzzy = |pattern: &str| ImageKeys { patient_name: NamePattern::fuzzy(pattern), ..ImageKeys::default() };
        let of = ImageKeys::default;
        let day = |range: &str| ImageKeys { study_date: DayRange::parse(range).unwrap(), ..ImageKeys::default() };
        let time = |range: &str| ImageKeys { study_time: TimeRange::parse(range).unwrap(), ..ImageKeys::default() };
        let list = |values: &[&str]| values.iter().map(|&value| value.to_owned()).collect::<Vec<_>>();
        let cases: Vec<(&str, ImageKeys, &str)> = vec![
            ("nothing asked", of(), "1234"),
            ("a name, any case, its marks or a space", name("kakuu tarou"), "12"),
            ("a name must be whole", name("kakuu"), ""),
            ("the beginning of a name", name("Kakuu*"), "12"),
            ("two kanji inside", name("*松本*"), "3"),
            ("two kanji that are beside each other in nobody", name("*本松*"), ""),
            ("one kanji inside", name("*本*"), "3"),
            ("hiragana for katakana", name("かくう*"), "1"),
            ("half width for full width", name("ﾏﾂﾓﾄ^ﾊﾅｺ"), "3"),
            ("full width for half width in the first group", name("ヤマモト*"), "4"),
            ("any one letter", name("K?KUU^TARO?"), "12"),
            ("a mark is not any one letter", name("KAKUU^TAROU?"), ""),
            ("two groups", name("KAKUU*=架空*=カクウ*"), "1"),
            ("the end of a name", name("*花子"), "3"),
            ("words in any order", fuzzy("太郎 架空"), "12"),
            ("words of two scripts", fuzzy("tarou カクウ"), "1"),
            ("PatientID by the site's rule", ImageKeys { patient_id: text("012"), ..of() }, "12"),
            ("PatientID with an underscore", ImageKeys { patient_id: text("X_*"), ..of() }, "3"),
            ("PatientID in small letters", ImageKeys { patient_id: text("x?9"), ..of() }, "34"),
            ("accession number", ImageKeys { accession_number: text("A100"), ..of() }, "1"),
            ("a single value knows its case", ImageKeys { accession_number: text("a100"), ..of() }, ""),
            ("part of an accession number", ImageKeys { accession_number: text("*10*"), ..of() }, "12"),
            ("part of a description", ImageKeys { study_description: text("*CT*"), ..of() }, "1"),
            ("part of a Japanese description", ImageKeys { study_description: text("*頭部*"), ..of() }, "2"),
            ("a percent sign", ImageKeys { study_description: text("*0% k*"), ..of() }, "3"),
            ("a day", day("20260402"), "23"),
            ("from a day", day("20260402-"), "23"),
            ("to a day", day("-20260401"), "1"),
            ("a time", time("0930"), "1"),
            ("times", time("09-10"), "1"),
            ("modality", ImageKeys { modalities_in_study: list(&["MR"]), ..of() }, "23"),
            ("one of two modalities", ImageKeys { modalities_in_study: list(&["DX", "CT"]), ..of() }, "14"),
            ("half a modality", ImageKeys { modalities_in_study: list(&["M"]), ..of() }, ""),
            ("a list of UIDs", ImageKeys { study_uids: list(&["1.1", "1.4", "9"]), ..of() }, "14"),
            ("a body part below", ImageKeys { body_part: text("kn*"), ..of() }, "3"),
            ("a series below", ImageKeys { series_uids: list(&["1.2.1"]), ..of() }, "2"),
            ("a series of another modality", ImageKeys { modalities: list(&["SR"]), ..of() }, "1234"),
            ("an instance below", ImageKeys { sop_instance_uids: list(&["1.3.2.1"]), ..of() }, "3"),
            ("an instance of no class", ImageKeys { sop_class_uids: list(&["1.9"]), ..of() }, ""),
            ("the referring physician", ImageKeys { referring_physician: text("*依頼*"), ..of() }, "1234"),
            (
                "all keys together",
                ImageKeys { patient_id: text("12"), modalities_in_study: list(&["MR"]), ..day("20260401-") },
                "2",
            ),
        ];
        for (what, keys, wanted) in cases {
            let found = db.read(move |conn| uids(conn, one, &keys)).await.unwrap();
            assert_eq!(found, wanted, "{what}");
        }
    });
}

#[test]
fn nothing_outside_the_scope_is_found() {
    on_each(|db| async move {
        let [one, two] = db.tx(two_sites).await.unwrap();
        db.read(move |conn| {
            let keys = ImageKeys { patient_id: TextPattern::parse("12"), ..ImageKeys::default() };
            // The second site keeps leading zeros apart: 0012 is somebody else there.
            assert_eq!(uids(conn, two, &keys)?, "2");
            let none = Scope::Sites(Vec::new());
            let any = ImageKeys::default();
            assert!(study_search(conn, &none, &any, ALL)?.is_empty());
            assert!(patient_search(conn, &none, &any, ALL)?.is_empty());
            assert!(instance_search(conn, &Scope::Studies(Vec::new()), &any, ALL)?.is_empty());
            let all = study_search(conn, &Scope::Sites(vec![one, two]), &any, ALL)?;
            assert_eq!(all.len(), 8);
            let of_two = all.iter().find(|study| study.site_id == two && study.study_uid == "1.3").unwrap();
            let only = Scope::Studies(vec![of_two.id]);
            assert_eq!(study_search(conn, &only, &any, ALL)?.len(), 1);
            assert_eq!(series_search(conn, &only, &any, ALL)?.len(), 2);
            assert_eq!(patient_search(conn, &only, &any, ALL)?.len(), 1);
            assert!(instance_search(conn, &only, &any, ALL)?.iter().all(|found| found.instance.site_id == two));
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn pages_follow_one_another_without_gap_or_repeat() {
    on_each(|db| async move {
        let [one, two] = db.tx(two_sites).await.unwrap();
        db.read(move |conn| {
            let scope = Scope::Sites(vec![one, two]);
            let any = ImageKeys::default();
            let whole: Vec<_> = instance_search(conn, &scope, &any, ALL)?.iter().map(|row| row.instance.id).collect();
            assert_eq!(whole.len(), 16);
            let mut paged = Vec::new();
            for offset in (0..18).step_by(3) {
                let page = image_search::Page { limit: 3, offset };
                paged.extend(instance_search(conn, &scope, &any, page)?.iter().map(|row| row.instance.id));
            }
            assert_eq!(paged, whole);
            // Series stand by their number, whatever came first.
            let keys = ImageKeys { study_uids: vec!["1.1".into()], ..ImageKeys::default() };
            let numbers: Vec<_> = series_search(conn, &Scope::Sites(vec![one]), &keys, ALL)?
                .iter()
                .map(|row| row.series.number)
                .collect();
            assert_eq!(numbers, [Some(1), Some(2)]);
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_patient_is_found_by_what_the_index_knows() {
    on_each(|db| async move {
        let [one, _] = db.tx(two_sites).await.unwrap();
        db.read(move |conn| {
            let scope = Scope::Sites(vec![one]);
            // Two studies, 0012 and 12, are one patient here.
            let keys = ImageKeys { patient_name: NamePattern::parse("かくう*"), ..ImageKeys::default() };
            let found = patient_search(conn, &scope, &keys, ALL)?;
            assert_eq!(found.len(), 1);
            assert_eq!(found[0].name().ideographic, "架空^太郎");
            let keys = ImageKeys { patient_id: TextPattern::parse("00012"), ..ImageKeys::default() };
            assert_eq!(patient_search(conn, &scope, &keys, ALL)?, found);
            let keys = ImageKeys { modalities_in_study: vec!["DX".into()], ..ImageKeys::default() };
            assert_eq!(patient_search(conn, &scope, &keys, ALL)?[0].patient_id, "XA9");
            Ok(())
        })
        .await
        .unwrap();
    });
}

#[test]
fn what_is_hidden_is_found_at_no_level() {
    on_each(|db| async move {
        let [one, _] = db.tx(two_sites).await.unwrap();
        let scope = Scope::Sites(vec![one]);
        let of = |uid: &str| ImageKeys { study_uids: vec![uid.to_owned()], ..ImageKeys::default() };
        let counts = |keys: ImageKeys| {
            let scope = scope.clone();
            db.read(move |conn| {
                Ok([
                    patient_search(conn, &scope, &keys, ALL)?.len(),
                    study_search(conn, &scope, &keys, ALL)?.len(),
                    series_search(conn, &scope, &keys, ALL)?.len(),
                    instance_search(conn, &scope, &keys, ALL)?.len(),
                ])
            })
        };
        assert_eq!(counts(of("1.3")).await.unwrap(), [1, 1, 2, 2]);
        for (sop, left) in [("1.3.1.1", [1, 1, 1, 1]), ("1.3.2.1", [0, 0, 0, 0])] {
            let (scope, keys) = (scope.clone(), ImageKeys { sop_instance_uids: vec![sop.into()], ..of("1.3") });
            db.tx(move |conn| {
                let found = instance_search(conn, &scope, &keys, ALL)?;
                images::instances_hide_in_tx(conn, &[found[0].instance.id], world::noon())
            })
            .await
            .unwrap();
            assert_eq!(counts(of("1.3")).await.unwrap(), left, "{sop}");
        }
        let keys = ImageKeys { sop_instance_uids: vec!["1.3.1.1".into()], ..ImageKeys::default() };
        assert_eq!(counts(keys).await.unwrap(), [0, 0, 0, 0]);
    });
}
