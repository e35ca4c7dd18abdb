//! The document as the template sees it: cleaned words, formatted dates, nothing to decide.
//!
//! The template reads this as JSON, so every text reaches it as a string value
//! and none can become markup.

use chrono::NaiveDate;
use dokuei_terms::Language;
use serde::Serialize;

use crate::document::{ReaderBlock, ReportDocument, ReportStatus};
use crate::legible::Legible;
use crate::words::{self, word};

#[derive(Serialize)]
pub(crate) struct Sheet {
    pub lang: &'static str,
    pub fonts: Vec<&'static str>,
    pub title: &'static str,
    /// The title in the PDF's metadata: no patient.
    pub document_title: String,
    pub author: String,
    pub status: &'static str,
    pub status_code: &'static str,
    pub warning: Option<&'static str>,
    pub reason: Option<Labelled>,
    /// That images were missing; one line a language.
    pub incomplete: Vec<String>,
    pub notice: Option<String>,
    pub reading_institution: String,
    pub report_line: String,
    pub patient: PatientSheet,
    pub study: Vec<Labelled>,
    pub request: Vec<Labelled>,
    /// What was asked, over the whole width.
    pub clinical: Vec<Labelled>,
    pub sections: Vec<Section>,
    pub ai: Option<String>,
    pub signature: Vec<Labelled>,
    pub earlier_title: &'static str,
    pub earlier: Vec<EarlierSheet>,
    pub missing: Vec<String>,
    pub footer: String,
}

#[derive(Serialize)]
pub(crate) struct Labelled {
    label: &'static str,
    text: String,
}

#[derive(Serialize)]
pub(crate) struct Section {
    title: &'static str,
    lines: Vec<String>,
}

#[derive(Serialize)]
pub(crate) struct PatientSheet {
    name: String,
    kana: String,
    facts: Vec<Labelled>,
}

#[derive(Serialize)]
pub(crate) struct EarlierSheet {
    heading: String,
    sections: Vec<Section>,
}

/// Builds the sheet of a document; characters `covers` refuses are replaced and listed.
pub(crate) fn sheet(document: &ReportDocument, families: Vec<&'static str>, covers: &dyn Fn(char) -> bool) -> Sheet {
    let language = document.language;
    let w = |ja, en| word(language, ja, en);
    let mut legible = Legible::new(covers);
    let title = w("画像診断報告書", "Imaging report");
    let report_id = legible.line(&document.report_id);
    let version = match language {
        Language::Ja => format!("第{}版", document.version),
        Language::En => format!("version {}", document.version),
    };
    let author = legible.line(&document.reader.name);
    let patient = patient(document, &mut legible);
    let footer = [
        clipped(&legible.line(&document.patient.id)),
        clipped(&legible.line(&document.patient.name)),
        format!("{} {} {version}", w("報告書番号", "Report"), clipped(&report_id)),
    ];
    let mut sections = Vec::new();
    push_section(&mut sections, w("所見", "Findings"), legible.lines(&document.findings));
    push_section(&mut sections, w("診断", "Impression"), legible.lines(&document.impression));

    Sheet {
        lang: match language {
            Language::Ja => "ja",
            Language::En => "en",
        },
        fonts: families,
        title,
        document_title: format!("{title} {report_id} {version}"),
        author: author.chars().take(200).collect(),
        status: words::status(language, document.status),
        status_code: match document.status {
            ReportStatus::Preliminary => "preliminary",
            ReportStatus::Final => "final",
            ReportStatus::Addendum => "addendum",
            ReportStatus::Amended => "amended",
            ReportStatus::Withdrawn => "withdrawn",
        },
        warning: words::warning(language, document.status),
        reason: document
            .reason
            .as_ref()
            .map(|reason| Labelled { label: w("理由", "Reason"), text: legible.line(reason) }),
        incomplete: document
            .incomplete
            .map(|known| words::incomplete(language, known, document.signed_at))
            .unwrap_or_default(),
        notice: document.notice.as_ref().map(|notice| legible.line(notice)),
        reading_institution: legible.line(&document.reading_institution),
        report_line: format!("{} {report_id}　{version}", w("報告書番号", "Report")),
        patient,
        study: study(document, &mut legible),
        request: request(document, &mut legible),
        clinical: clinical(document, &mut legible),
        sections,
        ai: ai(document, &mut legible),
        signature: signature(document, &mut legible),
        earlier_title: w("これまでの版", "Earlier versions"),
        earlier: earlier(document, &mut legible),
        missing: missing(language, &legible),
        footer: footer.into_iter().filter(|s| !s.is_empty()).collect::<Vec<_>>().join("　"),
    }
}

fn push(rows: &mut Vec<Labelled>, label: &'static str, text: String) {
    if !text.is_empty() {
        rows.push(Labelled { label, text });
    }
}

fn push_section(sections: &mut Vec<Section>, title: &'static str, lines: Vec<String>) {
    if !lines.is_empty() {
        sections.push(Section { title, lines });
    }
}

fn patient(document: &ReportDocument, legible: &mut Legible<'_>) -> PatientSheet {
    let (language, patient) = (document.language, &document.patient);
    let w = |ja, en| word(language, ja, en);
    let unknown = w("不明", "unknown");
    let mut facts = vec![Labelled { label: w("患者ID", "Patient ID"), text: legible.line(&patient.id) }];
    let on: NaiveDate =
        document.study.performed_at.map_or_else(|| words::jst(document.signed_at).date(), |at| at.date());
    let born = patient.birth_date.map_or_else(|| unknown.to_owned(), |born| words::date(language, born));
    facts.push(Labelled { label: w("生年月日", "Born"), text: born });
    let age = patient.birth_date.and_then(|born| words::age(language, born, on)).unwrap_or_else(|| unknown.to_owned());
    facts.push(Labelled { label: w("検査時年齢", "Age at study"), text: age });
    let sex = patient.sex.map_or(unknown, |sex| words::sex(language, sex));
    facts.push(Labelled { label: w("性別", "Sex"), text: sex.to_owned() });
    PatientSheet { name: legible.line(&patient.name), kana: legible.line(&patient.kana), facts }
}

fn study(document: &ReportDocument, legible: &mut Legible<'_>) -> Vec<Labelled> {
    let (language, study) = (document.language, &document.study);
    let w = |ja, en| word(language, ja, en);
    let separator = w("、", ", ");
    let mut rows = Vec::new();
    push(
        &mut rows,
        w("検査日時", "Study date"),
        study.performed_at.map(|at| words::date_time(language, at)).unwrap_or_default(),
    );
    let modalities: Vec<_> = study.modalities.iter().map(|m| m.label(language)).collect();
    push(&mut rows, w("モダリティ", "Modality"), modalities.join(separator));
    let parts: Vec<_> = study.parts.iter().map(|part| part.label(language)).collect();
    push(&mut rows, w("部位", "Parts"), parts.join(separator));
    push(&mut rows, w("検査名", "Description"), legible.line(&study.description));
    push(&mut rows, w("受付番号", "Accession no."), legible.line(&study.accession_number));
    rows
}

fn request(document: &ReportDocument, legible: &mut Legible<'_>) -> Vec<Labelled> {
    let w = |ja, en| word(document.language, ja, en);
    let mut rows = Vec::new();
    push(&mut rows, w("依頼施設", "Site"), legible.line(&document.site));
    push(&mut rows, w("診療科", "Department"), legible.line(&document.request.department));
    push(&mut rows, w("依頼医", "Ordering doctor"), legible.line(&document.request.ordering_doctor));
    rows
}

fn clinical(document: &ReportDocument, legible: &mut Legible<'_>) -> Vec<Labelled> {
    let w = |ja, en| word(document.language, ja, en);
    let mut rows = Vec::new();
    push(&mut rows, w("検査目的", "Question"), legible.line(&document.request.question));
    push(&mut rows, w("臨床経過", "History"), legible.line(&document.request.history));
    rows
}

/// What must be said when AI results were shown: help for the reader, never a diagnosis.
fn ai(document: &ReportDocument, legible: &mut Legible<'_>) -> Option<String> {
    if document.ai_support.is_empty() {
        return None;
    }
    let language = document.language;
    let w = |ja, en| word(language, ja, en);
    let engines: Vec<String> = document
        .ai_support
        .iter()
        .map(|ai| {
            let name = format!("{} {}", legible.line(&ai.engine), legible.line(&ai.version));
            if ai.approved { name } else { format!("{name}{}", w("（研究用）", " (research use)")) }
        })
        .collect();
    let engines = engines.join(w("、", ", "));
    Some(match language {
        Language::Ja => format!(
            "AI支援（参考）: 読影にあたり {engines} の結果を参考として表示しました。診断は読影医によるものです。"
        ),
        Language::En => format!(
            "AI support (for reference): results of {engines} were shown to the reader. The diagnosis is the reader's."
        ),
    })
}

fn named(reader: &ReaderBlock, language: Language, legible: &mut Legible<'_>) -> String {
    let (name, qualification) = (legible.line(&reader.name), legible.line(&reader.qualification));
    match (qualification.is_empty(), language) {
        (true, _) => name,
        (false, Language::Ja) => format!("{name}（{qualification}）"),
        (false, Language::En) => format!("{name} ({qualification})"),
    }
}

fn signature(document: &ReportDocument, legible: &mut Legible<'_>) -> Vec<Labelled> {
    let w = |ja, en| word(document.language, ja, en);
    let mut rows = Vec::new();
    push(&mut rows, w("読影施設", "Reading institution"), legible.line(&document.reading_institution));
    if let Some(first) = &document.first_reader {
        push(&mut rows, w("一次読影医", "First reader"), named(first, document.language, legible));
    }
    // Whoever withdraws need not be who read, and signs nothing.
    let (who, when) = match document.status {
        ReportStatus::Withdrawn => (w("取消者", "Withdrawn by"), w("取消日時", "Withdrawn")),
        _ => (w("読影医", "Reader"), w("署名日時", "Signed")),
    };
    push(&mut rows, who, named(&document.reader, document.language, legible));
    push(&mut rows, when, words::instant(document.language, document.signed_at));
    rows
}

fn earlier(document: &ReportDocument, legible: &mut Legible<'_>) -> Vec<EarlierSheet> {
    let language = document.language;
    let w = |ja, en| word(language, ja, en);
    let rows = document.earlier.iter().map(|earlier| {
        let number = match language {
            Language::Ja => format!("第{}版", earlier.version),
            Language::En => format!("Version {}", earlier.version),
        };
        let heading = [
            number,
            words::status(language, earlier.status).to_owned(),
            words::instant(language, earlier.signed_at),
            legible.line(&earlier.reader_name),
        ]
        .join("　");
        let mut sections = Vec::new();
        if let Some((findings, impression)) = &earlier.text {
            push_section(&mut sections, w("所見", "Findings"), legible.lines(findings));
            push_section(&mut sections, w("診断", "Impression"), legible.lines(impression));
        }
        EarlierSheet { heading, sections }
    });
    rows.collect()
}

fn missing(language: Language, legible: &Legible<'_>) -> Vec<String> {
    let (replaced, removed) = (legible.replaced(), legible.removed());
    let mut notes = Vec::new();
    if !replaced.is_empty() {
        let list = shortened(&replaced);
        notes.push(match language {
            Language::Ja => format!("〓 は印刷できない文字です（{list}）。"),
            Language::En => format!("〓 stands for a character that cannot be printed ({list})."),
        });
    }
    if !removed.is_empty() {
        let list = shortened(&removed);
        notes.push(match language {
            Language::Ja => format!("表示されない制御文字を除きました（{list}）。"),
            Language::En => format!("Invisible control characters were left out ({list})."),
        });
    }
    notes
}

/// At most forty characters: the foot of a page has one line, the whole text stands at its head.
fn clipped(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// At most forty code points; how many more there are.
fn shortened(codes: &[String]) -> String {
    let shown = codes.iter().take(40).cloned().collect::<Vec<_>>().join(", ");
    match codes.len().saturating_sub(40) {
        0 => shown,
        more => format!("{shown}, +{more}"),
    }
}
