//! Fragments of encapsulated pixel data, found by reading their heads (PS3.5 A.4).

use std::ops::Range;

use bytes::Bytes;

use super::head::Head;
use super::{Ranged, RangedError};

const ITEM: [u8; 4] = [0xFE, 0xFF, 0x00, 0xE0];
/// Read at once where fragments are small, so that many heads come together.
const WIDE: u64 = 256 << 10;
/// Read at once where they are large.
const NARROW: u64 = 4 << 10;

/// One fragment: where its value lies in the data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fragment {
    pub value: Range<u64>,
    /// Whether it begins as a codestream begins: JPEG, JPEG-LS or JPEG 2000.
    pub begins_image: bool,
}

/// Goes from item to item.
pub(super) struct Walk<'a> {
    head: &'a Head,
    source: &'a dyn Ranged,
    window: Bytes,
    window_at: u64,
    wide: bool,
    /// Where the next item's head is.
    pub at: u64,
}

impl<'a> Walk<'a> {
    pub fn new(head: &'a Head, source: &'a dyn Ranged, at: u64) -> Self {
        Self { head, source, window: Bytes::new(), window_at: 0, wide: false, at }
    }

    async fn peek(&mut self, length: u64) -> Result<&[u8], RangedError> {
        let inside = self.at >= self.window_at && self.at + length <= self.window_at + self.window.len() as u64;
        if !inside {
            let wanted = if self.wide { WIDE } else { NARROW };
            self.window = self.head.bytes(self.source, self.at, wanted.max(length)).await?;
            self.window_at = self.at;
        }
        // Within the window, which is in memory.
        let start = (self.at - self.window_at) as usize;
        let end = (start + length as usize).min(self.window.len());
        Ok(&self.window[start.min(end)..end])
    }

    /// The next fragment; `None` behind the last, or where the data ends inside one.
    pub async fn next(&mut self) -> Result<Option<Fragment>, RangedError> {
        let total = self.head.size(self.source);
        let (length, begins_image) = {
            let head = self.peek(12).await?;
            let [a, b, c, d, l0, l1, l2, l3, rest @ ..] = head else { return Ok(None) };
            if [*a, *b, *c, *d] != ITEM {
                return Ok(None);
            }
            let image = rest.starts_with(&[0xFF, 0xD8]) || rest.starts_with(&[0xFF, 0x4F, 0xFF, 0x51]);
            (u64::from(u32::from_le_bytes([*l0, *l1, *l2, *l3])), image && rest.len() == 4)
        };
        let value = self.at + 8..(self.at + 8).saturating_add(length);
        if value.end > total {
            return Ok(None);
        }
        self.wide = length < WIDE / 8;
        self.at = value.end;
        Ok(Some(Fragment { value, begins_image }))
    }
}
