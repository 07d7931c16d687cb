"""Readings in plain words, Spanish or English, for a technician at the machine. Pure.

One line per row; what says nothing (a flag that is 0, an unknown measurement's text) is left out.
"""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Mapping

    Given = Mapping[str, int | float | str | None]

LANGUAGES = ("es", "en")

# state of a UPS -> its words; in the order in which they are told
STATES = (
    ("server_lost", "el servicio del UPS (NUT o apcupsd) no responde", "NUT or apcupsd does not answer"),
    ("unknown_ups", "NUT no conoce este UPS: revise el nombre", "NUT does not know this UPS: check its name"),
    ("driver_lost", "NUT perdió el controlador del UPS", "NUT has lost the UPS's driver"),
    ("data_stale", "el UPS no contesta: revise su cable", "the UPS does not answer: check its cable"),
    ("waiting", "esperando los primeros datos del UPS", "waiting for the UPS's first data"),
    ("fsd", "apagado forzoso en curso", "forced shutdown under way"),
    ("ob", "con batería", "on battery"),
    ("ol", "en línea", "on line"),
    ("lb", "batería baja", "battery low"),
    ("rb", "hay que cambiar la batería", "battery must be replaced"),
    ("hb", "voltaje de batería alto", "battery voltage high"),
    ("chrg", "cargando", "charging"),
    ("dischrg", "descargando", "discharging"),
    ("bypass", "en bypass, sin protección", "on bypass, unprotected"),
    ("cal", "calibrando", "calibrating"),
    ("off", "salida apagada", "output off"),
    ("over", "sobrecarga", "overloaded"),
    ("trim", "reduce un voltaje alto", "lowers a high voltage"),
    ("boost", "eleva un voltaje bajo", "raises a low voltage"),
    ("alarm", "alarma", "alarm"),
)

# measurement -> (how its line begins, what is told of it: field, before the number, after it)
NUMBERS = {
    "upsd": (
        ("UPS", "UPS"),
        (
            ("battery_charge_percent", ("batería", "battery"), " %"),
            ("battery_runtime", ("autonomía", "time left"), " s"),
            ("input_voltage", ("entrada", "input"), " V"),
            ("output_voltage", ("salida", "output"), " V"),
            ("load_percent", ("carga", "load"), " %"),
            ("internal_temp", ("temperatura", "temperature"), " °C"),
            ("number_transfers", ("pasos a batería:", "transfers to battery:"), ""),
            ("unknown_tokens", ("palabras de estado desconocidas:", "unknown status words:"), ""),
            ("bad_values", ("valores descartados por imposibles:", "impossible values set aside:"), ""),
        ),
    ),
    "net": (
        ("Puerto", "Port"),
        (
            ("speed", ("", ""), " Mbit/s"),
            ("bytes_recv", ("recibidos", "received"), " B"),
            ("bytes_sent", ("enviados", "sent"), " B"),
            ("err_in", ("errores al recibir:", "receive errors:"), ""),
            ("err_out", ("errores al enviar:", "transmit errors:"), ""),
        ),
    ),
    "wan": (("Salida a Internet", "Way out"), ()),
    "system": (
        ("Sistema", "System"),
        (("load1", ("carga media", "load average"), ""), ("uptime", ("encendido hace", "up for"), " s")),
    ),
    "cpu": (("Procesador", "Processor"), (("usage_percent", ("en uso", "in use"), " %"),)),
    "mem": (("Memoria", "Memory"), (("used_percent", ("en uso", "in use"), " %"),)),
    "disk": (("Disco", "Disk"), (("used_percent", ("en uso", "in use"), " %"),)),
    "temp": (("Temperatura", "Temperature"), (("temp", ("", ""), " °C"),)),
    "clock": (("Reloj", "Clock"), ()),
}

# measurement -> field -> words for 0 and for 1
SWITCHES = {
    "net": ("carrier", ("sin enlace", "no link"), ("con enlace", "link")),
    "wan": ("up", ("caída", "down"), ("activa", "up")),
    "clock": ("synced", ("sin sincronizar", "not synchronised"), ("sincronizado", "synchronised")),
}

# Counts that are only worth telling when they are not zero.
QUIET_AT_ZERO = ("number_transfers", "unknown_tokens", "bad_values", "err_in", "err_out")

# Ages from which on they are worth telling: a driver's slow poll takes 30 s (NUT), apcupsd's 60 s.
_AGES = (
    ("age_status_ms", 15_000, ("último estado conocido hace", "last known status")),
    ("age_input_ms", 75_000, ("entrada medida hace", "input measured")),
    ("age_battery_ms", 75_000, ("batería medida hace", "battery measured")),
    ("age_output_ms", 75_000, ("salida medida hace", "output measured")),
)


def explain(measurement: str, instance: str | None, fields: "Given", lang: str = "es") -> list[str]:
    """Return the lines for one row; a measurement without words shows its numbers by their names."""
    which = LANGUAGES.index(lang) if lang in LANGUAGES else 0
    if measurement not in NUMBERS:
        parts = [name + " = " + _number(value) for name, value in sorted(fields.items()) if value is not None]
        return [_line(measurement, instance, parts)]
    title, numbers = NUMBERS[measurement]
    parts = _switch(measurement, fields, which)
    if measurement == "upsd":
        parts += _ups_states(fields, which)
    for name, words, unit in numbers:
        value = fields.get(name)
        if value is not None and not (value == 0 and name in QUIET_AT_ZERO):
            parts.append((words[which] + " " + _number(value) + unit).strip())
    if measurement == "upsd":
        parts += _ages(fields, which)
    return [_line(title[which], instance, parts)]


def _line(title: str, instance: str | None, parts: list[str]) -> str:
    return title + (" " + instance if instance else "") + ": " + (", ".join(parts) or "-")


def _switch(measurement: str, fields: "Given", which: int) -> list[str]:
    if measurement not in SWITCHES:
        return []
    name, off, on = SWITCHES[measurement]
    value = fields.get(name)
    return [] if value is None else [(on if value else off)[which]]


def _ups_states(fields: "Given", which: int) -> list[str]:
    told = [words[which] for name, *words in STATES if fields.get(name)]
    return told or [("estado desconocido", "status unknown")[which]]


def _ages(fields: "Given", which: int) -> list[str]:
    """Tell only ages that a technician should wonder about."""
    parts = []
    for name, old_ms, words in _AGES:
        age_ms = fields.get(name)
        if isinstance(age_ms, int) and age_ms >= old_ms:
            seconds = str(age_ms // 1000) + " s"
            parts.append(words[which] + " " + seconds + ("" if which == 0 else " ago"))
    return parts


def _number(value: "int | float | str | None") -> str:
    """Return a number with at most two digits after the point, and none when it is whole."""
    if not isinstance(value, float):
        return str(value)
    text = "%.2f" % value  # MicroPython's format() differs in the last digits
    return text.rstrip("0").rstrip(".")
