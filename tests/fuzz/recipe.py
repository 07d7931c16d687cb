"""Inputs of the fuzzer: eleven bytes that say what to do, then a body.

Any bytes are a recipe. ``frame``: the body is a payload, which is signed and wrapped. ``raw``: the body is
the message. ``ack``: the body is the payload of an ack. ``topic``: the body is a topic.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass

from tests.fuzz.envelope import EDITS, STYLES, Draft, Statement, bstr
from tests.fuzz.keys import ACK_SECRET, PAIRS, TOPICS

HEAD = 11
MODES = ("frame", "raw", "ack", "topic")
FRAME, RAW, ACK, TOPIC = range(4)
CROWDED, REPLAY, OTHER_SESSION, WARM = 1, 2, 4, 8
_STYLES = tuple(STYLES)


@dataclass
class Recipe:
    """``kid`` and ``deliver``: 0 is the signer's and the topic signed for, else one more than an index."""

    mode: int = FRAME
    pair: int = 0
    kid: int = 0
    topic: int = 0
    deliver: int = 0
    style: int = 0
    edit: int = 0
    at: int = 0
    value: int = 0
    flags: int = 0
    body: bytes = b""

    @classmethod
    def read(cls, data: bytes) -> Recipe:
        head = data[:HEAD].ljust(HEAD, b"\x00")
        mode, pair, kid, topic, deliver, style, edit, high, low, value, flags = head
        return cls(
            mode % len(MODES),
            pair % len(PAIRS),
            kid % (len(PAIRS) + 1),
            topic % len(TOPICS),
            deliver % (len(TOPICS) + 1),
            style % len(STYLES),
            edit % len(EDITS),
            high << 8 | low,
            value,
            flags,
            data[HEAD:],
        )

    def write(self) -> bytes:
        head = (self.mode, self.pair, self.kid, self.topic, self.deliver, self.style, self.edit)
        return bytes((*head, self.at >> 8, self.at & 255, self.value, self.flags)) + self.body

    @property
    def style_name(self) -> str:
        return _STYLES[self.style]


@dataclass
class Message:
    """What arrives, on which topic and session, and all that any enrolled key has really said."""

    topic: str
    data: bytes
    shard: str
    said: Statement | None = None


def message_of(recipe: Recipe) -> Message:
    """Make the message of a frame recipe."""
    pair = PAIRS[recipe.pair]
    kid = PAIRS[recipe.kid - 1].kid if recipe.kid else pair.kid
    signed_for = TOPICS[recipe.topic]
    draft = Draft(pair, kid, signed_for, recipe.body)
    data = edited(recipe, STYLES[recipe.style_name](draft))
    return _delivered(recipe, data, draft.signed)


def topic_message(recipe: Recipe, body: bytes) -> Message:
    """A frame signed for whatever topic the recipe's body is."""
    topic = recipe.body.decode("utf-8", "replace")
    draft = Draft(PAIRS[recipe.pair], PAIRS[recipe.pair].kid, topic, body)
    return Message(topic, draft.wrap(draft.sign()), topic[9:10], draft.signed)


def raw_message(recipe: Recipe) -> Message:
    return _delivered(recipe, recipe.body, None)


def _delivered(recipe: Recipe, data: bytes, said: Statement | None) -> Message:
    topic = delivered_on(recipe)
    shard = "e" if recipe.flags & OTHER_SESSION else topic[9]
    return Message(topic, data, shard, said)


def delivered_on(recipe: Recipe) -> str:
    return TOPICS[recipe.deliver - 1] if recipe.deliver else TOPICS[recipe.topic]


def edited(recipe: Recipe, data: bytes) -> bytes:
    change = EDITS[recipe.edit]
    if change is None or not data:
        return data
    message = bytearray(data)
    change(message, recipe.at, recipe.value)
    return bytes(message)


def ack_key(pair: int) -> bytes:
    return hmac.digest(ACK_SECRET, b"vigia ack v1" + PAIRS[pair].kid, "sha256")


def ack_of(recipe: Recipe) -> tuple[bytes, bytes]:
    """Return (message, honest message) of an ack recipe; the first is the second after the edit."""
    kid = PAIRS[recipe.pair].kid
    header = b"\xa2\x01\x04\x04\x48" + kid
    aad = TOPICS[recipe.topic].encode()
    structure = b"\x84\x64MAC0" + bstr(header) + bstr(aad) + bstr(recipe.body)
    tag = hmac.new(ack_key(recipe.pair), structure, hashlib.sha256).digest()[:8]
    honest = b"\xd1\x84" + bstr(header) + b"\xa0" + bstr(recipe.body) + bstr(tag)
    return edited(recipe, honest), honest
