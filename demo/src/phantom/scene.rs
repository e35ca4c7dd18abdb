//! A body as an ordered list of filled shapes: what comes later replaces what lies there.

use super::{
    material::Material,
    noise::{mix, rough, smooth},
    shape::{Point, Shape},
};

/// What a shape is filled with.
#[derive(Debug, Clone, Copy)]
pub enum Fill {
    /// One tissue.
    Solid(Material),
    /// Folded cortex over white matter in an ellipsoid, sulci with CSF between; `atrophy` 0..1 widens them.
    Brain { centre: Point, radii: Point, atrophy: f32 },
    /// Glandular tissue in fat; `density` 0..1.
    Gland { density: f32 },
    /// Air cells with bony walls (mastoid, ethmoid).
    AirCells,
    /// Gut contents: gas in front (patient lies on the back), stool and fluid behind; the level is a y coordinate.
    Gut { level: f32 },
}

/// A filled shape.
#[derive(Debug, Clone, Copy)]
pub struct Item {
    /// Where.
    pub shape: Shape,
    /// Of what.
    pub fill: Fill,
    /// For radiographs: 0 replaces what lies there along the ray; items of one group above 0 add their longest way through any of them, over `host`.
    pub group: u16,
    /// The tissue that a grouped item lies in.
    pub host: Material,
}

/// A body.
#[derive(Debug, Clone)]
pub struct Scene {
    /// In painting order.
    pub items: Vec<Item>,
    /// Varies texture and outline from patient to patient.
    pub seed: u32,
    /// How far outlines wander, mm.
    pub wobble: f32,
    next_group: u16,
}

impl Scene {
    /// An empty body.
    pub fn new(seed: u64, wobble: f32) -> Scene {
        Scene { items: Vec::new(), seed: mix(seed) as u32, wobble, next_group: 1 }
    }

    /// Puts a shape of one tissue.
    pub fn put(&mut self, shape: Shape, material: Material) {
        self.fill(shape, Fill::Solid(material));
    }

    /// Puts a shape with any filling.
    pub fn fill(&mut self, shape: Shape, fill: Fill) {
        self.items.push(Item { shape, fill, group: 0, host: Material::Air });
    }

    /// Puts the same shape on both sides: as given, and mirrored in x.
    pub fn put_both(&mut self, shape: Shape, material: Material) {
        self.put(shape, material);
        self.put(mirrored(shape), material);
    }

    /// Puts shapes of one tissue that a radiograph adds as one thing over `host`.
    pub fn put_group(&mut self, shapes: &[Shape], material: Material, host: Material) {
        let group = self.next_group;
        self.next_group += 1;
        self.items.extend(shapes.iter().map(|&shape| Item { shape, fill: Fill::Solid(material), group, host }));
    }

    /// A bone of tubes: cortex outside, marrow inside.
    pub fn put_bone(&mut self, line: &[Point], radius: f32, cortex: f32) {
        let tubes = |r: f32| line.windows(2).map(|w| Shape::tube(w[0], w[1], r)).collect::<Vec<_>>();
        self.put_group(&tubes(radius), Material::Bone, Material::Soft);
        if radius > cortex {
            self.put_group(&tubes(radius - cortex), Material::Marrow, Material::Bone);
        }
    }

    /// The tissue that a fill has at a point.
    pub fn material(&self, fill: Fill, p: Point) -> Material {
        match fill {
            Fill::Solid(material) => material,
            Fill::Brain { centre, radii, atrophy } => brain(p, centre, radii, atrophy, self.seed),
            Fill::Gland { density } => {
                if rough(p, 22.0, self.seed ^ 0x91) < density * 1.2 - 0.6 {
                    Material::Soft
                } else {
                    Material::Fat
                }
            }
            Fill::AirCells => {
                if smooth(p, 4.2, self.seed ^ 0x77) > 0.05 {
                    Material::Air
                } else {
                    Material::Marrow
                }
            }
            Fill::Gut { level } => {
                if p[1] < level {
                    Material::Air
                } else if smooth(p, 9.0, self.seed ^ 0x33) > 0.1 {
                    Material::Fluid
                } else {
                    Material::Stool
                }
            }
        }
    }

    /// Where a point of the picture lies in the undisturbed body: outlines wander by [`Scene::wobble`].
    pub fn unbent(&self, p: Point) -> Point {
        if self.wobble == 0.0 {
            return p;
        }
        let shift = |salt: u32| self.wobble * smooth(p, 34.0, self.seed ^ salt);
        [p[0] + shift(1), p[1] + shift(2), p[2] + shift(3)]
    }

    /// The whole body, larger or smaller about the origin.
    pub fn scaled(mut self, factor: f32) -> Scene {
        for item in &mut self.items {
            item.shape = item.shape.scaled(factor);
            if let Fill::Brain { centre, radii, .. } = &mut item.fill {
                *centre = centre.map(|v| v * factor);
                *radii = radii.map(|v| v * factor);
            }
            if let Fill::Gut { level } = &mut item.fill {
                *level *= factor;
            }
        }
        self
    }

    /// The whole body mirrored in x: a left knee from a right one.
    pub fn mirrored(mut self) -> Scene {
        for item in &mut self.items {
            item.shape = mirrored(item.shape);
        }
        self
    }
}

/// A shape mirrored in x. Balls turned about x keep their turn; those turned about y or z turn the other way.
pub fn mirrored(shape: Shape) -> Shape {
    let flip = |v: Point| [-v[0], v[1], v[2]];
    match shape {
        Shape::Ball { centre, radii, turned } => Shape::Ball { centre: flip(centre), radii, turned: turned.mirrored() },
        Shape::Block { centre, half, in_plane, along_z } => {
            Shape::Block { centre: flip(centre), half, in_plane, along_z }
        }
        Shape::Tube { from, to, radius } => Shape::Tube { from: flip(from), to: flip(to), radius },
    }
}

fn brain(p: Point, centre: Point, radii: Point, atrophy: f32, seed: u32) -> Material {
    let d = [p[0] - centre[0], p[1] - centre[1], p[2] - centre[2]];
    let length = (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]).sqrt().max(0.1);
    let share = ((d[0] / radii[0]).powi(2) + (d[1] / radii[1]).powi(2) + (d[2] / radii[2]).powi(2)).sqrt().max(1e-3);
    let depth = length / share - length;
    if depth < 1.0 + 2.5 * atrophy || p[0].abs() < 0.9 + atrophy && depth < 34.0 {
        return Material::Csf;
    }
    // Sulci are where a folded field crosses zero; they fade with depth.
    let bend = [p[0] + 5.0 * smooth(p, 17.0, seed ^ 11), p[1] + 5.0 * smooth(p, 17.0, seed ^ 12), p[2]];
    let fold = smooth(bend, 13.0, seed ^ 13).abs() * 13.0;
    let reach = 17.0 + 7.0 * smooth(p, 30.0, seed ^ 14);
    let open = (1.0 + 1.6 * atrophy) * (1.0 - depth / reach);
    if fold < open {
        Material::Csf
    } else if depth < 4.0 || fold < open + 2.6 && depth < reach + 2.0 {
        Material::Grey
    } else {
        Material::White
    }
}
