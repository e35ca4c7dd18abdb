"""C-STORE of files to a receiver that is killed between its answers and the rows behind them.

    send_and_kill.py HOST PORT CALLING CALLED DATABASE PROCESS FIRST FILE...

FIRST opens the arrival. Then this holds the SQLite database's write lock, so that no row can be written, sends each
FILE, and kills the process (SIGKILL) when the last is answered. Prints the statuses of the files as JSON: four
hexadecimal digits each, or null where no answer came.
"""
import json
import os
import signal
import sqlite3
import sys

from pydicom import dcmread
from pynetdicom import AE, _config

_config.STORE_SEND_CHUNKED_DATASET = True
host, port, calling, called, database, process, first, *files = sys.argv[1:]
entity = AE(ae_title=calling)
metas = [dcmread(file, stop_before_pixels=True, specific_tags=["SOPClassUID"]).file_meta for file in [first, *files]]
for kind in {(meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID) for meta in metas}:
    entity.add_requested_context(*kind)
association = entity.associate(host, int(port), ae_title=called)
assert association.is_established, "no association"
assert association.send_c_store(first).Status == 0, "the first was not taken"
lock = sqlite3.connect(database, timeout=30, isolation_level=None)
lock.execute("BEGIN IMMEDIATE")
statuses = [association.send_c_store(file).get("Status") for file in files]
os.kill(int(process), signal.SIGKILL)
lock.execute("ROLLBACK")
lock.close()
association.abort()
json.dump([None if status is None else f"{status:04X}" for status in statuses], sys.stdout)
