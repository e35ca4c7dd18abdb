//! DICOMweb over the whole stack: stored, found, fetched, refused.

pub mod made;
mod retrieving;
mod rights;
mod searching;
mod storing;
