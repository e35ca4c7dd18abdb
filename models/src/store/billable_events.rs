//! The ledger: what was done, once, with the facts that later rules need. Append-only; corrections are new lines.

use chrono::{NaiveDate, NaiveDateTime};
use diesel::prelude::*;
use dokuei_terms::{Laterality, Modality, Priority, Region};

use crate::codes::Code;
use crate::db::Connection;
use crate::error::StoreError;
use crate::ids::{
    BillableEventId, CaseId, ContractId, PatientId, ReadId, ReaderId, ReportVersionId, SiteId, TariffLineId,
};
use crate::schema::{billable_events, cases, patients, requests};
use crate::state::Place;

/// A line of the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = billable_events)]
pub struct BillableEventRow {
    /// The row's id; not looked at when it is written.
    pub id: BillableEventId,
    /// The site that pays.
    pub site_id: SiteId,
    /// The contract.
    pub contract_id: Option<ContractId>,
    /// The case.
    pub case_id: CaseId,
    /// The read.
    pub read_id: ReadId,
    /// The signed version.
    pub report_version_id: ReportVersionId,
    /// The reader.
    pub reader_id: ReaderId,
    /// `reading`, `urgency`, `reader_fee` or `addon`.
    pub kind: String,
    /// The part's region.
    #[diesel(deserialize_as = Code<Region>)]
    pub region: Region,
    /// The part's modality.
    #[diesel(deserialize_as = Code<Modality>)]
    pub modality: Modality,
    /// The part's side.
    #[diesel(deserialize_as = Code<Laterality>)]
    pub laterality: Laterality,
    /// The case's priority when it was signed.
    #[diesel(deserialize_as = Code<Priority>)]
    pub priority: Priority,
    /// The tariff line that gave the price; none where no line matched.
    pub tariff_line_id: Option<TariffLineId>,
    /// How many.
    pub quantity: i32,
    /// Yen without tax, for all of them.
    pub amount_yen: i64,
    /// The day whose tariff counts, in Japan.
    pub counts_on: NaiveDate,
    /// The calendar month of that day, `YYYY-MM`.
    pub month: String,
    /// The institution or company that the reader read for.
    pub reading_site_id: Option<SiteId>,
    /// That institution's filings on the day, joined by `+`.
    pub reading_site_filing: String,
    /// Whether the reader is filed there.
    pub reader_filed: bool,
    /// Where the reader read.
    pub place: Place,
    /// `yes`, `no`, `unknown`, or empty where it does not apply.
    pub addon: String,
    /// `addon1`, `addon2`, `addon2_part`, `addon3`, `addon4` or empty.
    pub addon_tier: String,
    /// `E001`, `E102`, `E203` or empty.
    pub addon_group: String,
    /// The points, 0 unless `yes`.
    pub addon_points: i32,
    /// The sentence that decides it, in Japanese.
    pub addon_sentence_ja: String,
    /// The sentence that decides it, in English.
    pub addon_sentence_en: String,
    /// The line that this one corrects.
    pub corrects_id: Option<BillableEventId>,
    /// When it was written.
    pub at: NaiveDateTime,
}

/// Writes a line.
///
/// # Errors
/// What the database says.
pub fn billable_event_append_in_tx(
    conn: &mut Connection,
    line: &BillableEventRow,
) -> Result<BillableEventId, StoreError> {
    Ok(diesel::insert_into(billable_events::table)
        .values((
            (
                billable_events::site_id.eq(line.site_id),
                billable_events::contract_id.eq(line.contract_id),
                billable_events::case_id.eq(line.case_id),
                billable_events::read_id.eq(line.read_id),
                billable_events::report_version_id.eq(line.report_version_id),
                billable_events::reader_id.eq(line.reader_id),
                billable_events::kind.eq(&line.kind),
                billable_events::region.eq(line.region.code()),
                billable_events::modality.eq(line.modality.code()),
                billable_events::laterality.eq(line.laterality.code()),
                billable_events::priority.eq(line.priority.code()),
                billable_events::tariff_line_id.eq(line.tariff_line_id),
                billable_events::quantity.eq(line.quantity),
                billable_events::amount_yen.eq(line.amount_yen),
            ),
            (
                billable_events::counts_on.eq(line.counts_on),
                billable_events::month.eq(&line.month),
                billable_events::reading_site_id.eq(line.reading_site_id),
                billable_events::reading_site_filing.eq(&line.reading_site_filing),
                billable_events::reader_filed.eq(line.reader_filed),
                billable_events::place.eq(line.place),
                billable_events::addon.eq(&line.addon),
                billable_events::addon_tier.eq(&line.addon_tier),
                billable_events::addon_group.eq(&line.addon_group),
                billable_events::addon_points.eq(line.addon_points),
                billable_events::addon_sentence_ja.eq(&line.addon_sentence_ja),
                billable_events::addon_sentence_en.eq(&line.addon_sentence_en),
                billable_events::corrects_id.eq(line.corrects_id),
                billable_events::at.eq(line.at),
            ),
        ))
        .returning(billable_events::id)
        .get_result(conn)?)
}

/// A line with what people know its case by.
#[derive(Debug, Clone, PartialEq, Eq, Queryable)]
pub struct NamedEvent {
    /// The line.
    pub row: BillableEventRow,
    /// PatientID.
    pub patient_id: String,
    /// AccessionNumber.
    pub accession_number: String,
}

/// The lines of a month, of one site or of all, with what people know their cases by: one query.
///
/// # Errors
/// What the database says.
pub fn billable_event_list_named(
    conn: &mut Connection,
    month: &str,
    site: Option<SiteId>,
) -> Result<Vec<NamedEvent>, StoreError> {
    let mut rows = billable_events::table
        .inner_join(cases::table.on(cases::id.eq(billable_events::case_id)))
        .inner_join(patients::table.on(patients::id.eq(cases::patient_id)))
        .inner_join(requests::table.on(requests::id.eq(cases::request_id)))
        .filter(billable_events::month.eq(month.to_owned()))
        .order(billable_events::id)
        .select((BillableEventRow::as_select(), patients::patient_id, requests::accession_number))
        .into_boxed();
    if let Some(site) = site {
        rows = rows.filter(billable_events::site_id.eq(site));
    }
    Ok(rows.load(conn)?)
}

/// The lines of a case.
///
/// # Errors
/// What the database says.
pub fn billable_event_list_of_case(conn: &mut Connection, case: CaseId) -> Result<Vec<BillableEventRow>, StoreError> {
    Ok(billable_events::table
        .filter(billable_events::case_id.eq(case))
        .order(billable_events::id)
        .select(BillableEventRow::as_select())
        .load(conn)?)
}

/// The months that have lines, newest first.
///
/// # Errors
/// What the database says.
pub fn billable_month_list(conn: &mut Connection) -> Result<Vec<String>, StoreError> {
    Ok(billable_events::table
        .select(billable_events::month)
        .distinct()
        .order(billable_events::month.desc())
        .load(conn)?)
}

/// Whether an add-on of a group was counted already for a patient of a site in a calendar month, and was not taken back.
///
/// # Errors
/// What the database says.
pub fn addon_counted(
    conn: &mut Connection,
    site: SiteId,
    patient: PatientId,
    month: &str,
    group: &str,
) -> Result<bool, StoreError> {
    let counted: Vec<BillableEventId> = billable_events::table
        .inner_join(cases::table.on(cases::id.eq(billable_events::case_id)))
        .filter(billable_events::site_id.eq(site))
        .filter(cases::patient_id.eq(patient))
        .filter(billable_events::month.eq(month))
        .filter(billable_events::addon_group.eq(group))
        .filter(billable_events::addon.eq("yes"))
        .filter(billable_events::corrects_id.is_null())
        .select(billable_events::id)
        .load(conn)?;
    let taken_back: i64 = billable_events::table
        .filter(billable_events::corrects_id.eq_any(&counted).assume_not_null())
        .count()
        .get_result(conn)?;
    Ok(usize::try_from(taken_back).is_ok_and(|taken_back| taken_back < counted.len()))
}
