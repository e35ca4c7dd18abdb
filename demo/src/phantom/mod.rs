//! Pictures of invented bodies.
//!
//! One body is one list of shapes ([`scene`]); a CT or MR slice cuts it and a
//! radiograph shines through it, so both show the same anatomy at the same
//! place. Everything is a function of its arguments: the same [`Picture`] gives
//! the same pixels. No picture is, or comes from, an image of a person.

pub mod bodies;
mod burn;
pub mod flat;
pub mod material;
pub mod noise;
pub mod render;
pub mod scene;
pub mod shape;

use bodies::{Build, chest::Arms, head::HeadFinding};
use flat::{MammoView, Pose};
use material::Weighting;
use render::{CtLook, Grid};
use scene::Scene;

/// Which body.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Body {
    /// Chest; arms down for radiographs, up for CT.
    Chest(Arms),
    /// Abdomen.
    Abdomen,
    /// Pelvis.
    Pelvis,
    /// Head, with what it shows if the build has a finding.
    Head(HeadFinding),
    /// A knee.
    Knee {
        /// The left one.
        left: bool,
    },
    /// Lumbar spine.
    Lumbar,
}

impl Body {
    /// The body as shapes.
    pub fn scene(self, build: &Build) -> Scene {
        match self {
            Body::Chest(arms) => bodies::chest::chest(build, arms),
            Body::Abdomen => bodies::abdomen::abdomen(build),
            Body::Pelvis => bodies::pelvis::pelvis(build),
            Body::Head(finding) => bodies::head::head(build, finding),
            Body::Knee { left: true } => bodies::knee::left_knee(build),
            Body::Knee { left: false } => bodies::knee::left_knee(build).mirrored(),
            Body::Lumbar => bodies::spine::lumbar(build),
        }
    }
}

/// How a radiograph's attenuation becomes grey.
#[derive(Debug, Clone, Copy)]
pub struct Tone {
    /// mm of water that is still black.
    pub black: f32,
    /// mm of water over which brightness climbs by 63 % of what is left.
    pub climb: f32,
}

/// What is pictured, and how.
#[derive(Debug, Clone)]
pub enum Picture {
    /// A CT slice.
    Ct { body: Body, grid: Grid, look: CtLook },
    /// An MR slice; `coil` is the brightness gradient per metre.
    Mr { body: Body, grid: Grid, weighting: Weighting, coil: [f32; 3] },
    /// A radiograph; `letter` is the lead marker, `view` the projection (`PA`, `AP`, `LL`).
    Radiograph { body: Body, grid: Grid, tone: Tone, letter: &'static str, view: &'static str },
    /// A mammogram.
    Mammogram { left: bool, view: MammoView, columns: usize, rows: usize, spacing: f32 },
    /// A barium study of the stomach.
    Stomach { grid: Grid, pose: Pose },
    /// A whole-body bone scan, front then back, as two frames.
    BoneScan { columns: usize, rows: usize },
}

/// Pixels in the picture's own unit: HU for CT, arbitrary for MR, 0..4095 for radiographs, counts for bone scans. Frames follow one another.
#[derive(Debug, Clone)]
pub struct Raster {
    /// Pixels in a row.
    pub columns: usize,
    /// Pixels in a column of one frame.
    pub rows: usize,
    /// Frames.
    pub frames: usize,
    /// Row by row, frame by frame.
    pub values: Vec<f32>,
}

const MARK: &str = "DEMO";

impl Picture {
    /// Draws the picture of this patient; `seed` makes the noise of this one exposure or slice. "DEMO" is in the pixels.
    pub fn draw(&self, build: &Build, seed: u64) -> Raster {
        match *self {
            Picture::Ct { body, ref grid, look } => {
                let mut values = render::ct(&body.scene(build), grid, look, seed);
                burn::burn(&mut values, grid.columns, MARK, (8, 8), 2, 1500.0);
                Raster { columns: grid.columns, rows: grid.rows, frames: 1, values }
            }
            Picture::Mr { body, ref grid, weighting, coil } => {
                let mut values = render::mr(&body.scene(build), grid, weighting, coil, seed);
                burn::burn(&mut values, grid.columns, MARK, (8, 8), 2, 1100.0);
                Raster { columns: grid.columns, rows: grid.rows, frames: 1, values }
            }
            Picture::Radiograph { body, ref grid, tone, letter, .. } => {
                let water = render::radiograph(&body.scene(build), grid);
                let mut values = expose(water, grid.columns, tone, seed);
                burn::burn(&mut values, grid.columns, MARK, (24, 24), 7, 4095.0);
                let place = (grid.columns - burn::width(letter, 8) - 30, 24);
                burn::burn(&mut values, grid.columns, letter, place, 8, 4095.0);
                Raster { columns: grid.columns, rows: grid.rows, frames: 1, values }
            }
            Picture::Mammogram { left, view, columns, rows, spacing } => {
                let mut values = flat::mammogram(build, left, view, (columns, rows), spacing);
                let side = if left { "L" } else { "R" };
                let text = format!("{side}-{}", if view == MammoView::Cc { "CC" } else { "MLO" });
                // The marks lie on the side away from the chest wall.
                let edge = |text: &str| if left { columns - burn::width(text, 5) - 20 } else { 20 };
                burn::burn(&mut values, columns, &text, (edge(&text), 20), 5, 3900.0);
                burn::burn(&mut values, columns, MARK, (edge(MARK), rows - 60), 5, 3900.0);
                Raster { columns, rows, frames: 1, values }
            }
            Picture::Stomach { ref grid, pose } => {
                let mut water = render::radiograph(&Body::Abdomen.scene(&Build { finding: false, ..*build }), grid);
                let corner = (grid.origin[0], -(grid.origin[2] - 40.0));
                flat::barium(&mut water, grid.columns, corner, grid.spacing, build, pose);
                let mut values = expose(water, grid.columns, Tone { black: 95.0, climb: 150.0 }, seed);
                burn::burn(&mut values, grid.columns, MARK, (16, 16), 4, 4095.0);
                Raster { columns: grid.columns, rows: grid.rows, frames: 1, values }
            }
            Picture::BoneScan { columns, rows } => {
                let mut values = Vec::with_capacity(2 * columns * rows);
                for from_behind in [false, true] {
                    let mut frame = flat::bone_scan(build, from_behind, (columns, rows));
                    burn::burn(&mut frame, columns, MARK, (6, 6), 2, 90.0);
                    values.extend(frame);
                }
                Raster { columns, rows, frames: 2, values }
            }
        }
    }
}

/// From mm of water to 0..4095: noise of the photons, softness of the plate, and a curve that keeps both lung and spine in view.
fn expose(mut water: Vec<f32>, columns: usize, tone: Tone, seed: u64) -> Vec<f32> {
    render::blur(&mut water, columns, 2);
    let mut grain = noise::Grain::new(noise::mix(seed));
    for pixel in &mut water {
        let dense = ((*pixel - tone.black) / tone.climb).max(0.0);
        let bright = 1.0 - (-dense).exp();
        *pixel = 90.0 + 3850.0 * bright + grain.draw() * (16.0 + 22.0 * bright);
    }
    render::blur(&mut water, columns, 1);
    water.iter().map(|value| value.clamp(0.0, 4095.0)).collect()
}
