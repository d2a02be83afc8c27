//===- Support.cpp - tenon --support-table --------------------------------===//
//
// The support table of README.md, as Markdown: a test compares the two.
//
//===----------------------------------------------------------------------===//

#include "compiler/tools/tenon/Commands.h"

#include "compiler/backend/cpu/Target.h"
#include "compiler/training/Metric.h"
#include "compiler/training/Optimizer.h"
#include "frontend/keras/Support.h"

using namespace llvm;

namespace tenon {

/// Prints a row for each family; returns how many members all have.
static size_t printFamilies(ArrayRef<OperationFamily> families) {
  size_t count = 0;
  for (const OperationFamily &family : families) {
    outs() << "| " << family.name << " | ";
    interleave(family.operations, outs(), " ");
    outs() << " |\n";
    count += family.operations.size();
  }
  return count;
}

int supportCommand() {
  raw_ostream &os = outs();
  os << "| | |\n|---|---|\n| formats | ";
  interleave(modelFormats(), os, ", ");
  os << " |\n| outputs | ";
  interleave(getOutputKinds(), os, ", ");
  os << " |\n| targets | x86-64 Linux: v2, v3 and v4 in one artifact "
        "(`--cpu portable`), `native`, any CPU that LLVM names; objects for ";
  SmallVector<StringRef> others;
  for (const Platform &platform : getPlatforms())
    if (!platform.hasRuntime)
      others.push_back(Triple::getArchTypeName(platform.arch));
  interleave(others, os, " and ");
  os << " Linux (`--triple`); kernels for NVIDIA GPUs of sm_80 and newer "
        "(`--cuda`) |\n\n"
        "| family | TensorFlow operations |\n|---|---|\n";
  size_t operations = printFamilies(tf::operationFamilies());
  os << "\n| family | Keras layers |\n|---|---|\n";
  size_t classes = printFamilies(keras::layerFamilies());
  os << "\n| training | by Keras's names |\n|---|---|\n";
  printFamilies({{"losses", training::lossNames()},
                 {"metrics", training::metricNames()},
                 {"optimizers", training::optimizerNames()},
                 {"schedules", training::scheduleNames()}});
  os << "\n"
     << operations << " operations, " << classes
     << " layers and functions of Keras.\n";
  return kDone;
}

} // namespace tenon
