//! The report's own words in Japanese and English, and how dates and ages are written.

use chrono::{DateTime, Datelike, FixedOffset, NaiveDate, NaiveDateTime, Timelike, Utc};
use dokuei_terms::Language;

use crate::document::{Incomplete, ReportStatus, Sex};

/// Picks one of two words.
pub(crate) const fn word(language: Language, ja: &'static str, en: &'static str) -> &'static str {
    match language {
        Language::Ja => ja,
        Language::En => en,
    }
}

pub(crate) const fn status(language: Language, status: ReportStatus) -> &'static str {
    match status {
        ReportStatus::Preliminary => word(language, "仮報告", "Preliminary"),
        ReportStatus::Final => word(language, "確定", "Final"),
        ReportStatus::Addendum => word(language, "追記", "Addendum"),
        ReportStatus::Amended => word(language, "訂正", "Amended"),
        ReportStatus::Withdrawn => word(language, "取消", "Withdrawn"),
    }
}

/// What a doctor must know before reading on; a final report needs none.
pub(crate) const fn warning(language: Language, status: ReportStatus) -> Option<&'static str> {
    match status {
        ReportStatus::Final => None,
        ReportStatus::Preliminary => Some(word(
            language,
            "これは仮報告です。確定報告で内容が変わることがあります。",
            "This is a preliminary report. The final report may differ.",
        )),
        ReportStatus::Addendum => Some(word(
            language,
            "これは追記です。以前の報告は有効で、本版はそれを補います。",
            "This is an addendum. The earlier report stays valid; this version adds to it.",
        )),
        ReportStatus::Amended => Some(word(
            language,
            "これは訂正報告です。以前の版に代わるもので、以前の版は使用しないでください。",
            "This is an amended report. It replaces the earlier version, which must no longer be used.",
        )),
        ReportStatus::Withdrawn => Some(word(
            language,
            "この報告は取り消されました。以前の版を診療に使用しないでください。",
            "This report has been withdrawn. Do not use the earlier version.",
        )),
    }
}

/// That it was signed before all images were here, in both languages, the report's own first.
pub(crate) fn incomplete(language: Language, known: Incomplete, at: DateTime<Utc>) -> Vec<String> {
    let Incomplete { received, expected } = known;
    let (ja_at, en_at) = (instant(Language::Ja, at), instant(Language::En, at));
    let (ja, en) = match expected {
        Some(all) => (
            format!("この報告は、画像が届ききる前に署名されました（{ja_at}、予定{all}枚のうち{received}枚を受信）。"),
            format!(
                "This report was signed before all images had arrived ({en_at}: {received} of {all} expected images \
                 received)."
            ),
        ),
        None => (
            format!("この報告は、画像が届ききる前に署名されました（{ja_at}、{received}枚を受信、総数は不明）。"),
            format!(
                "This report was signed before all images had arrived ({en_at}: {received} images received, their \
                 total unknown)."
            ),
        ),
    };
    match language {
        Language::Ja => vec![ja, en],
        Language::En => vec![en, ja],
    }
}

pub(crate) const fn sex(language: Language, sex: Sex) -> &'static str {
    match sex {
        Sex::Male => word(language, "男", "Male"),
        Sex::Female => word(language, "女", "Female"),
        Sex::Other => word(language, "その他", "Other"),
    }
}

pub(crate) fn date(language: Language, date: NaiveDate) -> String {
    match language {
        Language::Ja => format!("{}年{}月{}日", date.year(), date.month(), date.day()),
        Language::En => date.format("%-d %b %Y").to_string(),
    }
}

pub(crate) fn date_time(language: Language, at: NaiveDateTime) -> String {
    format!("{} {:02}:{:02}", date(language, at.date()), at.hour(), at.minute())
}

/// The instant in Japan Standard Time, which has no summer time.
pub(crate) fn jst(at: DateTime<Utc>) -> NaiveDateTime {
    at.with_timezone(&jst_offset()).naive_local()
}

/// UTC+9.
pub(crate) fn jst_offset() -> FixedOffset {
    FixedOffset::east_opt(9 * 3600).expect("nine hours are less than a day")
}

pub(crate) fn instant(language: Language, at: DateTime<Utc>) -> String {
    format!("{} JST", date_time(language, jst(at)))
}

/// The age on a day: years from 2 years on, months below, days below one month. `None` if born later.
pub(crate) fn age(language: Language, born: NaiveDate, on: NaiveDate) -> Option<String> {
    let days = (on - born).num_days();
    if days < 0 {
        return None;
    }
    let months =
        (on.year() - born.year()) * 12 + on.month() as i32 - born.month() as i32 - i32::from(on.day() < born.day());
    Some(match (months, language) {
        (24.., Language::Ja) => format!("{}歳", months / 12),
        (24.., Language::En) => format!("{} years", months / 12),
        (1.., Language::Ja) => format!("{months}か月"),
        (1.., Language::En) => format!("{months} months"),
        (_, Language::Ja) => format!("生後{days}日"),
        (_, Language::En) => format!("{days} days"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(y: i32, m: u32, d: u32) -> NaiveDate {
        NaiveDate::from_ymd_opt(y, m, d).expect("a real day")
    }

    #[test]
    fn an_age_is_counted_to_the_day() {
        assert_eq!(age(Language::Ja, day(1950, 3, 2), day(2026, 3, 1)).as_deref(), Some("75歳"));
        assert_eq!(age(Language::Ja, day(1950, 3, 2), day(2026, 3, 2)).as_deref(), Some("76歳"));
        assert_eq!(age(Language::Ja, day(2024, 12, 31), day(2026, 11, 30)).as_deref(), Some("22か月"));
        assert_eq!(age(Language::En, day(2026, 11, 1), day(2026, 11, 8)).as_deref(), Some("7 days"));
        assert_eq!(age(Language::En, day(2026, 11, 9), day(2026, 11, 8)), None);
    }

    #[test]
    fn a_signature_after_three_in_the_afternoon_utc_is_tomorrow_in_japan() {
        let at: DateTime<Utc> = "2026-12-31T15:04:00Z".parse().expect("an instant");
        assert_eq!(instant(Language::Ja, at), "2027年1月1日 00:04 JST");
    }
}
