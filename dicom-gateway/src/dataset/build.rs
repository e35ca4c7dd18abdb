//! Puts a walk's elements together as a data set.

use bytes::Bytes;
use dicom_core::dictionary::{DataDictionary, DataDictionaryEntry, VirtualVr};
use dicom_core::{Tag, VR};
use dicom_dictionary_std::{StandardDataDictionary, tags};

use super::read::Limits;
use super::{DataSet, Value, dictionary_vr, is_in_character_set, is_single, is_text, width};
use crate::charset::CharacterSets;
use crate::header::walk::{Element, Step, Visit};

/// The data set so far. Items state their own character set or have that around them.
pub(super) struct Builder {
    pub root: DataSet,
    pub overflow: bool,
    /// The data ended inside a top-level element, which is noted.
    pub ended_beyond: bool,
    limits: Limits,
    count: usize,
    sets: Vec<CharacterSets>,
    signed: bool,
    /// Address of the first byte of the walked data, to tell where a value stands.
    start: usize,
}

impl Builder {
    pub fn new(data: &[u8], limits: Limits) -> Self {
        Self {
            root: DataSet::default(),
            overflow: false,
            ended_beyond: false,
            limits,
            count: 0,
            sets: vec![CharacterSets::default()],
            signed: false,
            start: data.as_ptr().addr(),
        }
    }

    /// The item at the end of a path, made where it is missing.
    fn at(&mut self, path: &[Step]) -> Option<&mut DataSet> {
        let mut here = &mut self.root;
        for step in path {
            let empty = || super::Element { vr: VR::SQ, value: Value::Sequence(Vec::new()) };
            let element = here.elements.entry(step.sequence).or_insert_with(empty);
            let Value::Sequence(items) = &mut element.value else { return None };
            if items.len() <= step.item {
                items.resize_with(step.item + 1, DataSet::default);
            }
            here = items.get_mut(step.item)?;
        }
        Some(here)
    }

    fn insert(&mut self, path: &[Step], tag: Tag, vr: VR, value: Value) {
        if let Some(here) = self.at(path) {
            here.insert(tag, vr, value);
        }
    }

    fn has_room(&mut self) -> bool {
        self.count += 1;
        self.overflow |= self.count > self.limits.elements;
        !self.overflow
    }

    fn sets(&mut self, depth: usize) -> &CharacterSets {
        while self.sets.len() <= depth {
            let around = self.sets.last().cloned().unwrap_or_default();
            self.sets.push(around);
        }
        &self.sets[depth]
    }
}

impl Visit for Builder {
    fn element(&mut self, path: &[Step], element: Element<'_>) {
        let group_length = element.tag.element() == 0;
        if group_length || !self.has_room() {
            return;
        }
        let depth = path.len();
        if element.tag == tags::SPECIFIC_CHARACTER_SET {
            self.sets(depth);
            self.sets.truncate(depth);
            self.sets.push(CharacterSets::parse(element.value));
        }
        let vr = self.vr(&element);
        let value = if element.value.len() > self.limits.inline {
            let at = (element.value.as_ptr().addr() - self.start) as u64;
            Value::Elsewhere { at, length: Some(element.value.len() as u64) }
        } else {
            value(vr, &element, self.sets(depth))
        };
        if element.tag == tags::PIXEL_REPRESENTATION {
            self.signed = element.value.first() == Some(&1) || element.value.get(1) == Some(&1);
        }
        self.insert(path, element.tag, vr, value);
    }

    fn sequence(&mut self, path: &[Step], tag: Tag) {
        if self.has_room() && self.at(path).is_some_and(|here| !here.has(tag)) {
            self.insert(path, tag, VR::SQ, Value::Sequence(Vec::new()));
        }
    }

    fn item(&mut self, path: &[Step]) {
        if self.has_room() {
            self.sets(path.len().saturating_sub(1));
            self.sets.truncate(path.len());
            self.at(path);
        }
    }

    fn beyond(&mut self, tag: Tag, vr: VR, at: usize, length: u32) {
        self.ended_beyond = true;
        self.root.insert(tag, vr, Value::Elsewhere { at: at as u64, length: Some(u64::from(length)) });
    }

    fn skipped(&mut self, _sequence: Tag) {}
}

impl Builder {
    /// The VR as written, or the dictionary's for what is implicit or UN.
    fn vr(&self, element: &Element<'_>) -> VR {
        if element.encoding.explicit && element.vr != VR::UN {
            return element.vr;
        }
        let entry = StandardDataDictionary.by_tag(element.tag);
        if self.signed && entry.is_some_and(|entry| entry.vr() == VirtualVr::Xs) {
            return VR::SS;
        }
        match dictionary_vr(element.tag) {
            VR::SQ => VR::UN,
            vr => vr,
        }
    }
}

fn value(vr: VR, element: &Element<'_>, sets: &CharacterSets) -> Value {
    let raw = element.value;
    if vr == VR::PN {
        let names = sets.person_names(raw);
        return Value::Names(if names.len() == 1 && names[0].is_empty() { Vec::new() } else { names });
    }
    if is_text(vr) {
        let values = match (is_single(vr), is_in_character_set(vr)) {
            (true, true) => vec![sets.text(raw)],
            (false, true) => sets.values(raw),
            (single, false) => {
                let text: String = raw.iter().map(|&byte| char::from(byte)).collect();
                let trim = |part: &str| part.trim_matches(|c: char| c == '\0' || c.is_whitespace()).to_owned();
                if single { vec![trim(&text)] } else { text.split('\\').map(trim).collect() }
            }
        };
        return Value::Text(if values.len() == 1 && values[0].is_empty() { Vec::new() } else { values });
    }
    let width = width(vr);
    if element.encoding.big_endian && width > 1 {
        let mut swapped = raw.to_vec();
        swapped.chunks_exact_mut(width).for_each(<[u8]>::reverse);
        return Value::Bytes(swapped.into());
    }
    Value::Bytes(Bytes::copy_from_slice(raw))
}
