//! Invented prices, of the order that providers publish (2,500 yen a read in Hirasawa 2022).

use dokuei_terms::{Modality, Priority};

use super::{Surcharge, Tariff, day};

pub(super) fn tariffs() -> Vec<Tariff> {
    use Modality::*;
    let prices: [(Modality, Option<&str>, [u32; 3]); 12] = [
        (Ct, None, [2500, 1000, 1300]),
        (Mr, None, [2800, 1200, 1500]),
        (Ct, Some("chest.heart"), [4500, 1500, 2500]),
        (Radiograph, None, [500, 300, 220]),
        (Radiograph, Some("chest"), [350, 200, 150]),
        (Mammography, None, [800, 400, 400]),
        (Fluoroscopy, None, [900, 500, 420]),
        (Nuclear, None, [4500, 2000, 2400]),
        (Ultrasound, None, [1000, 500, 500]),
        (Angiography, None, [4000, 1500, 2200]),
        (Other, None, [1000, 500, 500]),
        (Mr, Some("head"), [2700, 1100, 1450]),
    ];
    let mut tariffs = Vec::new();
    for (modality, region, [first, further, reader]) in prices {
        let region = region.and_then(|code| code.parse().ok());
        let line = |add: u32, from, to| Tariff {
            site: None,
            modality,
            region,
            first_part_yen: first + add,
            further_part_yen: further + add / 2,
            reader_yen: reader,
            from,
            to,
        };
        tariffs.push(line(0, day(2024, 4, 1), Some(day(2026, 5, 31))));
        tariffs.push(line(first / 20 / 10 * 10, day(2026, 6, 1), None));
    }
    // The clinic sends check-ups in number and pays less for them.
    for (modality, region, first) in [(Radiograph, "chest", 280), (Fluoroscopy, "abdomen.gi", 750)] {
        tariffs.push(Tariff {
            site: Some("clinic_c".to_owned()),
            modality,
            region: region.parse().ok(),
            first_part_yen: first,
            further_part_yen: first / 2,
            reader_yen: first / 2,
            from: day(2024, 4, 1),
            to: None,
        });
    }
    tariffs
}

pub(super) fn surcharges() -> Vec<Surcharge> {
    [(Priority::Stat, 3000), (Priority::Urgent, 1500), (Priority::Priority, 500), (Priority::Routine, 0)]
        .map(|(priority, yen)| Surcharge { priority, yen, from: day(2024, 4, 1), to: None })
        .to_vec()
}
