//! What a referring site can be told: uploads, requests, reports.

use crate::error::code_table;

code_table! {
    FILE_TOO_LARGE = 413, "file_too_large",
        "ファイルが大きすぎます（上限 {limit}）。分けて送信してください。",
        "The file is too large (the limit is {limit}). Send it in parts.";
    UPLOAD_OVER = 409, "upload_over",
        "この送信はすでに終わっています。ファイルをもう一度選んでください。",
        "This upload is over. Choose the files again.";
    UPLOAD_CUT_OFF = 400, "upload_cut_off",
        "ファイルの途中で通信が切れました。もう一度送信してください。",
        "The connection broke in the middle of the file. Send it again.";
    PHONE_FOR_STAT = 422, "phone_for_stat",
        "緊急のときは、いま出られる電話番号が必要です。", "A stat request needs a phone number that answers now.";
    PHONE_INVALID = 422, "phone_invalid",
        "電話番号は数字とハイフンで入力してください。", "Please write the phone number in digits and hyphens.";
    KEY_REQUIRED = 422, "key_required",
        "受付番号を入力するか、届いた検査を選んでください。画像との照合に必要です。",
        "Give the accession number or choose a study that is here: the images are found by it.";
    NAME_REQUIRED = 422, "name_required",
        "漢字・カナ・ローマ字のどれかで氏名を入力してください。画像の氏名と同じ書き方で照合します。",
        "Give the name in kanji, kana or Latin letters, as it is written in the images.";
    DAY_INVALID = 422, "day_invalid", "日付を確かめてください。", "Please check this date.";
    WANTED_PAST = 422, "wanted_past", "希望日時が過ぎています。", "This time has passed already.";
    NO_ROOM = 507, "no_room",
        "サーバーの空き容量がないため、受け取れませんでした。届いていた画像はそのまま残っています。管理者に連絡し、空きができてから、もう一度送信してください。",
        "The server has no room, so this was not taken. What had arrived stays. Tell an administrator, and send it again when there is room.";
    FORM_NOT_KEPT = 503, "form_not_kept",
        "依頼票の保管先が応答しないため、受け付けていません。数分おいて、もう一度送信してください。急ぐときは、添付なしで依頼を送信し、あとから添付してください。",
        "The place where forms are kept does not answer, so nothing was taken. Send it again in a few minutes; if it is urgent, send the request without the form and attach it later.";
    FORM_FILE_KIND = 422, "form_file_kind",
        "依頼票はPDF、JPEG、PNGのどれかで添付してください。", "Attach the form as PDF, JPEG or PNG.";
    FORM_FILE_LARGE = 422, "form_file_large",
        "依頼票は1件20MBまで、5件までです。", "Forms may have 20 MB each, five at the most.";
    STUDY_HAS_REQUEST = 422, "study_has_request",
        "この検査にはすでに依頼があります。内容を変えるときは配信担当に連絡してください。",
        "This study has a request already. To change it, call the dispatcher.";
    STUDY_REPORTED = 422, "study_reported",
        "この検査はすでに報告されています。追加の質問は配信担当に連絡してください。",
        "This study is reported already. For a further question, call the dispatcher.";
    READING_BEGUN = 422, "reading_begun",
        "読影が始まっているため、種別は「読影」だけ選べます。",
        "The reading has begun, so only an ordinary reading can be asked for.";
    REQUEST_SIGNED = 409, "request_signed",
        "すでに署名されているため、取り消せません。配信担当に連絡してください。",
        "A report is signed already, so this cannot be cancelled. Call the dispatcher.";
    REPORT_NOT_RETURNED = 409, "report_not_returned",
        "返却がまだ終わっていません。返却が済むと確認できます。",
        "The report is still being returned. You can accept it when that is done.";
    ELSEWHERE_DIFFERS = 409, "elsewhere_differs",
        "二人の記載が一致しません（{differs}）。確認した項目をseenに入れて、もう一度送信してください。",
        "The two differ ({differs}). Look at them, name what you have looked at in `seen`, and send it again.";
    ELSEWHERE_DECIDED = 409, "elsewhere_decided",
        "すでに決められています。画面を更新してください。", "This is decided already. Load the page again.";
    REPORT_WITHDRAWN = 409, "report_withdrawn",
        "この報告は取り消されています。新しい版を確認してください。",
        "This report was withdrawn. Look at the newest version.";
}
