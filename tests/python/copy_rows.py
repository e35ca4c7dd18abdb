"""Copies whole tables from a SQLite file into PostgreSQL tables of the same columns, ids included.

    copy_rows.py SQLITE_FILE postgres://... TABLE...
"""
import sqlite3
import subprocess
import sys

file, url, tables = sys.argv[1], sys.argv[2], sys.argv[3:]


def cell(value):
    return "" if value is None else '"' + str(value).replace('"', '""') + '"'


def psql(statement, given=""):
    command = ["psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1", "--command", statement, url]
    subprocess.run(command, input=given, check=True, text=True, stdout=subprocess.DEVNULL)


with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as opened:
    for table in tables:
        found = opened.execute(f"SELECT * FROM {table} ORDER BY id")
        columns = ", ".join(column[0] for column in found.description)
        rows = "".join(",".join(map(cell, row)) + "\n" for row in found)
        psql(f"COPY {table} ({columns}) FROM STDIN WITH (FORMAT csv)", rows)
        psql(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 1) FROM {table}))")
