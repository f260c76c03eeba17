"""``stigmem-cursor``, which is also ``python -m stigmem_cursor_plugin``."""

import signal


def main() -> None:
    """Load the program, then run it; Ctrl-C before it is loaded ends it without a traceback."""
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if usual:  # a shell's & has it ignored
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from stigmem_cursor_plugin import cli  # noqa: PLC0415  takes some 30 ms

    if usual:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    cli.main()


if __name__ == "__main__":
    main()
