"""Servers that probes are tried on: DNS by script, HTTP and TLS of Python's library."""

from __future__ import annotations

import socket
import ssl
import threading
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@contextmanager
def dns_server(answer: Callable[[bytes], list[bytes]]) -> Iterator[int]:
    """Answer each datagram with what ``answer`` makes of it; gives the port."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.bind(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                query, client = sock.recvfrom(2048)
            except OSError:
                return
            if not query:
                return
            for message in answer(query):
                sock.sendto(message, client)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    port = sock.getsockname()[1]
    try:
        yield port
    finally:
        sock.sendto(b"", ("127.0.0.1", port))
        thread.join(10)
        sock.close()


def answered(query: bytes, rcode: int = 0, address: bytes = b"\xc0\x00\x02\x07") -> bytes:
    """Return a right answer with one address; its owner is a pointer at the question."""
    record = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04" + address
    return query[:2] + bytes([0x81, 0x80 | rcode]) + b"\0\1\0\1\0\0\0\0" + query[12:] + record


class Page(BaseHTTPRequestHandler):
    """``/`` answers, ``/login`` sends elsewhere, ``/broken`` fails."""

    def do_GET(self) -> None:
        code = {"/": 200, "/login": 302}.get(self.path, 500)
        self.send_response(code)
        if code == 302:
            self.send_header("Location", "http://portal.example/")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *_args: Any) -> None:
        pass


@contextmanager
def http_server(context: ssl.SSLContext | None = None) -> Iterator[int]:
    """Serve ``Page``, over TLS when a context is given; gives the port."""
    server = HTTPServer(("127.0.0.1", 0), Page)
    server.handle_error = lambda *_args: None  # type: ignore[method-assign]  # clients hang up on purpose
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


class Portal:
    """An authority and certificates of ``localhost`` from it that end ``days`` from now."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "portal authority")])
        basic = x509.BasicConstraints(ca=True, path_length=None)
        own = self._certificate(self._name, self._key, 3650, basic)
        self.authority = own.public_bytes(serialization.Encoding.DER)

    def _certificate(
        self, name: x509.Name, key: ec.EllipticCurvePrivateKey, days: float, extension: x509.ExtensionType
    ) -> x509.Certificate:
        now = datetime.now(UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=400))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(extension, critical=False)
            .sign(self._key, hashes.SHA256())
        )

    def context(self, days: float, host: str = "localhost") -> ssl.SSLContext:
        """Return a server's context."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        certificate = self._certificate(name, key, days, names)
        path = self.folder / f"{host}{days}.pem"
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context
