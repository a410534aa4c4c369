"""Tables of the review store and the way from an older version to this one.

``image`` and ``content`` are apart because one film may lie in a folder twice and because a file's
content may change; results belong to content, decisions to a path. ``decision`` is where things
stand, ``log`` is everything that ever happened and is only ever added to. ``step`` is the undo
stack: ``done`` steps can be undone, ``undone`` ones redone, ``dropped`` ones were undone and then
left behind by a new act, ``note`` ones are no act of the reader.

Every row carries a checksum of its other columns, which SQLite itself computes when it writes the
row and compares when it checks the file: a disk that returns other bits than it was given, and a
backup that was copied in the middle of a change, are noticed where SQLite alone sees nothing.
"""

from __future__ import annotations

import functools
import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager, suppress

from desktop.core.errors import ModelRefused, StoreFailed
from desktop.core.panels.contract import PanelManifest

APPLICATION_ID = 0x43585251  # "CXRQ"
SCHEMA_VERSION = 3

# {name} is where a version adds columns to a table.
_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL{meta}) WITHOUT ROWID;
CREATE TABLE content (
    id INTEGER PRIMARY KEY, sha256 BLOB NOT NULL UNIQUE{content}
);
CREATE TABLE image (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE,
    size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL,
    content INTEGER REFERENCES content{image}
);
CREATE TABLE panel (
    id INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, name TEXT NOT NULL,
    manifest TEXT NOT NULL{panel}
);
CREATE TABLE result (
    content INTEGER NOT NULL, panel INTEGER NOT NULL,
    probabilities BLOB NOT NULL, model_ood BLOB NOT NULL, mean BLOB NOT NULL,
    consensus INTEGER, agreement INTEGER NOT NULL, entropy REAL NOT NULL,
    ood_score REAL, ood INTEGER NOT NULL, code TEXT NOT NULL, reason TEXT NOT NULL{result},
    PRIMARY KEY (content, panel)
) WITHOUT ROWID;
CREATE TABLE failure (
    image INTEGER NOT NULL, panel INTEGER NOT NULL, sha256 BLOB NOT NULL,
    code TEXT NOT NULL, reason TEXT NOT NULL{failure},
    PRIMARY KEY (image, panel)
) WITHOUT ROWID;
CREATE TABLE decision (
    panel TEXT NOT NULL, path TEXT NOT NULL,
    label TEXT, state TEXT NOT NULL, source TEXT NOT NULL, flagged INTEGER NOT NULL,
    comment TEXT NOT NULL, blind_label TEXT, votes_seen INTEGER NOT NULL,
    reviewer TEXT NOT NULL, reviewed_at TEXT NOT NULL, revision INTEGER NOT NULL,
    sha256 BLOB NOT NULL, changed INTEGER NOT NULL{decision},
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
    position TEXT NOT NULL CHECK (position IN ('done', 'undone', 'dropped', 'note')){step}
);
CREATE INDEX step_stack ON step (panel, position, id);
CREATE TABLE log (
    revision INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER NOT NULL, panel TEXT NOT NULL,
    path TEXT NOT NULL, act TEXT NOT NULL CHECK (act IN ('do', 'undo', 'redo')),
    sha256 BLOB NOT NULL, before TEXT NOT NULL, after TEXT NOT NULL{log}
);
CREATE INDEX log_step ON log (step);
CREATE INDEX log_path ON log (panel, path);
CREATE TABLE session (panel TEXT PRIMARY KEY, state TEXT NOT NULL{session}) WITHOUT ROWID;
"""

# Columns of each table that its checksum covers: the numbers, then the texts and blobs.
_COLUMNS = {
    "meta": ("", "key value"),
    "content": ("id", "sha256"),
    "image": ("id size mtime_ns content", "path"),
    "panel": ("id", "fingerprint name manifest former"),
    "result": (
        "content panel consensus agreement entropy ood_score ood",
        "probabilities model_ood mean code reason device",
    ),
    "failure": ("image panel", "sha256 code reason device"),
    "decision": (
        "flagged votes_seen revision changed",
        "panel path label state source comment blind_label reviewer reviewed_at sha256",
    ),
    "step": ("id images", "panel kind value position"),
    "log": ("revision step", "panel path act sha256 before after"),
    "session": ("", "panel state"),
}
TABLES = tuple(_COLUMNS)


def _computed(table: str, prefix: str = "") -> str:
    """The SQL that makes a row's checksum."""
    numbers, texts = (names.split() for names in _COLUMNS[table])
    values = [prefix + name for name in numbers]
    values += [f"ifnull(CAST({prefix}{name} AS BLOB), x'00ff')" for name in texts]
    return f"row_checksum({len(numbers)}, {', '.join(values)})"


def sound(*tables: str) -> str:
    """An SQL condition: the rows of these tables are as they were written."""
    return " AND ".join(f"{table}.checksum = {_computed(table, table + '.')}" for table in tables)


def _version_1() -> list[str]:
    return _TABLES.format_map(dict.fromkeys(TABLES, "")).strip().split(";\n")


_VERSION_2 = (
    "ALTER TABLE result ADD COLUMN device TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE failure ADD COLUMN device TEXT NOT NULL DEFAULT ''",
)


def _version_3() -> list[str]:
    """Every row with a checksum, and every value of its column's type (SQLite 3.37).

    Tables first: copying a store without gaps (VACUUM) numbers their pages in this order, and a new
    store must have the same numbers, see `recovery`. Numbers of steps and revisions need no counter
    beside the table, because their rows are never deleted.
    """
    added = dict.fromkeys(("result", "failure"), ", device TEXT NOT NULL")
    added["panel"] = ", former TEXT NOT NULL"
    columns = {
        table: f"{added.get(table, '')}, checksum INTEGER NOT NULL"
        f" GENERATED ALWAYS AS ({_computed(table)}) STORED CHECK (checksum = {_computed(table)})"
        for table in TABLES
    }
    text = _TABLES.format_map(columns).replace(" AUTOINCREMENT", "").replace("\n);", "\n) STRICT;")
    text = text.replace("ROWID;", "ROWID, STRICT;")
    return sorted(text.strip().split(";\n"), key=lambda line: line.startswith("CREATE INDEX"))


_TABLES_OF_DECISIONS = ("meta", "panel", "decision", "step", "log", "session")
_INDEXES = ("step_stack", "log_step", "log_path")
# Texts that must be UTF-8, which SQLite does not check; asked of stores without checksums.
_TEXTS = (
    "SELECT panel, path, label, comment, blind_label, reviewer, reviewed_at FROM decision",
    "SELECT path, before, after FROM log",
    "SELECT path FROM image",
)
# What is true of every store whose pages belong together: revisions without a gap, and each
# decision the one that the log says came last. Pages of two times, as in a backup that was copied
# while the app wrote, give themselves away here.
_GAPS = "SELECT count(*) <> ifnull(max(revision), 0) FROM log"
NOT_THE_LATEST = """
SELECT decision.panel, decision.path FROM decision LEFT JOIN log
    ON log.revision = decision.revision AND log.panel = decision.panel AND log.path = decision.path
    WHERE log.revision IS NULL
UNION ALL
SELECT latest.panel, latest.path FROM
    (SELECT panel, path, max(revision) AS revision FROM log WHERE panel <> '' GROUP BY panel, path)
    AS latest LEFT JOIN decision USING (panel, path)
    WHERE decision.revision IS NOT latest.revision
"""


def row_checksum(numbers: int, *values: object) -> int:
    """CRC-32 of a row: ``numbers`` values by their shortest text, then bytes."""
    start = zlib.crc32(repr(values[:numbers]).encode())
    return zlib.crc32(b"\0".join(values[numbers:]), start)  # type: ignore[arg-type]


def prepare(connection: sqlite3.Connection) -> None:
    """Teach a connection the function that the tables' checksums are made with."""
    connection.execute("PRAGMA trusted_schema = ON")
    connection.create_function("row_checksum", -1, row_checksum, deterministic=True)


def create_tables(connection: sqlite3.Connection, version: int = SCHEMA_VERSION) -> None:
    """Make the empty tables of a version in an empty file, and mark it as a store of it."""
    _run(connection, _version_3() if version == SCHEMA_VERSION else _version_1())
    if version == 2:
        _run(connection, _VERSION_2)
    mark(connection, version)


def migrate(connection: sqlite3.Connection, name: str) -> None:
    """Bring a store to this version, in one transaction that another window waits for.

    Args:
        connection: Autocommit connection that was given to `prepare`.
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
        version = _version(connection, name)
        if version == 0:
            create_tables(connection)
        elif version < SCHEMA_VERSION:
            with _errors_are_damage():
                _check_old(connection)
                if version == 1:
                    _run(connection, _VERSION_2)
                _add_checksums(connection)
            mark(connection, SCHEMA_VERSION)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    if 0 < version < SCHEMA_VERSION:
        # The old tables leave half of the file empty. A full disk or a busy window is no reason to
        # refuse: it is only larger.
        with suppress(sqlite3.OperationalError):
            connection.execute("VACUUM")


def is_current(connection: sqlite3.Connection) -> bool:
    """Whether the header says that it is a review store of this version."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    return (application, version) == (APPLICATION_ID, SCHEMA_VERSION)


def check_all(connection: sqlite3.Connection, *, results: bool = True) -> None:
    """Read the rows and compare their checksums; costs 1 s for 100,000 images.

    Args:
        connection: The store.
        results: False leaves out what can be computed again: 0.6 s.

    Raises:
        sqlite3.DatabaseError: Something is damaged.
    """
    check_tables(connection)
    with _errors_are_damage():
        # Also holds every row against the table's CHECKs, the checksum among them.
        for table in ("1",) if results else _TABLES_OF_DECISIONS:
            _check_structure(connection, table)
        (gaps,) = connection.execute(_GAPS).fetchone()
        if gaps or connection.execute(NOT_THE_LATEST).fetchone():
            raise sqlite3.DatabaseError("damaged: decisions and log contradict each other")


def check_tables(connection: sqlite3.Connection) -> None:
    """See that tables and indexes are those of this version.

    Raises:
        sqlite3.DatabaseError: One is missing or another.
    """
    if _schema_of(connection) != _expected_schema():
        raise sqlite3.DatabaseError("damaged: the tables are not those of a review store")


@functools.cache
def _expected_schema() -> frozenset[tuple[str, str]]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        prepare(connection)
        create_tables(connection)
        return _schema_of(connection)


def _schema_of(connection: sqlite3.Connection) -> frozenset[tuple[str, str]]:
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'")
    return frozenset(rows)


def _check_structure(connection: sqlite3.Connection, table: str = "1") -> None:
    (finding,) = connection.execute(f"PRAGMA integrity_check({table})").fetchone()
    if finding != "ok":
        raise sqlite3.DatabaseError(f"damaged: {finding}")


def _check_old(connection: sqlite3.Connection) -> None:
    """See that a store without checksums is sound before its rows are given any."""
    _check_structure(connection)
    for query in _TEXTS:
        for _ in connection.execute(query):
            pass


@contextmanager
def _errors_are_damage() -> Iterator[None]:
    """A text that is not UTF-8, a missing column, a senseless value: no code says damage then."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise sqlite3.DatabaseError(f"damaged: {error}") from error
    except sqlite3.OperationalError as error:
        if getattr(error, "sqlite_errorcode", None) not in (None, sqlite3.SQLITE_ERROR):
            raise  # busy, disk: the error says itself whether it is damage
        raise sqlite3.DatabaseError(f"damaged: {error}") from error


def _add_checksums(connection: sqlite3.Connection) -> None:
    """From version 2 to 3: every table anew with a checksum, panels with today's fingerprint.

    The former fingerprint is kept, because heatmaps that were stored before carry it.
    """
    for index in _INDEXES:
        connection.execute(f"DROP INDEX {index}")
    for table in TABLES:
        connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    _run(connection, _version_3())
    for table in TABLES:
        if table != "panel":
            rows = connection.execute(f"PRAGMA table_info(old_{table})").fetchall()
            columns = ", ".join(name for _, name, *_ in rows)
            connection.execute(f"INSERT INTO {table} ({columns}) SELECT {columns} FROM old_{table}")
    for number, former, name, manifest in connection.execute(
        "SELECT id, fingerprint, name, manifest FROM old_panel ORDER BY id"
    ).fetchall():
        try:
            fingerprint = PanelManifest.from_json(manifest).fingerprint
        except ModelRefused:  # of a version that this app does not read: nobody can open it
            fingerprint = former
        connection.execute(
            "INSERT INTO panel (id, fingerprint, name, manifest, former) VALUES (?, ?, ?, ?, ?)",
            (number, fingerprint, name, manifest, former),
        )
    for table in TABLES:
        connection.execute(f"DROP TABLE old_{table}")


def _run(connection: sqlite3.Connection, statements: Iterable[str]) -> None:
    for statement in statements:
        connection.execute(statement)


def mark(connection: sqlite3.Connection, version: int) -> None:
    """Write the version into the header and, where it has one, into the table ``meta``."""
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {version}")
    if version >= 3:
        connection.execute(
            "INSERT OR REPLACE INTO meta (key, value) VALUES ('version', ?)", (str(version),)
        )


def _version(connection: sqlite3.Connection, name: str) -> int:
    own_transaction = not connection.in_transaction
    if own_transaction:
        # One snapshot for all answers: another window may be creating the store right now.
        connection.execute("BEGIN")
    try:
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        stated = None
        if tables:
            with suppress(sqlite3.OperationalError):  # somebody else's database
                stated = connection.execute(
                    "SELECT value FROM meta WHERE key = 'version'"
                ).fetchone()
    finally:
        if own_transaction and connection.in_transaction:
            connection.execute("COMMIT")
    # The header has no checksum: a version older than that of the tables is damage.
    if stated is not None and version < int(stated[0]):
        raise sqlite3.DatabaseError(f"damaged: version {version} in the header, {stated[0]} inside")
    if version > SCHEMA_VERSION and application == APPLICATION_ID:
        raise StoreFailed(
            "STORE-07",
            f"The review of {name} was written by a newer version of the app and was not touched. "
            "Open it with that version, or update this one.",
        )
    if (application, bool(version)) != ((APPLICATION_ID, True) if tables else (0, False)):
        raise sqlite3.DatabaseError("this is no review store")
    return int(version)
