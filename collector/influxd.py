"""An InfluxDB server that ``vigia-collector run`` starts itself: its command and its first set-up.

InfluxDB's own set-up API (``/api/v2/setup``) makes the organisation, the bucket and a token on a server that
has none; the token goes to the configured file, readable by its owner only.
"""

from __future__ import annotations

import os
import secrets
import time
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import urllib3

from collector.errors import ConfigError, StoreUnavailableError

if TYPE_CHECKING:
    from pathlib import Path
    from threading import Event

    from collector.config import InfluxConfig

READY_S = 60.0


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
