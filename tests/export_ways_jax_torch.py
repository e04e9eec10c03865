"""`WAYS` of JAX and torch; see export_ways.py."""

import pickle

import pytest
import tensorflow as tf
from export_ways import (
    HOLDS,
    IMAGES,
    KEY,
    NOTHING,
    REFUSED,
    TRANSFORM,
    UNSAVED,
    way,
)

from tfpe import PerceptualEncrypt


def jax_function(function=TRANSFORM):
    """A compiled function that was traced and run before, and its argument."""
    jax = pytest.importorskip("jax", reason="jax is not installed")
    images = jax.numpy.asarray(IMAGES)
    compiled = jax.jit(lambda images: function(images))
    compiled(images)
    return jax, compiled, images


@way(REFUSED)
def jax_export_transform(folder):
    jax, encrypt, images = jax_function()
    return jax.export.export(encrypt)(images).serialize()


@way(REFUSED)
def jax_export_layer(folder):
    jax, encrypt, images = jax_function(PerceptualEncrypt(KEY, "ele").call)
    return jax.export.export(encrypt)(images).serialize()


@way(REFUSED)
def jax2tf(folder):
    jax, encrypt, images = jax_function()
    module = pytest.importorskip("jax.experimental.jax2tf", reason="no jax2tf")
    holder = tf.Module()
    spec = tf.TensorSpec(IMAGES.shape, tf.uint8)
    holder.encrypt = tf.function(module.convert(encrypt), input_signature=[spec])
    tf.saved_model.save(holder, folder / "out")


@way(NOTHING)
def jax_jaxpr(folder):
    jax, encrypt, images = jax_function()
    program = jax.make_jaxpr(encrypt)(images)
    return f"{program} {program.consts}"


@way(UNSAVED)
def jax_jaxpr_pickled(folder):
    jax, encrypt, images = jax_function()
    (call,) = jax.make_jaxpr(encrypt)(images).eqns
    return pickle.dumps([equation.params for equation in call.params["jaxpr"].eqns])


@way(HOLDS)
def jax_lowered_text(folder):
    _, encrypt, images = jax_function()
    return encrypt.lower(images).as_text()


@way(HOLDS)
def jax_executable(folder):
    # Also what the persistent compilation cache of JAX keeps on the disk.
    _, encrypt, images = jax_function()
    compiled = encrypt.lower(images).compile()
    return compiled.runtime_executable().serialize()


def torch_module():
    torch = pytest.importorskip("torch", reason="torch is not installed")

    class Encrypt(torch.nn.Module):
        def forward(self, images):
            return TRANSFORM(images)

    return torch, Encrypt(), torch.tensor(IMAGES)


@way(REFUSED)
def torch_jit_trace(folder):
    torch, encrypt, images = torch_module()
    torch.jit.trace(encrypt, images).save(folder / "out.pt")


@way(REFUSED)
def torch_export(folder):
    torch, encrypt, images = torch_module()
    torch.export.save(torch.export.export(encrypt, (images,)), folder / "out.pt2")


@way(REFUSED)
def torch_onnx(folder):
    torch, encrypt, images = torch_module()
    torch.onnx.export(encrypt, (images,), folder / "out.onnx", dynamo=False)


@way(NOTHING)
def onnxruntime(folder):
    torch, _, _ = torch_module()
    pytest.importorskip("onnx", reason="onnx is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="no onnxruntime")
    images = torch.tensor(TRANSFORM(IMAGES), dtype=torch.float32)
    cloud = torch.nn.Flatten()  # the cipher stays outside
    torch.onnx.export(cloud, (images,), folder / "cloud.onnx", dynamo=False)
    options = runtime.SessionOptions()
    options.optimized_model_filepath = str(folder / "optimized.onnx")
    session = runtime.InferenceSession(folder / "cloud.onnx", options)
    session.run(None, {session.get_inputs()[0].name: images.numpy()})


@way(REFUSED)
def torch_make_fx(folder):
    torch, encrypt, images = torch_module()
    from torch.fx.experimental.proxy_tensor import make_fx

    return make_fx(encrypt)(images).code


@way(NOTHING)
def torch_compile(folder):
    torch, encrypt, images = torch_module()
    graphs = []

    def keep(graph, inputs):
        graphs.append(graph.code + str(graph.state_dict()) + str(dict(inputs=inputs)))
        return graph

    compiled = torch.compile(lambda images: encrypt(images + 0) + 0, backend=keep)
    assert (compiled(images).numpy() == TRANSFORM(IMAGES)).all()
    return "".join(graphs)


@way(UNSAVED)
def torch_save(folder):
    torch, encrypt, _ = torch_module()
    encrypt.transform = TRANSFORM
    torch.save(encrypt.__dict__, folder / "out.pt")
