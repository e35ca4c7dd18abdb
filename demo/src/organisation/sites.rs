//! The five sites and three contracts.

use dokuei_terms::Priority;

use super::{BillingDay, Contract, Filing, FilingKind, LeadingZeros, Site, SiteKind, WithoutRequest, day};

fn filing(kind: FilingKind, year: i32, month: u32) -> Filing {
    Filing { kind, from: day(year, month, 1), to: None }
}

pub(super) fn sites() -> Vec<Site> {
    let site = |key: &str, kind, (name_ja, name_en): (&str, &str), phone: &str| Site {
        key: key.to_owned(),
        kind,
        ae_title: None,
        name_ja: name_ja.to_owned(),
        name_en: name_en.to_owned(),
        institution_code: None,
        phone: phone.to_owned(),
        leading_zeros: LeadingZeros::Significant,
        has_ct_mr: true,
        filings: Vec::new(),
        standing_notes: String::new(),
    };
    use FilingKind::{AddOn1, AddOn2, Remote};
    vec![
        Site {
            ae_title: Some("HOSPITAL_A".to_owned()),
            institution_code: Some("9911000011".to_owned()),
            // Add-on 1 gave way to add-on 2 in 2024.
            filings: vec![
                Filing { to: Some(day(2024, 5, 31)), ..filing(AddOn1, 2020, 4) },
                filing(AddOn2, 2024, 6),
                filing(Remote, 2022, 10),
            ],
            standing_notes: "救急外来の頭部CTは当直医へ電話連絡をお願いします（内線 2199）。造影はオムニ系を使用。"
                .to_owned(),
            ..site(
                "hospital_a",
                SiteKind::Referring,
                ("架空市立 みなと総合病院（デモ）", "Minato General Hospital (demo)"),
                "000-1000-0001",
            )
        },
        Site {
            ae_title: Some("HOSPITAL_B".to_owned()),
            institution_code: Some("9911000029".to_owned()),
            leading_zeros: LeadingZeros::Ignored,
            filings: vec![filing(AddOn1, 2021, 4), filing(Remote, 2023, 4)],
            standing_notes: "患者IDの先頭の0は電子カルテ側で省かれることがあります。MRIは1.5T。".to_owned(),
            ..site(
                "hospital_b",
                SiteKind::Referring,
                ("見本会 やまて病院（デモ）", "Yamate Hospital (demo)"),
                "000-1000-0002",
            )
        },
        Site {
            ae_title: Some("CLINIC_C".to_owned()),
            institution_code: Some("9911000037".to_owned()),
            has_ct_mr: false,
            standing_notes: "健診が中心です。要精査の所見は翌朝までにお知らせください。".to_owned(),
            ..site(
                "clinic_c",
                SiteKind::Referring,
                ("模擬健診クリニック（デモ）", "Mogi Check-up Clinic (demo)"),
                "000-1000-0003",
            )
        },
        Site {
            institution_code: Some("9911000045".to_owned()),
            filings: vec![filing(AddOn2, 2020, 4), filing(Remote, 2020, 4)],
            ..site(
                "reading_hospital",
                SiteKind::Receiving,
                ("架空大学 画像診断センター病院（デモ）", "Kakuu Imaging Hospital (demo)"),
                "000-1000-0004",
            )
        },
        Site {
            has_ct_mr: false,
            ..site(
                "reading_company",
                SiteKind::ReadingCompany,
                ("株式会社デモ読影", "Demo Reading K.K."),
                "000-1000-0005",
            )
        },
    ]
}

pub(super) fn contracts() -> Vec<Contract> {
    let contract = |site: &str, due: [u32; 4], closing_day: u8, billing_day| Contract {
        site: site.to_owned(),
        read_by: vec!["reading_hospital".to_owned(), "reading_company".to_owned()],
        from: day(2024, 4, 1),
        without_request: WithoutRequest::OpenWithDefault,
        due_minutes: [Priority::Stat, Priority::Urgent, Priority::Priority, Priority::Routine]
            .into_iter()
            .zip(due)
            .collect(),
        quiet_seconds: 5,
        comparison_only_after_years: 2,
        return_to: None,
        billing_day,
        closing_day,
    };
    vec![
        contract("hospital_a", [30, 120, 480, 1440], 31, BillingDay::Signing),
        contract("hospital_b", [45, 180, 720, 2880], 20, BillingDay::Receipt),
        contract("clinic_c", [60, 240, 1440, 4320], 31, BillingDay::Signing),
    ]
}
