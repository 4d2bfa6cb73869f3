"""Matrix products of float32 in float32, on GPUs as on processors."""

from __future__ import annotations

from typing import Any

import keras


def multiply_in_float32() -> None:
    """Make the backend multiply float32 on a GPU in float32, and not in TF32, the default there.

    TF32 keeps 10 of the 23 bits of a number: rates would agree with those of `simulate` and of other backends to three
    digits only. The setting holds for all that Keras computes in this process. On JAX a choice of the user is kept (the
    variable ``JAX_DEFAULT_MATMUL_PRECISION``, or ``jax.config``); on TensorFlow and PyTorch choose after importing
    biornn's layers.
    """
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        config: Any = jax.config  # its type knows no settings
        if config.jax_default_matmul_precision is None:
            config.update("jax_default_matmul_precision", "float32")
    elif backend == "tensorflow":
        import tensorflow as tf

        tf.config.experimental.enable_tensor_float_32_execution(False)
    else:
        import torch

        torch.backends.cudnn.allow_tf32 = False  # of GRUs and LSTMs; all other products are in float32 anyway
