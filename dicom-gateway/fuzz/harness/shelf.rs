//! A library of one study with one image, which may be found and had.

use std::ops::Range;

use async_trait::async_trait;
use bytes::Bytes;
use dicom_core::Tag;
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::commitment::Findings;
use dokuei_dicom_gateway::dataset::{DataSet, Syntax, write};
use dokuei_dicom_gateway::part10;
use dokuei_dicom_gateway::scp::{
    Asked, Availability, Found, Level, Library, LibraryError, Peer, Requester, Rights, SiteLimits, Usage,
};
use dokuei_dicom_gateway::scu::Destination;
use dokuei_models::store::commitments::Reference;
use dokuei_models::store::image_search::{FoundInstance, FoundPatient, FoundSeries, FoundStudy, ImageKeys, Page};
use dokuei_models::store::performed_steps::{Made, StepChange, StepStatus};
use dokuei_models::store::requests::RequestRow;
use dokuei_models::store::studies::{InstanceRow, SeriesRow};
use dokuei_models::{EndpointId, InstanceId, PatientId, RequestId, SeriesId, SiteId, StudyId};

/// CT Image Storage.
pub const CT: &str = "1.2.840.10008.5.1.4.1.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";

/// Who asks.
pub const PEER: Peer = Peer {
    site: SiteId(1),
    endpoint: EndpointId(1),
    private_classes: true,
    stores: true,
    queries: true,
    limits: SiteLimits::NONE,
};

/// See the module.
pub struct Shelf;

fn file() -> Vec<u8> {
    use dokuei_dicom_gateway::charset::{NameForm, Repertoire};
    let mut set = DataSet::default();
    set.put(Tag(0x0008, 0x0016), CT)
        .put(Tag(0x0008, 0x0018), "1.2.392.9.1.1.1")
        .put(Tag(0x0010, 0x0020), "0001")
        .put(Tag(0x0020, 0x000D), "1.2.392.9.1")
        .put(Tag(0x0020, 0x000E), "1.2.392.9.1.1");
    let written = write(&set, Syntax::Explicit, &Repertoire::kanji(), NameForm::All).expect("a small data set");
    [part10::file_meta(CT, "1.2.392.9.1.1.1", EXPLICIT), written.bytes].concat()
}

fn study() -> FoundStudy {
    FoundStudy {
        id: StudyId(1),
        site_id: SiteId(1),
        study_uid: "1.2.392.9.1".to_owned(),
        patient_id: PatientId(1),
        header_patient_id: "0001".to_owned(),
        header_name_alphabetic: "Matsumoto^Ichiro".to_owned(),
        header_name_ideographic: "松本^一郎".to_owned(),
        header_name_phonetic: String::new(),
        header_birth_date: chrono::NaiveDate::from_ymd_opt(1950, 1, 2),
        header_sex: "M".to_owned(),
        accession_number: "A1".to_owned(),
        study_date: chrono::NaiveDate::from_ymd_opt(2026, 10, 1),
        study_time: "101500".to_owned(),
        study_id_text: "1".to_owned(),
        description: "胸部CT".to_owned(),
        modalities: "CT".to_owned(),
        institution: "日本病院".to_owned(),
        referring_physician: String::new(),
        instances: 1,
        series: 1,
    }
}

fn series() -> SeriesRow {
    SeriesRow {
        id: SeriesId(1),
        study_id: StudyId(1),
        series_uid: "1.2.392.9.1.1".to_owned(),
        modality: "CT".to_owned(),
        number: Some(1),
        description: String::new(),
        protocol: String::new(),
        body_part: "CHEST".to_owned(),
        laterality: String::new(),
        view_position: String::new(),
        instances: 1,
    }
}

fn instance() -> InstanceRow {
    InstanceRow {
        id: InstanceId(1),
        site_id: SiteId(1),
        study_id: StudyId(1),
        series_id: SeriesId(1),
        sop_instance_uid: "1.2.392.9.1.1.1".to_owned(),
        sop_class_uid: CT.to_owned(),
        transfer_syntax: EXPLICIT.to_owned(),
        sha256: String::new(),
        size: i64::try_from(file().len()).expect("a small file"),
        object_key: String::new(),
        number: Some(1),
        image_rows: Some(1),
        image_columns: Some(1),
        frames: 1,
        position_along_normal: None,
        received_at: chrono::NaiveDateTime::default(),
    }
}

#[async_trait]
impl Library for Shelf {
    async fn rights(&self, _: &Requester) -> Result<Rights, LibraryError> {
        Ok(Rights { queries: true, ..Rights::default() })
    }

    async fn find(&self, _: &Requester, level: Level, _: &ImageKeys, page: Page) -> Result<Vec<Found>, LibraryError> {
        if page.offset > 0 {
            return Ok(Vec::new());
        }
        let (study, series) = (study(), series());
        Ok(vec![match level {
            Level::Patient => Found::Patient(FoundPatient {
                id: PatientId(1),
                site_id: SiteId(1),
                patient_id: "0001".to_owned(),
                name_alphabetic: study.header_name_alphabetic,
                name_ideographic: study.header_name_ideographic,
                name_phonetic: String::new(),
                birth_date: study.header_birth_date,
                sex: study.header_sex,
            }),
            Level::Study => Found::Study(study),
            Level::Series => Found::Series(FoundSeries { study, series }),
            Level::Image => Found::Instance(Box::new(FoundInstance { study, series, instance: instance() })),
        }])
    }

    async fn read(&self, _: &InstanceRow, range: Range<u64>) -> Result<Bytes, LibraryError> {
        let file = file();
        let place = |at: u64| usize::try_from(at).unwrap_or(usize::MAX).min(file.len());
        Ok(Bytes::copy_from_slice(&file[place(range.start)..place(range.end)]))
    }

    async fn destination(&self, _: &Requester, _: &AeTitle) -> Result<Option<Destination>, LibraryError> {
        Ok(None)
    }

    async fn waiting(&self, _: &Requester) -> Result<Vec<RequestRow>, LibraryError> {
        Ok(Vec::new())
    }

    async fn study_uids_given(&self, _: &Requester, _: &[(RequestId, String)]) -> Result<(), LibraryError> {
        Ok(())
    }

    async fn used(&self, _: &Requester, _: Usage) {}

    async fn commitment_asked(&self, _: &Requester, _: &str, _: &[Reference]) -> Result<Asked, LibraryError> {
        Ok(Asked { commitment: 1, by_job: false })
    }

    async fn verify(&self, _: &Requester, items: &[Reference]) -> Result<Findings, LibraryError> {
        Ok(Findings { committed: items.to_vec(), failed: items.iter().map(|one| (one.clone(), 0x0112)).collect() })
    }

    async fn commitment_reported(&self, _: Asked, _: &Findings) {}

    async fn step_created(&self, _: &Requester, _: &str, _: &[String]) -> Result<StepChange, LibraryError> {
        Ok(StepChange::Done)
    }

    async fn step_set(
        &self,
        _: &Requester,
        _: &str,
        _: Option<StepStatus>,
        _: Option<&[Made]>,
    ) -> Result<StepChange, LibraryError> {
        Ok(StepChange::Done)
    }

    async fn available(&self, _: &Requester, _: &Availability) -> Result<(), LibraryError> {
        Ok(())
    }
}
