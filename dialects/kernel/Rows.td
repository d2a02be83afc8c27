// The op that does chains of reductions and elementwise ops row by row.
#ifndef TENON_KERNEL_ROWS
#define TENON_KERNEL_ROWS

include "dialects/kernel/KernelOps.td"

def Kernel_RowsOp : Kernel_ComputeOp<"rows", [AttrSizedOperandSegments]> {
  let summary = "reductions over rows and elementwise ops, one row after the other";
  let description = [{
    Works on a domain of `sizes` elements, whose first `row_rank` dimensions
    number the rows and whose others run along one. Softmax, layer norm, their
    gradients and the like: what is between the steps stays in registers or in
    the nearest cache.

    Each region is a step and yields its values:

      * kind 0, each element: elementwise ops of elements,
      * kind 1, a reduction: the values are those of a row, each the last
        operation applied to the accumulator and a term, in any order,
      * kind 2, each row: elementwise ops of values of rows.

    A step's arguments are one element of each of `inputs`, then all values of
    the steps before it; a reduction's are followed by its accumulators, which
    begin with the inputs numbered by `starts`. A step for rows, or that starts
    a row, does not use elements.

    `maps` lead from the domain's dimensions to those of each input, then of
    each output: results are distinct dimensions or 0, and an output's dimensions
    are in order. Scalars are inputs with empty maps. Output i holds value
    `yields[i]`, counted over all steps.

    ```mlir
    // x - max(x) of each row
    %r = kernel.rows ins(%x, %low : tensor<8x20xf32>, f32) outs(%y : tensor<8x20xf32>)
        attributes {kinds = array<i64: 1, 0>, maps = [affine_map<(r, c) -> (r, c)>, affine_map<(r, c) -> ()>,
         affine_map<(r, c) -> (r, c)>], row_rank = 1 : i64, starts = array<i64: 1>, yields = array<i64: 1>}
        -> tensor<8x20xf32> {
    ^bb0(%e: f32, %s: f32, %sum: f32):
      %0 = arith.maximumf %e, %sum : f32
      kernel.row_yield %0 : f32
    }, {
    ^bb0(%e: f32, %s: f32, %largest: f32):
      %0 = arith.subf %e, %largest : f32
      kernel.row_yield %0 : f32
    }
    ```
  }];
  let arguments = (ins Variadic<AnyType>:$inputs, Variadic<Kernel_Shaped>:$outputs,
    I64Attr:$row_rank, DenseI64ArrayAttr:$kinds, DenseI64ArrayAttr:$starts,
    AffineMapArrayAttr:$maps, DenseI64ArrayAttr:$yields);
  let regions = (region VariadicRegion<SizedRegion<1>>:$steps);
  let assemblyFormat = [{
    `ins` `(` $inputs `:` type($inputs) `)` `outs` `(` $outputs `:` type($outputs) `)`
    attr-dict-with-keyword (`->` type($result)^)? $steps
  }];
  let extraClassDeclaration = [{
    enum Kind : int64_t { Element = 0, Reduction = 1, Row = 2 };
    ::mlir::MutableOperandRange getDpsInitsMutable() { return getOutputsMutable(); }
    /// Of an input, or of an output behind them.
    ::mlir::AffineMap getMap(unsigned i);
    /// Number of dimensions of the domain.
    unsigned getRank() { return getMap(0).getNumDims(); }
    ::mlir::Operation::operand_range getStepYields(unsigned step);
    /// How often a row is walked along at least: a walk can use the reductions
    /// of earlier ones. `ofValues`: of each value the walk that computes it, of
    /// rows' values the first that can use it.
    unsigned findWalks(::llvm::SmallVectorImpl<unsigned> &ofValues);
    /// Whether an output may lie where an input does: each of its elements is
    /// written when the same one of the input is not needed any more.
    bool mayReplace(unsigned input, unsigned output);
    /// The operation that adds a term to accumulator `i` of a block of a
    /// reduction; null if it is none that may be done in any order.
    static ::mlir::Operation *findCombiner(::mlir::Block &block,
        ::mlir::BlockArgument accumulator, unsigned i);
  }];
}

def Kernel_RowYieldOp : Kernel_Op<"row_yield", [
    Pure, ReturnLike, Terminator, ParentOneOf<["RowsOp"]>]> {
  let summary = "a step's values";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

#endif // TENON_KERNEL_ROWS
