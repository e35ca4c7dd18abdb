//! The pelvis: pelvic ring, hips, bladder, rectum, uterus or prostate. z = 0 lies at the femoral heads.

use super::Build;
use crate::phantom::{
    material::Material,
    scene::{Fill, Scene, mirrored},
    shape::{Point, Shape, Turn},
};

/// The pelvis of a patient.
pub fn pelvis(build: &Build) -> Scene {
    let mut scene = Scene::new(build.seed, 2.4);
    super::abdomen::wall(&mut scene, build);
    muscles(&mut scene);
    ring(&mut scene);
    organs(&mut scene, build);
    scene.scaled(build.scale())
}

fn muscles(scene: &mut Scene) {
    use Material::{Muscle, Vessel};
    scene.put_both(
        Shape::Ball { centre: [86.0, 76.0, 24.0], radii: [64.0, 36.0, 90.0], turned: Turn::about(2, -28.0) },
        Muscle,
    );
    scene.put_both(Shape::ball([128.0, -8.0, 20.0], [26.0, 56.0, 86.0]), Muscle);
    scene.put_both(Shape::tube([86.0, -34.0, 120.0], [92.0, -42.0, -140.0], 25.0), Muscle);
    scene.put_both(Shape::tube([52.0, -10.0, -40.0], [66.0, 0.0, -180.0], 36.0), Muscle);
    scene.put_both(Shape::tube([110.0, 20.0, -60.0], [104.0, 20.0, -200.0], 48.0), Muscle);
    scene.put_both(Shape::tube([56.0, -54.0, 10.0], [72.0, -66.0, -60.0], 6.0), Vessel);
    scene.put_both(Shape::tube([40.0, -52.0, 8.0], [58.0, -66.0, -60.0], 6.5), Vessel);
    scene.put_both(Shape::tube([56.0, -54.0, 10.0], [14.0, 22.0, 150.0], 6.0), Vessel);
}

fn ring(scene: &mut Scene) {
    let place = |x: f32, y: f32, z: f32| -> Point { [x, y, z] };
    for side in [-1.0_f32, 1.0] {
        let flip = |shape: Shape| if side < 0.0 { mirrored(shape) } else { shape };
        let wing = Shape::Ball { centre: [104.0, 14.0, 98.0], radii: [12.0, 62.0, 72.0], turned: Turn::about(2, 34.0) };
        scene.put_group(&[flip(wing)], Material::Bone, Material::Soft);
        let core = Shape::Ball { centre: [104.0, 14.0, 98.0], radii: [8.5, 58.0, 68.0], turned: Turn::about(2, 34.0) };
        scene.put_group(&[flip(core)], Material::Marrow, Material::Bone);
        let line = [
            place(side * 96.0, 14.0, 44.0),
            place(side * 92.0, 2.0, 6.0),
            place(side * 60.0, -36.0, -14.0),
            place(side * 12.0, -52.0, -26.0),
        ];
        scene.put_bone(&line, 10.5, 2.0);
        let sit = [
            place(side * 90.0, 26.0, 10.0),
            place(side * 78.0, 42.0, -34.0),
            place(side * 64.0, 34.0, -58.0),
            place(side * 44.0, 0.0, -62.0),
            place(side * 13.0, -48.0, -40.0),
        ];
        scene.put_bone(&sit, 10.5, 2.0);
        let cup = Shape::ball([side * 92.0, 4.0, 4.0], [33.0, 32.0, 32.0]);
        scene.put_group(&[cup], Material::Marrow, Material::Soft);
        let head = [Shape::ball([side * 97.0, 0.0, 0.0], [25.5, 25.5, 25.5])];
        scene.put_group(
            &[Shape::ball([side * 97.0, 0.0, 0.0], [28.0, 28.0, 28.0])],
            Material::Cartilage,
            Material::Marrow,
        );
        scene.put_group(&head, Material::Bone, Material::Cartilage);
        scene.put_group(&[Shape::ball([side * 97.0, 0.0, 0.0], [23.8, 23.8, 23.8])], Material::Marrow, Material::Bone);
        scene.put_bone(&[place(side * 100.0, 2.0, -4.0), place(side * 142.0, 10.0, -40.0)], 16.5, 2.4);
        scene.put_bone(&[place(side * 150.0, 18.0, -18.0), place(side * 142.0, 12.0, -50.0)], 15.5, 2.2);
        scene.put_bone(&[place(side * 140.0, 10.0, -48.0), place(side * 126.0, 6.0, -230.0)], 15.5, 6.0);
    }
    for (k, (y, z, half)) in
        [(62.0_f32, 122.0_f32, 44.0_f32), (76.0, 92.0, 38.0), (86.0, 62.0, 30.0), (84.0, 34.0, 20.0)]
            .into_iter()
            .enumerate()
    {
        scene.put(Shape::pillar([0.0, y, z], [half, 18.0 - 2.5 * k as f32, 15.5]), Material::Bone);
        scene.put(Shape::pillar([0.0, y, z], [half - 2.0, 16.0 - 2.5 * k as f32, 14.5]), Material::Marrow);
    }
    scene.put(Shape::pillar([0.0, 48.0, 166.0], [25.0, 18.0, 14.0]), Material::Bone);
    scene.put(Shape::pillar([0.0, 48.0, 166.0], [23.0, 16.0, 12.6]), Material::Marrow);
    scene.put(Shape::tube([0.0, -54.0, -22.0], [0.0, -52.0, -48.0], 5.0), Material::Cartilage);
}

fn organs(scene: &mut Scene, build: &Build) {
    use Material::{Bowel, Fluid, Lesion, Muscle, Prostate, Soft, Uterus};
    let full = 0.8 + 0.3 * build.chance(5);
    scene.put(Shape::ball([0.0, -26.0, 22.0], [44.0 * full, 32.0 * full, 30.0 * full]), Muscle);
    scene.put(Shape::ball([0.0, -26.0, 22.0], [40.5 * full, 28.5 * full, 26.5 * full]), Fluid);
    scene.put(Shape::tube([0.0, 54.0, -70.0], [0.0, 60.0, 40.0], 17.0), Bowel);
    scene.fill(Shape::tube([0.0, 54.0, -66.0], [0.0, 60.0, 40.0], 12.0), Fill::Gut { level: 52.0 });
    scene.put(Shape::tube([0.0, 60.0, 44.0], [44.0, 20.0, 84.0], 15.0), Bowel);
    scene.fill(Shape::tube([0.0, 60.0, 44.0], [44.0, 20.0, 84.0], 10.5), Fill::Gut { level: 30.0 });
    for k in 0..14_u64 {
        let from =
            [56.0 * build.swing(200 + k), -24.0 + 26.0 * build.swing(300 + k), 84.0 + 70.0 * build.chance(400 + k)];
        let to = [from[0] + 30.0 * build.swing(500 + k), from[1] + 12.0 * build.swing(600 + k), from[2]];
        scene.put(Shape::tube(from, to, 11.0), Bowel);
        scene.put(Shape::tube(from, to, 6.0), Fluid);
    }
    if build.female {
        let turned = Turn::about(0, -38.0);
        scene.put(Shape::Ball { centre: [2.0, 14.0, 40.0], radii: [29.0, 24.0, 40.0], turned }, Uterus);
        scene.put(Shape::Ball { centre: [2.0, 14.0, 42.0], radii: [9.0, 4.5, 26.0], turned }, Material::Endometrium);
        scene.put(Shape::tube([0.0, 26.0, 6.0], [0.0, 26.0, -50.0], 9.0), Soft);
        for side in [-1.0_f32, 1.0] {
            scene.put(Shape::ball([side * 50.0, 14.0, 44.0], [16.0, 12.0, 15.0]), Soft);
            for k in 0..4 {
                let turn = k as f32 * 1.6;
                scene.put(
                    Shape::ball([side * 50.0 + 8.0 * turn.cos(), 14.0 + 6.0 * turn.sin(), 44.0], [3.5, 3.5, 3.5]),
                    Fluid,
                );
            }
        }
        if build.finding {
            scene.put(Shape::ball([-20.0, 2.0, 56.0], [17.0, 16.0, 17.0]), Muscle);
            scene.put(Shape::ball([52.0, 10.0, 46.0], [26.0, 24.0, 25.0]), Fluid);
        }
    } else {
        let grown = 1.0 + 0.5 * build.wear();
        scene.put(Shape::ball([0.0, 14.0, -24.0], [26.0 * grown, 17.0 * grown, 20.0]), Prostate);
        scene.put(Shape::ball([0.0, 8.0, -22.0], [17.0 * grown, 11.0 * grown, 15.0]), Soft);
        scene.put_both(
            Shape::Ball { centre: [24.0, 34.0, 4.0], radii: [22.0, 6.5, 8.0], turned: Turn::about(2, 20.0) },
            Fluid,
        );
        scene.put(Shape::tube([0.0, 10.0, -40.0], [0.0, -10.0, -80.0], 7.0), Soft);
        if build.finding {
            scene.put(Shape::ball([15.0 * grown, 24.0, -26.0], [7.5, 5.5, 8.0]), Muscle);
        }
    }
    if build.finding && !build.female && build.chance(7) > 0.8 {
        scene.put(Shape::ball([-30.0, -20.0, 20.0], [8.0, 8.0, 8.0]), Lesion);
    }
}
