"""What a page or a program can ask a bench to do: one function for each, in the table at the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from simulators.bench.failure import BenchError

if TYPE_CHECKING:
    from collections.abc import Callable

    from simulators.bench.bench import Bench

Given = dict[str, Any]


class Actions:
    """Does what is asked in the bench's own thread. ``BenchError`` for what it does not take."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def turn(self, given: Given) -> None:
        """Take ``{"mains": "off", ...}``: turn switches and sliders, up to the first that is refused."""
        for name, value in given.items():
            if isinstance(value, bool) or not isinstance(value, str | int | float):
                raise BenchError(f"{name}: a text or a number, please")

        def work() -> None:
            for name, value in given.items():
                self._bench.stand.turn(name, str(value))

        self._bench.call(work)

    def start(self, given: Given) -> None:
        """Take ``{"steps": [name, ...]}``, or ``{}`` for all."""
        steps = given.get("steps")
        if steps is not None and not (isinstance(steps, list) and all(isinstance(one, str) for one in steps)):
            raise BenchError("steps: a list of names, please")
        self._bench.call(lambda: self._bench.runner.start(steps))

    def skip(self, given: Given) -> None:
        """Take ``{"step": name}``."""
        self._bench.call(lambda: self._bench.runner.skip(str(given.get("step"))))

    def stop(self, _given: Given) -> None:
        """Break off what runs."""
        self._bench.wait(self._bench.runner.stop())

    def confirm(self, _given: Given) -> None:
        """Say that what was asked for by hand is done."""
        self._bench.call(self._bench.runner.confirm)

    def leave_out(self, _given: Given) -> None:
        """Leave out the part that runs."""
        self._bench.call(self._bench.runner.leave_out)

    def enter(self, given: Given) -> None:
        """Take ``{"volts": number, "amperes": number}``, the second if it was measured."""
        try:
            numbers = {name: float(value) for name, value in given.items() if value not in {None, ""}}
        except (TypeError, ValueError) as error:
            raise BenchError("numbers, please") from error
        self._bench.call(lambda: self._bench.runner.enter(numbers))

    def paper(self, given: Given) -> None:
        """Take ``{"technician": text, "serial": text, "firmware": text}``."""

        def work() -> None:
            self._bench.paper = self._bench.paper.with_entries(given)

        self._bench.call(work)


ACTIONS: Final[dict[str, Callable[[Actions, Given], None]]] = {
    "set": Actions.turn,
    "start": Actions.start,
    "skip": Actions.skip,
    "stop": Actions.stop,
    "confirm": Actions.confirm,
    "leave-out": Actions.leave_out,
    "enter": Actions.enter,
    "paper": Actions.paper,
}
