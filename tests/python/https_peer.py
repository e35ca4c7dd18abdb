"""Looks at an HTTPS server as a careful administrator does. Prints JSON.

    https_peer.py HOST PORT CA                  versions, suites, headers of the front page
    https_peer.py HOST PORT CA login NAME WORD  the cookie that a login gets, as the server sets it
"""
import http.client
import json
import re
import ssl
import sys
import urllib.parse

host, port, ca, *rest = sys.argv[1:]


def context(version=None, ciphers=None):
    made = ssl.create_default_context(cafile=ca)
    if version:
        made.minimum_version = made.maximum_version = version
    if ciphers:
        made.set_ciphers(ciphers)
    return made


def connect(made):
    connection = http.client.HTTPSConnection(host, int(port), context=made, timeout=20)
    connection.connect()
    return connection


def suite(version, ciphers=None):
    try:
        return connect(context(version, ciphers)).sock.cipher()[0]
    except (ssl.SSLError, ConnectionError):
        return None


def login(name, word):
    connection = connect(context())
    connection.request("GET", "/login")
    answer = connection.getresponse()
    page = answer.read().decode()
    fields = dict(re.findall(r'<input[^>]*type="hidden"[^>]*name="([^"]*)"[^>]*value="([^"]*)"', page))
    fields |= {"login": name, "password": word}
    cookies = "; ".join(value.split(";")[0] for value in answer.headers.get_all("set-cookie") or [])
    headers = {"content-type": "application/x-www-form-urlencoded", "cookie": cookies}
    connection.request("POST", "/login", urllib.parse.urlencode(fields), headers)
    answer = connection.getresponse()
    return {"status": answer.status, "cookies": answer.headers.get_all("set-cookie") or []}


if rest:
    out = login(*rest[1:])
else:
    connection = connect(context())
    connection.request("GET", "/login")
    answer = connection.getresponse()
    modern = context()
    modern.set_alpn_protocols(["h2"])
    out = {
        "status": answer.status,
        "hsts": answer.headers.get("strict-transport-security"),
        "serial": connection.sock.getpeercert()["serialNumber"],
        "tls13": suite(ssl.TLSVersion.TLSv1_3),
        "tls12": suite(ssl.TLSVersion.TLSv1_2),
        "cbc": suite(ssl.TLSVersion.TLSv1_2, "ECDHE-ECDSA-AES128-SHA256:AES128-GCM-SHA256:@SECLEVEL=0"),
        "tls11": suite(ssl.TLSVersion.TLSv1_1, "DEFAULT:@SECLEVEL=0"),
        "alpn": connect(modern).sock.selected_alpn_protocol(),
    }
json.dump(out, sys.stdout)
