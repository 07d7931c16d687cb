"""Texts of the configuration such as ``/dev/ttyUSB0,unit=1,place=indoor``: a head, and options behind it."""

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from collections.abc import Mapping

    # what an option may be: a tuple of words, a pair of numbers, or None for a name
    Kinds = Mapping[str, "tuple[str, ...] | tuple[int, int] | None"]
    Options = dict[str, "str | int"]

MOST_NAME = 40


def split(text: str, kinds: "Kinds") -> "tuple[str, Options]":
    """Return (head, options as far as they are given). Raises ValueError with one line for a person."""
    parts = text.split(",")
    options: "Options" = {}
    for part in parts[1:]:
        key, _, value = part.strip().partition("=")
        if key not in kinds:
            raise ValueError("unknown option " + (key or "''") + "; known are " + ", ".join(sorted(kinds)))
        if key in options:
            raise ValueError(key + " is given twice")
        options[key] = _value(key, value, kinds[key])
    return parts[0].strip(), options


def _value(key: str, text: str, kind: "tuple[str, ...] | tuple[int, int] | None") -> "str | int":
    if kind is None:
        if not is_name(text):
            raise ValueError(key + " has to be a name of a-z, A-Z, 0-9, _ and -")
        return text
    if isinstance(kind[0], str):
        if text not in kind:
            raise ValueError(key + " has to be " + " or ".join([str(word) for word in kind]))
        return text
    low, high = int(kind[0]), int(kind[1])
    if not text.isdigit() or len(text) > 9 or not low <= int(text) <= high:  # noqa: PLR2004 (digits of any here)
        raise ValueError(key + " has to be a number from " + str(low) + " to " + str(high))
    return int(text)


def is_name(text: str) -> bool:
    """Tell whether this can name a meter, an input or a place."""
    plain = text.replace("_", "a").replace("-", "a")
    return 0 < len(text) <= MOST_NAME and all([c.isdigit() or "a" <= c.lower() <= "z" for c in plain])  # noqa: C419 - for MicroPython


def wrong(given: object, most: int, parse: "object") -> str:
    """Return what is wrong with an object of name -> text, empty when nothing is."""
    if not isinstance(given, dict) or not 0 < len(given) <= most:
        return "has to be an object of 1 to " + str(most) + " names"
    for name, text in given.items():
        if not isinstance(name, str) or not is_name(name):
            return "has a name that is none: " + str(name)[:MOST_NAME]
        if not isinstance(text, str):
            return name + " has to be a text"
        try:
            parse(name, text)  # type: ignore[operator]
        except ValueError as error:
            return name + ": " + str(error)
    return ""
