// Tensors used as lists: dimension 0 counts the items.
//
// A list is a tensor, so the rest of a list's life is ordinary ops: `fill`
// reserves one, `concat` appends, `slice` shortens, `shape_of` gives its length,
// stacking and unstacking are the list itself.
#ifndef TENON_GRAPH_SEQUENCE
#define TENON_GRAPH_SEQUENCE

include "dialects/graph/GraphTypes.td"

def Graph_ListGetItemOp : Graph_PureOp<"list_get_item"> {
  let summary = "item `index` of a list";
  let description = [{
    `index` is an integer scalar; the run fails when it is not in the list.

    ```mlir
    %r = graph.list_get_item %list, %i : (tensor<4x3xf32>, tensor<i32>) -> tensor<3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$list, Graph_IntTensor:$index);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$list `,` $index attr-dict `:` functional-type(operands, results)";
}

def Graph_ListSetItemOp : Graph_PureOp<"list_set_item"> {
  let summary = "a list with item `index` replaced";
  let description = [{
    In a loop that carries the list this writes in place. The run fails when
    `index` is not in the list; with `grow` the list becomes as long as needed
    instead, with zeros in the items between.

    ```mlir
    %r = graph.list_set_item %list, %i, %item : (tensor<4x3xf32>, tensor<i32>, tensor<3xf32>) -> tensor<4x3xf32>
    ```
  }];
  let arguments = (ins Graph_Tensor:$list, Graph_IntTensor:$index, Graph_Tensor:$item, UnitAttr:$grow);
  let results = (outs Graph_Tensor:$result);
  let assemblyFormat = "$list `,` $index `,` $item attr-dict `:` functional-type(operands, results)";
}

#endif // TENON_GRAPH_SEQUENCE
