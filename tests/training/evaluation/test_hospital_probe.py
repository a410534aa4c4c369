"""The probe names hospitals that features give away, and else falls to chance."""

from __future__ import annotations

import numpy as np

from training.evaluation.hospital_probe import probe_hospitals


def _films(leak: float) -> tuple[np.ndarray, np.ndarray, list[str], list[str]]:
    """240 films of three hospitals and two classes; ``leak`` moves the features by hospital."""
    random = np.random.default_rng(1)
    hospital, label = np.arange(240) % 3, np.arange(240) // 120
    features = random.normal(size=(240, 12)).astype(np.float32)
    features[:, 0] += 3 * label
    features[np.arange(240), 1 + hospital] += leak
    names = [f"hospital {number}" for number in hospital]
    return features, label.astype(np.int64), names, [f"patient {i // 2}" for i in range(240)]


def test_features_that_hold_the_hospital_give_it_away() -> None:
    first, second = probe_hospitals(*_films(8.0))
    assert (first.label, second.label) == (0, 1)
    assert first.hospitals == ("hospital 0", "hospital 1", "hospital 2")
    assert first.films == 120
    assert first.accuracy > 0.9


def test_features_without_it_stay_at_chance() -> None:
    for found in probe_hospitals(*_films(0.0)):
        assert found.chance == 1 / 3
        assert abs(found.accuracy - found.chance) < 0.15


def test_a_class_of_one_hospital_is_not_probed() -> None:
    features, labels, names, people = _films(1.0)
    names = ["one" if label == 0 else name for name, label in zip(names, labels, strict=True)]
    assert [found.label for found in probe_hospitals(features, labels, names, people)] == [1]


def test_a_person_is_not_learnt_and_asked() -> None:
    """Each patient has features of their own; with patients on both sides they would be known."""
    random = np.random.default_rng(3)
    patients = np.arange(200) // 5
    features = random.normal(size=(40, 60))[patients].astype(np.float32)
    names = [f"h{number % 2}" for number in patients]
    (found,) = probe_hospitals(
        features, np.zeros(200, np.int64), names, [str(number) for number in patients]
    )
    assert found.accuracy < 0.75
