from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from certs.authority import Authority
from tests.servers import programs
from tests.servers.mosquitto import MosquittoServer, new_authority
from tests.transport.remote import Remote

SITE = "sitio-1"
VARIANTS = {
    "paho": ("paho", lambda: [sys.executable]),
    "cpython": ("ours", lambda: [sys.executable]),
    "micropython": ("ours", lambda: [programs.built("micropython", "micropython")]),
}
MIPS = ("ours", lambda: ["qemu-mips-static", programs.built("micropython-mips", "servers")])
OURS = [name for name in VARIANTS if name != "paho"]

Start = Callable[..., Remote]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    made = new_authority(tmp_path_factory.mktemp("pki") / "pki")
    made.issue("mx-001", SITE)
    return made


@pytest.fixture
def broker(mosquitto_bin: str, authority: Authority, tmp_path: Path) -> Iterator[MosquittoServer]:
    server = MosquittoServer(mosquitto_bin, tmp_path / "broker", authority).start()
    yield server
    server.kill()


def starter(variant: str, authority: Authority) -> Start:
    kind, command = {**VARIANTS, "mips": MIPS}[variant]

    def make(port: int, folder: Path | None = None, *, keepalive_s: int = 20) -> Remote:
        own = authority.folder / "devices" / "mx-001"
        return Remote(command(), kind, folder or own, port, name="mx-001", keepalive_s=keepalive_s)

    return make


@pytest.fixture(params=[*VARIANTS, pytest.param("mips", marks=pytest.mark.mips)])
def start(request: pytest.FixtureRequest, authority: Authority) -> Start:
    """Make a transport of each kind: ``start(port, folder=..., keepalive_s=...)``."""
    return starter(request.param, authority)


@pytest.fixture(params=[*OURS, pytest.param("mips", marks=pytest.mark.mips)])
def ours(request: pytest.FixtureRequest, authority: Authority) -> Start:
    """The same without paho, which has its own ways with packets that no broker sends."""
    return starter(request.param, authority)
