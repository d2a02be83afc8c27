"""The models that generate.py draws: every layer with its options."""

import itertools
from dataclasses import dataclass
from typing import Callable

import keras
from keras import layers as L


@dataclass
class Case:
    name: str
    build: Callable  # rng -> model, inputs
    container: str = "keras"
    keep_weights: bool = False


def floats(rng, shape):
    return rng.normal(size=shape).astype("float32")


def one(name, make, shape, *, batch=3, dtype="float32", draw=None, dynamic=(), **options):
    """A model of one layer over one input; `dynamic` are dimensions that the model does not know."""

    def build(rng):
        given = tuple(None if i in dynamic else d for i, d in enumerate(shape))
        x = keras.Input(given, dtype=dtype, name="x")
        made = make()
        outputs = made(x)
        value = draw(rng, (batch, *shape)) if draw else floats(rng, (batch, *shape))
        return keras.Model(x, outputs), value.astype(dtype)

    return Case(name, build, **options)


def core():
    yield one("dense", lambda: L.Dense(4), (5,))
    yield one("dense_no_bias", lambda: L.Dense(4, use_bias=False, activation="tanh"), (5,))
    yield one("dense_3d", lambda: L.Dense(4, activation="relu"), (6, 5))
    yield one("dense_4d_dynamic", lambda: L.Dense(3), (2, 6, 5), dynamic=(0, 1))
    yield one("dense_float64", lambda: L.Dense(3, dtype="float64"), (5,), dtype="float64")
    yield one("dense_mixed_float16", lambda: L.Dense(3, dtype="mixed_float16"), (5,))
    yield one("dense_mixed_bfloat16", lambda: L.Dense(3, dtype="mixed_bfloat16"), (5,))
    yield one("dense_bfloat16", lambda: L.Dense(3, dtype="bfloat16"), (5,))
    yield one("dense_lora", lambda: L.Dense(4, lora_rank=2), (5,))
    yield one("einsum_dense", lambda: L.EinsumDense("abc,cd->abd", output_shape=(None, 6), bias_axes="d"), (4, 5))
    yield one("einsum_dense_ellipsis", lambda: L.EinsumDense("...x,xy->...y", output_shape=6, bias_axes="y", activation="relu"), (2, 4, 5))
    yield one("einsum_dense_tail", lambda: L.EinsumDense("ab...,bc->ac...", output_shape=(6, 4), bias_axes=None), (5, 4))
    yield one("einsum_dense_heads", lambda: L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de"), (4, 5))
    yield one("embedding", lambda: L.Embedding(11, 4), (6,), dtype="int32", draw=lambda r, s: r.integers(0, 11, s))
    yield one("embedding_float", lambda: L.Embedding(11, 4), (6,), draw=lambda r, s: r.integers(0, 11, s))
    yield one("embedding_mixed_float16", lambda: L.Embedding(11, 4, dtype="mixed_float16"), (6,), dtype="int64", draw=lambda r, s: r.integers(0, 11, s))
    yield one("identity", lambda: L.Identity(), (5,))

    def reversible(rng):
        x = keras.Input((6,), dtype="int32", name="x")
        e = L.ReversibleEmbedding(11, 4, logit_soft_cap=2.0)
        return keras.Model(x, e(e(x), reverse=True)), rng.integers(0, 11, (3, 6)).astype("int32")

    yield Case("reversible_embedding", reversible)


ACTIVATIONS = """relu relu6 leaky_relu softmax log_softmax elu celu selu softplus softsign squareplus soft_shrink sparse_plus silu swish
gelu glu tanh tanh_shrink sigmoid sparse_sigmoid exponential hard_sigmoid hard_silu hard_swish hard_tanh hard_shrink threshold mish
log_sigmoid sparsemax linear""".split()


def activations():
    for name in ACTIVATIONS:
        if name == "threshold":
            continue  # takes arguments
        yield one(f"activation_{name}", lambda name=name: L.Activation(name), (4, 6))
    yield one("relu_options", lambda: L.ReLU(max_value=1.5, negative_slope=0.1, threshold=0.3), (8,))
    yield one("relu_six", lambda: L.ReLU(max_value=6.0), (8,))
    yield one("relu_threshold", lambda: L.ReLU(threshold=0.3), (8,))
    yield one("leaky_relu_layer", lambda: L.LeakyReLU(negative_slope=0.17), (8,))
    yield one("elu_layer", lambda: L.ELU(alpha=0.7), (8,))
    yield one("prelu", lambda: L.PReLU(), (4, 6))
    yield one("prelu_shared", lambda: L.PReLU(shared_axes=[1]), (4, 6))
    yield one("softmax_axis", lambda: L.Softmax(axis=1), (4, 6))
    yield one("softmax_axes", lambda: L.Softmax(axis=(1, 2)), (4, 6))
    yield one("activation_object", lambda: L.Dense(5, activation=L.LeakyReLU(negative_slope=0.3)), (4,))


def convolutions():
    spatial = {1: (9,), 2: (8, 7), 3: (5, 6, 4)}
    for rank, shape in spatial.items():
        conv = getattr(L, f"Conv{rank}D")
        for padding, strides, dilation in [("same", 1, 1), ("valid", 2, 1), ("same", 2, 1), ("same", 1, 2), ("valid", 1, 2)]:
            yield one(f"conv{rank}d_{padding}_s{strides}_d{dilation}",
                      lambda a=(padding, strides, dilation), conv=conv: conv(4, 3, padding=a[0], strides=a[1], dilation_rate=a[2], activation="relu"), (*shape, 3))
        yield one(f"conv{rank}d_groups", lambda conv=conv: conv(6, 3, groups=2, use_bias=False), (*shape, 4))
        yield one(f"conv{rank}d_dynamic", lambda conv=conv: conv(4, 2, padding="same"), (*shape, 3), dynamic=range(rank))
        transpose = getattr(L, f"Conv{rank}DTranspose")
        for padding, strides, extra in [("same", 2, None), ("valid", 2, None), ("same", 1, None), ("valid", 3, None), ("same", 2, 1), ("valid", 3, 1)]:
            yield one(f"conv{rank}d_transpose_{padding}_s{strides}_o{extra}",
                      lambda a=(padding, strides, extra), f=transpose: f(4, 3, padding=a[0], strides=a[1], output_padding=a[2]), (*shape, 3))
        yield one(f"conv{rank}d_transpose_small_kernel", lambda f=transpose: f(2, 2, strides=3), (*shape, 3))
        yield one(f"conv{rank}d_transpose_dynamic", lambda f=transpose: f(2, 3, strides=2, padding="same"), (*shape, 3), dynamic=range(rank))
        yield one(f"conv{rank}d_uneven", lambda conv=conv, rank=rank: conv(3, (2, 3, 1)[:rank], strides=(1, 2, 2)[:rank]), (*shape, 2))
    yield one("conv1d_causal", lambda: L.Conv1D(4, 3, padding="causal"), (9, 3))
    yield one("conv1d_causal_dilated", lambda: L.Conv1D(4, 3, padding="causal", dilation_rate=2), (9, 3))
    for rank in (1, 2):
        shape = spatial[rank]
        for kind in ("Depthwise", "Separable"):
            f = getattr(L, f"{kind}Conv{rank}D")
            extra = (3,) if kind == "Separable" else ()
            for padding, strides, dilation, multiplier in [("same", 1, 1, 2), ("valid", 2, 1, 1), ("same", 2, 1, 1), ("same", 1, 2, 1)]:
                yield one(f"{kind.lower()}{rank}d_{padding}_s{strides}_d{dilation}_m{multiplier}",
                          lambda a=(padding, strides, dilation, multiplier), f=f, e=extra: f(*e, 3, padding=a[0], strides=a[1], dilation_rate=a[2], depth_multiplier=a[3]),
                          (*shape, 4))
    yield one("conv2d_mixed_bfloat16", lambda: L.Conv2D(4, 3, dtype="mixed_bfloat16"), (8, 7, 3))


def pooling():
    spatial = {1: (9,), 2: (8, 7), 3: (5, 6, 4)}
    for rank, shape in spatial.items():
        for kind in ("Max", "Average"):
            f = getattr(L, f"{kind}Pooling{rank}D")
            for padding, size, strides in [("valid", 2, None), ("same", 3, 2), ("valid", 3, 1)]:
                yield one(f"{kind.lower()}_pooling{rank}d_{padding}_{size}_{strides}", lambda a=(padding, size, strides), f=f: f(a[1], strides=a[2], padding=a[0]), (*shape, 3))
            yield one(f"{kind.lower()}_pooling{rank}d_first", lambda f=f: f(2, data_format="channels_first"), (3, *shape))
            g = getattr(L, f"Global{kind}Pooling{rank}D")
            yield one(f"global_{kind.lower()}{rank}d", lambda g=g: g(), (*shape, 3))
            yield one(f"global_{kind.lower()}{rank}d_keep_first", lambda g=g: g(data_format="channels_first", keepdims=True), (3, *shape))
            a = getattr(L, f"Adaptive{kind}Pooling{rank}D", None)
            if a:
                yield one(f"adaptive_{kind.lower()}{rank}d", lambda a=a: a(3), (*shape, 2))


def normalizations():
    for options in [{}, {"axis": 1}, {"scale": False}, {"center": False, "epsilon": 0.01}]:
        name = "_".join(f"{k}{v}" for k, v in options.items()).lower() or "plain"
        yield one(f"batch_normalization_{name}", lambda o=options: L.BatchNormalization(**o), (4, 5, 6))
    yield one("batch_normalization_2d", lambda: L.BatchNormalization(), (6,))
    yield one("batch_normalization_renorm", lambda: L.BatchNormalization(renorm=True), (6,))
    yield one("batch_normalization_mixed_float16", lambda: L.BatchNormalization(dtype="mixed_float16"), (6,))
    for options in [{}, {"axis": 1}, {"axis": [1, 2]}, {"axis": [-1, -2], "scale": False}, {"center": False}, {"rms_scaling": True}]:
        name = "_".join(f"{k}{v}" for k, v in options.items()).lower().replace(" ", "") or "plain"
        yield one(f"layer_normalization_{name}", lambda o=options: L.LayerNormalization(**o), (4, 6))
    for options in [{"groups": 3}, {"groups": -1}, {"groups": 1}, {"groups": 2, "axis": 1}, {"groups": 2, "axis": -2, "scale": False}, {"groups": 3, "center": False}]:
        name = "_".join(f"{k}{v}" for k, v in options.items()).lower()
        yield one(f"group_normalization_{name}", lambda o=options: L.GroupNormalization(**o), (4, 4, 6))
    yield one("group_normalization_dynamic", lambda: L.GroupNormalization(groups=3), (4, 4, 6), dynamic=(0, 1))
    yield one("rms_normalization", lambda: L.RMSNormalization(), (4, 6))
    yield one("rms_normalization_axis", lambda: L.RMSNormalization(axis=1), (4, 6))
    yield one("unit_normalization", lambda: L.UnitNormalization(), (4, 6))
    yield one("unit_normalization_axes", lambda: L.UnitNormalization(axis=[1, 2]), (4, 6))
    yield one("spectral_normalization", lambda: L.SpectralNormalization(L.Conv2D(3, 2)), (6, 5, 4))


def reshaping():
    yield one("flatten", lambda: L.Flatten(), (3, 4, 2))
    yield one("flatten_first", lambda: L.Flatten(data_format="channels_first"), (3, 4, 2))
    yield one("flatten_dynamic", lambda: L.Flatten(), (3, 4), dynamic=(0,))
    yield one("reshape", lambda: L.Reshape((6, 4)), (3, 8))
    yield one("reshape_unknown", lambda: L.Reshape((-1, 2, 2)), (3, 8))
    yield one("reshape_dynamic", lambda: L.Reshape((-1, 2)), (3, 8), dynamic=(0,))
    yield one("permute", lambda: L.Permute((3, 1, 2)), (3, 4, 2))
    yield one("repeat_vector", lambda: L.RepeatVector(4), (3,))
    yield one("zero_padding1d", lambda: L.ZeroPadding1D((1, 3)), (5, 2))
    yield one("zero_padding2d", lambda: L.ZeroPadding2D(((1, 0), (2, 3))), (4, 5, 2))
    yield one("zero_padding2d_first", lambda: L.ZeroPadding2D((1, 2), data_format="channels_first"), (2, 4, 5))
    yield one("zero_padding3d", lambda: L.ZeroPadding3D(((1, 0), (2, 3), (0, 1))), (3, 4, 5, 2))
    yield one("cropping1d", lambda: L.Cropping1D((1, 2)), (6, 2))
    yield one("cropping2d", lambda: L.Cropping2D(((1, 0), (2, 1))), (4, 5, 2))
    yield one("cropping2d_first", lambda: L.Cropping2D(1, data_format="channels_first"), (2, 4, 5))
    yield one("cropping3d", lambda: L.Cropping3D(((1, 0), (0, 1), (1, 1))), (3, 4, 5, 2))
    yield one("cropping1d_dynamic", lambda: L.Cropping1D((1, 2)), (6, 2), dynamic=(0,))
    yield one("up_sampling1d", lambda: L.UpSampling1D(3), (5, 2))
    yield one("up_sampling2d", lambda: L.UpSampling2D((2, 3)), (4, 5, 2))
    yield one("up_sampling2d_bilinear", lambda: L.UpSampling2D((2, 3), interpolation="bilinear"), (4, 5, 2))
    yield one("up_sampling2d_bicubic", lambda: L.UpSampling2D(2, interpolation="bicubic"), (4, 5, 2))
    yield one("up_sampling2d_first", lambda: L.UpSampling2D(2, interpolation="bilinear", data_format="channels_first"), (2, 4, 5))
    yield one("up_sampling2d_dynamic", lambda: L.UpSampling2D(2), (4, 5, 2), dynamic=(0, 1))
    yield one("up_sampling3d", lambda: L.UpSampling3D((1, 2, 2)), (3, 4, 2, 2))


def regularization():
    for make, shape in [(lambda: L.Dropout(0.4), (5,)), (lambda: L.Dropout(0.4, noise_shape=(None, 1), seed=3), (5,)), (lambda: L.SpatialDropout1D(0.3), (5, 2)),
                        (lambda: L.SpatialDropout2D(0.3), (5, 4, 2)), (lambda: L.SpatialDropout3D(0.3), (3, 4, 2, 2)), (lambda: L.AlphaDropout(0.3), (5,)),
                        (lambda: L.GaussianDropout(0.3), (5,)), (lambda: L.GaussianNoise(0.3), (5,)), (lambda: L.ActivityRegularization(l1=0.1), (5,))]:
        made = make()
        yield one(f"{type(made).__name__.lower()}_{'seeded' if getattr(made, 'seed', None) else 'plain'}", make, shape)


def preprocessing():
    yield one("rescaling", lambda: L.Rescaling(1 / 127.5, offset=-1), (4, 4, 3))
    yield one("rescaling_uint8", lambda: L.Rescaling(1 / 255.0), (4, 4, 3), dtype="uint8", draw=lambda r, s: r.integers(0, 256, s))
    yield one("rescaling_lists", lambda: L.Rescaling([0.5, 2.0, 3.0], offset=[1.0, 2.0, 3.0]), (4, 3))
    yield one("normalization", lambda: L.Normalization(mean=[1.0, 2.0, 3.0], variance=[2.0, 1.0, 4.0]), (4, 3))
    yield one("normalization_invert", lambda: L.Normalization(mean=1.5, variance=2.0, invert=True), (4, 3))

    def adapted(rng):
        layer = L.Normalization()
        layer.adapt(rng.normal(3, 2, size=(50, 4)))
        x = keras.Input((4,), name="x")
        return keras.Model(x, layer(x)), floats(rng, (3, 4))

    yield Case("normalization_adapted", adapted, keep_weights=True)
    for mode in ("one_hot", "multi_hot", "count"):
        yield one(f"category_encoding_{mode}", lambda mode=mode: L.CategoryEncoding(7, output_mode=mode), (5,) if mode != "one_hot" else (1,), dtype="int32",
                  draw=lambda r, s: r.integers(0, 7, s))
    yield one("discretization", lambda: L.Discretization([-1.0, 0.0, 0.5]), (6,))
    yield one("discretization_one_hot", lambda: L.Discretization([-1.0, 0.0, 0.5], output_mode="one_hot"), (1,))
    yield one("hashing", lambda: L.Hashing(9), (5,), dtype="int64", draw=lambda r, s: r.integers(0, 99, s))
    yield one("hashing_salt", lambda: L.Hashing(9, salt=[3, 7]), (5,), dtype="int64", draw=lambda r, s: r.integers(0, 99, s))
    yield one("hashing_mask", lambda: L.Hashing(9, mask_value=3), (5,), dtype="int64", draw=lambda r, s: r.integers(0, 9, s))
    yield one("resizing", lambda: L.Resizing(6, 5), (9, 8, 3))
    yield one("resizing_nearest", lambda: L.Resizing(6, 11, interpolation="nearest"), (9, 8, 3))
    yield one("resizing_bicubic", lambda: L.Resizing(13, 5, interpolation="bicubic"), (9, 8, 3))
    yield one("resizing_crop", lambda: L.Resizing(6, 4, crop_to_aspect_ratio=True), (9, 12, 3))
    yield one("resizing_pad", lambda: L.Resizing(6, 4, pad_to_aspect_ratio=True, fill_value=0.5), (9, 12, 3))
    yield one("resizing_uint8", lambda: L.Resizing(6, 5), (9, 8, 3), dtype="uint8", draw=lambda r, s: r.integers(0, 256, s))
    yield one("center_crop", lambda: L.CenterCrop(4, 5), (9, 8, 3))
    yield one("center_crop_larger", lambda: L.CenterCrop(12, 6), (9, 8, 3))


def merging():
    def two(name, make, shapes, **options):
        def build(rng):
            xs = [keras.Input(s, name=f"x{i}") for i, s in enumerate(shapes)]
            return keras.Model(xs, make()(xs)), [floats(rng, (3, *s)) for s in shapes]

        return Case(name, build, **options)

    for kind in ("Add", "Subtract", "Multiply", "Average", "Maximum", "Minimum"):
        f = getattr(L, kind)
        yield two(f"merge_{kind.lower()}", f, [(4, 5), (4, 5)])
        if kind != "Subtract":
            yield two(f"merge_{kind.lower()}_three", f, [(4, 5), (1, 5), (5,)])
    yield two("concatenate", L.Concatenate, [(4, 5), (4, 2)])
    yield two("concatenate_axis", lambda: L.Concatenate(axis=1), [(4, 5), (3, 5)])
    yield two("dot", lambda: L.Dot(axes=1), [(5,), (5,)])
    yield two("dot_axes", lambda: L.Dot(axes=(2, 1)), [(4, 5), (5, 3)])
    yield two("dot_normalized", lambda: L.Dot(axes=-1, normalize=True), [(4, 5), (3, 5)])


def recurrent():
    kinds = {"SimpleRNN": {}, "LSTM": {}, "GRU": {}}
    for kind in kinds:
        f = getattr(L, kind)
        yield one(f"{kind.lower()}", lambda f=f: f(4), (6, 3))
        yield one(f"{kind.lower()}_sequences", lambda f=f: f(4, return_sequences=True, go_backwards=True), (6, 3))
        yield one(f"{kind.lower()}_state", lambda f=f: f(4, return_state=True, return_sequences=True), (6, 3))
        yield one(f"{kind.lower()}_no_bias", lambda f=f: f(4, use_bias=False, activation="relu", unroll=True), (6, 3))
        yield one(f"{kind.lower()}_dynamic", lambda f=f: f(4, return_sequences=True), (6, 3), dynamic=(0,))
        yield one(f"{kind.lower()}_mixed_bfloat16", lambda f=f: f(4, dtype="mixed_bfloat16"), (6, 3))

        def initial(rng, f=f, kind=kind):
            x = keras.Input((6, 3), name="x")
            states = [keras.Input((4,), name=f"s{i}") for i in range(2 if kind == "LSTM" else 1)]
            y = f(4, return_state=True)(x, initial_state=states if len(states) > 1 else states[0])
            return keras.Model([x, *states], y), [floats(rng, (3, 6, 3)), *(floats(rng, (3, 4)) for _ in states)]

        yield Case(f"{kind.lower()}_initial_state", initial)
        for zero, sequences in itertools.product((False, True), (False, True)):
            def masked(rng, f=f, zero=zero, sequences=sequences):
                x = keras.Input((6,), dtype="int32", name="x")
                e = L.Embedding(5, 3, mask_zero=True)(x)
                return keras.Model(x, f(4, return_sequences=sequences, zero_output_for_mask=zero)(e)), rng.integers(0, 5, (4, 6)).astype("int32")

            yield Case(f"{kind.lower()}_masked_{int(zero)}{int(sequences)}", masked)
        for mode in ("concat", "sum", "ave", "mul"):
            yield one(f"bidirectional_{kind.lower()}_{mode}", lambda f=f, mode=mode: L.Bidirectional(f(3, return_sequences=mode != "mul"), merge_mode=mode), (6, 3))
        yield one(f"bidirectional_{kind.lower()}_none", lambda f=f: L.Bidirectional(f(3, return_sequences=True), merge_mode=None), (6, 3))
        yield one(f"bidirectional_{kind.lower()}_state", lambda f=f: L.Bidirectional(f(3, return_state=True)), (6, 3))
    yield one("gru_reset_before", lambda: L.GRU(4, reset_after=False), (6, 3))
    yield one("rnn_cell", lambda: L.RNN(L.LSTMCell(4), return_sequences=True), (6, 3))
    yield one("rnn_stacked", lambda: L.RNN([L.LSTMCell(4), L.GRUCell(3), L.SimpleRNNCell(2)], return_sequences=True), (6, 3))
    yield one("rnn_stacked_lstm", lambda: L.RNN(L.StackedRNNCells([L.LSTMCell(4), L.LSTMCell(5)])), (6, 3))
    yield one("bidirectional_two", lambda: L.Bidirectional(L.LSTM(3, return_sequences=True), backward_layer=L.GRU(2, return_sequences=True, go_backwards=True)), (6, 3))

    def masked_bidirectional(rng):
        x = keras.Input((6,), dtype="int32", name="x")
        e = L.Embedding(5, 3, mask_zero=True)(x)
        y = L.Bidirectional(L.LSTM(3, return_sequences=True))(e)
        return keras.Model(x, L.GRU(2)(y)), rng.integers(0, 5, (4, 6)).astype("int32")

    yield Case("bidirectional_masked", masked_bidirectional)

    def masking(rng):
        x = keras.Input((6, 3), name="x")
        value = floats(rng, (4, 6, 3))
        value[0, 3:] = value[2, :2] = 0.25
        y = L.Masking(0.25)(x)
        y = L.Dense(4)(L.Dropout(0.5)(L.LayerNormalization()(y)))
        return keras.Model(x, [L.LSTM(3)(y), L.GlobalAveragePooling1D()(y), y]), value

    yield Case("masking_chain", masking)

    def merged_masks(rng):
        x = keras.Input((6,), dtype="int32", name="x")
        a, b = L.Embedding(5, 3, mask_zero=True)(x), L.Embedding(5, 3, mask_zero=True)(L.Identity()(x))
        c = L.Embedding(5, 3)(x)
        return keras.Model(x, [L.GRU(2)(L.Add()([a, b])), L.GRU(2)(L.Concatenate()([a, c])), L.GRU(2)(L.Add()([a, c]))]), rng.integers(0, 5, (4, 6)).astype("int32")

    yield Case("masks_merged", merged_masks)

    def stateful(rng):
        x = keras.Input(batch_shape=(2, 5, 3), name="x")
        return keras.Model(x, L.LSTM(4, stateful=True, return_sequences=True)(x)), floats(rng, (2, 5, 3))

    yield Case("lstm_stateful", stateful)
    for rank, shape in {1: (5, 7, 2), 2: (4, 6, 5, 2), 3: (3, 4, 5, 3, 2)}.items():
        f = getattr(L, f"ConvLSTM{rank}D")
        yield one(f"conv_lstm{rank}d", lambda f=f: f(3, 2), shape)
        yield one(f"conv_lstm{rank}d_same", lambda f=f: f(3, 3, padding="same", strides=2, return_sequences=True, go_backwards=True), shape)
    yield one("time_distributed_dense", lambda: L.TimeDistributed(L.Dense(4, activation="relu")), (6, 3))
    yield one("time_distributed_conv", lambda: L.TimeDistributed(L.Conv2D(4, 2)), (3, 5, 4, 2))
    yield one("time_distributed_dynamic", lambda: L.TimeDistributed(L.Dense(4)), (6, 3), dynamic=(0,))
    yield one("time_distributed_model", lambda: L.TimeDistributed(keras.Sequential([keras.Input((3,)), L.Dense(4), L.BatchNormalization()])), (6, 3))
    yield one("time_distributed_lstm", lambda: L.TimeDistributed(L.LSTM(4)), (3, 5, 2))


def attention():
    def qv(rng, t=5, s=6, d=4, masks=False, names=("q", "v")):
        q, v = keras.Input((t, d), name=names[0]), keras.Input((s, d), name=names[1])
        values = [floats(rng, (3, t, d)), floats(rng, (3, s, d))]
        if masks:
            for value in values:
                value[0, 2:] = 0
                value[1, :1] = 0
        wrap = L.Masking(0.0) if masks else (lambda x: x)
        return [q, v], [wrap(q), wrap(v)], values

    for masks in (False, True):
        for causal in (False, True):
            for kind, options in [("Attention", {}), ("Attention", {"use_scale": True}), ("Attention", {"score_mode": "concat", "use_scale": True}), ("AdditiveAttention", {}),
                                  ("AdditiveAttention", {"use_scale": False})]:
                def build(rng, kind=kind, options=options, causal=causal, masks=masks):
                    inputs, (q, v), values = qv(rng, masks=masks)
                    return keras.Model(inputs, getattr(L, kind)(**options)([q, v], use_causal_mask=causal)), values

                yield Case(f"{kind.lower()}_{'_'.join(map(str, options.values())).lower()}_{int(masks)}{int(causal)}", build)
            for kind, options in [("MultiHeadAttention", dict(num_heads=2, key_dim=3)), ("MultiHeadAttention", dict(num_heads=2, key_dim=3, value_dim=5, output_shape=(2, 3), use_bias=False)),
                                  ("MultiHeadAttention", dict(num_heads=2, key_dim=3, dropout=0.2, use_gate=True)), ("MultiHeadAttention", dict(num_heads=3, key_dim=2, sliding_window=2)),
                                  ("GroupQueryAttention", dict(head_dim=3, num_query_heads=4, num_key_value_heads=2)),
                                  ("GroupQueryAttention", dict(head_dim=3, num_query_heads=4, num_key_value_heads=1, dropout=0.1, use_gate=True))]:
                def build(rng, kind=kind, options=options, causal=causal, masks=masks):
                    inputs, (q, v), values = qv(rng, masks=masks)
                    return keras.Model(inputs, getattr(L, kind)(**options)(q, v, use_causal_mask=causal)), values

                yield Case(f"{kind.lower()}_{'_'.join(f'{k[0]}{v}' for k, v in options.items()).lower().replace(' ', '')}_{int(masks)}{int(causal)}", build)

    def scores(rng):
        inputs, (q, v), values = qv(rng, masks=True)
        return keras.Model(inputs, L.MultiHeadAttention(2, 3)(q, v, return_attention_scores=True)), values

    yield Case("multiheadattention_scores", scores)

    def explicit(rng):
        inputs, (q, v), values = qv(rng)
        mask = keras.Input((5, 6), dtype="bool", name="m")
        return keras.Model([*inputs, mask], L.MultiHeadAttention(2, 3)(q, v, attention_mask=mask)), [*values, rng.random((3, 5, 6)) < 0.6]

    yield Case("multiheadattention_mask", explicit)

    def keyed(rng):
        inputs, (q, v), values = qv(rng)
        k = keras.Input((6, 4), name="k")
        return keras.Model([*inputs, k], L.MultiHeadAttention(2, 3)(q, v, k)), [*values, floats(rng, (3, 6, 4))]

    yield Case("multiheadattention_key", keyed)
    yield one("multiheadattention_axes", lambda: Twice(L.MultiHeadAttention(2, 3, attention_axes=(2,))), (4, 5, 6))
    yield one("multiheadattention_all_axes", lambda: Twice(L.MultiHeadAttention(2, 3)), (3, 4, 6))
    yield one("multiheadattention_dynamic", lambda: Twice(L.MultiHeadAttention(2, 3)), (5, 6), dynamic=(0,))


class Twice:
    """A layer called with one tensor as both arguments."""

    def __init__(self, layer):
        self.layer = layer

    def __call__(self, x):
        return self.layer(x, x)


def topologies():
    def sequential(rng, container):
        model = keras.Sequential([keras.Input((8, 8, 3), name="picture"), L.Rescaling(0.5), L.Conv2D(6, 3, activation="relu"), L.BatchNormalization(), L.MaxPooling2D(), L.Flatten(),
                                  L.Dropout(0.3), L.Dense(5, activation="softmax", name="probabilities")], name="net")
        return model, floats(rng, (3, 8, 8, 3))

    for container in ("keras", "h5", "json"):
        yield Case(f"sequential_{container}", lambda r, c=container: sequential(r, c), container)

    def lazy(rng):
        model = keras.Sequential([L.Dense(4, activation="relu"), L.Dense(2)])
        value = floats(rng, (3, 5))
        model(value)
        return model, value

    yield Case("sequential_without_input", lazy)

    def several(rng):
        a, b = keras.Input((5,), name="a"), keras.Input((5,), name="b")
        shared = L.Dense(4, activation="relu", name="shared")
        x, y = shared(a), shared(b)
        z = L.Concatenate(name="joined")([x, y])
        return keras.Model({"a": a, "b": b}, {"sum": L.Dense(2)(L.Add()([x, y])), "all": L.Dense(3)(z)}), [floats(rng, (3, 5)), floats(rng, (3, 5))]

    for container in ("keras", "h5", "json"):
        yield Case(f"several_{container}", several, container)

    def nested(rng):
        i = keras.Input((5,))
        inner = keras.Model(i, L.BatchNormalization()(L.Dense(4, activation="relu")(i)), name="inner")
        deep = keras.Sequential([keras.Input((4,)), L.Dense(4), inner.__class__(i2 := keras.Input((4,)), L.Dense(3)(i2), name="innermost")], name="deep")
        x = keras.Input((5,), name="x")
        y = inner(x)
        return keras.Model(x, [deep(y), inner(L.Dense(5)(y))]), floats(rng, (3, 5))

    for container in ("keras", "h5", "json"):
        yield Case(f"nested_{container}", nested, container)

    def frozen(rng):
        base = keras.Sequential([keras.Input((6,)), L.Dense(5), L.BatchNormalization(), L.Dense(4)], name="base")
        base.layers[0].trainable = False
        x = keras.Input((6,), name="x")
        return keras.Model(x, L.Dense(2)(L.Bidirectional(L.LSTM(3))(L.Reshape((2, 2))(base(x))))), floats(rng, (3, 6))

    for container in ("keras", "h5"):
        yield Case(f"frozen_{container}", frozen, container)

    def residual(rng):
        x = keras.Input((8, 8, 4), name="x")
        y = x
        for _ in range(3):
            z = L.ReLU()(L.BatchNormalization()(L.Conv2D(4, 3, padding="same", use_bias=False)(y)))
            y = L.Add()([y, z])
        return keras.Model(x, L.Dense(3)(L.GlobalAveragePooling2D()(y))), floats(rng, (2, 8, 8, 4))

    yield Case("residual", residual)

    def transformer(rng):
        x = keras.Input((None,), dtype="int32", name="tokens")
        e = L.Embedding(20, 8, mask_zero=True)(x)
        for _ in range(2):
            a = L.MultiHeadAttention(2, 4)(e, e, use_causal_mask=True)
            e = L.LayerNormalization()(L.Add()([e, a]))
            f = L.Dense(8)(L.Dense(16, activation="gelu")(e))
            e = L.LayerNormalization()(L.Add()([e, f]))
        return keras.Model(x, L.Dense(20)(e)), rng.integers(1, 20, (2, 7)).astype("int32")

    yield Case("transformer", transformer)


def operations():
    def unary(name, f, draw=floats):
        return one(f"ops_{name}", lambda: f, (4, 5), draw=draw)

    positive = lambda r, s: r.random(s) + 0.5
    for name in "abs exp negative sign square tanh sigmoid relu silu floor ceil round sin cos softplus".split():
        yield unary(name, getattr(keras.ops, name))
    for name in "log sqrt rsqrt reciprocal log1p".split():
        yield unary(name, getattr(keras.ops, name), positive)
    for name in "mean sum max min prod var std".split():
        yield unary(name, lambda x, f=getattr(keras.ops, name): f(x, axis=-1, keepdims=True))
    yield unary("arithmetic", lambda x: (x + 1) * 2.5 - x / 3 + 1 / (x * x + 1) - (-x) ** 2)
    yield unary("constants_left", lambda x: 2 - 3 * x)
    yield unary("compare", lambda x: keras.ops.where(x > 0.2, x, -x))
    yield unary("clip", lambda x: keras.ops.clip(x, -0.5, 0.5))
    yield unary("shape", lambda x: keras.ops.reshape(keras.ops.transpose(x, (0, 2, 1)), (-1, 10, 2)))
    yield unary("expand", lambda x: keras.ops.squeeze(keras.ops.expand_dims(x, 1), 1))
    yield unary("slices", lambda x: keras.ops.concatenate([x[:, 1:, ::2], x[:, :-1, -3:]], axis=1) if False else x[:, 1:3, ::2])
    yield unary("slice_index", lambda x: x[:, 0])
    yield unary("slice_ellipsis", lambda x: x[..., -1])
    yield unary("stack", lambda x: keras.ops.stack([x, x * 2], axis=1))
    yield unary("concatenate", lambda x: keras.ops.concatenate([x, x * 2], axis=-1))
    yield unary("split", lambda x: keras.ops.split(x, 2, axis=1))
    yield unary("matmul", lambda x: keras.ops.matmul(x, keras.ops.transpose(x, (0, 2, 1))))
    yield unary("einsum", lambda x: keras.ops.einsum("bij,bkj->bik", x, x))
    yield unary("cast", lambda x: keras.ops.cast(x * 3, "int32"))
    yield unary("softmax", lambda x: keras.ops.softmax(x, axis=1))
    yield unary("argmax", lambda x: keras.ops.argmax(x, axis=-1))
    yield unary("normalize", lambda x: keras.ops.normalize(x, axis=-1))
    yield unary("maximum", lambda x: keras.ops.maximum(x, 0.1) + keras.ops.minimum(x, x * 2))
    yield unary("pad_flip", lambda x: keras.ops.flip(keras.ops.pad(x, ((0, 0), (1, 2), (0, 0))), axis=1))
    yield unary("tile_repeat", lambda x: keras.ops.repeat(keras.ops.tile(x, (1, 2, 1)), 2, axis=2))


FAMILIES = [core, activations, convolutions, pooling, normalizations, reshaping, regularization, preprocessing, merging, recurrent, attention, topologies, operations]


def all_cases():
    for family in FAMILIES:
        yield from family()
