use super::*;
use encoding_rs::{EUC_JP, SHIFT_JIS};

/// A JIS X 0208 run with its escapes, as a Japanese console writes it.
fn jis(text: &str) -> Vec<u8> {
    let (bytes, _, unmappable) = EUC_JP.encode(text);
    assert!(!unmappable, "{text} is not in JIS X 0208");
    let mut out = b"\x1b$B".to_vec();
    out.extend(bytes.iter().map(|byte| byte & 0x7F));
    out.extend(b"\x1b(B");
    out
}

fn name(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[test]
fn the_three_groups_of_the_standards_own_japanese_example_are_read() {
    // PS3.5 annex H.3.1: \ISO 2022 IR 87
    let raw = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B";
    let read = CharacterSets::parse(b"\\ISO 2022 IR 87").person_name(raw);
    assert_eq!(read.alphabetic(), "Yamada^Tarou");
    assert_eq!(read.ideographic(), "山田^太郎");
    assert_eq!(read.phonetic(), "やまだ^たろう");
    assert_eq!(read.raw(), raw);
}

#[test]
fn half_width_katakana_with_kanji_is_read() {
    // PS3.5 annex H.3.2: ISO 2022 IR 13\ISO 2022 IR 87
    let raw = b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J";
    let read = CharacterSets::parse(b"ISO 2022 IR 13\\ISO 2022 IR 87").person_name(raw);
    assert_eq!(read.alphabetic(), "ﾔﾏﾀﾞ^ﾀﾛｳ");
    assert_eq!(read.ideographic(), "山田^太郎");
    assert_eq!(read.phonetic(), "やまだ^たろう");
}

#[test]
fn a_backslash_byte_inside_kanji_is_half_a_character() {
    let sets = CharacterSets::parse(b"\\ISO 2022 IR 87");
    for kanji in
        ["松本", "山本", "日本", "宮崎", "別府", "須田", "芹沢", "目黒", "倍賞", "ぼ", "ボ", "榮", "楡", "樂", "檢"]
    {
        let bytes = jis(kanji);
        assert_eq!(sets.values(&bytes), [kanji], "{kanji}");
        let pn = name(&[b"A^B=", &bytes, b"^", &bytes, b"=", &bytes]);
        let read = sets.person_name(&pn);
        assert_eq!(read.ideographic(), format!("{kanji}^{kanji}"));
        assert_eq!(read.phonetic(), kanji);
    }
    assert!(jis("松本").contains(&b'\\'), "the case is only real if the byte is there");
    assert_eq!(sets.first(&jis("日本病院")), "日本病院");
}

#[test]
fn the_forms_of_names_that_jis_lacks_are_read_from_the_vendor_rows() {
    let sets = CharacterSets::parse(b"\\ISO 2022 IR 87");
    assert_eq!(sets.first(&jis("髙﨑")), "髙﨑");
}

#[test]
fn jis_x_0212_is_read() {
    // 丂 is row 16 cell 1 of JIS X 0212: 0x30 0x21.
    let sets = CharacterSets::parse(b"\\ISO 2022 IR 87\\ISO 2022 IR 159");
    assert_eq!(sets.first(b"\x1b$(D\x30\x21\x1b(B"), "丂");
    assert_eq!(sets.first(b"A\x1b$(D\x30\x21\x1b$B;3\x1b(BB"), "A丂山B");
}

#[test]
fn values_are_split_only_at_real_delimiters() {
    let sets = CharacterSets::parse(b"\\ISO 2022 IR 87");
    let raw = name(&[&jis("松本"), b"\\", &jis("宮崎"), b"\\C "]);
    assert_eq!(sets.values(&raw), ["松本", "宮崎", "C"]);
    assert_eq!(sets.text(b"a\\b\r\n"), "a\\b\r\n");
}

#[test]
fn the_wild_spellings_are_understood() {
    let raw = name(&[b"=", &jis("松本")]);
    for declared in [
        &b"\\ISO 2020 IR 87"[..],
        b"ISO 2022 IR 87",
        b"ISO_IR 87",
        b"\\ISO 2022 IR 87\\",
        b"\\iso 2022 ir 87 ",
        b"ISO-2022-JP",
        b"ISO 2022 IR 6\\ISO 2022 IR 87",
        b"ISO_IR 100\\ISO 2022 IR 87",
        b"",
    ] {
        let sets = CharacterSets::parse(declared);
        assert_eq!(sets.person_name(&raw).ideographic(), "松本", "{}", String::from_utf8_lossy(declared));
        assert!(!sets.has_unknown_term());
    }
    assert!(CharacterSets::parse(b"KLINGON").has_unknown_term());
}

#[test]
fn utf8_is_read_when_declared_and_when_merely_there() {
    for declared in [&b"ISO_IR 192"[..], b"ISO IR 192", b"UTF-8", b"", b"\\ISO 2022 IR 87"] {
        let read =
            CharacterSets::parse(declared).person_name("Matsumoto^Ichiro=松本^一郎=まつもと^いちろう".as_bytes());
        assert_eq!(read.ideographic(), "松本^一郎");
        assert_eq!(read.phonetic(), "まつもと^いちろう");
    }
}

#[test]
fn shift_jis_under_ir_13_or_undeclared_is_read_without_splitting_its_trail_bytes() {
    let (bytes, _, _) = SHIFT_JIS.encode("表示能力");
    assert!(bytes.contains(&b'\\'));
    for declared in [&b"ISO_IR 13"[..], b"ISO 2022 IR 13\\ISO 2022 IR 87", b"", b"ISO_IR 192"] {
        assert_eq!(CharacterSets::parse(declared).values(&bytes), ["表示能力"]);
    }
}

#[test]
fn romaji_has_a_yen_sign_where_ascii_has_a_backslash() {
    assert_eq!(CharacterSets::parse(b"ISO_IR 13").text(b"\\100~"), "¥100‾");
    assert_eq!(CharacterSets::parse(b"ISO_IR 13").values(b"a\\b"), ["a", "b"]);
}

#[test]
fn european_sets_and_their_extensions_are_read() {
    assert_eq!(CharacterSets::parse(b"ISO_IR 100").first(b"M\xfcller"), "Müller");
    assert_eq!(CharacterSets::parse(b"ISO_IR 144").first(b"\xbb\xee\xda"), "Люк");
    assert_eq!(CharacterSets::parse(b"\\ISO 2022 IR 100\\ISO 2022 IR 126").first(b"\x1b-AM\xfc \x1b-F\xc4"), "Mü Δ");
    assert_eq!(CharacterSets::parse(b"ISO_IR 148").first(b"\xdeahin"), "Şahin");
}

#[test]
fn korean_and_chinese_are_read() {
    // PS3.5 annexes I and J.
    let korean = b"Hong^Gildong=\x1b$)C\xfb\xf3^\x1b$)C\xd1\xce\xd4\xd7=\x1b$)C\xc8\xab^\x1b$)C\xb1\xe6\xb5\xbf";
    let read = CharacterSets::parse(b"\\ISO 2022 IR 149").person_name(korean);
    assert_eq!((read.ideographic(), read.phonetic()), ("洪^吉洞", "홍^길동"));
    let chinese = CharacterSets::parse(b"GB18030").person_name(b"Wang^XiaoDong=\xcd\xf5^\xd0\xa1\xb6\xab=");
    assert_eq!(chinese.ideographic(), "王^小东");
}

#[test]
fn a_sender_that_forgets_to_go_back_to_ascii_still_gets_its_delimiters() {
    let read = CharacterSets::parse(b"\\ISO 2022 IR 87").person_name(b"A^B=\x1b$B;3ED^\x1b$BB@O:\x1b(B");
    assert_eq!(read.ideographic(), "山田^太郎");
}

#[test]
fn padding_and_empty_components_say_nothing() {
    let read = CharacterSets::default().person_name(b"YAMADA ^TARO^^^ ");
    assert_eq!(read.alphabetic(), "YAMADA^TARO");
    assert_eq!(read.joined(), "YAMADA^TARO");
    assert!(CharacterSets::default().person_name(b"^^==  ").is_empty());
}

#[test]
fn a_name_does_not_show_in_debug_output() {
    assert_eq!(format!("{:?}", CharacterSets::default().person_name(b"YAMADA^TARO")), "***");
}

proptest::proptest! {
    #[test]
    fn any_bytes_under_any_declaration_are_read_without_panic(
        declared in proptest::sample::select(vec![
            &b""[..], b"ISO_IR 192", b"GB18030", b"ISO_IR 13", b"\\ISO 2022 IR 87", b"\\ISO 2022 IR 149", b"ISO_IR 100",
        ]),
        raw in proptest::collection::vec(proptest::num::u8::ANY, 0..64),
    ) {
        let sets = CharacterSets::parse(declared);
        let _ = (sets.text(&raw), sets.values(&raw), sets.person_name(&raw));
    }

    #[test]
    fn ascii_is_itself_under_every_declaration(text in "[ -\\[\\]-}]{0,40}") {
        for declared in [&b""[..], b"ISO_IR 192", b"GB18030", b"\\ISO 2022 IR 87", b"ISO_IR 100"] {
            proptest::prop_assert_eq!(CharacterSets::parse(declared).text(text.as_bytes()), text.trim_end_matches(' '));
        }
    }
}
