//! Pictures as PNG.

use super::attributes::File;
use super::frames;
use super::{RenderError, View, colour, grey};

/// 8-bit samples, `channels` (1 or 3) per pixel.
struct Picture {
    cols: usize,
    rows: usize,
    channels: usize,
    bytes: Vec<u8>,
}

pub(super) fn png(file: &File<'_>, frame: u32, view: &View) -> Result<Vec<u8>, RenderError> {
    encode(&picture(file, frame, view)?)
}

/// As JPEG, with `quality` from 1 to 100.
pub(super) fn jpeg(file: &File<'_>, frame: u32, view: &View, quality: u8) -> Result<Vec<u8>, RenderError> {
    let picture = picture(file, frame, view)?;
    let side = |side: usize| u16::try_from(side).map_err(|_| RenderError::Implausible);
    let colour = if picture.channels == 1 { jpeg_encoder::ColorType::Luma } else { jpeg_encoder::ColorType::Rgb };
    let mut out = Vec::new();
    jpeg_encoder::Encoder::new(&mut out, quality.clamp(1, 100))
        .encode(&picture.bytes, side(picture.cols)?, side(picture.rows)?, colour)
        .map_err(|_| RenderError::Damaged)?;
    Ok(out)
}

fn picture(file: &File<'_>, frame: u32, view: &View) -> Result<Picture, RenderError> {
    let frames = frames::locate(file)?;
    let (cols, rows) = (frames.format.cols, frames.format.rows);
    let (channels, bytes) = if frames.format.is_grey() {
        (1, grey::levels(file, &frames, frame, view)?)
    } else {
        (3, colour::rgb(file, &frames, frame, view.invert)?)
    };
    let mut picture = Picture { cols, rows, channels, bytes };
    if let Some(max) = view.max_size {
        picture = shrink(picture, max.max(1) as usize);
    }
    Ok(picture)
}

/// Averages areas so that the longest side is at most `max` pixels.
fn shrink(from: Picture, max: usize) -> Picture {
    let longest = from.cols.max(from.rows);
    if longest <= max {
        return from;
    }
    let cols = (from.cols * max / longest).max(1);
    let rows = (from.rows * max / longest).max(1);
    let mut bytes = Vec::with_capacity(cols * rows * from.channels);
    for row in 0..rows {
        let down = row * from.rows / rows..(row + 1) * from.rows / rows;
        for col in 0..cols {
            let across = col * from.cols / cols..(col + 1) * from.cols / cols;
            let count = (down.len() * across.len()) as u64;
            for channel in 0..from.channels {
                let sum: u64 = down
                    .clone()
                    .flat_map(|y| across.clone().map(move |x| (y, x)))
                    .map(|(y, x)| u64::from(from.bytes[(y * from.cols + x) * from.channels + channel]))
                    .sum();
                bytes.push(((sum + count / 2) / count) as u8);
            }
        }
    }
    Picture { cols, rows, channels: from.channels, bytes }
}

fn encode(picture: &Picture) -> Result<Vec<u8>, RenderError> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, picture.cols as u32, picture.rows as u32);
    encoder.set_color(if picture.channels == 1 { png::ColorType::Grayscale } else { png::ColorType::Rgb });
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&picture.bytes)?;
        writer.finish()
    });
    written.map(|()| out).map_err(|_| RenderError::Implausible)
}
