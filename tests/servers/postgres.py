"""A real PostgreSQL in a folder of its own; as root it runs as user ``postgres``, for it refuses root."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import programs
from tests.servers.ports import free_port
from tests.servers.wait import until

USER = "vigia"


class PostgresServer:
    """Listens on loopback only, trusts everyone there; ``url(name)`` makes a new database."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._data = folder / "data"
        self._process: subprocess.Popen[bytes] | None = None
        newest = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1:]
        self._path = os.pathsep.join([*map(str, newest), programs.SYSTEM])

    def start(self) -> None:
        """Make the cluster and start it."""
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(self._folder, owner.pw_uid, owner.pw_gid)
        options = ["--auth=trust", f"--username={USER}", "--encoding=UTF8", "--no-sync"]
        subprocess.run(
            [*self._as_user(), self._program("initdb"), *options, str(self._data)],
            check=True,
            capture_output=True,
            cwd=self._folder,
        )
        settings = [
            f"port={self.port}",
            "listen_addresses=127.0.0.1",
            f"unix_socket_directories={self._folder}",
            "fsync=off",
        ]
        command = [
            self._program("postgres"),
            "-D",
            str(self._data),
            *(part for item in settings for part in ("-c", item)),
        ]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [*self._as_user(), *command], stdout=log, stderr=log, cwd=self._folder
            )
        until(self._answers, "PostgreSQL")

    def stop(self) -> None:
        """End it and its sessions."""
        if self._process is not None:
            self._process.send_signal(2)  # SIGINT: fast shutdown
            self._process.wait(30)

    def url(self, name: str) -> str:
        """Return SQLAlchemy's address of a new, empty database."""
        self._psql("postgres", f'CREATE DATABASE "{name}"')
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{name}"

    def _psql(self, database: str, statement: str) -> None:
        address = f"postgresql://{USER}@127.0.0.1:{self.port}/{database}"
        subprocess.run(
            [self._program("psql"), "-q", address, "-c", statement], check=True, capture_output=True
        )

    def _answers(self) -> bool:
        assert self._process is not None
        code = self._process.poll()
        assert code is None, (self._folder / "log").read_text(errors="replace")
        done = subprocess.run(
            [self._program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False
        )
        return done.returncode == 0

    def _as_user(self) -> list[str]:
        if os.geteuid() != 0:
            return []
        owner = pwd.getpwnam("postgres")
        return ["setpriv", f"--reuid={owner.pw_uid}", f"--regid={owner.pw_gid}", "--clear-groups"]

    def _program(self, name: str) -> str:
        found = shutil.which(name, path=self._path)
        if found is None:
            raise programs.MissingProgramError(
                f"{name} is missing: apt-get install postgresql (`make test` does it)"
            )
        return found


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """One server for the session; every test takes a database of its own."""
    with tempfile.TemporaryDirectory(prefix="vigia-pg-") as folder:
        server = PostgresServer(Path(folder))
        try:
            server.start()
            yield server
        finally:
            server.stop()
