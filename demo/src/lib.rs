//! An invented organisation and its hospital day.
//!
//! Pure: no network, no database, no wall clock; everything is a function of a
//! seed and of the day's beginning. The server turns [`organisation()`] into
//! rows and sends what [`day()`] yields by C-STORE, as any hospital would.
//! Names, IDs, institutions and pictures are invented and say so.

pub mod day;
pub mod dicom;
pub mod names;
pub mod organisation;
pub mod phantom;

pub use day::day;
pub use organisation::{Organisation, figure3_csv, organisation};
