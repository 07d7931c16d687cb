"""Tamper inputs: the layout against the kernel's own header, the reader against a kernel of the test's."""

from __future__ import annotations

import asyncio
import shutil
import struct
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from agent.cpython import gpio
from agent.cpython.readers import gpio_spec
from agent.cpython.readers.tamper import Tamper
from agent.log import Log
from agent.sampler import Sampler
from tests.readers.gpio_kernel import Chip
from tests.readers.standin import RealClock

if TYPE_CHECKING:
    from agent.samples import Sample

LIMIT_S = 20

HEADER_SAYS = r"""
#include <linux/gpio.h>
#include <linux/i2c-dev.h>
#include <stddef.h>
#include <stdio.h>
#define R struct gpio_v2_line_request
#define SAY(name, value) printf("%s %llu\n", name, (unsigned long long)(value))
int main(void) {
  SAY("GET_LINE", (unsigned)GPIO_V2_GET_LINE_IOCTL);
  SAY("GET_VALUES", (unsigned)GPIO_V2_LINE_GET_VALUES_IOCTL);
  SAY("INPUT", GPIO_V2_LINE_FLAG_INPUT);
  SAY("ACTIVE_LOW", GPIO_V2_LINE_FLAG_ACTIVE_LOW);
  SAY("EDGE_RISING", GPIO_V2_LINE_FLAG_EDGE_RISING);
  SAY("EDGE_FALLING", GPIO_V2_LINE_FLAG_EDGE_FALLING);
  SAY("pull-up", GPIO_V2_LINE_FLAG_BIAS_PULL_UP);
  SAY("pull-down", GPIO_V2_LINE_FLAG_BIAS_PULL_DOWN);
  SAY("disabled", GPIO_V2_LINE_FLAG_BIAS_DISABLED);
  SAY("DEBOUNCE", GPIO_V2_LINE_ATTR_ID_DEBOUNCE);
  SAY("RISING", GPIO_V2_LINE_EVENT_RISING_EDGE);
  SAY("REQUEST_BYTES", sizeof(R));
  SAY("FIRST_OFFSET", offsetof(R, offsets));
  SAY("CONSUMER", offsetof(R, consumer));
  SAY("FLAGS", offsetof(R, config.flags));
  SAY("NUM_ATTRS", offsetof(R, config.num_attrs));
  SAY("FIRST_ATTR", offsetof(R, config.attrs));
  SAY("NUM_LINES", offsetof(R, num_lines));
  SAY("FD", offsetof(R, fd));
  SAY("attr.id", offsetof(R, config.attrs[0].attr.id) - offsetof(R, config.attrs));
  SAY("attr.debounce", offsetof(R, config.attrs[0].attr.debounce_period_us) - offsetof(R, config.attrs));
  SAY("attr.mask", offsetof(R, config.attrs[0].mask) - offsetof(R, config.attrs));
  SAY("attr.bytes", sizeof(struct gpio_v2_line_config_attribute));
  SAY("consumer.bytes", GPIO_MAX_NAME_SIZE);
  SAY("EVENT_BYTES", sizeof(struct gpio_v2_line_event));
  SAY("EVENT_ID", offsetof(struct gpio_v2_line_event, id));
  SAY("values.bits", offsetof(struct gpio_v2_line_values, bits));
  SAY("values.mask", offsetof(struct gpio_v2_line_values, mask));
  SAY("values.bytes", sizeof(struct gpio_v2_line_values));
  SAY("I2C_RETRIES", I2C_RETRIES);
  SAY("I2C_TIMEOUT", I2C_TIMEOUT);
  SAY("I2C_SLAVE", I2C_SLAVE);
  return 0;
}
"""


@pytest.mark.server
def test_the_layout_is_that_of_the_kernels_header(tmp_path):
    from agent.cpython.readers import gauge

    compiler = shutil.which("gcc")
    assert compiler is not None, "make servers installs gcc"
    source = tmp_path / "layout.c"
    source.write_text(HEADER_SAYS)
    subprocess.run([compiler, str(source), "-o", str(tmp_path / "layout")], check=True, timeout=60)
    said = subprocess.run(
        [str(tmp_path / "layout")], check=True, timeout=10, capture_output=True, text=True
    ).stdout
    header = {name: int(value) for name, value in (line.split() for line in said.splitlines())}
    ours = {name: getattr(gpio, name) for name in header if hasattr(gpio, name)}
    ours |= {name: getattr(gauge, name) for name in header if name.startswith("I2C_")}
    ours |= {name: flag for name, flag in gpio.BIAS.items() if name}
    # what is packed as one: id, padding, debounce in a union of eight bytes, mask
    ours |= {"attr.id": 0, "attr.debounce": 8, "attr.mask": 16, "attr.bytes": struct.calcsize("IIIIQ")}
    ours |= {"consumer.bytes": 32, "values.bits": 0, "values.mask": 8, "values.bytes": 16}
    assert ours == header


def reader(chip: Chip, **inputs: str) -> Tamper:
    return Tamper(inputs, RealClock(), 10_000, 2000, chip.kernel())


async def read(tamper: Tamper) -> dict[str | None, dict[str, Any]]:
    return {row[1]: dict(row[2]) for row in await tamper.read()}


def run(work: Any) -> Any:
    return asyncio.run(asyncio.wait_for(work, LIMIT_S))


def test_what_is_asked_of_the_kernel_is_what_is_configured(tmp_path):
    chip = Chip(tmp_path)
    chip.levels[17] = 0

    async def main() -> None:
        tamper = reader(chip, door="gpiochip0:17,bias=pull-up,active=low,debounce_ms=80")
        await tamper.read()
        await tamper.close()

    run(main())
    data = chip.requests[17]
    assert struct.unpack_from("I", data, gpio.FIRST_OFFSET) == (17,)
    assert struct.unpack_from("I", data, gpio.NUM_LINES) == (1,)
    (flags,) = struct.unpack_from("Q", data, gpio.FLAGS)
    wanted = gpio.INPUT | gpio.ACTIVE_LOW | gpio.EDGE_RISING | gpio.EDGE_FALLING | gpio.BIAS["pull-up"]
    assert flags == wanted
    assert struct.unpack_from("I", data, gpio.NUM_ATTRS) == (1,)
    attribute, _, debounce_us, _, mask = struct.unpack_from("IIIIQ", data, gpio.FIRST_ATTR)
    assert (attribute, debounce_us, mask) == (gpio.DEBOUNCE, 80_000, 1)


@pytest.mark.parametrize(("active", "level", "opened"), [("high", 1, 1), ("high", 0, 0), ("low", 0, 1)])
def test_the_level_that_means_open_is_configured(tmp_path, active, level, opened):
    chip = Chip(tmp_path)
    chip.levels[17] = level

    async def main() -> None:
        tamper = reader(chip, door=f"gpiochip0:17,active={active}")
        assert await read(tamper) == {"door": {"unread": 0, "open": opened}}
        await tamper.close()

    run(main())


def test_an_opening_is_told_at_once_and_its_end_after_it(tmp_path):
    chip = Chip(tmp_path)
    chip.levels[17] = 0

    async def main() -> None:
        tamper = reader(chip, door="gpiochip0:17")
        assert (await read(tamper))["door"]["open"] == 0
        waiting = asyncio.create_task(tamper.wait_turn(60_000))
        await asyncio.sleep(0)
        assert not waiting.done()
        chip.turn(17, 1)
        await waiting
        assert (await read(tamper))["door"]["open"] == 1
        chip.turn(17, 0)
        await tamper.wait_turn(60_000)
        assert (await read(tamper))["door"]["open"] == 0
        await tamper.close()

    run(main())


def test_an_opening_shorter_than_any_reading_is_told(tmp_path):
    chip = Chip(tmp_path)
    chip.levels[17] = 0

    async def main() -> None:
        tamper = reader(chip, door="gpiochip0:17")
        await read(tamper)
        chip.turn(17, 1)
        chip.turn(17, 0)
        await tamper.wait_turn(60_000)
        assert (await read(tamper))["door"]["open"] == 1
        await tamper.wait_turn(60_000)  # which is due at once
        assert (await read(tamper))["door"]["open"] == 0
        await tamper.close()

    run(main())


def test_each_input_fails_alone_and_comes_back(tmp_path):
    chip, other = Chip(tmp_path), Chip(tmp_path, "gpiochip1")
    chip.levels[17] = 1
    other.levels[3] = 0
    both = gpio.Kernel(lambda *given: owner(given[0], chip, other).ioctl(*given), f"{tmp_path}/")

    async def main() -> None:
        inputs = {"box": "gpiochip1:3", "door": "gpiochip0:17", "none": "gpiochip0:99"}
        tamper = Tamper(inputs, RealClock(), 10_000, 2000, both)
        found = {"box": {"unread": 0, "open": 0}, "door": {"unread": 0, "open": 1}, "none": {"unread": 1}}
        assert await read(tamper) == found
        chip.unplug()
        await tamper.wait_turn(60_000)
        assert await read(tamper) == {**found, "door": {"unread": 1}}
        chip.path.write_bytes(b"")
        assert await read(tamper) == found
        await tamper.close()

    run(main())


def owner(number: int, *chips: Chip) -> Chip:
    """Return the chip that a descriptor is of."""
    target = Path(f"/proc/self/fd/{number}").readlink()
    return next(chip for chip in chips if target == chip.path or chip.gave(number))


def test_the_agent_seals_an_event_when_a_door_opens(tmp_path):
    """Through the sampler, with a watch interval that would come too late."""
    chip = Chip(tmp_path)
    chip.levels[17] = 0

    async def main() -> None:
        events: asyncio.Queue[list[Sample]] = asyncio.Queue()
        tamper = Tamper({"door": "gpiochip0:17"}, RealClock(), 600_000, 600_000, chip.kernel())
        ready = asyncio.Event()
        sampler = Sampler(RealClock(), [tamper], Log(lambda: 0, len), events.put)
        sampler.on_reading = lambda *_reading: ready.set()
        sampler.start()
        await ready.wait()
        for level in (1, 0):
            chip.turn(17, level)
            (sample,) = await events.get()
            told = (sample.measurement, sample.instance, sample.fields["open"])
            assert told == ("tamper", "door", level)
        await sampler.stop()

    run(main())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("gpiochip0", "the number of its line"),
        ("gpiochip0:", "the number of its line"),
        ("gpiochip0:1024", "the number of its line"),
        ("gpio0:17", "needs a chip such as gpiochip0"),
        ("../sda:17", "needs a chip such as gpiochip0"),
        ("gpiochip0:17,bias=up", "bias has to be pull-up or pull-down or disabled"),
        ("gpiochip0:17,active=1", "active has to be high or low"),
        ("gpiochip0:17,debounce_ms=1001", "debounce_ms has to be a number from 0 to 1000"),
        ("gpiochip0:17,debounce=50", "unknown option debounce; known are active, bias, debounce_ms"),
    ],
)
def test_what_is_wrong_with_an_input_is_said_in_a_line(text, said):
    found = gpio_spec.wrong_inputs({"door": text})
    assert found.startswith("door: ")
    assert said in found


def test_two_inputs_on_one_line_are_refused():
    inputs = {"door": "gpiochip0:17", "box": "gpiochip0:17,active=low"}
    assert gpio_spec.wrong_inputs(inputs) == "has door and box on the same line"
