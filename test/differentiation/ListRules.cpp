// Prints every op of the graph dialect with what is known of its derivative:
// "NAME rule", "NAME zero", "NAME refused: REASON" or "NAME none".
#include "dialects/graph/Gradient.h"
#include "dialects/graph/Graph.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tenon::graph;

int main() {
  DialectRegistry registry;
  registry.insert<GraphDialect>();
  MLIRContext context(registry);
  context.loadDialect<GraphDialect>();
  SmallVector<std::string> lines;
  for (RegisteredOperationName name :
       context.getRegisteredOperationsByDialect("graph")) {
    auto *rule = name.getInterface<Differentiable>();
    std::string line = name.getStringRef().str();
    // What is told apart here is the same for all ops of a name.
    if (!rule)
      line += " none";
    else if (rule->hasZeroGradient(rule, nullptr))
      line += " zero";
    else if (StringRef reason = rule->whyNotDifferentiable(rule, nullptr);
             !reason.empty())
      line += " refused: " + reason.str();
    else
      line += " rule";
    lines.push_back(line);
  }
  llvm::sort(lines);
  for (const std::string &line : lines)
    llvm::outs() << line << "\n";
}
