"""A site's day on a virtual clock: push observations at seconds, expect transitions between seconds."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from collector.model import Arrival, Born, Change, Died, Readings
from collector.rules import catalogue, engine
from collector.rules.site import DeviceFacts, SiteFacts

if TYPE_CHECKING:
    from collector.model import Observation, Transition
    from collector.rules.catalogue import Thresholds

T0 = 1_772_000_000_000
LONE = SiteFacts("casa", devices=(DeviceFacts("a"),))
CARRIED = SiteFacts("casa", devices=(DeviceFacts("a", feed="ups:u", modem_feed="ups:u"),))
PAIR = SiteFacts("casa", devices=(DeviceFacts("a"), DeviceFacts("b")))
FLAGS = ("ol", "ob", "lb", "rb", "cal")
CONTACT = ("data_stale", "driver_lost", "unknown_ups", "waiting", "server_lost")


def ms(seconds: float) -> int:
    return T0 + round(seconds * 1000)


def ups(at: float, status: str, device: str = "a", *, current: bool = True, **more: Any) -> Readings:
    """A row of ``upsd``: status like ``"OB LB"``; contact states by name."""
    tokens = status.lower().split()
    fields: dict[str, Any] = {name: int(name in tokens) for name in FLAGS + CONTACT} | more
    return Readings(device, ms(at), "upsd", "u", fields, current)


def row(at: float, name: str, instance: str | None, device: str = "a", *, current: bool = True, **more: Any):
    return Readings(device, ms(at), name, instance, more, current)


class Timeline:
    """Steps the rules once a second, as the collector does."""

    def __init__(self, site: SiteFacts = LONE, thresholds: Thresholds | None = None) -> None:
        self.site = site
        self.thresholds = thresholds or catalogue.resolve()
        self.state: dict[str, Any] = {}
        self.now = 0
        self.log: list[tuple[int, Transition]] = []
        self.steps: list[tuple[tuple[Observation, ...], int]] = []

    def step(self, *observations: Observation) -> list[Transition]:
        self.steps.append((observations, ms(self.now)))
        state, found = engine.step(self.state, self.site, observations, ms(self.now), self.thresholds)
        self.state = json.loads(json.dumps(state))
        self.log += [(self.now, said) for said in found]
        return found

    def at(self, second: int, *observations: Observation) -> Timeline:
        """Let time pass until ``second``, then push."""
        while self.now < second:
            self.now += 1
            if self.now < second or not observations:
                self.step()
        if observations:
            self.step(*observations)
        return self

    def arrive(self, second: int, *devices: str) -> Timeline:
        return self.at(second, *(Arrival(name, ms(second)) for name in devices or ("a",)))

    def born(
        self,
        second: int,
        device: str = "a",
        boot: str = "k1",
        frame_ms: int = 30_000,
        incarnation: str = "i1",
    ) -> Timeline:
        hello = {"intervals": {"frame": frame_ms}}
        birth = Born(device, ms(second), boot, hello, incarnation)
        return self.at(second, Arrival(device, ms(second)), birth)

    def died(self, second: int, device: str = "a", *, planned: bool = False) -> Timeline:
        return self.at(second, Died(device, ms(second), planned))

    def ups(self, second: int, status: str, device: str = "a", **more: Any) -> Timeline:
        """A UPS row that arrives at once, with its frame."""
        return self.at(second, Arrival(device, ms(second)), ups(second, status, device, **more))

    def keep(
        self, until: int, status: str | None = None, *devices: str, every: int = 10, **more: Any
    ) -> Timeline:
        """Frames every ``every`` seconds until ``until``, with the status of a UPS."""
        second = self.now + every
        while second <= until:
            for name in devices or ("a",):
                if status is None:
                    self.arrive(second, name)
                else:
                    self.ups(second, status, name, **more)
            second += every
        return self

    def said(self, condition: str, change: Change) -> list[tuple[int, Transition]]:
        return [(at, said) for at, said in self.log if said.condition == condition and said.change == change]

    def expect(self, condition: str, change: Change, first: int, last: int) -> Transition:
        """Exactly one such transition, noticed between the two seconds."""
        found = self.said(condition, change)
        assert [first <= at <= last for at, _ in found] == [True], [(at, s.condition) for at, s in self.log]
        return found[0][1]

    def expect_none(self, condition: str) -> None:
        assert [at for at, said in self.log if said.condition == condition] == []

    def open(self) -> set[str]:
        """Conditions that the state holds open."""
        keys = self.state.get("conditions", {}).items()
        return {key for key, entry in keys if entry["phase"] in {"raised", "falling"}}

    @property
    def status(self) -> str:
        return str(self.state["status"]["value"])
