//! How long a study search takes over a large index: prints a table of milliseconds.
//!
//!   image_search_speed DATABASE [STUDIES] [QUERIES]
//!
//! DATABASE is `sqlite:PATH` or a `postgres://` address of an empty database; STUDIES invented studies (1,000,000) of a
//! third as many patients are written into one site, then each kind of query is asked QUERIES times (200) with values
//! of its own, one after the other, for 101 rows.

#![allow(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

use std::fmt::Write as _;
use std::time::Instant;

use chrono::{Days, NaiveDate};
use diesel::connection::SimpleConnection;
use diesel::{Connection as _, PgConnection, SqliteConnection};
use dokuei_models::db::{DatabaseUrl, Db, Flavour};
use dokuei_models::names::PatientName;
use dokuei_models::state::OrphanRule;
use dokuei_models::store::image_search::{self, DayRange, ImageKeys, NamePattern, Page, Scope, TextPattern};
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::{Connection, SiteId, StoreError};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

/// Kanji of invented names, with a reading each in Latin letters and katakana.
const KANJI: [(char, &str, &str); 40] = [
    ('山', "YAMA", "ヤマ"),
    ('田', "DA", "ダ"),
    ('佐', "SA", "サ"),
    ('藤', "TOU", "トウ"),
    ('鈴', "SUZU", "スズ"),
    ('木', "KI", "キ"),
    ('高', "TAKA", "タカ"),
    ('橋', "HASHI", "ハシ"),
    ('松', "MATSU", "マツ"),
    ('本', "MOTO", "モト"),
    ('宮', "MIYA", "ミヤ"),
    ('崎', "ZAKI", "ザキ"),
    ('中', "NAKA", "ナカ"),
    ('村', "MURA", "ムラ"),
    ('小', "KO", "コ"),
    ('林', "BAYASHI", "バヤシ"),
    ('加', "KA", "カ"),
    ('吉', "YOSHI", "ヨシ"),
    ('渡', "WATA", "ワタ"),
    ('辺', "NABE", "ナベ"),
    ('伊', "I", "イ"),
    ('東', "HIGASHI", "ヒガシ"),
    ('西', "NISHI", "ニシ"),
    ('野', "NO", "ノ"),
    ('原', "HARA", "ハラ"),
    ('川', "KAWA", "カワ"),
    ('谷', "TANI", "タニ"),
    ('口', "GUCHI", "グチ"),
    ('島', "SHIMA", "シマ"),
    ('石', "ISHI", "イシ"),
    ('井', "I", "イ"),
    ('上', "UE", "ウエ"),
    ('森', "MORI", "モリ"),
    ('池', "IKE", "イケ"),
    ('清', "KIYO", "キヨ"),
    ('水', "MIZU", "ミズ"),
    ('青', "AO", "アオ"),
    ('黒', "KURO", "クロ"),
    ('白', "SHIRO", "シロ"),
    ('岡', "OKA", "オカ"),
];
/// Modalities and how many of a thousand studies have them.
const MODALITIES: [(&str, u32); 8] =
    [("CT", 400), ("DX", 250), ("MR", 200), ("US", 80), ("MG", 40), ("XA", 20), ("NM", 9), ("PT", 1)];
const DESCRIPTIONS: [&str; 8] =
    ["頭部CT", "胸部CT", "Chest PA", "腹部造影CT", "Brain MRI", "腰椎MRI", "Abdomen US", "乳房"];

fn word(random: &mut StdRng) -> (String, String, String) {
    let mut parts = (String::new(), String::new(), String::new());
    for _ in 0..2 {
        // The lower places come often, as common names do.
        let at = (random.random::<f64>().powi(2) * KANJI.len() as f64) as usize;
        let (kanji, latin, kana) = KANJI[at];
        parts.0.push_str(latin);
        parts.1.push(kanji);
        parts.2.push_str(kana);
    }
    parts
}

fn name(random: &mut StdRng) -> PatientName {
    let (family, given) = (word(random), word(random));
    PatientName {
        alphabetic: format!("{}^{}", family.0, given.0),
        ideographic: format!("{}^{}", family.1, given.1),
        phonetic: format!("{}^{}", family.2, given.2),
    }
}

fn modality(random: &mut StdRng) -> &'static str {
    let mut at = random.random_range(0..1000);
    for (name, share) in MODALITIES {
        if at < share {
            return name;
        }
        at -= share;
    }
    "CT"
}

enum Raw {
    Postgres(PgConnection),
    Sqlite(SqliteConnection),
}

impl Raw {
    fn run(&mut self, sql: &str) {
        match self {
            Self::Postgres(conn) => conn.batch_execute(sql).unwrap(),
            Self::Sqlite(conn) => conn.batch_execute(sql).unwrap(),
        }
    }
}

/// Rows of one table, written some thousand at a time.
struct Rows {
    head: &'static str,
    text: String,
    rows: u32,
}

impl Rows {
    const fn into_table(head: &'static str) -> Self {
        Self { head, text: String::new(), rows: 0 }
    }

    fn add(&mut self, values: &str) {
        let parted = if self.rows == 0 { "" } else { "," };
        let _ = write!(self.text, "{parted}({values})");
        self.rows += 1;
    }

    fn flush(&mut self, raw: &mut Raw) {
        if self.rows > 0 {
            raw.run(&format!("INSERT INTO {} VALUES {}", self.head, self.text));
            self.text.clear();
            self.rows = 0;
        }
    }
}

const PATIENTS: &str = "patients (id, site_id, issuer, patient_key, patient_id, name_alphabetic, name_ideographic, \
    name_phonetic, birth_date, sex, search_text, name_search, created_at, version)";
const STUDIES: &str = "studies (id, site_id, study_uid, patient_id, elsewhere, header_patient_id, header_name_alphabetic, \
    header_name_ideographic, header_name_phonetic, header_birth_date, header_sex, name_search, accession_number, \
    study_date, study_time, study_id_text, description, modalities, institution, referring_physician, instances, \
    series, first_received_at, last_received_at, settled_at, settled_instances, match_state, version)";
const SERIES: &str = "series (id, study_id, series_uid, modality, number, description, protocol, body_part, \
    laterality, view_position, instances, first_received_at)";
const INSTANCES: &str = "instances (id, site_id, study_id, series_id, sop_instance_uid, sop_class_uid, \
    transfer_syntax, sha256, size, object_key, number, image_rows, image_columns, frames, received_at)";
const AT: &str = "'2026-10-01 00:00:00'";

fn fill(raw: &mut Raw, count: u32) {
    let mut random = StdRng::seed_from_u64(1);
    if let Raw::Postgres(_) = raw {
        // Made anew behind the rows: thousands of rows at once are not how studies come.
        raw.run(
            "CREATE TEMP TABLE parts AS SELECT indexname, indexdef FROM pg_indexes WHERE indexdef LIKE '%USING gin%'; \
             DO $$ DECLARE one record; BEGIN FOR one IN SELECT * FROM parts LOOP \
             EXECUTE 'DROP INDEX ' || one.indexname; END LOOP; END $$",
        );
    }
    raw.run("BEGIN");
    let mut patients = Rows::into_table(PATIENTS);
    let mut studies = Rows::into_table(STUDIES);
    let mut series = Rows::into_table(SERIES);
    let mut instances = Rows::into_table(INSTANCES);
    let of_patient = 3;
    let mut who = (String::new(), PatientName::default());
    for n in 0..count {
        let patient = n / of_patient + 1;
        if n % of_patient == 0 {
            // An invented number that does not grow with time.
            who = (format!("{:08}", u64::from(patient) * 7_654_321 % 100_000_000), name(&mut random));
            let (id, name) = &who;
            let key = id.trim_start_matches('0');
            let row = format!(
                "{patient}, 1, '', '{key}', '{id}', '{}', '{}', '{}', '1960-04-01', 'M', '{id} {key} {}', '{}', {AT}, 1",
                name.alphabetic,
                name.ideographic,
                name.phonetic,
                name.search_text(),
                name.match_text()
            );
            patients.add(&row);
        }
        let study = n + 1;
        let (id, name) = &who;
        let day = NaiveDate::from_ymd_opt(2016, 1, 1).unwrap() + Days::new(u64::from(random.random_range(0..3900_u32)));
        let modality = modality(&mut random);
        let row = format!(
            "{study}, 1, '{}', {patient}, false, '{id}', '{}', '{}', '{}', '1960-04-01', 'M', '{}', 'A{study:09}', '{day}', \
             '{:02}{:02}00', '{study}', '{}', '{modality}{}', '架空病院', 'IRAI^ISHI', 1, 1, {AT}, {AT}, {AT}, 1, \
             'matched', 1",
            uid(study, ""),
            name.alphabetic,
            name.ideographic,
            name.phonetic,
            name.match_text(),
            random.random_range(8..18),
            random.random_range(0..60),
            DESCRIPTIONS[random.random_range(0..DESCRIPTIONS.len())],
            if n % 10 == 0 { "\\SR" } else { "" },
        );
        studies.add(&row);
        let row =
            format!("{study}, {study}, '{}', '{modality}', 1, '', '', 'CHEST', '', '', 1, {AT}", uid(study, ".1"));
        series.add(&row);
        let row = format!(
            "{study}, 1, {study}, {study}, '{}', '1.2.840.10008.5.1.4.1.1.2', '1.2.840.10008.1.2.1', '{study:064x}', \
             1, 'instances/1/{study:064x}', 1, 512, 512, 1, {AT}",
            uid(study, ".1.1")
        );
        instances.add(&row);
        if n % 3_000 == 2_999 {
            // Patients before their studies: the database holds that they are there.
            for rows in [&mut patients, &mut studies, &mut series, &mut instances] {
                rows.flush(raw);
            }
        }
    }
    for rows in [&mut patients, &mut studies, &mut series, &mut instances] {
        rows.flush(raw);
    }
    raw.run("COMMIT");
    if let Raw::Postgres(_) = raw {
        raw.run(
            "DO $$ DECLARE one record; BEGIN FOR one IN SELECT * FROM parts LOOP \
             EXECUTE one.indexdef; END LOOP; END $$",
        );
        // What autovacuum does by itself after such a load; SQLite has nobody who does.
        raw.run("VACUUM ANALYZE");
    }
}

fn site(conn: &mut Connection) -> Result<(), StoreError> {
    let pool = sites::pool_insert_in_tx(conn, "p", "p", "p")?;
    let site = sites::site_insert_in_tx(
        conn,
        &SiteRow {
            id: SiteId(0),
            pool_id: pool,
            code: "a".into(),
            name_ja: "架空病院".into(),
            name_en: "Invented Hospital".into(),
            refers: true,
            reads: false,
            insured: true,
            institution_code: None,
            phone: String::new(),
            email: String::new(),
            patient_id_rule: "ignore_zeros".into(),
            orphan_rule: OrphanRule::Wait,
            orphan_wait_minutes: 30,
            comparison_after_days: 3650,
            quiet_seconds: 5,
            unknown_classes: false,
            standing_notes: String::new(),
            demo: true,
            research: false,
            active: true,
            version: 1,
        },
    )?;
    assert_eq!(site, SiteId(1), "the database is empty");
    Ok(())
}

fn uid(study: u32, tail: &str) -> String {
    format!("1.2.392.200036.9999.1.{}.{study}{tail}", u64::from(study) * 48_271 % 2_147_483_647)
}

/// A kind of query, and one of them with values of its own.
type Kind = (&'static str, fn(&mut StdRng, u32) -> ImageKeys);

fn kinds() -> Vec<Kind> {
    fn of() -> ImageKeys {
        ImageKeys::default()
    }
    fn letters(random: &mut StdRng, count: usize) -> String {
        let (latin, ..) = word(random);
        latin.chars().take(count).collect()
    }
    fn text(pattern: String) -> Option<TextPattern> {
        TextPattern::parse(&pattern)
    }
    fn named(pattern: String) -> ImageKeys {
        ImageKeys { patient_name: NamePattern::parse(&pattern), ..of() }
    }
    fn days(random: &mut StdRng, length: u64) -> Option<DayRange> {
        let from = NaiveDate::from_ymd_opt(2016, 1, 1).unwrap() + Days::new(random.random_range(0..3800));
        Some(DayRange { from: Some(from), to: Some(from + Days::new(length)) })
    }
    vec![
        ("nothing: the newest", |_, _| of()),
        ("StudyInstanceUID", |r, n| ImageKeys { study_uids: vec![uid(r.random_range(1..=n), "")], ..of() }),
        ("PatientID", |r, n| ImageKeys {
            patient_id: text(format!("{:08}", r.random_range(1..=u64::from(n / 3)) * 7_654_321 % 100_000_000)),
            ..of()
        }),
        ("PatientID *1234*", |r, _| ImageKeys {
            patient_id: text(format!("*{:04}*", r.random_range(0..10_000))),
            ..of()
        }),
        ("AccessionNumber", |r, n| ImageKeys {
            accession_number: text(format!("A{:09}", r.random_range(1..=n))),
            ..of()
        }),
        ("AccessionNumber *1234*", |r, _| ImageKeys {
            accession_number: text(format!("*{:04}*", r.random_range(0..10_000))),
            ..of()
        }),
        ("a day + CT", |r, _| ImageKeys { study_date: days(r, 0), modalities_in_study: vec!["CT".into()], ..of() }),
        ("a month + MR", |r, _| ImageKeys { study_date: days(r, 30), modalities_in_study: vec!["MR".into()], ..of() }),
        ("a year + PT (1 of 1000)", |r, _| ImageKeys {
            study_date: days(r, 365),
            modalities_in_study: vec!["PT".into()],
            ..of()
        }),
        ("name YAMADA*", |r, _| named(format!("{}*", word(r).0))),
        ("name YA*", |r, _| named(format!("{}*", letters(r, 2)))),
        ("name 山田*", |r, _| named(format!("{}*", word(r).1))),
        ("name *山田*", |r, _| named(format!("*{}*", word(r).1))),
        ("name *ヤマ*", |r, _| named(format!("*{}*", word(r).2.chars().take(2).collect::<String>()))),
        ("name *AM*", |r, _| named(format!("*{}*", letters(r, 3).chars().skip(1).collect::<String>()))),
        ("name *AMADA*", |r, _| named(format!("*{}*", word(r).0.chars().skip(1).collect::<String>()))),
        ("name *QZ*: nobody", |_, _| named("*QZ*".into())),
        ("name *AMAQ*: nobody", |_, _| named("*AMAQ*".into())),
        ("description *造影*", |_, _| ImageKeys { study_description: text("*造影*".into()), ..of() }),
        ("as OHIF: name *山田* + a year + CT", |r, _| ImageKeys {
            study_date: days(r, 365),
            modalities_in_study: vec!["CT".into()],
            ..named(format!("*{}*", word(r).1))
        }),
    ]
}

fn main() {
    let mut given = std::env::args().skip(1);
    let url: DatabaseUrl = given.next().expect("a database").parse().unwrap();
    let count: u32 = given.next().map_or(1_000_000, |text| text.parse().unwrap());
    let queries: usize = given.next().map_or(200, |text| text.parse().unwrap());
    let db = Db::open(&url).unwrap();
    let mut raw = match &url {
        DatabaseUrl::Postgres(address) => Raw::Postgres(PgConnection::establish(address).unwrap()),
        DatabaseUrl::Sqlite(path) => Raw::Sqlite(SqliteConnection::establish(path.to_str().unwrap()).unwrap()),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let is_empty = runtime.block_on(db.read(|conn| Ok::<_, StoreError>(sites::site_get(conn, SiteId(1)).is_err())));
    if is_empty.unwrap() {
        runtime.block_on(db.tx(site)).unwrap();
        let begun = Instant::now();
        fill(&mut raw, count);
        eprintln!("filled in {:.0} s", begun.elapsed().as_secs_f64());
    }
    drop(raw);
    let which = if db.flavour() == Flavour::Postgres { "PostgreSQL" } else { "SQLite" };
    println!("{which}, {count} studies, {queries} queries of each kind, limit 101\n");
    println!("| query | rows, mean | median ms | p99 ms | worst ms |\n|---|---|---|---|---|");
    for (what, make) in kinds() {
        let mut random = StdRng::seed_from_u64(2);
        let (mut times, mut rows) = (Vec::with_capacity(queries), 0);
        for _ in 0..queries {
            let keys = make(&mut random, count);
            let begun = Instant::now();
            let found = runtime.block_on(db.read(move |conn| {
                let page = Page { limit: 101, offset: 0 };
                image_search::study_search(conn, &Scope::Sites(vec![SiteId(1)]), &keys, page)
            }));
            times.push(begun.elapsed().as_secs_f64() * 1e3);
            rows += found.unwrap().len();
        }
        times.sort_by(f64::total_cmp);
        let at = |share: f64| times[((times.len() as f64 * share).ceil() as usize).clamp(1, times.len()) - 1];
        println!("| {what} | {} | {:.1} | {:.1} | {:.1} |", rows / queries, at(0.5), at(0.99), at(1.0));
    }
}
