"""More kinds for zoo.py: every option of a layer that a model may use.

Kinds that differ in one option are the outputs of one model, so that a few
compilations cover many of them.
"""

import keras
import numpy as np
import tensorflow as tf
from keras import layers as L
from keras import ops

from models import _bert, _encoder, _unet, kind, seq


def call(function, x, *shape):
    return L.Lambda(function, output_shape=shape or None)(x)


# Dense and activations ---------------------------------------------------


@kind(((14,), "normal"))
def activations_all(x):
    names = ["sparsemax", "silu", "swish", "hard_swish", "hard_silu", "hard_sigmoid", "hard_tanh", "linear",
             "sparse_sigmoid", "squareplus",
             "celu", "glu", "tanh_shrink", "soft_shrink", "hard_shrink", "log_sigmoid", "log_softmax",
             "relu6", "elu", "selu", "mish", "softsign", "exponential", "sigmoid", "leaky_relu"]
    outputs = [L.Activation(n)(L.Dense(12)(x)) for n in names]
    h = L.Dense(12)(x)
    wraps = [lambda t: keras.activations.gelu(t, approximate=True), lambda t: keras.activations.gelu(t, approximate=False),
             lambda t: keras.activations.relu(t, negative_slope=0.1, max_value=1.5, threshold=0.2),
             lambda t: keras.activations.elu(t, alpha=0.3), lambda t: keras.activations.celu(t, alpha=0.5),
             lambda t: ops.softmax(t, axis=0), lambda t: ops.logsumexp(t, axis=-1), lambda t: tf.nn.crelu(t),
             lambda t: tf.nn.elu(t) + tf.nn.relu6(t) - tf.nn.softsign(t), lambda t: keras.activations.threshold(t, 0.3, -1.0)]
    outputs += [L.Lambda(w)(h) for w in wraps]
    outputs += [L.LeakyReLU(0.2)(h), L.ELU(0.7)(h), L.PReLU(alpha_initializer="uniform")(h), L.ReLU(3.0, 0.1, 0.5)(h),
                L.Softmax()(h)]
    return outputs


@kind(((6, 5, 4), "normal"))
def softmax_axes(x):
    return [L.Softmax(axis=1)(x), L.Softmax(axis=2)(x), L.Softmax(axis=[1, 2])(x), L.Softmax(axis=-1)(x),
            L.PReLU(alpha_initializer="uniform", shared_axes=[1, 2])(x), L.PReLU(alpha_initializer="uniform")(x)]


@kind([("a", (6, 8), "normal"), ("b", (6, 8), "normal"), ("c", (6, 8), "normal")])
def merging(a, b, c):
    dots = [L.Dot(axes=axes, normalize=n)([a, b]) for axes, n in [((2, 2), False), (1, False), (2, True)]]
    return [L.Add()([a, b, c]), L.Subtract()([a, b]), L.Multiply()([a, b, c]), L.Average()([a, b, c]), L.Maximum()([a, b, c]),
            L.Minimum()([a, b, c]), L.Concatenate(axis=1)([a, b, c]), L.Concatenate()([a, b]), *dots,
            L.EinsumDense("abc,cd->abd", output_shape=(None, 5), bias_axes="d")(a),
            L.EinsumDense("abc,cde->abde", output_shape=(None, 2, 3), bias_axes="de")(b),
            L.EinsumDense("ab...,bc->ac...", output_shape=(7, None), bias_axes="c")(c),
            L.RepeatVector(3)(L.Flatten()(a)), L.Dense(7, use_bias=False)(c)]


@kind([("ids", (7,), 40), ("more", (3,), 12), ("x", (5,), "normal")])
def recommender(ids, more, x):
    """Embeddings of several fields, masked means, factorisation, several heads."""
    e = L.Embedding(40, 6, mask_zero=True)(ids)
    mean = L.GlobalAveragePooling1D()(e)
    f = L.Embedding(12, 6)(more)
    square = call(lambda t: tf.square(tf.reduce_sum(t, 1)) - tf.reduce_sum(tf.square(t), 1), f)
    first = call(lambda t: t[:, 0], f)
    joined = L.Concatenate()([mean, square, first, L.Dense(6, "relu")(x)])
    cross = L.Add()([L.Multiply()([joined, L.Dense(24)(joined)]), joined])
    tower = seq(L.Dense(16, "relu"), L.BatchNormalization(), L.Dropout(0.1), L.Dense(8, "selu"), L.AlphaDropout(0.1))(cross)
    return {"click": L.Dense(1, "sigmoid", name="click")(tower), "stars": L.Dense(5, "softmax", name="stars")(tower),
            "near": L.Dot(1, normalize=True, name="near")([mean, first])}


@kind(((12,), "normal"))
def nested(x):
    """Models within models, one of them twice, with its own inputs and outputs."""
    i = keras.Input((12,))
    inner = keras.Model(i, [L.Dense(12, "relu")(i), L.Dense(3)(i)], name="inner")
    a, b = inner(x)
    c, d = inner(a)
    outer = seq(keras.Sequential([L.Dense(4), L.ReLU()]), L.Dense(2))
    return [outer(c), b, d, L.Identity()(a), L.GaussianNoise(0.1)(d), L.ActivityRegularization(0.1)(d)]


# Normalization -----------------------------------------------------------


@kind(((9, 8, 6), "normal"))
def norms_axes(x):
    up = L.Dense(6, bias_initializer="uniform")(x)
    return [L.BatchNormalization(axis=2)(up), L.BatchNormalization(axis=3, center=False)(up), L.BatchNormalization(scale=False)(up),
            L.BatchNormalization(center=False, scale=False, epsilon=0.1)(up), L.LayerNormalization(axis=1)(up),
            L.LayerNormalization(axis=[1, 2])(up), L.LayerNormalization(axis=-1, center=False)(up), L.LayerNormalization(scale=False)(up),
            L.GroupNormalization(2)(up), L.GroupNormalization(-1)(up), L.GroupNormalization(1, epsilon=1e-5)(up),
            L.GroupNormalization(4, axis=2)(up), L.UnitNormalization(axis=1)(up), L.UnitNormalization(axis=[2, 3])(up),
            L.RMSNormalization(axis=-1, epsilon=1e-5)(up), L.RMSNormalization(axis=[2, 3])(up)]


@kind(((11, 6), "normal"))
def norms_sequence(x):
    return [L.BatchNormalization()(x), L.BatchNormalization(axis=1)(x), L.LayerNormalization()(x), L.LayerNormalization(axis=1)(x),
            L.GroupNormalization(3)(x), L.RMSNormalization()(x), L.UnitNormalization()(x),
            L.BatchNormalization()(L.Dense(5)(L.Flatten()(x))), L.SpectralNormalization(L.Dense(5))(L.Flatten()(x))]


# Convolutions ------------------------------------------------------------


@kind(((23, 19, 6), "normal"))
def conv2d_options(x):
    rows = [dict(filters=5, kernel_size=3, padding=p, strides=s) for p in ("same", "valid") for s in (1, 2, (1, 3))]
    rows += [dict(filters=8, kernel_size=(3, 2), dilation_rate=(1, 2), padding="valid"), dict(filters=6, kernel_size=1, strides=2),
             dict(filters=6, kernel_size=3, groups=6, padding="same"), dict(filters=12, kernel_size=3, groups=3, strides=2, padding="same"),
             dict(filters=4, kernel_size=3, groups=2, dilation_rate=2), dict(filters=7, kernel_size=(7, 1), use_bias=False),
             dict(filters=40, kernel_size=1, activation="gelu"), dict(filters=3, kernel_size=(23, 19)), dict(filters=1, kernel_size=5)]
    return [L.Conv2D(**r)(x) for r in rows]


@kind(((17, 15, 5), "normal"))
def depthwise_options(x):
    rows = [dict(kernel_size=3, depth_multiplier=2), dict(kernel_size=(5, 3), depth_multiplier=3, padding="same"),
            dict(kernel_size=3, strides=2, depth_multiplier=2, padding="same"), dict(kernel_size=2, strides=2),
            dict(kernel_size=3, dilation_rate=3, padding="same", depth_multiplier=2), dict(kernel_size=7, padding="same", activation="relu")]
    separable = [dict(filters=9, kernel_size=3, depth_multiplier=2), dict(filters=4, kernel_size=5, strides=2, padding="same"),
                 dict(filters=4, kernel_size=3, dilation_rate=2, activation="tanh")]
    one = call(lambda t: t[..., :1], x)
    return [*(L.DepthwiseConv2D(**r)(x) for r in rows), *(L.SeparableConv2D(**r)(x) for r in separable),
            L.DepthwiseConv2D(3, depth_multiplier=8)(one), L.DepthwiseConv2D(3, padding="same")(one)]


@kind(((9, 7, 5), "normal"))
def transposed_options(x):
    rows = [dict(filters=4, kernel_size=3, strides=s, padding=p) for p in ("same", "valid") for s in (1, 2, 3)]
    rows += [dict(filters=4, kernel_size=(4, 2), strides=(2, 1), padding="same"), dict(filters=6, kernel_size=2, strides=2, activation="relu"),
             dict(filters=3, kernel_size=3, strides=2, padding="same", output_padding=1), dict(filters=3, kernel_size=2, strides=4, padding="valid"),
             dict(filters=3, kernel_size=3, strides=2, padding="valid", output_padding=1), dict(filters=3, kernel_size=3, dilation_rate=2)]
    return [L.Conv2DTranspose(**r)(x) for r in rows]


@kind(((26, 5), "normal"))
def conv1d_options(x):
    rows = [dict(filters=4, kernel_size=3, padding=p, strides=s) for p in ("same", "valid", "causal") for s in (1, 2)]
    rows += [dict(filters=4, kernel_size=3, padding=p, dilation_rate=d) for p in ("same", "valid", "causal") for d in (2, 4)]
    rows += [dict(filters=10, kernel_size=3, groups=5), dict(filters=6, kernel_size=1)]
    transposed = [dict(filters=3, kernel_size=3, strides=s, padding=p) for s in (1, 2, 3) for p in ("same", "valid")]
    transposed += [dict(filters=3, kernel_size=4, strides=2, padding="same", output_padding=1), dict(filters=3, kernel_size=3, dilation_rate=2)]
    return [*(L.Conv1D(**r)(x) for r in rows), *(L.Conv1DTranspose(**r)(x) for r in transposed),
            L.SeparableConv1D(6, 3, strides=2, padding="same", depth_multiplier=2)(x), L.SeparableConv1D(6, 3)(x),
            L.DepthwiseConv1D(3, strides=2, depth_multiplier=2)(x)]


@kind(((8, 9, 7, 4), "normal"))
def conv3d_options(x):
    rows = [dict(filters=3, kernel_size=3, padding=p, strides=s) for p in ("same", "valid") for s in (1, 2)]
    rows += [dict(filters=3, kernel_size=(1, 3, 2), dilation_rate=2), dict(filters=4, kernel_size=1), dict(filters=4, kernel_size=3, groups=2, padding="same")]
    transposed = [dict(filters=3, kernel_size=k, strides=s, padding=p) for k, s in ((3, 1), (2, 2), ((1, 3, 2), (1, 2, 2))) for p in ("same", "valid")]
    return [*(L.Conv3D(**r)(x) for r in rows), *(L.Conv3DTranspose(**r)(x) for r in transposed)]


@kind(((13, 11, 4), "normal"))
def pooling_options(x):
    rows = [(size, strides, p) for size, strides in ((2, None), (3, 2), ((1, 3), (2, 1)), ((5, 4), 3)) for p in ("same", "valid")]
    pools = [pool(size, strides, padding=p)(x) for size, strides, p in rows for pool in (L.MaxPooling2D, L.AveragePooling2D)]
    flat = L.Reshape((143, 4))(x)
    volume = L.Reshape((13, 11, 2, 2))(x)
    return [*pools, L.GlobalMaxPooling2D(keepdims=True)(x), L.GlobalAveragePooling2D()(x), L.MaxPooling1D(4, 3, "same")(flat),
            L.AveragePooling1D(4, 3, "valid")(flat), L.GlobalMaxPooling1D(keepdims=True)(flat), L.MaxPooling3D((2, 3, 1), (2, 2, 1), "same")(volume),
            L.AveragePooling3D((3, 2, 2), 2, "same")(volume), L.GlobalAveragePooling3D()(volume), L.GlobalMaxPooling3D()(volume)]


@kind(((4, 15, 13), "normal"))
def channels_first(x):
    """What TensorFlow's CPU kernels run in this order; Keras transposes some of them itself."""
    options = dict(data_format="channels_first")
    return [L.BatchNormalization(axis=1)(x), L.GlobalAveragePooling2D(**options)(x), L.GlobalMaxPooling2D(**options)(x), L.Flatten(**options)(x),
            L.ZeroPadding2D(1, **options)(x), L.Cropping2D(2, **options)(x), L.UpSampling2D(2, **options)(x),
            L.GroupNormalization(2, axis=1)(x)]


@kind(((16, 14, 3), "image"))
def resampling(x):
    x = L.Rescaling(1 / 255, -0.5)(x)
    sizes = [(L.Resizing(h, w, interpolation=m)) for h, w in ((7, 31), (32, 28)) for m in ("bilinear", "nearest", "bicubic")]
    crops = [L.Resizing(10, 20, crop_to_aspect_ratio=True), L.Resizing(20, 10, pad_to_aspect_ratio=True), L.CenterCrop(9, 7), L.CenterCrop(20, 18)]
    ups = [L.UpSampling2D((2, 3), interpolation=m) for m in ("nearest", "bilinear", "bicubic")]
    v1 = tf.compat.v1.image
    old = [lambda t: v1.resize_bilinear(t, (20, 9), align_corners=True), lambda t: v1.resize_nearest_neighbor(t, (20, 9), align_corners=True),
           lambda t: v1.resize_bilinear(t, (20, 9)), lambda t: v1.resize_bicubic(t, (20, 9), align_corners=True),
           lambda t: v1.resize_nearest_neighbor(t, (7, 9))]
    return [*(f(x) for f in sizes + crops + ups), *(call(f, x, None, None, 3) for f in old),
            L.ZeroPadding2D(((1, 2), (3, 0)))(x), L.Cropping2D(((1, 2), (0, 3)))(x)]


@kind(((20, 20, 2), "unit"))
def detector(x):
    """A head over two scales: anchors, boxes, scores, the best of them."""
    a = seq(L.Conv2D(8, 3, 2, padding="same"), L.BatchNormalization(), L.Activation("swish"))(x)
    b = seq(L.Conv2D(12, 3, 2, padding="same"), L.BatchNormalization(), L.Activation("swish"))(a)
    a = L.Concatenate()([a, L.UpSampling2D(2)(b)])
    rows = [L.Reshape((-1, 7))(L.Conv2D(21, 1)(t)) for t in (a, b)]
    rows = L.Concatenate(axis=1)(rows)
    boxes = call(lambda t: tf.concat([tf.sigmoid(t[..., :2]), tf.exp(t[..., 2:4])], -1), rows)
    scores = call(lambda t: tf.nn.softmax(t[..., 4:]), rows)
    best = call(lambda t: tf.math.top_k(tf.reduce_max(t, -1), 5).values, scores)
    which = call(lambda t: tf.math.top_k(tf.reduce_max(t, -1), 5).indices, scores)
    picked = L.Lambda(lambda t: tf.gather(t[0], t[1], batch_dims=1), output_shape=(5, 4))([boxes, which])
    return [boxes, scores, best, which, picked]


@kind(((24, 24, 3), "unit"))
def unet_attention(x):
    """Gated skips, group norm, strided down, transposed up."""
    def block(t, n):
        return seq(L.Conv2D(n, 3, padding="same"), L.GroupNormalization(2), L.Activation("silu"))(t)

    a = block(x, 8)
    b = block(L.Conv2D(12, 3, 2, padding="same")(a), 12)
    up = L.Conv2DTranspose(8, 4, 2, padding="same")(b)
    gate = L.Conv2D(1, 1, activation="sigmoid")(L.ReLU()(L.Add()([L.Conv2D(4, 1)(a), L.Conv2D(4, 1)(up)])))
    tokens = L.Reshape((144, 12))(b)
    mixed = L.Reshape((12, 12, 12))(L.MultiHeadAttention(2, 6)(tokens, tokens))
    return [L.Conv2D(2, 1)(block(L.Concatenate()([L.Multiply()([a, gate]), up]), 8)), L.Add()([b, mixed])]


@kind(((32, 32, 2), "unit"))
def unet_bicubic(x):
    return _unet(x, lambda n: seq(L.UpSampling2D(2, interpolation="bicubic"), L.Conv2D(n, 3, padding="same")))


@kind(((28, 28, 1), "unit"))
def variational(x):
    """A variational autoencoder at its mean, with the decoder's transposed convolutions."""
    h = seq(L.Conv2D(8, 3, 2, activation="relu", padding="same"), L.Conv2D(16, 3, 2, activation="relu", padding="same"), L.Flatten(),
            L.Dense(16, "relu"))(x)
    mean, spread = L.Dense(2)(h), L.Dense(2)(h)
    y = seq(L.Dense(7 * 7 * 16, "relu"), L.Reshape((7, 7, 16)), L.Conv2DTranspose(16, 3, 2, activation="relu", padding="same"),
            L.Conv2DTranspose(8, 3, 2, activation="relu", padding="same"), L.Conv2DTranspose(1, 3, activation="sigmoid", padding="same"))(mean)
    loss = L.Lambda(lambda t: -0.5 * tf.reduce_sum(1 + t[1] - tf.square(t[0]) - tf.exp(t[1]), -1))([mean, spread])
    return [y, mean, spread, loss]


# Recurrent ---------------------------------------------------------------


def _recurrent(layer, x, **extra):
    rows = [dict(return_sequences=True), dict(go_backwards=True), dict(go_backwards=True, return_sequences=True), dict(unroll=True),
            dict(unroll=True, return_sequences=True, go_backwards=True), dict(use_bias=False), dict(activation="relu"), dict(dropout=0.2)]
    outputs = [layer(5, **r, **extra)(x) for r in rows]
    for mode in ("concat", "sum", "mul", "ave"):
        outputs.append(L.Bidirectional(layer(4, return_sequences=mode in ("concat", "mul"), **extra), merge_mode=mode)(x))
    outputs += L.Bidirectional(layer(4, **extra), merge_mode=None)(x)
    outputs += L.Bidirectional(layer(3, return_state=True, **extra))(x)
    outputs += layer(3, return_state=True, return_sequences=True, **extra)(x)
    stacked = layer(4, return_sequences=True, **extra)(L.Bidirectional(layer(4, return_sequences=True, **extra))(x))
    return [*outputs, layer(3, **extra)(stacked)]


@kind(((7, 4), "normal"), batches=(1, 3))
def lstm_options(x):
    return _recurrent(L.LSTM, x)


@kind(((7, 4), "normal"), batches=(1, 3))
def lstm_unforgetting(x):
    return [L.LSTM(5, unit_forget_bias=False, recurrent_activation="hard_sigmoid", activation="softsign", return_sequences=True)(x),
            L.LSTM(5, recurrent_activation="relu", unroll=True)(x)]


@kind(((7, 4), "normal"), batches=(1, 3))
def gru_options(x):
    return _recurrent(L.GRU, x)


@kind(((7, 4), "normal"), batches=(1, 3))
def gru_reset_before(x):
    return _recurrent(L.GRU, x, reset_after=False)


@kind(((7, 4), "normal"), batches=(1, 3))
def simple_rnn_options(x):
    return _recurrent(L.SimpleRNN, x)


@kind(((7, 4), "normal"), batches=(1, 3), frozen=False)
def recurrent_dropout(x):
    """Seeds are variables that inference assigns as well."""
    return [layer(3, recurrent_dropout=0.3, return_sequences=True)(x) for layer in (L.LSTM, L.GRU, L.SimpleRNN)]


@kind([("ids", (9,), 20), ("x", (9, 4), "normal")], batches=(1, 3))
def recurrent_masks(ids, x):
    e = L.Embedding(20, 5, mask_zero=True)(ids)
    masked = L.Masking(0.0)(L.Lambda(lambda t: t[1] * tf.cast(t[0] > 4, tf.as_dtype(t[1].dtype))[..., None])([ids, x]))
    outputs = [L.LSTM(4, return_sequences=True)(e), L.GRU(4, return_sequences=True)(e), L.SimpleRNN(4)(e), L.LSTM(4, go_backwards=True)(e),
               L.Bidirectional(L.LSTM(3, return_sequences=True))(e), L.GRU(4, reset_after=False)(e), L.LSTM(4, unroll=True)(e),
               L.LSTM(4)(masked), L.GRU(4, return_sequences=True, zero_output_for_mask=True)(masked),
               L.TimeDistributed(L.Dense(3))(e), L.Bidirectional(L.GRU(3), merge_mode="ave")(masked)]
    return outputs


@kind(((5, 6, 7, 2), "normal"), batches=(1, 2))
def time_distributed(x):
    return [L.TimeDistributed(L.Conv2D(3, 3))(x), L.TimeDistributed(seq(L.Conv2D(3, 3, 2), L.BatchNormalization(), L.ReLU(), L.GlobalAveragePooling2D()))(x),
            L.TimeDistributed(L.Flatten())(x), L.GRU(4)(L.TimeDistributed(L.GlobalMaxPooling2D())(x)), L.TimeDistributed(L.TimeDistributed(L.Dense(3)))(x)]


@kind(((4, 8, 7, 2), "normal"), batches=(1, 2))
def conv_lstm2d(x):
    y = L.ConvLSTM2D(3, 3, padding="same", return_sequences=True)(x)
    return [L.ConvLSTM2D(3, 3, strides=2)(x), L.ConvLSTM2D(3, 3, dilation_rate=2, return_sequences=True, padding="valid")(x), L.ConvLSTM2D(2, (1, 3), padding="same", go_backwards=True)(x),
            L.Conv3D(1, 3, padding="same", activation="sigmoid")(L.BatchNormalization()(L.ConvLSTM2D(3, 3, padding="same", return_sequences=True)(y))),
            L.Bidirectional(L.ConvLSTM2D(2, 3, padding="same"))(x)]


@kind(((4, 9, 2), "normal"), batches=(1, 2))
def conv_lstm1d(x):
    return [L.ConvLSTM1D(3, 3, padding="same", return_sequences=True)(x), L.ConvLSTM1D(3, 3, strides=2)(x)]


@kind(((3, 5, 6, 4, 2), "normal"), batches=(1, 2))
def conv_lstm3d(x):
    return [L.ConvLSTM3D(2, 2, padding="same")(x)]


@kind(((8, 3), "normal"), batches=(1, 3))
def cells(x):
    return [L.RNN(L.LSTMCell(5), return_sequences=True)(x), L.RNN(L.GRUCell(5, reset_after=False), go_backwards=True)(x),
            *L.RNN([L.LSTMCell(5), L.LSTMCell(4)], return_state=True)(x)[:1], L.RNN(L.StackedRNNCells([L.GRUCell(3), L.SimpleRNNCell(2)]), return_sequences=True)(x)]


# Attention ---------------------------------------------------------------


@kind([("q", (6, 12), "normal"), ("v", (8, 10), "normal"), ("keep", (8,), 2)])
def attention_options(q, v, keep):
    mask = call(lambda m: m[:, None, :] > 0, keep)
    y, scores = L.MultiHeadAttention(3, 4)(q, v, return_attention_scores=True)
    return [L.MultiHeadAttention(2, 5, value_dim=3)(q, v), L.MultiHeadAttention(2, 5, output_shape=7)(q, v, attention_mask=mask), y, scores,
            L.MultiHeadAttention(4, 3, use_bias=False)(q, q, use_causal_mask=True), L.MultiHeadAttention(2, 6, dropout=0.1)(q, v, v),
            L.MultiHeadAttention(1, 12)(q, v, use_causal_mask=True, attention_mask=mask), L.GroupQueryAttention(5, 6, 2)(q, q),
            L.GroupQueryAttention(4, 4, 1)(q, q, use_causal_mask=True), L.GroupQueryAttention(4, 2, 2)(L.Dense(10)(q), v, attention_mask=mask)]


@kind(((5, 6, 8), "normal"))
def attention_axes(x):
    return [L.MultiHeadAttention(2, 4, attention_axes=(2,))(x, x), L.MultiHeadAttention(2, 4, attention_axes=(1, 2))(x, x), L.MultiHeadAttention(2, 3)(x, x)]


@kind([("q", (6, 8), "normal"), ("v", (9, 8), "normal"), ("keep", (9,), 2)])
def attention_dense(q, v, keep):
    mask = call(lambda m: m > 0, keep)
    return [L.Attention(score_mode="concat")([q, v]), L.Attention(dropout=0.2)([q, v, v]), L.Attention()([q, v], mask=[None, mask]),
            L.AdditiveAttention(use_scale=False)([q, v]), *L.Attention(use_scale=True)([q, v], return_attention_scores=True),
            L.AdditiveAttention()([q, v], use_causal_mask=True)]


@kind([("source", (9,), 30), ("target", (7,), 30)], batches=(1, 3))
def transformer(source, target):
    """Encoder and decoder with masks from the tokens, sinusoidal positions, tied output weights."""
    table = L.Embedding(30, 16, mask_zero=True)
    angles = np.arange(16)[:, None] / 10000 ** (np.arange(8) / 8)
    positions = np.concatenate([np.sin(angles), np.cos(angles)], -1).astype("float32")

    def embed(t):
        return L.Lambda(lambda y: y * 4.0 + tf.cast(tf.constant(positions)[: tf.shape(y)[1]], y.dtype))(table(t))

    memory = _encoder(embed(source), 2, 16)
    y = _encoder(embed(target), 4, 16, causal=True, memory=memory)
    tied = L.Lambda(lambda t: tf.matmul(t[0], t[1], transpose_b=True))([y, table(L.Lambda(lambda t: tf.zeros_like(t[:, :1]) + tf.range(30, dtype=t.dtype))(source))])
    return [L.Dense(30, "softmax")(y), tied]


@kind(((12,), 50), batches=(1, 3))
def llama_mini(ids):
    """Rotary positions, root mean square norms, grouped queries, gated feed-forward."""
    x = L.Embedding(50, 16)(ids)

    def rotary(t):
        half = t.shape[-1] // 2
        place = tf.cast(tf.range(tf.shape(t)[1]), t.dtype)[:, None] / 10000.0 ** (tf.range(half, dtype=t.dtype) / half)
        cos, sin = tf.cos(place)[None, :, None], tf.sin(place)[None, :, None]
        a, b = tf.split(t, 2, -1)
        return tf.concat([a * cos - b * sin, b * cos + a * sin], -1)

    def attend(t):
        q, k, v = t
        k, v = tf.repeat(k, 2, axis=2), tf.repeat(v, 2, axis=2)
        scores = tf.einsum("bqhd,bkhd->bhqk", rotary(q), rotary(k)) / 2.0
        n = tf.shape(q)[1]
        seen = tf.linalg.band_part(tf.ones((n, n), tf.bool), -1, 0)
        scores = tf.where(seen, scores, tf.constant(-1e9, scores.dtype))
        return tf.reshape(tf.einsum("bhqk,bkhd->bqhd", tf.nn.softmax(scores), v), (-1, n, 16))

    for _ in range(2):
        n = L.RMSNormalization(epsilon=1e-6)(x)
        q, k, v = L.Reshape((-1, 4, 4))(L.Dense(16, use_bias=False)(n)), *(L.Reshape((-1, 2, 4))(L.Dense(8, use_bias=False)(n)) for _ in range(2))
        x = L.Add()([x, L.Dense(16, use_bias=False)(L.Lambda(attend, output_shape=(None, 16))([q, k, v]))])
        n = L.RMSNormalization(epsilon=1e-6)(x)
        x = L.Add()([x, L.Dense(16, use_bias=False)(L.Multiply()([L.Dense(40, "silu", use_bias=False)(n), L.Dense(40, use_bias=False)(n)]))])
    return L.Dense(50, use_bias=False)(L.RMSNormalization()(x))


@kind(((16, 16, 3), "unit"), batches=(1, 2))
def swin_mini(x):
    """Windows, shifted windows, relative position bias, patch merging."""
    x = L.LayerNormalization()(L.Conv2D(8, 2, 2)(x))

    def windows(t):
        t = tf.reshape(t, (-1, 2, 4, 2, 4, 8))
        return tf.reshape(tf.transpose(t, (0, 1, 3, 2, 4, 5)), (-1, 16, 8))

    def unwindows(t):
        t = tf.reshape(t, (-1, 2, 2, 4, 4, 8))
        return tf.reshape(tf.transpose(t, (0, 1, 3, 2, 4, 5)), (-1, 8, 8, 8))

    for shift in (0, 2):
        n = L.LayerNormalization()(x)
        n = L.Lambda(lambda t, s=shift: windows(tf.roll(t, (-s, -s), (1, 2))), output_shape=(16, 8))(n)
        n = L.MultiHeadAttention(2, 4)(n, n)
        n = L.Lambda(lambda t, s=shift: tf.roll(unwindows(t), (s, s), (1, 2)), output_shape=(8, 8, 8))(n)
        x = L.Add()([x, n])
    merged = L.Lambda(lambda t: tf.concat([t[:, 0::2, 0::2], t[:, 1::2, 0::2], t[:, 0::2, 1::2], t[:, 1::2, 1::2]], -1), output_shape=(4, 4, 32))(x)
    return L.Dense(16, use_bias=False)(L.LayerNormalization()(merged))


# Preprocessing that is arithmetic -----------------------------------------


@kind([("x", (6,), "normal"), ("ids", (5,), 8)])
def preprocessing(x, ids):
    outputs = [L.Normalization(mean=0.5, variance=2.0)(x), L.Normalization(axis=-1, mean=np.arange(6.0), variance=np.arange(1.0, 7.0), invert=True)(x),
               L.Discretization(bin_boundaries=[-1.0, 0.0, 0.7])(x), L.Discretization(bin_boundaries=[-0.5, 0.5], output_mode="one_hot")(x),
               L.Rescaling([0.5] * 6, [0.1] * 6)(x), L.UnitNormalization()(x)]
    outputs += [L.CategoryEncoding(8, output_mode=m)(ids) for m in ("multi_hot", "count", "one_hot")]
    return outputs


@kind([("x", (8, 8, 3), "image")])
def preprocessing_images(x):
    outputs = [L.Lambda(lambda t, m=m: keras.applications.imagenet_utils.preprocess_input(t, mode=m))(x) for m in ("tf", "torch", "caffe")]
    gray = call(lambda t: tf.image.rgb_to_grayscale(t), x, 8, 8, 1)
    standard = call(lambda t: tf.image.per_image_standardization(t), x)
    hsv = call(lambda t: tf.image.flip_left_right(tf.image.adjust_brightness(t, 0.1)), x)
    return [*outputs, gray, standard, hsv]


# Number types ------------------------------------------------------------


def _policies(build, inputs, policies=("mixed_float16", "mixed_bfloat16", "float16", "float64")):
    for policy in policies:
        def named(*xs):
            results = build(*xs)
            results = results if isinstance(results, (list, tuple)) else [results]
            return [L.Activation("linear", dtype="float64" if keras.config.floatx() == "float64" else "float32")(r) for r in results]

        named.__name__ = f"{build.__name__.strip('_')}_{policy}"
        kind(inputs, batches=(1, 3), policy=policy)(named)


def _policy_dense(x):
    return seq(L.Dense(24, "relu"), L.BatchNormalization(), L.LayerNormalization(), L.Dense(6, "softmax"))(x)


def _policy_conv(x):
    x = seq(L.Conv2D(8, 3, padding="same"), L.BatchNormalization(), L.ReLU(), L.MaxPooling2D(2), L.DepthwiseConv2D(3, padding="same"),
            L.AveragePooling2D(2), L.Conv2DTranspose(4, 2, 2))(x)
    return [x, L.Dense(3)(L.GlobalAveragePooling2D()(x))]


def _policy_recurrent(x):
    return [L.LSTM(6)(x), L.GRU(6, return_sequences=True)(x)]


def _policy_attention(x):
    return _encoder(x, 2, 16)


_policies(_policy_dense, ((10,), "normal"))
_policies(_policy_conv, ((12, 12, 3), "unit"))
_policies(_policy_recurrent, ((6, 4), "normal"))
_policies(_policy_attention, ((7, 16), "normal"))


@kind([("ids", (12,), 60), ("mask", (12,), 2), ("kinds", (12,), 2)], batches=(1, 2))
def bert_tiny(ids, mask, kinds):
    return _bert(ids, mask, kinds, 60, 16, 2, 1)
