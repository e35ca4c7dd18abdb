//! `/`: shows an administrator what an empty house still needs; leads everybody else to the page that the first of
//! their roles works on.

use askama::Template;

use super::{Answer, Page, Routes, navigation, page};
use crate::app::setup::{self, Step};
use crate::authority::{Role, SignedIn};
use crate::state::State;

/// Registers `/`.
pub fn routes(routes: &mut Routes) {
    routes.get("/", home);
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    page: &'a Page,
}

#[derive(Template)]
#[template(path = "admin/setup.html")]
struct Setup<'a> {
    page: &'a Page,
    steps: &'a [Step],
    ours: &'a str,
}

impl Setup<'_> {
    fn title(&self, step: &Step) -> String {
        self.page.t(&format!("setup-{}", step.name))
    }

    fn text(&self, step: &Step) -> String {
        self.page.tv(&format!("setup-{}-text", step.name), self.ours)
    }

    /// The first step that is not done.
    fn is_next(&self, step: &Step) -> bool {
        self.steps.iter().find(|one| !one.done).is_some_and(|next| next == step)
    }

    fn done(&self) -> usize {
        self.steps.iter().filter(|step| step.done).count()
    }
}

async fn home(who: SignedIn, state: State, page: Page) -> Answer {
    if who.has_role(Role::Administrator) {
        let steps = setup::steps(&state).await?;
        if steps.iter().any(|step| !step.done) {
            let page = page.clone().titled(&page.t("setup-title"));
            return page.show(&Setup { page: &page, steps: &steps, ours: &state.config.dicom.ae_title });
        }
    }
    match navigation::entries_of(&who).first() {
        Some(entry) => Ok(page::see_other(false, entry.href)),
        None => {
            let page = page.titled("Dokuei");
            page.show(&Home { page: &page })
        }
    }
}
