//! JIS X 0212, written: the decoder's table turned round.

use std::collections::HashMap;
use std::sync::OnceLock;

use encoding_rs::EUC_JP;

/// The code of a character in JIS X 0212, two bytes of 0x21 to 0x7E.
pub(super) fn code(c: char) -> Option<[u8; 2]> {
    static CODES: OnceLock<HashMap<char, [u8; 2]>> = OnceLock::new();
    CODES.get_or_init(read).get(&c).copied()
}

fn read() -> HashMap<char, [u8; 2]> {
    let mut codes = HashMap::with_capacity(6100);
    for first in 0x21..=0x7E_u8 {
        for second in 0x21..=0x7E_u8 {
            let bytes = [0x8F, first | 0x80, second | 0x80];
            if let Some(text) = EUC_JP.decode_without_bom_handling_and_without_replacement(&bytes) {
                let mut chars = text.chars();
                if let (Some(c), None) = (chars.next(), chars.next()) {
                    codes.entry(c).or_insert([first, second]);
                }
            }
        }
    }
    codes
}
