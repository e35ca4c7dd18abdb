//! The gateway on the real archive: objects in a folder, rows in SQLite, senders
//! that crash and repeat themselves.

use std::path::Path;
use std::process::Command;

use crate::common::{Gateway, ct_file, dcmtk, stored};
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::intake::{Archive, IndexedArchive, Kept, ReceivedObject};
use dokuei_dicom_gateway::part10;
use dokuei_dicom_gateway::scp::Limits;
use dokuei_dicom_gateway::scu::{self, Destination, Sent, Timeouts};
use dokuei_models::db::DatabaseUrl;
use dokuei_models::objects::{Objects, ObjectsUrl};
use dokuei_models::store::images::NewArrival;
use dokuei_models::{ArrivalId, Db, SiteId};

pub struct House {
    pub folder: tempfile::TempDir,
    pub db: Db,
    pub objects: Objects,
    pub archive: IndexedArchive,
}

impl House {
    /// An empty archive with one site and its endpoint.
    pub fn new() -> Self {
        Self::with_journal(0)
    }

    /// The same with a journal of so many bytes.
    pub fn with_journal(bytes: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = Db::open(&DatabaseUrl::Sqlite(folder.path().join("dokuei.sqlite"))).unwrap();
        let (objects, left) =
            Objects::open_journaled(&ObjectsUrl::Folder(folder.path().join("objects")), bytes).unwrap();
        assert!(left.is_empty());
        let archive = IndexedArchive::new(db.clone(), objects.clone());
        let house = Self { archive, db, objects, folder };
        house.sql(
            "INSERT INTO pools VALUES (1,'p','p','p');
             INSERT INTO sites VALUES (1,1,'a','a','a',1,0,1,NULL,'','','exact','wait',60,365,5,1,'',1,0,1,1);
             INSERT INTO site_endpoints (id,site_id,name,kind,sends,receives,ae_title,host,port,addresses,active,version)
             VALUES (1,1,'ct','site',1,0,'HOSPITAL_A','127.0.0.1',104,'',1,1);",
        );
        house
    }

    pub fn sql(&self, statement: &str) -> String {
        let database = self.folder.path().join("dokuei.sqlite");
        let output = Command::new("sqlite3").arg(database).arg(statement).output().expect("sqlite3 must be installed");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    async fn arrival(&self) -> ArrivalId {
        let arrival = NewArrival {
            site: SiteId(1),
            endpoint: None,
            user: None,
            via: "upload",
            whose: dokuei_models::state::Whose::Ours,
            calling_ae: String::new(),
            address: "127.0.0.1".to_owned(),
            at: chrono::Utc::now().naive_utc(),
        };
        self.archive.open(arrival).await.unwrap()
    }

    async fn keep(&self, file: &[u8]) -> Kept {
        let arrival = self.arrival().await;
        self.archive.keep(SiteId(1), arrival, ReceivedObject::from_file(file).unwrap()).await.unwrap()
    }
}

pub fn files_below(folder: &Path) -> usize {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    entries.map(|entry| entry.unwrap().path()).map(|path| if path.is_dir() { files_below(&path) } else { 1 }).sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_study_sent_twice_is_there_once_and_named_in_kanji() {
    let house = House::new();
    let gateway = Gateway::start(house.archive.clone(), Limits::default()).await;
    let folder = tempfile::tempdir().unwrap();
    for number in 1..=4 {
        std::fs::write(folder.path().join(format!("{number}.dcm")), ct_file("1.2.826.90", number, 10_000)).unwrap();
    }
    let (port, path) = (gateway.port.to_string(), folder.path().to_str().unwrap().to_owned());
    for _ in 0..2 {
        let store =
            dcmtk("storescu", &["-aet", "HOSPITAL_A", "-aec", "DOKUEI", "+sd", "127.0.0.1", &port, &path]).await;
        assert!(store.ok, "{}", store.text);
    }
    let ended = gateway.summaries(2).await;
    assert_eq!((ended[0].tally.new, ended[0].tally.repeated), (4, 0));
    assert_eq!((ended[1].tally.new, ended[1].tally.repeated), (0, 4));
    assert_eq!(house.sql("SELECT count(*) FROM instances"), "4");
    assert_eq!(house.sql("SELECT name_ideographic, patient_id FROM patients"), "松本^一郎|00123");
    assert_eq!(house.sql("SELECT instances, series, modalities, accession_number FROM studies"), "4|1|CT|A0001");
    assert_eq!(house.sql("SELECT kept, repeated, outcome FROM arrivals ORDER BY id"), "4|0|released\n0|4|released");
    assert_eq!(files_below(&house.folder.path().join("objects")), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_image_by_another_way_is_a_repeat_and_other_bytes_are_kept_apart() {
    let house = House::new();
    let file = ct_file("1.2.826.91", 1, 3_000);
    assert!(matches!(house.keep(&file).await, Kept::New(_)));
    // Uploaded with another preamble and no file meta information at all.
    let parts = dokuei_dicom_gateway::header::split_file(&file).unwrap();
    assert!(matches!(house.keep(&file[parts.dataset_at..]).await, Kept::Repeat(_)));
    let mut other = file.clone();
    *other.last_mut().unwrap() ^= 1;
    assert!(matches!(house.keep(&other).await, Kept::Conflict(_)));
    assert_eq!(house.sql("SELECT count(*) FROM instances"), "1");
    assert_eq!(
        house.sql("SELECT difference, standing FROM instance_versions ORDER BY id"),
        "first|current\npixels|waiting"
    );
    assert!(matches!(house.keep(&other).await, Kept::Repeat(_)), "kept apart once");
    assert!(matches!(house.keep(&file).await, Kept::Repeat(_)));
}

/// Encodings that keep every pixel, made by DCMTK, are the same instance; so is what a PACS does to lengths and padding.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_image_in_another_lossless_syntax_changes_nothing() {
    let house = House::new();
    let file = ct_file("1.2.826.95", 1, 10_240);
    assert!(matches!(house.keep(&file).await, Kept::New(_)));
    let original = stored(&file);
    let path = original.to_str().unwrap();
    for (tool, options) in [
        ("dcmconv", vec!["+ti"]),
        ("dcmconv", vec!["+tb"]),
        ("dcmconv", vec!["+td"]),
        ("dcmconv", vec!["+g", "+e"]),
        ("dcmcrle", vec![]),
        ("dcmcjpls", vec!["+el"]),
    ] {
        let coded = stored(b"");
        let mut arguments = options.clone();
        arguments.extend([path, coded.to_str().unwrap()]);
        let made = dcmtk(tool, &arguments).await;
        assert!(made.ok, "{tool} {options:?}: {}", made.text);
        let kept = house.keep(&std::fs::read(&coded).unwrap()).await;
        let found = house.sql("SELECT changed, difference FROM instance_versions");
        assert!(matches!(kept, Kept::Repeat(_)), "{tool} {options:?}: {kept:?} {found}");
    }
    assert_eq!(house.sql("SELECT count(*) FROM instance_versions"), "0");
    // DCMTK's lossless JPEG says so in a Derivation Description: the same pixels with another header.
    let derived = stored(b"");
    let made = dcmtk("dcmcjpeg", &["+e1", path, derived.to_str().unwrap()]).await;
    assert!(made.ok, "{}", made.text);
    assert!(matches!(house.keep(&std::fs::read(&derived).unwrap()).await, Kept::Renewed(_)));
    assert_eq!(house.sql("SELECT changed FROM instance_versions WHERE standing = 'current'"), "[\"00082111\"]");
    let lossy = stored(b"");
    // Lossy pixels are other pixels.
    let made = dcmtk("dcmcjpls", &["+en", "+md", "9", "+un", path, lossy.to_str().unwrap()]).await;
    assert!(made.ok, "{}", made.text);
    assert!(matches!(house.keep(&std::fs::read(&lossy).unwrap()).await, Kept::Conflict(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_header_is_a_new_version_and_another_patient_waits_for_a_person() {
    let house = House::new();
    let file = ct_file("1.2.826.96", 1, 10_240);
    assert!(matches!(house.keep(&file).await, Kept::New(_)));
    let changed = async |changes: &[&str]| {
        let copy = stored(&file);
        let mut arguments = vec!["-nb"];
        changes.iter().for_each(|change| arguments.extend(["-i", change]));
        arguments.push(copy.to_str().unwrap());
        let made = dcmtk("dcmodify", &arguments).await;
        assert!(made.ok, "{}", made.text);
        std::fs::read(&copy).unwrap()
    };
    let described = changed(&["StudyDescription=HEAD", "WindowCenter=40"]).await;
    assert!(matches!(house.keep(&described).await, Kept::Renewed(_)));
    assert_eq!(house.sql("SELECT description FROM studies"), "HEAD");
    assert_eq!(
        house.sql("SELECT difference, standing, changed FROM instance_versions ORDER BY id"),
        "first|superseded|[]\nheader|current|[\"00081030\",\"00281050\"]"
    );
    assert!(matches!(house.keep(&file).await, Kept::Repeat(_)), "the older header does not come back by itself");
    let stranger = changed(&["PatientID=00999"]).await;
    assert!(matches!(house.keep(&stranger).await, Kept::Conflict(_)));
    assert_eq!(house.sql("SELECT header_patient_id FROM studies"), "00123");
    let identity = house.sql("SELECT identity_changes, standing FROM instance_versions ORDER BY id DESC LIMIT 1");
    assert_eq!(identity, "[\"patient\"]|waiting");
    // Another image of the study under another patient's number.
    let other = ct_file("1.2.826.96", 2, 10_240);
    let copy = stored(&other);
    assert!(dcmtk("dcmodify", &["-nb", "-i", "PatientID=00999", copy.to_str().unwrap()]).await.ok);
    assert!(matches!(house.keep(&std::fs::read(&copy).unwrap()).await, Kept::Conflict(_)));
    assert_eq!(house.sql("SELECT reason, (SELECT count(*) FROM instances) FROM quarantine"), "other_patient|1");
}

/// A name in a character set that does not exist could be anybody's: reading it by guess would put one patient's images
/// under another's name. One in plain letters is the same in every set.
#[tokio::test]
async fn a_name_in_an_unknown_character_set_is_kept_apart_and_a_plain_one_is_not() {
    let house = House::new();
    let plain = ct_file("1.2.826.93", 1, 3_000);
    let place = |text: &[u8]| plain.windows(text.len()).position(|window| window == text).expect("it is in the file");
    let mut unknown = plain.clone();
    let set = place(b"ISO 2022 IR 87");
    unknown[set..set + 14].copy_from_slice(b"ISO 2022 IR 66");
    let kept = house.keep(&unknown).await;
    assert!(matches!(&kept, Kept::Quarantined(why) if why.contains("character set")), "{kept:?}");
    assert_eq!(house.sql("SELECT reason, (SELECT count(*) FROM instances) FROM quarantine"), "character_set|0");
    let mut letters = unknown.clone();
    let name = place(b"\x1b$B>>K");
    let kanji = letters[name..].iter().position(|byte| *byte == b':').expect("the name's last character") + 4;
    letters[name..name + kanji].fill(b'A');
    assert!(matches!(house.keep(&letters).await, Kept::New(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_understood_is_kept_and_shown_and_answered_as_success() {
    let house = House::new();
    let whole = ct_file("1.2.826.92", 1, 3_000);
    let kept = house.keep(&whole[..whole.len() - 500]).await;
    assert_eq!(kept, Kept::Quarantined("the pixel data is cut off".to_owned()));
    let gateway = Gateway::start(house.archive.clone(), Limits::default()).await;
    // A data set of noise under a sound command.
    let mut noise = part10::file_meta("1.2.840.10008.5.1.4.1.1.2", "1.2.826.92.9", "1.2.840.10008.1.2.1");
    let cut = whole[dokuei_dicom_gateway::header::split_file(&whole).unwrap().dataset_at..].to_vec();
    noise.extend(&cut[..cut.len() - 100]);
    let destination = Destination {
        host: "127.0.0.1".to_owned(),
        port: gateway.port,
        called_ae: AeTitle::parse("DOKUEI").unwrap(),
        calling_ae: AeTitle::parse("HOSPITAL_A").unwrap(),
        timeouts: Timeouts::default(),
        tls: None,
    };
    let sent = scu::send(&destination, &[noise.into()]).await.unwrap();
    assert!(sent[0].is_kept(), "{sent:?}");
    assert_eq!(gateway.summaries(1).await[0].tally.quarantined, 1);
    assert_eq!(house.sql("SELECT count(*) FROM quarantine WHERE reason = 'cut_off'"), "2");
    assert_eq!(house.sql("SELECT count(*) FROM instances"), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_senders_at_once_lose_nothing() {
    let house = House::new();
    let gateway = Gateway::start(house.archive.clone(), Limits::default()).await;
    let mut senders = tokio::task::JoinSet::new();
    for sender in 0..4 {
        let port = gateway.port;
        senders.spawn(async move {
            let destination = Destination {
                host: "127.0.0.1".to_owned(),
                port,
                called_ae: AeTitle::parse("DOKUEI").unwrap(),
                calling_ae: AeTitle::parse("HOSPITAL_A").unwrap(),
                timeouts: Timeouts::default(),
                tls: None,
            };
            // All four bring the same study.
            let files: Vec<bytes::Bytes> =
                (0..25).map(|number| ct_file("1.2.826.93", sender * 25 + number, 20_000).into()).collect();
            scu::send(&destination, &files).await.unwrap()
        });
    }
    let sent: Vec<Sent> = senders.join_all().await.into_iter().flatten().collect();
    assert!(sent.iter().all(Sent::is_kept), "{sent:?}");
    assert_eq!(house.sql("SELECT count(*), count(DISTINCT object_key) FROM instances"), "100|100");
    assert_eq!(house.sql("SELECT instances, series FROM studies"), "100|1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_object_store_that_cannot_write_is_heard_by_storescu() {
    let house = House::new();
    let gateway = Gateway::start(house.archive.clone(), Limits::default()).await;
    // A file stands where the folder of instances must be.
    std::fs::write(house.folder.path().join("objects/instances"), b"in the way").unwrap();
    let path = stored(&ct_file("1.2.826.94", 1, 3_000));
    let port = gateway.port.to_string();
    let arguments = ["-v", "-aet", "HOSPITAL_A", "-aec", "DOKUEI", "127.0.0.1", &port, path.to_str().unwrap()];
    let store = dcmtk("storescu", &arguments).await;
    assert!(store.text.contains("Refused: OutOfResources"), "{}", store.text);
    assert_eq!(house.sql("SELECT count(*) FROM instances"), "0");
    assert_eq!(gateway.summaries(1).await[0].tally.failed, 1);
}

/// A rejection note made with DCMTK, sent by storescu, as IHE's IOCM profile has it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejection_note_hides_the_images_it_names() {
    let house = House::new();
    let gateway = Gateway::start(house.archive.clone(), Limits::default()).await;
    for number in 1..=3 {
        assert!(matches!(house.keep(&ct_file("1.2.826.97", number, 10_240)).await, Kept::New(_)));
    }
    let note = |title: &str, uid: &str| {
        format!(
            "(0008,0016) UI =KeyObjectSelectionDocumentStorage\n(0008,0018) UI [1.2.826.97.9.{uid}]\n\
             (0008,0060) CS [KO]\n(0010,0010) PN [Matsumoto^Ichiro]\n(0010,0020) LO [00123]\n\
             (0020,000d) UI [1.2.826.97]\n(0020,000e) UI [1.2.826.97.9]\n(0020,0011) IS [99]\n\
             (0040,a040) CS [CONTAINER]\n(0040,a043) SQ\n(fffe,e000) -\n(0008,0100) SH [{title}]\n\
             (0008,0102) SH [DCM]\n(0008,0104) LO [Rejected]\n(fffe,e00d) -\n(fffe,e0dd) -\n\
             (0040,a375) SQ\n(fffe,e000) -\n(0008,1115) SQ\n(fffe,e000) -\n(0008,1199) SQ\n(fffe,e000) -\n\
             (0008,1150) UI =CTImageStorage\n(0008,1155) UI [1.2.826.97.1.2]\n(fffe,e00d) -\n(fffe,e0dd) -\n\
             (0020,000e) UI [1.2.826.97.1]\n(fffe,e00d) -\n(fffe,e0dd) -\n(0020,000d) UI [1.2.826.97]\n\
             (fffe,e00d) -\n(fffe,e0dd) -\n"
        )
    };
    let port = gateway.port.to_string();
    for (title, uid, hidden) in [("113000", "1", "0"), ("113001", "2", "1")] {
        let (text, made) = (stored(note(title, uid).as_bytes()), stored(b""));
        let dump = dcmtk("dump2dcm", &["+te", text.to_str().unwrap(), made.to_str().unwrap()]).await;
        assert!(dump.ok, "{}", dump.text);
        let sent =
            dcmtk("storescu", &["-aet", "HOSPITAL_A", "-aec", "DOKUEI", "127.0.0.1", &port, made.to_str().unwrap()])
                .await;
        assert!(sent.ok, "{}", sent.text);
        let found = house.sql("SELECT count(*) FROM instances WHERE hidden_at IS NOT NULL");
        assert_eq!(found, hidden, "title {title}: {}", house.sql("SELECT cause FROM image_withdrawals"));
    }
    assert_eq!(house.sql("SELECT cause, by_user_id IS NULL FROM image_withdrawals"), "quality|1");
    assert_eq!(house.sql("SELECT sop_instance_uid FROM instances WHERE hidden_at IS NOT NULL"), "1.2.826.97.1.2");
}
