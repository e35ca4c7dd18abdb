//! The table of routes.
//!
//! Each file of `http/` registers its own: `pub fn routes(routes: &mut Routes)`.
//! A handler's first parameter is an [`Authority`]; the table takes the right
//! from that type, so it cannot say anything else than what is enforced. The
//! test `tests/matrix` compares the table with the written one.

use actix_web::dev::Handler;
use actix_web::http::Method;
use actix_web::{FromRequest, Responder, Route, web};

use crate::authority::{Authority, Role};

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The method.
    pub method: Method,
    /// The path as the router knows it, with `{names}`.
    pub path: String,
    /// Which authority the handler's type names.
    pub needs: &'static str,
    /// Which roles may come in; `None` where it is not a matter of roles.
    pub roles: Option<&'static [Role]>,
}

/// Routes before they are an application.
#[derive(Default)]
pub struct Routes {
    lines: Vec<(Line, Route)>,
}

/// Parameters of a handler whose first one is an authority.
pub trait Guarded: FromRequest {
    /// The first parameter.
    type Who: Authority;
}

macro_rules! guarded {
    ($($parameter:ident)*) => {
        impl<Who: Authority + 'static, $($parameter: FromRequest + 'static),*> Guarded for (Who, $($parameter,)*) {
            type Who = Who;
        }
    };
}
guarded!();
guarded!(A);
guarded!(A B);
guarded!(A B C);
guarded!(A B C D);
guarded!(A B C D E);
guarded!(A B C D E F);
guarded!(A B C D E F G);

macro_rules! method {
    ($(#[$doc:meta])* $name:ident, $method:ident) => {
        $(#[$doc])*
        pub fn $name<F, Args>(&mut self, path: &str, handler: F)
        where
            F: Handler<Args>,
            Args: Guarded + 'static,
            F::Output: Responder + 'static,
        {
            self.add(Method::$method, path, handler);
        }
    };
}

impl Routes {
    method!(
        /// Registers `GET path` (and `HEAD`, which the router answers from it).
        get, GET);
    method!(
        /// Registers `POST path`.
        post, POST);
    method!(
        /// Registers `PUT path`.
        put, PUT);
    method!(
        /// Registers `PATCH path`.
        patch, PATCH);
    method!(
        /// Registers `DELETE path`.
        delete, DELETE);

    fn add<F, Args>(&mut self, method: Method, path: &str, handler: F)
    where
        F: Handler<Args>,
        Args: Guarded + 'static,
        F::Output: Responder + 'static,
    {
        let line = Line {
            method: method.clone(),
            path: path.to_owned(),
            needs: <Args::Who as Authority>::NEEDS,
            roles: <Args::Who as Authority>::ROLES,
        };
        let route = if method == Method::GET {
            web::route().guard(actix_web::guard::Any(actix_web::guard::Get()).or(actix_web::guard::Head()))
        } else {
            web::route().method(method)
        };
        self.lines.push((line, route.to(handler)));
    }

    /// The table, in the order of registration.
    pub fn table(&self) -> Vec<Line> {
        self.lines.iter().map(|(line, _)| line.clone()).collect()
    }

    /// Gives the routes to an application: one resource per path, so that a wrong method is a 405.
    pub fn install(self, app: &mut web::ServiceConfig) {
        let mut resources: Vec<(String, actix_web::Resource)> = Vec::new();
        for (line, route) in self.lines {
            let at = resources.iter().position(|(path, _)| *path == line.path);
            let (path, resource) = match at {
                Some(at) => resources.remove(at),
                None => (line.path.clone(), web::resource(line.path.as_str())),
            };
            let place = at.unwrap_or(resources.len());
            resources.insert(place, (path, resource.route(route)));
        }
        for (_, resource) in resources {
            app.service(resource.default_service(web::to(super::problem::wrong_method)));
        }
    }
}
