//! What it would cost to give a read to a reader, before it is decided.

use actix_web::web;
use askama::Template;
use chrono::TimeDelta;
use dokuei_assigner::NameOf;
use dokuei_models::{CaseId, ReadId, ReaderId};
use serde::Deserialize;

use crate::app::board::Names;
use crate::app::overriding::{self, Price};
use crate::authority::Allowed;
use crate::authority::rights::Dispatch;
use crate::http::{Answer, Page, Routes};
use crate::state::State;

pub(super) fn routes(routes: &mut Routes) {
    routes.get("/cases/{case}/reads/{read}/price", price);
}

#[derive(Deserialize)]
struct PriceQuery {
    reader: ReaderId,
}

/// A case that a pin makes late, in words.
struct DelayedLine {
    case: CaseId,
    before: String,
    after: String,
}

struct PriceView {
    case: CaseId,
    read: ReadId,
    reader: ReaderId,
    name: String,
    forbidden: Option<String>,
    not_open: bool,
    skill: String,
    ends: String,
    late: bool,
    instead: Option<String>,
    points: Option<String>,
    terms: Vec<(String, String)>,
    delayed: Vec<DelayedLine>,
}

#[derive(Template)]
#[template(path = "case/price.html")]
struct PriceFragment<'a> {
    page: &'a Page,
    view: PriceView,
}

#[derive(Template)]
#[template(path = "case/price_page.html")]
struct PricePage<'a> {
    page: &'a Page,
    view: PriceView,
}

async fn price(
    who: Allowed<Dispatch>,
    state: State,
    page: Page,
    path: web::Path<(CaseId, ReadId)>,
    query: web::Query<PriceQuery>,
) -> Answer {
    let (case, read) = path.into_inner();
    let price = overriding::price(&state, who.reach(), case, read, query.reader).await?;
    let names = state.db.read(Names::load).await?;
    let minutes = |minutes: f64| {
        #[expect(clippy::cast_possible_truncation, reason = "minutes of days")]
        let whole = minutes.max(0.0) as i64;
        page.duration(TimeDelta::minutes(whole))
    };
    let mut view = PriceView {
        case,
        read,
        reader: query.reader,
        name: names.reader(page.language, query.reader),
        forbidden: None,
        not_open: false,
        skill: String::new(),
        ends: String::new(),
        late: false,
        instead: None,
        points: None,
        terms: Vec::new(),
        delayed: Vec::new(),
    };
    match price {
        Price::Forbidden(blocked) => {
            let name = |which: NameOf| names.of(page.language, which);
            view.forbidden = Some(blocked.words(page.language, &name));
        }
        Price::NotOpen => view.not_open = true,
        Price::Costs { quote, ends_in_minutes, due_in_minutes, delayed } => {
            view.skill = format!("{:.0}", quote.offer.skill);
            view.ends = ends_in_minutes.map(minutes).unwrap_or_default();
            view.late = ends_in_minutes.is_some_and(|end| end > due_in_minutes);
            view.instead = quote.instead_of.map(|offer| names.of(page.language, NameOf::Reader(offer.reader)));
            view.points = quote.more_points().map(|points| format!("{points:+.1}"));
            if let Some(instead) = quote.instead_of {
                let more = quote.offer.terms.minus(&instead.terms);
                view.terms = more
                    .named()
                    .into_iter()
                    .filter(|(_, points)| points.abs() >= 0.05)
                    .map(|(term, points)| (page.code("dispatch-term", term), format!("{points:+.1}")))
                    .collect();
            }
            view.delayed = delayed
                .into_iter()
                .filter(|one| one.case != case)
                .map(|one| DelayedLine {
                    case: one.case,
                    before: if one.before_minutes > 0.0 { minutes(one.before_minutes) } else { String::new() },
                    after: minutes(one.after_minutes),
                })
                .collect();
        }
    }
    if page.fragment {
        return page.show(&PriceFragment { page: &page, view });
    }
    let page = page.clone().titled(&page.tv("dispatch-case-number", case));
    page.show(&PricePage { page: &page, view })
}
