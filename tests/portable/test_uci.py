"""OpenWrt's configuration as the agent's: what is read, what each value becomes, what is refused."""

from agent import config, uci
from agent.errors import ConfigError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

ISSUED = {"device": "mx-001", "site": "sitio-1", "broker": {"host": "centro.example", "port": 8883}}
ROUTER = """
package vigia

config agent 'agent'
\toption enabled '1'
\toption site 'biblioteca 17'   # moved
\toption device ''

config broker broker
\toption port "8884"

config spool 'spool'
\toption flash_dir '/etc/vigia/spool'
\toption limit_kib '256'

config reader 'host'

config reader 'ups'
\toption enabled 'no'
\toption port '3493'

config reader 'wifi'
\tlist names 'phy0-ap0'
\tlist names 'phy1-ap0'
\tlist places 'phy0-ap0=indoor'
\tlist places 'phy1-ap0=outdoor'
\tlist neighbours 'patio=aa:bb:cc:dd:ee:01,aa:bb:cc:dd:ee:02'
\toption utc_offset_h '-6'

config reader 'probes'
\toption targets 'http://portal.example icmp://192.0.2.1'
\toption interval_s '7.5'

config status_page 'status_page'
\toption address '192.168.1.1'
\toption every_address 'off'
"""


def complaint(function: "Callable[[], Any]") -> str:
    """Return what is said against it."""
    try:
        function()
    except ConfigError as error:
        return str(error)
    raise AssertionError("not refused")


def test_values_become_what_the_configuration_takes():
    made = uci.merged(uci.parse(ROUTER), ISSUED)
    assert made["device"] == "mx-001"
    assert made["site"] == "biblioteca 17"
    assert made["broker"] == {"host": "centro.example", "port": 8884}
    assert made["spool"] == {"flash_dir": "/etc/vigia/spool", "limit_kib": 256}
    assert sorted(made["readers"]) == ["host", "probes", "wifi"]
    wifi = made["readers"]["wifi"]
    assert wifi["names"] == ["phy0-ap0", "phy1-ap0"]
    assert wifi["places"] == {"phy0-ap0": "indoor", "phy1-ap0": "outdoor"}
    assert wifi["neighbours"] == {"patio": ["aa:bb:cc:dd:ee:01", "aa:bb:cc:dd:ee:02"]}
    assert wifi["utc_offset_h"] == -6
    assert made["readers"]["probes"]["interval_s"] == 7.5
    assert made["status_page"] == {"address": "192.168.1.1", "every_address": False}
    assert ISSUED["broker"] == {"host": "centro.example", "port": 8883}


def test_a_list_may_be_written_as_words():
    made = uci.merged(uci.parse("config reader 'host'\n option disks '/ /overlay'\n"), {})
    assert made["readers"]["host"]["disks"] == ["/", "/overlay"]


def test_without_readers_the_issued_ones_stay():
    issued = dict(ISSUED)
    issued["readers"] = {"host": {}}
    assert uci.merged(uci.parse("config agent 'agent'\n"), issued)["readers"] == {"host": {}}


def test_quotes_are_those_of_uci():
    text = "config agent 'agent'\n option site 'La \"Casa\"'\"'\"'s'\n option device mx\\ 1 # not this\n"
    assert uci.parse(text) == [("agent", "agent", {"site": 'La "Casa"\'s', "device": "mx 1"})]


def test_what_cannot_be_is_left_for_the_check_to_name():
    made = uci.merged(uci.parse("config broker 'broker'\n option port 'many'\n"), ISSUED)
    assert "broker.port has to be" in complaint(lambda: config.check(made))
    made = uci.merged(uci.parse("config reader 'wifi'\n option nmaes 'x'\n"), ISSUED)
    assert "did you mean readers.wifi.names" in complaint(lambda: config.check(made))


def test_a_file_that_is_none_names_its_line():
    for text, line in (
        ("config agent 'agent\n", 1),
        ("\noption a 'b'\n", 2),
        ("config agent a b\n", 1),
        ("config agent\n option a\n", 2),
        ("config agent\n option a b\n list a c\n", 3),
        ("config agent\n uption a b\n", 2),
    ):
        said = complaint(lambda: uci.parse(text))  # noqa: B023 - called at once
        assert said.startswith("line " + str(line) + ": "), said
    assert "config agnet" in complaint(lambda: uci.merged(uci.parse("config agnet 'x'\n"), {}))
