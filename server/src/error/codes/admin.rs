//! Sites, endpoints, contracts, tariffs, readers: what an administrator enters.

use crate::error::code_table;

code_table! {
    CODE_TAKEN = 422, "code_taken", "この記号はすでに使われています。", "This code is already used.";
    CODE_LETTERS = 422, "code_letters",
        "半角の英小文字・数字・_ で、2～30文字にしてください。",
        "Use 2 to 30 small letters, digits and _.";
    INSTITUTION_CODE = 422, "institution_code",
        "医療機関コードは10桁の数字です（都道府県2桁＋点数表1桁＋コード7桁）。",
        "An institution code has 10 digits (prefecture 2, fee schedule 1, code 7).";
    MAIL_ADDRESS = 422, "mail_address", "メールアドレスを確かめてください。", "Please check this mail address.";
    PAD_WIDTH = 422, "pad_width", "桁数は1～64で入力してください。", "The width is 1 to 64.";
    SITE_DOES_NOTHING = 422, "site_does_nothing",
        "依頼する・読影するの少なくとも一方を選んでください。", "Choose referring, reading or both.";
    AE_TITLE = 422, "ae_title",
        "AEタイトルは半角英数記号1～16文字で、\\ は使えません（DICOM PS3.5）。",
        "An AE title has 1 to 16 ASCII characters without backslash (DICOM PS3.5).";
    AE_TITLE_TAKEN = 422, "ae_title_taken",
        "同じAEタイトルと発信元アドレスの接続先がすでにあります。どちらかを変えないと、届いた画像の施設を決められません。",
        "Another endpoint has this AE title and address. Change one of them: images could belong to either site.";
    ADDRESSES = 422, "addresses",
        "IPアドレス（例 192.0.2.10）か範囲（例 192.0.2.0/24）をカンマ区切りで入力してください。空欄の接続先からは受信しません。",
        "Give IP addresses (192.0.2.10) or ranges (192.0.2.0/24), parted by commas. Without one nothing is received.";
    HOST = 422, "host",
        "ホスト名かIPアドレスを入力してください。", "Give a host name or an IP address.";
    PORT = 422, "port", "ポートは1～65535です。", "A port is 1 to 65535.";
    ENDPOINT_DOES_NOTHING = 422, "endpoint_does_nothing",
        "送信・返却・検索のどれかを選ぶか、ホストとポートを入力してください。",
        "Choose sending, receiving or querying, or give its host and port.";
    FINGERPRINT = 422, "fingerprint",
        "証明書のSHA-256は16進数64桁です（コロン区切りでも可）。",
        "A certificate's SHA-256 has 64 hexadecimal digits, with or without colons.";
    ECHO_NOWHERE = 422, "echo_nowhere",
        "エコーを送るには、接続先のホストとポートを入力してください。",
        "Give the endpoint's host and port first: there is nowhere to send an echo to.";
    DAYS_REVERSED = 422, "days_reversed", "最終日が開始日より前です。", "The last day is before the first.";
    DAYS_OVERLAP = 422, "days_overlap",
        "同じ期間にすでに登録があります。先にその最終日を入力してください。",
        "There is one already on these days. End it first.";
    BEGINS_TOO_EARLY = 422, "begins_too_early",
        "{day}からの版がすでに使われています。それより後の日を選んでください。",
        "The version from {day} is already used. Choose a later day.";
    POOL_BUSY = 422, "pool_busy",
        "この施設には終わっていない症例があるため、読影グループを変えられません。終わってから変えてください。",
        "This site has open cases, so its reading group cannot be changed yet. Change it when they are done.";
    IN_USE = 409, "in_use",
        "すでに症例または請求に使われているため、変えられません。新しい開始日の版を作ってください。",
        "Cases or bills were made with this, so it stays. Begin a new version from a later day.";
    TARIFF_UNKNOWN = 422, "tariff_unknown",
        "この名前の料金表がありません。先に料金表を作ってください。",
        "There is no tariff of this name. Make it first.";
    AMOUNT = 422, "amount", "金額は0円以上の整数で入力してください。", "An amount is a whole number of yen, 0 or more.";
    ALREADY_READER = 422, "already_reader",
        "この利用者はすでに読影医です。", "This user is a reader already.";
    SHIFT_SPAN = 422, "shift_span",
        "開始・終了の時刻を確かめてください（24時間未満）。", "Please check the times (less than 24 hours).";
    SHIFT_OVERLAPS = 422, "shift_overlaps",
        "同じ曜日の勤務と重なっています。先にその勤務を削除してください。",
        "It runs into another shift of that day. Remove that one first.";
    ROLE_GIVEN = 422, "role_given",
        "同じ役割と範囲がこの期間にすでにあります。", "This role with this reach is there already on these days.";
    OWN_ADMINISTRATION = 409, "own_administration",
        "自分の最後の管理者権限は外せません。ほかの管理者に依頼してください。",
        "You cannot end your own last administrator role. Ask another administrator.";
    OWN_ACCOUNT = 409, "own_account",
        "自分自身は停止できません。ほかの管理者に依頼してください。",
        "You cannot lock yourself out. Ask another administrator.";
    LOGIN_LETTERS = 422, "login_letters",
        "ログイン名は半角英数字と . - _ @ で、2～60文字です。",
        "A login name has 2 to 60 letters, digits and . - _ @.";
    LOGIN_USED = 422, "login_used",
        "このログイン名はすでに使われています。", "This login name is already used.";
    SITE_OF_ROLE = 422, "site_of_role",
        "この役割には施設を選んでください。", "Choose the site for this role.";
    ROLE_WIDER = 422, "role_wider",
        "この役割は施設ごとには与えられません。全体か読影グループを選んでください。",
        "This role is not given for one site. Choose everything or a pool.";
    ROLE_EVERYWHERE = 422, "role_everywhere",
        "この役割は全体にだけ与えられます。", "This role can only be given for everything.";
}
