"""The configuration of a collector that a simulation starts: with the embedded broker, told at any hour."""

from __future__ import annotations

import json

Sections = dict[str, dict[str, object]]


def common(device_port: int, collector_port: int) -> Sections:
    """Return what every such collector has; a caller adds to it by section."""
    return {
        "broker": {
            "host": "localhost",
            "port": collector_port,
            "device_port": device_port,
            "embedded": True,
            "mqtt_version": 4,
        },
        "registry": {"sites_file": "sites.csv", "enrolments_dir": "pki/enrolments"},
    }


def alerts(hold_off_ms: int, recovery_hold_ms: int, channel: str) -> Sections:
    """Return alerts that go out at any hour of any day, all of them to the webhook of ``webhook.url``."""
    return {
        "alerts": {
            "hold_off_ms": hold_off_ms,
            "recovery_hold_ms": recovery_hold_ms,
            "poll_ms": 200,
            "opens": "00:00",
            "closes": "00:00",
            "weekend": True,
        },
        f"alerts.channels.{channel}": {
            "url_file": "webhook.url",
            "min_severity": "info",
            "routes": ["crew", "dispatcher", "maintenance"],
        },
    }


def toml(sections: Sections, program: str) -> str:
    """Write tables of plain values; JSON's texts, numbers and booleans are TOML's too."""
    lines = [f"# written by {program}"]
    for name, values in sections.items():
        lines += ["", f"[{name}]"]
        lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"
