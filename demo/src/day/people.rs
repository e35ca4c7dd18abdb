//! Patients and ordering doctors.

use chrono::{Datelike, Days, NaiveDate};
use rand::RngExt;

use super::catalogue::Question;
use crate::{
    dicom::{Patient, Sex},
    names::{FAMILIES, MEN, Name, WOMEN},
    phantom::noise::mix,
};

/// The patient behind a number at a site: name, sex and birth date depend on nothing else, so two days never disagree on a person.
///
/// Births are 1925 to 2024; ages are thinned to a hospital's by the questions asked.
pub(super) fn person(site: &str, number: u32) -> Patient {
    let site_hash = site.bytes().fold(7_u64, |hash, byte| mix(hash ^ u64::from(byte)));
    let chance = |salt: u64| mix(site_hash ^ mix(u64::from(number) << 8 | salt));
    let sex = if chance(1).is_multiple_of(2) { Sex::Female } else { Sex::Male };
    let (kanji, kana, romaji) = FAMILIES[(chance(2) % FAMILIES.len() as u64) as usize];
    let given = if sex == Sex::Female { WOMEN } else { MEN };
    let (given_kanji, given_kana, given_romaji) = given[(chance(3) % given.len() as u64) as usize];
    let first = NaiveDate::from_ymd_opt(1925, 1, 1).unwrap_or_default();
    Patient {
        id: format!("{number:08}"),
        name: Name::new((kanji, given_kanji), (kana, given_kana), (romaji, given_romaji)),
        birth_date: first + Days::new(chance(4) % 36_500),
        sex,
    }
}

/// A patient of a site whose age and sex fit the question on that day.
pub(super) fn patient(rng: &mut impl RngExt, site: &str, question: &Question, today: NaiveDate) -> Patient {
    let fits = |patient: &Patient| {
        let age = patient.age_on(today);
        let born = patient.birth_date <= today;
        born && question.ages.0 <= age && age <= question.ages.1 && question.sex.is_none_or(|sex| sex == patient.sex)
    };
    // Any number with these leading zeros; a narrow question fits one person in about forty.
    for _ in 0..4000 {
        let found = person(site, rng.random_range(10_000..9_999_999));
        if fits(&found) {
            return found;
        }
    }
    // Far from every birth year that the numbers know (a day in another century): a person made to measure.
    let mut made = person(site, rng.random_range(10_000..9_999_999));
    let age = (question.ages.0 + question.ages.1) / 2;
    made.birth_date = NaiveDate::from_ymd_opt(today.year() - age as i32, 1, 1).unwrap_or(made.birth_date);
    made.sex = question.sex.unwrap_or(made.sex);
    made
}

/// The ordering doctor of a department at a site; with the login if it is the one who has an account.
pub(super) fn doctor(site_letter: char, department: &str) -> (Option<String>, Name) {
    let name = |kanji, kana, romaji| Name::new(kanji, kana, romaji);
    match (site_letter, department) {
        ('A', "内科") => {
            (Some("doctor_a".into()), name(("架空", "診一"), ("かくう", "しんいち"), ("Kakuu", "Shinichi")))
        }
        ('B', "整形外科") => {
            (Some("doctor_b".into()), name(("見本", "治美"), ("みほん", "はるみ"), ("Mihon", "Harumi")))
        }
        ('C', _) => (Some("doctor_c".into()), name(("模擬", "健人"), ("もぎ", "けんと"), ("Mogi", "Kento"))),
        _ => {
            let hash = department.bytes().fold(site_letter as u64, |hash, byte| mix(hash ^ u64::from(byte)));
            let (kanji, kana, romaji) = FAMILIES[(hash % FAMILIES.len() as u64) as usize];
            (None, name((kanji, "医子"), (kana, "いこ"), (romaji, "Iko")))
        }
    }
}

/// A line of history that fits the age.
pub(super) fn history(rng: &mut impl RngExt, age: u32, check_up: bool) -> String {
    let lines: &[&str] = match (check_up, age) {
        (true, _) => &["特記なし", "昨年異常なし", "喫煙 20本/日", ""],
        (_, 0..=17) => &["特記なし", "気管支喘息", "アレルギーなし", ""],
        (_, 18..=49) => &["特記なし", "虫垂切除後", "花粉症", ""],
        _ => &["高血圧、脂質異常症", "2型糖尿病", "心房細動（抗凝固薬内服中）", "胃癌術後10年", "特記なし", ""],
    };
    lines[rng.random_range(0..lines.len())].to_owned()
}
