"""What the docker command's configuration adds to a call: credentials, and proxies.

Everything is looked up when a call needs it, and nothing is kept: whoever logs in or out meanwhile
is seen by the next call. What a caller gives wins.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from dynadock.call.arguments import checked
from dynadock.call.registries import ALL, wanted_registry
from dynadock.call.values import Mismatch, check_json
from dynadock.config.credentials import all_credentials, credentials_for
from dynadock.config.folder import spelling
from dynadock.config.helper import HELPER_TIMEOUT
from dynadock.config.proxies import proxy_variables, with_variables
from dynadock.config.registries import auth_key, matching_keys
from dynadock.errors import ConfigError
from dynadock.secret import Hidden

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dynadock.call.bind import Bound
    from dynadock.options import Options
    from dynadock.spec.model import Parameter

    Account = Mapping[str, str]
    Accounts = Mapping[str, Account]


def add_credentials(bound: Bound, options: Options) -> None:
    """Add the credentials that a call needs and was not given.

    They come from ``options.credentials``, if that is a mapping, else from where the docker command
    keeps them. If there are none, the call is left as it is. (The docker command sends an empty
    object then, which means the same, except that it would make a service lose those it has.)
    ConfigError, which names the call, if the configuration makes no sense or a helper fails.
    """
    with _named(bound, "credentials"):
        for parameter in bound.operation.credentials:
            if parameter not in bound.given and not _is_in(options.headers, parameter.name):
                registry = wanted_registry(bound, parameter.credentials)
                found = _found(registry, options) if registry else None
                if found:
                    bound.headers[parameter.name] = checked(parameter, found)


def add_proxies(bound: Bound, host: str) -> None:
    """Add to an environment the proxies that are configured for the engine at ``host``.

    ConfigError, which names the call, if the configuration makes no sense.
    """
    with _named(bound, "proxies"):
        variables = Hidden(proxy_variables(host))
        check_json(variables)
        for parameter in bound.operation.parameters:
            if parameter.proxies and variables:
                _add_to_query(bound, parameter, variables)
    body = bound.operation.body
    if body is not None and body.proxies and variables and isinstance(bound.body, dict):
        _add_to_field(bound.body, spelling(bound.body, body.proxies), variables)


@contextlib.contextmanager
def _named(bound: Bound, option: str) -> Iterator[None]:
    try:
        yield
    except (ConfigError, Mismatch) as error:
        problem = str(error)
        if isinstance(error, Mismatch):
            # What is configured is not shown: it may be a password.
            problem = f"{error.place.lstrip('.')}: {error.discreet}"
        operation = bound.operation
        call = f"{operation.operation_id} (API {operation.version})"
        hint = f"(to call without: with_options({option}=False))"
        raise ConfigError(f"{call}: {problem}\n  {hint}") from None


def _is_in(headers: Mapping[str, str], name: str) -> bool:
    return any(header.lower() == name.lower() for header in headers)


def _found(registry: str, options: Options) -> Account | Accounts | None:
    if not isinstance(options.credentials, bool):
        return _given(registry, options.credentials)
    # A helper may take as long as the call may, if that is shorter.
    timeout = min(HELPER_TIMEOUT, options.deadline or HELPER_TIMEOUT)
    if registry == ALL:
        return all_credentials(timeout=timeout)
    return credentials_for(registry, timeout=timeout)


def _given(registry: str, accounts: Accounts) -> Account | Accounts | None:
    if registry == ALL:
        return Hidden(
            {auth_key(name): _addressed(name, auth) for name, auth in accounts.items() if auth}
        )
    names = matching_keys(registry, accounts)
    return _addressed(names[0], accounts[names[0]]) if names and accounts[names[0]] else None


def _addressed(name: str, auth: Account) -> Account:
    return {"serveraddress": auth_key(name), **auth}


def _add_to_query(bound: Bound, parameter: Parameter, variables: Mapping[str, str]) -> None:
    given = bound.value(parameter.name) if parameter.name in bound.query else {}
    # Anything but an object was sent unchecked, and must stay as it is.
    if isinstance(given, dict):
        bound.query.pop(parameter.name, None)
        bound.query[parameter.name] = checked(parameter, {**variables, **given})


def _add_to_field(body: dict[str, Any], name: str, variables: Mapping[str, str]) -> None:
    given = body.get(name)
    if given is None:
        given = []
    # Anything but a list of texts was sent unchecked, and must stay as it is.
    if isinstance(given, list) and all(isinstance(entry, str) for entry in given):
        body[name] = with_variables(given, variables)
