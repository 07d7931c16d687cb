"""Waiting for sockets in CPython's loop; see agent.ports.sockets."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import socket


async def readable(sock: socket.socket) -> None:
    """Return when there is something to read."""
    waiting = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_reader(sock, _set, waiting)
    try:
        await waiting
    finally:
        if sock.fileno() >= 0:  # else it was closed, its number may be another's, and it is forgotten
            asyncio.get_running_loop().remove_reader(sock)


async def writable(sock: socket.socket) -> None:
    """Return when there is room to write."""
    waiting = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().add_writer(sock, _set, waiting)
    try:
        await waiting
    finally:
        if sock.fileno() >= 0:
            asyncio.get_running_loop().remove_writer(sock)


def forget(sock: socket.socket) -> None:
    """Let the loop watch it no more."""
    loop = asyncio.get_running_loop()
    loop.remove_reader(sock)
    loop.remove_writer(sock)


def unix_address(path: str) -> str:
    """Return what a socket takes for a path."""
    return path


def _set(waiting: asyncio.Future[None]) -> None:
    if not waiting.done():
        waiting.set_result(None)
