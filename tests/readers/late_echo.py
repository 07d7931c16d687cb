"""Answer echoes as a bad line would: late by so many milliseconds, each second of three never."""

from __future__ import annotations

import socket
import sys
import time

sys.path.insert(0, __file__.rsplit("/", 3)[0])

from agent.readers.probes_icmp import checksum


def main() -> None:
    late_s = float(sys.argv[1]) / 1000
    sock = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    print("ready", flush=True)  # noqa: T201 - who started this waits for it
    while True:
        packet, client = sock.recvfrom(2048)
        echo = packet[(packet[0] & 0xF) * 4 :]
        if echo[0] != 8 or int.from_bytes(echo[6:8]) % 3 == 1:
            continue
        time.sleep(late_s)
        bare = b"\0\0\0\0" + echo[4:]
        sock.sendto(bare[:2] + checksum(bare).to_bytes(2) + bare[4:], client)


main()
