"""What pyHanko says of every signature in a PDF, as JSON.

    check_pdf.py FILE CA_CERTIFICATE_PEM
"""
import json
import sys

from pyhanko.keys import load_cert_from_pemder
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import validate_pdf_signature
from pyhanko_certvalidator import ValidationContext

file, root = sys.argv[1:3]
found = []
with open(file, "rb") as opened:
    for signature in PdfFileReader(opened).embedded_signatures:
        context = ValidationContext(trust_roots=[load_cert_from_pemder(root)], allow_fetching=False)
        status = validate_pdf_signature(signature, context)
        found.append({
            "intact": status.intact,
            "valid": status.valid,
            "trusted": status.trusted,
            "coverage": status.coverage.name,
            "later_change": None if status.modification_level is None else status.modification_level.name,
            "signer": status.signing_cert.subject.human_friendly,
            "subfilter": signature.sig_object.get("/SubFilter"),
        })
json.dump(found, sys.stdout)
