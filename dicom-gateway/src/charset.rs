//! Turns the text bytes of a DICOM object into UTF-8, and back ([`Repertoire`]).
//!
//! The bytes are decoded *before* anything is split: inside JIS X 0208 the byte
//! 0x5C is half a character (松, 宮, 府, 日本病院), not the delimiter `\`, and the
//! same holds for Shift_JIS and GB18030 trail bytes. Delimiters are therefore
//! found by the decoder itself, which knows the code element that is active.
//!
//! Rules: PS3.5 6.1.2 (code extensions after ISO 2022) and 6.2.1.2 (names). The
//! state falls back to value 1 of Specific Character Set at every delimiter, at
//! line ends and, in names, at `^` and `=`.
//!
//! Decoding never fails. What cannot be read becomes U+FFFD; spellings of the
//! character set found in the wild (`ISO 2020 IR 87`, an empty first value with
//! bytes that need more) are understood, and bytes that no declared set covers
//! are read as UTF-8 if they are valid UTF-8, else as Shift_JIS, else as Latin-1.

mod iso2022;
mod name;
mod repertoire;
mod sets;
mod substitute;
mod supplementary;

pub use name::PersonName;
pub use repertoire::{Encoded, NameForm, Repertoire};
pub use sets::CharacterSets;

#[cfg(test)]
mod encoding_tests;
#[cfg(test)]
mod tests;
