//! Goes through a data set element by element, without recursion.

use dicom_core::{Tag, VR};

use super::element::{self, Encoding, Head, UNDEFINED};
use super::{HeaderError, MAX_DEPTH};

/// One step of the way down to an element: the n-th item (from 0) of a sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub sequence: Tag,
    pub item: usize,
}

/// A data element with a value.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    pub tag: Tag,
    pub vr: VR,
    pub value: &'a [u8],
    pub encoding: Encoding,
}

/// The top-level element that holds the pixels.
#[derive(Clone, Copy)]
pub(crate) struct Pixels {
    pub tag: Tag,
    pub vr: VR,
    /// Offset of its value in the data set.
    pub value_at: usize,
    /// `None` if it is encapsulated.
    pub length: Option<u32>,
}

pub(crate) trait Visit {
    fn element(&mut self, path: &[Step], element: Element<'_>);
    /// A sequence begins; it may have no item.
    fn sequence(&mut self, _path: &[Step], _tag: Tag) {}
    /// An item begins, the last step of `path`; it may have no element.
    fn item(&mut self, _path: &[Step]) {}
    /// The data ends inside this top-level element.
    fn beyond(&mut self, _tag: Tag, _vr: VR, _value_at: usize, _length: u32) {}
    /// A sequence of stated length was unreadable inside and was stepped over.
    fn skipped(&mut self, sequence: Tag);
}

/// How the walk ended.
pub(crate) struct Walked {
    pub pixels: Option<Pixels>,
    /// The data ended inside the pixel data.
    pub pixels_truncated: bool,
}

enum Kind {
    Sequence(Tag, usize),
    /// Fragments of an encapsulated value: items without elements in them.
    Fragments,
    Item,
}

struct Frame {
    kind: Kind,
    /// Where it ends, if its length was stated.
    end: Option<usize>,
    encoding: Encoding,
    /// Content of an undefined-length UN, so implicit unless it plainly is not.
    from_un: bool,
}

struct Walk<'a, V> {
    data: &'a [u8],
    at: usize,
    stack: Vec<Frame>,
    path: Vec<Step>,
    visit: &'a mut V,
    out: Walked,
}

/// Walks over the whole data set: elements before the pixel data are shown to
/// `visit`, what follows is only checked for depth.
pub(crate) fn walk<V: Visit>(data: &[u8], encoding: Encoding, visit: &mut V) -> Result<Walked, HeaderError> {
    let out = Walked { pixels: None, pixels_truncated: false };
    let mut walk = Walk { data, at: 0, stack: Vec::new(), path: Vec::new(), visit, out };
    loop {
        match walk.step(encoding) {
            Ok(true) => {}
            Ok(false) => return Ok(walk.out),
            Err(HeaderError::TooDeep) => return Err(HeaderError::TooDeep),
            // Behind the pixels nothing is needed, so nothing there is an error.
            Err(_) if walk.out.pixels.is_some() => return Ok(walk.out),
            Err(error) => walk.recover(error)?,
        }
    }
}

impl<V: Visit> Walk<'_, V> {
    /// Reads one head. `false` at the end of the data.
    fn step(&mut self, outer: Encoding) -> Result<bool, HeaderError> {
        while self.stack.last().is_some_and(|frame| frame.end.is_some_and(|end| self.at >= end)) {
            self.pop();
        }
        let rest = &self.data[self.at..];
        if rest.is_empty() && self.stack.is_empty() {
            return Ok(false);
        }
        let encoding = self.stack.last().map_or(outer, |frame| frame.encoding);
        let Some(head) = element::head(rest, encoding) else {
            let padding = self.stack.is_empty() && rest.iter().all(|&byte| byte == 0);
            return if padding { Ok(false) } else { Err(HeaderError::Truncated { at: self.at }) };
        };
        match self.stack.last().map(|frame| &frame.kind) {
            Some(Kind::Sequence(..) | Kind::Fragments) => self.in_sequence(head, encoding)?,
            Some(Kind::Item) | None => self.in_item(head, encoding)?,
        }
        Ok(true)
    }

    /// A head where only items and the sequence's end may be.
    fn in_sequence(&mut self, head: Head, encoding: Encoding) -> Result<(), HeaderError> {
        let value_at = self.at + head.size;
        match (head.tag.group(), head.tag.element()) {
            (0xFFFE, 0xE000) => {
                let end = self.end_of(value_at, head.length)?;
                match self.stack.last_mut().map(|frame| &mut frame.kind) {
                    Some(Kind::Fragments) => {
                        self.at = end.ok_or(HeaderError::Malformed { at: self.at })?;
                    }
                    Some(Kind::Sequence(tag, items)) => {
                        let step = Step { sequence: *tag, item: *items };
                        *items += 1;
                        let from_un = self.stack.last().is_some_and(|frame| frame.from_un);
                        let encoding = if from_un { self.un_encoding(value_at) } else { encoding };
                        self.path.push(step);
                        self.push(Kind::Item, end, encoding, from_un)?;
                        if self.out.pixels.is_none() {
                            self.visit.item(&self.path);
                        }
                        self.at = value_at;
                    }
                    _ => return Err(HeaderError::Malformed { at: self.at }),
                }
            }
            (0xFFFE, 0xE0DD) => {
                self.pop();
                self.at = value_at;
            }
            // An item's end behind an item of stated length: harmless.
            (0xFFFE, 0xE00D) => self.at = value_at,
            _ => return Err(HeaderError::Malformed { at: self.at }),
        }
        Ok(())
    }

    /// A head where elements may be.
    fn in_item(&mut self, head: Head, encoding: Encoding) -> Result<(), HeaderError> {
        let value_at = self.at + head.size;
        if head.tag.group() == 0xFFFE {
            // The item's end; elsewhere a stray delimiter, which is stepped over.
            if head.tag.element() == 0xE00D && !self.stack.is_empty() {
                self.pop();
            } else if head.tag.element() == 0xE0DD && self.stack.len() >= 2 {
                self.pop();
                self.pop();
            } else if head.tag.element() == 0xE000 {
                return Err(HeaderError::Malformed { at: self.at });
            }
            self.at = value_at;
            return Ok(());
        }
        let top = self.stack.is_empty();
        if top && head.tag.group() == 0x7FE0 && matches!(head.tag.element(), 0x0008..=0x0010) {
            return self.pixels(head, value_at);
        }
        let from_un = self.stack.last().is_some_and(|frame| frame.from_un);
        if head.length == UNDEFINED {
            let (kind, encoding, from_un) = match head.vr {
                VR::OB | VR::OW | VR::OF | VR::OD | VR::OL | VR::OV => (Kind::Fragments, encoding, from_un),
                VR::UN if encoding.explicit => (Kind::Sequence(head.tag, 0), Encoding::IMPLICIT, true),
                _ => (Kind::Sequence(head.tag, 0), encoding, from_un),
            };
            let is_sequence = matches!(kind, Kind::Sequence(..));
            self.push(kind, None, encoding, from_un)?;
            if is_sequence && self.out.pixels.is_none() {
                self.visit.sequence(&self.path, head.tag);
            }
            self.at = value_at;
            return Ok(());
        }
        let end = value_at.checked_add(head.length as usize).ok_or(HeaderError::Truncated { at: self.at })?;
        if end > self.limit() {
            if top && self.out.pixels.is_none() {
                self.visit.beyond(head.tag, head.vr, value_at, head.length);
            }
            return Err(HeaderError::Truncated { at: self.at });
        }
        if head.vr == VR::SQ {
            self.push(Kind::Sequence(head.tag, 0), Some(end), encoding, from_un)?;
            if self.out.pixels.is_none() {
                self.visit.sequence(&self.path, head.tag);
            }
            self.at = value_at;
            return Ok(());
        }
        if self.out.pixels.is_none() {
            let value = &self.data[value_at..end];
            self.visit.element(&self.path, Element { tag: head.tag, vr: head.vr, value, encoding });
        }
        self.at = end;
        Ok(())
    }

    fn pixels(&mut self, head: Head, value_at: usize) -> Result<(), HeaderError> {
        let length = (head.length != UNDEFINED).then_some(head.length);
        if self.out.pixels.is_none() {
            self.out.pixels = Some(Pixels { tag: head.tag, vr: head.vr, value_at, length });
        }
        match length {
            Some(length) => {
                let end = value_at.saturating_add(length as usize);
                self.out.pixels_truncated = end > self.data.len();
                self.at = end.min(self.data.len());
            }
            None => {
                self.out.pixels_truncated = self.fragments_truncated(value_at);
                self.push(Kind::Fragments, None, Encoding::EXPLICIT, false)?;
                self.at = value_at;
            }
        }
        Ok(())
    }

    /// Whether an encapsulated value ends before its delimiter.
    fn fragments_truncated(&self, mut at: usize) -> bool {
        loop {
            match self.data.get(at..).and_then(|rest| element::head(rest, Encoding::EXPLICIT)) {
                Some(head) if head.tag == Tag(0xFFFE, 0xE0DD) => return false,
                Some(head) if head.tag == Tag(0xFFFE, 0xE000) => at = at.saturating_add(8 + head.length as usize),
                _ => return true,
            }
        }
    }

    /// The stated end of an item, checked against what encloses it.
    fn end_of(&self, value_at: usize, length: u32) -> Result<Option<usize>, HeaderError> {
        if length == UNDEFINED {
            return Ok(None);
        }
        match value_at.checked_add(length as usize) {
            Some(end) if end <= self.limit() => Ok(Some(end)),
            _ => Err(HeaderError::Truncated { at: self.at }),
        }
    }

    fn limit(&self) -> usize {
        self.stack.iter().rev().find_map(|frame| frame.end).unwrap_or(self.data.len())
    }

    /// Some writers put explicit elements into an undefined-length UN after all.
    fn un_encoding(&self, at: usize) -> Encoding {
        let rest = self.data.get(at..).unwrap_or_default();
        let implicit_fits = element::head(rest, Encoding::IMPLICIT)
            .is_some_and(|head| head.length == UNDEFINED || head.length as usize <= rest.len() - head.size);
        if !implicit_fits && Encoding::seen_vr(rest) { Encoding::EXPLICIT } else { Encoding::IMPLICIT }
    }

    fn push(&mut self, kind: Kind, end: Option<usize>, encoding: Encoding, from_un: bool) -> Result<(), HeaderError> {
        // A sequence and its item are two frames and one level.
        if self.stack.len() >= 2 * MAX_DEPTH {
            return Err(HeaderError::TooDeep);
        }
        self.stack.push(Frame { kind, end, encoding, from_un });
        Ok(())
    }

    fn pop(&mut self) {
        if let Some(Frame { kind: Kind::Item, .. }) = self.stack.pop() {
            self.path.pop();
        }
    }

    /// Steps over the outermost sequence of stated length around a fault; without
    /// one, the fault is the object's.
    fn recover(&mut self, error: HeaderError) -> Result<(), HeaderError> {
        let outermost = self.stack.iter().find_map(|frame| match (&frame.kind, frame.end) {
            (Kind::Sequence(tag, _), Some(end)) => Some((*tag, end)),
            _ => None,
        });
        match outermost {
            Some((tag, end)) => {
                while self.stack.iter().any(|frame| frame.end.is_some_and(|e| e <= end)) {
                    self.pop();
                }
                self.at = end;
                self.visit.skipped(tag);
                Ok(())
            }
            None => Err(error),
        }
    }
}
