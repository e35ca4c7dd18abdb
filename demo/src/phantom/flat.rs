//! Pictures that are drawn in the plane: mammograms, barium studies of the stomach, bone scans.

use super::{
    bodies::Build,
    noise::{Grain, mix, rough, smooth},
};

/// A mammogram's projection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MammoView {
    /// Cranio-caudal.
    Cc,
    /// Medio-lateral oblique.
    Mlo,
}

/// How the patient lies for a picture of the stomach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pose {
    /// Standing, barium filled.
    UprightFilled,
    /// On the back, double contrast: gas in body and antrum, barium in the fundus.
    Supine,
    /// Face down: barium in body and antrum, gas in the fundus.
    Prone,
    /// Standing, double contrast of the fundus.
    UprightFundus,
}

fn soft_step(distance: f32, edge: f32) -> f32 {
    (0.5 - distance / edge).clamp(0.0, 1.0)
}

/// A mammogram, 0..4095, dense tissue bright, `columns` x `rows` at `spacing` mm; the chest wall is at the left edge for the left breast and at the right edge for the right one.
pub fn mammogram(build: &Build, left: bool, view: MammoView, size: (usize, usize), spacing: f32) -> Vec<f32> {
    let (columns, rows) = size;
    let seed = (build.seed as u32) ^ if left { 0x1E } else { 0x2F };
    let dense = (0.75 - 0.009 * (build.age as f32 - 30.0) + 0.2 * build.swing(3)).clamp(0.12, 0.9);
    let reach = 92.0 + 28.0 * build.chance(4);
    let middle = rows as f32 * spacing * if view == MammoView::Cc { 0.5 } else { 0.56 };
    let half = 82.0 + 16.0 * build.chance(5);
    let mut grain = Grain::new(build.seed ^ u64::from(seed) ^ view as u64);
    let slot = if left { 0.0 } else { 400.0 };
    let mut pixels: Vec<f32> = (0..columns * rows)
        .map(|at| {
            let across = if left { at % columns } else { columns - 1 - at % columns } as f32 * spacing;
            let down = (at / columns) as f32 * spacing;
            let here = [across, down, slot + 50.0 * view as u8 as f32];
            let sag = if view == MammoView::Mlo { 12.0 } else { 0.0 };
            let d = (down - middle - sag * across / reach) / half;
            let edge = reach * (1.0 - d.abs().powf(2.3)).max(0.0).powf(0.6) + 2.0 * smooth(here, 30.0, seed);
            let mut value = 40.0;
            if across < edge {
                // Compressed to even thickness, thinning to the skin.
                let thick = ((edge - across) / 16.0).min(1.0).sqrt();
                let skin = 380.0 * soft_step((edge - across - 1.2).abs() - 0.8, 1.2);
                value = 620.0 * thick + 260.0 + skin;
                let strands = 1.0
                    - (smooth([across + 6.0 * smooth(here, 20.0, seed ^ 5), down * 1.3, here[2]], 13.0, seed ^ 6)
                        .abs()
                        * 7.0)
                        .min(1.0);
                value += 150.0 * strands * (0.5 + 0.5 * smooth(here, 11.0, seed ^ 7)).max(0.0) * thick;
                // Gland: a cone whose tip is the nipple.
                let (gx, gy) = ((across - reach * 0.50) / (reach * 0.42), (down - middle - sag * 0.6) / (half * 0.62));
                let inside = (1.25 - gx * gx - gy * gy).clamp(0.0, 1.0);
                let cloud = (rough(here, 24.0, seed ^ 9) + 0.75 * rough(here, 8.0, seed ^ 10) + 2.4 * dense - 0.9)
                    .clamp(0.0, 1.6);
                value += 1150.0 * inside * cloud * thick;
                let nipple = (across - edge + 5.0).hypot(down - middle - sag);
                value += 520.0 * soft_step(nipple - 5.0, 3.0);
            }
            if view == MammoView::Mlo {
                let muscle = across / 52.0 + down / (middle * 1.15);
                value += 1250.0
                    * soft_step(muscle - 1.0 + 0.02 * smooth(here, 14.0, seed ^ 12), 0.05)
                    * (1.0 - 0.2 * muscle);
                let node = (across - 30.0).hypot((down - 34.0) * 0.8);
                value += 420.0 * soft_step(node - 6.0, 2.0);
            }
            if build.finding && left == (build.chance(10) < 0.5) {
                let (mx, my) = (across - reach * 0.55, down - middle + 16.0);
                let turn = my.atan2(mx);
                let spiky = 8.0
                    + 0.8 * (turn * 5.0 + 0.7).sin()
                    + 0.7 * (turn * 13.0).sin()
                    + 3.5 * smooth(here, 5.0, seed ^ 15);
                value += 800.0 * soft_step(mx.hypot(my) - spiky, 6.0);
            }
            value
        })
        .collect();
    if build.finding && left == (build.chance(10) < 0.5) {
        for k in 0..16_u64 {
            let (x, y) = (reach * 0.55 + 9.0 * build.swing(70 + k), middle - 16.0 + 9.0 * build.swing(90 + k));
            let column = (x / spacing) as usize;
            let column = if left { column } else { columns - 1 - column.min(columns - 1) };
            let at = (y / spacing) as usize * columns + column;
            for dot in [at, at + 1, at + columns] {
                if let Some(pixel) = pixels.get_mut(dot) {
                    *pixel += 1300.0;
                }
            }
        }
    }
    super::render::blur(&mut pixels, columns, 1);
    for pixel in &mut pixels {
        *pixel = (*pixel + grain.draw() * 22.0).clamp(0.0, 4095.0);
    }
    pixels
}

/// The outline of a J-shaped stomach: centre line and half width in mm, from the fundus to the duodenum; x to the patient's left, y down.
const STOMACH: [(f32, f32, f32); 10] = [
    (52.0, -96.0, 28.0),
    (53.0, -74.0, 35.0),
    (49.0, -44.0, 33.0),
    (43.0, -12.0, 29.0),
    (33.0, 20.0, 28.0),
    (14.0, 46.0, 27.0),
    (-12.0, 50.0, 22.0),
    (-32.0, 36.0, 15.0),
    (-44.0, 24.0, 6.0),
    (-56.0, 14.0, 15.0),
];

/// Distance to the stomach's wall (negative inside), how far along it (0..1), and the signed place across.
fn in_stomach(x: f32, y: f32, widen: f32) -> (f32, f32, f32) {
    let mut best = (f32::MAX, 0.0, 0.0);
    for (k, pair) in STOMACH.windows(2).enumerate() {
        let ((ax, ay, ar), (bx, by, br)) = (pair[0], pair[1]);
        let (dx, dy) = (bx - ax, by - ay);
        let t = (((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)).clamp(0.0, 1.0);
        let (px, py) = (x - ax - t * dx, y - ay - t * dy);
        let away = px.hypot(py);
        let distance = away - (ar + (br - ar) * t) * widen;
        if distance < best.0 {
            best = (distance, (k as f32 + t) / 9.0, away * (dx * py - dy * px).signum());
        }
    }
    best
}

/// Lays barium over a radiograph of the upper abdomen (mm of water, as [`super::render::radiograph`] gives): `x0`, `y0` are the stomach's own coordinates of the first pixel, mm.
pub fn barium(water_mm: &mut [f32], columns: usize, (x0, y0): (f32, f32), spacing: f32, build: &Build, pose: Pose) {
    let seed = build.seed as u32;
    let widen = 0.9 + 0.16 * build.chance(6);
    for (at, pixel) in water_mm.iter_mut().enumerate() {
        let (x, y) = (x0 + (at % columns) as f32 * spacing, y0 + (at / columns) as f32 * spacing);
        let here = [x, y, 7.0 * pose as u8 as f32];
        let (x, y) = (x + 4.0 * smooth(here, 38.0, seed), y + 4.0 * smooth(here, 38.0, seed ^ 1));
        let (mut distance, along, across) = in_stomach(x, y, widen);
        if build.finding {
            // An ulcer niche on the lesser curvature, with converging folds.
            distance = distance.min((x - 12.0).hypot(y - 6.0) - 6.5);
        }
        let body = (0.22..0.62).contains(&along);
        if pose == Pose::UprightFilled {
            distance += if along > 0.6 { 1.6 * (along * 60.0).sin() } else { 0.0 };
        }
        // Oesophagus.
        let gullet = (x - 22.0 - (y + 90.0) * 0.28).abs() - 4.5;
        if y < -72.0 && distance > 0.0 && gullet < 0.0 {
            *pixel += 26.0 * soft_step(gullet + 1.0, 2.0);
        }
        if distance > 1.0 {
            continue;
        }
        let inside = soft_step(distance, 1.6);
        let depth = (-distance).max(0.0);
        let filled = match pose {
            Pose::UprightFilled => soft_step(-(y + 62.0), 1.0),
            Pose::Supine => soft_step(along - 0.20 - 0.02 * smooth(here, 12.0, seed ^ 2), 0.05),
            Pose::Prone => soft_step(0.24 - along, 0.05),
            Pose::UprightFundus => soft_step(-(y - 34.0), 1.0),
        };
        let pool = (depth * 2.6).min(34.0) * 3.2 + 26.0;
        // Double contrast: a bright outline and coated folds on a lucent ground.
        let rim = 46.0 * soft_step((depth - 1.0).abs() - 0.9, 0.9);
        let fold = if body {
            15.0 * soft_step((across * 0.62 + 1.6 * smooth(here, 16.0, seed ^ 3)).sin().abs() - 0.28, 0.25)
        } else {
            0.0
        };
        let area = 4.0 * rough(here, 4.5, seed ^ 4) + 8.0;
        let gas = rim + fold + area - (depth * 1.5).min(30.0);
        *pixel += inside * (filled * pool + (1.0 - filled) * gas);
    }
}

/// Counts of a whole-body bone scan, `columns` x `rows`, from the front or the back.
pub fn bone_scan(build: &Build, from_behind: bool, (columns, rows): (usize, usize)) -> Vec<f32> {
    let tall = rows as f32;
    let side = if from_behind { -1.0 } else { 1.0 };
    let mut pixels = vec![0.0_f32; columns * rows];
    // Places as shares of body height: x from the midline, y from the vertex.
    let mut spot = |x: f32, y: f32, wide: f32, high: f32, counts: f32| {
        let (cx, cy) = (columns as f32 / 2.0 + side * x * tall, y * tall);
        let (rx, ry) = (wide * tall, high * tall);
        let (x0, x1) = ((cx - 3.0 * rx).max(0.0) as usize, ((cx + 3.0 * rx).max(0.0) as usize).min(columns));
        let (y0, y1) = ((cy - 3.0 * ry).max(0.0) as usize, ((cy + 3.0 * ry).max(0.0) as usize).min(rows));
        for (py, px) in (y0..y1).flat_map(|py| (x0..x1).map(move |px| (py, px))) {
            let (dx, dy) = ((px as f32 + 0.5 - cx) / rx, (py as f32 + 0.5 - cy) / ry);
            pixels[py * columns + px] += counts * (-(dx * dx + dy * dy)).exp();
        }
    };
    let line =
        |spot: &mut dyn FnMut(f32, f32, f32, f32, f32), from: (f32, f32), to: (f32, f32), wide: f32, counts: f32| {
            for step in 0..=40 {
                let t = step as f32 / 40.0;
                spot(from.0 + (to.0 - from.0) * t, from.1 + (to.1 - from.1) * t, wide, wide, counts);
            }
        };
    spot(0.0, 0.5, 0.075, 0.30, 5.0);
    spot(0.0, 0.075, 0.040, 0.050, 24.0);
    spot(0.0, 0.115, 0.028, 0.020, 22.0);
    let back = if from_behind { 1.5 } else { 0.8 };
    for k in 0..24 {
        spot(0.0, 0.16 + 0.0135 * k as f32, 0.011 + 0.0002 * k as f32, 0.006, 26.0 * back);
    }
    for s in [-1.0_f32, 1.0] {
        for k in 0..10 {
            let y = 0.20 + 0.0165 * k as f32;
            let wide = 0.062 + 0.030 * (1.0 - (k as f32 / 6.0 - 1.0).powi(2));
            for step in 0..24 {
                let turn = step as f32 / 23.0 * 1.55;
                spot(
                    s * wide * turn.sin(),
                    y + 0.012 * (1.0 - turn.cos()) * if from_behind { 1.0 } else { -1.0 },
                    0.0038,
                    0.0038,
                    9.0,
                );
            }
        }
        line(&mut spot, (s * 0.012, 0.195), (s * 0.095, 0.185), 0.006, 5.0);
        spot(s * 0.108, 0.198, 0.013, 0.013, 40.0);
        line(&mut spot, (s * 0.112, 0.21), (s * 0.135, 0.36), 0.008, 3.2);
        spot(s * 0.136, 0.365, 0.010, 0.010, 22.0);
        line(&mut spot, (s * 0.138, 0.37), (s * 0.150, 0.49), 0.007, 2.6);
        spot(s * 0.153, 0.515, 0.014, 0.022, 14.0);
        spot(s * 0.058, 0.475, 0.026, 0.026, if from_behind { 30.0 } else { 26.0 });
        spot(s * 0.026, 0.482, 0.010, 0.022, 28.0 * back);
        spot(s * 0.030, 0.545, 0.014, 0.014, 18.0);
        spot(s * 0.082, 0.528, 0.013, 0.014, 24.0);
        line(&mut spot, (s * 0.085, 0.54), (s * 0.055, 0.73), 0.010, 3.4);
        spot(s * 0.055, 0.742, 0.019, 0.017, 34.0);
        line(&mut spot, (s * 0.055, 0.76), (s * 0.050, 0.92), 0.009, 3.0);
        spot(s * 0.050, 0.945, 0.014, 0.018, 24.0);
        if from_behind {
            spot(s * 0.036, 0.395, 0.014, 0.022, 26.0);
            spot(s * 0.060, 0.25, 0.018, 0.022, 14.0);
        }
    }
    if from_behind {
        spot(0.0, 0.50, 0.020, 0.026, 34.0);
    } else {
        line(&mut spot, (0.0, 0.20), (0.0, 0.28), 0.008, 4.5);
        spot(0.0, 0.525, 0.020, 0.015, 70.0);
    }
    if build.finding {
        for k in 0..5_u64 {
            let (x, y) = (0.05 * build.swing(20 + k), 0.20 + 0.30 * build.chance(30 + k));
            spot(x, y, 0.009, 0.009, 70.0);
        }
        spot(0.075, 0.60, 0.010, 0.014, 60.0);
    }
    let mut grain = Grain::new(mix(build.seed ^ u64::from(from_behind)));
    for pixel in &mut pixels {
        *pixel = (*pixel + pixel.max(0.4).sqrt() * grain.draw()).max(0.0).round();
    }
    pixels
}
