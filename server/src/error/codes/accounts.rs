//! Signing in, passwords, users.

use crate::error::code_table;

code_table! {
    LOGIN_REFUSED = 401, "login_refused",
        "ログイン名またはパスワードが違います。", "The login name or the password is wrong.";
    PASSWORD_WRONG = 422, "password_wrong",
        "現在のパスワードが違います。", "The current password is wrong.";
    PASSWORD_TOO_SHORT = 422, "password_too_short",
        "パスワードが短すぎます。", "The password is too short.";
    PASSWORD_SAME_AS_LOGIN = 422, "password_same_as_login",
        "ログイン名と同じパスワードは使えません。", "The password must not be the login name.";
    PASSWORDS_DIFFER = 422, "passwords_differ",
        "二つの新しいパスワードが一致しません。", "The two new passwords are not the same.";
    LOGIN_TAKEN = 409, "login_taken",
        "ログイン名「{login}」はすでに使われています。", "The login name \"{login}\" is already used.";
    USER_INVALID = 422, "user_invalid",
        "利用者の内容に誤りがあります（{reason}）。", "The user's details are not right ({reason}).";
    ADMINISTRATOR_EXISTS = 409, "administrator_exists",
        "管理者はすでに登録されています。", "There is an administrator already.";
    LAST_ADMINISTRATOR = 409, "last_administrator",
        "最後の管理者の権限は外せません。先に別の管理者を登録してください。",
        "The last administrator's right cannot be taken away. Make another administrator first.";
}
