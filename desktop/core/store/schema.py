"""Tables of the review store and the way from an older version to this one.

``image`` and ``content`` are apart because one film may lie in a folder twice and because a file's
content may change; results belong to content, decisions to a path. ``decision`` is where things
stand, ``log`` is everything that ever happened and is only ever added to. ``step`` is the undo
stack: ``done`` steps can be undone, ``undone`` ones redone, ``dropped`` ones were undone and then
left behind by a new act, ``note`` ones are no act of the reader.
"""

from __future__ import annotations

import sqlite3

from desktop.core.errors import StoreFailed

APPLICATION_ID = 0x43585251  # "CXRQ"
SCHEMA_VERSION = 2
TABLES = frozenset(
    {"meta", "content", "image", "panel", "result", "failure", "decision", "step", "log", "session"}
)

_VERSION_1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE content (id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE);
CREATE TABLE image (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    content INTEGER REFERENCES content
);
CREATE TABLE panel (
    id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    manifest TEXT NOT NULL
);
CREATE TABLE result (
    content INTEGER NOT NULL, panel INTEGER NOT NULL,
    probabilities BLOB NOT NULL, model_ood BLOB NOT NULL, mean BLOB NOT NULL,
    consensus INTEGER, agreement INTEGER NOT NULL, entropy REAL NOT NULL,
    ood_score REAL, ood INTEGER NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (content, panel)
) WITHOUT ROWID;
CREATE TABLE failure (
    image INTEGER NOT NULL, panel INTEGER NOT NULL, sha256 BLOB NOT NULL,
    code TEXT NOT NULL, reason TEXT NOT NULL,
    PRIMARY KEY (image, panel)
) WITHOUT ROWID;
CREATE TABLE decision (
    panel TEXT NOT NULL, path TEXT NOT NULL,
    label TEXT, state TEXT NOT NULL, source TEXT NOT NULL, flagged INTEGER NOT NULL,
    comment TEXT NOT NULL, blind_label TEXT, votes_seen INTEGER NOT NULL,
    reviewer TEXT NOT NULL, reviewed_at TEXT NOT NULL, revision INTEGER NOT NULL,
    sha256 BLOB NOT NULL, changed INTEGER NOT NULL,
    PRIMARY KEY (path, panel),
    CHECK (state IN ('open', 'labelled', 'unsure') AND source IN ('', 'own', 'consensus')),
    CHECK ((state = 'labelled') = (label IS NOT NULL) AND (label IS NULL) = (source = '')),
    CHECK (label <> '' AND blind_label <> '' AND revision >= 0),
    CHECK (reviewed_at = '' OR reviewed_at GLOB
        '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]T[0-9][0-9]:[0-9][0-9]:[0-9][0-9]*Z')
) WITHOUT ROWID;
CREATE TABLE step (
    id INTEGER PRIMARY KEY AUTOINCREMENT, panel TEXT NOT NULL, kind TEXT NOT NULL,
    value TEXT NOT NULL, images INTEGER NOT NULL,
    position TEXT NOT NULL CHECK (position IN ('done', 'undone', 'dropped', 'note'))
);
CREATE INDEX step_stack ON step (panel, position, id);
CREATE TABLE log (
    revision INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER NOT NULL, panel TEXT NOT NULL,
    path TEXT NOT NULL, act TEXT NOT NULL CHECK (act IN ('do', 'undo', 'redo')),
    sha256 BLOB NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL
);
CREATE INDEX log_step ON log (step);
CREATE INDEX log_path ON log (panel, path);
CREATE TABLE session (panel TEXT PRIMARY KEY, state TEXT NOT NULL) WITHOUT ROWID;
"""

_VERSION_2 = """
ALTER TABLE result ADD COLUMN device TEXT NOT NULL DEFAULT '';
ALTER TABLE failure ADD COLUMN device TEXT NOT NULL DEFAULT '';
"""

# Index n leads from version n to n + 1; a released entry is never edited, only followed by another.
MIGRATIONS = (_VERSION_1, _VERSION_2)


def migrate(connection: sqlite3.Connection, name: str) -> None:
    """Bring a store to this version, in one transaction that another window waits for.

    Args:
        connection: Autocommit connection.
        name: The folder's name, for the sentence.

    Raises:
        StoreFailed: STORE-07 if a newer app wrote it.
        sqlite3.DatabaseError: It is damaged, or no review store.
    """
    if _version(connection, name) == SCHEMA_VERSION:
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        # Asked again under the lock: another window may have just done it.
        for statements in MIGRATIONS[_version(connection, name) :]:
            for statement in statements.split(";"):
                if statement.strip():
                    connection.execute(statement)
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether the header says that it is a review store of this version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return (application, version) == (APPLICATION_ID, SCHEMA_VERSION)


def check_all(connection: sqlite3.Connection) -> None:
    """Read everything that a decision needs; costs 0.3 s at 100,000 images.

    Raises:
        sqlite3.DatabaseError: Something is damaged.
    """
    # Also holds every row against the table's CHECKs.
    (finding,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if finding != "ok":
        raise sqlite3.DatabaseError(f"damaged: {finding}")
    try:
        # Decoding is what SQLite does not check; in one go it costs little.
        for query in (
            "SELECT panel, path, label, comment, blind_label, reviewer, reviewed_at FROM decision",
            "SELECT path, before, after FROM log",
            "SELECT path FROM image",
        ):
            for _ in connection.execute(query):
                pass
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) is not None:
            raise  # SQLite's own trouble (busy, disk), which says itself whether it is damage
        raise sqlite3.DatabaseError(f"damaged: {error}") from error


def check_tables(connection: sqlite3.Connection) -> None:
    """See that every table is there.

    Raises:
        sqlite3.DatabaseError: One is missing.
    """
    rows = connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")
    missing = TABLES - {name for (name,) in rows}
    if missing:
        raise sqlite3.DatabaseError(f"tables are missing: {', '.join(sorted(missing))}")


def _version(connection: sqlite3.Connection, name: str) -> int:
    own_transaction = not connection.in_transaction
    if own_transaction:
        # One snapshot for the three answers: another window may be creating the store right now.
        connection.execute("BEGIN")
    try:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
    finally:
        if own_transaction and connection.in_transaction:
            connection.execute("COMMIT")
    if version > SCHEMA_VERSION and application == APPLICATION_ID:
        raise StoreFailed(
            "STORE-07",
            f"The review of {name} was written by a newer version of the app and was not touched. "
            "Open it with that version, or update this one.",
        )
    if (application, bool(version)) != ((APPLICATION_ID, True) if tables else (0, False)):
        raise sqlite3.DatabaseError("this is no review store")
    return int(version)
