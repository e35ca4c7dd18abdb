//! Writes the middle image of each series of each procedure into a folder, as DICOM and as PNG, to look at the phantoms and to validate the files.
//!
//! `cargo run --example gallery -- FOLDER [SEED]`

use std::{collections::HashSet, error::Error, fs, path::Path};

use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use dokuei_demo::{day, dicom::Instance};

fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let folder = words.next().ok_or("give a folder")?;
    let seed = words.next().map_or(Ok(1), |word| word.parse())?;
    fs::create_dir_all(&folder)?;
    let start = chrono::NaiveDate::from_ymd_opt(2026, 11, 21).and_then(|date| date.and_hms_opt(8, 30, 0));
    let mut seen = HashSet::new();
    for exam in day(seed, start.ok_or("no such day")?, Some(1500)) {
        let study = &exam.study;
        if !seen.insert(study.description.replace(['右', '左'], "")) {
            continue;
        }
        for (at, series) in study.series.iter().enumerate() {
            let middle = series.pictures.len() / 2;
            let chosen: Vec<Instance> = match series.modality {
                "CT" | "MR" => Instance::of_series(study, at).skip(middle).take(1).collect(),
                _ => Instance::of_series(study, at).collect(),
            };
            for instance in chosen {
                let protocol = series.protocol.replace([' ', '-'], "_");
                let name = format!("{}_{protocol}_{}_{}", series.modality, series.number, instance.number());
                fs::write(Path::new(&folder).join(format!("{name}.dcm")), instance.part10()?)?;
                write_png(&Path::new(&folder).join(format!("{name}.png")), &instance.data_set())?;
                println!("{name} {} {:?} {}", exam.site, exam.twist, study.build.finding);
            }
        }
    }
    Ok(())
}

fn write_png(path: &Path, set: &InMemDicomObject) -> Result<(), Box<dyn Error>> {
    let real = |tag| set.element_opt(tag).ok().flatten().and_then(|element| element.to_float32().ok());
    let whole = |tag| real(tag).unwrap_or(1.0) as u32;
    let (centre, width) = (real(tags::WINDOW_CENTER).unwrap_or(2048.0), real(tags::WINDOW_WIDTH).unwrap_or(4096.0));
    let intercept = real(tags::RESCALE_INTERCEPT).unwrap_or(0.0);
    let turned = set.element(tags::PHOTOMETRIC_INTERPRETATION)?.to_str()?.starts_with("MONOCHROME1");
    let grey: Vec<u8> = set
        .element(tags::PIXEL_DATA)?
        .to_multi_int::<i32>()?
        .into_iter()
        .map(|stored| {
            let grey = ((stored as f32 + intercept - centre) / width + 0.5).clamp(0.0, 1.0) * 255.0;
            if turned { 255 - grey as u8 } else { grey as u8 }
        })
        .collect();
    let mut encoder = png::Encoder::new(
        std::io::BufWriter::new(fs::File::create(path)?),
        whole(tags::COLUMNS),
        whole(tags::ROWS) * whole(tags::NUMBER_OF_FRAMES),
    );
    encoder.set_color(png::ColorType::Grayscale);
    encoder.write_header()?.write_image_data(&grey)?;
    Ok(())
}
