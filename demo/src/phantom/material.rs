//! What bodies are made of, and how each modality sees it.

/// A tissue, a fluid, a gas, a contrast medium or metal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Material {
    Air,
    Lung,
    Fat,
    Muscle,
    Soft,
    Vessel,
    Heart,
    Liver,
    Spleen,
    Kidney,
    Pancreas,
    Bowel,
    Stool,
    Fluid,
    Csf,
    Grey,
    White,
    Bone,
    Marrow,
    Disc,
    DryDisc,
    Cord,
    Cartilage,
    Fibre,
    FreshBlood,
    Oedema,
    Vitreous,
    Lens,
    Mucosa,
    Parotid,
    Thyroid,
    Prostate,
    Uterus,
    Endometrium,
    Lesion,
    Enamel,
}

/// How an MR sequence weights signal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weighting {
    T1,
    T2,
    Flair,
    /// Proton density with fat suppression.
    ProtonFatSat,
    /// T2 with fat suppression.
    T2FatSat,
}

impl Material {
    /// CT number (HU), mean of the tissue, portal-venous phase for the abdomen's organs and vessels when `enhanced`.
    pub fn hounsfield(self, enhanced: bool) -> f32 {
        use Material::*;
        let (plain, after) = match self {
            Air => (-1000., -1000.),
            Lung => (-850., -845.),
            Fat => (-100., -98.),
            Muscle => (52., 62.),
            Soft => (40., 50.),
            Vessel => (42., 165.),
            Heart => (42., 120.),
            Liver => (60., 112.),
            Spleen => (50., 122.),
            Kidney => (34., 185.),
            Pancreas => (42., 98.),
            Bowel => (35., 72.),
            Stool => (20., 22.),
            Fluid => (8., 9.),
            Csf => (8., 8.),
            Grey => (38., 42.),
            White => (29., 31.),
            Bone => (950., 950.),
            Marrow => (210., 215.),
            Disc => (75., 78.),
            DryDisc => (70., 72.),
            Cord => (38., 40.),
            Cartilage => (80., 82.),
            Fibre => (85., 88.),
            FreshBlood => (68., 68.),
            Oedema => (18., 18.),
            Vitreous => (12., 12.),
            Lens => (75., 75.),
            Mucosa => (35., 45.),
            Parotid => (-5., 20.),
            Thyroid => (105., 170.),
            Prostate => (40., 75.),
            Uterus => (45., 105.),
            Endometrium => (35., 60.),
            Lesion => (38., 74.),
            Enamel => (1900., 1900.),
        };
        if enhanced { after } else { plain }
    }

    /// Signal of an MR sequence, 0 to about 1000 arbitrary units.
    pub fn signal(self, weighting: Weighting) -> f32 {
        use Material::*;
        let [t1, t2, flair, pd_fs, t2_fs] = match self {
            Air | Enamel => [5., 5., 5., 5., 5.],
            Lung => [20., 20., 15., 15., 15.],
            Fat => [880., 640., 560., 90., 80.],
            Muscle => [330., 170., 230., 270., 150.],
            Soft | Mucosa => [360., 330., 340., 400., 330.],
            Vessel => [60., 40., 40., 60., 40.],
            Heart => [340., 260., 260., 330., 240.],
            Liver => [430., 210., 260., 320., 190.],
            Spleen => [320., 380., 360., 440., 360.],
            Kidney => [350., 430., 400., 480., 410.],
            Pancreas => [470., 290., 300., 350., 260.],
            Bowel => [330., 330., 300., 380., 320.],
            Stool => [300., 240., 220., 280., 220.],
            Fluid => [150., 950., 160., 820., 930.],
            Csf => [110., 930., 70., 760., 920.],
            Grey => [400., 460., 470., 560., 450.],
            White => [540., 330., 350., 470., 320.],
            Bone => [35., 30., 30., 35., 30.],
            Marrow => [620., 430., 420., 130., 140.],
            Disc => [330., 620., 420., 560., 600.],
            DryDisc => [290., 170., 180., 230., 150.],
            Cord => [430., 330., 380., 450., 320.],
            Cartilage => [380., 440., 420., 620., 470.],
            Fibre => [70., 60., 60., 80., 55.],
            FreshBlood => [380., 260., 420., 380., 250.],
            Oedema => [290., 720., 780., 700., 720.],
            Vitreous => [120., 940., 90., 800., 930.],
            Lens => [330., 180., 230., 300., 170.],
            Parotid => [640., 520., 480., 380., 330.],
            Thyroid => [390., 420., 390., 450., 400.],
            Prostate => [330., 560., 430., 520., 540.],
            Uterus => [330., 330., 330., 400., 320.],
            Endometrium => [350., 740., 500., 650., 720.],
            Lesion => [300., 640., 680., 700., 660.],
        };
        match weighting {
            Weighting::T1 => t1,
            Weighting::T2 => t2,
            Weighting::Flair => flair,
            Weighting::ProtonFatSat => pd_fs,
            Weighting::T2FatSat => t2_fs,
        }
    }

    /// Attenuation for a radiograph, relative to water.
    pub fn attenuation(self) -> f32 {
        use Material::*;
        match self {
            Air => 0.0,
            Lung => 0.2,
            Fat => 0.86,
            Bone => 2.7,
            Marrow => 1.42,
            Enamel => 4.0,
            Cartilage | Disc | DryDisc | Fibre => 1.08,
            other => 1.0 + other.hounsfield(false) / 1000.0,
        }
    }

    /// How far the tissue's value wanders from its mean, as a share of CT noise and MR signal.
    pub fn texture(self) -> f32 {
        use Material::*;
        match self {
            Air | Bone | Enamel | Csf | Fluid | Vitreous => 0.15,
            Lung => 1.6,
            Marrow | Stool | Parotid | Thyroid => 1.5,
            Muscle | Bowel | Prostate => 1.0,
            _ => 0.5,
        }
    }
}
