"""Products are in float32 on GPUs too; what a user has chosen stays."""

import os
import subprocess
import sys

import numpy as np
import pytest
from keras import ops

import biornn as bn
from biornn.layers import ConstrainedRNN, build_gated_model, build_model

from .gradients import BACKEND


@pytest.mark.skipif(BACKEND != "jax", reason="what JAX shall compute can be read")
def test_all_products_of_a_network_are_in_float32():
    import jax

    layer = ConstrainedRNN(bn.Connectivity(4, seed=0), return_sequences=True)
    model = build_model(bn.Connectivity(4, seed=0), 2, 1)
    gated = build_gated_model("gru", 4, 2, 1)
    inputs = np.zeros((2, 3, 2), "float32")
    for network in (layer, model, gated):
        network(inputs)

        def loss(given, network=network):
            return ops.sum(network(given))

        for function in (loss, jax.grad(loss)):
            program = str(jax.make_jaxpr(function)(inputs))
            assert (
                program.count("dot_general[") == program.count("precision=(Precision.HIGHEST, Precision.HIGHEST)") > 0
            )


@pytest.mark.skipif(BACKEND != "jax", reason="other backends cannot tell whether it was chosen")
def test_what_was_chosen_stays():
    code = "import biornn.layers, jax; print(jax.config.jax_default_matmul_precision)"
    environment = {**os.environ, "JAX_DEFAULT_MATMUL_PRECISION": "tensorfloat32"}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "tensorfloat32"


@pytest.mark.skipif(BACKEND == "jax", reason="of TensorFlow and PyTorch")
def test_tf32_is_off():
    if BACKEND == "tensorflow":
        import tensorflow as tf

        assert not tf.config.experimental.tensor_float_32_execution_enabled()
    else:
        import torch

        assert not torch.backends.cudnn.allow_tf32
        assert not torch.backends.cuda.matmul.allow_tf32
