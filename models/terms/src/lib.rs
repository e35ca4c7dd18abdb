//! The words that every room may use. No IO, no clock, no patient.
//!
//! A *part* is one (region, modality, laterality) of a case. Regions are one
//! tree kept as data (`data/regions.csv`): JJ1017's large regions with the
//! head-and-neck leaves of figure 3 of the skill-table paper. Every word has a
//! stable `code` (what databases, APIs and files hold) and a Japanese and an
//! English label (what people read).

mod laterality;
mod modality;
mod part;
mod priority;
mod region;

pub use laterality::Laterality;
pub use modality::Modality;
pub use part::Part;
pub use priority::Priority;
pub use region::Region;

/// A word that is not in the vocabulary. The message names the value and the kind of word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{value:?} is not a known {kind}")]
pub struct UnknownTerm {
    /// The kind of word that was asked for, e.g. `region`.
    pub kind: &'static str,
    /// The value that is not one.
    pub value: String,
}

/// The language of a label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Japanese, the default.
    #[default]
    Ja,
    /// English.
    En,
}

/// Implements the parts every closed vocabulary has: `code`, `FromStr`, `Display` (the code), serde as the code.
macro_rules! vocabulary {
    ($type:ident, $kind:literal, { $($variant:ident => $code:literal),+ $(,)? }) => {
        impl $type {
            /// Every value, in the order of the vocabulary.
            pub const ALL: &'static [$type] = &[$($type::$variant),+];

            /// The stable code that databases, APIs and files hold.
            pub const fn code(self) -> &'static str {
                match self { $($type::$variant => $code),+ }
            }
        }

        impl std::str::FromStr for $type {
            type Err = $crate::UnknownTerm;
            fn from_str(value: &str) -> Result<Self, Self::Err> {
                match value {
                    $($code => Ok($type::$variant),)+
                    _ => Err($crate::UnknownTerm { kind: $kind, value: value.to_owned() }),
                }
            }
        }

        impl std::fmt::Display for $type {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }

        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
                s.serialize_str(self.code())
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
                let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
                text.parse().map_err(serde::de::Error::custom)
            }
        }
    };
}
pub(crate) use vocabulary;
