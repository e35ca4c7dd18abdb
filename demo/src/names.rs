//! Names that nobody bears: every family name says that it is invented (架空 "fictitious", 見本 "specimen", ...).
//!
//! 見本, 本 and 能 hold the byte 0x5C in JIS X 0208, as 松本 and 宮崎 do: a
//! receiver that splits values before decoding them breaks on these names.

use serde::{Deserialize, Serialize};

/// A person's name in three scripts, each as (family, given).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    /// Ideographic.
    pub kanji: [String; 2],
    /// Phonetic, hiragana.
    pub kana: [String; 2],
    /// Alphabetic.
    pub romaji: [String; 2],
}

impl Name {
    /// From three `family given` pairs.
    pub fn new(kanji: (&str, &str), kana: (&str, &str), romaji: (&str, &str)) -> Name {
        let pair = |(family, given): (&str, &str)| [family.to_owned(), given.to_owned()];
        Name { kanji: pair(kanji), kana: pair(kana), romaji: pair(romaji) }
    }

    /// DICOM's three component groups, not yet encoded: `Mihon^Hanako=見本^花子=みほん^はなこ` (PS3.5 6.2.1.2).
    pub fn dicom(&self) -> String {
        [&self.romaji, &self.kanji, &self.kana].map(|pair| pair.join("^")).join("=")
    }

    /// As people read it: `見本 花子`.
    pub fn display(&self) -> String {
        self.kanji.join(" ")
    }
}

/// Family names: kanji, kana, romaji.
pub const FAMILIES: &[(&str, &str, &str)] = &[
    ("架空", "かくう", "Kakuu"),
    ("見本", "みほん", "Mihon"),
    ("模擬", "もぎ", "Mogi"),
    ("仮想", "かそう", "Kasou"),
    ("試験", "しけん", "Shiken"),
    ("例題", "れいだい", "Reidai"),
    ("演習", "えんしゅう", "Enshuu"),
    ("練習", "れんしゅう", "Renshuu"),
    ("空想", "くうそう", "Kuusou"),
    ("雛形", "ひながた", "Hinagata"),
    ("試作", "しさく", "Shisaku"),
    ("出茂", "でも", "Demo"),
    ("仮名", "かめい", "Kamei"),
    ("標本", "ひょうほん", "Hyouhon"),
    ("擬似", "ぎじ", "Giji"),
    ("デモ", "でも", "Demo"),
];

/// Given names of men.
pub const MEN: &[(&str, &str, &str)] = &[
    ("一郎", "いちろう", "Ichirou"),
    ("太郎", "たろう", "Tarou"),
    ("健太", "けんた", "Kenta"),
    ("正夫", "まさお", "Masao"),
    ("清", "きよし", "Kiyoshi"),
    ("直樹", "なおき", "Naoki"),
    ("翔", "しょう", "Shou"),
    ("和彦", "かずひこ", "Kazuhiko"),
    ("勇", "いさむ", "Isamu"),
    ("大輔", "だいすけ", "Daisuke"),
    ("博", "ひろし", "Hiroshi"),
    ("蓮", "れん", "Ren"),
];

/// Given names of women.
pub const WOMEN: &[(&str, &str, &str)] = &[
    ("花子", "はなこ", "Hanako"),
    ("和子", "かずこ", "Kazuko"),
    ("美咲", "みさき", "Misaki"),
    ("恵子", "けいこ", "Keiko"),
    ("陽菜", "ひな", "Hina"),
    ("幸子", "さちこ", "Sachiko"),
    ("由美", "ゆみ", "Yumi"),
    ("節子", "せつこ", "Setsuko"),
    ("真理", "まり", "Mari"),
    ("さくら", "さくら", "Sakura"),
    ("千代", "ちよ", "Chiyo"),
    ("久美", "くみ", "Kumi"),
];
