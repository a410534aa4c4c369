"""What the one machine that starts a cluster run has to do: list, cut, put the table together.

usage: python tests/benchmarks/bench_cluster_driver.py [--films N]

Prints processor time a film, so that other work on the machine does not count, and bytes a film.
The answers are invented; their size and the code are the real ones.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

from desktop.cluster.inputs import Film
from desktop.cluster.partition import FinishedFilm, encode_part, films_of, identity
from desktop.cluster.run import ClusterRun, PartSettings
from desktop.core.batch.result_json import dump_result
from desktop.core.batch.run import RunSettings
from desktop.core.cases import CaseResult, Prediction
from desktop.core.panels.registry import open_panel


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--films", type=int, default=20_000)
    count = parser.parse_args().films
    panel = open_panel("covid19")
    answer = dump_result(
        CaseResult(
            "", "", "ok", "", "",
            tuple(
                Prediction(name, (0.123456789012345, 0.765432109876543, 0.111111101111112), 0.5123)
                for name in panel.model_names
            ),
        )
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for form in ("csv", "parquet"):
            output = folder / f"votes.{form}"
            settings = RunSettings(output, form=form)
            with ClusterRun(panel, settings, PartSettings(str(folder / "parts"), 1024)) as run:
                films = (
                    Film(
                        f"{n % 1000:03}/film{n:09}.jpg", f"/mnt/films/{n % 1000:03}/film{n:09}.jpg"
                    )
                    for n in range(count)
                )
                start = time.process_time()
                run.plan(films, 200)
                listed = time.process_time() - start
                size = 0
                made_by = identity(panel, settings.precision)
                for part in run._parts:
                    rows = [
                        FinishedFilm(
                            film.image, 400_000, "1700000000000000000", "ab" * 32, "cpu", answer
                        )
                        for film in films_of(run._store, run._listing, part)
                    ]
                    data = encode_part(made_by, rows)
                    size += len(data)
                    run._store.write(part.file, data)
                run.complete = True
                start = time.process_time()
                run.write_table()
                merged = time.process_time() - start
            print(
                f"{form}: {count:,} films; listing and cutting {1e6 * listed / count:.1f} us each, "
                f"merging {1e6 * merged / count:.1f} us, parts {size / count:.0f} bytes, table "
                f"{output.stat().st_size / count:.0f} bytes"
            )


if __name__ == "__main__":
    main()
