"""The router's package: unpacked into a root, configured by UCI, started on MicroPython, reporting."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from agent import config as configuration
from tests.agent.centre import DEVICE, SITE, LiveCentre
from tests.packages.router import STAND_INS
from tests.servers.wait import until

if TYPE_CHECKING:
    from tests.packages.root import Root

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]


@pytest.fixture
def kind() -> str:
    return "router"


def ipk(made: Path) -> Path:
    (found,) = made.glob("*.ipk")
    return found


def part(package: Path, name: str) -> tarfile.TarFile:
    """One of the two archives inside a package."""
    with tarfile.open(package) as outer:
        member = outer.extractfile(f"./{name}")
        assert member is not None
        return tarfile.open(fileobj=io.BytesIO(member.read()))


def install(root: Root, made: Path, micropython_bin: str) -> None:
    """Do what opkg does with a package, on a root that has MicroPython and the few scripts that we use."""
    root.put(Path(micropython_bin), "/usr/bin/micropython", mode=0o755)
    for name, target in (("rc.common", "/etc/rc.common"), ("functions.sh", "/lib/functions.sh")):
        root.put(STAND_INS / name, target, mode=0o755)
    with part(ipk(made), "data.tar.gz") as data:
        data.extractall(root.path("/"), filter="tar")
    with part(ipk(made), "control.tar.gz") as control:
        control.extractall(root.path("/root/control"), filter="tar")
    root.run("sh", "/root/control/postinst", "configure")


def give_credentials(root: Root, device: Path) -> None:
    for path in device.iterdir():
        root.put(path, f"/etc/vigia/{path.name}", mode=0o600)


def configure(root: Root, **options: str) -> None:
    """Do what ``uci set vigia.agent.…`` does; sample often, so that the test need not wait."""
    path = root.path("/etc/config/vigia")
    text = path.read_text().replace(
        "option enabled '0'\n#\toption device", "option enabled '1'\n#\toption device"
    )
    for name, value in options.items():
        text = text.replace("config agent 'agent'\n", f"config agent 'agent'\n\toption {name} '{value}'\n")
    quick = "".join(
        f"\toption {name} '{value}'\n" for name, value in (("sample_s", 1), ("frame_s", 1), ("watch_s", 1))
    )
    path.write_text(text.replace("config intervals 'intervals'\n", "config intervals 'intervals'\n" + quick))


def test_a_fresh_router_reports_and_leaves_nothing_running(
    root: Root, made: Path, device: Path, centre: LiveCentre, micropython_bin: str
) -> None:
    install(root, made, micropython_bin)
    assert not root.processes("vigia-agent.py"), "it has to stay off until somebody configures it"
    give_credentials(root, device)
    configure(root)
    root.run("/etc/init.d/vigia-agent", "start")
    until(lambda: len(centre.of("data")) >= 2, "data of the router", timeout_s=60)
    (birth,) = centre.of("birth")
    assert birth.topic.split("/")[3] == DEVICE
    made_config = configuration.load(str(root.path("/run/vigia/agent.json")))
    assert made_config["site"] == SITE
    assert sorted(made_config["readers"]) == ["host", "interfaces", "probes", "wan", "wifi"]
    assert "heapsize=352k" in root.path("/run/procd/command").read_text()
    # what a technician asks for at the router
    said = root.run("/usr/bin/vigia-agent", "--print", "--lang", "es", code=None).stdout
    assert "memoria" in said.lower()
    root.run("sh", "/root/control/prerm", "remove")
    until(lambda: not root.processes("vigia-agent.py"), "the agent to stop")
    until(lambda: any(event.payload.stop for event in centre.of("event")), "its last word, a planned stop")
    assert root.modes(["/etc/vigia", "/etc/vigia/spool"]) == {
        "/etc/vigia": "root:root 700", "/etc/vigia/spool": "root:root 700",
    }  # fmt: skip
    assert root.path("/etc/vigia/spool/boot").exists(), "the boot counter outlives the package"


def test_an_interpreter_without_images_gets_the_heap_that_it_needs(
    root: Root, made: Path, device: Path, centre: LiveCentre, micropython_bin: str
) -> None:
    install(root, made, micropython_bin)
    root.path("/usr/lib/vigia/agent.romfs").unlink()  # cannot be mounted there
    give_credentials(root, device)
    configure(root)
    # an OpenWrt release whose MicroPython knows no images: what the start script asks it says no
    root.put(STAND_INS / "micropython-1.23", "/usr/bin/micropython", mode=0o755)
    root.put(Path(micropython_bin), "/usr/bin/micropython.real", mode=0o755)
    root.run("/etc/init.d/vigia-agent", "start")
    until(lambda: len(centre.of("data")) >= 2, "data of the router", timeout_s=60)
    assert "heapsize=640k" in root.path("/run/procd/command").read_text()


def test_a_wrong_configuration_is_one_line_and_starts_nothing(
    root: Root, made: Path, device: Path, micropython_bin: str
) -> None:
    install(root, made, micropython_bin)
    give_credentials(root, device)
    configure(root, sitio="17")
    done = root.run("/etc/init.d/vigia-agent", "start", code=1)
    assert done.stderr.strip() == "vigia-agent: /etc/config/vigia: sitio is unknown; did you mean site?"
    assert not root.processes("vigia-agent.py")


def test_the_jail_is_asked_for_where_it_is_installed(
    root: Root, made: Path, device: Path, micropython_bin: str
) -> None:
    install(root, made, micropython_bin)
    give_credentials(root, device)
    root.put(Path("/bin/true"), "/sbin/ujail", mode=0o755)
    configure(root, jail="1")
    text = root.path("/etc/config/vigia")
    text.write_text(text.read_text().replace("option jail '0'", ""))
    root.run("/etc/init.d/vigia-agent", "start")
    asked = root.path("/run/procd/params").read_text()
    assert "jail vigia-agent log ubus procfs sysfs ronly" in asked
    assert "mount_rw /tmp/vigia /etc/vigia/spool" in asked
    assert "respawn 3600 5 0" in asked


def test_what_is_kept_and_what_the_package_says_of_itself(made: Path) -> None:
    with part(ipk(made), "control.tar.gz") as control:
        about, conffiles = (
            (control.extractfile(f"./{name}") or io.BytesIO()).read().decode()
            for name in ("control", "conffiles")
        )
    assert "Architecture: all" in about
    assert "Depends: micropython-mbedtls" in about
    assert conffiles.split() == ["/etc/config/vigia"]
    with part(ipk(made), "data.tar.gz") as data:
        keep = data.extractfile("./lib/upgrade/keep.d/vigia")
        acl = data.extractfile("./usr/share/acl.d/vigia.json")
        assert keep is not None
        assert keep.read().decode().split() == ["/etc/vigia/"]
        assert acl is not None
        assert "hostapd.*" in json.loads(acl.read())["access"]
        pages = [name for name in data.getnames() if name.endswith(".html")]
    assert len(pages) == 6


def tree(root: Path) -> dict[str, tuple[int, str]]:
    return {
        str(path.relative_to(root)): (
            path.stat().st_mode & 0o777,
            hashlib.sha256(path.read_bytes()).hexdigest(),
        )
        for path in root.rglob("*")
        if path.is_file()
    }


def test_the_sdk_installs_the_same_files_from_the_feed(made: Path, tmp_path: Path) -> None:
    """The SDK's makefiles are stood for by the few definitions that this package uses."""
    (tmp_path / "rules.mk").write_text(
        "INSTALL_DIR=install -d -m0755\nINSTALL_BIN=install -m0755\nINSTALL_CONF=install -m0600\n"
        "INSTALL_DATA=install -m0644\nCP=cp -fpR\n"
    )
    (tmp_path / "package.mk").write_text(
        "define BuildPackage\nall:\n\t$$(call Package/$(1)/install,$$(DESTDIR))\nendef\n"
    )
    target = tmp_path / "target"
    subprocess.run(
        ["make", "-s", f"TOPDIR={tmp_path}", f"INCLUDE_DIR={tmp_path}", f"DESTDIR={target}"],
        cwd=made / "feed" / "vigia-agent", check=True, timeout=60,
    )  # fmt: skip
    unpacked = tmp_path / "unpacked"
    with part(ipk(made), "data.tar.gz") as data:
        data.extractall(unpacked, filter="tar")
    assert tree(target) == tree(unpacked)
