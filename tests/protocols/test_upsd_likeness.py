"""The simulated upsd and NUT's own, asked the same."""

from __future__ import annotations

import socket

import pytest

from simulators.protocols.sources import Condition
from simulators.protocols.upsd import Upsd
from simulators.protocols.upsd_rack import Account
from tests.protocols.serve import running
from tests.servers.upsd import ON_LINE, UpsdServer

pytestmark = pytest.mark.server

ODD = 'a "b" c\\d # e'
QUOTED = r'"a \"b\" c\\d \# e"'  # in the file that the dummy driver reads
ACCOUNT = Account(UpsdServer.password, login=False, primary=False, fsd=False)

# conversations: in each, one connection
ASKED = [
    ["", "   ", "NIX", "nix sai", "VER x", "NETVER", "netver", "NETVER x", "HELP", "HELP x", "STARTTLS"],
    ["GET", "GET VAR", "GET VAR sai", "GET NIX sai", "GET NIX sai ups.status", "get var sai ups.status"],
    ["GET VAR SAI UPS.STATUS", "GET VAR sai ups.status more", 'GET VAR "sai" ups.load', "GET VAR nadie a"],
    ["GET VAR sai nix", "GET VAR nadie server.version", "GET VAR sai server.nix", "GET TYPE sai nix"],
    ["GET TYPE nadie ups.load", "GET DESC nadie ups.load", "GET CMDDESC nadie x", "GET UPSDESC nadie"],
    ["GET NUMLOGINS nadie", "GET NUMLOGINS sai", "GET CMDDESC sai nix", "GET DESC sai nix.nix"],
    ["LIST", "LIST VAR", "LIST VAR nadie", "list var sai", "LIST NIX sai", "LIST CLIENT sai"],
    ["LIST CLIENT nadie", "LIST RW nadie", "LIST CMD nadie", "LIST ENUM sai", "LIST ENUM sai nix"],
    ["LIST RANGE sai nix", "LIST ENUM nadie ups.load", "LIST ENUM sai ups.load", "LIST VAR sai more"],
    ["LOGIN sai", "USERNAME", "USERNAME a b", "USERNAME a", "USERNAME b", "LOGIN sai", "PASSWORD"],
    ["PASSWORD x", "PASSWORD y", "SET VAR sai ups.id x", "USERNAME a", "SET VAR sai ups.id x", "LOGIN"],
    ["USERNAME vigia", "PASSWORD wrong", "LOGIN nadie", "LOGIN sai", "MASTER sai", "PRIMARY nadie"],
    ["USERNAME vigia", "PASSWORD secreto", "LOGIN sai", "PRIMARY sai", "FSD nadie", "FSD sai", "FSD"],
    ["USERNAME vigia", "PASSWORD secreto", "SET", "SET VAR", "SET VAR sai ups.id", "SET VAR sai nix 1"],
    ["USERNAME vigia", "PASSWORD secreto", "SET VAR nadie ups.id 1", "SET NIX sai ups.id 1", "SET TRACKING"],
    ["USERNAME vigia", "PASSWORD secreto", "GET TRACKING", "GET TRACKING x", "SET TRACKING x"],
    ["USERNAME vigia", "PASSWORD secreto", "SET TRACKING on", "GET TRACKING", "GET TRACKING x"],
    ["USERNAME vigia", "PASSWORD secreto", "INSTCMD", "INSTCMD sai", "INSTCMD nadie x", "INSTCMD sai x"],
    ["LOGOUT x", "LOGOUT"],
]  # fmt: skip


class Plain:
    """The same variables as the dummy driver's."""

    def variables(self):
        return {**ON_LINE, "ups.id": ODD}

    def condition(self):
        return Condition.OK

    def commands(self):
        return {}

    def command(self, name):
        return False

    def writable(self):
        return ()

    def set(self, name, value):
        return False


def converse(port: int, lines: list[str]) -> list[list[str]]:
    """Return the answers of one connection, a list of lines for each question."""
    answers: list[list[str]] = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as link, link.makefile("rwb") as stream:
        for line in lines:
            stream.write(f"{line}\n".encode())
            stream.flush()
            said = [stream.readline().decode().rstrip("\n")]
            while said[0].startswith("BEGIN ") and not said[-1].startswith("END "):
                said.append(stream.readline().decode().rstrip("\n"))
            answers.append(said)
    return answers


@pytest.fixture(scope="module")
def both(upsd_tools):
    real = UpsdServer(upsd_tools, {"sai": {**ON_LINE, "ups.id": QUOTED}}, max_age_s=15)
    ours = Upsd({"sai": Plain()}, accounts={UpsdServer.user: ACCOUNT})
    try:
        real.start()
        with running(ours):
            yield real.port, ours.port
    finally:
        real.stop()


def comparable(said: list[str]) -> list[str]:
    """Without who it is, which the dummy driver says in its own words."""
    own = (" driver.", " device.", " ups.mfr ", " ups.model ")
    return [line for line in said if not any(name in line for name in own)]


@pytest.mark.parametrize("lines", ASKED, ids=lambda lines: lines[-1] or "empty")
def test_it_answers_as_the_real_one(both, lines):
    real, ours = (converse(port, lines) for port in both)
    expected = [(line, comparable(said)) for line, said in zip(lines, real, strict=True)]
    assert [(line, comparable(said)) for line, said in zip(lines, ours, strict=True)] == expected
