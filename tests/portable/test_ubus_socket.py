"""The bus's own format: what libubox writes is read; what is cut or changed is refused or read, no more."""

from agent.errors import ReaderError
from agent.readers import ubus_socket

# written by blobmsg.c of libubox: freq 2412, a table of two clients, an empty text, a null
WRITTEN = bytes.fromhex(
    "00000104"
    "8500001000046672657100000000096c820000d40007636c69656e7473000000"
    "82000070001135613a35363a34393a30303a30303a3031008700000d00046175746800000100000086"
    "00000e000561696431360000070000840000140002727800000000000000"
    "02dfdc1c358500001400067369676e616c00000000ffffffc388000010000164003ff8000000000000"
    "82000054001135613a35363a34393a30303a30303a3032008300001700047373696400004269626c696f746563610000"
    "8100002400036d63730000008500000c00000000000000018500000c0000000000000002"
    "8300000d00046e6f74650000000000008000000c00036e696c000000"
)
READ = {
    "freq": 2412,
    "clients": {
        "5a:56:49:00:00:01": {"auth": True, "aid16": 7, "rx": 12345678901, "signal": -61, "d": 1.5},
        "5a:56:49:00:00:02": {"ssid": "Biblioteca", "mcs": [1, 2]},
    },
    "note": "",
    "nil": None,
}


def _read(data):
    found = {}
    for kind, at, end in ubus_socket.attributes(data, 4, len(data)):
        name, item = ubus_socket.value(data, kind, at, end)
        found[name] = item
    return found


def test_what_libubox_writes_is_read():
    assert _read(WRITTEN) == READ


def test_a_question_is_what_libubus_sends():
    # ubus_msghdr (version 0, LOOKUP, seq 1, peer 0), then the blob with the path and its zero
    asked = ubus_socket.message(4, 1, ubus_socket.text(2, "iwinfo"))
    assert asked.hex() == "0004000100000000" + "00000010" + "0200000b" + "6977696e666f00" + "00"
    # as blobmsg_add_string writes it: a name of six letters takes twelve bytes with its length and zero
    assert (
        ubus_socket.named("device", "wlan0").hex()
        == "83000016" + "0006646576696365" + "00000000" + "776c616e3000" + "0000"
    )


def test_what_is_cut_or_changed_is_refused_or_read():
    refused = 0
    for at in range(4, len(WRITTEN)):
        for data in (
            WRITTEN[:at],
            WRITTEN[:at] + bytes([WRITTEN[at] ^ 0xFF]) + WRITTEN[at + 1 :],
            WRITTEN[:at] + bytes([WRITTEN[at] ^ 0x04]) + WRITTEN[at + 1 :],
        ):
            try:
                _read(data)
            except ReaderError as error:
                assert error.reason == "ubus_garbage"
                refused += 1
    assert refused > 200


def test_nesting_ends():
    data = b""
    for _ in range(40):
        data = ubus_socket.attribute(0x82, b"\0\0\0\0" + data)
    try:
        _read(bytes(4) + data)
    except ReaderError as error:
        assert error.reason == "ubus_garbage"
    else:
        raise AssertionError("40 tables in each other were read")
