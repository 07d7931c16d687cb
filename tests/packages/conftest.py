from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from certs.enrolment import Place
from tests.agent.centre import DEVICE, SITE, LiveCentre
from tests.packages.root import Root
from tests.servers.mosquitto import MosquittoServer, new_authority
from tools import packages

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from certs.authority import Authority


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with all packages."""
    folder = tmp_path_factory.mktemp("packages") / "out"
    packages.make(folder)
    return folder


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Root]:
    with Root(tmp_path / "root") as root:
        yield root


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return new_authority(tmp_path / "pki")


@pytest.fixture
def device(authority: Authority, kind: str) -> Path:
    """The folder of a device that was issued; each module says of which ``kind`` it is."""
    return authority.issue(DEVICE, SITE, place=Place(kind=kind)).folder


@pytest.fixture
def centre(tmp_path: Path, authority: Authority, device: Path, mosquitto_bin: str) -> Iterator[LiveCentre]:
    """A broker, and a centre that verifies and acknowledges the device's frames."""
    broker = MosquittoServer(mosquitto_bin, tmp_path / "broker", authority).start()
    centre = LiveCentre(authority, device)
    try:
        yield centre.start()
    finally:
        centre.stop()
        broker.stop()
