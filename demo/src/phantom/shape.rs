//! Closed shapes in millimetres, in DICOM's patient coordinates (x to the left, y to the back, z to the head; PS3.3 C.7.6.2.1.1).
//!
//! Each shape can say whether it holds a point, what box it lies in, and where
//! an axis-parallel ray runs through it. That is all that a slice and a
//! radiograph of the same body need.

/// A point or a vector, `[x, y, z]` in mm.
pub type Point = [f32; 3];

/// One closed shape.
#[derive(Debug, Clone, Copy)]
pub enum Shape {
    /// An ellipsoid turned about one axis.
    Ball { centre: Point, radii: Point, turned: Turn },
    /// `|x/a|^p + |y/b|^p <= 1 - |z/c|^q`, axis-parallel: boxes with round corners, cylinders, domes.
    Block { centre: Point, half: Point, in_plane: f32, along_z: f32 },
    /// All points within `radius` of the segment from `from` to `to`.
    Tube { from: Point, to: Point, radius: f32 },
}

/// A rotation about one axis, kept as sine and cosine.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    axis: usize,
    sin: f32,
    cos: f32,
}

impl Turn {
    /// No rotation.
    pub const NONE: Turn = Turn { axis: 2, sin: 0.0, cos: 1.0 };

    /// By `degrees` about axis 0 (x), 1 (y) or 2 (z).
    pub fn about(axis: usize, degrees: f32) -> Turn {
        let (sin, cos) = degrees.to_radians().sin_cos();
        Turn { axis, sin, cos }
    }

    /// The turn that a mirror in x makes of this one.
    pub fn mirrored(self) -> Turn {
        if self.axis == 0 { self } else { Turn { sin: -self.sin, ..self } }
    }

    /// Brings a vector from the patient's axes to the shape's own.
    fn into_own(self, v: Point) -> Point {
        let (i, j) = ((self.axis + 1) % 3, (self.axis + 2) % 3);
        let mut own = v;
        own[i] = self.cos * v[i] + self.sin * v[j];
        own[j] = -self.sin * v[i] + self.cos * v[j];
        own
    }
}

fn minus(a: Point, b: Point) -> Point {
    [a[0] - b[0], a[1] - b[1], a[2] - b[2]]
}

fn dot(a: Point, b: Point) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn power(base: f32, exponent: f32) -> f32 {
    let base = base.abs();
    if exponent == 2.0 {
        base * base
    } else if exponent == 4.0 {
        (base * base) * (base * base)
    } else {
        base.powf(exponent)
    }
}

impl Shape {
    /// An upright ellipsoid.
    pub fn ball(centre: Point, radii: Point) -> Shape {
        Shape::Ball { centre, radii, turned: Turn::NONE }
    }

    /// A box with rounded corners in the axial plane and flat ends.
    pub fn pillar(centre: Point, half: Point) -> Shape {
        Shape::Block { centre, half, in_plane: 2.6, along_z: 8.0 }
    }

    /// A tube.
    pub fn tube(from: Point, to: Point, radius: f32) -> Shape {
        Shape::Tube { from, to, radius }
    }

    /// Whether the point lies in the shape.
    pub fn holds(&self, p: Point) -> bool {
        match *self {
            Shape::Ball { centre, radii, turned } => {
                let own = turned.into_own(minus(p, centre));
                let (x, y, z) = (own[0] / radii[0], own[1] / radii[1], own[2] / radii[2]);
                x * x + y * y + z * z <= 1.0
            }
            Shape::Block { centre, half, in_plane, along_z } => {
                let d = minus(p, centre);
                if d[2].abs() > half[2] {
                    return false;
                }
                power(d[0] / half[0], in_plane) + power(d[1] / half[1], in_plane) + power(d[2] / half[2], along_z)
                    <= 1.0
            }
            Shape::Tube { from, to, radius } => {
                let (pa, ba) = (minus(p, from), minus(to, from));
                let share = (dot(pa, ba) / dot(ba, ba).max(1e-6)).clamp(0.0, 1.0);
                let rest = [pa[0] - ba[0] * share, pa[1] - ba[1] * share, pa[2] - ba[2] * share];
                dot(rest, rest) <= radius * radius
            }
        }
    }

    /// The lowest and highest corner of a box around the shape.
    pub fn bounds(&self) -> (Point, Point) {
        let mut low = [0.0; 3];
        let mut high = [0.0; 3];
        for axis in 0..3 {
            (low[axis], high[axis]) = match *self {
                Shape::Ball { centre, radii, turned } => {
                    let reach = if turned.sin == 0.0 || axis == turned.axis {
                        radii[axis]
                    } else {
                        let other = 3 - axis - turned.axis;
                        (radii[axis] * turned.cos).hypot(radii[other] * turned.sin)
                    };
                    (centre[axis] - reach, centre[axis] + reach)
                }
                Shape::Block { centre, half, .. } => (centre[axis] - half[axis], centre[axis] + half[axis]),
                Shape::Tube { from, to, radius } => {
                    (from[axis].min(to[axis]) - radius, from[axis].max(to[axis]) + radius)
                }
            };
        }
        (low, high)
    }

    /// Where a ray through `p`, parallel to `axis`, enters and leaves the shape, as coordinates on that axis; `None` if it misses.
    pub fn span(&self, p: Point, axis: usize) -> Option<(f32, f32)> {
        match *self {
            Shape::Ball { centre, radii, turned } => {
                let mut start = minus(p, centre);
                start[axis] = 0.0;
                let mut along = [0.0; 3];
                along[axis] = 1.0;
                let (o, d) = (turned.into_own(start), turned.into_own(along));
                let scale = |v: Point| [v[0] / radii[0], v[1] / radii[1], v[2] / radii[2]];
                let (o, d) = (scale(o), scale(d));
                let (a, b, c) = (dot(d, d), dot(o, d), dot(o, o) - 1.0);
                let under = b * b - a * c;
                (under > 0.0).then(|| {
                    let root = under.sqrt();
                    (centre[axis] + (-b - root) / a, centre[axis] + (-b + root) / a)
                })
            }
            Shape::Block { centre, half, in_plane, along_z } => {
                let exponent = |k: usize| if k == 2 { along_z } else { in_plane };
                let mut rest = 1.0;
                for k in (0..3).filter(|&k| k != axis) {
                    rest -= power((p[k] - centre[k]) / half[k], exponent(k));
                }
                (rest > 0.0).then(|| {
                    let reach = half[axis] * rest.powf(1.0 / exponent(axis));
                    (centre[axis] - reach, centre[axis] + reach)
                })
            }
            Shape::Tube { from, to, radius } => tube_span(p, axis, from, to, radius),
        }
    }

    /// The same shape, larger or smaller about the origin.
    pub fn scaled(self, factor: f32) -> Shape {
        let times = |v: Point| [v[0] * factor, v[1] * factor, v[2] * factor];
        match self {
            Shape::Ball { centre, radii, turned } => Shape::Ball { centre: times(centre), radii: times(radii), turned },
            Shape::Block { centre, half, in_plane, along_z } => {
                Shape::Block { centre: times(centre), half: times(half), in_plane, along_z }
            }
            Shape::Tube { from, to, radius } => {
                Shape::Tube { from: times(from), to: times(to), radius: radius * factor }
            }
        }
    }

    /// The same shape, moved.
    pub fn moved(self, by: Point) -> Shape {
        let plus = |v: Point| [v[0] + by[0], v[1] + by[1], v[2] + by[2]];
        match self {
            Shape::Ball { centre, radii, turned } => Shape::Ball { centre: plus(centre), radii, turned },
            Shape::Block { centre, half, in_plane, along_z } => {
                Shape::Block { centre: plus(centre), half, in_plane, along_z }
            }
            Shape::Tube { from, to, radius } => Shape::Tube { from: plus(from), to: plus(to), radius },
        }
    }
}

/// A tube is the hull of its two end balls, and a ray's way through it is one interval: from the first of (end balls, mantle) to the last.
fn tube_span(p: Point, axis: usize, from: Point, to: Point, radius: f32) -> Option<(f32, f32)> {
    let mut found: Option<(f32, f32)> = None;
    let mut take = |low: f32, high: f32| {
        found = Some(found.map_or((low, high), |(a, b)| (a.min(low), b.max(high))));
    };
    for end in [from, to] {
        let mut off = minus(p, end);
        off[axis] = 0.0;
        let under = radius * radius - dot(off, off);
        if under > 0.0 {
            take(end[axis] - under.sqrt(), end[axis] + under.sqrt());
        }
    }
    let along = minus(to, from);
    let mut start = minus(p, from);
    start[axis] = -from[axis];
    // With the ray as start + t * e_axis: distance from the segment's line equals the radius.
    let (square, ray_along, start_along) = (dot(along, along), along[axis], dot(start, along));
    let a = square - ray_along * ray_along;
    if a > 1e-6 {
        let b = square * start[axis] - ray_along * start_along;
        let c = square * (dot(start, start) - radius * radius) - start_along * start_along;
        let under = b * b - a * c;
        if under > 0.0 {
            for t in [(-b - under.sqrt()) / a, (-b + under.sqrt()) / a] {
                let share = (start_along + t * ray_along) / square;
                if (0.0..=1.0).contains(&share) {
                    take(t, t);
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A radiograph and a slice must show the same body: the ray's interval is where `holds` is true.
    #[test]
    fn a_span_is_where_the_shape_holds_the_point() {
        let shapes = [
            Shape::Ball { centre: [3.0, -4.0, 5.0], radii: [20.0, 30.0, 10.0], turned: Turn::about(1, 30.0) },
            Shape::Ball { centre: [3.0, -4.0, 5.0], radii: [20.0, 30.0, 10.0], turned: Turn::about(2, -50.0) },
            Shape::pillar([-5.0, 2.0, 0.0], [20.0, 12.0, 9.0]),
            Shape::tube([-10.0, 5.0, -20.0], [15.0, -8.0, 18.0], 6.0),
            Shape::tube([0.0, 0.0, 0.0], [0.0, 30.0, 0.0], 6.0),
        ];
        for shape in shapes {
            for axis in 0..3 {
                for step in 0..400 {
                    let (u, v) = ((step % 20) as f32 * 3.3 - 32.0, (step / 20) as f32 * 3.3 - 32.0);
                    let mut p = [0.0; 3];
                    p[(axis + 1) % 3] = u;
                    p[(axis + 2) % 3] = v;
                    let span = shape.span(p, axis);
                    let (low, high) = shape.bounds();
                    for t in -60..60 {
                        p[axis] = t as f32 + 0.37;
                        let inside = span.is_some_and(|(a, b)| a <= p[axis] && p[axis] <= b);
                        assert_eq!(inside, shape.holds(p), "{shape:?} axis {axis} at {p:?}, span {span:?}");
                        if inside {
                            assert!((0..3).all(|k| low[k] <= p[k] && p[k] <= high[k]), "{shape:?} leaves its box");
                        }
                    }
                }
            }
        }
    }
}
