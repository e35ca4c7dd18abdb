//! The dispatcher's board, cases, overrides, regrouping.

use crate::error::code_table;

code_table! {
    READ_BEING_READ = 409, "read_being_read",
        "この読影は進行中です。先に差し戻してから、もう一度操作してください。",
        "This read is in progress. Take it back first, then try again.";
    CASE_STATE = 409, "case_state",
        "いまの状態ではこの操作はできません。画面を更新して、症例の状態を確かめてください。",
        "This cannot be done in the state the case is in. Reload and look at its state.";
    CASE_SIGNED = 409, "case_signed",
        "署名済みの報告があるため変更できません。追記・訂正、または新しい依頼で対応してください。",
        "There is a signed report, so this cannot be changed. Use an addendum, an amendment or a new request.";
    NOTHING_SIGNED = 409, "nothing_signed",
        "取り消せる報告がありません。画面を更新して、報告の状態を確かめてください。",
        "There is no report in force to withdraw. Reload and look at the reports.";
    NOTICE_OWED = 409, "notice_owed",
        "報告の取消のお知らせがまだ施設に届いていません。届いてから（または返却を断念してから）もう一度操作してください。",
        "The notice of the withdrawal has not reached the site yet. Try again when it has, or give its delivery up first.";
    LAST_STUDY = 409, "last_study",
        "最後の検査は外せません。症例を取り消すか、ほかの症例に統合してください。",
        "The last study cannot be taken out. Cancel the case or merge it into another one.";
    OTHER_PATIENT = 409, "other_patient",
        "患者または施設が異なるため統合できません。",
        "These are cases of different patients or sites and cannot be merged.";
    STUDY_ELSEWHERE = 409, "study_elsewhere",
        "この検査は別の進行中の症例の読影対象です。そちらから外すか、症例を統合してください。",
        "This study is to be read in another open case. Take it out there, or merge the cases.";
    IDENTITY_DIFFERS = 409, "identity_differs",
        "患者情報が一致しません。画面を更新し、違う項目を確かめてから承認してください。",
        "The patients do not agree. Reload, look at the fields that differ, and confirm them.";
    NO_PRIOR_SOURCE = 409, "no_prior_source",
        "この施設には、過去画像の取得元のPACSが設定されていません。管理者に「DICOM接続」の画面で設定を依頼してください。",
        "No PACS of this site is set up to fetch priors from. Ask an administrator to set one up under DICOM peers.";
    MIXED_PATIENTS = 409, "mixed_patients",
        "一部の画像だけが別の患者・検査になるため採用できません。残りの画像が届くのを待つか、元の画像を残してください。",
        "Taking these would leave images of two patients in one study. Wait for the rest to come again, or keep what is shown.";
    VERSION_NOT_DECIDED = 409, "version_not_decided",
        "元に戻せる判断がありません。画面を更新して状態を確かめてください。",
        "There is no decision to take back. Reload and look at what is shown.";
    WITHDRAWAL_STANDS = 409, "withdrawal_stands",
        "保存期間が満了した画像の取下げは元に戻せません。",
        "Images whose time of keeping has run out cannot be shown again.";
    QUARANTINE_NOT_DISCARDED = 409, "quarantine_not_discarded",
        "破棄された画像ではありません。ページを開き直してください。",
        "This image is not discarded. Open the page again.";
    QUARANTINE_STUDY_TAKEN = 409, "quarantine_study_taken",
        "この画像が名乗る検査は、すでに別の患者の検査として登録されています。検査を選んでください。",
        "The study that this image names is here as another patient's. Choose a study.";
    QUARANTINE_UNREADABLE = 422, "quarantine_unreadable",
        "検査を指定できるだけの情報をこの画像から読み取れません。画像は隔離したままです。施設に再送を依頼するか、ファイルを装置の製造元に渡してください。",
        "Too little of this image can be read to say where it belongs. It stays apart. Ask the site to send it again, or hand the file to the maker of the device.";
    QUARANTINE_STILL = 409, "quarantine_still",
        "もう一度読み取りましたが、状態は変わりませんでした。ファイルを装置の製造元に渡すか、理由を付けて破棄してください。",
        "It was read once more and is kept apart as before. Hand the file to the maker of the device, or discard it with a reason.";
    READER_UNSUITABLE = 422, "reader_unsuitable",
        "この読影医には割り当てられません（{reason}）。別の読影医を選んでください。",
        "This reader cannot be given the case ({reason}). Choose another one.";
    WITHDRAWAL_NOT_KEPT = 503, "withdrawal_not_kept",
        "報告書の保管先が応答しないため、取り消していません。数分おいて、もう一度取り消してください。急ぐときは依頼元に電話で知らせ、管理者に連絡してください。",
        "The place where reports are kept does not answer, so nothing was withdrawn. Withdraw again in a few minutes; if it is urgent, tell the referring site by telephone, and an administrator.";
}
