//! What a reader of the PDF sees.

mod support;

use dokuei_report::{Fonts, Incomplete, LONGEST_TEXT, ReaderBlock, ReportStatus, TypesetError, typeset};
use dokuei_terms::Language;
use support::{amended, fonts, program_is_there, report, squeezed, text_of};

#[test]
fn the_text_of_a_report_can_be_searched_and_copied() {
    if !program_is_there("pdftotext") {
        return;
    }
    let text = squeezed(&text_of(&typeset(&report(), &fonts()).expect("a report")));
    for expected in [
        "画像診断報告書",
        "確定",
        "髙橋見本",
        "タカハシミホン",
        "0001234567",
        "1958年4月12日",
        "68歳",
        "女",
        "2026年11月20日14:05",
        "CT",
        "A26112000457",
        "デモ中央病院",
        "呼吸器内科",
        "山﨑試",
        "右肺上葉S2に18×15mm大の充実性結節を認めます。",
        "所見",
        "診断",
        "原発性肺癌を疑います",
        "AI支援（参考）",
        "ChestScreen2.1（研究用）",
        "佐藤読子（放射線診断専門医）",
        "2026年11月20日16:32JST",
        "R-2026-000123",
        "第1版",
        "1/1",
    ] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
}

#[test]
fn an_english_report_has_english_labels_around_the_same_text() {
    if !program_is_there("pdftotext") {
        return;
    }
    let mut document = report();
    document.language = Language::En;
    document.status = ReportStatus::Preliminary;
    document.first_reader = Some(ReaderBlock { name: "Reader One".into(), qualification: String::new() });
    let text = text_of(&typeset(&document, &fonts()).expect("a report"));
    for expected in ["Imaging report", "Preliminary", "68 years", "Female", "20 Nov 2026 14:05", "First reader", "JST"]
    {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
    assert!(squeezed(&text).contains("原発性肺癌を疑います"));
}

#[test]
fn an_amended_report_says_so_and_shows_what_it_replaces() {
    if !program_is_there("pdftotext") {
        return;
    }
    let text = squeezed(&text_of(&typeset(&amended(), &fonts()).expect("a report")));
    for expected in [
        "訂正",
        "以前の版は使用しないでください",
        "結節の部位をS1からS2に訂正",
        "これまでの版",
        "右肺上葉S1の充実性結節。",
        "第2版",
    ] {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
}

/// Whoever has the PDF alone must learn that it rests on some of the images, in whichever language he reads.
#[test]
fn a_report_signed_before_all_images_were_here_says_so_in_both_languages_with_numbers_and_time() {
    if !program_is_there("pdftotext") {
        return;
    }
    let said = |language, expected| {
        let incomplete = Some(Incomplete { received: 120, expected });
        let document = dokuei_report::ReportDocument { language, incomplete, ..report() };
        squeezed(&text_of(&typeset(&document, &fonts()).expect("a report")))
    };
    for language in [Language::Ja, Language::En] {
        let text = said(language, Some(300));
        for sentence in [
            "この報告は、画像が届ききる前に署名されました（2026年11月20日16:32JST、予定300枚のうち120枚を受信）。",
            "beforeallimageshadarrived(20Nov202616:32JST:120of300expectedimagesreceived).",
        ] {
            assert!(text.contains(sentence), "{sentence} is not in {text}");
        }
        let text = said(language, None);
        assert!(text.contains("120枚を受信、総数は不明") && text.contains("theirtotalunknown"), "{text}");
    }
    assert!(!squeezed(&text_of(&typeset(&report(), &fonts()).expect("a report"))).contains("届ききる"));
}

#[test]
fn a_notice_of_withdrawal_names_who_withdrew_it_and_nobody_as_its_signer() {
    if !program_is_there("pdftotext") {
        return;
    }
    let mut document = amended();
    document.status = ReportStatus::Withdrawn;
    let text = squeezed(&text_of(&typeset(&document, &fonts()).expect("a notice")));
    assert!(text.contains("取消者") && text.contains("取消日時"), "{text}");
    assert!(!text.contains("署名日時"), "{text}");
}

#[test]
fn every_state_can_be_set_in_both_languages() {
    let fonts = fonts();
    for language in [Language::Ja, Language::En] {
        for status in [ReportStatus::Preliminary, ReportStatus::Addendum, ReportStatus::Withdrawn] {
            let mut document = amended();
            (document.language, document.status) = (language, status);
            assert!(typeset(&document, &fonts).expect("a report").starts_with(b"%PDF-1.7"));
        }
    }
}

#[test]
fn text_that_looks_like_markup_is_printed_and_never_run() {
    if !program_is_there("pdftotext") {
        return;
    }
    let hostile =
        r##"#panic("x") #sys.inputs $ x^2 $ *bold* _it_ `raw` <label> @ref \u{41} // comment /* c */ = Title"##;
    let quoted = r#""}); #eval("1") ] ) } --- ... ~ '"#;
    let mut document = report();
    document.findings =
        format!("{hostile}\n{quoted}\n- 項目\n+ 番号\n#include \"/etc/passwd\"\n#import \"@preview/x:1.0.0\"");
    document.patient.name = "#text(red)[山田] $a$".to_owned();
    document.reader.name = "\\#{}[]".to_owned();
    document.report_id = "R#1\"]".to_owned();
    let text = squeezed(&text_of(&typeset(&document, &fonts()).expect("a report")));
    for expected in
        [hostile, quoted, "#include\"/etc/passwd\"", "#text(red)[山田]$a$", "\\#{}[]", "R#1\"]", "-項目", "+番号"]
    {
        assert!(text.contains(&squeezed(expected)), "{expected} is missing in {text}");
    }
}

#[test]
fn rare_name_characters_stay_themselves_and_what_has_no_glyph_is_named() {
    if !program_is_there("pdftotext") {
        return;
    }
    let mut document = report();
    document.patient.name = "𠮷野 﨑子 髙 𩸽 葛󠄀城 か\u{3099}".to_owned();
    document.findings = "救急🫀 家族👨‍👩‍👧 外字\u{e000} 逆\u{202e}順 終\u{0}り\u{fffe}".to_owned();
    document.impression = "①㎜Ⅲ㈱℃≧μ±→".to_owned();
    let text = squeezed(&text_of(&typeset(&document, &fonts()).expect("a report")));
    for expected in
        ["𠮷野﨑子髙𩸽葛", "救急〓家族〓〓〓外字〓逆順終り〓", "①㎜Ⅲ㈱℃≧μ±→", "U+1FAC0", "U+E000", "U+202E", "U+0000"]
    {
        assert!(text.contains(expected), "{expected} is missing in {text}");
    }
}

#[test]
fn a_word_longer_than_the_line_is_broken_without_adding_anything() {
    if !program_is_there("pdftotext") {
        return;
    }
    let long: String = (0..1500).map(|n| char::from(b'a' + (n % 26) as u8)).collect();
    let mut document = report();
    document.findings = long.clone();
    document.patient.name = "N".repeat(120);
    let text = squeezed(&text_of(&typeset(&document, &fonts()).expect("a report")));
    assert!(text.contains(&long), "{text}");
    assert!(text.contains(&"N".repeat(40)));
}

#[test]
fn a_long_report_flows_over_pages_and_each_says_which_it_is() {
    if !program_is_there("pdftotext") {
        return;
    }
    let mut document = report();
    document.findings = (0..400).map(|n| format!("{n}番目の所見。異常を認めません。\n")).collect();
    let text = text_of(&typeset(&document, &fonts()).expect("a report"));
    let pages: Vec<&str> = text.split('\u{c}').filter(|page| !page.trim().is_empty()).collect();
    assert!(pages.len() > 3);
    for (index, page) in pages.iter().enumerate() {
        assert!(squeezed(page).contains(&format!("{}/{}", index + 1, pages.len())));
        assert!(page.contains("0001234567"));
    }
    assert!(text.contains("399番目の所見"));
}

#[test]
fn the_longest_text_can_be_set_and_a_longer_one_is_refused() {
    let fonts = fonts();
    let mut document = report();
    document.findings = "長".repeat(LONGEST_TEXT);
    typeset(&document, &fonts).expect("a report");
    document.findings.push('い');
    let refused = typeset(&document, &fonts).expect_err("too long");
    assert!(matches!(refused, TypesetError::TooLong { field: "findings", .. }), "{refused}");
}

#[test]
fn equal_documents_give_equal_bytes() {
    assert!(typeset(&report(), &fonts()).expect("a report") == typeset(&report(), &fonts()).expect("a report"));
}

#[test]
fn an_empty_report_is_still_a_page() {
    let mut document = report();
    document.findings.clear();
    document.impression.clear();
    document.study.parts.clear();
    document.study.modalities.clear();
    document.study.performed_at = None;
    document.patient.birth_date = None;
    document.patient.sex = None;
    document.request.question.clear();
    document.ai_support.clear();
    typeset(&document, &fonts()).expect("a report");
}

#[test]
fn a_folder_without_japanese_fonts_is_named_in_the_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let error = typeset(&report(), &Fonts::in_folder(folder.path())).expect_err("no fonts");
    assert!(error.to_string().contains("fonts-noto-cjk"), "{error}");
}

#[test]
fn a_debug_print_shows_no_patient() {
    let printed = format!("{:?}", report());
    assert!(!printed.contains("見本") && !printed.contains("0001234567") && !printed.contains("結節影"), "{printed}");
}
