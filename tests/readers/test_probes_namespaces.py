"""Echoes through a real kernel, in namespaces of this test's own: privileges, loss, delay, no route."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.readers.test_probes import interpreter as interpreter  # noqa: PLC0414 - a fixture
from tests.readers.test_probes import probe

if TYPE_CHECKING:
    from collections.abc import Iterator

GATEWAY = "198.18.0.1"
WITHOUT_RAW = ("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw")
LATE = Path(__file__).parent / "late_echo.py"


class Line:
    """Two namespaces with a cable between them: ``site`` and ``street``."""

    def __init__(self) -> None:
        self.site, self.street = f"vg{os.getpid()}s", f"vg{os.getpid()}p"

    def ip(self, *arguments: str) -> None:
        subprocess.run(["ip", *arguments], check=True, capture_output=True, timeout=30)

    def inside(self, *command: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.site, *command)

    def set(self, namespace: str, name: str, value: str) -> None:
        command = ["ip", "netns", "exec", namespace, "tee", f"/proc/sys/net/ipv4/{name}"]
        subprocess.run(command, input=value, text=True, check=True, capture_output=True, timeout=30)

    def make(self) -> None:
        self.ip("netns", "add", self.site)
        self.ip("netns", "add", self.street)
        self.ip(
            "-n", self.site, "link", "add", "wan", "type", "veth", "peer", "name", "far", "netns", self.street
        )
        for namespace, device, address in ((self.site, "wan", "198.18.0.2"), (self.street, "far", GATEWAY)):
            self.ip("-n", namespace, "addr", "add", f"{address}/24", "dev", device)
            self.ip("-n", namespace, "link", "set", device, "up")
        self.ip("-n", self.site, "route", "add", "default", "via", GATEWAY)
        self.set(self.site, "ping_group_range", "1 0")

    def remove(self) -> None:
        for namespace in (self.site, self.street):
            subprocess.run(["ip", "netns", "del", namespace], check=False, capture_output=True, timeout=30)


@pytest.fixture
def line() -> Iterator[Line]:
    made = Line()
    try:
        made.make()
    except (OSError, subprocess.CalledProcessError) as error:
        made.remove()
        pytest.skip(f"network namespaces may not be made here: {error}")
    yield made
    made.remove()


@pytest.mark.parametrize(
    ("groups", "before", "method"),
    [
        ("0 2147483647", WITHOUT_RAW, 1),  # datagram sockets, no privilege
        ("1 0", (), 1),  # raw sockets, as root
        ("1 0", WITHOUT_RAW, 2),  # neither: a connection that is refused
    ],
)
def test_the_gateway_is_found_and_probed_with_what_the_kernel_allows(
    interpreter, line, groups, before, method
):
    line.set(line.site, "ping_group_range", groups)
    rows = probe(interpreter, *line.inside(*before), gateway="auto")
    fields = rows["ping", "gateway"]
    assert (fields["result_code"], fields["percent_packet_loss"], fields["method"]) == (0, 0.0, method)
    assert fields["packets_transmitted"] == fields["packets_received"] == 3


def test_a_gateway_that_says_nothing_and_one_that_is_not_there(interpreter, line):
    line.set(line.street, "icmp_echo_ignore_all", "1")
    fields = probe(interpreter, *line.inside(), gateway="auto", interval_s=5)["ping", "gateway"]
    assert (fields["result_code"], fields["percent_packet_loss"], fields["method"]) == (2, 100.0, 1)
    assert "average_response_ms" not in fields
    line.ip("-n", line.site, "route", "del", "default")
    rows = probe(interpreter, *line.inside(), gateway="auto", modem="203.0.113.1", interval_s=5)
    assert rows["ping", "gateway"]["result_code"] == 3
    assert rows["ping", "modem"]["result_code"] == 3


def test_loss_and_delay_are_measured(interpreter, line):
    """The far end answers the first and the third echo of each three, 60 ms late."""
    line.set(line.street, "icmp_echo_ignore_all", "1")
    command = ["ip", "netns", "exec", line.street, sys.executable, str(LATE), "60"]
    far = subprocess.Popen(command, stdout=subprocess.PIPE)
    try:
        assert far.stdout is not None
        assert far.stdout.readline() == b"ready\n"
        fields = probe(interpreter, *line.inside(), gateway="auto")["ping", "gateway"]
    finally:
        far.kill()
        far.communicate()
    assert (fields["result_code"], fields["percent_packet_loss"]) == (0, 33.33)
    assert (
        60 <= fields["minimum_response_ms"] <= fields["average_response_ms"] <= fields["maximum_response_ms"]
    )
    assert fields["minimum_response_ms"] < 1000
