"""The demonstration's folder: certificates, enrolments, the collector's configuration, secrets, logs."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from certs.authority import Authority
from certs.enrolment import Place
from simulators import centre_config
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
    workdir.config.write_text(centre_config.toml(sections, "vigia-demo"), encoding="utf-8")


def _sections(ports: Ports, pace: Pace) -> centre_config.Sections:
    """Everything but the store."""
    return {
        **centre_config.common(ports.device, ports.collector),
        **centre_config.alerts(pace.hold_off_ms, pace.recovery_hold_ms, "webhook"),
        "rules": {"tick_ms": 500},
        "rules.thresholds": dict(pace.thresholds),
        "web": {"port": ports.web, "title": "Vigía (demo)", "public_url": f"http://127.0.0.1:{ports.web}"},
    }


def _store(ports: Ports, influxd: Path | None) -> centre_config.Sections:
    """Where readings go."""
    if influxd is None:
        return {"store": {"kind": "embedded"}}
    return {
        "store": {"kind": "influx"},
        "store.influx": {"url": f"http://127.0.0.1:{ports.influx}", "command": str(influxd)},
    }
