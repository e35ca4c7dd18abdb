//! `/`: leads each person to the page that the first of their roles works on.

use askama::Template;

use super::{Answer, Page, Routes, navigation, page};
use crate::authority::SignedIn;

/// Registers `/`.
pub fn routes(routes: &mut Routes) {
    routes.get("/", home);
}

#[derive(Template)]
#[template(path = "home.html")]
struct Home<'a> {
    page: &'a Page,
}

async fn home(who: SignedIn, page: Page) -> Answer {
    match navigation::entries_of(&who).first() {
        Some(entry) => Ok(page::see_other(false, entry.href)),
        None => {
            let page = page.titled("Dokuei");
            page.show(&Home { page: &page })
        }
    }
}
