//! The letters at a picture's four edges.

use dicom_core::Tag;
use dicom_dictionary_std::tags;
use serde::Serialize;

use super::attributes::File;
use crate::header::value;

/// A direction joins the letters if it makes more than about 15 degrees.
const OBLIQUE: f64 = 0.26;

/// Which side of the patient lies towards each edge: R, L, A, P, H (head), F
/// (feet), the strongest first in an oblique plane ("LA").
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Edges {
    /// At the left edge of the picture.
    pub left: String,
    /// At the right edge.
    pub right: String,
    /// At the top edge.
    pub top: String,
    /// At the bottom edge.
    pub bottom: String,
}

/// From Image Orientation (Patient) (PS3.3 C.7.6.2.1.1), else from Patient
/// Orientation (C.7.6.1.1.1). `None` if the object says neither: then nothing
/// is guessed.
pub(super) fn edges(file: &File<'_>, frame: u32) -> Option<Edges> {
    const ORIENTATION: Tag = tags::IMAGE_ORIENTATION_PATIENT;
    let cosines = file
        .of_frame(frame, tags::PLANE_ORIENTATION_SEQUENCE, ORIENTATION)
        .or_else(|| file.inside(tags::DETECTOR_INFORMATION_SEQUENCE, 0, ORIENTATION))
        .and_then(|element| value::exactly::<6>(&element));
    let (right, bottom) = match cosines {
        Some([a, b, c, d, e, f]) => (letters([a, b, c])?, letters([d, e, f])?),
        None => stated(&value::codes(&file.top(tags::PATIENT_ORIENTATION)?))?,
    };
    Some(Edges { left: opposite(&right), top: opposite(&bottom), right, bottom })
}

/// The letters that a direction in the patient's coordinates points to.
fn letters(direction: [f64; 3]) -> Option<String> {
    let length = direction.iter().map(|part| part * part).sum::<f64>().sqrt();
    if !(0.5..2.0).contains(&length) {
        return None;
    }
    let named = [('L', 'R'), ('P', 'A'), ('H', 'F')];
    let mut parts: Vec<(f64, char)> = direction
        .iter()
        .zip(named)
        .map(|(part, (plus, minus))| (part.abs() / length, if *part > 0.0 { plus } else { minus }))
        .filter(|(size, _)| *size > OBLIQUE)
        .collect();
    parts.sort_by(|a, b| b.0.total_cmp(&a.0));
    Some(parts.into_iter().map(|(_, letter)| letter).collect())
}

fn stated(values: &[String]) -> Option<(String, String)> {
    let [row, column, ..] = values else { return None };
    let sound = |text: &String| !text.is_empty() && text.chars().all(|letter| "RLAPHF".contains(letter));
    (sound(row) && sound(column)).then(|| (row.clone(), column.clone()))
}

fn opposite(letters: &str) -> String {
    let turn = |letter| match letter {
        'R' => 'L',
        'L' => 'R',
        'A' => 'P',
        'P' => 'A',
        'H' => 'F',
        'F' => 'H',
        other => other,
    };
    letters.chars().map(turn).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axial_slice_has_the_patients_left_at_the_right_edge() {
        assert_eq!(letters([1.0, 0.0, 0.0]).as_deref(), Some("L"));
        assert_eq!(letters([0.0, 1.0, 0.0]).as_deref(), Some("P"));
    }

    #[test]
    fn an_oblique_plane_names_the_stronger_direction_first_and_small_tilts_not() {
        assert_eq!(letters([0.8, -0.6, 0.0]).as_deref(), Some("LA"));
        assert_eq!(letters([0.0, 0.1, -0.995]).as_deref(), Some("F"));
        assert_eq!(opposite("LA"), "RP");
    }

    #[test]
    fn orientation_that_is_no_direction_is_not_guessed() {
        assert_eq!(letters([0.0, 0.0, 0.0]), None);
        assert_eq!(letters([f64::NAN, 0.0, 0.0]), None);
        assert_eq!(stated(&["LE".into(), "D".into()]), None);
        assert_eq!(stated(&["L".into(), String::new()]), None);
    }
}
