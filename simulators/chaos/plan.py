"""Which faults a run has and when: fixed by seed and number; the first five runs have them all. Pure."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FAULT_S: Final = 9.0  # how long faults are injected
WINDOWS_A_RUN: Final = 3
EVERY: Final = 5  # the first so many runs have every fault and every window


class Fault(StrEnum):
    """Everything that a set of runs must have been through."""

    KILL_AGENT = "kill_agent"
    KILL_BROKER = "kill_broker"
    KILL_INGEST = "kill_ingest"
    KILL_STORE = "kill_store"
    LINK_CUT = "link_cut"
    LINK_SLOW = "link_slow"
    LINK_DROP = "link_drop"
    DISK_BROKER = "disk_full_broker"
    DISK_STORE = "disk_full_store"
    CLOCK_UNSET = "clock_unset"
    CLOCK_STEP = "clock_step"
    TYPE_CONFLICT = "type_conflict"
    OLD_FRAME = "old_frame"
    STOCK_BROKER = "stock_broker"
    SPOOL_FULL = "spool_full"
    POWER_CUT = "power_cut"
    FLASH_TORN = "flash_torn"


# after the times were committed, the store write, the transaction, the MQTT acks, the device acks
WINDOWS: Final = (
    "after_resolve",
    "after_write",
    "after_commit",
    "after_broker_acks",
    "after_device_acks",
)
KILLS: Final = (Fault.KILL_BROKER, Fault.KILL_INGEST, Fault.KILL_STORE)
LINKS: Final = (Fault.LINK_CUT, Fault.LINK_SLOW, Fault.LINK_DROP)
STEPS_MS: Final = (-7_200_000, -20_000, 20_000, 3_600_000, -3 * 86_400_000)
DEVICES: Final = ("chaos-ups", "chaos-clock", "chaos-plain")
UPS, CLOCK, PLAIN = DEVICES


@dataclass(frozen=True, slots=True)
class Strike:
    """One fault: when (s into the run), on whom (a device, or empty), for how long (s), how much (ms)."""

    at_s: float
    fault: Fault
    device: str = ""
    for_s: float = 0.5
    amount: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """One run. ``windows`` are failpoints ``after_<stage>:<n>``, one ingest process each."""

    number: int
    seed: int
    windows: tuple[str, ...]
    strikes: tuple[Strike, ...]
    turns: tuple[float, ...]  # when UPS leave the line for good
    clock: Fault | None  # what is wrong with the clock of the device CLOCK
    stock: bool  # Mosquitto with its own limits
    padded: bool  # PLAIN has large frames and a small spool
    odd_frames: bool  # one type conflict and one frame of 40 days ago
    power: bool  # a run of power cuts
    disks: frozenset[Fault]

    def faults(self) -> set[Fault]:
        """Everything that is to happen."""
        found = {strike.fault for strike in self.strikes}
        chosen = {
            self.clock: self.clock is not None,
            Fault.STOCK_BROKER: self.stock,
            Fault.TYPE_CONFLICT: self.odd_frames,
            Fault.OLD_FRAME: self.odd_frames,
        }
        return found | {fault for fault, wanted in chosen.items() if wanted and fault is not None}


def plan(number: int, seed: int) -> Plan:
    """Return run ``number`` of a set."""
    chance = random.Random(f"{seed}/{number}")  # noqa: S311 - no secret
    turn = number % EVERY
    power, padded = turn == EVERY - 1, turn == 3  # noqa: PLR2004 - one turn of five
    disk = {1: Fault.DISK_BROKER, 2: Fault.DISK_STORE}.get(turn)
    windows = [WINDOWS[(WINDOWS_A_RUN * number + more) % len(WINDOWS)] for more in range(WINDOWS_A_RUN)]
    clock = None
    if number % 3 == 0:
        clock = Fault.CLOCK_UNSET if number % 2 == 0 else Fault.CLOCK_STEP
    strikes = _power(chance, number) if power else _strikes(chance, number, padded=padded, disk=disk)
    if clock is not None:
        # a clock that was not set is set at last in half the runs, or it steps
        amount = chance.choice(STEPS_MS) if clock is Fault.CLOCK_STEP else 0
        if amount or chance.random() < 0.5:  # noqa: PLR2004 - half
            strikes.append(Strike(chance.uniform(2, FAULT_S - 2), Fault.CLOCK_STEP, CLOCK, 0, amount))
    return Plan(
        number,
        seed,
        tuple(f"{window}:{chance.randint(1, 6)}" for window in windows),
        tuple(sorted(strikes, key=lambda strike: strike.at_s)),
        (chance.uniform(0.8, 1.5),) if power else (chance.uniform(0.5, 4), chance.uniform(4, FAULT_S)),
        clock,
        number % 4 == 1,
        padded,
        not power,
        power,
        frozenset([disk] if disk else []),
    )


def _strikes(chance: random.Random, number: int, *, padded: bool, disk: Fault | None) -> list[Strike]:
    """Return kills, link faults and full disks at random times."""
    kills = {KILLS[number % len(KILLS)], chance.choice(KILLS)}
    strikes = [Strike(_when(chance), kill, "", chance.uniform(0.1, 1.5)) for kill in sorted(kills)]
    strikes += [
        Strike(_when(chance), Fault.KILL_AGENT, device, chance.uniform(0.1, 1.0))
        for device in chance.sample(DEVICES, 2)
    ]
    for more in range(2):
        fault = LINKS[(number + more) % len(LINKS)]
        amount = chance.randint(50, 800)
        strikes.append(
            Strike(_when(chance), fault, chance.choice(DEVICES[:2]), chance.uniform(0.5, 4), amount)
        )
    if padded:
        strikes.append(Strike(1.0, Fault.SPOOL_FULL, PLAIN, FAULT_S - 1.5))
    if disk is not None:
        strikes.append(Strike(chance.uniform(1.5, 4), disk, "", chance.uniform(2, 3.5)))
    return strikes


def _power(chance: random.Random, number: int) -> list[Strike]:
    """Return power cuts: on battery with the line dead, on mains with it alive, and dead without battery."""
    first = chance.uniform(2.0, 3.0)
    torn = Fault.FLASH_TORN if number % 2 == 0 else Fault.POWER_CUT
    return [
        Strike(first, Fault.LINK_CUT, UPS, FAULT_S - first),
        Strike(chance.uniform(5.5, 7.5), torn, UPS, chance.uniform(0.3, 1.0)),
        Strike(chance.uniform(2.0, FAULT_S - 2), Fault.POWER_CUT, CLOCK, chance.uniform(0.3, 1.0)),
        Strike(first, Fault.LINK_CUT, PLAIN, 4.0),
        Strike(first + chance.uniform(1.0, 3.0), Fault.POWER_CUT, PLAIN, chance.uniform(0.3, 1.0)),
        Strike(_when(chance), chance.choice(KILLS), "", chance.uniform(0.1, 1.0)),
    ]


def _when(chance: random.Random) -> float:
    return chance.uniform(1.0, FAULT_S - 0.5)
