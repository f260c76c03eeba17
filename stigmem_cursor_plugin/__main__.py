"""``python -m stigmem_cursor_plugin`` is another name for ``stigmem-cursor``."""

from stigmem_cursor_plugin.cli import main

if __name__ == "__main__":
    main()
