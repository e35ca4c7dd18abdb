//! Forms that several pages share.

use serde::Deserialize;

use crate::app::form::need_reason;
use crate::error::Result;

/// A form that holds a reason and nothing else.
#[derive(Debug, Deserialize)]
pub(super) struct ReasonForm {
    #[serde(default)]
    reason: String,
}

impl ReasonForm {
    /// The reason, which must say something.
    pub(super) fn reason(&self) -> Result<String> {
        need_reason("reason", &self.reason)
    }
}
