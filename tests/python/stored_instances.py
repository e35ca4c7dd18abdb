"""What an installation holds of one study, seen from outside: index rows and the files they point to.

    stored_instances.py DATABASE OBJECTS STUDY_UID

DATABASE is a SQLite file or postgres://..., OBJECTS the folder of objects. Prints JSON, one entry an index row:
uid, intact (the file is there, or a record of the journal, has the row's hash, and pydicom reads the same UID out
of it).
"""
import csv
import hashlib
import io
import json
import pathlib
import sqlite3
import struct
import subprocess
import sys

import pydicom

database, objects, study = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
assert all(c in "0123456789." for c in study), "a UID has digits and dots"
sql = (
    "SELECT i.sop_instance_uid, i.object_key, i.sha256 FROM instances i "
    f"JOIN studies s ON s.id = i.study_id WHERE s.study_uid = '{study}' ORDER BY i.id"
)


def rows():
    if database.startswith("postgres"):
        command = ["psql", "--no-psqlrc", "--quiet", "--csv", "--tuples-only", "--command", sql, database]
        answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        return list(csv.reader(answer.splitlines()))
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as opened:
        return opened.execute(sql).fetchall()


def journaled():
    """Key -> bytes of every whole record, as models/src/objects/journal/record.rs describes them."""
    found, page = {}, 4096
    for segment in sorted((objects / "journal").glob("segment-*")):
        data = segment.read_bytes()
        magic, generation = struct.unpack_from("<8sQ", data)
        at = page
        while magic == b"DOKUEI-J" and at + page <= len(data):
            record, lap, body, key, note = struct.unpack_from("<8sQQII", data, at)
            text = at + 32
            head = data[at:text + key + note]
            if record != b"DKREC-01" or lap != generation or hashlib.sha256(head).digest() != data[text + key + note:][:32]:
                break
            found[data[text:text + key].decode()] = data[at + page:at + page + body]
            at += page + -(-body // page) * page
    return found


def intact(uid, key, sha256):
    file = objects / key
    held = file.read_bytes() if file.is_file() else journaled().get(key, b"")
    if hashlib.sha256(held).hexdigest() != sha256:
        return False
    return pydicom.dcmread(io.BytesIO(held)).SOPInstanceUID == uid


json.dump([{"uid": uid, "intact": intact(uid, key, sha256)} for uid, key, sha256 in rows()], sys.stdout)
