"""Makes an empty page and signs it with a key below a CA, both invented: a PDF whose signature is known to be good.

    make_signed_pdf.py FOLDER     writes signed.pdf and ca.pem
"""
import datetime
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils import generic, writer
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign import signers
from pyhanko.sign.fields import SigSeedSubFilter

folder = pathlib.Path(sys.argv[1])
now = datetime.datetime.now(datetime.timezone.utc)


def certificate(name, key, issuer_name, issuer_key, is_ca):
    subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)]) for text in (name, issuer_name))
    usage = dict.fromkeys(
        ["digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
         "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"], False)
    usage["key_cert_sign" if is_ca else "content_commitment"] = True
    usage["digital_signature"] = not is_ca
    built = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
    built = built.serial_number(x509.random_serial_number())
    built = built.not_valid_before(now - datetime.timedelta(hours=1)).not_valid_after(now + datetime.timedelta(days=1))
    built = built.add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
    built = built.add_extension(x509.KeyUsage(**usage), critical=True)
    return built.sign(issuer_key, hashes.SHA256())


ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
ca = certificate("Invented CA", ca_key, "Invented CA", ca_key, True)
reader = certificate("Invented Reader", key, "Invented CA", ca_key, False)
pem = serialization.Encoding.PEM
(folder / "ca.pem").write_bytes(ca.public_bytes(pem))
(folder / "reader.pem").write_bytes(reader.public_bytes(pem))
plain = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
(folder / "key.pem").write_bytes(key.private_bytes(pem, *plain))

document = writer.PdfFileWriter()
empty = document.add_object(generic.StreamObject(stream_data=b""))
a4 = generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842)))
page = writer.PageObject(contents=empty, media_box=a4)
document.insert_page(page)
with open(folder / "unsigned.pdf", "wb") as out:
    document.write(out)

signer = signers.SimpleSigner.load(folder / "key.pem", folder / "reader.pem", ca_chain_files=(folder / "ca.pem",))
how = signers.PdfSignatureMetadata(field_name="Signature", subfilter=SigSeedSubFilter.PADES)
with open(folder / "unsigned.pdf", "rb") as plain_pdf, open(folder / "signed.pdf", "wb") as out:
    signers.sign_pdf(IncrementalPdfFileWriter(plain_pdf), how, signer=signer, output=out)
