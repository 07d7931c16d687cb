"""OpenWrt's configuration of the agent (UCI) as the agent's own: text in, a configuration out.

``/etc/config/vigia`` has one section for each part of the configuration, named as that part is::

    config agent 'agent'            the keys of the top: device, site
    config broker 'broker'          likewise spool, intervals, status_page
    config reader 'wifi'            a reader; ``option enabled '0'`` leaves it out

Options have the names of the keys. UCI knows texts and lists only, so that a value becomes the first of
number, yes or no, text, list, and object (``list places 'phy0-ap0=outdoor'``) that the configuration's own
check takes. Where the device's issued ``agent.json`` lies beside the credentials, it gives what UCI leaves
out.
"""

from agent import config as configuration
from agent.errors import ConfigError

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

    Section = tuple[str, str, dict[str, Any]]  # type, name, options

_NO, _YES = ("0", "no", "off", "false", "disabled"), ("1", "yes", "on", "true", "enabled")  # as UCI's own
_PACKAGE = ("enabled", "credentials", "heapsize", "jail")  # of the package's start, not of the agent


def parse(text: str) -> "list[Section]":
    """Return the sections of a file as (type, name, {option: text or list of texts}). Raises ConfigError."""
    sections: "list[Section]" = []
    for number, line in enumerate(text.split("\n")):
        words = _words(line, number + 1)
        if not words or words[0] == "package":
            continue
        if words[0] == "config" and len(words) in (2, 3):
            sections.append((words[1], words[2] if len(words) == 3 else "", {}))  # noqa: PLR2004
        elif words[0] in ("option", "list") and len(words) == 3 and sections:  # noqa: PLR2004 - same
            _take(sections[-1][2], words, number + 1)
        else:
            raise _wrong(number + 1, "is not config, option or list")
    return sections


def _take(options: "dict[str, Any]", words: list[str], number: int) -> None:
    kind, name, value = words
    if kind == "option":
        options[name] = value
        return
    if not isinstance(options.get(name, []), list):
        raise _wrong(number, name + " is an option and a list")
    options.setdefault(name, []).append(value)


class _Splitter:
    """Splits a line as UCI does: two sorts of quotes, a backslash outside single ones, comments from #."""

    def __init__(self) -> None:
        """Begin with no word."""
        self.words: list[str] = []
        self.quote = ""
        self._word: "str | None" = None

    def take(self, line: str) -> None:
        """Read a line."""
        rest = iter(line)
        for char in rest:
            if char == "\\" and self.quote != "'":
                self._add(next(rest, ""))
            elif self.quote:
                self._quoted(char)
            elif char == "#" and self._word is None:
                return
            else:
                self._plain(char)
        self._end()

    def _quoted(self, char: str) -> None:
        if char == self.quote:
            self.quote = ""
        else:
            self._add(char)

    def _plain(self, char: str) -> None:
        if char in " \t\r":
            self._end()
        elif char in "'\"":
            self.quote = char
            self._add("")
        else:
            self._add(char)

    def _add(self, char: str) -> None:
        self._word = (self._word or "") + char

    def _end(self) -> None:
        if self._word is not None:
            self.words.append(self._word)
        self._word = None


def _words(line: str, number: int) -> list[str]:
    splitter = _Splitter()
    splitter.take(line)
    if splitter.quote:
        raise _wrong(number, "has a quote that does not end")
    return splitter.words


def _wrong(number: int, what: str) -> ConfigError:
    return ConfigError("malformed", "line " + str(number) + ": " + what)


def merged(sections: "list[Section]", issued: "dict[str, Any]") -> "dict[str, Any]":
    """Return the configuration that the sections ask for, over the issued one. Raises ConfigError.

    Readers are those of UCI when it names any. What no check takes is left as the text it is, for
    ``config.check`` to say what it has to be.
    """
    config = dict(issued)
    readers: "dict[str, Any]" = {}
    for kind, name, options in sections:
        if kind == "reader":
            if options.get("enabled", "1") in _YES:
                readers[name] = _typed(options, configuration.READERS.get(name, {}))
        elif kind == "agent":
            config.update(_typed(options, configuration.TOP))
        elif kind in configuration.SECTIONS:
            section = dict(config.get(kind, {}))
            section.update(_typed(options, configuration.SECTIONS[kind]))
            config[kind] = section
        else:
            raise ConfigError("unknown_key", "config " + kind + " is unknown")
    if readers:
        config["readers"] = readers
    return config


def _typed(options: "dict[str, Any]", table: "dict[str, Any]") -> "dict[str, Any]":
    found: "dict[str, Any]" = {}
    for name, value in options.items():
        if name in _PACKAGE or value == "":
            continue  # UCI keeps empty options; they say nothing
        entry = table.get(name)
        found[name] = _value(value, entry[1]) if entry else value
    return found


def _value(value: "Any", wrong: "Any") -> "Any":
    for candidate in _candidates(value):
        if not wrong(candidate):
            return candidate
    return value


def _candidates(value: "Any") -> "list[Any]":
    """Return what a text or a list of UCI may mean, the likeliest first."""
    if isinstance(value, list):
        return [value] + _objects(value)  # noqa: RUF005 - MicroPython has no [*a]
    found: "list[Any]" = []
    for number in (int, float):
        with_number = _number(number, value)
        if with_number is not None:
            found.append(with_number)
    if value in _NO or value in _YES:
        found.append(value in _YES)
    found.append(value)
    parts = value.split()
    found.append(parts)
    return found + _objects(parts)


def _number(kind: "Any", text: str) -> "Any":
    try:
        return kind(text)
    except ValueError:
        return None


def _objects(parts: list[str]) -> "list[dict[str, Any]]":
    """Return ``name=value`` and ``name=value,value`` as objects."""
    pairs = [part.split("=", 1) for part in parts]
    if not pairs or [pair for pair in pairs if len(pair) != 2]:  # noqa: PLR2004 - name and value
        return []
    return [
        {name: text for name, text in pairs},  # noqa: C416 - MicroPython's dict takes no list of lists
        {name: text.split(",") for name, text in pairs},
    ]


def credentials(sections: "list[Section]", otherwise: str) -> str:
    """Return the folder that the agent's section names for its credentials."""
    for kind, _, options in sections:
        if kind == "agent" and options.get("credentials"):
            return str(options["credentials"])
    return otherwise
