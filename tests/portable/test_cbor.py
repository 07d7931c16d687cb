"""CBOR: the examples of RFC 8949 appendix A that the contract uses, and whatever it refuses."""

import math

from agent.wire import cbor
from tests.portable.expect import refused

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

# RFC 8949 appendix A
EXAMPLES: "tuple[tuple[Any, str], ...]" = (  # powers of two where MicroPython reads decimals inexactly
    (0, "00"), (1, "01"), (10, "0a"), (23, "17"), (24, "1818"), (25, "1819"), (100, "1864"), (1000, "1903e8"),
    (1000000, "1a000f4240"), (1000000000000, "1b000000e8d4a51000"), (-1, "20"), (-10, "29"), (-100, "3863"),
    (-1000, "3903e7"), (0.0, "f90000"), (-0.0, "f98000"), (1.0, "f93c00"), (1.1, "fb3ff199999999999a"),
    (1.5, "f93e00"), (65504.0, "f97bff"), (100000.0, "fa47c35000"), ((2 - 2.0**-23) * 2.0**127, "fa7f7fffff"),
    (1.0e300, "fb7e37e43c8800759c"), (5.960464477539063e-8, "f90001"), (0.00006103515625, "f90400"),
    (-4.0, "f9c400"), (-4.1, "fbc010666666666666"), (False, "f4"), (True, "f5"), (None, "f6"), (b"", "40"),
    (b"\x01\x02\x03\x04", "4401020304"), ("", "60"), ("a", "6161"), ("IETF", "6449455446"), ('"\\', "62225c"),
    ("\u00fc", "62c3bc"), ("\u6c34", "63e6b0b4"), ([], "80"), ([1, 2, 3], "83010203"),
    ([1, [2, 3], [4, 5]], "8301820203820405"), ({}, "a0"), ({1: 2, 3: 4}, "a201020304"),
    ({"a": 1, "b": [2, 3]}, "a26161016162820203"), (["a", {"b": "c"}], "826161a161626163"),
)  # fmt: skip

# wrong in exactly one way
MALFORMED = {
    "nothing": "",
    "cut in a head of one byte": "18",
    "cut in a head of two": "1900",
    "cut in a head of four": "1a000000",
    "cut in a head of eight": "1b00000000000000",
    "cut in bytes": "41",
    "cut in text": "626a",
    "cut in an array": "8201",
    "cut in a map": "a101",
    "cut in a float of two bytes": "f93c",
    "cut in a float of four": "fa47c350",
    "cut in a float of eight": "fb3ff19999999999",
    "bytes behind": "0000",
    "reserved argument 28": "1c",
    "reserved argument 30": "7e",
    "indefinite bytes": "5f4101ff",
    "indefinite text": "7f6161ff",
    "indefinite array": "9f01ff",
    "indefinite map": "bf0101ff",
    "break alone": "ff",
    "a tag": "c000",
    "a big number": "c249010000000000000000",
    "undefined": "f7",
    "a simple value": "f0",
    "a simple value of two bytes": "f820",
    "false in two bytes": "f814",
    "an integer of 64 bits without sign": "1b8000000000000000",
    "a negative integer beyond 64 bits": "3b8000000000000000",
    "an integer key twice": "a201000100",
    "a text key twice": "a2616100616100",
    "one key in two encodings": "a20100180100",
    "a key of bytes": "a1410100",
    "a key of a list": "a18000",
    "a key of null": "a1f600",
    "a key of a float": "a1f93c0000",
    "text that is not UTF-8": "61ff",
    "text cut in a character": "61c3",
    "not a number in two bytes": "f97e00",
    "not a number in four": "fa7fc00000",
    "not a number in eight": "fb7ff8000000000000",
    "infinity": "f97c00",
    "minus infinity": "fbfff0000000000000",
    "nine deep": "81" * 9 + "00",
    "nine deep in maps": "a100" * 9 + "00",
    "more members than bytes": "9bffffffffffffffff",
    "more pairs than bytes": "bb0000000100000000",
    "text longer than memory": "7bffffffffffffffff",
    "bytes longer than memory": "5b7fffffffffffffff",
}


def test_examples_are_encoded():
    for value, text in EXAMPLES:
        assert cbor.encode(value) == bytes.fromhex(text), (value, text)


def test_examples_are_decoded():
    for value, text in EXAMPLES:
        back = cbor.decode(bytes.fromhex(text))
        assert back == value, (text, back)
        assert type(back) is type(value), (text, back)
    assert math.copysign(1.0, cbor.decode(bytes.fromhex("f98000"))) == -1.0


def test_malformed_data_are_refused():
    for name, text in MALFORMED.items():
        try:
            refused("malformed", cbor.decode, bytes.fromhex(text))
        except AssertionError as error:
            raise AssertionError(name + ": " + str(error))


def test_long_heads_are_taken():
    for text in ("1817", "190001", "1b0000000000000001", "580161", "fb3ff0000000000000"):
        cbor.decode(bytes.fromhex(text))
    assert cbor.decode(bytes.fromhex("fb3ff0000000000000")) == 1.0


def test_limits():
    for value in ((1 << 63) - 1, -(1 << 63)):
        assert cbor.decode(cbor.encode(value)) == value
    for value in (1 << 63, -(1 << 63) - 1):
        refused("unencodable", cbor.encode, value)
    assert cbor.decode(bytes.fromhex("81" * 8 + "00")) == [[[[[[[[0]]]]]]]]
    refused("malformed", cbor.decode, bytes.fromhex("8100"), 0)


def test_what_has_no_cbor_is_refused():
    for value in (
        math.nan,
        math.inf,
        -math.inf,
        {1},
        {1.0: 1},
        {None: 1},
        {b"a": 1},
        {True: 1},
        object(),
        1j,
    ):
        refused("unencodable", cbor.encode, value)


def test_keys_are_sorted_bytewise():
    keys = [100, 10, -1, "z", "aa", 24, ""]
    expected = "a70a001818001864002000600061" + "7a00" + "62616100"
    assert cbor.encode(dict.fromkeys(keys, 0)) == bytes.fromhex(expected)


def test_floats_are_as_short_as_they_can_be():
    for value, size in (
        (2.0**-24, 3),
        (2.0**-25, 5),
        (3 * 2.0**-24, 3),
        (1.0009765625, 3),
        (1.00048828125, 5),
    ):
        assert len(cbor.encode(value)) == size, value
        assert len(cbor.encode(-value)) == size, value
        assert cbor.decode(cbor.encode(value)) == value
    for value, size in ((65505.0, 5), (65536.0, 5), (1e39, 9), (2.0**-149, 5), (2.0**-150, 9), (5e-324, 9)):
        assert len(cbor.encode(value)) == size, value
        assert cbor.decode(cbor.encode(value)) == value


def test_bytes_and_text_of_any_length():
    for length in (0, 23, 24, 255, 256, 65535, 65536):
        for value in (b"x" * length, "x" * length):
            assert cbor.decode(cbor.encode(value)) == value


def test_lists_and_tuples_are_arrays():
    assert cbor.encode((1, (2,))) == cbor.encode([1, [2]])
    assert cbor.encode(bytearray(b"a")) == cbor.encode(b"a")
