//! Sites, their endpoints, filings, contracts and calendars.

use chrono::NaiveDate;
use diesel::prelude::*;

use crate::db::Connection;
use crate::error::{OrNotFound, StoreError};
use crate::ids::{ContractId, EndpointId, PoolId, SiteId};
use crate::schema::{cases, contracts, filings, site_calendars, site_endpoints, sites};
use crate::state::{CaseState, OrphanRule};

pub use super::endpoints::{EndpointRow, NameForm, PeerTls};
pub use super::pools::{pool_insert_in_tx, pool_list};

/// A site.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = sites)]
pub struct SiteRow {
    /// The row's id.
    pub id: SiteId,
    /// The pool its cases are planned in.
    pub pool_id: PoolId,
    /// A short unique code.
    pub code: String,
    /// Its name in Japanese.
    pub name_ja: String,
    /// Its name in English.
    pub name_en: String,
    /// Whether it refers cases (送信側).
    pub refers: bool,
    /// Whether it reads cases (受信側).
    pub reads: bool,
    /// Whether it is an insurance medical institution (保険医療機関): a company never is.
    pub insured: bool,
    /// The 10-digit institution code.
    pub institution_code: Option<String>,
    /// A telephone number.
    pub phone: String,
    /// Where notices without patient data go.
    pub email: String,
    /// See [`crate::names::PatientIdRule`].
    pub patient_id_rule: String,
    /// What is done with a study that no request names.
    pub orphan_rule: OrphanRule,
    /// After how many minutes a person looks at an unmatched study.
    pub orphan_wait_minutes: i32,
    /// Studies older than this are kept for comparison only.
    pub comparison_after_days: i32,
    /// Seconds without a new instance after which a study counts as settled.
    pub quiet_seconds: i32,
    /// Whether storage classes that the standard does not know are taken.
    pub unknown_classes: bool,
    /// What every reader should know of this site.
    pub standing_notes: String,
    /// A demo site.
    pub demo: bool,
    /// A research site.
    pub research: bool,
    /// Whether it takes part.
    pub active: bool,
    /// For optimistic locking.
    pub version: i32,
}

/// What a site and the pool have agreed.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = contracts)]
pub struct ContractRow {
    /// The row's id.
    pub id: ContractId,
    /// The referring site.
    pub site_id: SiteId,
    /// The tariff's name; which one of that name counts is a matter of the day.
    pub tariff_name: String,
    /// Its first day.
    pub from_day: NaiveDate,
    /// Its last day.
    pub to_day: Option<NaiveDate>,
    /// Minutes until the report is owed, stat.
    pub due_stat_minutes: i32,
    /// The same, urgent.
    pub due_urgent_minutes: i32,
    /// The same, priority.
    pub due_priority_minutes: i32,
    /// The same, routine.
    pub due_routine_minutes: i32,
    /// `receipt` or `signing`: the day whose tariff counts.
    pub price_day: String,
    /// Whether a hold stops the clock.
    pub hold_stops_clock: bool,
    /// Whether each signature asks for the password.
    pub password_each_signature: bool,
}

/// A filing (施設基準) of a site.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, Selectable)]
#[diesel(table_name = filings)]
pub struct FilingRow {
    /// The row's id.
    pub id: i64,
    /// The site.
    pub site_id: SiteId,
    /// `addon1` .. `addon4`, `remote_send`, `remote_receive`.
    pub kind: String,
    /// Its first day.
    pub from_day: NaiveDate,
    /// Its last day.
    pub to_day: Option<NaiveDate>,
    /// A remark.
    pub note: String,
}

/// One site.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn site_get(conn: &mut Connection, site: SiteId) -> Result<SiteRow, StoreError> {
    sites::table.find(site).select(SiteRow::as_select()).first(conn).or_not_found("the site")
}

/// Whether a site has cases without a report that are not cancelled either.
///
/// # Errors
/// What the database says.
pub fn site_has_open_cases(conn: &mut Connection, site: SiteId) -> Result<bool, StoreError> {
    let closed = [CaseState::Reported, CaseState::Returned, CaseState::Acknowledged, CaseState::Cancelled];
    let open = cases::table.filter(cases::site_id.eq(site)).filter(cases::state.ne_all(closed));
    Ok(diesel::select(diesel::dsl::exists(open)).get_result(conn)?)
}

/// Every site, by code.
///
/// # Errors
/// What the database says.
pub fn site_list(conn: &mut Connection) -> Result<Vec<SiteRow>, StoreError> {
    Ok(sites::table.order(sites::code).select(SiteRow::as_select()).load(conn)?)
}

/// The active endpoints that send or query under an AE title.
///
/// # Errors
/// What the database says.
pub fn endpoint_list_by_ae(conn: &mut Connection, ae_title: &str) -> Result<Vec<EndpointRow>, StoreError> {
    Ok(site_endpoints::table
        .inner_join(sites::table.on(sites::id.eq(site_endpoints::site_id)))
        .filter(site_endpoints::ae_title.eq(ae_title))
        .filter(site_endpoints::active.eq(true))
        .filter(site_endpoints::sends.eq(true).or(site_endpoints::queries.eq(true)))
        .filter(sites::active.eq(true))
        .select(EndpointRow::as_select())
        .load(conn)?)
}

/// A site's endpoints; of all sites with `None`.
///
/// # Errors
/// What the database says.
pub fn endpoint_list(conn: &mut Connection, site: Option<SiteId>) -> Result<Vec<EndpointRow>, StoreError> {
    let mut rows = site_endpoints::table.order(site_endpoints::id).select(EndpointRow::as_select()).into_boxed();
    if let Some(site) = site {
        rows = rows.filter(site_endpoints::site_id.eq(site));
    }
    Ok(rows.load(conn)?)
}

/// The contract that is in force for a site on a day.
///
/// # Errors
/// What the database says.
pub fn contract_on(conn: &mut Connection, site: SiteId, day: NaiveDate) -> Result<Option<ContractRow>, StoreError> {
    Ok(contracts::table
        .filter(contracts::site_id.eq(site))
        .filter(contracts::from_day.le(day))
        .filter(contracts::to_day.is_null().or(contracts::to_day.ge(day).assume_not_null()))
        .order(contracts::from_day.desc())
        .select(ContractRow::as_select())
        .first(conn)
        .optional()?)
}

/// One contract.
///
/// # Errors
/// [`StoreError::NotFound`] when there is none.
pub fn contract_get(conn: &mut Connection, contract: ContractId) -> Result<ContractRow, StoreError> {
    contracts::table.find(contract).select(ContractRow::as_select()).first(conn).or_not_found("the contract")
}

/// The filings of a site that are in force on a day.
///
/// # Errors
/// What the database says.
pub fn filing_list_on(conn: &mut Connection, site: SiteId, day: NaiveDate) -> Result<Vec<FilingRow>, StoreError> {
    Ok(filings::table
        .filter(filings::site_id.eq(site))
        .filter(filings::from_day.le(day))
        .filter(filings::to_day.is_null().or(filings::to_day.ge(day).assume_not_null()))
        .order(filings::id)
        .select(FilingRow::as_select())
        .load(conn)?)
}

/// Days on which a site (or the whole country) is closed, from a day on.
///
/// # Errors
/// What the database says.
pub fn closed_days(conn: &mut Connection, site: SiteId, from: NaiveDate) -> Result<Vec<NaiveDate>, StoreError> {
    Ok(site_calendars::table
        .filter(site_calendars::day.ge(from))
        .filter(site_calendars::site_id.is_null().or(site_calendars::site_id.eq(site).assume_not_null()))
        .order(site_calendars::day)
        .select(site_calendars::day)
        .load(conn)?)
}

/// Makes a site out of a row whose id and version do not count; the new id is the database's.
///
/// # Errors
/// [`StoreError::TryAgain`] when the code is taken (look before), [`StoreError::Rule`] when the pool does not exist.
pub fn site_insert_in_tx(conn: &mut Connection, site: &SiteRow) -> Result<SiteId, StoreError> {
    diesel::insert_into(sites::table)
        .values((
            sites::pool_id.eq(site.pool_id),
            sites::code.eq(&site.code),
            sites::name_ja.eq(&site.name_ja),
            sites::name_en.eq(&site.name_en),
            sites::refers.eq(site.refers),
            sites::reads.eq(site.reads),
            sites::insured.eq(site.insured),
            sites::institution_code.eq(site.institution_code.as_deref()),
            sites::phone.eq(&site.phone),
            sites::email.eq(&site.email),
            sites::patient_id_rule.eq(&site.patient_id_rule),
            sites::orphan_rule.eq(site.orphan_rule),
            sites::orphan_wait_minutes.eq(site.orphan_wait_minutes),
            sites::comparison_after_days.eq(site.comparison_after_days),
            sites::quiet_seconds.eq(site.quiet_seconds),
            (
                sites::unknown_classes.eq(site.unknown_classes),
                sites::standing_notes.eq(&site.standing_notes),
                sites::demo.eq(site.demo),
                sites::research.eq(site.research),
                sites::active.eq(site.active),
                sites::version.eq(1),
            ),
        ))
        .returning(sites::id)
        .get_result(conn)
        .map_err(StoreError::of_insert)
}

/// The site of a code, if there is one.
///
/// # Errors
/// What the database says.
pub fn site_by_code(conn: &mut Connection, code: &str) -> Result<Option<SiteRow>, StoreError> {
    Ok(sites::table.filter(sites::code.eq(code)).select(SiteRow::as_select()).first(conn).optional()?)
}

/// Writes a site's facts, where nobody changed the row since `site.version`. Its code stays.
///
/// # Errors
/// [`StoreError::Stale`] when somebody did.
pub fn site_update_in_tx(conn: &mut Connection, site: &SiteRow) -> Result<(), StoreError> {
    let changed = diesel::update(sites::table.find(site.id).filter(sites::version.eq(site.version)))
        .set((
            sites::pool_id.eq(site.pool_id),
            sites::name_ja.eq(&site.name_ja),
            sites::name_en.eq(&site.name_en),
            sites::refers.eq(site.refers),
            sites::reads.eq(site.reads),
            sites::insured.eq(site.insured),
            sites::institution_code.eq(site.institution_code.as_deref()),
            sites::phone.eq(&site.phone),
            sites::email.eq(&site.email),
            sites::patient_id_rule.eq(&site.patient_id_rule),
            sites::orphan_rule.eq(site.orphan_rule),
            sites::orphan_wait_minutes.eq(site.orphan_wait_minutes),
            sites::comparison_after_days.eq(site.comparison_after_days),
            sites::quiet_seconds.eq(site.quiet_seconds),
            (
                sites::unknown_classes.eq(site.unknown_classes),
                sites::standing_notes.eq(&site.standing_notes),
                sites::demo.eq(site.demo),
                sites::research.eq(site.research),
                sites::active.eq(site.active),
                sites::version.eq(site.version + 1),
            ),
        ))
        .execute(conn)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Stale("the site")) }
}

/// Adds a filing; the row's id is not looked at.
///
/// # Errors
/// What the database says.
pub fn filing_insert_in_tx(conn: &mut Connection, filing: &FilingRow) -> Result<i64, StoreError> {
    Ok(diesel::insert_into(filings::table)
        .values((
            filings::site_id.eq(filing.site_id),
            filings::kind.eq(&filing.kind),
            filings::from_day.eq(filing.from_day),
            filings::to_day.eq(filing.to_day),
            filings::note.eq(&filing.note),
        ))
        .returning(filings::id)
        .get_result(conn)?)
}

/// Adds a contract; the row's id is not looked at.
///
/// # Errors
/// What the database says.
pub fn contract_insert_in_tx(conn: &mut Connection, contract: &ContractRow) -> Result<ContractId, StoreError> {
    Ok(diesel::insert_into(contracts::table)
        .values((
            contracts::site_id.eq(contract.site_id),
            contracts::tariff_name.eq(&contract.tariff_name),
            contracts::from_day.eq(contract.from_day),
            contracts::to_day.eq(contract.to_day),
            contracts::due_stat_minutes.eq(contract.due_stat_minutes),
            contracts::due_urgent_minutes.eq(contract.due_urgent_minutes),
            contracts::due_priority_minutes.eq(contract.due_priority_minutes),
            contracts::due_routine_minutes.eq(contract.due_routine_minutes),
            contracts::price_day.eq(&contract.price_day),
            contracts::hold_stops_clock.eq(contract.hold_stops_clock),
            contracts::password_each_signature.eq(contract.password_each_signature),
        ))
        .returning(contracts::id)
        .get_result(conn)?)
}

/// Adds a day on which a site (or, without one, everybody) is closed.
///
/// # Errors
/// What the database says.
pub fn closed_day_insert_in_tx(
    conn: &mut Connection,
    site: Option<SiteId>,
    day: NaiveDate,
    name: &str,
) -> Result<(), StoreError> {
    diesel::insert_into(site_calendars::table)
        .values((site_calendars::site_id.eq(site), site_calendars::day.eq(day), site_calendars::name.eq(name)))
        .execute(conn)?;
    Ok(())
}

/// Adds an endpoint; the row's id, contact and version are not looked at.
///
/// # Errors
/// What the database says.
pub fn endpoint_insert_in_tx(conn: &mut Connection, endpoint: &EndpointRow) -> Result<EndpointId, StoreError> {
    Ok(diesel::insert_into(site_endpoints::table)
        .values((
            site_endpoints::site_id.eq(endpoint.site_id),
            site_endpoints::name.eq(&endpoint.name),
            site_endpoints::kind.eq(&endpoint.kind),
            site_endpoints::sends.eq(endpoint.sends),
            site_endpoints::receives.eq(endpoint.receives),
            site_endpoints::ae_title.eq(&endpoint.ae_title),
            site_endpoints::host.eq(&endpoint.host),
            site_endpoints::port.eq(endpoint.port),
            site_endpoints::addresses.eq(&endpoint.addresses),
            site_endpoints::active.eq(endpoint.active),
            site_endpoints::version.eq(1),
            site_endpoints::queries.eq(endpoint.queries),
            site_endpoints::tls.eq(endpoint.tls),
            site_endpoints::certificate_sha256.eq(&endpoint.certificate_sha256),
            site_endpoints::character_set.eq(&endpoint.character_set),
            site_endpoints::name_form.eq(endpoint.name_form),
            site_endpoints::watched.eq(endpoint.watched),
        ))
        .returning(site_endpoints::id)
        .get_result(conn)?)
}
