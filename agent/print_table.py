"""What is wrong, and what all readers see now, for the technician at the device: as wide as a phone.

English names are the register's meanings; Spanish ones are in agent.print_es, the advice in agent.advice.
"""

from agent import __version__, print_es, print_own
from agent.advice import Advice, View, advise
from agent.readers import NOMINAL_V
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
        "well": "Nothing wrong was found.", "wrong": "WRONG: ", "why": "Likely: ", "next": "Try: ",
    },
    "es": {
        "at": "en", "ok": "bien", "error": "ERROR", "yes": "sí", "no": "no", "range": "  ! fuera de rango",
        "empty": "sin lecturas", "unknown": "(no está en el registro)",
        "well": "No se encontró ninguna falla.", "wrong": "FALLAS: ", "why": "Causa probable: ",
        "next": "Qué hacer: ",
    },
}  # fmt: skip
UNITS = {"Cel": "°C", "count": "", "%": "%"}  # SenML's symbols that people write otherwise
COLUMNS = 60  # of a terminal on a phone
WIDTH = 42
LONGEST_TOKEN = 7  # DISCHRG, as far as NUT's own words go


def render(
    config: "dict[str, Any]",
    readings: "list[tuple[str, list[Sample], str]]",
    lang: str,
    own: "dict[str, Any] | None" = None,
) -> str:
    """Return faults, then the table of ``readings`` = [(reader, samples, error or empty), ...] in es or en.

    ``own`` is agent.own_state's summary of the running agent.
    """
    words = WORDS[lang]
    lines = wrapped(
        "Vigía " + __version__ + "  " + config["device"] + " " + words["at"] + " " + config["site"]
    )
    if own is not None:
        lines += wrapped(print_own.sentence(own, lang))
    lines += _faults(advise(view(config, readings, own), lang), lang)
    for name, samples, error in readings:
        state = words["error"] + ": " + error if error else words["ok"]
        lines.append("")
        lines += wrapped("== " + name + ": " + state)
        if not samples:
            lines.append("  " + words["empty"])
        for sample in samples:
            lines.extend(_block(sample, lang))
    return "\n".join(lines)


def view(
    config: "dict[str, Any]",
    readings: "list[tuple[str, list[Sample], str]]",
    own: "dict[str, Any] | None",
) -> View:
    """Return the readings as the rules of agent.advice look at them."""
    nominal_v = config.get("readers", {}).get("ups", {}).get("nominal_v") or NOMINAL_V
    samples = [sample for _, found, _ in readings for sample in found]
    return View(samples, nominal_v, own, [(name, error) for name, _, error in readings if error])


def _faults(found: list[Advice], lang: str) -> list[str]:
    words = WORDS[lang]
    if not found:
        return ["", words["well"]]
    lines = ["", words["wrong"] + str(len(found))]
    for number, advice in enumerate(found):
        lines.append("")
        lines += wrapped(str(number + 1) + ". " + advice.what)
        lines += wrapped("   " + words["why"] + advice.why)
        lines += wrapped("   " + words["next"] + advice.then)
    return lines


def wrapped(text: str, columns: int = COLUMNS) -> list[str]:
    """Cut a line between words; what follows is indented by three more than it."""
    indent = " " * (len(text) - len(text.lstrip()))
    lines = [indent]
    for word in text.split():
        if len(lines[-1]) + len(word) + 1 > columns and lines[-1].strip():
            lines.append(indent + "   ")
        blank = "" if not lines[-1].strip() else " "
        lines[-1] += blank + word
    return lines


def _block(sample: "Sample", lang: str) -> list[str]:
    """Return the lines of one measurement and instance: its title, its numbers, its flags."""
    known = MEASUREMENTS[sample.measurement].fields if sample.measurement in MEASUREMENTS else {}
    lines = wrapped(_heading(sample, lang))
    flags: "dict[str, list[str]]" = {"yes": [], "no": []}
    for name in sorted(sample.fields):
        field = known.get(name)
        value = sample.fields[name]
        if field is not None and _is_flag(field):
            flags["yes" if value else "no"].append(_flag_name(sample.measurement, name, lang))
        else:
            lines += _fitted(*_pair(name, value, field, lang))
    for word in ("yes", "no"):
        if flags[word]:
            lines += wrapped("  " + WORDS[lang][word] + ": " + ", ".join(flags[word]))
    return lines


def _flag_name(measurement: str, name: str, lang: str) -> str:
    """Return a flag's name as people know it: NUT's tokens of a UPS as NUT writes them."""
    if measurement == "upsd":
        return name.upper() if len(name) <= LONGEST_TOKEN else name
    return print_es.label(name) if lang == "es" else name.replace("_", " ")


def _heading(sample: "Sample", lang: str) -> str:
    """Say in a sentence what is read, where there are words for it; else name it."""
    if sample.measurement in plain.NUMBERS:
        return plain.explain(sample.measurement, sample.instance, sample.fields, lang)[0]
    title = print_es.MEASUREMENTS.get(sample.measurement) if lang == "es" else None
    return (title or sample.measurement) + (": " + sample.instance if sample.instance else "")


def _pair(name: str, value: "Value", field: "Field | None", lang: str) -> tuple[str, str]:
    if field is None:
        return name, str(value) + "  " + WORDS[lang]["unknown"]
    label = field.meaning if lang == "en" else print_es.label(name)
    bad = WORDS[lang]["range"] if _out_of_range(value, field) else ""
    return label, _amount(value, field.unit) + bad


def _fitted(label: str, text: str) -> list[str]:
    """Return one line, or two where label and value together are too long."""
    if len(label) < WIDTH and WIDTH + 2 + len(text) <= COLUMNS:
        return ["  " + label + " " * (WIDTH - len(label)) + text]
    return wrapped("  " + label + ": " + text)


def _amount(value: "Value", unit: str) -> str:
    if unit == "B" and isinstance(value, (int, float)):
        return plain.byte_count(value)
    text = "%.2f" % value if isinstance(value, float) else str(value)
    return (text + " " + UNITS.get(unit, unit)).rstrip()


def _is_flag(field: "Field") -> bool:
    return field.type == "bool" or (field.type == "int" and field.low == 0 and field.high == 1)


def _out_of_range(value: "Value", field: "Field") -> bool:
    if not isinstance(value, (int, float)):
        return False
    below = field.low is not None and value < field.low
    return below or (field.high is not None and value > field.high)
