//! Other people's verifiers judge the signature: poppler's pdfsig over NSS, and pyHanko.
//!
//! A missing peer is said aloud and passes, unless DOKUEI_TEST_PEERS=required.

mod support;

use std::path::Path;
use std::process::Command;

use dokuei_report::{Authority, sign, typeset};
use support::{authority, details, fonts, output, program_is_there, python_with_pyhanko, reader, report};

/// An NSS database that trusts `authority` for signatures, as the README's verifier would make it.
fn nss_database(folder: &Path, authority: &Authority) -> String {
    let root = folder.join("root.pem");
    std::fs::write(&root, authority.certificate_pem().expect("PEM")).expect("a file");
    let database = format!("sql:{}", folder.display());
    let made = output(Command::new("certutil").args(["-N", "--empty-password", "-d", &database]));
    let imported = output(
        Command::new("certutil").args(["-A", "-n", "dokuei-demo", "-t", ",C,", "-a", "-d", &database, "-i"]).arg(&root),
    );
    assert!(made.is_empty() && imported.is_empty(), "certutil: {made}{imported}");
    database
}

fn pdfsig(folder: &Path, database: &str, pdf: &[u8]) -> String {
    let file = folder.join("judged.pdf");
    std::fs::write(&file, pdf).expect("a file");
    output(Command::new("pdfsig").args(["-nssdir", database]).arg(&file))
}

/// Flips one bit in the middle of the first page's compressed content.
fn tampered(signed: &[u8]) -> Vec<u8> {
    let mut bytes = signed.to_vec();
    let at = bytes.windows(7).position(|window| window == b"stream\n").expect("a stream") + 40;
    bytes[at] ^= 1;
    bytes
}

#[test]
fn pdfsig_finds_the_signature_valid_and_the_certificate_trusted() {
    if !(program_is_there("pdfsig") && program_is_there("certutil")) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let authority = authority();
    let database = nss_database(folder.path(), &authority);
    let signed =
        sign(&typeset(&report(), &fonts()).expect("a report"), &reader(&authority), &details()).expect("signed");

    let verdict = pdfsig(folder.path(), &database, &signed);
    for expected in [
        "Signature Validation: Signature is Valid.",
        "Certificate Validation: Certificate is Trusted.",
        "Total document signed",
        "ETSI.CAdES.detached",
        "Nov 20 2026",
        "佐藤 読子, CN=佐藤",
    ] {
        assert!(verdict.contains(expected), "{expected} is missing in {verdict}");
    }

    let verdict = pdfsig(folder.path(), &database, &tampered(&signed));
    assert!(verdict.contains("Digest Mismatch"), "{verdict}");
    assert!(!verdict.contains("Signature is Valid"), "{verdict}");
}

#[test]
fn pdfsig_does_not_trust_a_reader_of_another_authority() {
    if !(program_is_there("pdfsig") && program_is_there("certutil")) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let database = nss_database(folder.path(), &authority());
    let stranger = support::authority();
    let signed =
        sign(&typeset(&report(), &fonts()).expect("a report"), &reader(&stranger), &details()).expect("signed");
    let verdict = pdfsig(folder.path(), &database, &signed);
    assert!(verdict.contains("Signature is Valid") && !verdict.contains("Certificate is Trusted"), "{verdict}");
}

#[test]
fn both_signatures_of_a_checked_reading_are_valid() {
    if !(program_is_there("pdfsig") && program_is_there("certutil")) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let authority = authority();
    let database = nss_database(folder.path(), &authority);
    let once = sign(&typeset(&report(), &fonts()).expect("a report"), &reader(&authority), &details()).expect("signed");
    let second = support::reader_named(&authority, "鈴木 確", "reader-18");
    let twice = sign(&once, &second, &details()).expect("signed");
    let verdict = pdfsig(folder.path(), &database, &twice);
    assert_eq!(verdict.matches("Signature is Valid").count(), 2, "{verdict}");
    assert_eq!(verdict.matches("Certificate is Trusted").count(), 2, "{verdict}");
}

/// Prints `intact valid trusted MODIFICATION COVERAGE bottom_line` and the PAdES profile's opinion, one per line.
const PYHANKO: &str = r#"
import datetime, sys
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.keys import load_cert_from_pemder
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext
root = load_cert_from_pemder(sys.argv[2])
with open(sys.argv[1], 'rb') as f:
    reader = PdfFileReader(f)
    embedded = reader.embedded_signatures[0]
    context = ValidationContext(trust_roots=[root], moment=datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc), best_signature_time=datetime.datetime(2026, 11, 21, tzinfo=datetime.timezone.utc))
    status = validate_pdf_signature(embedded, signer_validation_context=context)
    print('intact', status.intact)
    print('valid', status.valid)
    print('trusted', status.trusted)
    print('modification', status.modification_level.name if status.modification_level else None)
    print('coverage', status.coverage.name)
    print('bottom_line', status.bottom_line)
    print('attributes', sorted(a['type'].native for a in embedded.signer_info['signed_attrs']))
"#;

fn pyhanko(python: &Path, folder: &Path, authority: &Authority, pdf: &[u8]) -> String {
    let (file, root) = (folder.join("judged.pdf"), folder.join("root.pem"));
    std::fs::write(&file, pdf).expect("a file");
    std::fs::write(&root, authority.certificate_pem().expect("PEM")).expect("a file");
    output(Command::new(python).args(["-c", PYHANKO]).arg(&file).arg(&root))
}

#[test]
fn pyhanko_finds_the_file_intact_valid_and_unchanged() {
    let Some(python) = python_with_pyhanko() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let authority = authority();
    let signed =
        sign(&typeset(&report(), &fonts()).expect("a report"), &reader(&authority), &details()).expect("signed");

    let verdict = pyhanko(&python, folder.path(), &authority, &signed);
    for expected in [
        "intact True",
        "valid True",
        "trusted True",
        "modification NONE",
        "coverage ENTIRE_FILE",
        "bottom_line True",
        "attributes ['content_type', 'message_digest', 'signing_certificate_v2']",
    ] {
        assert!(verdict.contains(expected), "{expected} is missing in {verdict}");
    }

    let verdict = pyhanko(&python, folder.path(), &authority, &tampered(&signed));
    assert!(verdict.contains("intact False") && verdict.contains("bottom_line False"), "{verdict}");
}
