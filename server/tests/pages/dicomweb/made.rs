//! Objects made by hand, byte by byte, and a client that sends and gets bytes.

use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::{test, web};
use dokuei_models::SiteId;
use dokuei_models::store::audit::AuditQuery;
use dokuei_server::app::accounts;
use dokuei_server::authority::{Role, Scope};
use dokuei_server::clock::Clock as _;
use dokuei_server::http;

use crate::accounts::add_site;
use crate::app::TestApp;

pub const EXPLICIT: &str = "1.2.840.10008.1.2.1";
pub const JPEG: &str = "1.2.840.10008.1.2.4.50";
pub const CT: &str = "1.2.840.10008.5.1.4.1.1.2";

/// Pixels of an object.
#[derive(Clone)]
pub enum Pixels {
    None,
    /// 2 x 2 frames of 16 bits, one after the other.
    Native(Vec<[u16; 4]>),
    /// Fragments of each frame, and whether a basic offset table says where they begin.
    Encapsulated(Vec<Vec<Vec<u8>>>, bool),
}

/// An object.
#[derive(Clone)]
pub struct Made {
    pub study: String,
    pub series: String,
    pub instance: String,
    pub modality: &'static str,
    pub pixels: Pixels,
}

impl Made {
    pub fn new(study: &str, n: u32) -> Self {
        Self {
            study: study.to_owned(),
            series: format!("{study}.1"),
            instance: format!("{study}.1.{n}"),
            modality: "CT",
            pixels: Pixels::Native(vec![[1, 2, 3, 4]]),
        }
    }

    pub fn syntax(&self) -> &'static str {
        if matches!(self.pixels, Pixels::Encapsulated(..)) { JPEG } else { EXPLICIT }
    }

    /// The data set's bytes.
    pub fn dataset(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let number = self.instance.rsplit('.').next().unwrap().to_owned();
        // ISO 2022 IR 87: 松本^花子, whose 本 holds the byte 0x5C.
        let name = b"MATSUMOTO^HANAKO=\x1b$B>>K\\\x1b(B^\x1b$B2V;R\x1b(B=\x1b$B$^$D$b$H\x1b(B^\x1b$B$O$J$3\x1b(B";
        let hospital = b"\x1b$BF|K\\IB1!\x1b(B";
        element(&mut out, 0x0008, 0x0005, "CS", b"\\ISO 2022 IR 87");
        element(&mut out, 0x0008, 0x0016, "UI", CT.as_bytes());
        element(&mut out, 0x0008, 0x0018, "UI", self.instance.as_bytes());
        element(&mut out, 0x0008, 0x0020, "DA", b"20260401");
        element(&mut out, 0x0008, 0x0021, "DA", b"20260402");
        element(&mut out, 0x0008, 0x0030, "TM", b"093000");
        element(&mut out, 0x0008, 0x0050, "SH", b"ACC1");
        element(&mut out, 0x0008, 0x0060, "CS", self.modality.as_bytes());
        element(&mut out, 0x0008, 0x0080, "LO", hospital);
        element(&mut out, 0x0008, 0x0090, "PN", b"IRAI^ISHI");
        element(&mut out, 0x0008, 0x1030, "LO", b"Chest CT");
        element(&mut out, 0x0009, 0x0010, "LO", b"MAKER 1");
        element(&mut out, 0x0009, 0x1001, "UN", &[1, 2, 3, 4]);
        element(&mut out, 0x0009, 0x1002, "OB", &vec![7; 5000]);
        element(&mut out, 0x0010, 0x0010, "PN", name);
        element(&mut out, 0x0010, 0x0020, "LO", b"0012");
        element(&mut out, 0x0010, 0x0030, "DA", b"19600401");
        element(&mut out, 0x0010, 0x0040, "CS", b"F");
        element(&mut out, 0x0018, 0x0050, "DS", b"1.5");
        element(&mut out, 0x0020, 0x000D, "UI", self.study.as_bytes());
        element(&mut out, 0x0020, 0x000E, "UI", self.series.as_bytes());
        element(&mut out, 0x0020, 0x0011, "IS", b"2");
        element(&mut out, 0x0020, 0x0013, "IS", number.as_bytes());
        let frames = match &self.pixels {
            Pixels::None => return out,
            Pixels::Native(frames) => frames.len(),
            Pixels::Encapsulated(frames, _) => frames.len(),
        };
        element(&mut out, 0x0028, 0x0002, "US", &1u16.to_le_bytes());
        element(&mut out, 0x0028, 0x0004, "CS", b"MONOCHROME2");
        element(&mut out, 0x0028, 0x0008, "IS", frames.to_string().as_bytes());
        for (tag, value) in [(0x0010, 2u16), (0x0011, 2), (0x0100, 16), (0x0101, 16), (0x0102, 15), (0x0103, 0)] {
            element(&mut out, 0x0028, tag, "US", &value.to_le_bytes());
        }
        match &self.pixels {
            Pixels::None => {}
            Pixels::Native(frames) => {
                let words: Vec<u8> = frames.iter().flatten().flat_map(|word| word.to_le_bytes()).collect();
                element(&mut out, 0x7FE0, 0x0010, "OW", &words);
            }
            Pixels::Encapsulated(frames, table) => {
                out.extend_from_slice(&[0xE0, 0x7F, 0x10, 0x00, b'O', b'B', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
                let (mut offsets, mut at) = (Vec::new(), 0u32);
                for frame in frames {
                    offsets.extend_from_slice(&at.to_le_bytes());
                    at += frame.iter().map(|fragment| fragment.len() as u32 + 8).sum::<u32>();
                }
                item(&mut out, if *table { &offsets } else { &[] });
                frames.iter().flatten().for_each(|fragment| item(&mut out, fragment));
                out.extend_from_slice(&[0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]);
            }
        }
        out
    }

    /// A file as a modality writes it, with a preamble.
    pub fn part10(&self) -> Vec<u8> {
        let mut file = dokuei_dicom_gateway::part10::file_meta(CT, &self.instance, self.syntax());
        file.extend_from_slice(&self.dataset());
        file
    }
}

fn item(out: &mut Vec<u8>, value: &[u8]) {
    out.extend_from_slice(&[0xFE, 0xFF, 0x00, 0xE0]);
    out.extend_from_slice(&(value.len() as u32).to_le_bytes());
    out.extend_from_slice(value);
}

fn element(out: &mut Vec<u8>, group: u16, element: u16, vr: &str, value: &[u8]) {
    let odd = value.len() % 2;
    out.extend_from_slice(&group.to_le_bytes());
    out.extend_from_slice(&element.to_le_bytes());
    out.extend_from_slice(vr.as_bytes());
    let length = value.len() + odd;
    if ["OB", "OW", "UN"].contains(&vr) {
        out.extend_from_slice(&[0, 0]);
        out.extend_from_slice(&(length as u32).to_le_bytes());
    } else {
        out.extend_from_slice(&(length as u16).to_le_bytes());
    }
    out.extend_from_slice(value);
    if odd == 1 {
        out.push(if ["UI", "OB", "UN"].contains(&vr) { 0 } else { b' ' });
    }
}

/// A program with a token.
pub struct Program<'a> {
    app: &'a TestApp,
    token: String,
}

/// What came back.
#[derive(Debug)]
pub struct Got {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub bytes: web::Bytes,
}

impl Got {
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The parts of a multipart body: heads and bytes.
    pub fn parts(&self) -> Vec<(String, Vec<u8>)> {
        let kind = self.header("content-type");
        let boundary = kind.split("boundary=").nth(1).unwrap_or_else(|| panic!("{kind}"));
        let mark = format!("--{boundary}");
        let place = |from: usize, what: &[u8]| {
            self.bytes[from..].windows(what.len()).position(|window| window == what).map(|at| from + at)
        };
        let (mut parts, mut at) = (Vec::new(), 0);
        assert!(self.bytes.starts_with(mark.as_bytes()));
        while let Some(start) = place(at, mark.as_bytes()) {
            let head = start + mark.len();
            if self.bytes[head..].starts_with(b"--") {
                return parts;
            }
            let body = place(head, b"\r\n\r\n").unwrap() + 4;
            let end = place(body, format!("\r\n{mark}").as_bytes()).unwrap();
            parts.push((String::from_utf8(self.bytes[head..body].to_vec()).unwrap(), self.bytes[body..end].to_vec()));
            at = end;
        }
        panic!("the body has no end");
    }
}

impl<'a> Program<'a> {
    pub async fn with(app: &'a TestApp, login: &str, grants: &[(Role, Scope)]) -> Self {
        let user = app.add_user(login, grants).await;
        Self::of(app, user).await
    }

    pub async fn of(app: &'a TestApp, user: dokuei_models::UserId) -> Self {
        let by = dokuei_models::Actor::system("test", app.clock.stamp());
        Self { app, token: accounts::create_token(&app.state, user, "viewer", None, by).await.unwrap() }
    }

    pub async fn get(&self, path: &str, accept: &str) -> Got {
        self.send(Method::GET, path, &[("accept", accept)], Vec::new()).await
    }

    pub async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> Got {
        let service = test::init_service(http::application(self.app.state.clone())).await;
        let mut request = test::TestRequest::with_uri(path)
            .method(method)
            .peer_addr(std::net::SocketAddr::from(([192, 0, 2, 7], 40_000)))
            .insert_header(("authorization", format!("Bearer {}", self.token)));
        for (name, value) in headers {
            request = request.insert_header((*name, *value));
        }
        if !body.is_empty() {
            request = request.set_payload(body);
        }
        let response = test::try_call_service(&service, request.to_request()).await.unwrap();
        let (status, headers) = (response.status(), response.headers().clone());
        Got { status, headers, bytes: test::read_body(response).await }
    }

    /// STOW-RS of these bodies to a path.
    pub async fn store(&self, path: &str, objects: &[Vec<u8>]) -> Got {
        let mut body = Vec::new();
        for object in objects {
            body.extend_from_slice(b"--mark\r\nContent-Type: application/dicom\r\n\r\n");
            body.extend_from_slice(object);
            body.extend_from_slice(b"\r\n");
        }
        body.extend_from_slice(b"--mark--\r\n");
        let kind = "multipart/related; type=\"application/dicom\"; boundary=mark";
        self.send(Method::POST, path, &[("content-type", kind), ("accept", "application/dicom+json")], body).await
    }
}

/// A house with a site `site_a`, and its technologist's program.
pub async fn site<'a>(app: &'a TestApp) -> (SiteId, Program<'a>) {
    let site = add_site(app, "site_a").await;
    (site, Program::with(app, "gishi", &[(Role::SiteTechnologist, Scope::Site(site))]).await)
}

pub const ROOT: &str = "/dicomweb/sites/site_a";

/// Details of the audit trail's rows of an action, the newest first.
pub async fn audit(app: &TestApp, action: &str) -> Vec<String> {
    let query = AuditQuery { action: Some(action.to_owned()), limit: 100, ..AuditQuery::default() };
    let rows = app.state.db.read(move |conn| dokuei_models::store::audit::audit_search(conn, &query)).await.unwrap();
    rows.into_iter().filter(|row| row.action == action).map(|row| row.detail).collect()
}
