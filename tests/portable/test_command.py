"""Commands of the system: what they say, how they fail, that none outlives its limit."""

import asyncio
import os
import time

from agent.errors import ReaderError
from agent.ports import command
from agent.readers import ubus

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

HOSTILE = (
    "$(echo x)",
    "`id`",
    "a'b",
    '"',
    "a b",
    "; exit 3",
    "",
    "-n",
    "\\n",
    "*",
    "ñ€",
    "a\nb",
    "$HOME",
    "&",
    "|",
)


# how long commands sleep that are ended before; nobody else's sleep has just that number
HANGS, CANCELLED, AT_ONCE = [str(10_000_000 + int.from_bytes(os.urandom(4), "big")) for _ in range(3)]


async def _refused(
    reason: str, argv: "list[str]", limit_ms: int = 20000, most_bytes: int = 65536
) -> ReaderError:
    try:
        output = await command.run(argv, limit_ms, most_bytes)
    except ReaderError as error:
        assert error.reason == reason, (error.reason, str(error))
        assert "\n" not in str(error)
        return error
    raise AssertionError("not refused: " + repr(output))


async def _until(true: "Any") -> None:
    for _ in range(1000):
        if true():
            return
        await asyncio.sleep(0.02)
    raise AssertionError("did not come")


def _running(mark: str) -> "list[str]":
    """Return the pids of processes whose command line holds the mark."""
    found = []
    for pid in os.listdir("/proc"):
        try:
            with open("/proc/" + pid + "/cmdline", "rb") as file:
                if pid.isdigit() and mark.encode() in file.read(4096):
                    found.append(pid)
        except OSError:
            continue
    return found


async def test_output_is_returned_as_it_is():
    assert await command.run(["printf", "a\\000b\\377\\nlast"], 20000) == b"a\0b\xff\nlast"
    assert await command.run(["true"], 20000) == b""


async def test_arguments_reach_the_command_as_they_are():
    words = list(HOSTILE)
    got = await command.run(["printf", "<%s>"] + words, 20000)
    assert got.decode() == "".join(["<" + word + ">" for word in words])


async def test_what_fails_says_how():
    await _refused("command_missing", ["vigia-has-no-such-command"])
    error = await _refused("command_failed", ["sh", "-c", "echo lost; exit 7"])
    assert isinstance(error, command.CommandFailed)
    assert error.status == 7
    await _refused("command_failed", ["echo", "a\0b"])
    assert await command.run(["sh", "-c", "cat; echo warning >&2; echo ok"], 20000) == b"ok\n"


async def test_a_long_answer_is_refused_not_kept():
    assert len(await command.run(["head", "-c", "3000", "/dev/zero"], 20000, 3000)) == 3000
    await _refused("command_too_long", ["head", "-c", "3001", "/dev/zero"], 20000, 3000)
    await _refused("command_too_long", ["cat", "/dev/zero"], 20000, 3000)  # which never ends


async def test_what_hangs_is_killed():
    await _refused("command_timeout", ["sleep", HANGS], 300)
    await _until(lambda: not _running(HANGS))


async def test_a_long_answer_can_be_taken_in_parts():
    parts: "list[bytes]" = []
    assert await command.run(["head", "-c", "300000", "/dev/zero"], 5000, 300000, parts.append) == b""
    assert sum([len(part) for part in parts]) == 300000
    assert len(parts) > 1
    try:
        await command.run(["head", "-c", "300001", "/dev/zero"], 5000, 300000, parts.append)
    except ReaderError as error:
        assert error.reason == "command_too_long"
    else:
        raise AssertionError("not refused")

    def refuse(_part: bytes) -> None:
        raise ReaderError("garbage")

    try:
        await command.run(["echo", "x"], 5000, 100, refuse)
    except ReaderError as error:
        assert error.reason == "garbage"
    else:
        raise AssertionError("not raised")
    assert await command.run(["echo", "x"], 5000) == b"x\n"


async def test_others_go_on_and_who_is_cancelled_leaves_nothing_behind():
    task = asyncio.create_task(command.run(["sleep", CANCELLED], 60000))
    await _until(lambda: _running(CANCELLED))
    assert await command.run(["echo", "quick"], 20000) == b"quick\n"
    assert _running(CANCELLED)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await _until(lambda: not _running(CANCELLED))
    assert await command.run(["echo", "after"], 20000) == b"after\n"


async def test_who_is_cancelled_at_once_leaves_nothing_behind():
    task = asyncio.create_task(command.run(["sleep", AT_ONCE], 60000))
    await asyncio.sleep(0)
    for _ in range(1000):  # the loop stands still; the kernel names a process a moment after it began
        if _running(AT_ONCE):
            break
        time.sleep(0.005)  # noqa: ASYNC251 - nothing else may go on
    assert _running(AT_ONCE)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await _until(lambda: not _running(AT_ONCE))


async def test_no_more_than_a_few_live_at_once():
    tasks = [
        asyncio.create_task(command.run(["sh", "-c", "sleep 0.2; echo 86333"], 20000)) for _ in range(10)
    ]
    most = 0
    while not tasks[-1].done():
        most = max(most, len(command._alive))
        await asyncio.sleep(0.01)
    assert await asyncio.gather(*tasks) == [b"86333\n"] * 10
    assert most == command.MOST_AT_ONCE
    assert not command._alive


async def test_one_that_cannot_be_killed_is_not_started_again():
    class Stuck:
        killed = True

        def gone(self) -> bool:
            return False

    command._alive.append((["echo", "stuck"], Stuck()))  # type: ignore[arg-type]  # one that lives on
    try:
        await _refused("command_timeout", ["echo", "stuck"], 50)
        assert await command.run(["echo", "other"], 20000) == b"other\n"
    finally:
        command._alive.clear()
    assert await command.run(["echo", "stuck"], 20000) == b"stuck\n"


async def test_the_bus_is_asked_by_a_real_process():
    path = os.getenv("PATH") or ""
    _set_path(__file__.rsplit("/", 1)[0] + "/stand_in:" + path)
    try:
        answer = await ubus.call(command.run, "network.interface", "dump")
        assert answer == {"args": "call network.interface dump"}
        try:
            await ubus.call(command.run, "network.interface.x", "status")
        except ReaderError as error:
            assert error.reason == "ubus_not_found"
        else:
            raise AssertionError("not refused")
        assert await ubus.list(command.run, "hostapd.*") == []
    finally:
        _set_path(path)


def _set_path(path: str) -> None:
    if hasattr(os, "environ"):
        os.environ["PATH"] = path
    else:
        os.putenv("PATH", path)


async def test_the_loop_keeps_running():
    script = "for i in 1 2 3 4 5; do echo $i; sleep 0.05; done"
    task = asyncio.create_task(command.run(["sh", "-c", script], 20000))
    turns = 0
    while not task.done():
        await asyncio.sleep(0.001)
        turns += 1
    assert await task == b"1\n2\n3\n4\n5\n"
    assert turns > 20, turns  # the shell sleeps for 0.25 s
