"""Runs on MicroPython: reports of the compiled agent, one after the other, without waiting in between.

Usage: micropython agent_turns_start.py BYTECODE CONFIG REPORTS (compiled together with the agent)

A report is what happens in 30 s: each reader at its intervals, one frame encoded and signed. Servers and
commands are real, time is not. What TLS costs, and what the loop does while it waits, is not in it.
"""

import asyncio
import sys

WINDOW_MS = 30_000
STEP_MS = 1000
START_MS = 1_000_000


async def turns(config, reports):
    from agent import readers
    from agent.build import device_signer
    from agent.identity import Identity
    from agent.ports.clock import SystemClock
    from agent.samples import clean, packed
    from agent.sealer import Envelope

    class Clock(SystemClock):
        now_ms = START_MS

        def uptime_ms(self):
            return self.now_ms

        async def sleep_ms(self, duration_ms):
            await asyncio.sleep(duration_ms / 1000)

    clock = Clock()
    signer = device_signer(config)
    envelope = Envelope(Identity(config, clock, 1, {}), clock, signer)
    made = readers.build(config, clock)
    for number in range(reports):
        samples = []
        for at_ms in range(0, WINDOW_MS, STEP_MS):
            clock.now_ms = START_MS + number * WINDOW_MS + at_ms
            for reader in made:
                if at_ms % (reader.watch_ms or reader.interval_ms) == 0:
                    rows = await reader.read()
                    if at_ms % reader.interval_ms == 0:
                        samples += clean(clock.now_ms, rows)[0]
        await envelope.message("data", packed(samples), seq=number)


def main():
    from agent import config as configuration

    asyncio.run(turns(configuration.load(sys.argv[2]), int(sys.argv[3])))
