"""What the authority's folder holds, who signed whom, who may read what."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
import stat
from typing import TYPE_CHECKING

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_private_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agent import config as agent_config
from agent.build import old_ack_keys
from agent.wire import mac
from certs import keys
from certs.authority import Authority
from certs.enrolment import Place
from certs.errors import CertsError

if TYPE_CHECKING:
    from pathlib import Path

NOW_MS = 1_790_000_000_000
PRIVATE = {"ca.key", "collector-ca.key", "key.pem", "key.der", "ack.key", "ack.secret"}


class Clock:
    def __init__(self) -> None:
        self.ms = NOW_MS

    def __call__(self) -> int:
        self.ms += 1000
        return self.ms


@pytest.fixture
def authority(tmp_path) -> Authority:
    return Authority.create(tmp_path / "pki", ["broker.example.org", "192.0.2.7"], clock=Clock())


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def enrolled(authority, device):
    return json.loads((authority.folder / "enrolments" / f"{device}.json").read_text())


def public_key(cert: x509.Certificate) -> bytes:
    return cert.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_who_signed_whom(authority):
    folder = authority.folder
    device = authority.issue("router-a", "alcaldia").folder
    main, collector = certificate(folder / "ca.pem"), certificate(folder / "collector" / "ca.pem")
    certificate(folder / "server" / "cert.pem").verify_directly_issued_by(main)
    certificate(device / "cert.pem").verify_directly_issued_by(main)
    certificate(folder / "collector" / "cert.pem").verify_directly_issued_by(collector)
    assert public_key(main) != public_key(collector)
    assert main.subject != collector.subject


def test_private_files_are_private(authority):
    authority.issue("router-a", "alcaldia")
    authority.rotate_device("router-a")
    authority.export_mosquitto()
    found = {path.name for path in authority.folder.rglob("*") if path.is_file()}
    assert found >= PRIVATE
    for path in authority.folder.rglob("*"):
        if path.is_file():
            private = path.name in PRIVATE or path.match("ack.*.key")
            expected = 0o600 if private else 0o644
            assert stat.S_IMODE(path.stat().st_mode) == expected, path


def test_no_half_written_files_remain(authority):
    authority.issue("router-a", "alcaldia")
    authority.renew_device("router-a")
    assert list(authority.folder.rglob(".*")) == []


def test_a_device_certificate(authority):
    folder = authority.issue("router-a", "alcaldia").folder
    cert = certificate(folder / "cert.pem")
    assert [name.value for name in cert.subject] == ["router-a"]
    assert cert.not_valid_before_utc.year == 2020
    assert cert.extensions.get_extension_for_class(x509.BasicConstraints).value.ca is False
    usage = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert isinstance(cert.public_key(), ec.EllipticCurvePublicKey)
    assert (folder / "cert.der").read_bytes() == cert.public_bytes(Encoding.DER)
    assert (folder / "ca.der").read_bytes() == (authority.folder / "ca.der").read_bytes()


def test_the_server_certificate_names_the_broker(authority):
    cert = certificate(authority.folder / "server" / "cert.pem")
    names = cert.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["broker.example.org", "localhost"]
    assert [str(a) for a in names.get_values_for_type(x509.IPAddress)] == ["192.0.2.7", "127.0.0.1", "::1"]
    usage = cert.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]


def test_the_collector_certificate(authority):
    cert = certificate(authority.folder / "collector" / "cert.pem")
    assert cert.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "vigia-collector"


def test_openssl_accepts_what_is_written(authority):
    device = authority.issue("router-a", "alcaldia").folder
    for folder in (device, authority.folder / "server", authority.folder / "collector"):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_cert_chain(folder / "cert.pem", folder / "key.pem")


def test_kid_and_ack_key(authority):
    folder = authority.issue("router-a", "alcaldia").folder
    spki = public_key(certificate(folder / "cert.pem"))
    kid = hashlib.sha256(spki).digest()[:8]
    entry = enrolled(authority, "router-a")["keys"][0]
    assert entry["kid"] == kid.hex()
    assert base64.b64decode(entry["spki"]) == spki
    secret = (authority.folder / "collector" / "ack.secret").read_bytes()
    expected = hmac.new(secret, b"vigia ack v1" + kid, hashlib.sha256).digest()
    assert (folder / "ack.key").read_bytes() == expected


def test_ack_key_vector():
    assert mac.ack_key(bytes(range(32)), bytes.fromhex("0102030405060708")).hex() == (
        "81f28c9a653166881285fa26486912c155ccc1f6c6307370c8c1db8b1ca94cf0"
    )


def test_key_der_is_the_certified_key(authority):
    folder = authority.issue("router-a", "alcaldia").folder
    key = load_der_private_key((folder / "key.der").read_bytes(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert keys.spki(key.public_key()) == public_key(certificate(folder / "cert.pem"))


def test_enrolment(authority):
    place = Place("pi", "ups:main", "mains", "router-b", "SN-7")
    authority.issue("router-a", "alcaldia", place=place)
    value = enrolled(authority, "router-a")
    assert list(value) == [
        "device", "site", "kind", "feed", "modem_feed", "uplink", "serial", "issued_ms", "keys",
    ]  # fmt: skip
    assert {key: value[key] for key in list(value)[:7]} == {
        "device": "router-a",
        "site": "alcaldia",
        "kind": "pi",
        "feed": "ups:main",
        "modem_feed": "mains",
        "uplink": "router-b",
        "serial": "SN-7",
    }
    assert value["issued_ms"] == value["keys"][0]["from_ms"] > NOW_MS


def test_unknown_places_are_null(authority):
    authority.issue("router-a", "alcaldia")
    value = enrolled(authority, "router-a")
    assert [value[key] for key in ("feed", "modem_feed", "uplink", "serial")] == [None] * 4


def test_agent_configuration(authority):
    folder = authority.issue("router-a", "alcaldia").folder
    config = json.loads((folder / "agent.json").read_text())
    assert (config["device"], config["site"]) == ("router-a", "alcaldia")
    broker = config["broker"]
    assert (broker["host"], broker["port"]) == ("broker.example.org", 8883)
    assert all((folder / broker[name]).exists() for name in ("ca", "cert", "key", "ack_key"))
    assert set(config["readers"]) == {"host", "interfaces"}


def test_agent_configuration_for_another_address(authority):
    folder = authority.issue("router-a", "alcaldia", host="10.0.0.1", port=1234).folder
    broker = json.loads((folder / "agent.json").read_text())["broker"]
    assert (broker["host"], broker["port"]) == ("10.0.0.1", 1234)


def test_renew_keeps_the_key_and_edits(authority):
    folder = authority.issue("router-a", "alcaldia").folder
    before = certificate(folder / "cert.pem")
    (folder / "agent.json").write_text('{"edited": true}')
    entry = enrolled(authority, "router-a")
    key = (folder / "key.der").read_bytes()
    authority.renew_device("router-a", days=10)
    after = certificate(folder / "cert.pem")
    assert public_key(before) == public_key(after)
    assert before.serial_number != after.serial_number
    assert (folder / "key.der").read_bytes() == key
    assert enrolled(authority, "router-a") == entry
    assert json.loads((folder / "agent.json").read_text()) == {"edited": True}


def test_rotate_keeps_both_keys_enrolled(authority):
    folder = authority.issue("router-a", "alcaldia").folder
    first = enrolled(authority, "router-a")
    ack_key = (folder / "ack.key").read_bytes()
    authority.rotate_device("router-a")
    second = enrolled(authority, "router-a")
    assert second["keys"][0] == first["keys"][0]
    assert len(second["keys"]) == 2
    assert second["keys"][1]["from_ms"] > first["keys"][0]["from_ms"]
    now_certified = hashlib.sha256(public_key(certificate(folder / "cert.pem"))).digest()[:8].hex()
    assert second["keys"][1]["kid"] == now_certified != first["keys"][0]["kid"]
    assert (folder / "ack.key").read_bytes() != ack_key


def test_rotation_and_renewal_keep_the_ack_keys_of_all_earlier_keys(authority):
    folder = authority.issue("router-a", "alcaldia").folder
    secrets = {}
    for _ in range(3):
        kid = enrolled(authority, "router-a")["keys"][-1]["kid"]
        secrets[kid] = (folder / "ack.key").read_bytes()
        authority.rotate_device("router-a")
    for step in (lambda: None, lambda: authority.renew_device("router-a")):
        step()
        config = agent_config.load(str(folder / "agent.json"))
        assert {kid: (folder / f"ack.{kid}.key").read_bytes() for kid in secrets} == secrets
        assert old_ack_keys(config) == {bytes.fromhex(kid): key for kid, key in secrets.items()}
        assert (folder / "ack.key").read_bytes() not in secrets.values()


def test_rotation_keeps_what_people_put_into_the_configuration(authority):
    folder = authority.issue("router-a", "alcaldia").folder
    config = json.loads((folder / "agent.json").read_text())
    config["readers"]["ups"] = {"names": ["sótano"]}
    (folder / "agent.json").write_text(json.dumps(config))
    authority.rotate_device("router-a")
    after = json.loads((folder / "agent.json").read_text())
    assert set(after["broker"].pop("old_ack_keys")) == {enrolled(authority, "router-a")["keys"][0]["kid"]}
    assert after == config


@pytest.mark.parametrize("text", ["no json", "[]", '{"broker": 1}', '{"broker": {"old_ack_keys": 1}}'])
def test_rotation_refuses_a_configuration_it_cannot_extend(authority, text):
    folder = authority.issue("router-a", "alcaldia").folder
    key = (folder / "key.der").read_bytes()
    (folder / "agent.json").write_text(text)
    with pytest.raises(CertsError, match="not a configuration"):
        authority.rotate_device("router-a")
    assert (folder / "key.der").read_bytes() == key
    assert len(enrolled(authority, "router-a")["keys"]) == 1


def test_issue_refuses_to_overwrite(authority):
    issued = authority.issue("router-a", "alcaldia")
    key = (issued.folder / "key.der").read_bytes()
    with pytest.raises(CertsError, match="already issued"):
        authority.issue("router-a", "alcaldia")
    assert (issued.folder / "key.der").read_bytes() == key


def test_create_refuses_to_overwrite(authority):
    key = (authority.folder / "ca.key").read_bytes()
    with pytest.raises(CertsError, match="not an empty folder"):
        Authority.create(authority.folder)
    assert (authority.folder / "ca.key").read_bytes() == key


@pytest.mark.parametrize(
    "device", ["", "Router", "vigia-ingest-0", "-a", "a" * 64, "a/b", "a+", "ñandú", "a\n"]
)
def test_bad_device_names(authority, device):
    with pytest.raises(CertsError, match="not a device name"):
        authority.issue(device, "alcaldia")


@pytest.mark.parametrize("site", ["", "A", "a b", "../x", "a\n"])
def test_bad_sites(authority, site):
    with pytest.raises(CertsError, match="not a site id"):
        authority.issue("router-a", site)


@pytest.mark.parametrize(
    "place", [Place(feed="grid"), Place(modem_feed="ups:"), Place(uplink="A"), Place(kind="x")]
)
def test_bad_places(authority, place):
    with pytest.raises(CertsError):
        authority.issue("router-a", "alcaldia", place=place)
    assert not (authority.folder / "devices" / "router-a").exists()


@pytest.mark.parametrize("host", ["", "a b", "-a", "a..b", "http://x", "300.1.1.1/2"])
def test_bad_hosts(tmp_path, host):
    with pytest.raises(CertsError, match="not a host name"):
        Authority.create(tmp_path / "pki", [host])


def test_renewing_a_device_that_was_never_issued(authority):
    with pytest.raises(CertsError, match="never issued"):
        authority.renew_device("router-z")


def test_the_broker_gets_new_names_and_keeps_its_key(authority):
    server = authority.folder / "server"
    key = (server / "key.pem").read_bytes()
    authority.renew(["new.example.org"])
    names = certificate(server / "cert.pem").extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert names.value.get_values_for_type(x509.DNSName) == ["new.example.org", "localhost"]
    assert (server / "key.pem").read_bytes() == key
    assert Authority.open(authority.folder).settings.names == ("new.example.org",)


def test_no_certificate_outlives_2049(authority):
    folder = authority.issue("router-a", "alcaldia", days=36_500).folder
    assert certificate(folder / "cert.pem").not_valid_after_utc.year == 2049
