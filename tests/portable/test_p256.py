"""ECDSA: the examples of RFC 6979 appendix A.2.5, edges of the group, and the slow way."""

import hashlib

from agent.wire import cose, p256
from tests.portable.expect import refused

KEY = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
PUBLIC = (
    0x60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6,
    0x7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299,
)
# message, r and s with SHA-256
EXAMPLES = (
    (
        b"sample",
        (
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
            "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
        ),
    ),
    (
        b"test",
        (
            "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
            "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083"
        ),
    ),
)


def _bytes(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_the_examples_of_rfc_6979():
    assert p256.public_key(KEY) == PUBLIC
    for message, signature in EXAMPLES:
        assert p256.sign(KEY, hashlib.sha256(message).digest()) == bytes.fromhex(signature)


async def test_the_slow_way_gives_the_same_and_pauses():
    pauses = []

    async def pause() -> None:
        pauses.append(1)

    for message, signature in EXAMPLES:
        digest = hashlib.sha256(message).digest()
        assert await p256.sign_slow(KEY, digest, pause) == bytes.fromhex(signature)
    assert len(pauses) == 2 * 9


def _multiple(scalar: int) -> tuple[int, int]:
    """Double and add, without the comb."""
    point = (0, 1, 0)
    for bit in range(255, -1, -1):
        point = p256.double(point)
        if scalar >> bit & 1:
            point = p256.add(point, p256.GX, p256.GY)
    return p256.affine(point)


def test_scalars_at_the_edges():
    edges = [
        1,
        2,
        3,
        255,
        256,
        p256.N - 1,
        p256.N - 2,
        p256.N // 2,
        1 << 255,
        (1 << 32) - 1,
        1 << 32,
        1 << 224,
    ]
    for scalar in edges:
        assert p256.public_key(_bytes(scalar)) == _multiple(scalar), scalar
    x, y = p256.public_key(_bytes(p256.N - 1))
    assert (x, p256.P - y) == p256.public_key(_bytes(1)) == (p256.GX, p256.GY)


def test_sums_at_the_edges():
    generator = (p256.GX, p256.GY, 1)
    twice = p256.affine(p256.double(generator))
    assert p256.affine(p256.add(generator, p256.GX, p256.GY)) == twice
    assert p256.add(generator, p256.GX, p256.P - p256.GY)[2] == 0
    assert p256.affine(p256.add((0, 1, 0), p256.GX, p256.GY)) == (p256.GX, p256.GY)
    assert p256.double((0, 1, 0))[2] == 0
    scaled = (p256.GX * 49 % p256.P, p256.GY * 343 % p256.P, 7)
    assert p256.affine(p256.add(scaled, p256.GX, p256.GY)) == twice


def test_every_entry_of_the_comb_is_on_the_curve():
    # y**2 = x**3 - 3 x + b, b from SP 800-186 section 3.2.1.3
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    with p256._comb() as file:
        table = file.read()
    assert len(table) == 255 * 64
    for at in range(0, len(table), 64):
        x = int.from_bytes(table[at : at + 32], "big")
        y = int.from_bytes(table[at + 32 : at + 64], "big")
        assert (y * y - x * x * x + 3 * x - b) % p256.P == 0, at


def test_inverses():
    for modulus in (p256.P, p256.N):
        for value in (1, 2, 3, modulus - 1, modulus // 2, modulus + 5, p256.GX):
            assert p256.inverse(value, modulus) * value % modulus == 1


def test_what_is_no_key_is_refused():
    digest = bytes(32)
    for key in (b"", bytes(31), bytes(32), bytes(33), _bytes(p256.N), _bytes((1 << 256) - 1)):
        refused("bad_key", p256.sign, key, digest)
        refused("bad_key", p256.public_key, key)
    refused("bad_key", p256.sign, KEY, bytes(31))


def test_digests_at_the_edges():
    for digest in (bytes(32), b"\xff" * 32, _bytes(p256.N), _bytes(p256.N - 1)):
        assert len(p256.sign(KEY, digest)) == 64


def test_the_public_key_in_der():
    der = p256.spki(KEY)
    assert len(der) == 91
    assert der[-64:] == _bytes(PUBLIC[0]) + _bytes(PUBLIC[1])
    assert len(cose.key_id(der)) == 8
