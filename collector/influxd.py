"""An InfluxDB server that ``vigia-collector run`` starts itself: its command, first set-up and new start.

InfluxDB's own set-up API (``/api/v2/setup``) makes the organisation, the bucket and a token on a server that
has none; the token goes to the configured file, readable by its owner only.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3

from collector.errors import ConfigError, StoreUnavailableError
from collector.storage import influx_wal
from collector.storage.influx_trust import InfluxTrust

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from threading import Event

    from collector.config import InfluxConfig

READY_S = 60.0
ASK_MS = 2_000
ROOM_BYTES = 64 << 20  # a new start before there is room would only fail again
ROOM_SHARE = 0.05  # of a disk that is smaller than most


def command(config: InfluxConfig) -> list[str]:
    """Return the command line: data below ``data_dir``, listening where ``url`` points, no telemetry."""
    host = urlsplit(config.url).netloc
    data = config.data_dir
    data.mkdir(parents=True, exist_ok=True)
    return [
        config.command or "influxd",
        f"--bolt-path={data / 'influxd.bolt'}",
        f"--sqlite-path={data / 'influxd.sqlite'}",
        f"--engine-path={data / 'engine'}",
        f"--http-bind-address={host}",
        "--reporting-disabled",
        "--log-level=warn",
    ]


def prepare(config: InfluxConfig, stop: Event) -> bool:
    """Wait until the server answers and set it up when it is new; say whether it was new."""
    http = urllib3.PoolManager(retries=False, timeout=5)
    deadline = time.monotonic() + READY_S
    while True:
        try:
            answer = http.request("GET", f"{config.url}/api/v2/setup").json()
            break
        except (urllib3.exceptions.HTTPError, ValueError) as error:
            if stop.wait(0.1) or time.monotonic() > deadline:
                raise StoreUnavailableError(f"InfluxDB at {config.url} does not answer: {error}") from error
    if not answer.get("allowed"):
        return False
    if config.token_file is None:
        raise ConfigError("store.influx.token_file: needed when run sets InfluxDB up")
    _set_up(http, config, config.token_file)
    return True


def make_ready(config: InfluxConfig, say: Callable[[str], None]) -> None:
    """Mend the logs before a start. Raises OSError while there is too little room for one.

    On a full disk a server forgets, as it starts, fields that it wrote; until they are written again.
    """
    if not has_room(config.data_dir):
        raise OSError(errno.ENOSPC, "too little room to start without loss", str(config.data_dir))
    for line in influx_wal.mend(config.data_dir):
        say(line)


def is_set_up(config: InfluxConfig) -> bool:
    """Whether a server was set up here at some time."""
    return (config.data_dir / "influxd.bolt").exists() and (
        config.token_file is None or config.token_file.exists()
    )


def failing(config: InfluxConfig) -> Callable[[], str | None]:
    """Return a question: why must this server be started again? None: it need not, or has no room yet."""
    trust = InfluxTrust(config.url, ASK_MS)

    def ask() -> str | None:
        trust.doubt()
        try:
            broken = trust.broken() is not None
        except urllib3.exceptions.HTTPError:
            return None  # silence says nothing of its writes; if it ended, it is started anyway
        return "has failed writes and has room now" if broken and has_room(config.data_dir) else None

    return ask


def has_room(folder: Path) -> bool:
    """Whether the disk has room for what a server writes at its start."""
    disk = shutil.disk_usage(folder)
    return disk.free >= min(ROOM_BYTES, disk.total * ROOM_SHARE)


def _set_up(http: urllib3.PoolManager, config: InfluxConfig, token_file: Path) -> None:
    """Make organisation, bucket and token; the token is on disk before the server knows it."""
    token = secrets.token_urlsafe(48)
    write_secret(token_file, token)
    answer = http.request(
        "POST",
        f"{config.url}/api/v2/setup",
        json={
            "username": "vigia",
            "password": secrets.token_urlsafe(32),
            "org": config.org,
            "bucket": config.bucket,
            "token": token,
        },
    )
    if answer.status != 201:  # noqa: PLR2004 - HTTP's "created"
        token_file.unlink()
        raise StoreUnavailableError(f"InfluxDB at {config.url} could not be set up: HTTP {answer.status}")


def write_secret(path: Path, text: str) -> None:
    """Write a secret that only its owner can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
