"""C-STORE of files byte by byte, whatever is wrong with their data sets.

    send_as_is.py HOST PORT CALLING CALLED FILE...

Prints JSON: one entry a file, its status as four hexadecimal digits, or null where no answer came.
"""
import json
import sys

from pydicom import dcmread
from pynetdicom import AE, _config

_config.STORE_SEND_CHUNKED_DATASET = True
host, port, calling, called, *files = sys.argv[1:]
entity = AE(ae_title=calling)
metas = [dcmread(file, stop_before_pixels=True, specific_tags=["SOPClassUID"]).file_meta for file in files]
for kind in {(meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID) for meta in metas}:
    entity.add_requested_context(*kind)
association = entity.associate(host, int(port), ae_title=called)
assert association.is_established, "no association"
statuses = [association.send_c_store(file).get("Status") for file in files]
association.release()
json.dump([None if status is None else f"{status:04X}" for status in statuses], sys.stdout)
