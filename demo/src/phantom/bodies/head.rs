//! The head: skull, brain with ventricles, orbits, sinuses, temporal bones, salivary glands, upper neck. z = 0 lies at the third ventricle; the orbitomeatal plane at about -38.

use super::Build;
use crate::phantom::{
    material::Material,
    scene::{Fill, Scene},
    shape::{Point, Shape, Turn},
};

/// Which finding a head may show, so that it fits the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeadFinding {
    /// Bleeding in a basal ganglion, or a subdural one.
    Bleed,
    /// A fresh infarct.
    Infarct,
    /// A filled maxillary sinus.
    Sinusitis,
    /// A filled mastoid.
    Mastoiditis,
    /// A parotid tumour.
    ParotidTumour,
    /// A mass behind the eye.
    OrbitalMass,
}

/// The head of a patient; `finding` is shown if the build says so.
pub fn head(build: &Build, finding: HeadFinding) -> Scene {
    let mut scene = Scene::new(build.seed, 1.6);
    outside(&mut scene);
    inside(&mut scene, build);
    base(&mut scene);
    face(&mut scene);
    if build.finding {
        show(&mut scene, build, finding);
    }
    let grown = 0.90 + 0.10 * (build.age as f32 / 12.0).min(1.0);
    scene.scaled(grown * if build.female { 0.96 } else { 1.0 })
}

const BRAIN: Point = [0.0, 4.0, 4.0];
const SIZE: Point = [65.0, 83.0, 64.0];

fn outside(scene: &mut Scene) {
    use Material::{Bone, Fat, Marrow, Muscle, Soft, Vessel};
    scene.put(Shape::tube([0.0, 30.0, -60.0], [0.0, 28.0, -220.0], 58.0), Soft);
    scene.put(Shape::tube([0.0, 32.0, -60.0], [0.0, 30.0, -220.0], 53.0), Fat);
    scene.put_both(Shape::tube([22.0, 62.0, -70.0], [24.0, 58.0, -220.0], 22.0), Muscle);
    scene.put_both(Shape::tube([52.0, 34.0, -60.0], [36.0, 0.0, -220.0], 13.0), Muscle);
    scene.put_both(Shape::tube([34.0, 12.0, -60.0], [30.0, 12.0, -220.0], 5.0), Vessel);
    scene.put_both(Shape::tube([42.0, 18.0, -60.0], [38.0, 16.0, -220.0], 6.5), Vessel);
    // Face: soft parts in front and below.
    scene
        .put(Shape::Block { centre: [0.0, -42.0, -66.0], half: [64.0, 56.0, 68.0], in_plane: 2.5, along_z: 3.0 }, Soft);
    scene.put(Shape::Block { centre: [0.0, -40.0, -66.0], half: [61.0, 53.0, 66.0], in_plane: 2.5, along_z: 3.0 }, Fat);
    scene.put(
        Shape::Ball { centre: [0.0, -98.0, -62.0], radii: [14.0, 18.0, 22.0], turned: Turn::about(0, 20.0) },
        Soft,
    );
    scene.put_both(
        Shape::Ball { centre: [80.0, 14.0, -48.0], radii: [4.0, 14.0, 26.0], turned: Turn::about(2, 25.0) },
        Soft,
    );
    let around = |more: f32| Shape::ball(BRAIN, [SIZE[0] + more, SIZE[1] + more, SIZE[2] + more]);
    scene.put(around(14.5), Soft);
    scene.put(around(12.5), Fat);
    scene.put(around(8.0), Bone);
    scene.put(around(6.4), Marrow);
    scene.put(around(4.6), Bone);
    scene.put(around(2.2), Material::Csf);
    scene.put_both(Shape::ball([70.0, -30.0, -40.0], [8.0, 24.0, 30.0]), Muscle);
}

fn inside(scene: &mut Scene, build: &Build) {
    use Material::{Cord, Csf, Fibre, Grey, White};
    let atrophy = build.wear();
    scene.fill(Shape::ball(BRAIN, SIZE), Fill::Brain { centre: BRAIN, radii: SIZE, atrophy });
    // Deep grey matter.
    for side in [-1.0_f32, 1.0] {
        let flip = |shape: Shape| if side < 0.0 { crate::phantom::scene::mirrored(shape) } else { shape };
        scene.put(
            flip(Shape::Ball { centre: [12.0, 12.0, 4.0], radii: [9.5, 15.0, 10.5], turned: Turn::about(2, 28.0) }),
            Grey,
        );
        scene.put(
            flip(Shape::Ball { centre: [25.0, -8.0, 4.0], radii: [7.5, 17.0, 13.0], turned: Turn::about(2, -14.0) }),
            Grey,
        );
        scene.put(flip(Shape::ball([12.0, -21.0, 9.0], [6.5, 8.0, 12.0])), Grey);
        let insula: [Point; 3] = [[39.0, -26.0, 2.0], [40.0, -8.0, 4.0], [44.0, 12.0, 6.0]];
        for pair in insula.windows(2) {
            let flipped = |p: Point| [side * p[0], p[1], p[2]];
            scene.put(Shape::tube(flipped(pair[0]), flipped(pair[1]), 2.2 + 1.6 * atrophy), Csf);
            let out = |p: Point| [side * (p[0] + 14.0), p[1] - 2.0, p[2] - 4.0];
            scene.put(Shape::tube(flipped(pair[0]), out(pair[0]), 1.2 + 1.2 * atrophy), Csf);
        }
        // Lateral ventricles: frontal horn, body, trigone, occipital and temporal horn.
        let wide = 1.0 + 0.75 * atrophy + 0.12 * build.swing(4);
        let horn: [Point; 6] = [
            [7.0, -30.0, 8.0],
            [6.5, -14.0, 16.0],
            [9.0, 8.0, 23.0],
            [19.0, 30.0, 17.0],
            [24.0, 42.0, 6.0],
            [21.0, 58.0, 4.0],
        ];
        for (k, pair) in horn.windows(2).enumerate() {
            let radius = [5.0, 4.4, 4.6, 6.0, 3.4][k] * wide;
            let flipped = |p: Point| [side * p[0] * (1.0 + 0.15 * atrophy), p[1], p[2]];
            scene.put(Shape::tube(flipped(pair[0]), flipped(pair[1]), radius), Csf);
        }
        scene.put(Shape::tube([side * 26.0, 36.0, -2.0], [side * 31.0, 2.0, -22.0], 2.0 * wide), Csf);
        scene.put(Shape::ball([side * 22.0, 40.0, 9.0], [2.6, 4.0, 2.6]), Material::Endometrium);
    }
    scene.put(Shape::ball([0.0, 8.0, 1.0], [2.0 + 2.2 * atrophy, 14.0, 11.0]), Csf);
    scene.put(Shape::tube([0.0, -18.0, 14.0], [0.0, 30.0, 26.0], 2.2), White);
    // Cisterns, brainstem, cerebellum.
    scene.put(Shape::ball([0.0, -6.0, -24.0], [17.0, 13.0, 9.0]), Csf);
    scene.put(Shape::ball([0.0, 31.0, -10.0], [19.0, 7.0, 8.0]), Csf);
    scene.fill(
        Shape::ball([0.0, 50.0, -36.0], [53.0, 36.0, 25.0]),
        Fill::Brain { centre: [0.0, 50.0, -36.0], radii: [53.0, 36.0, 25.0], atrophy: 0.25 + 0.4 * atrophy },
    );
    scene.put(Shape::ball([0.0, 50.0, -34.0], [7.0, 28.0, 20.0]), Grey);
    scene.put(Shape::tube([0.0, 14.0, -10.0], [0.0, 20.0, -42.0], 13.0), White);
    scene.put(Shape::ball([0.0, 12.0, -32.0], [17.0, 14.0, 13.0]), White);
    scene.put(Shape::tube([0.0, 22.0, -42.0], [0.0, 30.0, -90.0], 7.5), Cord);
    scene.put(Shape::tube([0.0, 30.0, -86.0], [0.0, 32.0, -220.0], 6.0), Cord);
    scene.put(Shape::ball([0.0, 32.0, -35.0], [8.0, 4.5, 9.0]), Csf);
    // Falx and tentorium as thin bright lines.
    scene.put(Shape::Ball { centre: [0.0, 4.0, 44.0], radii: [0.9, 80.0, 22.0], turned: Turn::NONE }, Fibre);
}

fn base(scene: &mut Scene) {
    use Material::{Air, Bone, Csf, Fat, Marrow};
    // Floor below the brain, then the fossae.
    scene.put(Shape::Block { centre: [0.0, 0.0, -64.0], half: [62.0, 44.0, 12.0], in_plane: 2.4, along_z: 2.0 }, Fat);
    scene.put(Shape::ball([0.0, 12.0, -56.0], [16.0, 14.0, 12.0]), Marrow);
    scene.put(Shape::tube([0.0, 4.0, -44.0], [0.0, 14.0, -70.0], 9.0), Bone);
    scene.put(Shape::tube([0.0, 4.0, -44.0], [0.0, 14.0, -70.0], 7.0), Marrow);
    scene.put_both(Shape::tube([12.0, -10.0, -36.0], [52.0, -28.0, -30.0], 3.5), Bone);
    for side in [-1.0_f32, 1.0] {
        let petrous: [Point; 3] = [[side * 14.0, 4.0, -46.0], [side * 38.0, 20.0, -44.0], [side * 58.0, 32.0, -46.0]];
        for pair in petrous.windows(2) {
            scene.put(Shape::tube(pair[0], pair[1], 11.0), Bone);
        }
        scene.fill(Shape::ball([side * 62.0, 38.0, -52.0], [13.0, 16.0, 24.0]), Fill::Solid(Bone));
        scene.fill(Shape::ball([side * 62.0, 38.0, -52.0], [11.0, 14.0, 22.0]), Fill::AirCells);
        // Ear canal, middle ear, cochlea and vestibule, internal auditory canal, ossicles.
        scene.put(Shape::tube([side * 84.0, 17.0, -48.0], [side * 50.0, 16.0, -47.0], 4.2), Air);
        scene.put(Shape::ball([side * 47.0, 17.0, -45.0], [4.5, 6.0, 9.0]), Air);
        scene.put(Shape::ball([side * 48.0, 24.0, -38.0], [5.0, 7.0, 5.0]), Air);
        scene.put(Shape::tube([side * 47.0, 16.0, -44.0], [side * 46.0, 17.0, -38.0], 1.4), Bone);
        scene.put(Shape::ball([side * 35.0, 12.0, -45.0], [3.6, 3.6, 3.0]), Csf);
        scene.put(Shape::ball([side * 39.0, 19.0, -44.0], [2.6, 3.8, 3.0]), Csf);
        scene.put(Shape::tube([side * 38.0, 22.0, -43.0], [side * 45.0, 27.0, -41.0], 1.0), Csf);
        scene.put(Shape::tube([side * 17.0, 20.0, -44.0], [side * 33.0, 17.0, -45.0], 2.8), Csf);
    }
    // Cervical vertebrae.
    for level in 0..6 {
        let z = -92.0 - 19.0 * level as f32;
        scene.put(Shape::pillar([0.0, 14.0, z], [10.5, 8.5, 7.4]), Bone);
        scene.put(Shape::pillar([0.0, 14.0, z], [9.3, 7.3, 6.6]), Marrow);
        scene.put(Shape::pillar([0.0, 14.0, z - 9.5], [9.5, 7.8, 2.2]), Material::Disc);
        scene.put_both(Shape::tube([10.0, 24.0, z], [17.0, 34.0, z - 2.0], 4.6), Bone);
        scene.put_both(Shape::tube([17.0, 36.0, z - 2.0], [0.0, 47.0, z - 4.0], 3.0), Bone);
        scene.put(Shape::tube([0.0, 47.0, z - 4.0], [0.0, 60.0, z - 8.0], 3.0), Bone);
        scene.put(Shape::tube([0.0, 32.0, z + 9.0], [0.0, 32.0, z - 10.0], 9.6), Csf);
        scene.put(Shape::tube([0.0, 31.5, z + 9.0], [0.0, 31.5, z - 10.0], 5.6), Material::Cord);
    }
}

fn face(scene: &mut Scene) {
    use Material::{Air, Bone, Enamel, Fat, Lens, Marrow, Mucosa, Muscle, Parotid, Soft, Vitreous};
    // Facial skeleton as a block, in which cavities are then made.
    scene
        .put(Shape::Block { centre: [0.0, -62.0, -62.0], half: [40.0, 26.0, 34.0], in_plane: 2.4, along_z: 4.0 }, Bone);
    scene.put(
        Shape::Block { centre: [0.0, -62.0, -62.0], half: [38.5, 24.5, 32.5], in_plane: 2.4, along_z: 4.0 },
        Mucosa,
    );
    for side in [-1.0_f32, 1.0] {
        let flip = |shape: Shape| if side < 0.0 { crate::phantom::scene::mirrored(shape) } else { shape };
        // Orbit: a bony cone, fat, globe with lens, optic nerve, muscles.
        let cone: [(Point, f32); 4] = [
            ([35.0, -64.0, -30.0], 21.5),
            ([31.0, -50.0, -30.0], 18.5),
            ([25.0, -36.0, -30.0], 13.0),
            ([18.0, -22.0, -30.0], 7.0),
        ];
        for (inset, material) in [(0.0, Bone), (2.0, Fat)] {
            for (centre, radius) in cone {
                let r = radius - inset;
                scene.put(flip(Shape::ball(centre, [r, r, r])), material);
            }
        }
        scene.put(flip(Shape::ball([35.0, -84.0, -30.0], [19.0, 10.0, 16.0])), Soft);
        scene.put(flip(Shape::tube([16.0, -20.0, -30.0], [33.0, -64.0, -30.0], 2.3)), Material::White);
        for (dx, dz) in [(11.0, 0.0), (-9.5, 0.0), (1.0, 9.5), (1.0, -9.5)] {
            scene.put(flip(Shape::tube([19.0, -26.0, -30.0], [33.0 + dx, -58.0, -30.0 + dz], 2.4)), Muscle);
            scene.put(flip(Shape::tube([33.0 + dx, -58.0, -30.0 + dz], [34.0 + dx, -70.0, -30.0 + dz], 1.9)), Muscle);
        }
        scene.put(flip(Shape::ball([34.0, -74.0, -30.0], [12.6, 12.6, 12.6])), Soft);
        scene.put(flip(Shape::ball([34.0, -74.0, -30.0], [11.2, 11.2, 11.2])), Vitreous);
        scene.put(flip(Shape::ball([34.0, -82.0, -30.0], [5.0, 2.3, 5.0])), Lens);
        // Zygoma and arch.
        let arch: [Point; 4] = [[50.0, -70.0, -48.0], [62.0, -50.0, -50.0], [67.0, -24.0, -48.0], [66.0, 6.0, -44.0]];
        for pair in arch.windows(2) {
            scene.put(flip(Shape::tube(pair[0], pair[1], 3.6)), Bone);
        }
        // Maxillary sinus with a thin wall.
        scene.put(
            flip(Shape::Block { centre: [27.0, -56.0, -62.0], half: [15.5, 19.5, 17.0], in_plane: 2.2, along_z: 2.4 }),
            Bone,
        );
        scene.put(
            flip(Shape::Block { centre: [27.0, -56.0, -62.0], half: [14.0, 18.0, 15.5], in_plane: 2.2, along_z: 2.4 }),
            Mucosa,
        );
        scene.put(
            flip(Shape::Block { centre: [27.0, -56.0, -62.0], half: [13.0, 17.0, 14.5], in_plane: 2.2, along_z: 2.4 }),
            Air,
        );
        // Nasal cavity with turbinates.
        scene.put(
            flip(Shape::Block { centre: [7.0, -58.0, -60.0], half: [5.6, 32.0, 20.0], in_plane: 3.0, along_z: 3.0 }),
            Air,
        );
        scene.put(flip(Shape::tube([9.5, -76.0, -70.0], [9.0, -38.0, -70.0], 3.4)), Mucosa);
        scene.put(flip(Shape::tube([9.5, -70.0, -56.0], [9.0, -40.0, -56.0], 2.8)), Mucosa);
        // Frontal and sphenoid sinus.
        scene.put(flip(Shape::ball([10.0, -82.0, -6.0], [9.5, 4.0, 9.0])), Air);
        scene.put(flip(Shape::ball([8.0, -18.0, -42.0], [8.5, 11.0, 9.0])), Bone);
        scene.put(flip(Shape::ball([8.0, -18.0, -42.0], [7.3, 10.0, 8.0])), Air);
        // Mandible, masticator muscles, salivary glands.
        let jaw: [Point; 6] = [
            [52.0, 8.0, -54.0],
            [50.0, 2.0, -84.0],
            [46.0, -6.0, -106.0],
            [40.0, -34.0, -116.0],
            [26.0, -66.0, -120.0],
            [0.0, -82.0, -120.0],
        ];
        for pair in jaw.windows(2) {
            scene.put(flip(Shape::tube(pair[0], pair[1], 6.6)), Bone);
        }
        for pair in jaw.windows(2) {
            scene.put(flip(Shape::tube(pair[0], pair[1], 4.2)), Marrow);
        }
        scene.put(
            flip(Shape::Ball { centre: [60.0, -12.0, -84.0], radii: [7.0, 16.0, 26.0], turned: Turn::about(2, 8.0) }),
            Muscle,
        );
        scene.put(flip(Shape::ball([38.0, -6.0, -80.0], [8.0, 15.0, 24.0])), Muscle);
        scene.put(
            flip(Shape::Ball { centre: [60.0, 18.0, -84.0], radii: [13.0, 15.0, 25.0], turned: Turn::about(2, -20.0) }),
            Parotid,
        );
        scene.put(flip(Shape::ball([32.0, -18.0, -122.0], [10.0, 16.0, 12.0])), Parotid);
        // Teeth.
        for tooth in 0..7 {
            let turn = (12.0 + 20.0 * tooth as f32).to_radians();
            let (x, y) = (25.0 * turn.sin().min(1.0), -50.0 - 30.0 * turn.cos());
            scene.put(flip(Shape::tube([x, y, -90.0], [x, y, -100.0], 3.4)), Enamel);
            scene.put(flip(Shape::tube([x, y, -103.0], [x, y, -112.0], 3.2)), Enamel);
        }
    }
    scene.fill(
        Shape::Block { centre: [0.0, -52.0, -34.0], half: [11.5, 24.0, 13.0], in_plane: 4.0, along_z: 4.0 },
        Fill::AirCells,
    );
    scene.put(Shape::Block { centre: [0.0, -58.0, -58.0], half: [0.9, 30.0, 20.0], in_plane: 4.0, along_z: 4.0 }, Bone);
    scene.put(Shape::ball([0.0, -36.0, -104.0], [22.0, 32.0, 17.0]), Muscle);
    scene.put(Shape::tube([0.0, -14.0, -58.0], [0.0, -4.0, -220.0], 9.0), Air);
}

fn show(scene: &mut Scene, build: &Build, finding: HeadFinding) {
    use Material::{Fluid, FreshBlood, Lesion, Mucosa, Oedema};
    let side = if build.chance(10) < 0.5 { -1.0_f32 } else { 1.0 };
    match finding {
        HeadFinding::Bleed if build.chance(12) < 0.6 => {
            let size = 12.0 + 9.0 * build.chance(13);
            scene.put(Shape::ball([side * 28.0, 0.0, 6.0], [size * 1.25, size * 1.6, size * 1.2]), Oedema);
            scene.put(Shape::ball([side * 28.0, 0.0, 6.0], [size * 0.9, size * 1.25, size * 0.9]), FreshBlood);
        }
        HeadFinding::Bleed => {
            // A subdural crescent: blood just under the skull, the brain painted back inside.
            for step in 0..14 {
                let turn = (-40.0 + 8.0 * step as f32).to_radians();
                let thick = 7.0 * (1.0 - ((step as f32 - 6.5) / 7.5).powi(2)) + 1.0;
                let place = [side * 62.0 * turn.cos(), 4.0 + 79.0 * turn.sin(), 14.0];
                scene.put(Shape::ball(place, [thick, thick * 1.3, 30.0]), FreshBlood);
            }
        }
        HeadFinding::Infarct => {
            scene.put(
                Shape::Ball {
                    centre: [side * 46.0, 2.0, 12.0],
                    radii: [15.0, 24.0, 20.0],
                    turned: Turn::about(2, side * 10.0),
                },
                Oedema,
            );
        }
        HeadFinding::Sinusitis => {
            let sinus = Shape::Block {
                centre: [side * 27.0, -52.0, -64.0],
                half: [13.0, 14.0, 13.0],
                in_plane: 2.2,
                along_z: 2.4,
            };
            scene.put(sinus, Mucosa);
            scene.put(Shape::ball([side * 27.0, -46.0, -68.0], [11.0, 9.0, 8.0]), Fluid);
        }
        HeadFinding::Mastoiditis => {
            scene.put(Shape::ball([side * 62.0, 38.0, -52.0], [11.0, 14.0, 22.0]), Mucosa);
            scene.put(Shape::ball([side * 48.0, 22.0, -42.0], [4.5, 7.0, 8.0]), Mucosa);
        }
        HeadFinding::ParotidTumour => scene.put(Shape::ball([side * 62.0, 16.0, -86.0], [10.0, 10.5, 12.0]), Lesion),
        HeadFinding::OrbitalMass => scene.put(Shape::ball([side * 27.0, -54.0, -28.0], [7.0, 9.0, 7.0]), Lesion),
    }
}
