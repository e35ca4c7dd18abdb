//! What is examined, how often, and why: procedures with their shares and the questions that go with them.
//!
//! Shares are per mille of the ATS survey of 2019 (29 reading companies, 6.1
//! million reads; table in Hirasawa 2022): CT/MR 456, chest 321, GI 160,
//! mammography 39, nuclear 4 (rounded up from 3.9), other 22.

use dokuei_terms::Modality;

use crate::{dicom::Sex, phantom::bodies::head::HeadFinding};

/// A line of the survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SurveyClass {
    /// CT and MRI.
    CtMr,
    /// Chest radiographs.
    Chest,
    /// Gastrointestinal fluoroscopy.
    Gastrointestinal,
    /// Mammography.
    Mammography,
    /// Nuclear medicine.
    Nuclear,
    /// Everything else.
    Other,
}

/// What the pictures of a procedure are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shots {
    ChestRadiograph,
    ChestCt,
    HeadCt,
    AbdomenCt,
    TrunkCt,
    FaceCt(Face),
    BrainMr,
    FaceMr(Face),
    LumbarMr,
    KneeMr,
    PelvisMr,
    Stomach,
    Mammography,
    BoneScan,
    KneeRadiograph,
    PelvisRadiograph,
    LumbarRadiograph,
    AbdomenRadiograph,
}

/// Parts of the face and base of skull.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Face {
    Orbit,
    Sinus,
    Temporal,
    Salivary,
}

/// How pressing a question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Acuity {
    /// Life may be at stake: may be stat.
    Emergency,
    /// Urgent or priority.
    Acute,
    /// Routine, now and then priority.
    Planned,
    /// Check-up.
    CheckUp,
}

/// A reason to examine.
pub(super) struct Question {
    pub text: &'static str,
    pub ages: (u32, u32),
    pub sex: Option<Sex>,
    pub acuity: Acuity,
    pub department: &'static str,
    /// Chance that the pictures show it.
    pub shown: f32,
}

/// A procedure.
pub(super) struct Procedure {
    pub share: u32,
    pub class: SurveyClass,
    pub shots: Shots,
    pub parts: &'static [(&'static str, Modality)],
    pub name: &'static str,
    pub protocol: &'static str,
    /// BodyPartExamined when the device is set right, and a plausible wrong setting.
    pub body_part: (&'static str, &'static str),
    pub paired: bool,
    /// Weights of HOSPITAL_A, HOSPITAL_B, CLINIC_C.
    pub sites: [u32; 3],
    pub finding: HeadFinding,
    pub questions: &'static [Question],
}

const fn ask(
    text: &'static str,
    ages: (u32, u32),
    sex: Option<Sex>,
    acuity: Acuity,
    department: &'static str,
    shown: f32,
) -> Question {
    Question { text, ages, sex, acuity, department, shown }
}

const F: Option<Sex> = Some(Sex::Female);
const M: Option<Sex> = Some(Sex::Male);
use Acuity::{Acute, CheckUp, Emergency, Planned};
use Modality::{Ct, Fluoroscopy, Mammography, Mr, Nuclear, Radiograph};
use SurveyClass::{Chest, CtMr, Gastrointestinal, Other};

macro_rules! procedure {
    ($share:literal $class:expr, $shots:expr, $parts:expr, $name:literal, $protocol:literal, $body:expr, $paired:literal, $sites:expr, $finding:ident, [$($question:expr),+ $(,)?]) => {
        Procedure {
            share: $share, class: $class, shots: $shots, parts: $parts, name: $name, protocol: $protocol,
            body_part: $body, paired: $paired, sites: $sites, finding: HeadFinding::$finding, questions: &[$($question),+],
        }
    };
}

pub(super) const PROCEDURES: &[Procedure] = &[
    procedure!(110 CtMr, Shots::ChestCt, &[("chest", Ct)], "胸部CT 単純", "CHEST ROUTINE", ("CHEST", "ABDOMEN"), false, [6, 3, 1], Bleed, [
        ask("健診の胸部X線で右中肺野に結節影を指摘。肺癌の有無につき精査お願いします。", (45, 85), None, Planned, "呼吸器内科", 0.7),
        ask("38度台の発熱と湿性咳嗽が5日間持続。SpO2 93%。肺炎の有無、拡がりの評価をお願いします。", (20, 92), None, Acute, "内科", 0.6),
        ask("間質性肺炎で経過観察中。労作時呼吸困難の増悪あり。前回との比較をお願いします。", (55, 88), None, Planned, "呼吸器内科", 0.2),
        ask("突然の呼吸困難、SpO2 86%（室内気）。ショックバイタル。気胸・大量胸水など緊急疾患の有無を至急ご教示ください。", (35, 90), None, Emergency, "救急科", 0.8),
        ask("肺癌術後2年。再発・転移の有無につき評価お願いします。", (50, 85), None, Planned, "呼吸器外科", 0.3),
    ]),
    procedure!(80 CtMr, Shots::HeadCt, &[("head.brain", Ct)], "頭部CT 単純", "HEAD ROUTINE", ("HEAD", "NECK"), false, [7, 3, 0], Bleed, [
        ask("突然の激しい頭痛と嘔吐、意識レベルJCS II-10。頭蓋内出血の有無を至急お願いします。", (40, 90), None, Emergency, "救急科", 0.9),
        ask("1時間前からの右片麻痺と失語。脳出血の除外をお願いします。t-PA適応を検討中です。", (50, 92), None, Emergency, "脳神経外科", 0.5),
        ask("自宅で転倒し後頭部を打撲。抗凝固薬内服中。頭蓋内出血の有無についてお願いします。", (65, 95), None, Acute, "救急科", 0.3),
        ask("3週間前に頭部打撲。最近歩行が不安定。慢性硬膜下血腫の有無をお願いします。", (65, 95), None, Acute, "脳神経外科", 0.5),
        ask("物忘れが徐々に進行。脳萎縮、正常圧水頭症の有無につきお願いします。", (65, 92), None, Planned, "神経内科", 0.1),
        ask("ソファから転落し頭部打撲、嘔吐2回。頭蓋内出血・骨折の有無をお願いします。", (2, 12), None, Acute, "小児科", 0.1),
    ]),
    procedure!(70 CtMr, Shots::AbdomenCt, &[("abdomen", Ct)], "腹部CT 造影", "ABDOMEN CE", ("ABDOMEN", "CHEST"), false, [6, 4, 0], Bleed, [
        ask("右季肋部痛と発熱、炎症反応上昇。急性胆嚢炎の有無、胆石の評価をお願いします。", (30, 88), None, Acute, "消化器内科", 0.6),
        ask("C型肝硬変で経過観察中。AFP上昇あり。肝細胞癌の有無につき精査お願いします。", (50, 85), None, Planned, "消化器内科", 0.5),
        ask("突然の左側腹部痛、血尿あり。尿管結石と水腎症の評価をお願いします。", (25, 75), None, Acute, "泌尿器科", 0.6),
        ask("激しい腹痛と筋性防御。消化管穿孔・腸管虚血など緊急手術の要否につき至急お願いします。", (30, 90), None, Emergency, "救急科", 0.5),
        ask("健診エコーで膵管拡張を指摘。膵腫瘍の有無につき精査お願いします。", (45, 82), None, Planned, "消化器内科", 0.3),
    ]),
    procedure!(60 CtMr, Shots::TrunkCt, &[("chest", Ct), ("abdomen", Ct), ("pelvis", Ct)], "胸腹骨盤部CT 造影", "CHEST-ABD-PELVIS CE", ("CHESTABDPELVIS", "HEAD"), false, [6, 4, 0], Bleed, [
        ask("大腸癌術後1年。CEA軽度上昇。再発・転移の有無につき評価お願いします。", (45, 86), None, Planned, "外科", 0.5),
        ask("体重減少（3か月で6kg）と食欲低下。悪性腫瘍の検索をお願いします。", (50, 88), None, Planned, "内科", 0.4),
        ask("乳癌術後、化学療法中。治療効果判定をお願いします。", (38, 80), F, Planned, "乳腺外科", 0.4),
        ask("前立腺癌、ホルモン療法中。リンパ節・骨転移の評価をお願いします。", (60, 88), M, Planned, "泌尿器科", 0.3),
    ]),
    procedure!(8 CtMr, Shots::FaceCt(Face::Sinus), &[("head.sinus", Ct)], "副鼻腔CT 単純", "SINUS", ("PARANASALSINUS", "HEAD"), false, [4, 6, 0], Sinusitis, [
        ask("膿性鼻汁と左頬部痛が1か月持続。副鼻腔炎の有無・範囲をお願いします。", (15, 75), None, Planned, "耳鼻咽喉科", 0.8),
        ask("片側性の上顎洞陰影。歯性上顎洞炎、真菌症の評価をお願いします。", (30, 78), None, Planned, "耳鼻咽喉科", 0.9),
    ]),
    procedure!(5 CtMr, Shots::FaceCt(Face::Temporal), &[("head.temporal", Ct)], "側頭骨CT 単純", "TEMPORAL BONE", ("HEAD", "NECK"), false, [4, 6, 0], Mastoiditis, [
        ask("慢性中耳炎で伝音難聴あり。真珠腫の有無、耳小骨の評価をお願いします。", (20, 75), None, Planned, "耳鼻咽喉科", 0.6),
        ask("急性中耳炎の後、耳後部の腫脹と疼痛。乳様突起炎の評価をお願いします。", (3, 15), None, Acute, "耳鼻咽喉科", 0.8),
    ]),
    procedure!(4 CtMr, Shots::FaceCt(Face::Orbit), &[("head.orbit", Ct)], "眼窩CT 単純", "ORBIT", ("HEAD", "NECK"), false, [6, 4, 0], OrbitalMass, [
        ask("ボールが眼部に当たり複視あり。眼窩吹き抜け骨折の有無をお願いします。", (10, 45), None, Acute, "眼科", 0.0),
        ask("眼球突出が緩徐に進行。眼窩内腫瘤の有無をお願いします。", (30, 75), None, Planned, "眼科", 0.7),
    ]),
    procedure!(3 CtMr, Shots::FaceCt(Face::Salivary), &[("head.salivary", Ct)], "唾液腺CT 単純", "SALIVARY GLAND", ("NECK", "HEAD"), false, [4, 6, 0], ParotidTumour, [
        ask("耳下部に無痛性腫瘤を触知。耳下腺腫瘍の評価をお願いします。", (30, 80), None, Planned, "耳鼻咽喉科", 0.8),
    ]),
    procedure!(55 CtMr, Shots::BrainMr, &[("head.brain", Mr)], "頭部MRI 単純", "BRAIN ROUTINE", ("BRAIN", "CSPINE"), false, [6, 4, 0], Infarct, [
        ask("今朝からの左上肢脱力と構音障害。急性期脳梗塞の有無を至急お願いします。", (50, 92), None, Emergency, "神経内科", 0.8),
        ask("慢性的な頭痛。器質的疾患の除外をお願いします。", (18, 70), None, Planned, "脳神経外科", 0.05),
        ask("めまい・ふらつきが1週間持続。後頭蓋窩病変の有無をお願いします。", (35, 85), None, Acute, "内科", 0.1),
        ask("認知機能低下の精査。海馬を含めた萎縮の評価、虚血性変化の程度をお願いします。", (65, 92), None, Planned, "神経内科", 0.1),
        ask("脳ドック。無症候性脳梗塞などの有無をお願いします。", (40, 75), None, CheckUp, "健診センター", 0.1),
    ]),
    procedure!(3 CtMr, Shots::FaceMr(Face::Orbit), &[("head.orbit", Mr)], "眼窩MRI 単純", "ORBIT", ("ORBIT", "HEAD"), false, [6, 4, 0], OrbitalMass, [
        ask("急な片眼の視力低下と眼球運動時痛。視神経炎の評価をお願いします。", (18, 50), None, Acute, "眼科", 0.0),
        ask("眼窩内腫瘤の質的診断をお願いします。", (30, 78), None, Planned, "眼科", 0.9),
    ]),
    procedure!(2 CtMr, Shots::FaceMr(Face::Sinus), &[("head.sinus", Mr)], "副鼻腔MRI 単純", "SINUS", ("PARANASALSINUS", "HEAD"), false, [5, 5, 0], Sinusitis, [
        ask("CTで片側上顎洞に軟部影。腫瘍と炎症の鑑別をお願いします。", (40, 80), None, Planned, "耳鼻咽喉科", 0.9),
    ]),
    procedure!(2 CtMr, Shots::FaceMr(Face::Temporal), &[("head.temporal", Mr)], "側頭骨・内耳道MRI", "IAC", ("IAC", "HEAD"), false, [5, 5, 0], Mastoiditis, [
        ask("突発性の片側難聴と耳鳴。聴神経腫瘍の有無をお願いします。", (30, 78), None, Planned, "耳鼻咽喉科", 0.0),
    ]),
    procedure!(3 CtMr, Shots::FaceMr(Face::Salivary), &[("head.salivary", Mr)], "唾液腺MRI 単純", "PAROTID", ("NECK", "HEAD"), false, [5, 5, 0], ParotidTumour, [
        ask("耳下腺腫瘤。良悪性の鑑別、顔面神経との位置関係をお願いします。", (30, 80), None, Planned, "耳鼻咽喉科", 0.9),
    ]),
    procedure!(22 CtMr, Shots::LumbarMr, &[("spine.lumbar", Mr)], "腰椎MRI 単純", "L-SPINE ROUTINE", ("LSPINE", "TSPINE"), false, [3, 7, 0], Bleed, [
        ask("腰痛と左下肢のしびれ。L5領域の感覚低下あり。椎間板ヘルニアの有無をお願いします。", (20, 60), None, Planned, "整形外科", 0.8),
        ask("間欠性跛行（200m）。腰部脊柱管狭窄症の評価をお願いします。", (60, 90), None, Planned, "整形外科", 0.5),
        ask("急な両下肢脱力と膀胱直腸障害。馬尾圧迫の有無を早急にお願いします。", (40, 85), None, Acute, "整形外科", 0.9),
    ]),
    procedure!(13 CtMr, Shots::KneeMr, &[("lower.knee", Mr)], "膝関節MRI 単純", "KNEE ROUTINE", ("KNEE", "ANKLE"), true, [2, 8, 0], Bleed, [
        ask("サッカーで受傷。膝の不安定感あり。前十字靱帯損傷の有無をお願いします。", (14, 40), None, Planned, "整形外科", 0.8),
        ask("階段昇降時の膝痛とひっかかり感。半月板損傷の有無をお願いします。", (30, 75), None, Planned, "整形外科", 0.7),
    ]),
    procedure!(9 CtMr, Shots::PelvisMr, &[("pelvis.female", Mr)], "女性骨盤MRI 単純", "FEMALE PELVIS", ("PELVIS", "ABDOMEN"), false, [5, 5, 0], Bleed, [
        ask("過多月経と貧血。子宮筋腫の部位・大きさの評価をお願いします。", (28, 52), F, Planned, "婦人科", 0.8),
        ask("エコーで左付属器に嚢胞性腫瘤。卵巣腫瘍の質的診断をお願いします。妊娠の可能性なし。", (20, 75), F, Planned, "婦人科", 0.9),
    ]),
    procedure!(7 CtMr, Shots::PelvisMr, &[("pelvis.male", Mr)], "前立腺MRI", "PROSTATE", ("PROSTATE", "ABDOMEN"), false, [5, 5, 0], Bleed, [
        ask("PSA 8.4 ng/mLと上昇。前立腺癌の有無・局在の評価をお願いします。", (55, 84), M, Planned, "泌尿器科", 0.7),
    ]),
    procedure!(321 Chest, Shots::ChestRadiograph, &[("chest", Radiograph)], "胸部X線 立位正面", "CHEST PA", ("CHEST", "ABDOMEN"), false, [3, 2, 5], Bleed, [
        ask("職場の定期健康診断。自覚症状なし。", (20, 64), None, CheckUp, "健診センター", 0.05),
        ask("住民健診（肺がん検診）。喫煙歴あり。", (40, 80), None, CheckUp, "健診センター", 0.08),
        ask("入社時健診。異常の有無をお願いします。", (18, 35), None, CheckUp, "健診センター", 0.02),
        ask("発熱と咳。肺炎の有無をお願いします。", (6, 92), None, Acute, "内科", 0.5),
        ask("術前検査。心肺に異常がないかお願いします。", (25, 88), None, Planned, "外科", 0.08),
        ask("慢性心不全で通院中。下腿浮腫の増悪あり。心拡大・胸水の評価をお願いします。", (65, 95), None, Planned, "循環器内科", 0.5),
    ]),
    procedure!(160 Gastrointestinal, Shots::Stomach, &[("abdomen.gi", Fluoroscopy)], "上部消化管造影（胃X線）", "UGI", ("STOMACH", "CHEST"), false, [1, 2, 7], Bleed, [
        ask("胃がん検診。自覚症状なし。", (50, 78), None, CheckUp, "健診センター", 0.08),
        ask("職場健診（胃部X線）。ピロリ除菌歴あり。", (40, 64), None, CheckUp, "健診センター", 0.06),
        ask("心窩部痛が2か月持続。内視鏡は希望されず。潰瘍・腫瘍の有無をお願いします。", (40, 80), None, Planned, "消化器内科", 0.6),
    ]),
    procedure!(39 SurveyClass::Mammography, Shots::Mammography, &[("chest.breast", Mammography)], "マンモグラフィ 両側2方向", "MAMMO 2VIEW", ("BREAST", "CHEST"), false, [2, 2, 6], Bleed, [
        ask("乳がん検診（対策型）。自覚症状なし。", (40, 74), F, CheckUp, "健診センター", 0.06),
        ask("右乳房にしこりを自覚。腫瘤・石灰化の評価をお願いします。", (35, 80), F, Planned, "乳腺外科", 0.8),
    ]),
    procedure!(4 SurveyClass::Nuclear, Shots::BoneScan, &[("body", Nuclear)], "骨シンチグラフィ", "WHOLE BODY BONE", ("WHOLEBODY", "CHEST"), false, [8, 2, 0], Bleed, [
        ask("前立腺癌、PSA上昇。骨転移の有無をお願いします。", (60, 86), M, Planned, "泌尿器科", 0.6),
        ask("乳癌術後、腰背部痛あり。骨転移の有無をお願いします。", (40, 82), F, Planned, "乳腺外科", 0.6),
    ]),
    procedure!(8 Other, Shots::KneeRadiograph, &[("lower.knee", Radiograph)], "膝関節X線 2方向", "KNEE AP LAT", ("KNEE", "ANKLE"), true, [3, 7, 0], Bleed, [
        ask("膝痛。変形性膝関節症の程度をお願いします。", (50, 88), None, Planned, "整形外科", 0.2),
        ask("転倒後の膝痛。骨折の有無をお願いします。", (14, 88), None, Acute, "整形外科", 0.1),
    ]),
    procedure!(4 Other, Shots::PelvisRadiograph, &[("pelvis", Radiograph)], "骨盤X線 正面", "PELVIS AP", ("PELVIS", "ABDOMEN"), false, [5, 5, 0], Bleed, [
        ask("転倒後の股関節痛で歩行困難。大腿骨近位部骨折の有無をお願いします。", (68, 96), None, Acute, "整形外科", 0.1),
    ]),
    procedure!(5 Other, Shots::LumbarRadiograph, &[("spine.lumbar", Radiograph)], "腰椎X線 2方向", "L-SPINE AP LAT", ("LSPINE", "TSPINE"), false, [4, 6, 0], Bleed, [
        ask("しりもち後の腰痛。圧迫骨折の有無をお願いします。", (60, 94), None, Acute, "整形外科", 0.1),
        ask("慢性腰痛。変性・すべりの有無をお願いします。", (30, 85), None, Planned, "整形外科", 0.2),
    ]),
    procedure!(5 Other, Shots::AbdomenRadiograph, &[("abdomen", Radiograph)], "腹部X線 臥位正面", "ABDOMEN AP", ("ABDOMEN", "CHEST"), false, [6, 4, 0], Bleed, [
        ask("腹部膨満と便秘。イレウスの有無、便貯留の程度をお願いします。", (20, 92), None, Acute, "内科", 0.1),
    ]),
];
