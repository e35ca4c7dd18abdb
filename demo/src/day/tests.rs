use std::collections::{HashMap, HashSet};

use chrono::NaiveDate;
use dicom_dictionary_std::tags;
use dokuei_terms::Modality;

use super::*;
use crate::{
    dicom::Sex,
    names::{FAMILIES, MEN, WOMEN},
};

fn start() -> NaiveDateTime {
    NaiveDate::from_ymd_opt(2026, 11, 21).and_then(|date| date.and_hms_opt(8, 30, 0)).expect("a time")
}

fn exams(count: usize) -> Vec<Exam> {
    day(42, start(), Some(count)).collect()
}

#[test]
fn the_mix_is_that_of_the_survey() {
    let count = 20_000;
    let mut seen: HashMap<SurveyClass, usize> = HashMap::new();
    for exam in exams(count) {
        *seen.entry(exam.survey_class).or_default() += 1;
    }
    for (class, percent) in [
        (SurveyClass::CtMr, 45.6),
        (SurveyClass::Chest, 32.1),
        (SurveyClass::Gastrointestinal, 16.0),
        (SurveyClass::Mammography, 3.9),
        (SurveyClass::Nuclear, 0.4),
        (SurveyClass::Other, 2.2),
    ] {
        let share = 100.0 * seen.get(&class).copied().unwrap_or_default() as f64 / count as f64;
        // Four standard deviations of a binomial, plus the rounding to per mille.
        let slack = 400.0 * (percent / 100.0 * (1.0 - percent / 100.0) / count as f64).sqrt() + 0.2;
        assert!((share - percent).abs() < slack, "{class:?}: {share} instead of {percent}");
    }
}

#[test]
fn about_two_percent_are_stat_and_each_has_a_telephone() {
    let all = exams(20_000);
    let stat: Vec<_> = all.iter().filter_map(|e| e.request.as_ref()).filter(|r| r.priority == Priority::Stat).collect();
    let percent = 100.0 * stat.len() as f64 / all.len() as f64;
    assert!((1.6..2.4).contains(&percent), "{percent}");
    assert!(stat.iter().all(|request| !request.phone.is_empty() && request.source == RequestSource::Emergency));
}

#[test]
fn age_sex_part_question_and_priority_fit_one_another() {
    for exam in exams(5_000) {
        let Some(request) = &exam.request else { continue };
        let (sex, text) = (exam.patient.sex, request.question.as_str());
        for word in ["前立腺", "PSA"] {
            assert!(!text.contains(word) || sex == Sex::Male, "{text}");
        }
        for word in ["妊娠", "子宮", "卵巣", "付属器", "月経", "乳房", "乳がん", "乳癌"] {
            assert!(!text.contains(word) || sex == Sex::Female, "{text}");
        }
        for part in &request.parts {
            assert!(part.region.code() != "pelvis.male" || sex == Sex::Male);
            assert!(part.region.code() != "pelvis.female" || sex == Sex::Female);
            assert!(part.modality != Modality::Mammography || sex == Sex::Female);
            assert_eq!(part.laterality != Laterality::None, part.region.code() == "lower.knee");
        }
        assert!(!request.parts.is_empty() && !request.question.is_empty());
        let age = exam.patient.age_on(exam.study.started.date());
        assert!(!request.department.contains("小児") || age <= 15, "{age}");
        assert!(!text.contains("物忘れ") || age >= 60, "{age}");
        assert!(!text.contains("職場") || (18..=70).contains(&age), "{age}");
        assert!(request.source != RequestSource::CheckUp || request.priority == Priority::Routine);
        assert!(exam.site != "CLINIC_C" || request.priority == Priority::Routine, "{text}");
    }
}

#[test]
fn a_request_names_its_own_patient_and_study() {
    for exam in exams(2_000) {
        let Some(request) = &exam.request else {
            assert_eq!(exam.twist, Twist::NoRequest);
            continue;
        };
        assert_eq!(request.study_uid, exam.study.uid);
        assert_eq!(request.accession, exam.study.accession);
        assert!(request.accession.len() <= 16);
        if exam.site == "HOSPITAL_B" {
            assert_eq!(request.patient_id.trim_start_matches('0'), exam.patient.id.trim_start_matches('0'));
        } else {
            assert_eq!(request.patient_id, exam.patient.id);
        }
    }
}

#[test]
fn every_twist_occurs_and_is_what_it_says() {
    let all = exams(3_000);
    for exam in &all {
        assert_eq!(exam.late.is_some(), exam.twist == Twist::LateImages);
        assert_eq!(exam.earlier.is_some(), exam.twist == Twist::EarlierStudy);
        assert_eq!(exam.request.is_none(), exam.twist == Twist::NoRequest);
        let together = exam.instances().count() + exam.late_instances().count();
        assert_eq!(together, exam.study.series.iter().map(|series| series.pictures.len()).sum::<usize>());
        assert!(exam.instances().next().is_some());
        if let Some(earlier) = &exam.earlier {
            assert!(earlier.started < exam.study.started && earlier.uid != exam.study.uid);
            assert_eq!(earlier.patient, exam.study.patient);
        }
        if exam.twist == Twist::WrongLabel {
            let right = &all.iter().find(|other| other.twist == Twist::None && same_procedure(other, exam));
            let label = |e: &Exam| (e.study.series[0].body_part.clone(), e.study.series[0].laterality);
            if let Some(right) = right {
                assert_ne!(label(exam), label(right));
            }
        }
    }
    for twist in [Twist::None, Twist::EarlierStudy, Twist::LateImages, Twist::WrongLabel, Twist::NoRequest] {
        assert!(all.iter().any(|exam| exam.twist == twist), "{twist:?}");
    }
}

fn same_procedure(a: &Exam, b: &Exam) -> bool {
    a.study.description == b.study.description
}

#[test]
fn uids_patients_and_accession_numbers_do_not_collide() {
    let (mut uids, mut accessions) = (HashSet::new(), HashSet::new());
    let mut people: HashMap<(&str, String), Patient> = HashMap::new();
    let days = [day(1, start(), Some(400)), day(2, start(), Some(400)), day(1, start() + Duration::days(1), Some(400))];
    for exam in days.into_iter().flatten() {
        for study in [Some(&exam.study), exam.earlier.as_ref()].into_iter().flatten() {
            assert!(uids.insert(study.uid.clone()));
            for series in &study.series {
                assert!(uids.insert(series.uid.clone()));
            }
        }
        for instance in exam.instances().chain(exam.late_instances()).chain(exam.earlier_instances()) {
            let uid = instance.sop_instance_uid();
            assert!(uid.starts_with("2.25.") && uid.len() <= 64 && uids.insert(uid));
        }
        if let Some(request) = &exam.request {
            assert!(accessions.insert((exam.site, request.accession.clone())));
        }
        let key = (exam.site, exam.patient.id.clone());
        if let Some(known) = people.insert(key, exam.patient.clone()) {
            assert_eq!(known, exam.patient, "one ID, one person");
        }
    }
}

#[test]
fn names_are_invented() {
    let given: HashSet<&str> = MEN.iter().chain(WOMEN).map(|name| name.0).collect();
    for exam in exams(500) {
        let [family, first] = &exam.patient.name.kanji;
        assert!(FAMILIES.iter().any(|known| known.0 == family) && given.contains(first.as_str()), "{family} {first}");
    }
}

#[test]
fn equal_seeds_give_equal_days_and_the_first_exam_comes_at_once() {
    let line = |exam: &Exam| {
        (exam.offset_seconds, exam.study.uid.clone(), exam.patient.clone(), exam.request.clone(), exam.twist)
    };
    let first: Vec<_> = exams(50).iter().map(line).collect();
    assert_eq!(first, exams(50).iter().map(line).collect::<Vec<_>>());
    assert_ne!(first, day(43, start(), Some(50)).map(|exam| line(&exam)).collect::<Vec<_>>());
    assert_eq!(first[0].0, 1);
    assert!(first.windows(2).all(|pair| pair[0].0 <= pair[1].0));
}

/// What the receiver must make of the bytes: decoded here by hand with encoding_rs, not by the code that wrote them.
#[test]
fn names_and_descriptions_decode_back_in_each_site_s_character_set() {
    let mut seen = HashSet::new();
    for exam in day(5, start(), None).take(400) {
        if exam.site == "HOSPITAL_A" && !exam.patient.name.kanji[0].contains('本') || !seen.insert(exam.site) {
            continue;
        }
        let instance = exam.instances().next().expect("an image");
        let bytes = instance.part10().expect("a file");
        assert_eq!(&bytes[128..132], b"DICM");
        let charset = raw(&bytes, tags::SPECIFIC_CHARACTER_SET, b"CS");
        let name = raw(&bytes, tags::PATIENT_NAME, b"PN");
        let description = raw(&bytes, tags::STUDY_DESCRIPTION, b"LO");
        let decode = |value: &[u8]| match exam.site {
            "HOSPITAL_B" => String::from_utf8(value.to_vec()).expect("UTF-8"),
            _ => {
                assert!(value.iter().all(|&byte| byte < 0x80), "ISO 2022 is 7-bit");
                let (text, _, broken) = encoding_rs::ISO_2022_JP.decode(value);
                assert!(!broken);
                text.into_owned()
            }
        };
        let expected: &[u8] = match exam.site {
            "HOSPITAL_A" => b"\\ISO 2022 IR 87 ",
            "HOSPITAL_B" => b"ISO_IR 192",
            _ => b"ISO 2022 IR 13\\ISO 2022 IR 87 ",
        };
        assert_eq!(charset, expected);
        assert_eq!(decode(name).trim_end(), exam.patient.name.dicom());
        assert_eq!(decode(description).trim_end(), exam.study.description);
        if exam.site == "HOSPITAL_A" {
            assert!(name.contains(&b'\\'), "the delimiter's byte is inside a kanji");
        }
    }
    assert_eq!(seen.len(), 3);
}

/// The value bytes of an element with a two-byte length.
fn raw<'a>(bytes: &'a [u8], tag: dicom_core::Tag, vr: &[u8; 2]) -> &'a [u8] {
    let mut head = [tag.group().to_le_bytes(), tag.element().to_le_bytes()].concat();
    head.extend_from_slice(vr);
    let at = bytes.windows(6).position(|window| window == head).expect("the element") + 6;
    let length = usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    &bytes[at + 2..at + 2 + length]
}

#[test]
fn an_instance_is_the_same_each_time_and_readable() {
    for exam in exams(12) {
        let instance = exam.instances().next().expect("an image");
        let bytes = instance.part10().expect("a file");
        assert_eq!(bytes, instance.part10().expect("a file"));
        let read = dicom_object::from_reader(&bytes[..]).expect("a readable file");
        let whole = |tag| read.element(tag).expect("there").to_int::<usize>().expect("a number");
        let pixels = read.element(tags::PIXEL_DATA).expect("pixels").to_bytes().expect("bytes").len();
        let frames = read.element(tags::NUMBER_OF_FRAMES).map_or(1, |e| e.to_int::<usize>().expect("a number"));
        assert_eq!(pixels, whole(tags::ROWS) * whole(tags::COLUMNS) * 2 * frames);
        assert_eq!(read.meta().media_storage_sop_instance_uid(), instance.sop_instance_uid());
    }
}

/// A chest CT without lungs at -850 HU and bone above 300 HU would not teach a viewer its windows.
#[test]
fn a_chest_ct_has_lungs_soft_tissue_and_bone_in_hounsfield_units() {
    let exam = day(42, start(), None).find(|exam| exam.study.description == "胸部CT 単純").expect("a chest CT");
    let instance = exam.instances().nth(10).expect("a middle slice");
    let set = instance.data_set();
    let pixels = set.element(tags::PIXEL_DATA).expect("pixels").to_multi_int::<i32>().expect("numbers");
    let share = |low: i32, high: i32| {
        pixels.iter().filter(|&&stored| (low..high).contains(&(stored - 1024))).count() as f64 / pixels.len() as f64
    };
    assert!(share(-920, -780) > 0.10, "lungs {}", share(-920, -780));
    assert!(share(0, 100) > 0.08, "soft tissue {}", share(0, 100));
    assert!(share(-140, -60) > 0.02, "fat {}", share(-140, -60));
    assert!(share(300, 2000) > 0.005, "bone {}", share(300, 2000));
}
