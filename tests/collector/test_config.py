from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector.config import load, parse, secret
from collector.errors import ConfigError

BASE = Path("/srv/vigia")


def test_an_empty_file_is_a_complete_configuration(tmp_path: Path) -> None:
    path = tmp_path / "collector.toml"
    path.write_text("", encoding="utf-8")
    config = load(path)
    assert config.broker.ca_file == tmp_path / "pki/ca.pem"
    assert config.store.influx.token_file == tmp_path / "influx.token"
    assert config.state_url() == f"sqlite:///{tmp_path}/vigia.db"


def test_relative_paths_are_relative_to_the_file() -> None:
    config = parse({"web": {"secret_file": "s/web"}, "registry": {"sites_file": "/abs.csv"}}, BASE)
    assert config.web.secret_file == BASE / "s/web"
    assert config.registry.sites_file == Path("/abs.csv")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"brokr": {}}, "configuration: unknown key 'brokr'; did you mean 'broker'?"),
        ({"broker": {"hots": "x"}}, "configuration: unknown key 'broker.hots'; did you mean 'host'?"),
        (
            {"store": {"influx": {"tokenfile": "x"}}},
            "configuration: unknown key 'store.influx.tokenfile'; did you mean 'token_file'?",
        ),
        (
            {"alerts": {"channels": {"crew": {"urlfile": "x"}}}},
            "configuration: unknown key 'alerts.channels.crew.urlfile'; did you mean 'url_file'?",
        ),
        ({"zzzz": 1}, "configuration: unknown key 'zzzz'"),
        ({"base": "/"}, "configuration: unknown key 'base'"),
    ],
)
def test_unknown_keys_are_refused_with_the_nearest_known_name(data: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(data, BASE)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("data", "key"),
    [
        ({"broker": {"port": 70000}}, "broker.port"),
        ({"broker": 3}, "broker"),
        ({"store": {"kind": "mysql"}}, "store.kind"),
        ({"ingest": {"shards": "xyz"}}, "ingest.shards"),
        ({"web": {"secret_file": 7}}, "web.secret_file"),
    ],
)
def test_a_wrong_value_is_refused_in_one_line_that_names_its_key(data: dict[str, object], key: str) -> None:
    with pytest.raises(ConfigError, match=rf"^configuration: {key}: [^\n]+$"):
        parse(data, BASE)


@given(
    st.dictionaries(
        st.text(max_size=8),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=6), inner, max_size=2)
            ),
            max_leaves=4,
        ),
        max_size=3,
    )
)
def test_any_table_is_a_configuration_or_one_line(data: dict[str, object]) -> None:
    try:
        config = parse(data, BASE)
    except ConfigError as error:
        message = str(error)
    else:
        message = str(config.base)
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize("content", [b"[broker", b"\xff\xfe", None])
def test_an_unreadable_file_is_one_line(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "collector.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ConfigError, match=rf"^{path}: [^\n]+$"):
        load(path)


def test_a_secret_comes_from_the_environment_or_its_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "token"
    with pytest.raises(ConfigError, match="VIGIA_X"):
        secret(path, "VIGIA_X")
    with pytest.raises(ConfigError, match="set VIGIA_X"):
        secret(None, "VIGIA_X")
    path.write_text("of the file\n", encoding="utf-8")
    assert secret(path, "VIGIA_X") == "of the file"
    monkeypatch.setenv("VIGIA_X", "of the environment")
    assert secret(path, "VIGIA_X") == "of the environment"
