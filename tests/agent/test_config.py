"""The configuration: defaults, paths, and an error that says what to do."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.config import READERS, check, distance, load
from agent.errors import ConfigError
from agent.readers import READERS as READER_TABLE

SMALL: dict[str, Any] = {"device": "mx-001", "site": "sitio-1", "broker": {"host": "localhost"}}


def test_defaults_complete_a_small_configuration():
    config = check(SMALL, "/etc/vigia/")
    assert config["broker"]["ca"] == "/etc/vigia/ca.der"
    assert config["broker"]["port"] == 8883
    assert config["spool"] == {"ram_dir": "/tmp/vigia", "flash_dir": None, "limit_kib": 512}  # noqa: S108 - the documented default
    assert config["intervals"]["frame_s"] == 30
    assert list(config["readers"]) == ["host", "interfaces"]


def test_a_password_file_is_beside_the_configuration():
    config = check(SMALL | {"readers": {"ups": {"username": "u", "password_file": "ups.pw"}}}, "/etc/vigia/")
    assert config["readers"]["ups"]["password_file"] == "/etc/vigia/ups.pw"


def test_the_day_of_the_clients_is_kept_in_the_folder_in_memory():
    wifi = {"neighbours": {"mx-002": ["02:11:32:A0:00:01"]}, "scan_s": 900, "places": {"wlan0": "outdoor"}}
    config = check(SMALL | {"readers": {"wifi": wifi}, "spool": {"ram_dir": "/run/vigia"}})
    assert config["readers"]["wifi"]["day_file"] == "/run/vigia/wifi-day"
    assert config["readers"]["wifi"]["utc_offset_h"] == -6


def test_every_reader_of_the_table_has_its_options():
    assert sorted(READERS) == sorted(name for name, _ in READER_TABLE)


@pytest.mark.parametrize(
    ("change", "reason", "text"),
    [
        ({"sit": "x"}, "unknown_key", "sit is unknown; did you mean site?"),
        ({"intervals": {"sampel_s": 1}}, "unknown_key", "did you mean intervals.sample_s?"),
        ({"readers": {"up": {}}}, "unknown_key", "did you mean readers.ups?"),
        ({"readers": {"ups": {"usernam": "x"}}}, "unknown_key", "did you mean readers.ups.username?"),
        ({"broker": {}}, "missing_key", "broker.host is missing"),
        ({"broker": {"host": "h", "port": 0}}, "bad_value", "broker.port has to be a number from 1 to 65535"),
        ({"broker": {"host": "h", "port": 1.5}}, "bad_value", "broker.port has to be a whole number"),
        ({"broker": []}, "bad_value", "broker has to be an object"),
        ({"device": "MX 1"}, "bad_value", "device has to be a device name"),
        ({"device": "vigia-x"}, "bad_value", "device has to be a device name"),
        ({"site": ""}, "bad_value", "site has to be a text"),
        ({"intervals": {"frame_s": True}}, "bad_value", "intervals.frame_s has to be a number"),
        (
            {"intervals": {"frame_s": 0}},
            "bad_value",
            "intervals.frame_s has to be a number from 0.05 to 3600 s",
        ),
        ({"readers": {"interfaces": {"names": "eth0"}}}, "bad_value", "has to be a list of texts"),
        ({"readers": []}, "bad_value", "readers has to be an object"),
        ({"readers": {"wifi": {"places": {"wlan0": "roof"}}}}, "bad_value", "say indoor or outdoor"),
        ({"readers": {"wifi": {"places": ["wlan0"]}}}, "bad_value", "say indoor or outdoor"),
        ({"readers": {"wifi": {"scan_s": 60}}}, "bad_value", "from 300 to 86400 s"),
        ({"readers": {"wifi": {"utc_offset_h": 15}}}, "bad_value", "from -12 to 14 h"),
        ({"readers": {"wifi": {"neighbours": {}}}}, "bad_value", "an object of 1 to 16 names"),
        (
            {"readers": {"wifi": {"neighbours": {"a": ["02:11:32:a0:00"]}}}},
            "bad_value",
            "addresses (BSSID) of a",
        ),
        ({"readers": {"wifi": {"neighbours": {"a": None}}}}, "bad_value", "addresses (BSSID) of a"),
        (
            {"readers": {"wifi": {"neighbours": {"0211.32A0.0001": ["02:11:32:a0:00:01"]}}}},
            "bad_value",
            "not by an address",
        ),
        ({"spool": {"limit_kib": 1}}, "bad_value", "spool.limit_kib has to be a number from 128 to 65536"),
    ],
)
def test_what_is_wrong_is_named(change, reason, text):
    with pytest.raises(ConfigError) as raised:
        check(SMALL | change)
    assert raised.value.reason == reason
    assert text in str(raised.value)


def test_a_missing_key_at_the_top():
    with pytest.raises(ConfigError, match="device is missing"):
        check({"site": "x", "broker": {"host": "h"}})


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.json", b"{", "a.json: is not JSON"),
        ("a.json", b"[]", "a.json: has to be one object"),
        ("a.toml", b"= 1", "a.toml: is not TOML"),
        ("a.json", b"\xff", "a.json: is not JSON"),
    ],
)
def test_a_file_that_cannot_be_parsed(tmp_path, name, content, text):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ConfigError, match=text):
        load(str(tmp_path / name))


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(ConfigError, match="cannot be read"):
        load(str(tmp_path / "none.json"))


def test_json_and_toml_say_the_same(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(SMALL))
    (tmp_path / "a.toml").write_text('device = "mx-001"\nsite = "sitio-1"\n[broker]\nhost = "localhost"\n')
    assert load(str(tmp_path / "a.json")) == load(str(tmp_path / "a.toml"))


@pytest.mark.parametrize(
    ("left", "right", "expected"), [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("ab", "ba", 2)]
)
def test_distance(left, right, expected):
    assert distance(left, right) == expected
