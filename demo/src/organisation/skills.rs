//! Skill tables: figure 3's cells as printed, the rest from each reader's speciality.

use dokuei_terms::{Modality, Region};

use super::{Skill, figure3_csv};
use crate::phantom::noise::mix;

/// The declared cells of reader 1 to 8: every top region with every modality, the leaves of the speciality, and for readers 1 to 5 the cells of figure 3.
pub(super) fn declared(reader: usize, seed: u64) -> Vec<Skill> {
    let mut cells: Vec<Skill> = Vec::new();
    for region in Region::all().filter(|region| region.parent().is_none()) {
        for &modality in Modality::ALL {
            cells.push(Skill { region, modality, declared: general(reader, region, modality, seed) });
        }
    }
    for (code, modality, value) in special(reader) {
        if let Ok(region) = code.parse() {
            put(&mut cells, Skill { region, modality: *modality, declared: *value });
        }
    }
    for skill in figure3(reader) {
        put(&mut cells, skill);
    }
    cells
}

fn put(cells: &mut Vec<Skill>, skill: Skill) {
    cells.retain(|cell| (cell.region, cell.modality) != (skill.region, skill.modality));
    cells.push(skill);
}

/// A generalist's value, 40 to 80 in steps of 10, as people declare it.
fn general(reader: usize, region: Region, modality: Modality, seed: u64) -> u8 {
    let place = Region::all().position(|at| at == region).unwrap_or_default() as u64;
    let chance = mix(seed ^ mix(reader as u64 * 1000 + place * 10 + modality as u64)) % 4;
    let base = match modality {
        Modality::Radiograph => 60,
        Modality::Ct | Modality::Fluoroscopy => 50,
        _ => 40,
    };
    base + 10 * chance as u8 / if modality == Modality::Radiograph { 2 } else { 1 }
}

/// (region, modality, value) where a reader is better, or does not read.
fn special(reader: usize) -> &'static [(&'static str, Modality, u8)] {
    use Modality::{Ct, Fluoroscopy, Mammography, Mr, Nuclear, Radiograph};
    match reader {
        1 => &[
            ("chest", Ct, 100),
            ("chest", Radiograph, 100),
            ("chest.heart", Ct, 80),
            ("chest.breast", Mammography, 0),
            ("head", Ct, 40),
            ("head", Mr, 20),
        ],
        2 => &[
            ("abdomen", Ct, 80),
            ("pelvis.female", Mr, 80),
            ("chest.breast", Mammography, 90),
            ("abdomen", Fluoroscopy, 70),
        ],
        3 => &[
            ("abdomen", Ct, 100),
            ("abdomen.hepatobiliary", Ct, 100),
            ("abdomen", Fluoroscopy, 90),
            ("head", Ct, 20),
            ("head", Mr, 20),
            ("pelvis.male", Mr, 80),
        ],
        4 => &[
            ("head", Ct, 100),
            ("head", Mr, 100),
            ("head.vessel", Mr, 100),
            ("neck", Mr, 80),
            ("spine", Mr, 80),
            ("chest.breast", Mammography, 0),
        ],
        5 => &[("head", Mr, 80), ("neck", Ct, 90), ("neck.thyroid", Ct, 90), ("chest", Ct, 60), ("body", Nuclear, 60)],
        6 => &[
            ("lower", Mr, 100),
            ("upper", Mr, 100),
            ("lower", Radiograph, 100),
            ("spine", Mr, 100),
            ("spine", Radiograph, 90),
            ("head.temporal", Ct, 0),
            ("chest.breast", Mammography, 0),
        ],
        7 => &[
            ("chest.breast", Mammography, 100),
            ("chest.breast", Mr, 100),
            ("chest", Radiograph, 90),
            ("chest", Ct, 80),
            ("pelvis.female", Mr, 100),
            ("pelvis.male", Mr, 60),
        ],
        8 => &[
            ("abdomen", Ct, 100),
            ("abdomen", Fluoroscopy, 100),
            ("abdomen.gi", Fluoroscopy, 100),
            ("body", Nuclear, 100),
            ("chest.breast", Mammography, 50),
            ("pelvis", Ct, 90),
        ],
        _ => &[],
    }
}

/// The row of figure 3 for readers 1 to 5; nothing for the others.
fn figure3(reader: usize) -> Vec<Skill> {
    let text = str::from_utf8(figure3_csv()).unwrap_or_default();
    let mut lines = text.lines();
    let heads: Vec<&str> = lines.next().unwrap_or_default().split(',').collect();
    let wanted = format!("読影医{reader}");
    let Some(row) = lines.map(|line| line.split(',').collect::<Vec<_>>()).find(|row| row[0] == wanted) else {
        return Vec::new();
    };
    heads
        .iter()
        .zip(row)
        .skip(1)
        .filter_map(|(head, value)| {
            let modality = if head.ends_with("CT") { Modality::Ct } else { Modality::Mr };
            let region = Region::from_japanese(head.trim_end_matches(['C', 'T', 'M', 'R']))?;
            Some(Skill { region, modality, declared: value.parse().ok()? })
        })
        .collect()
}
