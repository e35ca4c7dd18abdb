//! How mail leaves. Mails never hold patient data.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `mail.host` | `DOKUEI_MAIL_HOST` | none | SMTP server; without one no mail is sent and deliveries by mail wait |
//! | `mail.port` | `DOKUEI_MAIL_PORT` | `587` | its port |
//! | `mail.tls` | `DOKUEI_MAIL_TLS` | `starttls` | `starttls`, `implicit`, or `none` (loopback only) |
//! | `mail.user` | `DOKUEI_MAIL_USER` | none | account at the server |
//! | `mail.password` | `DOKUEI_MAIL_PASSWORD` | none | its password |
//! | `mail.from` | `DOKUEI_MAIL_FROM` | `dokuei@localhost` | sender |

use super::{Secret, Setting, Source};

/// How the connection to the mail server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailTls {
    StartTls,
    Implicit,
    None,
}

impl Setting for MailTls {
    const SHAPE: &'static str = "starttls, implicit or none";
    fn parse(text: &str) -> Option<Self> {
        match text {
            "starttls" => Some(Self::StartTls),
            "implicit" => Some(Self::Implicit),
            "none" => Some(Self::None),
            _ => None,
        }
    }
}

/// See the module's table.
#[derive(Debug, Clone)]
pub struct Mail {
    pub host: Option<String>,
    pub port: u16,
    pub tls: MailTls,
    pub user: Option<String>,
    pub password: Option<Secret>,
    pub from: String,
}

impl Mail {
    pub(super) fn take(source: &mut Source) -> Self {
        let mail = Self {
            host: source.optional("mail.host"),
            port: source.value("mail.port", 587),
            tls: source.value("mail.tls", MailTls::StartTls),
            user: source.optional("mail.user"),
            password: source.optional("mail.password"),
            from: source.value("mail.from", "dokuei@localhost".to_owned()),
        };
        if !mail.from.contains('@') {
            source.fault("mail.from", format!("{:?} is not a mail address", mail.from));
        }
        let loopback = ["127.0.0.1", "::1", "localhost"];
        if mail.tls == MailTls::None && mail.host.as_deref().is_some_and(|host| !loopback.contains(&host)) {
            source.fault("mail.tls", "none is allowed only to a server on loopback");
        }
        mail
    }
}
