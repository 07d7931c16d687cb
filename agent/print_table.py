"""What all readers see now, as a table for the technician at the device. Pure.

English names are the register's meanings; Spanish ones are in agent.print_es.
"""

from agent import __version__, print_es
from agent.readers import words as plain
from agent.wire.fields import MEASUREMENTS

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    from agent.samples import Sample, Value
    from agent.wire.fields import Field

WORDS = {
    "en": {
        "at": "at", "ok": "ok", "error": "ERROR", "yes": "yes", "no": "no", "range": "  ! out of range",
        "empty": "nothing read", "unknown": "(not in the register)",
    },
    "es": {
        "at": "en", "ok": "bien", "error": "ERROR", "yes": "sí", "no": "no", "range": "  ! fuera de rango",
        "empty": "sin lecturas", "unknown": "(no está en el registro)",
    },
}  # fmt: skip
UNITS = {"Cel": "°C", "count": "", "%": "%"}  # SenML's symbols that people write otherwise
WIDTH = 46
_KIB = 1024
_SCALES = ("B", "KiB", "MiB", "GiB", "TiB")


def render(config: "dict[str, Any]", readings: "list[tuple[str, list[Sample], str]]", lang: str) -> str:
    """Return the table of ``readings`` = [(reader, samples, error or empty), ...] in es or en."""
    words = WORDS[lang]
    lines = ["Vigía " + __version__ + "  " + config["device"] + " " + words["at"] + " " + config["site"]]
    for name, samples, error in readings:
        state = words["error"] + ": " + error if error else words["ok"]
        lines.extend(["", "== " + name + ": " + state])
        if not samples:
            lines.append("  " + words["empty"])
        for sample in samples:
            lines.extend(_block(sample, lang))
    return "\n".join(lines)


def _block(sample: "Sample", lang: str) -> list[str]:
    """Return the lines of one measurement and instance: its title, its numbers, its flags."""
    known = MEASUREMENTS[sample.measurement].fields if sample.measurement in MEASUREMENTS else {}
    lines = [_heading(sample, lang)]
    flags: "dict[str, list[str]]" = {"yes": [], "no": []}
    for name in sorted(sample.fields):
        field = known.get(name)
        value = sample.fields[name]
        if field is not None and _is_flag(field):
            flags["yes" if value else "no"].append(name)
        else:
            lines.append(_line(name, value, field, lang))
    lines.extend(
        [_padded(WORDS[lang][word]) + " ".join(flags[word]) for word in ("yes", "no") if flags[word]]
    )
    return lines


def _heading(sample: "Sample", lang: str) -> str:
    """Say in a sentence what is read, where there are words for it; else name it."""
    if sample.measurement in plain.NUMBERS:
        return plain.explain(sample.measurement, sample.instance, sample.fields, lang)[0]
    title = print_es.MEASUREMENTS.get(sample.measurement) if lang == "es" else None
    return (title or sample.measurement) + (": " + sample.instance if sample.instance else "")


def _line(name: str, value: "Value", field: "Field | None", lang: str) -> str:
    if field is None:
        return _padded(name) + str(value) + "  " + WORDS[lang]["unknown"]
    label = field.meaning if lang == "en" else print_es.label(name)
    bad = WORDS[lang]["range"] if _out_of_range(value, field) else ""
    return _padded(label) + _amount(value, field.unit) + bad


def _padded(label: str) -> str:
    return "  " + label + " " * max(1, WIDTH - len(label))


def _amount(value: "Value", unit: str) -> str:
    if unit == "B" and isinstance(value, (int, float)):
        return _bytes(value)
    text = "%.2f" % value if isinstance(value, float) else str(value)
    return (text + " " + UNITS.get(unit, unit)).rstrip()


def _bytes(value: float) -> str:
    scale = 0
    while value >= _KIB and scale < len(_SCALES) - 1:
        value /= _KIB
        scale += 1
    return ("%d %s" if scale == 0 else "%.1f %s") % (value, _SCALES[scale])


def _is_flag(field: "Field") -> bool:
    return field.type == "bool" or (field.type == "int" and field.low == 0 and field.high == 1)


def _out_of_range(value: "Value", field: "Field") -> bool:
    if not isinstance(value, (int, float)):
        return False
    below = field.low is not None and value < field.low
    return below or (field.high is not None and value > field.high)
