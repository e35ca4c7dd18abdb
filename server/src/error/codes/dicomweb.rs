//! DICOMweb.

use crate::error::code_table;

code_table! {
    BAD_QUERY = 400, "dicomweb_bad_query",
        "検索条件 {parameter} の値を読み取れません。",
        "The value of the query parameter {parameter} cannot be understood.";
    NOT_ACCEPTABLE = 406, "dicomweb_not_acceptable",
        "要求された形式では返せません（{reason}）。返せる形式は {offered} です。",
        "This cannot be given in a form that was asked for ({reason}). It can be given as {offered}.";
    NO_FRAMES = 404, "dicomweb_no_frames",
        "この画像オブジェクトにはフレームがありません。",
        "The instance has no frames.";
    NO_SUCH_FRAME = 404, "dicomweb_no_such_frame",
        "フレーム {frame} はありません（全 {frames} フレーム、1から数えます）。",
        "There is no frame {frame}; the instance has {frames}, counted from 1.";
    NO_BULK_DATA = 404, "dicomweb_no_bulk_data",
        "この属性にはバルクデータがありません。",
        "The instance has no bulk data at this attribute.";
    NOT_READABLE = 422, "dicomweb_not_readable",
        "保存された画像の内容を読み取れません（{reason}）。オブジェクト全体は取得できます。",
        "The stored instance cannot be read in parts ({reason}). It can be retrieved whole.";
    NOT_CONVERTED = 406, "dicomweb_not_converted",
        "この画像は非圧縮に変換できません（{reason}）。transfer-syntax=* を指定すると、受信したままの形式で取得できます。",
        "This instance cannot be given uncompressed ({reason}). Ask with transfer-syntax=* and it comes as it was received.";
    BODY_UNKNOWN = 415, "dicomweb_body_unknown",
        "application/dicom、または境界の示された multipart/related で送信してください。",
        "Send application/dicom, or multipart/related with its boundary.";
    BODY_BROKEN = 400, "dicomweb_body_broken",
        "送信された内容が途中で切れているか、multipart として正しくありません。",
        "What was sent is cut off or is no proper multipart.";
    BUSY = 503, "dicomweb_busy",
        "受信が混み合っています。少し待って、もう一度送信してください。",
        "Too many are storing at once. Wait a little and send it again.";
}
