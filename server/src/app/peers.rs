//! Talking to a peer: where it is, and what it means when it does not answer, as a person can act on it.

use dokuei_dicom_gateway::ae_title::AeTitle;
use dokuei_dicom_gateway::scu::{Destination, SendError, Timeouts};
use dokuei_dicom_gateway::tls::TlsFault;
use dokuei_models::store::sites::{EndpointRow, PeerTls};
use dokuei_terms::Language;

use crate::state::State;
use crate::words;

/// A sentence in both languages. No patient data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// In Japanese.
    pub ja: String,
    /// In English.
    pub en: String,
}

impl Sentence {
    /// As rows keep it: a Japanese line and an English one.
    pub fn kept(&self) -> String {
        format!("{}\n{}", self.ja, self.en)
    }
}

fn say(ja: &str, en: &str) -> Sentence {
    Sentence { ja: ja.to_owned(), en: en.to_owned() }
}

/// Where an endpoint listens and how it is called: with TLS where it must speak that.
///
/// # Errors
/// What is missing in its row, or in our settings.
pub fn destination(state: &State, endpoint: &EndpointRow, timeouts: Timeouts) -> Result<Destination, Sentence> {
    let ours = &state.config.dicom.ae_title;
    let wrong = |_| say("AEタイトルの登録が正しくありません。", "The AE title is not registered rightly.");
    let port = u16::try_from(endpoint.port).ok().filter(|port| *port > 0);
    let (Some(port), false, true) = (port, endpoint.host.is_empty(), endpoint.active) else {
        return Err(say(
            "返却先のホスト・ポートが登録されていないか、停止中です。",
            "The node has no host and port, or is switched off here.",
        ));
    };
    let tls = match (endpoint.tls, &state.dicom_tls) {
        (PeerTls::None, _) => None,
        (PeerTls::Required, Some(client)) => Some(client.peer(&endpoint.certificate_sha256)),
        (PeerTls::Required, None) => return Err(sentence(&SendError::Tls(TlsFault::NotConfigured))),
    };
    Ok(Destination {
        tls,
        host: endpoint.host.clone(),
        port,
        called_ae: AeTitle::parse(&endpoint.ae_title).map_err(wrong)?,
        calling_ae: AeTitle::parse(ours).map_err(wrong)?,
        timeouts,
    })
}

/// Why a peer was not reached or did not answer as it should.
pub fn sentence(error: &SendError) -> Sentence {
    let ja = match error {
        SendError::Unreachable { host, port } => {
            format!("{host}:{port} に接続できません。電源が入っているか、ホストとポートが正しいかを確かめてください。")
        }
        SendError::TimedOut => "相手が時間内に応答しませんでした。".to_owned(),
        SendError::CallingNotRecognized(ours) => {
            format!("相手に {ours} が登録されていません。相手側でこちらのAEタイトルを登録してください。")
        }
        SendError::CalledNotRecognized(theirs) => {
            format!("相手のAEタイトルは {theirs} ではありません。接続先の登録を直してください。")
        }
        SendError::Busy => "相手が混み合っています。".to_owned(),
        SendError::Rejected(reason) => format!("相手が接続を拒否しました（{reason}）。"),
        SendError::Aborted => "相手が通信を打ち切りました。".to_owned(),
        SendError::Lost => "相手との通信が切れました。".to_owned(),
        SendError::Protocol(what) => format!("相手がDICOMどおりに応答しません（{what}）。"),
        SendError::Tls(fault) => format!("TLSで接続できません：{}。", fault_ja(*fault)),
        SendError::QueryRefused { status, .. } => format!("相手が検索・取得を断りました（{status}）。"),
        SendError::NoGet => {
            "相手がC-GETに応じません。相手側でこちらのAEタイトルにC-GETを許可するか、過去画像の取得の規則で「C-MOVE」を\
             選んでください。"
                .to_owned()
        }
        SendError::NoStorage => {
            "相手がこちらからの接続では画像を送れません（役割の交渉で不成立）。過去画像の取得の規則で「C-MOVE」を選んで\
             ください。"
                .to_owned()
        }
        SendError::NoPlace(refusal) => format!(
            "施設の受信の上限に達しているため接続しませんでした（{}）。時間をおくか、接続先のページで上限を増やしてください。",
            limit_ja(refusal.code())
        ),
        SendError::Cut(cut) => format!(
            "施設の受信の上限に達したため打ち切りました（{}）。届いた画像は保存済みです。時間をおくか、接続先のページで上限を増やして\
             ください。",
            limit_ja(cut.code())
        ),
        SendError::Stopped => "こちらで取得を中止しました。".to_owned(),
        SendError::EchoFailed(status) => format!("相手の応答がエラーでした（{status}）。"),
    };
    Sentence { ja, en: error.to_string() }
}

/// A limit by its stable name, as the peer's page says it.
fn limit_ja(code: &str) -> String {
    words::word(Language::Ja, &format!("dispatch-refusal-{}", code.replace('_', "-")))
}

fn fault_ja(fault: TlsFault) -> &'static str {
    match fault {
        TlsFault::Expired => "相手の証明書の期限が切れています",
        TlsFault::NotYetValid => "相手の証明書がまだ有効になっていません（どちらかの時計がずれていませんか）",
        TlsFault::UnknownIssuer => "相手の証明書を発行した認証局が登録されていません",
        TlsFault::OtherName => "相手の証明書のホスト名が接続先と違います",
        TlsFault::NotPinned => "相手の証明書が、接続先に登録した証明書と違います",
        TlsFault::OursRefused => "相手がこちらの証明書を受け入れません",
        TlsFault::NothingInCommon => "共通して使えるTLSの版または暗号方式がありません",
        TlsFault::NotTls => "相手はこのポートでTLSを使っていません",
        TlsFault::NotConfigured => "こちらにTLSの証明書が設定されていません",
        TlsFault::Other => "TLSの接続手続きに失敗しました",
    }
}
