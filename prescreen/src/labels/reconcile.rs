//! Brings the sources together, in the order of their trust.

use std::collections::BTreeMap;

use dokuei_terms::{Laterality, Modality, Part, Region};

use super::dictionary::{self, Said, is_paired};
use super::{Jj1017, LabelConflict, LabelSource, LabelledPart, Labels, Order, StudyHeader};

/// Regions that the field names for one another: a "neck" film is often the cervical spine.
const RENAMED: &[(&str, &str)] = &[
    ("neck", "spine.cervical"),
    ("chest", "spine.thoracic"),
    ("abdomen", "spine.lumbar"),
    ("pelvis", "spine.lumbar"),
    ("pelvis", "lower.hip"),
    ("neck", "head.salivary"),
    ("neck.vessel", "head.vessel"),
    ("chest", "trunk"),
    ("abdomen", "trunk"),
    ("pelvis", "trunk"),
    ("spine", "trunk"),
];

/// Regions that are examined together, so that naming one does not contradict the other; each stays a part of its own.
const TOGETHER: &[(&str, &str)] = &[("abdomen", "pelvis"), ("chest.heart", "abdomen")];

/// Finds the parts of a study and the disagreements about them. See the module's contract in [`super`].
pub fn check(study: &StudyHeader, order: &Order) -> Labels {
    let images = image_modalities(study);
    if images.is_empty() {
        return Labels::default();
    }
    let said = everything_said(study, order);
    let mut believed = Believed::default();
    for (source, words) in &said {
        believed.hear(*source, words);
    }
    let question = dictionary::read(&order.question);
    if believed.regions.is_empty() {
        believed.hear(LabelSource::Question, &question);
    } else {
        believed.hear_sides(LabelSource::Question, &question);
    }
    if believed.regions.is_empty() {
        believed.regions.insert(
            Region::WHOLE_BODY,
            Belief {
                side: Laterality::None,
                side_source: LabelSource::Nobody,
                sources: vec![LabelSource::Nobody],
                contradicted: false,
            },
        );
    }
    let mut conflicts = believed.conflicts;
    conflicts.extend(modality_conflict(&said, order, &images));
    Labels { parts: parts(believed.regions, &images), conflicts }
}

/// The modality classes of the images: what is not an image makes no part, and the CT of a PET-CT belongs to it.
fn image_modalities(study: &StudyHeader) -> Vec<Modality> {
    let mut found: Vec<Modality> = study.series.iter().filter_map(|one| Modality::from_dicom(&one.modality)).collect();
    found.sort_unstable();
    found.dedup();
    if found.len() > 1 {
        found.retain(|modality| *modality != Modality::Other);
    }
    if found.contains(&Modality::Nuclear) {
        found.retain(|modality| *modality != Modality::Ct);
    }
    found
}

/// What each source says, over all series, most trusted first.
fn everything_said(study: &StudyHeader, order: &Order) -> BTreeMap<LabelSource, Said> {
    let mut said: BTreeMap<LabelSource, Said> = BTreeMap::new();
    let codes = |list: &[String]| {
        list.iter().filter_map(|code| Jj1017::parse(code)).map(|code| code.said()).collect::<Vec<_>>()
    };
    let mut add = |source, words: Said| said.entry(source).or_default().merge(&words);

    codes(&order.codes).into_iter().for_each(|words| add(LabelSource::OrderCode, words));
    add(LabelSource::OrderWords, dictionary::read(&order.words));
    codes(&study.procedure_codes).into_iter().for_each(|words| add(LabelSource::HeaderCode, words));
    add(LabelSource::StudyDescription, dictionary::read(&study.study_description));
    for series in study.series.iter().filter(|series| Modality::from_dicom(&series.modality).is_some()) {
        add(LabelSource::ProtocolName, dictionary::read(&series.protocol_name));
        add(LabelSource::SeriesDescription, dictionary::read(&series.series_description));
        let mut body_part = dictionary::read(&series.body_part_examined);
        let side = Laterality::from_dicom(&series.laterality).unwrap_or_default();
        for (region, said_side) in &mut body_part.regions {
            if is_paired(*region) {
                *said_side = dictionary::both_of(*said_side, side);
            }
        }
        add(LabelSource::BodyPartExamined, body_part);
    }
    said
}

struct Belief {
    side: Laterality,
    side_source: LabelSource,
    sources: Vec<LabelSource>,
    contradicted: bool,
}

#[derive(Default)]
struct Believed {
    regions: BTreeMap<Region, Belief>,
    conflicts: Vec<LabelConflict>,
}

impl Believed {
    /// Takes up what a source says, or notes that it contradicts.
    fn hear(&mut self, source: LabelSource, words: &Said) {
        if words.regions.is_empty() {
            return;
        }
        let agrees = |known: &Self, region: Region| known.regions.keys().any(|held| go_together(*held, region));
        if !self.regions.is_empty() && !words.regions.iter().any(|(region, _)| agrees(self, *region)) {
            let trusted = self.regions.values().filter_map(|belief| belief.sources.first().copied()).min();
            self.conflicts.push(LabelConflict::Region {
                trusted: trusted.unwrap_or(LabelSource::Nobody),
                trusted_regions: self.regions.keys().copied().collect(),
                other: source,
                other_regions: words.regions.iter().map(|(region, _)| *region).collect(),
            });
            self.regions.values_mut().for_each(|belief| belief.contradicted = true);
            return;
        }
        self.hear_sides(source, words);
        for (region, side) in &words.regions {
            self.support(source, *region, *side);
        }
    }

    /// Adds one region: the finer of two on one branch of the tree is kept, with the support of both.
    fn support(&mut self, source: LabelSource, region: Region, side: Laterality) {
        let held: Vec<Region> = self.regions.keys().copied().collect();
        let finer: Vec<Region> = held.iter().copied().filter(|held| is_below(*held, region)).collect();
        if !finer.is_empty() {
            for region in finer {
                self.note(region, source);
            }
            return;
        }
        // "Neck" for a cervical spine, or "whole body" for anything, adds nothing of its own.
        let renamed: Vec<Region> = held.iter().copied().filter(|held| adds_nothing_to(*held, region, source)).collect();
        if !renamed.is_empty() {
            for held in renamed {
                self.note(held, source);
            }
            return;
        }
        let above = held.iter().copied().find(|held| *held != region && is_below(region, *held));
        let mut belief =
            above.and_then(|above| self.regions.remove(&above)).or_else(|| self.regions.remove(&region)).unwrap_or(
                Belief { side: Laterality::None, side_source: source, sources: Vec::new(), contradicted: false },
            );
        if belief.side == Laterality::None && side != Laterality::None {
            (belief.side, belief.side_source) = (side, source);
        }
        self.regions.insert(region, belief);
        self.note(region, source);
    }

    fn note(&mut self, region: Region, source: LabelSource) {
        if let Some(belief) = self.regions.get_mut(&region).filter(|belief| !belief.sources.contains(&source)) {
            belief.sources.push(source);
        }
    }

    /// Compares sides on the regions already held, and fills in those not yet known.
    fn hear_sides(&mut self, source: LabelSource, words: &Said) {
        for (region, side) in words.regions.iter().filter(|(_, side)| *side != Laterality::None) {
            for (held, belief) in &mut self.regions {
                if !on_one_branch(*held, *region) || !is_paired(*held) {
                    continue;
                }
                if belief.side == Laterality::None {
                    (belief.side, belief.side_source) = (*side, source);
                } else if belief.side != *side && !(source == LabelSource::Question && belief.side == Laterality::Both)
                {
                    belief.contradicted = true;
                    self.conflicts.push(LabelConflict::Laterality {
                        region: *held,
                        trusted: belief.side_source,
                        trusted_side: belief.side,
                        other: source,
                        other_side: *side,
                    });
                }
            }
        }
    }
}

fn is_below(lower: Region, upper: Region) -> bool {
    lower.and_ancestors().any(|region| region == upper)
}

fn on_one_branch(one: Region, other: Region) -> bool {
    is_below(one, other) || is_below(other, one)
}

fn pair_is_in(list: &[(&str, &str)], one: Region, other: Region) -> bool {
    let within = |region: Region, code: &str| region.and_ancestors().any(|above| above.code() == code);
    list.iter().any(|(a, b)| (within(one, a) && within(other, b)) || (within(one, b) && within(other, a)))
}

fn go_together(one: Region, other: Region) -> bool {
    [one, other].contains(&Region::WHOLE_BODY)
        || on_one_branch(one, other)
        || pair_is_in(RENAMED, one, other)
        || pair_is_in(TOGETHER, one, other)
}

/// Whether `region`, said by `source`, is only another name of the `held` one.
fn adds_nothing_to(held: Region, region: Region, source: LabelSource) -> bool {
    let is_loose = |region: Region| region == Region::WHOLE_BODY || region.code() == "trunk";
    held != region
        && ((is_loose(held) || is_loose(region)) && go_together(held, region)
            || source >= LabelSource::BodyPartExamined && pair_is_in(RENAMED, held, region))
}

/// The order names a modality, and no image has it.
fn modality_conflict(said: &BTreeMap<LabelSource, Said>, order: &Order, images: &[Modality]) -> Option<LabelConflict> {
    let named = |source: LabelSource| {
        let modalities = said.get(&source).map(|words| words.modalities.clone()).unwrap_or_default();
        (!modalities.is_empty()).then_some((source, modalities))
    };
    let (source, ordered) = named(LabelSource::OrderCode)
        .or_else(|| order.modality.map(|modality| (LabelSource::OrderWords, vec![modality])))
        .or_else(|| named(LabelSource::OrderWords))?;
    let comparable = !images.contains(&Modality::Other) && !ordered.contains(&Modality::Other);
    let disjoint = !ordered.iter().any(|modality| images.contains(modality));
    (comparable && disjoint).then(|| LabelConflict::Modality { source, ordered, images: images.to_vec() })
}

fn parts(regions: BTreeMap<Region, Belief>, images: &[Modality]) -> Vec<LabelledPart> {
    let mut parts: Vec<LabelledPart> = Vec::new();
    for (region, belief) in regions {
        let doubt: f64 = belief.sources.iter().map(|source| 1.0 - source.trust()).product();
        let confidence = (1.0 - doubt).min(0.99) * if belief.contradicted { 0.5 } else { 1.0 };
        let mut sources = belief.sources;
        sources.sort_unstable();
        for modality in images {
            let part = Part { region, modality: *modality, laterality: belief.side };
            parts.push(LabelledPart { part, confidence, sources: sources.clone() });
        }
    }
    parts.sort_by_key(|labelled| labelled.part);
    parts
}
