"""How calls are made: one frozen value that applies to every call of a client.

An option is a row of `Options`, a line of `OptionValues` for type checkers, and a row of the
README's table. All code that takes, checks, merges or shows options uses the rows of `Options`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal, Self, TypeVar, cast

from dynadock.accounts import accounts, concealed
from dynadock.attribute import not_callable
from dynadock.keywords import ShowsKeywords
from dynadock.secret import MASK, Hidden, conceal, is_secret_name, reveal
from dynadock.spec.names import closest

if TYPE_CHECKING:
    from typing import TypedDict, Unpack

    from dynadock.contracts import Contract
    from dynadock.keywords import Keyword

    class OptionValues(TypedDict, total=False):
        """Options as keywords: what a function's ``**options`` may be."""

        timeout: float | Literal["auto"] | None
        deadline: float | None
        retries: int
        limit: int | None
        validate: bool
        unknown: Literal["error", "warn", "send"]
        tty: bool | None
        headers: Mapping[str, str]
        query: Mapping[str, Any]
        credentials: bool | Mapping[str, Mapping[str, str]]
        proxies: bool
        contract: Literal["off", "record", "warn", "raise"] | Contract


T = TypeVar("T")
F = TypeVar("F", bound=Callable[..., Any])

DEFAULT_TIMEOUT = 60.0
"""Default seconds to wait for an answer, for calls that do not ask for long work."""

CONNECT_TIMEOUT = 10.0
"""Seconds to wait for a connection; less if ``timeout`` is less."""

CONNECTIONS = 32
"""Default number of connections that calls may have open at a time."""

LARGEST_REPLY = 256 * 1024 * 1024
"""Default limit of bytes of a reply that is held in memory.

A list of a hundred thousand containers is well below it. The Python objects made of a reply take
some ten times as much memory.
"""

LONGEST_TIMEOUT = 1e9
"""Seconds; sockets refuse much more. None is the way to wait for ever."""

KEPT: Any = ...
"""As an option's value, it leaves the option as it is."""


class Option:
    """A row of `Options`: everything there is to know about one option.

    ``default`` is its value if the caller gives none. ``fits`` tells whether a value is allowed,
    ``expected`` says in words which values are, and ``wrong`` is raised for others. ``words`` are
    the help. Its class knows whether it may contain secrets, and how two values are merged.
    """

    def __init__(
        self,
        default: Any,
        fits: Callable[[Any], bool],
        expected: str,
        words: str,
        wrong: type[Exception] = ValueError,
    ) -> None:
        self.name = ""
        self.default = default
        self.fits = fits
        self.expected = expected
        self.words = words
        self.wrong = wrong

    def __set_name__(self, _owner: type, name: str) -> None:
        self.name = name

    def merged(self, present: Any, given: Any) -> Any:
        """Return the value that results from giving ``given`` while the value is ``present``.

        TypeError or ValueError says what was expected.
        """
        if self.fits(given):
            return self.joined(present, given)
        told = self.told(given)
        # It may hold a secret, and a traceback may show what is here.
        del given
        raise self.wrong(f"{self.name}: expected {self.expected}, got {told}")

    def taken(self, value: Any) -> Any:
        """Return a value as it is handed on: a traceback may show it."""
        return value

    def told(self, value: Any) -> str:
        """Return what an error says about a value that does not fit."""
        return repr(value)

    def joined(self, _present: Any, given: Any) -> Any:
        """Return the merger of two values that fit."""
        return given

    def shown(self, value: Any) -> Any:
        """Return what a repr shows in place of the value."""
        return value

    def public(self, value: Any) -> Any:
        """Return the part of the value that may leave the process."""
        return value


class _Private(Option):
    """An option that may hold secrets: an error about a wrong value shows only its type."""

    def told(self, value: Any) -> str:
        return type(reveal(value)).__name__


class _ByKey(_Private):
    """A mapping that is merged key by key, and some of whose keys are secret."""

    def joined(self, present: Any, given: Any) -> dict[str, Any]:
        return {**present, **{key: _kept(key, value) for key, value in given.items()}}

    def shown(self, value: Any) -> dict[str, Any]:
        return {key: MASK if is_secret_name(key) else each for key, each in value.items()}

    def public(self, value: Any) -> dict[str, Any]:
        return {key: each for key, each in value.items() if not is_secret_name(key)}


def _kept(key: str, value: Any) -> Any:
    return conceal(value) if is_secret_name(key) else value


class _Credentials(_Private):
    """True or False, or accounts by registry, whose repr hides them."""

    def joined(self, _present: Any, given: Any) -> Any:
        return accounts(given) if isinstance(given, Mapping) else given

    def taken(self, value: Any) -> Any:
        return concealed(value)

    def public(self, value: Any) -> bool:
        return value is not False


def _is_contract(value: object) -> bool:
    if isinstance(value, str):
        return value in ("off", "record", "warn", "raise")
    # A start needs none of it.
    from dynadock.contracts import Contract

    return isinstance(value, Contract)


def _option(
    default: T,
    fits: Callable[[Any], bool],
    expected: str,
    words: str,
    *,
    wrong: type[Exception] = ValueError,
    kind: type[Option] = Option,
) -> T:
    """Return a row; type checkers take it for the option's value."""
    return cast("T", kind(default, fits, expected, words, wrong))


def _is_flag(value: object) -> bool:
    return isinstance(value, bool)


def _is_time(value: object) -> bool:
    if value is None:
        return True
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return False
    return 0 < value < LONGEST_TIMEOUT


def _is_count(value: object, least: int = 0) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def _has_text_keys(value: object) -> bool:
    return isinstance(value, Mapping) and all(isinstance(key, str) for key in value)


def takes_options(function: F) -> F:
    """Let a function with ``**options`` show each option and its default."""
    return cast("F", ShowsKeywords(function, lambda: _as_keywords(DEFAULTS)))


def changes_options(function: F) -> F:
    """Let a function with ``**options`` show each option, which is `KEPT` by default."""
    return cast("F", ShowsKeywords(function, lambda: _as_keywords(dict.fromkeys(OPTIONS, KEPT))))


def check_known(names: Iterable[str], function: Callable[..., Any]) -> None:
    """Raise TypeError, with a function's keywords, where it was given another one."""
    for name in names:
        if name not in OPTIONS:
            # Imported only here: inspect takes milliseconds to load.
            from inspect import signature

            raise _unknown(name, signature(function).parameters, "keyword")


class Options:
    """How calls are made; frozen.

    Raises TypeError for an unknown option, TypeError or ValueError for a wrong value.
    """

    timeout: float | Literal["auto"] | None = _option(
        "auto",
        lambda value: value == "auto" or _is_time(value),
        "seconds above 0, None or 'auto'",
        """seconds to wait for an answer, None for ever. ``"auto"`` is 60 s, without a limit
        for operations that answer only when their work is done (ContainerWait, prunes) or after a
        time that the engine has stored (ContainerStop), and with the argument ``t`` of the latter
        on top where it is given. For a stream it is the longest silence.""",
    )
    deadline: float | None = _option(
        None,
        _is_time,
        "seconds above 0 or None",
        """seconds for a whole call, including a stream up to its end; None means no limit.""",
    )
    retries: int = _option(
        1,
        _is_count,
        "an integer from 0 on",
        """how often a call is tried again if it cannot have had an effect: nothing listens
        at the endpoint (with a short pause, twice as long each time), or a GET or HEAD went out
        over a kept connection that ended without a byte of an answer. 0 means never.""",
    )
    limit: int | None = _option(
        LARGEST_REPLY,
        lambda value: value is None or _is_count(value, 1),
        "bytes above 0 or None",
        """bytes of a reply that are held in memory at a time: of a value, an error's body, a
        line, a websocket's message, and of what ``text``, ``collect`` or ``read`` gather of a
        stream. TooLarge for more; None for any number. A stream that is read bit by bit has no
        limit.""",
    )
    validate: bool = _option(
        True,
        _is_flag,
        "True or False",
        """False sends arguments as they are, unchecked.""",
        wrong=TypeError,
    )
    unknown: Literal["error", "warn", "send"] = _option(
        "error",
        ("error", "warn", "send").__contains__,
        "'error', 'warn' or 'send'",
        """what happens to parameters and body fields that the document does not know:
        ``"error"``, ``"warn"`` (UnknownFieldWarning, and sent) or ``"send"``.""",
    )
    tty: bool | None = _option(
        None,
        (True, False, None).__contains__,
        "True, False or None",
        """whether output of containers is a terminal's: raw, not in frames. None asks the
        engine if its reply does not say.""",
        wrong=TypeError,
    )
    headers: Mapping[str, str] = _option(
        {},
        _has_text_keys,
        "a mapping with text for keys",
        """sent with every call; they override those that the call itself makes.""",
        wrong=TypeError,
        kind=_ByKey,
    )
    query: Mapping[str, Any] = _option(
        {},
        _has_text_keys,
        "a mapping with text for keys",
        """sent with every call, overriding what the call itself makes. Use it to send a
        parameter that no document has; a list sends its key more than once.""",
        wrong=TypeError,
        kind=_ByKey,
    )
    credentials: bool | Mapping[str, Mapping[str, str]] = _option(
        True,
        lambda value: isinstance(value, (bool, Mapping)),
        "True, False or a mapping",
        """True (the default): calls that need credentials for a registry and are given none
        use those that the docker command has stored. False sends none. A mapping from registry to
        ``AuthConfig`` is used instead of the stored ones, and is neither shown nor pickled.""",
        wrong=TypeError,
        kind=_Credentials,
    )
    proxies: bool = _option(
        False,
        _is_flag,
        "True or False",
        """True passes the proxies in the docker command's configuration to new containers
        and builds, as that command does; False is the default.""",
        wrong=TypeError,
    )
    contract: Literal["off", "record", "warn", "raise"] | Contract = _option(
        "off",
        _is_contract,
        "'off', 'record', 'warn', 'raise' or a Contract",
        """what happens to exchanges that are not as the document says: nothing (``"off"``),
        `Client.deviations` has them (``"record"``), which is also warned of (``"warn"``,
        ContractWarning) or raised (``"raise"``, ContractError); a `Contract` says more.""",
    )

    @takes_options
    def __init__(self, /, **options: Unpack[OptionValues]) -> None:
        given = Hidden(options)
        # A traceback may show what is here.
        del options
        vars(self).update(_merged(DEFAULTS, given))

    def __setattr__(self, name: str, _value: Any) -> None:
        raise AttributeError(f"{name}: options are frozen; with_options({name}=…) makes others")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Options) and vars(self) == vars(other)

    __hash__ = None  # type: ignore[assignment]

    if not TYPE_CHECKING:
        __call__ = not_callable("options", "how calls are made, which with_options changes")

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: Any) -> Options:
        from copy import deepcopy

        return _made_of(deepcopy(vars(self), memo))

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out secrets: pickles end up in files and in other processes."""
        return (_restored, (self.without_secrets().as_dict(),))

    def as_dict(self) -> dict[str, Any]:
        """Return the options by name."""
        return {**vars(self)}

    def merged(self, changes: Mapping[str, Any]) -> Options:
        """Return a copy with ``changes``; headers and query are merged key by key.

        `KEPT` means no change. TypeError names an option that does not exist.
        """
        changes = Hidden(changes)
        return _made_of(_merged(vars(self), changes))

    def without_secrets(self) -> Options:
        """Return a copy without headers, query and credentials that are secret.

        It may leave the process. Where it is used, credentials are looked up in the configuration
        in place of those that were given by registry.
        """
        return _made_of({name: OPTIONS[name].public(value) for name, value in vars(self).items()})

    def __repr__(self) -> str:
        shown = (f"{name}={OPTIONS[name].shown(value)!r}" for name, value in vars(self).items())
        return f"Options({', '.join(shown)})"


OPTIONS = {name: row for name, row in vars(Options).items() if isinstance(row, Option)}
"""The rows by the options' names, in their order."""

DEFAULTS = {name: row.default for name, row in OPTIONS.items()}
_BY_KEY = [name for name, row in OPTIONS.items() if isinstance(row, _ByKey)]

# Rows are not the class's own attributes, so that only options have them.
for each in OPTIONS:
    delattr(Options, each)

# Indented like the docstring: further lines of a row's words have that indentation already.
_HELP = [f"      - ``{name}``: {row.words}" for name, row in OPTIONS.items()]
Options.__doc__ = "\n".join([Options.__doc__ or "", *_HELP])


def _merged(present: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return checked values; ``present`` is checked already, the changes are not."""
    values = {**present}
    for name in _BY_KEY:
        # A copy, so that changing one value's mapping does not change another's.
        values[name] = {**values[name]}
    for name in changes:
        if name not in OPTIONS:
            raise _unknown(name, OPTIONS, "option")
        if changes[name] is not KEPT:
            row = OPTIONS[name]
            values[name] = row.merged(values[name], row.taken(changes[name]))
    return values


def _unknown(name: str, known: Iterable[str], what: str) -> TypeError:
    meant = closest(name, known)
    hint = f"did you mean {meant!r}? There" if meant else "there"
    return TypeError(f"there is no {what} {name!r}; {hint} are {', '.join(known)}")


def _as_keywords(defaults: Mapping[str, Any]) -> Iterator[Keyword]:
    for name, default in defaults.items():
        yield name, Options.__annotations__[name], default


def _made_of(checked: Mapping[str, Any]) -> Options:
    options = Options.__new__(Options)
    vars(options).update(checked)
    return options


def _restored(values: dict[str, Any]) -> Options:
    return Options(**values)
