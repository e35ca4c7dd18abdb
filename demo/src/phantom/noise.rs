//! Noise that depends on nothing but a place and a seed, so that neighbouring slices of one body agree.

use super::shape::Point;

/// A well-mixed 64-bit value (SplitMix64's finaliser).
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn corner(x: i32, y: i32, z: i32, seed: u32) -> f32 {
    let mut h = seed ^ (x as u32).wrapping_mul(0x8DA6_B343) ^ (y as u32).wrapping_mul(0xD816_3841);
    h ^= (z as u32).wrapping_mul(0xCB1A_B31F);
    h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
    h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
    ((h ^ (h >> 15)) & 0xFFFF) as f32 / 32767.5 - 1.0
}

/// Smooth noise in -1..1 whose hills are about `grain` mm wide.
pub fn smooth(p: Point, grain: f32, seed: u32) -> f32 {
    let q = [p[0] / grain, p[1] / grain, p[2] / grain];
    let base = q.map(f32::floor);
    let ease = |t: f32| t * t * (3.0 - 2.0 * t);
    let (fx, fy, fz) = (ease(q[0] - base[0]), ease(q[1] - base[1]), ease(q[2] - base[2]));
    let (x, y, z) = (base[0] as i32, base[1] as i32, base[2] as i32);
    let between = |a: f32, b: f32, t: f32| a + (b - a) * t;
    let row = |dy: i32, dz: i32| between(corner(x, y + dy, z + dz, seed), corner(x + 1, y + dy, z + dz, seed), fx);
    between(between(row(0, 0), row(1, 0), fy), between(row(0, 1), row(1, 1), fy), fz)
}

/// Three octaves of [`smooth`].
pub fn rough(p: Point, grain: f32, seed: u32) -> f32 {
    smooth(p, grain, seed) * 0.57
        + smooth(p, grain * 0.5, seed ^ 0x51ED) * 0.29
        + smooth(p, grain * 0.25, seed ^ 0xA7C1) * 0.14
}

/// A stream of approximately normal values (mean 0, standard deviation 1): the sum of four uniform ones.
pub struct Grain(u64);

impl Grain {
    /// Starts the stream.
    pub fn new(seed: u64) -> Grain {
        Grain(mix(seed))
    }

    /// The next value.
    pub fn draw(&mut self) -> f32 {
        self.0 = mix(self.0);
        let quarter = |shift: u32| ((self.0 >> shift) & 0xFFFF) as f32;
        (quarter(0) + quarter(16) + quarter(32) + quarter(48) - 131_070.0) / 37_837.0
    }
}
