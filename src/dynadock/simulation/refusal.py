"""Why the engine does not do what it is asked, in the words that engines use.

A behaviour raises `Refused`; these make the usual ones.
"""

from __future__ import annotations

from dynadock.call.values import Refused

__all__ = ["Refused", "bad_request", "conflict", "forbidden", "not_found", "server_error"]


def bad_request(why: str) -> Refused:
    """Return the refusal (400) of a request that says something wrong."""
    return Refused(why, 400)


def forbidden(why: str) -> Refused:
    """Return the refusal (403) of what is never allowed."""
    return Refused(why, 403)


def not_found(what: str) -> Refused:
    """Return the refusal (404) of a request about something that is not there."""
    return Refused(what, 404)


def conflict(why: str) -> Refused:
    """Return the refusal (409) of what another thing stands in the way of."""
    return Refused(why, 409)


def server_error(why: str) -> Refused:
    """Return the refusal (500) that engines give where they do not tell whose fault it is."""
    return Refused(why, 500)
