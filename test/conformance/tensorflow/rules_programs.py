"""Rules of what is more than one operation: variables, lists, loops, and random numbers, whose bits are TensorFlow's."""

import numpy as np
import tensorflow as tf

import cases
from cases import COMPLEX, F16, F32, F64, Const
from draw import FLOATS, INTS, REAL, chance, flag, index_type, maybe, number, pick, sizes, tensor, values
from rules import rule

v1 = tf.compat.v1
NUMBERS = [F32, F64, F16, cases.BF16, np.int32, np.int64, np.int8, np.uint8]


def scatters(t, resource):
    shape = sizes(1, 3, 60, 0)
    count = number(0, 5)
    at = cases.rng.integers(0, shape[0], count).astype(index_type())
    initial, updates = values(shape, t, (1, 6)), values((count, *shape[1:]), t, (1, 4))
    names = [n for n in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Update")]

    def build(feeds):
        made = []
        indices, u = feeds.tensor(at), feeds.tensor(updates)
        for name in names:
            variable = v1.Variable(initial, use_resource=resource, validate_shape=True, dtype=tf.as_dtype(t))
            with tf.control_dependencies([variable.initializer]):
                if resource:
                    op = getattr(tf.raw_ops, "ResourceScatter" + name)(resource=variable.handle, indices=indices, updates=u)
                else:
                    op = getattr(tf.raw_ops, "Scatter" + name)(ref=variable._ref(), indices=indices, updates=u)  # noqa: SLF001
            with tf.control_dependencies([op]):
                made.append(tf.raw_ops.ReadVariableOp(resource=variable.handle, dtype=variable.dtype) if resource else tf.identity(variable._ref()))  # noqa: SLF001
        return made
    return build


rule("state", "ResourceScatterAdd", NUMBERS, 2)(lambda t: scatters(t, True))
rule("state", "ScatterAdd", NUMBERS, 2)(lambda t: scatters(t, False))


@rule("state", "AssignAddVariableOp", NUMBERS + COMPLEX + [np.bool_])
def assigned(t):
    shape = sizes(0, 4, 60)
    initial, other = values(shape, t, "plain"), values(shape, t, "plain")

    def build(feeds):
        variable = v1.Variable(initial, use_resource=True)
        fed = feeds.tensor(other)
        if feeds.known != "static":
            fed = tf.ensure_shape(fed, shape)
        with tf.control_dependencies([variable.initializer]):
            first = variable.read_value()
        with tf.control_dependencies([first]):
            step = variable.assign(fed).op if np.dtype(t).kind == "b" else variable.assign_add(fed).op
        with tf.control_dependencies([step]):
            second = variable.read_value()
            at = tf.raw_ops.VariableShape(input=variable.handle)
        return [first, second, at]
    return build


@rule("state", "ResourceGather", NUMBERS)
def gathered(t):
    shape = sizes(1, 4, 60, 0)
    initial, at = values(shape, t, "plain"), cases.rng.integers(0, shape[0], sizes(0, 2, 9)).astype(index_type())

    def build(feeds):
        variable = v1.Variable(initial, use_resource=True)
        with tf.control_dependencies([variable.initializer]):
            return [tf.raw_ops.ResourceGather(resource=variable.handle, indices=feeds.tensor(at), dtype=variable.dtype)]
    return build


# Lists

@rule("sequence", "TensorArrayV3", NUMBERS + COMPLEX + [np.bool_])
def arrays(t):
    count, shape = number(1, 6), sizes(0, 3, 20)
    given = values((count, *shape), t)
    order = cases.rng.permutation(count).astype(np.int32)

    def build(feeds):
        x = feeds.tensor(given)
        array = v1.TensorArray(tf.as_dtype(t), size=count, element_shape=shape if flag() else None, clear_after_read=False)
        array = array.unstack(tf.ensure_shape(x, given.shape)) if flag() else array.scatter(tf.constant(order), tf.ensure_shape(x, given.shape))
        return [array.stack(), array.gather(tf.constant(order)), array.read(number(0, count)), array.size()]
    return build


@rule("sequence", "TensorListStack", NUMBERS + COMPLEX + [np.bool_])
def lists(t):
    count, shape = number(1, 6), sizes(0, 3, 20)
    given, one = values((count, *shape), t), values(shape, t)

    def build(feeds):
        raw, kind = tf.raw_ops, tf.as_dtype(t)
        element = tf.constant(np.array(shape, np.int32))
        handle = raw.TensorListFromTensor(tensor=tf.ensure_shape(feeds.tensor(given), given.shape), element_shape=element)
        item = tf.ensure_shape(feeds.tensor(one), shape)
        changed = raw.TensorListSetItem(input_handle=handle, index=tf.constant(number(0, count)), item=item)
        pushed = raw.TensorListPushBack(input_handle=changed, tensor=item)
        popped = raw.TensorListPopBack(input_handle=pushed, element_shape=element, element_dtype=kind)
        return [raw.TensorListStack(input_handle=pushed, element_shape=element, element_dtype=kind), raw.TensorListLength(input_handle=pushed), popped.tensor,
                raw.TensorListGetItem(input_handle=changed, index=tf.constant(number(0, count)), element_shape=element, element_dtype=kind),
                raw.TensorListGather(input_handle=handle, indices=tf.constant([count - 1, 0]), element_shape=element, element_dtype=kind)]
    return build


# Control flow

@rule("control", "While", [F32, F64, np.int32, np.int64], 3)
def loops(t):
    x, limit = values(sizes(0, 3, 30), t, (1, 3)), np.array(number(0, 6), np.int32)
    old = flag()

    def build(feeds):
        (v1.disable_control_flow_v2 if old else v1.enable_control_flow_v2)()
        try:
            start, most = feeds.tensor(x), feeds.tensor(limit)
            made = tf.while_loop(lambda i, v, s: i < most, lambda i, v, s: (i + 1, v + v, s + tf.reduce_sum(v)),
                                 [tf.constant(0), start, tf.zeros([], tf.as_dtype(t))], parallel_iterations=pick([1, 10]))
            return list(made)
        finally:
            v1.disable_control_flow_v2()
    return build


@rule("control", "If", NUMBERS, 2)
def conditions(t):
    x, which = values(sizes(0, 3, 30), t, (1, 3)), np.array(flag())
    old = flag()

    def build(feeds):
        (v1.disable_control_flow_v2 if old else v1.enable_control_flow_v2)()
        try:
            given, p = feeds.tensor(x), feeds.tensor(which)
            return [tf.cond(p, lambda: given + given, lambda: tf.cond(tf.logical_not(p), lambda: given * given, lambda: given))]
        finally:
            v1.disable_control_flow_v2()
    return build


@rule("control", "Case", NUMBERS)
def switched(t):
    x, which = values(sizes(0, 3, 30), t, (1, 3)), np.array(number(-2, 5), np.int32)

    def build(feeds):
        v1.enable_control_flow_v2()
        try:
            given = feeds.tensor(x)
            return [tf.switch_case(feeds.tensor(which), [lambda: given + given, lambda: given * given, lambda: given])]
        finally:
            v1.disable_control_flow_v2()
    return build


# Random numbers

def shape_of_numbers():
    return maybe(np.array(sizes(0, 4), index_type()))


def seeds():
    return {"seed": number(0, 1 << 40), "seed2": number(1, 1 << 40)}


rule("random", "RandomUniform RandomStandardNormal TruncatedNormal", FLOATS, 2)(lambda t: [shape_of_numbers(), {"dtype": tf.as_dtype(t), **seeds()}])
rule("random", "RandomUniformInt", [np.int32, np.int64], 3)(lambda t: [shape_of_numbers(), maybe(t(number(-9, 0))), maybe(t(number(1, 99))), seeds()])
rule("random", "StatelessRandomUniform StatelessRandomNormal StatelessTruncatedNormal", FLOATS, 2)(
    lambda t: [shape_of_numbers(), maybe(np.array([number(0, 1 << 31), number(0, 1 << 31)], index_type())), {"dtype": tf.as_dtype(t)}])
rule("random", "StatelessRandomUniformInt", [np.int32, np.int64], 2)(
    lambda t: [shape_of_numbers(), maybe(np.array([number(0, 1 << 31), number(0, 1 << 31)], index_type())), maybe(t(number(-9, 0))), maybe(t(number(1, 99)))])
rule("random", "RandomShuffle", REAL)(lambda t: [tensor(t, low=1, high=3), seeds()])


@rule("random", "StatelessRandomNormalV2", FLOATS)
def stateless(t):
    def build(feeds):
        seed, shape = feeds.tensor(maybe(np.array([number(0, 1 << 31), number(0, 1 << 31)], np.int64))), feeds.tensor(shape_of_numbers())
        made = tf.raw_ops.StatelessRandomGetKeyCounter(seed=seed)
        more = dict(shape=shape, key=made.key, counter=made.counter, alg=tf.constant(1), dtype=tf.as_dtype(t))
        return [tf.raw_ops.StatelessRandomUniformV2(**more), tf.raw_ops.StatelessRandomNormalV2(**more), tf.raw_ops.StatelessTruncatedNormalV2(**more)]
    return build
