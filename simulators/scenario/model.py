"""The parts of a scenario as they stand in its file, checked one by one; `checks` looks at them together."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from agent.wire.topics import valid_device

Volts = Annotated[float, Field(gt=0, le=1000)]
Leg = Annotated[int, Field(ge=1, le=3)]
Latitude = Annotated[float, Field(ge=-90, le=90)]
Longitude = Annotated[float, Field(ge=-180, le=180)]
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LEGS = {"1f2h": 1, "2f3h": 2, "3f4h": 3}


def _identifier(value: str) -> str:
    if not _ID.fullmatch(value):
        raise ValueError("has to be a name of a-z, 0-9 and -, at most 63 long")
    return value


def _device_name(value: str) -> str:
    if not valid_device(value):
        raise ValueError("has to be a device name: a-z, 0-9 and -, at most 63, not beginning with vigia-")
    return value


def _feed(value: str) -> str:
    kind, _, name = value.partition(":")
    if kind == "mains" and name in {"1", "2", "3"}:
        return value
    if kind in {"ups", "poe"} and name:
        return value
    raise ValueError('has to be "mains:<leg>", "ups:<id>" or "poe:<device>"')


def _moment(value: Any) -> Any:
    """TOML has dates of its own; both ways of writing one mean the same."""
    return datetime.fromisoformat(value) if isinstance(value, str) else value


def _with_zone(value: datetime) -> datetime:
    if value.tzinfo is None:
        raise ValueError('has to name its zone, as in "2026-03-02T06:00:00-06:00"')
    return value


def _rows(value: Any) -> Any:
    """TOML's arrays are lists; what is read is never changed."""
    return tuple(value) if isinstance(value, list) else value


Rows = BeforeValidator(_rows)
Id = Annotated[str, AfterValidator(_identifier)]
DeviceName = Annotated[str, AfterValidator(_device_name)]
Feed = Annotated[str, AfterValidator(_feed)]
Start = Annotated[datetime, BeforeValidator(_moment), AfterValidator(_with_zone)]


class Part(BaseModel):
    """A table of the file: strict types, no unknown keys, never changed."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


class Head(Part):
    """``[scenario]``: times in seconds. The warm-up is not scored; in settling all events are off."""

    name: Annotated[str, Field(min_length=1, max_length=80)]
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1
    start: Start
    warmup_s: Annotated[float, Field(ge=0, le=86_400)] = 1800
    duration_s: Annotated[float, Field(gt=0, le=40 * 86_400)]
    settle_s: Annotated[float, Field(ge=0, le=86_400)] = 3600


class Known(Part):
    """``[known]``: which facts of the registry the centre gets. Nobody knows the utility's circuits."""

    circuit: bool = False
    provider: bool = True
    position: bool = True
    premises: bool = True
    feed: bool = True


class Constants(Part):
    """``[world]``: what the world is like where a scenario says nothing else."""

    noise: Annotated[float, Field(ge=0, le=10)] = 1.0  # factor on the mains' noise
    profile: Annotated[float, Field(ge=0, le=5)] = 1.0  # factor on the daily profile of the voltage
    ups_status_s: Annotated[float, Field(gt=0, le=600)] = 2.0  # how often a UPS driver reads the status
    ups_values_s: Annotated[float, Field(gt=0, le=600)] = 30.0  # and all values
    hold_up_s: Annotated[float, Field(ge=0, le=60)] = 0.02  # what a power supply carries without input
    boot_s: Annotated[float, Field(gt=0, le=3600)] = 50.0  # router, Pi: from power to the agent's start
    modem_boot_s: Annotated[float, Field(gt=0, le=3600)] = 90.0  # modem: from power to traffic
    switch_boot_s: Annotated[float, Field(gt=0, le=3600)] = 20.0  # switch and access point
    ntp_s: Annotated[float, Field(ge=0, le=86_400)] = 15.0  # from a way out to a set clock
    clock_drift_ppm: Annotated[float, Field(ge=-500, le=500)] = 20.0  # of a clock that nothing sets
    link_delay_ms: Annotated[float, Field(ge=0, le=60_000)] = 40.0  # one way, device to centre
    link_loss: Annotated[float, Field(ge=0, le=1)] = 0.0  # share of packets
    battery_aged: Annotated[float, Field(gt=0, le=1)] = 0.45  # what is left of a new battery's energy
    battery_dead: Annotated[float, Field(ge=0, le=1)] = 0.02
    usb_drops: Annotated[float, Field(ge=0, le=1)] = 0.05  # chance that USB drops as the UPS leaves the line


class Circuit(Part):
    """``[[circuit]]``: a feeder of the utility."""

    id: Id


class Provider(Part):
    """``[[provider]]``: an Internet provider."""

    id: Id


class UpsPart(Part):
    """``[[site.ups]]``: fed by a leg; VA it is built for; state of its battery."""

    id: Id
    leg: Leg = 1
    va: Annotated[float, Field(gt=0, le=1e6)] = 600
    battery: Literal["new", "aged", "dead"] = "new"


class DevicePart(Part):
    """``[[site.device]]``. ``agent``: whether ours runs on it; without it: on routers and Pis."""

    id: DeviceName
    kind: Literal["router", "pi", "ap", "switch", "modem"]
    agent: bool | None = None
    feed: Feed = "mains:1"
    uplink: str = "provider"

    @property
    def has_agent(self) -> bool:
        """Tell whether an agent of ours runs on it."""
        return self.kind in {"router", "pi"} if self.agent is None else self.agent

    @property
    def fed_by(self) -> str:
        """Name what feeds it as the registry does, which knows no legs."""
        return "mains" if self.feed.startswith("mains:") else self.feed


class MeterPart(Part):
    """``[[site.meter]]``: read by the first device of the site that has an agent."""

    leg: Leg
    place: Id = "indoor"


class SitePart(Part):
    """``[[site]]``. ``premises``: buildings that share one meter; without it the site is one of its own."""

    id: Id
    premises: Id | None = None
    lat: Latitude | None = None
    lon: Longitude | None = None
    circuit: Id | None = None
    provider: Id | None = None
    nominal_v: Volts = 127
    service: Literal["1f2h", "2f3h", "3f4h"] = "1f2h"
    kind: Id = "library"
    ups: Annotated[tuple[UpsPart, ...], Rows] = ()
    device: Annotated[tuple[DevicePart, ...], Rows] = ()
    meter: Annotated[tuple[MeterPart, ...], Rows] = ()

    @property
    def building(self) -> str:
        """Name what counts once: the premises."""
        return self.premises or self.id

    def part(self, device: str) -> DevicePart:
        """Return a device by its id; KeyError when it is not there."""
        return {one.id: one for one in self.device}[device]

    def way_out(self, part: DevicePart) -> DevicePart:
        """Return the last thing of ours on a device's way out: the modem, where there is one."""
        while part.uplink != "provider":
            part = self.part(part.uplink)
        return part


class ScopePart(Part):
    """Where an event acts; empty: at the centre."""

    circuit: str | None = None
    provider: str | None = None
    site: str | None = None
    device: str | None = None
    lat: Latitude | None = None
    lon: Longitude | None = None
    radius_m: Annotated[float, Field(gt=0, le=1e6)] | None = None


class EventPart(Part):
    """``[[event]]``: holds on [at_s, at_s + for_s), seconds after the warm-up; parameters by kind."""

    kind: str
    at_s: float
    for_s: Annotated[float, Field(gt=0)] | None = None
    scope: ScopePart
    planned: bool = False
    parameters: dict[str, float] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _gather(cls, raw: Any) -> Any:
        """Take what is no key of every event as a parameter of this one; `checks` knows which exist."""
        if not isinstance(raw, dict):
            return raw
        own = cls.model_fields.keys() - {"parameters"}
        common = {key: value for key, value in raw.items() if key in own}
        return common | {"parameters": {key: value for key, value in raw.items() if key not in own}}


class Scenario(Part):
    """A whole file, in the order of its tables."""

    scenario: Head
    known: Known = Known()
    world: Constants = Constants()
    circuit: Annotated[tuple[Circuit, ...], Rows] = ()
    provider: Annotated[tuple[Provider, ...], Rows] = ()
    site: Annotated[tuple[SitePart, ...], Field(min_length=1), Rows]
    event: Annotated[tuple[EventPart, ...], Rows] = ()
