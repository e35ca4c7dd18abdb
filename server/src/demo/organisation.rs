//! Turns the invented organisation into rows.

use std::collections::HashMap;

use chrono::NaiveDate;
use dokuei_demo::organisation::{
    BillingDay, Contract, FilingKind, LeadingZeros, Organisation, Place, Reader, Site, SiteKind, StaffRole,
    WithoutRequest,
};
use dokuei_models::state::{OrphanRule, Place as ShiftPlace};
use dokuei_models::store::readers::{self, AffiliationRow, ReaderRow, SkillCell};
use dokuei_models::store::shifts;
use dokuei_models::store::sites::{self, ContractRow, EndpointRow, FilingRow, SiteRow};
use dokuei_models::store::tariffs::{self, TariffLineRow};
use dokuei_models::{
    Actor, Connection, ContractId, PoolId, ReaderId, SiteId, StoreError, TariffId, TariffLineId, UserId,
};
use dokuei_terms::Priority;

use super::logins::Login;
use crate::app::accounts::{self, NewAccount};
use crate::app::closed_days;
use crate::authority::{Role, Scope};
use crate::state::State;

type Sites = HashMap<String, SiteId>;

/// Makes every row. Accounts are made last, so that a start that was cut short is begun anew.
pub(super) async fn make(state: &State, invented: &Organisation) -> anyhow::Result<Vec<Login>> {
    let actor = Actor::system("demo", state.now());
    let organisation = invented.clone();
    let by = actor.clone();
    let (pool, sites) = state.db.tx(move |conn| make_sites(conn, &organisation, &by)).await?;
    let mut logins = Vec::new();
    let mut reader_users = Vec::new();
    for reader in &invented.readers {
        let site = reader.affiliation.clone();
        let account = account(&reader.login, &reader.name, &reader.email, vec![(Role::Reader, Scope::Pool(pool))]);
        let user = open(state, &actor, account, "reader", &site, &mut logins).await?;
        if let Some(login) = logins.last_mut() {
            login.shift = monday(&reader.shifts);
        }
        reader_users.push((user, reader.clone()));
    }
    let (organisation, known) = (invented.clone(), sites.clone());
    state
        .db
        .tx(move |conn| {
            for (user, reader) in &reader_users {
                make_reader(conn, &organisation, pool, &known, *user, reader, &actor)?;
            }
            shifts::shift_extend_in_tx(conn, actor.at)?;
            Ok(())
        })
        .await?;
    let actor = Actor::system("demo", state.now());
    for staff in &invented.staff {
        let site = staff.site.clone().unwrap_or_default();
        let scope = sites.get(&site).map_or(Scope::All, |id| Scope::Site(*id));
        let role = match staff.role {
            StaffRole::Technologist => Role::SiteTechnologist,
            StaffRole::OrderingDoctor => Role::SiteDoctor,
            StaffRole::Dispatcher => Role::Dispatcher,
            StaffRole::ReadingDirector => Role::ReadingDirector,
            StaffRole::BillingClerk => Role::Billing,
            StaffRole::Administrator => Role::Administrator,
            StaffRole::SecurityOfficer => Role::SecurityOfficer,
        };
        let scope = if role.is_of_a_site() { scope } else { Scope::All };
        let account = account(&staff.login, &staff.name, &staff.email, vec![(role, scope)]);
        open(state, &actor, account, role.code(), &site, &mut logins).await?;
    }
    Ok(logins)
}

fn account(login: &str, name: &dokuei_demo::names::Name, email: &str, grants: Vec<(Role, Scope)>) -> NewAccount {
    NewAccount {
        login: login.to_owned(),
        name_ja: name.display(),
        name_kana: name.kana.join(" "),
        name_en: format!("{} {}", name.romaji[1], name.romaji[0]),
        email: email.to_owned(),
        language: "ja".to_owned(),
        grants,
    }
}

/// From the first to the last minute of a reader's Monday, which in the demo is every day: `08:00-20:00`.
fn monday(shifts: &[dokuei_demo::organisation::Shift]) -> String {
    let of_day = || shifts.iter().filter(|shift| shift.weekday == 0);
    let (Some(from), Some(to)) =
        (of_day().map(|shift| shift.from_minute).min(), of_day().map(|shift| shift.from_minute + shift.minutes).max())
    else {
        return String::new();
    };
    let clock = |minute: u16| format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
    format!("{}-{}", clock(from), clock(to))
}

async fn open(
    state: &State,
    actor: &Actor,
    account: NewAccount,
    role: &'static str,
    site: &str,
    logins: &mut Vec<Login>,
) -> anyhow::Result<UserId> {
    let password = state.chance.token()[..16].to_owned();
    logins.push(Login {
        login: account.login.clone(),
        password: password.clone(),
        role,
        name: account.name_ja.clone(),
        site: site.to_owned(),
        shift: String::new(),
    });
    let made = accounts::create(state, account, password, actor.clone()).await;
    made.map_err(|error| anyhow::anyhow!("a demo account could not be made: {error}"))
}

fn make_sites(
    conn: &mut Connection,
    organisation: &Organisation,
    actor: &Actor,
) -> Result<(PoolId, Sites), StoreError> {
    // A start that was cut short has left its sites: they are taken as they are.
    if let Some((pool, ..)) = sites::pool_list(conn)?.first() {
        let known = sites::site_list(conn)?.into_iter().map(|site| (site.code, site.id)).collect();
        return Ok((*pool, known));
    }
    let pool = sites::pool_insert_in_tx(conn, "demo", &organisation.pool_name, "Demo reading group")?;
    let mut known = Sites::new();
    for site in &organisation.sites {
        let contract = organisation.contracts.iter().find(|contract| contract.site == site.key);
        let id = sites::site_insert_in_tx(conn, &site_row(pool, site, contract))?;
        known.insert(site.key.clone(), id);
        for filing in &site.filings {
            sites::filing_insert_in_tx(
                conn,
                &FilingRow {
                    id: 0,
                    site_id: id,
                    kind: filing_kind(filing.kind, site.kind).to_owned(),
                    from_day: filing.from,
                    to_day: filing.to,
                    note: String::new(),
                },
            )?;
        }
        if let Some(ae_title) = &site.ae_title {
            let back = contract.and_then(|contract| contract.return_to.as_ref());
            sites::endpoint_insert_in_tx(
                conn,
                &EndpointRow {
                    site_id: id,
                    name: "PACS".to_owned(),
                    sends: true,
                    receives: back.is_some(),
                    ae_title: ae_title.clone(),
                    host: back.map(|back| back.host.clone()).unwrap_or_default(),
                    port: back.map_or(0, |back| i32::from(back.port)),
                    addresses: "127.0.0.1,::1".to_owned(),
                    ..EndpointRow::default()
                },
            )?;
        }
    }
    for contract in &organisation.contracts {
        if let Some(site) = known.get(&contract.site) {
            sites::contract_insert_in_tx(conn, &contract_row(*site, contract))?;
            make_tariff(conn, organisation, &contract.site)?;
        }
    }
    closed_days::national_in_tx(conn, actor)?;
    Ok((pool, known))
}

fn site_row(pool: PoolId, site: &Site, contract: Option<&Contract>) -> SiteRow {
    SiteRow {
        id: SiteId(0),
        pool_id: pool,
        code: site.key.clone(),
        name_ja: site.name_ja.clone(),
        name_en: site.name_en.clone(),
        refers: site.kind == SiteKind::Referring,
        reads: site.kind != SiteKind::Referring,
        insured: site.kind != SiteKind::ReadingCompany,
        institution_code: site.institution_code.clone(),
        phone: site.phone.clone(),
        email: format!("{}@example.jp", site.key.replace('_', "-")),
        patient_id_rule: match site.leading_zeros {
            LeadingZeros::Significant => "exact",
            LeadingZeros::Ignored => "ignore_zeros",
        }
        .to_owned(),
        orphan_rule: match contract.map(|contract| contract.without_request) {
            Some(WithoutRequest::OpenWithDefault) => OrphanRule::DefaultRequest,
            Some(WithoutRequest::ComparisonOnly) => OrphanRule::Comparison,
            Some(WithoutRequest::Wait) | None => OrphanRule::Wait,
        },
        orphan_wait_minutes: 30,
        comparison_after_days: contract
            .map_or(3650, |contract| i32::try_from(contract.comparison_only_after_years * 365).unwrap_or(3650)),
        quiet_seconds: contract.map_or(60, |contract| i32::try_from(contract.quiet_seconds).unwrap_or(60)),
        unknown_classes: false,
        standing_notes: site.standing_notes.clone(),
        demo: true,
        research: false,
        active: true,
        version: 1,
    }
}

const fn filing_kind(kind: FilingKind, of: SiteKind) -> &'static str {
    match (kind, of) {
        (FilingKind::AddOn1, _) => "addon1",
        (FilingKind::AddOn2, _) => "addon2",
        (FilingKind::AddOn3, _) => "addon3",
        (FilingKind::AddOn4, _) => "addon4",
        (FilingKind::Remote, SiteKind::Referring) => "remote_send",
        (FilingKind::Remote, _) => "remote_receive",
    }
}

fn contract_row(site: SiteId, contract: &Contract) -> ContractRow {
    let due = |priority: Priority, otherwise: i32| {
        let found = contract.due_minutes.iter().find(|(one, _)| *one == priority);
        found.and_then(|(_, minutes)| i32::try_from(*minutes).ok()).unwrap_or(otherwise)
    };
    ContractRow {
        id: ContractId(0),
        site_id: site,
        tariff_name: contract.site.clone(),
        from_day: contract.from,
        to_day: None,
        due_stat_minutes: due(Priority::Stat, 60),
        due_urgent_minutes: due(Priority::Urgent, 120),
        due_priority_minutes: due(Priority::Priority, 480),
        due_routine_minutes: due(Priority::Routine, 1440),
        price_day: match contract.billing_day {
            BillingDay::Receipt => "receipt",
            BillingDay::Signing => "signing",
        }
        .to_owned(),
        hold_stops_clock: false,
        password_each_signature: false,
    }
}

/// One tariff per site and span of days: the general lines with the site's own.
fn make_tariff(conn: &mut Connection, organisation: &Organisation, site: &str) -> Result<(), StoreError> {
    let mut spans: Vec<(NaiveDate, Option<NaiveDate>)> =
        organisation.tariffs.iter().filter(|line| line.site.is_none()).map(|line| (line.from, line.to)).collect();
    spans.sort_unstable();
    spans.dedup();
    for (from, to) in spans {
        let tariff = tariffs::tariff_insert_in_tx(conn, site, from, to)?;
        let in_force = |start: NaiveDate, end: Option<NaiveDate>| start <= from && end.is_none_or(|end| end >= from);
        for line in organisation
            .tariffs
            .iter()
            .filter(|line| line.site.as_deref().is_none_or(|of| of == site) && in_force(line.from, line.to))
        {
            let amounts = [
                ("reading_first", line.first_part_yen),
                ("reading_further", line.further_part_yen),
                ("reader_fee", line.reader_yen),
            ];
            for (kind, yen) in amounts {
                let row = line_row(
                    tariff,
                    kind,
                    Some(line.modality.code()),
                    line.region.map(|region| region.code()),
                    None,
                    yen,
                );
                tariffs::tariff_line_insert_in_tx(conn, &row)?;
            }
        }
        for surcharge in organisation.surcharges.iter().filter(|line| in_force(line.from, line.to)) {
            let row = line_row(tariff, "urgency", None, None, Some(surcharge.priority.code()), surcharge.yen);
            tariffs::tariff_line_insert_in_tx(conn, &row)?;
        }
    }
    Ok(())
}

fn line_row(
    tariff: TariffId,
    kind: &str,
    modality: Option<&str>,
    region: Option<&str>,
    priority: Option<&str>,
    yen: u32,
) -> TariffLineRow {
    TariffLineRow {
        id: TariffLineId(0),
        tariff_id: tariff,
        kind: kind.to_owned(),
        modality: modality.map(str::to_owned),
        region: region.map(str::to_owned),
        priority: priority.map(str::to_owned),
        amount_yen: i64::from(yen),
    }
}

fn make_reader(
    conn: &mut Connection,
    organisation: &Organisation,
    pool: PoolId,
    sites: &Sites,
    user: UserId,
    reader: &Reader,
    actor: &Actor,
) -> Result<ReaderId, StoreError> {
    let shift_minutes = reader.shifts.iter().map(|shift| u32::from(shift.minutes)).max().unwrap_or(480);
    let capacity = shift_minutes * u32::from(reader.capacity_minutes_per_hour) / 60;
    let id = readers::reader_insert_in_tx(
        conn,
        &ReaderRow {
            id: ReaderId(0),
            user_id: user,
            pool_id: pool,
            qualification: format!("放射線診断専門医（デモ）・経験{}年", reader.years_of_practice),
            pace: 1.0,
            capacity_minutes: i32::try_from(capacity).unwrap_or(480),
            logged_in: false,
            paused: false,
            presence_at: None,
            active: true,
            version: 1,
        },
    )?;
    let since = reader.filed_full_time_since;
    if let Some(site) = sites.get(&reader.affiliation) {
        readers::affiliation_insert_in_tx(
            conn,
            &AffiliationRow {
                id: 0,
                reader_id: id,
                site_id: *site,
                full_time: since.is_some(),
                filed: since.is_some(),
                weekly_days: i32::from(reader.weekly_days),
                weekly_hours: i32::from(reader.weekly_hours),
                from_day: since.unwrap_or_default(),
                to_day: None,
            },
        )?;
    }
    for contract in organisation.contracts.iter().filter(|one| one.read_by.contains(&reader.affiliation)) {
        if let Some(site) = sites.get(&contract.site) {
            readers::privilege_insert_in_tx(conn, id, *site, contract.from)?;
        }
    }
    for shift in &reader.shifts {
        let place = match shift.place {
            Place::OnSite => ShiftPlace::OnSite,
            Place::Home => ShiftPlace::Home,
        };
        let start = i32::from(shift.from_minute);
        let span = start..start + i32::from(shift.minutes);
        shifts::shift_pattern_add_in_tx(conn, id, i32::from(shift.weekday), span, place)?;
    }
    for skill in &reader.skills {
        let cell = SkillCell {
            reader: id,
            region: skill.region,
            modality: skill.modality,
            declared: i32::from(skill.declared),
        };
        readers::skill_set_in_tx(conn, &cell, None, actor.at)?;
    }
    Ok(id)
}
