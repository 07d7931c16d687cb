"""Whether a shard's collector is there: epochs, their reset, and nonsense."""

from agent.shards import RESET_MS, Shards
from agent.wire import topics

TOPIC = topics.status("a")


def said(state: str, epoch: int) -> bytes:
    """Return a status message."""
    return ('{"state": "' + state + '", "owner": "x", "epoch": ' + str(epoch) + "}").encode()


def test_a_lower_epoch_has_no_say_until_nobody_answered_it_for_long() -> None:
    shards = Shards()
    assert shards.take(TOPIC, said("online", 7), 0) == "online"
    assert shards.take(TOPIC, said("offline", 6), 1) == "old_epoch"
    assert shards.take(TOPIC, said("offline", 7), 2) == "offline"
    assert shards.take(TOPIC, said("online", 1), 3) == "old_epoch"
    assert not shards.online(TOPIC, 2 + RESET_MS)
    assert shards.online(TOPIC, 3 + RESET_MS)
    assert shards.take(TOPIC, said("offline", 1), 4 + RESET_MS) == "offline"


def test_nonsense_is_malformed() -> None:
    shards = Shards()
    for payload in (b"", b"[", b"\xff", b"{}", b"[" * 512, b"[" * 5000, said("up", 1), said("online", -1)):
        assert shards.take(TOPIC, payload, 0) == "malformed", payload
    assert shards.take("vigia/v1/zz/collector", said("online", 1), 0) == "malformed"
    assert not shards.online(TOPIC, 0)
