//! A month of the ledger: totals, what a person must look at, and the export.

use std::collections::{BTreeMap, HashMap};

use dokuei_models::store::audit::{self, Subject};
use dokuei_models::store::billable_events::{self as ledger, BillableEventRow, NamedEvent};
use dokuei_models::store::{readers, sites};
use dokuei_models::{Actor, Connection, ReaderId, SiteId, StoreError};
use dokuei_terms::Language;

/// A line with what people need to know it by. No patient's name: the ID and the accession number are enough.
#[derive(Debug, Clone)]
pub struct Line {
    /// The ledger's row.
    pub row: BillableEventRow,
    /// The site's name in Japanese.
    pub site: String,
    /// The site's name in English, else in Japanese.
    pub site_en: String,
    /// The reader's name in Japanese.
    pub reader: String,
    /// The reader's name in English, else in Japanese.
    pub reader_en: String,
    /// Where the reader read for.
    pub reading_site: String,
    /// PatientID.
    pub patient_id: String,
    /// AccessionNumber.
    pub accession_number: String,
}

/// A month.
#[derive(Debug, Clone, Default)]
pub struct Month {
    /// `YYYY-MM`.
    pub month: String,
    /// Every line of it.
    pub lines: Vec<Line>,
}

/// One sum of a breakdown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sum {
    /// What it is the sum of.
    pub label: String,
    /// How many lines.
    pub count: i64,
    /// Yen without tax.
    pub yen: i64,
}

impl Month {
    /// What the sites owe, without tax.
    pub fn charged_yen(&self) -> i64 {
        self.charged().map(|line| line.row.amount_yen).sum()
    }

    /// What the readers are owed.
    pub fn owed_yen(&self) -> i64 {
        self.lines.iter().filter(|line| line.row.kind == "reader_fee").map(|line| line.row.amount_yen).sum()
    }

    /// How many parts were read; what was taken back counts against it.
    pub fn parts(&self) -> i64 {
        self.quantity(|line| line.row.kind == "reading")
    }

    /// Add-ons with one answer; what was taken back counts against it.
    pub fn addons(&self, answer: &str) -> i64 {
        self.quantity(|line| line.row.kind == "addon" && line.row.addon == answer)
    }

    fn quantity(&self, which: impl Fn(&Line) -> bool) -> i64 {
        self.lines.iter().filter(|line| which(line)).map(|line| i64::from(line.row.quantity)).sum()
    }

    /// Add-on points that the referring sites may claim.
    pub fn addon_points(&self) -> i64 {
        self.lines.iter().map(|line| i64::from(line.row.addon_points)).sum()
    }

    /// Readings without a price: the tariff has no line for them.
    pub fn without_price(&self) -> Vec<&Line> {
        let unpriced = |line: &&Line| line.row.kind == "reading" && line.row.tariff_line_id.is_none();
        self.lines.iter().filter(unpriced).filter(|line| line.row.corrects_id.is_none()).collect()
    }

    fn charged(&self) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(|line| matches!(line.row.kind.as_str(), "reading" | "urgency"))
    }

    /// What the sites owe, by whatever `label` says of a line; the largest first.
    pub fn by(&self, label: impl Fn(&Line) -> String) -> Vec<Sum> {
        let mut sums: BTreeMap<String, (i64, i64)> = BTreeMap::new();
        for line in self.charged() {
            let sum = sums.entry(label(line)).or_default();
            sum.0 += if line.row.kind == "reading" { i64::from(line.row.quantity) } else { 0 };
            sum.1 += line.row.amount_yen;
        }
        let mut sums: Vec<Sum> = sums.into_iter().map(|(label, (count, yen))| Sum { label, count, yen }).collect();
        sums.sort_by_key(|sum| std::cmp::Reverse(sum.yen));
        sums
    }
}

/// Loads a month, with as many queries whatever its length.
///
/// # Errors
/// What the database says.
pub fn month(conn: &mut Connection, month: &str, site: Option<SiteId>) -> Result<Month, StoreError> {
    let rows = ledger::billable_event_list_named(conn, month, site)?;
    let both = |ja: String, en: String| (ja.clone(), if en.is_empty() { ja } else { en });
    let site_names: HashMap<SiteId, (String, String)> =
        sites::site_list(conn)?.into_iter().map(|site| (site.id, both(site.name_ja, site.name_en))).collect();
    let reader_names: HashMap<ReaderId, (String, String)> =
        readers::reader_list_all(conn)?.into_iter().map(|(reader, _, ja, en)| (reader.id, both(ja, en))).collect();
    let name = |site: SiteId| site_names.get(&site).cloned().unwrap_or_default();
    let lines = rows
        .into_iter()
        .map(|NamedEvent { row, patient_id, accession_number }| {
            let (site, site_en) = name(row.site_id);
            let (reader, reader_en) = reader_names.get(&row.reader_id).cloned().unwrap_or_default();
            let reading_site = row.reading_site_id.map(|site| name(site).0).unwrap_or_default();
            Line { site, site_en, reader, reader_en, reading_site, patient_id, accession_number, row }
        })
        .collect();
    Ok(Month { month: month.to_owned(), lines })
}

/// How a CSV is encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 with a byte order mark, which spreadsheets recognise.
    Utf8,
    /// CP932 (Windows-31J), for older accounting software. Letters it lacks become numeric references.
    Cp932,
}

const HEADINGS: [&str; 24] = [
    "明細番号",
    "計上日",
    "月",
    "依頼施設",
    "症例番号",
    "受付番号",
    "患者ID",
    "区分",
    "部位",
    "モダリティ",
    "左右",
    "優先度",
    "数量",
    "金額（税抜・円）",
    "読影医",
    "読影機関",
    "読影機関の届出",
    "読影場所",
    "加算",
    "加算区分",
    "加算群",
    "加算点数",
    "判定の根拠",
    "訂正する明細番号",
];

/// The month as CSV: one row a line, CRLF, every cell quoted so that leading zeros survive.
///
/// # Errors
/// A cell could not be written.
pub fn csv(month: &Month, encoding: Encoding) -> Result<Vec<u8>, csv::Error> {
    let mut writer = csv::WriterBuilder::new()
        .quote_style(csv::QuoteStyle::Always)
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    writer.write_record(HEADINGS)?;
    for line in &month.lines {
        let row = &line.row;
        writer.write_record([
            row.id.to_string(),
            row.counts_on.to_string(),
            row.month.clone(),
            safe(&line.site),
            row.case_id.to_string(),
            safe(&line.accession_number),
            safe(&line.patient_id),
            kind_word(&row.kind).to_owned(),
            row.region.label(Language::Ja).to_owned(),
            row.modality.label(Language::Ja).to_owned(),
            row.laterality.label(Language::Ja).to_owned(),
            row.priority.label(Language::Ja).to_owned(),
            row.quantity.to_string(),
            row.amount_yen.to_string(),
            safe(&line.reader),
            safe(&line.reading_site),
            row.reading_site_filing.clone(),
            row.place.code().to_owned(),
            row.addon.clone(),
            row.addon_tier.clone(),
            row.addon_group.clone(),
            row.addon_points.to_string(),
            row.addon_sentence_ja.clone(),
            row.corrects_id.map(|id| id.to_string()).unwrap_or_default(),
        ])?;
    }
    let text = writer.into_inner().map_err(|error| csv::Error::from(error.into_error()))?;
    Ok(match encoding {
        Encoding::Utf8 => [b"\xef\xbb\xbf".as_slice(), &text].concat(),
        Encoding::Cp932 => encoding_rs::SHIFT_JIS.encode(&String::from_utf8_lossy(&text)).0.into_owned(),
    })
}

/// A cell that begins like a formula is not run by a spreadsheet.
fn safe(text: &str) -> String {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{text}") } else { text.to_owned() }
}

/// The word of a ledger line's kind.
pub fn kind_word(kind: &str) -> &'static str {
    match kind {
        "reading" => "読影料",
        "urgency" => "緊急加算料",
        "reader_fee" => "読影医報酬",
        "addon" => "画像診断管理加算",
        _ => "その他",
    }
}

/// Notes that a month left the house.
///
/// # Errors
/// What the database says.
pub fn note_export_in_tx(conn: &mut Connection, actor: &Actor, month: &str, lines: usize) -> Result<(), StoreError> {
    let detail = serde_json::json!({ "month": month, "lines": lines }).to_string();
    audit::append_in_tx(conn, actor, "ledger.export", Subject::none("ledger"), "done", &detail)
}

/// Whether a text is a month, `YYYY-MM`.
pub fn is_month(text: &str) -> bool {
    text.len() == 7 && chrono::NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_written_in_one_way() {
        assert!(is_month("2026-10"));
        for wrong in ["2026-13", "2026-1", "202610", "2026-10-01", "", "２０２６-10"] {
            assert!(!is_month(wrong), "{wrong}");
        }
    }

    #[test]
    fn an_empty_month_still_has_its_headings_in_both_encodings() {
        let utf8 = csv(&Month::default(), Encoding::Utf8).unwrap();
        assert!(utf8.starts_with("\u{feff}\"明細番号\",".as_bytes()));
        assert!(utf8.ends_with(b"\r\n"));
        let cp932 = csv(&Month::default(), Encoding::Cp932).unwrap();
        let (text, _, wrong) = encoding_rs::SHIFT_JIS.decode(&cp932);
        assert!(!wrong && text.contains("画像診断") || text.contains("加算群"));
    }

    #[test]
    fn a_cell_is_never_a_formula() {
        assert_eq!(safe("=1+1"), "'=1+1");
        assert_eq!(safe("0012"), "0012");
    }
}
