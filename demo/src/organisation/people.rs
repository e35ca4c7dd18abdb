//! Staff and readers, and the week's shifts.

use super::{Place, Reader, Shift, Staff, StaffRole, day, skills};
use crate::names::Name;

type Script = (&'static str, &'static str);

fn address(login: &str) -> String {
    format!("{login}@dokuei.example")
}

pub(super) fn staff() -> Vec<Staff> {
    use StaffRole::*;
    let person = |login: &str,
                  role,
                  site: Option<&str>,
                  department: Option<&str>,
                  (kanji, kana, romaji): (Script, Script, Script)| Staff {
        login: login.to_owned(),
        name: Name::new(kanji, kana, romaji),
        email: address(login),
        role,
        site: site.map(str::to_owned),
        department: department.map(str::to_owned),
    };
    let (a, b, c) = (Some("hospital_a"), Some("hospital_b"), Some("clinic_c"));
    vec![
        person("tech_a", Technologist, a, None, (("架空", "撮子"), ("かくう", "さつこ"), ("Kakuu", "Satsuko"))),
        person(
            "doctor_a",
            OrderingDoctor,
            a,
            Some("内科"),
            (("架空", "診一"), ("かくう", "しんいち"), ("Kakuu", "Shinichi")),
        ),
        person("tech_b", Technologist, b, None, (("見本", "技男"), ("みほん", "わざお"), ("Mihon", "Wazao"))),
        person(
            "doctor_b",
            OrderingDoctor,
            b,
            Some("整形外科"),
            (("見本", "治美"), ("みほん", "はるみ"), ("Mihon", "Harumi")),
        ),
        person("tech_c", Technologist, c, None, (("模擬", "写美"), ("もぎ", "うつみ"), ("Mogi", "Utsumi"))),
        person(
            "doctor_c",
            OrderingDoctor,
            c,
            Some("健診センター"),
            (("模擬", "健人"), ("もぎ", "けんと"), ("Mogi", "Kento")),
        ),
        person("dispatch1", Dispatcher, None, None, (("例題", "配子"), ("れいだい", "はいこ"), ("Reidai", "Haiko"))),
        person("dispatch2", Dispatcher, None, None, (("演習", "信夫"), ("えんしゅう", "のぶお"), ("Enshuu", "Nobuo"))),
        person(
            "director",
            ReadingDirector,
            None,
            None,
            (("標本", "責任"), ("ひょうほん", "せきとう"), ("Hyouhon", "Sekitou")),
        ),
        person("billing", BillingClerk, None, None, (("雛形", "計子"), ("ひながた", "けいこ"), ("Hinagata", "Keiko"))),
        person("admin", Administrator, None, None, (("仮想", "管一"), ("かそう", "かんいち"), ("Kasou", "Kanichi"))),
        person("security", SecurityOfficer, None, None, (("試験", "守"), ("しけん", "まもる"), ("Shiken", "Mamoru"))),
    ]
}

/// Day readers 08:00 to 20:00, night readers 20:00 to 08:00, every day: four at each minute. Longer hours than a person should work, because a demo may be started at any hour.
fn shifts(reader: usize) -> Vec<Shift> {
    let shift =
        |weekday, hour: u16, hours: u16, place| Shift { weekday, from_minute: hour * 60, minutes: hours * 60, place };
    (0..7)
        .flat_map(|weekday| match (reader, weekday) {
            // Full-time at the receiving hospital: office hours there, the evening and the week-end from home.
            (1..=3, 0..=4) => vec![shift(weekday, 8, 9, Place::OnSite), shift(weekday, 17, 3, Place::Home)],
            (1..=4, _) => vec![shift(weekday, 8, 12, Place::Home)],
            (5, 0..=4) => vec![shift(weekday, 13, 7, Place::Home), shift(weekday, 20, 12, Place::Home)],
            _ => vec![shift(weekday, 20, 12, Place::Home)],
        })
        .collect()
}

pub(super) fn readers(seed: u64) -> Vec<Reader> {
    let names: [(Script, Script, Script); 8] = [
        (("架空", "読一"), ("かくう", "よみいち"), ("Kakuu", "Yomiichi")),
        (("見本", "影子"), ("みほん", "えいこ"), ("Mihon", "Eiko")),
        (("模擬", "診三"), ("もぎ", "しんぞう"), ("Mogi", "Shinzou")),
        (("仮想", "脳司"), ("かそう", "のうじ"), ("Kasou", "Nouji")),
        (("例題", "頭美"), ("れいだい", "かみ"), ("Reidai", "Kami")),
        (("演習", "骨太"), ("えんしゅう", "こつた"), ("Enshuu", "Kotsuta")),
        (("空想", "乳花"), ("くうそう", "にか"), ("Kuusou", "Nika")),
        (("試作", "腹造"), ("しさく", "ふくぞう"), ("Shisaku", "Fukuzou")),
    ];
    names
        .into_iter()
        .zip(1_usize..)
        .map(|((kanji, kana, romaji), number)| {
            let full_time = number <= 3;
            let login = format!("reader{number}");
            Reader {
                email: address(&login),
                login,
                table_name: format!("読影医{number}"),
                name: Name::new(kanji, kana, romaji),
                affiliation: if full_time { "reading_hospital" } else { "reading_company" }.to_owned(),
                filed_full_time_since: full_time.then(|| day(2020, 4, 1)),
                weekly_hours: if full_time { 40 } else { 0 },
                weekly_days: if full_time { 5 } else { 0 },
                years_of_practice: [22, 15, 11, 27, 18, 13, 16, 20][number - 1],
                capacity_minutes_per_hour: [45, 50, 40, 50, 45, 50, 45, 50][number - 1],
                shifts: shifts(number),
                skills: skills::declared(number, seed),
            }
        })
        .collect()
}
