//! Invented reports and readers.
#![allow(dead_code)]

use chrono::{DateTime, NaiveDate, Utc};
use dokuei_report::{
    AiSupport, Authority, EarlierVersion, Fonts, PatientBlock, ReaderBlock, ReportDocument, ReportStatus, RequestBlock,
    Sex, SignatureDetails, SigningIdentity, StudyBlock, Subject,
};
use dokuei_terms::{Language, Laterality, Modality, Part, Region};

pub fn instant(text: &str) -> DateTime<Utc> {
    text.parse().expect("an instant")
}

pub fn fonts() -> Fonts {
    Fonts::in_folder(std::env::var("DOKUEI_FONTS").unwrap_or_else(|_| "/usr/share/fonts".to_owned()))
}

pub fn part(region: &str, modality: Modality) -> Part {
    Part { region: Region::from_japanese(region).expect("a region"), modality, laterality: Laterality::None }
}

/// A final report of an invented chest CT.
pub fn report() -> ReportDocument {
    ReportDocument {
        language: Language::Ja,
        status: ReportStatus::Final,
        report_id: "R-2026-000123".to_owned(),
        version: 1,
        site: "デモ中央病院".to_owned(),
        patient: PatientBlock {
            id: "0001234567".to_owned(),
            name: "髙橋 見本".to_owned(),
            kana: "タカハシ ミホン".to_owned(),
            birth_date: NaiveDate::from_ymd_opt(1958, 4, 12),
            sex: Some(Sex::Female),
        },
        study: StudyBlock {
            performed_at: NaiveDate::from_ymd_opt(2026, 11, 20).and_then(|d| d.and_hms_opt(14, 5, 0)),
            modalities: vec![Modality::Ct],
            parts: vec![part("胸部", Modality::Ct), part("腹部", Modality::Ct)],
            accession_number: "A26112000457".to_owned(),
            description: "胸腹部造影CT".to_owned(),
        },
        request: RequestBlock {
            ordering_doctor: "山﨑 試".to_owned(),
            department: "呼吸器内科".to_owned(),
            question: "右上葉結節影の精査。転移の有無をご評価ください。".to_owned(),
            history: "健診の胸部X線で右上肺野に結節影を指摘された。発熱・血痰なし。喫煙歴 20本×35年。".to_owned(),
        },
        findings: FINDINGS.to_owned(),
        impression: "1. 右肺上葉S2の充実性結節: 原発性肺癌を疑います。組織診断をご検討ください。\n2. 肝S6の嚢胞。\n3. 冠動脈石灰化。".to_owned(),
        ai_support: vec![AiSupport { engine: "ChestScreen".to_owned(), version: "2.1".to_owned(), approved: false }],
        reader: ReaderBlock { name: "佐藤 読子".to_owned(), qualification: "放射線診断専門医".to_owned() },
        first_reader: None,
        reading_institution: "読影デモ放射線科クリニック".to_owned(),
        signed_at: instant("2026-11-20T07:32:10Z"),
        reason: None,
        earlier: Vec::new(),
        incomplete: None,
        notice: Some("デモ用の架空の報告書です。".to_owned()),
    }
}

const FINDINGS: &str = "右肺上葉S2に18×15mm大の充実性結節を認めます。辺縁は不整でスピキュラを伴い、胸膜陥入像があります。造影効果は不均一です（平均 62 HU）。\n\
左肺下葉S10に4mm大の微小結節があり、前回（2025年11月18日）と著変ありません。\n\
縦隔・肺門に短径10mm以上のリンパ節腫大を認めません。胸水・心嚢液貯留なし。\n\
冠動脈（LAD）に石灰化を認めます。大動脈径は正常範囲です。\n\n\
肝S6に12mm大の嚢胞を認めます。胆嚢・膵・脾・副腎・腎に特記すべき異常を認めません。\n\
撮影範囲の骨に明らかな転移を疑う病変を認めません。";

/// The same report, amended: the earlier version is printed again below.
pub fn amended() -> ReportDocument {
    let first = report();
    ReportDocument {
        status: ReportStatus::Amended,
        version: 2,
        reason: Some("結節の部位をS1からS2に訂正".to_owned()),
        earlier: vec![EarlierVersion {
            version: 1,
            status: ReportStatus::Final,
            signed_at: first.signed_at,
            reader_name: first.reader.name.clone(),
            text: Some((first.findings.replace("S2", "S1"), "1. 右肺上葉S1の充実性結節。".to_owned())),
        }],
        signed_at: instant("2026-11-20T09:01:00Z"),
        ..first
    }
}

pub fn authority() -> Authority {
    let subject =
        Subject { name: "Dokuei Demo CA".to_owned(), organization: "Dokuei Demo".to_owned(), serial: String::new() };
    Authority::create(&subject, instant("2026-01-01T00:00:00Z"), instant("2046-01-01T00:00:00Z"), &mut rand::rng())
        .expect("a root")
}

/// A reader whose name would break a name that is parsed from text.
pub fn reader(authority: &Authority) -> SigningIdentity {
    reader_named(authority, "佐藤 読子, CN=佐藤", "reader-17")
}

pub fn reader_named(authority: &Authority, name: &str, serial: &str) -> SigningIdentity {
    let subject = Subject {
        name: name.to_owned(),
        organization: "読影デモ放射線科クリニック".to_owned(),
        serial: serial.to_owned(),
    };
    authority
        .issue(&subject, instant("2026-01-01T00:00:00Z"), instant("2031-01-01T00:00:00Z"), &mut rand::rng())
        .expect("an identity")
}

pub fn details() -> SignatureDetails {
    SignatureDetails {
        name: "佐藤 読子".to_owned(),
        reason: "確定".to_owned(),
        location: "読影デモ放射線科クリニック (東京)".to_owned(),
        time: instant("2026-11-20T07:32:10Z"),
    }
}
