"""Distillation: a smaller network learns what a larger one says of the very same changed film.

Hinton et al. 2015 ("Distilling the Knowledge in a Neural Network", section 2) with the temperature
at 1; the teacher sees the same augmented film as the student, many times over (Beyer et al. 2022,
"Knowledge distillation: A good teacher is patient and consistent").
"""

from __future__ import annotations

from typing import Any

import tensorflow as tf

from training.models.layers import LOGITS


class Teacher:
    """A trained network whose answers are targets.

    Args:
        body: Takes grey images float32 [N, h, w, 1] and gives as many logits as the student.
        share: Of the loss that its answers make up, 0 to 1; the labels make up the rest.

    Raises:
        ValueError: The share is not between 0 and 1.
    """

    def __init__(self, body: Any, share: float) -> None:
        if not 0 <= share <= 1:
            raise ValueError(f"The teacher's share of the loss is {share}, not between 0 and 1.")
        self.body, self.share = body, share
        body.trainable = False

    def targets(self, images: Any, labels: Any) -> Any:
        """What the student should say: float32 [N, L], rows of sum 1.

        Args:
            images: The changed films, as the student sees them.
            labels: Smoothed one-hot labels float32 [N, L].
        """
        size = self.body.input_shape[1]
        if size is not None and size != images.shape[1]:
            images = tf.image.resize(images, [size, size])
        said = tf.nn.softmax(tf.cast(self.body(images, training=False)[LOGITS], tf.float32))
        return self.share * said + (1 - self.share) * labels
