//! The knee, a left one (fibula and outer side at +x): femur, tibia, fibula, patella, cartilage, menisci, ligaments. z = 0 lies at the joint line.

use super::Build;
use crate::phantom::{
    material::Material,
    scene::Scene,
    shape::{Point, Shape, Turn},
};

/// The left knee of a patient; mirror it for a right one.
pub fn left_knee(build: &Build) -> Scene {
    let mut scene = Scene::new(build.seed, 1.3);
    soft_parts(&mut scene, build);
    bones(&mut scene, build);
    ligaments(&mut scene, build);
    scene.scaled(build.scale())
}

fn soft_parts(scene: &mut Scene, build: &Build) {
    use Material::{Fat, Fibre, Fluid, Muscle, Soft, Vessel};
    let leg = |more: f32| -> [(Point, Point, f32); 3] {
        [
            ([0.0, 4.0, 170.0], [0.0, 2.0, 60.0], 66.0 + more),
            ([0.0, 2.0, 60.0], [0.0, 2.0, -30.0], 60.0 + more),
            ([0.0, 8.0, -30.0], [2.0, 14.0, -190.0], 54.0 + more),
        ]
    };
    for (from, to, radius) in leg(0.0) {
        scene.put(Shape::tube(from, to, radius), Soft);
    }
    for (from, to, radius) in leg(-1.8) {
        scene.put(Shape::tube(from, to, radius), Fat);
    }
    // Thigh and calf muscles, popliteal vessels.
    scene.put(Shape::tube([2.0, -26.0, 180.0], [0.0, -30.0, 78.0], 24.0), Muscle);
    scene.put_both(Shape::tube([36.0, -6.0, 180.0], [34.0, -4.0, 62.0], 20.0), Muscle);
    scene.put_both(Shape::tube([26.0, 40.0, 180.0], [30.0, 40.0, 14.0], 15.0), Muscle);
    scene.put_both(Shape::tube([20.0, 38.0, 34.0], [20.0, 44.0, -190.0], 17.0), Muscle);
    scene.put(Shape::tube([0.0, 30.0, -26.0], [4.0, 36.0, -190.0], 22.0), Muscle);
    scene.put(Shape::tube([34.0, -6.0, -40.0], [34.0, -2.0, -190.0], 15.0), Muscle);
    scene.put(Shape::tube([2.0, 42.0, 150.0], [2.0, 40.0, -60.0], 4.6), Vessel);
    // Extensor mechanism and the fat pad behind it.
    scene.put(Shape::tube([0.0, -47.0, 150.0], [0.0, -48.0, 42.0], 4.0), Fibre);
    scene.put(Shape::tube([0.0, -47.0, 16.0], [0.0, -37.0, -34.0], 3.2), Fibre);
    let fluid = if build.finding { 1.9 } else { 1.0 };
    scene.put(Shape::Ball { centre: [0.0, -37.0, 56.0], radii: [18.0, 2.4 * fluid, 22.0], turned: Turn::NONE }, Fluid);
    scene.put(Shape::ball([0.0, -2.0, 4.0], [44.0, 34.0, 5.5 * fluid.min(1.3)]), Fluid);
}

fn bones(scene: &mut Scene, build: &Build) {
    use Material::{Bone, Cartilage, Marrow, Soft};
    let thick = 2.9 - 1.7 * build.wear();
    let condyle = |side: f32, less: f32| -> [Shape; 2] {
        [
            Shape::ball([side * 21.0, 6.0, 21.0], [18.0 - less, 29.0 - less, 20.0 - less]),
            Shape::ball([side * 12.0, -8.0, 30.0], [24.0 - less, 24.0 - less, 22.0 - less]),
        ]
    };
    for side in [-1.0, 1.0] {
        scene.put_group(&condyle(side, -thick), Cartilage, Soft);
    }
    let femur = |less: f32| {
        let mut parts = vec![
            Shape::tube([0.0, -4.0, 60.0], [0.0, -6.0, 230.0], 15.5 - less),
            Shape::ball([0.0, -4.0, 52.0], [25.0 - less, 20.0 - less, 34.0 - less]),
        ];
        parts.extend(condyle(-1.0, less));
        parts.extend(condyle(1.0, less));
        parts
    };
    scene.put_group(&femur(0.0), Bone, Cartilage);
    scene.put_group(&femur(1.7), Marrow, Bone);
    // The notch between the condyles.
    scene.put(Shape::ball([0.0, 24.0, 10.0], [7.5, 20.0, 15.0]), Material::Fat);
    let plateau = |less: f32| {
        [
            Shape::Block {
                centre: [0.0, 2.0, -15.0],
                half: [41.0 - less, 26.0 - less, 11.0 - less],
                in_plane: 2.4,
                along_z: 5.0,
            },
            Shape::Ball {
                centre: [0.0, 2.0, -26.0],
                radii: [36.0 - less, 24.0 - less, 32.0 - less],
                turned: Turn::NONE,
            },
            Shape::tube([0.0, -4.0, -50.0], [0.0, 4.0, -230.0], 14.5 - less),
            Shape::ball([0.0, -24.0, -32.0], [12.0 - less, 10.0 - less, 14.0 - less]),
            Shape::ball([0.0, 2.0, -4.0], [6.0 - less * 0.7, 6.0 - less * 0.7, 6.5]),
        ]
    };
    for side in [-1.0_f32, 1.0] {
        let top = Shape::ball([side * 20.0, 2.0, -4.2 + 0.4 * thick], [18.0, 22.0, thick]);
        scene.put_group(&[top], Cartilage, Soft);
    }
    scene.put_group(&plateau(0.0), Bone, Soft);
    scene.put_group(&plateau(1.7), Marrow, Bone);
    scene.put_bone(&[[38.0, 20.0, -26.0], [41.0, 20.0, -60.0], [40.0, 18.0, -230.0]], 7.4, 2.2);
    scene.put_group(&[Shape::ball([38.0, 20.0, -24.0], [10.0, 10.0, 11.0])], Marrow, Soft);
    // Patella.
    let patella = |less: f32| Shape::ball([0.0, -47.0, 29.0], [21.0 - less, 9.5 - less, 21.0 - less]);
    scene.put_group(&[Shape::ball([0.0, -41.5, 28.0], [18.0, 6.0 + thick * 0.6, 16.0])], Cartilage, Soft);
    scene.put_group(&[patella(0.0)], Bone, Soft);
    scene.put_group(&[patella(1.7)], Marrow, Bone);
}

fn ligaments(scene: &mut Scene, build: &Build) {
    use Material::{Fibre, Fluid, Oedema};
    for side in [-1.0_f32, 1.0] {
        // Menisci: wedges at the rim, seen as bow ties.
        for step in 0..=10 {
            let turn = (25.0 + 31.0 * step as f32).to_radians();
            let place = [side * (21.0 - 15.0 * turn.cos()), 1.0 + 20.0 * turn.sin(), -0.6];
            scene.put_group(&[Shape::ball(place, [6.0, 6.5, 3.0])], Fibre, Material::Soft);
        }
        scene.put(Shape::tube([side * 41.5, 2.0, 26.0], [side * 42.0, 2.0, -32.0], 1.9), Fibre);
    }
    if build.finding && build.chance(21) < 0.5 {
        scene.put(Shape::tube([4.0, 14.0, 16.0], [0.0, -2.0, 2.0], 4.6), Oedema);
    } else {
        scene.put(Shape::tube([6.0, 18.0, 20.0], [-2.0, -12.0, -3.0], 3.2), Fibre);
    }
    scene.put(Shape::tube([-5.0, 6.0, 14.0], [-2.0, 26.0, 6.0], 3.8), Fibre);
    scene.put(Shape::tube([-2.0, 26.0, 6.0], [0.0, 28.0, -14.0], 3.8), Fibre);
    if build.finding {
        scene.put(Shape::tube([-22.0, 20.0, -3.0], [-24.0, 16.0, 2.5], 0.9), Fluid);
        scene.put(Shape::ball([-20.0, 2.0, -14.0], [10.0, 11.0, 7.0]), Oedema);
    }
}
