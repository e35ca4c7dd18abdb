//! Writes the ledger lines of a signed read, in the transaction that signs it.
//!
//! Per part one reading line by the contract's tariff on the day that counts
//! (receipt or signing, in Japan), one urgency line per case where the tariff
//! has one, what the reader is owed per part, and one add-on line per counting
//! group. A part without a matching tariff line is written with 0 yen and no
//! line, which the billing page shows as a check that blocks nothing yet.

use std::collections::BTreeSet;

use chrono::{NaiveDate, NaiveDateTime};
use dokuei_models::japan;
use dokuei_models::state::Place;
use dokuei_models::store::billable_events::{self as ledger, BillableEventRow};
use dokuei_models::store::cases::{self, CasePart, CaseRow};
use dokuei_models::store::readers::{self, AffiliationRow};
use dokuei_models::store::reads;
use dokuei_models::store::sites::{self, SiteRow};
use dokuei_models::store::tariffs::{self, TariffLineRow};
use dokuei_models::{
    Actor, BillableEventId, CaseId, Connection, ReadId, ReaderId, ReportVersionId, SiteId, StoreError,
};
use dokuei_terms::{Part, Priority};

use super::addon::{self, AddonFacts};
use super::due::day_in_japan;

/// The day whose tariff holds and the day that a line counts on, in Japan.
///
/// What is read anew after a withdrawal counts no earlier than the reversal of the first: that month may be billed.
fn days(
    price_day: Option<&str>,
    received: NaiveDate,
    signed: NaiveDate,
    withdrawn: Option<NaiveDate>,
) -> (NaiveDate, NaiveDate) {
    let priced = if price_day == Some("receipt") { received } else { signed };
    (priced, withdrawn.map_or(priced, |day| priced.max(day)))
}

/// Writes the lines of `read`, which `version` finished at `actor.at`.
///
/// # Errors
/// [`StoreError::NotFound`] when the read has no reader, or what the database says.
pub fn write_in_tx(
    conn: &mut Connection,
    actor: &Actor,
    read: ReadId,
    version: ReportVersionId,
) -> Result<(), StoreError> {
    let row = reads::read_get(conn, read)?;
    let reader = row.reader_id.ok_or(StoreError::NotFound("the read's reader"))?;
    let case = cases::case_get(conn, row.case_id)?;
    let parts = cases::case_part_list(conn, case.id)?;
    let contract = case.contract_id.map(|id| sites::contract_get(conn, id)).transpose()?;
    let signed_on = day_in_japan(actor.at);
    let price_day = contract.as_ref().map(|contract| contract.price_day.as_str());
    let (priced_on, counts_on) =
        days(price_day, day_in_japan(case.received_at), signed_on, case.withdrawn_at.map(day_in_japan));
    let lines = match &contract {
        Some(contract) => match tariffs::tariff_on(conn, &contract.tariff_name, priced_on)? {
            Some(tariff) => tariffs::tariff_line_list(conn, tariff.id)?,
            None => Vec::new(),
        },
        None => Vec::new(),
    };
    let facts = Facts::of(conn, &case, reader, actor.at, signed_on)?;
    let base = facts.line(&case, read, version, reader, counts_on, actor.at);
    // The first part is the dearest one, as sites and providers count.
    let mut ordered: Vec<&CasePart> = parts.iter().collect();
    ordered
        .sort_by_key(|part| std::cmp::Reverse(price(&lines, "reading_first", part.part).map(|line| line.amount_yen)));
    for (at, part) in ordered.iter().enumerate() {
        let kind = if at == 0 { "reading_first" } else { "reading_further" };
        append(conn, &base, "reading", part.part, price(&lines, kind, part.part))?;
        append(conn, &base, "reader_fee", part.part, price(&lines, "reader_fee", part.part))?;
    }
    if let (Some(first), Some(line)) = (ordered.first(), urgency_line(&lines, case.priority)) {
        append(conn, &base, "urgency", first.part, Some(line))?;
    }
    write_addons(conn, &facts, &case, &base, &ordered)
}

/// Takes back every line of a case that stands, because its reports were withdrawn: one new line for each, which names
/// it, counts on the day of the withdrawal and has its quantity, yen and points with the other sign.
///
/// # Errors
/// What the database says.
pub fn reverse_in_tx(conn: &mut Connection, actor: &Actor, case: CaseId) -> Result<(), StoreError> {
    let lines = ledger::billable_event_list_of_case(conn, case)?;
    let corrected: BTreeSet<BillableEventId> = lines.iter().filter_map(|line| line.corrects_id).collect();
    let day = day_in_japan(actor.at);
    for line in lines.iter().filter(|line| line.corrects_id.is_none() && !corrected.contains(&line.id)) {
        let reversed = BillableEventRow {
            quantity: -line.quantity,
            amount_yen: -line.amount_yen,
            addon_points: -line.addon_points,
            counts_on: day,
            month: day.format("%Y-%m").to_string(),
            corrects_id: Some(line.id),
            at: actor.at,
            ..line.clone()
        };
        ledger::billable_event_append_in_tx(conn, &reversed)?;
    }
    Ok(())
}

/// Who read where, under which filings.
struct Facts {
    referring: SiteRow,
    referring_filings: Vec<String>,
    reading: Option<SiteRow>,
    reading_filings: Vec<String>,
    affiliation: Option<AffiliationRow>,
    place: Place,
    signed_at_in_japan: NaiveDateTime,
    holiday: bool,
}

impl Facts {
    fn of(
        conn: &mut Connection,
        case: &CaseRow,
        reader: ReaderId,
        at: NaiveDateTime,
        day: NaiveDate,
    ) -> Result<Self, StoreError> {
        let referring = sites::site_get(conn, case.site_id)?;
        let referring_filings = filings(conn, referring.id, day)?;
        let mut affiliations = readers::affiliation_list(conn, reader, day)?;
        // Where he is filed comes before where he merely works.
        affiliations.sort_by_key(|one| (!one.filed, !one.full_time, one.id));
        let affiliation = affiliations.into_iter().next();
        let reading = affiliation.as_ref().map(|one| sites::site_get(conn, one.site_id)).transpose()?;
        let reading_filings = match &reading {
            Some(site) => filings(conn, site.id, day)?,
            None => Vec::new(),
        };
        // Outside every shift nobody vouches for the institution: he reads elsewhere.
        let place = readers::shift_now(conn, reader, at)?.map_or(Place::Home, |shift| shift.place);
        let holiday =
            sites::closed_days(conn, reading.as_ref().map_or(referring.id, |site| site.id), day)?.contains(&day);
        let signed_at_in_japan = japan::local(at);
        Ok(Self {
            referring,
            referring_filings,
            reading,
            reading_filings,
            affiliation,
            place,
            signed_at_in_japan,
            holiday,
        })
    }

    fn line(
        &self,
        case: &CaseRow,
        read: ReadId,
        version: ReportVersionId,
        reader: ReaderId,
        counts_on: NaiveDate,
        at: NaiveDateTime,
    ) -> BillableEventRow {
        BillableEventRow {
            id: BillableEventId(0),
            site_id: case.site_id,
            contract_id: case.contract_id,
            case_id: case.id,
            read_id: read,
            report_version_id: version,
            reader_id: reader,
            kind: String::new(),
            region: dokuei_terms::Region::WHOLE_BODY,
            modality: dokuei_terms::Modality::Other,
            laterality: dokuei_terms::Laterality::None,
            priority: case.priority,
            tariff_line_id: None,
            quantity: 1,
            amount_yen: 0,
            counts_on,
            month: counts_on.format("%Y-%m").to_string(),
            reading_site_id: self.reading.as_ref().map(|site| site.id),
            reading_site_filing: self.reading_filings.join("+"),
            reader_filed: self.affiliation.as_ref().is_some_and(|one| one.filed && one.full_time),
            place: self.place,
            addon: String::new(),
            addon_tier: String::new(),
            addon_group: String::new(),
            addon_points: 0,
            addon_sentence_ja: String::new(),
            addon_sentence_en: String::new(),
            corrects_id: None,
            at,
        }
    }
}

fn filings(conn: &mut Connection, site: SiteId, day: NaiveDate) -> Result<Vec<String>, StoreError> {
    Ok(sites::filing_list_on(conn, site, day)?.into_iter().map(|filing| filing.kind).collect())
}

fn append(
    conn: &mut Connection,
    base: &BillableEventRow,
    kind: &str,
    part: Part,
    line: Option<&TariffLineRow>,
) -> Result<(), StoreError> {
    let row = BillableEventRow {
        kind: kind.to_owned(),
        region: part.region,
        modality: part.modality,
        laterality: part.laterality,
        tariff_line_id: line.map(|line| line.id),
        amount_yen: line.map_or(0, |line| line.amount_yen),
        ..base.clone()
    };
    ledger::billable_event_append_in_tx(conn, &row).map(drop)
}

/// The most specific line of a kind: the nearest region up the tree, else the one without a region.
fn price<'a>(lines: &'a [TariffLineRow], kind: &str, part: Part) -> Option<&'a TariffLineRow> {
    let mut of_modality: Vec<&TariffLineRow> = lines
        .iter()
        .filter(|line| line.kind == kind && line.modality.as_deref().is_none_or(|code| code == part.modality.code()))
        .collect();
    // In one region a line of the modality goes before one of all modalities.
    of_modality.sort_by_key(|line| line.modality.is_some());
    let here = part
        .region
        .and_ancestors()
        // A later line of one place is the site's own.
        .find_map(|region| of_modality.iter().rev().find(|line| line.region.as_deref() == Some(region.code())));
    here.or_else(|| of_modality.iter().rev().find(|line| line.region.is_none())).copied()
}

fn urgency_line(lines: &[TariffLineRow], priority: Priority) -> Option<&TariffLineRow> {
    lines.iter().find(|line| {
        line.kind == "urgency" && line.priority.as_deref() == Some(priority.code()) && line.amount_yen != 0
    })
}

/// One add-on line per counting group of the case.
fn write_addons(
    conn: &mut Connection,
    facts: &Facts,
    case: &CaseRow,
    base: &BillableEventRow,
    parts: &[&CasePart],
) -> Result<(), StoreError> {
    let mut groups: Vec<&str> = Vec::new();
    // The add-on counts by the calendar month of the diagnosis, whatever day prices count on.
    let month = facts.signed_at_in_japan.format("%Y-%m").to_string();
    for part in parts {
        let group = addon::group(part.part.modality);
        if group.is_empty() || groups.contains(&group) {
            continue;
        }
        groups.push(group);
        let decided = addon::decide(&AddonFacts {
            modality: part.part.modality,
            referring_insured: facts.referring.insured,
            referring_filings: facts.referring_filings.clone(),
            reading_insured: facts.reading.as_ref().map(|site| site.insured),
            reading_filings: facts.reading_filings.clone(),
            reader_filed: base.reader_filed,
            weekly_days: facts.affiliation.as_ref().map_or(0, |one| one.weekly_days),
            weekly_hours: facts.affiliation.as_ref().map_or(0, |one| one.weekly_hours),
            place: facts.place,
            signed_at: facts.signed_at_in_japan,
            holiday: facts.holiday,
            counted_this_month: ledger::addon_counted(conn, case.site_id, case.patient_id, &month, group)?,
        });
        let row = BillableEventRow {
            kind: "addon".to_owned(),
            region: part.part.region,
            modality: part.part.modality,
            laterality: part.part.laterality,
            counts_on: facts.signed_at_in_japan.date(),
            month: month.clone(),
            addon: decided.answer.to_owned(),
            addon_tier: decided.tier.to_owned(),
            addon_group: decided.group.to_owned(),
            addon_points: decided.points,
            addon_sentence_ja: decided.ja,
            addon_sentence_en: decided.en,
            ..base.clone()
        };
        ledger::billable_event_append_in_tx(conn, &row)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_anew_counts_in_the_month_of_its_reversal_or_later() {
        let day = |month, day| NaiveDate::from_ymd_opt(2026, month, day).unwrap();
        let (received, signed) = (day(10, 30), day(11, 6));
        assert_eq!(days(Some("receipt"), received, signed, None), (received, received));
        assert_eq!(days(Some("receipt"), received, signed, Some(day(11, 5))), (received, day(11, 5)));
        assert_eq!(days(Some("signing"), received, signed, Some(day(11, 5))), (signed, signed));
        assert_eq!(days(None, received, signed, None), (signed, signed));
    }
    use dokuei_models::{TariffId, TariffLineId};
    use dokuei_terms::{Modality, Region};

    fn line(id: i64, modality: &str, region: Option<&str>, yen: i64) -> TariffLineRow {
        TariffLineRow {
            id: TariffLineId(id),
            tariff_id: TariffId(1),
            kind: "reading_first".into(),
            modality: Some(modality.into()),
            region: region.map(Into::into),
            priority: None,
            amount_yen: yen,
        }
    }

    #[test]
    fn the_nearest_region_gives_the_price() {
        let lines =
            [line(1, "CT", None, 2500), line(2, "CT", Some("chest.heart"), 4500), line(3, "MR", Some("head"), 2700)];
        let yen = |code: &str, modality| {
            let region: Region = code.parse().unwrap();
            price(&lines, "reading_first", Part::new(region, modality)).map(|line| line.amount_yen)
        };
        assert_eq!(yen("chest.heart", Modality::Ct), Some(4500));
        assert_eq!(yen("chest.lung", Modality::Ct), Some(2500));
        assert_eq!(yen("head.brain", Modality::Mr), Some(2700));
        assert_eq!(yen("lower.knee", Modality::Mr), None);
    }

    #[test]
    fn a_sites_own_line_goes_before_the_general_one() {
        let lines = [line(1, "CR", Some("chest"), 350), line(9, "CR", Some("chest"), 280)];
        let chest: Region = "chest".parse().unwrap();
        assert_eq!(
            price(&lines, "reading_first", Part::new(chest, Modality::Radiograph)).map(|line| line.id.0),
            Some(9)
        );
    }

    #[test]
    fn a_line_of_all_modalities_stands_behind_one_of_the_parts_own() {
        let all = TariffLineRow { modality: None, ..line(2, "CT", None, 1000) };
        let lines = [line(1, "CT", None, 2500), all];
        let chest: Region = "chest".parse().unwrap();
        let yen = |modality| price(&lines, "reading_first", Part::new(chest, modality)).map(|line| line.amount_yen);
        assert_eq!((yen(Modality::Ct), yen(Modality::Mr)), (Some(2500), Some(1000)));
    }
}
