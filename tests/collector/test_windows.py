"""Announced work and groups from the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session

from collector.__main__ import cli
from collector.errors import VigiaError
from collector.storage import migrate
from collector.storage.state import Site, open_engine

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def home(tmp_path: Path) -> Path:
    engine = open_engine(f"sqlite:///{tmp_path}/vigia.db")
    migrate.upgrade(engine)
    with Session(engine) as session, session.begin():
        for name in ("a", "b"):
            session.add(Site(id=name, name_es=name, name_en=name, kind="park", circuit="f1"))
    engine.dispose()
    (tmp_path / "collector.toml").write_text("")
    return tmp_path


def call(home: Path, *arguments: str) -> Result:
    command = [*arguments[:2], "--config", str(home / "collector.toml"), *arguments[2:]]
    return CliRunner().invoke(cli, command)


def test_a_window_comes_and_goes(home: Path) -> None:
    when = ("2099-03-18T10:00", "2099-03-18T12:00")
    added = call(home, "window", "add", *when, "--circuit", "f1", "--what", "CFE")
    line = "1: planned, 2099-03-18 10:00 to 2099-03-18 12:00, circuit f1: CFE\n"
    assert (added.exit_code, added.stdout) == (0, line)
    assert call(home, "window", "list").stdout == line
    assert call(home, "window", "remove", "1").stdout == line.replace("\n", " (removed)\n")
    assert call(home, "window", "list").stdout == ""


def test_a_window_or_group_that_cannot_be_says_why(home: Path) -> None:
    when = ("2099-03-18T10:00", "2099-03-18T12:00")
    for arguments, problem in (
        (("window", "add", when[1], when[0]), "a window ends after it begins"),
        (("window", "add", *when, "--circuit", "f9"), "no site has the circuit 'f9'"),
        (("window", "add", "tomorrow", when[1]), "'tomorrow' is no time"),
        (("window", "remove", "7"), "there is no window 7"),
        (("group", "add", "g", "z"), "there is no site 'z'"),
    ):
        done = call(home, *arguments)
        assert done.stdout == ""
        assert isinstance(done.exception, VigiaError)  # which the command line tells in one line
        assert problem in str(done.exception)


def test_groups(home: Path) -> None:
    assert call(home, "group", "add", "street", "b", "a").exit_code == 0
    assert call(home, "group", "list").stdout == "street: a, b\n"
    assert call(home, "group", "remove", "street", "a").stdout == "street: 1 removed\n"
    assert call(home, "group", "list").stdout == "street: b\n"
