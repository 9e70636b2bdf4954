"""Scripts, and what a real busybox prints for them: `tests/cases/shell.yaml`.

``python -m shell_cases BUSYBOX`` (as root) runs every script of that file in a fresh root folder
with that binary, a static one, and writes what it printed and its exit code next to the script.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import yaml

FILE = Path(__file__).parent / "cases" / "shell.yaml"
SECONDS = 10
HEAD = """\
# Scripts for `sh -c`, with what busybox 1.35 printed (out, err) and its exit code, 0 where none is
# given. All but the scripts, stdin and args is written by tests/shell_cases.py.
"""


def cases():
    """Return all cases."""
    return yaml.safe_load(FILE.read_text(encoding="utf-8"))


def main(busybox):
    """Run all scripts and write what came of them."""
    write([recorded(case, busybox) for case in cases()])


def write(found):
    """Write cases to the file."""
    text = yaml.dump(found, sort_keys=False, allow_unicode=True, width=100, Dumper=_Dumper)
    FILE.write_text(HEAD + text, encoding="utf-8")


def recorded(case, busybox):
    """Return a case with what this busybox does."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for name in ("bin", "dev", "etc", "proc", "root", "tmp", "usr/bin"):
            (root / name).mkdir(parents=True)
        (root / "tmp").chmod(0o1777)
        (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
        (root / "etc/group").write_text("root:x:0:\n")
        shutil.copy(busybox, root / "bin/busybox")
        subprocess.run(
            ["/usr/sbin/chroot", folder, "/bin/busybox", "--install", "-s", "/bin"], check=True
        )
        for name, minor in (("null", "3"), ("zero", "5"), ("full", "7")):
            subprocess.run(
                ["mknod", "-m", "666", str(root / "dev" / name), "c", "1", minor], check=True
            )
        for name, target in (
            ("fd", "fd"),
            ("stdin", "fd/0"),
            ("stdout", "fd/1"),
            ("stderr", "fd/2"),
        ):
            (root / "dev" / name).symlink_to(f"/proc/self/{target}")
        subprocess.run(["mount", "--bind", "/proc", str(root / "proc")], check=True)
        try:
            ran = subprocess.run(
                ["/usr/sbin/chroot", folder, "/bin/busybox", "sh", "-c", case["script"],
                 *case.get("args", [])],
                input=case.get("stdin", "").encode(), capture_output=True, timeout=SECONDS,
                env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                     "HOME": "/root"},
                check=False, extra_groups=[0],
            )  # fmt: skip
        finally:
            subprocess.run(["umount", str(root / "proc")], check=True)
    status = 128 - ran.returncode if ran.returncode < 0 else ran.returncode
    kept = {key: case[key] for key in ("script", "args", "stdin") if key in case}
    results = {"out": ran.stdout.decode(), "err": ran.stderr.decode(), "code": status}
    return kept | {key: value for key, value in results.items() if value}


class _Dumper(yaml.SafeDumper):
    pass


def _text(dumper, text):
    is_plain = "\n" in text and all(
        line == line.rstrip() and line.isprintable() for line in text.split("\n")
    )
    style = "|" if is_plain else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


if __name__ == "__main__":
    main(sys.argv[1])
