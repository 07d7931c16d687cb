"""The command ``vigia-agent``.

Exit codes: 0 well, 1 something failed, 2 the command line or the configuration is wrong.
"""

import asyncio
import os
import sys

from agent import __version__
from agent.build import (
    ack_key,
    build,
    device_signer,
    device_transport,
    own_summary,
    read_once,
    seal_once,
    system_clock,
)
from agent.errors import AgentError, ConfigError
from agent.ports.memory import forget

TYPE_CHECKING = False  # MicroPython has no typing
if TYPE_CHECKING:
    from typing import Any

USAGE = """\
usage: vigia-agent --config FILE [--print [--lang es|en] | --seal | --check-config]
       vigia-agent --config FILE --uci UCI
       vigia-agent --version | --help

Without another option: samples, seals, spools and publishes until SIGTERM or SIGINT.

  --config FILE    the configuration, JSON (with CPython also TOML)
  --print          read everything once; say what is wrong, what to try, and what was read
  --lang es|en     language of what is printed; otherwise that of LANG
  --seal           read everything once and write one signed frame, binary, to standard output
  --uci UCI        make FILE of OpenWrt's configuration (/etc/config/vigia), when it holds
  --check-config   check configuration, keys and certificates, and say so
  --version        print the version
  --help           print this
"""
LANGUAGES = ("es", "en")
FLAGS = ("--print", "--seal", "--check-config")


class UsageError(AgentError):
    """The command line is wrong."""


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; return the exit code. What fails is one line on standard error."""
    try:
        return _command(arguments)
    except (UsageError, ConfigError) as error:
        return _complain(error, 2)
    except (AgentError, OSError) as error:
        return _complain(error, 1)
    except KeyboardInterrupt:
        return 1
    except Exception as error:  # noqa: BLE001 - a bug; whoever supervises the agent starts it anew
        return _complain(AgentError("bug", "bug: " + repr(error)), 1)


def _complain(error: BaseException, code: int) -> int:
    sys.stderr.write("vigia-agent: " + " ".join(str(error).split()) + "\n")
    return code


def _command(arguments: list[str]) -> int:
    if "--help" in arguments:
        print(USAGE, end="")
        return 0
    if "--version" in arguments:
        print("vigia-agent " + __version__)
        return 0
    options = _options(arguments)
    if "--uci" in options:
        return _from_uci(options)
    config = _load(options["--config"])
    chosen = [flag for flag in FLAGS if flag in options]
    if len(chosen) > 1:
        raise UsageError("usage", chosen[0] + " and " + chosen[1] + " exclude each other; see --help")
    return COMMANDS[chosen[0] if chosen else ""](config, options)


def _load(path: str) -> "dict[str, Any]":
    """Return the checked configuration; what checked it is a tenth of a router's heap, and given back."""
    from agent import config as configuration  # noqa: PLC0415 - see above

    config = configuration.load(path)
    forget("agent.config")
    return config


def _options(arguments: list[str]) -> dict[str, str]:
    """Return the options given, those without a value as empty text."""
    options: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        name = rest.pop(0)
        if name in FLAGS:
            options[name] = ""
        elif name in {"--config", "--lang", "--uci"}:
            if not rest:
                raise UsageError("usage", name + " needs a value; see --help")
            options[name] = rest.pop(0)
        else:
            raise UsageError("usage", "unknown option " + name + "; see --help")
    if "--config" not in options:
        raise UsageError("usage", "--config FILE is missing; see --help")
    if options.get("--lang", "es") not in LANGUAGES:
        raise UsageError("usage", "--lang takes es or en")
    return options


def _run(config: "dict[str, Any]", _options: dict[str, str]) -> int:
    asyncio.run(_serve(config))
    return 0


async def _serve(config: "dict[str, Any]") -> None:
    from agent.ports.signals import stop_on_signals  # noqa: PLC0415 - only this command takes signals

    stop = asyncio.Event()
    stop_on_signals(stop)
    agent = build(config)
    config.clear()  # some KiB that nobody looks at again
    await agent.run(stop)


def _print(config: "dict[str, Any]", options: dict[str, str]) -> int:
    from agent.print_table import render  # noqa: PLC0415 - with the register it fills a tenth of a router's heap

    readings = asyncio.run(read_once(config))
    print(render(config, readings, options.get("--lang") or language(), own_summary(config)))
    return 1 if any(error for _, _, error in readings) else 0


def _seal(config: "dict[str, Any]", _options: dict[str, str]) -> int:
    sys.stdout.buffer.write(asyncio.run(seal_once(config)))
    return 0


def _check(config: "dict[str, Any]", options: dict[str, str]) -> int:
    ack_key(config)
    device_signer(config)
    device_transport(config, system_clock())
    print(
        options["--config"]
        + ": "
        + config["device"]
        + " at "
        + config["site"]
        + ", readers "
        + _names(config)
    )
    return 0


def _from_uci(options: dict[str, str]) -> int:
    from agent.from_uci import make  # noqa: PLC0415 - not what runs for years

    config = make(options["--uci"], options["--config"])
    print(options["--config"] + ": " + config["device"] + " at " + config["site"])
    return 0


def _names(config: "dict[str, Any]") -> str:
    return ", ".join(sorted(config["readers"])) or "none"


def language() -> str:
    """Return the language of the user's locale that we have, English otherwise."""
    wanted = os.getenv("LC_ALL") or os.getenv("LC_MESSAGES") or os.getenv("LANG") or ""
    return "es" if wanted[:2] == "es" else "en"


COMMANDS = {"": _run, "--print": _print, "--seal": _seal, "--check-config": _check}

if __name__ == "__main__":
    main()
