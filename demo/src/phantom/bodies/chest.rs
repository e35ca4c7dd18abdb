//! The chest: lungs with vessels, heart and great vessels, airway, ribs, clavicles, spine, diaphragm.
//!
//! z = 0 lies at the level of the pulmonary hila; the arms are down for a radiograph and up for a CT.

use super::Build;
use crate::phantom::{
    material::Material,
    scene::{Scene, mirrored},
    shape::{Point, Shape, Turn},
};

/// Where the arms are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Arms {
    /// Beside the body (radiograph).
    Down,
    /// Above the head (CT).
    Up,
}

/// The chest of a patient.
pub fn chest(build: &Build, arms: Arms) -> Scene {
    let mut scene = Scene::new(build.seed, 2.2);
    wall(&mut scene, build, arms);
    lungs(&mut scene, build);
    mediastinum(&mut scene, build);
    below_the_diaphragm(&mut scene);
    bones(&mut scene, arms);
    if build.finding {
        finding(&mut scene, build);
    }
    scene.scaled(build.scale())
}

fn wall(scene: &mut Scene, build: &Build, arms: Arms) {
    let fat = 9.0 + 9.0 * build.chance(1);
    let torso = |inset: f32| Shape::Block {
        centre: [0.0, 5.0, -40.0],
        half: [172.0 - inset, 118.0 - inset, 400.0],
        in_plane: 2.7,
        along_z: 40.0,
    };
    scene.put(Shape::tube([0.0, 10.0, 120.0], [0.0, 0.0, 320.0], 58.0), Material::Soft);
    scene.put_both(
        Shape::Ball { centre: [95.0, 15.0, 130.0], radii: [112.0, 62.0, 48.0], turned: Turn::about(1, 18.0) },
        Material::Soft,
    );
    if arms == Arms::Down {
        scene.put_both(Shape::tube([188.0, 15.0, 95.0], [235.0, 25.0, -180.0], 44.0), Material::Soft);
    }
    // The torso narrows to the shoulders: above z = 110 the shoulder balls and the neck are all there is.
    let cut = |shape: Shape| match shape {
        Shape::Block { centre, half, in_plane, .. } => Shape::Block {
            centre: [centre[0], centre[1], -180.0],
            half: [half[0], half[1], 330.0],
            in_plane,
            along_z: 5.0,
        },
        other => other,
    };
    scene.put(cut(torso(0.0)), Material::Fat);
    scene.put(cut(torso(fat)), Material::Muscle);
    if build.female && build.age > 12 {
        let size = 0.8 + 0.4 * build.chance(2);
        scene.put_both(Shape::ball([80.0, -112.0, -55.0], [62.0 * size, 46.0 * size, 58.0 * size]), Material::Fat);
        scene.put_both(Shape::ball([80.0, -116.0, -58.0], [38.0 * size, 28.0 * size, 36.0 * size]), Material::Soft);
    }
}

fn lungs(scene: &mut Scene, build: &Build) {
    for side in [-1.0_f32, 1.0] {
        let lung =
            Shape::Block { centre: [side * 73.0, 3.0, -12.0], half: [65.0, 92.0, 158.0], in_plane: 2.3, along_z: 2.3 };
        scene.put(lung, Material::Lung);
        // Vessels fan out from the hilum, thinner with each branching.
        let hilum: Point = [side * 30.0, 8.0, -4.0 + side * 6.0];
        let mut tips = vec![(hilum, [side, 0.0, 0.0], 6.2_f32)];
        for level in 0..5_u64 {
            let mut next = Vec::new();
            for (k, (from, heading, radius)) in tips.iter().enumerate() {
                let branches = if level == 0 { 13 } else { 2 };
                for b in 0..branches {
                    let salt = (level * 1000 + k as u64 * 10 + b) * 2 + u64::from(side > 0.0);
                    let fan = (b as f32 / 12.0 - 0.5) * 2.7;
                    let aim = if level == 0 {
                        [side * fan.cos().max(0.1), 0.9 * build.swing(salt ^ 0xA1), fan.sin() * 1.2 - 0.15]
                    } else {
                        [0, 1, 2].map(|axis| heading[axis] + 0.65 * build.swing(salt ^ (0xB0 + axis as u64)))
                    };
                    let size = (aim[0] * aim[0] + aim[1] * aim[1] + aim[2] * aim[2]).sqrt().max(0.1);
                    let step = 31.0 - 3.0 * level as f32;
                    let to = [0, 1, 2].map(|axis| from[axis] + aim[axis] / size * step);
                    if !inside_lung(to, side) {
                        continue;
                    }
                    let vessel = Shape::tube(*from, to, *radius * 0.58);
                    scene.put_group(&[vessel], Material::Vessel, Material::Lung);
                    next.push((to, aim.map(|v| v / size), radius * 0.74));
                }
            }
            tips = next;
        }
    }
}

fn inside_lung(p: Point, side: f32) -> bool {
    let lung = Shape::ball([side * 73.0, 3.0, -2.0], [58.0, 84.0, 138.0]);
    lung.holds(p) && p[2] > -86.0
}

fn mediastinum(scene: &mut Scene, build: &Build) {
    use Material::{Air, Fat, Heart, Soft, Vessel};
    let heart = 1.0 + 0.10 * build.wear() + 0.08 * build.swing(3);
    scene.put(Shape::pillar([0.0, 6.0, 60.0], [27.0, 72.0, 110.0]), Fat);
    scene.put(Shape::pillar([-2.0, 30.0, 0.0], [22.0, 45.0, 140.0]), Fat);
    // Heart: right atrium to the right, left ventricle to the left and down.
    scene.put(
        Shape::Ball {
            centre: [28.0, -28.0, -58.0],
            radii: [66.0 * heart, 47.0 * heart, 50.0 * heart],
            turned: Turn::about(1, 32.0),
        },
        Heart,
    );
    scene.put(Shape::ball([-22.0, -16.0, -46.0], [30.0 * heart, 36.0, 44.0]), Heart);
    scene.put(Shape::ball([4.0, 16.0, -34.0], [42.0, 24.0, 30.0]), Heart);
    // Great vessels.
    scene.put(Shape::tube([-26.0, -6.0, -20.0], [-26.0, -4.0, 70.0], 9.5), Vessel);
    scene.put(Shape::tube([-26.0, -4.0, 70.0], [-38.0, -14.0, 112.0], 7.0), Vessel);
    scene.put(Shape::tube([-26.0, -4.0, 66.0], [36.0, -24.0, 96.0], 7.0), Vessel);
    let aorta = 14.0 + 2.5 * build.wear();
    let arch: [Point; 7] = [
        [-6.0, -14.0, -20.0],
        [-14.0, -18.0, 20.0],
        [-8.0, -10.0, 46.0],
        [10.0, 10.0, 56.0],
        [24.0, 32.0, 46.0],
        [25.0, 44.0, 16.0],
        [12.0, 44.0, -260.0],
    ];
    for pair in arch.windows(2) {
        scene.put(Shape::tube(pair[0], pair[1], aorta), Vessel);
    }
    for (from, to, radius) in [
        ([16.0, -24.0, -12.0], [18.0, -4.0, 20.0], 14.0),
        ([18.0, -4.0, 18.0], [42.0, 16.0, 8.0], 11.0),
        ([16.0, -4.0, 12.0], [-38.0, 6.0, 2.0], 10.5),
        ([-36.0, 6.0, 4.0], [-44.0, 10.0, -32.0], 8.0),
        ([40.0, 18.0, 8.0], [46.0, 22.0, -30.0], 8.0),
    ] {
        scene.put(Shape::tube(from, to, radius), Vessel);
    }
    scene.put(Shape::tube([3.0, 30.0, 160.0], [6.0, 34.0, -150.0], 6.5), Soft);
    // Airway.
    let carina: Point = [-1.0, 14.0, 28.0];
    scene.put(Shape::tube([0.0, 6.0, 240.0], carina, 9.0), Air);
    scene.put(Shape::tube(carina, [-34.0, 16.0, 4.0], 6.6), Air);
    scene.put(Shape::tube(carina, [38.0, 20.0, -2.0], 6.0), Air);
    scene.put(Shape::tube([-34.0, 16.0, 4.0], [-46.0, 18.0, -30.0], 4.6), Air);
    scene.put(Shape::tube([38.0, 20.0, -2.0], [50.0, 24.0, -32.0], 4.4), Air);
}

fn below_the_diaphragm(scene: &mut Scene) {
    use Material::{Air, Liver, Soft, Spleen, Vessel};
    scene.put(Shape::ball([-70.0, 4.0, -176.0], [74.0, 96.0, 84.0]), Liver);
    scene.put(Shape::ball([-5.0, -20.0, -180.0], [70.0, 72.0, 66.0]), Liver);
    scene.put(Shape::ball([72.0, 6.0, -184.0], [73.0, 94.0, 80.0]), Soft);
    scene.put(Shape::ball([96.0, 45.0, -168.0], [34.0, 44.0, 52.0]), Spleen);
    scene.put(Shape::ball([55.0, -45.0, -138.0], [27.0, 24.0, 16.0]), Air);
    scene.put(Shape::tube([12.0, 44.0, -80.0], [10.0, 44.0, -260.0], 12.5), Vessel);
}

/// Half width, half depth of the rib cage at a height.
fn cage(z: f32) -> (f32, f32) {
    let t = ((z + 150.0) / 300.0).clamp(0.0, 1.0);
    let narrow = (1.0 - t.powi(4) * 0.52) * (0.93 + 0.07 * (1.0 - (2.0 * t - 0.7).powi(2)));
    (146.0 * narrow, 99.0 * (1.0 - t.powi(4) * 0.42))
}

fn bones(scene: &mut Scene, arms: Arms) {
    use Material::{Bone, Disc, Marrow, Soft};
    for level in -13..12_i32 {
        let z = level as f32 * 23.5;
        let size = 1.0 - 0.012 * level as f32;
        scene.put(Shape::pillar([0.0, 62.0, z], [18.5 * size, 15.5 * size, 9.6]), Bone);
        scene.put(Shape::pillar([0.0, 62.0, z], [16.5 * size, 13.5 * size, 8.2]), Marrow);
        scene.put(Shape::pillar([0.0, 62.0, z + 11.7], [16.5 * size, 14.0 * size, 2.4]), Disc);
        scene.put_both(Shape::tube([12.0, 76.0, z + 1.0], [13.0, 88.0, z], 4.6), Bone);
        scene.put_both(Shape::tube([13.0, 88.0, z], [34.0, 98.0, z + 3.0], 4.2), Bone);
        scene.put_both(Shape::tube([13.0, 90.0, z], [0.0, 97.0, z - 4.0], 4.0), Bone);
        scene.put(Shape::tube([0.0, 97.0, z - 4.0], [0.0, 112.0, z - 17.0], 3.6), Bone);
        scene.put(Shape::tube([0.0, 83.0, z - 12.0], [0.0, 83.0, z + 12.0], 6.2), Soft);
    }
    for rib in 0..12_i32 {
        let start = 146.0 - 23.5 * rib as f32;
        let drop = 34.0 + 6.5 * rib.min(8) as f32;
        let end = match rib {
            0..=6 => 150.0,
            7..=9 => 138.0 - 12.0 * (rib - 7) as f32,
            _ => 88.0 - 20.0 * (rib - 10) as f32,
        };
        let path = |side: f32, from: f32, to: f32| -> Vec<Point> {
            let steps = 10;
            (0..=steps)
                .map(|step| {
                    let angle = from + (to - from) * step as f32 / steps as f32;
                    let share = (angle - 8.0) / 145.0;
                    let z = start + 8.0 - drop * share.powf(1.15) * (1.0 + 0.25 * share);
                    let (wide, deep) = cage(start - drop * 0.45);
                    let turn = angle.to_radians();
                    [side * (14.0 + (wide - 14.0) * turn.sin().max(0.0)), 6.0 + deep * turn.cos(), z]
                })
                .collect()
        };
        let radius = if rib == 0 { 6.4 } else { 5.6 };
        for side in [-1.0, 1.0] {
            let middle = (end * 0.62_f32).min(88.0);
            scene.put_bone(&path(side, 12.0, middle), radius, 1.5);
            scene.put_bone(&path(side, middle, end), radius * 0.95, 1.4);
        }
    }
    scene.put(Shape::pillar([0.0, -96.0, 38.0], [17.0, 6.0, 72.0]), Bone);
    scene.put(Shape::pillar([0.0, -96.0, 38.0], [15.0, 4.0, 70.0]), Marrow);
    for side in [-1.0_f32, 1.0] {
        let clavicle: [Point; 5] = [
            [side * 17.0, -84.0, 112.0],
            [side * 55.0, -80.0, 121.0],
            [side * 92.0, -54.0, 131.0],
            [side * 125.0, -30.0, 136.0],
            [side * 158.0, -12.0, 141.0],
        ];
        scene.put_bone(&clavicle, 6.6, 2.0);
        if arms == Arms::Down {
            shoulder(scene, side);
        }
    }
}

fn shoulder(scene: &mut Scene, side: f32) {
    let spine: [Point; 3] = [[side * 92.0, 88.0, 92.0], [side * 135.0, 70.0, 122.0], [side * 166.0, 30.0, 137.0]];
    scene.put_bone(&spine, 5.5, 1.8);
    let border: [Point; 4] = [
        [side * 150.0, 48.0, 92.0],
        [side * 146.0, 66.0, 40.0],
        [side * 132.0, 84.0, -20.0],
        [side * 116.0, 90.0, -48.0],
    ];
    scene.put_bone(&border, 5.0, 1.8);
    let medial: [Point; 3] = [[side * 92.0, 88.0, 92.0], [side * 98.0, 92.0, 20.0], [side * 116.0, 90.0, -48.0]];
    scene.put_bone(&medial, 3.0, 1.2);
    let blade = Shape::Ball { centre: [120.0, 84.0, 30.0], radii: [30.0, 2.2, 72.0], turned: Turn::about(2, -12.0) };
    let blade = if side < 0.0 { mirrored(blade) } else { blade };
    scene.put_group(&[blade], Material::Bone, Material::Soft);
    let head = Shape::ball([side * 178.0, 16.0, 104.0], [24.0, 24.0, 25.0]);
    scene.put_group(&[head], Material::Marrow, Material::Soft);
    scene.put_bone(&[[side * 186.0, 16.0, 96.0], [side * 206.0, 20.0, -60.0], [side * 218.0, 22.0, -200.0]], 12.5, 4.5);
}

fn finding(scene: &mut Scene, build: &Build) {
    let side = if build.chance(10) < 0.5 { -1.0 } else { 1.0 };
    match (build.chance(11) * 3.0) as u32 {
        0 => {
            let place = [side * (82.0 + 14.0 * build.chance(12)), -8.0, 62.0 - 40.0 * build.chance(13)];
            let size = 9.0 + 8.0 * build.chance(14);
            let spikes = [[1.5, 0.3, 0.2], [-1.3, 0.9, 0.4], [0.3, -1.5, 0.7], [0.2, 0.5, -1.5], [-0.9, -1.1, -0.6]];
            scene.put_group(&[Shape::ball(place, [size, size, size])], Material::Lesion, Material::Lung);
            for spike in spikes {
                let tip = [0, 1, 2].map(|k| place[k] + spike[k] * size);
                scene.put_group(&[Shape::tube(place, tip, 1.4)], Material::Lesion, Material::Lung);
            }
        }
        1 => {
            for k in 0..26_u64 {
                let spot = [
                    side * (72.0 + 26.0 * build.swing(20 + k)),
                    30.0 + 28.0 * build.swing(60 + k),
                    -48.0 + 26.0 * build.swing(100 + k),
                ];
                let size = 6.0 + 7.0 * build.chance(140 + k);
                scene.put_group(&[Shape::ball(spot, [size, size, size])], Material::Oedema, Material::Lung);
            }
        }
        _ => {
            // Pleural effusion: fluid behind and below.
            let pool = Shape::Block {
                centre: [side * 78.0, 62.0, -86.0],
                half: [56.0, 32.0, 58.0],
                in_plane: 2.2,
                along_z: 2.2,
            };
            scene.put(pool, Material::Fluid);
        }
    }
}
