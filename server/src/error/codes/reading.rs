//! Worklist, reading room, signing.

use crate::error::code_table;

code_table! {
    STUDY_STILL_COMING = 409, "study_still_coming",
        "画像がまだ届ききっていません（{received} / {expected}）。このまま署名する場合は、その旨を確認欄で示してください。",
        "Images are still coming ({received} of {expected}). To sign all the same, confirm that in the sheet.";
    READER_UNKNOWN = 403, "reader_unknown",
        "読影医として登録されていません。管理者に登録を依頼してください。",
        "You are not registered as a reader. Ask an administrator to register you.";
    READ_HELD_BY_ANOTHER = 409, "read_held_by_another",
        "この症例はほかの読影医が担当しています。ワークリストに戻って次の症例を開いてください。",
        "Another reader holds this case. Go back to the worklist and open the next one.";
    READ_ON_HOLD = 409, "read_on_hold",
        "この症例は保留中です。解除されるとワークリストに戻ります。",
        "This case is on hold. It comes back to the worklist when it is released.";
    READ_NOT_OPEN = 409, "read_not_open",
        "この読影は開始されていないか、すでに終わっています。ワークリストから開き直してください。",
        "This read has not been started or is over already. Open it again from the worklist.";
    DRAFT_STALE = 409, "draft_stale",
        "別の画面で下書きが保存されました。両方の文面を確かめて、残すほうを選んでください。",
        "The draft was saved in another window. Compare both texts and choose which one stays.";
    DRAFT_EMPTY = 422, "draft_empty",
        "所見と診断の両方を入力してから署名してください。",
        "Write both findings and impression before you sign.";
    DRAFT_TOO_LONG = 422, "draft_too_long",
        "文面が長すぎます（上限 {limit} 文字）。短くしてください。",
        "The text is too long (at most {limit} characters). Shorten it.";
    SIGNING_PASSWORD_NEEDED = 422, "signing_password_needed",
        "署名にはパスワードが必要です。署名の画面で入力してください。",
        "Signing needs your password. Enter it in the signing sheet.";
    LABELS_UNSETTLED = 422, "labels_unsettled",
        "依頼と画像で部位または左右が食い違っています。どちらが正しいか選んでから署名してください。",
        "Request and images disagree about region or side. Choose which is right before you sign.";
    VERSION_KIND_NEEDED = 422, "version_kind_needed",
        "追記か訂正かを選び、理由を入力してください。",
        "Choose addendum or amendment and give the reason.";
    SIGNING_UNAVAILABLE = 503, "signing_unavailable",
        "報告書を作成できません（{what}）。下書きは残っています。管理者に連絡してください。",
        "The report cannot be made ({what}). The draft is kept. Tell an administrator.";
    REPORT_NOT_KEPT = 503, "report_not_kept",
        "報告書の保管先が応答しないため、署名していません。下書きは残っています。数分おいて、もう一度署名してください。続くときは管理者に連絡してください。",
        "The place where reports are kept does not answer, so nothing was signed. The draft is kept. Sign again in a few minutes; if it stays so, tell an administrator.";
    IMAGE_NOT_SHOWN = 422, "image_not_shown",
        "この画像は表示できません（{reason}）。",
        "This image cannot be shown ({reason}).";
    IMAGE_NO_PIXELS = 422, "image_no_pixels",
        "画素データがないため、表示できません。", "It has no pixels, so there is nothing to show.";
    IMAGE_CODING_UNKNOWN = 422, "image_coding_unknown",
        "この符号化方式（{coding}）には対応していないため、表示できません。元の画像は依頼施設で確かめてください。",
        "Images coded this way ({coding}) cannot be shown. Ask the site for its own view of it.";
    IMAGE_BROKEN = 422, "image_broken",
        "画像データが壊れているか途中で切れているため、表示できません。依頼施設に再送を依頼してください。",
        "The image is damaged or cut off and cannot be shown. Ask the site to send it again.";
    IMAGE_ALTERED = 500, "image_altered",
        "保存された画像が壊れています。読影せず、管理者に連絡してください。",
        "The stored image is damaged. Do not read it; tell an administrator.";
    COMPARE_NOT_ASKED = 409, "compare_not_asked",
        "二つの報告の比較は、もう済んでいるか、あなたには求められていません。画面を更新してください。",
        "The two reports have been compared already, or you are not the one who is asked. Reload the page.";
    ADDENDUM_NOT_YOURS = 409, "addendum_not_yours",
        "追記・訂正は、署名済みの報告に対して署名した読影医が行います。",
        "An addendum or amendment is made by the reader who signed, to a signed report.";
}
