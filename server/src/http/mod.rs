//! Pages and API: what comes in is parsed and authorised here, what goes out is rendered here.
//!
//! One file per noun, each with `pub fn routes(routes: &mut Routes)` and a line in
//! [`all_routes`]. Handlers decide nothing (`app` does) and never see the database.

pub mod account;
pub mod admin;
pub mod api;
pub mod arrivals;
pub mod assets;
pub mod audit;
pub mod billing;
mod case_view;
mod case_words;
pub mod cases;
pub mod comparing;
pub mod dicomweb;
pub mod dispatch;
pub mod door;
mod form;
pub mod health;
pub mod home;
pub mod icons;
pub mod images;
pub mod live;
pub mod login;
mod medium;
pub mod navigation;
mod nodes;
pub mod page;
pub mod portal;
pub mod problem;
pub(crate) mod range;
pub mod reading;
pub mod routes;
pub mod signing;
pub mod skills;
pub mod styleguide;
pub mod trouble;
pub mod uploads;
pub mod withdrawing;
pub mod worklist;

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::{Compress, from_fn};
use actix_web::{App, HttpResponse, web};

pub use self::page::Page;
pub use self::routes::Routes;

use crate::error::{Error, codes};
use crate::state::State;

/// What a handler returns.
pub type Answer = crate::error::Result<HttpResponse>;

/// Every route there is.
pub fn all_routes() -> Routes {
    let mut routes = Routes::default();
    for register in [
        assets::routes,
        health::routes,
        login::routes,
        account::routes,
        home::routes,
        worklist::routes,
        reading::routes,
        images::routes,
        signing::routes,
        styleguide::routes,
        portal::routes,
        uploads::routes,
        billing::routes,
        skills::routes,
        admin::routes,
        audit::routes,
        arrivals::routes,
        dispatch::routes,
        cases::routes,
        comparing::routes,
        withdrawing::routes,
        trouble::routes,
        api::routes,
        dicomweb::routes,
        nodes::routes,
    ] {
        register(&mut routes);
    }
    routes
}

/// The application that every serving thread runs.
pub fn application(
    state: State,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let limit = state.config.http.body_limit_bytes;
    let bad = |reason: String| Error::new(&codes::common::BAD_REQUEST).with("reason", reason);
    App::new()
        .app_data(state)
        .app_data(web::PayloadConfig::new(limit))
        .app_data(web::JsonConfig::default().limit(limit).error_handler(move |error, _| match error {
            actix_web::error::JsonPayloadError::Overflow { limit }
            | actix_web::error::JsonPayloadError::OverflowKnownLength { limit, .. } => {
                Error::new(&codes::common::BODY_TOO_LARGE).with("limit", format!("{limit} B")).into()
            }
            actix_web::error::JsonPayloadError::ContentType => {
                Error::new(&codes::common::MEDIA_TYPE_UNSUPPORTED).into()
            }
            // The line and column are told, never what stands there.
            actix_web::error::JsonPayloadError::Deserialize(error) => {
                bad(format!("JSON {}:{}", error.line(), error.column())).into()
            }
            _ => bad("JSON".to_owned()).into(),
        }))
        .app_data(web::FormConfig::default().limit(limit).error_handler(move |error, _| match error {
            actix_web::error::UrlencodedError::Overflow { limit, .. } => {
                Error::new(&codes::common::BODY_TOO_LARGE).with("limit", format!("{limit} B")).into()
            }
            _ => bad("form".to_owned()).into(),
        }))
        .app_data(web::QueryConfig::default().error_handler(move |_, _| bad("query".to_owned()).into()))
        .app_data(web::PathConfig::default().error_handler(|_, _| Error::not_found().into()))
        .configure(|app| all_routes().install(app))
        .default_service(web::to(problem::no_such_page))
        .wrap(from_fn(door::door))
        .wrap(Compress::default())
}
