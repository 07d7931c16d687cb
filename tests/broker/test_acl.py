"""The embedded broker's rules, question by question; test_permissions shows them on the wire."""

from __future__ import annotations

import pytest

from collector.broker.acl import Identity, may, may_connect, may_enter

DEVICE = Identity("router-a", "device")
COLLECTOR = Identity("vigia-collector", "collector")


@pytest.mark.parametrize(
    ("identity", "expected"),
    [
        (DEVICE, None),
        (COLLECTOR, None),
        (Identity("router-a", "collector"), "wrong_listener"),
        (Identity("vigia-collector", "device"), "wrong_listener"),
        (Identity("vigia-anything", "device"), "wrong_listener"),
        (Identity("Router A", "device"), "wrong_listener"),
        (Identity("", "device"), "wrong_listener"),
        (Identity("router-a\0", "device"), "wrong_listener"),
    ],
)
def test_may_enter(identity, expected):
    assert may_enter(identity) == expected


@pytest.mark.parametrize(
    ("identity", "client_id", "expected"),
    [
        (DEVICE, "router-a", None),
        (DEVICE, "router-b", "foreign_client_id"),
        (DEVICE, "vigia-ingest-0", "foreign_client_id"),
        (DEVICE, "", "foreign_client_id"),
        (COLLECTOR, "vigia-ingest-0", None),
        (COLLECTOR, "router-a", "foreign_client_id"),
        (COLLECTOR, "", "foreign_client_id"),
    ],
)
def test_may_connect(identity, client_id, expected):
    assert may_connect(identity, client_id) == expected


@pytest.mark.parametrize(
    ("action", "topic", "expected"),
    [
        ("publish", "vigia/v1/0/router-a/birth", None),
        ("publish", "vigia/v1/f/router-a/death", None),
        ("publish", "vigia/v1/0/router-a/ack", "wrong_kind"),
        ("publish", "vigia/v1/0/router-b/data", "foreign_name"),
        ("publish", "vigia/v1/g/router-a/data", "bad_topic"),
        ("publish", "vigia/v1/0/collector", "bad_topic"),
        ("publish", "vigia/v1/0/router-a/data/", "bad_topic"),
        ("publish", "vigia/v1/0/router-a", "bad_topic"),
        ("publish", "", "bad_topic"),
        ("subscribe", "vigia/v1/+/router-a/ack", None),
        ("subscribe", "vigia/v1/0/router-a/ack", None),
        ("subscribe", "vigia/v1/+/collector", None),
        ("subscribe", "vigia/v1/+/+/ack", "foreign_name"),
        ("subscribe", "vigia/v1/+/router-b/ack", "foreign_name"),
        ("subscribe", "vigia/v1/0/#", "not_readable"),
        ("subscribe", "vigia/+/+/router-a/ack", "not_readable"),
        ("subscribe", "#", "not_readable"),
        ("subscribe", "$SYS/#", "not_readable"),
        ("receive", "vigia/v1/0/router-a/ack", None),
        ("receive", "vigia/v1/0/router-a/data", "not_readable"),
        ("receive", "vigia/v1/0/router-b/ack", "foreign_name"),
    ],
)
def test_device(action, topic, expected):
    assert may(DEVICE, action, topic) == expected


@pytest.mark.parametrize(
    ("action", "topic", "expected"),
    [
        ("publish", "vigia/v1/0/router-a/ack", None),
        ("publish", "vigia/v1/0/collector", None),
        ("publish", "vigia/probe/doctor", None),
        ("publish", "vigia/v1/0/router-a/data", "wrong_kind"),
        ("publish", "vigia/v1/g/router-a/ack", "bad_topic"),
        ("publish", "vigia/v1/g/collector", "wrong_kind"),
        ("publish", "elsewhere", "wrong_kind"),
        ("subscribe", "vigia/v1/0/+/+", None),
        ("subscribe", "#", "not_readable"),
        ("receive", "vigia/v1/0/router-a/event", None),
        ("receive", "vigia/v1/0/router-a/ack", "not_readable"),
        ("receive", "vigia/v1/0/collector", None),
    ],
)
def test_collector(action, topic, expected):
    assert may(COLLECTOR, action, topic) == expected
