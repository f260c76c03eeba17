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
            "An export to the directory never overwrites one. Its mode is 0600.",
        ),
    ),
    "import": (
        *_SETTINGS,
        (
            "NAME.undo-YYYYMMDDTHHMMSSZ.json",
            "What an import with --force overwrote. If the first FILE is a file: beside it. If it "
            "is a directory: in it, as cursors.undo-...json. Otherwise: in the working directory. "
            "Import it with --force to go back. Positions that were cleared because facts are "
            "missing also need --accept-loss.",
        ),
    ),
    "check": _SETTINGS,
    "catchup": _SETTINGS,
}

STATUS_NOTES = {
    "export": (
        "The alarm is exit status 1 because something was lost since an earlier checkpoint. With a "
        "FILE, export then writes nothing. With a directory that holds earlier checkpoints, it "
        "writes a new one and removes none. The message says which, and names the command that "
        "restores what was lost. Each export exits 1 until you run it. Export does not report a "
        "peer that you removed, unless no position is left at all. If a disk fails, the message "
        "says whether a file was written."
    ),
    "import": (
        "Status 3 is not a failure, but do not start the node yet: run the commands in the line "
        "that begins with info: next; they fetch what is missing. With status 0, read the warnings "
        "first: a peer may be missing, or nothing may show that its facts are there."
    ),
    "check": (
        "Fit means: the check found no problem. A database alone shows whether positions are lost, "
        "not whether facts before them are missing. To check the facts too, give --db and the "
        "checkpoints. FILEs without --db are checked without the "
        "database. With PostgreSQL, where --db means a SQLite file, use cursor-import --dry-run "
        "instead. With status 1, standard error has a line for each reason; with --json the "
        "document has them, and standard error only an error that ended the check. A database "
        "that holds facts of an active peer, but no position for it, is not fit until you import "
        "or catch up."
    ),
    "catchup": (
        "After status 3, do what the message says, then run the command again; after a signal, "
        "just run it again: it goes on where it stopped. On a "
        "signal it finishes or undoes the page in hand, and exits with 128 plus the signal's "
        "number. On a node that relays, --live is refused (status 1)."
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
            (
                "facts missing",
                "Import would withhold the position: it would not write it, because facts before "
                "it are or may be missing.",
            ),
            (
                "peer not found",
                "The database does not know the peer. It has to register with this node first.",
            ),
            ("no position", "The checkpoint has no position for this peer."),
        ),
    },
}
"""Further sections of a command's page."""

OVERVIEW: dict[str, str | Terms] = {
    "DESCRIPTION": (
        "A stigmem node stores facts, the records that its clients write. It also pulls the facts "
        "of other nodes, its peers. For each peer it keeps a cursor: a row of the table "
        "replication_cursors. The cursor holds the position: how far the node has pulled. These "
        "commands save the positions, and restore them after a loss."
    ),
    "POSITIONS": (
        "A position says: all facts that this peer offered up to here are in the database. The "
        "node asks the peer only for what comes after it. If the position is lost, the node's "
        "pull loop goes through every fact again, one page every pull interval. That takes hours. "
        "If it comes to a missing fact that is older than 30 days, it stops there. If the position "
        "is there and facts before it are missing, the node never asks for those facts again. That "
        "is worse: nobody notices."
    ),
    "WHAT IS WITHHELD, AND WHY": (
        "cursor-import restores a position if the database shows that its facts are there. "
        "A checkpoint says how many facts the node held from each peer, and which came last. If "
        "the database holds fewer facts, or not that one, import withholds the position: it does "
        "not write it, and says how many facts are missing. cursor-catchup then fetches them. With "
        "--accept-loss, import restores the position anyway, and the node never fetches them. The "
        "checkpoints of stigmem-node's built-in cursor-export count no facts. If the database "
        "holds no facts of a peer either, and the peer was not registered again, nothing can be "
        "shown: import restores the position, and warns."
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
        (
            "1. Stop the node.",
            "While it answers, catch-up refuses, and so does an import that would write.",
        ),
        (
            "2. Put the database back.",
            "From a backup, if there is one. Missing peers have to register with this node again.",
        ),
        (
            "3. cursor-import DIR",
            "It restores, for each peer, the furthest position whose facts the database holds. "
            "With --dry-run it only says what it would do. If it exits 3, facts are or may be "
            "missing: run the commands in the line that begins with info: next.",
        ),
        (
            "4. cursor-catchup",
            "It fetches what is missing, in minutes. You need it if import names it, or if there "
            "is no checkpoint at all.",
        ),
        (
            "5. cursor-check --db DATABASE DIR",
            "It exits 0 if no position is lost, and no fact is missing that the checkpoints count. "
            "Without arguments it checks the positions only.",
        ),
        ("6. Start the node.", "It goes on from the positions."),
    ),
    "EXIT STATUS": (
        ("0", "Done."),
        (
            "1",
            "Failed or refused. Import changed nothing, unless it says that it is complete; export "
            "to FILE changed nothing, unless it says that FILE was written. Export to a directory "
            "may have written a new checkpoint; if something was lost, it removed none. Catch-up "
            "keeps the pages that it stored. For check: not fit.",
        ),
        ("2", "Usage error."),
        (
            "3",
            "Done, but facts are or may be missing: import withheld or cleared a position, or "
            "found a position that is set although facts before it are missing; or catch-up did "
            "not finish a peer.",
        ),
        ("130, 141, 143", "Ended by Ctrl-C, by a closed pipe, or by SIGTERM."),
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
    ("After a loss, with the node stopped, restore the positions:", "import /backup/cursors/"),
    ("Fetch what is missing, if import says so:", "catchup"),
    (
        "Check that no position is lost and no fact is missing, then start the node:",
        "check --db stigmem.db /backup/cursors/",
    ),
)
"""The examples of stigmem-cursor(7): a sentence, and what follows ``stigmem-cursor``."""
