"""The agent onto a router: looked at first, installed, started, seen to report; and off it again.

OpenWrt to 24.10 has opkg, which takes the .ipk. From 25.12 on it has apk, which does not: there the package's
files are unpacked and their list is left in ``/usr/lib/vigia/files``, by which they are removed. Either way
what a person edited in ``/etc/config/vigia`` stays, as do spool and boot counter in ``/etc/vigia``.
"""

from __future__ import annotations

import io
import json
import tarfile
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from certs.errors import CertsError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from certs.router import Router

CREDENTIALS: Final = "/etc/vigia"
CONFIG: Final = "/etc/config/vigia"
FILES: Final = "/usr/lib/vigia/files"
INTERPRETER: Final = "micropython-mbedtls"
INTERPRETER_KIB: Final = 700
SPOOL_KIB: Final = 512
SPARE_KIB: Final = 256  # a full overlay makes a router forget its settings
MEMORY_KIB: Final = 10 * 1024
CLOCK_S: Final = 86_400  # certificates begin well in the past, but not arbitrarily
REPORT_S: Final = 90.0

_LOOK: Final = """
. /etc/openwrt_release 2>/dev/null
echo "release=$DISTRIB_RELEASE"
for manager in apk opkg; do command -v $manager >/dev/null && { echo "manager=$manager"; break; }; done
folder=/overlay; [ -d $folder ] || folder=/
echo "free_kib=$(df -k $folder | awk 'END { print $4 }')"
echo "memory_kib=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)"
echo "time=$(date +%s)"
echo "interpreter=$(micropython -c 'import tls; print(1)' 2>/dev/null)"
echo "device=$(sed -n 's/.*"device": *"\\([^"]*\\)".*/\\1/p' /etc/vigia/agent.json 2>/dev/null)"
"""
# dependencies, by package manager
_NEED: Final = {
    "opkg": f"opkg update >/dev/null && opkg install {INTERPRETER}",
    "apk": f"apk update >/dev/null && apk add {INTERPRETER}",
}
_OPKG: Final = """
opkg install --force-reinstall --force-downgrade /tmp/vigia-agent.ipk
status=$?
rm -f /tmp/vigia-agent.ipk
exit $status
"""
_START: Final = """
uci -q set vigia.agent.enabled=1 && uci -q commit vigia || exit 1
rm -f /tmp/vigia/status.json
/etc/init.d/vigia-agent enable
/etc/init.d/vigia-agent restart
"""
_STATE: Final = "cat /tmp/vigia/status.json 2>/dev/null || true"
_UNPACKED_POSTINST: Final = """
script=/etc/uci-defaults/90-vigia
[ -f $script ] && ( . $script ) && rm -f $script
true
"""
_REMOVE: Final = f"""
/etc/init.d/vigia-agent stop 2>/dev/null; /etc/init.d/vigia-agent disable 2>/dev/null
if [ -f {FILES} ]; then
    while read -r file; do rm -f "/$file"; done < {FILES}
    rm -rf /usr/lib/vigia
elif command -v opkg >/dev/null; then opkg remove vigia-agent
fi
rm -rf /var/run/vigia /tmp/vigia
true
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the router is. ``device``: whose credentials it has, empty for none."""

    release: str
    manager: str
    free_kib: int
    memory_kib: int
    time_s: int
    interpreter: bool
    device: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """One device's package and credentials for one router."""

    router: Router
    device: str
    folder: Path
    package: Path
    say: Callable[[str], None]
    now_s: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep

    def install(self, *, set_clock: bool = False, replace: bool = False) -> None:
        """Check, install, start, wait for the first acknowledged report. ``CertsError`` says what fails."""
        data = _data(self.package)
        seen = look(self.router)
        self.say(f"OpenWrt {seen.release or 'unknown'}, {seen.manager}, {seen.free_kib} KiB of flash free")
        if seen.device and seen.device != self.device and not replace:
            raise CertsError(
                f"{self.router.address}: is {seen.device} already; --replace makes it {self.device}"
            )
        if abs(self.now_s() - seen.time_s) > CLOCK_S:
            self._clock(seen, set_clock=set_clock)
        problems = lacks(seen, len(data))
        if problems:
            raise CertsError(f"{self.router.address}: {'; '.join(problems)}")
        if not seen.interpreter:
            self.say(f"installing {INTERPRETER} with {seen.manager}")
            self.router.run(_NEED[seen.manager], what=f"installing {INTERPRETER}")
        self._credentials()
        self.say(f"installing {self.package.name}")
        if seen.manager == "opkg":
            self.router.write("/tmp/vigia-agent.ipk", self.package.read_bytes())  # noqa: S108 - OpenWrt's tmpfs
            self.router.run(_OPKG, what="installing the agent")
        else:
            self._unpack(data)
        self.router.run(_START, what="starting the agent")
        self._wait()

    def _clock(self, seen: Seen, *, set_clock: bool) -> None:
        off = f"its clock is off by {abs(self.now_s() - seen.time_s) / 86_400:.0f} days"
        if not set_clock:
            raise CertsError(
                f"{self.router.address}: {off}, so that no certificate would hold; --set-clock sets it"
            )
        self.say(f"{off}; setting it")
        self.router.run(f"date -s @{self.now_s():.0f} >/dev/null", what="setting the clock")

    def _credentials(self) -> None:
        files = {path.name: path.read_bytes() for path in sorted(self.folder.iterdir())}
        content = _archive({name: data for name, data in files.items() if not name.endswith(".pem")})
        folder = f"{CREDENTIALS} && chmod 700 {CREDENTIALS}"
        script = f"umask 077; mkdir -p {folder} && tar -x -f - -C {CREDENTIALS}"  # PEM is for CPython
        self.router.run(script, content, what="putting the credentials there")

    def _unpack(self, data: bytes) -> None:
        """Unpack the files, a configuration that is there excepted, and note which they are."""
        there = self.router.run(
            f"[ -f {CONFIG} ] && echo yes || true", what="looking for a configuration"
        ).strip()
        archive, names = _without(data, {CONFIG} if there else set())
        self.router.run("umask 022; tar -xz -f - -C /", archive, what="unpacking the agent")
        listed = sorted(name for name in names if f"/{name}" != CONFIG)
        self.router.write(FILES, "".join(f"{name}\n" for name in listed).encode(), mode="644")
        self.router.run(_UNPACKED_POSTINST, what="setting the agent up")

    def _wait(self) -> None:
        """Return when the centre acknowledged something."""
        deadline = self.now_s() + REPORT_S
        link = "not started"
        while self.now_s() < deadline:
            state = _json(self.router.run(_STATE, what="asking the agent"))
            link = str(state.get("link", link))
            if state.get("heard_ms") is not None:
                self.say(f"{self.device} reports, and the centre has acknowledged it")
                return
            self.sleep(1.0)
        raise CertsError(
            f"{self.router.address}: installed and started, but nothing was acknowledged within "
            f"{REPORT_S:.0f} s (link: {link}); look at: logread -e vigia"
        )


def look(router: Router) -> Seen:
    """Ask the router what it is. ``CertsError`` when it is no OpenWrt with a package manager."""
    said = dict(
        line.partition("=")[::2]
        for line in router.run(_LOOK, what="looking at it").splitlines()
        if "=" in line
    )
    if "manager" not in said:
        raise CertsError(f"{router.address}: neither opkg nor apk: is this OpenWrt?")
    try:
        free_kib, memory_kib, time_s = (int(said[name]) for name in ("free_kib", "memory_kib", "time"))
    except (KeyError, ValueError) as error:
        raise CertsError(f"{router.address}: does not say how much flash and memory it has") from error
    return Seen(
        release=said.get("release", ""),
        manager=said["manager"],
        free_kib=free_kib,
        memory_kib=memory_kib,
        time_s=time_s,
        interpreter=said.get("interpreter") == "1",
        device=said.get("device", ""),
    )


def lacks(seen: Seen, archive_bytes: int) -> list[str]:
    """Return what a router lacks, each with what it has and what it needs."""
    need = archive_bytes // 1024 + SPOOL_KIB + SPARE_KIB + (0 if seen.interpreter else INTERPRETER_KIB)
    problems = []
    if seen.free_kib < need:
        problems.append(f"{seen.free_kib} KiB of flash free, {need} needed")
    if seen.memory_kib < MEMORY_KIB:
        problems.append(f"{seen.memory_kib} KiB of memory free, {MEMORY_KIB} needed")
    return problems


def remove(router: Router, *, purge: bool) -> None:
    """Take the agent away; with ``purge`` also credentials, spool and configuration."""
    look(router)
    router.run(_REMOVE, what="removing the agent")
    if purge:
        router.run(f"rm -rf {CREDENTIALS} {CONFIG}", what="removing credentials and configuration")


def _data(package: Path) -> bytes:
    """Return the archive of files inside an .ipk."""
    try:
        with tarfile.open(package) as outer:
            member = outer.extractfile("./data.tar.gz")
            if member is not None:
                return member.read()
    except (OSError, KeyError, tarfile.TarError) as error:
        raise CertsError(
            f"{package}: not a package of the agent; `make packages` makes one: {error}"
        ) from error
    raise CertsError(f"{package}: not a package of the agent")


def _without(data: bytes, left_out: set[str]) -> tuple[bytes, list[str]]:
    """Return an archive of files alone, some left out, and their names.

    Folders make themselves; one that is a link on the router would be replaced by a folder of the archive.
    """
    target = io.BytesIO()
    names = []
    with tarfile.open(fileobj=io.BytesIO(data)) as source, tarfile.open(fileobj=target, mode="w:gz") as copy:
        for member in source.getmembers():
            name = member.name.removeprefix("./")
            if member.isfile() and f"/{name}" not in left_out:
                copy.addfile(member, source.extractfile(member))
                names.append(name)
    return target.getvalue(), names


def _archive(files: dict[str, bytes]) -> bytes:
    """Return an archive of files that only their owner reads."""
    target = io.BytesIO()
    with tarfile.open(fileobj=target, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), 0o600
            archive.addfile(member, io.BytesIO(data))
    return target.getvalue()


def _json(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}
