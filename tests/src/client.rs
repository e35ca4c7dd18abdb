//! Two ways in: a browser's session (cookie and CSRF token) and the API (bearer token).

use std::net::SocketAddr;

use anyhow::{Context, Result, ensure};
use reqwest::header::{ORIGIN, SET_COOKIE};
use reqwest::redirect::Policy;
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

/// Where a client goes, and its connections.
#[derive(Debug, Clone)]
struct Place {
    origin: String,
    client: reqwest::Client,
}

impl Place {
    fn new(address: SocketAddr) -> Result<Self> {
        // Redirects are answers to look at, as a test may care where one leads.
        let client = reqwest::Client::builder().redirect(Policy::none()).cookie_store(true).no_proxy().build()?;
        Ok(Self { origin: format!("http://{address}"), client })
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.origin))
    }
}

/// One person's browser: keeps cookies, sends the CSRF token with each change.
#[derive(Debug, Clone)]
pub struct Browser {
    place: Place,
    csrf: Option<String>,
}

impl Browser {
    /// A browser nobody has signed in with.
    ///
    /// # Errors
    /// When the machine cannot open connections.
    pub fn open(address: SocketAddr) -> Result<Self> {
        Ok(Self { place: Place::new(address)?, csrf: None })
    }

    /// Signs in through the form, and takes the CSRF token from the page that follows.
    ///
    /// # Errors
    /// When the login is refused; the status is in the message.
    pub async fn sign_in(&mut self, login: &str, password: &str) -> Result<()> {
        let answer = self.try_sign_in(login, password).await?;
        ensure!(answer.status() == StatusCode::SEE_OTHER, "signing in as {login} was answered {}", answer.status());
        ensure!(answer.headers().contains_key(SET_COOKIE), "signing in as {login} set no cookie");
        let mut to = location(&answer)?;
        for _ in 0..5 {
            let answer = self.get(&to).await?;
            if answer.status().is_redirection() {
                to = location(&answer)?;
                continue;
            }
            let page = answer.error_for_status()?.text().await?;
            self.csrf = Some(csrf_in(&page).with_context(|| format!("{to} holds no CSRF token"))?);
            return Ok(());
        }
        anyhow::bail!("signing in as {login} leads from page to page without an end, lastly {to}")
    }

    /// Sends the form and returns whatever is answered.
    ///
    /// # Errors
    /// When nothing is answered.
    pub async fn try_sign_in(&self, login: &str, password: &str) -> Result<Response> {
        let form = form_body(&[("login", login), ("password", password), ("to", "/")]);
        self.send_form("/login", form).await
    }

    /// GET; redirects are not followed.
    ///
    /// # Errors
    /// When nothing is answered.
    pub async fn get(&self, path: &str) -> Result<Response> {
        Ok(self.place.request(Method::GET, path).send().await?)
    }

    /// A page that must be there, as text.
    ///
    /// # Errors
    /// When the status is not a success; it is in the message.
    pub async fn page(&self, path: &str) -> Result<String> {
        let answer = self.get(path).await?;
        ensure!(answer.status().is_success(), "{path} was answered {}", answer.status());
        Ok(answer.text().await?)
    }

    /// Sends a form with the CSRF token, as the page's own form would.
    ///
    /// # Errors
    /// When nothing is answered.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Result<Response> {
        let mut all = vec![("csrf", self.csrf.as_deref().unwrap_or_default())];
        all.extend_from_slice(fields);
        self.send_form(path, form_body(&all)).await
    }

    /// The session's CSRF token, for requests that a test builds itself.
    pub fn csrf(&self) -> Option<&str> {
        self.csrf.as_deref()
    }

    /// A request with this browser's cookies, for what the methods above do not do (uploads, streams).
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.place.request(method, path).header(ORIGIN, &self.place.origin)
    }

    async fn send_form(&self, path: &str, body: String) -> Result<Response> {
        let request = self.request(Method::POST, path).header("content-type", "application/x-www-form-urlencoded");
        Ok(request.body(body).send().await?)
    }
}

/// A program that holds a bearer token.
#[derive(Debug, Clone)]
pub struct Api {
    place: Place,
    token: String,
}

impl Api {
    /// # Errors
    /// When the machine cannot open connections.
    pub fn new(address: SocketAddr, token: &str) -> Result<Self> {
        Ok(Self { place: Place::new(address)?, token: token.to_owned() })
    }

    /// GET below `/api/v1`; the answer must be a success.
    ///
    /// # Errors
    /// When it is not, with status and body.
    pub async fn get(&self, path: &str) -> Result<Value> {
        self.read(self.request(Method::GET, path)).await
    }

    /// POST of JSON below `/api/v1`; the answer must be a success.
    ///
    /// # Errors
    /// When it is not, with status and body.
    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.read(self.request(Method::POST, path).json(body)).await
    }

    /// A request with the token, for answers that are not JSON or not a success.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.place.request(method, &format!("/api/v1{path}")).bearer_auth(&self.token)
    }

    async fn read(&self, request: RequestBuilder) -> Result<Value> {
        let answer = request.send().await?;
        let status = answer.status();
        let path = answer.url().path().to_owned();
        let text = answer.text().await?;
        ensure!(status.is_success(), "{path} was answered {status}: {text}");
        if text.is_empty() {
            return Ok(Value::Null);
        }
        serde_json::from_str(&text).with_context(|| format!("{path} answered no JSON"))
    }
}

fn location(answer: &Response) -> Result<String> {
    let value = answer.headers().get("location").context("a redirect without a location")?;
    Ok(value.to_str()?.to_owned())
}

/// The token in the first form of a page.
fn csrf_in(page: &str) -> Option<String> {
    let (_, after) = page.split_once("name=\"csrf\" value=\"")?;
    let (token, _) = after.split_once('"')?;
    (!token.is_empty()).then(|| token.to_owned())
}

/// `application/x-www-form-urlencoded`, every byte but letters and digits escaped.
fn form_body(fields: &[(&str, &str)]) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(
                |byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") },
            )
            .collect()
    };
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{}={}", escape(name), escape(value))).collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use super::{csrf_in, form_body};

    #[test]
    fn a_form_survives_japanese_and_separators() {
        assert_eq!(form_body(&[("a", "1&2=3"), ("名", " ")]), "a=1%262%3D3&%E5%90%8D=%20");
    }

    #[test]
    fn an_empty_token_is_no_token() {
        assert_eq!(csrf_in("<input type=\"hidden\" name=\"csrf\" value=\"\">"), None);
        assert_eq!(csrf_in("<input type=\"hidden\" name=\"csrf\" value=\"ab12\">").as_deref(), Some("ab12"));
    }
}
