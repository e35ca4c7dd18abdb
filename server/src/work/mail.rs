//! The notice by mail that a report is ready. It holds no patient data and no id: only that there is one, and where.

use std::time::Duration;

use dokuei_models::state::DeliveryContent;
use dokuei_models::store::deliveries::DeliveryRow;
use dokuei_terms::Language;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use sha2::{Digest as _, Sha256};

use super::deliver::Failure;
use crate::config::{Mail, MailTls};
use crate::words::{word, word_with};

const PATIENCE: Duration = Duration::from_secs(30);

/// Sends the notice that a delivery owes.
///
/// # Errors
/// [`Failure::waits`] where no mail server is set, else whether it may work later.
pub async fn send_notice(config: &Mail, public_url: Option<&str>, delivery: &DeliveryRow) -> Result<(), Failure> {
    let Some(host) = config.host.as_deref() else {
        return Err(Failure::waits(
            "メールサーバーが設定されていません。管理者が mail.host を設定すると送信されます。",
            "No mail server is set. It will be sent when an administrator sets mail.host.",
        ));
    };
    let message = notice(config, public_url, delivery)?;
    let transport = transport(config, host)?;
    match transport.send(message).await {
        Ok(_) => Ok(()),
        Err(error) if error.is_permanent() => Err(Failure::lasting(
            "メールサーバーが宛先または差出人を拒否しました。アドレスを確かめてください。",
            "The mail server refused the recipient or the sender. Check the addresses.",
        )),
        Err(error) => {
            tracing::debug!(%error, "the mail was not taken");
            Err(Failure::passing(
                "メールサーバーに接続できないか、いまは受け付けていません。自動で再送します。",
                "The mail server cannot be reached or is not taking mail now. It is tried again.",
            ))
        }
    }
}

fn notice(config: &Mail, public_url: Option<&str>, delivery: &DeliveryRow) -> Result<Message, Failure> {
    let bad_address = |_| {
        Failure::lasting(
            "宛先または差出人のメールアドレスが正しくありません。",
            "The mail address of the recipient or sender is not one.",
        )
    };
    let from: Mailbox = config.from.parse().map_err(bad_address)?;
    let to: Mailbox = delivery.destination.trim().parse().map_err(bad_address)?;
    let domain = from.email.domain().to_owned();
    Message::builder()
        .from(from)
        .to(to)
        .subject(subject(delivery.content))
        .message_id(Some(format!("<{}@{domain}>", name_of(delivery))))
        .header(ContentType::TEXT_PLAIN)
        .body(body(public_url, delivery.content))
        .map_err(|_| Failure::lasting("メールを作成できませんでした。", "The mail could not be made."))
}

/// The message's own name: the same at each try, so that one that came twice is known; it tells no number of ours.
fn name_of(delivery: &DeliveryRow) -> String {
    let facts = format!("dokuei notice {} {}", delivery.id, delivery.created_at.and_utc().timestamp_micros());
    hex::encode(&Sha256::digest(facts)[..16])
}

/// The words' keys: for the subject, and for what it says.
const fn keys(content: DeliveryContent) -> (&'static str, &'static str) {
    match content {
        DeliveryContent::Report => ("mail-report-subject", "mail-report-text"),
        DeliveryContent::Withdrawal => ("mail-withdrawal-subject", "mail-withdrawal-text"),
    }
}

fn subject(content: DeliveryContent) -> String {
    let (subject, _) = keys(content);
    format!("{} / {}", word(Language::Ja, subject), word(Language::En, subject))
}

/// Both languages, Japanese first: the mail goes to a department, not to a person whose language is known.
fn body(public_url: Option<&str>, content: DeliveryContent) -> String {
    let (_, text) = keys(content);
    let parts = [Language::Ja, Language::En].map(|language| {
        let way = match public_url {
            Some(url) => {
                let link = format!("{}/portal", url.trim_end_matches('/'));
                word_with(language, "mail-report-link", &[("link", link.into())])
            }
            None => word(language, "mail-report-portal"),
        };
        format!("{}\n{way}\n\n{}\n", word(language, text), word(language, "mail-report-foot"))
    });
    parts.join("\n----\n\n")
}

fn transport(config: &Mail, host: &str) -> Result<AsyncSmtpTransport<Tokio1Executor>, Failure> {
    type Smtp = AsyncSmtpTransport<Tokio1Executor>;
    let wrong_host = |_| {
        Failure::lasting(
            "メールサーバーの名前が正しくありません（mail.host）。",
            "The mail server's name is not one (mail.host).",
        )
    };
    let builder = match config.tls {
        MailTls::StartTls => Smtp::starttls_relay(host).map_err(wrong_host)?,
        MailTls::Implicit => Smtp::relay(host).map_err(wrong_host)?,
        // Allowed by the settings only to loopback.
        MailTls::None => Smtp::builder_dangerous(host),
    };
    let builder = builder.port(config.port).timeout(Some(PATIENCE));
    Ok(match (&config.user, &config.password) {
        (Some(user), Some(password)) => {
            builder.credentials(Credentials::new(user.clone(), password.expose().to_owned())).build()
        }
        _ => builder.build(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mail_says_where_and_nothing_about_whom() {
        let body = body(Some("https://reading.example/"), DeliveryContent::Report);
        assert!(body.contains("https://reading.example/portal\n"), "{body}");
        assert!(body.contains("読影報告") && body.contains("report"));
        assert!(!body.contains("mail-report"), "every word exists: {body}");
        assert!(body.chars().filter(char::is_ascii_digit).count() == 0, "no id of anything: {body}");
        assert!(super::body(None, DeliveryContent::Withdrawal).contains("ポータル"));
    }
}
