//! The entries of the navigation, in the order they stand. A new page: a line here.

use crate::authority::{Person, Role};

/// One entry.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry {
    /// Where it leads.
    pub href: &'static str,
    /// Its word's key.
    pub word: &'static str,
    /// Its icon in `assets/icons.svg`.
    pub icon: &'static str,
    /// The roles that see it.
    pub roles: &'static [Role],
}

/// Every entry.
pub const ENTRIES: &[Entry] = &[
    Entry { href: "/worklist", word: "nav-worklist", icon: "list", roles: &[Role::Reader] },
    Entry {
        href: "/portal",
        word: "nav-portal",
        icon: "hospital",
        roles: &[Role::SiteClerk, Role::SiteTechnologist, Role::SiteDoctor],
    },
    Entry { href: "/dispatch", word: "nav-dispatch", icon: "board", roles: &[Role::Dispatcher, Role::ReadingDirector] },
    Entry {
        href: "/arrivals",
        word: "nav-arrivals",
        icon: "images",
        roles: &[Role::Dispatcher, Role::ReadingDirector],
    },
    Entry {
        href: "/portal/arrivals",
        word: "nav-arrivals",
        icon: "images",
        roles: &[Role::SiteClerk, Role::SiteTechnologist, Role::SiteDoctor],
    },
    Entry { href: "/billing", word: "nav-billing", icon: "bill", roles: &[Role::Billing] },
    Entry { href: "/admin/sites", word: "nav-admin-sites", icon: "hospital", roles: &[Role::Administrator] },
    Entry { href: "/admin/peers", word: "nav-admin-peers", icon: "plug", roles: &[Role::Administrator] },
    Entry { href: "/admin/tariffs", word: "nav-admin-tariffs", icon: "bill", roles: &[Role::Administrator] },
    Entry { href: "/admin/readers", word: "nav-admin-readers", icon: "user", roles: &[Role::Administrator] },
    Entry { href: "/skills", word: "nav-skills", icon: "chart", roles: &[Role::Administrator] },
    Entry { href: "/admin/users", word: "nav-admin-users", icon: "users", roles: &[Role::Administrator] },
    Entry { href: "/arrivals", word: "nav-arrivals", icon: "images", roles: &[Role::Administrator] },
    Entry { href: "/audit", word: "nav-audit", icon: "shield", roles: &[Role::SecurityOfficer] },
    Entry { href: "/styleguide", word: "nav-styleguide", icon: "palette", roles: &[Role::Administrator] },
];

/// The entries that the person's roles open.
pub fn entries_of(person: &Person) -> Vec<&'static Entry> {
    ENTRIES.iter().filter(|entry| person.has_one_of(entry.roles)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_entry_leads_to_a_page_that_its_roles_may_open() {
        let table = crate::http::all_routes().table();
        for entry in ENTRIES {
            let line = table
                .iter()
                .find(|line| line.path == entry.href && line.method == actix_web::http::Method::GET)
                .unwrap_or_else(|| panic!("{} is no page", entry.href));
            for role in entry.roles {
                assert!(
                    line.roles.is_none_or(|roles| roles.contains(role)),
                    "{role:?} sees {} and may not open it",
                    entry.href
                );
            }
        }
    }
}
