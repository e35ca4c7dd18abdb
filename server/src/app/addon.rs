//! Whether a read carries the imaging management add-on (画像診断管理加算), and the sentence that decides it.
//!
//! Rules of the medical fee schedule, part E 通則 4 to 8, in force from
//! 2026-06-01 (令和8年); what was in force before (令和6年, from 2024-06-01) has no
//! part-entrusting tier. The referring institution claims; the reading
//! institution cannot. Counted once a calendar month per patient, claiming
//! institution and group, on the day of the month's first diagnosis. Where the
//! books cannot prove a condition the answer is *unknown*, with what a person
//! must confirm; it is never guessed.

use chrono::{Datelike, NaiveDate, NaiveDateTime, Timelike, Weekday};
use dokuei_models::state::Place;
use dokuei_terms::Modality;

/// The facts that decide.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddonFacts {
    /// The modality that was read.
    pub modality: Modality,
    /// Whether the referring site is an insurance medical institution.
    pub referring_insured: bool,
    /// The referring site's filings on the day.
    pub referring_filings: Vec<String>,
    /// Whether the reader read for an insurance medical institution; `None` when he has no affiliation.
    pub reading_insured: Option<bool>,
    /// That institution's filings on the day.
    pub reading_filings: Vec<String>,
    /// Whether the reader is filed there as 専ら画像診断を担当する医師 and full-time.
    pub reader_filed: bool,
    /// Days a week there.
    pub weekly_days: i32,
    /// Hours a week there.
    pub weekly_hours: i32,
    /// Where he read.
    pub place: Place,
    /// When he signed, in Japan.
    pub signed_at: NaiveDateTime,
    /// Whether that day is a holiday (通則's 休日: Sundays are known here).
    pub holiday: bool,
    /// Whether the group was counted this month for this patient.
    pub counted_this_month: bool,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Addon {
    /// `yes`, `no` or `unknown`.
    pub answer: &'static str,
    /// `addon1` .. `addon4`, `addon2_part`, or empty.
    pub tier: &'static str,
    /// `E001`, `E102`, `E203`, or empty where no group has it.
    pub group: &'static str,
    /// Points, 0 unless `yes`.
    pub points: i32,
    /// The sentence in Japanese.
    pub ja: String,
    /// The sentence in English.
    pub en: String,
}

/// The counting group of a modality: E001/E004 plain radiographs, E102 nuclear medicine, E203 CT and MR together (通則 4, 5).
pub const fn group(modality: Modality) -> &'static str {
    match modality {
        Modality::Radiograph | Modality::Mammography => "E001",
        Modality::Nuclear => "E102",
        Modality::Ct | Modality::Mr => "E203",
        Modality::Fluoroscopy | Modality::Ultrasound | Modality::Angiography | Modality::Other => "",
    }
}

/// Points per tier by the day that counts (令和6年: from 2024-06-01; 令和8年: from 2026-06-01).
fn points(tier: &str, day: NaiveDate) -> Option<i32> {
    let reiwa8 = NaiveDate::from_ymd_opt(2026, 6, 1).is_some_and(|from| day >= from);
    let reiwa6 = NaiveDate::from_ymd_opt(2024, 6, 1).is_some_and(|from| day >= from);
    match tier {
        _ if !reiwa6 => None,
        "addon1" => Some(70),
        "addon2" => Some(175),
        "addon2_part" if reiwa8 => Some(166),
        "addon3" => Some(235),
        "addon4" => Some(340),
        _ => None,
    }
}

/// Decides.
pub fn decide(facts: &AddonFacts) -> Addon {
    let group = group(facts.modality);
    let answer = |answer, tier, points, ja: &str, en: &str| Addon {
        answer,
        tier,
        group,
        points,
        ja: ja.to_owned(),
        en: en.to_owned(),
    };
    let no = |ja: &str, en: &str| answer("no", "", 0, ja, en);
    if group.is_empty() {
        return no("この検査は画像診断管理加算の対象ではありません。", "This exam is in no group of the add-on.");
    }
    if !facts.referring_insured {
        return no("依頼施設が保険医療機関ではありません。", "The referring site is no insurance medical institution.");
    }
    match facts.reading_insured {
        None => {
            return answer(
                "unknown",
                "",
                0,
                "読影医の所属が登録されていません。所属を確認してください。",
                "The reader has no affiliation on record; confirm where he reads.",
            );
        }
        Some(false) => {
            return no(
                "読影した事業者は保険医療機関ではありません（通則6・8は保険医療機関間に限る）。",
                "The reading company is no insurance medical institution (通則 6 and 8 are between such institutions only).",
            );
        }
        Some(true) => {}
    }
    if !has(&facts.referring_filings, "remote_send") {
        return no(
            "依頼施設に遠隔画像診断（送信側）の届出がありません。",
            "The referring site has not filed 遠隔画像診断 (sending).",
        );
    }
    if !has(&facts.reading_filings, "remote_receive") {
        return no(
            "受信側に遠隔画像診断の届出がありません。",
            "The reading institution has not filed 遠隔画像診断 (receiving).",
        );
    }
    let Some(tier) = tier(facts, group) else {
        return no(
            "受信側にこの区分の画像診断管理加算の届出がありません。",
            "The reading institution has not filed an add-on for this group.",
        );
    };
    if !facts.reader_filed {
        return no(
            "読影医は受信側に「専ら画像診断を担当する常勤医師」として届け出られていません。",
            "The reader is not filed there as a full-time doctor dedicated to imaging diagnosis.",
        );
    }
    if facts.counted_this_month {
        return no(
            "同じ患者・区分の加算は当月すでに算定されています（月1回）。",
            "The add-on of this patient and group is counted already this month (once a month).",
        );
    }
    let day = facts.signed_at.date();
    let Some(points) = points(tier, day) else {
        return answer(
            "unknown",
            tier,
            0,
            "この日に有効な点数が登録されていません。",
            "No points are on record for this day.",
        );
    };
    if facts.place == Place::Home && !is_night_or_holiday(facts) {
        if facts.weekly_days < 3 || facts.weekly_hours < 22 {
            return no(
                "自宅での読影は、週3日以上かつ週22時間以上勤務する常勤医に限られます。",
                "Reading at home is for full-time doctors of at least 3 days and 22 hours a week.",
            );
        }
        return answer(
            "unknown",
            tier,
            0,
            "時間内の自宅読影です。必要な院内配置の医師に当たらないことを管理者が確認してください。",
            "Read at home in ordinary hours: the administrator must confirm that he was not one of the doctors required on site.",
        );
    }
    let (ja, en) = if tier == "addon2_part" {
        (
            format!(
                "送信側が加算2、受信側が加算2以上を届出（通則7・一部委託）：{points}点。報告書の写しを診療録に添付してください。"
            ),
            format!(
                "The sender filed add-on 2 and the receiver 2 or more (通則 7, part entrusted): {points} points. Attach a copy of the report to the chart."
            ),
        )
    } else {
        (
            format!("遠隔画像診断による算定：受信側の届出の区分で{points}点。報告書の写しを診療録に添付してください。"),
            format!(
                "Remote diagnosis: {points} points by the receiver's filing. Attach a copy of the report to the chart."
            ),
        )
    };
    answer("yes", tier, points, &ja, &en)
}

fn has(filings: &[String], kind: &str) -> bool {
    filings.iter().any(|filing| filing == kind)
}

/// The tier that the filings give: the receiver's highest; the part-entrusting one where the sender filed 2 itself (令和8年 通則7).
fn tier(facts: &AddonFacts, group: &str) -> Option<&'static str> {
    if group == "E001" {
        return has(&facts.reading_filings, "addon1").then_some("addon1");
    }
    let highest = ["addon4", "addon3", "addon2"].into_iter().find(|kind| has(&facts.reading_filings, kind));
    let reiwa8 = NaiveDate::from_ymd_opt(2026, 6, 1).is_some_and(|from| facts.signed_at.date() >= from);
    match highest {
        Some(_) if reiwa8 && has(&facts.referring_filings, "addon2") => Some("addon2_part"),
        Some(kind) => Some(kind),
        None => has(&facts.reading_filings, "addon1").then_some("addon1"),
    }
}

/// 時間外 of A000(18): before 8, after 18, Saturday after 12, Sundays and holidays.
fn is_night_or_holiday(facts: &AddonFacts) -> bool {
    let (day, hour) = (facts.signed_at.weekday(), facts.signed_at.hour());
    facts.holiday || day == Weekday::Sun || !(8..18).contains(&hour) || (day == Weekday::Sat && hour >= 12)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A CT read on site by a filed doctor of a hospital with add-on 2, on a Thursday noon of 2026-10.
    fn plain() -> AddonFacts {
        AddonFacts {
            modality: Modality::Ct,
            referring_insured: true,
            referring_filings: vec!["remote_send".into()],
            reading_insured: Some(true),
            reading_filings: vec!["addon2".into(), "remote_receive".into()],
            reader_filed: true,
            weekly_days: 5,
            weekly_hours: 40,
            place: Place::OnSite,
            signed_at: NaiveDate::from_ymd_opt(2026, 10, 1).unwrap().and_hms_opt(12, 0, 0).unwrap(),
            holiday: false,
            counted_this_month: false,
        }
    }

    #[test]
    fn a_ct_read_between_two_filed_hospitals_carries_the_receivers_tier() {
        let addon = decide(&plain());
        assert_eq!((addon.answer, addon.tier, addon.group, addon.points), ("yes", "addon2", "E203", 175));
    }

    #[test]
    fn a_sender_with_add_on_2_of_its_own_claims_the_part_entrusted_tier_since_reiwa_8() {
        let mut facts = plain();
        facts.referring_filings.push("addon2".into());
        assert_eq!((decide(&facts).tier, decide(&facts).points), ("addon2_part", 166));
        facts.signed_at = NaiveDate::from_ymd_opt(2026, 5, 1).unwrap().and_hms_opt(12, 0, 0).unwrap();
        assert_eq!((decide(&facts).tier, decide(&facts).points), ("addon2", 175));
    }

    #[test]
    fn each_missing_condition_says_no_in_its_own_sentence() {
        let changes: [fn(&mut AddonFacts); 6] = [
            |facts| facts.reading_insured = Some(false),
            |facts| facts.referring_filings.clear(),
            |facts| facts.reading_filings = vec!["addon2".into()],
            |facts| facts.reading_filings = vec!["remote_receive".into()],
            |facts| facts.reader_filed = false,
            |facts| facts.counted_this_month = true,
        ];
        let mut sentences = std::collections::BTreeSet::new();
        for change in changes {
            let mut facts = plain();
            change(&mut facts);
            let addon = decide(&facts);
            assert_eq!((addon.answer, addon.points), ("no", 0), "{}", addon.en);
            sentences.insert(addon.ja);
        }
        assert_eq!(sentences.len(), 6);
    }

    #[test]
    fn reading_at_home_in_ordinary_hours_is_for_a_person_to_confirm() {
        let mut facts = AddonFacts { place: Place::Home, ..plain() };
        assert_eq!(decide(&facts).answer, "unknown");
        facts.weekly_hours = 21;
        assert_eq!(decide(&facts).answer, "no");
        facts.signed_at = facts.signed_at.date().and_hms_opt(22, 0, 0).unwrap();
        assert_eq!(decide(&facts).answer, "yes");
    }

    #[test]
    fn plain_radiographs_have_only_the_first_tier() {
        let facts = AddonFacts { modality: Modality::Radiograph, ..plain() };
        assert_eq!(decide(&facts).answer, "no");
        let facts = AddonFacts { reading_filings: vec!["addon1".into(), "remote_receive".into()], ..facts };
        assert_eq!((decide(&facts).tier, decide(&facts).points), ("addon1", 70));
        assert_eq!(decide(&AddonFacts { modality: Modality::Ultrasound, ..plain() }).group, "");
    }

    #[test]
    fn an_unknown_affiliation_is_unknown_and_not_no() {
        assert_eq!(decide(&AddonFacts { reading_insured: None, ..plain() }).answer, "unknown");
    }
}
