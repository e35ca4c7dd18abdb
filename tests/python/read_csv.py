"""Prints the rows of a CSV export as JSON objects by heading.

    read_csv.py FILE ENCODING     ENCODING as Python names it: utf-8-sig, cp932

Fails when a byte does not belong to the encoding, when utf-8-sig has no byte order mark, or when a line does not end
with CR LF.
"""
import csv
import io
import json
import sys

file, encoding = sys.argv[1:3]
data = open(file, "rb").read()
assert data.startswith(b"\xef\xbb\xbf") == (encoding == "utf-8-sig"), "the byte order mark"
assert data.endswith(b"\r\n"), "the last line's end"
json.dump(list(csv.DictReader(io.StringIO(data.decode(encoding), newline=""), strict=True)), sys.stdout)
