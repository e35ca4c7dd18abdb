//! The signature field and dictionary in the file, and the bytes the signature covers.

use std::ops::Range;

use chrono::{DateTime, Utc};
use lopdf::xref::XrefType;
use lopdf::{Dictionary, Document, Object, ObjectId, StringFormat, dictionary};
use sha2::{Digest, Sha256};

use super::update::Update;
use super::{SignError, SignatureDetails};
use crate::words;

/// Print and Locked (ISO 32000-1, table 165). PDF/A-2 wants Print set and Hidden, Invisible,
/// ToggleNoView and NoView clear (ISO 19005-2, 6.3.2).
const ANNOTATION_FLAGS: i64 = 4 + 128;
/// SignaturesExist and AppendOnly (ISO 32000-1, table 219).
const SIGNATURE_FLAGS: i64 = 1 + 2;
/// Digits kept free for each number of the byte range.
const RANGE_DIGITS: usize = 10;

/// A file complete but for the signature's value.
pub(super) struct Prepared {
    pub(super) bytes: Vec<u8>,
    /// The hexadecimal string of `/Contents`, angle brackets included: what is not signed.
    gap: Range<usize>,
}

impl Prepared {
    /// SHA-256 over everything but the gap.
    pub(super) fn digest(&self) -> [u8; 32] {
        let mut hasher = Sha256::new();
        hasher.update(&self.bytes[..self.gap.start]);
        hasher.update(&self.bytes[self.gap.end..]);
        hasher.finalize().into()
    }

    /// Puts the DER signature into the gap; the rest of the gap stays zero.
    pub(super) fn insert(&mut self, signature: &[u8]) -> Result<(), SignError> {
        let room = (self.gap.len() - 2) / 2;
        if signature.len() > room {
            return Err(SignError::TooLarge { needed: signature.len(), room });
        }
        let start = self.gap.start + 1;
        for (place, byte) in self.bytes[start..].chunks_exact_mut(2).zip(signature) {
            place.copy_from_slice(&hex(*byte));
        }
        Ok(())
    }
}

/// Appends field, signature dictionary with `room` free bytes, and what refers to them.
pub(super) fn prepare(pdf: &[u8], details: &SignatureDetails, room: usize) -> Result<Prepared, SignError> {
    let document = Document::load_mem(pdf).map_err(|error| SignError::Pdf(error.to_string()))?;
    check_supported(&document)?;
    let mut next = document.max_id;
    let mut fresh = || -> ObjectId {
        next += 1;
        (next, 0)
    };
    let signature_id = fresh();
    let widget_id = fresh();
    let (_, page_id) =
        document.get_pages().into_iter().next().ok_or_else(|| SignError::Pdf("it has no page".to_owned()))?;

    let mut update = Update::after(pdf);
    let fields = form(&document, &mut update, widget_id, &mut fresh)?;
    annotate(&document, &mut update, page_id, widget_id)?;
    let widget = dictionary! {
        "Type" => "Annot", "Subtype" => "Widget", "FT" => "Sig",
        "T" => text(&format!("Signature{}", fields + 1)),
        "F" => ANNOTATION_FLAGS,
        // No appearance: a rectangle of no size needs none (ISO 19005-2, 6.3.3).
        "Rect" => vec![0.into(), 0.into(), 0.into(), 0.into()],
        "P" => page_id, "V" => signature_id,
    };
    update.object(widget_id, &Object::Dictionary(widget))?;
    let (content, range_at, gap) = signature_dictionary(details, room)?;
    let start = update.raw(signature_id, &content);
    let trailer = trailer(&document, pdf, details.time, next)?;
    let mut bytes = update.finish(trailer)?;

    let gap = start + gap.start..start + gap.end;
    write_range(&mut bytes, start + range_at, &gap)?;
    Ok(Prepared { bytes, gap })
}

fn check_supported(document: &Document) -> Result<(), SignError> {
    if document.is_encrypted() || document.trailer.has(b"Encrypt") {
        return Err(SignError::Pdf("it is encrypted".to_owned()));
    }
    if !matches!(document.reference_table.cross_reference_type, XrefType::CrossReferenceTable)
        || document.trailer.has(b"XRefStm")
        || document.xref_start == 0
    {
        return Err(SignError::Pdf("it has no classic cross-reference table".to_owned()));
    }
    Ok(())
}

/// Adds the field to the form, making one if there is none; returns how many fields there were.
fn form(
    document: &Document,
    update: &mut Update,
    widget: ObjectId,
    fresh: &mut impl FnMut() -> ObjectId,
) -> Result<usize, SignError> {
    let catalog_id = document.trailer.get(b"Root").and_then(Object::as_reference).map_err(broken)?;
    let mut catalog = document.get_dictionary(catalog_id).map_err(broken)?.clone();
    let existing = catalog.get(b"AcroForm").ok();
    let (form_id, mut form) = match existing {
        Some(Object::Reference(id)) => (Some(*id), document.get_dictionary(*id).map_err(broken)?.clone()),
        Some(Object::Dictionary(form)) => (None, form.clone()),
        Some(_) => return Err(SignError::Pdf("its form is not a dictionary".to_owned())),
        None => (None, Dictionary::new()),
    };
    let mut fields = array(document, form.get(b"Fields").ok())?;
    let before = fields.len();
    fields.push(widget.into());
    form.set("Fields", fields);
    form.set("SigFlags", SIGNATURE_FLAGS);
    // Forbidden by PDF/A-2 (ISO 19005-2, 6.4.1), and untrue once a field is signed.
    form.remove(b"NeedAppearances");
    let id = form_id.unwrap_or_else(&mut *fresh);
    update.object(id, &Object::Dictionary(form))?;
    if form_id.is_none() {
        catalog.set("AcroForm", id);
        update.object(catalog_id, &Object::Dictionary(catalog))?;
    }
    Ok(before)
}

/// Adds the widget to the page's annotations.
fn annotate(document: &Document, update: &mut Update, page_id: ObjectId, widget: ObjectId) -> Result<(), SignError> {
    let mut page = document.get_dictionary(page_id).map_err(broken)?.clone();
    let existing = page.get(b"Annots").ok();
    let list_id = existing.and_then(|annots| annots.as_reference().ok());
    let mut annotations = array(document, existing)?;
    annotations.push(widget.into());
    if let Some(id) = list_id {
        return update.object(id, &Object::Array(annotations));
    }
    page.set("Annots", annotations);
    update.object(page_id, &Object::Dictionary(page))
}

fn array(document: &Document, object: Option<&Object>) -> Result<Vec<Object>, SignError> {
    match object {
        None => Ok(Vec::new()),
        Some(Object::Reference(id)) => Ok(document.get_object(*id).and_then(Object::as_array).map_err(broken)?.clone()),
        Some(object) => Ok(object.as_array().map_err(broken)?.clone()),
    }
}

/// The signature dictionary's bytes, where its byte range's numbers begin, and its gap, both within them.
fn signature_dictionary(details: &SignatureDetails, room: usize) -> Result<(Vec<u8>, usize, Range<usize>), SignError> {
    let mut bytes = b"<</Type/Sig/Filter/Adobe.PPKLite/SubFilter/ETSI.CAdES.detached/ByteRange[".to_vec();
    let range_at = bytes.len();
    bytes.extend(std::iter::repeat_n(b' ', 4 * (RANGE_DIGITS + 1)));
    bytes.extend_from_slice(b"]/Contents");
    let gap_start = bytes.len();
    bytes.push(b'<');
    bytes.extend(std::iter::repeat_n(b'0', room * 2));
    bytes.push(b'>');
    let gap = gap_start..bytes.len();
    let entries = [
        ("M", date(details.time)),
        ("Name", text(&details.name)),
        ("Reason", text(&details.reason)),
        ("Location", text(&details.location)),
    ];
    for (key, value) in entries {
        if value.as_str().is_ok_and(<[u8]>::is_empty) {
            continue;
        }
        bytes.push(b'/');
        bytes.extend_from_slice(key.as_bytes());
        lopdf::Writer::write_object(&mut bytes, &value).map_err(|error| SignError::Pdf(error.to_string()))?;
    }
    bytes.extend_from_slice(b">>");
    Ok((bytes, range_at, gap))
}

fn write_range(bytes: &mut [u8], at: usize, gap: &Range<usize>) -> Result<(), SignError> {
    let numbers = [0, gap.start, gap.end, bytes.len() - gap.end].map(|n| n.to_string());
    if numbers.iter().any(|number| number.len() > RANGE_DIGITS) {
        return Err(SignError::Pdf("it is too long".to_owned()));
    }
    let line = numbers.join(" ");
    bytes[at..at + line.len()].copy_from_slice(line.as_bytes());
    Ok(())
}

fn trailer(document: &Document, pdf: &[u8], time: DateTime<Utc>, highest_id: u32) -> Result<Dictionary, SignError> {
    let mut trailer = Dictionary::new();
    for key in [b"Root".as_slice(), b"Info", b"ID"] {
        if let Ok(value) = document.trailer.get(key) {
            trailer.set(key, value.clone());
        }
    }
    // The second identifier names this state of the file (ISO 32000-1, 14.4).
    let changed = Sha256::new().chain_update(pdf).chain_update(time.timestamp().to_be_bytes()).finalize();
    let changed = Object::String(changed[..16].to_vec(), StringFormat::Hexadecimal);
    let first = match array(document, trailer.get(b"ID").ok())?.into_iter().next() {
        Some(first) => first,
        None => changed.clone(),
    };
    trailer.set("ID", vec![first, changed]);
    let previous = i64::try_from(document.xref_start).map_err(|_| SignError::Pdf("it is too long".to_owned()))?;
    trailer.set("Prev", previous);
    trailer.set("Size", i64::from(highest_id) + 1);
    Ok(trailer)
}

/// A PDF date in Japan Standard Time (ISO 32000-1, 7.9.4).
fn date(at: DateTime<Utc>) -> Object {
    let text = words::jst(at).format("D:%Y%m%d%H%M%S+09'00'").to_string();
    Object::String(text.into_bytes(), StringFormat::Literal)
}

/// A text string: UTF-16 with a byte order mark, ASCII left as it is (ISO 32000-1, 7.9.2.2).
fn text(value: &str) -> Object {
    let value: String = value.chars().filter(|c| !c.is_control()).collect();
    if value.is_ascii() {
        return Object::String(value.into_bytes(), StringFormat::Hexadecimal);
    }
    let utf16 = std::iter::once(0xfeff).chain(value.encode_utf16()).flat_map(u16::to_be_bytes).collect();
    Object::String(utf16, StringFormat::Hexadecimal)
}

fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]
}

fn broken(error: lopdf::Error) -> SignError {
    SignError::Pdf(error.to_string())
}
