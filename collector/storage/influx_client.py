"""influxdb-client, loaded by whoever needs it: queries, buckets, tasks. Says ``StoreUnavailableError``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.rest import ApiException
from urllib3.exceptions import HTTPError

from collector.errors import StoreUnavailableError
from collector.storage import influx_setup
from collector.storage.influx_http import message

if TYPE_CHECKING:
    from collector.config import InfluxConfig, StoreConfig


class InfluxClient:
    """What is asked of InfluxDB besides taking points."""

    def __init__(self, config: InfluxConfig, token: str) -> None:
        self._config = config
        self._client: Any = InfluxDBClient(
            url=config.url, token=token, org=config.org, timeout=config.timeout_ms
        )
        self._reader = self._client.query_api()

    def provision(self, config: StoreConfig) -> list[str]:
        """Create or correct buckets, their retention, and the task that makes the means."""
        try:
            return influx_setup.provision(self._client, config)
        except (ApiException, HTTPError) as error:
            raise self._unavailable(error) from error

    def has_bucket(self, name: str) -> bool:
        """Whether there is a bucket of this name."""
        try:
            return self._client.buckets_api().find_bucket_by_name(name) is not None
        except (ApiException, HTTPError) as error:
            raise self._unavailable(error) from error

    def query(self, flux: str, params: dict[str, Any]) -> list[Any]:
        """Return the records of a query."""
        try:
            return list(self._reader.query_stream(flux, params=params))
        except (ApiException, HTTPError) as error:
            raise self._unavailable(error) from error

    def close(self) -> None:
        """Give the connections back."""
        self._client.close()

    def _unavailable(self, error: Exception) -> StoreUnavailableError:
        text = str(error)
        if isinstance(error, ApiException):
            text = f"{error.status} {message(error.body, error.reason)}"
        return StoreUnavailableError(f"InfluxDB at {self._config.url}: {text}")
