// The op that calls a function of the runtime library.
#ifndef TENON_KERNEL_HOST_CALL
#define TENON_KERNEL_HOST_CALL

include "dialects/kernel/KernelOps.td"

def Kernel_HostCallOp : Kernel_Op<"host_call", [
    AttrSizedOperandSegments,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>,
    DeclareOpInterfaceMethods<BufferizableOpInterface, [
      "bufferizesToMemoryRead", "bufferizesToMemoryWrite", "bufferizesToAllocation",
      "getAliasingValues", "bufferize"]>]> {
  let summary = "calls a function of the runtime";
  let description = [{
    Calls `tenon_host_<function>(const tenon_host_call *)` of `tenon/abi.h`.
    `inputs` are the tensors that it reads, the first one the bytes of the
    source node's name and attributes. Its outputs are, in order, either
    destinations, whose sizes the caller knows, or (`allocated`) tensors that
    the function makes: it decides about their dynamic sizes. `input_types` and
    `output_types` are pairs of DLPack type code and bits, because element types
    in lowered code have no sign; strings are `i128` there.

    With `reads` the function reads state that outlives the call, with `writes`
    it changes such state or the world outside: such a call is neither removed,
    repeated nor moved across others. On memrefs, destinations stay operands and
    only allocated outputs are results; inputs and destinations are dense.

    ```mlir
    %r:2 = kernel.host_call "string_split"(%attributes, %s) to(%shape)
        {allocated = array<i1: true, false>, input_types = array<i32: 0, 8, 3, 128>, output_types = array<i32: 3, 128, 0, 64>}
        : (tensor<9xi8>, tensor<?xi128>, tensor<2xi64>) -> (tensor<?xi128>, tensor<2xi64>)
    ```
  }];
  let arguments = (ins StrAttr:$function, Variadic<Kernel_Shaped>:$inputs,
      Variadic<Kernel_Shaped>:$destinations, DenseBoolArrayAttr:$allocated,
      DenseI32ArrayAttr:$input_types, DenseI32ArrayAttr:$output_types, UnitAttr:$reads,
      UnitAttr:$writes);
  let results = (outs Variadic<Kernel_Shaped>:$outputs);
  let assemblyFormat = [{
    $function `(` $inputs `)` (`to` `(` $destinations^ `)`)? attr-dict `:` functional-type(operands, $outputs)
  }];
  let hasVerifier = 1;
}

#endif // TENON_KERNEL_HOST_CALL
