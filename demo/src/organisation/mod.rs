//! The invented organisation: sites, people, contracts, shifts, skills, prices.
//!
//! Plain values that a caller turns into rows. Nothing here is taken from a
//! real institution; codes use prefecture number 99, which Japan does not have.
//! Equal seeds give equal organisations; the seed moves only what may differ
//! between two demos (skills outside figure 3).

mod people;
mod prices;
mod sites;
mod skills;

use chrono::NaiveDate;
use dokuei_terms::{Modality, Priority, Region};
use serde::{Deserialize, Serialize};

use crate::names::Name;

/// Everything an empty installation needs to play a day.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Organisation {
    /// Name of the pool that all sites and readers are in.
    pub pool_name: String,
    /// Referring sites first, then the receiving hospital, then the reading company.
    pub sites: Vec<Site>,
    /// One per referring site.
    pub contracts: Vec<Contract>,
    /// Everybody who logs in except the readers.
    pub staff: Vec<Staff>,
    /// Eight readers.
    pub readers: Vec<Reader>,
    /// Reading fees.
    pub tariffs: Vec<Tariff>,
    /// What a pressing priority costs on top, per case.
    pub surcharges: Vec<Surcharge>,
}

/// What a site does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SiteKind {
    /// 送信側.
    Referring,
    /// 受信側: an insurance medical institution that reads.
    Receiving,
    /// A for-profit reading company: not a medical institution, so its reads never carry the add-on.
    ReadingCompany,
}

/// What leading zeros of a PatientID mean at a site.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LeadingZeros {
    /// `00012345` and `12345` are two patients.
    Significant,
    /// `00012345` and `12345` are one patient.
    Ignored,
}

/// A notification to the regional bureau (施設基準の届出).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FilingKind {
    /// 画像診断管理加算1.
    AddOn1,
    /// 画像診断管理加算2.
    AddOn2,
    /// 画像診断管理加算3.
    AddOn3,
    /// 画像診断管理加算4.
    AddOn4,
    /// 遠隔画像診断.
    Remote,
}

/// A filing with its dates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filing {
    /// What was filed.
    pub kind: FilingKind,
    /// First day in force.
    pub from: NaiveDate,
    /// Last day in force; `None` while it stands.
    pub to: Option<NaiveDate>,
}

/// A hospital, a clinic or the company.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Site {
    /// Stable key that the rest of the organisation refers to.
    pub key: String,
    /// What it does.
    pub kind: SiteKind,
    /// Calling AE title; referring sites only.
    pub ae_title: Option<String>,
    /// Japanese name.
    pub name_ja: String,
    /// English name.
    pub name_en: String,
    /// 医療機関コード: prefecture (2), kind (1), number (7). The company has none.
    pub institution_code: Option<String>,
    /// Telephone.
    pub phone: String,
    /// The rule for patient IDs.
    pub leading_zeros: LeadingZeros,
    /// Whether it does nuclear medicine, CT and MR itself, which add-on 2 asks of the sender.
    pub has_ct_mr: bool,
    /// Filings, oldest first.
    pub filings: Vec<Filing>,
    /// What readers should know of this site (読影上の申し送り).
    pub standing_notes: String,
}

/// What happens to a study that comes without a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithoutRequest {
    /// It waits as unmatched.
    Wait,
    /// A case with a default request is opened.
    OpenWithDefault,
    /// It is kept for comparison.
    ComparisonOnly,
}

/// Which day's tariff counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BillingDay {
    /// The day the case came in.
    Receipt,
    /// The day the report was signed.
    Signing,
}

/// Where signed reports go by C-STORE.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReturnEndpoint {
    /// Called AE title.
    pub ae_title: String,
    /// Host name or address.
    pub host: String,
    /// Port.
    pub port: u16,
}

/// What was agreed with a referring site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contract {
    /// The referring site's key.
    pub site: String,
    /// Keys of those who may read for it.
    pub read_by: Vec<String>,
    /// First day.
    pub from: NaiveDate,
    /// Studies without a request.
    pub without_request: WithoutRequest,
    /// Minutes from receipt to report, per priority.
    pub due_minutes: Vec<(Priority, u32)>,
    /// Seconds without a new image after which a study counts as settled.
    pub quiet_seconds: u32,
    /// Studies older than this many years are for comparison only.
    pub comparison_only_after_years: u32,
    /// Where reports go; `None` is portal only.
    pub return_to: Option<ReturnEndpoint>,
    /// The day that counts for prices.
    pub billing_day: BillingDay,
    /// 締日: day of month, 31 for its end.
    pub closing_day: u8,
}

/// A role of a person who is not a reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StaffRole {
    /// Sends images and requests.
    Technologist,
    /// Orders, and alone can accept and act on a report.
    OrderingDoctor,
    /// 配信担当.
    Dispatcher,
    /// 読影責任者.
    ReadingDirector,
    /// Closes the month.
    BillingClerk,
    /// Sites, readers, tariffs, users.
    Administrator,
    /// Audit trail.
    SecurityOfficer,
}

/// A person with a login.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff {
    /// Login name.
    pub login: String,
    /// Name.
    pub name: Name,
    /// Address in a domain reserved for examples (RFC 2606).
    pub email: String,
    /// Role.
    pub role: StaffRole,
    /// Site key; `None` for those who serve the whole pool.
    pub site: Option<String>,
    /// Department, for ordering doctors.
    pub department: Option<String>,
}

/// Where a reader sits during a shift.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// At the institution (院内).
    OnSite,
    /// At home (自宅).
    Home,
}

/// A weekly shift, Japan Standard Time. It may run past midnight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// 0 Monday .. 6 Sunday, of the beginning.
    pub weekday: u8,
    /// Minutes after midnight.
    pub from_minute: u16,
    /// Length, at most 1440.
    pub minutes: u16,
    /// Where.
    pub place: Place,
}

impl Shift {
    /// Whether the shift covers a minute of the week (0 = Monday 00:00, below 10080); a Sunday night runs into Monday.
    pub fn covers(&self, minute_of_week: u32) -> bool {
        let start = u32::from(self.weekday) * 1440 + u32::from(self.from_minute);
        (minute_of_week + 10_080 - start) % 10_080 < u32::from(self.minutes)
    }
}

/// One declared cell of a skill table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Skill {
    /// Region; its children take the value unless they have their own.
    pub region: Region,
    /// Modality class.
    pub modality: Modality,
    /// 0 (never) .. 100.
    pub declared: u8,
}

/// A radiologist.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reader {
    /// Login name.
    pub login: String,
    /// Row heading in a skill table, e.g. `読影医1`.
    pub table_name: String,
    /// Name.
    pub name: Name,
    /// Address in a domain reserved for examples.
    pub email: String,
    /// Key of the institution or company read for.
    pub affiliation: String,
    /// Filed there as 専ら画像診断を担当する常勤医師, since when; `None` for the company's readers.
    pub filed_full_time_since: Option<NaiveDate>,
    /// Weekly hours at the institution.
    pub weekly_hours: u8,
    /// Days a week at the institution.
    pub weekly_days: u8,
    /// Years of practice in diagnostic imaging.
    pub years_of_practice: u8,
    /// Cases at a time that are comfortable, for the load's measure (minutes of reading per hour of shift).
    pub capacity_minutes_per_hour: u8,
    /// The week.
    pub shifts: Vec<Shift>,
    /// Declared skills.
    pub skills: Vec<Skill>,
}

impl Reader {
    /// The declared value of a cell: its own, else the nearest ancestor's, else 0.
    pub fn declared(&self, region: Region, modality: Modality) -> u8 {
        region
            .and_ancestors()
            .find_map(|at| self.skills.iter().find(|skill| skill.region == at && skill.modality == modality))
            .map_or(0, |skill| skill.declared)
    }
}

/// A reading fee per part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tariff {
    /// Contract's site key; `None` for all.
    pub site: Option<String>,
    /// Modality class.
    pub modality: Modality,
    /// Region and its children; `None` for every other region.
    pub region: Option<Region>,
    /// What the site pays for the first part of a case, yen without tax.
    pub first_part_yen: u32,
    /// What it pays for each further part.
    pub further_part_yen: u32,
    /// What the reader gets for a part.
    pub reader_yen: u32,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: Option<NaiveDate>,
}

/// What a priority costs on top, per case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Surcharge {
    /// The priority.
    pub priority: Priority,
    /// Yen without tax.
    pub yen: u32,
    /// First day.
    pub from: NaiveDate,
    /// Last day.
    pub to: Option<NaiveDate>,
}

/// The organisation of a seed.
pub fn organisation(seed: u64) -> Organisation {
    Organisation {
        pool_name: "デモ読影グループ".to_owned(),
        sites: sites::sites(),
        contracts: sites::contracts(),
        staff: people::staff(),
        readers: people::readers(seed),
        tariffs: prices::tariffs(),
        surcharges: prices::surcharges(),
    }
}

/// The skill table in the layout of figure 3 of the skill-table paper (Hirasawa 2022): rows 読影医1 to 読影医5, columns region + modality, UTF-8.
pub fn figure3_csv() -> &'static [u8] {
    include_bytes!("../../data/figure3.csv")
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).unwrap_or_default()
}

#[cfg(test)]
mod tests;
