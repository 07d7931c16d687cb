"""The benchmarks in short: that they count right and that nothing is lost, not how fast it went."""

from __future__ import annotations

from dataclasses import fields

import pytest

from tests.bench import ingest, storm
from tests.bench.load import FIELDS, POINTS, TABLES, Fleet

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]


def test_a_frame_is_what_the_figures_say():
    assert sum(len(names) for _, _, names in TABLES) == FIELDS
    message = next(Fleet(1).data(1, 1_760_000_000_000))
    assert message.lines.count(b"\n") + 1 == POINTS
    assert len(message.frame) < 0.4 * len(message.lines)


def test_the_queue_is_drained_into_influxdb(tmp_path):
    arguments = ingest.parse(["--frames", "300", "--devices", "30", "--pairs", "1", "--live-s", "1"])
    results = ingest.run(tmp_path, arguments)
    assert results.ours[0]["outcomes"] == {"stored": 300}
    figures = ingest.summary(results)
    assert figures["frames_per_s"]
    assert figures["p99_ms_at_half_rate"]
    assert set(figures) == {
        "frames_per_s", "points_per_s", "cpu_s_per_10k", "cpu_s_per_10k_without_verify", "rss_mb",
        "p99_ms_at_half_rate", "ratio_frames", "ratio_cpu", "ratio_cpu_without_verify", "ratio_rss",
    }  # fmt: skip
    assert {name for name, value in figures.items() if value is None} == {
        "ratio_frames", "ratio_cpu", "ratio_cpu_without_verify", "ratio_rss",
    }  # fmt: skip
    assert set(ingest.stages(results)) >= {"address", "verify", "admit", "points", "write", "commit"}


def test_workers_share_the_queue(tmp_path):
    words = ["--frames", "200", "--devices", "40", "--pairs", "1", "--live-s", "0", "--workers", "2"]
    results = ingest.run(tmp_path, ingest.parse(words))
    assert results.ours[0]["outcomes"] == {"stored": 200}


def test_a_storm_loses_nothing(tmp_path):
    words = ["--backlog", "200", "--devices", "20", "--spread-s", "0.2", "--after-s", "0"]
    found = storm.run(tmp_path, storm.parse(words))
    assert found.stored == found.backlog + found.live_frames
    assert {field.name for field in fields(found)} >= {
        "live_p99_ms", "arrived_s", "settled_s", "stored", "rss_mb",
    }  # fmt: skip
    assert found.live_p50_ms <= found.live_p99_ms <= found.live_max_ms
