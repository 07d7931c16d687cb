"""Which tables, fields and values are taken: the register of ``agent/wire/fields.py``, applied.

- a table of an unknown measurement is set aside whole and held for requeue;
- a value of the wrong type or out of range is left out, the rest of its row stays;
- unknown fields of a known measurement are numbers, stored as float, at most 16 per device and measurement;
- at most 64 instances per device and measurement.

Most tables are of a kind that was seen before and hold nothing but legal numbers: ``usual`` takes a frame of
those in one pass; ``check`` judges all others, value by value, and says what is wrong.

What was seen of unknown fields and instances is remembered by ``names``.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from agent.wire import fields as register
from agent.wire import frame as wire
from agent.wire.errors import WireError
from collector.ingest.names import FIELD, INSTANCE, Names
from collector.ingest.plans import Plan, joined, plan_of
from collector.model import Kind, Reason, Table, Usual

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

MAX_PLANS = 500  # shapes of frames that are remembered
MAX_VALUES = 1_000  # of a frame whose shape is remembered, with some 30 bytes for each
_INT_LIMIT = 1 << 53  # integers beyond cannot all be floats
Head = tuple[Any, ...]  # of a table: measurement, number of rows, fields


@dataclass(slots=True)
class Checked:
    """What is left of a table (None: nothing), what was found, and why it is held if it is."""

    table: Table | None = None
    problems: Counter[Reason] = field(default_factory=Counter)
    hold: Reason | None = None


class Register:
    """Holds tables to the register."""

    def __init__(self, names: Names | None = None) -> None:
        self._names = names or Names()
        self._instances = self._names.known[INSTANCE]
        self._kinds: dict[Head, Plan] = {}  # plans of one table
        self._plans: dict[tuple[Head, ...], Plan] = {}

    def usual(self, device: str, found: Any) -> Usual | None:
        """Return decoded tables as ``check`` would, None when one of them is not of the usual kind.

        ``found`` is whatever stood in the payload. Usual are known fields, an instance that the device has
        named before, and a legal number for every field.
        """
        heads: list[Head] = []
        try:
            for measurement, instance, fields, rows in found:
                known = instance is None or instance in self._instances[device, measurement]
                if not known or type(fields) is not list:
                    return None
                heads.append((measurement, len(rows), *fields))
            key = tuple(heads)
            plan = self._plans.get(key) or self._plan(key, found)
            values = plan and plan.values([row for table in found for row in table[3]])
        except (TypeError, ValueError, KeyError):
            return None
        if not plan or not values:
            return None
        kinds = plan.shape.kinds
        tables = [
            Table(measurement, instance, kind.fields, rows)
            for (measurement, instance, _, rows), kind in zip(found, kinds, strict=True)
        ]
        return Usual(plan.shape, tuple(tables), values)

    def _plan(self, key: tuple[Head, ...], found: list[Any]) -> Plan | None:
        """Return the plan for tables like these, None when there cannot be one."""
        plans = [self._kinds.get(head) or self._kind(head, raw) for head, raw in zip(key, found, strict=True)]
        plan = joined([plan for plan in plans if plan is not None])
        if None in plans or len(plan.types) > MAX_VALUES:
            return None
        if len(self._plans) >= MAX_PLANS:
            self._plans.clear()
        self._plans[key] = plan
        return plan

    def _kind(self, head: Head, raw: list[Any]) -> Plan | None:
        """Return the plan for one table."""
        measurement, _, names, rows = raw
        if len(rows) * (1 + len(names)) > MAX_VALUES:
            return None
        try:
            wire.check_table(raw)
        except WireError:
            return None
        plan = plan_of(Kind(measurement, tuple(names), len(rows)))
        if plan is not None:
            if len(self._kinds) >= MAX_PLANS:
                self._kinds.clear()
            self._kinds[head] = plan
        return plan

    def check(self, device: str, table: Table) -> Checked:
        """Return what may be stored of a table of this device."""
        known = register.MEASUREMENTS.get(table.measurement)
        if known is None or known.origin != "device":
            reason = Reason.UNKNOWN_MEASUREMENT
            return Checked(problems=Counter([reason]), hold=reason)
        if bad := self._bad_instance(device, table, known.tag):
            return Checked(problems=Counter([bad]))
        return self._values(device, table, known)

    def _bad_instance(self, device: str, table: Table, tag: str | None) -> Reason | None:
        if table.instance is None:
            return None
        # a tag's value cannot carry a backslash: line protocol has no escape for it
        if tag is None or "\\" in table.instance or not table.instance.isprintable():
            return Reason.WRONG_TYPE
        full = not self._names.room(INSTANCE, (device, table.measurement), table.instance)
        return Reason.TOO_MANY_INSTANCES if full else None

    def _values(self, device: str, table: Table, known: register.Measurement) -> Checked:
        checked = Checked()
        kept: list[tuple[int, str, Callable[[Any], Any]]] = []
        for column, name in enumerate(table.fields, start=1):
            check = _CHECKS[table.measurement].get(name)
            if check is not None:
                kept.append((column, name, check))
            elif name in register.RESERVED or name == known.tag:
                checked.problems[Reason.UNKNOWN_FIELD] += 1
            elif self._names.room(FIELD, (device, table.measurement), name):
                kept.append((column, name, _number))
            else:
                checked.problems[Reason.UNKNOWN_FIELD] += 1
        rows = tuple(_row(row, kept, checked.problems) for row in table.rows)
        if kept:
            names = tuple(name for _, name, _ in kept)
            checked.table = Table(table.measurement, table.instance, names, rows)
        return checked


def _row(
    row: Sequence[Any], kept: list[tuple[int, str, Callable[[Any], Any]]], problems: Counter[Reason]
) -> tuple[Any, ...]:
    values = [row[0]]
    for column, _, check in kept:
        value = row[column]
        if value is not None:
            value = check(value)
            if type(value) is Reason:
                problems[value] += 1
                value = None
        values.append(value)
    return tuple(values)


def _check_of(rule: register.Field) -> Callable[[Any], Any]:
    convert = _CONVERT[rule.type]
    if rule.type in {"str", "bool"}:
        return convert
    low = float("-inf") if rule.low is None else rule.low
    high = float("inf") if rule.high is None else rule.high

    def check(value: Any) -> Any:
        value = convert(value)
        if type(value) is Reason or low <= value <= high:
            return value
        return Reason.OUT_OF_RANGE

    return check


def _number(value: Any) -> float | Reason:
    if type(value) is float or (type(value) is int and -_INT_LIMIT <= value <= _INT_LIMIT):
        return float(value)
    return Reason.WRONG_TYPE


def _integer(value: Any) -> int | Reason:
    return value if type(value) is int else Reason.WRONG_TYPE


def _flag(value: Any) -> bool | Reason:
    return value if type(value) is bool else Reason.WRONG_TYPE


def _text(value: Any) -> str | Reason:
    """Text without control characters, which line protocol would not survive."""
    return value if type(value) is str and value.isprintable() else Reason.WRONG_TYPE


_CONVERT: dict[str, Callable[[Any], Any]] = {"float": _number, "int": _integer, "bool": _flag, "str": _text}
_CHECKS = {
    name: {field: _check_of(rule) for field, rule in measurement.fields.items()}
    for name, measurement in register.MEASUREMENTS.items()
}
