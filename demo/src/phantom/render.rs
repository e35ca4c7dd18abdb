//! Slices and radiographs of a [`Scene`].

use super::{
    material::{Material, Weighting},
    noise::{Grain, mix, rough},
    scene::{Fill, Scene},
    shape::Point,
};

/// The plane of a picture. Directions are unit vectors along the patient's axes.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    /// Centre of the first pixel, mm (ImagePositionPatient).
    pub origin: Point,
    /// Along a row (first triple of ImageOrientationPatient).
    pub row: Point,
    /// Down a column (second triple).
    pub column: Point,
    /// mm between pixel centres, both ways.
    pub spacing: f32,
    /// Pixels in a row.
    pub columns: usize,
    /// Pixels in a column.
    pub rows: usize,
}

impl Grid {
    /// A square picture of `pixels` by `pixels` around `centre`, `field` mm wide.
    pub fn around(centre: Point, row: Point, column: Point, field: f32, pixels: usize) -> Grid {
        let spacing = field / pixels as f32;
        let half = spacing * (pixels as f32 - 1.0) / 2.0;
        let origin = [0, 1, 2].map(|k| centre[k] - half * (row[k] + column[k]));
        Grid { origin, row, column, spacing, columns: pixels, rows: pixels }
    }

    /// Narrows the picture to `columns` by `rows`, keeping its centre.
    pub fn cropped(mut self, columns: usize, rows: usize) -> Grid {
        let (right, down) = (self.columns as f32 - columns as f32, self.rows as f32 - rows as f32);
        for k in 0..3 {
            self.origin[k] += self.spacing / 2.0 * (right * self.row[k] + down * self.column[k]);
        }
        (self.columns, self.rows) = (columns, rows);
        self
    }

    /// The place of a pixel, in fractions of pixels.
    pub fn at(&self, column: f32, row: f32) -> Point {
        let (u, v) = (column * self.spacing, row * self.spacing);
        [0, 1, 2].map(|k| self.origin[k] + self.row[k] * u + self.column[k] * v)
    }

    /// The pixels (first, one past the last) along `direction` that a box's extent can touch.
    fn reach(&self, direction: Point, low: Point, high: Point, count: usize) -> (usize, usize) {
        let (mut from, mut to) = (0.0, 0.0);
        for k in 0..3 {
            let (a, b) = ((low[k] - self.origin[k]) * direction[k], (high[k] - self.origin[k]) * direction[k]);
            from += a.min(b);
            to += a.max(b);
        }
        let first = (from / self.spacing - 1.0).floor().clamp(0.0, count as f32) as usize;
        let last = (to / self.spacing + 2.0).ceil().clamp(0.0, count as f32) as usize;
        (first, last)
    }

    fn normal_axis(&self) -> usize {
        (0..3).find(|&k| self.row[k] == 0.0 && self.column[k] == 0.0).unwrap_or(2)
    }
}

/// Samples the scene in the plane at twice the resolution and averages `value` over 2 x 2 samples per pixel.
///
/// `value` gets the tissue, the place, and a smooth field in -1..1 of 7 mm grain for texture.
fn sample(scene: &Scene, grid: &Grid, value: impl Fn(Material, Point, f32) -> f32) -> Vec<f32> {
    let fine = Grid {
        origin: grid.at(-0.25, -0.25),
        spacing: grid.spacing / 2.0,
        columns: grid.columns * 2,
        rows: grid.rows * 2,
        ..*grid
    };
    let axis = grid.normal_axis();
    let places = bent_places(scene, &fine, |p| scene.unbent(p));
    let mut tissue = vec![Material::Air; places.len()];
    for item in &scene.items {
        let (low, high) = item.shape.bounds();
        let (low, high) = (low.map(|v| v - scene.wobble), high.map(|v| v + scene.wobble));
        if fine.origin[axis] < low[axis] || fine.origin[axis] > high[axis] {
            continue;
        }
        let (left, right) = fine.reach(fine.row, low, high, fine.columns);
        let (top, bottom) = fine.reach(fine.column, low, high, fine.rows);
        for at in (top..bottom).flat_map(|row| (left..right).map(move |column| row * fine.columns + column)) {
            if item.shape.holds(places[at]) {
                tissue[at] = scene.material(item.fill, places[at]);
            }
        }
    }
    (0..grid.columns * grid.rows)
        .map(|at| {
            let first = (at / grid.columns) * 2 * fine.columns + (at % grid.columns) * 2;
            let corners = [first, first + 1, first + fine.columns, first + fine.columns + 1];
            let texture = rough(places[first], 7.0, scene.seed ^ 0xC7);
            corners.iter().map(|&k| value(tissue[k], places[k], texture)).sum::<f32>() / 4.0
        })
        .collect()
}

/// The places of all pixels in the undisturbed body. The wobble is slow, so it is worked out at every eighth pixel and interpolated.
fn bent_places(scene: &Scene, grid: &Grid, bent: impl Fn(Point) -> Point) -> Vec<Point> {
    const STEP: usize = 8;
    if scene.wobble == 0.0 {
        return (0..grid.columns * grid.rows)
            .map(|at| grid.at((at % grid.columns) as f32, (at / grid.columns) as f32))
            .collect();
    }
    let (wide, tall) = (grid.columns / STEP + 2, grid.rows / STEP + 2);
    let knots: Vec<Point> =
        (0..wide * tall).map(|at| bent(grid.at((at % wide * STEP) as f32, (at / wide * STEP) as f32))).collect();
    (0..grid.columns * grid.rows)
        .map(|at| {
            let (column, row) = (at % grid.columns, at / grid.columns);
            let first = row / STEP * wide + column / STEP;
            let (u, v) = ((column % STEP) as f32 / STEP as f32, (row % STEP) as f32 / STEP as f32);
            [0, 1, 2].map(|k| {
                let above = knots[first][k] + (knots[first + 1][k] - knots[first][k]) * u;
                let below = knots[first + wide][k] + (knots[first + wide + 1][k] - knots[first + wide][k]) * u;
                above + (below - above) * v
            })
        })
        .collect()
}

/// Smooths with (1, 2, 1)/4 both ways, `times` times.
pub fn blur(pixels: &mut [f32], columns: usize, times: usize) {
    let rows = pixels.len() / columns;
    for _ in 0..times {
        for line in pixels.chunks_exact_mut(columns) {
            let mut before = line[0];
            for at in 0..columns {
                let here = line[at];
                let after = line[(at + 1).min(columns - 1)];
                line[at] = (before + 2.0 * here + after) / 4.0;
                before = here;
            }
        }
        let mut above = pixels[..columns].to_vec();
        for row in 0..rows {
            for column in 0..columns {
                let here = pixels[row * columns + column];
                let below = pixels[(row + 1).min(rows - 1) * columns + column];
                pixels[row * columns + column] = (above[column] + 2.0 * here + below) / 4.0;
                above[column] = here;
            }
        }
    }
}

/// How a CT is made.
#[derive(Debug, Clone, Copy)]
pub struct CtLook {
    /// Contrast medium in the portal-venous phase.
    pub enhanced: bool,
    /// Standard deviation of the noise, HU.
    pub noise: f32,
    /// A bone or lung kernel: no smoothing.
    pub sharp: bool,
}

/// A CT slice in HU.
pub fn ct(scene: &Scene, grid: &Grid, look: CtLook, seed: u64) -> Vec<f32> {
    let mut pixels = sample(scene, grid, |material, _, texture| {
        material.hounsfield(look.enhanced) + material.texture() * 9.0 * texture
    });
    let mut grain = Grain::new(mix(seed));
    let mut noise: Vec<f32> = (0..pixels.len()).map(|_| grain.draw() * look.noise * 2.0).collect();
    if !look.sharp {
        blur(&mut pixels, grid.columns, 1);
    }
    blur(&mut noise, grid.columns, 1);
    for (pixel, noise) in pixels.iter_mut().zip(noise) {
        *pixel = (*pixel + noise).max(-1024.0);
    }
    pixels
}

/// An MR slice in arbitrary units, 0 to about 1000: Rician noise, and a coil that is brighter on one side.
pub fn mr(scene: &Scene, grid: &Grid, weighting: Weighting, coil: Point, seed: u64) -> Vec<f32> {
    let mut pixels = sample(scene, grid, |material, p, texture| {
        let uneven = 1.0 + 0.07 * material.texture() * texture;
        let near = 1.0 + (p[0] * coil[0] + p[1] * coil[1] + p[2] * coil[2]) / 1000.0;
        material.signal(weighting) * uneven * near.clamp(0.55, 1.6)
    });
    blur(&mut pixels, grid.columns, 1);
    let mut grain = Grain::new(mix(seed));
    for pixel in &mut pixels {
        let (real, imaginary) = (*pixel + grain.draw() * 14.0, grain.draw() * 14.0);
        *pixel = real.hypot(imaginary);
    }
    pixels
}

fn attenuation(fill: Fill) -> f32 {
    match fill {
        Fill::Solid(material) => material.attenuation(),
        Fill::Brain { .. } => 1.03,
        Fill::Gland { density } => 0.88 + 0.14 * density,
        Fill::AirCells => 0.8,
        Fill::Gut { .. } => 0.45,
    }
}

/// A radiograph: the way through the body along the grid's normal, each mm weighted by the tissue's attenuation (mm of water).
pub fn radiograph(scene: &Scene, grid: &Grid) -> Vec<f32> {
    let axis = grid.normal_axis();
    let places = bent_places(scene, grid, |p| {
        let mut bent = scene.unbent(p);
        bent[axis] = p[axis];
        bent
    });
    let around = |low: Point, high: Point| {
        let (low, high) = (low.map(|v| v - scene.wobble), high.map(|v| v + scene.wobble));
        (grid.reach(grid.row, low, high, grid.columns), grid.reach(grid.column, low, high, grid.rows))
    };
    let mut pixels = vec![0.0_f32; places.len()];

    let solid: Vec<_> = scene.items.iter().rev().filter(|item| item.group == 0).collect();
    let boxes: Vec<_> = solid
        .iter()
        .map(|item| {
            let (low, high) = item.shape.bounds();
            around(low, high)
        })
        .collect();
    let mut covered: Vec<(f32, f32)> = Vec::with_capacity(32);
    for row in 0..grid.rows {
        let here: Vec<usize> = (0..solid.len()).filter(|&k| boxes[k].1.0 <= row && row < boxes[k].1.1).collect();
        for column in 0..grid.columns {
            let at = row * grid.columns + column;
            covered.clear();
            for &k in here.iter().filter(|&&k| boxes[k].0.0 <= column && column < boxes[k].0.1) {
                if let Some((enter, leave)) = solid[k].shape.span(places[at], axis) {
                    pixels[at] += attenuation(solid[k].fill) * cover(&mut covered, enter, leave);
                }
            }
        }
    }

    let mut longest = vec![0.0_f32; places.len()];
    let grouped: Vec<_> = scene.items.iter().filter(|item| item.group > 0).collect();
    for items in grouped.chunk_by(|a, b| a.group == b.group) {
        let weight = attenuation(items[0].fill) - items[0].host.attenuation();
        for adding in [false, true] {
            for item in items {
                let (low, high) = item.shape.bounds();
                let ((left, right), (top, bottom)) = around(low, high);
                for at in (top..bottom).flat_map(|row| (left..right).map(move |column| row * grid.columns + column)) {
                    if adding {
                        pixels[at] += weight * std::mem::take(&mut longest[at]);
                    } else if let Some((enter, leave)) = item.shape.span(places[at], axis) {
                        longest[at] = longest[at].max(leave - enter);
                    }
                }
            }
        }
    }
    pixels
}

/// Adds an interval to a set of disjoint ones; returns how much of it was new.
fn cover(covered: &mut Vec<(f32, f32)>, mut enter: f32, mut leave: f32) -> f32 {
    let mut fresh = leave - enter;
    let mut at = 0;
    while at < covered.len() {
        let (a, b) = covered[at];
        if b < enter || a > leave {
            at += 1;
            continue;
        }
        fresh -= (b.min(leave) - a.max(enter)).max(0.0);
        enter = enter.min(a);
        leave = leave.max(b);
        covered.swap_remove(at);
        // The intervals are disjoint, so what the grown one meets now, the given one met too.
        at = 0;
    }
    covered.push((enter, leave));
    fresh.max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::phantom::shape::Shape;

    #[test]
    fn covering_counts_each_millimetre_once() {
        let mut covered = Vec::new();
        assert_eq!(cover(&mut covered, 0.0, 10.0), 10.0);
        assert_eq!(cover(&mut covered, 20.0, 30.0), 10.0);
        assert_eq!(cover(&mut covered, 5.0, 25.0), 10.0);
        assert_eq!(cover(&mut covered, 2.0, 28.0), 0.0);
        assert_eq!(cover(&mut covered, -5.0, 35.0), 10.0);
    }

    #[test]
    fn a_slice_shows_the_tissue_where_the_geometry_says() {
        let mut scene = Scene::new(1, 0.0);
        scene.put(Shape::ball([0.0, 0.0, 0.0], [100.0, 100.0, 100.0]), Material::Soft);
        scene.put(Shape::ball([40.0, -30.0, 0.0], [10.0, 10.0, 10.0]), Material::Bone);
        let grid = Grid::around([0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 0.0], 256.0, 256);
        let look = CtLook { enhanced: false, noise: 0.0, sharp: true };
        let slice = ct(&scene, &grid, look, 1);
        let column = ((40.0 - grid.origin[0]) / grid.spacing).round() as usize;
        let row = ((-30.0 - grid.origin[1]) / grid.spacing).round() as usize;
        assert!((slice[row * 256 + column] - 950.0).abs() < 20.0);
        assert!((slice[128 * 256 + 128] - 40.0).abs() < 20.0);
        assert!(slice[0] < -990.0);
    }
}
