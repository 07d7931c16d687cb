"""The collector's configuration: one TOML file, a section per package, unknown keys refused.

``load(path)`` returns a ``Config`` or raises ``ConfigError`` with one line that names the key and the
nearest known one. Relative paths are relative to the file. Secrets stand in files of their own
(``*_file``) or in the environment (``VIGIA_<SECTION>_<KEY>``, as in ``VIGIA_INFLUX_TOKEN``), never in
the TOML. Every key is described in docs/configuration.md, and a test holds that list against this file.
"""

from __future__ import annotations

import datetime as dt
import difflib
import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from collector.errors import ConfigError

UPLINK_TARGETS = 3  # one may be down, two may share a fault


def _below(value: Any, info: ValidationInfo) -> Any:
    """Make a path absolute, relative to the configuration file."""
    base = (info.context or {}).get("base", Path())
    return base / value if isinstance(value, str) else value


FilePath = Annotated[Path, BeforeValidator(_below)]


class Section(BaseModel):
    """A section: immutable, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class StateConfig(Section):
    """The SQL database of the collector's own state."""

    url: str = "sqlite:///vigia.db"  # relative SQLite paths are relative to the file


class BrokerConfig(Section):
    """The MQTT broker's listener for the collector, and the collector's credentials there."""

    host: str = "localhost"
    port: int = Field(default=8884, ge=1, le=65535)
    ca_file: FilePath = Path("pki/ca.pem")
    cert_file: FilePath = Path("pki/collector/cert.pem")
    key_file: FilePath = Path("pki/collector/key.pem")
    mqtt_version: Literal[4, 5] = 5
    embedded: bool = False  # start the embedded broker with `run` (demo, tests); then mqtt_version is 4
    device_port: int = Field(default=8883, ge=1, le=65535)  # of the embedded broker
    collector_ca_file: FilePath = Path("pki/collector/ca.pem")  # who issues the collector's certificate
    server_cert_file: FilePath = Path("pki/server/cert.pem")
    server_key_file: FilePath = Path("pki/server/key.pem")


class IngestConfig(Section):
    """Batches and limits of the ingest."""

    owner: str = ""  # name of this worker in leases; default: host name and process id
    shards: str = Field(default="0123456789abcdef", pattern=r"^[0-9a-f]+$")
    batch_frames: int = Field(default=500, ge=1)
    batch_ms: int = Field(default=200, ge=1)
    bucket_rate_per_s: float = 5.0
    bucket_burst: int = 900
    quarantine_rows: int = Field(default=10_000, ge=1)
    ack_secret_file: FilePath = Path("pki/collector/ack.secret")
    ack_interval_ms: int = Field(default=2000, ge=0)


class RegistryConfig(Section):
    """Where facilities and enrolled devices come from; read at start and when an unknown key speaks."""

    sites_file: FilePath | None = None
    enrolments_dir: FilePath | None = Path("pki/enrolments")


class InfluxConfig(Section):
    """An InfluxDB 2 server. With ``command`` set, `run` starts and supervises it."""

    url: str = "http://127.0.0.1:8086"
    org: str = "vigia"
    bucket: str = "vigia"
    long_bucket: str = "vigia_5m"
    token_file: FilePath | None = Path("influx.token")
    timeout_ms: int = 10_000
    command: str | None = None  # path or name of influxd
    data_dir: FilePath = Path("influx")


class EmbeddedConfig(Section):
    """The embedded SQLite store, for a laptop, a demonstration or tests."""

    path: FilePath = Path("readings.db")


class StoreConfig(Section):
    """Where readings go."""

    kind: Literal["influx", "embedded"] = "influx"
    raw_retention_days: int = Field(default=35, ge=1)
    long_retention_days: int = Field(default=1825, ge=1)
    influx: InfluxConfig = InfluxConfig()
    embedded: EmbeddedConfig = EmbeddedConfig()


class RulesConfig(Section):
    """Thresholds that differ from the catalogue (``collector/rules/catalogue.py``), by name."""

    tick_ms: int = Field(default=1000, ge=100)
    thresholds: dict[str, float] = {}
    sites: dict[str, dict[str, float]] = {}  # site id -> thresholds
    kinds: dict[str, dict[str, float]] = {}  # kind of facility -> thresholds


class ProbesConfig(Section):
    """How the centre looks at itself (``collector/probes``)."""

    enabled: bool = True  # `run` starts the probes
    interval_ms: int = Field(default=5_000, ge=100)
    timeout_ms: int = Field(default=3_000, ge=50)
    uplink: tuple[str, ...] = ()  # independent targets outside; none: nothing is known of the way out

    @field_validator("uplink")
    @classmethod
    def _independent(cls, targets: tuple[str, ...]) -> tuple[str, ...]:
        if not targets:
            return targets
        from collector.probes.uplink import wrong_target  # noqa: PLC0415 - only who probes loads it

        for problem in filter(None, map(wrong_target, targets)):
            raise ValueError(problem)
        if len(set(targets)) < UPLINK_TARGETS:
            raise ValueError(f"{UPLINK_TARGETS} independent targets are needed, or none")
        return targets


class ChannelConfig(Section):
    """One place messages go to: an Apprise URL from a file or from ``VIGIA_CHANNEL_<NAME>``."""

    url_file: FilePath | None = None
    language: Literal["es", "en"] = "es"
    routes: tuple[Literal["crew", "dispatcher", "maintenance"], ...] = ("crew", "dispatcher", "maintenance")
    min_severity: Literal["info", "warning", "critical", "hazard"] = "warning"


class AlertsConfig(Section):
    """When and where people are told."""

    hold_off_ms: int = Field(default=60_000, ge=0)
    recovery_hold_ms: int = Field(default=60_000, ge=0)
    poll_ms: int = Field(default=500, ge=50)
    timeout_ms: int = Field(default=10_000, ge=100)
    opens: dt.time = dt.time(8)  # what can wait for working hours is told between these
    closes: dt.time = dt.time(18)  # the same as opens: at any hour
    weekend: bool = False
    channels: dict[str, ChannelConfig] = {}


class WebConfig(Section):
    """The dashboard and the API."""

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    secret_file: FilePath = Path("web.secret")
    language: Literal["es", "en"] = "es"
    timezone: str = "America/Mexico_City"  # of the times on pages
    title: str = "Vigía"
    workers: int = Field(default=1, ge=1)
    threads: int = Field(default=16, ge=2)
    public_url: str = ""  # in messages: where a person opens an incident


class MetricsConfig(Section):
    """Own metrics: counters of every process, gathered in a folder and shown by the web's /metrics."""

    dir: FilePath = Path("metrics")


class LogConfig(Section):
    """Log lines on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["text", "json"] = "text"


class Config(Section):
    """Everything; each program uses its sections."""

    base: Path = Path()
    state: StateConfig = StateConfig()
    broker: BrokerConfig = BrokerConfig()
    ingest: IngestConfig = IngestConfig()
    registry: RegistryConfig = RegistryConfig()
    store: StoreConfig = StoreConfig()
    rules: RulesConfig = RulesConfig()
    probes: ProbesConfig = ProbesConfig()
    alerts: AlertsConfig = AlertsConfig()
    web: WebConfig = WebConfig()
    metrics: MetricsConfig = MetricsConfig()
    log: LogConfig = LogConfig()

    def state_url(self) -> str:
        """Return the state's URL with a relative SQLite path made absolute."""
        prefix = "sqlite:///"
        url = os.environ.get("VIGIA_STATE_URL", self.state.url)
        if not url.startswith(prefix) or url == prefix:
            return url
        return prefix + str(self.base / url[len(prefix) :])


def load(path: Path) -> Config:
    """Read and check a configuration file."""
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: not TOML: {error}") from error
    return parse(data, path.resolve().parent, str(path))


def parse(data: dict[str, Any], base: Path, name: str = "configuration") -> Config:
    """Check a configuration given as tables; paths are relative to ``base``."""
    if "base" in data:
        raise ConfigError(f"{name}: unknown key 'base'")
    try:
        # defaults are validated too, so that their paths are made absolute
        return Config.model_validate(_with_defaults(Config, data) | {"base": base}, context={"base": base})
    except ValidationError as error:
        # a key may hold anything that TOML lets one quote, line breaks too
        raise ConfigError(" ".join(f"{name}: {_explain(error)}".split())) from error


def _with_defaults(model: type[BaseModel], data: dict[str, Any]) -> dict[str, Any]:
    """Fill in the default paths and sections, as text, so that they pass through the validators."""
    filled = dict(data)
    for key, info in model.model_fields.items():
        annotation = info.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            given = data.get(key, {})
            filled[key] = _with_defaults(annotation, given) if isinstance(given, dict) else given
        elif key != "base" and key not in data and isinstance(info.default, Path):
            filled[key] = str(info.default)
    return filled


def _explain(error: ValidationError) -> str:
    """Say in one line what is wrong with the first offending key."""
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        return f"{where}: {first['msg']}"
    near = difflib.get_close_matches(str(first["loc"][-1]), _known(first["loc"][:-1]), n=1, cutoff=0.4)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return f"unknown key '{where}'{hint}"


def _known(loc: tuple[int | str, ...]) -> list[str]:
    """Names that are known at a place of the configuration."""
    model: type[BaseModel] = Config
    for part in loc:
        info = model.model_fields.get(str(part))
        annotation = info.annotation if info else ChannelConfig
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return [key for key in model.model_fields if key != "base"]


def secret(path: Path | None, variable: str) -> str:
    """Return a secret from the environment, else from its file; ``ConfigError`` when neither is there."""
    if value := os.environ.get(variable):
        return value.strip()
    if path is None:
        raise ConfigError(f"no secret: set {variable} or name its file")
    try:
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror}); or set {variable}") from error
