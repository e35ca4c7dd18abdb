//! The lumbar spine for MR: vertebrae, discs, conus and cauda equina in the dural sac, processes, back muscles. z = 0 lies at L3.

use super::Build;
use crate::phantom::{
    material::Material,
    scene::Scene,
    shape::{Shape, Turn},
};

/// The lumbar spine of a patient.
pub fn lumbar(build: &Build) -> Scene {
    use Material::{Bone, Cord, Csf, Disc, DryDisc, Fat, Fibre, Marrow, Muscle, Soft, Vessel};
    let mut scene = Scene::new(build.seed, 1.4);
    let trunk = |less: f32| Shape::Block {
        centre: [0.0, -20.0, 0.0],
        half: [165.0 - less, 112.0 - less, 600.0],
        in_plane: 2.4,
        along_z: 60.0,
    };
    scene.put(trunk(0.0), Soft);
    scene.put(trunk(2.0), Fat);
    scene.put_both(Shape::tube([26.0, 54.0, -220.0], [24.0, 52.0, 260.0], 22.0), Muscle);
    scene.put_both(Shape::tube([54.0, 46.0, -220.0], [48.0, 46.0, 260.0], 24.0), Muscle);
    scene.put_both(Shape::tube([84.0, 20.0, -60.0], [84.0, 20.0, 60.0], 22.0), Muscle);
    scene.put_both(Shape::tube([36.0, -6.0, 80.0], [58.0, -20.0, -180.0], 22.0), Muscle);
    scene.put(Shape::tube([8.0, -32.0, -50.0], [8.0, -30.0, 260.0], 9.0), Vessel);
    scene.put(Shape::tube([-16.0, -32.0, -50.0], [-14.0, -32.0, 260.0], 10.0), Vessel);
    for k in 0..26_u64 {
        let x = 90.0 * build.swing(300 + k);
        let place = [x, -72.0 + 24.0 * build.swing(340 + k), 200.0 * build.swing(380 + k)];
        let end = [place[0] + 22.0, place[1] + 12.0 * build.swing(420 + k), place[2] + 20.0 * build.swing(460 + k)];
        scene.put(Shape::tube(place, end, 11.0), Material::Bowel);
    }
    // Lordosis: the column bends forward in the middle; the sacrum turns back below.
    let bend =
        |z: f32| -10.0 * (1.0 - (z / 120.0).powi(2)).max(-1.6) + if z < -78.0 { (-78.0 - z) * 0.55 } else { 0.0 };
    let worn = |level: i32| {
        build.chance(50 + (level + 9) as u64) < 0.15 + 0.6 * build.wear() || (build.finding && level == -2)
    };
    scene.put(Shape::tube([0.0, 40.0, 260.0], [0.0, 40.0, -60.0], 6.0), Fat);
    for (behind, more, filling) in [(2.0, 2.4, Fat), (0.0, 0.0, Csf)] {
        for step in -16..34_i32 {
            let z = step as f32 * 8.0;
            let sac = if z > -80.0 { 8.2 } else { 8.2 + (z + 80.0) * 0.10 };
            let (here, above) = (bend(z) + 26.0 + behind, bend(z + 8.0) + 26.0 + behind);
            scene.put(Shape::tube([0.0, here, z], [0.0, above, z + 8.0], sac + more), filling);
        }
    }
    for step in -10..34_i32 {
        let z = step as f32 * 8.0;
        let (y, above) = (bend(z) + 27.0, bend(z + 8.0) + 27.0);
        if z > 62.0 {
            scene.put(
                Shape::tube([0.0, y - 1.0, z], [0.0, above - 1.0, z + 8.0], (4.6_f32).min(2.0 + (z - 62.0) * 0.16)),
                Cord,
            );
        }
        for (x, back) in [(-2.2, 3.6), (0.0, 4.4), (2.2, 3.6), (-1.0, 2.2), (1.2, 2.4)] {
            scene.put(Shape::tube([x, y + back - 0.8, z], [x, above + back - 0.8, z + 8.0], 0.75), Cord);
        }
    }
    for level in -2..7_i32 {
        let z = level as f32 * 36.0;
        let tilt = Turn::about(0, -level as f32 * 4.5);
        let y = bend(z);
        let body = |less: f32| Shape::Block {
            centre: [0.0, y, z],
            half: [24.0 - less, 17.5 - less, 14.0 - less * 0.8],
            in_plane: 3.0,
            along_z: 9.0,
        };
        scene.put(body(0.0), Bone);
        scene.put(body(1.3), Marrow);
        scene.put(Shape::tube([0.0, y + 15.0, z], [0.0, y + 4.0, z], 1.1), Vessel);
        let below = bend(z - 18.0);
        let dry = worn(level);
        let height = if dry { 2.9 } else { 4.2 };
        let rim = Shape::Ball { centre: [0.0, below, z - 18.0], radii: [24.0, 18.8, height + 1.2], turned: tilt };
        let core = Shape::Ball { centre: [0.0, below + 0.5, z - 18.0], radii: [18.0, 13.0, height], turned: tilt };
        scene.put(rim, Fibre);
        scene.put(core, if dry { DryDisc } else { Disc });
        if build.finding && level == -2 {
            scene.put(Shape::ball([2.0, below + 20.0, z - 18.5], [8.0, 6.5, 6.0]), DryDisc);
        } else if dry {
            scene.put(Shape::ball([0.0, below + 17.0, z - 18.0], [14.0, 3.6, 4.0]), DryDisc);
        }
        scene.put_both(Shape::tube([14.0, y + 14.0, z + 3.0], [16.0, y + 34.0, z], 5.0), Marrow);
        scene.put_both(Shape::tube([16.0, y + 38.0, z - 8.0], [2.0, y + 46.0, z - 8.0], 4.0), Marrow);
        let process =
            Shape::Ball { centre: [0.0, y + 56.0, z - 12.0], radii: [3.4, 15.0, 9.0], turned: Turn::about(0, -16.0) };
        scene.put(process, Bone);
        let inner =
            Shape::Ball { centre: [0.0, y + 56.0, z - 12.0], radii: [2.8, 13.8, 7.8], turned: Turn::about(0, -16.0) };
        scene.put(inner, Marrow);
        scene.put(Shape::tube([0.0, y + 39.0, z - 4.0], [0.0, bend(z - 24.0) + 40.0, z - 24.0], 2.0), Fibre);
        scene.put(Shape::tube([0.0, y + 52.0, z - 22.0], [0.0, y + 52.0, z - 24.0], 4.0), Fat);
    }
    // Anterior and posterior longitudinal ligaments are the dark lines of the cortex; the sacrum follows the bend.
    for (k, z) in [-106.0_f32, -132.0, -154.0, -172.0].into_iter().enumerate() {
        let y = bend(z) - 1.0 + 7.0 * k as f32;
        let size = 1.0 - 0.16 * k as f32;
        let turned = Turn::about(0, 24.0 + 9.0 * k as f32);
        scene.put(Shape::Ball { centre: [0.0, y, z], radii: [36.0 * size, 17.0 * size, 14.5 * size], turned }, Bone);
        scene.put(Shape::Ball { centre: [0.0, y, z], radii: [34.0 * size, 15.5 * size, 13.2 * size], turned }, Marrow);
    }
    scene.scaled(build.scale())
}
