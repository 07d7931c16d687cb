"""The bus by a stand-in for the command ``ubus``: a real process with recorded answers."""

from __future__ import annotations

import asyncio

import pytest

from agent.errors import ReaderError
from agent.ports import command
from agent.readers import ubus

STAND_IN = """#!/bin/sh
printf '%s\\n' "$@" > "$0.asked"
cat "$0.answer"
exit $(cat "$0.status")
"""


class StandIn:
    def __init__(self, folder):
        self._file = folder / "ubus"
        self._file.write_text(STAND_IN)
        self._file.chmod(0o755)
        self.answer("")

    def answer(self, output: str | bytes, status: int = 0):
        data = output if isinstance(output, bytes) else output.encode()
        self._file.with_suffix(".answer").write_bytes(data)
        self._file.with_suffix(".status").write_text(str(status))

    def asked(self):
        return self._file.with_suffix(".asked").read_text().splitlines()


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    return StandIn(tmp_path)


def call(*arguments):
    return asyncio.run(ubus.call(command.run, *arguments))


def refused(*arguments):
    with pytest.raises(ReaderError) as caught:
        call(*arguments)
    assert "\n" not in str(caught.value)
    return caught.value.reason


def test_an_answer_is_an_object(stand_in):
    stand_in.answer('{\n\t"freq": 2412,\n\t"clients": {}\n}\n')
    assert call("hostapd.phy0-ap0", "get_clients") == {"freq": 2412, "clients": {}}
    assert stand_in.asked() == ["call", "hostapd.phy0-ap0", "get_clients"]


def test_arguments_go_as_json(stand_in):
    assert call("iwinfo", "info", {"device": "phy0'; exit 3"}) == {}
    assert stand_in.asked() == ["call", "iwinfo", "info", '{"device": "phy0\'; exit 3"}']


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (2, "ubus_invalid_argument"),
        (3, "ubus_no_method"),
        (4, "ubus_not_found"),
        (5, "ubus_no_data"),
        (6, "ubus_denied"),
        (7, "ubus_timeout"),
        (10, "ubus_unreachable"),
        (255, "ubus_unreachable"),
        (9, "ubus_failed"),
    ],
)
def test_what_ubus_refuses_has_a_reason(stand_in, status, reason):
    stand_in.answer('{"half": 1}', status)
    assert refused("network.interface", "dump") == reason


@pytest.mark.parametrize("output", ["{", "[]", "null", "7", b"\xff\xfe", "[" * 30_000, "NaN"])
def test_garbage_is_refused(stand_in, output):
    stand_in.answer(output)
    assert refused("network.interface", "dump") == "ubus_garbage"


def test_an_endless_answer_is_refused(stand_in):
    stand_in.answer('{"a": "' + "x" * ubus.MOST_BYTES + '"}')
    assert refused("network.interface", "dump") == "command_too_long"


def test_paths_are_listed_sorted(stand_in):
    stand_in.answer("hostapd.phy1-ap0\nhostapd.phy0-ap0\n")
    assert asyncio.run(ubus.list(command.run, "hostapd.*")) == ["hostapd.phy0-ap0", "hostapd.phy1-ap0"]
    assert stand_in.asked() == ["list", "hostapd.*"]


def test_no_path_is_no_error(stand_in):
    stand_in.answer("", 4)
    assert asyncio.run(ubus.list(command.run, "hostapd.*")) == []


def test_a_machine_without_ubus_says_so(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert refused("network.interface", "dump") == "command_missing"
