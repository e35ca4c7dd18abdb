//! The abdomen, portal-venous phase: liver, spleen, kidneys, pancreas, vessels, gut, spine. z = 0 lies at the renal hila (L1/L2).

use super::Build;
use crate::phantom::{
    material::Material,
    scene::{Fill, Scene},
    shape::{Point, Shape, Turn},
};

/// The abdomen of a patient.
pub fn abdomen(build: &Build) -> Scene {
    let mut scene = Scene::new(build.seed, 3.0);
    wall(&mut scene, build);
    organs(&mut scene);
    gut(&mut scene, build);
    lumbar_spine(&mut scene);
    ribs(&mut scene);
    if build.finding {
        finding(&mut scene, build);
    }
    scene.scaled(build.scale())
}

/// Skin, fat and muscles of the trunk; peritoneal fat inside. Shared with the pelvis.
pub fn wall(scene: &mut Scene, build: &Build) {
    let fat = 12.0 + 16.0 * build.chance(1);
    let ring = |inset: f32, shift: f32| Shape::Block {
        centre: [0.0, shift, 0.0],
        half: [172.0 - inset, 118.0 - inset, 600.0],
        in_plane: 2.3,
        along_z: 60.0,
    };
    scene.put(ring(0.0, 0.0), Material::Soft);
    scene.put(ring(2.5, 0.0), Material::Fat);
    scene.put(ring(fat, 2.0), Material::Muscle);
    let cavity = Shape::Block {
        centre: [0.0, -12.0, 0.0],
        half: [160.0 - fat, 90.0 - fat * 0.7, 600.0],
        in_plane: 2.2,
        along_z: 60.0,
    };
    scene.put(cavity, Material::Fat);
    scene.put_both(Shape::tube([36.0, 82.0, -200.0], [34.0, 82.0, 260.0], 28.0), Material::Muscle);
    scene.put(Shape::tube([0.0, 100.0, -200.0], [0.0, 100.0, 260.0], 6.0), Material::Fat);
}

fn organs(scene: &mut Scene) {
    use Material::{Fluid, Kidney, Liver, Muscle, Pancreas, Spleen, Vessel};
    scene.put(
        Shape::Ball { centre: [-76.0, -6.0, 56.0], radii: [72.0, 82.0, 92.0], turned: Turn::about(1, -14.0) },
        Liver,
    );
    scene.put(
        Shape::Ball { centre: [-8.0, -44.0, 84.0], radii: [70.0, 38.0, 46.0], turned: Turn::about(1, 12.0) },
        Liver,
    );
    let veins: [(Point, Point, f32); 6] = [
        ([-28.0, -2.0, 44.0], [-72.0, -6.0, 60.0], 7.0),
        ([-72.0, -6.0, 60.0], [-112.0, 14.0, 50.0], 4.5),
        ([-72.0, -6.0, 60.0], [-96.0, -40.0, 72.0], 4.5),
        ([-28.0, -2.0, 48.0], [0.0, -46.0, 84.0], 4.0),
        ([-20.0, 26.0, 120.0], [-100.0, 8.0, 96.0], 5.0),
        ([-20.0, 26.0, 120.0], [-60.0, -44.0, 102.0], 4.5),
    ];
    for (from, to, radius) in veins {
        scene.put(Shape::tube(from, to, radius), Vessel);
    }
    scene.put(
        Shape::Ball { centre: [-62.0, -54.0, 12.0], radii: [17.0, 26.0, 30.0], turned: Turn::about(0, 18.0) },
        Fluid,
    );
    scene.put(
        Shape::Ball { centre: [108.0, 34.0, 72.0], radii: [28.0, 48.0, 56.0], turned: Turn::about(2, -22.0) },
        Spleen,
    );
    for side in [-1.0_f32, 1.0] {
        let z = if side < 0.0 { -8.0 } else { 6.0 };
        let turned = Turn::about(2, -side * 28.0);
        scene.put(Shape::Ball { centre: [side * 64.0, 44.0, z], radii: [27.0, 31.0, 55.0], turned }, Kidney);
        scene.put(Shape::Ball { centre: [side * 54.0, 34.0, z], radii: [14.0, 15.0, 28.0], turned }, Material::Fat);
        scene.put(Shape::ball([side * 52.0, 34.0, z], [8.0, 7.0, 14.0]), Fluid);
        scene.put(Shape::tube([side * 50.0, 36.0, z], [side * 8.0, 30.0, z + 6.0], 4.0), Vessel);
        scene.put(Shape::tube([side * 30.0, 52.0, 30.0], [side * 52.0, 38.0, -200.0], 21.0), Muscle);
        scene.put(Shape::tube([side * 38.0, 30.0, 62.0], [side * 48.0, 40.0, 58.0], 4.0), Material::Soft);
    }
    for (from, to, radius) in [
        ([-22.0, -18.0, 14.0], [0.0, -14.0, 24.0], 13.0),
        ([0.0, -14.0, 24.0], [42.0, 2.0, 36.0], 10.0),
        ([42.0, 2.0, 36.0], [86.0, 26.0, 54.0], 9.0),
    ] {
        scene.put(Shape::tube(from, to, radius), Pancreas);
    }
    scene.put(Shape::tube([8.0, 28.0, -90.0], [8.0, 30.0, 260.0], 10.5), Vessel);
    scene.put(Shape::tube([-20.0, 26.0, -90.0], [-20.0, 26.0, 260.0], 12.0), Vessel);
    scene.put(Shape::tube([0.0, -4.0, 8.0], [-28.0, -2.0, 44.0], 7.0), Vessel);
    scene.put(Shape::tube([6.0, 10.0, 40.0], [4.0, -6.0, -80.0], 4.0), Vessel);
}

fn gut(scene: &mut Scene, build: &Build) {
    // Stomach: wall, then contents with a gas level in front.
    let stomach: [(Point, Point, f32); 3] = [
        ([70.0, 10.0, 96.0], [68.0, -22.0, 56.0], 33.0),
        ([68.0, -22.0, 56.0], [36.0, -52.0, 26.0], 26.0),
        ([36.0, -52.0, 26.0], [-22.0, -44.0, 22.0], 17.0),
    ];
    for (from, to, radius) in stomach {
        scene.put(Shape::tube(from, to, radius), Material::Bowel);
    }
    for (from, to, radius) in stomach {
        scene.fill(Shape::tube(from, to, radius - 4.5), Fill::Gut { level: -38.0 });
    }
    // Colon frame, then loops of small bowel.
    let colon: [(Point, Point, f32); 4] = [
        ([-112.0, 8.0, -150.0], [-112.0, 0.0, 0.0], 22.0),
        ([-104.0, -44.0, -22.0], [96.0, -56.0, -12.0], 17.0),
        ([104.0, -20.0, -10.0], [114.0, 20.0, 44.0], 16.0),
        ([114.0, 22.0, 40.0], [110.0, 26.0, -160.0], 16.0),
    ];
    for (from, to, radius) in colon {
        scene.put(Shape::tube(from, to, radius), Material::Bowel);
    }
    for (from, to, radius) in colon {
        scene.fill(Shape::tube(from, to, radius - 3.0), Fill::Gut { level: from[1].min(to[1]) - 2.0 });
    }
    for k in 0..34_u64 {
        let centre =
            [78.0 * build.swing(200 + k), -44.0 + 30.0 * build.swing(300 + k), -44.0 - 150.0 * build.chance(400 + k)];
        let end = [
            centre[0] + 34.0 * build.swing(500 + k),
            centre[1] + 14.0 * build.swing(600 + k),
            centre[2] + 14.0 * build.swing(700 + k),
        ];
        scene.put(Shape::tube(centre, end, 11.0), Material::Bowel);
        let content = if k % 5 == 0 { Material::Air } else { Material::Fluid };
        scene.put(Shape::tube(centre, end, 6.5), content);
    }
}

/// Five lumbar and some lower thoracic vertebrae with discs, canal, processes. Shared with the pelvis.
pub fn lumbar_spine(scene: &mut Scene) {
    for level in -5..9_i32 {
        let z = level as f32 * 34.0 + 14.0;
        scene.put(Shape::pillar([0.0, 58.0, z], [24.0, 17.5, 13.5]), Material::Bone);
        scene.put(Shape::pillar([0.0, 58.0, z], [21.8, 15.3, 12.0]), Material::Marrow);
        scene.put(Shape::pillar([0.0, 58.0, z + 17.0], [22.5, 16.0, 4.0]), Material::Disc);
        scene.put_both(Shape::tube([15.0, 72.0, z + 3.0], [17.0, 86.0, z], 5.5), Material::Bone);
        scene.put_both(Shape::tube([17.0, 84.0, z], [44.0, 86.0, z + 2.0], 4.2), Material::Bone);
        scene.put_both(Shape::tube([17.0, 88.0, z - 6.0], [0.0, 96.0, z - 8.0], 4.6), Material::Bone);
        scene.put(Shape::tube([0.0, 97.0, z - 8.0], [0.0, 116.0, z - 12.0], 4.6), Material::Bone);
    }
    scene.put(Shape::tube([0.0, 82.0, -160.0], [0.0, 82.0, 320.0], 9.0), Material::Fat);
    scene.put(Shape::tube([0.0, 82.0, -160.0], [0.0, 82.0, 320.0], 7.5), Material::Csf);
}

fn ribs(scene: &mut Scene) {
    for (rib, (top, reach)) in
        [(124.0_f32, 118.0_f32), (98.0, 104.0), (72.0, 84.0), (46.0, 50.0)].into_iter().enumerate()
    {
        for side in [-1.0_f32, 1.0] {
            let line: Vec<Point> = (0..=10)
                .map(|step| {
                    let turn = (16.0 + (reach - 16.0) * step as f32 / 10.0).to_radians();
                    let wide = 138.0 - 3.0 * rib as f32;
                    [side * wide * turn.sin(), 2.0 + 90.0 * turn.cos(), top - 6.8 * step as f32]
                })
                .collect();
            scene.put_bone(&line, 5.4, 1.6);
        }
    }
}

fn finding(scene: &mut Scene, build: &Build) {
    match (build.chance(11) * 4.0) as u32 {
        0 => {
            for k in 0..4_u64 {
                let size = 7.0 + 11.0 * build.chance(30 + k);
                let place = [
                    -84.0 + 38.0 * build.swing(40 + k),
                    4.0 + 44.0 * build.swing(50 + k),
                    58.0 + 40.0 * build.swing(60 + k),
                ];
                scene.put(Shape::ball(place, [size, size, size]), Material::Lesion);
            }
        }
        1 => scene.put(Shape::ball([-60.0, -42.0, 6.0], [6.5, 6.5, 6.5]), Material::Bone),
        2 => {
            // Dilated right renal pelvis above a ureteric stone.
            scene.put(Shape::ball([-52.0, 36.0, -8.0], [15.0, 14.0, 26.0]), Material::Fluid);
            scene.put(Shape::tube([-44.0, 36.0, -20.0], [-38.0, 30.0, -70.0], 5.0), Material::Fluid);
            scene.put(Shape::ball([-38.0, 30.0, -72.0], [4.0, 4.0, 6.0]), Material::Bone);
        }
        _ => {
            scene.put(Shape::ball([70.0, 50.0, 30.0], [22.0, 22.0, 22.0]), Material::Fluid);
        }
    }
}
