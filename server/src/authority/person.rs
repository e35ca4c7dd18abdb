//! Who is asking.

use chrono::NaiveDateTime;
use dokuei_models::{Actor, SessionId, UserId};
use dokuei_terms::Language;

use super::{Reach, Right, Role, Scope};

/// One grant that is in force now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grant {
    /// The role given.
    pub role: Role,
    /// How far it reaches.
    pub scope: Scope,
}

/// How the person came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Through {
    /// A session in the browser, with the token its forms must carry.
    Session {
        /// The session's row.
        id: SessionId,
        /// The CSRF token bound to it.
        csrf: String,
    },
    /// An API token. No cookie, so no CSRF.
    Token {
        /// The token's row.
        id: i64,
    },
}

/// A signed-in person with the grants in force.
#[derive(Debug, Clone)]
pub struct Person {
    /// The user's row.
    pub id: UserId,
    /// The login name: what audit rows hold.
    pub login: String,
    /// The name in Japanese.
    pub name_ja: String,
    /// The name in English.
    pub name_en: String,
    /// The language chosen.
    pub language: Language,
    /// The theme chosen: `light`, `dark` or `auto`.
    pub theme: String,
    /// Grants in force.
    pub grants: Vec<Grant>,
    /// How the person came in.
    pub through: Through,
    /// The address the request came from.
    pub address: String,
}

impl Person {
    /// Whether a grant of `role` is in force.
    pub fn has_role(&self, role: Role) -> bool {
        self.grants.iter().any(|grant| grant.role == role)
    }

    /// Whether a role that confers `R` is in force.
    pub fn has<R: Right>(&self) -> bool {
        self.grants.iter().any(|grant| R::ROLES.contains(&grant.role))
    }

    /// Whether a role of `roles` is in force.
    pub fn has_one_of(&self, roles: &[Role]) -> bool {
        self.grants.iter().any(|grant| roles.contains(&grant.role))
    }

    /// How far the grants that confer `R` reach.
    pub fn reach<R: Right>(&self) -> Reach {
        let mut reach = Reach::default();
        for grant in self.grants.iter().filter(|grant| R::ROLES.contains(&grant.role)) {
            reach.add(grant.scope);
        }
        reach
    }

    /// The name in `language`.
    pub fn name(&self, language: Language) -> &str {
        match language {
            Language::En if !self.name_en.is_empty() => &self.name_en,
            _ => &self.name_ja,
        }
    }

    /// The doer of events and audit rows.
    pub fn actor(&self, at: NaiveDateTime) -> Actor {
        Actor::person(self.id, &self.login, &self.address, at)
    }

    /// The session, where the person came in through one.
    pub fn session(&self) -> Option<SessionId> {
        match self.through {
            Through::Session { id, .. } => Some(id),
            Through::Token { .. } => None,
        }
    }

    /// The CSRF token of the session; empty for an API token.
    pub fn csrf(&self) -> &str {
        match &self.through {
            Through::Session { csrf, .. } => csrf,
            Through::Token { .. } => "",
        }
    }
}
