"""People and programs that may sign in. Passwords are kept as scrypt hashes, tokens as SHA-256.

Three roles, each with all that the one before may do: ``viewer`` reads, ``crew`` acknowledges, writes
notes and sees how to get in and whom to call, ``admin`` is for what may come to need it.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from werkzeug.security import check_password_hash, generate_password_hash

from collector.errors import VigiaError
from collector.storage.state import ApiToken, User

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

ROLES = ("viewer", "crew", "admin")
MIN_PASSWORD = 8
MAX_NAME = 64
MAX_PASSWORD = 256  # scrypt hashes any length; a limit bounds the work per attempt


class UserError(VigiaError):
    """The name, password, label or role cannot be used."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks: a person's name or a token's label, and the role."""

    name: str
    role: str
    by_token: bool = False

    def may(self, role: str) -> bool:
        """Say whether this role includes ``role``."""
        return self.role in ROLES and ROLES.index(self.role) >= ROLES.index(role)


def add_user(session: Session, name: str, password: str, role: str = "viewer") -> None:
    """Add a person, or change the password and role of one that is there; ``UserError`` when refused."""
    _check_role(role)
    if not name or len(name) > MAX_NAME or name != name.strip() or not name.isprintable():
        raise UserError(f"user name: 1 to {MAX_NAME} printable characters without spaces at the ends")
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise UserError(f"password: {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    session.merge(User(name=name, password_hash=generate_password_hash(password), role=role))


def check_password(session: Session, name: str, password: str) -> User | None:
    """Return the user when the password is right; takes as long for a name that does not exist."""
    user = session.get(User, name)
    hashed = user.password_hash if user else _nobody()
    right = len(password) <= MAX_PASSWORD and check_password_hash(hashed, password)
    return user if right else None


def mark(user: User) -> str:
    """Return a short print of the password's hash: a session made before a change ends with it."""
    return hashlib.sha256(user.password_hash.encode()).hexdigest()[:16]


def add_token(session: Session, label: str, role: str, now_ms: int) -> str:
    """Add a bearer token and return it; it is shown this once and cannot be read back."""
    _check_role(role)
    if not label or len(label) > MAX_NAME or not label.isprintable():
        raise UserError(f"token label: 1 to {MAX_NAME} printable characters")
    token = f"vigia_{secrets.token_urlsafe(32)}"
    session.add(ApiToken(digest=_digest(token), label=label, role=role, created_ms=now_ms))
    return token


def check_token(session: Session, token: str) -> Principal | None:
    """Return whom a bearer token stands for."""
    row = session.get(ApiToken, _digest(token))
    return Principal(row.label, row.role, by_token=True) if row else None


def _check_role(role: str) -> None:
    if role not in ROLES:
        raise UserError(f"role: one of {', '.join(ROLES)}")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@cache
def _nobody() -> str:
    """Make a hash that no password fits, checked for unknown names so that time does not tell them apart."""
    return generate_password_hash(secrets.token_hex())
