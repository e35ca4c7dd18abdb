//! The service that serves pages and API: over TLS where a certificate is set, else plainly.

use std::net::{SocketAddr, TcpListener};

use actix_web::dev::Server;
use actix_web::http::header;
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use anyhow::Context as _;
use dokuei_dicom_gateway::tls::OwnCertificate;

use super::{Services, certificates};
use crate::http;
use crate::state::State;

/// Binds and begins to serve; returns the address (with the port that was free, where 0 was asked for).
pub(super) async fn begin(state: &State, services: &mut Services) -> anyhow::Result<SocketAddr> {
    crate::app::keys::prepare(state).await.context("the signing keys")?;
    let config = &state.config.http;
    let listener = bind("http.address", config.address)?;
    let address = listener.local_addr()?;
    let shared = state.clone();
    let server = HttpServer::new(move || http::application(shared.clone()))
        .workers(config.workers)
        .disable_signals()
        .shutdown_timeout(2);
    let server = match config.tls_files() {
        Some(files) => {
            let certificate = OwnCertificate::load(files).context("http.tls_certificate")?;
            let tls = certificate.server_config().context("http.tls_certificate")?;
            certificates::watch_pages(state, services, certificate);
            server.listen_rustls_0_23(listener, tls)?.run()
        }
        None => {
            if !address.ip().is_loopback() {
                tracing::warn!(
                    %address,
                    "pages are served without TLS: whoever is on the way reads passwords and images. Set \
                     http.tls_certificate and http.tls_key, or let nothing but a proxy that speaks TLS reach this \
                     address"
                );
            }
            server.listen(listener)?.run()
        }
    };
    serve(state, services, "http", server);
    if let Some(plain) = config.redirect_address {
        services.http_redirect = Some(redirect(state, services, plain, address.port())?);
    }
    Ok(address)
}

/// Sends whoever comes without TLS on to where it is spoken; nothing else is answered there.
fn redirect(state: &State, services: &mut Services, plain: SocketAddr, tls_port: u16) -> anyhow::Result<SocketAddr> {
    let listener = bind("http.redirect_address", plain)?;
    let address = listener.local_addr()?;
    let public_url = state.config.http.public_url.clone();
    let server = HttpServer::new(move || {
        let public_url = public_url.clone();
        App::new().default_service(web::to(move |request: HttpRequest| {
            let to = elsewhere(&request, public_url.as_deref(), tls_port);
            async move {
                match to {
                    Some(to) => HttpResponse::PermanentRedirect().insert_header((header::LOCATION, to)).finish(),
                    None => HttpResponse::BadRequest().finish(),
                }
            }
        }))
    })
    .workers(1)
    .disable_signals()
    .shutdown_timeout(2)
    .listen(listener)?
    .run();
    serve(state, services, "http to https", server);
    Ok(address)
}

/// The same page over HTTPS: at the public address, else at the host that was asked for.
fn elsewhere(request: &HttpRequest, public_url: Option<&str>, tls_port: u16) -> Option<String> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    if let Some(url) = public_url.filter(|url| url.starts_with("https://")) {
        return Some(format!("{}{path}", url.trim_end_matches('/')));
    }
    let asked = request.headers().get(header::HOST)?.to_str().ok()?;
    let authority: actix_web::http::uri::Authority = asked.parse().ok()?;
    let port = if tls_port == 443 { String::new() } else { format!(":{tls_port}") };
    Some(format!("https://{}{port}{path}", authority.host()))
}

fn bind(name: &str, address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).with_context(|| format!("{name} {address} is not free"))
}

fn serve(state: &State, services: &mut Services, name: &'static str, server: Server) {
    let handle = server.handle();
    let stopping = state.clone();
    services.add(name, async move {
        tokio::spawn(async move {
            stopping.stopped().await;
            handle.stop(true).await;
        });
        server.await.map_err(anyhow::Error::from)
    });
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::elsewhere;

    #[test]
    fn who_comes_without_tls_is_sent_to_the_same_page_over_it() {
        let asked = |host: &str| TestRequest::with_uri("/worklist?q=1").insert_header(("host", host)).to_http_request();
        let to = |host: &str, url, port| elsewhere(&asked(host), url, port);
        assert_eq!(to("dokuei.example:80", None, 443).unwrap(), "https://dokuei.example/worklist?q=1");
        assert_eq!(to("192.0.2.1", None, 8443).unwrap(), "https://192.0.2.1:8443/worklist?q=1");
        let public = Some("https://dokuei.example.jp/");
        assert_eq!(to("192.0.2.1", public, 8443).unwrap(), "https://dokuei.example.jp/worklist?q=1");
        assert_eq!(to("a b", None, 443), None, "no address is made of what is none");
    }
}
