"""Topic names."""

from agent.wire import topics
from tests.portable.expect import refused


def test_a_topic_is_read_back():
    for kind in topics.KINDS:
        topic = topics.make("c", "biblioteca-01", kind)
        assert topic == "vigia/v1/c/biblioteca-01/" + kind
        assert topics.parse(topic) == ("c", "biblioteca-01", kind)


def test_the_shard_is_the_first_digit_of_the_hash():
    # printf abc | sha256sum begins with ba78 (FIPS 180-4 example)
    assert topics.shard_of("abc") == "b"
    assert len({topics.shard_of("site-" + str(n)) for n in range(500)}) == 16


def test_the_collector_has_a_status_topic():
    assert topics.status("0") == "vigia/v1/0/collector"
    refused("bad_topic", topics.status, "g")


def test_device_names():
    for name in ("a", "0", "a-b", "a" * 63, "vigia", "x-"):
        assert topics.valid_device(name), name
    for name in ("", "-a", "A", "a" * 64, "vigia-ingest-0", "a_b", "a.b", "a b", "ñ", "a+", "#"):
        assert not topics.valid_device(name), name


def test_other_topics_are_refused():
    good = ["vigia", "v1", "c", "dev", "data"]
    wrong = (("Vigia", 0), ("v2", 1), ("", 2), ("cc", 2), ("C", 2), ("", 3), ("+", 3), ("ack2", 4), ("", 4))
    for part, at in wrong:
        refused("bad_topic", topics.parse, "/".join(good[:at] + [part] + good[at + 1 :]))
    for topic in ("", "vigia/v1/c/dev", "vigia/v1/c/dev/data/", "/vigia/v1/c/dev/data"):
        refused("bad_topic", topics.parse, topic)


def test_wrong_topics_are_not_made():
    for parts in (("g", "dev", "data"), ("", "dev", "data"), ("c", "Dev", "data"), ("c", "dev", "date")):
        refused("bad_topic", topics.make, *parts)
