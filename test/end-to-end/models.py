"""The model kinds that zoo.py exports.

Each row of KINDS builds a Keras model; `inputs` of a row say how random inputs
are drawn: a list of (name, shape without batch, kind), where kind is
`normal`, `unit` (0..1), `image` (0..255) or an integer N (tokens below N).
"""

import keras
import tensorflow as tf
from keras import layers as L

KINDS = {}


class Kind:
    def __init__(self, build, inputs, small, big, batches, policy, frozen):
        self.build, self.inputs, self.small = build, inputs, small
        self.big, self.batches, self.policy, self.frozen = big, batches, policy, frozen
        self.heavy = big and max(max(shape) for _, shape, _ in inputs if shape) >= 500 and len(inputs) == 1


def kind(inputs, small=True, big=False, batches=(1, 2, 7), policy=None, frozen=True):
    """Registers the decorated function under its name; `policy` is Keras' policy of number types."""
    if isinstance(inputs, tuple):
        inputs = [("x", *inputs)]

    def register(build):
        KINDS[build.__name__] = Kind(build, inputs, small, big, batches, policy, frozen)
        return build

    return register


def seq(*layers):
    return keras.Sequential(list(layers))


# Dense nets --------------------------------------------------------------


@kind(((1,), "normal"))
def linear(x):
    return L.Dense(1)(x)


@kind(((13,), "normal"))
def mlp(x):
    return seq(L.Dense(64, "relu"), L.Dense(33, "tanh"), L.Dense(3, "softmax"))(x)


@kind(((20,), "normal"))
def mlp_norm(x):
    x = L.Normalization(mean=[0.1 * i for i in range(20)], variance=[1.0 + i for i in range(20)])(x)
    return seq(L.Dense(40), L.BatchNormalization(), L.LeakyReLU(), L.Dropout(0.5),
               L.Dense(40), L.LayerNormalization(), L.PReLU(), L.Dense(1, "sigmoid"))(x)


@kind(((16,), "normal"))
def activations(x):
    names = ["relu", "relu6", "elu", "selu", "gelu", "silu", "softplus", "softsign",
             "hard_sigmoid", "hard_silu", "leaky_relu", "mish", "tanh", "exponential",
             "log_softmax", "log_sigmoid", "celu", "glu", "hard_tanh", "hard_shrink",
             "tanh_shrink", "soft_shrink", "squareplus", "sparse_plus", "softmax"]
    return [L.Dense(18, name)(x) for name in names]


@kind([("a", (5,), "normal"), ("b", (7,), "normal")])
def two_in_two_out(a, b):
    joined = L.Concatenate()([L.Dense(8, "relu")(a), L.Dense(9, "relu")(b)])
    gate = L.Multiply()([L.Dense(17, "sigmoid")(b), joined])
    return {"score": L.Dense(1, name="score")(gate), "kind": L.Dense(4, "softmax", name="kind")(joined)}


# Images ------------------------------------------------------------------


@kind(((28, 28, 1), "unit"))
def lenet(x):
    return seq(L.Conv2D(6, 5, padding="same", activation="tanh"), L.AveragePooling2D(2),
               L.Conv2D(16, 5, activation="tanh"), L.AveragePooling2D(2), L.Flatten(),
               L.Dense(120, "tanh"), L.Dense(84, "tanh"), L.Dense(10, "softmax"))(x)


@kind(((33, 31, 3), "unit"))
def vgg_mini(x):
    return seq(L.Conv2D(17, 3, padding="same", activation="relu"), L.Conv2D(24, 3, activation="relu"),
               L.MaxPooling2D(3, 2, padding="same"), L.Conv2D(32, 3, strides=2, padding="same", activation="relu"),
               L.MaxPooling2D(2), L.GlobalAveragePooling2D(), L.Dense(10, "softmax"))(x)


@kind(((32, 32, 3), "unit"))
def resnet_mini(x):
    x = seq(L.Conv2D(16, 7, 2, padding="same"), L.BatchNormalization(), L.ReLU())(x)
    for filters, stride in [(16, 1), (32, 2), (32, 1)]:
        y = seq(L.Conv2D(filters, 3, stride, padding="same", use_bias=False), L.BatchNormalization(),
                L.ReLU(), L.Conv2D(filters, 3, padding="same", use_bias=False), L.BatchNormalization())(x)
        if stride != 1 or x.shape[-1] != filters:
            x = L.Conv2D(filters, 1, stride)(x)
        x = L.ReLU()(L.Add()([x, y]))
    return L.Dense(7, "softmax")(L.GlobalMaxPooling2D()(x))


@kind(((37, 29, 3), "normal"))
def mobilenet_mini(x):
    x = L.ZeroPadding2D(((0, 1), (1, 0)))(x)
    x = seq(L.Conv2D(12, 3, 2, padding="valid"), L.BatchNormalization(), L.ReLU(6.0))(x)
    y = seq(L.DepthwiseConv2D(3, padding="same", depth_multiplier=2), L.BatchNormalization(),
            L.Activation("hard_silu"), L.Conv2D(12, 1))(x)
    pooled = L.GlobalAveragePooling2D(keepdims=True)(y)
    y = L.Multiply()([y, L.Conv2D(12, 1, activation="hard_sigmoid")(pooled)])
    x = L.Add()([x, y])
    x = L.SeparableConv2D(20, 5, strides=2, padding="same", activation="relu")(x)
    return L.Dense(5)(L.GlobalAveragePooling2D()(x))


@kind(((24, 21, 8), "normal"))
def conv_options(x):
    """Dilation, groups, odd strides, rectangular windows, depthwise with dilation."""
    a = L.Conv2D(12, (3, 5), dilation_rate=(2, 3), padding="same")(x)
    b = L.Conv2D(12, 3, groups=4, padding="same")(x)
    c = L.DepthwiseConv2D(3, dilation_rate=2, padding="same")(x)
    d = L.Conv2D(9, (5, 1), strides=(3, 2), padding="same")(x)
    e = L.Conv2D(9, (4, 2), strides=2, padding="valid")(x)
    f = L.AveragePooling2D((3, 2), (2, 3), padding="same")(x)
    return [a, b, c, d, e, f]


@kind(((16, 16, 6), "normal"))
def norms(x):
    return [L.GroupNormalization(3)(x), L.LayerNormalization(axis=[1, 2, 3])(x), L.UnitNormalization()(x),
            L.RMSNormalization()(x), L.BatchNormalization(axis=1)(x), L.SpectralNormalization(L.Conv2D(4, 3))(x)]


@kind(((32, 32, 2), "unit"))
def unet_transpose(x):
    return _unet(x, lambda n: L.Conv2DTranspose(n, 2, 2, padding="same"))


@kind(((32, 48, 2), "unit"))
def unet_nearest(x):
    return _unet(x, lambda n: seq(L.UpSampling2D(2), L.Conv2D(n, 3, padding="same")))


@kind(((32, 32, 2), "unit"))
def unet_bilinear(x):
    return _unet(x, lambda n: seq(L.UpSampling2D(2, interpolation="bilinear"), L.Conv2D(n, 3, padding="same")))


@kind(((16, 24, 2), "unit"))
def unet_tiny(x):
    """Both ways up, small enough to be checked in."""
    def up(n):
        if n == 6:
            return L.Conv2DTranspose(n, 3, 2, padding="same")
        return seq(L.UpSampling2D(2, interpolation="bilinear"), L.Conv2D(n, 1))
    return _unet(x, up, (4, 6), 8)


def _unet(x, up, widths=(8, 16), bottom=24):
    def block(x, n):
        return seq(L.Conv2D(n, 3, padding="same"), L.BatchNormalization(), L.ReLU(),
                   L.Conv2D(n, 3, padding="same", activation="relu"))(x)

    skips = []
    for n in widths:
        x = block(x, n)
        skips.append(x)
        x = L.MaxPooling2D(2)(x)
    x = block(x, bottom)
    for n in reversed(widths):
        x = block(L.Concatenate()([up(n)(x), skips.pop()]), n)
    return L.Conv2D(3, 1, activation="softmax")(x)


@kind(((28, 28, 1), "unit"))
def autoencoder_conv(x):
    return seq(L.Conv2D(16, 3, 2, padding="same", activation="relu"), L.Conv2D(8, 3, 2, padding="same", activation="relu"),
               L.Flatten(), L.Dense(10), L.Dense(7 * 7 * 8, "relu"), L.Reshape((7, 7, 8)),
               L.Conv2DTranspose(8, 3, 2, padding="same", activation="relu"),
               L.Conv2DTranspose(16, 4, 2, padding="same", activation="relu"),
               L.Conv2DTranspose(1, 3, padding="valid", activation="sigmoid"), L.Cropping2D(1))(x)


@kind(((784,), "unit"))
def autoencoder_dense(x):
    code = seq(L.Dense(128, "relu"), L.Dense(32, "relu"))(x)
    return [seq(L.Dense(128, "relu"), L.Dense(784, "sigmoid"))(code), code]


@kind(((19, 17, 5), "normal"))
def resizing(x):
    return [L.Resizing(30, 40)(x), L.Resizing(8, 9, interpolation="nearest")(x), L.Rescaling(1 / 127.5, -1)(x),
            L.CenterCrop(10, 11)(x), L.UpSampling2D((3, 2))(x), L.Permute((3, 1, 2))(x), L.Flatten()(x),
            L.Resizing(11, 12, interpolation="bicubic")(x)]


# Sequences and volumes ---------------------------------------------------


@kind(((50, 6), "normal"))
def conv1d(x):
    x = seq(L.Conv1D(16, 5, padding="causal", dilation_rate=2, activation="relu"), L.MaxPooling1D(2),
            L.Conv1D(24, 3, strides=2, activation="relu"), L.BatchNormalization())(x)
    up = L.Conv1DTranspose(8, 4, strides=2, padding="same")(x)
    deep = L.DepthwiseConv1D(3, padding="same")(x)
    return [L.Dense(4, "softmax")(L.GlobalMaxPooling1D()(x)), up, L.SeparableConv1D(7, 3)(deep),
            L.AveragePooling1D(3, 2, "same")(up), L.UpSampling1D(2)(deep), L.ZeroPadding1D(2)(x)]


@kind(((10, 12, 9, 3), "normal"))
def conv3d(x):
    x = seq(L.Conv3D(8, 3, padding="same", activation="relu"), L.MaxPooling3D(2),
            L.Conv3D(12, (2, 3, 1), strides=(1, 2, 1), activation="relu"), L.BatchNormalization())(x)
    return [L.Dense(3)(L.GlobalAveragePooling3D()(x)), L.AveragePooling3D(2, padding="same")(x),
            L.Conv3DTranspose(4, 3, 2, padding="same")(x), L.UpSampling3D(2)(x)]


@kind(((20,), 50))
def embedding_pool(x):
    return L.Dense(2, "softmax")(L.GlobalAveragePooling1D()(L.Embedding(50, 16)(x)))


@kind(((24,), 80))
def text_cnn(x):
    e = L.Embedding(80, 12)(x)
    parts = [L.GlobalMaxPooling1D()(L.Conv1D(10, n, activation="relu")(e)) for n in (2, 3, 4)]
    return L.Dense(1, "sigmoid")(L.Concatenate()(parts))


@kind(((12, 6), "normal"))
def lstm(x):
    return L.Dense(3, "softmax")(L.LSTM(20)(x))


@kind(((12, 6), "normal"))
def lstm_stacked(x):
    return L.Dense(3)(L.LSTM(10)(L.LSTM(20, return_sequences=True)(x)))


@kind(((9, 5), "normal"))
def lstm_bidirectional(x):
    return L.Dense(3)(L.Bidirectional(L.LSTM(8, return_sequences=True))(x))


@kind(((9, 5), "normal"))
def lstm_states(x):
    y, h, c = L.LSTM(7, return_sequences=True, return_state=True, go_backwards=True)(x)
    return [y, h, c, L.LSTM(7)(y, initial_state=[h, c])]


@kind(((11,), 30))
def lstm_masked(x):
    e = L.Embedding(30, 8, mask_zero=True)(x)
    return L.Dense(2, "softmax")(L.LSTM(12)(L.LSTM(9, return_sequences=True)(e)))


@kind(((12, 6), "normal"))
def gru(x):
    return L.Dense(3, "softmax")(L.GRU(20)(x))


@kind(((12, 6), "normal"))
def gru_stacked(x):
    x = L.GRU(10, return_sequences=True, reset_after=False)(x)
    x = L.Bidirectional(L.GRU(6, return_sequences=True), merge_mode="sum")(x)
    return [L.TimeDistributed(L.Dense(3))(x), L.GRU(5)(x)]


@kind(((11,), 30))
def gru_masked(x):
    return L.Dense(2, "softmax")(L.Bidirectional(L.GRU(9))(L.Embedding(30, 8, mask_zero=True)(x)))


@kind(((8, 4), "normal"))
def simple_rnn(x):
    return [L.SimpleRNN(6, return_sequences=True)(x), L.SimpleRNN(5, unroll=True)(x)]


@kind(((10, 3), "normal"))
def rnn_cells(x):
    return L.RNN([L.LSTMCell(5), L.GRUCell(4), L.SimpleRNNCell(3)])(x)


@kind(((5, 8, 8, 2), "normal"))
def conv_lstm(x):
    return L.ConvLSTM2D(4, 3, padding="same", return_sequences=True)(x)


# Attention ---------------------------------------------------------------


def _encoder(x, heads, width, causal=False, memory=None):
    y = L.MultiHeadAttention(heads, width // heads)(x, x, use_causal_mask=causal)
    x = L.LayerNormalization(epsilon=1e-6)(L.Add()([x, y]))
    if memory is not None:
        y = L.MultiHeadAttention(heads, width // heads)(x, memory)
        x = L.LayerNormalization(epsilon=1e-6)(L.Add()([x, y]))
    y = seq(L.Dense(2 * width, "gelu"), L.Dense(width))(x)
    return L.LayerNormalization(epsilon=1e-6)(L.Add()([x, y]))


@kind(((10, 16), "normal"))
def mha_encoder(x):
    return L.Dense(3)(L.GlobalAveragePooling1D()(_encoder(x, 4, 16)))


@kind([("memory", (9, 16), "normal"), ("x", (7, 16), "normal")])
def mha_decoder(memory, x):
    return L.Dense(11, "softmax")(_encoder(x, 2, 16, causal=True, memory=memory))


@kind([("q", (6, 8), "normal"), ("v", (9, 8), "normal")])
def attention_layers(q, v):
    return [L.Attention()([q, v]), L.AdditiveAttention()([q, v]), L.Attention(use_scale=True)([q, v], use_causal_mask=True),
            L.GroupQueryAttention(4, 4, 2)(q, v)]


class Positions(L.Layer):
    def __init__(self, length, width):
        super().__init__()
        self.table = L.Embedding(length, width)

    def call(self, x):
        return x + self.table(tf.range(tf.shape(x)[1]))


@kind([("ids", (16,), 100), ("mask", (16,), 2), ("kinds", (16,), 2)])
def bert_mini(ids, mask, kinds):
    return _bert(ids, mask, kinds, 100, 32, 4, 2)


@kind([("ids", (128,), 30522), ("mask", (128,), 2), ("kinds", (128,), 2)], small=False, big=True, batches=(1, 2))
def bert_base(ids, mask, kinds):
    return _bert(ids, mask, kinds, 30522, 768, 12, 12)


def _bert(ids, mask, kinds, vocabulary, width, heads, depth):
    x = L.Embedding(vocabulary, width)(ids) + L.Embedding(2, width)(kinds)
    x = L.LayerNormalization(epsilon=1e-12)(Positions(512, width)(x))
    allowed = L.Lambda(lambda m: m[:, None, :] > 0)(mask)
    for _ in range(depth):
        y = L.MultiHeadAttention(heads, width // heads)(x, x, attention_mask=allowed)
        x = L.LayerNormalization(epsilon=1e-12)(x + L.Dropout(0.1)(y))
        y = L.Dense(width)(L.Dense(4 * width, "gelu")(x))
        x = L.LayerNormalization(epsilon=1e-12)(x + y)
    return [x, L.Dense(width, "tanh")(x[:, 0])]


@kind(((16,), 60))
def gpt_mini(ids):
    x = Positions(64, 32)(L.Embedding(60, 32)(ids))
    for _ in range(2):
        n = L.LayerNormalization()(x)
        x = x + L.MultiHeadAttention(4, 8)(n, n, use_causal_mask=True)
        n = L.LayerNormalization()(x)
        x = x + L.Dense(32)(L.Dense(128, "gelu")(n))
    return L.Dense(60)(L.LayerNormalization()(x))


@kind(((32, 32, 3), "unit"))
def vit_mini(x):
    x = L.Reshape((16, 32))(L.Conv2D(32, 8, 8)(x))
    x = _encoder(_encoder(Positions(16, 32)(x), 4, 32), 4, 32)
    return L.Dense(10, "softmax")(x[:, 0])


# Combinations that other people's models bring ----------------------------


@kind(((6, 16, 16, 3), "unit"))
def cnn_lstm(x):
    frames = seq(L.Conv2D(8, 3, activation="relu"), L.MaxPooling2D(2), L.Flatten())
    return L.Dense(4, "softmax")(L.LSTM(12)(L.TimeDistributed(frames)(x)))


@kind(((9, 3), "normal"))
def masking_lstm(x):
    return L.Dense(2)(L.LSTM(6)(L.Masking(0.0)(L.ReLU()(x))))


@kind([("source", (7,), 20), ("target", (5,), 25)])
def seq2seq(source, target):
    _, h, c = L.LSTM(16, return_state=True)(L.Embedding(20, 8)(source))
    y = L.LSTM(16, return_sequences=True)(L.Embedding(25, 8)(target), initial_state=[h, c])
    return L.Dense(25, "softmax")(y)


@kind(((16, 12), "normal"))
def mlp_mixer(x):
    y = L.Permute((2, 1))(L.LayerNormalization()(x))
    y = L.Permute((2, 1))(L.Dense(16)(L.Dense(24, "gelu")(y)))
    x = L.Add()([x, y])
    return L.Add()([x, L.Dense(12)(L.Dense(40, "gelu")(L.LayerNormalization()(x)))])


@kind(((12, 12, 8), "normal"))
def shuffles(x):
    """Channel shuffle, pixel shuffle, shifted windows."""
    mixed = L.Reshape((12, 12, 8))(L.Permute((1, 2, 4, 3))(L.Reshape((12, 12, 2, 4))(x)))
    larger = L.Lambda(lambda t: tf.nn.depth_to_space(t, 2))(L.Conv2D(12, 3, padding="same")(mixed))
    smaller = L.Lambda(lambda t: tf.nn.space_to_depth(t, 2))(x)
    rolled = L.Lambda(lambda t: tf.roll(t, [-2, 3], [1, 2]))(x)
    windows = L.Lambda(lambda t: tf.image.extract_patches(t, [1, 3, 3, 1], [1, 2, 2, 1], [1, 1, 1, 1], "VALID"))(x)
    return [larger, smaller, rolled, windows]


@kind(((14, 14, 4), "normal"))
def inception_mini(x):
    a = L.Conv2D(6, 1, activation="relu")(x)
    b = L.Conv2D(8, 3, padding="same", activation="relu")(L.Conv2D(4, 1, activation="relu")(x))
    c = L.Conv2D(4, 5, padding="same", activation="relu")(L.Conv2D(2, 1, activation="relu")(x))
    d = L.Conv2D(5, 1, activation="relu")(L.MaxPooling2D(3, 1, padding="same")(x))
    e = L.Conv2D(5, (7, 1), padding="same")(L.Conv2D(5, (1, 7), padding="same")(L.AveragePooling2D(3, 1, padding="same")(x)))
    return L.Dense(3, "softmax")(L.Flatten()(L.Concatenate()([a, b, c, d, e])))


@kind(((10,), "normal"))
def loops(x):
    """What tf.function makes of Python: while, cond, map_fn, scan, TensorArray."""

    @tf.function
    def collatz(t):
        steps = tf.zeros_like(t)
        while tf.reduce_max(t) > 1.0:
            t = tf.where(t > 1.0, t * 0.5, t)
            steps += tf.cast(t > 1.0, t.dtype)
        return t, steps

    @tf.function
    def gated(t):
        if tf.reduce_sum(t) > 0:
            return t * 2
        return tf.exp(t)

    @tf.function
    def gather_rows(t):
        rows = tf.TensorArray(t.dtype, size=0, dynamic_size=True)
        for k in tf.range(3):
            rows = rows.write(k, tf.reduce_sum(t, 0) * tf.cast(k, t.dtype))
        return rows.stack()

    call = lambda f: L.Lambda(f, output_shape=(None,))(x)
    return [call(lambda t: collatz(tf.abs(t) * 9)[0]), call(gated),
            call(lambda t: tf.map_fn(lambda row: row * tf.reduce_max(row), t)),
            call(lambda t: tf.scan(lambda a, row: a * 0.5 + row, t)),
            L.Lambda(lambda t: gather_rows(t)[None] + t[:, None, :], output_shape=(3, 10))(x)]


@kind(((8, 12), "normal"))
def tensor_ops(x):
    """Slicing, stacking, sorting, one-hot, cumulative sums, clipping, norms."""
    call = lambda f, *shape: L.Lambda(f, output_shape=shape or (None,))(x)
    return [call(lambda t: t[:, ::-2, 1:-1:3]), call(lambda t: tf.stack(tf.unstack(t, axis=1)[:3], -1)),
            call(lambda t: tf.math.top_k(t, 4).values), call(lambda t: tf.one_hot(tf.argmax(t, -1), 12)),
            call(lambda t: tf.cumsum(t, 1, exclusive=True, reverse=True)), call(lambda t: tf.clip_by_value(t, -0.5, 0.5)),
            call(lambda t: tf.linalg.l2_normalize(t, -1)), call(lambda t: tf.reduce_logsumexp(t, [1, 2])),
            call(lambda t: tf.math.reduce_std(t, 1)), call(lambda t: tf.gather(t, [3, 0, 7], axis=1)),
            call(lambda t: tf.einsum("bij,bkj->bik", t, t)), call(lambda t: tf.pad(t, [[0, 0], [2, 1], [0, 3]], "REFLECT")),
            call(lambda t: tf.linalg.band_part(tf.matmul(t, t, transpose_b=True), -1, 0)),
            call(lambda t: tf.where(t > 0, tf.math.log1p(tf.abs(t)), tf.zeros_like(t))),
            call(lambda t: tf.sort(t, -1, "DESCENDING")), call(lambda t: tf.boolean_mask(t, t[:, 0, 0] < 9.0))]


# keras.applications ------------------------------------------------------


def _application(name, size, batches=(1, 3), label=None, **options):
    def build(x):
        net = getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), **options)
        return net(x)

    build.__name__ = label or name
    kind(((size, size, 3), "image"), small=False, big=True, batches=batches)(build)


for _name, _size in [("MobileNetV2", 224), ("MobileNetV3Small", 224), ("MobileNetV3Large", 224),
                     ("ResNet50", 224), ("ResNet50V2", 224), ("EfficientNetB0", 224),
                     ("EfficientNetV2B0", 224), ("InceptionV3", 299), ("DenseNet121", 224),
                     ("Xception", 299), ("NASNetMobile", 224), ("ConvNeXtTiny", 224), ("MobileNet", 224),
                     ("VGG16", 224)]:
    _application(_name, _size)

for _name, _size in [("NASNetLarge", 331), ("EfficientNetB3", 300), ("InceptionResNetV2", 299),
                     ("EfficientNetV2S", 384), ("ConvNeXtSmall", 224), ("DenseNet201", 224),
                     ("ResNet152V2", 224), ("VGG19", 224)]:
    _application(_name, _size, batches=(1, 2))
_application("EfficientNetB7", 600, batches=(1,))
_application("MobileNet", 160, label="MobileNetHalf", alpha=0.5)
