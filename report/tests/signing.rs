//! What a signature adds to the file, looked at object by object.
//!
//! The exporter validates PDF/A-2u before signing; these tests hold what signing
//! appends to the same standard. No outside PDF/A validator was run.

mod support;

use dokuei_report::{
    Authority, Certificate, SignDigest, SignError, SignatureAlgorithm, SigningIdentity, sign, typeset,
};
use lopdf::xref::XrefType;
use lopdf::{Dictionary, Document, Object};
use support::{authority, details, fonts, instant, reader, report};

fn plain() -> Vec<u8> {
    typeset(&report(), &fonts()).expect("a report")
}

fn dictionary<'a>(document: &'a Document, object: &'a Object) -> &'a Dictionary {
    match object {
        Object::Reference(id) => document.get_dictionary(*id).expect("a dictionary"),
        object => object.as_dict().expect("a dictionary"),
    }
}

fn find(bytes: &[u8], what: &[u8]) -> Option<usize> {
    bytes.windows(what.len()).rposition(|window| window == what)
}

#[test]
fn what_was_there_before_stays_in_front_untouched() {
    let pdf = plain();
    let signed = sign(&pdf, &reader(&authority()), &details()).expect("signed");
    assert!(signed.starts_with(&pdf));
    assert!(signed.ends_with(b"%%EOF\n"));
}

#[test]
fn the_byte_range_covers_everything_but_the_signature_itself() {
    let signed = sign(&plain(), &reader(&authority()), &details()).expect("signed");
    let at = find(&signed, b"/ByteRange[").expect("a byte range") + 11;
    let end = at + signed[at..].iter().position(|b| *b == b']').expect("its end");
    let numbers: Vec<usize> = std::str::from_utf8(&signed[at..end])
        .expect("digits")
        .split_whitespace()
        .map(|number| number.parse().expect("a number"))
        .collect();
    let [start, first, second, rest] = numbers[..] else { panic!("four numbers: {numbers:?}") };
    assert_eq!((start, second + rest), (0, signed.len()));
    assert_eq!((signed[first], signed[second - 1]), (b'<', b'>'));
    assert!(signed[first + 1..second - 1].iter().all(u8::is_ascii_hexdigit));
}

#[test]
fn the_added_objects_keep_what_pdf_a_2_asks() {
    let pdf = plain();
    let signed = sign(&pdf, &reader(&authority()), &details()).expect("signed");
    let (before, after) = (Document::load_mem(&pdf).expect("a PDF"), Document::load_mem(&signed).expect("a PDF"));
    let catalog = after.catalog().expect("a catalog");

    // 6.4.1, 6.4.2: a form without NeedAppearances and without XFA.
    let form = dictionary(&after, catalog.get(b"AcroForm").expect("a form"));
    assert!(!form.has(b"NeedAppearances") && !form.has(b"XFA"));
    assert_eq!(form.get(b"SigFlags").and_then(Object::as_i64).expect("flags"), 3);
    let fields = form.get(b"Fields").and_then(Object::as_array).expect("fields");
    assert_eq!(fields.len(), 1);

    // 6.3.2, 6.3.3, 6.4.1: Print set; Invisible, Hidden, NoView, ToggleNoView clear; no size, so no appearance; no actions.
    let widget = dictionary(&after, &fields[0]);
    assert_eq!(widget.get(b"Subtype").and_then(Object::as_name).expect("a subtype"), b"Widget");
    let flags = widget.get(b"F").and_then(Object::as_i64).expect("flags");
    assert_eq!(flags & 4, 4);
    assert_eq!(flags & (1 | 2 | 32 | 256), 0);
    let corners = widget.get(b"Rect").and_then(Object::as_array).expect("a rectangle");
    assert!(corners[0] == corners[2] && corners[1] == corners[3]);
    assert!(!widget.has(b"A") && !widget.has(b"AA") && !catalog.has(b"AA") && !catalog.has(b"OpenAction"));
    let (_, page_id) = after.get_pages().into_iter().next().expect("a page");
    let page = after.get_dictionary(page_id).expect("a page");
    assert!(page.get(b"Annots").and_then(Object::as_array).expect("annotations").contains(&fields[0]));
    assert_eq!(widget.get(b"P").and_then(Object::as_reference).expect("its page"), page_id);

    // 6.1.3: an ID, whose first part is the document's own; 6.6.2: the metadata is still the one validated.
    let id = |document: &Document| document.trailer.get(b"ID").and_then(Object::as_array).expect("an ID").clone();
    assert_eq!(id(&before)[0], id(&after)[0]);
    assert_ne!(id(&before)[1], id(&after)[1]);
    assert_eq!(
        catalog.get(b"Metadata").expect("metadata"),
        before.catalog().expect("a catalog").get(b"Metadata").expect("metadata")
    );
    assert!(!after.trailer.has(b"Encrypt"));

    // Everything else the file had is the same object as before.
    let catalog_id = after.trailer.get(b"Root").and_then(Object::as_reference).expect("a catalog");
    for (object_id, object) in &before.objects {
        if *object_id != catalog_id && *object_id != page_id {
            assert!(after.objects.get(object_id) == Some(object), "{object_id:?} changed");
        }
    }
    let mut page_without = page.clone();
    page_without.remove(b"Annots");
    assert_eq!(&page_without, before.get_dictionary(page_id).expect("the page before"));
}

#[test]
fn the_appended_table_is_of_the_same_kind_and_spaced_as_pdf_a_asks() {
    let pdf = plain();
    let signed = sign(&pdf, &reader(&authority()), &details()).expect("signed");
    let after = Document::load_mem(&signed).expect("a PDF");
    assert!(matches!(after.reference_table.cross_reference_type, XrefType::CrossReferenceTable));
    let appended = &signed[pdf.len()..];
    let table = find(appended, b"\nxref\n").expect("a table");
    let lines = String::from_utf8_lossy(&appended[table + 1..]);
    let mut rows = 0;
    for line in lines.lines().skip(1).take_while(|line| *line != "trailer") {
        if line.ends_with(" n ") {
            assert_eq!(line.len(), 19);
            let offset: usize = line[..10].parse().expect("an offset");
            let object = String::from_utf8_lossy(&signed[offset..offset + 24]).into_owned();
            assert!(object.contains(" 0 obj\n"), "{object}");
            rows += 1;
        }
    }
    // Catalog, page, form, field and signature.
    assert_eq!(rows, 5);
}

#[test]
fn the_signature_dictionary_says_who_when_why_and_where() {
    let signed = sign(&plain(), &reader(&authority()), &details()).expect("signed");
    let after = Document::load_mem(&signed).expect("a PDF");
    let form = dictionary(&after, after.catalog().expect("a catalog").get(b"AcroForm").expect("a form"));
    let field = dictionary(&after, &form.get(b"Fields").and_then(Object::as_array).expect("fields")[0]);
    let signature = dictionary(&after, field.get(b"V").expect("a value"));
    let name = |key: &[u8]| signature.get(key).and_then(Object::as_name).expect("a name").to_vec();
    assert_eq!(name(b"SubFilter"), b"ETSI.CAdES.detached");
    assert_eq!(name(b"Filter"), b"Adobe.PPKLite");
    let text = |key: &[u8]| lopdf::decode_text_string(signature.get(key).expect("a text")).expect("a text");
    assert_eq!(text(b"Name"), "佐藤 読子");
    assert_eq!(text(b"Reason"), "確定");
    assert_eq!(text(b"Location"), "読影デモ放射線科クリニック (東京)");
    assert_eq!(text(b"M"), "D:20261120163210+09'00'");
}

#[test]
fn a_second_reader_can_sign_the_same_file() {
    let authority = authority();
    let once = sign(&plain(), &reader(&authority), &details()).expect("signed");
    let twice = sign(&once, &reader(&authority), &details()).expect("signed");
    assert!(twice.starts_with(&once));
    let after = Document::load_mem(&twice).expect("a PDF");
    let form = dictionary(&after, after.catalog().expect("a catalog").get(b"AcroForm").expect("a form"));
    let fields = form.get(b"Fields").and_then(Object::as_array).expect("fields");
    let names: Vec<_> = fields
        .iter()
        .map(|field| dictionary(&after, field).get(b"T").and_then(Object::as_str).expect("a name"))
        .collect();
    assert_eq!(names, [b"Signature1", b"Signature2"]);
}

#[test]
fn equal_input_gives_an_equal_signature() {
    let (pdf, reader) = (plain(), reader(&authority()));
    assert!(sign(&pdf, &reader, &details()).expect("signed") == sign(&pdf, &reader, &details()).expect("signed"));
}

#[test]
fn an_identity_and_an_authority_survive_being_saved() {
    let authority = authority();
    let reader = reader(&authority);
    let (chain, key) = (reader.chain_pem().expect("PEM"), reader.key_pem().expect("PEM"));
    assert_eq!(chain.matches("BEGIN CERTIFICATE").count(), 2);
    let again = SigningIdentity::from_pem(&chain, &key).expect("an identity");
    let pdf = plain();
    assert!(sign(&pdf, &reader, &details()).expect("signed") == sign(&pdf, &again, &details()).expect("signed"));

    let (certificate, root_key) = (authority.certificate_pem().expect("PEM"), authority.key_pem().expect("PEM"));
    let restored = Authority::from_pem(&certificate, &root_key).expect("an authority");
    assert_eq!(restored.certificate_pem().expect("PEM"), certificate);
    // A reader certified after a restart is under the same root.
    sign(&pdf, &support::reader(&restored), &details()).expect("signed");
    assert!(matches!(SigningIdentity::from_pem(&chain, &root_key), Err(SignError::KeyMismatch)));
    assert!(matches!(SigningIdentity::from_pem("", &key), Err(SignError::Pem { what: "certificate", .. })));
    assert!(matches!(SigningIdentity::from_pem(&chain, "no key"), Err(SignError::Pem { what: "private key", .. })));
}

#[test]
fn no_debug_print_and_no_error_shows_a_key() {
    let reader = reader(&authority());
    let key = reader.key_pem().expect("PEM");
    let secret: String = key.lines().nth(1).expect("a line").chars().take(20).collect();
    assert!(!format!("{reader:?}").contains(&secret));
    let error = SigningIdentity::from_pem(&key, &key).expect_err("no certificate");
    assert!(!error.to_string().contains(&secret));
}

#[test]
fn a_certificate_signs_only_while_it_is_valid() {
    let mut details = details();
    details.time = instant("2031-01-01T00:00:01Z");
    let error = sign(&plain(), &reader(&authority()), &details).expect_err("expired");
    assert!(matches!(error, SignError::OutsideValidity { .. }), "{error}");
}

#[test]
fn what_is_not_a_pdf_is_refused_with_a_reason() {
    let reader = reader(&authority());
    for bytes in [&b""[..], b"%PDF-1.7\n", b"not a pdf at all"] {
        assert!(matches!(sign(bytes, &reader, &details()), Err(SignError::Pdf(_))));
    }
    let pdf = plain();
    assert!(sign(&pdf[..pdf.len() / 2], &reader, &details()).is_err());
}

/// A key elsewhere that does not answer, or answers too much.
struct Remote {
    inner: SigningIdentity,
    answer: Result<Vec<u8>, String>,
}

impl SignDigest for Remote {
    fn certificates(&self) -> &[Certificate] {
        self.inner.certificates()
    }
    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::RsaPkcs1Sha256
    }
    fn sign_digest(&self, _sha256: &[u8; 32]) -> Result<Vec<u8>, SignError> {
        self.answer.clone().map_err(SignError::Key)
    }
}

#[test]
fn a_key_that_fails_or_overflows_leaves_no_half_signed_file() {
    let pdf = plain();
    let silent = Remote { inner: reader(&authority()), answer: Err("the card was pulled".into()) };
    assert!(matches!(sign(&pdf, &silent, &details()), Err(SignError::Key(_))));
    let large = Remote { inner: reader(&authority()), answer: Ok(vec![1; 20_000]) };
    assert!(matches!(sign(&pdf, &large, &details()), Err(SignError::TooLarge { .. })));
    // An RSA-4096 signature has 512 bytes and fits.
    let rsa = Remote { inner: reader(&authority()), answer: Ok(vec![1; 512]) };
    sign(&pdf, &rsa, &details()).expect("room for RSA-4096");
}
