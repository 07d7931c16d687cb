"""The demonstration's folder: certificates, enrolments, the collector's configuration, secrets, logs."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from certs.authority import Authority
from certs.enrolment import Place
from simulators.demo.failure import DemoError
from simulators.sample import sites_file

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from simulators.demo.layout import Pace
    from simulators.scenario.model import SitePart

_MARK = "made-by-vigia-demo"


@dataclass(frozen=True, slots=True)
class Ports:
    """Ports on the loopback: devices and collector to the broker, people to the dashboard, InfluxDB."""

    device: int
    collector: int
    web: int
    influx: int


@dataclass(frozen=True, slots=True)
class Workdir:
    """Where everything of one demonstration is."""

    path: Path

    @property
    def pki(self) -> Path:
        """The authority's folder."""
        return self.path / "pki"

    @property
    def config(self) -> Path:
        """The collector's configuration."""
        return self.path / "collector.toml"

    @property
    def log(self) -> Path:
        """What the collector said."""
        return self.path / "collector.log"

    @property
    def devices(self) -> Path:
        """What the simulated devices keep: ``ram``, ``flash``, ``log``."""
        return self.path / "devices"


def prepare(path: Path) -> Workdir:
    """Make the folder, or empty one that an earlier demonstration made; ``DemoError`` for any other."""
    mark = path / _MARK
    if path.exists() and any(path.iterdir()) and not mark.exists():
        raise DemoError(f"{path}: is not empty and not made by vigia-demo; choose another folder")
    if path.exists():
        for entry in path.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    path.mkdir(parents=True, exist_ok=True)
    mark.touch()
    return Workdir(path.resolve())


def enrol(workdir: Workdir, ports: Ports, places: Iterable[SitePart]) -> None:
    """Make the authority and issue every device that has an agent."""
    authority = Authority.create(
        workdir.pki, ["localhost"], device_port=ports.device, collector_port=ports.collector
    )
    for site in places:
        for part in site.device:
            if part.has_agent:
                place = Place(kind=part.kind, feed=part.fed_by, modem_feed=site.way_out(part).fed_by)
                authority.issue(part.id, site.id, host="localhost", place=place)


def configure(workdir: Workdir, ports: Ports, pace: Pace, webhook: str, influxd: Path | None) -> None:
    """Write the collector's configuration; ``influxd`` None means the embedded store."""
    with sites_file() as source:
        shutil.copyfile(source, workdir.path / "sites.csv")
    (workdir.path / "webhook.url").write_text(f"{webhook}\n", encoding="utf-8")
    sections = {**_sections(ports, pace), **_store(ports, influxd)}
    workdir.config.write_text(_toml(sections), encoding="utf-8")


def _sections(ports: Ports, pace: Pace) -> dict[str, dict[str, object]]:
    """Everything but the store."""
    return {
        "broker": {
            "host": "localhost",
            "port": ports.collector,
            "device_port": ports.device,
            "embedded": True,
            "mqtt_version": 4,
        },
        "registry": {"sites_file": "sites.csv", "enrolments_dir": "pki/enrolments"},
        "alerts": {
            "hold_off_ms": pace.hold_off_ms,
            "recovery_hold_ms": pace.recovery_hold_ms,
            "poll_ms": 200,
            # the story is told at any hour of any day
            "opens": "00:00",
            "closes": "00:00",
            "weekend": True,
        },
        "alerts.channels.webhook": {
            "url_file": "webhook.url",
            "min_severity": "info",
            "routes": ["crew", "dispatcher", "maintenance"],
        },
        "rules": {"tick_ms": 500},
        "rules.thresholds": dict(pace.thresholds),
        "web": {"port": ports.web, "title": "Vigía (demo)", "public_url": f"http://127.0.0.1:{ports.web}"},
    }


def _store(ports: Ports, influxd: Path | None) -> dict[str, dict[str, object]]:
    """Where readings go."""
    if influxd is None:
        return {"store": {"kind": "embedded"}}
    return {
        "store": {"kind": "influx"},
        "store.influx": {"url": f"http://127.0.0.1:{ports.influx}", "command": str(influxd)},
    }


def _toml(sections: dict[str, dict[str, object]]) -> str:
    """Write tables of plain values; JSON's texts, numbers and booleans are TOML's too."""
    lines = ["# written by vigia-demo"]
    for name, values in sections.items():
        lines += ["", f"[{name}]"]
        lines += [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()]
    return "\n".join(lines) + "\n"
