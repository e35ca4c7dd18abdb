//! AI pre-screening: what can be said of a case before a reader opens it.
//!
//! Four things live here, and each is a function of its arguments alone:
//! pixels, text and facts go in, findings, labels and urgency come out. No
//! database, no network, no clock, no log.
//!
//! | module | question it answers |
//! |---|---|
//! | [`urgency`] | how probably does this case need attention before its turn, and why? |
//! | [`labels`] | which parts does the study show, according to whom, and who disagrees? |
//! | [`engine`] | how does an engine plug in, and may its findings be shown here? |
//! | [`quality`] | is this radiograph blank, clipped or inverted? |
//! | [`minutes`] | how long will a part take to read, until that is learned? |
//!
//! Everything computed here is help for the reader (参考), never a diagnosis.
//! Text that comes in is a patient's: nothing here logs it, and no error quotes it.

pub mod engine;
pub mod labels;
pub mod minutes;
pub mod quality;
pub mod urgency;
mod words;
