//! What an empty house still needs until the first image reaches a reader and a bill, told from the rows themselves.

use dokuei_models::Connection;
use dokuei_models::store::{readers, shifts, sites, tariffs};

use super::due::day_in_japan;
use crate::error::Result;
use crate::state::State;

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its name; the words are `setup-NAME` and `setup-NAME-text`.
    pub name: &'static str,
    /// The page where it is done.
    pub href: String,
    /// Whether it is done.
    pub done: bool,
}

/// The steps in the order in which they are done.
///
/// # Errors
/// What the database says.
pub async fn steps(state: &State) -> Result<Vec<Step>> {
    let today = day_in_japan(state.now());
    let load = move |conn: &mut Connection| {
        let places: Vec<_> = sites::site_list(conn)?.into_iter().filter(|site| site.active && site.refers).collect();
        let is_place = |id| places.iter().any(|site| site.id == id);
        let peers = sites::endpoint_list(conn, None)?;
        let sends = peers.iter().any(|peer| peer.active && peer.sends && is_place(peer.site_id));
        let mut priced = false;
        for tariff in tariffs::tariff_list(conn)? {
            priced |= !tariffs::tariff_line_list(conn, tariff.id)?.is_empty();
        }
        let mut agreed = false;
        for place in &places {
            agreed |= sites::contract_on(conn, place.id, today)?.is_some();
        }
        let people = readers::reader_list(conn, None)?;
        let reads = |id| people.iter().any(|(reader, ..)| reader.id == id);
        let may = readers::privilege_list(conn, today)?.iter().any(|(who, site)| reads(*who) && is_place(*site));
        let week = shifts::shift_pattern_list(conn, None)?.iter().any(|pattern| reads(pattern.reader_id));
        let skilled = readers::skill_list(conn, None)?.iter().any(|cell| reads(cell.reader) && cell.declared > 0);
        // With one of them the page itself is opened, else the list to choose from.
        let place = places.first().map(|site| site.id);
        let of_place =
            |path: &str| place.map_or_else(|| "/admin/sites".to_owned(), |id| path.replace('#', &id.to_string()));
        let reader = people.first().map(|(reader, ..)| reader.id);
        let of_reader =
            |path: &str| reader.map_or_else(|| "/admin/readers".to_owned(), |id| path.replace('#', &id.to_string()));
        let step = |name, href: String, done| Step { name, href, done };
        Ok(vec![
            step("site", "/admin/sites".to_owned(), !places.is_empty()),
            step(
                "endpoint",
                if sends { of_place("/admin/sites/#") } else { of_place("/admin/endpoints/new?site=#") },
                sends,
            ),
            step("tariff", "/admin/tariffs".to_owned(), priced),
            step("contract", of_place("/admin/sites/#"), agreed),
            step("reader", "/admin/readers".to_owned(), !people.is_empty()),
            step("privilege", of_reader("/admin/readers/#"), may),
            step("shift", of_reader("/admin/readers/#"), week),
            step("skill", of_reader("/skills?reader=#"), skilled),
        ])
    };
    Ok(state.db.read(load).await?)
}
