"""What an InfluxDB server must have: two buckets with their retention, and the task between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.domain.task_create_request import TaskCreateRequest
from influxdb_client.domain.task_update_request import TaskUpdateRequest

from collector.storage import influx_flux

if TYPE_CHECKING:
    from collector.config import StoreConfig

DAY_S = 86_400


def _made(kind: Any, **values: Any) -> Any:
    """Make one of influxdb-client's objects, whose constructors are not typed."""
    return kind(**values)


def provision(client: Any, config: StoreConfig) -> list[str]:
    """Create or correct what is missing; one line for each thing done. Raises what influxdb-client raises."""
    influx = config.influx
    done = [
        *_bucket(client, influx.org, influx.bucket, config.raw_retention_days),
        *_bucket(client, influx.org, influx.long_bucket, config.long_retention_days),
    ]
    flux = influx_flux.downsampling(influx.long_bucket, influx.bucket, influx.long_bucket)
    return done + _task(client, influx.org, influx.long_bucket, flux)


def _bucket(client: Any, org: str, name: str, days: int) -> list[str]:
    buckets = client.buckets_api()
    rules: Any = _made(BucketRetentionRules, type="expire", every_seconds=days * DAY_S)
    bucket = buckets.find_bucket_by_name(name)
    if bucket is None:
        buckets.create_bucket(bucket_name=name, retention_rules=rules, org=org)
        return [f"store: bucket {name} created, {days} days"]
    if [rule.every_seconds for rule in bucket.retention_rules] == [days * DAY_S]:
        return []
    bucket.retention_rules = [rules]
    buckets.update_bucket(bucket)
    return [f"store: bucket {name} now keeps {days} days"]


def _task(client: Any, org: str, name: str, flux: str) -> list[str]:
    tasks = client.tasks_api()
    known = [task for task in tasks.find_tasks(name=name) if task.name == name]
    if not known:
        tasks.create_task(task_create_request=_made(TaskCreateRequest, org=org, flux=flux, status="active"))
        return [f"store: task {name} created"]
    if known[0].flux == flux:
        return []
    tasks.update_task_request(known[0].id, _made(TaskUpdateRequest, flux=flux, status="active"))
    return [f"store: task {name} updated"]
