//! Sites as an administrator keeps them: made, changed, looked at with everything that belongs to them.

use chrono::NaiveDateTime;
use dokuei_models::names::PatientIdRule;
use dokuei_models::state::OrphanRule;
use dokuei_models::store::audit::{Subject, append_in_tx};
use dokuei_models::store::closed_days::{self as days, ClosedDayRow};
use dokuei_models::store::sites::{self, ContractRow, EndpointRow, FilingRow, SiteRow};
use dokuei_models::store::{contracts, filings, pools, tariffs};
use dokuei_models::{Actor, Connection, PoolId, SiteId, StoreError};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::due::day_in_japan;
use super::typed::{Faults, Typed};
use super::{changes, closed_days};
use crate::error::codes::{admin as codes, common};
use crate::error::{Error, Result};
use crate::state::State;

/// A site as it is entered. Numbers and codes may come as texts.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct SiteForm {
    /// The version that was seen; not looked at for a new site.
    pub version: i32,
    /// The pool that reads for it; may be left out while there is none, which makes the first.
    #[schema(value_type = Option<i64>)]
    pub pool: Typed<PoolId>,
    /// A short unique code; a site keeps it.
    pub code: String,
    /// Its name in Japanese.
    pub name_ja: String,
    /// Its name in English.
    pub name_en: String,
    /// Whether it refers cases.
    pub refers: bool,
    /// Whether it reads cases.
    pub reads: bool,
    /// Whether it is an insurance medical institution.
    pub insured: bool,
    /// 10 digits, or empty.
    pub institution_code: String,
    /// A telephone number.
    pub phone: String,
    /// Where notices without patient data go.
    pub email: String,
    /// `exact`, `ignore_zeros`, or `pad` with `pad_width`.
    pub patient_id_rule: String,
    /// Digits a PatientID is filled to.
    #[schema(value_type = Option<i32>)]
    pub pad_width: Typed<usize>,
    /// `wait`, `default_request` or `comparison`.
    #[schema(value_type = String)]
    pub orphan_rule: Typed<OrphanRule>,
    /// Minutes after which a person looks at a study without request.
    #[schema(value_type = i32)]
    pub orphan_wait_minutes: Typed<i32>,
    /// Days after which a study is for comparison only.
    #[schema(value_type = i32)]
    pub comparison_after_days: Typed<i32>,
    /// Seconds without a new image after which a study is whole.
    #[schema(value_type = i32)]
    pub quiet_seconds: Typed<i32>,
    /// Whether storage classes that the standard does not know are taken.
    pub unknown_classes: bool,
    /// What every reader should know of this site.
    #[serde(serialize_with = "changes::veiled")]
    pub standing_notes: String,
    /// A research site.
    pub research: bool,
    /// Whether it takes part.
    pub active: bool,
}

impl SiteForm {
    /// A new site with what most sites choose.
    pub fn fresh() -> Self {
        Self {
            refers: true,
            insured: true,
            patient_id_rule: "exact".to_owned(),
            orphan_rule: OrphanRule::Wait.into(),
            orphan_wait_minutes: 30.into(),
            comparison_after_days: 1095.into(),
            quiet_seconds: 60.into(),
            active: true,
            ..Self::default()
        }
    }

    /// A site as it is.
    pub fn of(row: &SiteRow) -> Self {
        let width = row.patient_id_rule.strip_prefix("pad:");
        Self {
            version: row.version,
            pool: row.pool_id.into(),
            code: row.code.clone(),
            name_ja: row.name_ja.clone(),
            name_en: row.name_en.clone(),
            refers: row.refers,
            reads: row.reads,
            insured: row.insured,
            institution_code: row.institution_code.clone().unwrap_or_default(),
            phone: row.phone.clone(),
            email: row.email.clone(),
            patient_id_rule: width.map_or_else(|| row.patient_id_rule.clone(), |_| "pad".to_owned()),
            pad_width: width.map_or(Typed::Empty, Typed::read),
            orphan_rule: row.orphan_rule.into(),
            orphan_wait_minutes: row.orphan_wait_minutes.into(),
            comparison_after_days: row.comparison_after_days.into(),
            quiet_seconds: row.quiet_seconds.into(),
            unknown_classes: row.unknown_classes,
            standing_notes: row.standing_notes.clone(),
            research: row.research,
            active: row.active,
        }
    }

    /// The row of it; the pool is 0 where none was named.
    fn check(&self, id: SiteId, demo: bool) -> Result<SiteRow> {
        let mut faults = Faults::default();
        let code = self.code.trim().to_owned();
        let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        if !(2..=30).contains(&code.len()) || !code.chars().all(legal) {
            faults.add("code", &codes::CODE_LETTERS);
        }
        if !self.refers && !self.reads {
            faults.add("refers", &codes::SITE_DOES_NOTHING);
        }
        let row = SiteRow {
            id,
            pool_id: faults.optional("pool", &self.pool).unwrap_or(PoolId(0)),
            name_ja: faults.text("name_ja", &self.name_ja, 120),
            name_en: faults.may_text("name_en", &self.name_en, 120),
            refers: self.refers,
            reads: self.reads,
            insured: self.insured,
            institution_code: institution_code(&mut faults, &self.institution_code),
            phone: faults.may_text("phone", &self.phone, 40),
            email: email(&mut faults, &self.email),
            patient_id_rule: self.rule(&mut faults),
            orphan_rule: faults.required("orphan_rule", &self.orphan_rule).unwrap_or(OrphanRule::Wait),
            orphan_wait_minutes: faults.number("orphan_wait_minutes", &self.orphan_wait_minutes, 1..=10_080),
            comparison_after_days: faults.number("comparison_after_days", &self.comparison_after_days, 1..=36_500),
            quiet_seconds: faults.number("quiet_seconds", &self.quiet_seconds, 1..=86_400),
            unknown_classes: self.unknown_classes,
            standing_notes: faults.may_text("standing_notes", &self.standing_notes, 2000),
            demo,
            research: self.research,
            active: self.active,
            version: self.version,
            code,
        };
        faults.done()?;
        Ok(row)
    }

    fn rule(&self, faults: &mut Faults) -> String {
        let text = match (self.patient_id_rule.as_str(), &self.pad_width) {
            ("pad", Typed::Is(width)) => format!("pad:{width}"),
            ("pad", _) => {
                faults.add("pad_width", &codes::PAD_WIDTH);
                return String::new();
            }
            (rule, _) => rule.to_owned(),
        };
        if text.parse::<PatientIdRule>().is_err() {
            let field = if self.patient_id_rule == "pad" { "pad_width" } else { "patient_id_rule" };
            faults.add(field, if field == "pad_width" { &codes::PAD_WIDTH } else { &common::FIELD_INVALID });
        }
        text
    }
}

fn institution_code(faults: &mut Faults, text: &str) -> Option<String> {
    let text = text.trim();
    if text.is_empty() {
        return None;
    }
    if text.len() != 10 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        faults.add("institution_code", &codes::INSTITUTION_CODE);
    }
    Some(text.to_owned())
}

/// A mail address, or nothing.
pub(super) fn email(faults: &mut Faults, text: &str) -> String {
    let text = text.trim();
    if !text.is_empty() && text.parse::<lettre::Address>().is_err() {
        faults.add("email", &codes::MAIL_ADDRESS);
    }
    text.to_owned()
}

/// Makes a site. The first one makes its pool and takes in the country's closed days.
///
/// # Errors
/// `form_invalid`.
pub async fn create(state: &State, actor: Actor, form: &SiteForm) -> Result<SiteId> {
    let row = form.check(SiteId(0), false)?;
    let detail = changes::between(&SiteForm::default(), form);
    let made = state
        .db
        .tx(move |conn| {
            if sites::site_by_code(conn, &row.code)?.is_some() {
                return Ok(Err(("code", &codes::CODE_TAKEN)));
            }
            let Some(pool_id) = pool_of(conn, &actor, row.pool_id)? else {
                return Ok(Err(("pool", &common::FIELD_REQUIRED)));
            };
            closed_days::national_in_tx(conn, &actor)?;
            let site = sites::site_insert_in_tx(conn, &SiteRow { pool_id, ..row.clone() })?;
            append_in_tx(conn, &actor, "site.create", Subject::row("site", site.0, Some(site)), "done", &detail)?;
            Ok(Ok(site))
        })
        .await?;
    made.map_err(|(field, code)| Error::new(&common::FORM_INVALID).field(field, code))
}

/// The pool that was named; the first one is made where there is none yet.
fn pool_of(conn: &mut Connection, actor: &Actor, named: PoolId) -> Result<Option<PoolId>, StoreError> {
    let known = pools::pool_list(conn)?;
    if !known.is_empty() {
        return Ok(known.iter().map(|(id, ..)| *id).find(|id| *id == named));
    }
    let pool = pools::pool_insert_in_tx(conn, "main", "読影グループ", "Reading group")?;
    append_in_tx(conn, actor, "pool.create", Subject::row("pool", pool.0, None), "done", "")?;
    Ok(Some(pool))
}

/// Changes a site. Its code stays.
///
/// # Errors
/// `not_found`, `form_invalid`, `conflict` when somebody was first.
pub async fn update(state: &State, actor: Actor, site: SiteId, form: &SiteForm) -> Result<()> {
    let known = state.db.read(move |conn| sites::site_get(conn, site)).await?;
    let form = SiteForm { code: known.code.clone(), ..form.clone() };
    let row = form.check(site, known.demo)?;
    let detail = changes::between(&SiteForm::of(&known), &form);
    let known_pool = known.pool_id;
    let changed = state
        .db
        .tx(move |conn| {
            if !pools::pool_list(conn)?.iter().any(|(id, ..)| *id == row.pool_id) {
                return Ok(Err(("pool", &common::FIELD_REQUIRED)));
            }
            // Its open cases are planned and seen in the pool they were opened in.
            if known_pool != row.pool_id && sites::site_has_open_cases(conn, site)? {
                return Ok(Err(("pool", &codes::POOL_BUSY)));
            }
            sites::site_update_in_tx(conn, &row)?;
            append_in_tx(conn, &actor, "site.change", Subject::row("site", site.0, Some(site)), "done", &detail)?;
            Ok(Ok(()))
        })
        .await?;
    changed.map_err(|(field, code)| Error::new(&common::FORM_INVALID).field(field, code))
}

/// One line of the list.
#[derive(Debug, Clone)]
pub struct SiteLine {
    /// The site.
    pub site: SiteRow,
    /// How many endpoints are in use.
    pub endpoints: usize,
    /// When one of them was last heard of (UTC).
    pub last_contact_at: Option<NaiveDateTime>,
    /// Whether a contract is in force today.
    pub contract: bool,
}

/// Every site whose code or name holds `wanted`, by code.
///
/// # Errors
/// What the database says.
pub async fn list(state: &State, wanted: &str) -> Result<Vec<SiteLine>> {
    let (wanted, today) = (wanted.trim().to_lowercase(), day_in_japan(state.now()));
    let load = move |conn: &mut Connection| {
        let peers = sites::endpoint_list(conn, None)?;
        let mut lines = Vec::new();
        for site in sites::site_list(conn)? {
            let names = [&site.code, &site.name_ja, &site.name_en];
            if !names.iter().any(|name| name.to_lowercase().contains(&wanted)) {
                continue;
            }
            let of_site: Vec<&EndpointRow> = peers.iter().filter(|peer| peer.site_id == site.id).collect();
            lines.push(SiteLine {
                endpoints: of_site.iter().filter(|peer| peer.active).count(),
                last_contact_at: of_site.iter().filter_map(|peer| peer.last_contact_at).max(),
                contract: sites::contract_on(conn, site.id, today)?.is_some(),
                site,
            });
        }
        Ok(lines)
    };
    Ok(state.db.read(load).await?)
}

/// A site with everything that belongs to it.
#[derive(Debug, Clone)]
pub struct SiteSheet {
    /// The site.
    pub site: SiteRow,
    /// Its pool's names in Japanese and English.
    pub pool: (String, String),
    /// Its endpoints.
    pub endpoints: Vec<EndpointRow>,
    /// Its contracts, the newest first, with whether a case names them.
    pub contracts: Vec<(ContractRow, bool)>,
    /// Its filings.
    pub filings: Vec<FilingRow>,
    /// Its own closed days from today on.
    pub days: Vec<ClosedDayRow>,
    /// The country's closed days from today on.
    pub national_days: Vec<ClosedDayRow>,
    /// The names that tariffs have.
    pub tariffs: Vec<String>,
}

/// Loads a site's sheet.
///
/// # Errors
/// `not_found`.
pub async fn sheet(state: &State, site: SiteId) -> Result<SiteSheet> {
    let today = day_in_japan(state.now());
    let load = move |conn: &mut Connection| {
        let site = sites::site_get(conn, site)?;
        let pool = pools::pool_list(conn)?.into_iter().find(|(id, ..)| *id == site.pool_id);
        let mut names: Vec<String> = tariffs::tariff_list(conn)?.into_iter().map(|tariff| tariff.name).collect();
        names.dedup();
        Ok(SiteSheet {
            pool: pool.map(|(_, _, ja, en)| (ja, en)).unwrap_or_default(),
            endpoints: sites::endpoint_list(conn, Some(site.id))?,
            contracts: contracts::contract_list(conn, site.id)?,
            filings: filings::filing_list(conn, site.id)?,
            days: days::closed_day_list(conn, site.id, today)?,
            national_days: days::national_day_list(conn, today)?,
            tariffs: names,
            site,
        })
    };
    Ok(state.db.read(load).await?)
}
