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
    "ping": (
        ("Prueba de", "Probe of"),
        (
            ("percent_packet_loss", ("pérdida", "loss"), " %"),
            ("average_response_ms", ("en promedio", "on average"), " ms"),
            ("maximum_response_ms", ("máximo", "at most"), " ms"),
        ),
    ),
    "dns_query": (("Servidor DNS", "DNS server"), (("query_time_ms", ("en", "in"), " ms"),)),
    "http_response": (
        ("Página", "Page"),
        (("http_response_code", ("código", "code"), ""), ("response_time", ("en", "in"), " s")),
    ),
    "x509_cert": (("Certificado de", "Certificate of"), ()),
    "clock": (
        ("Reloj", "Clock"),
        (
            ("offset_ms", ("error estimado", "estimated error"), " ms"),
            ("max_error_ms", ("a lo más", "at most"), " ms"),
        ),
    ),
    "restart": (("Último arranque", "Last start"), ()),
    "wifi_ap": (
        ("Punto de acceso", "Access point"),
        (
            ("clients", ("clientes:", "clients:"), ""),
            ("clients_day", ("dispositivos hoy, aprox.:", "devices today, about:"), ""),
            ("channel", ("canal", "channel"), ""),
            ("signal_p50", ("señal mediana", "median signal"), " dBm"),
            ("rate_p50", ("velocidad mediana", "median rate"), " Mbit/s"),
            ("airtime_percent", ("canal ocupado", "channel busy"), " %"),
            ("noise", ("ruido", "noise"), " dBm"),
        ),
    ),
    "wifi": (
        ("Wi-Fi", "Wi-Fi"),
        (
            ("access_points", ("puntos de acceso:", "access points:"), ""),
            ("access_points_up", ("en servicio:", "on the air:"), ""),
            ("clients", ("clientes:", "clients:"), ""),
            ("clients_day", ("dispositivos hoy, aprox.:", "devices today, about:"), ""),
            ("networks_heard", ("redes ajenas que se oyen:", "other networks heard:"), ""),
            ("scan_failures", ("radios que no pudieron escuchar:", "radios that could not listen:"), ""),
            ("clients_unread", ("clientes sin leer:", "clients not read:"), ""),
            ("bad_values", ("valores descartados por imposibles:", "impossible values set aside:"), ""),
        ),
    ),
    "mains": (
        ("Medidor", "Meter"),
        (
            ("voltage", ("", ""), " V"),
            ("current", ("", ""), " A"),
            ("power", ("", ""), " W"),
            ("timeouts", ("sin respuesta:", "no answer:"), ""),
            ("frame_errors", ("respuestas dañadas:", "damaged answers:"), ""),
        ),
    ),
    "pi_power": (("Alimentación del equipo", "Supply of the board"), ()),
    "tamper": (("Contacto", "Contact"), ()),
    "wifi_neighbour": (
        ("Punto de acceso vecino", "Neighbouring access point"),
        (("signal", ("señal", "signal"), " dBm"),),
    ),
}

# measurement -> field, words for each value
CODES = {
    "ping": (
        "result_code",
        {
            0: ("responde", "answers"),
            1: ("su nombre no se encuentra", "its name is not found"),
            2: ("no responde", "does not answer"),
            3: ("no hay ruta hacia allá", "there is no route to it"),
        },
    ),
    "dns_query": (
        "result_code",
        {
            0: ("responde", "answers"),
            1: ("no responde", "does not answer"),
            2: ("contesta con error", "fails"),
        },
    ),
    "http_response": (
        "result_code",
        {
            0: ("responde", "answers"),
            2: ("responde algo que no es una página", "what answers is no web server"),
            3: ("no acepta la conexión", "refuses the connection"),
            4: ("no responde a tiempo", "does not answer in time"),
            5: ("su nombre no se encuentra", "its name is not found"),
        },
    ),
    "x509_cert": (
        "verification_code",
        {0: ("válido", "valid"), 1: ("no es válido", "not valid")},
    ),
}

# what the readers call by its role
ROLES = {"gateway": ("la puerta de enlace", "the gateway"), "modem": ("el módem", "the modem")}
MINUTE_S, HOUR_S, DAY_S = 60, 3600, 86400
KIB = 1024
_SCALES = ("B", "KiB", "MiB", "GiB", "TiB")

# measurement -> field -> words for 0 and for 1
SWITCHES = {
    "net": ("carrier", ("sin enlace", "no link"), ("con enlace", "link")),
    "wan": ("up", ("caída", "down"), ("activa", "up")),
    "wifi_ap": ("up", ("fuera de servicio", "off the air"), ("en servicio", "on the air")),
    "wifi_neighbour": ("heard", ("no se oye", "not heard"), ("se oye", "heard")),
    "mains": ("answers", ("no contesta", "does not answer"), ("contesta", "answers")),
    "pi_power": ("undervoltage", ("voltaje suficiente", "enough voltage"), ("bajo voltaje", "undervoltage")),
    "tamper": ("open", ("cerrado", "closed"), ("abierto", "open")),
    "clock": ("synced", ("sin sincronizar", "not synchronised"), ("sincronizado", "synchronised")),
}

# measurement -> field, value, what is told when the field has it
SAYINGS = {
    "mains": (
        ("line_lost", 1, ("no hay puerto serie o convertidor", "serial port or gateway not there")),
        ("backwards", 1, ("transformador al revés", "transformer backwards")),
    ),
    "pi_power": (
        ("undervoltage_seen", 1, ("tuvo bajo voltaje antes", "had undervoltage before")),
        ("throttled", 1, ("procesador frenado", "processor slowed down")),
    ),
    "tamper": (("unread", 1, ("no se puede leer", "cannot be read")),),
    "wan": (
        ("pending", 1, ("conectando", "connecting")),
        (
            "error",
            "auth_failed",
            (
                "el proveedor rechaza el usuario o la contraseña",
                "the provider refuses the user name or password",
            ),
        ),
        ("error", "no_device", ("no está el puerto o el módem", "port or modem is not there")),
        ("error", "no_carrier", ("cable desconectado o módem apagado", "cable unplugged or modem off")),
        ("error", "no_answer", ("el proveedor no contesta", "the provider does not answer")),
        ("error", "peer_lost", ("el proveedor dejó de contestar", "the provider stopped answering")),
        ("error", "bad_settings", ("configuración incorrecta", "wrong settings")),
        ("error", "modem", ("falla del módem o de la SIM", "modem or SIM fault")),
        ("error", "no_interface", ("no está configurada en el router", "not set up on the router")),
        ("error", "other", ("falla sin clasificar", "other fault")),
        ("ipv4", 0, ("sin dirección IPv4", "no IPv4 address")),
        ("default_route", 0, ("sin ruta de salida", "no default route")),
    ),
    "restart": (
        ("cold", 1, ("después de quedarse sin corriente", "after being without power")),
        ("cold", 0, ("reinicio sin pérdida de corriente", "restart without loss of power")),
        ("watchdog_reset", 1, ("lo reinició el temporizador de vigilancia", "restarted by the watchdog")),
        ("power_fault", 1, ("falla de voltaje en su alimentación", "fault of its supply voltage")),
        ("over_temp", 1, ("se apagó por temperatura", "stopped by heat")),
        ("crash_dump", 0, ("sin registro de fallas del sistema", "no crash of the system on record")),
        ("crash_dump", 1, ("el sistema había fallado (hay registro)", "the system had crashed (dump kept)")),
    ),
    "wifi_ap": (
        ("dfs_wait", 1, ("revisa que ningún radar use el canal", "checks that no radar uses the channel")),
        ("place", "indoor", ("en interior", "indoors")),
        ("place", "outdoor", ("en exterior", "outdoors")),
    ),
}

# Counts that are only worth telling when they are not zero.
QUIET_AT_ZERO = (
    "unknown_tokens",
    "bad_values",
    "err_in",
    "err_out",
    "scan_failures",
    "clients_unread",
    "number_transfers",
    "timeouts",
    "frame_errors",
)

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
    parts = _switch(measurement, fields, which) + _code(measurement, fields, which)
    parts += [
        words[which] for name, value, words in SAYINGS.get(measurement, ()) if fields.get(name) == value
    ]
    if measurement == "upsd":
        parts += _ups_states(fields, which)
    for name, words, unit in numbers:
        value = fields.get(name)
        if value is not None and not (value == 0 and name in QUIET_AT_ZERO):
            parts.append((words[which] + " " + _amount(value, unit, lang)).strip())
    if measurement == "upsd":
        parts += _ages(fields, which)
    if measurement == "x509_cert":
        parts += _end(fields, which)
    return [_line(title[which], ROLES[instance][which] if instance in ROLES else instance, parts)]


def _line(title: str, instance: str | None, parts: list[str]) -> str:
    return title + (" " + instance if instance else "") + ": " + (", ".join(parts) or "-")


def _switch(measurement: str, fields: "Given", which: int) -> list[str]:
    if measurement not in SWITCHES:
        return []
    name, off, on = SWITCHES[measurement]
    value = fields.get(name)
    return [] if value is None else [(on if value else off)[which]]


def _code(measurement: str, fields: "Given", which: int) -> list[str]:
    if measurement not in CODES:
        return []
    name, words = CODES[measurement]
    value = fields.get(name)
    said = [words[value][which]] if isinstance(value, int) and value in words else []
    if fields.get("redirected"):
        said.append(("manda a otra página", "sends elsewhere")[which])
    return said


def _end(fields: "Given", which: int) -> list[str]:
    left_s = fields.get("expiry")
    if not isinstance(left_s, int):
        return []
    time = duration(abs(left_s), LANGUAGES[which])
    if left_s < 0:
        return [("venció hace " + time, "ended " + time + " ago")[which]]
    return [("vence en " + time, "ends in " + time)[which]]


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


def _amount(value: "int | float | str", unit: str, lang: str) -> str:
    """Return value and unit; long times and many bytes as people say them."""
    if unit == " s" and isinstance(value, (int, float)) and value >= 2 * MINUTE_S:
        return duration(int(value), lang)
    if unit == " B" and isinstance(value, (int, float)):
        return byte_count(value)
    return _number(value) + unit


def duration(seconds: int, lang: str = "es") -> str:
    """Return a time in the one or two units that matter."""
    if seconds < MINUTE_S:
        return str(seconds) + " s"
    if seconds < HOUR_S:
        return str(seconds // MINUTE_S) + " min"
    if seconds < DAY_S:
        return str(seconds // HOUR_S) + " h " + str(seconds % HOUR_S // MINUTE_S) + " min"
    count = seconds // DAY_S
    return str(count) + (" día" if lang == "es" else " day") + ("" if count == 1 else "s")


def byte_count(value: float) -> str:
    """Return a number of bytes in the unit that leaves at most four digits before the point."""
    scale = 0
    while value >= KIB and scale < len(_SCALES) - 1:
        value /= KIB
        scale += 1
    return ("%d %s" if scale == 0 else "%.1f %s") % (value, _SCALES[scale])


def _number(value: "int | float | str | None") -> str:
    """Return a number with at most two digits after the point, and none when it is whole."""
    if not isinstance(value, float):
        return str(value)
    text = "%.2f" % value  # MicroPython's format() differs in the last digits
    return text.rstrip("0").rstrip(".")
