//! What the end-to-end tests stand on: real peers and the real binary, each started and stopped here.
//!
//! Every peer is a process of its own on a free loopback port in a folder that goes
//! away with it, so tests run side by side. Dropping a value stops what it started.
//! A peer that is missing is an error that names `ops/test`, never a skipped test.
//!
//! | module | peer |
//! |---|---|
//! | [`dokuei`] | the binary under test, in one process or as separate roles |
//! | [`installation`] | a whole installation with the demo organisation, in one process or as roles apart |
//! | [`story`] | the main job, once through, in whichever installation |
//! | [`client`] | a browser session and an API client against it |
//! | [`postgres`], [`redis`] | a database of its own, a server to stop; a Redis of its own |
//! | [`bucket`] | an S3 bucket |
//! | [`orthanc`] | a hospital's PACS |
//! | [`dcmtk`] | `echoscu`, `storescu`, `storescp` |
//! | [`mail`] | an SMTP server that keeps what it gets |
//! | [`studies`] | real DICOM files, and studies made out of them |
//! | [`web_sending`] | images over HTTP, by a browser and by a program, and what each was told |
//! | [`power_cut`] | what is left of a folder when every unsynced write is dropped |
//! | [`pdf`] | `pdfsig`, `pdftotext` and pyHanko over a signed report |

pub mod bucket;
pub mod client;
pub mod dcmtk;
pub mod dokuei;
pub mod installation;
pub mod mail;
pub mod orthanc;
pub mod pdf;
pub mod postgres;
pub mod power_cut;
pub mod process;
pub mod redis;
pub mod story;
pub mod studies;
pub mod web_sending;
