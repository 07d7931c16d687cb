"""The language of NUT's upsd (RFC 9271): pure, without I/O.

Lines of words; a word with spaces stands in double quotes, in which a backslash escapes the next character.
What does not fit is the server's fault and a ReaderError ``garbage``.
"""

from agent.errors import ReaderError

# Longest line taken; NUT's own limit for a line is 1024 (LARGEBUF in its common.h).
MAX_LINE = 1100
# Longest list taken, in bytes; a managed UPS with outlets comes to some 45,000.
MAX_LIST = 131072


MAX_UPSES = 64  # names taken of one server


class RefusedError(ReaderError):
    """The server answered ``ERR``; ``reason`` is its code in upsd's own spelling, such as DATA-STALE."""


def quoted(text: str) -> str:
    """Return ``text`` as one word of a command; line ends, which would begin another one, become spaces."""
    text = text.replace("\r", " ").replace("\n", " ")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def text_of(line: bytes) -> str:
    """Return a line as text; letters of 8 bits, which some drivers pass on, matter to no reading."""
    try:
        return line.decode().strip("\r")
    except UnicodeError:
        return bytes([byte if byte < 0x80 else 0x3F for byte in line]).decode().strip("\r")  # noqa: PLR2004 (ASCII)


def words(line: str) -> list[str]:
    """Return the words of a line, without quotes and escapes."""
    if "\\" not in line:
        parts = line.split('"')
        if len(parts) == 3 and parts[0].endswith(" ") and not parts[2]:  # noqa: PLR2004 (the usual: VAR a b "c")
            return [word for word in parts[0].split(" ") if word] + [parts[1]]
    return _words(line)


def _words(line: str) -> list[str]:
    found: list[str] = []
    position = 0
    while position < len(line):
        if line[position] == " ":
            position += 1
            continue
        word, position = _word(line, position)
        found.append(word)
    return found


def _word(line: str, position: int) -> tuple[str, int]:
    """Return the word that begins at ``position``, and where it ends."""
    chars: list[str] = []
    inside = False
    while position < len(line) and (inside or line[position] != " "):
        char = line[position]
        if char == '"':
            inside = not inside
        else:
            if char == "\\" and position + 1 < len(line):
                position += 1
                char = line[position]
            chars.append(char)
        position += 1
    if inside:
        raise ReaderError("garbage", "a quote without an end")
    return "".join(chars), position


def answer(line: str) -> list[str]:
    """Return the words of an answer; an ``ERR`` is raised as RefusedError, an empty line is garbage."""
    found = words(line)
    if not found:
        raise ReaderError("garbage", "an empty answer")
    if found[0] == "ERR":
        raise RefusedError(found[1] if len(found) > 1 else "UNKNOWN", line)
    return found


def single(found: list[str], begins: list[str]) -> str:
    """Return the one value of an answer that must begin with these words."""
    if found[: len(begins)] != begins or len(found) != len(begins) + 1:
        raise ReaderError("garbage", "expected " + " ".join(begins))
    return found[-1]


def valid_name(name: str) -> bool:
    """Tell whether this can be a UPS's name: letters, digits, and ``._-`` within 40 characters."""
    plain = name.replace(".", "a").replace("_", "a").replace("-", "a")
    return 0 < len(name) <= 40 and all(c.isdigit() or "a" <= c.lower() <= "z" for c in plain)  # noqa: PLR2004 (the limit above)


class Listing:
    """The lines of one list as they come: whether they are its own, and how many bytes are left to it."""

    def __init__(self, subject: str) -> None:
        """``subject``: what stands after LIST, such as ``VAR sai``."""
        self._own = subject + " "
        self._begins = words("BEGIN LIST " + subject)
        self._ends = words("END LIST " + subject)
        self._begun = False
        self._left = MAX_LIST
        self.ended = False

    def take(self, line: str) -> "list[str] | None":
        """Return the words after the subject's, None when the line is none of the list's own content.

        A line of the list with a wrong quote costs its own value only; any other stranger ends the list.
        """
        self._left -= len(line) + 1
        if self._left < 0:
            raise ReaderError("garbage", "a list without an end")
        if self._begun and line.startswith(self._own):
            try:
                return words(line[len(self._own) :])
            except ReaderError:
                return None
        found = answer(line)
        if not self._begun and found == self._begins:
            self._begun = True
        elif self._begun and found == self._ends:
            self.ended = True
        else:
            raise ReaderError("garbage", "a list with a line that is none of its own")
        return None
