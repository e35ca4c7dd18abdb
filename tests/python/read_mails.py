"""Prints the mails of a Maildir as JSON, oldest first: from, to, subject, text, raw."""
import email.policy
import json
import mailbox
import pathlib
import sys

folder = pathlib.Path(sys.argv[1])
found = []
if folder.exists():
    box = mailbox.Maildir(folder, create=False)
    for key in box.keys():
        raw = box.get_bytes(key)
        mail = email.message_from_bytes(raw, policy=email.policy.default)
        parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
        arrived = (folder / "new" / key).stat().st_mtime_ns
        found.append((arrived, {
            "from": mail["From"] or "",
            "to": mail["To"] or "",
            "subject": mail["Subject"] or "",
            "text": "\n".join(parts),
            "raw": raw.decode("utf-8", "replace"),
        }))
json.dump([mail for _, mail in sorted(found, key=lambda entry: entry[0])], sys.stdout)
