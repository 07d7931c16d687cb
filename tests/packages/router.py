"""A router behind a real ssh server (dropbear, as on OpenWrt), with what OpenWrt has, without MicroPython."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers import programs
from tests.servers.wait import until

if TYPE_CHECKING:
    from tests.packages.root import Root

STAND_INS = Path(__file__).with_name("openwrt")
SERVER = "/opt/dropbear"
SCRIPTS = {"rc.common": "/etc/rc.common", "functions.sh": "/lib/functions.sh", "uci": "/sbin/uci"}


class Router:
    """A router to be: OpenWrt's commands, an ssh server, no MicroPython yet."""

    def __init__(self, root: Root, folder: Path, micropython: str, release: str, port: int) -> None:
        self.root = root
        self._folder = folder
        self._port = port
        self._server: subprocess.Popen[bytes] | None = None
        manager = "opkg" if release < "25" else "apk"
        root.put(Path(micropython), "/opt/micropython", mode=0o755)
        for name, target in SCRIPTS.items():
            root.put(STAND_INS / name, target, mode=0o755)
        root.put(STAND_INS / manager, f"/usr/bin/{manager}", mode=0o755)
        root.path("/etc/openwrt_release").write_text(f"DISTRIB_ID='OpenWrt'\nDISTRIB_RELEASE='{release}'\n")
        root.path("/overlay").mkdir()

    def start(self, address: str = "127.0.0.1") -> None:
        self._address = address
        keygen = programs.unpacked("usr/bin/dropbearkey")
        host, own = self._folder / "host", self._folder / "id"
        subprocess.run(
            [keygen, "-t", "ed25519", "-f", str(host)],
            env=programs.unpacked_environment(), check=True, capture_output=True,
        )  # fmt: skip
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(own)], check=True)
        self.root.put(host, "/etc/dropbear.key", mode=0o600)
        self.root.put(own.with_suffix(".pub"), "/root/.ssh/authorized_keys", mode=0o600)
        self.root.run("chmod", "700", "/root/.ssh")
        # into the root, because it sees neither this machine's /tmp nor other mounts: the cache may lie there
        self.root.put(Path(programs.unpacked("usr/sbin/dropbear")), f"{SERVER}/dropbear", mode=0o755)
        for folder in programs.unpacked_libraries():
            for library in folder.glob("*.so.*"):
                self.root.put(library, f"{SERVER}/{library.name}")
        command = ["env", f"LD_LIBRARY_PATH={SERVER}", f"{SERVER}/dropbear", "-F", "-E", "-s"]
        self._server = subprocess.Popen(
            self.root.command(*command, "-r", "/etc/dropbear.key", "-p", f"{address}:{self._port}"),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        until(lambda: self.ssh("true").returncode == 0, "the ssh server")

    def stop(self) -> None:
        if self._server is not None:
            self._server.kill()
            self._server.wait(30)

    def options(self) -> list[str]:
        """What ssh and scp need to get in."""
        said = [
            f"Port={self._port}",
            f"IdentityFile={self._folder}/id",
            "IdentitiesOnly=yes",
            "BatchMode=yes",
        ]
        quiet = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
        return ["-F", "none", *(word for option in (*said, *quiet) for word in ("-o", option))]

    def ssh_command(self) -> str:
        return " ".join(["ssh", *self.options()])

    def ssh(self, command: str) -> subprocess.CompletedProcess[bytes]:
        words = [*self.ssh_command().split(), f"root@{self._address}", command]
        return subprocess.run(words, capture_output=True, timeout=60, check=False)
