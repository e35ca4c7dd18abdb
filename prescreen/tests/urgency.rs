//! Urgency: what it promises, and how the built-in model does on questions it never saw.

use dokuei_prescreen::urgency::{CaseFacts, Example, Model, ModelError, Source, TrainError, Urgency};
use dokuei_prescreen::urgency::{invent_examples, read_examples, train, urgency, write_examples};
use dokuei_terms::{Modality, Part, Priority, Region};
use proptest::prelude::*;

fn head_ct(question: &str) -> CaseFacts {
    CaseFacts {
        parts: vec![Part::new("head".parse().expect("a region"), Modality::Ct)],
        age_years: Some(70),
        source: Some(Source::Outpatient),
        question: question.to_owned(),
        ..CaseFacts::default()
    }
}

fn facts() -> impl Strategy<Value = CaseFacts> {
    let regions: Vec<Region> = Region::all().collect();
    let part = (proptest::sample::select(regions), proptest::sample::select(Modality::ALL));
    let words = prop_oneof![
        "\\PC{0,40}",
        proptest::collection::vec(
            proptest::sample::select(vec![
                "突然の頭痛",
                "麻痺",
                "なし",
                "SAH",
                "疑い",
                "除外",
                "、",
                " ",
                "no evidence of",
                "stroke",
                "健診",
                "，",
                "後",
                "既往",
                "chest pain",
                "follow-up",
                "ﾌｫﾛｰ",
                "？",
                "0",
                "緊急",
            ]),
            0..12
        )
        .prop_map(|words| words.concat()),
    ];
    let source = proptest::option::of(proptest::sample::select(Source::ALL.to_vec()));
    (proptest::collection::vec(part, 0..4), proptest::option::of(0_u16..130), source, words).prop_map(
        |(parts, age_years, source, question)| CaseFacts {
            priority: Priority::Routine,
            parts: parts.into_iter().map(|(region, modality)| Part::new(region, modality)).collect(),
            age_years,
            source,
            question,
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_higher_declared_priority_never_lowers_urgency(facts in facts()) {
        let values: Vec<f64> = [Priority::Routine, Priority::Priority, Priority::Urgent, Priority::Stat]
            .into_iter()
            .map(|priority| urgency(&CaseFacts { priority, ..facts.clone() }).value)
            .collect();
        prop_assert!(values.windows(2).all(|pair| pair[0] <= pair[1]), "{values:?}");
        prop_assert!(values[0] < values[3], "stat must stand out: {values:?}");
    }

    #[test]
    fn the_contributions_add_up_to_the_value(facts in facts()) {
        let Urgency { value, contributions, .. } = urgency(&facts);
        prop_assert!((0.0..=1.0).contains(&value));
        let sum: f64 = contributions.iter().map(|one| one.log_odds).sum();
        prop_assert!((value - 1.0 / (1.0 + (-sum).exp())).abs() < 1e-9);
        let shares: f64 = contributions.iter().map(|one| one.share).sum();
        prop_assert!(shares.abs() < 1e-9 || (shares - 1.0).abs() < 1e-9, "shares {shares}");
    }
}

#[test]
fn urgency_survives_storage_as_json() {
    let before = urgency(&head_ct("突然の頭痛、SAH疑い"));
    let after: Urgency = serde_json::from_str(&serde_json::to_string(&before).unwrap()).unwrap();
    assert_eq!(before.contributions.len(), after.contributions.len());
    assert!((before.value - after.value).abs() < 1e-12);
    assert_eq!(before.model_version, Model::built_in().version());
}

#[test]
fn each_lexicon_contribution_names_its_words() {
    let said = urgency(&head_ct("突然の頭痛と右片麻痺。ＳＡＨ除外目的。発熱なし"));
    let words = |code: &str| {
        let one = said.contributions.iter().find(|one| one.code == code).unwrap_or_else(|| panic!("{code} is missing"));
        (one.words.join("|"), one.label.ja.clone(), one.label.en.clone())
    };
    assert_eq!(words("word.sudden_headache").0, "突然の頭痛");
    assert_eq!(words("word.paralysis").0, "右片麻痺");
    assert_eq!(
        words("word.subarachnoid_haemorrhage"),
        ("sah".into(), "くも膜下出血（除外目的）".into(), "Subarachnoid haemorrhage (to be excluded)".into())
    );
    assert_eq!(words("denied.fever").0, "発熱");
}

/// A worklist that puts a denied stroke beside a stroke wastes the minutes of the real one.
#[test]
fn a_word_said_is_above_asked_above_denied() {
    // Every word of the two pressing tiers, in both languages.
    let lexicon = csv::Reader::from_reader(include_str!("../data/lexicon.csv").as_bytes())
        .into_records()
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let pressing = lexicon.iter().filter(|row| matches!(&row[1], "critical" | "urgent") && &row[0] != "emergency_word");
    for word in pressing.flat_map(|row| row[6].split('|')) {
        let sentences = if word.is_ascii() {
            [format!("suspected {word}"), format!("rule out {word}"), format!("no evidence of {word}")]
        } else {
            [format!("{word}疑い"), format!("{word}除外目的"), format!("{word}の疑いなし")]
        };
        let [said, asked, denied] = sentences.map(|question| urgency(&head_ct(&question)).value);
        assert!(said > asked && asked > denied, "{word}: said {said}, asked {asked}, denied {denied}");
    }
    assert!(urgency(&head_ct("健診")).value < urgency(&head_ct("")).value);
}

/// Written by hand, never trained on, by people who knew the lexicon: a check of sense, not of clinical use.
fn handwritten() -> Vec<(bool, CaseFacts)> {
    csv::Reader::from_reader(include_str!("../data/urgency-handwritten.csv").as_bytes())
        .into_deserialize::<(u8, Priority, Region, Modality, u16, Source, String)>()
        .map(|row| {
            let (urgent, priority, region, modality, age, source, question) = row.expect("a row of the table");
            let parts = vec![Part::new(region, modality)];
            (urgent == 1, CaseFacts { priority, parts, age_years: Some(age), source: Some(source), question })
        })
        .collect()
}

#[test]
fn the_built_in_model_orders_handwritten_questions() {
    let cases = handwritten();
    let scored: Vec<(bool, f64)> = cases.iter().map(|(urgent, facts)| (*urgent, urgency(facts).value)).collect();
    let (mut pairs, mut in_order) = (0.0, 0.0);
    for (_, high) in scored.iter().filter(|(urgent, _)| *urgent) {
        for (_, low) in scored.iter().filter(|(urgent, _)| !*urgent) {
            pairs += 1.0;
            in_order += if high > low {
                1.0
            } else if high == low {
                0.5
            } else {
                0.0
            };
        }
    }
    let auc = in_order / pairs;
    println!("handwritten questions: {} cases, AUC {auc:.3}", scored.len());
    assert!(auc > 0.95, "AUC {auc}");
}

#[test]
fn equal_examples_and_seed_give_an_equal_model_that_beats_the_declared_priority() {
    let examples = invent_examples(2000, 11);
    let (model, evaluation) = train(&examples, 11).unwrap();
    assert_eq!(train(&examples, 11).unwrap().0, model);
    assert_eq!(Model::from_json(&model.to_json().unwrap()).unwrap(), model, "written and read again");
    let (auc, alone) = (evaluation.test.auc.unwrap(), evaluation.priority_alone_auc.unwrap());
    assert!(auc > alone + 0.03, "model {auc}, priority alone {alone}");
    assert!(evaluation.test.ece < 0.08, "{}", evaluation.test.ece);
}

#[test]
fn a_group_is_never_split_between_training_and_testing() {
    let mut examples = invent_examples(600, 3);
    // All of one patient: whatever share it falls into, the others are empty.
    examples.iter_mut().for_each(|example| example.group = Some("patient-1".into()));
    assert!(matches!(train(&examples, 3), Err(TrainError::OneKind { .. })));
}

#[test]
fn examples_without_use_are_refused_in_words() {
    assert!(matches!(train(&invent_examples(50, 1), 1), Err(TrainError::TooFew { have: 50 })));
    let mut calm: Vec<Example> = invent_examples(500, 1);
    calm.iter_mut().for_each(|example| example.urgent = false);
    assert!(matches!(train(&calm, 1), Err(TrainError::OneKind { .. })));
}

#[test]
fn examples_are_read_as_written_and_a_bad_line_is_not_quoted() {
    let examples = invent_examples(20, 5);
    let mut file = Vec::new();
    write_examples(&examples, &mut file).unwrap();
    assert_eq!(read_examples(file.as_slice()).unwrap(), examples);
    let error = read_examples("{\"urgent\":true}\n{\"question\":\"山田太郎\"}\n".as_bytes()).unwrap_err().to_string();
    assert!(error.contains("line 2") && !error.contains("山田"), "{error}");
}

#[test]
fn an_unsound_model_is_refused() {
    let json = Model::built_in().to_json().unwrap();
    let edit = |field: &str, value: serde_json::Value| {
        let mut model: serde_json::Value = serde_json::from_str(&json).unwrap();
        *model.pointer_mut(field).unwrap() = value;
        Model::from_json(&model.to_string())
    };
    assert!(edit("/slope", 1.0.into()).is_ok());
    assert!(matches!(edit("/lexicon", "0".into()), Err(ModelError::Lexicon { .. })));
    assert!(matches!(edit("/slope", (-1.0).into()), Err(ModelError::Unsound(_))));
    assert!(matches!(edit("/named/priority.at_least_stat", (-0.1).into()), Err(ModelError::Unsound(_))));
    assert!(matches!(edit("/hashed", vec![0.0].into()), Err(ModelError::Unsound(_))));
}
