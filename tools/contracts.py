# SPDX-License-Identifier: Apache-2.0
"""The import contract that `.importlinter` names beside the built-in ones.

The built-in kind refuses to run when a module that it names does not exist; ours lets the
rules stand before the packages do, and binds each from the day it appears.
"""

from grimp import ImportGraph
from importlinter.contracts.forbidden import ForbiddenContract
from importlinter.domain.contract import ContractCheck


class ForbiddenOnceThere(ForbiddenContract):
    """A `forbidden` contract whose absent modules bind nobody."""

    type_name = "forbidden_once_there"

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        # The class declares fields, an instance holds their values: sets of expressions.
        self.source_modules = self._there(self.source_modules, graph)  # type: ignore[assignment]
        self.forbidden_modules = self._there(self.forbidden_modules, graph)  # type: ignore[assignment]
        return super().check(graph, verbose)

    def _there(self, expressions: object, graph: ImportGraph) -> set[object]:
        return {each for each in expressions if each.expression in graph.modules}  # type: ignore[attr-defined]
