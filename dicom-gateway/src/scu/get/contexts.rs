//! The 128 presentation contexts of an association, shared out among what a study may hold.
//!
//! One is for C-GET itself. Each SOP class has one of explicit and implicit little endian, of which the peer picks. What
//! is left goes to compressed transfer syntaxes, so that objects come as they are stored: to likely classes one by one,
//! so that the peer can take several of them; to the others the common ones in one context, of which it picks. Whatever
//! the numbers, each syntax of a likely class is in some context.

use dicom_dictionary_std::uids::*;

use super::classes::Classes;
use crate::scu::requestor::Context;

/// What is left for storage (PS3.8 9.3.2.2: odd IDs up to 255).
const BUDGET: usize = crate::scu::send::MAX_CONTEXTS - 1;
/// What is accepted without compression; a peer that has neither sends one of them all the same.
const NATIVE: [&str; 2] = [EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN];
/// In the order in which they are given contexts of their own: first what archives hold most.
const COMPRESSED: [&str; 14] = [
    JPEG_LOSSLESS_SV1,
    JPEG2000_LOSSLESS,
    JPEG_BASELINE8_BIT,
    JPEG2000,
    JPEGLS_LOSSLESS,
    RLE_LOSSLESS,
    JPEG_LOSSLESS,
    JPEGLS_NEAR_LOSSLESS,
    JPEG_EXTENDED12_BIT,
    HTJ2K_LOSSLESS,
    HTJ2K_LOSSLESS_RPCL,
    HTJ2K,
    DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN,
    EXPLICIT_BIG_ENDIAN,
];
/// Deprecated in the standard, not in archives.
const EXPLICIT_BIG_ENDIAN: &str = "1.2.840.10008.1.2.2";
/// How many of them the other classes are proposed with, so that the request stays below 16 KiB, which some peers' is.
const COMMON: usize = 6;
/// What classes of video come in.
const VIDEO: [&str; 8] =
    [MPEG4HP41, MPEG4HP41BD, MPEG2MPML, MPEG2MPHL, MPEG4HP422D, HEVCMP51, HEVCM10P51, JPEG_BASELINE8_BIT];
const VIDEO_CLASSES: [&str; 3] =
    [VIDEO_ENDOSCOPIC_IMAGE_STORAGE, VIDEO_MICROSCOPIC_IMAGE_STORAGE, VIDEO_PHOTOGRAPHIC_IMAGE_STORAGE];

fn compressed(class: &str) -> &'static [&'static str] {
    if VIDEO_CLASSES.contains(&class) { &VIDEO } else { &COMPRESSED }
}

/// The contexts for storage, the most important first. What has no room is left out from the end.
pub(super) fn contexts(classes: &Classes) -> Vec<Context> {
    let likely = &classes.likely[..classes.likely.len().min(BUDGET / 2)];
    let others = &classes.others[..classes.others.len().min(BUDGET - 2 * likely.len())];
    let mut contexts: Vec<Context> = likely.iter().chain(others).map(|class| context(class, &NATIVE)).collect();
    let for_likely = (BUDGET - contexts.len()).saturating_sub(others.len()).max(likely.len());
    for (index, class) in likely.iter().enumerate() {
        // What does not divide goes to the first.
        let share = for_likely / likely.len() + usize::from(index < for_likely % likely.len());
        let syntaxes = compressed(class);
        let (alone, together) = match share {
            share if share >= syntaxes.len() => (syntaxes, &[][..]),
            share => syntaxes.split_at(share - 1),
        };
        contexts.extend(alone.iter().map(|syntax| context(class, &[syntax])));
        if !together.is_empty() {
            contexts.push(context(class, together));
        }
    }
    let left = BUDGET - contexts.len();
    let common = |class: &str| &compressed(class)[..COMMON];
    contexts.extend(others.iter().take(left).map(|class| context(class, common(class))));
    contexts
}

fn context(class: &str, syntaxes: &[&str]) -> Context {
    Context { class: class.to_owned(), syntaxes: syntaxes.iter().map(|&syntax| syntax.to_owned()).collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(likely: usize, others: usize) -> Classes {
        let named = |kind: u8, count: usize| (0..count).map(|number| format!("1.2.{kind}.{number}")).collect();
        Classes { likely: named(1, likely), others: named(2, others) }
    }

    fn of<'a>(contexts: &'a [Context], class: &str) -> Vec<&'a [String]> {
        contexts.iter().filter(|context| context.class == class).map(|context| &context.syntaxes[..]).collect()
    }

    #[test]
    fn each_syntax_of_few_classes_has_a_context_of_its_own() {
        let contexts = contexts(&classes(3, 0));
        assert_eq!(contexts.len(), 3 * (1 + COMPRESSED.len()));
        let first = of(&contexts, "1.2.1.0");
        assert_eq!(first[0], NATIVE);
        assert!(first[1..].iter().all(|syntaxes| syntaxes.len() == 1));
    }

    #[test]
    fn whatever_the_numbers_the_budget_holds_and_no_syntax_of_a_likely_class_is_left_out() {
        for (likely, others) in [(0, 32), (1, 0), (5, 35), (9, 0), (20, 60), (63, 0), (40, 90), (200, 100), (0, 0)] {
            let contexts = contexts(&classes(likely, others));
            assert!(contexts.len() <= BUDGET, "{likely} and {others} make {}", contexts.len());
            for number in 0..likely.min(BUDGET / 2) {
                let syntaxes: usize = of(&contexts, &format!("1.2.1.{number}")).iter().map(|one| one.len()).sum();
                assert_eq!(syntaxes, NATIVE.len() + COMPRESSED.len(), "{likely} and {others}: class {number}");
            }
        }
        let many = contexts(&classes(5, 35));
        let bytes: usize = many.iter().map(|one| 12 + 4 + 26 + one.syntaxes.len() * (4 + 22)).sum();
        assert!(bytes + 40 * 34 < 16 * 1024, "a request of {bytes} bytes");
    }

    #[test]
    fn a_class_of_video_is_proposed_as_video() {
        let video = Classes { likely: vec![VIDEO_ENDOSCOPIC_IMAGE_STORAGE.to_owned()], others: Vec::new() };
        assert_eq!(contexts(&video)[1].syntaxes, [MPEG4HP41]);
    }
}
