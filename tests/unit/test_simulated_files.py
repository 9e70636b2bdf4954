"""Simulated containers' files: what Linux does with a real folder, and images that share theirs."""

from __future__ import annotations

import errno
import gc
import os
import shutil
import stat
import sys
import tempfile
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dynadock.simulation.files.devices import device_files
from dynadock.simulation.files.files import Files
from dynadock.simulation.files.nodes import Node

CHANGED, ADDED, DELETED = 0, 1, 2
SECOND = 1_000_000_000
EARLY, LATE = 1 * SECOND, 2 * SECOND
NAMES = ("a", "b", "c")


class Clock:
    def __init__(self):
        self.time = EARLY

    def __call__(self):
        return self.time


def made(**contents):
    """Return files with these contents; None is a folder, and a tuple has a link's target."""
    files = Files(now=Clock())
    for name, content in contents.items():
        put(files, "/" + name.replace("__", "/"), content)
    return files


def put(files, path, content):
    if content is None:
        files.make_folder(path, parents=True)
    elif isinstance(content, tuple):
        files.make_link(content[0], path)
    else:
        files.write(path, content)


def raises(code):
    return pytest.raises(OSError, match=rf"^\[Errno {code}\]")


# As on Linux


@st.composite
def paths(draw, most=3):
    """Draw paths that never go above their root, wherever links lead that only go down."""
    depth, parts = 0, []
    for part in draw(
        st.lists(st.sampled_from([*NAMES, *NAMES, ".", ".."]), min_size=1, max_size=most)
    ):
        if part == ".." and depth == 0:
            continue
        depth += {"..": -1, ".": 0}.get(part, 1)
        parts.append(part)
    return "/" + "/".join(parts) + draw(st.sampled_from(["", "", "", "", "/"]))


TARGETS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=3).map("/".join)
CONTENTS = st.sampled_from([b"", b"x", b"some text"])
MODES = st.sampled_from([0o700, 0o755, 0o4711, 0o1777])


class RealFiles:
    """The same operations on a folder of this system."""

    def __init__(self, root):
        self._root = str(root)

    def _at(self, path):
        return self._root + path

    def write(self, path, data, *, append, mode):
        flags = os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC)
        file = os.open(self._at(path), flags, mode)
        try:
            os.write(file, data)
        finally:
            os.close(file)

    def read(self, path):
        with open(self._at(path), "rb") as file:
            return file.read()

    def make_folder(self, path, mode):
        os.mkdir(self._at(path), mode)

    def make_folders(self, path):
        os.umask(0o022)
        try:
            os.makedirs(self._at(path), exist_ok=True)
        finally:
            os.umask(0)

    def names(self, path):
        return sorted(os.listdir(self._at(path)))

    def remove(self, path):
        if self._is_folder(path):
            os.rmdir(self._at(path))
        else:
            os.unlink(self._at(path))

    def remove_tree(self, path):
        if self._is_folder(path):
            shutil.rmtree(self._at(path))
        else:
            os.unlink(self._at(path))

    def _is_folder(self, path):
        usual = path.rstrip("/")
        return stat.S_ISDIR(os.lstat(self._at(usual)).st_mode) or (
            path.endswith("/") and os.path.islink(self._at(usual))
        )

    def make_link(self, target, path):
        os.symlink(target, self._at(path))

    def make_hard_link(self, existing, path):
        os.link(self._at(existing), self._at(path), follow_symlinks=False)

    def rename(self, old, new):
        os.rename(self._at(old), self._at(new))

    def set_mode(self, path, mode):
        os.chmod(self._at(path), mode)

    def touch(self, path, mtime):
        os.utime(self._at(path), ns=(mtime, mtime))

    def resolve(self, path):
        os.stat(self._at(path))  # which minds the end of a path
        found = os.path.realpath(self._at(path), strict=True)
        return found.removeprefix(os.path.realpath(self._root)) or "/"

    def stat(self, path, follow):
        found = os.stat(self._at(path), follow_symlinks=follow)
        size = found.st_size if stat.S_ISREG(found.st_mode) else 0
        return stat.S_IMODE(found.st_mode), size


class SimulatedFiles:
    """The simulated files, with the arguments that the real ones have here."""

    def __init__(self, files):
        self.files = files

    def __getattr__(self, name):
        return getattr(self.files, name)

    def make_folders(self, path):
        self.files.make_folder(path, parents=True)

    def touch(self, path, mtime):
        self.files.stat(path)
        self.files.touch(path, mtime)

    def stat(self, path, follow):
        found = self.files.stat(path, follow=follow)
        return found.mode, found.size if found.kind == "file" else 0


def outcome(call):
    try:
        return call()
    except OSError as error:
        return errno.errorcode[error.errno]


def real_tree(root):
    """Return what is in a folder by its paths, and the paths of what was changed lately."""
    tree, recent = {}, set()
    for found in [root, *sorted(root.rglob("*"))]:
        status = found.lstat()
        path = "/" + found.relative_to(root).as_posix().removeprefix(".")
        mode = stat.S_IMODE(status.st_mode)
        if found.is_symlink():
            tree[path] = ("link", os.readlink(found))
        elif found.is_dir():
            tree[path] = ("folder", mode, status.st_nlink)
        else:
            tree[path] = ("file", mode, status.st_nlink, found.read_bytes())
        if status.st_mtime_ns != EARLY:
            recent.add(path)
    for path in recent:
        os.utime(f"{root}{path}", ns=(EARLY, EARLY), follow_symlinks=False)
    return tree, recent


def simulated_tree(files):
    tree, recent = {}, set()
    for below, node in files.walk("/"):
        path, found = f"/{below}", node.stat()
        if found.kind == "link":
            tree[path] = ("link", found.target)
        elif found.kind == "folder":
            tree[path] = ("folder", found.mode, found.links)
        else:
            tree[path] = ("file", found.mode, found.links, node.read())
        if found.mtime != EARLY:
            recent.add(path)
    return tree, recent


@pytest.mark.skipif(sys.platform != "linux", reason="what Linux does is compared")
class LikeLinux(RuleBasedStateMachine):
    """The same operations on a real folder and on simulated files: same answers, same errors."""

    def __init__(self):
        super().__init__()
        self.umask = os.umask(0)
        self.root = Path(tempfile.mkdtemp(prefix="dynadock-files-"))
        self.root.chmod(0o755)
        os.utime(self.root, ns=(EARLY, EARLY))
        self.clock = Clock()
        self.real = RealFiles(self.root)
        self.simulated = SimulatedFiles(Files(now=self.clock))
        self.frozen = []

    @initialize()
    def begin(self):
        """Have something of each kind there, so that few operations miss."""
        self.clock.time = LATE
        for path in ("/a", "/a/b", "/b"):
            self.both("make_folder", path, 0o755)
        for path in ("/a/a", "/b/a"):
            self.both("write", path, b"some text", append=False, mode=0o644)
        self.both("make_hard_link", "/a/a", "/a/b/a")
        self.both("make_link", "a/b", "/c")

    def both(self, operation, *args, alike=(), **more):
        real = outcome(lambda: getattr(self.real, operation)(*args, **more))
        simulated = outcome(lambda: getattr(self.simulated, operation)(*args, **more))
        assert simulated == real or {simulated, real} <= {*alike}, (operation, args, more)

    def is_root(self, path):
        """Return whether a path is the root's, which is any folder among others in the real one."""
        return outcome(lambda: self.simulated.resolve(path)) == "/"

    @rule(path=paths(), data=CONTENTS, append=st.booleans(), mode=MODES)
    def write(self, path, data, append, mode):
        self.both("write", path, data, append=append, mode=mode)

    @rule(path=paths())
    def read(self, path):
        self.both("read", path)

    @rule(path=paths(), mode=MODES)
    def make_folder(self, path, mode):
        self.both("make_folder", path, mode)

    @rule(path=st.lists(st.sampled_from(NAMES), min_size=1, max_size=4).map("/".join))
    def make_folders(self, path):
        # Which of these comes of links that lead nowhere is a matter of the steps that one takes.
        self.both("make_folders", f"/{path}", alike=("EEXIST", "ENOENT", "ELOOP", "ENOTDIR"))

    @rule(path=paths())
    def names(self, path):
        self.both("names", path)

    @rule(path=paths())
    def remove(self, path):
        if not self.is_root(path):
            self.both("remove", path)

    @rule(path=st.lists(st.sampled_from(NAMES), min_size=1, max_size=2).map("/".join))
    def remove_tree(self, path):
        self.both("remove_tree", f"/{path}")

    @rule(leads_to=TARGETS, path=paths())
    def make_link(self, leads_to, path):
        self.both("make_link", leads_to, path)

    @rule(existing=paths(2), path=paths(2))
    def make_hard_link(self, existing, path):
        self.both("make_hard_link", existing, path)

    @rule(old=paths(), new=paths())
    def rename(self, old, new):
        if not self.is_root(old) and not self.is_root(new):
            self.both("rename", old, new)

    @rule(path=paths(), mode=MODES)
    def set_mode(self, path, mode):
        self.both("set_mode", path, mode)

    @rule(path=paths(), mtime=st.sampled_from([EARLY, LATE]))
    def touch(self, path, mtime):
        self.both("touch", path, mtime)

    @rule(path=paths())
    def resolve(self, path):
        self.both("resolve", path)

    @rule(path=paths(), follow=st.booleans())
    def stat(self, path, follow):
        self.both("stat", path, follow)

    @rule()
    def go_on_from_a_layer(self):
        layer = self.simulated.freeze()
        self.frozen.append((layer, simulated_tree(Files(layer, now=self.clock))[0]))
        self.simulated = SimulatedFiles(Files(layer, now=self.clock))

    @rule()
    def go_on_from_a_snapshot(self):
        self.frozen.append((self.simulated.freeze(), simulated_tree(self.simulated)[0]))
        self.simulated = SimulatedFiles(self.simulated.snapshot())

    @invariant()
    def both_are_the_same(self):
        files = self.simulated.files
        tree, recent = simulated_tree(files)
        assert (tree, recent) == real_tree(self.root)
        self.clock.time = EARLY
        for path in recent:
            files.touch(path, EARLY, follow=False)
        self.clock.time = LATE
        found = {node: node.size for _, node in files.walk("/") if node.kind in ("file", "link")}
        assert files.size() == sum(found.values())
        assert files.tree.entries == len(tree) - 1

    def teardown(self):
        os.umask(self.umask)
        shutil.rmtree(self.root)
        for layer, tree in self.frozen:
            assert simulated_tree(Files(layer, now=self.clock))[0] == tree


TestLikeLinux = LikeLinux.TestCase
TestLikeLinux.settings = settings(stateful_step_count=30)


@pytest.mark.parametrize(
    ("path", "leads_to"),
    [
        ("/", "/"),
        ("/..", "/"),
        ("/../../a", "/a"),
        ("/a/../..", "/"),
        ("/up/f", "/a/f"),
        ("/absolute/f", "/a/f"),
        ("/a/far/f", "/a/f"),
        ("/chain", "/a/f"),
        ("/self/self/self/a/f", "/a/f"),
        ("//a///f", "/a/f"),
        ("/./a/./f", "/a/f"),
    ],
)
def test_no_path_leads_above_the_root(path, leads_to):
    files = made(a=None, a__f=b"x", up=("../../a",), absolute=("/a",), chain=("up/f",), self=(".",))
    files.make_link("../../../../../a", "/a/far")
    assert files.resolve(path) == leads_to


def test_links_are_followed_forty_times():
    files = made(l0=("/",))
    for number in range(1, 41):
        files.make_link(f"l{number - 1}", f"/l{number}")
    assert files.resolve("/l39") == "/"
    with raises(errno.ELOOP):
        files.resolve("/l40")
    with raises(errno.ELOOP):
        files.resolve("/l40/x")


LONG = "n" * 255


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda files: files.write(f"/{LONG}n", b""), errno.ENAMETOOLONG),
        (lambda files: files.write("/" + "é" * 128, b""), errno.ENAMETOOLONG),
        (lambda files: files.stat(f"/{LONG}n"), errno.ENAMETOOLONG),
        (lambda files: files.stat("/a/" * 1366), errno.ENAMETOOLONG),
        (lambda files: files.make_link("t" * 4096, "/l"), errno.ENAMETOOLONG),
        (lambda files: files.make_folder(f"/{LONG}/" * 16 + "x", parents=True), errno.ENAMETOOLONG),
        (lambda files: files.write("/a\0", b""), errno.EINVAL),
        (lambda files: files.write("/\ud800", b""), errno.EILSEQ),
        (lambda files: files.stat(""), errno.ENOENT),
        (lambda files: files.make_link("", "/l"), errno.ENOENT),
        (lambda files: files.remove("/"), errno.EBUSY),
        (lambda files: files.remove_tree("/"), errno.EBUSY),
        (lambda files: files.rename("/a", "/"), errno.EBUSY),
        (lambda files: files.make_hard_link("/a", "/b"), errno.EPERM),
        (lambda files: files.read("/a"), errno.EISDIR),
        (lambda files: files.unmount("/a"), errno.EINVAL),
    ],
)
def test_what_linux_refuses(change, code):
    with raises(code):
        change(made(a=None))


def test_links_do_not_make_paths_longer_than_any_may_be():
    files = made(deep=None)
    path = "/deep"
    while len(path) < 3500:
        path = f"{path}/{LONG}"
        files.make_folder(path)
    files.make_link(path, "/l")
    files.write(f"/l/{'x' * 100}", b"")
    files.make_folder(f"/l/{LONG}")
    with raises(errno.ENAMETOOLONG):
        files.make_folder(f"/l/{LONG}/{LONG}/{LONG}", parents=True)
    files.make_folder(f"/top/{LONG}/{LONG}/{LONG}", parents=True)
    with raises(errno.ENAMETOOLONG):
        files.rename("/top", "/l/top")
    assert files.exists(f"/top/{LONG}")


def test_renaming_within_itself_is_refused_and_what_is_replaced_is_gone():
    files = made(a=None, a__b=None, a__f=b"123", old=b"12345")
    for new in ("/a/c", "/a/b/c", "/a/b"):
        with raises(errno.EINVAL):
            files.rename("/a", new)
    with raises(errno.ENOTEMPTY):
        files.rename("/a/b", "/a")
    files.rename("/a/f", "/old")
    assert (files.size(), files.tree.entries, files.read("/old")) == (3, 3, b"123")


def test_renaming_a_file_to_its_other_name_changes_nothing():
    files = made(f=b"x")
    files.make_hard_link("/f", "/g")
    files.rename("/f", "/g")
    assert (files.names("/"), files.stat("/f").links) == (["f", "g"], 2)


def test_owners_are_kept_and_take_setuid_away():
    files = made(f=b"x", l=("f",), d=None)
    files.set_mode("/f", 0o6711)
    files.set_owner("/l", 5, 6)
    assert files.stat("/f")[:6] == ("file", 0o711, 1, EARLY, 5, 6)
    files.set_owner("/l", 7, -1, follow=False)
    assert files.stat("/l", follow=False)[4:6] == (7, 0)
    files.set_owner("/f", -1, 9)
    assert files.stat("/f")[4:6] == (5, 9)


def test_touch_makes_what_is_missing():
    files = made(d=None)
    files.touch("/d/f", LATE)
    assert files.stat("/d/f").mtime == LATE
    assert files.read("/d/f") == b""
    with raises(errno.ENOENT):
        files.touch("/none/f")


def test_a_file_that_grows_takes_time_by_what_is_added():
    files = made(log=b"")
    layer = None
    for number in range(20_000):
        files.write("/log", b"line\n", append=True)
        if number == 10_000:
            layer = files.freeze()
    assert files.read("/log") == b"line\n" * 20_000
    assert files.read_at("/log", 7, 4) == b"ne\nl"
    assert files.read_at("/log", 100_000, 4) == b""
    assert Files(layer, now=Clock()).read("/log") == b"line\n" * 10_001


# Devices


def test_devices_do_what_they_do_on_linux():
    files = Files(now=Clock())
    files.mount("/dev", device_files(Clock()), for_programs=True)
    files.write("/dev/null", b"gone")
    assert files.read("/dev/null") == b""
    assert files.read_at("/dev/null", 0, 10) == b""
    assert files.read_at("/dev/zero", 5, 3) == bytes(3)
    assert len(files.read_at("/dev/urandom", 0, 8)) == 8
    assert files.stat("/dev/null")[:3] == ("device", 0o666, 0)
    assert files.stat("/dev/stdout", follow=False).target == "/proc/self/fd/1"
    with raises(errno.ENOSPC):
        files.write("/dev/full", b"x")
    with raises(errno.EFBIG):
        files.read("/dev/zero")
    assert files.changes() == [(ADDED, "/dev")]
    assert files.for_engines().names("/dev") == []


def test_fifos_and_block_devices_are_there_and_nothing_more():
    files = made(d=None)
    files.make_fifo("/d/p", 0o600)
    files.make_device("/d/b", (7, 0), 0o660, is_block=True)
    assert files.stat("/d/p")[:2] == ("fifo", 0o600)
    assert files.stat("/d/b").device == (7, 0)
    for path in ("/d/p", "/d/b"):
        with raises(errno.ENXIO):
            files.read(path)
        with raises(errno.ENXIO):
            files.write(path, b"x")


# Limits


def test_more_than_the_limit_is_refused_and_changes_nothing():
    files = Files(now=Clock(), limit=100)
    files.write("/a", bytes(60))
    files.write("/a", bytes(40), append=True)
    for change in (
        lambda: files.write("/a", b"x", append=True),
        lambda: files.write("/a", bytes(101)),
        lambda: files.write("/b", b"x"),
        lambda: files.make_link("t", "/l"),
    ):
        with raises(errno.ENOSPC):
            change()
    assert (files.size(), files.names("/")) == (100, ["a"])
    files.write("/a", b"")
    files.write("/b", bytes(100))
    files.remove("/b")
    assert files.size() == 0


def test_more_entries_than_the_limit_are_refused():
    files = Files(now=Clock(), most_entries=3)
    files.make_folder("/a/b/c", parents=True)
    for change in (
        lambda: files.write("/x", b""),
        lambda: files.make_folder("/x"),
        lambda: files.make_link("t", "/x"),
        lambda: files.touch("/x"),
        lambda: files.make_fifo("/x"),
    ):
        with raises(errno.ENOSPC):
            change()
    files.remove_tree("/a")
    files.make_folder("/a/b/c", parents=True)


def test_a_limit_counts_what_is_in_the_image():
    layer = made(f=bytes(90)).freeze()
    files = Files(layer, now=Clock(), limit=100)
    with raises(errno.ENOSPC):
        files.write("/g", bytes(11))
    files.remove("/f")
    files.write("/g", bytes(100))


# Layers


def test_an_image_made_by_several_steps_is_a_stack():
    clock = Clock()
    first = made(a=b"12345", b=b"1").freeze()
    files = Files(first, now=clock)
    files.write("/a", b"123")
    files.make_folder("/d")
    second = files.freeze()
    files.write("/a", b"later")
    assert (second.base, first.base) == (first, None)
    assert (first.size, first.size_of_changes, first.entries) == (6, 6, 2)
    assert (second.size, second.size_of_changes, second.entries) == (4, 3, 3)
    assert Files(second, now=clock).read("/a") == b"123"
    assert Files(first, now=clock).read("/a") == b"12345"
    assert Files(second, now=clock).changes() == []


def test_containers_of_one_image_do_not_see_one_another():
    layer = made(d=None, d__f=b"image").freeze()
    one, other = Files(layer, now=Clock()), Files(layer, now=Clock())
    one.write("/d/new", b"")
    one.write("/d/f", b"one")
    one.set_mode("/d", 0o700)
    assert (other.read("/d/f"), other.stat("/d").mode) == (b"image", 0o755)
    other.remove_tree("/d")
    assert one.read("/d/f") == b"one"


def test_hard_links_of_an_image_stay_one_file_in_a_container():
    image = made(f=b"x")
    image.make_hard_link("/f", "/g")
    layer = image.freeze()
    image.write("/f", b"later")
    files, other = Files(layer, now=Clock()), Files(layer, now=Clock())
    Files(layer, now=Clock()).remove("/f")
    assert (other.read("/g"), other.stat("/g").links) == (b"x", 2)
    files.write("/f", b"changed")
    assert (files.read("/g"), other.read("/g")) == (b"changed", b"x")
    files.remove("/f")
    assert (files.stat("/g").links, other.stat("/g").links) == (1, 2)
    other.remove_tree("/f")
    other.remove_tree("/g")
    assert (other.size(), Files(layer, now=Clock()).size()) == (0, 1)


def test_containers_begin_at_once_and_leave_nothing():
    image = made()
    for number in range(1000):
        image.write(f"/f{number}", bytes(100))
    layer = image.freeze()

    def container():
        files = Files(layer, now=Clock())
        files.make_folder("/tmp")
        files.write("/tmp/x", b"x")

    def nodes():
        return sum(isinstance(each, Node) for each in gc.get_objects())

    def started(count):
        gc.collect()
        tracemalloc.start()
        for _ in range(count):
            Files(layer, now=Clock())
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    # Not a tenth of what the names alone of one copy would take.
    assert started(10_000) < 5_000
    gc.collect()
    gc.disable()
    try:
        before = nodes()
        for _ in range(100):
            container()
        # Without a collector: nothing refers to itself.
        assert nodes() == before
    finally:
        gc.enable()


# Changes


def image_files():
    return made(
        bin=None, bin__sh=b"#!", etc=None, etc__passwd=b"root", etc__group=b"wheel", tmp=None
    )


DIFFERENCES = {
    "nothing": (lambda files: None, []),
    "a new file": (lambda f: f.write("/tmp/x", b""), [(CHANGED, "/tmp"), (ADDED, "/tmp/x")]),
    "new folders": (
        lambda f: (f.make_folder("/n/a", parents=True), f.write("/n/a/f", b"")),
        [(ADDED, "/n"), (ADDED, "/n/a"), (ADDED, "/n/a/f")],
    ),
    "removed": (lambda f: f.remove("/bin/sh"), [(CHANGED, "/bin"), (DELETED, "/bin/sh")]),
    "a removed folder": (lambda f: f.remove_tree("/etc"), [(DELETED, "/etc")]),
    "a mode set again": (lambda f: f.set_mode("/bin", 0o755), []),
    "a folder's mode": (lambda f: f.set_mode("/bin", 0o700), [(CHANGED, "/bin")]),
    "a folder's owner": (lambda f: f.set_owner("/bin", 1, 1), [(CHANGED, "/bin")]),
    "a folder's time": (lambda f: f.touch("/bin", LATE), []),
    "a file's time": (
        lambda f: f.touch("/etc/passwd", LATE),
        [(CHANGED, "/etc"), (CHANGED, "/etc/passwd")],
    ),
    "a file's mode": (
        lambda f: f.set_mode("/etc/passwd", 0o600),
        [(CHANGED, "/etc"), (CHANGED, "/etc/passwd")],
    ),
    "a file's contents": (
        lambda f: f.write("/etc/passwd", b"oops"),
        [(CHANGED, "/etc"), (CHANGED, "/etc/passwd")],
    ),
    "the same contents": (
        lambda f: (f.remove("/etc/passwd"), f.write("/etc/passwd", b"root")),
        [],
    ),
    "gone again": (lambda f: (f.write("/tmp/x", b""), f.remove("/tmp/x")), []),
    "made again": (lambda f: (f.remove("/tmp"), f.make_folder("/tmp")), []),
    "moved": (
        lambda f: f.rename("/bin", "/bin2"),
        [(DELETED, "/bin"), (ADDED, "/bin2"), (ADDED, "/bin2/sh")],
    ),
    "a folder for a file": (
        lambda f: (f.remove("/etc/group"), f.make_folder("/etc/group"), f.touch("/etc/group/x")),
        [(CHANGED, "/etc"), (CHANGED, "/etc/group"), (ADDED, "/etc/group/x")],
    ),
    "a file for a folder": (
        lambda f: (f.remove_tree("/etc"), f.write("/etc", b"")),
        [(CHANGED, "/etc")],
    ),
    "a hard link": (
        lambda f: f.make_hard_link("/bin/sh", "/tmp/sh"),
        [(CHANGED, "/tmp"), (ADDED, "/tmp/sh")],
    ),
    "mounts": (
        lambda f: (f.mount("/etc/v", made(x=b"")), f.mount("/a/b", made(x=b""))),
        [(ADDED, "/a"), (ADDED, "/a/b"), (CHANGED, "/etc"), (ADDED, "/etc/v")],
    ),
}


@pytest.mark.parametrize("name", DIFFERENCES)
def test_changes_are_those_of_docker_diff(name):
    change, expected = DIFFERENCES[name]
    files = Files(image_files().freeze(), now=Clock())
    change(files)
    assert files.changes() == expected
    assert Files(files.freeze(), now=Clock()).changes() == []


def test_what_was_not_touched_is_not_looked_at():
    image = made(many=None, few=None)
    for number in range(20_000):
        image.write(f"/many/{number}", b"x")
    files = Files(image.freeze(), now=Clock())
    files.write("/few/x", b"")
    times = []
    for _ in range(5):
        start = time.perf_counter()
        assert len(files.changes()) == 2
        times.append(time.perf_counter() - start)
    assert min(times) < 0.001


def test_all_is_new_without_an_image():
    assert made(a=None, a__b=b"x").changes() == [(ADDED, "/a"), (ADDED, "/a/b")]


def test_the_size_of_changes_counts_what_is_not_shared():
    files = Files(made(a=bytes(100), b=bytes(10)).freeze(), now=Clock())
    assert files.size_of_changes() == 0
    files.write("/b", bytes(30))
    files.write("/c", bytes(4))
    files.make_hard_link("/c", "/d")
    files.remove("/a")
    assert (files.size_of_changes(), files.size()) == (34, 34)


# Mounts


def test_a_volume_is_shared_by_all_that_mount_it():
    volume, one, other = made(), made(), made(data=None)
    one.mount("/srv/data", volume)
    other.mount("/data", volume, read_only=True)
    one.write("/srv/data/f", b"shared")
    assert other.read("/data/f") == volume.read("/f") == b"shared"
    assert (one.size(), volume.size()) == (0, 6)
    for change in (
        lambda: other.write("/data/f", b""),
        lambda: other.remove("/data/f"),
        lambda: other.rename("/data/f", "/data/g"),
        lambda: other.make_folder("/data/d"),
        lambda: other.set_mode("/data", 0o700),
        lambda: other.remove_tree("/data/f"),
    ):
        with raises(errno.EROFS):
            change()
    other.write("/f", b"")


def test_what_is_mounted_on_stays_beneath():
    files, volume = made(data=None, data__old=b"old"), made(new=b"new")
    files.mount("/data", volume)
    assert files.names("/data") == ["new"]
    for change in (
        lambda: files.remove("/data"),
        lambda: files.remove_tree("/data"),
        lambda: files.rename("/data", "/x"),
        lambda: files.mount("/", volume),
    ):
        with raises(errno.EBUSY):
            change()
    with raises(errno.EXDEV):
        files.rename("/data/new", "/new")
    with raises(errno.EXDEV):
        files.make_hard_link("/data/new", "/new")
    assert files.without_mounts().names("/data") == ["old"]
    files.unmount("/data")
    assert files.names("/data") == ["old"]
    files.remove_tree("/data")


def test_mounts_in_mounts_and_parts_of_volumes():
    files, volume, inner = made(), made(a=None, a__b=None, a__b__f=b"deep"), made(i=b"inner")
    files.mount("/m", volume)
    files.mount("/m/a/in", inner)
    files.mount("/part", volume, subpath="/a/b")
    files.mount("/one", volume, subpath="a/b/f")
    assert files.read("/m/a/in/i") == b"inner"
    assert files.resolve("/m/a/in/../b/../../..") == "/"
    assert files.read("/part/f") == files.read("/one") == b"deep"
    files.write("/part/g", b"g")
    files.write("/one", b"written")
    assert (files.read("/m/a/b/g"), volume.read("/a/b/f")) == (b"g", b"written")
    with raises(errno.EBUSY):
        files.remove_tree("/m/a")
    files.unmount("/m/a/in")
    assert files.names("/m/a/in") == []
    with raises(errno.ENOENT):
        files.mount("/x", volume, subpath="/none")
    with raises(errno.ENOTDIR):
        files.mount("/part2", made(f=b""), subpath="/f/x")
    volume.remove_tree("/a/b")
    assert not files.exists("/part/f")


def test_links_on_a_volume_lead_from_the_container_s_root():
    files, volume = made(etc=None, etc__x=b"the container's"), made(l=("/etc/x",), up=("../etc/x",))
    files.mount("/data", volume)
    assert files.read("/data/l") == files.read("/data/up") == b"the container's"
    assert files.is_mounted("/data")
    assert not files.is_mounted("/data/l")


def test_a_read_only_container_writes_to_its_volumes():
    files, volume = made(f=b"x", data=None), made()
    files.mount("/data", volume)
    files.read_only = True
    files.write("/data/f", b"x")
    for change in (lambda: files.write("/f", b""), lambda: files.touch("/new")):
        with raises(errno.EROFS):
            change()
    assert (files.is_read_only("/f"), files.is_read_only("/data")) == (True, False)


# Snapshots


def test_a_snapshot_is_independent_in_both_directions():
    files = made(d=None, d__f=b"then")
    files.make_hard_link("/d/f", "/d/g")
    then = files.snapshot()
    files.write("/d/f", b"now", append=True)
    then.write("/d/new", b"")
    assert (then.read("/d/g"), files.read("/d/g")) == (b"then", b"thennow")
    assert files.names("/d") == ["f", "g"]


def test_snapshots_share_volumes_as_the_originals_do():
    volume, one, other = made(f=b"then"), made(), made()
    one.mount("/data", volume)
    other.mount("/data", volume, read_only=True)
    copies = {}
    taken = [files.snapshot(copies) for files in (volume, one, other)]
    one.write("/data/f", b"now")
    assert [
        each.read(path) for each, path in zip(taken, ("/f", "/data/f", "/data/f"), strict=True)
    ] == ([b"then"] * 3)
    taken[1].write("/data/f", b"again")
    assert taken[0].read("/f") == taken[2].read("/data/f") == b"again"
    assert volume.read("/f") == b"now"
    with raises(errno.EROFS):
        taken[2].write("/data/f", b"")
