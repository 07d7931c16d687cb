"""What is wrong, what it likely means at the site, what to try next. Pure but for the files of texts.

``RULES`` is the table of conditions, the most urgent first; each finds its cases in the readings and returns
(subject, numbers). The sentences lie in ``advice_es.txt`` and ``advice_en.txt`` beside this file, so that no
heap holds what is not said: a line is ``condition|what|why|next``, ``{0}`` the subject, ``{1}`` the number.
"""

from agent.readers import NOMINAL_V

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from agent.samples import Sample, Value

    Fields = Mapping[str, Value]
    Case = tuple[str, tuple[str, ...]]
    Rule = Callable[["View"], list[Case]]

_FOLDER = __file__.rsplit("/", 1)[0] if "/" in __file__ else "."

HAZARD_PU = 1.15  # sustained, this burns what is plugged in
LOST_PU = 0.1
FRESH_MS = 15_000
LOSS_PERCENT = 20
SLOW_MS = 300
CERTIFICATE_S = 30 * 86400
DISK_PERCENT = 90
MEMORY_PERCENT = 92
HOT_C = 85
BUSY_PERCENT = 70
ERRORS_PER_MILLION = 1000
MANY_PACKETS = 10_000
FAST, SLOW, SLOWEST = 1000, 100, 10  # Mbit/s
BACKLOG_FRAMES = 20
SILENT_S = 180
RUNTIME_S = 300


class View:
    """The readings as rules look at them. ``agent`` is what the running agent says of itself, or None."""

    def __init__(
        self,
        samples: "list[Sample]",
        nominal_v: float = NOMINAL_V,
        agent: "dict[str, Any] | None" = None,
        failures: "list[tuple[str, str]] | None" = None,
    ) -> None:
        """``failures`` are (reader, what it could not do)."""
        self.samples = samples
        self.nominal_v = nominal_v
        self.agent = agent
        self.failures = failures or []

    def of(self, measurement: str) -> "list[tuple[str, Fields]]":
        """Return (instance, fields) of a measurement's rows."""
        return [(s.instance or "", s.fields) for s in self.samples if s.measurement == measurement]

    def one(self, measurement: str, instance: str) -> "Fields":
        """Return one row's fields, none when it was not read."""
        found = [fields for name, fields in self.of(measurement) if name == instance]
        return found[0] if found else {}

    def reachable(self) -> "bool | None":
        """Tell whether the gateway answers; None: it was not probed."""
        code = self.one("ping", "gateway").get("result_code")
        return None if code is None else code == 0


class Advice:
    """One condition in words: ``what`` is wrong, ``why`` it likely is, what to try ``next``."""

    def __init__(self, key: str, what: str, why: str, then: str) -> None:
        """Keep the sentences."""
        self.key = key
        self.what = what
        self.why = why
        self.then = then


def advise(view: View, lang: str) -> list[Advice]:
    """Return what is to be said of these readings, the most urgent first."""
    found = [(key, case) for key, rule in RULES for case in rule(view)]
    wanted = {key: ("", "", "") for key, _ in found}
    _load(lang, wanted)
    return [Advice(key, *[part.format(case[0], *case[1]) for part in wanted[key]]) for key, case in found]


def _load(lang: str, wanted: dict[str, tuple[str, str, str]]) -> None:
    if not wanted:
        return
    with open(_FOLDER + "/advice_" + lang + ".txt", encoding="utf-8") as file:
        for line in file:
            key, _, rest = line.partition("|")
            if key in wanted:
                what, why, then = rest.strip().split("|")
                wanted[key] = (what, why, then)


# --- the conditions ---


def _number(fields: "Fields", name: str) -> "float | None":
    value = fields.get(name)
    return value if isinstance(value, (int, float)) else None


def _over(measurement: str, name: str, limit: float) -> "Rule":
    """Match rows whose value is at or above a limit; the number is the value."""

    def rule(view: View) -> "list[Case]":
        rows = [(instance, _number(fields, name)) for instance, fields in view.of(measurement)]
        return [
            (instance, (_plain(value),)) for instance, value in rows if value is not None and value >= limit
        ]

    return rule


def _flag(measurement: str, name: str, value: int = 1) -> "Rule":
    """Match rows whose field has just this value."""

    def rule(view: View) -> "list[Case]":
        return [(instance, ()) for instance, fields in view.of(measurement) if fields.get(name) == value]

    return rule


def _plain(value: float) -> str:
    text = "%.1f" % value
    return text[:-2] if text.endswith(".0") else text


def _hazard(view: View) -> "list[Case]":
    rows = [(name, _number(fields, "input_voltage")) for name, fields in view.of("upsd")]
    rows += [(name, _number(fields, "voltage")) for name, fields in view.of("mains")]
    limit = HAZARD_PU * view.nominal_v
    return [(name, (_plain(v), _plain(view.nominal_v))) for name, v in rows if v is not None and v >= limit]


def _fresh_input(fields: "Fields") -> "float | None":
    age_ms = _number(fields, "age_input_ms")
    return None if age_ms is None or age_ms > FRESH_MS else _number(fields, "input_voltage")


def _on_battery(low_pu: float, high_pu: float) -> "Rule":
    """Match a UPS on battery whose freshly measured input lies between two shares of the nominal voltage."""

    def rule(view: View) -> "list[Case]":
        found: "list[Case]" = []
        for name, fields in view.of("upsd"):
            volts = _fresh_input(fields)
            if fields.get("ob") and volts is not None and low_pu <= volts / view.nominal_v < high_pu:
                found.append((name, (_plain(volts), _minutes(fields))))
        return found

    return rule


def _battery_unmeasured(view: View) -> "list[Case]":
    rows = [(name, fields) for name, fields in view.of("upsd") if fields.get("ob")]
    return [(name, ("", _minutes(fields))) for name, fields in rows if _fresh_input(fields) is None]


def _minutes(fields: "Fields") -> str:
    left_s = _number(fields, "battery_runtime")
    return "?" if left_s is None else str(int(left_s // 60))


def _short_runtime(view: View) -> "list[Case]":
    rows = [(name, fields) for name, fields in view.of("upsd") if fields.get("ol") and not fields.get("chrg")]
    left = [(name, _number(fields, "battery_runtime"), _minutes(fields)) for name, fields in rows]
    return [(name, (text,)) for name, left_s, text in left if left_s is not None and left_s < RUNTIME_S]


def _board_was_low(view: View) -> "list[Case]":
    rows = [fields for _, fields in view.of("pi_power") if not fields.get("undervoltage")]
    return [("", ()) for fields in rows if fields.get("undervoltage_seen")]


def _wan_down(view: View) -> "list[Case]":
    return [(name, ()) for name, fields in view.of("wan") if fields.get("up") == 0]


def _no_cable(view: View) -> "list[Case]":
    """Match the port that leads out; an empty port of a switch is no fault."""
    out = [name for name, _ in view.of("wan")]
    return [(name, ()) for name, fields in view.of("net") if name in out and fields.get("carrier") == 0]


def _slow_port(view: View) -> "list[Case]":
    """Match 10 Mbit/s, and 100 where another port of this machine does 1000."""
    ports = [(name, _number(fields, "speed")) for name, fields in view.of("net") if fields.get("carrier")]
    known = [(name, speed) for name, speed in ports if speed]
    gigabit = any([speed >= FAST for _, speed in known])  # noqa: C419 - for MicroPython
    limit = SLOW if gigabit else SLOWEST
    return [(name, (_plain(speed),)) for name, speed in known if speed <= limit]


def _errors(view: View) -> "list[Case]":
    found: "list[Case]" = []
    for name, fields in view.of("net"):
        packets, errors = _number(fields, "packets_recv") or 0, _number(fields, "err_in") or 0
        if packets >= MANY_PACKETS and errors * 1_000_000 / packets >= ERRORS_PER_MILLION:
            found.append((name, (_plain(errors),)))
    return found


def _dead(wanted: "Callable[[str], bool]", *, behind: bool) -> "Rule":
    """Match targets without an answer; ``behind``: only while the gateway answers, or is not probed."""

    def rule(view: View) -> "list[Case]":
        if behind and view.reachable() is False:
            return []
        return [(name, ()) for name, fields in view.of("ping") if wanted(name) and fields.get("result_code")]

    return rule


def _lossy(view: View) -> "list[Case]":
    rows = [(name, _number(fields, "percent_packet_loss")) for name, fields in view.of("ping")]
    return [(name, (_plain(loss),)) for name, loss in rows if loss is not None and LOSS_PERCENT <= loss < 100]  # noqa: PLR2004 (all of them is another condition)


def _dns(view: View) -> "list[Case]":
    """Match a server that fails while the gateway answers: without the gateway that is the cause."""
    if view.reachable() is False:
        return []
    return [(name, ()) for name, fields in view.of("dns_query") if fields.get("result_code")]


def _page(*codes: int) -> "Rule":
    def rule(view: View) -> "list[Case]":
        if view.reachable() is False:
            return []
        return [(name, ()) for name, fields in view.of("http_response") if fields.get("result_code") in codes]

    return rule


def _page_fails(view: View) -> "list[Case]":
    rows = [(name, _number(fields, "http_response_code")) for name, fields in view.of("http_response")]
    return [(name, (_plain(code),)) for name, code in rows if code is not None and code >= 400]  # noqa: PLR2004 (RFC 9110: errors)


def _certificate(low_s: int, high_s: int) -> "Rule":
    def rule(view: View) -> "list[Case]":
        rows = [(name, _number(fields, "expiry")) for name, fields in view.of("x509_cert")]
        days = [(name, left, str(abs(int(left)) // 86400)) for name, left in rows if left is not None]
        return [(name, (text,)) for name, left, text in days if low_s <= left < high_s]

    return rule


def _certificate_bad(view: View) -> "list[Case]":
    """Match what does not hold for another reason than its end."""
    rows = [(name, fields) for name, fields in view.of("x509_cert") if fields.get("verification_code")]
    return [(name, ()) for name, fields in rows if (_number(fields, "expiry") or 0) >= 0]


def _is_server(name: str, error: str) -> bool:
    return name == "ups" and error.startswith("server_lost")


def _no_server(view: View) -> "list[Case]":
    return [("", ()) for name, error in view.failures if _is_server(name, error)]


def _failed_readers(view: View) -> "list[Case]":
    return [(name, (error,)) for name, error in view.failures if not _is_server(name, error)]


def _agent(test: "Callable[[dict[str, Any]], Case | None]") -> "Rule":
    def rule(view: View) -> "list[Case]":
        case = test(view.agent) if view.agent is not None else None
        return [] if case is None else [case]

    return rule


def _stopped(agent: "dict[str, Any]") -> "Case | None":
    return None if agent["running"] else ("", ())


def _unlinked(agent: "dict[str, Any]") -> "Case | None":
    return ("", (agent["link"],)) if agent["running"] and agent["link"] != "up" else None


def _backlog(agent: "dict[str, Any]") -> "Case | None":
    """Match frames that pile up though the link is up: the broker takes them, the centre does not."""
    silent = agent["heard_s"] is None or agent["heard_s"] > SILENT_S
    stuck = agent["running"] and agent["link"] == "up" and silent and agent["spooled"] >= BACKLOG_FRAMES
    return ("", (str(agent["spooled"]),)) if stuck else None


def _lost_data(agent: "dict[str, Any]") -> "Case | None":
    return ("", (str(agent["lost"]),)) if agent["lost"] else None


def _is_gateway(name: str) -> bool:
    return name == "gateway"


def _is_modem(name: str) -> bool:
    return name == "modem"


def _is_other(name: str) -> bool:
    return name not in {"gateway", "modem"}


_ANY_S = 1 << 62

RULES: "tuple[tuple[str, Rule], ...]" = (
    ("hazard", _hazard),
    ("tamper", _flag("tamper", "open")),
    ("ups_fsd", _flag("upsd", "fsd")),
    ("ups_low", _flag("upsd", "lb")),
    ("ups_no_input", _on_battery(0, LOST_PU)),
    ("ups_low_input", _on_battery(LOST_PU, 0.9)),
    ("ups_good_input", _on_battery(0.9, HAZARD_PU)),
    ("ups_on_battery", _battery_unmeasured),
    ("ups_off", _flag("upsd", "off")),
    ("ups_over", _flag("upsd", "over")),
    ("ups_bypass", _flag("upsd", "bypass")),
    ("ups_replace", _flag("upsd", "rb")),
    ("ups_short", _short_runtime),
    ("ups_alarm", _flag("upsd", "alarm")),
    ("ups_server", _flag("upsd", "server_lost")),
    ("ups_no_server", _no_server),
    ("ups_driver", _flag("upsd", "driver_lost")),
    ("ups_stale", _flag("upsd", "data_stale")),
    ("ups_unknown", _flag("upsd", "unknown_ups")),
    ("meter_silent", _flag("mains", "answers", 0)),
    ("meter_line", _flag("mains", "line_lost")),
    ("meter_backwards", _flag("mains", "backwards")),
    ("tamper_unread", _flag("tamper", "unread")),
    ("board_low", _flag("pi_power", "undervoltage")),
    ("board_was_low", _board_was_low),
    ("wan_cable", _no_cable),
    ("wan_down", _wan_down),
    ("gateway_dead", _dead(_is_gateway, behind=False)),
    ("modem_dead", _dead(_is_modem, behind=False)),
    ("dns_dead", _dns),
    ("target_dead", _dead(_is_other, behind=True)),
    ("lossy", _lossy),
    ("slow", _over("ping", "average_response_ms", SLOW_MS)),
    ("page_dead", _page(3, 4)),
    ("page_no_name", _page(5)),
    ("page_odd", _page(2)),
    ("page_fails", _page_fails),
    ("cert_ended", _certificate(-_ANY_S, 0)),
    ("cert_ends", _certificate(0, CERTIFICATE_S)),
    ("cert_bad", _certificate_bad),
    ("port_slow", _slow_port),
    ("port_half", _flag("net", "full_duplex", 0)),
    ("port_errors", _errors),
    ("wifi_busy", _over("wifi_ap", "airtime_percent", BUSY_PERCENT)),
    ("clock", _flag("clock", "synced", 0)),
    ("disk", _over("disk", "used_percent", DISK_PERCENT)),
    ("memory", _over("mem", "used_percent", MEMORY_PERCENT)),
    ("hot", _over("temp", "temp", HOT_C)),
    ("reader", _failed_readers),
    ("agent_stopped", _agent(_stopped)),
    ("agent_unlinked", _agent(_unlinked)),
    ("agent_backlog", _agent(_backlog)),
    ("agent_lost", _agent(_lost_data)),
)
