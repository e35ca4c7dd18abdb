//! Letters burnt into the pixels: every picture says DEMO, whatever a viewer does with the tags.

const GLYPHS: &[(char, [u8; 7])] = &[
    ('D', [0b11110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b11110]),
    ('E', [0b11111, 0b10000, 0b10000, 0b11110, 0b10000, 0b10000, 0b11111]),
    ('M', [0b10001, 0b11011, 0b10101, 0b10101, 0b10001, 0b10001, 0b10001]),
    ('O', [0b01110, 0b10001, 0b10001, 0b10001, 0b10001, 0b10001, 0b01110]),
    ('R', [0b11110, 0b10001, 0b10001, 0b11110, 0b10100, 0b10010, 0b10001]),
    ('L', [0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b10000, 0b11111]),
    ('C', [0b01110, 0b10001, 0b10000, 0b10000, 0b10000, 0b10001, 0b01110]),
    ('A', [0b01110, 0b10001, 0b10001, 0b11111, 0b10001, 0b10001, 0b10001]),
    ('N', [0b10001, 0b11001, 0b10101, 0b10101, 0b10011, 0b10001, 0b10001]),
    ('T', [0b11111, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100, 0b00100]),
    ('P', [0b11110, 0b10001, 0b10001, 0b11110, 0b10000, 0b10000, 0b10000]),
    ('S', [0b01111, 0b10000, 0b10000, 0b01110, 0b00001, 0b00001, 0b11110]),
    ('-', [0, 0, 0, 0b11111, 0, 0, 0]),
];

/// Writes `text` with its upper left corner at (`x`, `y`), each dot `dot` pixels wide, in `value`. Letters without a glyph and dots off the picture are left out.
pub fn burn(pixels: &mut [f32], columns: usize, text: &str, (x, y): (usize, usize), dot: usize, value: f32) {
    for (place, letter) in text.chars().enumerate() {
        let Some((_, rows)) = GLYPHS.iter().find(|(known, _)| *known == letter) else { continue };
        for (row, bits) in rows.iter().enumerate() {
            for column in (0..5).filter(|column| bits & (0b10000 >> column) != 0) {
                for (dx, dy) in (0..dot * dot).map(|at| (at % dot, at / dot)) {
                    let (px, py) = (x + (place * 6 + column) * dot + dx, y + row * dot + dy);
                    if px < columns
                        && let Some(pixel) = pixels.get_mut(py * columns + px)
                    {
                        *pixel = value;
                    }
                }
            }
        }
    }
}

/// How wide `text` is at a dot size, in pixels.
pub fn width(text: &str, dot: usize) -> usize {
    text.chars().count() * 6 * dot
}
