// What is no function of numbers has no derivatives; asking for one says so.
#include "dialects/graph/Gradient.h"
#include "dialects/graph/ops/Host.h"
#include "dialects/graph/ops/Sampling.h"
#include "dialects/graph/ops/State.h"
#include "dialects/graph/ops/Strings.h"

using namespace mlir;
using namespace tenon::graph;

void tenon::graph::addHostGradients(MLIRContext *c) {
  addZeroRules<
      AsStringOp, DecodeBase64Op, DecodeCsvOp, DecodeRawOp, EncodeBase64Op,
      HistogramSummaryOp, MergeCheckpointsOp, MergeSummaryOp, ParseExampleOp,
      ParseTensorOp, PrintTextOp, RandomPoissonOp, ReadFileOp, ReduceJoinOp,
      RegexMatchOp, RegexReplaceOp, RestoreTensorOp, ScalarSummaryOp,
      SerializeTensorOp, ShardedFilenameOp, StringCaseOp, StringCompareOp,
      StringFormatOp, StringHashOp, StringJoinOp, StringLengthOp,
      StringNGramsOp, StringSplitOp, StringStripOp, StringToNumberOp, SubstrOp,
      TableSizeOp, TimestampOp, UnicodeDecodeOp, UnicodeEncodeOp>(c);
  auto tables = [] { return "a table's values are no function of its keys"; };
  refuseGradient<TableFindOp>(c, tables);
  refuseGradient<TableExportOp>(c, tables);
  refuseGradient<NonMaxSuppressionOp>(c,
                                      [] { return "it chooses among boxes"; });
  refuseGradient<OptimizerStepOp>(
      c, [] { return "an optimizer's step is taken, not differentiated"; });
}
