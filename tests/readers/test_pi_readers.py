"""What only a Pi has: its own power, batteries in sysfs, gauges on I2C. Folders, and what no folder shows."""

from __future__ import annotations

import asyncio
import errno
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from agent.config import check as check_config
from agent.cpython.readers import gpio_spec
from agent.cpython.readers.gauge import Gauge
from agent.cpython.readers.pi_power import PiPower, parse_throttled
from agent.cpython.readers.supply import Supply
from agent.errors import ConfigError, ReaderError
from agent.power import PowerWatch
from agent.readers import build
from agent.readers.ups_state import CONTACTS, FLAGS
from agent.samples import clean
from tests.cases.runner import FOLDER, Recorded, same
from tests.cases.still import Clock
from tests.readers.gpio_kernel import Chip
from tests.readers.standin import RealClock

CASES = Path(FOLDER)
ROOT = CASES.parents[1]
LIMIT_S = 20


def folders(reader: str) -> list[Path]:
    found = sorted((CASES / reader).iterdir())
    assert len(found) > 5
    return found


def name_of(folder: Path) -> str:
    return folder.name


def expected_of(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "expected.json").read_text())
    return found


def told(work: Any) -> tuple[str | None, list[Any]]:
    """Return (reason or None, rows) of a reading."""
    try:
        return None, asyncio.run(asyncio.wait_for(work, LIMIT_S))
    except ReaderError as error:
        return error.reason, []


def flags_of(fields: dict[str, Any]) -> list[str]:
    known = [flag.lower() for flag in FLAGS] + list(CONTACTS)
    assert {fields[name] for name in known} <= {0, 1}
    return [name for name in known if fields[name]]


# --- the Pi's own power ---


@pytest.mark.parametrize("folder", folders("pi_power"), ids=name_of)
def test_power_of_a_pi(folder):
    expected = expected_of(folder)
    reader = PiPower(Clock(), 10_000, 2000, Recorded(str(folder)).run, f"{folder}/")
    reason, rows = told(reader.read())
    assert reason == expected.get("error")
    assert [list(row) for row in rows] == expected.get("rows", [])


class Pi:
    """A Pi whose voltage a test turns; counts how often the command ran."""

    def __init__(self, root: Path) -> None:
        self.alarm = root / "sys/class/hwmon/hwmon0/in0_lcrit_alarm"
        self.alarm.parent.mkdir(parents=True)
        (self.alarm.parent / "name").write_text("rpi_volt\n")
        self.alarm.write_text("0\n")
        self.asked = 0

    async def run(self, _argv: list[str], _limit_ms: int, _most_bytes: int = 0) -> bytes:
        self.asked += 1
        return b"throttled=0x0\n"


def test_low_voltage_turns_at_every_watch_and_the_command_runs_once_an_interval(tmp_path):
    pi, clock = Pi(tmp_path), Clock()
    reader = PiPower(clock, 10_000, 2000, pi.run, f"{tmp_path}/")

    async def main() -> None:
        low = []
        for alarm in ("0", "1", "1", "0", "0"):
            pi.alarm.write_text(alarm + "\n")
            ((_, _, fields),) = await reader.read()
            low.append((fields["undervoltage"], fields["undervoltage_seen"]))
            clock.now_ms += 2000
        assert low == [(0, 0), (1, 1), (1, 1), (0, 1), (0, 1)]
        assert pi.asked == 1
        await reader.read()
        assert pi.asked == 2

    asyncio.run(main())
    assert "undervoltage" in reader.watched


@pytest.mark.parametrize(
    "text", [None, "", "throttled=", "0x", "-1", "5 0", "123456789", "error=1 error_msg"]
)
def test_what_no_firmware_says_is_not_taken(text):
    assert parse_throttled(text) is None


# --- batteries in sysfs ---


def judged(rows: list[Any], expected: list[Any]) -> None:
    assert [row[:2] for row in rows] == [tuple(row[:2]) for row in expected]
    for row, (_, _, wanted) in zip(rows, expected, strict=True):
        fields = dict(row[2])
        assert flags_of(fields) == sorted(wanted.pop("flags"), key=flags_of_order)
        numbers = ("battery_charge_percent", "battery_voltage", "battery_runtime", "internal_temp")
        found = {name: fields[name] for name in numbers if name in fields}
        bad = wanted.pop("bad_values", 0)
        assert same(found, wanted), found
        assert fields.get("bad_values", 0) == bad


def flags_of_order(name: str) -> int:
    return ([flag.lower() for flag in FLAGS] + list(CONTACTS)).index(name)


@pytest.mark.parametrize("folder", folders("supply"), ids=name_of)
def test_battery_in_sysfs(folder):
    expected = expected_of(folder)
    reason, rows = told(Supply(Clock(), 10_000, 2000, None, f"{folder}/").read())
    assert reason == expected.get("error")
    judged(rows, expected.get("rows", []))


def test_a_named_battery_that_is_missing_is_a_ups_without_contact(tmp_path):
    reason, rows = told(Supply(Clock(), 10_000, 2000, ["BAT9"], f"{tmp_path}/").read())
    assert reason is None
    judged(rows, [["upsd", "BAT9", {"flags": ["data_stale"]}]])


def test_a_supply_that_goes_puts_the_agent_on_battery():
    watch = PowerWatch()
    rows = told(Supply(Clock(), 1, 1, None, f"{CASES}/supply/max17040-driver-on-battery/").read())[1]
    watch.observe(clean(0, rows)[0])
    assert watch.on_battery()


# --- gauges ---


class Registers:
    """A chip that says what a case does."""

    def __init__(self, text: str | None) -> None:
        self.text = text

    def read(self, register: int, count: int) -> bytes:
        assert (register, count) == (2, 4)
        if self.text is None:
            raise OSError(errno.EREMOTEIO, "no acknowledgement")
        return bytes.fromhex(self.text)


def gauge(text: str, registers: Registers, chip: Chip) -> Gauge:
    return Gauge({"hat": text}, RealClock(), 10_000, 2000, lambda _bus, _address: registers, chip.kernel())


@pytest.mark.parametrize("folder", folders("gauge"), ids=name_of)
def test_gauge_of_a_board(folder, tmp_path):
    expected = expected_of(folder)
    chip = Chip(tmp_path)
    spec = gpio_spec.GaugeSpec("hat", expected["gauge"])
    if spec.supply is not None:
        chip.levels[spec.supply.line] = int(expected["supplied"] == spec.supply.active_high)

    async def main() -> Any:
        reader = gauge(expected["gauge"], Registers(expected["registers"]), chip)
        try:
            return await reader.read()
        finally:
            await reader.close()

    judged(asyncio.run(main()), [["upsd", "hat", {"flags": expected["flags"], **expected["fields"]}]])


def test_a_supply_that_goes_is_told_at_once(tmp_path):
    chip = Chip(tmp_path)
    chip.levels[6] = 0

    async def main() -> None:
        reader = gauge("max17040:i2c-1,chip=gpiochip0,line=6,active=low", Registers("c8 50 57 80"), chip)
        ((_, _, before),) = await reader.read()
        chip.turn(6, 1)
        await asyncio.wait_for(reader.wait_turn(60_000), LIMIT_S)
        ((_, _, after),) = await reader.read()
        assert ((before["ol"], before["ob"]), (after["ol"], after["ob"])) == ((1, 0), (0, 1))
        await reader.close()

    asyncio.run(main())


def test_a_machine_without_that_bus_is_a_ups_without_contact(tmp_path):
    """The real /dev/i2c-99, which is not there."""

    async def main() -> Any:
        return await Gauge({"hat": "max17040:i2c-99"}, RealClock(), 10_000, 2000).read()

    judged(asyncio.run(main()), [["upsd", "hat", {"flags": ["data_stale"]}]])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("max17050:i2c-1", "unknown kind max17050; known are max17040, max17041"),
        ("max17040:/dev/i2c-1", "needs a bus such as i2c-1"),
        ("max17040:i2c-1,address=0x80", "address has to be one of seven bits"),
        ("max17040:i2c-1,address=here", "address has to be one of seven bits"),
        ("max17040:i2c-1,line=6", "chip and line belong together"),
        ("max17040:i2c-1,active=low", "need chip and line"),
        ("max17040:i2c-1,chip=gpio,line=6", "needs a chip such as gpiochip0"),
    ],
)
def test_what_is_wrong_with_a_gauge_is_said_in_a_line(text, said):
    found = gpio_spec.wrong_gauges({"hat": text})
    assert found.startswith("hat: ")
    assert said in found


# --- how they are built ---


def configured(readers: dict[str, Any]) -> dict[str, Any]:
    return check_config({"device": "d", "site": "s", "broker": {"host": "h"}, "readers": readers})


def test_each_is_built_from_the_configuration_and_fails_alone():
    config = configured(
        {
            "tamper": {"inputs": {"door": "gpiochip99:17"}},
            "gauge": {"gauges": {"hat": "max17040:i2c-99"}},
            "pi_power": {},
            "supply": {},
            "meters": {"meters": {"indoor": "pzem004t:/dev/vigia-no-such-port"}},
        }
    )
    built = {reader.name: reader for reader in build(config, RealClock())}
    assert list(built) == ["meters", "pi_power", "supply", "gauge", "tamper"]
    assert told(built["meters"].read())[0] == "line_lost"
    assert told(built["tamper"].read())[1] == [("tamper", "door", {"unread": 1})]


@pytest.mark.parametrize(
    ("readers", "said"),
    [
        ({"tamper": {"inputs": {"door": "17"}}}, "readers.tamper.inputs door: needs a chip and the number"),
        ({"tamper": {}}, "readers.tamper.inputs is missing"),
        (
            {"tamper": {"inputs": ["gpiochip0:17"]}},
            "readers.tamper.inputs has to be an object of 1 to 16 names",
        ),
        ({"gauge": {"gauges": {}}}, "readers.gauge.gauges has to be an object of 1 to 16 names"),
        ({"pi_power": {"names": 1}}, "readers.pi_power.names is unknown; there is nothing to set here"),
    ],
)
def test_a_wrong_configuration_is_said_by_its_key(readers, said):
    with pytest.raises(ConfigError) as error:
        configured(readers)
    assert str(error.value).startswith(said)


@pytest.mark.server
@pytest.mark.parametrize(
    ("readers", "said"),
    [
        (
            {"tamper": {"inputs": {"door": "gpiochip0:17"}}},
            "readers.tamper.inputs cannot be read here: needs CPython",
        ),
        ({"pi_power": {}}, "readers pi_power, supply, gauge and tamper need CPython"),
    ],
)
def test_micropython_says_that_it_cannot(readers, said, micropython_bin):
    raw = {"device": "d", "site": "s", "broker": {"host": "h"}, "readers": readers}
    program = f"""
from agent.config import check
from agent.errors import ConfigError
from agent.readers import build
from agent.ports.clock import SystemClock
try:
    build(check({raw!r}), SystemClock())
except ConfigError as error:
    print(error)
"""
    done = subprocess.run(
        [micropython_bin, "-c", f"import sys; sys.path.insert(0, {str(ROOT)!r})\n{program}"],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.strip() == said
