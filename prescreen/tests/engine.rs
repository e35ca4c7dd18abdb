//! The engine seam, exercised by a real computation: image quality of radiographs measured from pixels.

use dokuei_prescreen::engine::*;
use dokuei_prescreen::quality::{Advice, advise, measure};
use dokuei_terms::{Modality, Part, Region};

/// The quality measures behind the engine trait, as a research engine without approval.
struct QualityEngine;

impl Engine for QualityEngine {
    fn describe(&self) -> EngineDescription {
        EngineDescription {
            id: EngineId { name: "radiograph-quality".into(), version: "1".into() },
            maker: "Dokuei".into(),
            approval_number: None,
            intended_use: "Advice on exposure to the technologist; research use".into(),
            input: InputRule { modalities: vec![Modality::Radiograph], minimum_instances: 1, ..InputRule::default() },
            labels: vec!["nearly_blank".into()],
            thresholds: Thresholds::default(),
        }
    }

    fn run(&self, input: &EngineInput<'_>) -> Result<Vec<RawFinding>, EngineError> {
        let blank = input
            .images
            .iter()
            .filter(|image| advise(&measure(image, 4095.0), input.parts[0].region).contains(&Advice::NearlyBlank));
        let confidence = blank.count() as f64 / input.images.len() as f64;
        let place = Some(Mark { image: 0, x: 0, y: 0, width: input.images[0].columns() as u32, height: 1 });
        Ok(vec![RawFinding { label: "nearly_blank".into(), confidence, place }])
    }
}

/// A chest as a detector sees it, 12 bits, MONOCHROME2: black air at the edge, grey body, darker lungs, noise.
fn chest(photometric: Photometric) -> Image {
    let (rows, columns) = (256_usize, 256_usize);
    let pixels = (0..rows * columns)
        .map(|at| {
            let (y, x) = ((at / columns) as f32 / 256.0 - 0.5, (at % columns) as f32 / 256.0 - 0.5);
            let lung = |cx: f32| ((x - cx) / 0.12).powi(2) + (y / 0.28).powi(2) < 1.0;
            let body = (x / 0.42).powi(2) + (y / 0.48).powi(2) < 1.0;
            let grey = if lung(-0.17) || lung(0.17) {
                1100.0
            } else if body {
                2600.0
            } else {
                120.0
            };
            let noise = ((at * 7919) % 257) as f32;
            let shown = grey + noise;
            if photometric == Photometric::Monochrome1 { 4095.0 - shown } else { shown }
        })
        .collect();
    Image::new(pixels, rows, columns, photometric).expect("a square image")
}

fn flat(value: f32) -> Image {
    Image::new((0..64 * 64).map(|at| value + (at % 3) as f32).collect(), 64, 64, Photometric::Monochrome2)
        .expect("a square image")
}

fn chest_region() -> Region {
    "chest".parse().expect("a region")
}

fn parts() -> Vec<Part> {
    vec![Part::new(chest_region(), Modality::Radiograph)]
}

fn run_on(images: &[Image], parts: &[Part]) -> Result<Vec<AiFinding>, EngineError> {
    run(&QualityEngine, &EngineInput { parts, images, age_years: None })
}

#[test]
fn a_blank_plate_is_found_and_marked_and_a_chest_is_listed_as_low() {
    let blank = run_on(&[flat(2000.0)], &parts()).unwrap();
    assert_eq!((blank[0].class, blank[0].mark.is_some()), (ConfidenceClass::High, true));
    let chest = run_on(&[chest(Photometric::Monochrome2)], &parts()).unwrap();
    assert_eq!((chest[0].class, chest[0].mark), (ConfidenceClass::Low, None), "listed, but without a mark");
    let half = run_on(&[chest_pair().0, chest_pair().1], &parts()).unwrap();
    assert_eq!((half[0].class, half[0].mark.is_some()), (ConfidenceClass::Mid, true), "0.50 is marked");
}

fn chest_pair() -> (Image, Image) {
    (chest(Photometric::Monochrome2), flat(10.0))
}

#[test]
fn an_engine_does_not_run_on_what_its_rule_does_not_take() {
    let knee_mr = vec![Part::new("lower.knee".parse().unwrap(), Modality::Mr)];
    assert_eq!(run_on(&[flat(1.0)], &knee_mr), Err(EngineError::NotTaken(NotTaken::Modality)));
    assert_eq!(run_on(&[], &parts()), Err(EngineError::NotTaken(NotTaken::Instances { need: 1, have: 0 })));
    let rule =
        InputRule { regions: vec!["chest".parse().unwrap()], minimum_age_years: Some(18), ..InputRule::default() };
    let lung = [Part::new("chest.lung".parse().unwrap(), Modality::Ct)];
    let take = |parts: &[Part], age_years| rule.takes(&StudyFacts { parts, instances: 1, age_years });
    assert_eq!(take(&lung, Some(18)), Ok(()), "a region below the rule's is inside it");
    assert_eq!(take(&lung, Some(17)), Err(NotTaken::Age { need: 18 }));
    assert_eq!(take(&lung, None), Err(NotTaken::Age { need: 18 }), "an unknown age does not pass");
    assert_eq!(take(&knee_mr, Some(40)), Err(NotTaken::Region));
}

struct Nonsense(RawFinding);

impl Engine for Nonsense {
    fn describe(&self) -> EngineDescription {
        QualityEngine.describe()
    }
    fn run(&self, _: &EngineInput<'_>) -> Result<Vec<RawFinding>, EngineError> {
        Ok(vec![self.0.clone()])
    }
}

#[test]
fn an_engine_that_answers_nonsense_is_refused_whole() {
    for (label, confidence, expected) in [
        ("nearly_blank", f64::NAN, EngineError::NoProbability),
        ("nearly_blank", 1.5, EngineError::NoProbability),
        ("cancer", 0.9, EngineError::UnknownLabel),
    ] {
        let engine = Nonsense(RawFinding { label: label.into(), confidence, place: None });
        let images = [flat(1.0)];
        assert_eq!(run(&engine, &EngineInput { parts: &parts(), images: &images, age_years: None }), Err(expected));
    }
}

#[test]
fn classes_begin_where_source_004_says_and_an_engine_may_differ() {
    let thresholds = Thresholds::default();
    for (confidence, class) in [
        (0.0, ConfidenceClass::Low),
        (0.2999, ConfidenceClass::Low),
        (0.30, ConfidenceClass::Mid),
        (0.6499, ConfidenceClass::Mid),
        (0.65, ConfidenceClass::High),
        (1.0, ConfidenceClass::High),
    ] {
        assert_eq!(thresholds.class(confidence), class, "{confidence}");
    }
    assert_eq!(Thresholds::new(0.1, 0.2, 0.9).unwrap().class(0.2), ConfidenceClass::High);
    assert!(Thresholds::new(0.7, 0.3, 0.5).is_err());
    assert!(Thresholds::new(0.3, f64::NAN, 0.5).is_err());
    assert!(serde_json::from_str::<Thresholds>(r#"{"mid":0.9,"high":0.1,"mark":0.5}"#).is_err());
}

/// Invariant 8.
#[test]
fn without_approval_nothing_shows_outside_demo_and_research_sites() {
    let site = |demo, research| SiteFlags { demo, research };
    for no_number in [None, Some(""), Some("  ")] {
        assert_eq!(may_show(no_number, site(false, false)), Showing::Hidden);
        assert_eq!(may_show(no_number, site(true, false)), Showing::ResearchUse);
        assert_eq!(may_show(no_number, site(false, true)), Showing::ResearchUse);
    }
    for (demo, research) in [(false, false), (true, false), (false, true), (true, true)] {
        assert_eq!(may_show(Some("30200BZX00000000"), site(demo, research)), Showing::Approved);
    }
}

#[test]
fn both_photometric_interpretations_of_one_chest_measure_alike_and_a_wrong_one_is_told() {
    let right = measure(&chest(Photometric::Monochrome2), 4095.0);
    let turned = measure(&chest(Photometric::Monochrome1), 4095.0);
    assert!((right.midline_over_flanks - turned.midline_over_flanks).abs() < 0.01);
    assert_eq!(advise(&right, chest_region()), []);
    let mut wrong = chest(Photometric::Monochrome2);
    wrong.photometric = Photometric::Monochrome1;
    assert_eq!(advise(&measure(&wrong, 4095.0), chest_region()), [Advice::InversionSuspected]);
    let knee = "lower.knee".parse().unwrap();
    assert_eq!(advise(&measure(&wrong, 4095.0), knee), [], "only a chest can be judged so");
}

#[test]
fn a_clipped_image_is_told_and_pixels_that_are_no_image_are_refused() {
    let clipped: Vec<f32> =
        chest(Photometric::Monochrome2).pixels().iter().map(|value| (value * 3.0).min(4095.0)).collect();
    let clipped = Image::new(clipped, 256, 256, Photometric::Monochrome2).unwrap();
    assert!(advise(&measure(&clipped, 4095.0), chest_region()).contains(&Advice::ClippedWhite));
    assert!(matches!(Image::new(vec![0.0; 5], 2, 3, Photometric::Monochrome2), Err(ImageError::Shape { .. })));
    assert!(matches!(Image::new(vec![], 0, 0, Photometric::Monochrome2), Err(ImageError::Shape { .. })));
    assert_eq!(Image::new(vec![f32::NAN], 1, 1, Photometric::Monochrome2), Err(ImageError::NotFinite));
    let one = Image::new(vec![7.0], 1, 1, Photometric::Monochrome2).unwrap();
    assert_eq!(advise(&measure(&one, 0.0), chest_region()), [Advice::NearlyBlank], "a single pixel does not fail");
}
