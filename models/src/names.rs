//! Names of people, and how they are compared and searched.

use unicode_normalization::UnicodeNormalization;

/// A patient's name in its three groups (PS3.5 6.2, VR PN). Has no `Display`; `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
pub struct PatientName {
    /// The alphabetic group, components parted by `^`.
    pub alphabetic: String,
    /// The ideographic group.
    pub ideographic: String,
    /// The phonetic group.
    pub phonetic: String,
}

impl std::fmt::Debug for PatientName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PatientName(***)")
    }
}

/// How two names compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameAgreement {
    /// At least one group is there twice and equal, and none contradicts.
    Same,
    /// A group is there twice and differs.
    Different,
    /// No group is there twice.
    Incomparable,
}

impl PatientName {
    /// The name for a person to read: kanji, else kana, else Latin letters; `^` becomes a space.
    pub fn shown(&self) -> String {
        let group = [&self.ideographic, &self.phonetic, &self.alphabetic].into_iter().find(|group| !group.is_empty());
        group.map(|group| group.replace('^', " ").trim().to_owned()).unwrap_or_default()
    }

    /// Compares group by group, blind to width, case, kana kind and spaces.
    ///
    /// A kanji group that agrees outweighs a Latin one that does not: spellings of one name in Latin letters vary
    /// (TARO, TAROU). A kana group in the alphabetic place (half-width, as ISO IR 13 sends it) counts as phonetic.
    pub fn agreement(&self, other: &Self) -> NameAgreement {
        let (a, b) = (self.folded(), other.folded());
        let mut same = false;
        for (one, two) in [(&a.ideographic, &b.ideographic), (&a.phonetic, &b.phonetic)] {
            if !one.is_empty() && !two.is_empty() {
                if one != two {
                    return NameAgreement::Different;
                }
                same = true;
            }
        }
        if same {
            return NameAgreement::Same;
        }
        match (a.alphabetic.is_empty(), b.alphabetic.is_empty()) {
            (false, false) if a.alphabetic == b.alphabetic => NameAgreement::Same,
            (false, false) => NameAgreement::Different,
            _ => NameAgreement::Incomparable,
        }
    }

    fn folded(&self) -> Self {
        let mut folded = Self {
            alphabetic: fold(&self.alphabetic),
            ideographic: fold(&self.ideographic),
            phonetic: fold(&self.phonetic),
        };
        if folded.phonetic.is_empty() && !folded.alphabetic.is_empty() && folded.alphabetic.chars().all(is_kana) {
            folded.phonetic = std::mem::take(&mut folded.alphabetic);
        }
        folded
    }

    /// All groups folded into one text that a search is matched against.
    pub fn search_text(&self) -> String {
        [&self.alphabetic, &self.ideographic, &self.phonetic].map(|group| fold(group)).join(" ")
    }

    /// The groups that are there, folded, as `^one^two^`: what a pattern of a query is held against (PS3.4 C.2.2.2.4),
    /// its first and last letter told by the marks.
    pub fn match_text(&self) -> String {
        let groups = [&self.alphabetic, &self.ideographic, &self.phonetic].map(|group| fold(group));
        let mut text = String::from("^");
        for group in groups.iter().filter(|group| !group.is_empty()) {
            text.push_str(group);
            text.push('^');
        }
        text
    }
}

fn is_kana(letter: char) -> bool {
    matches!(letter, '\u{30a0}'..='\u{30ff}')
}

/// NFKC, lower case, hiragana to katakana, without spaces and `^`: so that half-width, full-width and both kana meet.
pub fn fold(text: &str) -> String {
    text.nfkc()
        .flat_map(char::to_lowercase)
        .filter(|letter| !letter.is_whitespace() && *letter != '^')
        .map(|letter| match letter {
            '\u{3041}'..='\u{3096}' => char::from_u32(u32::from(letter) + 0x60).unwrap_or(letter),
            other => other,
        })
        .collect()
}

/// A site's rule for the zeros in front of a PatientID.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PatientIdRule {
    /// `0012` and `12` are two patients.
    Exact,
    /// Leading zeros do not count.
    IgnoreLeadingZeros,
    /// Filled with zeros to this width.
    PadTo(usize),
}

impl std::str::FromStr for PatientIdRule {
    type Err = dokuei_terms::UnknownTerm;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "exact" => Ok(Self::Exact),
            "ignore_zeros" => Ok(Self::IgnoreLeadingZeros),
            _ => text
                .strip_prefix("pad:")
                .and_then(|width| width.parse().ok())
                .filter(|width| (1..=64).contains(width))
                .map(Self::PadTo)
                .ok_or_else(|| dokuei_terms::UnknownTerm { kind: "patient ID rule", value: text.to_owned() }),
        }
    }
}

impl PatientIdRule {
    /// The key under which the site knows the patient. Width and outer spaces never count; letters keep their case.
    pub fn key(self, patient_id: &str) -> String {
        let plain: String = patient_id.trim().nfkc().collect();
        match self {
            Self::Exact => plain,
            Self::IgnoreLeadingZeros => {
                let stripped = plain.trim_start_matches('0');
                if stripped.is_empty() && !plain.is_empty() { "0".to_owned() } else { stripped.to_owned() }
            }
            Self::PadTo(width) => format!("{plain:0>width$}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(alphabetic: &str, ideographic: &str, phonetic: &str) -> PatientName {
        PatientName { alphabetic: alphabetic.into(), ideographic: ideographic.into(), phonetic: phonetic.into() }
    }

    #[test]
    fn spellings_of_one_name_agree() {
        let header = name("YAMADA^TAROU", "山田^太郎", "やまだ^たろう");
        assert_eq!(header.agreement(&name("", "山田 太郎", "ヤマダ タロウ")), NameAgreement::Same);
        assert_eq!(header.agreement(&name("Yamada^Taro", "山田　太郎", "")), NameAgreement::Same);
        assert_eq!(name("ﾔﾏﾀﾞ^ﾀﾛｳ", "", "").agreement(&name("", "", "やまだ たろう")), NameAgreement::Same);
    }

    #[test]
    fn two_people_never_agree() {
        let header = name("YAMADA^TAROU", "山田^太郎", "やまだ^たろう");
        assert_eq!(header.agreement(&name("YAMADA^TAROU", "山田^花子", "")), NameAgreement::Different);
        assert_eq!(header.agreement(&name("SUZUKI^ICHIRO", "", "")), NameAgreement::Different);
        assert_eq!(name("YAMADA^TARO", "", "").agreement(&name("", "山田^太郎", "")), NameAgreement::Incomparable);
    }

    #[test]
    fn leading_zeros_follow_the_site() {
        assert_eq!(PatientIdRule::Exact.key(" 0012 "), "0012");
        assert_eq!(PatientIdRule::IgnoreLeadingZeros.key("0012"), PatientIdRule::IgnoreLeadingZeros.key("12"));
        assert_eq!(PatientIdRule::PadTo(8).key("１２"), "00000012");
        assert_eq!(PatientIdRule::IgnoreLeadingZeros.key("000"), "0");
        assert!("pad:0".parse::<PatientIdRule>().is_err());
    }

    #[test]
    fn a_name_is_never_printed() {
        assert!(!format!("{:?}", name("YAMADA^TARO", "山田^太郎", "")).contains("YAMADA"));
    }
}
