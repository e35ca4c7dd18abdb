//! What can go wrong anywhere.

use crate::error::code_table;

code_table! {
    BAD_REQUEST = 400, "bad_request",
        "送信された内容を読み取れませんでした（{reason}）。入力を確かめて、もう一度送信してください。",
        "What was sent could not be read ({reason}). Check it and send it again.";
    FORM_INVALID = 422, "form_invalid",
        "入力に誤りがあります。印のついた項目を直してください。",
        "Some values are not right. Correct the marked fields.";
    FIELD_REQUIRED = 422, "field_required", "入力してください。", "Please fill this in.";
    FIELD_INVALID = 422, "field_invalid", "この値は使えません。", "This value cannot be used.";
    FIELD_TOO_LONG = 422, "field_too_long", "長すぎます。", "This is too long.";
    FIELD_REASON_REQUIRED = 422, "field_reason_required", "理由を入力してください。", "Please give a reason.";
    NOTHING_TO_EXPORT = 409, "nothing_to_export",
        "この症例には書き出す画像がありません。", "This case has no images to export.";
    SIGN_IN_FIRST = 401, "sign_in_first",
        "ログインが必要です。ログインしてから、もう一度お試しください。",
        "You need to sign in. Sign in and try again.";
    NOT_ALLOWED = 403, "not_allowed",
        "この操作の権限がありません（必要な権限：{right}）。管理者にお問い合わせください。",
        "You do not have the right for this (needed: {right}). Ask an administrator.";
    CSRF_REFUSED = 403, "csrf_refused",
        "画面の有効期限が切れたため、操作を受け付けませんでした。ページを再読み込みして、もう一度お試しください。",
        "This page is too old, so nothing was done. Reload it and try again.";
    NOT_FOUND = 404, "not_found",
        "見つかりません。移動または削除されたか、閲覧の権限がありません。",
        "There is no such thing here, or it is not yours to see.";
    METHOD_NOT_ALLOWED = 405, "method_not_allowed",
        "この操作はここでは行えません。", "This cannot be done here.";
    CONFLICT = 409, "conflict",
        "ほかの操作が先に行われました。最新の内容を確かめて、もう一度お試しください。",
        "Somebody else was first. Look at the newest state and try again.";
    ALREADY_DONE = 409, "already_done", "すでに済んでいます。", "This is already done.";
    BODY_TOO_LARGE = 413, "body_too_large",
        "送信された内容が大きすぎます（上限 {limit}）。分けて送信してください。",
        "What was sent is too large (the limit is {limit}). Send it in parts.";
    MEDIA_TYPE_UNSUPPORTED = 415, "media_type_unsupported",
        "この形式は受け付けていません。", "This format is not accepted.";
    TOO_MANY_ATTEMPTS = 429, "too_many_attempts",
        "試行回数が多すぎます。{seconds}秒後にもう一度お試しください。",
        "Too many attempts. Try again in {seconds} seconds.";
    INTERNAL = 500, "internal",
        "サーバー側で問題が起きました。入力は失われていない可能性があります。少し待って再読み込みし、続くときは管理者に画面下の番号をお伝えください。",
        "Something failed on our side. Wait a moment and reload; if it stays, give the number below to an administrator.";
    UNAVAILABLE = 503, "unavailable",
        "一時的に応答できません（{what}）。少し待って、もう一度お試しください。",
        "Not available for the moment ({what}). Wait a little and try again.";
}
