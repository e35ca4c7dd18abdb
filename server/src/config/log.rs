//! What is logged and how. Logs go to stderr and never hold patient data.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `log.filter` | `DOKUEI_LOG_FILTER` | `info,dicom_parser=error,dicom_object=error` | `tracing` directives, such as `info,dokuei_server=debug` |
//! | `log.format` | `DOKUEI_LOG_FORMAT` | `text` | `text` or `json` |

use super::{Setting, Source};

/// One line of text or one JSON object per event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    Text,
    Json,
}

impl Setting for LogFormat {
    const SHAPE: &'static str = "text or json";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "text" => Some(Self::Text),
            "json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// See the module's table.
#[derive(Debug, Clone)]
pub struct Log {
    pub filter: String,
    pub format: LogFormat,
}

impl Log {
    pub(super) fn take(source: &mut Source) -> Self {
        Self {
            filter: source.value("log.filter", "info,dicom_parser=error,dicom_object=error".to_owned()),
            format: source.value("log.format", LogFormat::Text),
        }
    }
}
