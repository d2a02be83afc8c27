//===- OutputNames.cpp - operations with several named outputs ------------===//
//
// Functions refer to outputs by name ("node:values:0"), graphs by number. An
// operation that is not listed has one output argument, at 0.
//
//===----------------------------------------------------------------------===//

#include "frontend/tensorflow/GraphModel.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"

namespace tenon::tf {

namespace {
struct Outputs {
  llvm::StringRef op, names; // separated by blanks, each is one tensor
};

// Sorted by operation.
constexpr Outputs kTable[] = {
    {"ApproxTopK", "values indices"},
    {"BlockLSTM", "i cs f o ci co h"},
    {"BlockLSTMV2", "i cs f o ci co h"},
    {"BroadcastGradientArgs", "r0 r1"},
    {"CTCGreedyDecoder",
     "decoded_indices decoded_values decoded_shape log_probability"},
    {"CTCLoss", "loss gradient"},
    {"CTCLossV2", "loss gradient"},
    {"CombinedNonMaxSuppression",
     "nmsed_boxes nmsed_scores nmsed_classes valid_detections"},
    {"CudnnRNN", "output output_h output_c reserve_space"},
    {"CudnnRNNV2", "output output_h output_c reserve_space host_reserved"},
    {"CudnnRNNV3", "output output_h output_c reserve_space host_reserved"},
    {"DecodeWav", "audio sample_rate"},
    {"Eig", "e v"},
    {"FusedBatchNorm",
     "y batch_mean batch_variance reserve_space_1 reserve_space_2"},
    {"FusedBatchNormGrad", "x_backprop scale_backprop offset_backprop "
                           "reserve_space_3 reserve_space_4"},
    {"FusedBatchNormGradV2", "x_backprop scale_backprop offset_backprop "
                             "reserve_space_3 reserve_space_4"},
    {"FusedBatchNormGradV3", "x_backprop scale_backprop offset_backprop "
                             "reserve_space_4 reserve_space_5"},
    {"FusedBatchNormV2",
     "y batch_mean batch_variance reserve_space_1 reserve_space_2"},
    {"FusedBatchNormV3", "y batch_mean batch_variance reserve_space_1 "
                         "reserve_space_2 reserve_space_3"},
    {"GRUBlockCell", "r u c h"},
    {"LSTMBlockCell", "i cs f o ci co h"},
    {"ListDiff", "out idx"},
    {"LogMatrixDeterminant", "sign log_abs_determinant"},
    {"LookupTableExportV2", "keys values"},
    {"Lu", "lu p"},
    {"MaxPoolWithArgmax", "output argmax"},
    {"Merge", "output value_index"},
    {"NonMaxSuppressionV4", "selected_indices valid_outputs"},
    {"NonMaxSuppressionV5", "selected_indices selected_scores valid_outputs"},
    {"Qr", "q r"},
    {"ReaderRead", "key value"},
    {"ReaderReadV2", "key value"},
    {"RefMerge", "output value_index"},
    {"RefSwitch", "output_false output_true"},
    {"SelfAdjointEigV2", "e v"},
    {"SoftmaxCrossEntropyWithLogits", "loss backprop"},
    {"SparseAdd", "sum_indices sum_values sum_shape"},
    {"SparseConcat", "output_indices output_values output_shape"},
    {"SparseFillEmptyRows",
     "output_indices output_values empty_row_indicator reverse_index_map"},
    {"SparseReorder", "output_indices output_values"},
    {"SparseReshape", "output_indices output_shape"},
    {"SparseSlice", "output_indices output_values output_shape"},
    {"SparseSoftmaxCrossEntropyWithLogits", "loss backprop"},
    {"StatelessRandomGetKeyCounter", "key counter"},
    {"StatelessRandomGetKeyCounterAlg", "key counter alg"},
    {"StringNGrams", "ngrams ngrams_splits"},
    {"StringSplit", "indices values shape"},
    {"StringSplitV2", "indices values shape"},
    {"Svd", "s u v"},
    {"Switch", "output_false output_true"},
    {"TensorArrayConcatV2", "value lengths"},
    {"TensorArrayConcatV3", "value lengths"},
    {"TensorArrayGradV3", "grad_handle flow_out"},
    {"TensorArrayV3", "handle flow"},
    {"TensorListConcat", "tensor lengths"},
    {"TensorListConcatV2", "tensor lengths"},
    {"TensorListPopBack", "output_handle tensor"},
    {"TopK", "values indices"},
    {"TopKV2", "values indices"},
    {"UnicodeDecode", "row_splits char_values"},
    {"Unique", "y idx"},
    {"UniqueV2", "y idx"},
    {"UniqueWithCounts", "y idx count"},
    {"UniqueWithCountsV2", "y idx count"},
};
} // namespace

int outputOffset(const Node &node, llvm::StringRef output,
                 const GraphModel &model) {
  const Outputs *found = llvm::lower_bound(
      kTable, node.op,
      [](const Outputs &row, llvm::StringRef op) { return row.op < op; });
  if (found != std::end(kTable) && found->op == node.op) {
    llvm::SmallVector<llvm::StringRef> names;
    found->names.split(names, ' ');
    auto position = llvm::find(names, output);
    return position == names.end() ? -1 : int(position - names.begin());
  }
  // Old graphs call functions by using their names as operations.
  if (const Graph *callee = model.function(node.op); callee && callee->def) {
    int position = 0;
    for (const auto &result : callee->def->signature().output_arg()) {
      if (result.name() == output)
        return position;
      ++position;
    }
    return -1;
  }
  return 0;
}

} // namespace tenon::tf
