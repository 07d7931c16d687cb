"""A bench's folder: authority, enrolments, configuration, what simulated devices keep, logs."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from certs.authority import Authority
from certs.enrolment import Place
from simulators import centre_config
from simulators.bench.controls import NOMINAL_V
from simulators.bench.failure import BenchError
from simulators.demo.workdir import Workdir

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from simulators.bench.pace import Pace

MARK = "made-by-vigia-bench"
_COLUMNS = ("id", "name_es", "name_en", "kind", "nominal_v", "premises", "provider", "circuit")


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the bench's broker listens: for devices, on the loopback for the collector; and its web."""

    device: int
    collector: int
    web: int


def prepare(path: Path) -> Workdir:
    """Open or make the folder; ``BenchError`` for one that is somebody else's.

    Authority and enrolments stay from one day to the next, readings and incidents do not.
    """
    mark = path / MARK
    if path.exists() and any(path.iterdir()) and not mark.exists():
        raise BenchError(f"{path}: is not empty and no bench of before; choose another folder")
    path.mkdir(parents=True, exist_ok=True)
    mark.touch()
    for pattern in ("vigia.db*", "readings.db*"):
        for old in path.glob(pattern):
            old.unlink()
    return Workdir(path.resolve())


def issue(workdir: Workdir, hosts: Sequence[str], ports: Ports, devices: dict[str, str]) -> None:
    """Make the authority if there is none, and issue devices (name -> site) that are not yet."""
    if (workdir.pki / "pki.json").exists():
        authority = Authority.open(workdir.pki)
        authority.renew(hosts)
    else:
        authority = Authority.create(
            workdir.pki, hosts, device_port=ports.device, collector_port=ports.collector
        )
    for name, site in devices.items():
        if not (workdir.pki / "enrolments" / f"{name}.json").exists():
            place = Place(kind="router", feed="ups:ups", modem_feed="ups:ups")
            authority.issue(name, site, host=hosts[0], port=ports.device, place=place)


def adapt(folder: Path, host: str, port: int, upsd_port: int | None) -> None:
    """Fit what a real device carries to the bench: its line, a spool in flash, its UPS.

    What people have put into it beside that stays.
    """
    path = folder / "agent.json"
    config = json.loads(path.read_text(encoding="utf-8"))
    config["broker"] |= {"host": host, "port": port}
    config["spool"] |= {"flash_dir": config["spool"].get("flash_dir") or "spool"}
    if upsd_port is not None:
        config["readers"]["ups"] = config["readers"].get("ups", {}) | {"host": host, "port": upsd_port}
    path.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")


def configure(workdir: Workdir, ports: Ports, pace: Pace, webhook: str, sites: Sequence[str]) -> None:
    """Write the table of facilities and the collector's configuration."""
    with (workdir.path / "sites.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(_COLUMNS)
        # nothing in common: what is done to one on a table is none of its neighbours' business
        rows.writerows(
            (site, f"Banco de pruebas {site}", f"Bench {site}", "bench", NOMINAL_V, site, site, site)
            for site in sites
        )
    (workdir.path / "webhook.url").write_text(f"{webhook}\n", encoding="utf-8")
    sections = _sections(ports, pace)
    workdir.config.write_text(centre_config.toml(sections, "vigia-sim bench"), encoding="utf-8")


def _sections(ports: Ports, pace: Pace) -> centre_config.Sections:
    return {
        **centre_config.common(ports.device, ports.collector),
        "store": {"kind": "embedded"},
        "ingest": {"ack_interval_ms": 500 if pace.shortened else 2_000},
        **centre_config.alerts(pace.hold_off_ms, pace.hold_off_ms, "bench"),
        "rules": {"tick_ms": 500},
        "rules.thresholds": dict(pace.thresholds),
        "web": {"port": ports.web, "title": "Vigía (banco de pruebas)"},
    }
