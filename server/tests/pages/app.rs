//! `TestApp`: a house of its own in a folder of its own, and clients that are signed in.

use std::sync::Arc;

use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::{test, web};
use chrono::{TimeZone as _, Utc};
use dokuei_models::objects::Objects;
use dokuei_models::{Actor, Db, UserId};
use dokuei_server::app::accounts::{self, NewAccount};
use dokuei_server::app::passwords::Passwords;
use dokuei_server::authority::{Role, Scope};
use dokuei_server::boot;
use dokuei_server::clock::{Clock as _, StoppedClock, SystemChance};
use dokuei_server::config::{Config, Source};
use dokuei_server::http;
use dokuei_server::state::{Parts, State};
use dokuei_server::wake::Wake;
use tokio::sync::watch;

pub const PASSWORD: &str = "test-password-1";

/// The application with its state; everything is gone when it is dropped.
pub struct TestApp {
    pub state: State,
    pub clock: Arc<StoppedClock>,
    pub stop: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

/// Somebody who calls: signed in or not.
#[derive(Clone)]
pub struct Client<'a> {
    app: &'a TestApp,
    pub user: Option<UserId>,
    pub cookie: Option<String>,
    pub csrf: String,
    pub bearer: Option<String>,
    pub address: std::net::SocketAddr,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl TestApp {
    /// An empty house at noon of 1 April 2026, Japan.
    pub async fn init() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let env = [
            ("DOKUEI_PATHS_DATA", folder.path().to_str().unwrap()),
            ("DOKUEI_SECURITY_ARGON2_MEMORY_KIB", "8192"),
            ("DOKUEI_SECURITY_ARGON2_PASSES", "1"),
        ];
        let source = Source::new("", env.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned()))).unwrap();
        let config = Config::read(source).unwrap();
        let (stop, stopped) = watch::channel(false);
        let clock = Arc::new(StoppedClock::at(Utc.with_ymd_and_hms(2026, 4, 1, 3, 0, 0).unwrap()));
        let state = State::new(Parts {
            db: Db::open(&config.database.url.expose().parse().unwrap()).unwrap(),
            objects: Objects::open(&config.objects.url.parse().unwrap()).unwrap(),
            wake: Wake::in_process(),
            dicom_tls: None,
            clock: clock.clone(),
            chance: Arc::new(SystemChance),
            passwords: Passwords::new(&config.security).unwrap(),
            metrics: boot::metrics_handle().unwrap(),
            stop: stopped,
            config,
        });
        Self { state, clock, stop, _folder: folder }
    }

    pub async fn add_user(&self, login: &str, grants: &[(Role, Scope)]) -> UserId {
        let account = NewAccount {
            login: login.to_owned(),
            name_ja: format!("試験 {login}"),
            name_kana: String::new(),
            name_en: String::new(),
            email: String::new(),
            language: "ja".to_owned(),
            grants: grants.to_vec(),
        };
        let by = Actor::system("test", self.clock.stamp());
        accounts::create(&self.state, account, PASSWORD.to_owned(), by).await.unwrap()
    }

    /// A person with these grants, signed in through the login page.
    pub async fn with_user(&self, login: &str, grants: &[(Role, Scope)]) -> Client<'_> {
        let user = self.add_user(login, grants).await;
        let mut client = self.sign_in(login, PASSWORD).await;
        client.user = Some(user);
        client
    }

    pub async fn administrator(&self, login: &str) -> Client<'_> {
        self.with_user(login, &[(Role::Administrator, Scope::All)]).await
    }

    /// Nobody yet.
    pub fn anonymous(&self) -> Client<'_> {
        let address = std::net::SocketAddr::from(([192, 0, 2, 7], 40_000));
        Client { app: self, user: None, cookie: None, csrf: String::new(), bearer: None, address }
    }

    pub async fn sign_in(&self, login: &str, password: &str) -> Client<'_> {
        let mut client = self.anonymous();
        let answer = client.form("/login", &[("login", login), ("password", password)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.body);
        let cookie = answer.header("set-cookie").split(';').next().unwrap().to_owned();
        client.cookie = Some(cookie);
        let page = client.get("/account").await;
        client.csrf =
            page.body.split("name=\"csrf-token\" content=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        client
    }
}

impl Client<'_> {
    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[("accept", "text/html")], "").await
    }

    /// A form as a page sends it, with the hidden CSRF field.
    pub async fn form(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut body: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", percent(value))).collect();
        if !self.csrf.is_empty() {
            body.push(format!("csrf={}", self.csrf));
        }
        let headers = [("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")];
        self.send(Method::POST, path, &headers, &body.join("&")).await
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.send_bytes(method, path, headers, body.as_bytes()).await
    }

    /// The same with a body that is no text.
    pub async fn send_bytes(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        let service = test::init_service(http::application(self.app.state.clone())).await;
        let mut request = test::TestRequest::with_uri(path).method(method).peer_addr(self.address);
        for (name, value) in headers {
            request = request.insert_header((*name, *value));
        }
        if let Some(cookie) = &self.cookie {
            request = request.insert_header(("cookie", cookie.as_str()));
        }
        if let Some(token) = &self.bearer {
            request = request.insert_header(("authorization", format!("Bearer {token}")));
        }
        if !body.is_empty() {
            request = request.set_payload(body.to_vec());
        }
        match test::try_call_service(&service, request.to_request()).await {
            Ok(response) => {
                let (status, headers) = (response.status(), response.headers().clone());
                // A live stream has no end to wait for; what it says is tested in `live`.
                let endless =
                    headers.get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
                let body = if endless { web::Bytes::new() } else { test::read_body(response).await };
                let body = String::from_utf8_lossy(&body).into_owned();
                Answer { status, headers, body }
            }
            Err(error) => panic!("no answer: {error}"),
        }
    }
}

pub fn percent(text: &str) -> String {
    text.bytes()
        .map(|b| {
            if b.is_ascii_alphanumeric() || b"-._".contains(&b) {
                char::from(b).to_string()
            } else {
                format!("%{b:02X}")
            }
        })
        .collect()
}
