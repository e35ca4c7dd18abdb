//! `/styleguide`: every component on one page, for whoever builds or reviews pages.
//!
//! Its data is invented and it has no other; its words are examples and mostly Japanese.

use askama::Template;
use chrono::{NaiveDateTime, TimeDelta};
use dokuei_terms::Priority;

use super::{Answer, Page, Routes};
use crate::authority::Allowed;
use crate::authority::rights::Administer;
use crate::error::{Error, codes};
use crate::ui::Html;
use crate::ui::badge::{self, Tone};
use crate::ui::chart::{self, Bar};

/// Registers the page and its two fragments.
pub fn routes(routes: &mut Routes) {
    routes.get("/styleguide", show);
    routes.get("/styleguide/drawer", drawer);
    routes.post("/styleguide/refusal", refusal);
}

struct Figure {
    word: &'static str,
    value: &'static str,
    unit: &'static str,
    alarm: bool,
    line: Html,
}

#[derive(Clone)]
struct Row {
    priority: Priority,
    due_at: NaiveDateTime,
    study: &'static str,
    site: &'static str,
    patient: &'static str,
    question: &'static str,
    priors: u32,
    flag: Html,
}

#[derive(Template)]
#[template(path = "styleguide/page.html")]
struct Styleguide<'a> {
    page: &'a Page,
    urgent: Priority,
    late: NaiveDateTime,
    soon: NaiveDateTime,
    ahead: NaiveDateTime,
    priorities: Vec<Html>,
    priority_words: Vec<&'static str>,
    badges: Vec<Html>,
    figures: Vec<Figure>,
    rows: Vec<Row>,
    lanes: Vec<(&'static str, Vec<Row>)>,
    gauge: Html,
    progress: Html,
    bars: Html,
    stacked: Html,
    stacked_over: Html,
    columns: Html,
}

#[derive(Template)]
#[template(path = "styleguide/drawer.html")]
struct Drawer<'a> {
    page: &'a Page,
    urgent: Priority,
    soon: NaiveDateTime,
}

fn rows(now: NaiveDateTime) -> Vec<Row> {
    let row = |priority, minutes, study, site, patient, question, priors, flag| Row {
        priority,
        due_at: now + TimeDelta::minutes(minutes),
        study,
        site,
        patient,
        question,
        priors,
        flag,
    };
    let none = Html::default;
    vec![
        row(
            Priority::Stat,
            -4,
            "頭部 CT",
            "星空記念病院",
            "74歳 女",
            "突然の左片麻痺、出血の有無",
            1,
            badge::tone(Tone::Active, "受信中"),
        ),
        row(
            Priority::Urgent,
            18,
            "胸部 CT",
            "星空記念病院",
            "68歳 男",
            "労作時呼吸困難、肺塞栓の疑い",
            2,
            badge::tone(Tone::Plain, "AI支援"),
        ),
        row(
            Priority::Priority,
            95,
            "膝 MR",
            "みなと整形外科",
            "31歳 男",
            "前十字靱帯損傷の疑い、半月板の評価もお願いします",
            0,
            none(),
        ),
        row(
            Priority::Routine,
            410,
            "胸部 CR",
            "青葉クリニック",
            "52歳 女",
            "健診で結節影を指摘、経過観察",
            4,
            badge::tone(Tone::Warning, "質問中"),
        ),
        row(Priority::Routine, 1700, "腹部 CT", "青葉クリニック", "60歳 男", "大腸癌術後、再発の有無", 6, none()),
    ]
}

async fn show(_who: Allowed<Administer>, page: Page) -> Answer {
    let page = page.clone().titled(&page.t("nav-styleguide"));
    let now = page.now;
    let rows = rows(now);
    let line = |values: &[f64]| chart::sparkline(values, "24h");
    let bar = |label: &str, value: f64| Bar { label: label.to_owned(), value, shown: format!("{value:.0}") };
    let hours: Vec<f64> = (0..24).map(|hour| 2.0 + 9.0 * (f64::from(hour - 8) / 4.0).sin().max(0.0)).collect();
    let labels: Vec<String> =
        (0..24).map(|hour| if hour % 4 == 0 { format!("{hour}時") } else { String::new() }).collect();
    page.show(&Styleguide {
        urgent: Priority::Urgent,
        late: now - TimeDelta::minutes(12),
        soon: now + TimeDelta::minutes(18),
        ahead: now + TimeDelta::minutes(200),
        priorities: Priority::ALL.iter().map(|priority| page.priority(*priority)).collect(),
        priority_words: Priority::ALL.iter().rev().map(|priority| priority.label(page.language)).collect(),
        badges: [
            (Tone::Plain, "下書き"),
            (Tone::Active, "読影中"),
            (Tone::Good, "返却済み"),
            (Tone::Warning, "保留"),
            (Tone::Bad, "返却できません"),
        ]
        .into_iter()
        .map(|(tone, word)| badge::tone(tone, word))
        .collect(),
        figures: vec![
            Figure {
                word: "待っている症例",
                value: "37",
                unit: "件",
                alarm: false,
                line: line(&[12., 18., 22., 40., 52., 44., 37.]),
            },
            Figure {
                word: "期限切れ・間近",
                value: "3",
                unit: "件",
                alarm: true,
                line: line(&[0., 0., 1., 1., 2., 2., 3.]),
            },
            Figure {
                word: "最長の待ち",
                value: "1:24",
                unit: "",
                alarm: false,
                line: line(&[30., 44., 51., 80., 60., 72., 84.]),
            },
            Figure {
                word: "勤務中の読影医",
                value: "6",
                unit: "名",
                alarm: false,
                line: line(&[2., 2., 5., 8., 8., 7., 6.]),
            },
            Figure {
                word: "最良との差",
                value: "1.8",
                unit: "%",
                alarm: false,
                line: line(&[4., 3., 2.5, 2.2, 2., 1.9, 1.8]),
            },
        ],
        lanes: vec![
            ("受信中", rows[..1].to_vec()),
            ("未配信", rows[2..3].to_vec()),
            ("配信済み", rows[3..].to_vec()),
            ("読影中", rows[1..2].to_vec()),
            ("報告済み", Vec::new()),
        ],
        gauge: chart::gauge(0.86, 0.8, "86 %", "80 %"),
        progress: chart::progress(248, 312, "248 / 312"),
        bars: chart::bars(&[bar("CT", 214.0), bar("MR", 126.0), bar("CR", 96.0), bar("US", 21.0)], "modality"),
        stacked: chart::stacked(&[120.0, 80.0, 30.0], 300.0, "minutes"),
        stacked_over: chart::stacked(&[180.0, 130.0, 40.0], 300.0, "minutes"),
        columns: chart::columns(&hours, &labels, "arrivals"),
        rows,
        page: &page,
    })
}

async fn drawer(_who: Allowed<Administer>, page: Page) -> Answer {
    page.show(&Drawer { page: &page, urgent: Priority::Urgent, soon: page.now + TimeDelta::minutes(18) })
}

/// Always refuses, so that one can look at a refusal.
async fn refusal(_who: Allowed<Administer>) -> Answer {
    Err(Error::new(&codes::common::FORM_INVALID).field("reason", &codes::common::FIELD_REASON_REQUIRED))
}
