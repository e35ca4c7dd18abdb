//! Sending to devices that take little: DCMTK's `storescp` that accepts implicit little endian only, read by pydicom.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::scu::{self, Destination, Sent, Timeouts};
use dokuei_dicom_gateway::{header, part10, transcode};

use crate::common::{ct_file, dcmtk, free_port, stored, wait_for_port};
use crate::samples::Samples;

const IMPLICIT: &str = "1.2.840.10008.1.2";
const EXPLICIT: &str = "1.2.840.10008.1.2.1";

/// Decoded without loss, so that every sample must be equal.
const EXACT: [&str; 19] = [
    "CT_small.dcm",
    "MR_small_RLE.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "693_J2KR.dcm",
    "JPEG-LL.dcm",
    "JPGLosslessP14SV1_1s_1f_8b.dcm",
    "RG3_J2KR.dcm",
    "emri_small_RLE.dcm",
    "emri_small_big_endian.dcm",
    "emri_small_jpeg_2k_lossless.dcm",
    "emri_small_jpeg_ls_lossless.dcm",
    "image_dfl.dcm",
    "liver.dcm",
    "liver_expb.dcm",
    "US1_J2KR.dcm",
    "ExplVR_BigEnd.dcm",
    "SC_rgb_rle_16bit_2frame.dcm",
];
/// Lossy: two decoders round differently, and chroma is upsampled in different ways.
const LOSSY: [(&str, u8); 2] = [("US1_J2KI.dcm", 1), ("SC_rgb_jpeg_gdcm.dcm", 4)];

/// A receiver that writes what it gets.
struct Pacs {
    child: Child,
    port: u16,
    folder: tempfile::TempDir,
}

impl Pacs {
    async fn accepting(option: &str) -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        let child = Command::new("storescp")
            .args(["-aet", "PACS", option, "+B", "-od", folder.path().to_str().unwrap(), &port.to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("dcmtk must be installed");
        wait_for_port(port).await;
        Self { child, port, folder }
    }

    async fn send(&self, files: &[Bytes]) -> Vec<Sent> {
        let to = Destination {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            called_ae: AeTitle::parse("PACS").unwrap(),
            calling_ae: AeTitle::parse("DOKUEI").unwrap(),
            timeouts: Timeouts { connect: Duration::from_secs(5), answer: Duration::from_secs(30) },
            tls: None,
        };
        scu::send(&to, files).await.unwrap()
    }

    /// The file of an instance: `storescp` names it after modality and UID.
    fn file(&self, instance: &str) -> PathBuf {
        let files = std::fs::read_dir(self.folder.path()).unwrap().map(|entry| entry.unwrap().path());
        let mut found = files.filter(|path| path.to_str().unwrap().ends_with(&format!(".{instance}")));
        found.next().unwrap_or_else(|| panic!("{instance} did not arrive"))
    }
}

impl Drop for Pacs {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn compare(samples: &Samples, syntax: &str, tolerance: u8, pairs: &[(PathBuf, PathBuf)]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers/same_image.py");
    let mut command = Command::new(samples.python());
    command.arg(script).args([syntax, &tolerance.to_string()]);
    let output = command.args(pairs.iter().flat_map(|(one, two)| [one, two])).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    if output.status.success() { String::new() } else { format!("{said}{}", String::from_utf8_lossy(&output.stderr)) }
}

async fn arrive(samples: &Samples, pacs: &Pacs, names: &[&str]) -> Vec<(PathBuf, PathBuf)> {
    let paths: Vec<PathBuf> = names.iter().map(|name| samples.path(name)).collect();
    let files: Vec<Bytes> = paths.iter().map(|path| std::fs::read(path).unwrap().into()).collect();
    let mut pairs = Vec::new();
    // One by one: some samples share their instance UID.
    for (path, file) in paths.iter().zip(&files) {
        let sent = pacs.send(std::slice::from_ref(file)).await;
        assert!(sent[0].is_kept(), "{}: {sent:?}", path.display());
        let instance = header::read_file(file).unwrap().sop_instance.to_string();
        let kept = pacs.folder.path().join(path.file_name().unwrap()).with_extension("kept");
        std::fs::rename(pacs.file(&instance), &kept).unwrap();
        pairs.push((path.clone(), kept));
    }
    pairs
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_takes_only_implicit_gets_the_same_image() {
    let Some(samples) = Samples::find() else { return };
    let pacs = Pacs::accepting("+xi").await;
    let pairs = arrive(&samples, &pacs, &EXACT).await;
    assert_eq!(compare(&samples, IMPLICIT, 0, &pairs), "");
    for (name, tolerance) in LOSSY {
        let pairs = arrive(&samples, &pacs, &[name]).await;
        assert_eq!(compare(&samples, IMPLICIT, tolerance, &pairs), "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_device_that_takes_explicit_gets_that() {
    let Some(samples) = Samples::find() else { return };
    let pacs = Pacs::accepting("+xe").await;
    let names = ["MR_small_jp2klossless.dcm", "emri_small_RLE.dcm", "US1_J2KR.dcm"];
    let pairs = arrive(&samples, &pacs, &names).await;
    assert_eq!(compare(&samples, EXPLICIT, 0, &pairs), "");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_decoded_is_said_and_the_others_arrive() {
    let Some(samples) = Samples::find() else { return };
    let pacs = Pacs::accepting("+xi").await;
    let jpeg_12 = std::fs::read(samples.path("JPEG-lossy.dcm")).unwrap();
    let sent = pacs.send(&[jpeg_12.into(), ct_file("1.2.826.41", 1, 2_000).into()]).await;
    assert!(matches!(&sent[0], Sent::NotConvertible(_)), "{sent:?}");
    let sentence = sent[0].to_string();
    assert!(sentence.contains("12-bit JPEG Extended") && sentence.contains("only uncompressed"), "{sentence}");
    assert!(sent[1].is_kept() && !sent[0].is_transient(), "{sent:?}");
}

/// Nesting, undefined lengths and a UN of undefined length come through, as `dcmdump` counts them; depth ends in an
/// error, never in a stack.
#[tokio::test]
async fn structure_is_kept_without_recursion() {
    let Some(samples) = Samples::find() else { return };
    for name in ["UN_sequence.dcm", "reportsi.dcm", "emri_small_RLE.dcm", "liver_expb.dcm"] {
        let path = samples.path(name);
        let items = |dump: String| dump.lines().filter(|line| line.trim_start().starts_with("(fffe,e000)")).count();
        let was = dcmtk("dcmdump", &["-q", path.to_str().unwrap()]).await.text;
        let (was, fragments) = (items(was.clone()), was.matches("(fffe,e000) pi").count());
        let file = std::fs::read(&path).unwrap();
        let targets = transcode::Target::of(&header::split_file(&file).unwrap().transfer_syntax).to_vec();
        for target in targets {
            let made = transcode::dataset(&file, target).unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut part10 = part10::file_meta("1.2.840.10008.5.1.4.1.1.7", "1.2.3", target.uid());
            part10.extend(made);
            let dump = dcmtk("dcmdump", &["-q", stored(&part10).to_str().unwrap()]).await;
            assert!(dump.ok, "{name}: {}", dump.text);
            assert_eq!(items(dump.text), was - fragments, "{name} as {target:?}");
        }
    }
    let mut deep = ct_file("1.2.826.42", 1, 16);
    let nested: Vec<u8> = (0..5_000)
        .flat_map(|_| {
            let sequence = [0x32, 0, 0x64, 0x10, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF];
            [&sequence[..], &[0xFE, 0xFF, 0, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF]].concat()
        })
        .collect();
    let at = header::split_file(&deep).unwrap().dataset_at;
    deep.splice(at..at, nested);
    let error = transcode::dataset(&deep, transcode::Target::Implicit).unwrap_err();
    assert!(error.to_string().contains("nested deeper"), "{error}");
}

/// The elements of a dump that everybody has a dictionary for, without the comments behind them.
async fn elements(path: &Path) -> Vec<String> {
    let dump = dcmtk("dcmdump", &["-q", "+L", path.to_str().unwrap()]).await;
    assert!(dump.ok, "{}", dump.text);
    let of_dataset = dump.text.lines().skip_while(|line| !line.starts_with("# Dicom-Data-Set"));
    let element = |line: &str| {
        let line = line.trim_start();
        let odd = u16::from_str_radix(line.get(1..5)?, 16).ok()? % 2 == 1;
        let value = line.rsplit_once('#').map_or(line, |(value, _)| value).trim_end();
        (line.starts_with('(') && !odd).then(|| value.replace("with explicit length", "with undefined length"))
    };
    of_dataset.filter_map(element).filter(|line| !line.starts_with("(fffe")).collect()
}

/// A medium's profile takes explicit little endian only: what came as implicit is written as `dcmconv` writes it.
#[tokio::test]
async fn an_implicit_object_becomes_the_explicit_one_that_dcmtk_makes_of_it() {
    let Some(samples) = Samples::find() else { return };
    let explicit = |file: &[u8]| {
        let made = transcode::dataset(file, transcode::Target::Explicit).unwrap();
        let header = header::read_file(file).unwrap();
        let mut part10 = part10::file_meta(header.sop_class.as_str(), header.sop_instance.as_str(), EXPLICIT);
        part10.extend(made);
        part10
    };
    for name in ["rtplan.dcm", "rtdose.dcm", "MR_small_implicit.dcm"] {
        let path = samples.path(name);
        let file = std::fs::read(&path).unwrap();
        assert_eq!(header::split_file(&file).unwrap().transfer_syntax, IMPLICIT, "{name}");
        let theirs = stored(b"");
        let made = dcmtk("dcmconv", &["-q", "+te", "-g", path.to_str().unwrap(), theirs.to_str().unwrap()]).await;
        assert!(made.ok, "{name}: {}", made.text);
        let (ours, theirs) = (elements(&stored(&explicit(&file))).await, elements(&theirs).await);
        assert!(ours.len() > 20, "{name}: {ours:?}");
        assert_eq!(ours, theirs, "{name}");
    }
    // What may be US or SS is signed where the pixels are, which an implicit object says nowhere else.
    let signed = std::fs::read(samples.path("CT_small.dcm")).unwrap();
    let implicit = transcode::dataset(&signed, transcode::Target::Implicit).unwrap();
    let mut part10 = part10::file_meta("1.2.840.10008.5.1.4.1.1.2", "1.2.3", IMPLICIT);
    part10.extend(implicit);
    let back = elements(&stored(&explicit(&part10))).await;
    assert!(back.iter().any(|line| line.starts_with("(0028,0120) SS -2000")), "{back:?}");
}
