"""The benchmarks in short: that they count right and that nothing is lost, not how fast it went."""

from __future__ import annotations

from dataclasses import fields

import pytest

from tests.bench import agent, ingest, storm
from tests.bench.agent_proc import Folder
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


def test_the_agent_s_bill_is_complete_and_its_flash_untouched(tmp_path):
    words = ["--minutes", "0.33", "--settle-s", "1", "--no-mips", "--no-peers"]
    last = agent.run(tmp_path, agent.parse(words))
    keys = {"rss_kb", "private_dirty_kb", "cpu_percent", "wakeups_per_s"}
    assert set(last) == {
        "micropython", "cpython", "bytecode_bytes", "wire_bytes_per_day", "flash_bytes_per_day", "peers",
    }  # fmt: skip
    assert set(last["cpython"]) == keys
    assert set(last["micropython"]) == keys | {"mips_24kc_cpu_percent_est"}
    assert all(last["micropython"][key] > 0 and last["cpython"][key] > 0 for key in keys)
    assert last["wire_bytes_per_day"] > 0
    assert last["flash_bytes_per_day"] == 0


def test_a_write_to_the_flash_is_seen(tmp_path):
    folder = Folder(tmp_path)
    (tmp_path / "boot").write_bytes(b"1234")
    folder.look()
    folder.look()
    assert folder.octets == 0
    (tmp_path / "boot").write_bytes(b"12345")
    folder.look()
    assert folder.octets == 5
    (tmp_path / "new").write_bytes(b"")
    (tmp_path / "new").unlink()
    folder.look()
    assert folder.octets > 5
