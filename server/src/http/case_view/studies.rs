//! The studies of a case, and those that could be put into it.

use dokuei_models::identity::IdentityDoubt;
use dokuei_models::store::studies::StudyRow;

use crate::http::Page;
use crate::http::case_words::{doubt_words, study_title};

/// A study of the case, or one that could be.
pub struct StudyLine {
    /// The study.
    pub study: StudyRow,
    /// Modality and images.
    pub title: String,
    /// Description, day, when it came.
    pub about: String,
    /// Whether it is to be read.
    pub current: bool,
    /// What differs from the request, in words; empty where nothing does.
    pub differs: String,
    /// The same as codes.
    pub codes: String,
}

pub(super) fn line(page: &Page, study: &StudyRow, current: bool, doubts: &[IdentityDoubt]) -> StudyLine {
    let about = [
        study.description.clone(),
        study.study_date.map(|day| day.to_string()).unwrap_or_default(),
        study.accession_number.clone(),
        page.tv("dispatch-received-at", page.time(study.last_received_at)),
    ];
    StudyLine {
        title: study_title(page, study),
        about: about.into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" ・ "),
        current,
        differs: doubt_words(page, doubts),
        codes: doubts.iter().map(|doubt| doubt.code()).collect::<Vec<_>>().join("+"),
        study: study.clone(),
    }
}
