"""Functions with ``**keywords`` that show which there are."""

from __future__ import annotations

import inspect
import pickle
import pydoc

import pytest

from dynadock import BoundOperation, Client, load
from dynadock.keywords import ShowsKeywords


def plain(first, /, *, second=2, **keywords):
    """Return all that came."""
    return (first, second, keywords)


def keywords():
    yield ("third", "int", 3)
    yield ("fourth", "str | None", None)


SHOWING = ShowsKeywords(plain, keywords)


class Thing:
    method = SHOWING


def test_it_does_what_the_function_does():
    assert SHOWING(1, third=4, other=5) == plain(1, third=4, other=5)
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'first'"):
        SHOWING(third=4)


def test_it_is_a_method_where_a_function_is_one():
    thing = Thing()
    assert thing.method(second=3, self=4) == (thing, 3, {"self": 4})
    assert Thing.method(1) == (1, 2, {})


def test_it_shows_the_keywords():
    shown = "second=2, third: 'int' = 3, fourth: 'str | None' = None)"
    assert str(inspect.signature(SHOWING)) == f"(first, /, *, {shown}"
    assert str(inspect.signature(Thing().method)) == f"(*, {shown}"


def test_it_looks_like_the_function():
    assert (SHOWING.__name__, SHOWING.__module__) == ("plain", __name__)
    assert SHOWING.__doc__ == plain.__doc__
    assert inspect.getsource(SHOWING) == inspect.getsource(plain)
    assert inspect.isroutine(SHOWING)


@pytest.mark.parametrize("function", [load, Client.with_options])
def test_help_shows_it_as_a_function(function):
    text = pydoc.plain(pydoc.render_doc(function))
    assert f"{function.__name__}(" in text
    assert "timeout: " in text
    assert function.__doc__.splitlines()[0] in text


@pytest.mark.parametrize("function", [load, Client.with_options])
def test_it_is_pickled_by_its_name(function):
    assert pickle.loads(pickle.dumps(function)) is function


@pytest.mark.parametrize("name", ["prepare", "raw"])
def test_a_method_shows_the_arguments_of_what_it_belongs_to(name):
    client = load("1.42", host="unix:///nowhere.sock")
    method = getattr(client.ContainerWait, name)
    assert [*inspect.signature(method).parameters] == ["id", "condition"]
    assert "(id: str, *, condition: str = None)" in pydoc.render_doc(method)
    assert "Check the arguments" in pydoc.render_doc(method)
    assert method == getattr(client.ContainerWait, name)
    assert hash(method) == hash(getattr(client.ContainerWait, name))
    assert method != getattr(client.ContainerList, name)
    again = pickle.loads(pickle.dumps(client.ContainerWait.prepare))
    assert again("web") == client.ContainerWait.prepare("web")


def test_of_no_object_such_a_method_shows_what_it_takes():
    assert [*inspect.signature(BoundOperation.raw).parameters] == ["self", "args", "kwargs"]
    operation = load("1.42", host="unix:///nowhere.sock").ContainerList
    assert BoundOperation.prepare(operation, all=True) == operation.prepare(all=True)
