use proptest::prelude::*;

use super::*;

const JAPANESE: [&str; 5] = [
    "\\ISO 2022 IR 87",
    "\\ISO 2022 IR 87\\ISO 2022 IR 159",
    "ISO 2022 IR 13\\ISO 2022 IR 87",
    "ISO 2022 IR 100\\ISO 2022 IR 87",
    "ISO_IR 192",
];

fn round(declared: &str, name: &PersonName) -> (PersonName, bool) {
    let repertoire = Repertoire::parse(declared).unwrap();
    let written = repertoire.names(std::slice::from_ref(name), NameForm::All);
    let read = CharacterSets::parse(repertoire.declared().as_bytes()).person_name(&written.bytes);
    (read, written.lossy)
}

#[test]
fn the_standards_own_japanese_examples_are_written_byte_for_byte() {
    let yamada = PersonName::of("Yamada^Tarou", "山田^太郎", "やまだ^たろう");
    let written = Repertoire::parse("\\ISO 2022 IR 87").unwrap().names(&[yamada], NameForm::All);
    // PS3.5 annex H.3.1
    let h31 = b"Yamada^Tarou=\x1b$B;3ED\x1b(B^\x1b$BB@O:\x1b(B=\x1b$B$d$^$@\x1b(B^\x1b$B$?$m$&\x1b(B";
    assert_eq!(written, Encoded { bytes: h31.to_vec(), lossy: false });
    let kana = PersonName::of("ﾔﾏﾀﾞ^ﾀﾛｳ", "山田^太郎", "やまだ^たろう");
    let written = Repertoire::parse("ISO 2022 IR 13\\ISO 2022 IR 87").unwrap().names(&[kana], NameForm::All);
    // PS3.5 annex H.3.2
    let h32 = b"\xd4\xcf\xc0\xde^\xc0\xdb\xb3=\x1b$B;3ED\x1b(J^\x1b$BB@O:\x1b(J=\x1b$B$d$^$@\x1b(J^\x1b$B$?$m$&\x1b(J";
    assert_eq!(written, Encoded { bytes: h32.to_vec(), lossy: false });
}

#[test]
fn names_whose_bytes_hold_a_backslash_come_back() {
    for declared in JAPANESE {
        for kanji in ["松本", "宮崎", "日本病院", "山本^一郎", "榮", "ボ"] {
            let name = PersonName::of("Matsumoto^Ichirou", kanji, "まつもと");
            let (read, lossy) = round(declared, &name);
            assert_eq!((read.joined(), lossy), (name.joined(), false), "{declared}");
        }
        let repertoire = Repertoire::parse(declared).unwrap();
        let written = repertoire.values(&["日本病院", "宮崎"]);
        let sets = CharacterSets::parse(repertoire.declared().as_bytes());
        assert_eq!(sets.values(&written.bytes), ["日本病院", "宮崎"], "{declared}");
    }
}

#[test]
fn a_kanji_of_the_supplementary_set_needs_it_and_its_lack_is_known() {
    let name = PersonName::of("Kou^Ji", "丂^二", "");
    assert_eq!(round("\\ISO 2022 IR 87\\ISO 2022 IR 159", &name).0.joined(), name.joined());
    let (read, lossy) = round("\\ISO 2022 IR 87", &name);
    assert_eq!((read.ideographic(), lossy), ("?^二", true));
    let written = Repertoire::parse("\\ISO 2022 IR 87\\ISO 2022 IR 159").unwrap().values(&["丂"]);
    assert_eq!(written.bytes, b"\x1b$(D0!\x1b(B");
}

#[test]
fn what_a_set_lacks_is_written_as_near_as_it_goes() {
    let values = |declared: &str, text: &str| {
        let repertoire = Repertoire::parse(declared).unwrap();
        let written = repertoire.values(&[text]);
        let sets = CharacterSets::parse(repertoire.declared().as_bytes());
        (sets.first(&written.bytes), written.lossy)
    };
    assert_eq!(values("\\ISO 2022 IR 87", "ﾀﾞｲ"), ("ダイ".to_owned(), false));
    assert_eq!(values("ISO_IR 13", "ダいァ、"), ("ﾀﾞｲｧ､".to_owned(), false));
    assert_eq!(values("ISO_IR 6", "ＣＴ（１）"), ("CT(1)".to_owned(), false));
    assert_eq!(values("ISO_IR 6", "Crémieux 松"), ("Cremieux ?".to_owned(), true));
    assert_eq!(values("ISO_IR 100", "Crémieux"), ("Crémieux".to_owned(), false));
    assert_eq!(values("ISO 2022 IR 6\\ISO 2022 IR 100", "Crémieux"), ("Crémieux".to_owned(), false));
    assert_eq!(values("\\ISO 2022 IR 87", "一〜二"), ("一～二".to_owned(), false));
    assert_eq!(values("\\ISO 2022 IR 87", "a\\b"), ("a?b".to_owned(), true));
}

#[test]
fn a_device_without_kanji_gets_romaji_or_kana_alone() {
    let name = PersonName::of("Matsumoto^Ichirou", "松本^一郎", "まつもと^いちろう");
    let written = |declared: &str, form| Repertoire::parse(declared).unwrap().names(std::slice::from_ref(&name), form);
    assert_eq!(written("", NameForm::Romaji).bytes, b"Matsumoto^Ichirou");
    let kana = written("ISO_IR 13", NameForm::Kana).bytes;
    assert_eq!(CharacterSets::parse(b"ISO_IR 13").person_name(&kana).joined(), "ﾏﾂﾓﾄ^ｲﾁﾛｳ");
    let only_kanji = PersonName::of("", "松本^一郎", "");
    let dropped = Repertoire::default().names(&[only_kanji], NameForm::Romaji);
    assert_eq!(dropped, Encoded { bytes: Vec::new(), lossy: true });
}

#[test]
fn what_is_declared_is_in_the_standards_terms() {
    for (asked, declared) in [
        ("", ""),
        ("ISO_IR 6", ""),
        ("ISO_IR 100", "ISO_IR 100"),
        ("ISO 2022 IR 6\\ISO 2022 IR 87", "ISO 2022 IR 6\\ISO 2022 IR 87"),
        ("iso-2022-ir-87", "\\ISO 2022 IR 87"),
        ("ISO 2022 IR 13\\ISO 2022 IR 87", "ISO 2022 IR 13\\ISO 2022 IR 87"),
        ("UTF-8", "ISO_IR 192"),
    ] {
        let read = Repertoire::parse(asked).unwrap();
        assert_eq!(read.declared(), declared, "{asked}");
    }
    assert_eq!(Repertoire::parse("ISO 2022 IR 149"), None);
}

proptest! {
    #[test]
    fn whatever_is_written_without_loss_is_read_back_up_to_width_and_kana(
        which in 0..JAPANESE.len(),
        text in "[ -~ぁ-んァ-ヶ一-鿋ｱ-ﾝ¥‾é丂]{0,24}",
    ) {
        let repertoire = Repertoire::parse(JAPANESE[which]).unwrap();
        let sets = CharacterSets::parse(repertoire.declared().as_bytes());
        let value = text.trim().replace('\\', "");
        let written = repertoire.values(std::slice::from_ref(&value));
        if !written.lossy {
            let fold = |text: &str| substitute::in_kana(text, substitute::Kana::Full).replace(['￣', '‾'], "~").replace('￥', "¥");
            prop_assert_eq!(fold(&sets.first(&written.bytes)), fold(&value));
        }
    }

    #[test]
    fn any_text_is_written_in_any_set(text in ".{0,40}", declared in "(ISO_IR |ISO 2022 IR |\\\\){0,3}(6|13|87|100|159|192)") {
        if let Some(repertoire) = Repertoire::parse(&declared) {
            let names = [PersonName::parse(&text)];
            for form in [NameForm::All, NameForm::Romaji, NameForm::Kana] {
                let written = repertoire.names(&names, form);
                prop_assert_eq!(CharacterSets::parse(repertoire.declared().as_bytes()).person_names(&written.bytes).len(), 1);
            }
            let _ = repertoire.text(&text);
        }
    }
}
