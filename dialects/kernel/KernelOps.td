#ifndef TENON_KERNEL_OPS
#define TENON_KERNEL_OPS

include "mlir/IR/OpBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/Dialect/Bufferization/IR/BufferizableOpInterface.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/DestinationStyleOpInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Kernel_Dialect : Dialect {
  let name = "kernel";
  let cppNamespace = "::tenon::kernel";
  let summary = "Whole contractions and windows, between linalg and loops";
  let description = [{
    The ops that a CPU runs by hand-shaped code instead of generic tiling:
    contractions (matmul and convolution of any rank), windows (pooling and
    depthwise convolution) and the packing of weights. On tensors they are
    pure, on memrefs they write their destination; what the destination held
    before is never read. An op's *epilogue* is a region applied to each
    finished element before it is stored.
  }];
  let dependentDialects = [];
  let useDefaultAttributePrinterParser = 1;
}

class Kernel_Op<string mnemonic, list<Trait> traits = []>
    : Op<Kernel_Dialect, mnemonic, traits>;

/// Compute on tensors or memrefs, written into a destination.
class Kernel_ComputeOp<string mnemonic, list<Trait> traits = []>
    : Kernel_Op<mnemonic, !listconcat([
        AlwaysSpeculatable, DestinationStyleOpInterface,
        DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
        DeclareOpInterfaceMethods<ReifyRankedShapedTypeOpInterface, [
          "reifyResultShapes"]>,
        DeclareOpInterfaceMethods<BufferizableOpInterface, [
          "bufferizesToMemoryRead", "bufferizesToMemoryWrite",
          "getAliasingValues", "bufferize"]>], traits)> {
  let results = (outs Variadic<AnyRankedTensor>:$result);
  let hasVerifier = 1;
}

def Kernel_Shaped : AnyTypeOf<[AnyRankedTensor, AnyStridedMemRef],
                              "ranked tensor or strided memref">;

def Kernel_ContractOp : Kernel_ComputeOp<"contract", [
    SingleBlock]> {
  let summary = "matmul or convolution with an epilogue";
  let description = [{
    Shapes, for S spatial dimensions (S = 0: matmul) and G groups:

        a: [batch..., N, spatial_in..., G*Cg]
        b: [batch'..., G, ceil(OCg/16), window..., Cg, 16], see `kernel.pack`;
           its last dimension is 1 when OCg is
        c: [batch..., N, spatial_out..., G*OCg]

    A batch dimension of `a` or `b` may be 1 and is then repeated. Element
    (.., o.., oc) of `c` is `body` applied to the sum over window positions k
    and channels of

        a[.., p.., g*Cg + ci] * b[.., g, oc/16, k.., ci, oc%16]
        p = (o * strides + k * dilations - padding) / input_dilation

    where positions outside the input, or between its elements when
    `input_dilation` > 1, contribute zero. `padding` is the low padding; the
    high one follows from the size of `c`.

    Without groups operands can be read where they lie. With `a_order` dimension
    i of `a` as above is dimension `a_order[i]` of the operand. With `b_order`
    the operand is no panels but `[batch'..., window..., Cg, OCg]` once its
    dimensions are taken in that order. Without spatial dimensions the parts in
    use of such a matrix are packed on the way. With them it takes both orders,
    N being the last dimension of `a`'s memory and OCg that of `b`'s, and known
    sizes of `c`: what has a window as large as its input, as the gradient of a
    convolution's filter, sums over all places at once.

    With `pairs` the panels are those of a pack with `pairs`; a matrix is packed
    so on the way.

    With `winograd` = m, 2 or 4, a convolution of plain geometry (two spatial
    dimensions, strides and dilations 1, one group, known channels) has a window
    of 3 by 3, and `b` holds it transformed to m+2 by m+2 numbers: m by m places
    of `c` at a time are computed from as many numbers of `a`, with
    (1 + 2/m)^2 / 9 of the products. Sums are rounded more coarsely, and numbers
    that are not finite reach all places of their tile.

    The block's first argument is the sum, in the accumulator's type: f32 for
    f16, bf16 and f32, f64, complex, and for integers (signless, taken as
    signed when widened; sums wrap) any integer at least as wide. The other
    arguments are one element of each `epilogue` operand, indexed by its map
    from the dimensions of `c`: results are distinct dimensions or 0. A scalar
    is an operand with an empty map. Ops of the body must be elementwise.

    ```mlir
    // relu(a . b + bias), a [8, 32], bias [20]; b packed from [32, 20].
    %r = kernel.contract ins(%a, %b : tensor<8x32xf32>, tensor<1x2x32x16xf32>)
        epilogue(%bias : tensor<20xf32>) outs(%c : tensor<8x20xf32>)
        attributes {epilogue_maps = [affine_map<(m, n) -> (n)>]}
        -> tensor<8x20xf32> {
    ^bb0(%sum: f32, %x: f32):
      %zero = arith.constant 0.0 : f32
      %0 = arith.addf %sum, %x : f32
      %1 = arith.maximumf %0, %zero : f32
      kernel.yield %1 : f32
    }
    ```
  }];
  let arguments = (ins Kernel_Shaped:$a, Kernel_Shaped:$b,
    Variadic<AnyType>:$epilogue, Kernel_Shaped:$c,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$strides,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$dilations,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$padding,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$input_dilation,
    DefaultValuedAttr<I64Attr, "1">:$groups,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$a_order,
    DefaultValuedAttr<DenseI64ArrayAttr, "{}">:$b_order,
    DefaultValuedAttr<AffineMapArrayAttr, "{}">:$epilogue_maps,
    DefaultValuedAttr<I64Attr, "0">:$winograd,
    UnitAttr:$pairs);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `ins` `(` $a `,` $b `:` type($a) `,` type($b) `)`
    (`epilogue` `(` $epilogue^ `:` type($epilogue) `)`)?
    `outs` `(` $c `:` type($c) `)` attr-dict-with-keyword
    (`->` type($result)^)? $body
  }];
  let builders = [
    // A body that passes the sum on, rounded to the element type of `c`. Left
    // out geometry is 1 (strides, dilations) or 0 (padding).
    OpBuilder<(ins "::mlir::Value":$a, "::mlir::Value":$b, "::mlir::Value":$c,
      CArg<"::llvm::ArrayRef<int64_t>", "{}">:$strides,
      CArg<"::llvm::ArrayRef<int64_t>", "{}">:$dilations,
      CArg<"::llvm::ArrayRef<int64_t>", "{}">:$padding,
      CArg<"::llvm::ArrayRef<int64_t>", "{}">:$inputDilation,
      CArg<"int64_t", "1">:$groups)>];
  let extraClassDeclaration = [{
    /// The accumulator's type for elements of type `element`; null if the op
    /// can not multiply them.
    static ::mlir::Type getAccumulatorType(::mlir::Type element);
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getCMutable(); }
    int64_t getSpatialRank() { return getStrides().size(); }
    int64_t getBatchRank();
    /// Whether `b` is a matrix as it lies in memory, not panels.
    bool readsMatrix() { return !getBOrder().empty(); }
    /// Whether both operands are images that are read where they lie.
    bool sumsOverPlaces() { return readsMatrix() && getSpatialRank() != 0; }
    /// Which dimension of the operand is dimension `i` of `a`.
    int64_t getADim(int64_t i);
    /// Which dimension of the operand `b` counts the channels of a group.
    int64_t getBChannelDim();
    ::mlir::ShapedType getAType();
    ::mlir::ShapedType getBType();
    ::mlir::ShapedType getCType();
    ::mlir::AffineMap getEpilogueMap(unsigned i);
  }];
}

def Kernel_PackOp : Kernel_ComputeOp<"pack"> {
  let summary = "arrange weights in the panels that kernel.contract reads";
  let description = [{
        source: [batch..., window..., Cg, G*OCg], matmul [batch..., K, N]
                or, with transpose_b, [batch..., window..., G*OCg, Cg]
        packed: [batch..., G, ceil(OCg/16), window..., Cg, 16]; 1 if OCg is

    `spatial` is the number of window dimensions. The tail of the last panel is
    zero. With `reverse`, the window runs backwards (transposed convolution).
    Any element type. With `pairs`, for bf16 and an even Cg, the channels of a
    panel stand two by two, as [Cg/2, 16, 2] in the same dimensions: there are
    CPUs that add two products at once, and others take pairs apart cheaply.

    ```mlir
    %p = kernel.pack ins(%w : tensor<3x3x8x20xf32>)
        outs(%init : tensor<1x2x3x3x8x16xf32>) {spatial = 2 : i64}
        -> tensor<1x2x3x3x8x16xf32>
    ```
  }];
  let arguments = (ins Kernel_Shaped:$source, Kernel_Shaped:$packed,
    DefaultValuedAttr<I64Attr, "0">:$spatial,
    DefaultValuedAttr<I64Attr, "1">:$groups,
    UnitAttr:$transpose_b, UnitAttr:$reverse, UnitAttr:$pairs);
  let assemblyFormat = [{
    `ins` `(` $source `:` type($source) `)`
    `outs` `(` $packed `:` type($packed) `)` attr-dict (`->` type($result)^)?
  }];
  let extraClassDeclaration = [{
    /// Sizes of the packed form of `shape` (kDynamic where unknown).
    static ::llvm::SmallVector<int64_t> getPackedShape(
        ::llvm::ArrayRef<int64_t> shape, int64_t spatial, int64_t groups,
        bool transposeB);
    /// The packed form's sizes as values, to create a destination with.
    static ::llvm::SmallVector<::mlir::OpFoldResult> getPackedSizes(
        ::mlir::OpBuilder &builder, ::mlir::Location loc, ::mlir::Value source,
        int64_t spatial, int64_t groups, bool transposeB);
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getPackedMutable(); }
    ::mlir::ShapedType getSourceType();
    ::mlir::ShapedType getPackedType();
  }];
}

def Kernel_WindowKind : I32EnumAttr<"WindowKind", "what a window computes", [
    I32EnumAttrCase<"Depthwise", 0, "depthwise">,
    I32EnumAttrCase<"Max", 1, "max">,
    I32EnumAttrCase<"Sum", 2, "sum">,
    I32EnumAttrCase<"Average", 3, "average">]> {
  let cppNamespace = "::tenon::kernel";
  let genSpecializedAttr = 0;
}
def Kernel_WindowKindAttr
    : EnumAttr<Kernel_Dialect, Kernel_WindowKind, "window_kind"> {
  let assemblyFormat = "$value";
}

def Kernel_WindowOp : Kernel_ComputeOp<"window", [
    AttrSizedOperandSegments, SingleBlock]> {
  let summary = "pooling or depthwise convolution with an epilogue";
  let description = [{
        x: [N, spatial_in..., C]    y: [N, spatial_out..., C*mult]
        w: [window..., C, mult], for `depthwise` only; otherwise mult is 1

    Each channel alone: `depthwise` sums x * w over the window (channel
    c*mult + q of `y` from c of `x` and (c, q) of `w`), `max` and `sum` reduce
    it, `average` divides the sum by the number of positions inside the input.
    Positions outside the input are left out. `max` of floats starts at the
    lowest finite value and passes over NaN, as TensorFlow's does; integers are
    signed. `padding` is the low padding, the high one follows from `y`.

    Body, epilogue operands and accumulator types are as in `kernel.contract`,
    except that integer accumulators of `max` may have the element's type only.

    ```mlir
    %r = kernel.window max ins(%x : tensor<1x8x8x3xf32>)
        outs(%y : tensor<1x4x4x3xf32>) attributes {
        window = array<i64: 2, 2>, strides = array<i64: 2, 2>, dilations = array<i64: 1, 1>,
        padding = array<i64: 0, 0>} -> tensor<1x4x4x3xf32> {
    ^bb0(%value: f32):
      kernel.yield %value : f32
    }
    ```
  }];
  let arguments = (ins Kernel_WindowKindAttr:$kind, Kernel_Shaped:$x,
    Optional<Kernel_Shaped>:$w, Variadic<AnyType>:$epilogue, Kernel_Shaped:$y,
    DenseI64ArrayAttr:$window, DenseI64ArrayAttr:$strides,
    DenseI64ArrayAttr:$dilations, DenseI64ArrayAttr:$padding,
    DefaultValuedAttr<AffineMapArrayAttr, "{}">:$epilogue_maps);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $kind `ins` `(` $x `:` type($x) `)` (`weights` `(` $w^ `:` type($w) `)`)?
    (`epilogue` `(` $epilogue^ `:` type($epilogue) `)`)?
    `outs` `(` $y `:` type($y) `)` attr-dict-with-keyword
    (`->` type($result)^)? $body
  }];
  let builders = [
    // `w` is null except for depthwise. The body passes the value on.
    OpBuilder<(ins "WindowKind":$kind, "::mlir::Value":$x, "::mlir::Value":$w,
      "::mlir::Value":$y, "::llvm::ArrayRef<int64_t>":$window,
      "::llvm::ArrayRef<int64_t>":$strides,
      "::llvm::ArrayRef<int64_t>":$dilations,
      "::llvm::ArrayRef<int64_t>":$padding)>];
  let extraClassDeclaration = [{
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getYMutable(); }
    int64_t getSpatialRank() { return getStrides().size(); }
    ::mlir::ShapedType getXType();
    ::mlir::ShapedType getYType();
    ::mlir::AffineMap getEpilogueMap(unsigned i);
  }];
}

def Kernel_YieldOp : Kernel_Op<"yield", [
    Pure, ReturnLike, Terminator,
    ParentOneOf<["ContractOp", "WindowOp"]>]> {
  let summary = "the element to store";
  let arguments = (ins AnyType:$value);
  let assemblyFormat = "attr-dict $value `:` type($value)";
}

#endif // TENON_KERNEL_OPS
