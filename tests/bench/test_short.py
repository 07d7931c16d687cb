"""The benchmarks in short: that they count right and that nothing is lost, not how fast it went."""

from __future__ import annotations

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
    assert figures["ratio_frames"] is None
    assert set(ingest.stages(results)) >= {"address", "verify", "admit", "points", "write", "commit"}


def test_a_storm_loses_nothing(tmp_path):
    words = ["--backlog", "200", "--devices", "20", "--spread-s", "0.2", "--after-s", "0"]
    found = storm.run(tmp_path, storm.parse(words))
    assert found.stored == found.backlog + found.live_frames
    assert found.live_p50_ms <= found.live_p99_ms <= found.live_max_ms
