"""Words of the man pages that no parser holds: environment, files, columns, the overview."""

Terms = tuple[tuple[str, str], ...]

_DATABASE: Terms = (
    ("STIGMEM_DB_PATH", "The path of the node's database, if you do not give --db."),
    (
        "STIGMEM_STORAGE_BACKEND",
        "Where the node keeps its data: sqlite (the default), libsql or postgres. A backend that "
        "does not answer or is not installed is an error. A local file is never used in its place.",
    ),
    (
        "STIGMEM_PG_DSN, STIGMEM_DATABASE_URL, DATABASE_URL",
        "The PostgreSQL server. The first of the three that is set counts.",
    ),
    ("STIGMEM_PG_SCHEMA", "The schema on the PostgreSQL server."),
    (
        "STIGMEM_LIBSQL_URL, STIGMEM_LIBSQL_AUTH_TOKEN",
        "The remote database of a libSQL replica, and the token for it.",
    ),
    (
        "STIGMEM_AT_REST_ENCRYPTION",
        "on, if the database file is encrypted.",
    ),
    (
        "STIGMEM_AT_REST_KEY_PASSPHRASE_ENV, STIGMEM_AT_REST_KEY_KMS_URI",
        "Where the key of an encrypted database is. The key also opens an encrypted file that "
        "you give with --db.",
    ),
)
_PROBE: Terms = (
    (
        "STIGMEM_HOST, STIGMEM_PORT, STIGMEM_NODE_URL",
        "Where the command asks the node whether it runs. It asks only addresses of this machine.",
    ),
    (
        "STIGMEM_TLS_CERT_PATH, STIGMEM_TLS_KEY_PATH",
        "The certificate and the key with which it asks.",
    ),
)
_INTERVAL: Terms = (
    (
        "STIGMEM_FEDERATION_PULL_INTERVAL_S",
        "The seconds between two pages of the node's pull loop, 30 by default. The command "
        "uses it to estimate how long a re-pull takes, and to judge a checkpoint without counts.",
    ),
)
_PUSHES: Terms = (
    (
        "STIGMEM_FEDERATION_PUSH_ENABLED, STIGMEM_FEDERATION_RELAY_ENABLED",
        "If one is on, facts may come out of order, or from another peer first. The command then "
        "counts the facts of all senders together.",
    ),
)
_OUTPUT: Terms = (
    ("NO_COLOR", "If set, the command uses no colour, on a terminal too."),
    (
        "STIGMEM_CURSOR_DEBUG",
        "If set to 1, an unexpected error also shows where in the program it comes from.",
    ),
)
_HOST: Terms = (
    (
        "STIGMEM_CLI_PLUGINS",
        "If set to off, the stigmem command runs its own built-in cursor-export and "
        "cursor-import, and does not know the other two.",
    ),
)
_FEDERATION: Terms = (
    (
        "STIGMEM_FEDERATION_PUBKEY, STIGMEM_FEDERATION_PRIVKEY",
        "The keys with which the node asks its peers.",
    ),
    (
        "STIGMEM_*",
        "Every other setting of the node: cursor-catchup runs the node's own code. Run it with "
        "the environment of the node. Only its limit of age, "
        "STIGMEM_FEDERATION_HLC_MAX_PAST_SKEW_S, is not applied: facts of any age are taken.",
    ),
)

STANDALONE_ENVIRONMENT: dict[str, Terms] = {
    "export": _DATABASE + _PUSHES + _OUTPUT,
    "import": _DATABASE + _PROBE + _INTERVAL + _PUSHES + _OUTPUT,
    "check": _DATABASE + _INTERVAL + _PUSHES + _OUTPUT,
    "catchup": _DATABASE + _PROBE + _FEDERATION + _OUTPUT,
}
"""What each command reads from the environment."""

ENVIRONMENT = {name: terms + _HOST for name, terms in STANDALONE_ENVIRONMENT.items()}
"""The same for the commands of ``stigmem federation``."""

_SETTINGS: Terms = (
    (".env", "Settings of the node, in the working directory. The environment overrides it."),
    ("stigmem.db", "The database, if neither --db nor a setting names one. No command creates it."),
)

FILES: dict[str, Terms] = {
    "export": (
        *_SETTINGS,
        (
            "cursors-YYYYMMDDTHHMMSSZ.json",
            "A checkpoint in the directory that you give with --out, named by the time in UTC, "
            "such as cursors-20260502T183000Z.json. Only files with such a name count for --keep. "
            "Export never overwrites one. Its mode is 0600.",
        ),
    ),
    "import": (
        *_SETTINGS,
        (
            "NAME.undo-YYYYMMDDTHHMMSSZ.json",
            "What an import with --force overwrote: beside NAME.json, the first FILE that you "
            "named; in a directory that you named, as cursors.undo-...; else in the working "
            "directory. Import it with --force to go back.",
        ),
    ),
    "check": _SETTINGS,
    "catchup": _SETTINGS,
}

STATUS_NOTES = {
    "export": (
        "Status 1 with a FILE: export wrote nothing, and FILE is as it was. Status 1 with a "
        "directory: export wrote a new checkpoint and removed no old one, because an old one "
        "holds what the database has lost. In both cases the message names the command that "
        "brings it back and ends the alarm. A peer that you removed is no loss."
    ),
    "import": (
        "Status 3 is no failure. All other positions are restored. Run cursor-catchup to fetch "
        "what is missing, then start the node."
    ),
    "check": (
        "Fit means: if you recover from this, nothing is lost. With status 1, standard error has a "
        "line for each reason. A database without positions is not fit until you import, even if "
        "you have checkpoints of them. The column IMPORT shows what the import would do."
    ),
    "catchup": (
        "After status 3 or a signal, run the command again: it goes on where it stopped. On a "
        "signal it finishes or undoes the page in hand, and exits with 128 plus the signal's "
        "number."
    ),
}

SECTIONS: dict[str, dict[str, str | Terms]] = {
    "check": {
        "COLUMNS OF A DATABASE": (
            ("PEER", "The node id of the peer, and its status if the node does not pull from it."),
            ("DIRECTION", "inbound: this node pulls from the peer. outbound: the peer pulls."),
            ("POSITION", "How far the node has pulled, as a time; none if there is no position."),
            ("AGE", "How far the position lies in the past, such as 45 s or 3 days."),
            ("FACTS", "How many facts from this peer the database holds."),
            (
                "RE-PULL",
                "How long the node's pull loop would take to fetch these facts again, at one page "
                "every pull interval.",
            ),
            ("CATCH-UP", "About how long cursor-catchup would take to fetch them."),
        ),
        "COLUMNS WITH CHECKPOINTS": (
            ("PEER, DIRECTION", "As above."),
            ("CHECKPOINT", "The position in the checkpoint."),
            (
                "DATABASE",
                "The position in the database: none, same, or how far it is ahead of the "
                "checkpoint or behind it.",
            ),
            ("IMPORT", "What cursor-import would do with this position: see the next section."),
        ),
        "OUTCOMES OF AN IMPORT": (
            ("restored", "Import would write the position."),
            ("already set", "The database has a position. Import leaves it without --force."),
            ("facts missing", "Import would withhold the position: its facts are not there."),
            ("cleared", "Import would empty a position that stands on missing facts."),
            ("peer not found", "The database does not know the peer. Register it first."),
            ("no position", "The checkpoint has no position for this peer."),
        ),
    },
}
"""Further sections of a command's page."""

OVERVIEW: dict[str, str | Terms] = {
    "DESCRIPTION": (
        "A stigmem node pulls facts from its peers. For each peer it remembers how far it got, in "
        "one row of the table replication_cursors. These commands keep that table safe and put it "
        "back after a loss."
    ),
    "POSITIONS": (
        "A position (the host also calls it a cursor) says: all facts that this peer offered up "
        "to here are in my database. The node asks the peer only for what comes after it. If "
        "the position is lost, the node fetches every fact again, one page every pull interval. "
        "That takes hours. If the position is there and the facts are not, the node never asks for "
        "those facts again. That is worse: nobody notices."
    ),
    "WHAT IS WITHHELD, AND WHY": (
        "cursor-import restores a position only if the database shows that its facts are there. "
        "A checkpoint says how many facts the node held from each peer, and which came last: its "
        "witness. If the database holds fewer facts, or not that one, import withholds the "
        "position: it does not write it, and says how many facts are missing. The node then "
        "fetches them instead of skipping them. To restore such a position all the same, give "
        "--accept-loss; its facts are then lost for good."
    ),
    "BEFORE A LOSS": (
        ("Every 15 minutes", "cursor-export --out DIR --keep N, by a timer or cron."),
        ("Every day", "cursor-check --max-age 30m DIR, so that you notice if the exports stop."),
        (
            "With each backup of the database",
            "cursor-check --db BACKUP DIR, to see if it is fit.",
        ),
    ),
    "AFTER A LOSS": (
        ("1. Stop the node.", "Import and catch-up refuse while it answers."),
        ("2. Put the database back.", "From a backup, if there is one. Register missing peers."),
        (
            "3. cursor-import DIR",
            "It restores, for each peer, the furthest position that the database can back. With "
            "--dry-run it only says what it would do.",
        ),
        (
            "4. cursor-catchup",
            "It fetches what is missing, in minutes. You need it if import withheld a position "
            "(exit status 3), or if there is no checkpoint at all.",
        ),
        ("5. cursor-check", "It shows the position of each peer, and exits 0 if nothing is lost."),
        ("6. Start the node.", "It goes on from the positions."),
    ),
    "EXIT STATUS": (
        ("0", "Done."),
        (
            "1",
            "Failed or refused; nothing was changed, but cursor-catchup keeps the pages that it "
            "has stored, and cursor-export to a directory has written its checkpoint if it found a "
            "loss. For cursor-check: not fit.",
        ),
        ("2", "Usage error."),
        (
            "3",
            "Done, but import withheld or cleared a position or found a false one, or a peer is "
            "not caught up.",
        ),
    ),
    "ENVIRONMENT": (
        "Each command's own page lists what it reads. Run all of them as the user of the node, "
        "with the environment of the node."
    ),
    "FILES": (
        "The page of cursor-export lists the files that it writes. stigmem-cursor-checkpoint(5) "
        "describes what is in them."
    ),
}
"""The sections of stigmem-cursor(7), before its examples."""

STORY: Terms = (
    ("Take a checkpoint, and keep the last hundred:", "export --out /backup/cursors/ --keep 100"),
    ("After a loss, with the node stopped, put the positions back:", "import /backup/cursors/"),
    ("Fetch what is missing, then start the node:", "catchup"),
    ("See that nothing is lost:", "check"),
)
"""The examples of stigmem-cursor(7): a sentence, and what follows ``stigmem-cursor``."""
