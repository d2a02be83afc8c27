"""Functions whose derivatives are compared: name -> (function, inputs, options).

An input is a shape (normally distributed numbers), or a Draw. Functions take
tensors of one floating-point type and return one tensor. Names begin with their
family. Smooth functions are differentiated twice.
"""

import numpy as np
import tensorflow as tf

v1 = tf.compat.v1
raw = tf.raw_ops
FUNCTIONS = {}


class Draw:
    """Numbers of a shape, by what is asked of them."""

    def __init__(self, shape, low=None, high=None, values=None, complex=False):
        self.shape, self.low, self.high, self.values, self.complex = shape, low, high, values, complex

    def array(self, rng, dtype):
        if self.values is not None:
            return np.asarray(self.values, dtype)
        if self.complex:
            pair = {"float32": "complex64", "float64": "complex128"}[dtype]
            return (rng.standard_normal(self.shape) + 1j * rng.standard_normal(self.shape)).astype(pair)
        if self.low is not None:
            return rng.uniform(self.low, self.high, self.shape).astype(dtype)
        return rng.standard_normal(self.shape).astype(dtype)


def add(name, function, *inputs, smooth=True, **options):
    assert name not in FUNCTIONS, name
    FUNCTIONS[name] = (function, [i if isinstance(i, Draw) else Draw(i) for i in inputs], dict(options, smooth=smooth))


def function(*inputs, **options):
    def register(f):
        add(f.__name__.replace("__", "/"), f, *inputs, **options)
        return f
    return register


def positive(*shape):
    return Draw(shape, 0.3, 2.5)


def inside(*shape):
    return Draw(shape, -0.8, 0.8)


def distinct(*shape):
    """No two elements are near each other."""
    count = int(np.prod(shape))
    return Draw(shape, values=np.random.default_rng(7).permutation(count).reshape(shape) * 0.37 - count * 0.17)


# Elementwise.
for name in ("Abs Atan BesselI0e BesselI1e Cos Cosh Elu Erf Erfc Exp Expm1 Inv LeakyRelu Neg Relu Relu6 Selu Sigmoid Sin Sinh "
             "Softplus Softsign Square Tan Tanh Asinh Identity Floor Ceil Rint Round Sign BesselI0 BesselI1").split():
    op = getattr(raw, name)
    key = {"Identity": "input", "Relu": "features", "Relu6": "features", "Elu": "features", "Selu": "features",
           "LeakyRelu": "features", "Softplus": "features", "Softsign": "features"}.get(name, "x")
    add(f"elementwise/{name}", lambda x, op=op, key=key: op(**{key: x if key != "input" else x * x}), (3, 4),
        f32_only=name.startswith("Bessel") and False)
for name in "Log Log1p Sqrt Rsqrt Reciprocal Lgamma Digamma".split():
    add(f"elementwise/{name}", lambda x, op=getattr(raw, name): op(x=x), positive(3, 4), smooth=name != "Digamma")
for name in "Asin Acos Atanh Erfinv".split():
    add(f"elementwise/{name}", lambda x, op=getattr(raw, name): op(x=x), inside(3, 4))
add("elementwise/Acosh", lambda x: raw.Acosh(x=x), Draw((3, 4), 1.3, 3))
add("elementwise/Ndtri", lambda x: raw.Ndtri(x=x), Draw((3, 4), 0.1, 0.9))
BROADCASTS = {"same": ((3, 4), (3, 4)), "row": ((3, 4), (4,)), "column": ((3, 1), (3, 4)), "scalar": ((), (2, 3)),
              "both": ((2, 1, 3), (4, 1))}
for suffix, (a, b) in BROADCASTS.items():
    for name in "AddV2 Sub Mul SquaredDifference Maximum Minimum Atan2".split():
        op = getattr(raw, name)
        add(f"elementwise/{name}_{suffix}", lambda x, y, op=op: op(y=x, x=y) if op is raw.Atan2 else op(x=x, y=y), a, b)
for name in "RealDiv Pow DivNoNan Xdivy Xlogy Xlog1py FloorMod MulNoNan".split():
    add(f"elementwise/{name}", lambda x, y, op=getattr(raw, name): op(x=x, y=y), positive(2, 3, 4), positive(3, 1))
add("elementwise/Igamma", lambda x: raw.Igamma(a=tf.constant([[0.7], [1.9], [3.1]], x.dtype), x=x), positive(3, 4), smooth=False)
add("elementwise/Igammac", lambda x: raw.Igammac(a=tf.constant([[0.7], [1.9], [3.1]], x.dtype), x=x), positive(3, 4), smooth=False)
add("elementwise/cast", lambda x: tf.cast(tf.cast(x, tf.float32) ** 2, x.dtype), (3, 4), smooth=False)
add("elementwise/select", lambda x, y: tf.where(x > y, x * y, x - y), (3, 4), (3, 4))
add("elementwise/select_broadcast", lambda x, y: tf.where(tf.constant([[True], [False], [True]]), x * x, y), (3, 4), (4,))
add("elementwise/safe_where", lambda x: tf.where(x > 0, tf.sqrt(tf.where(x > 0, x, tf.ones_like(x))), tf.zeros_like(x)), (3, 4), smooth=False)
add("elementwise/clip", lambda x: tf.clip_by_value(x, -0.5, 0.7) * x, (3, 4))
add("elementwise/add_n", lambda x, y: tf.add_n([x, y, x * y]), (3, 4), (3, 4))
add("elementwise/kinks", lambda x: tf.nn.relu(x) + tf.abs(x) * 2 + tf.nn.relu6(x) * 3 + tf.maximum(x, 0.) * 5 + tf.minimum(x, 6.) * 7
    + tf.nn.leaky_relu(x) * 11 + tf.nn.elu(x) * 13 + tf.nn.selu(x) * 17 + tf.sign(x) * 19,
    Draw((5,), values=[0, 6, -1, 3, 7]), smooth=False)
add("elementwise/poles", lambda x: tf.sqrt(x), Draw((3,), values=[0, 1, 4]), smooth=False)
add("elementwise/pow_zero", lambda x: x ** 2 + x ** 3, Draw((3,), values=[0, -1, 4]))
add("elementwise/gelu", lambda x: tf.nn.gelu(x) + tf.nn.silu(x) * 2 + tf.nn.gelu(x, approximate=True), (3, 4))
add("elementwise/stop", lambda x: tf.stop_gradient(x * x) * x, (3, 4))
add("elementwise/complex", lambda x, y: tf.abs(tf.complex(x, y) * tf.exp(tf.complex(y, x))), (3,), (3,))
add("elementwise/complex_parts", lambda x, y: tf.math.real(tf.complex(x, y) ** 2) * tf.math.imag(tf.sin(tf.complex(x, y))), (3,), (3,))
add("elementwise/complex_input", lambda z: tf.math.real(tf.math.conj(z) * tf.exp(z)) + tf.math.angle(z), Draw((4,), complex=True), smooth=False)
add("elementwise/unused", lambda x, y: x * x, (3,), (2,))

# Reductions and scans.
for name in ("reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_prod", "reduce_logsumexp", "reduce_euclidean_norm",
             "reduce_variance", "reduce_std"):
    op = getattr(tf.math, name)
    for suffix, axes in {"all": None, "axis": 1, "two": (0, 2), "none": ()}.items():
        if suffix == "none" and name in ("reduce_euclidean_norm", "reduce_std"):
            continue
        add(f"reduction/{name}_{suffix}", lambda x, op=op, axes=axes: op(x, axes) * op(x, axes, keepdims=True) if axes is None
            else op(x, axes, keepdims=axes == 1) ** 2, (3, 4, 2))
add("reduction/max_ties", lambda x: tf.reduce_max(x, 1) + 2 * tf.reduce_min(x, 1), Draw((2, 4), values=[[1, 2, 2, 0], [3, 3, 3, 3]]), smooth=False)
add("reduction/prod_zeros", lambda x: tf.reduce_prod(x, 1), Draw((3, 3), values=[[1, 0, 2], [0, 0, 3], [2, 3, 4]]), smooth=False)
for name in ("cumsum", "cumprod"):
    for exclusive in (False, True):
        for reverse in (False, True):
            add(f"reduction/{name}_{int(exclusive)}{int(reverse)}", lambda x, op=getattr(tf.math, name), e=exclusive, r=reverse:
                op(x, 1, exclusive=e, reverse=r) ** 2, (2, 5))
for reverse in (False, True):
    add(f"reduction/cumulative_logsumexp_{int(reverse)}", lambda x, r=reverse: tf.math.cumulative_logsumexp(x, 1, reverse=r) ** 2, (2, 5),
        smooth=False)
add("reduction/l2_loss", lambda x: tf.nn.l2_loss(x), (3, 4))
add("reduction/moments", lambda x: tf.add(*tf.nn.moments(x, [0, 1])), (3, 4, 2))
add("reduction/norm", lambda x: tf.norm(x, axis=1), (3, 4))
add("reduction/l2_normalize", lambda x: tf.nn.l2_normalize(x, 1), (3, 4))

# Contractions.
for ta in (False, True):
    for tb in (False, True):
        add(f"contraction/matmul_{int(ta)}{int(tb)}", lambda x, y, ta=ta, tb=tb: tf.matmul(x, y, ta, tb),
            (4, 3) if ta else (3, 4), (5, 4) if tb else (4, 5))
        add(f"contraction/batch_{int(ta)}{int(tb)}", lambda x, y, ta=ta, tb=tb: tf.matmul(x, y, ta, tb) ** 2,
            (2, 1, 4, 3) if ta else (2, 1, 3, 4), (3, 5, 4) if tb else (3, 4, 5))
for equation, a, b in [("ij,jk->ik", (2, 3), (3, 4)), ("bij,bjk->bik", (2, 3, 4), (2, 4, 5)), ("abc,cde->abde", (2, 4, 3), (3, 5, 2)),
                       ("...ij,jk->...ik", (2, 3, 4), (4, 5)), ("ij,ij->", (3, 4), (3, 4)), ("i,j->ij", (3,), (4,)),
                       ("bhqd,bhkd->bhqk", (2, 2, 3, 4), (2, 2, 5, 4)), ("ijk,k->i", (2, 3, 4), (4,)), ("...a,...a->...", (2, 3, 4), (3, 4)),
                       ("iij,j->i", (3, 3, 4), (4,))]:
    add(f"contraction/einsum {equation}", lambda x, y, e=equation: tf.einsum(e, x, y), a, b)
for equation, a in [("ij->ji", (2, 3)), ("ijk->j", (2, 3, 4)), ("ii->i", (3, 3)), ("ii->", (3, 3)), ("b...->...b", (2, 3, 4))]:
    add(f"contraction/einsum {equation}", lambda x, e=equation: tf.einsum(e, x) ** 2, a)
add("contraction/cross", lambda x, y: tf.linalg.cross(x, y), (4, 3), (4, 3))
add("contraction/complex", lambda z: tf.abs(tf.matmul(z, z, adjoint_a=True)), Draw((3, 2), complex=True), smooth=False)

# Shapes.
add("shape/reshape", lambda x: tf.reshape(x, (4, 3)) ** 2, (2, 6))
add("shape/transpose", lambda x: tf.transpose(x, (2, 0, 1)) ** 2, (2, 3, 4))
add("shape/expand", lambda x: tf.squeeze(tf.expand_dims(x, 1) * tf.ones((2, 1, 3), x.dtype), 1) ** 2, (2, 3))
add("shape/broadcast", lambda x: tf.broadcast_to(x, (2, 3, 4)) ** 2, (3, 1))
add("shape/tile", lambda x: tf.tile(x, (2, 1, 3)) ** 2, (2, 3, 2))
add("shape/stack", lambda x, y: tf.stack([x, y, x * y], 1) ** 2, (2, 3), (2, 3))
add("shape/unstack", lambda x: tf.unstack(x, axis=1)[0] * tf.unstack(x, axis=1)[2], (2, 3))
add("shape/concat", lambda x, y: tf.concat([x, y, x], 1) ** 2, (2, 3), (2, 2))
add("shape/split", lambda x: tf.split(x, 3, 1)[0] * tf.split(x, [3, 2, 1], 1)[1], (2, 6))
add("shape/fill", lambda x: tf.fill((2, 3), x) ** 2, ())
add("shape/zeros_like", lambda x: tf.ones_like(x) * x + tf.zeros_like(x), (2, 3))

# Indexing.
IDS = [3, 0, 3, 1, 1]
add("indexing/gather", lambda x: tf.gather(x, IDS) ** 2, (4, 3))
add("indexing/gather_axis", lambda x: tf.gather(x, [[2, 0], [2, 1]], axis=1) ** 2, (2, 3, 4))
add("indexing/gather_batch", lambda x: tf.gather(x, [[2, 0], [2, 2]], axis=1, batch_dims=1) ** 2, (2, 3, 4))
add("indexing/gather_batch_axis", lambda x: tf.gather(x, [[2, 0], [2, 2]], axis=2, batch_dims=1) ** 2, (2, 4, 3, 2))
add("indexing/gather_nd", lambda x: tf.gather_nd(x, [[0, 2], [1, 1], [0, 2]]) ** 2, (2, 3, 4))
add("indexing/gather_nd_batch", lambda x: tf.gather_nd(x, [[[0], [2]], [[1], [1]]], batch_dims=1) ** 2, (2, 3, 4))
add("indexing/embedding", lambda x: tf.nn.embedding_lookup(x, [[3, 1], [0, 3]]) ** 2, (4, 3))
add("indexing/scatter_nd", lambda x: tf.scatter_nd([[1], [3], [1]], x, (5, 2)) ** 2, (3, 2))
for mode in ("update", "add", "sub", "max", "min"):
    f = {"max": tf.tensor_scatter_nd_max, "min": tf.tensor_scatter_nd_min, "update": tf.tensor_scatter_nd_update,
         "add": tf.tensor_scatter_nd_add, "sub": tf.tensor_scatter_nd_sub}[mode]
    add(f"indexing/tensor_scatter_{mode}", lambda x, y, f=f: f(x, [[1], [3], [0]], y) ** 2, (5, 2), (3, 2))
add("indexing/slice", lambda x: tf.slice(x, (1, 0, 2), (2, -1, 1)) ** 2, (3, 4, 5))
add("indexing/strided", lambda x: x[1:, ::-2, 0] ** 2, (3, 5, 2))
add("indexing/strided_new", lambda x: x[..., tf.newaxis, 1] ** 2 + x[0, 1:2, tf.newaxis, tf.newaxis, -1] * 3, (2, 3, 4))
add("indexing/pad", lambda x: tf.pad(x, ((1, 2), (0, 1)), constant_values=2) ** 2, (2, 3))
add("indexing/mirror_reflect", lambda x: tf.pad(x, ((1, 1), (2, 1)), "REFLECT") ** 2, (3, 4))
add("indexing/mirror_symmetric", lambda x: tf.pad(x, ((1, 2), (2, 0)), "SYMMETRIC") ** 2, (3, 4))
add("indexing/reverse", lambda x: tf.reverse(x, (0, 2)) ** 3, (2, 3, 4))
add("indexing/reverse_sequence", lambda x: tf.reverse_sequence(x, [2, 0, 3], seq_axis=1, batch_axis=0) ** 3, (3, 4, 2))
add("indexing/roll", lambda x: tf.roll(x, (1, -2), (0, 1)) ** 3, (3, 4))
add("indexing/band_part", lambda x: tf.linalg.band_part(x, 1, 0) ** 2, (2, 3, 4))
add("indexing/diag", lambda x: tf.linalg.diag(x) ** 2, (2, 3))
add("indexing/diag_part", lambda x: tf.linalg.diag_part(x) ** 2, (2, 3, 4))
add("indexing/diags", lambda x: tf.linalg.diag(x, k=(-1, 1), align="LEFT_RIGHT") ** 2, (2, 3, 4))
add("indexing/diag_parts", lambda x: tf.linalg.diag_part(x, k=(-1, 1)) ** 2, (2, 3, 4))
add("indexing/set_diag", lambda x, y: tf.linalg.set_diag(x, y) ** 2, (2, 3, 4), (2, 3))
add("indexing/trace", lambda x: tf.linalg.trace(x) ** 2, (2, 3, 3))
add("indexing/depth_to_space", lambda x: tf.nn.depth_to_space(x, 2) ** 2, (1, 2, 3, 8))
add("indexing/space_to_depth", lambda x: tf.nn.space_to_depth(x, 2) ** 2, (1, 4, 6, 2))
add("indexing/space_to_batch", lambda x: tf.space_to_batch(x, (2, 2), ((1, 1), (0, 2))) ** 2, (1, 4, 4, 2))
add("indexing/batch_to_space", lambda x: tf.batch_to_space(x, (2, 2), ((1, 0), (0, 1))) ** 2, (4, 2, 3, 2))
add("indexing/top_k", lambda x: tf.math.top_k(x, 2)[0] ** 2, distinct(2, 3, 4))
add("indexing/sort", lambda x: tf.sort(x, direction="DESCENDING") * tf.constant([1, 2, 3, 4], x.dtype), distinct(3, 4))
add("indexing/dynamic_stitch", lambda x, y: tf.dynamic_stitch([[0, 2], [3, 1, 4]], [x, y]) ** 2, (2, 3), (3, 3))
SEGMENTS = [0, 0, 1, 3, 3]
for mode in ("sum", "mean", "max", "min", "prod"):
    add(f"indexing/segment_{mode}", lambda x, f=getattr(tf.math, f"segment_{mode}"): f(x, SEGMENTS) ** 2, distinct(5, 2))
    add(f"indexing/unsorted_segment_{mode}", lambda x, f=getattr(tf.math, f"unsorted_segment_{mode}"):
        f(x, [2, 0, -1, 2, 0], 3) if mode in ("max", "min", "prod") else f(x, [2, 0, -1, 2, 0], 4) ** 2, distinct(5, 2))
add("indexing/segment_prod_zeros", lambda x: tf.math.segment_prod(x, [0, 0, 0, 1, 1, 1]), Draw((6,), values=[1, 0, 2, 0, 0, 3]), smooth=False)
add("indexing/one_hot", lambda x, y: raw.OneHot(indices=[0, 2, 5], depth=3, on_value=x, off_value=y, axis=-1) ** 2, (), ())
add("indexing/extract_patches", lambda x: tf.image.extract_patches(x, (1, 2, 3, 1), (1, 1, 2, 1), (1, 1, 1, 1), "SAME") ** 2, (1, 4, 5, 2))
add("indexing/boolean_mask", lambda x: tf.gather(x, tf.reshape(tf.where(tf.constant([True, False, True])), [-1])) ** 2, (3, 2))

# Normalization and losses.
add("normalization/softmax", lambda x: tf.nn.softmax(x) ** 2, (3, 4))
add("normalization/log_softmax", lambda x: tf.nn.log_softmax(x) ** 2, (3, 4))
add("normalization/softmax_axis", lambda x: tf.nn.softmax(x, 0) ** 2, (3, 4))
add("normalization/cross_entropy", lambda x: tf.nn.softmax_cross_entropy_with_logits(tf.constant([[.2, .3, .5], [.1, .9, 0]], x.dtype), x), (2, 3))
add("normalization/cross_entropy_labels", lambda x, y: tf.nn.softmax_cross_entropy_with_logits(tf.nn.softmax(y), x), (2, 3), (2, 3), smooth=False)
add("normalization/sparse_cross_entropy", lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits([2, 0], x), (2, 3))
add("normalization/sigmoid_cross_entropy", lambda x: tf.nn.sigmoid_cross_entropy_with_logits(tf.constant([[.2, .3, .5]], x.dtype), x), (2, 3))
for training in (False, True):
    for layout in ("NHWC", "NCHW"):
        if training and layout == "NCHW":
            continue  # TensorFlow has no such kernel for the gradient on a CPU
        add(f"normalization/fused_batch_norm_{'training' if training else 'inference'}_{layout}", lambda x, s, o, t=training, l=layout:
            raw.FusedBatchNormV3(x=x, scale=s, offset=o, mean=[] if t else [.1, .2], variance=[] if t else [1.5, .7], is_training=t,
                                 data_format=l)[0] ** 2, (2, 3, 4, 2) if layout == "NHWC" else (2, 2, 3, 4), (2,), (2,), f32_only=True,
            smooth=training)
add("normalization/batch_normalization", lambda x, m, v, s: tf.nn.batch_normalization(x, m, v, None, s, 1e-3), (3, 4), (4,), positive(4), (4,))
add("normalization/lrn", lambda x: tf.nn.lrn(x, 2, 1.2, 0.7, 0.6) ** 2, (1, 2, 3, 7), f32_only=True, smooth=False)
add("normalization/layer_norm", lambda x, s: (x - tf.reduce_mean(x, -1, True)) * tf.math.rsqrt(tf.math.reduce_variance(x, -1, True) + 1e-3) * s,
    (3, 4), (4,))

# Windows.
for padding in ("SAME", "VALID"):
    for strides, dilations in ((1, 1), (2, 1), (1, 2)):
        suffix = f"{padding}_{strides}{dilations}"
        add(f"window/conv2d_{suffix}", lambda x, w, p=padding, s=strides, d=dilations: tf.nn.conv2d(x, w, s, p, dilations=d) ** 2,
            (2, 7, 6, 3), (3, 2, 3, 4), f32_only=False)
        add(f"window/conv1d_{suffix}", lambda x, w, p=padding, s=strides, d=dilations: tf.nn.conv1d(x, w, s, p, dilations=d) ** 2,
            (2, 9, 3), (3, 3, 4))
        add(f"window/depthwise_{suffix}", lambda x, w, p=padding, s=strides, d=dilations:
            tf.nn.depthwise_conv2d(x, w, (1, s, s, 1), p, dilations=(d, d)) ** 2, (2, 7, 6, 3), (3, 3, 3, 2))
    add(f"window/conv3d_{padding}", lambda x, w, p=padding: tf.nn.conv3d(x, w, (1, 2, 1, 2, 1), p) ** 2, (1, 5, 4, 5, 2), (2, 2, 3, 2, 3))
    add(f"window/conv_transpose_{padding}", lambda x, w, p=padding:
        tf.nn.conv2d_transpose(x, w, (2, 8, 6, 3) if p == "SAME" else (2, 9, 7, 3), 2, p) ** 2, (2, 4, 3, 4), (3, 3, 3, 4))
    for strides in (1, 2):
        for name in ("max", "avg"):
            add(f"window/{name}_pool_{padding}_{strides}", lambda x, n=name, p=padding, s=strides:
                getattr(tf.nn, f"{n}_pool2d")(x, (3, 2), s, p) ** 2, distinct(2, 6, 5, 3))
            add(f"window/{name}_pool3d_{padding}_{strides}", lambda x, n=name, p=padding, s=strides:
                getattr(tf.nn, f"{n}_pool3d")(x, 2, s, p) ** 2, distinct(1, 4, 5, 4, 2), f32_only=name == "max")
add("window/conv2d_groups", lambda x, w: tf.nn.conv2d(x, w, 1, "SAME") ** 2, (2, 5, 4, 6), (3, 3, 2, 4), smooth=False)
add("window/conv2d_explicit", lambda x, w: tf.nn.conv2d(x, w, 2, ((0, 0), (1, 2), (0, 1), (0, 0))) ** 2, (2, 6, 5, 3), (3, 3, 3, 2))
add("window/max_pool_ties", lambda x: tf.nn.max_pool2d(x, 2, 1, "VALID") ** 2, Draw((1, 3, 3, 1), values=np.ones((1, 3, 3, 1))), smooth=False)
add("window/bias", lambda x, b: tf.nn.bias_add(x, b) ** 2, (2, 3, 4, 5), (5,))
for name in ("bilinear", "nearest", "bicubic"):
    op = {"bilinear": raw.ResizeBilinear, "nearest": raw.ResizeNearestNeighbor, "bicubic": raw.ResizeBicubic}[name]
    for corners, centers in ((False, False), (True, False), (False, True)):
        add(f"window/resize_{name}_{int(corners)}{int(centers)}", lambda x, op=op, a=corners, h=centers:
            op(images=x, size=(5, 7), align_corners=a, half_pixel_centers=h) ** 2, (1, 3, 4, 2), f32_only=True, smooth=False)


# Linear algebra. Matrices are made from the inputs so that they are regular.
def regular(x):
    return x + 4 * tf.eye(x.shape[-1] or 3, dtype=x.dtype)


def symmetric(x):
    return tf.matmul(x, x, transpose_b=True) + tf.eye(x.shape[-2], dtype=x.dtype)


add("linalg/cholesky", lambda x: tf.linalg.cholesky(symmetric(x)) ** 2, (2, 3, 3))
add("linalg/inverse", lambda x: tf.linalg.inv(regular(x)) ** 2, (2, 3, 3))
add("linalg/inverse_adjoint", lambda x: tf.linalg.inv(regular(x), adjoint=True) ** 2, (3, 3))
for adjoint in (False, True):
    add(f"linalg/solve_{int(adjoint)}", lambda x, y, a=adjoint: tf.linalg.solve(regular(x), y, adjoint=a) ** 2, (2, 3, 3), (2, 3, 2))
    for lower in (False, True):
        add(f"linalg/triangular_solve_{int(lower)}{int(adjoint)}", lambda x, y, a=adjoint, l=lower:
            tf.linalg.triangular_solve(regular(x), y, lower=l, adjoint=a) ** 2, (2, 3, 3), (2, 3, 2))
add("linalg/determinant", lambda x: tf.linalg.det(regular(x)) / 50, (2, 3, 3))
add("linalg/log_determinant", lambda x: tf.linalg.slogdet(regular(x))[1], (2, 3, 3))
add("linalg/qr", lambda x: tf.linalg.qr(x)[0] * tf.range(1., 4., dtype=x.dtype) + tf.reduce_sum(tf.linalg.qr(x)[1] ** 2), (4, 3), smooth=False)
add("linalg/eigenvalues", lambda x: tf.linalg.eigvalsh(symmetric(x)) ** 2, (2, 3, 3), smooth=False)
add("linalg/eigenvectors", lambda x: tf.linalg.eigh(symmetric(x))[1] ** 2, (3, 3), smooth=False)
add("linalg/singular_values", lambda x: tf.linalg.svd(x, compute_uv=False) ** 2, (2, 4, 3), smooth=False)
add("linalg/singular_vectors", lambda x: tf.linalg.svd(x)[1] ** 2 + tf.reduce_sum(tf.linalg.svd(x)[2] ** 4), (4, 3), smooth=False)


# Sparse tensors.
for mode in ("sum", "mean", "sqrt_n"):
    add(f"sparse/segment_{mode}", lambda x, f=getattr(tf.sparse, f"segment_{mode}"): f(x, [3, 0, 3, 1], [0, 0, 1, 3]) ** 2, (4, 3))
for ta in (False, True):
    for tb in (False, True):
        add(f"sparse/matmul_{int(ta)}{int(tb)}", lambda v, y, ta=ta, tb=tb: tf.sparse.sparse_dense_matmul(
            tf.SparseTensor([[0, 1], [1, 0], [1, 3]], v, (3, 4)), y, ta, tb) ** 2, (3,),
            ((2, 3) if tb else (3, 2)) if ta else ((2, 4) if tb else (4, 2)))
add("sparse/to_dense", lambda v: raw.SparseToDense(sparse_indices=[[0, 1], [2, 0]], output_shape=(3, 2), sparse_values=v, default_value=tf.zeros((), v.dtype)) ** 2, (2,))


# Control flow.
@function((), (3,))
def control__cond(p, x):
    return tf.cond(p > 0, lambda: x * x * p, lambda: tf.sin(x) + p)


@function((3,))
def control__cond_nested(x):
    return tf.cond(tf.reduce_sum(x) > 100, lambda: x, lambda: tf.cond(x[0] > -100, lambda: x ** 3, lambda: x))


@function((3,))
def control__while_power(x):
    return tf.while_loop(lambda i, y: i < 4, lambda i, y: (i + 1, y * x), (0, x))[1]


@function((3,), (3, 3))
def control__while_rnn(x, w):
    return tf.while_loop(lambda i, h: i < 5, lambda i, h: (i + 1, tf.tanh(tf.linalg.matvec(w, h) + x)), (0, x))[1]


@function((3,))
def control__while_unknown(x):
    """The number of iterations depends on the data."""
    return tf.while_loop(lambda y: tf.reduce_sum(y * y) < 50, lambda y: y * 1.5 + 0.1 * x, (x,))[0]


@function((2, 3))
def control__while_nested(x):
    def inner(i, y):
        return i + 1, tf.while_loop(lambda j, z: j < i + 2, lambda j, z: (j + 1, tf.sin(z) * x), (0, y))[1]
    return tf.while_loop(lambda i, y: i < 3, inner, (0, x))[1]


@function((3,))
def control__while_cond(x):
    return tf.while_loop(lambda i, y: i < 5, lambda i, y: (i + 1, tf.cond(tf.equal(i % 2, 0), lambda: y * x, lambda: tf.cos(y))), (0, x))[1]


@function((5, 2, 3), (3, 3))
def control__map(x, w):
    return tf.map_fn(lambda a: tf.tanh(tf.matmul(a, w)), x)


@function((5, 3), (3, 3))
def control__scan(x, w):
    return tf.scan(lambda h, a: tf.tanh(tf.linalg.matvec(w, h) + a), x)


@function((4, 3), (3, 3))
def control__array(x, w):
    items = tf.TensorArray(x.dtype, 4, element_shape=(3,)).unstack(x)
    out = tf.TensorArray(x.dtype, 4, element_shape=(3,))
    _, h, out = tf.while_loop(lambda i, h, o: i < 4, lambda i, h, o: (
        i + 1, tf.tanh(tf.linalg.matvec(w, h) * items.read(i)), o.write(i, h * items.read(i))), (0, tf.ones((3,), x.dtype), out))
    return tf.concat([out.stack(), h[None]], 0)


@function((2, 3))
def control__call(x):
    @tf.function(autograph=False)
    def square_plus(a, b):
        return a * a + b
    return square_plus(square_plus(x, x), tf.sin(x))


# Compositions.
@function((4, 6), (6, 5), (5,), (5, 3))
def model__mlp(x, w, b, v):
    return tf.nn.softmax_cross_entropy_with_logits(tf.one_hot([0, 2, 1, 1], 3, dtype=x.dtype), tf.matmul(tf.nn.relu(tf.matmul(x, w) + b), v))


@function((2, 5, 6), (6, 6), (6, 6), (6, 6))
def model__attention(x, q, k, v):
    q, k, v = (tf.einsum("bsd,de->bse", x, m) for m in (q, k, v))
    return tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / 2.4), v)


@function((2, 8, 8, 1), (3, 3, 1, 4), (64, 3))
def model__convnet(x, w, v):
    h = tf.nn.max_pool2d(tf.nn.relu(tf.nn.conv2d(x, w, 1, "SAME")), 2, 2, "SAME")
    return tf.nn.sparse_softmax_cross_entropy_with_logits([1, 2], tf.matmul(tf.reshape(h, (2, -1)), v))
