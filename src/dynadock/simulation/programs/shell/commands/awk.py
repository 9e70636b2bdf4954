"""The command awk: its language but for getline, pipes and files, and functions of one's own."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from dynadock.simulation.programs.shell import regex
from dynadock.simulation.programs.shell.commands.awk_parsing import (
    AwkFailure,
    Expression,
    Rule,
    parse,
)
from dynadock.simulation.programs.shell.invocation import Lines, UsageError
from dynadock.simulation.programs.shell.jobs import call
from dynadock.simulation.programs.shell.printing import Stopped, formatted, unescaped

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from dynadock.simulation.programs.shell.invocation import Invocation
    from dynadock.simulation.programs.shell.jobs import Coroutine

_TURN = 512
_MOST = 1024 * 1024
_MOST_ENTRIES = 100_000

Value = str | float


class _Typed(str):
    """A text that came from input: it compares as a number if it looks like one."""

    __slots__ = ()


class _Jump(Exception):
    def __init__(self, kind: str, status: int = 0) -> None:
        super().__init__(kind)
        self.kind = kind
        self.status = status


_NUMBER = re.compile(r"\s*[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def number(value: Value) -> float:
    """Return what a value is as a number: a text's beginning, else 0."""
    if not isinstance(value, str):
        return value
    found = _NUMBER.match(value)
    return float(found[0]) if found else 0.0


def _looks_numeric(value: Value) -> bool:
    if not isinstance(value, str):
        return True
    return isinstance(value, _Typed) and re.fullmatch(_NUMBER.pattern + r"\s*", value) is not None


def text(value: Value, shown: str = "%.6g") -> str:
    """Return a value as a text: whole numbers without a point."""
    if isinstance(value, str):
        return str(value)
    if value == int(value) if abs(value) < 1e300 else False:  # noqa: PLR2004 - no infinity
        return str(int(value))
    return shown % value


def _is_true(value: Value) -> bool:
    if isinstance(value, _Typed) and _looks_numeric(value):
        return number(value) != 0
    return value not in ("", 0, 0.0)


class Awk:
    """One run: variables, arrays, and the record that is looked at."""

    def __init__(self, invocation: Invocation, rules: list[Rule]) -> None:
        self._invocation = invocation
        self._rules = rules
        self.variables: dict[str, Value] = {
            "FS": " ",
            "OFS": " ",
            "ORS": "\n",
            "RS": "\n",
            "NR": 0.0,
            "NF": 0.0,
            "FNR": 0.0,
            "SUBSEP": "\x1c",
            "FILENAME": "",
            "OFMT": "%.6g",
            "CONVFMT": "%.6g",
        }
        self._arrays: dict[str, dict[str, Value]] = {
            "ENVIRON": {name: _Typed(value) for name, value in invocation.environment.items()}
        }
        self._record = ""
        self._fields: list[str] = []
        self._active: set[int] = set()
        self._steps = 0
        self._seed = 0

    # Records

    def run(self, names: list[str]) -> Coroutine[int]:
        """Run the program over files, and return its status."""
        status = 0
        try:
            yield from self._rules_of("BEGIN")
            if any(rule.kind != "BEGIN" for rule in self._rules):
                yield from self._all_records(names)
        except _Jump as jump:
            status = jump.status
        try:
            yield from self._rules_of("END")
        except _Jump as jump:
            status = jump.status
        return status or self._invocation.status

    def _rules_of(self, kind: str) -> Coroutine[None]:
        for rule in self._rules:
            if rule.kind == kind:
                yield from self._statement(rule.body)

    def _all_records(self, names: list[str]) -> Coroutine[None]:
        files = []
        for name in names:
            assignment = re.fullmatch(r"([A-Za-z_]\w*)=(.*)", name, re.DOTALL)
            if assignment:
                self.variables[assignment[1]] = _Typed(assignment[2])
            else:
                files.append(name)
        for name, stream in self._invocation.inputs(files):
            self.variables["FILENAME"] = "" if name == "-" else name
            self.variables["FNR"] = 0.0
            separator = text(self.variables["RS"])
            lines = Lines(stream, (separator[:1] or "\n").encode("utf-8", "surrogateescape"))
            while some := (yield from lines.next()):
                for line in some:
                    end = separator[:1] or "\n"
                    yield from self._each(line.decode("utf-8", "surrogateescape").removesuffix(end))
                yield from self._invocation.flush()
                yield self._invocation.now()

    def _each(self, record: str) -> Coroutine[None]:
        for name in ("NR", "FNR"):
            self.variables[name] = number(self.variables[name]) + 1
        self._set_record(record)
        try:
            for rule in self._rules:
                if rule.kind == "" and (yield from self._selects(rule)):
                    yield from self._statement(rule.body)
        except _Jump as jump:
            if jump.kind != "next":
                raise

    def _selects(self, rule: Rule) -> Coroutine[bool]:
        if rule.first is None:
            return True
        if rule.last is None:
            return _is_true((yield from self._value(rule.first)))
        if id(rule) not in self._active:
            if not _is_true((yield from self._value(rule.first))):
                return False
            self._active.add(id(rule))
        if _is_true((yield from self._value(rule.last))):
            self._active.discard(id(rule))
        return True

    def _set_record(self, record: str) -> None:
        self._record = record
        self._fields = self._split(record, text(self.variables["FS"]))
        self.variables["NF"] = float(len(self._fields))

    @staticmethod
    def _split(record: str, separator: str) -> list[str]:
        """Split as awk does: at blanks, at each character, at one, or at an expression."""
        if separator == " ":
            return record.split()
        if not record:
            return []
        if separator == "":
            return [*record]
        if len(separator) == 1:
            return record.split(separator)
        expression = regex.compiled(separator, extended=True)
        data = record.encode("utf-8", "surrogateescape")
        found, at = [], 0
        for match in expression.finditer(data):
            if match.end() > match.start():
                found.append(data[at : match.start()])
                at = match.end()
        return [part.decode("utf-8", "surrogateescape") for part in [*found, data[at:]]]

    def _set_field(self, at: int, value: str) -> None:
        if at == 0:
            self._set_record(value)
            return
        if at > _MOST_ENTRIES:
            raise AwkFailure("too many fields")
        self._fields += [""] * (at - len(self._fields))
        self._fields[at - 1] = value
        self._rebuild()

    def _rebuild(self) -> None:
        self.variables["NF"] = float(len(self._fields))
        self._record = text(self.variables["OFS"]).join(self._fields)

    # Statements

    def _statement(self, statement: Expression | None) -> Coroutine[None]:
        yield call(self._run(statement))

    def _run(self, statement: Expression | None) -> Coroutine[None]:
        self._steps += 1
        if self._steps % _TURN == 0:
            yield from self._invocation.flush()
            yield self._invocation.now()
        if statement is None:
            self._print_line(self._record)
            return
        runner = _STATEMENTS.get(statement.kind, Awk._evaluate)
        yield from runner(self, statement)

    def _block(self, statement: Expression) -> Coroutine[None]:
        for part in statement.parts:
            yield from self._statement(part)

    def _if(self, statement: Expression) -> Coroutine[None]:
        condition, *branches = statement.parts
        if _is_true((yield from self._value(condition))):
            yield from self._statement(branches[0])
        elif len(branches) > 1:
            yield from self._statement(branches[1])

    def _each_key(self, statement: Expression) -> Coroutine[None]:
        variable, body = statement.parts
        for key in [*self._array(statement.name)]:
            self._assign(variable, _Typed(key))
            if not (yield from self._body(body)):
                break

    def _jump(self, statement: Expression) -> Coroutine[None]:
        status: Value = 0.0
        for part in statement.parts:
            status = yield from self._value(part)
        raise _Jump(statement.kind, int(number(status)) & 255)

    def _print(self, statement: Expression) -> Coroutine[None]:
        values = yield from self._values(statement.parts)
        shown = [text(value, text(self.variables["OFMT"])) for value in values]
        self._print_line(text(self.variables["OFS"]).join(shown) if values else self._record)

    def _printf(self, statement: Expression) -> Coroutine[None]:
        values = yield from self._values(statement.parts)
        self._invocation.print(self._formatted(values), end="")

    def _delete(self, statement: Expression) -> Coroutine[None]:
        array = self._array(statement.name)
        if statement.parts:
            array.pop((yield from self._key(statement.parts)), None)
        else:
            array.clear()

    def _loop(self, statement: Expression) -> Coroutine[None]:
        kind, parts = statement.kind, statement.parts
        if kind == "for":
            yield from self._statement(parts[0])
        first = kind == "do"
        condition, body = (parts[1], parts[3]) if kind == "for" else (parts[0], parts[1])
        while first or _is_true((yield from self._value(condition))):
            first = False
            if not (yield from self._body(body)):
                return
            if kind == "for":
                yield from self._statement(parts[2])

    def _body(self, body: Expression) -> Coroutine[bool]:
        """Run a loop's body, and tell whether the loop goes on."""
        try:
            yield from self._statement(body)
        except _Jump as jump:
            if jump.kind == "break":
                return False
            if jump.kind != "continue":
                raise
        return True

    def _print_line(self, line: str) -> None:
        self._invocation.print(line, end=text(self.variables["ORS"]))

    def _formatted(self, values: list[Value]) -> str:
        arguments = [text(value, "%.17g") for value in values[1:]]
        shown = re.sub(r"%([-+ #0]*[\d.]*)i", r"%\1d", text(values[0]))
        whole = re.compile(r"%[-+ #0]*[\d.]*([a-zA-Z%])")
        kinds = [kind for kind in whole.findall(shown) if kind != "%"]
        for at, kind in enumerate(kinds[: len(arguments)]):
            if kind in "dxXou":
                arguments[at] = str(int(max(min(number(values[at + 1]), 2.0**62), -(2.0**62))))
            elif kind in "feEgG":
                arguments[at] = repr(float(number(values[at + 1])))
            elif kind == "c" and not isinstance(values[at + 1], str):
                arguments[at] = chr(int(number(values[at + 1])) & 127)
        try:
            return formatted(shown.replace("\\", "\\\\"), arguments, lambda _: None)
        except Stopped as stopped:
            return stopped.text

    # Expressions

    def _values(self, parts: tuple[Expression, ...]) -> Coroutine[list[Value]]:
        found: list[Value] = []
        for part in parts:
            found += [(yield from self._value(part))]
        return found

    def _value(self, expression: Expression) -> Coroutine[Value]:
        value: Value = yield call(self._evaluate(expression))
        return value

    def _evaluate(self, expression: Expression) -> Coroutine[Value]:
        kind = expression.kind
        if kind == "number":
            return expression.number
        if kind == "text":
            return expression.name
        if kind == "variable":
            return self.variables.get(expression.name, _Typed(""))
        reader = _READERS.get(kind)
        if reader is not None:
            return (yield from reader(self, expression))
        values = yield from self._values(expression.parts)
        return self._operation(kind, values)

    def _regex(self, expression: Expression) -> Coroutine[Value]:
        yield from ()
        return float(self._matches(self._record, expression.name))

    def _field_value(self, expression: Expression) -> Coroutine[Value]:
        return self._field(int(number((yield from self._value(expression.parts[0])))))

    def _element(self, expression: Expression) -> Coroutine[Value]:
        key = yield from self._key(expression.parts)
        array = self._array(expression.name)
        if key not in array:
            self._store(array, key, _Typed(""))
        return array[key]

    def _membership(self, expression: Expression) -> Coroutine[Value]:
        return float((yield from self._key(expression.parts)) in self._array(expression.name))

    def _stepped(self, expression: Expression) -> Coroutine[Value]:
        before = number((yield from self._value(expression.parts[0])))
        after = before + (1 if expression.name == "++" else -1)
        yield from self._assign_to(expression.parts[0], after)
        return after if expression.kind == "pre" else before

    def _matched(self, expression: Expression) -> Coroutine[Value]:
        left = text((yield from self._value(expression.parts[0])))
        pattern = yield from self._pattern(expression.parts[1])
        return float(self._matches(left, pattern) == (expression.kind == "~"))

    def _operation(self, kind: str, values: list[Value]) -> Value:
        if kind == "concat":
            shown = text(self.variables["CONVFMT"])
            joined = "".join(text(value, shown) for value in values)
            if len(joined) > _MOST:
                raise AwkFailure("out of memory")
            return joined
        if kind == "!":
            return float(not _is_true(values[0]))
        if kind in {"negative", "positive"}:
            return number(values[0]) * (-1 if kind == "negative" else 1)
        if kind not in _COMPARISONS:
            return _computed(kind, number(values[0]), number(values[1]))
        left, right = values
        if _looks_numeric(left) and _looks_numeric(right):
            return float(_COMPARISONS[kind](number(left), number(right)))
        return float(_COMPARISONS[kind](text(left), text(right)))

    def _chosen(self, expression: Expression) -> Coroutine[Value]:
        kind, parts = expression.kind, expression.parts
        first = _is_true((yield from self._value(parts[0])))
        if kind == "?":
            return (yield from self._value(parts[1 if first else 2]))
        if first == (kind == "||"):
            return float(first)
        return float(_is_true((yield from self._value(parts[1]))))

    def _assigned(self, expression: Expression) -> Coroutine[Value]:
        operator, parts = expression.name, expression.parts
        value = yield from self._value(parts[1])
        if operator != "=":
            before = number((yield from self._value(parts[0])))
            value = _computed(operator[:-1], before, number(value))
        yield from self._assign_to(parts[0], value)
        return value

    def _assign_to(self, target: Expression, value: Value) -> Coroutine[None]:
        if target.kind == "field":
            at = int(number((yield from self._value(target.parts[0]))))
            self._set_field(max(at, 0), text(value))
        elif target.kind == "element":
            key = yield from self._key(target.parts)
            self._store(self._array(target.name), key, value)
        else:
            self._assign(target, value)

    def _assign(self, target: Expression, value: Value) -> None:
        self.variables[target.name] = value
        if target.name == "NF":
            count = min(max(int(number(value)), 0), _MOST_ENTRIES)
            self._fields = (self._fields + [""] * count)[:count]
            self._rebuild()

    def _field(self, at: int) -> Value:
        if at == 0:
            return _Typed(self._record)
        return _Typed(self._fields[at - 1]) if 0 < at <= len(self._fields) else _Typed("")

    def _array(self, name: str) -> dict[str, Value]:
        return self._arrays.setdefault(name, {})

    @staticmethod
    def _store(array: dict[str, Value], key: str, value: Value) -> None:
        if key not in array and len(array) >= _MOST_ENTRIES:
            raise AwkFailure("out of memory")
        array[key] = value

    def _key(self, parts: tuple[Expression, ...]) -> Coroutine[str]:
        values = yield from self._values(parts)
        return text(self.variables["SUBSEP"]).join(text(value) for value in values)

    @staticmethod
    def _matches(value: str, pattern: str) -> bool:
        expression = regex.compiled(pattern, extended=True)
        return expression.search(value.encode("utf-8", "surrogateescape")) is not None

    # Functions

    def _called(self, expression: Expression) -> Coroutine[Value]:
        name, parts = expression.name, expression.parts
        reader = {"sub": self._replaced, "gsub": self._replaced, "split": self._split_into}.get(
            name
        )
        if reader is not None:
            return (yield from reader(expression))
        if name == "match":
            value = text((yield from self._value(parts[0])))
            return self._match(value, (yield from self._pattern(parts[1])))
        if name == "length" and parts and parts[0].name in self._arrays:
            return float(len(self._arrays[parts[0].name]))
        values = yield from self._values(parts)
        if name in _FUNCTIONS:
            return _FUNCTIONS[name](values)
        return self._own_function(name, values)

    def _own_function(self, name: str, values: list[Value]) -> Value:
        """Return what a function gives that depends on the run."""
        if name == "length":
            return float(len(text(values[0]) if values else self._record))
        if name == "sprintf":
            return self._formatted(values)
        seconds = float(self._invocation.now() // 10**9)
        if name == "rand":
            self._seed = (self._seed * 1103515245 + 12345) & 0x7FFFFFFF
            return self._seed / 0x80000000
        if name == "srand":
            self._seed = int(number(values[0])) if values else int(seconds)
        return seconds if name == "systime" else 0.0

    def _pattern(self, expression: Expression) -> Coroutine[str]:
        if expression.kind == "regex":
            return expression.name
        return text((yield from self._value(expression)))

    def _match(self, value: str, pattern: str) -> float:
        data = value.encode("utf-8", "surrogateescape")
        found = regex.compiled(pattern, extended=True).search(data)
        begin = len(data[: found.start()].decode("utf-8", "replace")) + 1 if found else 0
        self.variables["RSTART"] = float(begin)
        self.variables["RLENGTH"] = (
            float(len(found[0].decode("utf-8", "replace"))) if found else -1.0
        )
        return float(begin)

    def _split_into(self, expression: Expression) -> Coroutine[Value]:
        parts = expression.parts
        value = text((yield from self._value(parts[0])))
        separator = text(self.variables["FS"])
        if len(parts) > 2:  # noqa: PLR2004 - text, array, separator
            separator = yield from self._pattern(parts[2])
        pieces = self._split(value, separator)[:_MOST_ENTRIES]
        array = self._array(parts[1].name)
        array.clear()
        array.update((str(at), _Typed(piece)) for at, piece in enumerate(pieces, 1))
        return float(len(pieces))

    def _replaced(self, expression: Expression) -> Coroutine[Value]:
        name, parts = expression.name, expression.parts
        pattern = yield from self._pattern(parts[0])
        by = text((yield from self._value(parts[1])))
        target = parts[2] if len(parts) > 2 else _WHOLE_RECORD  # noqa: PLR2004
        value = text((yield from self._value(target)))
        replacement = re.sub(
            r"\\&|&|\\\\|\\",
            lambda found: {"\\&": "&", "&": "\\g<0>"}.get(found[0], "\\\\"),
            by,
        ).encode("utf-8", "surrogateescape")
        data, count = regex.compiled(pattern, extended=True).subn(
            replacement, value.encode("utf-8", "surrogateescape"), count=0 if name == "gsub" else 1
        )
        if len(data) > _MOST:
            raise AwkFailure("out of memory")
        if count:
            yield from self._assign_to(target, data.decode("utf-8", "surrogateescape"))
        return float(count)


_STATEMENTS: dict[str, Callable[[Awk, Expression], Coroutine[Any]]] = {
    "block": Awk._block,  # noqa: SLF001
    "if": Awk._if,  # noqa: SLF001
    "while": Awk._loop,  # noqa: SLF001
    "do": Awk._loop,  # noqa: SLF001
    "for": Awk._loop,  # noqa: SLF001
    "in-loop": Awk._each_key,  # noqa: SLF001
    "next": Awk._jump,  # noqa: SLF001
    "break": Awk._jump,  # noqa: SLF001
    "continue": Awk._jump,  # noqa: SLF001
    "exit": Awk._jump,  # noqa: SLF001
    "print": Awk._print,  # noqa: SLF001
    "printf": Awk._printf,  # noqa: SLF001
    "delete": Awk._delete,  # noqa: SLF001
}
_READERS: dict[str, Callable[[Awk, Expression], Coroutine[Value]]] = {
    "regex": Awk._regex,  # noqa: SLF001
    "field": Awk._field_value,  # noqa: SLF001
    "element": Awk._element,  # noqa: SLF001
    "in": Awk._membership,  # noqa: SLF001
    "&&": Awk._chosen,  # noqa: SLF001
    "||": Awk._chosen,  # noqa: SLF001
    "?": Awk._chosen,  # noqa: SLF001
    "assign": Awk._assigned,  # noqa: SLF001
    "pre": Awk._stepped,  # noqa: SLF001
    "post": Awk._stepped,  # noqa: SLF001
    "call": Awk._called,  # noqa: SLF001
    "~": Awk._matched,  # noqa: SLF001
    "!~": Awk._matched,  # noqa: SLF001
}

_WHOLE_RECORD = Expression("field", (Expression("number", number=0.0),))

_COMPARISONS: dict[str, Callable[[Value, Value], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,  # type: ignore[operator]
    "<=": lambda a, b: a <= b,  # type: ignore[operator]
    ">": lambda a, b: a > b,  # type: ignore[operator]
    ">=": lambda a, b: a >= b,  # type: ignore[operator]
}


def _computed(kind: str, left: float, right: float) -> float:
    if kind in "/%" and right == 0:
        raise AwkFailure("Division by zero")
    try:
        if kind == "/":
            return left / right
        if kind == "%":
            return left - right * int(left / right)
        if kind == "^":
            result = left**right
            return result if isinstance(result, float) else float("nan")
        return {"+": left + right, "-": left - right, "*": left * right}[kind]
    except (OverflowError, ZeroDivisionError):
        return float("inf")


def _substring(values: list[Value]) -> Value:
    whole = text(values[0])
    begin = round(number(values[1]))
    end = begin + round(number(values[2])) if len(values) > 2 else len(whole) + 1  # noqa: PLR2004
    return whole[max(begin, 1) - 1 : max(end - 1, 0)]


def _math(name: str) -> Callable[[list[Value]], Value]:
    function: Callable[[float], float] = getattr(math, name)

    def run(values: list[Value]) -> Value:
        try:
            return function(number(values[0]))
        except (ValueError, OverflowError):
            return float("nan")

    return run


_FUNCTIONS: dict[str, Callable[[list[Value]], Value]] = {
    "substr": _substring,
    "index": lambda values: float(text(values[0]).find(text(values[1])) + 1),
    "toupper": lambda values: text(values[0]).upper(),
    "tolower": lambda values: text(values[0]).lower(),
    "int": lambda values: float(int(number(values[0]))),
    **{name: _math(name) for name in ("sqrt", "exp", "log", "sin", "cos")},
}


def run_awk(invocation: Invocation) -> Coroutine[int]:
    """Run a program over lines: -F SEPARATOR, -v NAME=VALUE, -f FILE."""
    options = invocation.options("F:v:f:e:", stop=True)
    operands = [*options.operands]
    if "f" in options:
        path = invocation.disk.path(options.values["f"])
        source = invocation.disk.files.read(path).decode("utf-8", "surrogateescape")
    elif "e" in options:
        source = options.values["e"]
    elif operands:
        source = operands.pop(0)
    else:
        raise UsageError
    try:
        awk = Awk(invocation, parse(source))
        if "F" in options:
            separator = options.values["F"]
            awk.variables["FS"] = "\t" if separator == "t" else unescaped(separator)
        for assignment in options.lists.get("v", []):
            name, _, value = assignment.partition("=")
            awk.variables[name] = _Typed(unescaped(value))
        return (yield from awk.run(operands))
    except AwkFailure as wrong:
        return invocation.warn(f"cmd. line:1: {wrong}")
