//! DICOMweb over the whole stack: stored, found, fetched, refused.

mod made;
mod retrieving;
mod rights;
mod searching;
mod storing;
