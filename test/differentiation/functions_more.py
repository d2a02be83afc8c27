"""More functions, written without a look at the rules: loops and conditions, losses,
windows, sorting and segments, matrices, transforms, special functions.

They join those of functions.py.
"""

import numpy as np
import tensorflow as tf

from functions import Draw, add

v1 = tf.compat.v1
raw = tf.raw_ops
FAMILY = [""]


def family(name):
    """What the functions after this call belong to."""
    FAMILY[0] = name


def draw(*shape, **options):
    return Draw(shape, **options)


def above_zero(*shape):
    return Draw(shape, 0.3, 2.5)


def register(*inputs, smooth=True, f32_only=False, **options):
    def keep(function):
        add(f"{FAMILY[0]}/{function.__name__}", function, *inputs, smooth=smooth, f32_only=f32_only, **options)
        return function
    return keep


family("loops")

@register((5, 3), (3, 3))
def w_ta_cell(x, w):
    ta = tf.TensorArray(x.dtype, size=tf.shape(x)[0]).unstack(x)
    o = tf.TensorArray(x.dtype, size=tf.shape(x)[0])

    def body(i, h, o):
        h = tf.tanh(tf.tensordot(h, w, 1) + ta.read(i))
        return (i + 1, h, o.write(i, h * h))
    _, h, o = tf.while_loop(lambda i, h, o: i < tf.shape(x)[0], body, (0, tf.zeros((3,), x.dtype), o))
    return tf.concat([o.stack(), h[None]], 0)

@register((3, 4))
def w_conditions_inside(x):

    def body(i, y):
        other = tf.cond(tf.reduce_sum(y) > 0, lambda: y * 0.7, lambda: y * x * 0.5 - 0.2)
        return (i + 1, tf.cond(tf.equal(i % 3, 0), lambda: tf.sin(y) * x, lambda: tf.cond(i > 3, lambda: tf.cos(y), lambda: other * x)))
    return tf.while_loop(lambda i, y: i < 6, body, (0, x + 0.1))[1]

@register((3, 5), (3,))
def map_in_map(x, s):
    return tf.map_fn(lambda t: tf.map_fn(lambda e: tf.sin(e) * t[1] + e * e, t[0]), (x, s), fn_output_signature=x.dtype)

@register((3,))
def w_newton_sqrt(x):
    return tf.while_loop(lambda i, y: i < 6, lambda i, y: (i + 1, 0.5 * (y + (tf.square(x) + 1) / y)), (0, tf.ones_like(x)))[1]

@register((2, 3))
def w_data_cond(x):
    return tf.while_loop(lambda y: tf.reduce_max(tf.abs(y)) < 20.0, lambda y: y * y * 0.3 + y * 1.5 + x * 0.1 + 0.5, (x,))[0]

@register((4,), (4,))
def w_two_vars(a, b):
    _, p, q = tf.while_loop(lambda i, p, q: i < 5, lambda i, p, q: (i + 1, tf.sin(p) + q * b, q * 0.9 + p * a), (0, a, b))
    return p * q

@register((), (3,))
def c_nest(p, x):
    return tf.cond(p > 0, lambda: tf.cond(p > 1, lambda: x * p, lambda: tf.exp(x * p)), lambda: tf.cond(tf.reduce_sum(x) > 0, lambda: tf.sin(x) * p, lambda: x ** 3 - p))

@register((4, 3))
def c_in_scan(x):
    return tf.scan(lambda a, e: tf.cond(tf.reduce_sum(e) > 0, lambda: a * tf.cos(e), lambda: a + tf.tanh(e * a)), x, initializer=tf.ones((3,), x.dtype))

@register((4, 3))
def foldl_(x):
    return tf.foldl(lambda a, e: tf.tanh(a * e + e), x)

@register((4, 3))
def foldr_(x):
    return tf.foldr(lambda a, e: tf.sin(a + e) * a, x)

@register((4, 3), (4, 2))
def map_two(x, y):
    return tf.map_fn(lambda t: tf.einsum('i,j->ij', tf.exp(t[0]), t[1]), (x, y), fn_output_signature=x.dtype)

@register((4, 3))
def scan_rev(x):
    return tf.scan(lambda a, e: a * tf.sigmoid(e) + e, x, reverse=True)

@register((4, 3))
def scan_tuple(x):
    r = tf.scan(lambda a, e: (a[0] * e + a[1], tf.tanh(a[1] + e)), x, initializer=(tf.ones((3,), x.dtype), tf.zeros((3,), x.dtype)))
    return r[0] + r[1]

@register((3, 3))
def nested_while(x):

    def inner(y, k):
        return tf.while_loop(lambda j, z: j < k + 1, lambda j, z: (j + 1, tf.sin(tf.matmul(z, x))), (0, y))[1]
    return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, inner(y, i) + x), (0, x))[1]

@register((2, 4, 3), (3, 8), (2, 8), (8,))
def lstm_loop(x, w, u, b):
    n = tf.shape(x)[0]

    def body(t, h, c, o):
        z = tf.matmul(x[:, t], w) + tf.matmul(h, u) + b
        i, f, g, q = tf.split(z, 4, 1)
        c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
        h = tf.sigmoid(q) * tf.tanh(c)
        return (t + 1, h, c, o.write(t, h))
    z = tf.zeros((n, 2), x.dtype)
    _, h, c, o = tf.while_loop(lambda t, *_: t < 4, body, (0, z, z, tf.TensorArray(x.dtype, 4, element_shape=(None, 2))))
    return tf.transpose(o.stack(), (1, 0, 2))

@register((2, 4, 3), (3, 6), (2, 6), (6,))
def gru_unrolled(x, w, u, b):
    h = tf.zeros((tf.shape(x)[0], 2), x.dtype)
    for t in range(4):
        xz, xr, xh = tf.split(tf.matmul(x[:, t], w) + b, 3, 1)
        hz, hr, hh = tf.split(tf.matmul(h, u), 3, 1)
        z = tf.sigmoid(xz + hz)
        r = tf.sigmoid(xr + hr)
        h = z * h + (1 - z) * tf.tanh(xh + r * hh)
    return h

@register((3, 4))
def w_max_iter(x):
    return tf.while_loop(lambda i, y: tf.constant(True), lambda i, y: (i + 1, tf.sin(y) * 2), (0, x), maximum_iterations=4)[1]

@register((3, 4))
def w_down(x):
    return tf.while_loop(lambda i, y: i >= 0, lambda i, y: (i - 2, y * tf.cast(i, y.dtype) * 0.3 + tf.cos(y)), (7, x))[1]

@register((6, 3))
def w_gather_idx(x):
    return tf.while_loop(lambda i, a: i < 4, lambda i, a: (i + 1, a + tf.gather(x, [i, i + 1]) ** 2 * a), (0, tf.ones((2, 3), x.dtype)))[1]

@register((3, 2))
def w_ta_concat(x):
    o = tf.TensorArray(x.dtype, size=3, element_shape=(None, 2))
    _, o = tf.while_loop(lambda i, o: i < 3, lambda i, o: (i + 1, o.write(i, tf.exp(x) * tf.cast(i + 1, x.dtype))), (0, o))
    return o.concat()

@register((3,), ())
def switch_case_(x, p):
    return tf.switch_case(tf.cast(tf.abs(p) * 2, tf.int32), [lambda: x * x, lambda: tf.sin(x) * p, lambda: x + p], default=lambda: tf.exp(x))

@register((4,))
def case_(x):
    return tf.case([(x[0] > 0, lambda: x ** 2), (x[1] > 0, lambda: tf.sin(x))], default=lambda: tf.exp(x))

@register((3, 3))
def power_iter(a):
    v = tf.while_loop(lambda i, v: i < 5, lambda i, v: (i + 1, tf.linalg.l2_normalize(tf.linalg.matvec(a, v))), (0, tf.ones((3,), a.dtype)))[1]
    return tf.reduce_sum(v * tf.linalg.matvec(a, v))

@register((3,))
def while_cond_both(x):

    def body(i, y):
        return (i + 1, tf.cond(tf.reduce_sum(y) > 1, lambda: tf.while_loop(lambda j, z: j < 2, lambda j, z: (j + 1, z * 0.5 + x), (0, y))[1], lambda: y * y + x * 1.5 + 0.3))
    return tf.while_loop(lambda i, y: i < 4, body, (0, x))[1]

@register((3, 2))
def two_results(x):
    a, b = tf.cond(tf.reduce_mean(x) > 0, lambda: (x * 2, tf.exp(x)), lambda: (tf.sin(x), x * x))
    return a * b

@register((3,), ())
def ranks_inside(x, p):
    return tf.cond(p < .3, lambda: tf.nn.softmax(x) * p, lambda: tf.math.cumsum(x) ** 2)

@register((4, 3))
def growing(x):
    return tf.while_loop(lambda i, y: i < 3, lambda i, y: (i + 1, tf.concat([y, tf.sin(y[-2:]) * y[:2]], 0)), (0, x),
                         shape_invariants=(tf.TensorShape(()), tf.TensorShape((None, 3))))[1]

@register((5, 2))
def growing_array(x):
    o = tf.TensorArray(x.dtype, size=0, dynamic_size=True, clear_after_read=False).write(0, x[0])
    return tf.while_loop(lambda i, o: i < 5, lambda i, o: (i + 1, o.write(i, tf.sin(o.read(i - 1)) * x[i])), (1, o))[1].stack()

@register((5,))
def inner_trips(x):
    def inner(i, y):
        return tf.while_loop(lambda j, z: j < i, lambda j, z: (j + 1, tf.sin(z) + .1 * x), (0, y))[1]
    return tf.while_loop(lambda i, y: i < 4, lambda i, y: (i + 1, inner(i, y) * 1.1), (0, x))[1]

@register((3, 2), (3, 2))
def c_case(x, y):
    return tf.case([(tf.reduce_sum(x) > 5, lambda: x * y), (tf.reduce_sum(y) > -3, lambda: tf.exp(x) * y)], default=lambda: x - y)

@register((3,))
def w_hessian(x):
    return tf.linalg.diag_part(v1.hessians(tf.reduce_sum(tf.exp(x) * tf.roll(x, 1, 0)), x)[0]) * x

family("losses")

@register((3, 4), (4, 6), (6,))
def focal_of_softmax(x, w, b):
    p = tf.nn.softmax(tf.nn.gelu(x) @ w + b)
    return -(1 - p[:, 1]) ** 2 * tf.math.log(p[:, 1] + 1e-7)

@register((2, 4, 6), (3, 6, 6), (6, 6))
def mha(x, w, o):
    q, k, v = [tf.reshape(tf.einsum('bsd,de->bse', x, w[i]), (-1, 4, 2, 3)) for i in range(3)]
    s = tf.einsum('bqhd,bkhd->bhqk', q, k) / 3 ** 0.5 + tf.cast((1 - tf.linalg.band_part(tf.ones((4, 4)), -1, 0)) * -1000000000.0, x.dtype)
    return tf.einsum('bqe,eo->bqo', tf.reshape(tf.einsum('bhqk,bkhd->bqhd', tf.nn.softmax(s), v), (-1, 4, 6)), o)

@register((3, 5), (5,), (5,))
def layernorm_gelu(x, s, b):
    m, v = tf.nn.moments(x, -1, keepdims=True)
    return tf.nn.gelu((x - m) * tf.math.rsqrt(v + 1e-05) * s + b)

@register((4, 5))
def huber(x):
    e = x * 1.7
    return tf.where(tf.abs(e) <= 1, 0.5 * e * e, tf.abs(e) - 0.5)

@register((4, 5), (4, 5))
def kl(a, b):
    p = tf.nn.softmax(a)
    return tf.reduce_sum(p * (tf.nn.log_softmax(a) - tf.nn.log_softmax(b)), -1)

@register((4, 5), (4, 5))
def cosine(a, b):
    return -tf.reduce_sum(tf.nn.l2_normalize(a, -1) * tf.nn.l2_normalize(b, -1), -1)

@register((4, 3), (4, 3))
def contrastive(a, b):
    d = tf.sqrt(tf.reduce_sum((a[:, None] - b[None]) ** 2, -1) + 1e-06)
    return tf.nn.relu(2 - d) ** 2

@register((4, 5))
def focal(x):
    y = tf.one_hot([0, 3, 2, 1], 5, dtype=x.dtype)
    p = tf.sigmoid(x)
    return tf.nn.sigmoid_cross_entropy_with_logits(y, x) * (1 - (y * p + (1 - y) * (1 - p))) ** 2

@register((4, 5))
def weighted_ce(x):
    return tf.nn.weighted_cross_entropy_with_logits(tf.one_hot([0, 3, 2, 1], 5, dtype=x.dtype), x, 2.5)

@register((4, 5))
def poisson(x):
    return tf.nn.log_poisson_loss(tf.constant([1.0, 2, 3, 4, 0.5], x.dtype) + 0 * x, x, compute_full_loss=True)

@register((4, 3), (4, 3))
def logcosh(a, b):
    return tf.reduce_mean(a - b + tf.nn.softplus(-2 * (a - b)) - np.log(2.0), -1)

@register((6, 4), (4, 3), f32_only=False)
def embed_dup(t, w):
    return tf.tanh(tf.matmul(tf.nn.embedding_lookup(t, [1, 3, 1, 5, 1]), w))

@register((7, 4), (7,), (3, 4))
def nce(w, b, x):
    return tf.nn.nce_loss(w, b, tf.constant([[1], [0], [4]], tf.int64), x, 3, 7, sampled_values=(tf.constant([2, 5, 6], tf.int64), tf.fill((3, 1), tf.cast(0.4, x.dtype)), tf.constant([0.3, 0.2, 0.1], x.dtype)))

@register(draw(6, 2, 5), smooth=False, f32_only=True)
def ctc(x):
    return v1.nn.ctc_loss(tf.SparseTensor([[0, 0], [0, 1], [1, 0]], [1, 2, 3], [2, 2]), x, [6, 5])

@register((4, 6), (6, 5), (5,), (5,), (5,), f32_only=True)
def bn_train(x, w, s, o, z):
    y, _, _ = v1.nn.fused_batch_norm(tf.reshape(tf.matmul(x, w), (-1, 1, 1, 5)), s, o, is_training=True)
    return y * tf.reshape(z, (1, 1, 1, 5))

@register((4, 3, 3, 5), (5,), (5,), f32_only=True)
def bn_inf(x, s, o):
    return raw.FusedBatchNormV3(x=x, scale=s, offset=o, mean=[0.1, 0.2, 0.3, 0.4, 0.5], variance=[1.0, 0.5, 2, 1, 3], is_training=False)[0] ** 2

@register((4, 3), (3,), (3,))
def bn_manual(x, s, o):
    m, v = tf.nn.moments(x, [0])
    return tf.nn.batch_normalization(x, m, v, o, s, 0.001) ** 2

@register((2, 6, 6, 4), draw(4), f32_only=True)
def group_norm(x, s):
    y = tf.reshape(x, (-1, 6, 6, 2, 2))
    m, v = tf.nn.moments(y, [1, 2, 4], keepdims=True)
    return tf.reshape((y - m) / tf.sqrt(v + 1e-05), (-1, 6, 6, 4)) * s

family("windows")

def convolution(name, p, s, d, fmt='NHWC', xs=(2, 7, 6, 3), ws=(3, 2, 3, 4)):

    def f(x, w):
        return tf.nn.conv2d(x, w, s, p, dilations=d) ** 2
    f.__name__ = name
    register(draw(*xs), draw(*ws))(f)
convolution('cv_same_s2', 'SAME', 2, 1)
convolution('cv_same_s3', 'SAME', 3, 1, ws=(5, 3, 3, 2))
convolution('cv_valid_d2', 'VALID', 1, 2)
convolution('cv_same_d3', 'SAME', 1, 3)
convolution('cv_s23', 'VALID', (2, 3), 1)
convolution('cv_expl', [[0, 0], [2, 1], [0, 3], [0, 0]], 2, 1)
convolution('cv_1x1_s2', 'SAME', 2, 1, ws=(1, 1, 3, 4))
convolution('cv_expl_d', [[0, 0], [2, 1], [0, 3], [0, 0]], 1, 2)

@register((2, 9, 3), draw(3, 3, 4))
def cv1_s2(x, w):
    return tf.nn.conv1d(x, w, 2, 'SAME') ** 2

@register((2, 9, 3), draw(3, 3, 4))
def cv1_d2(x, w):
    return tf.nn.conv1d(x, w, 1, 'VALID', dilations=2) ** 2

@register((2, 5, 4, 5, 2), draw(2, 3, 2, 2, 3))
def cv3_s2(x, w):
    return tf.nn.conv3d(x, w, (1, 2, 2, 2, 1), 'SAME') ** 2

@register((2, 5, 6, 5, 2), draw(2, 2, 2, 2, 3))
def cv3_d2(x, w):
    return tf.nn.conv3d(x, w, (1, 1, 1, 1, 1), 'VALID', dilations=(1, 1, 1, 1, 1)) ** 2

@register(draw(2, 4, 3, 4), draw(3, 3, 2, 4))
def ct2(x, w):
    return tf.nn.conv2d_transpose(x, w, (2, 8, 6, 2), 2, 'SAME') ** 2

@register((2, 4, 3, 4), draw(3, 4, 2, 4))
def ct2_dyn(x, w):
    return tf.nn.conv2d_transpose(x, w, tf.stack([tf.shape(x)[0], 9, 10, 2]), (2, 3), 'VALID') ** 2

@register((2, 4, 4), draw(3, 2, 4))
def ct1(x, w):
    return tf.nn.conv1d_transpose(x, w, tf.stack([tf.shape(x)[0], 8, 2]), 2, 'SAME') ** 2

@register((1, 3, 2, 3, 4), draw(2, 3, 2, 2, 4))
def ct3(x, w):
    return tf.nn.conv3d_transpose(x, w, tf.stack([tf.shape(x)[0], 6, 4, 6, 2]), 2, 'SAME') ** 2

@register((2, 7, 6, 3), draw(3, 3, 3, 2))
def dw_s2(x, w):
    return tf.nn.depthwise_conv2d(x, w, (1, 2, 2, 1), 'SAME') ** 2

@register((2, 7, 6, 3), draw(3, 3, 3, 1))
def dw_d2(x, w):
    return tf.nn.depthwise_conv2d(x, w, (1, 1, 1, 1), 'VALID', dilations=(2, 2)) ** 2

@register((2, 7, 6, 3), draw(3, 2, 3, 1))
def dw_expl(x, w):
    return tf.nn.depthwise_conv2d(x, w, (1, 1, 1, 1), [[0, 0], [1, 2], [0, 1], [0, 0]]) ** 2

@register((2, 7, 6, 3), draw(3, 3, 3, 2), draw(1, 1, 6, 4))
def sep(x, w, p):
    return tf.nn.separable_conv2d(x, w, p, (1, 1, 1, 1), 'SAME') ** 2

@register((2, 7, 6, 4), draw(3, 3, 2, 4), smooth=False)
def cv_group(x, w):
    return tf.nn.conv2d(x, w, 1, 'SAME') ** 2

@register((2, 7, 6, 3), draw(3, 3, 3))
def dilation2d_(x, w):
    return tf.nn.dilation2d(x, w, (1, 1, 1, 1), 'SAME', 'NHWC', (1, 1, 1, 1)) ** 2

def squared(name, f, *ins, **k):

    def g(x):
        return f(x) ** 2
    g.__name__ = name
    register(*ins, **k)(g)
squared('mp_s2', lambda x: tf.nn.maxsquared2d(x, 3, 2, 'SAME'), (2, 7, 6, 3))
squared('mp_v', lambda x: tf.nn.maxsquared2d(x, (2, 3), (1, 2), 'VALID'), (2, 7, 6, 3))
squared('ap_s2', lambda x: tf.nn.avgsquared2d(x, 3, 2, 'SAME'), (2, 7, 6, 3))
squared('ap_v', lambda x: tf.nn.avgsquared2d(x, 2, 1, 'VALID'), (2, 7, 6, 3))
squared('mp3', lambda x: tf.nn.maxsquared3d(x, 2, 2, 'SAME'), (1, 5, 4, 5, 2), f32_only=True)
squared('ap3', lambda x: tf.nn.avgsquared3d(x, 3, 2, 'SAME'), (1, 5, 4, 5, 2))
squared('mp1', lambda x: tf.nn.maxsquared1d(x, 3, 2, 'SAME'), (2, 9, 3))
squared('ap1', lambda x: tf.nn.avgsquared1d(x, 3, 2, 'VALID'), (2, 9, 3))
squared('mp_argmax', lambda x: tf.nn.maxsquared_with_argmax(x, 2, 2, 'SAME')[0], (2, 5, 6, 3))
squared('mp_expl', lambda x: tf.nn.maxsquared2d(x, 3, 2, [[0, 0], [1, 0], [0, 2], [0, 0]]), (2, 7, 6, 3))
squared('mp_ties', lambda x: tf.nn.maxsquared2d(x, 3, 1, 'SAME'), draw(1, 4, 4, 2, values=np.array([1, 2, 2, 1, 0, 2, 1, 1] * 4).reshape(1, 4, 4, 2)), smooth=False)
squared('mp3_ties', lambda x: tf.nn.maxsquared3d(x, 2, 1, 'SAME'), draw(1, 3, 3, 3, 1, values=np.array([1, 2, 2, 1, 0, 2, 1, 1, 2] * 3).reshape(1, 3, 3, 3, 1)), f32_only=True, smooth=False)
squared('mp_nchwv', lambda x: tf.nn.space_to_depth(tf.nn.maxsquared2d(x, 2, 1, 'SAME'), 2), (2, 4, 6, 3))
for name, method in dict(bl='bilinear', nn='nearest', bc='bicubic', ar='area').items():
    squared('rs_' + name, lambda x, m=method: tf.image.resize(x, (5, 9), m), (2, 4, 6, 3), f32_only=True, smooth=False)
squared('crop_resize', lambda x: tf.image.crop_and_resize(x, [[0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1.2]], [0, 1], (3, 4)), draw(2, 6, 7, 2), f32_only=True, smooth=False)
squared('crop_central', lambda x: tf.image.central_crop(x, 0.5), (2, 8, 8, 3))
squared('flip_rot', lambda x: tf.image.rot90(tf.image.flip_left_right(x)), (2, 4, 5, 3))
squared('ssim', lambda x: tf.image.ssim(tf.sigmoid(x), tf.sigmoid(x * x), 1.0, filter_size=3), (2, 8, 8, 1), f32_only=True)
squared('grads_img', lambda x: tf.image.total_variation(x), (2, 4, 5, 3))
squared('sobel', lambda x: tf.image.sobel_edges(x), (2, 5, 5, 2), f32_only=True)
squared('patches', lambda x: tf.image.extract_patches(x, (1, 3, 3, 1), (1, 2, 2, 1), (1, 1, 1, 1), 'VALID'), (2, 7, 7, 2))
squared('hue', lambda x: tf.image.rgb_to_hsv(tf.sigmoid(x)), (2, 3, 3), smooth=False)
squared('contrast', lambda x: tf.image.adjust_contrast(x, 1.7), (2, 3, 4, 3), f32_only=True, smooth=False)

family("sorting")

@register((3, 6))
def topk_(x):
    return tf.math.top_k(x, 3)[0] ** 2

@register((3, 6))
def sort_asc(x):
    return tf.sort(x, axis=0) * tf.sin(x)

@register((3, 6))
def argsort_gather(x):
    return tf.gather(x * x, tf.argsort(x, direction='DESCENDING', stable=True), batch_dims=1)

@register((3, 6))
def median(x):
    return tf.sort(x, -1)[:, 3] * tf.reduce_max(x, -1)

@register((5, 3), (2, 3))
def scat_upd(x, u):
    return tf.tensor_scatter_nd_update(x, [[1], [3]], u * u) ** 2

@register((5, 3), (3, 3))
def scat_add_dup(x, u):
    return tf.tensor_scatter_nd_add(x, [[1], [3], [1]], u * u) ** 2

@register((5, 3), (3, 3))
def scat_max(x, u):
    return tf.tensor_scatter_nd_max(x, [[1], [3], [0]], u) ** 2

@register((5,), (4,))
def scatter_nd_(x, u):
    return tf.scatter_nd([[4], [3], [4], [1]], u * u, [8])[1:6] * x

@register((4, 5, 3))
def gather_b(x):
    return tf.gather(x, [[0, 2], [1, 1], [4, 0], [3, 3]], axis=1, batch_dims=1) ** 2

@register((4, 5, 3))
def gather_ax(x):
    return tf.gather(x, [[0, 2], [1, 1]], axis=2) ** 3

@register((4, 5, 3))
def gathernd_b(x):
    return tf.gather_nd(x, [[[0, 1]], [[4, 2]], [[1, 1]], [[2, 0]]], batch_dims=1) ** 2

@register((6, 2))
def dynpart(x):
    a, b, c = tf.dynamic_partition(x, [0, 2, 1, 0, 2, 2], 3)
    return tf.concat([a * a, tf.sin(b), c * 3], 0)

@register((6, 2))
def dynpart_stitch(x):
    p = [0, 1, 1, 0, 1, 0]
    q = tf.dynamic_partition(tf.range(6), p, 2)
    a = tf.dynamic_partition(x, p, 2)
    return tf.dynamic_stitch(q, [tf.exp(a[0]), tf.sin(a[1])])

@register((6,))
def boolmask(x):
    return tf.boolean_mask(x * x, [True, False, True, True, False, True]) * 2

@register((6,))
def boolmask_data(x):
    return tf.reduce_sum(tf.boolean_mask(x, x > 0) ** 3)

@register((6, 2))
def where_nz(x):
    return tf.gather_nd(x, tf.where(x > 0)) ** 2

@register((6, 3))
def seg_all(x):
    i = [0, 0, 1, 1, 1, 3]
    return tf.math.segment_sum(x, i) ** 2 + tf.math.segment_mean(x, i) + tf.math.segment_max(x, i) ** 2 + tf.math.segment_min(x, i) * 3

@register(above_zero(6, 3))
def seg_prod(x):
    return tf.math.segment_prod(x, [0, 0, 1, 1, 1, 3]) ** 2

@register((6, 3))
def useg_all(x):
    i = [2, 0, -1, 2, 0, 1]
    return tf.math.unsorted_segment_sum(x, i, 4) ** 2 + tf.math.unsorted_segment_mean(x, i, 4) + tf.math.unsorted_segment_sqrt_n(x, i, 4) ** 2

@register((6, 3))
def useg_max(x):
    return tf.math.unsorted_segment_max(x, [2, 0, 1, 2, 0, 1], 3) ** 2 + tf.math.unsorted_segment_min(x, [2, 0, 1, 2, 0, 1], 3)

@register((3, 4), (3, 4))
def where_bc(x, y):
    return tf.where(x > y[:1], x * y, tf.exp(y))

@register((3, 4, 5))
def sliced(x):
    return x[:, ::2, -1] * x[:, 1:3, 0] + x[..., 2][:, :2]

@register((3, 4))
def slice_assign_pad(x):
    return tf.pad(x[:, 1:], [[1, 0], [0, 2]], 'SYMMETRIC') * tf.pad(x, [[1, 0], [1, 0]], constant_values=3.0)

@register((4, 4))
def rev_roll(x):
    return tf.roll(tf.reverse(x, [1]), [1, 2], [0, 1]) * x

@register((2, 3))
def tile_rep(x):
    return tf.tile(x, [1, 3]) * tf.repeat(x, 3, axis=1) + tf.repeat(x, [1, 4, 4], axis=1)

@register((3, 4), (3, 2))
def stack_split(x, y):
    a, b = tf.split(x, 2, 1)
    c = tf.stack([a, b, y], 1)
    return tf.unstack(c, axis=1)[1] * c[:, 0] + tf.reduce_prod(c, 1)

@register((2, 3, 4))
def meshlike(x):
    a, b = tf.meshgrid(x[0, 0], x[1, :, 1])
    return a * b

@register((4, 3))
def revseq(x):
    return tf.reverse_sequence(x, [1, 3, 2, 3], 1) * x

@register((3,))
def diagx(x):
    return tf.linalg.diag(x * x, k=1) + tf.linalg.tensor_diag(tf.concat([x, x[:1]], 0))

@register((3, 4), (3,))
def setdiag(x, d):
    return tf.linalg.set_diag(x, d * d) * tf.linalg.band_part(x, 1, 1)

@register((4, 3))
def searchs(x):
    return tf.gather(x, tf.searchsorted([0.0, 1, 2], tf.cast(tf.abs(x[:, 0]), tf.float32)))

family("sums")

@register((3, 4))
def lse(x):
    return tf.reduce_logsumexp(x, 1) * tf.reduce_logsumexp(x)

@register((3, 4))
def norms(x):
    return tf.norm(x, ord=1) + tf.norm(x, axis=1) + tf.norm(x, ord=3, axis=1) + tf.norm(x, ord=np.inf, axis=1) + tf.norm(x, ord='fro', axis=(0, 1))

@register(draw(3, values=[0.0, 0, 0]), smooth=False)
def norm_zero(x):
    return tf.norm(x)

@register((3, 5))
def cums(x):
    return tf.cumsum(x, 1, exclusive=True) * tf.math.cumprod(x, 1, reverse=True) + tf.math.cumulative_logsumexp(x, 1)

@register((3, 4, 2))
def prods(x):
    return tf.reduce_prod(x, [0, 2]) * tf.reduce_mean(x, [0, 2]) + tf.reduce_max(x, [0, 2]) * tf.reduce_min(x)

@register((3, 4), smooth=True)
def stats(x):
    return tf.math.reduce_variance(x, 0) * tf.math.reduce_std(x, 0) + tf.math.reduce_euclidean_norm(x, 0)

@register((3, 4))
def softs(x):
    return tf.nn.softmax(x, 0) * tf.nn.log_softmax(x) + tf.nn.softmax(x * 2, -1)

@register((3, 4))
def zfrac(x):
    return tf.cast(tf.math.zero_fraction(x), x.dtype) * x + tf.math.l2_normalize(x, 0)

@register((4, 3))
def cov(x):
    m = x - tf.reduce_mean(x, 0)
    return tf.matmul(m, m, transpose_a=True) / 4

@register((5,))
def histlike(x):
    return tf.reduce_sum(tf.exp(-(x[:, None] - tf.linspace(tf.cast(-1.0, x.dtype), 1.0, 4)) ** 2 / 0.3), 0)

@register((2, 3, 4), (2, 4, 5), (5, 3))
def ein3(a, b, c):
    return tf.einsum('bij,bjk,kl->bil', a, b, c)

@register((3, 3), (3,))
def ein_diag(a, v):
    return tf.einsum('ii->i', a) * v + tf.einsum('ij,j->i', a, v) ** 2

@register((2, 3, 4), (4, 3))
def ein_ell(a, b):
    return tf.einsum('...ij,jk->...ik', a, b) ** 2

@register((2, 3, 4), (3, 4, 2))
def tdot(a, b):
    return tf.tensordot(a, b, [[1, 2], [0, 1]]) ** 2

@register((3,), (4,))
def outer(a, b):
    return tf.exp(a[:, None] * b)

@register((1, 3, 4), (5, 4, 2))
def bmm_bc(a, b):
    return tf.matmul(a, b) ** 2

@register((2, 3), (2, 3))
def cross_(a, b):
    return tf.linalg.cross(a, b) ** 2

@register((3, 3))
def matpow(a):
    return tf.matmul(tf.matmul(a, a), a, transpose_b=True)

family("algebra")

def spd(a):
    return tf.matmul(a, a, transpose_b=True) + 2 * tf.eye(3, dtype=a.dtype)

def reg(a):
    return a + 4 * tf.eye(3, dtype=a.dtype)

@register((2, 3, 3))
def chol(a):
    return tf.linalg.cholesky(spd(a)) ** 2

@register((3, 3), (3, 2))
def chol_solve(a, b):
    return tf.linalg.cholesky_solve(tf.linalg.cholesky(spd(a)), b) ** 2

@register((2, 3, 3))
def inv_(a):
    return tf.linalg.inv(reg(a)) ** 2

@register((2, 3, 3))
def pinv_(a):
    return tf.linalg.pinv(reg(a))

@register((3, 3))
def logdet_(a):
    return tf.linalg.logdet(spd(a)) ** 2

@register((2, 3, 3))
def det_(a):
    return tf.linalg.det(reg(a))

@register((2, 3, 3))
def slog(a):
    return tf.linalg.slogdet(reg(a))[1] ** 2

@register((2, 3, 3), (2, 3, 2))
def solve_(a, b):
    return tf.linalg.solve(reg(a), b) ** 2

@register((3, 3), (2, 3, 2))
def trsolve_bc(a, b):
    return tf.linalg.triangular_solve(reg(a), b, lower=False, adjoint=True) ** 2

@register((2, 4, 3))
def qr_(a):
    q, r = tf.linalg.qr(a)
    return tf.reduce_sum(q[..., :1] ** 3, -2) + tf.reduce_sum(r ** 2, -2)

@register((3, 3))
def qr_sq(a):
    q, r = tf.linalg.qr(a, full_matrices=True)
    return tf.matmul(q, r) * q ** 2

@register((2, 3, 4))
def qr_wide(a):
    q, r = tf.linalg.qr(a)
    return tf.reduce_sum(q ** 2, -1) * 2 + tf.reduce_sum(r ** 2, -1)

@register((2, 4, 3))
def svd_s(a):
    return tf.linalg.svd(a, compute_uv=False) ** 3

@register((4, 3))
def svd_uv(a):
    s, u, v = tf.linalg.svd(a)
    return tf.matmul(u * tf.exp(s * 0.1), v, adjoint_b=True)

@register((3, 4))
def svd_wide(a):
    s, u, v = tf.linalg.svd(a)
    return tf.matmul(u * s ** 2, v, adjoint_b=True)

@register((3, 3))
def svd_full(a):
    s, u, v = tf.linalg.svd(a, full_matrices=True)
    return tf.matmul(u * s ** 2, v, adjoint_b=True)

@register((2, 3, 3))
def eigh_(a):
    e, v = tf.linalg.eigh(spd(a))
    return tf.matmul(v * tf.math.log(e)[..., None, :], v, adjoint_b=True)

@register((2, 3, 3))
def eigh_vals(a):
    return tf.linalg.eigvalsh(spd(a)) ** 2

@register((3, 3))
def expm(a):
    return tf.linalg.expm(a * 0.5)

@register((3, 3))
def sqrtm_(a):
    return tf.linalg.sqrtm(spd(a))

@register((3, 3))
def eig_vec(a):
    m = reg(a) * 0.1 + tf.constant([[1, 2, 3], [0.1, 5, 1], [0.3, 0.2, 9]], a.dtype)
    e, v = tf.linalg.eig(m)
    return tf.math.real(tf.matmul(v * tf.exp(e * 0.1)[None, :], tf.linalg.inv(v)))

@register((4, 3), (4, 2))
def lstsq_(a, b):
    return tf.linalg.lstsq(a, b, l2_regularizer=0.3) ** 2

@register((4, 3), (4, 2))
def lstsq0(a, b):
    return tf.linalg.lstsq(a, b) ** 2

@register((3, 4), (3, 2))
def lstsq_under(a, b):
    return tf.linalg.lstsq(a, b, l2_regularizer=0.2) ** 2

@register((3, 5), (5, 2))
def trid(d, b):
    return tf.linalg.tridiagonal_solve(d + tf.constant([[0.0], [4], [0]], d.dtype), b, diagonals_format='compact') ** 2

@register((3, 5), (5, 2))
def tridmm(d, b):
    return tf.linalg.tridiagonal_matmul(d, b, diagonals_format='compact') ** 2

@register((2, 5), (5, 2))
def banded(d, b):
    return tf.linalg.banded_triangular_solve(d + tf.constant([[4.0], [0]], d.dtype), b) ** 2

@register((3, 3), (3, 2))
def gp(a, b):
    k = tf.exp(-0.5 * tf.reduce_sum((a[:, None] - a[None]) ** 2, -1)) + 0.1 * tf.eye(3, dtype=a.dtype)
    l = tf.linalg.cholesky(k)
    z = tf.linalg.triangular_solve(l, b)
    return tf.reduce_sum(z ** 2) + 2 * tf.reduce_sum(tf.math.log(tf.linalg.diag_part(l)))

family("fourier")

@register((8,))
def fftmag(x):
    return tf.abs(tf.signal.fft(tf.complex(x, x * 0.5))) ** 2

@register((2, 8))
def rfft_(x):
    r = tf.signal.rfft(x)
    return tf.math.real(r) * tf.math.imag(r) + tf.abs(r)

@register((2, 8))
def rfft_len(x):
    return tf.abs(tf.signal.rfft(x, [6])) ** 2

@register((2, 5))
def irfft_(x):
    return tf.signal.irfft(tf.complex(x, tf.sin(x))) ** 2

@register((4, 6))
def rfft2_(x):
    return tf.abs(tf.signal.rfft2d(x)) ** 2

@register((4, 4))
def ifft2_(x):
    return tf.math.real(tf.signal.ifft2d(tf.complex(x, x * x))) ** 2

@register((2, 4, 4))
def irfft2_(x):
    return tf.signal.irfft2d(tf.complex(x, x * x)) ** 2

@register((1, 16))
def stft_(x):
    return tf.abs(tf.signal.stft(x, 8, 4)) ** 2

@register((2, 8))
def dct_(x):
    return tf.signal.dct(x) ** 2 + tf.signal.idct(x)

@register(draw(4, complex=True))
def cplx_ops(z):
    return tf.math.real(z * tf.math.conj(z)) + tf.abs(z) + tf.math.angle(z) * tf.math.imag(tf.exp(z))

@register(draw(3, 3, complex=True))
def cplx_mm(z):
    return tf.abs(tf.matmul(z, z, adjoint_b=True))

@register(draw(3, 3, complex=True), draw(3, complex=True))
def cplx_solve(z, b):
    return tf.math.real(tf.linalg.solve(z + 4 * tf.eye(3, dtype=z.dtype), b[:, None])) ** 2

@register(draw(3, 3, complex=True))
def cplx_chol(z):
    return tf.abs(tf.linalg.cholesky(tf.matmul(z, z, adjoint_b=True) + 2 * tf.eye(3, dtype=z.dtype))) ** 2

@register(draw(4, complex=True))
def cplx_fun(z):
    return tf.sin(z) * tf.sqrt(z) + tf.math.log(z) / z + tf.tanh(z * 0.3) + z ** 2

@register(draw(3, 3, complex=True))
def cplx_eigh(z):
    e = tf.linalg.eigvalsh(tf.matmul(z, z, adjoint_b=True))
    return e ** 2

family("special")

@register(above_zero(3, 4), above_zero(4))
def special(x, y):
    order = tf.constant(2.0, x.dtype)
    return tf.math.lgamma(x) + tf.math.digamma(y) * x + tf.math.zeta(order + 1, y + x) + tf.math.polygamma(order, x + y)

@register(above_zero(3, 4), above_zero(3, 4))
def igam(a, x):
    return tf.math.igamma(a, x) + tf.math.igammac(a, x * 2)

@register(above_zero(3, 4), above_zero(4))
def betaln(a, b):
    return tf.math.lbeta(tf.stack([a, a * b], -1))

@register((3, 4))
def bessels(x):
    return tf.math.bessel_i0(x) + tf.math.bessel_i1e(x) * x

@register(draw(3, 4, low=-0.8, high=0.8))
def inverses(x):
    return tf.math.erfinv(x) + tf.asin(x) * tf.acos(x) + tf.atanh(x) + tf.math.ndtri(x * 0.5 + 0.5)

@register((3, 4), above_zero(3, 4))
def powers(x, y):
    return tf.pow(y, x) + tf.math.xlogy(x, y) + tf.math.divide_no_nan(x, y) + tf.math.floormod(x, y) + tf.atan2(x, y) + tf.math.squared_difference(x, y)

@register((3, 4))
def acts(x):
    return tf.nn.swish(x) + tf.nn.elu(x) * tf.nn.selu(x) + tf.nn.softsign(x) * tf.nn.relu6(x) + tf.nn.leaky_relu(x, 0.1) + tf.nn.crelu(x)[:, :4] + tf.math.softplus(x)

@register((3, 4))
def clips(x):
    return tf.clip_by_norm(x, 1.0) + tf.clip_by_value(x, -0.3, 0.6) * x + tf.clip_by_global_norm([x, x * x], 2.0)[0][0]

@register((3, 4))
def clip_axes(x):
    return tf.clip_by_norm(x, 1.0, axes=[1])

@register((3, 4), ())
def prelu(x, a):
    return tf.maximum(x, 0.0) + a * tf.minimum(x, 0.0)

@register(draw(6, values=[0, 1, -1, 6, 0.5, 2]), smooth=False)
def kinks(x):
    return tf.nn.relu(x) + tf.abs(x) + tf.maximum(x, 1.0) + tf.minimum(tf.cast(1.0, x.dtype), x) + tf.nn.relu6(x) + tf.clip_by_value(x, -1.0, 2.0) + tf.sqrt(tf.abs(x) + 1) + tf.sign(x) * x

@register(draw(3, values=[0.0, 1, 4]), smooth=False)
def sqrt0(x):
    return tf.sqrt(x) * x

@register((3, 4))
def stopg(x):
    return tf.stop_gradient(tf.nn.softmax(x)) * x ** 2

@register((3, 4))
def fakeq(x):
    return tf.quantization.fake_quant_with_min_max_args(tf.cast(x, tf.float32), -1, 1, 4)

@register((3, 4), draw(), draw(), smooth=False, f32_only=True)
def fakeqv(x, a, b):
    return tf.quantization.fake_quant_with_min_max_vars(x, a - 2, b + 2)

@register((3, 4))
def casts(x):
    return tf.cast(tf.cast(x, tf.float32) * 2, x.dtype) * x

@register((4, 3))
def sparse_mm(x):
    return tf.sparse.sparse_dense_matmul(tf.SparseTensor([[0, 1], [1, 0], [1, 3]], tf.reshape(x[1:2], [-1]) * 2, (3, 4)), x) ** 2

@register((4, 3), f32_only=True)
def batch_fn(x):
    return tf.vectorized_map(lambda a: tf.tanh(a) * tf.reduce_sum(a * a), x)

@register((3, 4))
def jac_like(x):
    y = tf.sin(x) * x
    return tf.gradients(y, x, grad_ys=tf.cos(x))[0] * x

@register((3,))
def hessian_(x):
    return tf.hessians(tf.reduce_sum(tf.sin(x) * x[0]), x)[0] * 1.0

@register((3, 4))
def checknum(x):
    return tf.debugging.check_numerics(tf.exp(x), 'm') * x


@register(Draw((3, 4), 0.1, 0.9), smooth=False)
def beta(x):
    return tf.math.betainc(tf.constant(1.3, x.dtype), tf.constant(2.2, x.dtype), x)


@register(above_zero(3, 4), smooth=False)
def gamma_sample(a):
    return tf.random.stateless_gamma(tf.shape(a), [1, 2], alpha=a, dtype=a.dtype)


# Operations that are rarely differentiated, by themselves.
family("single")
for name, op, kind in (("clip", lambda x: raw.ClipByValue(t=x, clip_value_min=x[0, 0] * 0 - 0.4, clip_value_max=x[0, 0] * 0 + 0.5), {}),
                       ("ensure_shape", lambda x: tf.ensure_shape(x, (3, None)) ** 2, {}),
                       ("next_after", lambda x: raw.NextAfter(x1=x, x2=x * 0) ** 2, {}),
                       ("lu", lambda x: raw.Lu(input=x[:, :3] + 4 * tf.eye(3, dtype=x.dtype))[0] ** 2, dict(untaught=True)),
                       ("matrix_log", lambda x: tf.math.real(tf.linalg.logm(tf.complex(x[:, :3] + 4 * tf.eye(3, dtype=x.dtype), x[:, 1:]))),
                        dict(untaught=True)),
                       ("cholesky_grad", lambda x: raw.CholeskyGrad(
                           l=tf.linalg.cholesky(tf.matmul(x, x, transpose_b=True) + tf.eye(3, dtype=x.dtype)), grad=x[:, :3]) ** 2,
                        dict(untaught=True)),
                       ("solve_ls", lambda x: raw.MatrixSolveLs(matrix=tf.transpose(x), rhs=tf.transpose(x) ** 2,
                                                                l2_regularizer=tf.constant(0.3, tf.float64), fast=True), {})):
    add(f"single/{name}", op, (3, 4), **dict(dict(smooth=False), **kind))
add("single/dilation", lambda x, w: tf.nn.dilation2d(x, w, (1, 2, 1, 1), "SAME", "NHWC", (1, 1, 2, 1)) ** 2, (2, 7, 6, 3), (3, 2, 3), smooth=False)
add("single/fill_empty_rows", lambda v, d: raw.SparseFillEmptyRows(
    indices=[[0, 1], [2, 0], [2, 1]], values=v, dense_shape=[4, 3], default_value=d)[1] ** 2, (3,), (), smooth=False)
add("single/slice_update", lambda x, y: raw.TensorStridedSliceUpdate(
    input=x, begin=[0, 1], end=[3, 4], strides=[2, 2], value=y) ** 2, (3, 4), (2, 2))
add("single/ctc", lambda x: raw.CTCLoss(inputs=x, labels_indices=[[0, 0], [0, 1], [1, 0]], labels_values=[1, 2, 3],
                                        sequence_length=[6, 5])[0], (6, 2, 5), smooth=False)


def derived(f):
    """The derivatives of the sum of sin(f), in one vector."""
    def derivatives(*xs):
        return tf.concat([tf.reshape(d, [-1]) for d in tf.gradients(tf.reduce_sum(tf.sin(f(*xs))), xs)], 0)
    return derivatives


family("derived")
for name, f, *inputs in (
        ("conv", lambda x, w: tf.nn.conv2d(x, w, 2, "SAME"), (2, 5, 6, 3), (3, 2, 3, 2)),
        ("depthwise", lambda x, w: tf.nn.depthwise_conv2d(x, w, (1, 1, 1, 1), "SAME"), (2, 5, 4, 3), (3, 3, 3, 2)),
        ("avg_pool", lambda x: tf.nn.avg_pool2d(x, 3, 2, "SAME"), (2, 5, 6, 3)),
        ("max_pool", derived(lambda x: tf.nn.max_pool2d(x, 3, 2, "SAME")), (2, 5, 6, 3)),
        ("mirror_pad", lambda x: tf.pad(x, ((1, 1), (2, 1)), "REFLECT"), (3, 4))):
    add(f"derived/{name}", derived(f) if name != "max_pool" else f, *inputs, smooth=False)
add("derived/max_pool_twice", derived(derived(lambda x: tf.nn.max_pool2d(x, 2, 2, "SAME"))), (1, 4, 4, 2), smooth=False)
add("derived/resize", derived(lambda x: raw.ResizeBilinear(images=x, size=(5, 7))), (1, 3, 4, 2), smooth=False, f32_only=True, untaught=True)
add("derived/batch_norm", derived(lambda x, s, o: raw.FusedBatchNormV3(x=x, scale=s, offset=o, mean=[], variance=[], is_training=True)[0]),
    (2, 3, 4, 2), (2,), (2,), smooth=False, f32_only=True)
add("single/scale_translate", lambda x, s=None: raw.ScaleAndTranslate(
    images=x, size=(5, 7), scale=[1.5, 1.7], translation=[0.2, -0.4]) ** 2, (1, 3, 4, 2), smooth=False, f32_only=True)
