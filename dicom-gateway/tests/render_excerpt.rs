//! A frame of which only its own bytes are read is the same picture as one of the whole object.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod samples;

use bytes::Bytes;
use dokuei_dicom_gateway::dataset::Limits;
use dokuei_dicom_gateway::ranged::{self, Frames, RangedError};
use dokuei_dicom_gateway::render::{self, Image, RenderError, View};

#[tokio::test]
async fn every_sample_looks_the_same_from_an_excerpt() {
    let samples = samples::Samples::find().expect("pydicom's samples are installed");
    let (mut drawn, mut of_several, mut compressed, mut differ) = (0, 0, 0, Vec::new());
    for path in samples.files() {
        let bytes = Bytes::from(std::fs::read(path).unwrap());
        let Ok(head) = ranged::head(&bytes, Limits::default()).await else { continue };
        let Ok(frames) = Frames::find(&bytes, &head).await else { continue };
        for frame in [0, 1, frames.count().saturating_sub(1)] {
            let whole = render::frame_png(&bytes, frame, &View::default());
            let excerpt = match ranged::excerpt(&bytes, &head, &frames, frame).await {
                Ok(excerpt) => excerpt,
                Err(RangedError::DeflatedTooLarge) => continue,
                Err(_) => {
                    assert!(whole.is_err(), "{}, frame {frame}: {whole:?}", path.display());
                    continue;
                }
            };
            let name = path.display();
            if render::frame_png(Image::Frame(&excerpt), frame, &View::default()) != whole {
                differ.push(format!("{name}, {frame}"));
                continue;
            }
            let raw = render::raw_frame(&bytes, frame).map(|raw| (raw.samples, raw.presets, raw.slope));
            let part =
                render::raw_frame(Image::Frame(&excerpt), frame).map(|raw| (raw.samples, raw.presets, raw.slope));
            assert_eq!(part, raw, "{name}, {frame}");
            if whole.is_ok() {
                drawn += 1;
                of_several += usize::from(frames.count() > 1);
                compressed += usize::from(frames.coding == ranged::Coding::Encapsulated);
                let set = render::describe(Image::Frame(&excerpt)).unwrap();
                assert_eq!((set.frames, set.displayable), (frames.count(), Ok(())), "{name}");
                let other = (0..frames.count() + 1).find(|other| ![frame, frames.count() / 2].contains(other)).unwrap();
                let other = render::frame_png(Image::Frame(&excerpt), other, &View::default());
                assert!(
                    matches!(other, Err(RenderError::NoSuchFrame { .. } | RenderError::Truncated { .. })),
                    "a frame that was not read is not drawn: {name}"
                );
            }
        }
    }
    assert!(differ.is_empty(), "{differ:?}");
    assert!(drawn > 60 && of_several > 10 && compressed > 20, "{drawn} {of_several} {compressed}");
}
