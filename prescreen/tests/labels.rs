//! The label normaliser on descriptions as they come from real devices and ordering systems.

use dokuei_prescreen::labels::{LabelConflict, LabelSource, Order, SeriesHeader, StudyHeader, check};
use dokuei_terms::{Laterality, Region};

/// `region[:side]` of each part, in the order of the tree.
fn parts_of(study: &StudyHeader, order: &Order) -> String {
    let labels = check(study, order);
    let words: Vec<String> = labels
        .parts
        .iter()
        .map(|one| match one.part.laterality {
            Laterality::None => format!("{} {}", one.part.region, one.part.modality),
            side => format!("{}:{side} {}", one.part.region, one.part.modality),
        })
        .collect();
    words.join(", ")
}

fn study(modality: &str, body_part: &str, description: &str) -> StudyHeader {
    StudyHeader {
        study_description: description.to_owned(),
        series: vec![SeriesHeader {
            modality: modality.to_owned(),
            body_part_examined: body_part.to_owned(),
            ..SeriesHeader::default()
        }],
        ..StudyHeader::default()
    }
}

fn ordered(words: &str) -> Order {
    Order { words: words.to_owned(), ..Order::default() }
}

#[test]
fn study_descriptions_become_parts() {
    for (modality, description, expected) in [
        ("CT", "CHEST-ABDOMEN-PELVIS CT", "chest CT, abdomen CT, pelvis CT"),
        ("CT", "Chest/Abd/Pelvis W CONTRAST", "chest CT, abdomen CT, pelvis CT"),
        ("CT", "CT CAP with IV", "chest CT, abdomen CT, pelvis CT"),
        ("CT", "胸腹骨盤CT", "chest CT, abdomen CT, pelvis CT"),
        ("CT", "胸部～骨盤 造影", "chest CT, abdomen CT, pelvis CT"),
        ("CT", "ＣＴ　胸部・腹部・骨盤（造影）", "chest CT, abdomen CT, pelvis CT"),
        ("CT", "胸腹部CT 単純", "chest CT, abdomen CT"),
        ("MR", "頭部MRI", "head MR"),
        ("MR", "Brain w/o contrast", "head.brain MR"),
        ("MR", "脳ＭＲＩ＋ＭＲＡ", "head.brain MR"),
        ("MR", "頭部MRA", "head.vessel MR"),
        ("CT", "Head_Neck", "head CT, neck CT"),
        ("CT", "頭頚部造影", "head CT, neck CT"),
        ("CT", "C-SPINE ROUTINE", "spine.cervical CT"),
        ("MR", "L-Spine", "spine.lumbar MR"),
        ("MR", "T/L SPINE", "spine.thoracic MR, spine.lumbar MR"),
        ("MR", "頚椎・腰椎", "spine.cervical MR, spine.lumbar MR"),
        ("CR", "胸腰椎移行部 2方向", "spine.thoracic CR, spine.lumbar CR"),
        ("CR", "両膝", "lower.knee:both CR"),
        ("CR", "両側膝関節立位", "lower.knee:both CR"),
        ("DX", "R KNEE AP/LAT", "lower.knee:right CR"),
        ("DX", "KNEE RT 3V", "lower.knee:right CR"),
        ("DX", "Knee, left", "lower.knee:left CR"),
        ("DX", "R/L KNEE", "lower.knee:both CR"),
        ("DX", "KNEE R+L STANDING", "lower.knee:both CR"),
        ("CR", "右ﾋｻﾞ 2R", "lower.knee:right CR"),
        ("CR", "ﾋﾀﾞﾘ ｶﾀ", "upper.shoulder:left CR"),
        ("CR", "ＬＴ　ＳＨＯＵＬＤＥＲ", "upper.shoulder:left CR"),
        ("MR", "右肩・左膝", "upper.shoulder:right MR, lower.knee:left MR"),
        ("MR", "膝関節 右", "lower.knee:right MR"),
        ("CR", "膝 2R", "lower.knee CR"),
        ("CR", "L2 圧迫骨折 右股関節", "lower.hip:right CR"),
        ("MR", "Shoulder Left / Knee Right", "upper.shoulder:left MR, lower.knee:right MR"),
        ("CR", "左手関節", "upper.hand:left CR"),
        ("CR", "右足関節・左足", "lower.foot:both CR"),
        ("CR", "大腿骨頸部 左", "lower.hip:left CR"),
        ("MG", "マンモグラフィ 両側", "chest.breast:both MG"),
        ("MG", "R MLO", "chest.breast:right MG"),
        ("US", "頸動脈エコー", "neck.vessel US"),
        ("US", "甲状腺US", "neck.thyroid US"),
        ("US", "腹部超音波", "abdomen US"),
        ("MR", "MRCP", "abdomen.hepatobiliary MR"),
        ("MR", "骨盤MRI（前立腺）", "pelvis.male MR"),
        ("CT", "冠動脈CT", "chest.heart CT"),
        ("RF", "胃透視", "abdomen.gi RF"),
        ("CR", "CXR PA", "chest CR"),
        ("CT", "副鼻腔 単純", "head.sinus CT"),
        ("CT", "側頭骨 両側", "head.temporal:both CT"),
        ("CT", "術後 手術部位 腹部", "abdomen CT"),
        ("PT", "PET-CT 全身", "body NM"),
        ("PT", "脳PET", "head.brain NM"),
        ("NM", "骨シンチ", "body NM"),
    ] {
        assert_eq!(parts_of(&study(modality, "", description), &Order::default()), expected, "{description}");
    }
}

#[test]
fn dicom_body_parts_become_parts() {
    for (body_part, expected) in [
        ("HEAD", "head CT"),
        ("HEADNECK", "head CT, neck CT"),
        ("CHESTABDPELVIS", "chest CT, abdomen CT, pelvis CT"),
        ("CHESTABDOMEN", "chest CT, abdomen CT"),
        ("ABDOMENPELVIS", "abdomen CT, pelvis CT"),
        ("NECKCHESTABDPELV", "neck CT, chest CT, abdomen CT, pelvis CT"),
        ("CSPINE", "spine.cervical CT"),
        ("LSPINE", "spine.lumbar CT"),
        ("WHOLEBODY", "body CT"),
        ("EXTREMITY", "body CT"),
        ("KNEE", "lower.knee CT"),
        ("PSINUS", "head.sinus CT"),
    ] {
        assert_eq!(parts_of(&study("CT", body_part, ""), &Order::default()), expected, "{body_part}");
    }
}

#[test]
fn a_part_nobody_names_is_the_whole_body_with_low_confidence() {
    let labels = check(&study("CT", "", "Routine 5mm"), &Order::default());
    assert_eq!(labels.parts.len(), 1);
    assert_eq!(labels.parts[0].part.region, Region::WHOLE_BODY);
    assert!(labels.parts[0].confidence < 0.1);
    assert_eq!(labels.parts[0].sources, [LabelSource::Nobody]);
}

#[test]
fn what_is_not_an_image_makes_no_part() {
    assert!(check(&study("SR", "CHEST", "Chest report"), &ordered("胸部CT")).parts.is_empty());
    assert!(check(&StudyHeader::default(), &ordered("胸部CT")).parts.is_empty());
}

#[test]
fn sources_that_agree_are_more_certain_than_one() {
    let alone = check(&study("CT", "CHEST", ""), &Order::default());
    let together = check(&study("CT", "CHEST", "胸部CT"), &ordered("胸部単純CT"));
    assert!(alone.parts[0].confidence < together.parts[0].confidence);
    assert_eq!(
        together.parts[0].sources,
        [LabelSource::OrderWords, LabelSource::StudyDescription, LabelSource::BodyPartExamined]
    );
    assert!(together.conflicts.is_empty());
}

#[test]
fn an_ordered_head_labelled_chest_is_flagged_and_routed_as_ordered() {
    let study = study("CT", "CHEST", "");
    let labels = check(&study, &ordered("頭部単純CT"));
    assert_eq!(parts_of(&study, &ordered("頭部単純CT")), "head CT");
    assert!(labels.parts[0].confidence < 0.5, "a contradicted label is not certain");
    let [LabelConflict::Region { trusted, other, other_regions, .. }] = labels.conflicts.as_slice() else {
        panic!("one region conflict, got {:?}", labels.conflicts)
    };
    assert_eq!((*trusted, *other), (LabelSource::OrderWords, LabelSource::BodyPartExamined));
    assert_eq!(other_regions, &["chest".parse::<Region>().unwrap()]);
    assert!(labels.conflicts[0].must_be_settled_before_signing());
}

#[test]
fn a_header_that_contradicts_itself_is_flagged_without_an_order() {
    let labels = check(&study("CR", "HAND", "胸部正面"), &Order::default());
    assert!(matches!(
        labels.conflicts.as_slice(),
        [LabelConflict::Region { trusted: LabelSource::StudyDescription, other: LabelSource::BodyPartExamined, .. }]
    ));
}

#[test]
fn the_wrong_side_is_always_told() {
    // Order against header.
    let mut header = study("CR", "KNEE", "");
    header.series[0].laterality = "L".to_owned();
    let labels = check(&header, &ordered("右膝"));
    assert!(
        matches!(
            labels.conflicts.as_slice(),
            [LabelConflict::Laterality {
                trusted_side: Laterality::Right,
                other_side: Laterality::Left,
                other: LabelSource::BodyPartExamined,
                ..
            }]
        ),
        "{:?}",
        labels.conflicts
    );
    assert!(labels.conflicts[0].must_be_settled_before_signing());

    // Question against order and header: the ordered side itself may be the mistake.
    let order = Order { question: "左膝痛、半月板損傷疑い".to_owned(), ..ordered("右膝MRI") };
    let labels = check(&study("MR", "KNEE", "R KNEE"), &order);
    assert!(
        matches!(
            labels.conflicts.as_slice(),
            [LabelConflict::Laterality { other: LabelSource::Question, other_side: Laterality::Left, .. }]
        ),
        "{:?}",
        labels.conflicts
    );

    // Both were ordered, one came.
    let labels = check(&study("CR", "", "KNEE RT"), &ordered("両膝"));
    assert!(matches!(labels.conflicts.as_slice(), [LabelConflict::Laterality { trusted_side: Laterality::Both, .. }]));
}

#[test]
fn both_sides_in_two_series_are_what_was_ordered() {
    let knee = |side: &str| SeriesHeader {
        modality: "CR".into(),
        body_part_examined: "KNEE".into(),
        laterality: side.into(),
        ..SeriesHeader::default()
    };
    let header = StudyHeader { series: vec![knee("R"), knee("L")], ..StudyHeader::default() };
    assert!(check(&header, &ordered("両膝")).conflicts.is_empty());
    assert_eq!(parts_of(&header, &Order::default()), "lower.knee:both CR");
}

#[test]
fn names_that_the_field_uses_for_one_another_are_no_conflict() {
    for (modality, body_part, words, expected) in [
        ("CR", "NECK", "頸椎", "spine.cervical CR"),
        ("CR", "CHEST", "胸椎 2方向", "spine.thoracic CR"),
        ("CR", "PELVIS", "両股関節", "lower.hip:both CR"),
        ("CT", "HEAD", "脳CT", "head.brain CT"),
        ("CT", "CHEST", "胸腹骨盤CT", "chest CT, abdomen CT, pelvis CT"),
        ("CT", "CHESTABDPELVIS", "胸部CT", "chest CT, abdomen CT, pelvis CT"),
        ("CT", "WHOLEBODY", "頭部CT", "head CT"),
        ("CT", "ABDOMENPELVIS", "腹部CT", "abdomen CT, pelvis CT"),
        ("CT", "TRUNK", "体幹部CT", "trunk CT"),
    ] {
        let study = study(modality, body_part, "");
        assert_eq!(check(&study, &ordered(words)).conflicts, [], "{words}");
        assert_eq!(parts_of(&study, &ordered(words)), expected, "{words}");
    }
}

#[test]
fn an_ordered_mr_with_ct_images_is_flagged_but_need_not_stop_signing() {
    let labels = check(&study("CT", "HEAD", ""), &ordered("頭部MRI"));
    assert!(matches!(labels.conflicts.as_slice(), [LabelConflict::Modality { .. }]), "{:?}", labels.conflicts);
    assert!(!labels.conflicts[0].must_be_settled_before_signing());
}

#[test]
fn jj1017_of_the_order_is_trusted_before_its_words() {
    let order = Order { codes: vec!["60000001000002000000010000000000".into()], ..ordered("胸部CT") };
    let labels = check(&study("CT", "", ""), &order);
    assert_eq!(labels.parts[0].part.region.code(), "head");
    assert!(matches!(labels.conflicts.as_slice(), [LabelConflict::Region { trusted: LabelSource::OrderCode, .. }]));
}

#[test]
fn the_question_names_a_region_only_when_nothing_else_does() {
    let order = Order { question: "右膝の痛み".into(), ..Order::default() };
    assert_eq!(parts_of(&study("MR", "", ""), &order), "lower.knee:right MR");
    assert!(check(&study("MR", "", ""), &order).parts[0].confidence < 0.5);
    assert_eq!(parts_of(&study("MR", "HEAD", ""), &order), "head MR");
}

#[test]
fn series_of_several_regions_are_all_parts() {
    let series = |body_part: &str, description: &str| SeriesHeader {
        modality: "CT".into(),
        body_part_examined: body_part.into(),
        series_description: description.into(),
        ..SeriesHeader::default()
    };
    let header = StudyHeader {
        series: vec![series("HEAD", "Head 5mm"), series("CHEST", "Lung 1.25"), series("", "Dose Report")],
        ..StudyHeader::default()
    };
    assert_eq!(parts_of(&header, &Order::default()), "head CT, chest.lung CT");
    assert!(check(&header, &Order::default()).conflicts.is_empty());
}
