use super::*;

#[test]
fn at_least_four_readers_are_on_shift_at_each_minute_of_the_week() {
    let house = organisation(1);
    for minute in 0..10_080 {
        let on = house.readers.iter().filter(|reader| reader.shifts.iter().any(|shift| shift.covers(minute))).count();
        assert!(on >= 4, "{on} readers at minute {minute}");
    }
}

/// Work that nobody on shift may read would wait until the shift changes.
#[test]
fn at_each_hour_somebody_may_read_each_region_and_modality() {
    let house = organisation(3);
    for minute in (0..10_080).step_by(60) {
        for region in Region::all() {
            for &modality in Modality::ALL {
                let able = house.readers.iter().any(|reader| {
                    reader.declared(region, modality) > 0 && reader.shifts.iter().any(|shift| shift.covers(minute))
                });
                assert!(able, "nobody reads {region} {modality} at minute {minute}");
            }
        }
    }
}

#[test]
fn the_first_five_readers_carry_figure_3() {
    let house = organisation(9);
    let cell = |reader: usize, region: &str, modality| {
        house.readers[reader - 1].declared(region.parse().expect("a region"), modality)
    };
    assert_eq!((cell(1, "head.brain", Modality::Ct), cell(1, "head.brain", Modality::Mr)), (50, 20));
    assert_eq!((cell(2, "head.orbit", Modality::Ct), cell(2, "head.salivary", Modality::Mr)), (50, 20));
    assert_eq!((cell(4, "head.sinus", Modality::Mr), cell(4, "head.temporal", Modality::Ct)), (100, 0));
    assert_eq!((cell(5, "head.sinus", Modality::Ct), cell(5, "head.salivary", Modality::Mr)), (80, 50));
    for region in ["head.brain", "head.orbit", "head.sinus", "head.temporal", "head.salivary"] {
        assert_eq!(
            (cell(3, region, Modality::Ct), cell(3, region, Modality::Mr)),
            (0, 0),
            "reader 3 reads no {region}"
        );
    }
}

#[test]
fn only_the_receiving_hospital_s_readers_are_filed() {
    let house = organisation(1);
    for (reader, number) in house.readers.iter().zip(1..) {
        assert_eq!(reader.filed_full_time_since.is_some(), number <= 3);
        assert_eq!(reader.affiliation == "reading_hospital", number <= 3);
    }
    let company = house.sites.iter().find(|site| site.kind == SiteKind::ReadingCompany).expect("a company");
    assert!(company.filings.is_empty() && company.institution_code.is_none());
}

#[test]
fn sites_are_whole_and_their_keys_are_known() {
    let house = organisation(1);
    assert_eq!(
        house.sites.iter().filter_map(|site| site.ae_title.as_deref()).collect::<Vec<_>>(),
        ["HOSPITAL_A", "HOSPITAL_B", "CLINIC_C"]
    );
    for site in house.sites.iter().filter(|site| site.kind != SiteKind::ReadingCompany) {
        let code = site.institution_code.as_deref().unwrap_or_default();
        assert!(code.len() == 10 && code.starts_with("99") && code.chars().all(|c| c.is_ascii_digit()), "{code}");
    }
    let known = |key: &str| house.sites.iter().any(|site| site.key == key);
    assert!(
        house.contracts.iter().all(|contract| known(&contract.site) && contract.read_by.iter().all(|key| known(key)))
    );
    assert!(house.staff.iter().filter_map(|person| person.site.as_deref()).all(known));
    for site in house.sites.iter().filter(|site| site.kind == SiteKind::Referring) {
        for role in [StaffRole::Technologist, StaffRole::OrderingDoctor] {
            assert!(house.staff.iter().any(|person| person.role == role && person.site.as_ref() == Some(&site.key)));
        }
    }
}

#[test]
fn each_part_has_a_price_on_each_day_since_the_contracts_began() {
    let house = organisation(1);
    for date in [day(2024, 4, 1), day(2026, 5, 31), day(2026, 6, 1), day(2030, 1, 1)] {
        for &modality in Modality::ALL {
            let count = house
                .tariffs
                .iter()
                .filter(|t| t.modality == modality && t.region.is_none() && t.site.is_none())
                .filter(|t| t.from <= date && t.to.is_none_or(|to| date <= to))
                .count();
            assert_eq!(count, 1, "{modality} on {date}");
        }
    }
}

#[test]
fn equal_seeds_give_equal_organisations_and_survive_json() {
    let house = organisation(5);
    assert_eq!(house, organisation(5));
    assert_ne!(house, organisation(6));
    let text = serde_json::to_string(&house).expect("plain values");
    assert_eq!(house, serde_json::from_str(&text).expect("the same values"));
}
