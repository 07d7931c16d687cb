"""The whole of sanitising: what of a UPS's values can be, by ups_bounds, ups_scale and ups_relations.

UPS firmware and drivers make such values: -6437 V at the input, 65535 s left, 255 % charge, "OL OB". What is
found here is not published and counts in ``bad_values``. A value is set aside only for a reason that stands
in those tables; a doubtful one stays. What no table can see from one reading (a constant, a
plausible number that is wrong) stays too.

The tables were tried on dumps of the NUT project's device dumps library, whose maintainers marked wrong
values: ``python -m tests.readers.judge_dumps``.
"""

from agent.readers.ups_bounds import judge, told
from agent.readers.ups_relations import CONTRADICTIONS, SITE_NOMINAL, STATUS, disbelieved
from agent.readers.ups_scale import AIDS, rescale

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Mapping

    Numbers = dict[str, float]
    Tokens = set[str]

# texts that are kept beside the numbers, and how much of them
TEXTS = {
    STATUS: 256,
    "driver.name": 40,
    "driver.parameter.pollfreq": 20,
    "driver.parameter.pollinterval": 20,
    "input.transfer.reason": 80,
    "ups.alarm": 120,
}
MOST_BAD = 64  # names of bad values that are kept; a server may list any number


def sanitise(
    texts: "Mapping[str, str]", site_nominal_v: float | None = None
) -> "tuple[Numbers, dict[str, str], Tokens]":
    """Return the numbers that can be, reasons for what was set aside, and the status tokens that can be.

    ``texts``: NUT variables as upsd gives them. ``site_nominal_v``: what the site is supplied with, to judge
    what the UPS claims.
    """
    heard = Heard()
    for name in texts:
        heard.take(name, texts[name])
    return heard.verdict(site_nominal_v)


class Heard:
    """The variables of one reading, taken one at a time: only what is of use stays in memory."""

    def __init__(self) -> None:
        """Begin with nothing heard."""
        self.texts: dict[str, str] = {}
        self._raw: "Numbers" = {}
        self._bad: dict[str, str] = {}

    def take(self, name: str, text: str) -> None:
        """Take one variable as upsd gives it."""
        if name in TEXTS:
            self.texts[name] = text[: TEXTS[name]]
            return
        value, reason = judge(name, text) if name not in AIDS else _aid(text)
        if value is not None:
            self._raw[name] = value
        if reason and len(self._bad) < MOST_BAD:
            self._bad[name] = reason

    def verdict(self, site_nominal_v: float | None) -> "tuple[Numbers, dict[str, str], Tokens]":
        """Return what ``sanitise`` does, of everything taken."""
        rescale(self._raw, self._bad)
        raw, bad = self._raw, dict(self._bad)
        clean = {name: raw[name] for name in raw if name not in bad and told(name, raw[name])}
        if clean.get("battery.voltage") == 0.0 and clean.get("battery.charge", 0.0) > 0.0:
            clean.pop("battery.voltage")  # a battery that holds a charge has a voltage: not told
        if site_nominal_v is not None:
            clean[SITE_NOMINAL] = site_nominal_v
        tokens = set(self.texts.get(STATUS, "").split())
        for reason, test, discredited in CONTRADICTIONS:
            if test(clean, tokens, raw, discredited[0]):
                for name in discredited:
                    if name in raw or name in self.texts:
                        bad.setdefault(name, reason)
                    clean.pop(name, None)
        tokens -= disbelieved(tokens, clean)
        for name in AIDS + (SITE_NOMINAL,):  # noqa: RUF005 - MicroPython does not unpack in tuples
            clean.pop(name, None)
        return clean, bad, tokens


def _aid(text: str) -> "tuple[float | None, str]":
    try:
        return float(text), ""
    except ValueError:
        return None, ""
