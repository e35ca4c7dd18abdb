"""A PACS that asks whether its images are safe, and hears the answer another time.

    commitment.py ask HOST PORT CALLING CALLED TRANSACTION CLASS@UID...   asks; prints the status, four hexadecimal digits
    commitment.py hear PORT TITLE                                         waits for one report; prints it as JSON

A report: event type, transaction, safe UIDs, UIDs that are not.
"""
import json
import sys
import threading

from pydicom.dataset import Dataset
from pynetdicom import AE, evt

COMMIT, INSTANCE = "1.2.840.10008.1.20.1", "1.2.840.10008.1.20.1.1"

if sys.argv[1] == "ask":
    host, port, calling, called, transaction, *objects = sys.argv[2:]
    entity = AE(ae_title=calling)
    entity.add_requested_context(COMMIT)
    association = entity.associate(host, int(port), ae_title=called)
    assert association.is_established, "no association"
    question = Dataset()
    question.TransactionUID = transaction
    question.ReferencedSOPSequence = []
    for pair in objects:
        item = Dataset()
        item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID = pair.split("@")
        question.ReferencedSOPSequence.append(item)
    status, _ = association.send_n_action(question, 1, COMMIT, INSTANCE)
    association.abort()
    print(f"{status.Status:04X}")
else:
    port, title = int(sys.argv[2]), sys.argv[3]
    done = threading.Event()

    def heard(event):
        said = event.event_information
        safe = [item.ReferencedSOPInstanceUID for item in said.get("ReferencedSOPSequence", [])]
        failed = [item.ReferencedSOPInstanceUID for item in said.get("FailedSOPSequence", [])]
        print(json.dumps([event.event_type, said.TransactionUID, safe, failed]), flush=True)
        done.set()
        return 0x0000, None

    listener = AE(ae_title=title)
    listener.add_supported_context(COMMIT, scu_role=False, scp_role=True)
    listener.add_supported_context("1.2.840.10008.1.1")
    server = listener.start_server(("127.0.0.1", port), block=False, evt_handlers=[(evt.EVT_N_EVENT_REPORT, heard)])
    done.wait(120)
    # The answer to the report is on its way.
    threading.Event().wait(0.5)
    server.shutdown()
