//! From a procedure to the series and pictures of a study.

use dokuei_terms::Laterality;

use super::catalogue::{Face, Procedure, Shots};
use crate::{
    dicom::{Series, Technique, uid},
    phantom::{
        Body, Picture, Tone,
        bodies::{Build, chest::Arms, head::HeadFinding},
        flat::{MammoView, Pose},
        material::Weighting,
        render::{CtLook, Grid},
    },
};

type Direction = [f32; 3];
const LEFT: Direction = [1.0, 0.0, 0.0];
const BACK: Direction = [0.0, 1.0, 0.0];
const FRONT: Direction = [0.0, -1.0, 0.0];
const DOWN: Direction = [0.0, 0.0, -1.0];

/// What the device's labels say.
pub(super) struct Label<'a> {
    pub body_part: &'a str,
    pub laterality: Laterality,
    /// The side that was really pictured.
    pub pictured: Laterality,
    /// Whether the site's plates write MONOCHROME1.
    pub monochrome1: bool,
}

/// One series before it has numbers and UIDs.
struct Draft {
    modality: &'static str,
    description: &'static str,
    window: (f32, f32),
    technique: Technique,
    pictures: Vec<Picture>,
}

/// The series of a study; `chain` seeds their UIDs.
pub(super) fn series(procedure: &Procedure, build: &Build, label: &Label, chain: &[u64]) -> Vec<Series> {
    let frame = uid(&[chain, &[0xF0]].concat());
    drafts(procedure, build, label.pictured == Laterality::Left)
        .into_iter()
        .zip(1_u32..)
        .map(|(draft, number)| Series {
            uid: uid(&[chain, &[0x5E, u64::from(number)]].concat()),
            frame_of_reference: frame.clone(),
            number,
            modality: draft.modality,
            description: draft.description.to_owned(),
            protocol: procedure.protocol.to_owned(),
            body_part: label.body_part.to_owned(),
            laterality: label.laterality,
            window: draft.window,
            monochrome1: label.monochrome1 && draft.modality == "CR",
            technique: draft.technique,
            pictures: draft.pictures,
        })
        .collect()
}

fn drafts(procedure: &Procedure, build: &Build, left: bool) -> Vec<Draft> {
    let finding = procedure.finding;
    let chest = Body::Chest(Arms::Up);
    match procedure.shots {
        Shots::ChestRadiograph => {
            let grid = Grid::around([0.0, 0.0, -10.0], LEFT, DOWN, 410.0 * build.scale().max(0.6), 1024);
            vec![radiographs("胸部正面", 120, vec![(Body::Chest(Arms::Down), grid, (50.0, 95.0), "PA")])]
        }
        Shots::ChestCt => vec![
            axial("縦隔条件", chest, stack(build, (130.0, -140.0), 24, 360.0), Recon::SOFT, (40.0, 400.0)),
            axial("肺野条件", chest, stack(build, (130.0, -140.0), 24, 360.0), Recon::LUNG, (-600.0, 1500.0)),
        ],
        Shots::AbdomenCt => {
            vec![axial(
                "門脈相",
                Body::Abdomen,
                stack(build, (140.0, -90.0), 24, 370.0),
                Recon::ENHANCED,
                (50.0, 350.0),
            )]
        }
        Shots::TrunkCt => vec![
            axial("胸部 造影", chest, stack(build, (130.0, -140.0), 20, 360.0), Recon::ENHANCED, (40.0, 400.0)),
            axial("腹部 造影", Body::Abdomen, stack(build, (140.0, -90.0), 20, 370.0), Recon::ENHANCED, (50.0, 350.0)),
            axial("骨盤 造影", Body::Pelvis, stack(build, (140.0, -70.0), 16, 370.0), Recon::ENHANCED, (50.0, 350.0)),
        ],
        Shots::HeadCt => {
            let grids = stack_at(70.0, -62.0, 24, 230.0);
            vec![axial("脳条件", Body::Head(finding), grids, Recon::BRAIN, (38.0, 80.0))]
        }
        Shots::FaceCt(face) => face_ct(face, finding),
        Shots::BrainMr => {
            let planes = || stack_at(66.0, -54.0, 20, 230.0);
            let body = Body::Head(finding);
            vec![
                mr("T2強調 横断", body, planes(), Weighting::T2, [0.0; 3]),
                mr("FLAIR 横断", body, planes(), Weighting::Flair, [0.0; 3]),
                mr("T1強調 矢状断", body, sagittal([0.0, 10.0, -20.0], 36.0, 12, 240.0), Weighting::T1, [0.0; 3]),
            ]
        }
        Shots::FaceMr(face) => {
            let (z, field) = face_place(face);
            let planes = || stack_at(z + 22.0, z - 22.0, 14, field);
            let body = Body::Head(finding);
            vec![
                mr("T2強調 横断", body, planes(), Weighting::T2, [0.0; 3]),
                mr("T1強調 横断", body, planes(), Weighting::T1, [0.0; 3]),
            ]
        }
        Shots::LumbarMr => {
            let coil = [0.0, 7.0, 0.0];
            let planes = || sagittal([0.0, 10.0, 0.0], 22.0, 11, 300.0);
            vec![
                mr("T2強調 矢状断", Body::Lumbar, planes(), Weighting::T2, coil),
                mr("T1強調 矢状断", Body::Lumbar, planes(), Weighting::T1, coil),
                mr("T2強調 横断", Body::Lumbar, stack_at(10.0, -100.0, 12, 190.0), Weighting::T2, coil),
            ]
        }
        Shots::KneeMr => {
            let body = Body::Knee { left };
            vec![
                mr("PD脂肪抑制 矢状断", body, sagittal([0.0; 3], 36.0, 16, 160.0), Weighting::ProtonFatSat, [0.0; 3]),
                mr("PD脂肪抑制 冠状断", body, coronal([0.0; 3], 30.0, 14, 160.0), Weighting::ProtonFatSat, [0.0; 3]),
                mr("T1強調 矢状断", body, sagittal([0.0; 3], 36.0, 16, 160.0), Weighting::T1, [0.0; 3]),
            ]
        }
        Shots::PelvisMr => vec![
            mr("T2強調 矢状断", Body::Pelvis, sagittal([0.0, 0.0, 20.0], 40.0, 14, 280.0), Weighting::T2, [0.0; 3]),
            mr("T2強調 横断", Body::Pelvis, stack_at(80.0, -50.0, 18, 280.0), Weighting::T2, [0.0; 3]),
            mr("T1強調 横断", Body::Pelvis, stack_at(80.0, -50.0, 18, 280.0), Weighting::T1, [0.0; 3]),
        ],
        Shots::Stomach => {
            let grid = Grid::around([10.0, 0.0, 20.0], LEFT, DOWN, 280.0, 640);
            let pictures = [Pose::UprightFilled, Pose::Prone, Pose::Supine, Pose::UprightFundus]
                .map(|pose| Picture::Stomach { grid, pose })
                .to_vec();
            vec![Draft {
                modality: "RF",
                description: "胃X線",
                window: (2048.0, 4096.0),
                technique: Technique::Fluoroscopy { kvp: 85 },
                pictures,
            }]
        }
        Shots::Mammography => {
            let view = |left, view| Picture::Mammogram { left, view, columns: 640, rows: 896, spacing: 0.26 };
            let pictures = vec![
                view(false, MammoView::Mlo),
                view(true, MammoView::Mlo),
                view(false, MammoView::Cc),
                view(true, MammoView::Cc),
            ];
            let technique = Technique::Mammography { thickness: 40 + (18.0 * build.chance(8)) as u32 };
            vec![Draft {
                modality: "MG", description: "両側 MLO・CC", window: (1500.0, 3000.0), technique, pictures
            }]
        }
        Shots::BoneScan => vec![Draft {
            modality: "NM",
            description: "全身 前面・後面",
            window: (30.0, 60.0),
            technique: Technique::Nuclear,
            pictures: vec![Picture::BoneScan { columns: 256, rows: 1024 }],
        }],
        Shots::KneeRadiograph => {
            let body = Body::Knee { left };
            let plate = |row| Grid::around([0.0; 3], row, DOWN, 220.0, 768).cropped(512, 768);
            let tone = (25.0, 75.0);
            vec![radiographs(
                "膝 正面・側面",
                55,
                vec![(body, plate(LEFT), tone, "AP"), (body, plate(FRONT), tone, "LL")],
            )]
        }
        Shots::PelvisRadiograph => {
            let grid = Grid::around([0.0, 0.0, 40.0], LEFT, DOWN, 390.0, 768);
            vec![radiographs("骨盤正面", 75, vec![(Body::Pelvis, grid, (120.0, 110.0), "AP")])]
        }
        Shots::LumbarRadiograph => {
            let front = Grid::around([0.0, 0.0, 0.0], LEFT, DOWN, 390.0, 768).cropped(512, 768);
            let side = Grid::around([0.0, 10.0, 0.0], FRONT, DOWN, 390.0, 768).cropped(512, 768);
            let spine = Body::Lumbar;
            vec![radiographs(
                "腰椎 正面・側面",
                85,
                vec![(spine, front, (130.0, 100.0), "AP"), (spine, side, (170.0, 150.0), "LL")],
            )]
        }
        Shots::AbdomenRadiograph => {
            let grid = Grid::around([0.0, 0.0, -10.0], LEFT, DOWN, 390.0, 768);
            vec![radiographs("腹部臥位", 80, vec![(Body::Abdomen, grid, (80.0, 140.0), "AP")])]
        }
    }
}

/// Height of the middle slice and field of view.
fn face_place(face: Face) -> (f32, f32) {
    match face {
        Face::Orbit => (-30.0, 170.0),
        Face::Sinus => (-52.0, 180.0),
        Face::Temporal => (-46.0, 180.0),
        Face::Salivary => (-88.0, 200.0),
    }
}

fn face_ct(face: Face, finding: HeadFinding) -> Vec<Draft> {
    let (z, field) = face_place(face);
    let body = Body::Head(finding);
    let planes = stack_at(z + 22.0, z - 22.0, 16, field);
    match face {
        Face::Salivary | Face::Orbit => vec![axial("軟部条件", body, planes, Recon::SOFT, (40.0, 350.0))],
        Face::Temporal => vec![axial("骨条件", body, planes, Recon::BONE, (600.0, 3500.0))],
        Face::Sinus => vec![
            axial("骨条件 横断", body, planes, Recon::BONE, (400.0, 2000.0)),
            ct("骨条件 冠状断", body, coronal([0.0, -52.0, z], 30.0, 14, field), Recon::BONE, (400.0, 2000.0)),
        ],
    }
}

/// A reconstruction.
#[derive(Clone, Copy)]
struct Recon {
    look: CtLook,
    kernel: &'static str,
}

impl Recon {
    const SOFT: Recon = Recon { look: CtLook { enhanced: false, noise: 8.0, sharp: false }, kernel: "STANDARD" };
    const ENHANCED: Recon = Recon { look: CtLook { enhanced: true, noise: 8.0, sharp: false }, kernel: "STANDARD" };
    const BRAIN: Recon = Recon { look: CtLook { enhanced: false, noise: 3.0, sharp: false }, kernel: "BRAIN" };
    const LUNG: Recon = Recon { look: CtLook { enhanced: false, noise: 22.0, sharp: true }, kernel: "LUNG" };
    const BONE: Recon = Recon { look: CtLook { enhanced: false, noise: 20.0, sharp: true }, kernel: "BONE" };
}

fn axial(description: &'static str, body: Body, grids: Vec<Grid>, recon: Recon, window: (f32, f32)) -> Draft {
    ct(description, body, grids, recon, window)
}

fn gap(grids: &[Grid]) -> f32 {
    let pair = grids.windows(2).next();
    pair.map_or(5.0, |pair| (0..3).map(|k| (pair[0].origin[k] - pair[1].origin[k]).abs()).fold(0.0, f32::max))
}

fn ct(description: &'static str, body: Body, grids: Vec<Grid>, recon: Recon, window: (f32, f32)) -> Draft {
    let technique = Technique::Ct {
        kvp: 120,
        mas: 180,
        kernel: recon.kernel,
        thickness: gap(&grids),
        contrast: recon.look.enhanced,
    };
    let pictures = grids.into_iter().map(|grid| Picture::Ct { body, grid, look: recon.look }).collect();
    Draft { modality: "CT", description, window, technique, pictures }
}

fn mr(description: &'static str, body: Body, grids: Vec<Grid>, weighting: Weighting, coil: [f32; 3]) -> Draft {
    let (repetition, echo, inversion, window) = match weighting {
        Weighting::T1 => (500.0, 12.0, 0.0, (400.0, 850.0)),
        Weighting::T2 => (4000.0, 100.0, 0.0, (450.0, 950.0)),
        Weighting::Flair => (9000.0, 110.0, 2500.0, (350.0, 720.0)),
        Weighting::ProtonFatSat => (3000.0, 28.0, 0.0, (350.0, 750.0)),
        Weighting::T2FatSat => (4200.0, 80.0, 0.0, (400.0, 850.0)),
    };
    let technique = Technique::Mr { repetition, echo, inversion, thickness: gap(&grids) };
    let pictures = grids.into_iter().map(|grid| Picture::Mr { body, grid, weighting, coil }).collect();
    Draft { modality: "MR", description, window, technique, pictures }
}

type Plate = (Body, Grid, (f32, f32), &'static str);

fn radiographs(description: &'static str, kvp: u32, plates: Vec<Plate>) -> Draft {
    let pictures = plates
        .into_iter()
        .map(|(body, grid, (black, climb), view)| {
            let letter = if body == (Body::Knee { left: true }) { "L" } else { "R" };
            Picture::Radiograph { body, grid, tone: Tone { black, climb }, letter, view }
        })
        .collect();
    let technique = Technique::Radiograph { kvp };
    Draft { modality: "CR", description, window: (2048.0, 4096.0), technique, pictures }
}

/// Axial slices of a trunk from above to below, sized to the patient.
fn stack(build: &Build, (from, to): (f32, f32), count: usize, field: f32) -> Vec<Grid> {
    let scale = build.scale();
    stack_at(from * scale, to * scale, count, field * scale.max(0.6))
}

fn stack_at(from: f32, to: f32, count: usize, field: f32) -> Vec<Grid> {
    steps(from, to, count).map(|z| Grid::around([0.0, 0.0, z], LEFT, BACK, field, 256)).collect()
}

fn sagittal(centre: [f32; 3], reach: f32, count: usize, field: f32) -> Vec<Grid> {
    let at = move |x| Grid::around([x, centre[1], centre[2]], BACK, DOWN, field, 256);
    steps(-reach, reach, count).map(at).collect()
}

fn coronal(centre: [f32; 3], reach: f32, count: usize, field: f32) -> Vec<Grid> {
    let at = move |y| Grid::around([centre[0], centre[1] + y, centre[2]], LEFT, DOWN, field, 256);
    steps(-reach, reach, count).map(at).collect()
}

fn steps(from: f32, to: f32, count: usize) -> impl Iterator<Item = f32> {
    (0..count).map(move |k| from + (to - from) * k as f32 / (count.max(2) - 1) as f32)
}
