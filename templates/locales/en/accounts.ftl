# Signing in and one's own settings
login-title = Sign in
login-line = Remote reading: intake, dispatch, reports
login-name = Login name
login-password = Password
login-enter = Sign in
account-title = My settings
account-password-title = Change the password
account-password-current = Current password
account-password-new = New password
account-password-again = New password (again)
account-password-rule = { $n } characters or more. Other devices are signed out.
account-password-change = Change the password
account-password-done = The password was changed. Other devices were signed out.
account-screen-title = Screen
account-language = Language
