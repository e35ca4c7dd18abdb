//! A data set written again, element by element, in another encoding.
//!
//! Iterative, and never deeper than [`MAX_DEPTH`]. Sequences and items come out with undefined length, so that nothing
//! has to be counted. The content of a UN of undefined length is implicit little endian (PS3.5 6.2.2 note, CP-246) and
//! stays so inside an explicit data set. From implicit to explicit the dictionary says the VR, and Pixel Representation
//! whether what may be US or SS is signed; what no dictionary knows becomes UN (PS3.5 6.2.2).

use dicom_core::{Tag, VR};

use crate::header::element::{self, Encoding, Head, UNDEFINED};
use crate::header::{HeaderError, MAX_DEPTH};

/// A change of one element at the top level.
pub(super) struct Edit {
    pub tag: Tag,
    pub vr: VR,
    /// `None` leaves the element out.
    pub value: Option<Vec<u8>>,
    /// What the object says itself stands.
    pub only_if_absent: bool,
}

const PIXEL_REPRESENTATION: Tag = Tag(0x0028, 0x0103);

#[derive(Clone, Copy)]
enum Kind {
    Sequence,
    Item,
}

struct Level {
    kind: Kind,
    end: Option<usize>,
    from: Encoding,
    to: Encoding,
}

struct Rewrite<'a> {
    data: &'a [u8],
    at: usize,
    out: Vec<u8>,
    stack: Vec<Level>,
    edits: std::iter::Peekable<std::vec::IntoIter<Edit>>,
    top: (Encoding, Encoding),
    big_pixels: bool,
    /// Pixel Representation (0028,0103) is 1.
    signed: bool,
}

/// Writes `data` again. `edits` are in order of tags; `big_pixels` says that pixel words are big endian although the
/// elements are not.
pub(super) fn rewrite(
    data: &[u8],
    from: Encoding,
    to: Encoding,
    big_pixels: bool,
    edits: Vec<Edit>,
) -> Result<Vec<u8>, HeaderError> {
    let added: usize = edits.iter().filter_map(|edit| edit.value.as_ref()).map(Vec::len).sum();
    let out = Vec::with_capacity(data.len().saturating_add(added).min(64 << 20));
    let edits = edits.into_iter().peekable();
    let mut rewrite =
        Rewrite { data, at: 0, out, stack: Vec::new(), edits, top: (from, to), big_pixels, signed: false };
    while rewrite.step()? {}
    rewrite.due_edits(None);
    Ok(rewrite.out)
}

impl Rewrite<'_> {
    /// Writes one head and what belongs to it. `false` at the end of the data.
    fn step(&mut self) -> Result<bool, HeaderError> {
        while self.stack.last().is_some_and(|level| level.end.is_some_and(|end| self.at >= end)) {
            self.close();
        }
        let rest = &self.data[self.at..];
        if rest.is_empty() && self.stack.is_empty() {
            return Ok(false);
        }
        let from = self.stack.last().map_or(self.top.0, |level| level.from);
        let Some(head) = element::head(rest, from) else {
            let padding = self.stack.is_empty() && rest.iter().all(|byte| *byte == 0);
            return if padding { Ok(false) } else { Err(HeaderError::Truncated { at: self.at }) };
        };
        match self.stack.last().map(|level| level.kind) {
            Some(Kind::Sequence) => self.in_sequence(head)?,
            Some(Kind::Item) | None => self.in_item(head)?,
        }
        Ok(true)
    }

    fn in_sequence(&mut self, head: Head) -> Result<(), HeaderError> {
        let value_at = self.at + head.size;
        match (head.tag.group(), head.tag.element()) {
            (0xFFFE, 0xE000) => {
                let end = self.end_of(value_at, head.length)?;
                let (from, to) = self.encodings();
                self.item_head(to, 0xE000, UNDEFINED);
                self.push(Level { kind: Kind::Item, end, from, to })?;
            }
            (0xFFFE, 0xE0DD) => self.close(),
            // An item's end behind an item of stated length: harmless.
            (0xFFFE, 0xE00D) => {}
            _ => return Err(HeaderError::Malformed { at: self.at }),
        }
        self.at = value_at;
        Ok(())
    }

    fn in_item(&mut self, head: Head) -> Result<(), HeaderError> {
        let value_at = self.at + head.size;
        if head.tag.group() == 0xFFFE {
            match head.tag.element() {
                0xE00D if !self.stack.is_empty() => self.close(),
                0xE0DD if self.stack.len() >= 2 => {
                    self.close();
                    self.close();
                }
                0xE000 => return Err(HeaderError::Malformed { at: self.at }),
                _ => {}
            }
            self.at = value_at;
            return Ok(());
        }
        let (from, to) = self.encodings();
        let top = self.stack.is_empty();
        if top && self.edited(head.tag) {
            self.at = self.behind(head, value_at)?;
            return Ok(());
        }
        if head.length == UNDEFINED {
            // Only pixel data may come in fragments, and those were decoded.
            if matches!(head.vr, VR::OB | VR::OW | VR::OF | VR::OD | VR::OL | VR::OV) {
                return Err(HeaderError::Malformed { at: self.at });
            }
            let is_un = head.vr == VR::UN && from.explicit;
            let (inner_from, inner_to) = if is_un { (Encoding::IMPLICIT, Encoding::IMPLICIT) } else { (from, to) };
            self.head(to, head.tag, if is_un { VR::UN } else { VR::SQ }, UNDEFINED);
            self.push(Level { kind: Kind::Sequence, end: None, from: inner_from, to: inner_to })?;
            self.at = value_at;
            return Ok(());
        }
        let end = self.end_of(value_at, head.length)?.unwrap_or(value_at);
        if head.vr == VR::SQ {
            self.head(to, head.tag, VR::SQ, UNDEFINED);
            self.push(Level { kind: Kind::Sequence, end: Some(end), from, to })?;
            self.at = value_at;
            return Ok(());
        }
        self.at = end;
        // Group lengths are no longer true, and have been retired for long (PS3.5 7.2).
        if head.tag.element() == 0 {
            return Ok(());
        }
        let value = &self.data[value_at..end];
        if top && head.tag == PIXEL_REPRESENTATION {
            self.signed = from.u16([value.first().copied().unwrap_or(0), value.get(1).copied().unwrap_or(0)]) == 1;
        }
        let told = !from.explicit && self.signed && head.vr == VR::US && element::is_us_or_ss(head.tag);
        self.head(to, head.tag, if told { VR::SS } else { head.vr }, head.length);
        let is_pixels = top && head.tag == Tag(0x7FE0, 0x0010);
        let word = if from.big_endian || self.big_pixels && is_pixels { word_size(head.vr) } else { 1 };
        if word == 1 {
            self.out.extend_from_slice(value);
        } else {
            for chunk in value.chunks(word) {
                self.out.extend(chunk.iter().rev());
            }
        }
        Ok(())
    }

    /// Writes the edits that come before `tag`; whether the last one replaces `tag` itself.
    fn edited(&mut self, tag: Tag) -> bool {
        self.due_edits(Some(tag));
        let Some(edit) = self.edits.next_if(|edit| edit.tag == tag) else { return false };
        if edit.only_if_absent {
            return false;
        }
        self.write(edit);
        true
    }

    fn due_edits(&mut self, before: Option<Tag>) {
        while let Some(edit) = self.edits.next_if(|edit| before.is_none_or(|tag| edit.tag < tag)) {
            self.write(edit);
        }
    }

    fn write(&mut self, edit: Edit) {
        if let Some(value) = edit.value {
            let length = u32::try_from(value.len()).unwrap_or(UNDEFINED);
            self.head(self.top.1, edit.tag, edit.vr, length);
            self.out.extend_from_slice(&value);
        }
    }

    /// Behind an element that is replaced, its fragments included.
    fn behind(&self, head: Head, value_at: usize) -> Result<usize, HeaderError> {
        if head.length != UNDEFINED {
            return Ok(value_at.saturating_add(head.length as usize).min(self.data.len()));
        }
        let mut at = value_at;
        loop {
            let rest = self.data.get(at..).ok_or(HeaderError::Truncated { at })?;
            let item = element::head(rest, Encoding::EXPLICIT).ok_or(HeaderError::Truncated { at })?;
            at += item.size;
            match item.tag {
                Tag(0xFFFE, 0xE0DD) => return Ok(at),
                Tag(0xFFFE, 0xE000) => at = at.saturating_add(item.length as usize),
                _ => return Err(HeaderError::Malformed { at }),
            }
        }
    }

    fn encodings(&self) -> (Encoding, Encoding) {
        self.stack.last().map_or(self.top, |level| (level.from, level.to))
    }

    fn end_of(&self, value_at: usize, length: u32) -> Result<Option<usize>, HeaderError> {
        if length == UNDEFINED {
            return Ok(None);
        }
        let limit = self.stack.iter().rev().find_map(|level| level.end).unwrap_or(self.data.len());
        match value_at.checked_add(length as usize) {
            Some(end) if end <= limit => Ok(Some(end)),
            _ => Err(HeaderError::Truncated { at: self.at }),
        }
    }

    fn push(&mut self, level: Level) -> Result<(), HeaderError> {
        if self.stack.len() >= 2 * MAX_DEPTH {
            return Err(HeaderError::TooDeep);
        }
        self.stack.push(level);
        Ok(())
    }

    fn close(&mut self) {
        if let Some(level) = self.stack.pop() {
            let delimiter = match level.kind {
                Kind::Sequence => 0xE0DD,
                Kind::Item => 0xE00D,
            };
            self.item_head(level.to, delimiter, 0);
        }
    }

    fn item_head(&mut self, to: Encoding, element: u16, length: u32) {
        debug_assert!(!to.big_endian, "nothing is written big endian");
        self.out.extend_from_slice(&0xFFFE_u16.to_le_bytes());
        self.out.extend_from_slice(&element.to_le_bytes());
        self.out.extend_from_slice(&length.to_le_bytes());
    }

    /// An element's head. A short VR with a long value becomes UN (PS3.5 6.2.2).
    fn head(&mut self, to: Encoding, tag: Tag, vr: VR, length: u32) {
        self.out.extend_from_slice(&tag.group().to_le_bytes());
        self.out.extend_from_slice(&tag.element().to_le_bytes());
        if to.explicit {
            let long = element::is_long(vr);
            let vr = if !long && length > 0xFFFE { VR::UN } else { vr };
            self.out.extend_from_slice(vr.to_string().as_bytes());
            if !long && vr != VR::UN {
                self.out.extend_from_slice(&(length as u16).to_le_bytes());
                return;
            }
            self.out.extend_from_slice(&[0, 0]);
        }
        self.out.extend_from_slice(&length.to_le_bytes());
    }
}

/// Bytes that are turned around together when the byte order changes (PS3.5 7.3).
fn word_size(vr: VR) -> usize {
    match vr {
        VR::US | VR::SS | VR::OW | VR::AT => 2,
        VR::UL | VR::SL | VR::FL | VR::OF | VR::OL => 4,
        VR::FD | VR::OD | VR::OV | VR::SV | VR::UV => 8,
        _ => 1,
    }
}
