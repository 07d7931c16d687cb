"""WIRE.md and the code say the same."""

from __future__ import annotations

import re
from pathlib import Path

from agent import account, shards
from agent.wire import cbor, cose, errors, frame, topics

ROOT = Path(__file__).resolve().parent.parent.parent
TEXT = (ROOT / "agent" / "wire" / "WIRE.md").read_text(encoding="utf-8")
KINDS = ("birth", "data", "event", "death")


def block(name: str) -> str:
    found = re.search(rf"^{name} = \{{\n(.*?)^\}}", TEXT, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def keys(text: str) -> dict[int, bool]:
    """Keys of a CDDL map, and whether they are optional."""
    return {int(key): bool(mark) for mark, key in re.findall(r"^  (\? )?(\d+): ", text, re.MULTILINE)}


def test_the_keys_of_the_payload() -> None:
    in_code = {row[0]: set(row[3]) != set(KINDS) for row in frame._KEYS}
    assert keys(block("payload")) == in_code


def test_the_keys_of_the_ack() -> None:
    assert keys(block("ack-payload")) == dict.fromkeys([row[0] for row in frame._ACK_KEYS], False)


def test_what_each_kind_carries() -> None:
    always = {row[0] for row in frame._KEYS if set(row[3]) == set(KINDS)}
    for kind in KINDS:
        row = re.search(rf"^\| {kind} \| (.*) \| (.*) \| (.*) \|$", TEXT, re.MULTILINE)
        assert row
        must, may, must_not = ({int(key) for key in cell.split(", ")} for cell in row.groups())
        assert must == {key for key, _, _, needed, _ in frame._KEYS if kind in needed} - always
        assert must | may | always == {key for key, _, _, _, allowed in frame._KEYS if kind in allowed}
        assert must_not == {key for key, _, _, _, allowed in frame._KEYS if kind not in allowed}


def test_limits() -> None:
    for limit in (
        f"at most {cose.MAX_BYTES:,}\nbytes",
        f"at most {cbor.MAX_DEPTH} arrays and maps",
        f"offset: -{frame.MAX_AGE_MS}..0",
        f"text of at most {frame.MAX_TEXT} characters",
        f"(1..{frame.MAX_INSTANCE})",
        f"[1*{frame.MAX_FIELDS} name]",
        f"at most {frame.MAX_DROPPED} names",
        f"[a-z][a-z0-9_]{{0,{frame.MAX_NAME - 1}}}",
        f"0..{2**63 - 1}",
        f"an ack at most {cose.MAX_ACK_BYTES:,}",
        f"at most {frame.MAX_ACK_RANGES} of both",
        f"has come for {shards.RESET_MS // 1000} s",
        f"status of more than {shards.MAX_BYTES} bytes",
    ):
        assert limit in TEXT, limit


def test_the_names_of_the_account() -> None:
    table = TEXT[TEXT.index("| Name | Counts |") :].split("\n\n", 1)[0]
    first = [line.split("|")[1] for line in table.splitlines()[2:]]
    assert re.findall(r"`(\w+)`", " ".join(first)) == list(account.NAMES)


def test_algorithms_and_kinds() -> None:
    assert f"{{ 1: {cose.ES256}, 4: kid }}" in TEXT
    assert f"{{ 1: {cose.HMAC_256_64}, 4: kid }}" in TEXT
    assert all(f"`{kind}`" in TEXT for kind in topics.KINDS)


def test_every_reason_is_explained() -> None:
    documented = set(re.findall(r"``(\w+)``", errors.WireError.__doc__ or "")) - {"reason", "text"}
    peers = documented - {"unencodable", "bad_key"}
    assert peers == {"oversized", "bad_topic", "malformed", "bad_payload", "wrong_kind", "wrong_mac"}
    assert all(f"`{reason}`" in TEXT for reason in peers)
    used = set()
    for path in (ROOT / "agent" / "wire").glob("*.py"):
        used |= set(re.findall(r'WireError\(\s*"(\w+)"', path.read_text(encoding="utf-8")))
    assert used == documented
