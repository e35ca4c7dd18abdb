//! Pages and API.
//!
//! | key | variable | default | meaning |
//! |---|---|---|---|
//! | `http.address` | `DOKUEI_HTTP_ADDRESS` | `127.0.0.1:8080` | where to listen; port 0 takes a free one |
//! | `http.tls_certificate` | `DOKUEI_HTTP_TLS_CERTIFICATE` | none | our certificate and those between it and its authority, a PEM file: `http.address` then speaks HTTPS alone |
//! | `http.tls_key` | `DOKUEI_HTTP_TLS_KEY` | none | its private key, a PEM file |
//! | `http.redirect_address` | `DOKUEI_HTTP_REDIRECT_ADDRESS` | none | where to listen without TLS, only to send browsers on to HTTPS |
//! | `http.public_url` | `DOKUEI_HTTP_PUBLIC_URL` | none | the address people type, for links in mails and for the cookie's Secure flag |
//! | `http.workers` | `DOKUEI_HTTP_WORKERS` | `2` | threads that serve |
//! | `http.body_limit_kib` | `DOKUEI_HTTP_BODY_LIMIT_KIB` | `1024` | largest form or JSON body |
//! | `http.upload_limit_mib` | `DOKUEI_HTTP_UPLOAD_LIMIT_MIB` | `4096` | largest upload of images |
//! | `http.trusted_proxies` | `DOKUEI_HTTP_TRUSTED_PROXIES` | none | proxies whose `X-Forwarded-For` is believed |
//! | `http.dicomweb_origins` | `DOKUEI_HTTP_DICOMWEB_ORIGINS` | none | origins of viewers that may call `/dicomweb/` with a token: `https://viewer.example` |
//! | `http.metrics_token` | `DOKUEI_HTTP_METRICS_TOKEN` | none | bearer token for `/metrics` from elsewhere than loopback, 16 characters or more |
//!
//! The TLS files are read again when they change, or at SIGHUP.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use dokuei_dicom_gateway::tls::TlsFiles;

use super::{Secret, Source};

/// See the module's table.
#[derive(Debug, Clone)]
pub struct Http {
    pub address: SocketAddr,
    pub tls_certificate: Option<PathBuf>,
    pub tls_key: Option<PathBuf>,
    pub redirect_address: Option<SocketAddr>,
    pub public_url: Option<String>,
    pub workers: usize,
    pub body_limit_bytes: usize,
    pub upload_limit_bytes: u64,
    pub trusted_proxies: Vec<IpAddr>,
    pub dicomweb_origins: Vec<String>,
    pub metrics_token: Option<Secret>,
}

impl Http {
    pub(super) fn take(source: &mut Source) -> Self {
        let http = Self {
            address: source.value("http.address", SocketAddr::from(([127, 0, 0, 1], 8080))),
            tls_certificate: source.optional("http.tls_certificate"),
            tls_key: source.optional("http.tls_key"),
            redirect_address: source.optional("http.redirect_address"),
            public_url: source.optional("http.public_url"),
            workers: source.value("http.workers", 2),
            body_limit_bytes: source.value("http.body_limit_kib", 1024usize).saturating_mul(1024),
            upload_limit_bytes: source.value("http.upload_limit_mib", 4096u64).saturating_mul(1024 * 1024),
            trusted_proxies: source.value("http.trusted_proxies", Vec::new()),
            dicomweb_origins: source.value("http.dicomweb_origins", Vec::new()),
            metrics_token: source.optional("http.metrics_token"),
        };
        if http.tls_certificate.is_some() != http.tls_key.is_some() {
            source.fault("http.tls_certificate", "TLS needs both tls_certificate and tls_key");
        }
        if http.redirect_address.is_some() && http.tls_certificate.is_none() {
            source.fault("http.redirect_address", "there is nothing to send on to without tls_certificate and tls_key");
        }
        if http.workers == 0 {
            source.fault("http.workers", "must be 1 or more");
        }
        if http.metrics_token.as_ref().is_some_and(|token| token.expose().len() < 16) {
            source.fault("http.metrics_token", "must have 16 characters or more");
        }
        let is_origin = |text: &String| {
            text.split_once("://").is_some_and(|(scheme, host)| {
                matches!(scheme, "http" | "https") && !host.is_empty() && !host.contains(['/', '*', ' '])
            })
        };
        if !http.dicomweb_origins.iter().all(is_origin) {
            source.fault("http.dicomweb_origins", "must be origins such as https://viewer.example");
        }
        let scheme_known = |url: &str| url.starts_with("http://") || url.starts_with("https://");
        if http.public_url.as_deref().is_some_and(|url| !scheme_known(url)) {
            source.fault("http.public_url", "must begin with http:// or https://");
        }
        http
    }

    /// The files of TLS, where it is set up.
    pub fn tls_files(&self) -> Option<TlsFiles> {
        Some(TlsFiles { certificate: self.tls_certificate.clone()?, key: self.tls_key.clone()?, authority: None })
    }

    /// Whether people come over HTTPS: to us, or to a proxy in front of us.
    pub fn is_https(&self) -> bool {
        self.tls_certificate.is_some() || self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }
}
