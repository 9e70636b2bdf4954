"""What one document says, in the forms that exchanges are held against."""

from __future__ import annotations

import threading
import weakref
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dynadock.contract.newer import Elsewhere, elsewhere
from dynadock.contract.nodes import Nodes
from dynadock.spec.cache import code_state, digest, read_compiled, write_compiled
from dynadock.spec.openapi import __file__ as _converting
from dynadock.spec.openapi import convert

if TYPE_CHECKING:
    from dynadock.contract.newer import NamesOf
    from dynadock.contract.validators import Validators
    from dynadock.spec.model import Operation, Spec


class Documented:
    """One spec: its schemas as nodes, its OpenAPI, and the validators of that when needed."""

    def __init__(self, spec: Spec) -> None:
        # Not by a reference, as it lives as long as the spec does.
        self._spec: Any = weakref.proxy(spec)
        self.version = str(spec.version)
        self.base_path = spec.base_path
        self.nodes = Nodes(spec.definitions)
        # As many as there are places in the document.
        self._elsewhere: dict[tuple[str, str], Elsewhere] = {}

    @cached_property
    def tree(self) -> dict[str, Any]:
        """The document in OpenAPI 3.1."""
        spec = self._spec
        if not spec.key:
            return convert(spec)
        key = digest(b"openapi", spec.key.encode(), code_state(_converting))
        tree = read_compiled(key)
        if tree is None:
            tree = convert(spec)
            write_compiled(key, tree)
        return tree

    @cached_property
    def validators(self) -> Validators:
        """What openapi-core makes of it, which takes a third of a second to load."""
        from dynadock.contract.validators import Validators

        return Validators(self.tree)

    def node_of(self, operation: Operation) -> dict[str, Any]:
        """Return what the tree says of an operation."""
        found: dict[str, Any] = self.tree["paths"][operation.path][operation.method.lower()]
        return found

    def elsewhere(self, operation: Operation, where: str, names_of: NamesOf) -> Elsewhere:
        """Return the names that other versions have somewhere in an operation; looked for once."""
        key = (operation.operation_id, where)
        found = self._elsewhere.get(key)
        if found is None:
            found = self._elsewhere[key] = elsewhere(operation, names_of)
        return found


_made: weakref.WeakKeyDictionary[Spec, Documented] = weakref.WeakKeyDictionary()
_making = threading.Lock()


def documented(spec: Spec) -> Documented:
    """Return what a spec says: made once, and for as long as there is the spec."""
    found = _made.get(spec)
    if found is None:
        made = Documented(spec)
        with _making:
            found = _made.setdefault(spec, made)
    return found
