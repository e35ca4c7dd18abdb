//! Fragments of encapsulated pixel data, and which frame each belongs to
//! (PS3.5 A.4).

use std::ops::Range;

use super::RenderError;
use super::frames::ITEM;
use crate::header::element::{self, Encoding};

pub(super) struct Fragments {
    /// Basic Offset Table: offsets from the first fragment's item tag.
    table: Vec<u64>,
    /// Value ranges in the data set.
    ranges: Vec<Range<usize>>,
}

impl Fragments {
    /// Reads items from `at` on. One that is cut off ends the list.
    pub fn read(dataset: &[u8], mut at: usize) -> Self {
        let mut ranges = Vec::new();
        while let Some(head) = dataset.get(at..).and_then(|rest| element::head(rest, Encoding::EXPLICIT)) {
            if head.tag != ITEM {
                break;
            }
            let range = at + 8..(at + 8).saturating_add(head.length as usize);
            if range.end > dataset.len() {
                break;
            }
            at = range.end;
            ranges.push(range);
        }
        if ranges.is_empty() {
            return Self { table: Vec::new(), ranges };
        }
        let table = dataset[ranges.remove(0)].chunks_exact(4);
        let table = table.map(|word| u64::from(u32::from_le_bytes([word[0], word[1], word[2], word[3]]))).collect();
        Self { table, ranges }
    }
}

/// The fragments of each frame. The tables are used where they fit the fragments;
/// else frames begin where a fragment begins like an image.
pub(super) fn assign(
    dataset: &[u8],
    fragments: &Fragments,
    stated: u32,
    extended: Option<&[u8]>,
) -> Result<Vec<Vec<Range<usize>>>, RenderError> {
    let ranges = &fragments.ranges;
    let stated = stated as usize;
    if ranges.is_empty() {
        return Ok(Vec::new());
    }
    if stated == 1 {
        return Ok(vec![ranges.clone()]);
    }
    // Fewer fragments than frames: what was received before a cut.
    if ranges.len() <= stated {
        return Ok(ranges.iter().map(|range| vec![range.clone()]).collect());
    }
    let extended: Vec<u64> = extended
        .unwrap_or_default()
        .chunks_exact(8)
        .filter_map(|word| <[u8; 8]>::try_from(word).ok())
        .map(u64::from_le_bytes)
        .collect();
    let begins_like_image = |range: &Range<usize>| {
        let bytes = &dataset[range.clone()];
        bytes.starts_with(&[0xFF, 0xD8]) || bytes.starts_with(&[0xFF, 0x4F, 0xFF, 0x51])
    };
    let starts = starts_of(ranges, &extended, stated)
        .or_else(|| starts_of(ranges, &fragments.table, stated))
        .unwrap_or_else(|| (0..ranges.len()).filter(|&at| begins_like_image(&ranges[at])).collect());
    if starts.len() != stated || starts.first() != Some(&0) {
        return Err(RenderError::Coding("fragments cannot be told apart into frames"));
    }
    let ends = starts.iter().skip(1).copied().chain([ranges.len()]);
    Ok(starts.iter().zip(ends).map(|(&start, end)| ranges[start..end].to_vec()).collect())
}

/// Indices of the fragments at these offsets, if every offset meets one.
fn starts_of(ranges: &[Range<usize>], offsets: &[u64], stated: usize) -> Option<Vec<usize>> {
    if offsets.len() != stated {
        return None;
    }
    let first_item = ranges.first()?.start - 8;
    let find = |&offset: &u64| {
        let value_at = usize::try_from(offset).ok()?.checked_add(first_item)?.checked_add(8)?;
        ranges.binary_search_by_key(&value_at, |range| range.start).ok()
    };
    let starts: Vec<usize> = offsets.iter().map(find).collect::<Option<_>>()?;
    starts.windows(2).all(|pair| pair[0] < pair[1]).then_some(starts)
}
