//! C-FIND, C-MOVE and C-GET with stock requestors on a real archive.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../gateway/common.rs"]
#[allow(dead_code, reason = "only its files are used here")]
mod common;
mod getting;
mod house;

use common::ct_file;
use dicom_dictionary_std::tags;
use dokuei_dicom_gateway::charset::{NameForm, Repertoire};
use dokuei_dicom_gateway::dataset::{self, DataSet, Limits, Syntax};
use dokuei_dicom_gateway::part10;
use house::{House, StoreScp, files, free_port};

const STUDY: &str = "1.2.826.90";

async fn filled(viewer_port: u16) -> House {
    let house = House::new(viewer_port).await;
    let series: Vec<Vec<u8>> = (1..=3).map(|number| ct_file(STUDY, number, 20_000)).collect();
    house.keep(1, &series).await;
    house.keep(2, &[ct_file("1.2.826.91", 1, 20_000)]).await;
    house
}

fn read(file: &std::path::Path) -> DataSet {
    dataset::read_file(&std::fs::read(file).unwrap(), Limits::default()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_viewer_finds_its_own_sites_studies_at_every_level_and_no_other() {
    let house = filled(1).await;
    let study = ["QueryRetrieveLevel=STUDY", "StudyInstanceUID", "PatientName", "NumberOfStudyRelatedInstances"];
    let (said, found) = house.find("VIEWER_A", "-S", &study).await;
    assert_eq!(found.len(), 1, "{said}");
    let answer = read(&found[0]);
    assert_eq!(answer.text(tags::STUDY_INSTANCE_UID), STUDY);
    assert_eq!(answer.name(tags::PATIENT_NAME).unwrap().joined(), "Matsumoto^Ichiro=松本^一郎");
    assert_eq!(answer.texts(tags::SPECIFIC_CHARACTER_SET).join("\\"), "\\ISO 2022 IR 87");
    assert_eq!(answer.text(tags::NUMBER_OF_STUDY_RELATED_INSTANCES), "3");
    assert_eq!(answer.text(tags::RETRIEVE_AE_TITLE), "DOKUEI");
    assert!(said.contains("DIMSE Status                  : 0xff00"), "all keys are supported: {said}");

    let (_, other) = house.find("VIEWER_B", "-S", &study).await;
    assert_eq!(read(&other[0]).text(tags::STUDY_INSTANCE_UID), "1.2.826.91");
    assert_eq!(other.len(), 1);
    let named = format!("StudyInstanceUID={STUDY}");
    let (_, foreign) = house.find("VIEWER_B", "-S", &["QueryRetrieveLevel=STUDY", &named]).await;
    assert!(foreign.is_empty(), "what another site sent does not exist");

    let (_, patients) = house.find("VIEWER_A", "-P", &["QueryRetrieveLevel=PATIENT", "PatientID=00123"]).await;
    assert_eq!(patients.len(), 1);
    let (_, series) =
        house.find("VIEWER_A", "-S", &["QueryRetrieveLevel=SERIES", &named, "Modality", "SeriesInstanceUID"]).await;
    assert_eq!(read(&series[0]).text(tags::MODALITY), "CT");
    let (_, images) =
        house.find("VIEWER_A", "-S", &["QueryRetrieveLevel=IMAGE", &named, "InstanceNumber", "Rows"]).await;
    let numbers: Vec<_> = images.iter().map(|file| read(file).integer(tags::INSTANCE_NUMBER).unwrap()).collect();
    assert_eq!(numbers, [1, 2, 3]);

    house.sql("UPDATE instances SET hidden_at = '2026-11-21 00:00:00' WHERE number = 2");
    let (_, images) = house.find("VIEWER_A", "-S", &["QueryRetrieveLevel=IMAGE", &named]).await;
    assert_eq!(images.len(), 2, "what is hidden is not found");
    let trail = house.sql("SELECT count(*) FROM audit WHERE action = 'dicom.query' AND detail NOT LIKE '%Matsumoto%'");
    assert_eq!(trail, "7");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn keys_match_by_the_standards_rules_and_what_is_not_supported_is_said() {
    let house = filled(1).await;
    let count = async |keys: &[&str]| {
        let mut all = vec!["QueryRetrieveLevel=STUDY", "StudyInstanceUID"];
        all.extend(keys);
        house.find("VIEWER_A", "-S", &all).await.1.len()
    };
    for (matches, key) in [
        (1, "PatientName=matsu*"),
        (1, "PatientName=MATSUMOTO^ICHIRO"),
        (0, "PatientName=matsumoto"),
        (1, "PatientName=*moto^?chiro"),
        (1, "StudyDate=20261101-20261130"),
        (1, "StudyDate=20261121"),
        (0, "StudyDate=-20261120"),
        (1, "ModalitiesInStudy=MR\\CT"),
        (0, "ModalitiesInStudy=MR"),
        (1, "AccessionNumber=A00*"),
        (0, "AccessionNumber=a0001"),
        (1, "StudyInstanceUID=1.2.3\\1.2.826.90"),
        (0, "PatientID=0012?4"),
    ] {
        assert_eq!(count(&[key]).await, matches, "{key}");
    }
    let (said, found) =
        house.find("VIEWER_A", "-S", &["QueryRetrieveLevel=STUDY", "PatientComments=x", "ProcedureCodeSequence"]).await;
    assert!(said.contains("0xff01"), "{said}");
    let answer = read(&found[0]);
    assert!(answer.has(tags::PATIENT_COMMENTS) && answer.text(tags::PATIENT_COMMENTS).is_empty());
    assert!(answer.has(tags::PROCEDURE_CODE_SEQUENCE) && answer.items(tags::PROCEDURE_CODE_SEQUENCE).is_empty());
    for (model, wrong) in [("-S", "QueryRetrieveLevel=PATIENT"), ("-S", "QueryRetrieveLevel=CASE")] {
        let (said, _) = house.find("VIEWER_A", model, &[wrong]).await;
        assert!(said.contains("0xa900"), "{wrong}: {said}");
    }
    let (said, _) = house.find("VIEWER_A", "-S", &["QueryRetrieveLevel=STUDY", "StudyDate=yesterday"]).await;
    assert!(said.contains("0xa900"), "{said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_in_kanji_is_asked_for_and_answered_in_the_peers_character_set() {
    let house = filled(1).await;
    for declared in ["ISO 2022 IR 13\\ISO 2022 IR 87", "\\ISO 2022 IR 87", "ISO_IR 192"] {
        let mut query = DataSet::default();
        query.put(tags::QUERY_RETRIEVE_LEVEL, "STUDY").put(tags::PATIENT_NAME, "*=松本*");
        let repertoire = Repertoire::parse(declared).unwrap();
        let written = dataset::write(&query, Syntax::Explicit, &repertoire, NameForm::All).unwrap();
        let file = [part10::file_meta("1.2", "1.2", "1.2.840.10008.1.2.1"), written.bytes].concat();
        let file = common::stored(&file);
        let out = tempfile::tempdir().unwrap();
        let arguments = ["-S", "-X", "-od", out.path().to_str().unwrap()];
        let port = house.port.to_string();
        let said = tokio::process::Command::new("findscu")
            .args(["-d", "-aet", "VIEWER_A", "-aec", "DOKUEI"])
            .args(arguments)
            .args(["127.0.0.1", &port])
            .arg(&file)
            .output()
            .await
            .unwrap();
        let found = files(out.path());
        assert_eq!(found.len(), 1, "{declared}: {}", String::from_utf8_lossy(&said.stderr));
        let answer = read(&found[0]);
        assert_eq!(answer.name(tags::PATIENT_NAME).unwrap().ideographic(), "松本^一郎", "{declared}");
        assert_eq!(answer.texts(tags::SPECIFIC_CHARACTER_SET).join("\\"), declared);
    }
    house.sql("UPDATE site_endpoints SET character_set = 'ISO_IR 6', name_form = 'romaji' WHERE id = 2");
    let (_, found) = house.find("VIEWER_A", "-S", &["QueryRetrieveLevel=STUDY", "PatientName"]).await;
    let answer = read(&found[0]);
    assert_eq!(answer.name(tags::PATIENT_NAME).unwrap().joined(), "Matsumoto^Ichiro");
    assert!(!answer.has(tags::SPECIFIC_CHARACTER_SET));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_query_is_not_offered_it() {
    let house = filled(1).await;
    for title in ["SILENT_A", "HOSPITAL_A"] {
        let (said, found) = house.find(title, "-S", &["QueryRetrieveLevel=STUDY"]).await;
        assert!(found.is_empty() && said.contains("No Acceptable Presentation Contexts"), "{said}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_query_is_cancelled_on_its_way() {
    let house = filled(1).await;
    let more: Vec<Vec<u8>> = (10..=400).map(|number| ct_file(STUDY, number, 64)).collect();
    house.keep(1, &more).await;
    let (said, found) = {
        let out = tempfile::tempdir().unwrap().keep();
        let named = format!("StudyInstanceUID={STUDY}");
        let arguments = ["-S", "--cancel", "2", "-X", "-od", out.to_str().unwrap()];
        let keys = ["-k", "QueryRetrieveLevel=IMAGE", "-k", &named, "-k", "SOPInstanceUID"];
        (house.ask("findscu", "VIEWER_A", &[&arguments[..], &keys[..]].concat()).await, files(&out))
    };
    assert!(said.contains("0xfe00"), "{said}");
    assert!(found.len() < 394, "all were answered");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_study_is_moved_to_a_registered_endpoint_byte_for_byte_and_nowhere_else() {
    let port = free_port();
    let house = filled(port).await;
    let viewer = StoreScp::start("VIEWER_A", port, &[]).await;
    let named = format!("StudyInstanceUID={STUDY}");
    let keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", &named];
    let said = house.ask("movescu", "VIEWER_A", &[&["-S", "-aem", "VIEWER_A"][..], &keys].concat()).await;
    let moved = files(viewer.folder.path());
    assert_eq!(moved.len(), 3, "{said}");
    assert!(said.contains("0x0000"), "{said}");
    let sent: Vec<Vec<u8>> = (1..=3).map(|number| ct_file(STUDY, number, 20_000)).collect();
    for file in &moved {
        let bytes = std::fs::read(file).unwrap();
        // +B keeps the data set as it was received behind a file meta information of DCMTK's own.
        assert!(sent.iter().any(|sent| bytes.ends_with(&sent[400..])), "a data set was altered");
    }
    for (title, destination) in [("VIEWER_A", "VIEWER_B"), ("VIEWER_A", "NOWHERE"), ("VIEWER_B", "VIEWER_A")] {
        let said = house.ask("movescu", title, &[&["-S", "-aem", destination][..], &keys].concat()).await;
        assert!(said.contains("0xa801"), "{title} to {destination}: {said}");
    }
    let said = house.ask("movescu", "VIEWER_B", &[&["-S", "-aem", "VIEWER_B"][..], &keys].concat()).await;
    assert!(said.contains("0x0000"), "nothing of another site is found, so nothing fails: {said}");
    assert_eq!(files(viewer.folder.path()).len(), 3, "nothing of another site was moved");
    let said = house.ask("movescu", "VIEWER_A", &["-S", "-aem", "VIEWER_A", "-k", "QueryRetrieveLevel=STUDY"]).await;
    assert!(said.contains("0xa900"), "a retrieval names what it wants: {said}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_move_says_what_did_not_arrive() {
    let port = free_port();
    let house = filled(port).await;
    let named = format!("StudyInstanceUID={STUDY}");
    let keys = ["-k", "QueryRetrieveLevel=STUDY", "-k", &named];
    let said = house.ask("movescu", "VIEWER_A", &[&["-S", "-aem", "VIEWER_A"][..], &keys].concat()).await;
    assert!(said.contains("0xa702") && said.contains("FailedSOPInstanceUIDList"), "nobody listens: {said}");
    assert!(said.contains(&format!("{STUDY}.1.2")), "{said}");
    // A receiver that takes implicit only gets the objects rewritten.
    let viewer = StoreScp::start("VIEWER_A", port, &["+xi"]).await;
    let said = house.ask("movescu", "VIEWER_A", &[&["-S", "-aem", "VIEWER_A"][..], &keys].concat()).await;
    assert!(said.contains("0x0000"), "{said}");
    let moved = files(viewer.folder.path());
    assert_eq!(moved.len(), 3);
    let name = read(&moved[0]).name(tags::PATIENT_NAME).unwrap().joined();
    assert_eq!(name, "Matsumoto^Ichiro=松本^一郎");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_series_comes_back_over_the_same_association() {
    let house = filled(1).await;
    let out = tempfile::tempdir().unwrap();
    let named = format!("StudyInstanceUID={STUDY}");
    let series = format!("SeriesInstanceUID={STUDY}.1");
    let keys = ["-k", "QueryRetrieveLevel=SERIES", "-k", &named, "-k", &series];
    let arguments = ["-S", "-od", out.path().to_str().unwrap(), "+B"];
    let said = house.ask("getscu", "VIEWER_A", &[&arguments[..], &keys].concat()).await;
    let got = files(out.path());
    assert_eq!(got.len(), 3, "{said}");
    let sent = ct_file(STUDY, 1, 20_000);
    assert!(got.iter().any(|file| std::fs::read(file).unwrap().ends_with(&sent[400..])), "a data set was altered");
    let out = tempfile::tempdir().unwrap();
    let arguments = ["-S", "-od", out.path().to_str().unwrap(), "+B"];
    let said = house.ask("getscu", "VIEWER_B", &[&arguments[..], &keys].concat()).await;
    assert!(files(out.path()).is_empty(), "{said}");
}

/// What pynetdicom has to say.
async fn pynetdicom(arguments: &[&str]) -> serde_json::Value {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/peers/services.py");
    let ran = tokio::process::Command::new(python()).arg(script).args(arguments).output().await.unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// `DOKUEI_PYTHON`, else the Python of the build folder's virtual environment.
fn python() -> std::path::PathBuf {
    std::env::var_os("DOKUEI_PYTHON").map(Into::into).unwrap_or_else(|| {
        let built = std::env::var_os("CARGO_TARGET_DIR")
            .map_or_else(|| std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../target"), Into::into);
        built.join("venv/bin/python")
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pynetdicom_finds_a_kanji_name_and_hears_what_is_negotiated() {
    let house = filled(1).await;
    let port = house.port.to_string();
    for name in ["=松本^一郎", "=松*", "*まつ*", "matsumoto^ichiro"] {
        let said = pynetdicom(&["find", &port, "VIEWER_A", name]).await;
        let wanted = match name {
            "*まつ*" => serde_json::json!(["0x0"]),
            _ => serde_json::json!([["Matsumoto^Ichiro=松本^一郎", STUDY, "0xff00"], "0x0"]),
        };
        assert_eq!(said, wanted, "{name}");
    }
    let granted = pynetdicom(&["relational", &port, "VIEWER_A"]).await;
    assert_eq!(granted["1.2.840.10008.5.1.4.1.2.2.1"], serde_json::json!([1, 0, 0, 0]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_get_is_cancelled_on_its_way() {
    let house = filled(1).await;
    let more: Vec<Vec<u8>> = (10..=60).map(|number| ct_file(STUDY, number, 64)).collect();
    house.keep(1, &more).await;
    let said = pynetdicom(&["interrupt", &house.port.to_string(), "VIEWER_A", STUDY]).await;
    let last = said.as_array().unwrap().last().unwrap();
    assert_eq!(last[0], "0xfe00", "{said}");
    assert!(last[2].as_u64().unwrap() < 54, "{said}");
}

const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commitment_tells_what_is_there_on_the_same_association() {
    let house = filled(1).await;
    let port = house.port.to_string();
    let lost = house.sql("SELECT object_key FROM instances WHERE number = 3 AND site_id = 1");
    std::fs::remove_file(house.folder.path().join("objects").join(lost)).unwrap();
    let asked = |instance: &str| format!("{CT}@{instance}");
    let items = [
        asked("1.2.826.90.1.1"),
        asked("1.2.826.90.1.3"),
        asked("1.2.826.91.1.1"),
        "1.2.840.10008.5.1.4.1.1.4@1.2.826.90.1.2".to_owned(),
    ];
    let mut arguments = vec!["commit", &port, "HOSPITAL_A", "0"];
    arguments.extend(items.iter().map(String::as_str));
    let said = pynetdicom(&arguments).await;
    let failed =
        serde_json::json!([["1.2.826.90.1.3", "0x110"], ["1.2.826.91.1.1", "0x112"], ["1.2.826.90.1.2", "0x119"]]);
    assert_eq!(said[2], serde_json::json!([[2, "1.2.826.7.1", ["1.2.826.90.1.1"], failed]]));
    assert_eq!(house.sql("SELECT state, committed, failed FROM commitments"), "reported|1|3");
    assert_eq!(house.sql("SELECT count(*) FROM jobs WHERE kind = 'report_commitment'"), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commitment_of_who_listens_is_told_over_an_association_of_ours() {
    use dokuei_dicom_gateway::commitment::{self, PUSH_MODEL, PUSH_MODEL_INSTANCE};
    use dokuei_dicom_gateway::scu::{self, Event};
    let listens = free_port();
    let house = filled(1).await;
    house.sql(&format!("UPDATE site_endpoints SET host = '127.0.0.1', port = {listens} WHERE id = 1"));
    let (port, listen) = (house.port.to_string(), listens.to_string());
    let item = format!("{CT}@1.2.826.90.1.1");
    let arguments = ["commit", &port, "HOSPITAL_A", &listen, &item];
    let worker = async {
        // What the worker does with the job's row.
        for _ in 0..200 {
            if house.sql("SELECT count(*) FROM jobs WHERE kind = 'report_commitment' AND state = 'queued'") == "1" {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
        let items = [(CT.to_owned(), "1.2.826.90.1.1".to_owned())];
        let findings = commitment::verify(&house.db, &house.objects, dokuei_models::SiteId(1), &items).await.unwrap();
        let information = findings.report("1.2.826.7.1", "DOKUEI");
        let event =
            Event { class: PUSH_MODEL, instance: PUSH_MODEL_INSTANCE, kind: findings.event_type(), information };
        scu::report(&house::destination("HOSPITAL_A", listens), &event).await
    };
    let (said, told) = tokio::join!(pynetdicom(&arguments), worker);
    told.unwrap();
    assert_eq!(said, serde_json::json!(["0x0", "0x123", [[1, "1.2.826.7.1", ["1.2.826.90.1.1"], []]]]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_performed_step_and_a_notification_are_evidence() {
    let house = filled(1).await;
    let port = house.port.to_string();
    let said = pynetdicom(&["step", &port, "HOSPITAL_A", "1.2.826.8", STUDY]).await;
    assert_eq!(said, serde_json::json!(["0x106", "0x0", "0x111", "0x112", "0x0", "0x110"]));
    let evidence = house.sql("SELECT kind, source, expected_instances FROM study_evidence ORDER BY id");
    assert_eq!(evidence, "mpps|1.2.826.8|\nmpps|1.2.826.8|3");
    assert_eq!(house.sql("SELECT status, study_uids FROM performed_steps"), format!("COMPLETED|{STUDY}"));
    assert_eq!(pynetdicom(&["notify", &port, "HOSPITAL_A", STUDY]).await, "0x0");
    let notified = house.sql("SELECT study_uid, expected_instances FROM study_evidence WHERE kind = 'ian'");
    assert_eq!(notified, format!("{STUDY}|2"));
    // Another site's modality cannot change it.
    let other = pynetdicom(&["step", &port, "VIEWER_B", "1.2.826.8", STUDY]).await;
    assert_eq!(other[1], "0x0", "its step of that UID is its own");
    assert_eq!(house.sql("SELECT count(*) FROM performed_steps"), "2");
}

/// The keys that a Japanese CT console asks with.
const WORKLIST: [&str; 9] = [
    "PatientName",
    "PatientID",
    "AccessionNumber",
    "StudyInstanceUID",
    "RequestedProcedureID",
    "RequestedProcedureDescription",
    "ScheduledProcedureStepSequence[0].Modality",
    "ScheduledProcedureStepSequence[0].ScheduledStationAETitle",
    "ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_console_finds_the_open_requests_of_its_site() {
    let house = filled(1).await;
    let request = |id: u8, site: u8, number: &str, exam: &str, state: &str| {
        format!(
            "({id}, {site}, '{number}', '', '7', '0007', 'Miyazaki^Hanako', '宮崎^花子', 'みやざき^はなこ', '1950-01-02', 'F', \
             '松本 医師', '内科', '', '{exam}', '', '', 'reading', 'ward', 'stat', 0, '{state}', '2026-11-20 01:02:03', 1)"
        )
    };
    let rows = [
        request(1, 1, "A1", "胸部CT", "waiting"),
        request(2, 1, "A2", "頭部MRI", "waiting"),
        request(3, 1, "A3", "胸部CT", "matched"),
        request(4, 2, "B1", "胸部CT", "waiting"),
    ];
    house.sql(&format!(
        "INSERT INTO requests (id, site_id, accession_number, study_uid, patient_key, patient_id, name_alphabetic, \
         name_ideographic, name_phonetic, birth_date, sex, ordering_doctor, department, phone, exam, question, history, kind, \
         source, priority, is_default, state, created_at, version) VALUES {}",
        rows.join(", ")
    ));
    let ask = async |title: &str, more: &[&str]| house.find(title, "-W", &[&WORKLIST[..], more].concat()).await;
    let (said, all) = ask("VIEWER_A", &[]).await;
    assert_eq!(all.len(), 2, "{said}");
    assert!(said.contains("0xff00"), "{said}");
    let first = read(&all[0]);
    assert_eq!(first.name(tags::PATIENT_NAME).unwrap().joined(), "Miyazaki^Hanako=宮崎^花子=みやざき^はなこ");
    assert_eq!(first.texts(tags::SPECIFIC_CHARACTER_SET).join("\\"), "\\ISO 2022 IR 87");
    let step = &first.items(tags::SCHEDULED_PROCEDURE_STEP_SEQUENCE)[0];
    assert_eq!((step.text(tags::MODALITY), step.text(tags::SCHEDULED_STATION_AE_TITLE)), ("CT", "VIEWER_A"));
    let given = first.text(tags::STUDY_INSTANCE_UID);
    assert!(given.starts_with("2.25."));
    let written = house.sql("SELECT id, study_uid FROM requests WHERE study_uid <> '' ORDER BY id");
    assert_eq!(written.lines().next(), Some(format!("1|{given}").as_str()), "the study that comes finds its request");
    assert_eq!(written.lines().count(), 2, "what was not given is not written: {written}");
    let step = "ScheduledProcedureStepSequence[0].";
    for (count, key) in [
        (1, format!("{step}Modality=MR")),
        (0, format!("{step}Modality=US")),
        (2, format!("{step}ScheduledProcedureStepStartDate=20200101-")),
        (0, format!("{step}ScheduledProcedureStepStartDate=-20200101")),
        (1, "AccessionNumber=A1".to_owned()),
        (2, "PatientName=miya*".to_owned()),
        (0, "PatientID=12".to_owned()),
    ] {
        let (said, found) = ask("VIEWER_A", &[&key]).await;
        assert_eq!(found.len(), count, "{key}: {said}");
    }
    assert_eq!(ask("VIEWER_B", &[]).await.1.len(), 1, "another site has its own list");
    assert!(ask("HOSPITAL_A", &[]).await.1.is_empty(), "who may not query has none");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pynetdicoms_hand_encoded_pdus_are_each_answered_or_ended_and_hurt_nobody() {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let house = filled(1).await;
    let pdus = pynetdicom(&["pdus", "0", "VIEWER_A"]).await;
    let pdus = pdus.as_object().unwrap();
    assert!(pdus.len() > 20, "only {} PDUs", pdus.len());
    for (name, hex) in pdus {
        let bytes = hex::decode(hex.as_str().unwrap()).unwrap();
        let mut peer = tokio::net::TcpStream::connect(("127.0.0.1", house.port)).await.unwrap();
        peer.write_all(&bytes).await.unwrap();
        peer.shutdown().await.unwrap();
        let mut answer = Vec::new();
        let ended = tokio::time::timeout(std::time::Duration::from_secs(5), peer.read_to_end(&mut answer)).await;
        // A reset is an end too.
        let _ = ended.unwrap_or_else(|_| panic!("{name} was left hanging"));
        if bytes.first() == Some(&1) {
            assert!(matches!(answer.first(), Some(2 | 3 | 7)), "{name}: {answer:02x?}");
        }
    }
    let said = house.ask("echoscu", "VIEWER_A", &[]).await;
    assert!(said.contains("Association Accepted"), "{said}");
}
