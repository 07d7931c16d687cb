"""Accounts and tokens: what is kept, what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy.orm import Session

from collector.storage.state import ApiToken, User
from collector.web import users

if TYPE_CHECKING:
    from tests.web.conftest import Web


def test_a_password_is_kept_as_a_hash_and_checked(web: Web):
    with Session(web.engine) as session:
        users.add_user(session, "nueva", "una contraseña larga", "crew")
        session.commit()
        assert "una contraseña" not in session.get_one(User, "nueva").password_hash
        found = users.check_password(session, "nueva", "una contraseña larga")
        assert found is not None
        assert found.role == "crew"
        assert users.check_password(session, "nueva", "otra cosa") is None
        assert users.check_password(session, "nadie", "una contraseña larga") is None


def test_adding_a_known_name_changes_password_and_role(web: Web):
    with Session(web.engine) as session:
        before = users.mark(session.get_one(User, "vera"))
        users.add_user(session, "vera", "otra contraseña", "admin")
        session.commit()
        user = session.get_one(User, "vera")
        assert user.role == "admin"
        assert users.mark(user) != before


@pytest.mark.parametrize(
    ("name", "password", "role"),
    [
        ("", "larga suficiente", "viewer"),
        (" vera", "larga suficiente", "viewer"),
        ("ve\nra", "larga suficiente", "viewer"),
        ("v" * 65, "larga suficiente", "viewer"),
        ("vera", "corta", "viewer"),
        ("vera", "x" * 257, "viewer"),
        ("vera", "larga suficiente", "root"),
    ],
)
def test_what_cannot_be_used_is_refused(web: Web, name, password, role):
    with Session(web.engine) as session, pytest.raises(users.UserError):
        users.add_user(session, name, password, role)


def test_a_token_is_kept_as_its_digest(web: Web):
    with Session(web.engine) as session:
        token = users.add_token(session, "grafana", "viewer", 5)
        session.commit()
        row = session.query(ApiToken).filter_by(label="grafana").one()
        assert token not in row.digest
        assert users.check_token(session, token) == users.Principal("grafana", "viewer", by_token=True)
        assert users.check_token(session, token + "x") is None


def test_roles_include_those_below():
    assert [users.Principal("x", "crew").may(role) for role in users.ROLES] == [True, True, False]
    assert not users.Principal("x", "unknown").may("viewer")
