"""What the command lines share: the option for the configuration, and how they end.

Every error is one line on standard error, 1 for failures, 2 for wrong use.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from collector.errors import ConfigError, VigiaError

if TYPE_CHECKING:
    from typing import NoReturn

config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path("/etc/vigia/collector.toml"),
    show_default=True,
    help="Configuration file (TOML).",
)
FAILED = 1
WRONG_USE = 2


def run(command: click.Command, name: str, *failures: type[Exception]) -> NoReturn:
    """Run a command line and exit; ``failures`` are exceptions, beside our own, that are told in words."""
    known: tuple[type[Exception], ...] = (VigiaError, OSError, *failures)
    try:
        code = command.main(prog_name=name, standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        sys.exit(WRONG_USE)
    except click.ClickException as error:
        click.echo(f"{name}: {error.format_message()} (see {name} --help)", err=True)
        sys.exit(WRONG_USE)
    except click.Abort:
        sys.exit(FAILED)
    except ConfigError as error:
        click.echo(f"{name}: {error}", err=True)
        sys.exit(WRONG_USE)
    except known as error:
        click.echo(f"{name}: {error}", err=True)
        sys.exit(FAILED)
    sys.exit(code if isinstance(code, int) else 0)
