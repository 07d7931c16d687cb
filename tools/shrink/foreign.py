"""Names of attributes that objects of Python's own have; attributes of ours with such a name keep it.

Which object stands before a dot is not known here, and a library calls ``read`` or ``close`` by that name.
"""

from __future__ import annotations

import asyncio
import gc
import hashlib
import io
import json
import os
import re
import select
import socket
import ssl
import struct
import sys
import time

_BUILT_IN = (str, bytes, bytearray, memoryview, list, dict, set, tuple, int, float, BaseException, io.BytesIO)
_LIBRARIES = (asyncio, gc, hashlib, json, os, re, socket, struct, sys, time, socket.socket, asyncio.Task,
              asyncio.StreamReader, asyncio.StreamWriter, asyncio.Event, asyncio.Lock, OSError,
              select.poll(), ssl.SSLContext, ssl.SSLSocket)  # fmt: skip
# what MicroPython alone has (ffi, uctypes, termios, the queue of asyncio's core)
_MICROPYTHON = ("call", "func", "ipoll", "queue_read", "queue_write", "setraw", "var")
FOREIGN = frozenset(
    [name for thing in _BUILT_IN + _LIBRARIES for name in dir(thing) if name[0] != "_"] + [*_MICROPYTHON]
)
