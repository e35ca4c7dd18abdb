//! Closed vocabularies as text columns.
//!
//! A column holds the code; a row struct holds the type. `codes!` makes an enum
//! of ours such a column; the words of `dokuei-terms` come through [`Code`]
//! with `#[diesel(deserialize_as = Code<Priority>)]`.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql};
use diesel::sql_types::Text;
use dokuei_terms::{Laterality, Modality, Priority, Region};

/// A word of `dokuei-terms` read from a text column.
#[derive(Debug, diesel::deserialize::FromSqlRow)]
pub struct Code<T>(pub T);

macro_rules! term_columns {
    ($($type:ty),+) => {$(
        impl<DB: Backend> FromSql<Text, DB> for Code<$type> where String: FromSql<Text, DB> {
            fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                Ok(Code(String::from_sql(bytes)?.parse()?))
            }
        }

        impl From<Code<$type>> for $type {
            fn from(code: Code<$type>) -> Self {
                code.0
            }
        }
    )+};
}

term_columns!(Priority, Modality, Region, Laterality);

/// Makes an enum of codes: `code()`, `ALL`, `FromStr`, `Display`, serde and a text column.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident => $code:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
                 serde::Serialize, serde::Deserialize)]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $code)] $variant),+
        }

        impl $name {
            /// Every value.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// What the column, the API and files hold.
            pub const fn code(self) -> &'static str {
                match self { $($name::$variant => $code),+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = dokuei_terms::UnknownTerm;
            fn from_str(value: &str) -> Result<Self, Self::Err> {
                match value {
                    $($code => Ok(Self::$variant),)+
                    _ => Err(dokuei_terms::UnknownTerm { kind: stringify!($name), value: value.to_owned() }),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }

        impl<DB: diesel::backend::Backend> diesel::serialize::ToSql<diesel::sql_types::Text, DB> for $name
        where
            str: diesel::serialize::ToSql<diesel::sql_types::Text, DB>,
        {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, DB>) -> diesel::serialize::Result {
                <str as diesel::serialize::ToSql<diesel::sql_types::Text, DB>>::to_sql(self.code(), out)
            }
        }

        impl<DB: diesel::backend::Backend> diesel::deserialize::FromSql<diesel::sql_types::Text, DB> for $name
        where
            String: diesel::deserialize::FromSql<diesel::sql_types::Text, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> diesel::deserialize::Result<Self> {
                Ok(<String as diesel::deserialize::FromSql<diesel::sql_types::Text, DB>>::from_sql(bytes)?.parse()?)
            }
        }
    };
}
pub(crate) use codes;
