"""Meters as the configuration names them: ``pzem004t:/dev/ttyUSB0,unit=1,leg=1,place=indoor``.

Where it hangs is a serial port, ``tcp://192.0.2.7:502`` (Modbus TCP; ``baud`` is then the speed behind the
gateway), or ``rtu://192.0.2.7:4001`` (a plain serial gateway: the line's own frames over TCP). An address,
not a name: a look-up would block a router's loop.
"""

from agent.readers import spec
from agent.readers.meter_kinds import KINDS
from agent.readers.probes_addresses import is_ip4

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from agent.readers.port import Fields

BAUDS = ("1200", "2400", "4800", "9600", "19200", "38400")
OPTIONS: "spec.Kinds" = {
    "unit": (1, 247),
    "leg": (1, 3),
    "place": None,
    "baud": BAUDS,
    "parity": ("none", "even", "odd"),
}
MOST = 16
MOST_PORT = 65535
THINK_MS = 300  # a PZEM takes some 100 ms to answer, an SDM120 60
_USUAL_MS = 80
_GATEWAY_MS = 300
LINE_MS = 8000  # what the meters of one line may take together while none of them answers


class MeterSpec:
    """One meter: what, where, which leg of which circuit. Raises ValueError."""

    def __init__(self, name: str, text: str) -> None:
        """Take the text apart."""
        kind, _, rest = text.partition(":")
        if kind not in KINDS:
            raise ValueError(
                "unknown kind " + (kind[:40] or "''") + "; known are " + ", ".join(sorted(KINDS))
            )
        where, options = spec.split(rest, OPTIONS)
        self.name = name
        self.blocks, baud, self.parse, self.signed = KINDS[kind]
        self.scheme, self.host, self.port = _place(where)
        self.path = where
        self.unit = int(options.get("unit", 1))
        self.baud = int(options.get("baud", baud))
        self.parity = str(options.get("parity", "none"))
        self.labels: "Fields" = {key: options[key] for key in ("leg", "place") if key in options}

    def limit_ms(self, count: int) -> int:
        """Return how long an answer of so many registers is waited for."""
        return self._line_ms(count) + THINK_MS + (_GATEWAY_MS if self.scheme else 0)

    def worst_ms(self) -> int:
        """Return how long it takes when it does not answer: what was to follow is not asked then."""
        return max([self.limit_ms(count) for _, count in self.blocks]) + self.usual_ms()

    def usual_ms(self) -> int:
        """Return how long all of it usually takes."""
        return sum([self._line_ms(count) + _USUAL_MS for _, count in self.blocks])

    def _line_ms(self, count: int) -> int:
        """Return how long question and answer take on the line, ten bits a byte."""
        return 10_000 * (13 + 2 * count) // self.baud + 1


def _place(where: str) -> "tuple[str, str, int]":
    """Return (scheme, host, port); a serial port has none of them."""
    if where[:1] == "/":
        return "", "", 0
    if where[:6] not in ("tcp://", "rtu://"):
        raise ValueError(
            "has to hang on a port such as /dev/ttyUSB0, tcp://ADDRESS:PORT or rtu://ADDRESS:PORT"
        )
    host, colon, port = where[6:].partition(":")
    if not is_ip4(host):
        raise ValueError("needs an IPv4 address after " + where[:6])
    if colon and (not port.isdigit() or not 0 < int(port) <= MOST_PORT):
        raise ValueError("has a port that is none: " + port[:40])
    return where[:3], host, int(port) if colon else 502


def lines(meters: "dict[str, str]") -> "list[list[MeterSpec]]":
    """Return the meters of each line together. Raises ValueError where they contradict each other."""
    found: "dict[str, list[MeterSpec]]" = {}
    for name in sorted(meters):
        meter = MeterSpec(name, meters[name])
        others = found.setdefault(meter.path, [])
        for other in others:
            if other.unit == meter.unit:
                raise ValueError(name + " and " + other.name + " are the same unit of one line")
            if (other.baud, other.parity) != (meter.baud, meter.parity):
                raise ValueError(name + " and " + other.name + " share a line and need one baud and parity")
        others.append(meter)
    for each in found.values():
        if sum([meter.worst_ms() for meter in each]) > LINE_MS:
            raise ValueError(each[0].path + " has more meters than its baud lets be asked in time")
    return [found[path] for path in sorted(found)]


def wrong(given: object) -> str:
    """Return what is wrong with the meters of a configuration, empty when nothing is."""
    trouble = spec.wrong(given, MOST, MeterSpec)
    if trouble:
        return trouble
    try:
        lines(given)  # type: ignore[arg-type]  # as just seen
    except ValueError as error:
        return "has meters that cannot be: " + str(error)
    return ""
