//! What a person asked for.

use crate::{Language, vocabulary};

/// The priority of a request, most pressing first (so that `Ord` sorts the most pressing first).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Priority {
    /// 緊急: life-threatening; somebody waits at the telephone.
    Stat,
    /// 至急.
    Urgent,
    /// 優先.
    Priority,
    /// 通常.
    #[default]
    Routine,
}

vocabulary!(Priority, "priority", { Stat => "stat", Urgent => "urgent", Priority => "priority", Routine => "routine" });

impl Priority {
    /// The word on screens.
    pub const fn label(self, language: Language) -> &'static str {
        match (self, language) {
            (Self::Stat, Language::Ja) => "緊急",
            (Self::Stat, Language::En) => "Stat",
            (Self::Urgent, Language::Ja) => "至急",
            (Self::Urgent, Language::En) => "Urgent",
            (Self::Priority, Language::Ja) => "優先",
            (Self::Priority, Language::En) => "Priority",
            (Self::Routine, Language::Ja) => "通常",
            (Self::Routine, Language::En) => "Routine",
        }
    }
}
