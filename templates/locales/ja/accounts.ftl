# ログインと自分の設定
login-title = ログイン
login-line = 遠隔読影の受付・配信・報告
login-name = ログイン名
login-password = パスワード
login-enter = ログイン
account-title = 自分の設定
account-password-title = パスワードの変更
account-password-current = 現在のパスワード
account-password-new = 新しいパスワード
account-password-again = 新しいパスワード（もう一度）
account-password-rule = { $n }文字以上。変更すると、ほかの端末ではログアウトされます。
account-password-change = パスワードを変更
account-password-done = パスワードを変更しました。ほかの端末ではログアウトされました。
account-screen-title = 画面
account-language = 言語
