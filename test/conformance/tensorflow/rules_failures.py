"""Rules of runs that TensorFlow ends with an error: so must a program, by one line that names the node.

Sizes are unknown to the graph where what is wrong would otherwise be seen before the run.
"""

import numpy as np
import tensorflow as tf

import cases
from cases import F32, F64, Const
from draw import Sized, index_type, pick, values
from rules import rule

raw = tf.raw_ops
v1 = tf.compat.v1
INT = [np.int32, np.int64]


class Open:
    """Fed; the graph knows the number of dimensions only."""

    def __init__(self, value):
        self.value = np.asarray(value)


def ends(family, op, types=(F32,), rounds=1):
    """A case whose function gives operands by name: arrays are fed in open sizes."""
    def add(function):
        def drawn(t):
            arguments = function(t)

            def build(feeds):
                if callable(arguments):
                    return arguments(feeds)
                feeds.known = "dynamic"
                return getattr(raw, op)(**{k: feeds.tensor(v) for k, v in arguments.items()})
            build.fails = True
            return build
        rule(family, op, list(types), rounds)(drawn)
        return function
    return add


def x(*shape, t=F32):
    return values(shape, t, (1, 5))


# Indices

ends("failures", "Gather", INT, 2)(lambda t: {"params": x(5, 2), "indices": np.array(pick([[1, 5], [-1, 0], [9, 9]]), t)})
ends("failures", "GatherV2", INT, 2)(lambda t: {"params": x(3, 4), "indices": np.array([0, pick([4, -1])], t), "axis": Const(np.int32(1))})
ends("failures", "GatherNd", INT)(lambda t: {"params": x(3, 4), "indices": np.array([[0, 1], pick([[3, 0], [0, 4], [-1, 0]])], t)})
ends("failures", "ScatterNd", INT)(lambda t: {"indices": np.array([[0], [pick([5, -1])]], t), "updates": x(2, 3), "shape": Const(np.array([5, 3], t))})
for name in ("Update", "Add", "Sub", "Max", "Min"):
    ends("failures", "TensorScatter" + name)(lambda t: {"tensor": x(5, 3), "indices": np.array([[0], [pick([5, -1])]], np.int32), "updates": x(2, 3)})
ends("failures", "Slice", INT, 3)(lambda t: (lambda b, s: {"input": x(3, 4), "begin": Sized(np.array(b, t)), "size": Sized(np.array(s, t))})(*pick([([1, 2], [3, 1]), ([-1, 0], [1, 1]), ([4, 0], [-1, 1]), ([0, 0], [1, -2])])))
ends("failures", "StridedSlice", INT, 2)(lambda t: {"input": x(3, 4), "begin": Sized(np.array([pick([3, -4])], t)), "end": Sized(np.array([4], t)), "strides": Const(np.array([1], t)), "shrink_axis_mask": 1})
ends("failures", "StridedSlice")(lambda t: {"input": x(3, 4), "begin": Sized(np.array([0], np.int32)), "end": Sized(np.array([4], np.int32)), "strides": Sized(np.array([0], np.int32))})
ends("failures", "DynamicStitch")(lambda t: {"indices": [np.array([0, -1], np.int32)], "data": [x(2, 2)]})
ends("failures", "DynamicPartition")(lambda t: {"data": x(3, 2), "partitions": np.array([0, pick([2, -1]), 1], np.int32), "num_partitions": 2})
for name in ("Sum", "Mean", "Max", "Min", "Prod"):
    ends("failures", "Segment" + name)(lambda t: {"data": x(3, 2), "segment_ids": np.array(pick([[0, 2, 1], [-1, 0, 1]]), np.int32)})
    if name != "Mean":
        ends("failures", "UnsortedSegment" + name)(lambda t: {"data": x(3, 2), "segment_ids": np.array([0, 3, 1], np.int32), "num_segments": Sized(np.int32(3))})
ends("failures", "SparseSoftmaxCrossEntropyWithLogits", INT)(lambda t: {"features": x(2, 3), "labels": np.array([pick([3, -1]), 0], t)})
ends("failures", "NthElement")(lambda t: {"input": x(2, 3), "n": Sized(np.int32(pick([3, -1])))})
ends("failures", "TopKV2")(lambda t: {"input": x(2, 3), "k": Sized(np.int32(pick([4, -1])))})
ends("failures", "Bincount")(lambda t: {"arr": np.array([1, -2, 0], np.int32), "size": Sized(np.int32(3)), "weights": Const(np.zeros(0, F32))})
ends("failures", "Bincount")(lambda t: {"arr": np.array([1, 2, 0], np.int32), "size": Sized(np.int32(-3)), "weights": Const(np.zeros(0, F32))})
ends("failures", "DenseBincount", INT)(lambda t: {"input": np.array([1, -2, 0], t), "size": Sized(t(3)), "weights": Const(np.zeros(0, F32))})
ends("failures", "ReverseSequence", INT)(lambda t: {"input": x(2, 3), "seq_lengths": np.array([1, pick([4, -1])], t), "seq_dim": 1})
ends("failures", "CropAndResize")(lambda t: {"image": x(2, 3, 3, 1), "boxes": values((2, 4), F32, (0, 1)), "box_ind": np.array([0, pick([2, -1])], np.int32), "crop_size": Const(np.array([2, 2], np.int32))})
ends("failures", "SparseToDense", INT)(lambda t: {"sparse_indices": np.array([[0, 1], pick([[4, 0], [0, 0], [0, 1]])], t), "output_shape": Sized(np.array([3, 3], t)), "sparse_values": x(2), "default_value": x()})
ends("failures", "SparseTensorDenseMatMul", INT)(lambda t: {"a_indices": np.array([[0, 1], [4, 0]], t), "a_values": x(2), "a_shape": Const(np.array([3, 3])), "b": x(3, 2)})
ends("failures", "SparseSegmentSum", INT)(lambda t: {"data": x(3, 2), "indices": np.array([0, pick([3, -1])], t), "segment_ids": np.array([0, 1], np.int32)})
ends("failures", "MatrixBandPart")(lambda t: {"input": x(3, 4), "num_lower": Sized(np.int32(9)), "num_upper": Sized(np.int32(0))})

# Shapes

ends("failures", "Reshape", INT, 2)(lambda t: {"tensor": x(2, 3), "shape": Sized(np.array(pick([[4, 2], [-1, 4], [-1, -1], [0, 3]]), t))})
ends("failures", "BroadcastTo", INT)(lambda t: {"input": x(2, 3), "shape": Sized(np.array(pick([[2, 4], [3, 3], [2, 1]]), t))})
for name in ("BroadcastArgs", "BroadcastGradientArgs"):
    ends("failures", name, INT)(lambda t: {"s0": Sized(np.array([2, 3], t)), "s1": Sized(np.array([4], t))})
    ends("failures", name, INT)(lambda t: {"s0": np.array([2, 3], t), "s1": np.array([4], t)})
ends("failures", "Fill", INT)(lambda t: {"dims": Sized(np.array([2, -3], t)), "value": x()})
ends("failures", "Tile", INT)(lambda t: {"input": x(2, 3), "multiples": Sized(np.array([1, -1], t))})
ends("failures", "Range", INT + [F32], 2)(lambda t: {"start": Sized(t(1)), "limit": Sized(t(9)), "delta": Sized(t(pick([0, -1])))})
ends("failures", "LinSpace")(lambda t: {"start": x(), "stop": x(), "num": Sized(np.int32(pick([0, -2])))})
ends("failures", "ConcatV2", [F32, np.int32])(lambda t: {"values": [x(2, 3, t=t), x(2, 4, t=t)], "axis": Const(np.int32(0))})
ends("failures", "ConcatV2")(lambda t: {"values": [x(2, 3), x(2, 3)], "axis": Sized(np.int32(pick([2, -3])))})
ends("failures", "Pack")(lambda t: {"values": [x(2, 3), x(2, 4)]})
ends("failures", "Unpack")(lambda t: {"value": x(2, 3), "num": 3, "axis": 0})
ends("failures", "Split")(lambda t: {"axis": Const(np.int32(1)), "value": x(2, 3), "num_split": 2})
ends("failures", "Split")(lambda t: {"axis": Sized(np.int32(pick([2, -3]))), "value": x(2, 3), "num_split": 1})
ends("failures", "SplitV", INT)(lambda t: {"value": x(2, 3), "size_splits": Sized(np.array(pick([[1, 3], [-1, -1], [4, -1]]), t)), "axis": Const(np.int32(1)), "num_split": 2})
ends("failures", "Squeeze")(lambda t: {"input": x(2, 3), "axis": [0]})
ends("failures", "ExpandDims", INT)(lambda t: {"input": x(2, 3), "axis": Sized(t(pick([3, -4])))})
ends("failures", "Transpose", INT)(lambda t: {"x": x(2, 3), "perm": Sized(np.array(pick([[0, 0], [0, 2], [1, -3]]), t))})
for wrong in ([0, 0], [0, 2], [1, -1]):
    ends("failures", "InvertPermutation", INT)(lambda t, wrong=wrong: {"x": np.array(wrong, t)})
ends("failures", "Pad", INT)(lambda t: {"input": x(2, 3), "paddings": Sized(np.array([[0, 0], [1, -1]], t))})
ends("failures", "MirrorPad", INT)(lambda t: {"input": x(2, 3), "paddings": Sized(np.array([[0, 2], [1, 1]], t)), "mode": "REFLECT"})
ends("failures", "EnsureShape")(lambda t: {"input": x(2, 3), "shape": [2, 4]})
ends("failures", "ReverseV2", INT)(lambda t: {"tensor": x(2, 3), "axis": Sized(np.array(pick([[2], [0, 0], [-3]]), t))})
ends("failures", "Roll", INT)(lambda t: {"input": x(2, 3), "shift": Sized(np.array([1], t)), "axis": Sized(np.array([pick([2, -3])], t))})
for name in ("Sum", "Mean", "Max", "Prod"):
    ends("failures", name, INT)(lambda t: {"input": x(2, 3), "axis": Sized(np.array(pick([[2], [-3]]), t)), "keep_dims": True})
ends("failures", "Cumsum", INT)(lambda t: {"x": x(2, 3), "axis": Sized(t(pick([2, -3])))})
ends("failures", "ArgMax", INT)(lambda t: {"input": x(2, 3), "dimension": Sized(t(pick([2, -3])))})
ends("failures", "ArgMin")(lambda t: {"input": np.zeros((2, 0), F32), "dimension": Const(np.int32(1))})
ends("failures", "SpaceToBatchND")(lambda t: {"input": x(1, 3, 4, 1), "block_shape": Const(np.array([2, 2], np.int32)), "paddings": Const(np.zeros((2, 2), np.int32))})
ends("failures", "BatchToSpaceND")(lambda t: {"input": x(3, 3, 4, 1), "block_shape": Const(np.array([2, 2], np.int32)), "crops": Const(np.zeros((2, 2), np.int32))})
ends("failures", "SpaceToDepth")(lambda t: {"input": x(1, 3, 4, 1), "block_size": 2})
ends("failures", "DepthToSpace")(lambda t: {"input": x(1, 3, 4, 6), "block_size": 2})
ends("failures", "Diag")(lambda t: {"diagonal": x()})
ends("failures", "DiagPart")(lambda t: {"input": x(2, 3)})
ends("failures", "MatrixSetDiag")(lambda t: {"input": x(3, 4), "diagonal": x(4)})
ends("failures", "ResizeBilinear")(lambda t: {"images": x(1, 3, 3, 1), "size": Sized(np.array([0, 3], np.int32))})
ends("failures", "ResizeNearestNeighbor")(lambda t: {"images": x(1, 3, 3, 1), "size": Sized(np.array([2, -3], np.int32))})

# Operands that do not fit

for name in ("AddV2", "Sub", "Mul", "RealDiv", "Maximum", "Less", "Equal", "SquaredDifference", "Pow"):
    ends("failures", name, [F32, F64])(lambda t: {"x": x(2, 3, t=t), "y": x(*pick([(2, 4), (3,  3), (4,)]), t=t)})
ends("failures", "LogicalAnd")(lambda t: {"x": values((2, 3), np.bool_), "y": values((4,), np.bool_)})
ends("failures", "AddN")(lambda t: {"inputs": [x(2, 3), x(2, 4)]})
ends("failures", "Select")(lambda t: {"condition": values((2, 3), np.bool_), "x": x(2, 3), "y": x(2, 4)})
ends("failures", "SelectV2")(lambda t: {"condition": values((2, 3), np.bool_), "t": x(2, 3), "e": x(2, 4)})
ends("failures", "MatMul", [F32, F64, np.int32])(lambda t: {"a": x(2, 3, t=t), "b": x(4, 2, t=t)})
ends("failures", "BatchMatMulV2")(lambda t: {"x": x(2, 2, 3), "y": x(3, 3, 2)})
ends("failures", "BatchMatMulV2")(lambda t: {"x": x(2, 2, 3), "y": x(2, 4, 2)})
ends("failures", "Einsum")(lambda t: {"inputs": [x(2, 3), x(4, 2)], "equation": "ab,bc->ac"})
ends("failures", "BiasAdd")(lambda t: {"value": x(2, 3), "bias": x(4)})
ends("failures", "Conv2D")(lambda t: {"input": x(1, 4, 4, 3), "filter": Const(x(2, 2, 2, 4)), "strides": [1, 1, 1, 1], "padding": "VALID"})
ends("failures", "Conv2D")(lambda t: {"input": x(1, 2, 4, 2), "filter": Const(x(3, 3, 2, 4)), "strides": [1, 1, 1, 1], "padding": "VALID"})
ends("failures", "DepthwiseConv2dNative")(lambda t: {"input": x(1, 4, 4, 3), "filter": Const(x(2, 2, 2, 1)), "strides": [1, 1, 1, 1], "padding": "VALID"})
ends("failures", "MaxPool")(lambda t: {"input": x(1, 2, 4, 2), "ksize": [1, 3, 3, 1], "strides": [1, 1, 1, 1], "padding": "VALID"})
ends("failures", "FusedBatchNormV3")(lambda t: {"x": x(1, 2, 2, 3), "scale": x(4), "offset": x(3), "mean": x(3), "variance": x(3), "is_training": False})
ends("failures", "SoftmaxCrossEntropyWithLogits")(lambda t: {"features": x(2, 3), "labels": x(2, 4)})
ends("failures", "Cross")(lambda t: {"a": x(2, 4), "b": x(2, 4)})
ends("failures", "InTopKV2")(lambda t: {"predictions": x(2, 3), "targets": np.array([0, 1, 2], np.int32), "k": Sized(np.int32(1))})
ends("failures", "SegmentSum")(lambda t: {"data": x(3, 2), "segment_ids": np.array([0, 1], np.int32)})
ends("failures", "UnsortedSegmentSum")(lambda t: {"data": x(3, 2), "segment_ids": np.array([0, 1], np.int32), "num_segments": Sized(np.int32(3))})

# Values

for name in ("FloorDiv", "FloorMod", "TruncateDiv", "TruncateMod", "Div"):
    ends("failures", name, [np.int8, np.int32, np.int64, np.uint8, np.uint16])(lambda t: {"x": x(3, t=t), "y": np.array(pick([[1, 0, 2], [0, 0, 0]]), t)})
ends("failures", "FloorDiv", INT)(lambda t: {"x": x(3, t=t), "y": Sized(t(0))})
ends("failures", "Pow", INT)(lambda t: {"x": x(3, t=t), "y": np.array([1, -1, 2], t)})
ends("failures", "CheckNumerics", [F32, F64])(lambda t: {"tensor": np.array([1, pick([np.nan, np.inf]), 2], t), "message": "what came"})
ends("failures", "Assert")(lambda t: lambda feeds: (lambda c: [_after(v1.Assert(c, [tf.constant("expected less, got"), feeds.tensor(np.int32(7))]))])(feeds.tensor(np.array(False))))
ends("failures", "MatrixInverse", [F32, F64])(lambda t: {"input": np.zeros((2, 2), t)})
ends("failures", "MatrixSolve")(lambda t: {"matrix": np.zeros((2, 2), t), "rhs": x(2, 2)})
ends("failures", "MatrixTriangularSolve")(lambda t: {"matrix": x(2, 3), "rhs": x(2, 2)})
ends("failures", "MatrixDeterminant")(lambda t: {"input": x(2, 3)})
ends("failures", "StringToNumber")(lambda t: {"string_tensor": np.array(["1", pick(["x", "", "1.5.2"])])})
ends("failures", "DecodeRaw")(lambda t: {"bytes": np.array(["abcde", "abcde"]), "out_type": tf.float32})
ends("failures", "RandomUniformInt", INT)(lambda t: {"shape": Const(np.array([2], np.int32)), "minval": Sized(t(5)), "maxval": Sized(t(5)), "seed": 3, "seed2": 4})
ends("failures", "RandomUniform")(lambda t: {"shape": Sized(np.array([2, -1], np.int32)), "dtype": tf.float32, "seed": 3, "seed2": 4})
ends("failures", "Multinomial")(lambda t: {"logits": x(2, 3), "num_samples": Sized(np.int32(-1)), "seed": 3, "seed2": 4})


def _after(op):
    with tf.control_dependencies([op]):
        return tf.constant(1)


# Variables and lists

def variable(kind, resource, **more):
    def build(feeds):
        holder = v1.Variable(x(4, 2), use_resource=resource)
        with tf.control_dependencies([holder.initializer]):
            given = {k: feeds.tensor(v) for k, v in more.items()}
            op = getattr(raw, kind)(resource=holder.handle, **given) if resource else getattr(raw, kind)(ref=holder._ref(), **given)  # noqa: SLF001
        return [op] if kind == "ResourceGather" else [_after(op)]
    return build


for name in ("Add", "Sub", "Mul", "Div", "Max", "Min", "Update"):
    ends("failures", "ResourceScatter" + name)(lambda t, name=name: variable("ResourceScatter" + name, True, indices=np.array([0, pick([4, -1])], index_type()), updates=x(2, 2)))
    ends("failures", "Scatter" + name)(lambda t, name=name: variable("Scatter" + name, False, indices=np.array([0, pick([4, -1])], index_type()), updates=x(2, 2)))
ends("failures", "ResourceGather")(lambda t: variable("ResourceGather", True, indices=np.array([0, pick([4, -1])], index_type()), dtype=tf.float32))
ends("failures", "AssignAddVariableOp")(lambda t: variable("AssignAddVariableOp", True, value=x(4, 3)))


@ends("failures", "ScatterDiv")
def divided(t):
    def build(feeds):
        holder = v1.Variable(np.array([4, 6], np.int32), use_resource=False)
        with tf.control_dependencies([holder.initializer]):
            return [_after(raw.ScatterDiv(ref=holder._ref(), indices=feeds.tensor(np.array([0], np.int32)), updates=feeds.tensor(np.array([0], np.int32))))]  # noqa: SLF001
    return build


@ends("failures", "ReadVariableOp")
def uninitialized(t):
    return lambda feeds: [v1.Variable(x(2), use_resource=True).read_value() + feeds.tensor(x(2))]


@ends("failures", "VariableV2")
def uninitialized_reference(t):
    return lambda feeds: [tf.identity(v1.Variable(x(2), use_resource=False)._ref()) + feeds.tensor(x(2))]  # noqa: SLF001


@ends("failures", "TensorArrayReadV3", rounds=2)
def read_outside(t):
    def build(feeds):
        array = v1.TensorArray(tf.float32, size=3, element_shape=[2], clear_after_read=False).unstack(tf.ensure_shape(feeds.tensor(x(3, 2)), [3, 2]))
        return [array.read(feeds.tensor(np.int32(pick([3, -1]))))]
    return build


@ends("failures", "TensorListGetItem", rounds=2)
def item_outside(t):
    def build(feeds):
        element = tf.constant([2])
        handle = raw.TensorListFromTensor(tensor=tf.ensure_shape(feeds.tensor(x(3, 2)), [3, 2]), element_shape=element)
        return [raw.TensorListGetItem(input_handle=handle, index=feeds.tensor(np.int32(pick([3, -1]))), element_shape=element, element_dtype=tf.float32)]
    return build


@ends("failures", "While")
def in_loop(t):
    """The node at fault is inside a loop."""
    def build(feeds):
        limit, given = feeds.tensor(np.int32(9)), feeds.tensor(x(4))
        return [tf.while_loop(lambda i, s: i < limit, lambda i, s: (i + 1, s + tf.gather(given, i)), [0, 0.0])[1]]
    return build


@ends("failures", "If")
def in_branch(t):
    def build(feeds):
        which, y = feeds.tensor(np.array(True)), feeds.tensor(np.array([0, 1], np.int32))
        return [tf.cond(which, lambda: 7 // y, lambda: y)]
    return build
