//! What every request goes through: CSRF, headers, errors in the caller's form, health, languages.

use actix_web::http::{Method, StatusCode};
use dokuei_server::authority::{Role, Scope};

use super::app::TestApp;

#[actix_web::test]
async fn a_form_without_the_sessions_token_changes_nothing() {
    let app = TestApp::init().await;
    let client = app.with_user("target", &[]).await;
    let form = [("accept", "text/html"), ("content-type", "application/x-www-form-urlencoded")];
    for body in ["theme=dark", "theme=dark&csrf=", "theme=dark&csrf=0000", &format!("theme=dark&xcsrf={}", client.csrf)]
    {
        let answer = client.send(Method::POST, "/account/screen", &form, body).await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{body}");
    }
    let other = app.with_user("other", &[]).await;
    let foreign = client.send(Method::POST, "/account/screen", &form, &format!("theme=dark&csrf={}", other.csrf)).await;
    assert_eq!(foreign.status, StatusCode::FORBIDDEN, "another session's token is none");
    assert!(client.get("/account").await.body.contains("data-theme=\"auto\""));

    let field = client.form("/account/screen", &[("theme", "dark")]).await;
    assert_eq!(field.status, StatusCode::SEE_OTHER);
    assert!(client.get("/account").await.body.contains("data-theme=\"dark\""), "the handler still got the body");
    let headers = [form[0], form[1], ("x-csrf-token", client.csrf.as_str()), ("x-quiet", "1")];
    assert_eq!(
        client.send(Method::POST, "/account/screen", &headers, "theme=light").await.status,
        StatusCode::NO_CONTENT
    );
}

#[actix_web::test]
async fn what_comes_from_another_place_is_refused_even_with_the_token() {
    let app = TestApp::init().await;
    let client = app.with_user("target", &[]).await;
    for (name, value) in
        [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")]
    {
        let headers = [("host", "dokuei.example"), ("x-csrf-token", client.csrf.as_str()), (name, value)];
        let answer = client.send(Method::POST, "/logout", &headers, "").await;
        assert_eq!(answer.status, StatusCode::FORBIDDEN, "{name}: {value}");
    }
    let login = app.anonymous();
    let answer =
        login.send(Method::POST, "/login", &[("host", "dokuei.example"), ("origin", "https://evil.example")], "").await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN, "nobody is signed in as somebody else from elsewhere");
}

#[actix_web::test]
async fn every_answer_is_protected_and_no_page_needs_inline_code() {
    let app = TestApp::init().await;
    let client = app.administrator("admin").await;
    for path in ["/login", "/", "/account", "/styleguide", "/nowhere"] {
        let answer = if path == "/login" { app.anonymous().get(path).await } else { client.get(path).await };
        let policy = answer.header("content-security-policy");
        assert!(
            policy.contains("script-src 'self'") && policy.contains("default-src 'none'") && !policy.contains("unsafe"),
            "{path}: {policy}"
        );
        assert_eq!(answer.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(answer.header("cache-control"), "no-store", "{path}");
        assert_eq!(answer.header("x-request-id").len(), 16, "{path}");
        for forbidden in [" style=\"", "<style", " onclick=", "javascript:", "<script>", "hx-on"] {
            assert!(!answer.body.contains(forbidden), "{forbidden} in {path}");
        }
    }
}

#[actix_web::test]
async fn an_asset_is_kept_for_a_year_under_its_hash_only() {
    let app = TestApp::init().await;
    let page = app.anonymous().get("/login").await.body;
    let address = page.split("href=\"").find(|rest| rest.starts_with("/assets/") && rest.contains("app.css")).unwrap();
    let address = address.split('"').next().unwrap();
    let asset = app.anonymous().get(address).await;
    assert_eq!(asset.status, StatusCode::OK);
    assert!(asset.header("cache-control").contains("immutable"));
    assert_eq!(asset.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(app.anonymous().get("/assets/000000000000/app.css").await.header("cache-control"), "no-cache");
    assert_eq!(app.anonymous().get("/assets/none/../../Cargo.toml").await.status, StatusCode::NOT_FOUND);
}

#[actix_web::test]
async fn an_error_comes_in_the_form_that_the_caller_reads() {
    let app = TestApp::init().await;
    let client = app.with_user("reader", &[(Role::Reader, Scope::All)]).await;
    let page = client.send(Method::GET, "/styleguide", &[("accept", "text/html")], "").await;
    assert_eq!(page.status, StatusCode::FORBIDDEN);
    assert!(page.body.contains("<html") && page.body.contains("administer"));
    let fragment = client.send(Method::GET, "/styleguide", &[("accept", "*/*"), ("hx-request", "true")], "").await;
    assert_eq!(fragment.header("hx-retarget"), "#toasts");
    assert!(fragment.body.contains("data-toast") && !fragment.body.contains("<html"));
    let json = client.send(Method::GET, "/styleguide", &[("accept", "application/json")], "").await;
    assert_eq!(json.header("content-type"), "application/problem+json");
    assert!(json.body.contains("\"code\":\"not_allowed\""), "{}", json.body);
    let missing = client.get("/nowhere").await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert!(missing.body.contains("<html"));
    let wrong_method = client
        .send(Method::PUT, "/account", &[("accept", "application/json"), ("x-csrf-token", &client.csrf)], "")
        .await;
    assert_eq!(wrong_method.status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(wrong_method.body.contains("method_not_allowed"));
}

#[actix_web::test]
async fn a_fragment_asked_for_without_a_session_sends_the_page_to_the_login() {
    let app = TestApp::init().await;
    let answer = app.anonymous().send(Method::GET, "/account", &[("hx-request", "true")], "").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(answer.header("hx-redirect"), "/login");
}

#[actix_web::test]
async fn a_body_beyond_the_limit_is_refused() {
    let app = TestApp::init().await;
    let client = app.with_user("writer", &[]).await;
    let form = [("accept", "application/json"), ("content-type", "application/x-www-form-urlencoded")];
    let body = format!("theme=dark&pad={}", "x".repeat(2 * 1024 * 1024));
    assert_eq!(client.send(Method::POST, "/account/screen", &form, &body).await.status, StatusCode::PAYLOAD_TOO_LARGE);
    let with_token = [form[0], form[1], ("x-csrf-token", client.csrf.as_str())];
    assert_eq!(
        client.send(Method::POST, "/account/screen", &with_token, &body).await.status,
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[actix_web::test]
async fn health_and_readiness_are_for_everybody_metrics_for_the_machine_itself() {
    let app = TestApp::init().await;
    let mut client = app.anonymous();
    assert_eq!(client.get("/healthz").await.status, StatusCode::OK);
    let ready = client.get("/readyz").await;
    assert_eq!(
        (ready.status, ready.body.as_str()),
        (StatusCode::OK, r#"{"database":"ok","objects":"ok","status":"ok"}"#)
    );
    assert_eq!(client.get("/metrics").await.status, StatusCode::NOT_FOUND);
    client.address = std::net::SocketAddr::from(([127, 0, 0, 1], 1));
    let metrics = client.get("/metrics").await;
    assert_eq!(metrics.status, StatusCode::OK);
    assert!(metrics.body.contains("dokuei_http_seconds"), "{}", metrics.body);
    let proxied = client.send(Method::GET, "/metrics", &[("x-forwarded-for", "203.0.113.5")], "").await;
    assert_eq!(proxied.status, StatusCode::NOT_FOUND, "a proxy on the same machine is not the machine");
}

#[actix_web::test]
async fn the_language_is_the_browsers_then_the_cookies_then_the_persons() {
    let app = TestApp::init().await;
    let mut client = app.anonymous();
    let english = client.send(Method::GET, "/login", &[("accept", "text/html"), ("accept-language", "en")], "").await;
    assert!(english.body.contains("<html lang=\"en\"") && english.body.contains("Sign in"));
    let chosen = client.form("/language", &[("language", "en"), ("to", "/login")]).await;
    client.cookie = Some(chosen.header("set-cookie").split(';').next().unwrap().to_owned());
    assert!(client.get("/login").await.body.contains("<html lang=\"en\""));
    let person = app.with_user("tanaka", &[]).await;
    assert!(person.get("/account").await.body.contains("<html lang=\"ja\""));
    person.form("/language", &[("language", "en"), ("to", "/account")]).await;
    assert!(person.get("/account").await.body.contains("<html lang=\"en\""), "the choice stays with the person");
}
