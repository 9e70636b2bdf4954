"""The shell and the commands of simulated containers, compared with what a real busybox printed."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import shell_cases
from dynadock.simulation.programs.shell import scripts
from dynadock.simulation.programs.shell.commands import APPLETS, command_of, is_applet
from simulated import START, Container, shell

CASES = shell_cases.cases()
GREETING = scripts.GREETING.encode()
MEGABYTE = 1_000_000


def test_there_are_many_cases():
    assert len(CASES) >= 250
    assert len({case["script"] for case in CASES}) >= len(CASES) - 5


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["script"][:60])
def test_it_does_what_busybox_did(case):
    ran = shell(case["script"], *case.get("args", []), stdin=case.get("stdin", "").encode(), pid=7)
    assert ran.out.decode() == case.get("out", "")
    assert ran.err.decode() == case.get("err", "")
    assert ran.code == case.get("code", 0)


# Programs without a shell


@pytest.mark.parametrize(
    ("argv", "out", "err", "code"),
    [
        (["echo", "a", "b"], b"a b\n", b"", 0),
        (["/bin/echo", "a"], b"a\n", b"", 0),
        (["busybox", "echo", "a"], b"a\n", b"", 0),
        (["false"], b"", b"", 1),
        (["cat", "nope"], b"", b"cat: can't open 'nope': No such file or directory\n", 1),
        (["nope"], b"", b"sh: nope: not found\n", 127),
        (["/etc"], b"", b"sh: /etc: Permission denied\n", 126),
        (["/bin/sh", "-c", "nope"], b"", b"/bin/sh: nope: not found\n", 127),
        (["env", "A=1", "sh", "-c", "echo $A"], b"1\n", b"", 0),
        (["sleep", "x"], b"", b"sleep: invalid number 'x'\n", 1),
    ],
)
def test_a_container_runs_one_command(argv, out, err, code):
    ran = Container(*argv).feed(b"", end=True).go().ran
    assert (ran.out, ran.err, ran.code) == (out, err, code)


def test_a_script_file_is_a_program():
    box = Container("/entry.sh", "x")
    box.files.write("/entry.sh", b"#!/bin/sh\necho $0 got $1\nexec echo replaced\n", mode=0o755)
    assert box.go().ran.out == b"/entry.sh got x\nreplaced\n"


def test_the_working_folder_and_the_environment_are_the_processs_own():
    box = Container("sh", "-c", "pwd; echo $GREETING", env={"GREETING": "hi"}, cwd="/etc")
    assert box.go().ran.out == b"/etc\nhi\n"


@pytest.mark.parametrize(
    ("user", "shown"),
    [
        ("", b"uid=0(root) gid=0(root) groups=0(root)\n"),
        ("1000", b"uid=1000 gid=0(root) groups=0(root)\n"),
        ("1000:50", b"uid=1000 gid=50 groups=50\n"),
        ("app", b"uid=101(app) gid=102(team) groups=102(team)\n"),
        ("101:0", b"uid=101(app) gid=0(root) groups=0(root)\n"),
    ],
)
def test_the_user_is_looked_up_in_the_containers_files(user, shown):
    box = Container("id", user=user)
    box.files.write("/etc/passwd", b"app:x:101:102::/:/bin/sh\n", append=True)
    box.files.write("/etc/group", b"team:x:102:\n", append=True)
    assert box.go().ran.out == shown


def test_every_applet_has_a_function():
    for name in APPLETS:
        assert is_applet(name)
        if name not in {"sh", "ash"}:
            assert callable(command_of(name))
    assert not is_applet("nope")


# Time


def test_time_is_the_clocks():
    ran = shell("date +%s; sleep 2.5; date +%s; sleep 1m; date +%s")
    begin = START // 10**9
    assert ran.out.split() == [b"%d" % (begin + after) for after in (0, 2, 62)]
    assert ran.seconds == 62.5


def test_what_sleeps_at_the_same_time_sleeps_once():
    ran = shell("sleep 2 & sleep 3 & wait; sleep 1 | sleep 2")
    assert ran.seconds == 5


def test_a_command_is_given_so_much_time():
    ran = shell("timeout 2 sleep 10; echo $?")
    assert ran.out == b"143\n"
    assert ran.seconds == 2


def test_output_comes_when_it_is_written():
    box = Container("sh", "-c", "while :; do echo tick; sleep 1; done")
    box.go(seconds=2.5)
    assert b"".join(box.out) == b"tick\n" * 3
    box.steps.close()


def test_tail_follows_a_file():
    box = Container("tail", "-f", "/tmp/log")
    box.files.write("/tmp/log", b"one\n")
    box.go(seconds=1)
    box.files.write("/tmp/log", b"two\n", append=True)
    box.go(seconds=2)
    assert b"".join(box.out) == b"one\ntwo\n"
    box.steps.close()


# Signals


def test_a_trap_runs_when_the_foreground_command_has_ended():
    box = Container("sh", "-c", "trap 'echo bye; exit 5' TERM; sleep 10; echo no")
    box.go(seconds=1).signal("TERM").go(seconds=1)
    assert box.code is None
    box.go()
    assert (box.ran.out, box.code, box.ran.seconds) == (b"bye\n", 5, 10)


def test_a_trap_interrupts_wait():
    box = Container("sh", "-c", "trap 'echo bye; exit 5' TERM; sleep 10 & wait; echo no")
    box.go(seconds=1).signal("TERM").go()
    assert (box.ran.out, box.code, box.ran.seconds) == (b"bye\n", 5, 1)


def test_a_loop_with_a_trap_ends_soon():
    box = Container("sh", "-c", "trap 'exit 0' TERM; while true; do sleep 1; done")
    box.go(seconds=3.5).signal("TERM").go()
    assert (box.code, box.ran.seconds) == (0, 4)


def test_signals_without_a_trap_are_left_to_the_kernel():
    box = Container("sh", "-c", "trap 'echo usr' USR1; trap '' HUP; trap - USR1; sleep 5").go(1)
    assert not box.process.handles("USR1")
    assert not box.process.handles("TERM")
    assert box.process.handles("HUP")
    assert box.signal("HUP").go().code == 0


def test_the_first_process_is_not_ended_by_its_own_signals():
    assert shell("kill -TERM $$; kill -9 $$; echo alive").out == b"alive\n"
    assert shell("kill -TERM $$; echo dead", pid=9).code == 143


def test_killing_another_process_is_asked_of_the_engine():
    box = Container("sh", "-c", "kill -USR1 44; kill 45; echo $?", pid=9)
    sent = []
    box.process.kill = lambda pid, signal: sent.append((pid, signal)) is None and pid == 44
    assert box.go().ran.err == b"sh: can't kill pid 45: No such process\n"
    assert sent == [(44, "USR1"), (45, "TERM")]


def test_a_killed_program_is_only_closed():
    box = Container("sh", "-c", "trap 'echo no' EXIT; (sleep 5; echo no) | cat & sleep 100")
    box.go(seconds=1)
    box.steps.close()
    assert box.out == []


# Input, output and the terminal


def test_a_shell_reads_commands_as_they_come():
    box = Container("sh")
    box.go().feed(b"echo one; read x\n").go().feed(b"line\n").go()
    box.feed(b"if true\nthen echo $x").go()
    assert b"".join(box.out) == b"one\n"
    box.feed(b" two\nfi\nexit 3\necho no\n").go()
    assert (box.ran.out, box.code) == (b"one\nline two\n", 3)


def test_a_terminal_gets_prompts():
    box = Container("sh", is_tty=True)
    box.go().feed(b"cd /tmp\n").go().feed(b"for i in 1 2\n").go().feed(b"do echo $i; done\n").go()
    box.feed(b"nope\n").go().feed(b"fi\n").go().feed(b"", end=True).go()
    assert b"".join(box.err) == GREETING + (
        b"/ # /tmp # > /tmp # sh: nope: not found\n/tmp # "
        b'sh: syntax error: unexpected "fi"\n/tmp # '
    )
    assert b"".join(box.out) == b"1\n2\n"
    assert box.code == 2


def test_help_names_the_shells_own_commands():
    assert {b"cd", b"trap", b"echo", b"[["} <= {*shell("help").out.split()}


def test_an_interrupt_ends_the_command_but_not_the_shell():
    box = Container("sh", is_tty=True)
    box.go().feed(b"sleep 100; echo no\n").go(seconds=1).signal("INT").go()
    box.feed(b"echo $?\n").go().signal("INT").go().feed(b"exit 4\n").go()
    assert (box.ran.out, box.code, box.ran.seconds) == (b"130\n", 4, 1)
    assert b"".join(box.err) == GREETING + b"/ # \n/ # / # \n/ # "


def test_a_program_waits_while_its_output_is_full():
    box = Container("yes")
    full = [False]
    box.process.is_blocked = lambda: full[0]
    for _ in range(20):
        box.wake()
    full[0] = True
    size = sum(map(len, box.out))
    for _ in range(20):
        box.wake()
    assert sum(map(len, box.out)) == size
    assert box.due is None
    full[0] = False
    box.wake()
    assert sum(map(len, box.out)) > size
    box.steps.close()


def test_a_pipe_holds_little():
    box = Container("sh", "-c", "yes | sleep 100")
    box.go(seconds=50)
    assert box.ran.turns < 100
    assert box.go().code == 0


# Bounds


@pytest.mark.parametrize(
    "script",
    [
        "f() { f; }; f",
        "f() { $(f); }; f",
        "f() { (f); }; f",
        "f() { eval f; }; f",
        "f() { f | f; }; f",
        "f() { f & f & wait; }; f",
        "x=a; while :; do x=$x$x; done",
        "x=$(yes)",
        "x=$(cat /dev/zero)",
        "set -- a; while :; do set -- $@ $@; done",
        "cat /dev/zero | tr '\\0' a | while read x; do :; done",
        "i=0; while :; do i=$((i+1)); eval v$i=1; done",
        "while :; do sleep 100 & done",
        "trap 'kill -USR1 $$' USR1; kill -USR1 $$; while :; do :; done",
        "echo 'exec sh /tmp/s' > /tmp/s; sh /tmp/s",
        "echo 'sh /tmp/s' > /tmp/s; sh /tmp/s",
        "printf '%999999999d' 1 | wc -c; printf '%*d' 99999999999999 1 | wc -c",
        "head -c 99999999999999999999 /dev/null",
        "echo $((99999999999999999999999999 ** 99))",
        "sed ':a;s/x/xx/g;ta' /etc/passwd; echo x | sed ':a;s/x/xx/g;ta'",
        "awk 'BEGIN { while (1) x = x \"aaaaaaaaaaaaaaaa\" }'",
    ],
)
def test_nothing_grows_for_ever(script):
    begin = time.process_time()
    box = Container("sh", "-c", script)
    box.feed(b"", end=True)
    while box.code is None and box.due is not None and time.process_time() < begin + 0.4:
        box.go(most_turns=box.turns + 100)
    box.steps.close()
    assert sum(map(len, box.out + box.err)) < 20 * MEGABYTE
    assert time.process_time() < begin + 5


def test_a_loop_gives_others_a_turn():
    box = Container("sh", "-c", "while :; do :; done")
    begin = time.process_time()
    for _ in range(50):
        box.wake()
        assert box.due == box.time
    assert time.process_time() < begin + 5
    box.steps.close()


@pytest.mark.parametrize("expression", ["(a+)+b", "(a|a)*b", "((a*)*)*b", "(a*a*|a)+b"])
def test_an_expression_that_matches_in_many_ways_takes_little_time(expression):
    begin = time.process_time()
    ran = shell(f"grep -E '{expression}'; echo $?", stdin=b"a" * 60 + b"\n" + b"a" * 9 + b"b\n")
    assert ran.out == b"a" * 9 + b"b\n0\n"
    assert time.process_time() < begin + 2


@pytest.mark.parametrize("script", ["(" * 5000, "$(" * 5000, "{ " * 5000, "$((" * 5000, "`" * 5001,
                                    "${a:-" * 5000, "! " * 5000 + "true", "if " * 5000,
                                    "echo $((" + "(" * 5000 + "1" + ")" * 5000 + "))",
                                    "true " + "&& true " * 5000, "true " + "| true " * 400,
                                    "a=" * 5000, "case a in " * 3000, '"$(' * 3000])  # fmt: skip
def test_deep_and_long_scripts_end_with_a_status(script):
    assert shell(script).code in {0, 1, 2, 127}


@pytest.mark.parametrize(
    "script",
    [
        "head -c 100000000 /dev/zero",
        "cat /dev/zero | head -c 100000000",
        "dd if=/dev/zero bs=1000000 count=100 2>/dev/null",
        "yes | head -c 100000000 | cat",
    ],
)
def test_much_output_is_quick(script):
    box = Container("sh", "-c", script)
    sizes = []
    box.process._output = lambda fd, data: sizes.append(len(data))
    begin = time.process_time()
    assert box.go().code == 0
    took = time.process_time() - begin
    assert sum(sizes) == 100 * MEGABYTE
    assert sum(sizes) / len(sizes) >= 16 * 1024
    assert took < 2


def test_little_is_loaded_for_a_small_script():
    code = (
        "import sys; from simulated import shell; assert shell('echo a').out == b'a\\n'; "
        "print(*[name for name in sys.modules if name.startswith('dynadock')])"
    )
    ran = subprocess.run([sys.executable, "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"],
                         capture_output=True, text=True, check=True)  # fmt: skip
    loaded = {name.rpartition(".")[2] for name in ran.stdout.split() if ".shell.commands." in name}
    assert loaded == {"plain"}


# Anything


WORDS = r"""
echo cat ls x=1 $x ${x:-y} $(echo `echo $((1+2)) "a b" 'q' \ | || && & ; ;; ( ) { } if then else
fi while do done for in case esac ! f() < > >> 2>&1 <<X X /tmp/f /dev/null true false exit return
break continue set -e -x eval trap EXIT wait read test [ ] printf %s %d sed s/a/b/ grep a sort awk
{print} tr cut -f1 head -n tail seq 5 find . expr 1 + sh -c tar cf -
"""
MARKS = ("\n", "$", '"', "'", "#", "*", "?", "[a", "~", "${", "$((", "))", "\\n", "é", "\udce9")
PIECES = [*WORDS.split(), *MARKS]
ODD_ARGUMENTS = """
-n -c -r -f 1 -1 99999999999999999999 a / /etc/passwd - /tmp {} ( [ s/(/x/ +%Y %d --help -k é = \\
"""
SIGNS = "$(){}[]`'\"\\;&|<>ab #\n*?!=-"
SCRIPTS = st.lists(st.sampled_from(PIECES), max_size=14).map(" ".join)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(SCRIPTS | st.text(max_size=40) | st.text(alphabet=SIGNS, max_size=30))
def test_any_text_ends_with_a_status_or_waits(script):
    box = Container("sh", "-c", script).feed(b"some\ninput\n", end=True).go(most_turns=300)
    assert box.code is None or 0 <= box.code <= 255
    box.steps.close()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(sorted(set(APPLETS) - {"yes", "sh", "ash"})),
    st.lists(
        st.sampled_from(ODD_ARGUMENTS.split()) | st.text(max_size=8),
        max_size=5,
    ),
)
def test_any_arguments_end_with_a_status_or_wait(name, arguments):
    box = Container(name, *arguments).feed(b"some\n\xff\ninput", end=True).go(most_turns=300)
    assert box.code is None or 0 <= box.code <= 255
    box.steps.close()
