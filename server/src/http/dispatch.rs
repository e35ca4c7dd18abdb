//! `/dispatch`: the board, the search, and what found no partner.
//!
//! The board renews itself by morphing (`/dispatch/board`), so that nothing
//! jumps. What is searched for comes in a body, never in an address.

mod board;
mod conflicts;
mod lanes;
mod quarantine;
mod search;
mod settling;
mod unpaired;

use askama::Template;

use super::{Answer, Page, Routes, live};
use crate::app::board as app;
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::state::State;
use crate::wake::Topic;

/// Registers the board and what is on it.
pub fn routes(routes: &mut Routes) {
    routes.get("/dispatch", show);
    routes.get("/dispatch/board", renew);
    routes.get("/dispatch/events", events);
    search::routes(routes);
    unpaired::routes(routes);
    conflicts::routes(routes);
    quarantine::routes(routes);
    settling::routes(routes);
}

#[derive(Template)]
#[template(path = "dispatch/page.html")]
struct BoardPage<'a> {
    page: &'a Page,
    view: board::View,
}

#[derive(Template)]
#[template(path = "dispatch/board.html")]
struct BoardFragment<'a> {
    page: &'a Page,
    view: board::View,
}

async fn show(who: Allowed<Dispatch>, state: State, page: Page) -> Answer {
    let board = app::board(&state, who.reach()).await?;
    app::opened(&state, who.person()).await?;
    let page = page.clone().titled(&page.t("nav-dispatch"));
    page.show(&BoardPage { view: board::view(&page, &board), page: &page })
}

async fn renew(who: Allowed<Dispatch>, state: State, page: Page) -> Answer {
    let board = app::board(&state, who.reach()).await?;
    page.show(&BoardFragment { view: board::view(&page, &board), page: &page })
}

async fn events(who: Allowed<Dispatch>, state: State) -> Answer {
    let pools = app::pools_within(&state, who.reach()).await?;
    let mut topics: Vec<Topic> = pools.into_iter().map(|pool| Topic::Board(pool.0)).collect();
    topics.push(Topic::Deliveries);
    Ok(live::events(&state, who.person(), topics))
}
