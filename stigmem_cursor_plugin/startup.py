"""What runs when Python starts in the node's environment.

Today's hosts (stigmem-node 0.9.0a1 to 0.9.0a12) have no hook for commands, so this waits for
``stigmem_node.cli`` to be imported and wraps its ``_build_parser``. Everything that costs time
is put off until ``stigmem federation`` is really parsed or shown. Standard library only, and
nothing here may raise: an error at start-up would be an error in every program of the
environment.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from argparse import ArgumentParser
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

_HOST_CLI = "stigmem_node.cli"
_OUR_MODULES = "stigmem_cursor_plugin."
_LEFT_OUT = (
    "this stigmem-node has no stigmem_node.cli._build_parser, so stigmem-cursor-plugin could not "
    "add its commands; use `stigmem-cursor` in place of `stigmem federation`"
)
_ENTRANCES = ("parse_known_args", "format_help", "format_usage")


def install() -> None:
    """Wait for the host's command line, unless ``STIGMEM_CLI_PLUGINS`` is ``off``.

    Some versions of Python read the startup file twice in a virtual environment.
    """
    waits = any(isinstance(finder, _HostCliFinder) for finder in sys.meta_path)
    if not waits and os.environ.get("STIGMEM_CLI_PLUGINS", "").lower() != "off":
        sys.meta_path.insert(0, _HostCliFinder())


class _HostCliFinder:
    """A finder that does nothing until the host's CLI is imported, then removes itself."""

    def find_spec(
        self, name: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec that the other finders give, with one step after the module has run."""
        if name != _HOST_CLI:
            return None
        sys.meta_path.remove(self)
        try:
            from importlib.util import find_spec  # noqa: PLC0415  only a host pays for it

            spec = find_spec(name)
            if spec is not None:
                _after_loading(spec.loader, _wrap_build_parser)
        except Exception as error:  # noqa: BLE001
            _warn(error)
            return None  # the finders that come after this one find it again, unchanged
        return spec


def _after_loading(loader: Any, action: Callable[[ModuleType], None]) -> None:
    """Have *loader* call *action* with the module that it has run."""
    exec_module = loader.exec_module

    def exec_module_then_act(module: ModuleType) -> None:
        exec_module(module)
        action(module)

    loader.exec_module = exec_module_then_act


def _wrap_build_parser(cli: Any) -> None:
    """Have the module's ``_build_parser`` return a parser that plugins can extend."""
    build_parser = getattr(cli, "_build_parser", None)
    if build_parser is None:
        import atexit  # noqa: PLC0415

        # Not now: a host that calls the hook itself does so later, and needs no _build_parser.
        atexit.register(_tell_if_left_out)
        return

    def build_parser_with_plugins() -> ArgumentParser:
        parser: ArgumentParser = build_parser()
        try:
            from stigmem_cursor_plugin.argparse_internals import subparsers_of  # noqa: PLC0415

            federation = subparsers_of(parser).choices["federation"]
            _extend_when_used(federation, subparsers_of(federation))
        except Exception as error:  # noqa: BLE001
            _warn(error)
        return parser

    cli._build_parser = build_parser_with_plugins


def _tell_if_left_out() -> None:
    """Say at the end of ``stigmem federation`` that nobody has added the commands to it."""
    if "federation" in sys.argv[1:] and f"{_OUR_MODULES}plugin" not in sys.modules:
        _say(f"warning: {_LEFT_OUT}")


def _extend_when_used(federation: ArgumentParser, subparsers: Any) -> None:
    """Register the plugins just before *federation* first parses or is shown."""
    if any(_is_ours(command) for command in subparsers.choices.values()):
        return  # the host called the hook itself

    def register() -> None:
        for name in _ENTRANCES:
            vars(federation).pop(name, None)
        try:
            from stigmem_cursor_plugin.discovery import register_plugins  # noqa: PLC0415

            register_plugins(subparsers)
        except Exception as error:  # noqa: BLE001
            _warn(error)

    for name in _ENTRANCES:
        setattr(federation, name, _after(register, federation, name))


def _after(register: Callable[[], None], federation: Any, name: str) -> Callable[..., Any]:
    """Return the method *name* of *federation*, called once *register* has been."""

    def registered(*args: Any, **keywords: Any) -> Any:
        register()
        return getattr(federation, name)(*args, **keywords)

    return registered


def _is_ours(command: Any) -> bool:
    function = command.get_default("func")
    return getattr(getattr(function, "func", function), "__module__", "").startswith(_OUR_MODULES)


def _warn(error: Exception) -> None:
    _say(f"warning: stigmem.cli plugins skipped: {type(error).__name__}: {error}")


def _say(message: str) -> None:
    if sys.stderr is not None:  # print would write to standard output
        print(message, file=sys.stderr)
