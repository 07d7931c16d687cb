"""The composition root: makes each part of the collector from a configuration, and nothing at import.

Everything is passed through constructors. What is opened here is closed by the caller in reverse order.
"""

from __future__ import annotations

import gc
import logging
import sys
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from collector import influxd
from collector.clock import SystemClock
from collector.config import secret
from collector.errors import ConfigError, StoreUnavailableError
from collector.log import Reporter
from collector.metrics import Metrics, prepare, shared_registry
from collector.registry import Registry, import_enrolments, import_sites
from collector.storage import migrate
from collector.storage.factory import open_store
from collector.storage.provisioning import ProvisioningStore
from collector.storage.state import open_engine
from collector.supervisor import Part, Supervisor

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event

    from sqlalchemy import Engine

    from collector.config import Config


def open_state(config: Config) -> Engine:
    """Open the state and see that its tables are those of this version."""
    engine = open_engine(config.state_url())
    try:
        current = migrate.is_current(engine)
    except SQLAlchemyError as error:
        raise ConfigError(f"state.url: cannot be opened: {_one_line(error)}") from error
    if not current:
        raise ConfigError("the state's tables are not those of this version: run vigia-collector provision")
    return engine


def provision(config: Config, *, with_store: bool = True) -> list[str]:
    """Create or upgrade tables, facilities, devices and (``with_store``) buckets; say what was done."""
    engine = open_engine(config.state_url())
    try:
        done = ["state: tables upgraded"] if migrate.upgrade(engine) else []
    except SQLAlchemyError as error:
        raise ConfigError(f"state.url: cannot be opened: {_one_line(error)}") from error
    done += _import_registry(config, engine)
    if with_store:
        store = open_store(config.store)
        try:
            done += store.provision()
        finally:
            store.close()
    engine.dispose()
    return done


def _import_registry(config: Config, engine: Engine) -> list[str]:
    done = []
    with Session(engine) as session, session.begin():
        if config.registry.sites_file is not None:
            count = import_sites(session, config.registry.sites_file)
            done.append(f"registry: {count} facilities")
        session.flush()
        folder = config.registry.enrolments_dir
        files = sorted(folder.glob("*.json")) if folder is not None and folder.is_dir() else []
        problems = import_enrolments(session, files)
    done += [f"registry: {problem}" for problem in problems]
    done.append(f"registry: {len(files) - len(problems)} devices")
    return done


def run_ingest(config: Config, stop: Event) -> None:
    """Receive, verify, store and judge until ``stop``."""
    from collector.ingest.service import IngestService  # noqa: PLC0415 - each process loads its own part only
    from collector.judge import Judge  # noqa: PLC0415 - same

    clock, metrics = SystemClock(), Metrics()
    reporter = Reporter("ingest", metrics)
    with ExitStack() as stack:
        engine = open_state(config)
        stack.callback(engine.dispose)
        store = ProvisioningStore(open_store(config.store), reporter)
        stack.callback(store.close)
        registry = Registry(engine, config.registry, reporter, clock)
        judge = Judge(registry, config, metrics)
        service = IngestService(config, engine, store, registry, judge, metrics, reporter, clock)
        _let_garbage_lie()
        service.run(stop)


def _let_garbage_lie() -> None:
    """Look for garbage cycles less often: a batch makes 100,000 objects, and nearly none are in a cycle.

    With Python's defaults a third of the ingest's time went into looking (docs/performance.md).
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 50)


def run_alerts(config: Config, stop: Event) -> None:
    """Deliver what the outbox holds until ``stop``."""
    from collector.alerts.service import AlertService  # noqa: PLC0415 - each process loads its own part only

    metrics = Metrics()
    engine = open_state(config)
    try:
        AlertService(config, engine, metrics, Reporter("alerts", metrics), SystemClock()).run(stop)
    finally:
        engine.dispose()


def run_probes(config: Config, stop: Event) -> None:
    """Ask broker, store and the way out until ``stop``."""
    from collector.probes.service import ProbeService, probes  # noqa: PLC0415 - each process loads its own part only

    clock, metrics = SystemClock(), Metrics()
    reporter = Reporter("probes", metrics)
    engine = open_state(config)
    try:
        asked = probes(config, lambda: open_store(config.store))
        ProbeService(config, engine, asked, metrics, reporter, clock).run(stop)
    finally:
        engine.dispose()


def doctor(config: Config) -> tuple[list[str], bool]:
    """Ask every probe once; say what each found, and whether all is well."""
    from collector.probes.service import probes  # noqa: PLC0415 - each process loads its own part only

    lines, well = [], True
    for probe in probes(config, lambda: open_store(config.store)):
        seen = probe.ask()
        probe.close()
        well = well and seen.good
        words = f"ok, {seen.latency_ms:.0f} ms" if seen.good else f"FAILED: {seen.detail}"
        lines.append(f"{probe.name}: {words}")
    if not config.probes.uplink:
        lines.append("uplink: not asked, probes.uplink names no targets")
    return lines, well


def run_web(config: Config) -> None:
    """Serve the dashboard and the API until SIGTERM."""
    from collector.web.serve import serve  # noqa: PLC0415 - each process loads its own part only

    serve(config, open_state(config), open_store(config.store), shared_registry, SystemClock())


def requeue(config: Config, measurement: str | None) -> list[str]:
    """Store the held tables of measurements that are known now; say what became of them."""
    from collector.ingest.requeue import Requeue, is_known  # noqa: PLC0415 - the ingest's part

    if measurement is not None and not is_known(measurement):
        raise ConfigError(f"'{measurement}' is not a measurement of devices that this version knows")
    clock, metrics = SystemClock(), Metrics()
    reporter = Reporter("requeue", metrics)
    with ExitStack() as stack:
        engine = open_state(config)
        stack.callback(engine.dispose)
        store = open_store(config.store)
        stack.callback(store.close)
        registry = Registry(engine, config.registry, reporter, clock)
        done = Requeue(engine, store, registry).run(measurement)
    lines = [f"stored: {count} tables of {name}" for name, count in sorted(done.stored.items())]
    lines += [f"refused: {count} tables, {reason}" for reason, count in sorted(done.refused.items())]
    lines += [f"still held: {count} messages with {name}" for name, count in sorted(done.waiting.items())]
    return lines or ["nothing is held"]


def quarantine(config: Config) -> list[str]:
    """Say what the quarantine holds: reasons, counts, and the measurements that are waited for."""
    from collector.ingest.requeue import inventory, waiting  # noqa: PLC0415 - the ingest's part

    engine = open_state(config)
    try:
        with Session(engine) as session:
            heaps, names = inventory(session), waiting(session)
    finally:
        engine.dispose()
    lines = [
        f"{heap.count:>8} {heap.reason}{' (held)' if heap.held else ''}: {heap.devices} devices, "
        f"{heap.size} bytes, newest {datetime.fromtimestamp(heap.newest_ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
        for heap in heaps
    ]
    lines += [f"{count:>8} messages wait for {name}" for name, count in sorted(names.items())]
    return lines or ["the quarantine is empty"]


def check(config: Config) -> list[str]:
    """Look at what the configuration names; return one line for everything that is missing."""
    from collector.alerts.channels import check_channel  # noqa: PLC0415 - loads Apprise

    files = {
        "broker.ca_file": config.broker.ca_file,
        "broker.cert_file": config.broker.cert_file,
        "broker.key_file": config.broker.key_file,
        "ingest.ack_secret_file": config.ingest.ack_secret_file,
        "registry.sites_file": config.registry.sites_file,
    }
    problems = [f"{key}: {path} is missing" for key, path in files.items() if path and not path.is_file()]
    if config.store.kind == "influx" and config.store.influx.command is None:
        try:
            secret(config.store.influx.token_file, "VIGIA_INFLUX_TOKEN")
        except ConfigError as error:
            problems.append(f"store.influx.token_file: {error}")
    for name, channel in config.alerts.channels.items():
        try:
            check_channel(name, channel)
        except ConfigError as error:
            problems.append(f"alerts.channels.{name}: {error}")
    return problems


def run_all(config: Config, path: Path, stop: Event) -> None:
    """Hold all parts: InfluxDB and the embedded broker when configured, ingest, alerts, web."""
    prepare(config.metrics.dir, wipe=True)
    clock, metrics = SystemClock(), Metrics()
    reporter = Reporter("run", metrics)
    supervisor = Supervisor(reporter, metrics, clock)
    try:
        if config.store.kind == "influx" and config.store.influx.command:
            ready = partial(influxd.make_ready, config.store.influx, reporter.info)
            failing = influxd.failing(config.store.influx)
            supervisor.start(
                Part("influxd", influxd.command(config.store.influx), before=ready, failing=failing)
            )
            _prepare_patiently(config, reporter, stop)
        _provision_patiently(config, reporter, stop)
        first = ["broker"] if config.broker.embedded else []
        last = ["probes"] if config.probes.enabled else []
        for name in [*first, "ingest", "alerts", "web", *last]:
            command = [sys.executable, "-m", "collector", name, "--config", str(path)]
            supervisor.start(Part(name, command))
        supervisor.run(stop)
    finally:
        supervisor.stop()


def _prepare_patiently(config: Config, reporter: Reporter, stop: Event) -> None:
    """Set InfluxDB up; one that was set up before and does not answer yet is waited for by the ingest."""
    try:
        influxd.prepare(config.store.influx, stop)
    except StoreUnavailableError as error:
        if not influxd.is_set_up(config.store.influx):
            raise
        reporter.problem("store_unavailable", str(error), level=logging.ERROR)


def _provision_patiently(config: Config, reporter: Reporter, stop: Event) -> None:
    """Provision; a store that is down at start is waited for by the ingest, not by us."""
    try:
        done = provision(config)
    except StoreUnavailableError as error:
        reporter.problem("store_unavailable", str(error), level=logging.ERROR)
        done = provision(config, with_store=False)
    for line in done:
        reporter.info(line)
    if stop.is_set():
        reporter.info("stopping")


def _one_line(error: BaseException) -> str:
    return str(error).split("\n", maxsplit=1)[0]
